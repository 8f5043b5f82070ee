"""Aligns an older and a newer text of one passage: what went, what came, what only looks new.

The texts are aligned word by word. A value ("two weeks", "$1,250.00") is one token in one form, so
that writing it differently is no edit. What merely moved, is spelled, inflected or joined
differently, or stood twice by mistake is set aside; what is left over is what the edit says. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from kb.facts import VALUE_KINDS, Fact, extract_facts, kinship
from kb.words import FUNCTION_WORDS, LIMITERS, MODALS, NEGATIONS, meaning, opposite, stem


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNIT_KINDS: Final = frozenset({*VALUE_KINDS, "email", "url", "phone", "code"})
_WORD: Final = re.compile(
    r"[#@][^\W_]+(?:[-._][^\W_]+)*|[^\W_]+(?:['’][^\W\d_]+)*(?:[._@][^\W_]+)*"
)
_START_MARK: Final = re.compile(
    r"\A\s*(?:(?:[-*+•>|]|#{1,6}|\(?(?:\d{1,3}(?:\.\d{1,3})*|[a-z]|[ivx]{1,4})[.)])\s+)+"
)
_SENTENCE_END: Final = re.compile(r"[.!?:;]['\"”’)\]]*(?=\s|\Z)|\n")
PRONOUNS: Final = _set(
    "i we us our ours ourselves you your yours it its itself they them their this that these those he she his her "
    "one who whose same such there here"
)
_FILLER: Final = _set(
    "please note advised simply just basically also additionally furthermore moreover therefore thus so very really "
    "quite simple easy easily actually well various certain respective overall kindly namely means order"
)
_DETERMINERS: Final = _set(
    "a an the our your their its my this that of to in on at by for with from see 's and or"
)
VERB_LIKE: Final = _set(
    "is are was were be been will can may must should shall has have had do does did not"
)


def fold(text: str) -> str:
    """Return ``text``, of the same length, with one form of quotes, dashes and spaces."""
    return text.translate(_FOLD)


_FOLD: Final = {
    ord(char): form
    for form, chars in (
        ("'", "’‘‛`´"),
        ('"', "“”„«»"),
        ("-", "–—‐‑‒―−"),
        (" ", "\u00a0\u2009\u202f\t\n\r"),
    )
    for char in chars
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word or value of a text.

    Attributes:
        text: As written.
        low: The same in lower case.
        key: The form under which equal words meet.
        start: Offset of the first character.
        end: Offset after the last character.
        kind: ``word``, or the kind of the fact it is.
        name: Whether it is written like a name: a capital inside a sentence, a digit, an @ or #.
        sentence: Number of its sentence.
    """

    text: str
    low: str
    key: str
    start: int
    end: int
    kind: str = "word"
    name: bool = False
    sentence: int = 0

    @property
    def function(self) -> bool:
        """Whether it carries no claim of its own."""
        return self.kind == "word" and (
            self.low in FUNCTION_WORDS or self.low in _FILLER or len(self.low) < 2
        )

    @property
    def denies(self) -> bool:
        """Whether it turns what it stands beside into its opposite."""
        return self.key == "not" or self.low in NEGATIONS

    @property
    def turning(self) -> bool:
        """Whether it changes what the words beside it say, though it names nothing itself."""
        return self.denies or self.low in MODALS or self.low in LIMITERS

    @property
    def names_something(self) -> bool:
        """Whether it is neither a small word nor one that turns others."""
        return not self.function and not self.turning


@dataclass(frozen=True, slots=True)
class Reading:
    """A text cut into tokens.

    Attributes:
        text: The text, folded; offsets are those of the original.
        tokens: Its words and values in order.
        facts: All facts of the text.
    """

    text: str
    tokens: tuple[Token, ...]
    facts: tuple[Fact, ...]

    def fact_at(self, start: int) -> Fact | None:
        """Return the value that begins at an offset."""
        return next((f for f in self.facts if f.start == start and f.kind in VALUE_KINDS), None)

    def next_content(self, token: Token) -> str:
        """Return the key of the first word after ``token`` that names something."""
        after = (other for other in self.tokens if other.start > token.start)
        return next((other.key for other in after if other.names_something), "")

    def last_content(self, token: Token) -> str:
        """Return the key of the last word before ``token`` that names something."""
        before = (other for other in reversed(self.tokens) if other.start < token.start)
        return next((other.key for other in before if other.names_something), "")


@lru_cache(maxsize=512)
def read(text: str) -> Reading:
    """Return ``text`` as tokens; a value is one token."""
    folded = fold(text)
    mark = _START_MARK.match(folded)
    begin = mark.end() if mark else 0
    facts = [
        fact
        for fact in extract_facts(folded)
        if fact.start >= begin and not _is_half_a_word(fact, folded)
    ]
    units = sorted(
        (fact for fact in facts if fact.kind in _UNIT_KINDS and _is_unit(fact)),
        key=lambda fact: fact.start,
    )
    ends = [match.end() for match in _SENTENCE_END.finditer(folded)]
    tokens: list[Token] = []
    position = begin

    def words(low: int, high: int) -> None:
        for match in _WORD.finditer(folded, low, high):
            word = match.group()
            for part, offset in _parts(word):
                start = match.start() + offset
                number = bisect_right(ends, start)
                opening = folded[ends[number - 1] if number else begin : start]
                first = not any(char.isalnum() for char in opening)
                tokens.append(
                    Token(part, part.lower(), _key(part), start, start + len(part), "word",
                          _is_name(part, first), number)
                )  # fmt: skip

    for fact in units:
        if fact.start < position:
            continue
        words(position, fact.start)
        tokens.append(
            Token(
                fact.text, fact.text.lower(), f"{fact.kind}:{fact.value.casefold()}", fact.start, fact.end,
                "word" if fact.vague else fact.kind,
                fact.kind not in VALUE_KINDS, bisect_right(ends, fact.start),
            )
        )  # fmt: skip
        position = fact.end
    words(position, len(folded))
    return Reading(folded, tuple(tokens), tuple(facts))


def _is_unit(fact: Fact) -> bool:
    """Say whether a fact is one token. "A month" is, as a word; "a second" is mostly no time."""
    return not fact.vague or (fact.kind == "duration" and not fact.value.endswith("second"))


_UNITS_AFTER: Final = re.compile(
    r"(?:[kmgtp]i?b|[kmg]?hz|bit|k|x|ms|s|h|m|cm|mm|km|kg|g|px|th|st|nd|rd)s?\b", re.I
)


def _is_half_a_word(fact: Fact, text: str) -> bool:
    """Say whether a number is the beginning of a name: ``2FA`` is one, ``3GB`` is not."""
    follow = text[fact.end : fact.end + 1]
    return fact.kind == "number" and follow.isalpha() and not _UNITS_AFTER.match(text, fact.end)


def _parts(word: str) -> list[tuple[str, int]]:
    """Cut ``don't`` into ``do`` and ``n't``, so that a negation is a word."""
    low = word.lower()
    if low.endswith("n't") and len(low) > 3:
        return [(word[:-3], 0), (word[-3:], len(word) - 3)]
    if low.endswith(("'re", "'ll", "'ve", "'d", "'m")):
        at = word.rindex("'")
        return [(word[:at], 0), (word[at:], at)]
    if low.endswith("'s"):
        return [(word[:-2], 0)]
    return [(word, 0)]


def word_keys(text: str) -> set[str]:
    """Return the keys of the words of a text."""
    return {_key(part) for match in _WORD.finditer(fold(text)) for part, _ in _parts(match.group())}


_SHORT: Final = {"n't": "not", "ca": "can", "wo": "will", "'re": "are", "'ll": "will", "'ve": "have", "cannot": "not",
                 "'d": "would", "'m": "am", "which": "that", "who": "that", "an": "a"}  # fmt: skip


def _key(word: str) -> str:
    low = unicodedata.normalize("NFKC", word).lower()
    if low in _SHORT:
        return _SHORT[low]
    if low in FUNCTION_WORDS or low in NEGATIONS or low in MODALS:
        return low
    return stem(low) if low.isalpha() else low.strip("._")


def _is_name(word: str, first: bool) -> bool:
    if word.lower() in FUNCTION_WORDS:
        return False
    if any(char.isdigit() for char in word) or word[0] in "#@" or "." in word or "_" in word:
        return True
    if word[1:] != word[1:].lower() and len(word) > 1:
        return not word.isupper() or len(word) < 6
    return word[0].isupper() and not first and word.lower() not in FUNCTION_WORDS


@dataclass(slots=True)
class Hunk:
    """One place at which the texts differ.

    Attributes:
        gone: Tokens of the older text, what was set aside left out.
        came: Tokens of the newer text, likewise.
        old: Token range in the older text.
        new: Token range in the newer text.
        notes: What was set aside here and why.
    """

    gone: list[Token]
    came: list[Token]
    old: tuple[int, int]
    new: tuple[int, int]
    notes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Edit:
    """An older and a newer text, aligned."""

    old: Reading
    new: Reading
    hunks: tuple[Hunk, ...]
    inflected: int


def align(old: str, new: str, known: Container[str] = ()) -> Edit:
    """Align two texts and set aside what says nothing different.

    Args:
        old: The older text.
        new: The newer text.
        known: Keys of common words. Of two known words neither is a misspelling of the other
            ("contact", "contract").
    """
    before, after = read(old), read(new)
    keys_old = [token.key for token in before.tokens]
    keys_new = [token.key for token in after.tokens]
    matcher = SequenceMatcher(None, keys_old, keys_new, autojunk=False)
    ranges: list[tuple[int, int, int, int]] = []
    inflected = 0
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            inflected += sum(
                left.low != right.low
                for left, right in zip(before.tokens[a:b], after.tokens[c:d], strict=True)
            )
            if ranges and b - a <= 1 and all(token.function for token in before.tokens[a:b]):
                # One small word in common does not part two edits.
                last = ranges[-1]
                pending = (last[0], b, last[2], d)
                ranges[-1] = pending
            continue
        if ranges and ranges[-1][1] == a and ranges[-1][3] == c:
            last = ranges.pop()
            ranges.append((last[0], b, last[2], d))
        else:
            ranges.append((a, b, c, d))
    hunks = [
        Hunk(list(before.tokens[a:b]), list(after.tokens[c:d]), (a, b), (c, d))
        for a, b, c, d in ranges
    ]
    for hunk in hunks:
        _settle_within(hunk, known, before, after)
    _settle_across(hunks, before, after)
    _settle_doubles(hunks, before, after)
    return Edit(before, after, tuple(hunks), inflected)


def _settle_within(hunk: Hunk, known: Container[str], before: Reading, after: Reading) -> None:
    """Set aside, in one hunk, equal words, other forms and spellings, joins and abbreviations."""

    def same(left: Token, right: Token) -> bool:
        return not left.denies or before.next_content(left) == after.next_content(right)

    _pair_off(hunk, "order", lambda token: token.key, same)
    _pair_off(hunk, "form", _meaning_of, lambda left, right: True)
    if len(hunk.gone) > _LONG or len(hunk.came) > _LONG:
        return  # a passage written anew is not a misspelling of the old one
    for left in list(hunk.gone):
        for right in hunk.came:
            if _same_spelling(left, right) and not (left.key in known and right.key in known):
                hunk.gone.remove(left)
                hunk.came.remove(right)
                hunk.notes["spelling"] += 1
                break
    _settle_joins(hunk)


_LONG: Final = 40


def _pair_off(
    hunk: Hunk, note: str, form: Callable[[Token], str | None], same: Callable[[Token, Token], bool]
) -> None:
    """Set aside the tokens of both sides that have the same form; None has no equal."""
    came: dict[str, list[Token]] = {}
    for token in hunk.came:
        if (key := form(token)) is not None:
            came.setdefault(key, []).append(token)
    for token in list(hunk.gone):
        twins = came.get(form(token) or "", [])
        twin = next((twin for twin in twins if same(token, twin)), None)
        if twin is not None:
            twins.remove(twin)
            hunk.gone.remove(token)
            hunk.came.remove(twin)
            hunk.notes[note] += 0 if token.function else 1


def _meaning_of(token: Token) -> str | None:
    return None if token.kind != "word" or token.function else meaning(token.low)


def _same_spelling(left: Token, right: Token) -> bool:
    a, b = left.low, right.low
    if left.kind != "word" or right.kind != "word" or left.function or right.function:
        return False
    if not (a.isalpha() and b.isalpha()) or min(len(a), len(b)) < 4:
        return False
    if opposite(a, b) or a in MODALS or b in MODALS or a in NEGATIONS or b in NEGATIONS:
        return False
    shortest = min(len(a), len(b))
    room = 1 if shortest < 6 else 2 if shortest < 9 else 3
    return a[0] == b[0] and OSA.distance(a, b, score_cutoff=room) <= room


def _settle_joins(hunk: Hunk) -> None:
    """Set aside ``web site`` → ``website`` and ``hiring manager`` → ``HM``."""
    for one, many in ((hunk.gone, hunk.came), (hunk.came, hunk.gone)):
        for single in list(one):
            for size in (2, 3, 4):
                found = None
                for at in range(len(many) - size + 1):
                    run = many[at : at + size]
                    joined = "".join(token.low for token in run)
                    letters = "".join(
                        token.low[0] for token in run if token.low not in {"of", "and", "the"}
                    )
                    if joined == single.low.replace(".", "").replace("-", "") or (
                        single.text.isupper() and len(single.text) == len(letters) == len(run)
                        and single.low == letters
                    ):  # fmt: skip
                        found = at
                        break
                if found is not None:
                    one.remove(single)
                    del many[found : found + size]
                    hunk.notes["join"] += 1
                    break


def _settle_across(hunks: Sequence[Hunk], before: Reading, after: Reading) -> None:
    """Set aside what went in one place and came in another, and is said of the same there."""
    came: dict[str, list[tuple[Hunk, Token]]] = {}
    for hunk in hunks:
        for token in hunk.came:
            came.setdefault(token.key, []).append((hunk, token))
    for hunk in hunks:
        for token in list(hunk.gone):
            for other, twin in came.get(token.key, ()):
                if _moved(token, twin, before, after):
                    hunk.gone.remove(token)
                    other.came.remove(twin)
                    came[token.key].remove((other, twin))
                    hunk.notes["moved"] += 0 if token.function else 1
                    other.notes["moved"] += 0 if token.function else 1
                    break


def _moved(left: Token, right: Token, before: Reading, after: Reading) -> bool:
    """Say whether a word that stands elsewhere now is still said of the same.

    A noun may stand anywhere. A value, a "not" or an "only" says something of the words beside it.
    """
    if left.kind in VALUE_KINDS:
        one, other = before.fact_at(left.start), after.fact_at(right.start)
        if one is None or other is None:
            return True
        if one.own and other.own:
            return one.own[0] in other.own or other.own[0] in one.own
        return kinship(one, other) >= _SAME_SUBJECT
    if not left.turning:
        return True
    if before.next_content(left) == after.next_content(right):
        return True
    around = {before.last_content(left), before.next_content(left)}
    return not left.denies and bool(
        around & {after.last_content(right), after.next_content(right)} - {""}
    )


_SAME_SUBJECT: Final = 0.5


def _settle_doubles(hunks: Sequence[Hunk], before: Reading, after: Reading) -> None:
    """Set aside a word or run of words that stood twice in a row by mistake."""
    for hunk in hunks:
        for tokens, span, reading in ((hunk.gone, hunk.old, before), (hunk.came, hunk.new, after)):
            size = span[1] - span[0]
            if not tokens or not size or size > 12 or (hunk.gone and hunk.came):
                continue
            own = [token.key for token in reading.tokens[span[0] : span[1]]]
            ahead = [token.key for token in reading.tokens[span[1] : span[1] + size]]
            behind = [token.key for token in reading.tokens[max(0, span[0] - size) : span[0]]]
            beside = {key.partition(":")[2].split(" ")[0] for key in (*ahead[:1], *behind[-1:])}
            twice = size == 1 and tokens[0].kind == "number" and own[0][7:] in beside
            if own in (ahead, behind) or twice:
                tokens.clear()
                hunk.notes["double"] += 1


_HOLE: Final = re.compile(r"(?:'s)? (?=[.,;:)!?])|(?:'s)?\Z")


def fills_hole(hunk: Hunk, edit: Edit) -> bool:
    """Say whether words stand on one side where the other breaks off.

    A passage whose link was made by a template reads "see our ." until the template is replaced.
    """
    if bool(hunk.gone) == bool(hunk.came):
        return False
    if any(token.kind in VALUE_KINDS for token in (*hunk.gone, *hunk.came)):
        return False
    reading, span = (edit.new, hunk.new) if hunk.gone else (edit.old, hunk.old)
    if span[0] != span[1] or not span[0]:
        return False
    before = reading.tokens[span[0] - 1]
    gap = _HOLE.match(reading.text, before.end)
    if gap and (gap.end() < len(reading.text) or before.low in _DETERMINERS or gap.group()):
        return True
    follow = reading.tokens[span[0]] if span[0] < len(reading.tokens) else None
    return bool(follow and before.low in {"the", "a", "our", "an"} and follow.low in _AFTER_A_HOLE)


_AFTER_A_HOLE: Final = VERB_LIKE | {"if", "for", "of", "to", "in", "and", "available"}


def is_heading(hunk: Hunk, edit: Edit) -> bool:
    """Say whether a title merely joined or left the beginning of the passage."""
    if hunk.old[0] or hunk.new[0]:
        return False
    for mine, theirs, reading, span in (
        (hunk.gone, hunk.came, edit.old, hunk.old), (hunk.came, hunk.gone, edit.new, hunk.new),
    ):  # fmt: skip
        if theirs or not mine or span[1] - span[0] > 8 or span[1] >= len(reading.tokens):
            continue
        follow = reading.tokens[span[1]]
        text = reading.text[reading.tokens[span[0]].start : follow.start]
        if not re.match("[A-Z][a-z]|[A-Z]\\Z|['\"]", follow.text) or any(
            t.low in VERB_LIKE or t.low in PRONOUNS for t in mine
        ):
            continue
        last = text.rstrip()[-1:]
        if last in ":)?" or last.isalnum():
            return not any(t.kind in VALUE_KINDS for t in mine)
    return False
