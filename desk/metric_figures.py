"""Values of metrics from sums. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from desk.lengths import Lengths, quantile, together, unpack
from desk.metric_definitions import Backlog, Count, Mean, Metric, Quantile
from desk.metric_facts import Part


@dataclass(frozen=True, slots=True)
class Figure:
    """The value of a metric.

    Attributes:
        value: In its unit; None where there is nothing to tell.
        hits: Its numerator.
        count: Its denominator; for what is no share, how many things it is told of.
    """

    value: float | None
    hits: float
    count: int


@dataclass(slots=True)
class Sums:
    """What is known of each part in some days.

    Attributes:
        counts: Part → how often it occurred.
        totals: Part → what its values add up to.
        lengths: Part → histograms of its lengths.
    """

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    totals: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    lengths: dict[str, list[Lengths]] = field(default_factory=lambda: defaultdict(list))

    def add(self, part: str, count: int, total: float) -> None:
        """Add the sum of a part that is stored for some days."""
        self.counts[part] += count
        self.totals[part] += total

    def add_lengths(self, part: str, stored: bytes) -> None:
        """Add the lengths of a part that are stored for some days."""
        self.lengths[part].append(unpack(stored))

    def lengths_of(self, part: Part) -> Lengths:
        """Return the lengths of a part in one histogram."""
        merged = together(self.lengths.get(part, ()))
        if len(self.lengths.get(part, ())) > 1:
            self.lengths[part] = [merged]
        return merged

    def of(self, parts: Iterable[Part]) -> int:
        """Return how often one of ``parts`` occurred."""
        return sum(self.counts.get(part, 0) for part in parts)


@dataclass(frozen=True, slots=True)
class Ages:
    """How many contacts are open, and for how long: share → seconds that it does not exceed."""

    count: int = 0
    at: Mapping[float, int] = field(default_factory=dict)


def figure(metric: Metric, sums: Sums, ages: Ages) -> Figure:
    """Return the value of a metric.

    Args:
        metric: The metric.
        sums: What is known of the days it is asked for.
        ages: Of the contacts that are open now.
    """
    how = metric.measure
    if isinstance(how, Backlog):
        value = ages.count if how.share is None else ages.at.get(how.share)
        return Figure(value, ages.count, ages.count)
    if isinstance(how, Quantile):
        lengths = sums.lengths_of(how.part)
        count = int(lengths[:, 1].sum())
        return Figure(quantile(lengths, how.share), count, count)
    if isinstance(how, Mean):
        count, total = sums.counts.get(how.part, 0), sums.totals.get(how.part, 0.0)
        return Figure(total / count if count else None, total, count)
    hits = sums.of(how.parts)
    if isinstance(how, Count):
        return Figure(hits, hits, hits)
    of = sums.of(how.of)
    return Figure(hits / of if of else None, hits, of)
