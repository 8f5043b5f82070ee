"""The metrics for spreadsheets and for Prometheus.

Prometheus gets counts since the beginning and the open contacts as they are, by contact reason, tier
and channel; rates, sums over these and windows are its own matter. Nothing names a customer or a person.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from desk.metric_comparison import within
from desk.metric_definitions import METRICS, OF_ID
from desk.metric_facts import Part
from desk.metrics import DIMENSIONS, Group, MetricFilter, Totals

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

COLUMNS: Final = (
    "metric", "title", "unit", "by", "name", "value", "numerator", "denominator", "least", "most",
    "since", "until", "definition",
)  # fmt: skip
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class _Counter:
    """Parts that Prometheus gets as one counter; ``kinds`` tells them apart by a label."""

    name: str
    says: str
    kinds: Mapping[str, Part]
    label: str = ""


_COUNTERS: Final = (
    _Counter("contacts_taken_up", OF_ID["taken_up"].sentence, {"": "taken_up"}),
    _Counter(
        "decisions",
        OF_ID["decisions"].sentence,
        {
            "approve": "approve",
            "edit": "edit",
            "reject": "reject",
            "escalate": "escalate",
            "answer": "answer",
        },
        "decision",
    ),
    _Counter(
        "drafts",
        "Drafts put before reviewers.",
        {"answer": "draft_answer", "clarify": "draft_clarify", "abstain": "draft_abstain"},
        "kind",
    ),
    _Counter("answers_sent", "Answers that left.", {"": "sent"}),
    _Counter("reopened", "Contacts whose customer wrote again after the end.", {"": "reopened"}),
    _Counter("escalations", OF_ID["escalations"].sentence, {"": "escalated"}),
    _Counter(
        "escalation_verdicts",
        "Escalations that reviewers judged.",
        {"confirmed": "escalation_confirmed", "unneeded": "escalation_unneeded"},
        "verdict",
    ),
    _Counter(
        "stale_stopped",
        OF_ID["stale_stopped"].sentence,
        {"recheck": "stale_recheck", "sweep": "stale_sweep", "delivery": "stale_delivery"},
        "at",
    ),
    _Counter("complaints", "Contacts that complain.", {"": "complaint"}),
    _Counter(
        "seeded_checks",
        "Faulty drafts that were slipped in on purpose and decided.",
        {"caught": "seeded_caught", "missed": "seeded_missed"},
        "outcome",
    ),
)
_SUMMARIES: Final[tuple[tuple[str, str, Part], ...]] = (
    ("first_owner_seconds", "From a contact's arrival to its first owner.", "first_owner"),
    ("review_wait_seconds", "From a draft put up to its decision.", "review_wait"),
    ("review_hold_seconds", "From a review opened by its decider to the decision.", "review_hold"),
    ("rewritten_ratio", "Share of words that an edit made others.", "rewritten"),
)


def as_csv(groups: Iterable[Group], chosen: MetricFilter) -> str:
    """Return figures as CSV, a line each, with a heading; shares with their 95 % interval.

    A text that a spreadsheet would take for a formula stands behind an apostrophe.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for by, name, figures in groups:
        for metric in METRICS:
            if metric.id not in figures:
                continue
            figure = figures[metric.id]
            value = "" if figure.value is None else figure.value
            told = (metric.id, metric.title, metric.unit, by, _cell(name), value)
            least, most = within(metric, figure) or ("", "")
            of = (figure.hits, figure.count, least, most)
            writer.writerow((*told, *of, chosen.since, chosen.until, metric.sentence))
    return out.getvalue()


def as_prometheus(totals: Totals) -> bytes:
    """Return counts since the beginning in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(totals))
    return generate_latest(registry)


class _Collector:
    """Implements ``prometheus_client.registry.Collector`` on figures that were read before."""

    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def collect(self) -> Iterator[Family]:
        """Yield every family."""
        from prometheus_client.core import (
            CounterMetricFamily,
            GaugeMetricFamily,
            SummaryMetricFamily,
        )

        slices = self._totals.by_slice
        for one in _COUNTERS:
            labels = [*DIMENSIONS, one.label] if one.label else DIMENSIONS
            counter = CounterMetricFamily(f"proofdesk_{one.name}", one.says, labels=labels)
            for its, parts in slices.items():
                for kind, part in one.kinds.items():
                    if part in parts:
                        counter.add_metric([*its, kind][: len(labels)], parts[part][0])
            yield counter
        for name, says, part in _SUMMARIES:
            summary = SummaryMetricFamily(f"proofdesk_{name}", says, labels=DIMENSIONS)
            for its, parts in slices.items():
                if part in parts:
                    summary.add_metric(its, *parts[part])
            yield summary
        backlog = self._totals.backlog
        yield GaugeMetricFamily("proofdesk_backlog", OF_ID["backlog"].sentence, backlog.count)
        standing = GaugeMetricFamily(
            "proofdesk_open_contacts", "The backlog, told apart.", labels=DIMENSIONS
        )
        for its, number in self._totals.open.items():
            standing.add_metric(its, number)
        yield standing
        ages = GaugeMetricFamily(
            "proofdesk_backlog_age_seconds", "Age of the open contacts.", labels=["quantile"]
        )
        for share, age in backlog.at.items():
            ages.add_metric([f"{share:g}"], age)
        yield ages
        yield GaugeMetricFamily(
            "proofdesk_trail_events_waiting",
            "Events of the audit trail that are not counted yet.",
            self._totals.waiting,
        )


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULAS) else text
