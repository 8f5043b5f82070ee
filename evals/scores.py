"""What a suite measured: figures with intervals, curves, calibration, tables, misses. Pure values.

Every suite names its figures ``probe.measure`` or ``probe.measure.kind``; gates go by these names.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

_Z: Final = 1.959964  # 95 %
_BINS: Final = 15


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a report.

    Attributes:
        value: Between 0 and 1, or seconds; None when there was nothing to measure.
        hits: How many of ``n`` count; None where the figure is no share.
        n: How many cases it rests on.
        low: Lower end of the 95 % Wilson interval; None where the figure is no share.
        high: Upper end.
    """

    value: float | None
    n: int
    hits: int | None = None
    low: float | None = None
    high: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the figure as plain JSON."""
        return {
            "value": _rounded(self.value),
            "hits": self.hits,
            "n": self.n,
            "low": _rounded(self.low),
            "high": _rounded(self.high),
        }


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """What passes without a look at one threshold of the score.

    Attributes:
        threshold: Everything that scores at most this passes.
        coverage: Share of all cases that pass, 0..1.
        risk: Share of those that should not have passed, 0..1.
    """

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class Bin:
    """The cases whose confidence lies in one stretch; a row of a reliability table.

    Attributes:
        low: Where the stretch begins, 0..1.
        high: Where it ends.
        confidence: Mean confidence of its cases.
        right: How many of them are as they were said to be.
        n: How many cases.
    """

    low: float
    high: float
    confidence: float
    right: int
    n: int


@dataclass(frozen=True, slots=True)
class Outside:
    """Text that comes from data: a report shows it as text, whatever it holds."""

    text: str


Cell = str | Outside


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a report. ``lead`` is the sentence above it."""

    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Miss:
    """A verdict that the labels contradict, with what a reader needs to judge it.

    Attributes:
        id: Id of the case.
        probe: What was asked of it.
        kind: The kind of case, as the labels say.
        what: What went wrong, in a few words.
        rows: Label and words of what stands below; the words come from outside.
        beside: Two texts to compare, each with its label.
    """

    id: str
    probe: str
    kind: str
    what: str
    rows: Sequence[tuple[str, str]]
    beside: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True)
class Scores:
    """Everything a report says in figures.

    Attributes:
        figures: By dotted name, such as ``diff.recall.duration``; the names that gates use.
        curves: Risk and coverage, by probe.
        misses: What went wrong.
        reliability: What confidences came to, by probe.
        tables: What no single figure says, by probe.
    """

    figures: dict[str, Figure]
    curves: dict[str, list[CurvePoint]]
    misses: list[Miss]
    reliability: Mapping[str, Sequence[Bin]] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Table]] = field(default_factory=dict)


def wilson(hits: int, n: int, z: float = _Z) -> tuple[float, float]:
    """Return the Wilson score interval of ``hits`` in ``n``; (0, 1) when nothing was counted."""
    if n == 0:
        return 0.0, 1.0
    share, square = hits / n, z * z
    middle = (share + square / (2 * n)) / (1 + square / n)
    reach = z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def share(hits: int, n: int) -> Figure:
    """Return ``hits`` in ``n`` as a figure with its interval."""
    if n == 0:
        return Figure(None, 0, 0)
    low, high = wilson(hits, n)
    return Figure(hits / n, n, hits, low, high)


def auroc(scored: Sequence[tuple[float, bool]]) -> float | None:
    """Return how often a case to be found scores above another one, ties counting half.

    None when one of the two kinds is absent.
    """
    positive = [score for score, wanted in scored if wanted]
    negative = [score for score, wanted in scored if not wanted]
    if not positive or not negative:
        return None
    above = sum((p > q) + 0.5 * (p == q) for p in positive for q in negative)
    return above / (len(positive) * len(negative))


def risk_coverage(scored: Sequence[tuple[float, bool]]) -> list[CurvePoint]:
    """Return a point for every distinct score, the lowest first.

    Args:
        scored: Score of each case, and whether it is a pity when it passes.
    """
    points: list[CurvePoint] = []
    ordered = sorted(scored)
    missed = 0
    for place, (score, wanted) in enumerate(ordered, start=1):
        missed += wanted
        if place == len(ordered) or ordered[place][0] > score:
            points.append(CurvePoint(score, place / len(ordered), missed / place))
    return points


def reliability(judged: Sequence[tuple[float, bool]], bins: int = _BINS) -> list[Bin]:
    """Return what confidences came to, in stretches of equal width; empty ones are left out.

    Args:
        judged: Confidence of each case, 0..1, and whether it was as said.
        bins: How many stretches.
    """
    groups: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in judged:
        groups.setdefault(min(int(confidence * bins), bins - 1), []).append((confidence, right))
    return [
        Bin(
            low=at / bins,
            high=(at + 1) / bins,
            confidence=math.fsum(confidence for confidence, _ in group) / len(group),
            right=sum(right for _, right in group),
            n=len(group),
        )
        for at, group in sorted(groups.items())
    ]


def calibration_error(bins: Sequence[Bin]) -> Figure:
    """Return the expected calibration error: how far confidence and truth lie apart, 0..1."""
    n = sum(one.n for one in bins)
    if not n:
        return Figure(None, 0)
    return Figure(math.fsum(abs(one.confidence * one.n - one.right) for one in bins) / n, n)


def f1(hits: int, expected: int, given: int) -> float | None:
    """Return the harmonic mean of precision and recall; None when nothing was to be found."""
    return 2 * hits / (expected + given) if expected else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
