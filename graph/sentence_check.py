"""What is held against one sentence: each word of weight against the stretch it rests on.

Where a sentence is nearly the words of its source, every changed word that can matter is held
against it. Where it is a paraphrase, its figures, names, negations and permissions must agree with
that stretch, and the rest must be covered by words and meaning. No model, no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz

from graph.alignment import (
    Alignment,
    Edit,
    SourceUnit,
    Token,
    is_filler,
    same_spelling,
)
from graph.binding import (
    misplaced_values,
    reversed_ranges,
    sense_in_time,
    turned_in_time,
    unheard_every,
    unheard_in,
    unheard_scope,
)
from graph.conditions import is_statement, left_out
from graph.values import Finding, FindingRule
from kb.content import Passage
from kb.facts import Fact, belongs_to_rival, kinship, opposed, same_value
from kb.words import opposite

# Chosen on basecamp and travis-ci (bench/check.py): the smallest share of matched weight at which
# a single changed word is more often an error than a way of putting it, and the least support
# that keeps paraphrases of the right passage and drops sentences about another one.
NEAR_VERBATIM: Final = 0.72
STRICT: Final = 0.78
SUPPORT_WITH_MEANING: Final = 0.6
SUPPORT_BY_WORDS: Final = 0.6
# Telling words (nearer to another value in the source) that move a figure to another subject.
TELLING_WORDS: Final = 1
# Words of weight below which a sentence is a fragment of an answer.
FRAGMENT: Final = 4
# A clause with at most this share of known words and less than this meaning in common is foreign.
CLAUSE_WORDS: Final = 0.34
CLAUSE_MEANING: Final = 0.45
# A clause that stands in no stretch in this order, or a sentence of few words of weight, needs this much.
UNHEARD_MEANING: Final = 0.5
FEW_WORDS: Final = 2

_KIND_RULE: Final[dict[str, FindingRule]] = {
    "duration": "duration", "amount": "amount", "percentage": "percentage", "date": "date",
    "time": "date", "number": "number",
}  # fmt: skip
_STEM: Final = 5  # letters that two forms of one word share
_ONCE = frozenset(["once", "when", "if", "upon", "since"])
SOLID: Final = frozenset(["value", "not", "limit", "name", "word", "code"])
_PLACE_OPPOSITES: Final = (
    {"on", "off"}, {"above", "below"}, {"to", "from"}, {"over", "under"}, {"up", "down"},
    {"into", "from"}, {"in", "out"},
)  # fmt: skip


@dataclass(frozen=True)
class Support:
    """What one sentence may rest on.

    ``heard`` is the whole reply with the question it answers: what one sentence says need not be
    said in another.
    """

    passages: list[Passage]
    units: list[SourceUnit]
    vocabulary: frozenset[str]
    words: frozenset[str]
    raw: str
    heard: str = ""

    def where(self, passage_id: str) -> str:
        """Return title and headings of a passage, for people."""
        for passage in self.passages:
            if passage.id == passage_id:
                return passage.context or passage.article_id
        return self.passages[0].context if self.passages else "the cited source"

    def facts(self) -> Iterable[tuple[Fact, SourceUnit]]:
        """Yield every fact with the sentence it stands in."""
        for unit in self.units:
            for token in unit.tokens:
                if token.fact is not None:
                    yield token.fact, unit


class Findings:
    """Collects findings without saying one thing twice."""

    def __init__(self) -> None:
        self.items: list[Finding] = []

    def add(
        self,
        sentence: int,
        rule: FindingRule,
        message: str,
        words: str,
        source_words: str = "",
        passage_id: str | None = None,
    ) -> None:
        """Add a finding, unless the same words were found by the same rule in this sentence."""
        finding: Finding = {
            "sentence": sentence,
            "rule": rule,
            "message": message,
            "words": words[:300],
            "source_words": source_words[:300],
            "passage_id": passage_id,
        }
        if not any(
            (f["sentence"], f["rule"], f["words"]) == (sentence, rule, finding["words"])
            for f in self.items
        ):
            self.items.append(finding)

    def repeat(self, finding: Finding) -> None:
        """Take over a finding that was made elsewhere."""
        self.items.append(finding)


_CONTRACTIONS: Final = (
    (r"\bwon't\b", "will not"), (r"\bcan't\b|\bcannot\b", "can not"), (r"n't\b", " not"),
    (r"'ll\b", " will"), (r"'re\b", " are"), (r"'ve\b", " have"), (r"'m\b", " am"),
)  # fmt: skip


def fold(text: str) -> str:
    """Return the words of ``text`` in lower case, contractions written out."""
    text = text.casefold().replace("’", "'")
    for pattern, full in _CONTRACTIONS:
        text = re.sub(pattern, full, text)
    return " ".join(re.findall(r"[\w']+", text))


def shortened(text: str, most: int = 120) -> str:
    """Return ``text`` in at most ``most`` characters."""
    folded = " ".join(text.split())
    return folded if len(folded) <= most else folded[: most - 1] + "…"


def shown(tokens: Sequence[Token]) -> str:
    """Return the words of ``tokens``, each once."""
    seen: list[Token] = []
    for token in tokens:
        if not seen or (token.start, token.end) != (seen[-1].start, seen[-1].end):
            seen.append(token)
    return " ".join(token.text for token in seen)


# What begins with its subject and ends with a full stop is a sentence of its own, however short.
_SENTENCE: Final = re.compile(
    r"\W*(?:we|you|they|it|he|she|i|the|a|an|your|our|all|each|every|these|those|this|that)\b(?:\W+\w+){3,}\.\W*$",
    re.I,
)
_ABSENCE: Final = re.compile(
    r"\b(?:not|no|none|nothing|never|only|\w+n['’]t)\b[^.;]{0,60}?\b(?:stated|mentioned|addressed|"
    r"specified|described|documented|covered|discussed)\b",
    re.I,
)


def _clauses(tokens: Sequence[Token]) -> int:
    return len({token.clause for token in tokens})


def _has_words(tokens: Sequence[Token]) -> bool:
    return any(t.kind in {"word", "modal", "value"} and not is_filler(t) for t in tokens)


class SentenceJudge:
    """The findings of one sentence against the stretch of source it rests on."""

    def __init__(
        self,
        index: int,
        piece: str,
        alignment: Alignment,
        support: Support,
        findings: Findings,
        near: bool,
        says_no: bool,
    ) -> None:
        self._index = index
        self._piece = piece
        self._alignment = alignment
        self._support = support
        self._findings = findings
        self._near = near
        self._says_no = says_no
        self._spelled: dict[str, bool] = {}
        self._window = alignment.windows[0] if alignment.windows else None
        self._passage_id = self._window.passage_id if self._window else support.passages[0].id
        # A fragment ("10 minutes") answers a question that is not here: nobody expects it to
        # carry the negations and limits of the sentence it was taken from.
        self._fragment = (
            sum(t.kind in SOLID and not is_filler(t) for t in alignment.tokens) < FRAGMENT
        )
        self._half = self._fragment and not _SENTENCE.match(piece)
        self._edit_of: dict[int, Edit] = {
            id(token): edit for edit in alignment.edits for token in edit.ours
        }

    def _add(self, rule: FindingRule, message: str, words: str, source_words: str) -> None:
        where = self._support.where(self._passage_id)
        self._findings.add(
            self._index,
            rule,
            f"{message} ({where})" if where else message,
            words,
            source_words,
            self._passage_id,
        )

    def _pairs(self) -> Iterable[tuple[Token, tuple[int, int] | None]]:
        return zip(self._alignment.tokens, self._alignment.partner, strict=True)

    def absence(self) -> None:
        """That a source does not say something is no claim a citation can bear out."""
        found = _ABSENCE.search(self._piece)
        if found and fold(found.group()) not in fold(self._support.raw):
            self._add(
                "unsupported",
                f"“{shortened(found.group())}” is about what the source leaves out; "
                "no citation can bear that out.",
                found.group(),
                "",
            )

    # -- figures ---------------------------------------------------------------------------

    def values(self) -> None:
        """Every figure must stand in the source, with the same bound, about the same thing."""
        inverted = self._inverted()
        verbatim = self._is_verbatim()
        for token, partner in self._pairs():
            fact = token.fact
            if token.kind != "value" or fact is None:
                continue
            rule = _KIND_RULE[fact.kind]
            equal = [
                (other, unit) for other, unit in self._support.facts() if same_value(fact, other)
            ]
            if fact.kind == "number":
                equal = [(o, u) for o, u in equal if self._counts_alike(token, o)]
            if not equal:
                if self._soft(token):
                    continue
                nearest = self._nearest(token, fact)
                said = f"the source says “{nearest}”" if nearest else "the source does not"
                self._add(rule, f"The draft says “{token.text}”, {said}.", token.text, nearest)
                continue
            if partner is not None and partner[0] == 0 and self._window:
                theirs = self._window.tokens[partner[1]].fact
                if theirs is not None and (
                    opposed(fact, theirs) or self._turned_in_time(token, partner[1])
                ):
                    source_words = self._window.tokens[partner[1]].text
                    self._add(
                        rule,
                        f"The draft says “{token.text}”, the source says “{source_words}”.",
                        token.text,
                        source_words,
                    )
                    continue
            elif all(opposed(fact, other) for other, _ in equal):
                other = equal[0][0]
                self._add(
                    rule,
                    f"The draft says “{token.text}”, the source bounds “{other.text}” "
                    "the other way.",
                    token.text,
                    other.text,
                )
                continue
            if fact.vague or verbatim:
                continue
            self._attached(token, fact, [other for other, _ in equal], rule, id(token) in inverted)

    def _turned_in_time(self, token: Token, place: int) -> bool:
        """Whether "after June 30" stands where the source has "before June 30"."""
        if self._window is None:
            return False
        mine, theirs = self._alignment.tokens, self._window.tokens
        at = next(i for i, t in enumerate(mine) if t is token)
        senses = {
            sense_in_time(token, mine[at - 1] if at else None),
            sense_in_time(theirs[place], theirs[place - 1] if place else None),
        }
        return senses == {"later", "sooner"}

    def _counts_alike(self, token: Token, other: Fact) -> bool:
        """Whether a bare figure may be the one of ``other``: "15 attempts" is not "15 minutes"."""
        if other.kind not in {"duration", "amount", "percentage"}:
            return True
        tokens = self._alignment.tokens
        place = next(i for i, t in enumerate(tokens) if t is token)
        counted = [t for t in tokens[place + 1 : place + 2] if t.clause == token.clause]
        return not any(t.kind == "word" and t.start - token.end <= 2 for t in counted) or any(
            same_spelling(t.text.lower(), word)
            for t in counted
            for word in other.text.lower().split()
        )

    def _is_verbatim(self) -> bool:
        """Whether the sentence's weighty words stand in the source side by side."""
        if self._window is None:
            return False
        ours = [t for t in self._alignment.tokens if not is_filler(t)]
        theirs = [t for t in self._window.tokens if not is_filler(t)]
        keys = [t.key for t in ours]
        return any(
            [t.key for t in run] == keys and _clauses(run) <= _clauses(ours)
            for run in (
                theirs[start : start + len(ours)] for start in range(len(theirs) - len(ours) + 1)
            )
        )

    def _soft(self, token: Token) -> bool:
        fact = token.fact
        if fact is None or not fact.vague:
            return False
        edit = self._edit_of.get(id(token))
        return not (edit and edit.flanked and any(t.kind == "value" for t in edit.theirs))

    def _nearest(self, token: Token, fact: Fact) -> str:
        edit = self._edit_of.get(id(token))
        if edit is not None:
            for other in edit.theirs:
                if other.fact is not None and other.fact.kind == fact.kind:
                    return other.text
            for other in edit.theirs:
                if other.kind == "value":
                    return other.text
        kin = [other for other, _ in self._support.facts() if other.kind == fact.kind]
        best = max(kin, key=lambda other: kinship(fact, other), default=None)
        return best.text if best is not None else ""

    def _inverted(self) -> set[int]:
        """Tokens of figures that stand in another order than in the source."""
        if self._window is None:
            return set()
        places: list[tuple[int, Token]] = []
        for token, partner in self._pairs():
            if token.kind != "value":
                continue
            spots = [j for j, t in enumerate(self._window.tokens) if t.key == token.key]
            if len(spots) != 1:
                continue
            matched = partner is not None and partner[0] == 0
            places.append((partner[1] if matched and partner else spots[0], token))
        order = [place for place, _ in places]
        if order == sorted(order):
            return set()
        return {
            id(token)
            for position, (place, token) in enumerate(places)
            if any(p > place for p in order[:position]) or any(p < place for p in order[position:])
        }

    def _attached(
        self, token: Token, fact: Fact, equal: list[Fact], rule: FindingRule, inverted: bool
    ) -> None:
        """The same value may stand in the source about something else."""
        others = [
            other
            for other, _ in self._support.facts()
            if other.kind == fact.kind and not same_value(fact, other) and not other.vague
        ]
        if not others:
            return
        rival = max(others, key=lambda other: kinship(fact, other))
        best = max(kinship(fact, other) for other in equal)
        near_rival = kinship(fact, rival)
        edit = self._edit_of.get(id(token))
        replaced = [
            t for t in (edit.theirs if edit else ()) if t.fact is not None and t.fact in others
        ]
        if replaced and edit and edit.flanked and self._near:
            one_for_one = len(edit.ours) == len(edit.theirs) == 1
            wrong = one_for_one or inverted or near_rival >= best - 0.15
            rival = replaced[0].fact or rival
        elif inverted:
            wrong = near_rival >= best - 0.05
        else:
            telling = [
                min(belongs_to_rival(fact, other, candidate) for other in equal)
                for candidate in others
            ]
            most = max(telling)
            rival = others[telling.index(most)]
            wrong = near_rival > best + 0.35 or (
                most >= TELLING_WORDS and self._tells(fact, equal, rival)
            )
        if wrong:
            self._add(
                rule,
                f"“{token.text}” is in the source, but about something else; there the source "
                f"says “{rival.text}”.",
                token.text,
                rival.text,
            )

    def _tells(self, fact: Fact, equal: list[Fact], rival: Fact) -> bool:
        """Whether more than one word that the value's own place shares moves it to its rival."""
        told, theirs = set(fact.own), set(rival.own)
        return all(
            set(other.own) - theirs - told or len(told & (theirs - set(other.own))) > TELLING_WORDS
            for other in equal
        )

    def bindings(self) -> None:
        """A value must stand in the source beside what the sentence says of it."""
        flagged = {f["words"] for f in self._findings.items if f["sentence"] == self._index}
        for wrong in misplaced_values(self._alignment.tokens, self._support.units):
            fact = wrong.value.fact
            if fact is None or wrong.value.text in flagged:
                continue
            self._add(
                _KIND_RULE[fact.kind],
                f"The draft says “{wrong.value.text}” of “{wrong.words}”, the source says it of "
                f"“{wrong.source_words}”.",
                wrong.value.text,
                wrong.source_words,
            )

        for left, right in reversed_ranges(
            self._piece, self._alignment.tokens, self._support.units
        ):
            words = self._piece[left.start : right.end]
            self._add(
                _KIND_RULE[left.fact.kind] if left.fact else "number",
                f"“{words}” runs the other way round in the source.",
                words,
                "",
            )

    def scope(self) -> None:
        """What is said of all or always, of before or after, must be said so in the source."""
        if self._window is None:
            return
        theirs = [token for window in self._alignment.windows for token in window.tokens]
        for token in unheard_scope(self._alignment.tokens, theirs):
            self._add(
                "negation",
                f"The draft says “{token.text}”, which the source does not say of it.",
                token.text,
                shortened(self._window.text),
            )
        for edit in self._alignment.edits:
            every = unheard_every(edit.ours, edit.theirs)
            if every is not None:
                self._add(
                    "negation",
                    f"The draft says “{every[0]}”, the source says “{every[1]}”.",
                    *every,
                )
            if edit.flanked and len(edit.ours) <= 3 and len(edit.theirs) <= 3:
                turn = turned_in_time(edit.ours, edit.theirs)
                if turn is not None:
                    self._add(
                        "negation",
                        f"The draft says “{turn[0]}”, the source says “{turn[1]}”.",
                        turn[0],
                        turn[1],
                    )

    def conditions(self, heard: str) -> None:
        """What holds only on a condition must be said with it, here or elsewhere in the reply."""
        if not is_statement(self._piece):
            return
        heard = heard.replace(self._piece, " ", 1)
        found = left_out(self._alignment, self._support.units, heard)
        if found is not None:
            self._add(
                "negation",
                f"The draft says this always; the source says it only “{shortened(found.term)}”.",
                found.words,
                found.term,
            )

    # -- names -----------------------------------------------------------------------------

    def names(self) -> None:
        """Names, addresses, links and identifiers must occur in what is cited."""
        run: list[Token] = []
        for token, _ in self._pairs():
            if token.kind == "code" and token.fact is not None:
                self._code(token, token.fact)
            known = token.key in self._support.vocabulary or is_filler(token)
            if token.kind == "name" and not known and not self._spelled_in_source(token):
                run.append(token)
                continue
            self._unknown_name(run)
            run = []
        self._unknown_name(run)
        for edit in self._alignment.edits:
            self._swapped_name(edit)
        self._exchanged_names()

    def _code(self, token: Token, fact: Fact) -> None:
        if token.key in self._support.vocabulary or fact.value.casefold() in self._support.raw:
            return
        rule: FindingRule = "link" if fact.kind == "url" else "name"
        rivals = [o.text for o, _ in self._support.facts() if o.kind == fact.kind]
        nearest = max(rivals, key=lambda other: fuzz.ratio(other, token.text), default="")
        said = f"the source says “{nearest}”" if nearest else "the cited source does not"
        self._add(rule, f"The draft says “{shortened(token.text)}”, {said}.", token.text, nearest)

    def _spelled_in_source(self, token: Token) -> bool:
        word = token.text.casefold().replace("’", "'")
        word = word[:-2] if word.endswith("'s") else word
        return word in self._support.words

    def _unknown_name(self, run: list[Token]) -> None:
        if not run:
            return
        words = shown(run)
        edit = self._edit_of.get(id(run[0]))
        theirs = shown([t for t in edit.theirs if t.kind in {"name", "word"}]) if edit else ""
        said = f"the source says “{shortened(theirs)}”" if theirs else "the cited source does not"
        self._add("name", f"The draft names “{words}”, {said}.", words, theirs)

    def _swapped_name(self, edit: Edit) -> None:
        ours = [t for t in edit.ours if t.kind in {"name", "code"}]
        theirs = [t for t in edit.theirs if t.kind in {"name", "code", "word"} and not is_filler(t)]
        solid_ours = [t for t in edit.ours if t.kind in SOLID and not is_filler(t)]
        solid_theirs = [t for t in edit.theirs if t.kind in SOLID and not is_filler(t)]
        if not ours or not theirs or not self._near:
            return
        if len(solid_ours) > 3 or len(solid_theirs) > 4:
            return
        if {t.key for t in ours} & {t.key for t in theirs}:
            return
        if self._alignment.coverage < STRICT and not any(t.kind == "name" for t in theirs):
            return
        if not (edit.flanked or len(solid_theirs) <= max(3, len(solid_ours))):
            return
        self._add(
            "name",
            f"The draft says “{shown(ours)}” where the source says “{shown(theirs)}”.",
            shown(ours),
            shown(theirs),
        )

    def _exchanged_names(self) -> None:
        """Two names of the source may have changed places."""
        if self._window is None or self._alignment.coverage < STRICT:
            return
        keys = [t.key for t in self._window.tokens]
        placed: list[tuple[int, int, Token]] = []
        for position, (token, partner) in enumerate(self._pairs()):
            if token.kind in {"name", "code"} and keys.count(token.key) == 1:
                matched = partner is not None and partner[0] == 0
                placed.append(
                    (position, partner[1] if matched and partner else keys.index(token.key), token)
                )
        tokens = self._alignment.tokens
        for i, (here, there, left) in enumerate(placed):
            for here_right, there_right, right in placed[i + 1 :]:
                between = tokens[here + 1 : here_right]
                passed = self._window.tokens[there_right + 1 : there]
                # Names of one list, and the parts of one name, may stand in any order.
                if there > there_right and _has_words(between) and _has_words(passed):
                    self._add(
                        "name",
                        f"“{left.text}” and “{right.text}” stand the other way round in the source.",
                        f"{left.text} … {right.text}",
                        f"{right.text} … {left.text}",
                    )
                    return

    # -- negations and permissions -----------------------------------------------------------

    def polarity(self) -> None:
        """What is allowed, forbidden, limited or denied must be so in the source too."""
        if self._window is None:
            return
        if self._near:
            for number, edit in enumerate(self._alignment.edits):
                self._edit_polarity(edit, number)
                self._edit_modal(edit)
                self._edit_limits(edit, number)
            return
        for edit in self._alignment.edits:
            if edit.flanked and len(edit.ours) <= 2 and len(edit.theirs) <= 2:
                self._edit_modal(edit)
        self._clause_polarity()

    def _region(self, edit: Edit, number: int) -> list[Token]:
        """The part of the source side of ``edit`` that the sentence had to carry."""
        if self._window is None:
            return []
        if edit.flanked:
            return self._inner_region(edit)
        edits = self._alignment.edits
        matched = sorted(self._window.matched)
        if not matched or not edit.theirs or self._fragment:
            return []
        first, last = self._window.tokens[matched[0]], self._window.tokens[matched[-1]]
        before = edit.theirs[-1].start < first.start and number == 0 and edit is edits[0]
        same_unit = self._window.unit_of
        if before and self._window.tokens.index(edit.theirs[-1]) < matched[0]:
            unit, clause = same_unit[matched[0]], first.clause
            positions = range(matched[0])
        else:
            unit, clause = same_unit[matched[-1]], last.clause
            positions = range(matched[-1] + 1, len(self._window.tokens))
        return [
            self._window.tokens[j]
            for j in positions
            if same_unit[j] == unit and self._window.tokens[j].clause == clause
        ]

    def _inner_region(self, edit: Edit) -> list[Token]:
        if self._window is None or len(edit.theirs) <= 8:
            return list(edit.theirs)
        # A long gap is words that were passed over: only its ends touch ours, and where it
        # reaches into another sentence only the end that leads on.
        tokens, unit_of = self._window.tokens, self._window.unit_of
        first = next(j for j, t in enumerate(tokens) if t is edit.theirs[0])
        last = first + len(edit.theirs) - 1
        crosses = unit_of[first - 1] != unit_of[last + 1]
        ends = {
            (unit_of[j], tokens[j].clause)
            for j in ((last + 1,) if crosses else (first - 1, last + 1))
        }
        return [tokens[j] for j in range(first, last + 1) if (unit_of[j], tokens[j].clause) in ends]

    def _edit_polarity(self, edit: Edit, number: int) -> None:
        elsewhere = {
            id(t) for t, partner in self._pairs() if partner is not None and partner[0] > 0
        }
        region = self._region(edit, number)
        ours = [t for t in edit.ours if t.kind == "not" and id(t) not in elsewhere]
        theirs = [t for t in region if t.kind == "not"]
        typed = [t.text.lower() for t in (*edit.ours, *region)]
        theirs = [t for t in theirs if sum(same_spelling(t.text.lower(), w) for w in typed) < 2]
        flips = len(ours) + len(theirs)
        pairs = [
            (a, b)
            for a in edit.ours
            for b in region
            if a.kind in {"word", "name", "modal"} and opposite(a.text, b.text)
            and not same_spelling(a.text.lower(), b.text.lower()) and a.key != b.key and id(a) not in elsewhere
        ]  # fmt: skip
        if pairs:
            flips += 1
        if flips % 2 == 0 or (self._says_no and theirs and not ours and not pairs):
            return
        words = shown(edit.ours) or "(left out)"
        source_words = shown(region)
        if pairs and not ours and not theirs:
            words, source_words = pairs[0][0].text, pairs[0][1].text
        said = (
            f"the source says “{shortened(source_words)}”"
            if source_words
            else "the source does not"
        )
        if not edit.ours:
            message = (
                f"The draft leaves out “{shortened(source_words)}”, which turns the meaning around."
            )
        else:
            message = f"The draft says “{shortened(words)}”, {said}."
        self._add("negation", message, words, source_words)

    def _edit_modal(self, edit: Edit) -> None:
        ours = {t.key: t for t in edit.ours if t.kind == "modal"}
        theirs = {t.key: t for t in edit.theirs if t.kind == "modal"}
        if not edit.flanked and not theirs:
            return
        mine = [key for key in ours if key not in theirs]
        yours = [key for key in theirs if key not in ours]
        if mine and (yours or (mine[0] in {"must", "optional"} and edit.flanked)):
            said = theirs[yours[0]].text if yours else ""
            end = f"the source says “{said}”" if said else "the source does not"
            self._add(
                "permission",
                f"The draft says “{ours[mine[0]].text}”, {end}.",
                ours[mine[0]].text,
                said,
            )

    def _edit_limits(self, edit: Edit, number: int) -> None:
        region = self._region(edit, number)
        ours = [t for t in edit.ours if t.kind == "limit"]
        theirs = [t for t in region if t.kind == "limit"]
        # A limit that stands elsewhere in the sentence was moved, not dropped.
        everywhere = {t.key for t in self._window.tokens} if self._window else set()
        spoken = {t.key for t in self._alignment.tokens}
        mine = [t for t in ours if t.key not in everywhere]
        if self._says_no:
            mine = [t for t in mine if t.key != "only"]
        yours = [t for t in theirs if t.key not in spoken]
        mine = [t for t in mine if not self._measured_from(t)]
        if mine and mine[0].key == "after" and any(t.text.lower() in _ONCE for t in edit.theirs):
            return
        dropped = [t for t in yours if t.key in {"only", "unless", "except"}]
        values = {t.key for t in theirs for t in edit.theirs if t.kind == "value"}
        if values - spoken:
            dropped += [t for t in yours if t.key == "until"]
        if not mine and not dropped and not (self._trailing_exception(edit) and not edit.ours):
            return
        if mine or dropped:
            words = shown(mine) or "(left out)"
            source_words = shown(dropped or yours)
        else:
            trailing = self._trailing_exception(edit)
            words, source_words = "(left out)", trailing
        said = f"the source says “{source_words}”" if source_words else "the source does not"
        message = (
            f"The draft says “{words}”, {said}."
            if mine
            else f"The draft leaves out a limit of the source: “{shortened(source_words)}”."
        )
        self._add("negation", message, words, source_words)

    def _measured_from(self, token: Token) -> bool:
        """Whether "after" only says from when a limit counts: "for 14 days after delivery"."""
        tokens = self._alignment.tokens
        at = next(i for i, t in enumerate(tokens) if t is token)
        if token.key != "after" or at == 0 or tokens[at - 1].fact is None:
            return False
        value = tokens[at - 1]
        led = {tokens[at - 2].text.lower()} if at > 1 else set()
        bounded = value.fact is not None and value.fact.bound == "at_most"
        theirs = (t.fact for t in self._window.tokens) if self._window else ()
        return (bounded or bool(led & {"for", "during"})) and any(
            fact is not None and fact.bound == "at_most" and same_value(fact, value.fact)
            for fact in theirs
            if value.fact is not None
        )

    def _trailing_exception(self, edit: Edit) -> str:
        """Words like "unless …" that follow the matched words in the same sentence."""
        if edit.flanked or self._window is None or not self._window.matched or self._half:
            return ""
        last = max(self._window.matched)
        unit = self._window.unit_of[last]
        rest = [
            t
            for j, t in enumerate(self._window.tokens)
            if j > last and self._window.unit_of[j] == unit
        ]
        if rest and edit.theirs and edit.theirs[-1] is rest[-1]:
            for token in rest[:2]:
                if token.kind == "limit" and token.key in {"unless", "except"}:
                    return shown(rest)
        return ""

    def _clause_polarity(self) -> None:
        """Compare clause by clause whether a thing is said or denied."""
        if self._window is None:
            return
        theirs: dict[tuple[int, int], list[Token]] = {}
        for window in self._alignment.windows:
            for j, token in enumerate(window.tokens):
                theirs.setdefault((window.unit_of[j] + 10 * id(window), token.clause), []).append(
                    token
                )
        ours: dict[int, list[Token]] = {}
        for token in self._alignment.tokens:
            ours.setdefault(token.clause, []).append(token)
        for clause in ours.values():
            solid = {t.key for t in clause if t.kind in {"word", "name", "value", "code"}}
            if not solid:
                continue
            best, shared = None, 0.0
            for other in theirs.values():
                words = {t.key for t in other if t.kind in {"word", "name", "value", "code"}}
                overlap = len(solid & words) - 0.01 * len(words)
                if overlap > shared:
                    best, shared = other, overlap
            if best is None or shared < max(1.5, 0.4 * len(solid)):
                best = self._only_clause(solid, theirs.values())
            if best is None:
                continue
            pairs = [
                (a, b) for a in clause for b in best
                if a.kind in {"word", "name"} and a.key != b.key and opposite(a.text, b.text)
                and a.key not in {t.key for t in best}
            ]  # fmt: skip
            mine = sum(t.kind == "not" for t in clause)
            yours = sum(t.kind == "not" for t in best)
            answered = self._says_no and yours > mine
            if (mine + yours + bool(pairs)) % 2 and not answered:
                self._add(
                    "negation",
                    f"The draft says “{shortened(shown(clause))}”, "
                    f"the source says “{shortened(shown(best))}”.",
                    shown(clause),
                    shown(best),
                )

    def _only_clause(self, solid: set[str], theirs: Iterable[list[Token]]) -> list[Token] | None:
        """Return what "They never expire" speaks of: the one clause that has its one word."""
        if len(solid) > 1 or not is_statement(self._piece):
            return None
        having = [clause for clause in theirs if solid <= {t.key for t in clause}]
        return having[0] if len(having) == 1 else None

    # -- everything else ---------------------------------------------------------------------

    def _known(self, token: Token) -> bool:
        if token.key in self._support.vocabulary:
            return True
        lowered = token.text.lower()
        if lowered not in self._spelled:
            self._spelled[lowered] = any(same_spelling(lowered, w) for w in self._support.words)
        return self._spelled[lowered]

    def changed_words(self) -> bool:
        """In a sentence that is nearly its source, each new word of weight is held against it.

        Returns:
            Whether every word was judged; otherwise the rest is for ``support``.
        """
        judged = True
        for edit in self._alignment.edits:
            ours = [t for t in edit.ours if t.kind == "word" and not is_filler(t)]
            theirs = [t for t in edit.theirs if t.kind in {"word", "name"} and not is_filler(t)]
            if not ours:
                self._word_of_place(edit, theirs)
                continue
            unknown = [t for t in ours if not self._known(t)]
            if not edit.flanked and len(ours) == 1 and not unknown:
                theirs = self._word_beside(edit, ours[0])
            swapped = (
                not unknown
                and len(ours) == len(theirs) == 1
                and fuzz.ratio(ours[0].text.lower(), theirs[0].text.lower()) < 80
            )
            if not unknown and not swapped:
                continue
            words, source_words = shown(unknown or ours), shown(theirs)
            said = (
                f"the source says “{shortened(source_words)}”"
                if source_words
                else "the source does not"
            )
            first = (unknown or ours)[0]
            named = first.text[:1].isupper() and first is not self._alignment.tokens[0]
            rule: FindingRule = "name" if named else "unsupported"
            self._add(rule, f"The draft says “{shortened(words)}”, {said}.", words, source_words)
        return judged

    def _word_beside(self, edit: Edit, mine: Token) -> list[Token]:
        """At either end of the sentence: the word of the source that ours stands in place of."""
        if self._window is None or not self._window.matched:
            return []
        if any(t.text[:_STEM].lower() == mine.text[:_STEM].lower() for t in self._window.tokens):
            return []
        tokens, unit_of = self._window.tokens, self._window.unit_of
        first, last = min(self._window.matched), max(self._window.matched)
        opens = bool(edit.ours) and edit.ours[0] is self._alignment.tokens[0]
        at, places = (
            (first, range(first - 1, -1, -1)) if opens else (last, range(last + 1, len(tokens)))
        )
        for j in places:
            token = tokens[j]
            if unit_of[j] != unit_of[at] or token.clause != tokens[at].clause:
                break
            if token.kind in {"word", "name"} and not is_filler(token):
                spoken = {t.key for t in self._alignment.tokens}
                return [] if token.key in spoken else [token]
            if token.kind != "function":
                break
        return []

    def _word_of_place(self, edit: Edit, theirs: list[Token]) -> None:
        """A single small word in the place of another may turn a sentence around, too."""
        if not edit.flanked or len(edit.ours) != 1 or len(edit.theirs) != 1:
            return
        mine, yours = edit.ours[0], edit.theirs[0]
        pair = {mine.text.lower(), yours.text.lower()}
        if pair in _PLACE_OPPOSITES or (theirs and mine.kind == "word"):
            self._add(
                "unsupported",
                f"The draft says “{mine.text}”, the source says “{yours.text}”.",
                mine.text,
                yours.text,
            )

    def strange_clauses(self) -> list[str]:
        """Return the clauses hardly a word of which occurs in the source."""
        clauses: dict[int, list[Token]] = {}
        for token in self._alignment.tokens:
            clauses.setdefault(token.clause, []).append(token)
        if len(clauses) < 2:
            return []
        found: list[str] = []
        for tokens in clauses.values():
            solid = [t for t in tokens if t.kind in {"word", "name"} and not is_filler(t)]
            known = sum(self._known(t) for t in solid)
            if len(solid) >= 2 and known <= CLAUSE_WORDS * len(solid):
                found.append(self._piece[tokens[0].start : tokens[-1].end])
        return found

    def unheard_clauses(self) -> list[str]:
        """Return the clauses that stand in no stretch of the source."""
        return [
            self._piece[tokens[0].start : tokens[-1].end]
            for tokens in unheard_in(self._alignment)
            if not self._is_one_known_word(tokens)
        ]

    def _is_one_known_word(self, clause: Sequence[Token]) -> bool:
        """Say whether all that a clause tells is one word that the source has in another form."""
        told = [token for token in clause if token.kind not in {"function", "modal"}]
        return len(told) == 1 and told[0].kind == "word" and self._known(told[0])

    def strange(self, clause: str, closeness: float | None, least: float = CLAUSE_MEANING) -> None:
        """Hold a clause against the sentence when the source does not mean it either."""
        if closeness is None or closeness < least:
            self._add(
                "unsupported", f"The cited source does not say “{shortened(clause)}”.", clause, ""
            )

    def support(self, closeness: float | None) -> None:
        """A paraphrase must be covered by the source's words and meaning."""
        solid = [
            t for t in self._alignment.tokens if t.kind in {"word", "name", "value", "code"}
            and not is_filler(t)
        ]  # fmt: skip
        total = sum(t.weight for t in solid) or 1.0
        unknown = [t for t in solid if t.kind == "word" and not self._known(t)]
        covered = 1.0 - sum(t.weight for t in unknown) / total
        if closeness is None:
            enough = covered >= SUPPORT_BY_WORDS
        else:
            enough = 0.5 * covered + 0.5 * closeness >= SUPPORT_WITH_MEANING and (
                len(solid) > FEW_WORDS or self._half or closeness >= UNHEARD_MEANING
            )
        if not enough:
            self._add(
                "unsupported",
                f"The cited source does not say “{shortened(self._piece)}”.",
                self._piece,
                self._window.text if self._window else "",
            )
