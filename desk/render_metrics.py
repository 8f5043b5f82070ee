"""Metrics for a terminal and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from desk.metric_definitions import METRICS
from desk.metric_words import value_text

if TYPE_CHECKING:
    from desk.metrics import Group, MetricFilter, Theme


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
                    id: {"value": one.value, "numerator": one.hits, "denominator": one.count}
                    for id, one in figures.items()
                },
            }
            for by, name, figures in groups
        ],
        "complaint_themes": [{"words": one.words, "count": one.count} for one in themes],
    }


def metrics_table(groups: Sequence[Group], themes: Sequence[Theme], chosen: MetricFilter) -> None:
    """Print figures as tables, and what complaints are about."""
    console = Console(markup=False, highlight=False, emoji=False)
    for by, name, figures in groups:
        heading = f"{chosen.since} to {chosen.until}, UTC"
        if by != "all":
            heading = f"{name or 'No known reason'} · {heading}"
        table = Table(title=Text(heading), title_justify="left")
        table.add_column("metric", no_wrap=True)
        table.add_column("value", justify="right", no_wrap=True)
        table.add_column("of", justify="right", no_wrap=True)
        for metric in METRICS:
            if metric.id in figures:
                figure = figures[metric.id]
                told = value_text(figure.value, metric.unit)
                table.add_row(metric.title, told, f"{figure.count:,}")
        console.print(table)
    if themes:
        about = Table("complaints", "about")
        for theme in themes:
            about.add_row(f"{theme.count:,}", Text(", ".join(theme.words) or "no word in common"))
        console.print(about)
    console.print("What each metric is stands in --format json and csv.")
