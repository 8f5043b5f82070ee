"""Metrics of a small and of a full month: whether they are right, and what their page costs.

    python -m bench.metrics --engine postgresql --contacts 50000 --small 500

A month is made up (see :mod:`bench.month`) and counted from its audit trail. Every figure, of
everything and of each contact reason, tier, channel and person, is told again in plain Python from the exported
trail and must be the same. Then all that the page reads is timed, on the small month and the full one
in turns; the full one may take twice what the small one takes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Mapping
from datetime import date
from functools import partial
from itertools import product
from typing import Any, Final

from sqlalchemy import func, select, text

from bench._measure import seconds, table
from bench.fleet import ENGINES, homes
from bench.month import END, REASONS, fill
from core.clock import FixedClock
from core.database import Database
from core.migrate import upgrade
from desk.metric_definitions import OF_PEOPLE
from desk.metric_export import as_csv
from desk.metric_figures import Figure
from desk.metric_models import MetricSum
from desk.metrics import DIMENSIONS, MetricFilter, Metrics
from tests.factories import ADMIN
from tests.metrics_by_hand import by_hand

MOST: Final = 2.0
TIMES: Final = 15
_TINY: Final = 1e-9


def page(metrics: Metrics, chosen: MetricFilter) -> str:
    """Read all that the page shows and hands out."""
    board = metrics.board(ADMIN, chosen)
    groups_of = {by: metrics.by(ADMIN, chosen, by) for by in DIMENSIONS}
    people = metrics.by_person(ADMIN, chosen)
    metrics.names(ADMIN, people)
    metrics.themes(ADMIN, chosen)
    groups = [("all", "", board.figures)]
    for by, of_each in groups_of.items():
        groups += [(by, name, figures) for name, figures in of_each.items()]
    groups += [("person", name, figures) for name, figures in people.items()]
    return as_csv(groups, chosen)


def wrong(metrics: Metrics, database: Database, months: list[MetricFilter]) -> tuple[int, int]:
    """Return how many figures were compared with the trail, and how many differ."""
    hand = by_hand(database, END)
    compared = differ = 0

    def compare(figures: Mapping[str, Figure], chosen: MetricFilter, **only: Any) -> None:
        nonlocal compared, differ
        days = chosen.since.isoformat(), chosen.until.isoformat()
        told = hand.figures(*days, now=END, **only)
        for name, figure in figures.items():
            compared += 1
            if not _same(figure.value, told[name]):
                differ += 1
                print(f"differs: {name} {days} {only}: {figure.value} is {told[name]}")

    for days in months:
        for reason, tier, channel in product(
            (None, REASONS[0]), (None, "allowed", "escalate_first"), (None, "email", "voice")
        ):
            chosen = MetricFilter(days.since, days.until, reason, tier, channel)
            figures = metrics.board(ADMIN, chosen).figures
            compare(figures, days, reason=reason, tier=tier, channel=channel)
        for by in DIMENSIONS:
            for group, figures in metrics.by(ADMIN, days, by).items():
                compare(figures, days, **{by: group})
        for person, figures in metrics.by_person(ADMIN, days).items():
            of_people = {one.id: figures[one.id] for one in OF_PEOPLE}
            compare(of_people, days, person=person)
    return compared, differ


def _same(value: float | None, told: float | None) -> bool:
    if value is None or told is None:
        return value is told
    return abs(value - told) <= _TINY * max(1.0, abs(told))


def main() -> int:
    """Run the bench; return 1 when a figure differs or the full month costs too much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--contacts", type=int, default=50_000)
    parser.add_argument("--small", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures: dict[str, Any] = {"engine": options.engine}
    desks: list[tuple[Metrics, Database]] = []
    clock = FixedClock(END)
    with homes(options.engine) as make:
        for contacts in (options.small, options.contacts):
            database = Database(make().database)
            upgrade(database)
            metrics = Metrics(database, clock)
            events = fill(database, contacts)
            took = seconds(metrics.rollup.catch_up)
            with database.write() as session:
                session.execute(text("ANALYZE"))
                rows = session.scalar(select(func.count()).select_from(MetricSum))
            figures[f"{contacts:,} contacts"] = (
                f"{events:,} events, counted in {took:.1f} s, {rows:,} sums kept"
            )
            desks.append((metrics, database))
        lately = desks[0][0].lately(28)
        times: list[list[float]] = [[], []]
        for _ in range(TIMES):  # in turns: what else the machine does then weighs on both
            for (metrics, _database), taken in zip(desks, times, strict=True):
                taken.append(seconds(partial(page, metrics, lately)))
        small, full = map(statistics.median, times)
        figures["page of the small month (ms)"] = round(small * 1000, 1)
        figures["page of the full month (ms)"] = round(full * 1000, 1)
        figures["ratio"] = round(full / small, 2)
        may = MetricFilter(date(2026, 5, 1), date(2026, 5, 31))
        compared, differ = wrong(*desks[1], [may, lately])
        figures |= {"figures compared": compared, "differ": differ}
        for _metrics, database in desks:
            database.close()
    print(
        json.dumps(figures, indent=2)
        if options.json
        else table([("metrics", ""), *figures.items()])
    )
    return 1 if differ or figures["ratio"] > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
