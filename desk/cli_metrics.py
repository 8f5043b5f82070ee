"""`proofdesk metrics`: the metrics of the operating loop, for people, spreadsheets and machines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from core.errors import BadInput
from core.vocabulary import TIERS, Channel
from desk.cli_shared import As, Json, acting, opened_desk, print_json, progress, read_day

if TYPE_CHECKING:
    from desk.metrics import MetricFilter

metrics_app = typer.Typer()

FORMATS = ("table", "csv", "json", "prometheus")
GROUPS = ("all", "reason", "tier", "channel", "person")


@metrics_app.command("metrics")
def metrics(
    layout: Annotated[
        str, typer.Option("--format", help="table, csv, json or prometheus.")
    ] = "table",
    days: Annotated[int, typer.Option(min=1, max=732, help="The last so many days.")] = 28,
    since: Annotated[
        Optional[str],  # noqa: UP045 - Typer reads this annotation at run time
        typer.Option(help="First day, such as 2026-11-01. Instead of --days."),
    ] = None,
    until: Annotated[Optional[str], typer.Option(help="Last day. Default: today.")] = None,  # noqa: UP045
    reason: Annotated[Optional[str], typer.Option(help="Only this contact reason.")] = None,  # noqa: UP045
    tier: Annotated[Optional[str], typer.Option(help="Only this tier.")] = None,  # noqa: UP045
    channel: Annotated[Optional[str], typer.Option(help="Only this channel.")] = None,  # noqa: UP045
    by: Annotated[str, typer.Option(help="all, reason, tier, channel or person.")] = "all",
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Count the whole audit trail again first.")
    ] = False,
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Print the metrics, by contact reason, tier, channel or person; days are the team's."""
    from desk.metric_export import as_csv, as_prometheus
    from desk.permissions import require
    from desk.render_metrics import metrics_as_json, metrics_table

    layout = "json" if as_json else layout
    _one_of("--format", layout, FORMATS)
    _one_of("--by", by, GROUPS)
    if tier is not None:
        _one_of("--tier", tier, TIERS)
    if channel is not None:
        _one_of("--channel", channel, Channel.__args__)  # type: ignore[attr-defined]
    with opened_desk() as desk, progress(quiet=layout != "table") as report:
        actor = acting(desk, as_person)
        require(actor, "read_quality")

        def count(done: int, total: int) -> None:
            report("events", done, total)

        if rebuild:
            desk.metrics.rebuild(actor, count)
        else:
            desk.metrics.rollup.catch_up(on_progress=count)
        desk.complaint_themes.catch_up()
        if layout == "prometheus":
            sys.stdout.write(as_prometheus(desk.metrics.totals()).decode())
            return
        chosen = _chosen(desk.metrics.lately(days), since, until, reason, tier, channel)
        if reason and reason not in {one.id for one in desk.reasons}:
            of_old = desk.metrics.by(actor, replace(chosen, reason=None), "reason")
            _one_of("--reason", reason, sorted({*of_old, *(one.id for one in desk.reasons)} - {""}))
        groups = desk.metrics.groups(actor, chosen, by)
        themes = desk.metrics.themes(actor, chosen)
    if layout == "csv":
        sys.stdout.write(as_csv(groups, chosen))
    elif layout == "json":
        print_json(metrics_as_json(groups, themes, chosen))
    else:
        metrics_table(groups, themes, chosen)


def _chosen(
    lately: MetricFilter,
    since: str | None,
    until: str | None,
    reason: str | None,
    tier: str | None,
    channel: str | None,
) -> MetricFilter:
    from desk.metrics import MetricFilter

    last = read_day("--until", until) if until else lately.until
    first = read_day("--since", since) if since else last - (lately.until - lately.since)
    return MetricFilter(first, last, reason, tier, channel)


def _one_of(option: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise BadInput(f"{option}: {value!r} is none of {', '.join(known)}.")
