"""Lengths of time, counted so that medians of any stretch of days are exact and cheap.

A length under ten minutes is counted in whole seconds, a longer one in whole minutes; what is left
over is cut off. A histogram of these holds a few hundred numbers a day however many contacts come,
can be added to another, and its quantiles are those of the lengths themselves, cut off the same
way, because cutting keeps their order. A sketch (DDSketch, t-digest) would be smaller and off by a
percent; what a supervisor recounts from the audit trail would then differ from the page.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FINE_SECONDS: Final = 600
"""Lengths under this are counted in seconds, others in minutes."""
_MINUTE: Final = 60
_FIRST: Final = FINE_SECONDS // _MINUTE
"""The first minute that is counted as such."""
_SIZES: Final = (np.dtype("<u1"), np.dtype("<u2"), np.dtype("<u4"), np.dtype("<u8"))

Lengths = npt.NDArray[np.int64]
"""Shape (n, 2): place, how often; in the order of places. The first 600 places are seconds, each
further one is a minute: place 610 stands for twenty minutes."""


def counted(seconds: float) -> int:
    """Return the seconds under which a length is counted; below zero counts as zero. Pure."""
    whole = max(0, math.floor(seconds))
    return whole if whole < FINE_SECONDS else whole - whole % _MINUTE


def of_counts(counts: Mapping[int, int]) -> Lengths:
    """Return a histogram of counted seconds → how often. Pure."""
    places = sorted((_place(seconds), count) for seconds, count in counts.items())
    return np.array(places, dtype=np.int64).reshape(-1, 2)


def together(some: Iterable[Lengths]) -> Lengths:
    """Return the histogram of several ones. Pure."""
    parts = [one for one in some if len(one)]
    if len(parts) < 2:
        return parts[0] if parts else np.empty((0, 2), dtype=np.int64)
    joined = np.concatenate(parts)
    sums = np.bincount(joined[:, 0], weights=joined[:, 1])
    found = np.flatnonzero(sums)
    return np.stack([found, sums[found].astype(np.int64)], axis=1)


def quantile(lengths: Lengths, share: float) -> int | None:
    """Return the length, in seconds, that ``share`` of them do not exceed; None when there is none.

    The nearest rank: always a length that occurred. Of four, the median is the second.
    """
    total = int(lengths[:, 1].sum())
    if not total:
        return None
    rank = max(1, math.ceil(share * total))
    return _seconds(int(lengths[np.searchsorted(np.cumsum(lengths[:, 1]), rank), 0]))


def pack(lengths: Lengths) -> bytes:
    """Return a histogram as it is stored: sizes of the numbers, the places, the counts."""
    columns = [lengths[:, 0], lengths[:, 1]]
    sizes = [_size_for(int(one.max(initial=0))) for one in columns]
    parts = [one.astype(size).tobytes() for one, size in zip(columns, sizes, strict=True)]
    return bytes(size.itemsize for size in sizes) + b"".join(parts)


def unpack(stored: bytes) -> Lengths:
    """Return what :func:`pack` packed."""
    places, counts = (np.dtype(f"<u{size}") for size in stored[:2])
    length = (len(stored) - 2) // (places.itemsize + counts.itemsize)
    found = np.empty((length, 2), dtype=np.int64)
    found[:, 0] = np.frombuffer(stored, places, length, 2)
    found[:, 1] = np.frombuffer(stored, counts, length, 2 + length * places.itemsize)
    return found


def _place(seconds: int) -> int:
    return seconds if seconds < FINE_SECONDS else FINE_SECONDS + seconds // _MINUTE - _FIRST


def _seconds(place: int) -> int:
    return place if place < FINE_SECONDS else (place - FINE_SECONDS + _FIRST) * _MINUTE


def _size_for(number: int) -> np.dtype[Any]:
    return next(size for size in _SIZES if number <= np.iinfo(size).max)
