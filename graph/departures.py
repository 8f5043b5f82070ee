"""Where a sentence departs from the one place of its source that it repeats. Pure, no model.

The evidence check lets a person's sentence rest on several places and put things in its own words.
A sentence that a language model wrote gets no such credit: a fluent paraphrase and a fluent
invention look alike to words and vectors. Here every word of weight must stand, in the same order,
in one or two adjoining sentences of one passage; nobody may change places with anybody; and of
those sentences no condition, limit, hedge or qualifying word may be left out. What is merely well
put is found too: a finding only means that a person looks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import groupby
from typing import Final

from rapidfuzz.distance import Indel

from graph.alignment import SourceUnit, Token, tokenize
from kb.words import CONDITIONS, HEDGES, IDLE_ADVERBS, TURNING_WORDS

# Sentences of a source that one sentence may be joined from.
ADJOINING: Final = 2
# Sentences of all sources that are compared with one of a draft, those that share most first.
MOST_COMPARED: Final = 40

_PERSON: Final = {
    **dict.fromkeys(("i", "me", "we", "us", "myself", "ourselves"), "1st person"),
    **dict.fromkeys(("you", "yourself", "yourselves"), "2nd person"),
    **dict.fromkeys(("my", "mine", "our", "ours"), "1st person's"),
    **dict.fromkeys(("your", "yours"), "2nd person's"),
}
_BE: Final = frozenset(
    ["am", "is", "are", "was", "were", "be", "been", "being", "get", "gets", "got"]
)
_PARTICIPLE: Final = re.compile(
    r"\w{2,}(?:ed|en)$|^(?:paid|sent|made|kept|held|sold|built|lost|put)$"
)
_SAME_CONDITION: Final = {"whenever": "when", "if": "when", "till": "until", "wherever": "where"}
_LEAD_IN: Final = re.compile(
    r"\W*(?:according\s+to\s+(?:our|the)\s+[\w\s]{3,30},|"
    r"as\s+(?:our|the)\s+[\w\s]{3,30}\s(?:says?|states?|notes?|explains?),|please\s+note\s+that\b|"
    r"(?:our|the)\s+(?:policy|documentation|help\s+cent(?:er|re)|article|page)\s+(?:says|states|notes)"
    r"\s+that\b|in\s+short,)\s*",
    re.I,
)  # Words of these phrases say nothing by themselves.
_PHRASE: Final = re.compile(
    r"\bin\s+order(?=\s+to\b)|\bfor\s+(?:example|instance)\b|\bnote(?=\s+that\b)|(?<=\breach)\s+out\b",
    re.I,
)

_ANSWER: Final = re.compile(r"\W*(?:(yes)|(no|nope))\b\s*[,.;:!–—-]+\s*(?=\w)", re.I)
_HALF_ANSWER: Final = re.compile(
    r"\W*(?:not\s+(?:yet|necessarily|really|always|definitely|currently|exactly)|maybe|perhaps|sure|"
    r"of\s+course|absolutely|certainly|definitely|correct|right|true|false)\b\s*[,.;:!–—-]",
    re.I,
)
_DANGLING: Final = re.compile(
    r"[,:;–—-]\s*$|\b(?:a|an|the|in|of|to|for|with|by|at|on|from|and|or|but|if|that|which|who|is|are|we|"
    r"you|your|our|as|than|when|because)\W*$",
    re.I,
)
_BROKEN_OFF: Final = re.compile(
    r"\b(?:a|an|the|and|or|but|if|we|our|your|than|when|because|unless|until)\W*$", re.I
)
_PURPOSE: Final = re.compile(r"\W*(?:in\s+order\s+)?to\s+[a-z][^,;:]*$", re.I)


@dataclass(frozen=True)
class Departure:
    """The first thing in which a sentence says other or more than its source.

    Attributes:
        message: The difference in plain words.
        words: Words of the sentence; empty where it leaves something out.
        source_words: Words of the source.
        passage_id: The passage it comes nearest to, if any.
    """

    message: str
    words: str
    source_words: str
    passage_id: str | None


@dataclass(frozen=True)
class _Mark:
    """A token that counts.

    ``free`` ones may come and go, ``idle`` ones may be left out.
    """

    key: str
    token: Token
    free: bool = False
    idle: bool = False
    binding: bool = False


@dataclass(frozen=True)
class _Compared:
    departure: Departure | None
    stretch: str
    shortfall: float


def departure(piece: str, stretches: Sequence[Stretch]) -> tuple[Departure | None, str]:
    """Return where ``piece`` departs from its source, and the stretch of source it repeats.

    Args:
        piece: One sentence.
        stretches: What it may repeat, from ``stretches_of``.
    """
    if piece.rstrip().endswith("?"):
        return _alone(f"“{_short(piece)}” asks and does not answer.", piece), ""
    unfinished = _DANGLING.search(piece) and not re.search(r"[.!]\W*$", piece)
    if unfinished or _BROKEN_OFF.search(piece) or _PURPOSE.match(piece):
        return _alone(f"“{_short(piece)}” is not a whole sentence.", piece), ""
    if _HALF_ANSWER.match(piece):
        words = piece.split()[0].rstrip(",.;:!")
        return _alone(f"No source bears out “{words}” as an answer.", words), ""
    lead = _LEAD_IN.match(piece)
    said = piece[lead.end() :] if lead else piece
    answer = _ANSWER.match(said)
    said = said[answer.end() :] if answer else said
    ours = _marks(said, tokenize(said))
    denies = any(mark.token.kind == "not" for mark in ours)
    if answer and bool(answer.group(2)) != denies:
        words = answer.group(2) or answer.group(1)
        return _alone(f"“{words}” does not go with what follows it.", words), ""
    best = _Compared(None, "", float("inf"))
    if not any(mark.token.kind in {"word", "name", "value", "code"} for mark in ours):
        return _alone(f"“{_short(piece)}” says too little to be checked.", piece), ""
    for stretch in _nearest(ours, stretches):
        for order in _orders(ours):
            compared = _compare(order, stretch)
            if compared.departure is None:
                return None, compared.stretch
            if compared.shortfall < best.shortfall:
                best = compared
    if best.departure is not None:
        return best.departure, best.stretch
    return _alone(f"No sentence of the cited source says “{_short(piece)}”.", piece), ""


def _alone(message: str, words: str) -> Departure:
    return Departure(message, words, "", None)


def _marks(text: str, tokens: Sequence[Token]) -> list[_Mark]:
    marks: list[_Mark] = []
    passive = False
    phrases = [match.span() for match in _PHRASE.finditer(text)]
    for token in tokens:
        if any(start <= token.start < end for start, end in phrases):
            continue
        word = token.text.lower().replace("’", "'")
        bare = token.key if token.kind == "function" else word
        if token.kind == "function" and bare in _BE:
            passive = True
            continue
        made = _mark(token, word, bare, passive=passive)
        if made is not None:
            marks.append(made)
        if token.kind != "not" and bare not in IDLE_ADVERBS and token.kind != "modal":
            passive = False
    return marks


def _mark(token: Token, word: str, bare: str, *, passive: bool) -> _Mark | None:
    if token.kind == "value" and token.fact is not None:
        return _Mark(token.key + token.fact.bound, token)
    if token.kind == "not":
        return _Mark("not", token)
    if token.kind == "limit":
        return _Mark(f"limit {token.key}", token, binding=True)
    if token.kind == "modal" or word == "able":
        if token.key == "will" and not word.startswith("would"):
            return None
        key = "can" if word == "able" else token.key
        return _Mark(f"modal {key}", token, binding=key == "must")
    if bare in _PERSON:
        person = _PERSON[bare]
        return _Mark(person, token, free=person.endswith("'s"))
    if bare in TURNING_WORDS:
        return _Mark(_SAME_CONDITION.get(bare, bare), token, binding=bare in CONDITIONS)
    if bare in IDLE_ADVERBS:
        return None if token.kind == "function" else _Mark(token.key, token, idle=True)
    if token.kind == "function":
        return None
    suffered = passive and token.kind == "word" and bool(_PARTICIPLE.search(word))
    return _Mark(f"{token.key} (done to)" if suffered else token.key, token)


@dataclass(frozen=True)
class Stretch:
    """A run of adjoining sentences of one passage.

    Attributes:
        units: The sentences.
        marks: For each of them, what counts in it.
        lead_in: The same of the lead-in of the list it is an item of, when that is not in it.
        keys: How often each key occurs in it.
    """

    units: tuple[SourceUnit, ...]
    marks: tuple[tuple[_Mark, ...], ...]
    lead_in: tuple[_Mark, ...]
    keys: Counter[str]


def stretches_of(units: Iterable[SourceUnit]) -> list[Stretch]:
    """Return the stretches of source that a sentence may repeat.

    Args:
        units: The sentences of the cited passages, in order. Headings are no source of claims, save
            the lead-in of a list ("You may not:"), a heading of the passages that are its items.
    """
    read = [(unit, tuple(_marks(unit.text, unit.tokens))) for unit in units]
    leads = {
        unit.passage_id: (unit, marks)
        for unit, marks in read
        if unit.is_context and unit.text.rstrip().endswith(":")
    }
    body = [(unit, marks) for unit, marks in read if not unit.is_context]
    found: list[Stretch] = []
    for width in range(1, ADJOINING + 1):
        for i in range(len(body) - width + 1):
            run = body[i : i + width]
            if len({unit.passage_id for unit, _ in run}) == 1:
                lead = leads.get(run[0][0].passage_id)
                found.append(_stretch(run, lead[1] if lead else ()))
    found += [
        _stretch([leads[unit.passage_id], (unit, marks)], ())
        for unit, marks in body
        if unit.passage_id in leads
    ]
    return found


def _stretch(
    run: Sequence[tuple[SourceUnit, tuple[_Mark, ...]]], lead_in: tuple[_Mark, ...]
) -> Stretch:
    return Stretch(
        tuple(unit for unit, _ in run),
        tuple(marks for _, marks in run),
        lead_in,
        Counter(mark.key for _, marks in run for mark in marks),
    )


def _nearest(ours: Sequence[_Mark], stretches: Sequence[Stretch]) -> list[Stretch]:
    """Return the stretches that share most with a sentence, the best first."""
    wanted = Counter(mark.key for mark in ours)

    def lacking(stretch: Stretch) -> tuple[float, int]:
        shared = sum(min(count, stretch.keys[key]) for key, count in wanted.items())
        return (-shared + 0.5 * len(stretch.units), stretch.keys.total())

    return nsmallest(MOST_COMPARED, stretches, key=lacking)


def _orders(ours: Sequence[_Mark]) -> list[list[_Mark]]:
    """Return the sentence as it stands, and with its last clauses put first ("B if A")."""
    begun = 0
    numbers: list[tuple[int, int]] = []
    for mark in ours:
        begun += mark.key == "once"
        numbers.append((mark.token.clause, begun))
    clauses = [
        [mark for mark, _ in group]
        for _, group in groupby(zip(ours, numbers, strict=True), key=lambda pair: pair[1])
    ]
    orders = [
        [mark for clause in (*clauses[k:], *clauses[:k]) for mark in clause]
        for k in range(min(len(clauses), 4))
    ]
    return orders or [[]]


def _compare(ours: Sequence[_Mark], stretch: Stretch) -> _Compared:
    theirs = [mark for marks in stretch.marks for mark in marks]
    home = [number for number, marks in enumerate(stretch.marks) for _ in marks]
    matched: list[int] = []
    added: list[_Mark] = []
    where = ""
    for op in Indel.opcodes([mark.key for mark in ours], [mark.key for mark in theirs]):
        if op.tag == "equal":
            matched += range(op.dest_start, op.dest_end)
            continue
        mine = ours[op.src_start : op.src_end]
        yours = theirs[op.dest_start : op.dest_end]
        swapped = {m.key for m in yours if m.free}
        new = [m for m in mine if not (m.free and not swapped - {m.key})]
        if new and not added:
            where = _shown([m.token for m in yours])
        added += new
    dropped = _dropped(stretch, theirs, home, set(matched))
    text = _stretch_text(stretch, theirs, home, matched)
    shortfall = len(added) + 0.5 * len(dropped)
    passage_id = stretch.units[0].passage_id
    if added:
        words = _shown([mark.token for mark in added])
        said = f"the source says “{_short(where)}”" if where else "the source does not say so there"
        return _Compared(
            Departure(f"The draft says “{_short(words)}”, {said}.", words, text, passage_id),
            text,
            shortfall,
        )
    if dropped:
        left_out = _shown([mark.token for mark in dropped])
        message = f"The draft leaves out “{_short(left_out)}” and so says more than its source."
        return _Compared(Departure(message, "", left_out, passage_id), text, shortfall)
    return _Compared(None, text, 0.0)


def _dropped(
    stretch: Stretch, theirs: Sequence[_Mark], home: Sequence[int], matched: set[int]
) -> list[_Mark]:
    """Return the marks of the source that the sentence had to keep and did not."""
    # An item of a list says little without a lead-in that allows, forbids or limits.
    rules = {"not", "limit", "modal"}
    ruled = any(mark.binding or mark.token.kind in rules for mark in stretch.lead_in)
    missing = list(stretch.lead_in) if ruled else []
    for number, unit in enumerate(stretch.units):
        places = [j for j, at in enumerate(home) if at == number]
        kept = {theirs[j].token.clause for j in places if j in matched}
        binding = any(theirs[j].binding for j in places)
        opens = _clause_openings(unit)
        for clause in sorted({theirs[j].token.clause for j in places}):
            inside = [j for j in places if theirs[j].token.clause == clause]
            gone = [
                theirs[j] for j in inside
                if j not in matched and not theirs[j].idle and not theirs[j].free
            ]  # fmt: skip
            if not gone:
                continue
            if clause not in kept:
                # A whole clause may go when nothing depends on it and it depends on nothing.
                if binding or opens.get(clause) in CONDITIONS or any(map(_narrows, gone)):
                    missing += gone
                continue
            last = max(j for j in inside if j in matched)
            tail = all(mark.token.start > theirs[last].token.start for mark in gone)
            if (
                binding
                or not tail
                or any(map(_narrows, gone))
                or not _only_added_on(unit, theirs[last].token, gone[0].token)
            ):
                missing += gone
    return missing


def _narrows(mark: _Mark) -> bool:
    return (
        mark.binding
        or mark.token.kind in {"not", "limit", "modal", "value"}
        or mark.token.text.lower() in HEDGES
    )


def _clause_openings(unit: SourceUnit) -> dict[int, str]:
    found: dict[int, str] = {}
    for token in unit.tokens:
        found.setdefault(token.clause, token.text.lower())
    return {
        clause: "but" if word in {"which", "who", "whose"} else word
        for clause, word in found.items()
    }


def _only_added_on(unit: SourceUnit, last: Token, first_gone: Token) -> bool:
    """Whether what is left out is one more thing that holds as well: "… and B"."""
    between = [t for t in unit.tokens if last.start < t.start < first_gone.start]
    return bool(between) and between[0].text.lower() == "and"


def _stretch_text(
    stretch: Stretch, theirs: Sequence[_Mark], home: Sequence[int], matched: Sequence[int]
) -> str:
    """Return the words of the source from the first clause that was used to the last."""
    parts: list[str] = []
    for number, unit in enumerate(stretch.units):
        used = {theirs[j].token.clause for j in matched if home[j] == number}
        tokens = [t for t in unit.tokens if used and min(used) <= t.clause <= max(used)]
        if tokens:
            parts.append(unit.text[tokens[0].start : tokens[-1].end])
    return " ".join(parts)


def _shown(tokens: Sequence[Token]) -> str:
    seen = dict.fromkeys((token.start, token.end, token.text) for token in tokens)
    return " ".join(text for _, _, text in seen)


def _short(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
