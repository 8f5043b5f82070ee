"""Whether a source bears out a short answer, and whether the answer is what it said before.

A short answer shares few words with its source, so no single sign decides. The signs are how near
the answer with its question comes to a sentence, whether its figures, names and words stand there
and about what was asked, whether yes and no agree with what the sentence says or denies, and which
limits one has and the other lacks. A forest of small trees (``graph/support.json``, fitted by
``bench/support.py``) weighs them. Where the former words of the article are known the same is asked
of them: an answer that fits what went better than what stands is what the article used to say.

The signs are pure: vectors come in, numbers go out. ``AnswerJudge`` puts them together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from core.errors import ModelUnavailable
from graph.alignment import SourceUnit, Token, is_filler, same_spelling, source_units, tokenize
from graph.answers import Answer, alternatives, read_answer
from graph.ports import Changes
from kb.changes import SURE, ChangeJudge
from kb.content import Passage
from kb.facts import Fact, opposed, same_value
from kb.words import opposite
from retrieval.ports import Embedder, Vectors

Embed = Callable[[Sequence[str]], Vectors]
MOST_LINES: Final = 40
"""Sentences of the cited passages that an answer is held against, those nearest to it first."""
MOST_FORMER: Final = 14
"""Sentences that went, and sentences that came, that are compared with an answer."""
FORESTS: Final = Path(__file__).with_name("support.json")
# How near a line must come to a question to answer it; and by how much nearer than what went.
ANSWERS_NOW: Final = 1.0
ANSWERS_SINCE: Final = 0.1
PLAIN: Final = 0.6
"""Share of votes from which an answer is flagged in an article that only grew."""
MADE_UP: Final = 0.9
"""Share of votes from which the source bears an answer so little out that its former words change nothing."""
_DOUBT: Final = 0.3
# By how much less a line that went fits an answer than one that stands, where it is about another
# matter.
_ELSEWHERE: Final = -0.4
# From which fit a line that went is about what an answer says.
_ABOUT_IT: Final = 0.85
# By how much nearer than what went a line must come to answer what, the answer says, it no longer
# does.
_BACK_AGAIN: Final = 0.35
_LONGEST_QUESTION: Final = 600
_MOST_EMBEDDED: Final = 60
_COUNTERPART: Final = 0.55
_SOLID: Final = frozenset(["value", "name", "word", "code"])
_KINDS: Final = ("value", "name", "code", "word")
_CLAUSE: Final = re.compile(
    r"\s*[,;:()–—]\s*|\s+(?:and|or|but|if|unless|when|because|while|until|except|so\s+that|which)\s+",
    re.I,
)
_NEGATIVE: Final = re.compile(
    r"\b(?:not|no|never|none|nothing|cannot|without|neither|nor|\w+n['’]t|non-?\w+|unavailable|unable|"
    r"refuse\w*|prohibit\w*|forbid\w*|exclud\w*|ineligible)\b",
    re.I,
)
_NO_LONGER: Final = re.compile(
    r"\b(?:no\s+longer|not\b[^.;]{0,40}\bany\s?(?:more|longer)|is\s+gone|used\s+to|previously|formerly)\b",
    re.I,
)
_TURNING: Final = frozenset(["not", "modal", "limit"])
# Words that one side has and the other lacks where the two do not say the same.
_SHADES: Final[dict[str, re.Pattern[str]]] = {
    "past": re.compile(
        r"\b(?:was|were|had|used\s+to|previously|formerly|until|ended|expired|discontinued|"
        r"phased\s+out|disabled|removed|did)\b",
        re.I,
    ),
    "future": re.compile(
        r"\b(?:will|shall|going\s+to|soon|planned|plans?\s+to|future|upcoming|eventually|expect)\b",
        re.I,
    ),
    "hedge": re.compile(
        r"\b(?:may|might|possibly|perhaps|possible|could|generally|usually|typically|sometimes|"
        r"occasionally|rare(?:ly)?|in\s+some\s+cases|certain|limited|not\s+necessarily|some)\b",
        re.I,
    ),
    "only": re.compile(r"\b(?:only|solely|exclusively|just|except|unless|until|no\s+longer)\b", re.I),
    "all": re.compile(
        r"\b(?:all|every|each|any|always|definitely|automatically|everyone|across|both|either)\b",
        re.I,
    ),
    "not": _NEGATIVE,
    "must": re.compile(
        r"\b(?:must|required?|requires|needs?|have\s+to|mandatory|obligat\w+)\b", re.I
    ),
    "free": re.compile(r"\b(?:free|unlimited|indefinitely|forever)\b", re.I),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of a source, under its heading."""

    unit: SourceUnit
    heading: str

    @property
    def under_heading(self) -> str:
        """The heading and the sentence in one."""
        return f"{self.heading}: {self.unit.text}" if self.heading else self.unit.text


@dataclass(frozen=True, slots=True)
class Reading:
    """A question and an answer, read once for all lines.

    Attributes:
        question: The words of the question.
        answer: The answer, taken apart.
        asked: Content words of the question.
        told: Content words of the answer.
        new: Those of ``told`` that the question does not have.
        vectors: Of question, answer, what it says besides yes or no, question and answer.
        sides: What yes and what no would state, ``(2, dimensions)``; None for other questions.
    """

    question: str
    answer: Answer
    asked: tuple[Token, ...]
    told: tuple[Token, ...]
    new: tuple[Token, ...]
    vectors: Vectors
    sides: Vectors | None

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """Weight of each token of ``new``."""
        return np.array([token.weight for token in self.new], float)


def read(question: str, answer: Answer, embed: Embed) -> Reading:
    """Read an answer with its question."""
    asked = tuple(_content(tokenize(question)))
    told = tuple(_content(tokenize(answer.said)))
    known = {token.key for token in asked}
    stated = alternatives(question) if answer.stance else None
    said = answer.said or answer.text
    texts = [question, answer.text, said, f"{question} {answer.text}".strip()]
    found = embed([*texts, *(stated or ())])
    return Reading(
        question,
        answer,
        asked,
        told,
        tuple(token for token in told if token.key not in known),
        found[:4],
        found[4:] if stated else None,
    )


@dataclass(frozen=True, slots=True)
class _Laid:
    """How one line compares with an answer; cosines and shares, -1..1."""

    line: Line
    vector: npt.NDArray[np.float32]
    question: float
    answer: float
    both: float
    covers: float
    covers_question: float
    leans: float
    states: float
    denies: float
    agrees: float
    held: frozenset[int]

    @property
    def near(self) -> float:
        """How near it is to question and answer."""
        return 0.5 * self.question + 0.5 * self.both

    @property
    def fit(self) -> float:
        """How well it may bear the answer out."""
        return self.near + 0.5 * self.covers + 0.2 * self.covers_question


_MEASURES: Final = (
    "question", "answer", "both", "covers", "covers_question", "leans", "states", "denies", "agrees",
    "fit",
)  # fmt: skip


def lay(reading: Reading, lines: Sequence[Line], embed: Embed) -> list[_Laid]:
    """Lay an answer beside lines of a source; the best fit first."""
    if not lines:
        return []
    plain = embed([line.unit.text for line in lines])
    headed = embed([line.under_heading for line in lines])
    question = np.maximum(plain @ reading.vectors[0], headed @ reading.vectors[0])
    both = np.maximum(plain @ reading.vectors[3], headed @ reading.vectors[3])
    answer = plain @ reading.vectors[2]
    stance = reading.answer.stance
    weights = reading.weights
    found: list[_Laid] = []
    for i, line in enumerate(lines):
        words = _Words(line)
        held = frozenset(k for k, token in enumerate(reading.new) if words.hold(token))
        covered = sum(weights[k] for k in held) / weights.sum() if reading.new else 1.0
        known = sum(words.hold(token) for token in reading.asked) / max(1, len(reading.asked))
        leans, states = 0.0, float(both[i])
        if reading.sides is not None:
            yes, no = (float(plain[i] @ side) for side in reading.sides)
            leans, states = stance * (yes - no), yes if stance > 0 else no
        found.append(
            _Laid(
                line,
                plain[i],
                float(question[i]),
                float(answer[i]),
                float(both[i]),
                float(covered),
                float(known),
                leans,
                states,
                float(bool(_NEGATIVE.search(line.unit.text))),
                stance * _polarity(reading, line.unit),
                held,
            )
        )
    return sorted(found, key=lambda laid: -laid.fit)


class _Words:
    """What words a line holds, its heading's among them."""

    def __init__(self, line: Line) -> None:
        self._tokens = [*line.unit.tokens, *tokenize(line.heading)]
        self._keys = {token.key for token in self._tokens}
        self._raw = f"{line.unit.text} {line.heading}".casefold()
        self._words = set(re.findall(r"[^\W_]+", self._raw))

    def hold(self, token: Token) -> bool:
        if token.key in self._keys:
            return True
        if token.kind == "value" and token.fact is not None:
            fact = token.fact
            return any(
                other.fact is not None
                and (same_value(fact, other.fact) or is_figure_of(fact, other.fact))
                and not opposed(fact, other.fact)
                for other in self._tokens
            )
        if token.kind == "code" and token.fact is not None:
            return token.fact.value.casefold() in self._raw
        word = token.text.lower()
        return any(same_spelling(word, other) for other in self._words)


def is_figure_of(fact: Fact, other: Fact) -> bool:
    """Say whether ``fact`` is the bare figure of ``other``: "13" where it says "13 years old"."""
    return fact.kind == "number" and fact.text in re.findall(r"\d[\d.,]*(?<![.,])", other.text)


def _content(tokens: Sequence[Token]) -> list[Token]:
    return [token for token in tokens if token.kind in _SOLID and not is_filler(token)]


def _polarity(reading: Reading, unit: SourceUnit) -> float:
    """Return how surely the clause that speaks of what is asked affirms (+) or denies (-) it."""
    wanted = {token.key for token in reading.asked}
    if not wanted or not unit.tokens:
        return 0.0
    clauses: dict[int, list[Token]] = {}
    for token in unit.tokens:
        clauses.setdefault(token.clause, []).append(token)
    shared = {
        number: len(wanted & {token.key for token in _content(clause)})
        for number, clause in clauses.items()
    }
    number = max(shared, key=lambda key: shared[key])
    clause = clauses[number]
    turns = sum(token.kind == "not" for token in clause)
    turns += sum(
        ours.key != theirs.key and opposite(ours.text, theirs.text)
        for ours in reading.asked
        for theirs in _content(clause)
    )
    return (1.0 if turns % 2 == 0 else -1.0) * shared[number] / len(wanted)


# -- signs --------------------------------------------------------------------------------------


def signs_now(reading: Reading, laid: Sequence[_Laid], embed: Embed) -> dict[str, float]:
    """Return the signs that lines bear an answer out, or do not. ``laid`` is not empty."""
    near = sorted(laid, key=lambda one: -one.near)
    best = laid[0]
    stance = reading.answer.stance
    signs = {
        "most both": max(one.both for one in laid),
        "most answer": max(one.answer for one in laid),
        "most question": max(one.question for one in laid),
        "gap": near[0].near - best.near,
        "gain": max(one.both - one.question for one in near[:3]),
        "new": min(len(reading.new), 10) / 10,
        "yes": float(stance > 0),
        "no": float(stance < 0),
        "bare": float(not reading.told),
        "either": float(reading.sides is not None),
        "agrees 3": float(np.mean([one.agrees for one in laid[:3]])),
        "yes but denied": float(stance > 0) * best.denies,
        "no and denied": float(stance < 0) * best.denies,
        "no but said": float(stance < 0) * (1 - best.denies),
        "states": max(one.states for one in laid),
        "leans 1": max(one.leans for one in laid[:3]),
        "opposite": float(
            any(
                opposite(ours.text, theirs.text)
                for ours in reading.new
                for theirs in _content(best.line.unit.tokens)
            )
        ),
    }
    signs |= {f"best {name}": float(getattr(best, name)) for name in _MEASURES}
    for count in (1, 3, 6):
        signs[f"covered {count}"] = _covered(reading, near[:count])
    signs["covered all"] = _covered(reading, laid)
    signs |= _missing(reading, near, laid)
    signs |= _rivals(reading, laid)
    signs |= _shades(reading, best)
    clauses = [clause for one in laid[:4] for clause in _clauses(one.line.unit.text)]
    vectors = embed(clauses) if clauses else np.zeros((0, reading.vectors.shape[1]), np.float32)
    for name, row in (("answer", 2), ("both", 3)):
        whole = [float(getattr(one, name)) for one in laid[:4]]
        signs[f"clause {name}"] = max([*whole, *map(float, vectors @ reading.vectors[row])])
    return signs


def _covered(reading: Reading, laid: Sequence[_Laid]) -> float:
    held = frozenset().union(*(one.held for one in laid))
    weights = reading.weights
    return float(sum(weights[k] for k in held) / weights.sum()) if reading.new else 1.0


def _missing(reading: Reading, near: Sequence[_Laid], laid: Sequence[_Laid]) -> dict[str, float]:
    signs: dict[str, float] = {}
    for kind in _KINDS:
        places = {k for k, token in enumerate(reading.new) if token.kind == kind}
        signs[f"{kind}s"] = min(len(places), 3) / 3
        for label, lines in (("near", near[:3]), ("best", laid[:2]), ("all", laid)):
            held = frozenset().union(*(one.held for one in lines))
            signs[f"{kind}s missing {label}"] = len(places - held) / len(places) if places else 0.0
    return signs


def _rivals(reading: Reading, laid: Sequence[_Laid]) -> dict[str, float]:
    """Tell how much nearer to the question another figure of the kind stands."""
    nearer = about = 0.0
    known = {token.key for token in (*reading.asked, *reading.told)}
    for token in reading.new:
        fact = token.fact
        if token.kind != "value" or fact is None:
            continue
        equal, other = [0.2], [0.2]
        equal_about, other_about = [0.0], [0.0]
        for place, one in enumerate(laid):
            for theirs in (t.fact for t in one.line.unit.tokens if t.fact is not None):
                if same_value(fact, theirs):
                    scores, abouts = equal, equal_about
                elif theirs.kind == fact.kind:
                    scores, abouts = other, other_about
                else:
                    continue
                scores.append(one.near)
                if place < 4:
                    abouts.append(sum(key in known for key in theirs.about) / (1 + len(known)))
        nearer = max(nearer, max(other) - max(equal))
        about = max(about, max(other_about) - max(equal_about))
    return {"rival nearer": nearer, "rival about": about}


def _shades(reading: Reading, best: _Laid) -> dict[str, float]:
    signs: dict[str, float] = {}
    for name, pattern in _SHADES.items():
        ours = bool(pattern.search(reading.answer.said))
        theirs = bool(pattern.search(best.line.unit.text))
        asked = bool(pattern.search(reading.question))
        signs[f"{name} ours"] = float(ours and not theirs)
        signs[f"{name} theirs"] = float(theirs and not ours and not asked)
    return signs


def _clauses(text: str) -> list[str]:
    parts = [part.strip() for part in _CLAUSE.split(text) if part and len(part.split()) >= 3]
    return parts[:12] if len(parts) > 1 else []


@dataclass(frozen=True, slots=True)
class Former:
    """The lines that went and came between a former version and the one in force, and those kept."""

    went: Sequence[_Laid]
    came: Sequence[_Laid]
    kept: Sequence[_Laid]


def signs_then(
    reading: Reading, former: Former, embed: Embed, changes: Changes
) -> dict[str, float]:
    """Return the signs that an answer is what the source said before and says no longer."""
    went = former.went[0] if former.went else None
    came = former.came[0] if former.came else None
    kept = former.kept[0] if former.kept else None
    after, alike = counterpart(went, former.came)
    before, _ = counterpart(came, former.went)
    signs = {
        "went": float(went is not None),
        "came": float(came is not None),
        "alike": alike,
        "replaced": float(after is not None),
        "yes": float(reading.answer.stance > 0),
        "no": float(reading.answer.stance < 0),
        "new": min(len(reading.new), 10) / 10,
        "bare": float(not reading.told),
    }
    for name in _MEASURES:
        w, c, k = (_measure(one, name) for one in (went, came, kept))
        signs |= {f"went {name}": w, f"came {name}": c, f"kept {name}": k}
        signs |= {
            f"went-came {name}": w - c,
            f"went-kept {name}": w - k,
            f"came-kept {name}": c - k,
        }
        signs[f"went-after {name}"] = w - _measure(after, name) if after is not None else 0.0
        signs[f"came-before {name}"] = c - _measure(before, name) if before is not None else 0.0
        signs[f"went-any {name}"] = w - max(c, k, _measure(after, name))
        signs[f"came-any {name}"] = c - max(w, k)
        most = max((_measure(one, name) for one in former.went), default=0.0)
        others = (_measure(one, name) for one in (*former.came, *former.kept))
        signs[f"most went {name}"] = most - max(others, default=0.0)
    signs |= _words_that_went(reading, former, went, after, came, before)
    signs |= _what_differs(reading, went, after)
    signs |= _phrases(reading, went, after, embed)
    signs |= _nearest_change(former, went, changes)
    signs["changed"] = _changed(went, after, changes)
    signs |= _turns(reading, went, after)
    return signs


def counterpart(line: _Laid | None, others: Sequence[_Laid]) -> tuple[_Laid | None, float]:
    """Return which of ``others`` took the place of ``line``, if one did, and how alike they are."""
    if line is None or not others:
        return None, 0.0
    scored = [
        0.5 * float(other.vector @ line.vector)
        + 0.005 * fuzz.token_set_ratio(other.line.unit.text, line.line.unit.text)
        for other in others
    ]
    best = int(np.argmax(scored))
    return (others[best] if scored[best] >= _COUNTERPART else None), scored[best]


def _measure(laid: _Laid | None, name: str) -> float:
    return float(getattr(laid, name)) if laid is not None else 0.0


def _held(laid: Sequence[_Laid]) -> frozenset[int]:
    return frozenset().union(*(one.held for one in laid))


def _words_that_went(
    reading: Reading,
    former: Former,
    went: _Laid | None,
    after: _Laid | None,
    came: _Laid | None,
    before: _Laid | None,
) -> dict[str, float]:
    old, new, kept = _held(former.went[:2]), _held(former.came[:3]), _held(former.kept[:4])
    every_old, every_new, every_kept = map(_held, (former.went, former.came, former.kept))
    weights = reading.weights
    total = float(weights.sum()) or 1.0
    hard = {k for k, token in enumerate(reading.new) if token.kind in {"value", "code", "name"}}

    def share(places: frozenset[int]) -> float:
        return float(sum(weights[k] for k in places)) / total

    def own(one: _Laid | None, other: _Laid | None) -> frozenset[int]:
        return (one.held if one else frozenset()) - (other.held if other else frozenset())

    return {
        "words went": share(old - new - kept),
        "words came": share(new - old - kept),
        "only went": share(every_old - every_new - every_kept),
        "only came": share(every_new - every_old - every_kept),
        "words went there": share(own(went, after)),
        "words came there": share(own(came, before)),
        "value went": float(bool(hard & (old - new - kept))),
        "value came": float(bool(hard & (new - old - kept))),
    }


def _what_differs(reading: Reading, went: _Laid | None, after: _Laid | None) -> dict[str, float]:
    kinds = ("value", "not", "limit", "modal", "name")
    names = (
        "gone",
        "added",
        "meaning",
        "gone asked",
        "added asked",
        "gone told",
        "added told",
        "nots",
    )
    signs = dict.fromkeys((f"differs {name}" for name in names), 0.0)
    signs |= {f"{side} {kind}": 0.0 for kind in kinds for side in ("gone", "added")}
    if went is None or after is None:
        return signs
    old = {token.key: token for token in went.line.unit.tokens}
    new = {token.key: token for token in after.line.unit.tokens}
    gone = [token for key, token in old.items() if key not in new]
    added = [token for key, token in new.items() if key not in old]
    asked = {token.key for token in reading.asked}
    told = {token.key for token in tokenize(reading.answer.text)}
    signs |= {
        "differs gone": min(5, len(_content(gone))) / 5,
        "differs added": min(5, len(_content(added))) / 5,
        "differs meaning": float(went.vector @ after.vector),
        "differs gone asked": len({token.key for token in gone} & asked) / 3,
        "differs added asked": len({token.key for token in added} & asked) / 3,
        "differs gone told": float(len({token.key for token in gone} & told)),
        "differs added told": float(len({token.key for token in added} & told)),
        "differs nots": float(reading.answer.stance * (_nots(went) - _nots(after))),
    }
    for kind in kinds:
        signs[f"gone {kind}"] = float(any(token.kind == kind for token in gone))
        signs[f"added {kind}"] = float(any(token.kind == kind for token in added))
    return signs


def _turns(reading: Reading, went: _Laid | None, after: _Laid | None) -> dict[str, float]:
    """Look at the few words that make a yes or no, or a "may" and a "must", right or wrong."""
    signs = {"asked turned": 0.0, "small words": 0.0, "tells of before": 0.0}
    if went is None:
        return signs
    told_of = bool(_NO_LONGER.search(reading.answer.said or reading.answer.text))
    signs["tells of before"] = float(told_of and not _NO_LONGER.search(went.line.unit.text))
    old = {token.key: token for token in went.line.unit.tokens}
    new = {token.key: token for token in after.line.unit.tokens} if after is not None else {}
    gone, added = old.keys() - new.keys(), new.keys() - old.keys()
    asked = {token.key for token in reading.asked}
    said = {token.key for token in tokenize(reading.answer.text)}
    affirms = 1.0 if _nots(went) % 2 == 0 else -1.0
    signs["asked turned"] = (
        reading.answer.stance
        * affirms
        * (len(gone & asked) - len(added & asked))
        / (1 + len(asked))
    )
    signs["small words"] = float(_small(gone & said, old)) - float(_small(added & said, new))
    return signs


def _small(keys: Iterable[str], tokens: Mapping[str, Token]) -> bool:
    return any(tokens[key].kind in _TURNING for key in keys)


def weighed(share: float, signs: Mapping[str, float]) -> float:
    """Return the share of votes that an answer is outdated, corrected by what is known for sure.

    An answer with words that went from the article, and none that came, is outdated; one with words
    that came, and none that went, is not; nor is one that tells of what was before. Where it has
    neither, the words of the question decide for a yes or no, and a "may" or a "not" for the rest.
    Nobody is misled by a sentence that gave way to one that says the same, nor by a change of what
    fits the answer far worse than what stands.
    """
    if signs["tells of before"]:
        return share * _DOUBT**2
    went, came = signs["only went"] > 0, signs["only came"] > 0
    if went and not came:
        return (1 + share) / 2
    if (came and not went) or signs["changed"] < SURE:
        return share * _DOUBT
    if went:
        return share
    hint = np.sign(signs["asked turned"]) + signs["small words"]
    hint -= float(signs["went-any fit"] < _ELSEWHERE)
    if hint > 0:
        return (1 + share) / 2
    return share * _DOUBT if hint < 0 else share


def _nots(laid: _Laid) -> int:
    return sum(token.kind == "not" for token in laid.line.unit.tokens)


def _own_words(one: _Laid, other: _Laid | None) -> str:
    """Return the words of one line that the other lacks."""
    if other is None:
        return one.line.unit.text
    known = {token.key for token in other.line.unit.tokens}
    return " ".join(
        dict.fromkeys(token.text for token in one.line.unit.tokens if token.key not in known)
    )


def _phrases(
    reading: Reading, went: _Laid | None, after: _Laid | None, embed: Embed
) -> dict[str, float]:
    old = _own_words(went, after) if went is not None else ""
    new = _own_words(after, went) if after is not None else ""
    texts = [text for text in (old, new) if text]
    vectors = iter(embed(texts)) if texts else iter(())
    old_vector = next(vectors) if old else None
    new_vector = next(vectors) if new else None
    signs: dict[str, float] = {}
    for name, row in (("answer", 2), ("both", 3), ("question", 0)):
        mine = reading.vectors[row]
        gone = float(old_vector @ mine) if old_vector is not None else 0.0
        added = float(new_vector @ mine) if new_vector is not None else 0.0
        signs[f"phrase gone {name}"] = gone
        signs[f"phrase added {name}"] = added
        signs[f"phrase {name}"] = gone - added if old and new else 0.0
    return signs


def _changed(old: _Laid | None, new: _Laid | None, changes: Changes) -> float:
    """Return how likely a line says something else than what took its place."""
    if old is None:
        return 0.0
    return changes.judge(old.line.unit.text, new.line.unit.text).score if new is not None else 1.0


def _nearest_change(former: Former, went: _Laid | None, changes: Changes) -> dict[str, float]:
    """Look at the change that is nearest to the question, whatever the answer says."""
    names = ("answer", "both", "covers", "leans", "states", "agrees")
    signs = dict.fromkeys(
        (f"change {name}" for name in (*names, "asked", "alike", "gap", "same", "changed")), 0.0
    )
    chosen: tuple[float, _Laid, _Laid | None, float] | None = None
    for old in former.went[:8]:
        new, alike = counterpart(old, former.came)
        asked = max(_asked(old), _asked(new) if new is not None else 0.0)
        if chosen is None or asked > chosen[0]:
            chosen = (asked, old, new, alike)
    if chosen is None:
        return signs
    asked, old, new, alike = chosen
    signs["change asked"] = asked
    signs["change alike"] = alike
    signs["change gap"] = asked - max((_asked(one) for one in former.kept), default=0.0)
    signs["change same"] = float(old is went)
    signs["change changed"] = _changed(old, new, changes)
    for name in names:
        signs[f"change {name}"] = _measure(old, name) - _measure(new, name)
    return signs


def _asked(laid: _Laid) -> float:
    return laid.question + 0.3 * laid.covers_question


def signs_of_silence(now: Sequence[_Laid], former: Former | None) -> dict[str, float]:
    """Return the signs that a source does answer what an answer says it is silent on."""
    asked = max((_asked(one) for one in now), default=0.0)
    went = max((_asked(one) for one in former.went), default=0.0) if former else 0.0
    came = max((_asked(one) for one in former.came), default=0.0) if former else 0.0
    return {"asked": asked, "went": went, "came": came, "came-went": came - went}


# -- from passages ------------------------------------------------------------------------------


def lines_of(passages: Iterable[Passage]) -> list[Line]:
    """Return the sentences of ``passages`` with their headings, in order."""
    return [
        Line(unit, passage.heading_path[-1] if passage.heading_path else passage.title)
        for passage in passages
        for unit in source_units(passage.id, passage.plain, ())
        if unit.tokens
    ]


def nearest_lines(
    reading: Reading, lines: Sequence[Line], most: int, embed: Embed
) -> Sequence[Line]:
    """Return at most ``most`` of ``lines``, those nearest to question and answer, in order."""
    if len(lines) <= most:
        return lines
    if len(lines) > _MOST_EMBEDDED:
        wanted = {token.key for token in (*reading.asked, *reading.told)}
        shared = [len(wanted & {token.key for token in line.unit.tokens}) for line in lines]
        kept = sorted(np.argsort([-count for count in shared], kind="stable")[:_MOST_EMBEDDED])
        lines = [lines[i] for i in kept]
    vectors = embed([line.unit.text for line in lines])
    near = vectors @ (
        0.5 * reading.vectors[0] + 0.5 * reading.vectors[3] + 0.3 * reading.vectors[2]
    )
    return [lines[i] for i in sorted(np.argsort(-near, kind="stable")[:most])]


def compare_versions(
    reading: Reading,
    cited: Sequence[Line],
    before: Sequence[Passage],
    now: Sequence[Passage],
    embed: Embed,
) -> Former | None:
    """Lay an answer beside what went and what came between two versions of one article.

    Args:
        reading: The answer.
        cited: Lines that the answer cites, of the version in force.
        before: Passages of the former version.
        now: Passages of the version in force.
        embed: Turns texts into vectors.

    Returns:
        None when the former version has no sentence that the one in force lacks, nor the reverse.
    """
    went, came = _differing(before, now)
    if not went and not came:
        return None
    fresh = {_folded(line.unit.text) for line in came}
    kept = [line for line in cited if _folded(line.unit.text) not in fresh]
    sides = (
        lay(reading, nearest_lines(reading, lines, most, embed), embed)
        for lines, most in ((went, MOST_FORMER), (came, MOST_FORMER), (kept, MOST_LINES))
    )
    return Former(*sides)


def _differing(before: Sequence[Passage], now: Sequence[Passage]) -> tuple[list[Line], list[Line]]:
    """Return the sentences that only the former, and only the present passages have."""
    sides = []
    for mine, others in ((before, now), (now, before)):
        theirs = {passage.content_hash for passage in others}
        sides.append([passage for passage in mine if passage.content_hash not in theirs])
    went, came = (lines_of(passages) for passages in sides)
    old, new = (
        f" {_folded(' '.join(passage.plain for passage in passages))} "
        for passages in (before, now)
    )
    return (
        [line for line in went if not _stands(line, came, new)],
        [line for line in came if not _stands(line, went, old)],
    )


def _stands(line: Line, edited: Sequence[Line], text: str) -> bool:
    """Say whether a sentence stands in ``text`` too, maybe in another passage or cut otherwise.

    It does not where other words joined it: "without your consent, unless it is about a donation".
    """
    words = f" {_folded(line.unit.text)} "
    if words not in text:
        return False
    others = [f" {_folded(other.unit.text)} " for other in edited]
    return words in others or not any(words in other for other in others)


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


# -- weighing -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees that vote; made by ``bench/support.py``.

    Attributes:
        names: The signs in the order of the trees' columns.
        trees: Per tree and node ``(column, threshold, left, right, share)``; a leaf has column -1.
        threshold: The share of votes from which an answer is flagged.
    """

    names: tuple[str, ...]
    trees: tuple[tuple[npt.NDArray[np.float64], ...], ...]
    threshold: float

    def share(self, signs: Mapping[str, float]) -> float:
        """Return the share of votes against the answer, 0..1."""
        row = [signs[name] for name in self.names]
        total = 0.0
        for column, threshold, left, right, share in self.trees:
            node = 0
            while column[node] >= 0:
                below = row[int(column[node])] <= threshold[node]
                node = int(left[node] if below else right[node])
            total += float(share[node])
        return total / len(self.trees)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Forest:
        """Read a forest from plain JSON."""
        trees = tuple(
            tuple(np.array(part, float) for part in zip(*tree, strict=True))
            for tree in value["trees"]
        )
        return cls(tuple(value["names"]), trees, float(value["threshold"]))


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of an answer.

    Attributes:
        flagged: Whether a person must look.
        share: Of the votes, those against it, 0..1.
        nearest: The line of the cited passages that is most like it, if there is one.
        went: The line of a former version that it repeats, when it is stale; None where none that
            went is about the same.
        came: What took the place of that line.
        until: When the former version ended.
    """

    flagged: bool
    share: float
    nearest: Line | None = None
    went: Line | None = None
    came: Line | None = None
    until: datetime | None = None


class AnswerJudge:
    """Judges short answers with their questions.

    Args:
        embedder: Compares by meaning.
        file: The forests.
        changes: Says whether what took the place of a line says something else; default the shipped
            judge.

    Raises:
        ModelUnavailable: On first use, when the file is missing or unreadable.
    """

    def __init__(
        self, embedder: Embedder, file: Path = FORESTS, changes: Changes | None = None
    ) -> None:
        self._embedder = embedder
        self._file = file
        self._changes = changes or ChangeJudge()
        self._forests: dict[str, Forest] | None = None

    def judge(
        self,
        question: str,
        text: str,
        cited: Sequence[Passage],
        editions: Sequence[Sequence[Passage]] = (),
    ) -> Judged:
        """Say whether ``cited`` bears out ``text`` as the answer to ``question``.

        Args:
            question: What was asked.
            text: One answer, of a sentence or two.
            cited: The passages it cites.
            editions: All passages of the version in force and of those before it, the newest first;
                empty when no former words are known.
        """
        embed = self._embedder.embed
        answer = read_answer(text)
        reading = read(question[:_LONGEST_QUESTION], answer, embed)
        lines = nearest_lines(reading, lines_of(cited), MOST_LINES, embed)
        laid = lay(reading, lines, embed)
        if not laid:
            return Judged(not answer.silent, 1.0)
        pasts = [
            (former, editions[number][0].effective_from)
            for number, before in enumerate(editions[1:])
            if (former := compare_versions(reading, lines, before, editions[0], embed)) is not None
            # Nobody can repeat what only came; silence, though, ends when an answer comes.
            and (former.went or answer.silent)
        ]
        if answer.silent:
            return _judge_silence(text, laid, pasts)
        forests = self._read_forests()
        present = signs_now(reading, laid, embed)
        share = forests["now"].share(present)
        nearest = max(laid, key=lambda one: one.both + one.answer).line
        worst = Judged(share >= forests["now"].threshold, share, nearest)
        stale: Judged | None = None
        if len(editions) > 1 and not pasts:
            # It cannot be what the article said before; that it is made up must be plain.
            return replace(worst, flagged=share >= max(forests["now"].threshold, PLAIN))
        for former, until in pasts:
            signs = {**present, **signs_then(reading, former, embed, self._changes)}
            share = weighed(forests["then"].share(signs), signs)
            if stale is None or share > stale.share:
                went = _repeated(former, laid[0])
                came = counterpart(went, former.came)[0]
                stale = Judged(
                    share >= forests["then"].threshold,
                    share,
                    nearest,
                    went.line if went else None,
                    came.line if came else None,
                    until,
                )
        if stale is None or (worst.share >= MADE_UP and not stale.flagged):
            return worst
        return stale  # where the former words are known they tell more than the present ones alone

    def _read_forests(self) -> dict[str, Forest]:
        if self._forests is None:
            try:
                read_from = json.loads(self._file.read_text(encoding="utf-8"))
                self._forests = {name: Forest.from_json(one) for name, one in read_from.items()}
            except (OSError, ValueError, KeyError, TypeError):
                raise ModelUnavailable(
                    f"{self._file} cannot be read: fetch it again, or fit it with bench.support"
                ) from None
        return self._forests


def _repeated(former: Former, nearest: _Laid) -> _Laid | None:
    """Return the line that went that an answer repeats; None where each is about another matter."""
    best = former.went[0] if former.went else None
    if best is None or best.fit < _ABOUT_IT or best.fit - nearest.fit < _ELSEWHERE:
        return None
    return best


def why_flagged(text: str, judged: Judged, title: str) -> str:
    """Return in a plain sentence why an answer was flagged, with the words of the source."""
    answer = _short(text)
    if judged.went is not None and judged.until is not None:
        now = (
            f"now it says “{_short(judged.came.unit.text)}”" if judged.came else "it no longer does"
        )
        return (
            f"“{answer}” fits what “{title}” said until {judged.until:%Y-%m-%d}, "
            f"“{_short(judged.went.unit.text)}”; {now}."
        )
    if read_answer(text).silent and judged.nearest is not None:
        return (
            f"The draft says “{answer}”, but the source says “{_short(judged.nearest.unit.text)}”."
        )
    said = (
        f"; nearest to it is “{_short(judged.nearest.unit.text).rstrip('.')}”"
        if judged.nearest
        else ""
    )
    return f"The cited source does not bear out “{answer}” as the answer{said}."


def _short(text: str, most: int = 160) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= most else folded[: most - 1] + "…"


def _judge_silence(
    text: str, laid: Sequence[_Laid], pasts: Sequence[tuple[Former, datetime]]
) -> Judged:
    """An answer that says its source is silent is wrong where the source does answer.

    One that says it no longer answers was written after it changed: only a plain answer goes
    against it.
    """
    signs = signs_of_silence(laid, None)
    nearest = max(laid, key=_asked).line
    if not pasts:
        return Judged(signs["asked"] >= ANSWERS_NOW, signs["asked"] / 2, nearest)
    best = Judged(False, 0.0, nearest)
    for former, until in pasts:
        gained = signs_of_silence(laid, former)["came-went"]
        least = _BACK_AGAIN if _NO_LONGER.search(text) else ANSWERS_SINCE
        if gained >= least and former.came:
            line = max(former.came, key=_asked).line
            return Judged(True, min(1.0, 0.5 + gained / 2), line, None, line, until)
    return best
