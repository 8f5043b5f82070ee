"""Where sentences begin and end in help-center prose, replies and list items."""

from __future__ import annotations

import re
from itertools import pairwise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Abbreviations that are followed by more of their sentence, whatever the next letter looks like.
_NEVER_LAST = _words(
    "e.g i.e eg ie cf vs viz mr mrs ms mx dr prof st no nos nr art sec fig figs ch pp vol ed eds "
    "approx ca dept est gen gov hon rev sen rep sr jr messrs attn tel ext par para ver op al"
)
# Abbreviations that may end a sentence: a capital after them decides.
_MAYBE_LAST = _words(
    "etc inc ltd co corp llc bros u.s u.k e.u u.n u.s.a d.c a.m p.m am pm jan feb mar apr jun jul "
    "aug sep sept oct nov dec mon tue tues wed thu thur fri sat sun min max hr hrs sq ft ave blvd rd "
    "ste bldg ph.d"
)
_STARTERS = _words(
    "the a an this that these those if when while once after before you your we our i it its they "
    "there here please to for in on at by as all any each every no not but and or so however also "
    "most some what how why where who with from until unless only do does is are can may must"
)
_TERMINAL = re.compile(r"[.!?…。！？]+[\"'’”»)\]}*_`]*")
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_LIST_MARKER = re.compile(r"\s*(?:[-*+•‣·–]\s+|\d{1,3}[.)]\s+|\(?[a-zA-Z][.)]\s+|#{1,6}\s+|\||>\s)")
_MARKER_ONLY = re.compile(r"(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,4})[.)]\Z")
_WORD_BEFORE = re.compile(r"[\w.&’'-]+\Z")
_OPENERS = "\"'“‘«([{*_`#>~"


def _line_boundaries(text: str) -> list[int]:
    found = [match.end() for match in _BLANK_LINE.finditer(text)]
    start = 0
    for line in text.split("\n"):
        if start and _LIST_MARKER.match(line):
            found.append(start)
        end = start + len(line) + 1
        if line.lstrip().startswith(("#", "|")) and end < len(text):
            found.append(end)
        start = end
    return found


def _ends_sentence(text: str, match: re.Match[str], sentence_start: int) -> bool:
    rest = text[match.end() : match.end() + 80]
    if rest and not rest[0].isspace():
        # CJK stops need no space after them; "3.5", "a.b.c" and "what?!)" go on.
        return match.group()[0] in "。！？"
    following = rest.lstrip()
    if not following:
        return True
    bare = following.lstrip(_OPENERS)
    first = bare[:1]
    mark = match.group()[0]
    if mark in "!?":
        return not first.islower()
    if mark == "…" or match.group().startswith(".."):
        return first.isupper()
    before = text[max(sentence_start, match.start() - 40) : match.start()]
    word_match = _WORD_BEFORE.search(before)
    word = word_match.group().strip("-'’") if word_match else ""
    lowered = word.lower().rstrip(".")
    head = text[sentence_start : match.start() + 1].strip(" \t\n*_>-")
    if _MARKER_ONLY.match(head):
        return False
    if lowered in _NEVER_LAST:
        # "No." ends a sentence unless a number follows it.
        if lowered in {"no", "nos"}:
            return not first.isdigit()
        return False
    if first.islower():
        return False
    if first.isdigit() and lowered in _MAYBE_LAST:
        return False
    next_word = re.match(r"[^\W\d_]+", bare)
    starts_like_one = bool(next_word and next_word.group().lower() in _STARTERS)
    if lowered in _MAYBE_LAST or re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", word):
        return starts_like_one
    if len(word) == 1 and word.isupper() and word != "I":
        return starts_like_one
    return True


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the spans of the sentences of ``text``, in order, without surrounding white space.

    List items, headings and table rows on lines of their own are sentences of their own; a wrapped
    line is not. Abbreviations, decimals, versions, URLs and list numbers do not end a sentence.

    Args:
        text: Plain text or Markdown.
    """
    boundaries = _line_boundaries(text)
    cuts = sorted({0, *boundaries, len(text)})
    spans: list[tuple[int, int]] = []
    for block_start, block_end in pairwise(cuts):
        start = block_start
        for match in _TERMINAL.finditer(text, block_start, block_end):
            if match.end() < block_end and not _ends_sentence(text, match, start):
                continue
            _append(spans, text, start, match.end())
            start = match.end()
        _append(spans, text, start, block_end)
    return spans


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if not any(character.isalnum() for character in stripped):
        if spans and stripped and not text[spans[-1][1] : start].strip("\n"):
            spans[-1] = (spans[-1][0], start + len(piece.rstrip()))
        return
    lead = len(piece) - len(piece.lstrip())
    spans.append((start + lead, start + lead + len(stripped)))
