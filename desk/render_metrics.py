"""Metrics for a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from desk.metric_comparison import figure_text, within
from desk.metric_definitions import METRICS, OF_ID, OF_PEOPLE
from desk.metric_words import value_text
from desk.terminal import terminal

if TYPE_CHECKING:
    from desk.metrics import Group, MetricFilter, Theme

_OF_REASONS: Final = tuple(
    OF_ID[one]
    for one in (
        "taken_up",
        "backlog",
        "first_owner_median",
        "decisions",
        "correction_rate",
        "reopened_rate",
        "abstention_rate",
    )
)


def metrics_as_json(
    groups: Iterable[Group], themes: Iterable[Theme], chosen: MetricFilter
) -> dict[str, Any]:
    """Return figures as plain JSON values, with their definitions."""
    return {
        "chosen": {name: value for name, value in asdict(chosen).items() if value is not None},
        "definitions": {
            one.id: {
                "title": one.title,
                "unit": one.unit,
                "better": one.better,
                "definition": one.sentence,
                "numerator": one.numerator,
                "denominator": one.denominator,
                "events": list(one.events),
            }
            for one in METRICS
        },
        "figures": [
            {
                "by": by,
                "name": name,
                "metrics": {
                    id: {
                        "value": one.value,
                        "numerator": one.hits,
                        "denominator": one.count,
                        "within": within(OF_ID[id], one),
                    }
                    for id, one in figures.items()
                },
            }
            for by, name, figures in groups
        ],
        "complaint_themes": [{"words": one.words, "count": one.count} for one in themes],
    }


def metrics_table(groups: Sequence[Group], themes: Sequence[Theme], chosen: MetricFilter) -> None:
    """Print figures as tables, and what complaints are about."""
    console = terminal()
    whole, *parts = groups
    table = Table(title=Text(f"{chosen.since} to {chosen.until}"), title_justify="left")
    table.add_column("metric", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("of", justify="right", no_wrap=True)
    for metric in METRICS:
        one = whole[2][metric.id]
        table.add_row(metric.title, value_text(one.value, metric.unit), f"{one.count:,}")
    console.print(table)
    if parts:
        of_each = OF_PEOPLE if parts[0][0] == "person" else _OF_REASONS
        table = Table()
        table.add_column(parts[0][0], no_wrap=True)
        for metric in of_each:
            table.add_column(metric.title, justify="right")
        for _, name, figures in parts:
            told = [figure_text(one, figures[one.id]) for one in of_each]
            table.add_row(Text(name or f"no known {parts[0][0]}"), *told)
        console.print(table)
    if shared := [theme for theme in themes if theme.count > 1]:
        about = Table("complaints", "about")
        for theme in shared:
            about.add_row(f"{theme.count:,}", Text(", ".join(theme.words) or "no word in common"))
        console.print(about)
    console.print("What each metric is stands in --format json and csv.")
