"""Lays a sentence beside the words it rests on, token by token. Pure, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel, LCSseq

from kb.facts import VALUE_KINDS, Fact, bound_span, extract_facts
from kb.sentences import split_sentences
from kb.words import (
    FUNCTION_WORDS,
    LIMITERS,
    META_WORDS,
    MODALS,
    NEGATIONS,
    NEGATIONS_ABROAD,
    meaning,
    opposite,
)

TokenKind = Literal["value", "not", "limit", "modal", "function", "name", "word", "code"]
_WEIGHT = {
    "value": 1.5, "not": 1.0, "limit": 0.8, "modal": 0.3, "function": 0.15, "name": 1.2,
    "word": 1.0, "code": 1.2,
}  # fmt: skip
_LONGEST_TEXT = 40_000  # characters of a passage that are read
_LONGEST_UNIT = 1_500
_LONGEST = 4_000  # tokens of a source that are looked at; a passage has a few hundred


@dataclass(frozen=True, slots=True)
class Token:
    """One word, figure or identifier.

    Attributes:
        key: What it is compared by.
        kind: What sort of token.
        text: The word as it stands.
        start: Offset of its first character.
        end: Offset after its last.
        clause: Number of the clause it stands in, counted over the text.
        fact: The fact it carries, if it is one.
        capital: Whether it is written as a name, away from the start of a sentence.
    """

    key: str
    kind: TokenKind
    text: str
    start: int
    end: int
    clause: int
    fact: Fact | None = None
    capital: bool = False

    @property
    def weight(self) -> float:
        """How much it counts when coverage is summed."""
        return _WEIGHT[self.kind]


_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*(?:\+{1,2}(?!\w))?")
_BREAK = re.compile(r"[,;:()\[\]|–—]|[.!?](?=\s|$)|\s-\s|\n")
_LIST_MARK = re.compile(r"\s*(?:[-*+•‣·–]|\d{1,3}[.)]|\(?[a-z][.)])\s+")
_TIE_WORDS = frozenset(["but", "however", "although", "though", "because", "while", "whereas", "if",
                        "when", "unless", "so", "which", "until"])  # fmt: skip
_CONTRACTED = {"won't": "will", "can't": "can", "shan't": "shall", "ain't": "is", "cannot": "can"}
_NEGATED_WORDS = {
    "unable": "able", "unavailable": "available", "impossible": "possible",
    "unsupported": "supported", "inaccessible": "accessible", "unlimited": "limited",
    "unnecessary": "necessary", "unencrypted": "encrypted", "nonrefundable": "refundable",
    "non-refundable": "refundable", "ineligible": "eligible", "uncompressed": "compressed",
    "incompatible": "compatible", "unaffected": "affected", "unpaid": "paid", "unused": "used",
    "prohibited": "allowed", "forbidden": "allowed", "disallowed": "allowed",
    "prohibit": "allow", "forbid": "allow", "prohibits": "allows", "forbids": "allows",
    "disallow": "allow", "disallows": "allows",
}  # fmt: skip


_OBLIGES = frozenset(["need", "needs", "have", "has", "had", "having", "needing"])
_NEW_SUBJECT = re.compile(r"(?:and|or)\s+(?:we|you|they|it|he|she|i|this|there)\b", re.I)
_ELISION = re.compile(r"(?:n|d|l|j|s|c|m|t|qu)'(?=\w{3})")
_DOCUMENTS = frozenset(["policy", "policies", "page", "article", "guide", "faq", "help", "center",
                        "docs", "documentation", "terms"])  # fmt: skip
_TIMES = frozenset(["time", "times"])
_TO = re.compile(r"\s+to\b")


def _word_tokens(word: str, capital: bool) -> list[tuple[str, TokenKind]]:
    lowered = word.lower().replace("’", "'")
    if lowered in _CONTRACTED:
        base = _CONTRACTED[lowered]
        return [(MODALS.get(base, base), "modal" if base in MODALS else "function"), ("not", "not")]
    if lowered.endswith("n't"):
        base = lowered[:-3]
        return [(MODALS.get(base, base), "modal" if base in MODALS else "function"), ("not", "not")]
    if "'" in lowered and not lowered.endswith("'s"):
        lowered = lowered.split("'")[0] if lowered.split("'")[0] in FUNCTION_WORDS else lowered
    if found := _ELISION.match(lowered):
        lowered = lowered[found.end() :]
    if lowered in NEGATIONS or lowered in NEGATIONS_ABROAD:
        return [("not", "not")]
    if lowered in _NEGATED_WORDS:
        return [("not", "not"), (meaning(_NEGATED_WORDS[lowered]), "word")]
    if lowered in LIMITERS and not capital:
        return [(LIMITERS[lowered], "limit")]
    if lowered in MODALS and not capital:
        return [(MODALS[lowered], "modal")]
    bare = lowered[:-2] if lowered.endswith("'s") else lowered
    if bare in FUNCTION_WORDS and not capital:
        return [(bare, "function")]
    if capital or (len(word) > 1 and not word.islower() and not word.istitle()):
        return [(meaning(lowered), "name")]
    return [(meaning(lowered), "word")]


def _counts(token: Token, end: int) -> bool:
    """Say whether a token right before ``end`` is a bare figure: "3 times"."""
    return token.fact is not None and token.fact.kind == "number" and end - token.end <= 2


def tokenize(text: str) -> list[Token]:
    """Return the tokens of ``text``. A figure with its unit (``two weeks``) is one token."""
    mark = _LIST_MARK.match(text)
    offset = mark.end() if mark else 0
    facts = [f for f in extract_facts(text, polarity=False) if f.start >= offset]
    wholes = [f for f in facts if f.kind not in {"name", "label"}]
    capitals = [(f.start, f.end) for f in facts if f.kind == "name"]
    # The words of a bound ("no more than 5") belong to the figure and are compared with it.
    spans = sorted(
        [
            (*(bound_span(text, f) if f.kind in VALUE_KINDS else (f.start, f.end)), f)
            for f in wholes
        ],
        key=lambda item: (item[0], item[1]),
    )
    breaks = [m.start() for m in _BREAK.finditer(text)]
    tokens: list[Token] = []
    clause = break_index = capital_index = 0
    events: list[tuple[int, int, Fact | None]] = []
    last = offset
    for left, right, whole in spans:
        left = max(left, last)
        events += [(m.start(), m.end(), None) for m in _TOKEN.finditer(text, last, left)]
        events.append((left, max(right, whole.end), whole))
        last = max(last, right, whole.end)
    events += [(m.start(), m.end(), None) for m in _TOKEN.finditer(text, last)]
    for start, end, fact in events:
        while break_index < len(breaks) and breaks[break_index] < start:
            clause += 1
            break_index += 1
        if fact is not None:
            value = fact.kind in VALUE_KINDS
            kind: TokenKind = "value" if value else "code"
            key = f"={fact.value}" if value else f"@{fact.value.casefold()}"
            tokens.append(Token(key, kind, text[start:end], start, end, clause, fact))
            continue
        while capital_index < len(capitals) and capitals[capital_index][1] <= start:
            capital_index += 1
        capital = capital_index < len(capitals) and capitals[capital_index][0] <= start
        word = text[start:end]
        if word.lower() in _TIE_WORDS or _NEW_SUBJECT.match(text, start):
            clause += 1
        if _TO.match(text, end) and word.lower() in _OBLIGES:
            tokens.append(Token("must", "modal", word, start, end, clause))
            continue
        if word.lower() in _TIMES and tokens and _counts(tokens[-1], start):
            tokens.append(Token("times", "function", word, start, end, clause))
            continue
        for key, kind in _word_tokens(word, capital):
            tokens.append(Token(key, kind, word, start, end, clause, None, capital))
    return tokens


@dataclass(frozen=True)
class SourceUnit:
    """A sentence, heading or list item of a cited passage."""

    passage_id: str
    text: str
    tokens: tuple[Token, ...]
    is_context: bool = False

    @property
    def keys(self) -> list[str]:
        """The keys of its tokens."""
        return [token.key for token in self.tokens]


@dataclass
class Window:
    """A run of units laid beside a sentence."""

    passage_id: str
    text: str
    tokens: list[Token]
    unit_of: list[int]  # for each token, the number of its unit within the window
    matched: set[int] = field(default_factory=set)  # positions of tokens that found a partner


@dataclass(frozen=True, slots=True)
class Edit:
    """One place where sentence and source part: ``ours`` stand where ``theirs`` stood."""

    ours: tuple[Token, ...]
    theirs: tuple[Token, ...]
    window: int
    flanked: bool  # matched words on both sides (or an edge of the sentence)


@dataclass
class Alignment:
    """A sentence laid beside its source.

    Attributes:
        tokens: Tokens of the sentence.
        partner: For each of them, ``(window, position)`` of its equal in the source, or None.
        windows: The stretches of source that were used, the best first.
        edits: Where the two part, for the best window.
        coverage: Weight of tokens with a partner over weight of all, 0..1.
    """

    tokens: list[Token]
    partner: list[tuple[int, int] | None]
    windows: list[Window]
    edits: list[Edit]
    coverage: float


def _chunks(text: str) -> list[str]:
    """Cut a sentence of monstrous length at white space, so that reading it stays cheap."""
    if len(text) <= _LONGEST_UNIT:
        return [text]
    cuts = [0]
    while len(text) - cuts[-1] > _LONGEST_UNIT:
        space = text.rfind(" ", cuts[-1] + 1, cuts[-1] + _LONGEST_UNIT)
        cuts.append(space if space > cuts[-1] else cuts[-1] + _LONGEST_UNIT)
    return [text[a:b] for a, b in pairwise([*cuts, len(text)])]


def source_units(passage_id: str, plain: str, context: Sequence[str]) -> list[SourceUnit]:
    """Return the sentences of a passage, then its headings and title as context."""
    units: list[SourceUnit] = []
    budget = _LONGEST
    readable = plain[:_LONGEST_TEXT]
    for start, end in split_sentences(readable):
        for chunk in _chunks(readable[start:end]):
            if budget <= 0:
                break
            tokens = tuple(tokenize(chunk)[:budget])
            budget -= len(tokens)
            units.append(SourceUnit(passage_id, chunk, tokens))
    for text in context:
        for start, end in split_sentences(text[:2_000]):
            units.append(
                SourceUnit(passage_id, text[start:end], tuple(tokenize(text[start:end])), True)
            )
    return units


def _windows(units: Sequence[SourceUnit]) -> list[tuple[int, int]]:
    spans = [(i, i + 1) for i in range(len(units))]
    for width in (2, 3):
        for i in range(len(units) - width + 1):
            run = units[i : i + width]
            if len({unit.passage_id for unit in run}) == 1 and not any(u.is_context for u in run):
                spans.append((i, i + width))
    return spans


def align(tokens: list[Token], units: Sequence[SourceUnit], most_windows: int = 3) -> Alignment:
    """Lay a sentence beside the stretches of source that share most with it.

    Args:
        tokens: The sentence.
        units: Everything it cites, with context.
        most_windows: How many stretches a sentence may be joined from.
    """
    partner: list[tuple[int, int] | None] = [None] * len(tokens)
    chosen: list[Window] = []
    edits: list[Edit] = []
    spans = _windows(units)
    keys = [[key for unit in units[a:b] for key in unit.keys] for a, b in spans]
    rest = list(range(len(tokens)))
    for number in range(most_windows):
        ours = [tokens[i].key for i in rest]
        solid = sum(1 for i in rest if tokens[i].kind != "function")
        if not solid:
            break
        best, best_score = -1, 0.0
        for index, theirs in enumerate(keys):
            if not theirs:
                continue
            shared = LCSseq.similarity(ours, theirs)
            # A longer stretch must earn its length, a heading yields to a sentence.
            score = shared - 0.02 * len(theirs) - 2.5 * (spans[index][1] - spans[index][0] - 1)
            score -= 0.5 if units[spans[index][0]].is_context else 0.0
            if shared and score > best_score:
                best, best_score = index, score
        if best < 0:
            break
        a, b = spans[best]
        stretch: list[Token] = []
        unit_of: list[int] = []
        for k, unit in enumerate(units[a:b]):
            stretch += unit.tokens
            unit_of += [k] * len(unit.tokens)
        window = Window(
            units[a].passage_id, " ".join(unit.text for unit in units[a:b]), stretch, unit_of
        )
        gained = 0.0
        new: list[tuple[int, int]] = []
        operations = list(Indel.opcodes(ours, keys[best]))
        for op in operations:
            if op.tag == "equal":
                for left, right in zip(
                    range(op.src_start, op.src_end), range(op.dest_start, op.dest_end), strict=True
                ):
                    new.append((rest[left], right))
                    gained += tokens[rest[left]].weight
        if number:
            new = _without_strays(new, tokens)
            gained = sum(tokens[i].weight for i, _ in new)
        if number and gained < 0.9:
            break
        for i, j in new:
            partner[i] = (number, j)
            window.matched.add(j)
        chosen.append(window)
        if number == 0:
            edits = _edits(tokens, partner, window)
        rest = [i for i in rest if partner[i] is None]
    weights = [0.15 if is_filler(token) else token.weight for token in tokens]
    total = sum(weights) or 1.0
    covered = sum(w for w, p in zip(weights, partner, strict=True) if p is not None)
    return Alignment(tokens, partner, chosen, edits, covered / total)


def _without_strays(new: list[tuple[int, int]], tokens: list[Token]) -> list[tuple[int, int]]:
    """Drop a "not" or "only" that was found in another stretch without the words around it."""
    places = {i for i, _ in new}

    def rooted(i: int) -> bool:
        if tokens[i].kind not in {"not", "limit", "modal"}:
            return True
        near = [
            k for k in range(max(0, i - 3), min(len(tokens), i + 4))
            if tokens[k].kind in {"word", "name", "value", "code"}
        ]  # fmt: skip
        return any(k in places for k in near)

    return [(i, j) for i, j in new if rooted(i)]


def _edits(
    tokens: list[Token], partner: list[tuple[int, int] | None], window: Window
) -> list[Edit]:
    """Return the gaps between matched tokens of the first window, on both sides."""
    pairs = [(i, p[1]) for i, p in enumerate(partner) if p is not None and p[0] == 0]
    found: list[Edit] = []
    previous = (-1, -1)
    for i, j in [*pairs, (len(tokens), len(window.tokens))]:
        ours = tuple(tokens[previous[0] + 1 : i])
        theirs = tuple(window.tokens[previous[1] + 1 : j])
        if ours or theirs:
            inner = previous[0] >= 0 and i < len(tokens)
            found.append(Edit(ours, theirs, 0, inner))
        previous = (i, j)
    return found


def is_filler(token: Token) -> bool:
    """Say whether a token may come and go without changing what is claimed."""
    word = token.text.lower().split("'")[0]
    return (
        token.kind == "function"
        or (token.kind == "word" and word in META_WORDS)
        or (token.kind == "name" and word in _DOCUMENTS)
    )


def same_spelling(left: str, right: str) -> bool:
    """Say whether two words are one with a typing error or another ending."""
    if left == right:
        return True
    if not (left.isalpha() and right.isalpha()):
        return False
    if min(len(left), len(right)) < 4 or opposite(left, right):
        return False
    alike = fuzz.ratio(left, right)
    return alike >= 86 or (alike >= 84 and left[:3] == right[:3])
