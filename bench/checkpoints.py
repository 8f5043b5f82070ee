"""What checkpoints take: of contacts that ended nearly nothing, and of paused ones what they need.

    python -m bench.checkpoints --engine postgresql --contacts 400

Contacts are carried to their pause and half of them decided, delivered and, two days later, swept
as every hour. Their rows are counted and weighed, and so is what the threads take on the disk. Then
every contact that still waits is decided, and must come to its end.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import time
from contextlib import closing
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text

from bench._measure import table
from bench.fleet import AGENT, ENGINES, QUESTIONS, homes, open_paused, prepare, settle
from core.clock import FixedClock, SystemClock
from desk.bootstrap import Desk, opened

MOST_BYTES: Final = 2048
TABLES: Final = {
    "sqlite": ("checkpoints", "writes"),
    "postgresql": ("checkpoints", "checkpoint_blobs", "checkpoint_writes"),
}
LATER: Final = timedelta(days=2)


class Weight:
    """Weighs what the threads of a desk take."""

    def __init__(self, desk: Desk, engine: str) -> None:
        self._desk = desk
        self._tables = TABLES[engine]

    def rows(self, contacts: set[str]) -> int:
        """Return the bytes of all rows of some contacts."""
        return sum(size for contact, size in self._sizes() if contact in contacts)

    def disk(self) -> int:
        """Return the bytes that the threads take on the disk, after it was tidied up."""
        if self._desk.shares_work:
            engine = self._desk.database.engine.execution_options(isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                for name in self._tables:
                    connection.execute(text(f"VACUUM FULL {name}"))
                return sum(
                    connection.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0
                    for name in self._tables
                )
        file = self._desk.settings.home / "graph.sqlite"
        with closing(sqlite3.connect(file, timeout=30)) as connection:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return file.stat().st_size

    def _sizes(self) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        if self._desk.shares_work:
            with self._desk.database.engine.connect() as connection:
                for name in self._tables:
                    query = text(f"SELECT thread_id, pg_column_size(t.*) FROM {name} t")
                    found += [(thread, size) for thread, size in connection.execute(query)]
        else:
            file = self._desk.settings.home / "graph.sqlite"
            with closing(sqlite3.connect(file, timeout=30)) as connection:
                for name in self._tables:
                    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
                    size = " + ".join(
                        f"coalesce(length(CAST({one} AS BLOB)), 0)" for one in columns
                    )
                    found += connection.execute(f"SELECT thread_id, {size} FROM {name}").fetchall()
        return [(str(thread).rpartition(":")[0], size) for thread, size in found]


def bring_to_end(desk: Desk, reviews: list[str]) -> int:
    """Decide reviews and deliver; return how many contacts came to their end by it."""
    for review in reviews:
        settle(desk, review)
    desk.jobs.run_all()  # type: ignore[union-attr]
    agent = desk.people.get(AGENT)
    contacts = [desk.reviews.get(agent, review).summary.contact_id for review in reviews]
    states = [desk.contacts.summary(agent, one).status for one in contacts]
    return sum(state in ("answered", "waiting", "escalated") for state in states)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--contacts", type=int, default=400)
    parser.add_argument("--closed", type=float, default=0.5, help="share that ends")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    began = time.monotonic()
    clock = FixedClock(SystemClock().now())
    with homes(options.engine) as make:
        settings = make()
        prepare(settings)
        with opened(settings, clock, inline=True) as desk:
            agent = desk.people.get(AGENT)
            reviews = open_paused(desk, options.contacts, QUESTIONS[:3])
            contacts = {one: desk.reviews.get(agent, one).summary.contact_id for one in reviews}
            ended = reviews[: int(len(reviews) * options.closed)]
            paused = reviews[len(ended) :]
            weight = Weight(desk, options.engine)
            answered = bring_to_end(desk, ended)
            full = weight.rows({contacts[one] for one in ended})
            clock.advance(LATER)
            desk.sweep()
            rest = weight.rows({contacts[one] for one in ended})
            waiting = weight.rows({contacts[one] for one in paused})
            disk = weight.disk()
            resumed = bring_to_end(desk, paused)
    figures: dict[str, Any] = {
        "engine": options.engine,
        "closed": len(ended),
        "ended of them": answered,
        "bytes of rows a closed contact, before the sweep": round(full / len(ended)),
        "bytes of rows a closed contact": round(rest / len(ended)),
        "paused": len(paused),
        "bytes of rows a paused contact": round(waiting / len(paused)) if paused else 0,
        "bytes on the disk in all": disk,
        "resumed and ended of the paused": resumed,
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(figures) if options.json else table(list(figures.items())))
    good = answered == len(ended) and resumed == len(paused) and rest <= MOST_BYTES * len(ended)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
