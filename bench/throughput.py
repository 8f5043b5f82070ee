"""Approvals a second of one worker on PostgreSQL against bare LangGraph, and what a second one adds.

    python -m bench.throughput --approvals 300 --contacts 60

The floor is the same graph with the same nodes, compiled with LangGraph's own PostgresSaver and
resumed directly, in one thread and in as many as a worker has, of which the faster counts; its
deliver node writes the letter at once. It has no review rows, no jobs, no audit trail, and sends
twice when two people decide or the process dies. Ours starts with decisions
that were taken while nobody worked; a worker resumes the runs and delivers the answers. Floor and
ours take turns on one server that waits for its disk; the first tenth of each turn is not counted.

A second worker is measured where the work is not the database's: contacts whose drafter waits for a
language model that takes ``--model-seconds``, from the moment they are opened to their pause.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from langgraph.types import Command
from sqlalchemy import func, select

from bench._measure import table
from bench.fleet import (
    AGENT,
    DECIDERS,
    QUESTIONS,
    Member,
    homes,
    open_contact,
    open_paused,
    prepare,
)
from core.database import Database
from core.settings import Settings
from desk.bootstrap import Desk, opened
from desk.delivery import EmlTransport, Letter
from desk.jobs import JOB_WORKERS
from desk.models import Contact, Delivery
from graph.build import build_graph
from graph.draft import draft_text
from graph.reading import OneReading
from graph.values import Decision, Draft

MODEL_SECONDS: Final = "PROOFDESK_BENCH_MODEL_SECONDS"
LEAST: Final = {"floor": 0.7, "workers": 1.6}
LONGEST_SECONDS: Final = 300.0
WARM_UP: Final = 0.1


class SendsAtOnce:
    """An outbox that writes the letter in the node: what a bare graph does."""

    def __init__(self, folder: Path, desk: Desk) -> None:
        self._transport = EmlTransport(folder)
        self._clock = desk.clock

    def put(self, key: str, contact_id: str, draft: Draft, decision: Decision) -> None:
        """Send the answer."""
        text = draft_text(draft)
        letter = Letter(key, "desk@example.com", "c@example.com", "Re:", text, self._clock.now())
        self._transport.send(letter)


class KeepsNothing:
    """A ledger that writes nothing down."""

    def record(self, *_: object) -> None:
        """Do nothing."""


@dataclass(frozen=True)
class Rate:
    """How fast approvals went.

    Attributes:
        a_second: Approvals a second by the clock.
        busy: Milliseconds of the processor an approval; not of PostgreSQL's.
    """

    a_second: float
    busy: float


def floor_rate(settings: Settings, count: int, threads: int, durability: Any) -> Rate:
    """Return the rate of bare LangGraph with PostgresSaver, in so many threads."""
    from langgraph.checkpoint.postgres import PostgresSaver
    from psycopg.rows import dict_row
    from psycopg_pool import ConnectionPool

    url = settings.database.replace("postgresql+psycopg://", "postgresql://")
    # As PostgresSaver.from_conn_string opens its one.
    options = {"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row}
    with (
        opened(settings, inline=True) as desk,
        ConnectionPool(url, min_size=threads, max_size=threads, kwargs=options) as pool,
    ):
        saver = PostgresSaver(pool)  # type: ignore[arg-type]
        saver.setup()
        graph = build_graph(saver)
        outbox = SendsAtOnce(settings.home / "floor", desk)
        deps = replace(desk.deps, outbox=outbox, ledger=KeepsNothing())

        def invoke(given: Any, thread: str) -> Any:
            reading = OneReading(deps.conversations, deps.search, deps.sources)
            config: Any = {"configurable": {"thread_id": thread}}
            context = replace(deps, conversations=reading, search=reading, sources=reading)
            return graph.invoke(given, config, context=context, durability=durability)

        paused = []
        for number in range(count):
            contact = open_contact(desk, QUESTIONS[0].format(number))
            paused.append(f"floor-{contact}")
            invoke({"contact_id": contact, "thread": paused[-1]}, paused[-1])

        def approve(thread: str) -> float:
            decision = {"kind": "approve", "id": f"dec_{thread}", "by": AGENT, "at": ""}
            ended = invoke(Command(resume=decision), thread)
            if ended["outcome"] != "answered":
                raise RuntimeError(f"the floor ended {ended['outcome']}")
            return time.perf_counter()

        busy = time.process_time()
        with ThreadPoolExecutor(threads) as executor:
            times = sorted(executor.map(approve, paused))
        busy = time.process_time() - busy
    return Rate(rate(times), busy / count * 1000)


def our_rate(settings: Settings, count: int) -> Rate:
    """Return the rate of one worker, from decided to delivered."""
    with opened(settings, inline=True) as desk:
        reviews = open_paused(desk, count)
    with opened(settings) as desk:
        for number, review in enumerate(reviews):
            ruth = desk.people.get(DECIDERS[number % 2])
            desk.reviews.decide(ruth, review, {"kind": "approve"}, wait_seconds=0)
        before = _count(desk.database, Delivery, "sent")
        done = partial(_sent, desk.database, before + count)
        _, busy = work([settings], done)
        with desk.database.read() as session:
            sent = select(Delivery.sent_at).where(Delivery.status == "sent")
            sent = sent.order_by(Delivery.sent_at.desc()).limit(count)
            times = [moment.timestamp() for moment in session.scalars(sent) if moment]
    return Rate(rate(times[::-1]), busy / count * 1000)


def _sent(database: Database, count: int) -> bool:
    return _count(database, Delivery, "sent") >= count


def worker_rate(settings: Settings, count: int, workers: int) -> float:
    """Return the contacts a second that workers bring to their pause, each asking a slow model."""
    with opened(settings) as desk:
        before = _count(desk.database, Contact, "in_review")
        for number in range(count):
            open_contact(desk, QUESTIONS[0].format(number))
        seconds, _ = work(
            [settings] * workers,
            lambda: _count(desk.database, Contact, "in_review") - before == count,
            "bench.throughput:ask_a_slow_model",
        )
    return count / seconds


def work(
    homes: Sequence[Settings], done: Callable[[], bool], patch: str = ""
) -> tuple[float, float]:
    """Have workers carry out what waits; return the seconds it took, and those of the processor."""
    members = [Member(settings, works=False, patch=patch) for settings in homes]
    for member in members:
        member.hear()
    began = time.perf_counter()
    busy = sum(_busy_seconds(member) for member in members)
    for member in members:
        member.say("start")
    while not done():
        if time.perf_counter() - began > LONGEST_SECONDS:
            raise TimeoutError("the workers are not done")
        time.sleep(0.05)
    taken = time.perf_counter() - began
    busy = sum(_busy_seconds(member) for member in members) - busy
    for member in members:
        member.hear()
        member.leave()
    return taken, busy


def _busy_seconds(member: Member) -> float:
    parts = Path(f"/proc/{member.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")


def ask_a_slow_model() -> None:
    """Have the drafters of this process wait as for a language model that is elsewhere."""
    from graph.extractive import ExtractiveDrafter

    original = ExtractiveDrafter.draft
    seconds = float(os.environ[MODEL_SECONDS])

    def slow(self: Any, *given: Any, **named: Any) -> Any:
        threading.Event().wait(seconds)
        return original(self, *given, **named)

    ExtractiveDrafter.draft = slow  # type: ignore[method-assign]


def rate(times: Sequence[float]) -> float:
    """Return how many a second there were; the first tenth warms up."""
    first = int(len(times) * WARM_UP)
    return (len(times) - 1 - first) / (times[-1] - times[first])


def _median(rates: Sequence[Rate]) -> float:
    return statistics.median(one.a_second for one in rates)


def _count(database: Database, model: type[Contact | Delivery], status: str) -> int:
    with database.read() as session:
        query = select(func.count()).select_from(model).where(model.status == status)
        return session.scalar(query) or 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--approvals", type=int, default=300, help="of each, a turn")
    parser.add_argument(
        "--contacts", type=int, default=60, help="for one worker and for two; 0 for none"
    )
    parser.add_argument("--turns", type=int, default=3, help="0 for none")
    parser.add_argument("--model-seconds", type=float, default=3.0)
    parser.add_argument(
        "--durability", choices=("async", "sync"), default="async", help="of the floor"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    os.environ[MODEL_SECONDS] = str(options.model_seconds)
    floors: dict[int, list[Rate]] = {threads: [] for threads in (1, JOB_WORKERS)}
    ours: list[Rate] = []
    with_workers: dict[int, float] = {}
    with homes("postgresql", durable=True) as make:
        settings = make()
        prepare(settings)
        for _ in range(options.turns):
            for threads, rates in floors.items():
                rates.append(floor_rate(settings, options.approvals, threads, options.durability))
            ours.append(our_rate(settings, options.approvals))
        for workers in (1, 2) if options.contacts else ():
            with_workers[workers] = worker_rate(settings, options.contacts, workers)
    ratios = {}
    if ours:
        ratios["floor"] = _median(ours) / max(_median(rates) for rates in floors.values())
    if with_workers:
        ratios["workers"] = with_workers[2] / with_workers[1]
    all_rates = {f"floor, {threads} thread(s)": rates for threads, rates in floors.items()}
    all_rates["ours"] = ours
    figures: dict[str, Any] = {
        **{
            f"{who} (approvals/s)": [round(one.a_second, 1) for one in rates]
            for who, rates in all_rates.items()
            if rates
        },
        **{
            f"{who} (processor ms an approval)": [round(one.busy, 1) for one in rates]
            for who, rates in all_rates.items()
            if rates
        },
        **{f"{count} worker(s), contacts/s": round(one, 2) for count, one in with_workers.items()},
        **{f"{name}, ratio": round(ratio, 2) for name, ratio in ratios.items()},
    }
    print(json.dumps(figures) if options.json else table(list(figures.items())))
    return 1 if any(ratio < LEAST[name] for name, ratio in ratios.items()) else 0


if __name__ == "__main__":
    sys.exit(main())
