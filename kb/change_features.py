"""Reads an edit: which words of a passage went, which came, and what sort of change each one is.

The two texts are aligned word by word. A value ("two weeks", "$1,250.00") is one unit in one form,
so that writing it differently is no edit. What merely moved, is spelled or inflected differently,
was abbreviated, doubled by mistake or taken up by a pronoun is set aside; what is left over is what
the edit says. Pure.
"""

from __future__ import annotations

import math
import re
import unicodedata
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from rapidfuzz.distance import OSA

from kb.facts import VALUE_KINDS, Fact, extract_facts
from kb.words import (
    CONDITIONS,
    FUNCTION_WORDS,
    HEDGES,
    MODALS,
    NEGATIONS,
    meaning,
    opposite,
    stem,
)


def _list(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_UNIT_KINDS: Final = frozenset({*VALUE_KINDS, "email", "url", "phone", "code"})
_WORD: Final = re.compile(
    r"[#@][^\W_]+(?:[-._][^\W_]+)*|[^\W_]+(?:['’][^\W\d_]+)*(?:[._@][^\W_]+)*"
)
_START_MARK: Final = re.compile(
    r"\A\s*(?:(?:[-*+•>|]|#{1,6}|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])\s+)+"
)
_SENTENCE_END: Final = re.compile(r"[.!?:;]['\"”’)\]]*(?=\s|\Z)|\n")
_PRONOUNS: Final = _set(
    "i we us our ours ourselves you your yours it its itself they them their this that these those he she his her "
    "one who whose same such there here"
)
_POINTERS: Final = frozenset(
    stem(word)
    for word in _set(
        "see refer visit read more information info details learn below above following here page section "
        "documentation docs post guide thread check link article example"
    )
)
_TIME_WORDS: Final = _set(
    "now currently already yet soon still anymore longer today recently upcoming previously formerly until since ago "
    "later temporarily permanently immediately first early late"
)
_FUTURE: Final = frozenset({"will", "shall", "soon", "going", "'ll"})
_PAST: Final = frozenset({"was", "were", "had", "did", "been", "has", "have"})
_FILLER: Final = _set(
    "please note advised simply just basically also additionally furthermore moreover therefore thus so very really "
    "quite simple easy easily actually well various certain respective overall kindly namely means order"
)
_GENERIC: Final = frozenset(
    stem(word)
    for word in _set(
        "account service services product products company site website user users customer customers people "
        "person team thing things part way time feature information content data option system"
    )
)
_DETERMINERS: Final = _set(
    "a an the our your their its my this that of to in on at by for with from see 's and or"
)
_VERBLIKE: Final = _set(
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
        key: The form under which equal words meet.
        start: Offset of the first character.
        end: Offset after the last character.
        kind: ``word``, or the kind of the fact it is.
        name: Whether it is written like a name: a capital inside a sentence, a digit, an @ or #.
        sentence: Number of its sentence.
    """

    text: str
    key: str
    start: int
    end: int
    kind: str = "word"
    name: bool = False
    sentence: int = 0

    @property
    def low(self) -> str:
        """The text in lower case."""
        return self.text.lower().replace("’", "'")

    @property
    def function(self) -> bool:
        """Whether it carries no claim of its own."""
        return self.kind == "word" and (
            self.low in FUNCTION_WORDS or self.low in _FILLER or len(self.low) < 2
        )


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
        (fact for fact in facts if fact.kind in _UNIT_KINDS and not fact.vague),
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
                    Token(part, _key(part), start, start + len(part), "word",
                          _is_name(part, first), number)
                )  # fmt: skip

    for fact in units:
        if fact.start < position:
            continue
        words(position, fact.start)
        tokens.append(
            Token(
                fact.text, f"{fact.kind}:{fact.value.casefold()}", fact.start, fact.end, fact.kind,
                fact.kind not in VALUE_KINDS, bisect_right(ends, fact.start),
            )
        )  # fmt: skip
        position = fact.end
    words(position, len(folded))
    return Reading(folded, tuple(tokens), tuple(facts))


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
    """Return the keys of the words of a text: what word counts are made of."""
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


def align(old: str, new: str) -> Edit:
    """Align two texts and set aside what says nothing different."""
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
        _settle_within(hunk)
    _settle_across(hunks)
    _settle_doubles(hunks, before, after)
    return Edit(before, after, tuple(hunks), inflected)


def _drop(tokens: list[Token], index: int) -> None:
    del tokens[index]


def _settle_within(hunk: Hunk) -> None:
    """Set aside, in one hunk, equal words, other forms and spellings, joins and abbreviations."""
    for note, same in (
        ("order", lambda a, b: a.key == b.key),
        ("form", _same_meaning),
        ("spelling", _same_spelling),
    ):
        for left in list(hunk.gone):
            for right in hunk.came:
                if same(left, right):
                    hunk.gone.remove(left)
                    hunk.came.remove(right)
                    hunk.notes[note] += 0 if left.function else 1
                    break
    _settle_joins(hunk)


def _same_meaning(left: Token, right: Token) -> bool:
    if left.kind != "word" or right.kind != "word" or left.function or right.function:
        return False
    return meaning(left.low) == meaning(right.low)


def _same_spelling(left: Token, right: Token) -> bool:
    a, b = left.low, right.low
    if left.kind != "word" or right.kind != "word" or left.function or right.function:
        return False
    if not (a.isalpha() and b.isalpha()) or min(len(a), len(b)) < 4:
        return False
    if opposite(a, b) or a in MODALS or b in MODALS or a in NEGATIONS or b in NEGATIONS:
        return False
    room = 1 if min(len(a), len(b)) < 6 else 2
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


def _settle_across(hunks: Sequence[Hunk]) -> None:
    """Set aside what went in one place and came in another."""
    gone = Counter(token.key for hunk in hunks for token in hunk.gone)
    came = Counter(token.key for hunk in hunks for token in hunk.came)
    both = gone & came
    if not both:
        return
    left, right = Counter(both), Counter(both)
    for hunk in hunks:
        swap = bool(hunk.gone) and bool(hunk.came)
        for tokens, budget in ((hunk.gone, left), (hunk.came, right)):
            for token in list(tokens):
                if budget[token.key] <= 0:
                    continue
                if token.kind in VALUE_KINDS and swap and len(hunk.gone) == len(hunk.came) == 1:
                    continue  # two values that changed places changed what they are about
                budget[token.key] -= 1
                tokens.remove(token)
                hunk.notes["moved"] += 0 if token.function else 1


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


@dataclass(frozen=True, slots=True)
class WordStats:
    """How many texts of how many help centers use a word; what many use names nothing special.

    Attributes:
        common: Stem → share of help-center passages that use it, averaged over help centers, in
            log10 units above 1 in 10,000, 0..4; a missing word counts as 0.
    """

    common: Mapping[str, float]

    def rarity(self, token: Token) -> float:
        """Return how telling a token is, 0 (everywhere) .. 1 (nowhere)."""
        if token.kind != "word":
            return 1.0
        return 1.0 - min(1.0, self.common.get(token.key, 0.0) / 4.0)


_VALUES: Final = ("duration", "amount", "percentage", "date", "time", "number")
_MODAL_CLASSES: Final = ("can", "must", "should", "will", "optional")


def features(edit: Edit, stats: WordStats) -> dict[str, float]:
    """Return what an edit looks like in numbers; every name is always there.

    Args:
        edit: The aligned texts.
        stats: How common words are.
    """
    old, new = edit.old, edit.new
    f: dict[str, float] = dict.fromkeys(FEATURE_NAMES, 0.0)
    old_words = max(1, len(old.tokens))
    new_words = max(1, len(new.tokens))
    old_keys = {token.key for token in old.tokens}
    new_keys = {token.key for token in new.tokens}
    old_meanings = {meaning(token.low) for token in old.tokens if token.kind == "word"}
    new_meanings = {meaning(token.low) for token in new.tokens if token.kind == "word"}
    f["words"] = math.log1p(old_words)
    f["grew"] = math.log(new_words / old_words)
    f["hunks"] = math.log1p(len(edit.hunks))
    f["inflected"] = math.log1p(edit.inflected)
    changed = False
    for hunk in edit.hunks:
        gone = [t for t in hunk.gone if not t.function]
        came = [t for t in hunk.came if not t.function]
        for note, count in hunk.notes.items():
            f[f"note_{note}"] += count
        hole = fills_hole(hunk, edit)
        heading = is_heading(hunk, edit)
        if heading:
            f["heading"] = 1.0
            continue
        if hole:
            f["hole"] += 1.0
            continue
        if not gone and not came:
            f["idle_hunks"] += 1.0 if (hunk.gone or hunk.came) else 0.0
        else:
            changed = True
        for side, tokens, other_keys, other_meanings in (
            ("gone", hunk.gone, new_keys, new_meanings),
            ("came", hunk.came, old_keys, old_meanings),
        ):
            content = [t for t in tokens if not t.function]
            f[f"{side}_function"] += len(tokens) - len(content)
            for token in content:
                rarity = stats.rarity(token)
                elsewhere = token.key in other_keys or (
                    token.kind == "word" and meaning(token.low) in other_meanings
                )
                f[f"{side}_content"] += 1.0
                f[f"{side}_rarity"] += rarity
                if not elsewhere:
                    f[f"{side}_fresh"] += 1.0
                    f[f"{side}_fresh_rarity"] += rarity
                    f["fresh_max"] = max(f["fresh_max"], rarity)
                if token.kind in VALUE_KINDS:
                    f["values"] += 1.0
                    if not elsewhere:
                        f[f"{side}_values"] += 1.0
                elif token.kind != "word":
                    f["ids"] += 1.0
                elif token.name:
                    f[f"{side}_names"] += 1.0
                    if not elsewhere:
                        f["names_fresh"] += 1.0
                elif token.key in _GENERIC:
                    f["generic"] += 1.0
                if token.key in _POINTERS:
                    f["pointers"] += 1.0
            for token in tokens:
                low = token.low
                if token.key == "not" or low in NEGATIONS:
                    f["negations"] += 1.0
                if low in CONDITIONS or low in {"before", "after", "without"}:
                    f["conditions"] += 1.0
                if low in HEDGES:
                    f["hedges"] += 1.0
                if low in _TIME_WORDS:
                    f["times"] += 1.0
                if low in MODALS:
                    f["modals"] += 1.0
                    f[f"{side}_{MODALS[low]}"] = 1.0
                if low in _PRONOUNS:
                    f[f"{side}_pronouns"] += 1.0
                if low in {"and", "or", "either", "both"}:
                    f["junctions"] += 1.0
                if low in {
                    "up",
                    "out",
                    "off",
                    "down",
                    "over",
                    "in",
                    "on",
                    "to",
                    "from",
                    "with",
                    "by",
                    "for",
                }:
                    f["prepositions"] += 1.0
        _shape(hunk, gone, came, old, new, f)
        _modality(hunk, f)
        future = any(t.low in _FUTURE for t in hunk.gone), any(t.low in _FUTURE for t in hunk.came)
        past = any(t.low in _PAST for t in hunk.gone), any(t.low in _PAST for t in hunk.came)
        if future[0] != future[1] or past[0] != past[1]:
            f["tense"] += 1.0
    for name in _MODAL_CLASSES:
        f["modal_swap"] += abs(f[f"gone_{name}"] - f[f"came_{name}"])
    f["nothing"] = 0.0 if changed else 1.0
    _facts(old.facts, new.facts, f)
    total = f["gone_content"] + f["came_content"]
    f["share"] = total / (old_words + new_words)
    f["both_sides"] = min(f["gone_content"], f["came_content"])
    f["fresh"] = f["gone_fresh"] + f["came_fresh"]
    f["fresh_rarity"] = f["gone_fresh_rarity"] + f["came_fresh_rarity"]
    f["fresh_share"] = f["fresh"] / total if total else 0.0
    f["redundant"] = total - f["fresh"]
    for name in _LOGGED:
        f[name] = math.log1p(f[name])
    return f


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


_AFTER_A_HOLE: Final = _VERBLIKE | {"if", "for", "of", "to", "in", "and", "available"}


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
            t.low in _VERBLIKE or t.low in _PRONOUNS for t in mine
        ):
            continue
        last = text.rstrip()[-1:]
        if last in ":)?" or last.isalnum():
            return not any(t.kind in VALUE_KINDS for t in mine)
    return False


def _shape(
    hunk: Hunk,
    gone: list[Token],
    came: list[Token],
    old: Reading,
    new: Reading,
    f: dict[str, float],
) -> None:
    """Add how the hunk stands in its sentence: a sentence of its own, an item of a list, a word."""
    if gone and came:
        f["swaps"] += 1.0
        if len(gone) == len(came) == 1:
            f["word_swaps"] += 1.0
            f["name_swap"] += 1.0 if gone[0].name and came[0].name else 0.0
        f["opposites"] += sum(
            opposite(a.low, b.low) for a in gone[:8] for b in came[:8] if a.kind == b.kind == "word"
        )
        if any(t.name or t.kind != "word" for t in gone) or any(
            t.name or t.kind != "word" for t in came
        ):
            f["name_swaps"] += 1.0
        f["swap_size"] = max(f["swap_size"], min(len(gone), len(came)))
        return
    if not gone and not came:
        return
    tokens, reading, span = (gone, old, hunk.old) if gone else (came, new, hunk.new)
    # A pronoun for a noun says the same.
    other = hunk.came if gone else hunk.gone
    if (
        other
        and all(t.low in _PRONOUNS or t.function for t in other)
        and any(t.low in _PRONOUNS for t in other)
    ):
        f["pronominal"] += 1.0
        if len(tokens) <= 3:
            f["pronominal_short"] += 1.0
        return
    side = "gone" if gone else "came"
    run = reading.tokens[span[0] : span[1]]
    if not run:
        return
    before = reading.text[: run[0].start].rstrip()
    after = reading.text[run[-1].end :].lstrip(" \"'*_`")
    inner = reading.text[run[0].start : run[-1].end + 2]
    starts = not before or before[-1] in ".!?:|\"'" or before.endswith("- ")
    ends = not after or after[0] in ".!?|" or bool(re.search(r"[.!?]\s?$", inner))
    verbs = any(t.low in _VERBLIKE or t.low in MODALS for t in run)
    if (starts and ends) or len(tokens) >= 8:
        f[f"{side}_sentence"] += 1.0
        f["sentence_words"] = max(f["sentence_words"], len(tokens))
        if any(t.key in _POINTERS for t in tokens) and not any(
            t.kind in VALUE_KINDS for t in tokens
        ):
            f["pointer_sentence"] += 1.0
    elif before[-1:] == "(" or after[:1] == ")":
        f["parenthesis"] += 1.0
    elif (
        before[-1:] == ","
        or after[:1] == ","
        or any(t.low in {"and", "or"} for t in (run[0], run[-1]))
    ):
        f["item"] += 1.0
    elif len(tokens) == 1:
        f["modifier"] += 1.0
        f["modifier_name"] += 1.0 if tokens[0].name else 0.0
        f["modifier_rarity"] = max(f["modifier_rarity"], 1.0)
    else:
        f["phrase"] += 1.0
    if verbs:
        f["clause"] += 1.0


def _modality(hunk: Hunk, f: dict[str, float]) -> None:
    """Add what the hunk does to how surely, how freely and when something holds."""
    gone = {MODALS[t.low] for t in hunk.gone if t.low in MODALS}
    came = {MODALS[t.low] for t in hunk.came if t.low in MODALS}
    if gone != came:
        f["modal_shift"] += 1.0 if (gone ^ came) - {"will"} else 0.0
        if not any(not t.function and t.low not in MODALS for t in (*hunk.gone, *hunk.came)):
            f["modal_alone"] += 1.0 if (gone ^ came) - {"will"} else 0.0
    for one, other in ((hunk.gone, hunk.came), (hunk.came, hunk.gone)):
        ahead = any(t.low in _FUTURE for t in one)
        if ahead and any(t.low in _PAST or t.low in {"now", "already"} for t in other):
            f["come_true"] += 1.0
    if gone and came and gone != came:
        f["modal_for_modal"] += 1.0
    # A name gives way to "our product", "it", "your account", or the other way round.
    for one, other in ((hunk.gone, hunk.came), (hunk.came, hunk.gone)):
        named = [t for t in one if not t.function]
        plain = [t for t in other if not t.function]
        if named and all(t.name for t in named) and other and all(t.key in _GENERIC for t in plain):
            f["name_for_generic"] += 1.0


def _facts(old: Sequence[Fact], new: Sequence[Fact], f: dict[str, float]) -> None:
    """Add which facts of each sort one text has and the other has not."""
    for kind in (
        "permission",
        "negation",
        "name",
        "label",
        "code",
        "email",
        "url",
        "phone",
        *_VALUES,
    ):
        before = Counter(
            fact.value.casefold() for fact in old if fact.kind == kind and not fact.vague
        )
        after = Counter(
            fact.value.casefold() for fact in new if fact.kind == kind and not fact.vague
        )
        lost, won = sum((before - after).values()), sum((after - before).values())
        group = "channel" if kind in {"email", "url", "phone"} else kind
        f[f"fact_{group}"] += float(lost + won)
        if kind in _VALUES:
            f["fact_value"] += float(lost + won)
            f["fact_value_swap"] += float(min(lost, won))
        if kind in {"name", "permission", "negation"}:
            f[f"fact_{kind}_swap"] += float(min(lost, won))


_LOGGED: Final = (
    "gone_content", "came_content", "gone_rarity", "came_rarity", "gone_fresh", "came_fresh",
    "gone_fresh_rarity", "came_fresh_rarity", "fresh", "fresh_rarity", "redundant", "gone_function",
    "came_function", "swap_size", "sentence_words", "both_sides", "fact_name", "fact_code",
    "gone_names", "came_names", "names_fresh", "generic", "ids", "prepositions", "note_moved",
)  # fmt: skip
FEATURE_NAMES: Final = _list(
    "words grew hunks inflected idle_hunks nothing share both_sides fresh fresh_rarity fresh_share fresh_max "
    "redundant heading hole note_order note_form note_spelling note_join note_moved note_double "
    "gone_function came_function gone_content came_content gone_rarity came_rarity gone_fresh came_fresh "
    "gone_fresh_rarity came_fresh_rarity values gone_values came_values ids gone_names came_names names_fresh "
    "generic pointers negations conditions hedges times modals gone_can gone_must gone_should gone_will "
    "gone_optional came_can came_must came_should came_will came_optional modal_swap gone_pronouns came_pronouns "
    "junctions prepositions tense swaps word_swaps name_swap name_swaps opposites swap_size pronominal "
    "pronominal_short gone_sentence came_sentence sentence_words pointer_sentence parenthesis item modifier "
    "modifier_name modifier_rarity phrase clause fact_permission fact_negation fact_name fact_label fact_code "
    "fact_channel fact_duration fact_amount fact_percentage fact_date fact_time fact_number fact_value "
    "fact_value_swap modal_shift modal_alone come_true modal_for_modal name_for_generic fact_name_swap fact_permission_swap fact_negation_swap"
)
