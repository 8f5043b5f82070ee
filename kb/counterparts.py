"""Finds the passages of two versions that took each other's place. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz, process

from kb.content import Passage

_WORD: Final = re.compile(r"\w+")
_SAME_HEADING: Final = 10
"""Percent that standing under the same heading is worth beside the share of common words."""
_NEAR: Final = 45

Pair = tuple[Passage | None, Passage | None]
"""The older passage and the newer one; None where there is none."""


def counterpart(passage: Passage, candidates: Sequence[Passage]) -> Passage | None:
    """Return the passage of a newer version that took the place of ``passage``, if one did.

    The nearest wording wins; the same heading breaks ties. None when nothing is near.
    """
    best: tuple[float, Passage] | None = None
    words = map(_words, candidates)
    enough = _NEAR - _SAME_HEADING
    near = process.extract_iter(_words(passage), words, scorer=fuzz.ratio, score_cutoff=enough)
    for _, score, place in near:
        candidate = candidates[place]
        score += _SAME_HEADING if candidate.anchor == passage.anchor else 0
        if best is None or score > best[0]:
            best = (score, candidate)
    return best[1] if best and best[0] >= _NEAR else None


def align(older: Sequence[Passage], newer: Sequence[Passage]) -> list[Pair]:
    """Return which passages took each other's place, each passage once.

    Equal words under the same heading go together first, then equal words, then the nearest
    wording as :func:`counterpart` measures it.

    Args:
        older: Passages of one version, in reading order.
        newer: Passages of a later version, in reading order.

    Returns:
        Pairs in the reading order of the newer version; what left it comes last.
    """
    partner: dict[str, Passage] = {}
    rest_old, rest_new = list(older), list(newer)
    for key in (_place_and_words, _same_words):
        rest_old, rest_new = _pair_equal(rest_old, rest_new, key, partner)
    _pair_near(rest_old, rest_new, partner)
    taken = {old.id for old in partner.values()}
    pairs: list[Pair] = [(partner.get(new.id), new) for new in newer]
    return pairs + [(old, None) for old in older if old.id not in taken]


def _place_and_words(passage: Passage) -> Hashable:
    return passage.anchor, passage.content_hash


def _same_words(passage: Passage) -> Hashable:
    return passage.content_hash


def _pair_equal(
    older: Sequence[Passage],
    newer: Sequence[Passage],
    key: Callable[[Passage], Hashable],
    partner: dict[str, Passage],
) -> tuple[list[Passage], list[Passage]]:
    """Pair what has the same key, in order; return what is left of both sides."""
    waiting: dict[Hashable, list[Passage]] = defaultdict(list)
    for new in newer:
        waiting[key(new)].append(new)
    left = []
    for old in older:
        if matches := waiting[key(old)]:
            partner[matches.pop(0).id] = old
        else:
            left.append(old)
    return left, [new for new in newer if new.id not in partner]


def _pair_near(
    older: Sequence[Passage], newer: Sequence[Passage], partner: dict[str, Passage]
) -> None:
    if not older or not newer:
        return
    alike = process.cdist(list(map(_words, older)), list(map(_words, newer)), scorer=fuzz.ratio)
    for i, old in enumerate(older):
        for j, new in enumerate(newer):
            if old.anchor == new.anchor:
                alike[i, j] += _SAME_HEADING
    near = [(-alike[i, j], i, j) for i, j in zip(*(alike >= _NEAR).nonzero(), strict=True)]
    paired: set[int] = set()
    for _, i, j in sorted(near):
        if i not in paired and newer[j].id not in partner:
            paired.add(i)
            partner[newer[j].id] = older[i]


def _words(passage: Passage) -> tuple[str, ...]:
    return _words_of(passage.plain)


@lru_cache(maxsize=20_000)
def _words_of(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.casefold()))
