"""What settles that an edit changed something, whatever else it looks like. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from kb.edits import Edit, Hunk, Reading, Token, fills_hole, is_heading
from kb.facts import VALUE_KINDS, Fact, belongs_to_rival, compare
from kb.words import LIMITERS, MODALS, opposite, stem

_SMALL: Final = 3
"""Words that name something, up to which a hunk is about the small words in it."""
_NEAR: Final = 3
_PLAINLY: Final = frozenset({"do", "does", "is", "are"})
_AHEAD: Final = frozenset({"will", "shall", "'ll"})
_PAST: Final = frozenset({"was", "were", "had"})
_STRICT: Final = frozenset({"only", "unless", "except"})
_SHARES: Final = {
    word: share
    for share, words in (
        ("all", "all every each always"),
        ("some", "some most many several few certain usually often sometimes rarely"),
    )
    for word in words.split()
}
_UNITS: Final = frozenset(
    stem(word) for word in ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
)
_SMALL_OPPOSITES: Final = ({"on", "off"}, {"up", "down"}, {"in", "out"})


def settles(hunk: Hunk, edit: Edit) -> bool:
    """Say whether what is left over in a hunk is a change whatever else it looks like."""
    tokens = (*hunk.gone, *hunk.came)
    if any(token.kind in VALUE_KINDS for token in tokens):
        return True
    if is_heading(hunk, edit) or fills_hole(hunk, edit):
        return False
    if max(_names_things(hunk.gone), _names_things(hunk.came)) > _SMALL:
        return False
    return (
        _denies_otherwise(hunk, edit)
        or _permits_otherwise(hunk)
        or _came_true(hunk)
        or _limits_otherwise(hunk)
        or _is_opposite(hunk)
    )


def _names_things(tokens: Sequence[Token]) -> int:
    return sum(token.names_something for token in tokens)


def _denies_otherwise(hunk: Hunk, edit: Edit) -> bool:
    """Say whether one side denies what the other states; "do and will not" denies both."""
    if sum(token.denies for token in hunk.gone) % 2 == sum(token.denies for token in hunk.came) % 2:
        return False
    for reading, tokens, span in (
        (edit.old, hunk.gone, hunk.old),
        (edit.new, hunk.came, hunk.new),
    ):
        if any(token.denies for token in tokens):
            beside = reading.tokens[max(0, span[0] - _NEAR) : span[0]]
            beside += reading.tokens[span[1] : span[1] + _NEAR]
            if any(token.denies for token in beside):
                return False
    return True


def _permits_otherwise(hunk: Hunk) -> bool:
    """Say whether "may" stands where "must" stood, or "might" where "do" stood."""
    gone, came = (
        {MODALS[token.low] for token in tokens if token.low in MODALS and token.low != "would"}
        for tokens in (hunk.gone, hunk.came)
    )
    if gone and came:
        few = max(_names_things(hunk.gone), _names_things(hunk.came)) <= 1
        return few and gone != came
    plain = hunk.came if gone else hunk.gone
    alone = not any(token.names_something for token in (*hunk.gone, *hunk.came))
    return alone and (gone | came) == {"can"} and any(token.low in _PLAINLY for token in plain)


def _came_true(hunk: Hunk) -> bool:
    """Say whether what will be was, or the other way round."""
    gone, came = ({token.low for token in tokens} for tokens in (hunk.gone, hunk.came))
    return bool(gone & _AHEAD and came & _PAST) or bool(came & _AHEAD and gone & _PAST)


def _limits_otherwise(hunk: Hunk) -> bool:
    """Say whether "only", "unless" or "except" came or went, "all" became "some", "days" "hours"."""
    gone, came = ({token.low for token in tokens} for tokens in (hunk.gone, hunk.came))
    limits = [
        {LIMITERS[word] for word in words if LIMITERS.get(word) in _STRICT}
        for words in (gone, came)
    ]
    shares = [{_SHARES[word] for word in words if word in _SHARES} for words in (gone, came)]
    units = [{stem(word) for word in words} & _UNITS for words in (gone, came)]
    return limits[0] != limits[1] or any(
        one and other and one != other for one, other in (shares, units)
    )


def _is_opposite(hunk: Hunk) -> bool:
    return any(
        opposite(left.low, right.low) or {left.low, right.low} in _SMALL_OPPOSITES
        for left in hunk.gone
        for right in hunk.came
    )


Span = tuple[int, int]
"""Offsets of the first character and after the last one."""


def moved_denials(edit: Edit) -> Iterator[tuple[Span, Span]]:
    """Yield where a "not" left one word for another that both texts hold."""
    old, new = _denied(edit.old), _denied(edit.new)
    held = [{token.key for token in reading.tokens} for reading in (edit.old, edit.new)]
    left = [span for key, span in old.items() if key not in new and key in held[1]]
    joined = [span for key, span in new.items() if key not in old and key in held[0]]
    yield from zip(left, joined, strict=False)


def _denied(reading: Reading) -> dict[str, Span]:
    """Return the words that a "not" stands before, each with the span from beside the "not"."""
    found: dict[str, Span] = {}
    for place, token in enumerate(reading.tokens):
        if not token.denies:
            continue
        beside = reading.tokens[max(0, place - 1)]
        word = next((t for t in reading.tokens[place + 1 :] if t.names_something), None)
        if word is not None:
            found.setdefault(word.key, (beside.start, word.end))
    return found


def turned_bounds(edit: Edit) -> Iterator[tuple[Fact, Fact]]:
    """Yield values that are bounded on the other side now: "up to 30" → "at least 30"."""
    for found in compare(edit.new.facts, edit.old.facts):
        if found.how == "bound" and found.source is not None:
            yield found.source, found.fact


def swapped_values(edit: Edit) -> Iterator[tuple[Fact, Fact]]:
    """Yield a value and what is said in its place, where two values changed their subjects."""
    old, new = (
        [fact for fact in reading.facts if fact.kind in VALUE_KINDS and not fact.vague]
        for reading in (edit.old, edit.new)
    )
    for before in old:
        after = _only(before, new)
        if after is None or _only(before, old) is None:
            continue
        for rival in old:
            if rival.kind != before.kind or _only(rival, old) is None:
                continue
            instead = _only(rival, new)
            if instead is None or instead is after:
                continue
            lost = belongs_to_rival(after, before, rival)
            won = belongs_to_rival(instead, rival, before)
            if min(lost, won) >= 0 and lost + won > 0:
                yield before, instead
                break


def _only(fact: Fact, facts: Sequence[Fact]) -> Fact | None:
    """Return the one fact of the same kind and value; None when there are several, or none."""
    equal = [other for other in facts if (other.kind, other.value) == (fact.kind, fact.value)]
    return equal[0] if len(equal) == 1 else None
