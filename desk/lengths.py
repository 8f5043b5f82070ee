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
from typing import Final

import numpy as np
import numpy.typing as npt

FINE_SECONDS: Final = 600
"""Lengths under this are counted in seconds, others in minutes."""
_MINUTE: Final = 60
_STORED: Final = "<u4"

Lengths = npt.NDArray[np.int64]
"""Shape (n, 2): seconds, how often; in the order of seconds."""


def counted(seconds: float) -> int:
    """Return the seconds under which a length is counted; below zero counts as zero. Pure."""
    whole = max(0, math.floor(seconds))
    return whole if whole < FINE_SECONDS else whole - whole % _MINUTE


def of_counts(counts: Mapping[int, int]) -> Lengths:
    """Return a histogram of seconds → how often. Pure."""
    return np.array(sorted(counts.items()), dtype=np.int64).reshape(-1, 2)


def together(some: Iterable[Lengths]) -> Lengths:
    """Return the histogram of several ones. Pure."""
    parts = [one for one in some if len(one)]
    if len(parts) < 2:
        return parts[0] if parts else np.empty((0, 2), dtype=np.int64)
    joined = np.concatenate(parts)
    values, counts = joined[:, 0], joined[:, 1]
    # What is counted in seconds, then what is in minutes, as places in one row: no sorting.
    places = np.where(values < FINE_SECONDS, values, FINE_SECONDS + values // _MINUTE)
    sums = np.bincount(places, weights=counts)
    found = np.flatnonzero(sums)
    back = np.where(found < FINE_SECONDS, found, (found - FINE_SECONDS) * _MINUTE)
    return np.stack([back, sums[found].astype(np.int64)], axis=1)


def quantile(lengths: Lengths, share: float) -> int | None:
    """Return the length, in seconds, that ``share`` of them do not exceed; None when there is none.

    The nearest rank: always a length that occurred. Of four, the median is the second.
    """
    total = int(lengths[:, 1].sum())
    if not total:
        return None
    rank = max(1, math.ceil(share * total))
    place = int(np.searchsorted(np.cumsum(lengths[:, 1]), rank))
    return int(lengths[place, 0])


def pack(lengths: Lengths) -> bytes:
    """Return a histogram as it is stored: pairs of 32-bit numbers."""
    return lengths.astype(_STORED).tobytes()


def unpack(stored: bytes) -> Lengths:
    """Return what :func:`pack` packed."""
    return np.frombuffer(stored, dtype=_STORED).reshape(-1, 2).astype(np.int64)
