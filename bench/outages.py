"""PostgreSQL stopped and started under load.

    python -m bench.outages --workers 2 --callers 2 --outages 5

Workers carry contacts out while callers open contacts, read the queue and decide. Again and again
the server is stopped, as a crash would or after cutting every connection, and started some seconds
later. Each call must end in time, with an acknowledgement or with a sentence; nobody is restarted.
Afterwards no contact and no decision that was acknowledged may be lost, every run must have come to
its end, no answer may have left twice, the audit trail must be whole, and every worker must have
worked since the last start.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any, Final

from sqlalchemy import func, select, text

from bench._measure import table
from bench.fleet import DECIDERS, QUESTIONS, Member, homes, prepare
from bench.kills import REPLIES, Storm, approve_all, look, work_off
from core.database import Database
from core.errors import DatabaseUnavailable, DecisionRefused
from core.settings import Settings
from desk.bootstrap import open_desk
from desk.models import Delivery, Review
from desk.workers import count_workers
from tests.integration.postgres import PostgresServer

CLEAR: Final = (DatabaseUnavailable.__name__, DecisionRefused.__name__)
"""What a call may be refused with: the latter is what a redraft without a source gets."""
MODES: Final = ("immediate", "fast")
LOAD_SECONDS: Final = 8.0
"""How long there is load before a stop, and after the work went on."""
CALL_SECONDS: Final = 30.0
"""How long a call waits for what it asked for; until then and a little more it must have ended."""
LONGEST_CALL_SECONDS: Final = 45.0
GOES_ON_SECONDS: Final = 180.0
PAUSE_SECONDS: Final = 0.2
WORKED: Final = text(
    "SELECT DISTINCT executor_id FROM dbos.workflow_status"
    " WHERE status = 'SUCCESS' AND completed_at > :since"
)


@dataclass
class Calls:
    """What callers were answered.

    Attributes:
        storm: What was acknowledged and what was refused.
        longest: How a call ended → the longest that took, in seconds.
        faults: A sentence each.
    """

    storm: Storm = field(default_factory=Storm)
    longest: dict[str, float] = field(default_factory=dict)
    count: int = 0
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, asked: str, said: tuple[str, Any], seconds: float) -> None:
        """Take an answer down."""
        how, what = said
        with self._lock:
            self.count += 1
            ended = "refused" if how == "refused" else "answered"
            self.longest[ended] = max(self.longest.get(ended, 0.0), seconds)
            self.storm.note(said)
            if how == "drafted":
                self.storm.opened.append(what)
            if how == "refused" and not what.startswith(CLEAR):
                self.faults.append(f"{asked} was refused with {what}")

    def fault(self, sentence: str) -> None:
        """Take a fault down."""
        with self._lock:
            self.faults.append(sentence)


def call(member: Member, number: int, calls: Calls, done: threading.Event, leaves: int = 0) -> None:
    """Have a member open, read and decide, one after the other, until it is done.

    It leaves so many reviews waiting.
    """
    chance = random.Random(number)
    waiting: list[str] = []

    def ask(what: str, *given: object) -> tuple[str, Any]:
        began = time.monotonic()
        said: tuple[str, Any] = ("", None)
        try:
            member.say(what, *given)
            said = member.hear(LONGEST_CALL_SECONDS)
        except TimeoutError:
            calls.fault(f"{what} took more than {LONGEST_CALL_SECONDS:g} seconds")
            said = member.hear(300)
        calls.note(what, said, time.monotonic() - began)
        return said

    while not done.wait(PAUSE_SECONDS):
        try:
            question = chance.choice(QUESTIONS).format(chance.randint(1, 9999))
            ask("draft" if chance.random() < 0.2 else "open", question)
            how, found = ask("queue")
            waiting = found if how == "waiting" else waiting
            for review in chance.sample(waiting, max(0, min(2, len(waiting) - leaves))):
                wait = chance.choice((0, CALL_SECONDS))
                ask("decide", chance.choice(DECIDERS), review, chance.choice(REPLIES), wait)
        except (EOFError, TimeoutError) as error:
            calls.fault(f"caller {number} is gone or hangs: {type(error).__name__}")
            return


class Watch:
    """Looks at the records from outside.

    Args:
        settings: Of the home.
    """

    def __init__(self, settings: Settings) -> None:
        self._database = Database(settings.database)

    def moved(self) -> tuple[int, int]:
        """Return how many reviews were opened and how many answers left so far."""
        sent = select(func.count()).select_from(Delivery).where(Delivery.status == "sent")
        with self._database.read() as session:
            reviews = session.scalar(select(func.count()).select_from(Review)) or 0
            return reviews, session.scalar(sent) or 0

    def now(self) -> int:
        """Return the server's time in milliseconds."""
        with self._database.read() as session:
            return int(session.scalar(text("SELECT extract(epoch FROM now()) * 1000")))

    def worked_since(self, since: int, processes: Sequence[int]) -> bool:
        """Tell whether each process carried a job out since a time of the server."""
        with self._database.read() as session:
            names = session.scalars(WORKED, {"since": since}).all()
        return all(any(f"-{one}-" in name for name in names) for one in processes)

    def workers(self) -> int:
        """Return how many workers live."""
        return count_workers(self._database.engine)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def seconds_until(holds: Callable[[], bool], seconds: float) -> float:
    """Return how long it takes until something holds; infinity when it does not in time."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        with suppress(DatabaseUnavailable):
            if holds():
                return passed
        time.sleep(0.05)
    return float("inf")


def interrupt(
    server: PostgresServer, watch: Watch, mode: str, away: float, working: Sequence[Member]
) -> dict[str, Any]:
    """Stop the server and start it; return how long it took until work went on."""
    server.stop(mode)
    time.sleep(away)
    server.start()
    before = watch.moved()
    since = watch.now()
    began = time.monotonic()
    drafted = seconds_until(lambda: watch.moved()[0] > before[0], GOES_ON_SECONDS)
    sent = seconds_until(lambda: watch.moved()[1] > before[1], GOES_ON_SECONDS)
    processes = [one.process.pid or 0 for one in working]
    everybody = seconds_until(lambda: watch.worked_since(since, processes), GOES_ON_SECONDS)
    spent = time.monotonic() - began
    return {
        "stop": mode,
        "away for": away,
        "first draft after": round(drafted, 1),
        "first answer sent after": round(drafted + sent, 1),
        "every worker at work after": round(spent if everybody < float("inf") else everybody, 1),
    }


def run(
    settings: Settings,
    server: PostgresServer,
    workers: int,
    callers: int,
    lengths: Sequence[float],
) -> dict[str, Any]:
    """Return the figures of a home whose database goes away; ``faults`` are sentences."""
    prepare(settings)
    working = [Member(settings) for _ in range(workers)]
    calling = [Member(settings, works=False) for _ in range(callers)]
    for member in (*working, *calling):
        member.hear()
    calls, done, watch = Calls(), threading.Event(), Watch(settings)
    threads = [
        threading.Thread(target=call, args=(member, number, calls, done), daemon=True)
        for number, member in enumerate(calling)
    ]
    for thread in threads:
        thread.start()
    outages = []
    for mode, away in zip(cycle(MODES), lengths, strict=False):
        time.sleep(LOAD_SECONDS)
        outages.append(interrupt(server, watch, mode, away, working))
        print(outages[-1], file=sys.stderr)
    time.sleep(LOAD_SECONDS)
    done.set()
    for thread in threads:
        thread.join(LONGEST_CALL_SECONDS * 4)
    faults = [f"a worker is dead ({one.process.exitcode})" for one in working if _dead(one)]
    faults += calls.faults
    if any(float("inf") in outage.values() for outage in outages):
        faults.append("work did not go on after an outage")

    began = time.monotonic()
    desk = open_desk(settings)  # looks and decides; works nothing off
    try:
        faults += [] if work_off(desk, 600) else ["work is left after ten minutes"]
        for _ in range(4):  # what is sent back waits again
            approve_all(desk)
            faults += [] if work_off(desk, 600) else ["work is left after ten minutes more"]
        if (alive := watch.workers()) < workers:
            faults.append(f"{alive} of {workers} workers live")
        if desk.works:
            faults.append("the desk that looks had to work")
        faults += look(desk, calls.storm)
    finally:
        desk.close()
        reviews, sent = watch.moved()
        watch.close()
        for member in (*working, *calling):
            member.leave()
    return {
        "outages": outages,
        "calls": calls.count,
        "longest": {how: round(seconds, 1) for how, seconds in calls.longest.items()},
        "contacts acknowledged": len(calls.storm.opened),
        "decisions acknowledged": len(calls.storm.decided),
        "refused": dict(calls.storm.refused),
        "reviews": reviews,
        "sent": sent,
        "seconds to work off": round(time.monotonic() - began),
        "faults": faults,
    }


def _dead(member: Member) -> bool:
    return not member.process.is_alive()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--callers", type=int, default=2)
    parser.add_argument("--outages", type=int, default=5)
    parser.add_argument(
        "--away", type=float, nargs="+", default=[1, 3, 8, 20, 2], help="seconds, in turn"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    lengths = list(islice(cycle(options.away), options.outages))
    with homes("postgresql", durable=True) as make:
        if make.server is None:
            raise RuntimeError("there is no server to stop")
        found = run(make(), make.server, options.workers, options.callers, lengths)
    faults = found["faults"]
    if options.json:
        print(json.dumps({"workers": options.workers, "callers": options.callers} | found))
    else:
        rows = [list(outage.values()) for outage in found["outages"]]
        print(table([list(found["outages"][0]), *rows]), end="\n\n")
        refused = Counter(found.pop("refused"))
        shown = {name: value for name, value in found.items() if name not in ("outages", "faults")}
        print(table([*shown.items(), ("faults", len(faults))]), end="\n\n")
        for sentence, count in refused.most_common():
            print(f"{count:5}  {sentence}")
    for fault in faults[:20]:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
