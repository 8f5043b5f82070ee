"""Two workers and two UIs on PostgreSQL, restarted one after the other while contacts come in.

    python -m bench.rolling --rounds 2

Each process is told to stop by SIGTERM, and started again once it has ended; the next one follows when
it says that it is ready. Meanwhile contacts are opened and reviews decided, and every process is asked
for `/readyz` ten times a second. No contact and no decision may be lost, no answer may leave twice, no
process may need to be killed, the others must stay ready, one that ends must not say that it is ready,
each worker must have worked since its start, and no log may hold a word of a customer.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from bench._measure import table
from bench.fleet import homes, open_contact, prepare, settle
from bench.kills import Storm, approve_all, look, work_off
from bench.outages import Watch, seconds_until
from core.errors import Conflict, DecisionRefused
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from tests.conftest import ROOT
from tests.ports import free_port

Kind = Literal["worker", "ui"]
COMMANDS: Final[dict[Kind, list[str]]] = {
    "worker": ["-m", "desk.cli", "worker"],
    "ui": ["-m", "ui.server"],
}
ENDS_SECONDS: Final = 20.0
"""What compose.yaml gives a process before it is killed."""
STARTS_SECONDS: Final = 300.0
LOOKED_SECONDS: Final = 1.5
"""How old what a probe tells may be, and a little more."""
EVERY_SECONDS: Final = 0.1
PAUSE_SECONDS: Final = 0.3
SECRET: Final = "Zanzibar"
QUESTION: Final = "How long does a refund take for my order from Zanzibar, number {}?"


@dataclass
class Look:
    """What a process said of itself.

    Attributes:
        at: When the answer came.
        status: 200, 503, or 0 where nobody answered.
        parts: Parts that are not well.
    """

    at: float
    status: int
    parts: str


@dataclass
class Part:
    """A process of the desk, started again and again on one port.

    Attributes:
        log: Where its standard error goes, of all its lives.
    """

    kind: Kind
    environment: dict[str, str]
    port: int
    log: Path
    looks: list[Look] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """What it is, for people."""
        return f"{self.kind} at {self.port}"

    @property
    def pid(self) -> int:
        """Of its present life."""
        return self.process.pid if self.process else 0

    def start(self) -> None:
        """Start it."""
        port = {"PROOFDESK_PORT": str(self.port), "PROOFDESK_HEALTH_PORT": str(self.port)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *COMMANDS[self.kind]],
                cwd=ROOT,
                env={**os.environ, **self.environment, **port},
                stdout=subprocess.DEVNULL,
                stderr=log,
            )

    def stop(self) -> tuple[float, int | None]:
        """Tell it to stop; return how long it took, and its exit code, None when it had to be killed."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            code: int | None = self.process.wait(ENDS_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        return time.monotonic() - began, code

    def ready(self) -> bool:
        """Tell whether it last said that it is ready."""
        return bool(self.looks) and self.looks[-1].status == 200

    def look(self) -> None:
        """Ask it how it is."""
        said = b""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as answer:
                status, said = answer.status, answer.read()
        except HTTPError as error:
            status, said = error.code, error.read()
        except (URLError, OSError):
            status = 0
        parts = json.loads(said)["parts"] if said else []
        unwell = "; ".join(f"{one['part']}: {one['says']}" for one in parts if not one["ok"])
        self.looks.append(Look(time.monotonic(), status, unwell))

    def between(self, since: float, until: float) -> list[Look]:
        """Return what it said in a stretch of time."""
        return [one for one in self.looks if since < one.at < until]


def watch(part: Part, done: threading.Event) -> None:
    """Ask a process how it is, again and again."""
    while not done.wait(EVERY_SECONDS):
        part.look()


def bring_in(desk: Desk, storm: Storm, done: threading.Event, faults: list[str]) -> None:
    """Open contacts and decide what waits, as a process does that works nothing off."""
    number = 0
    while not done.wait(PAUSE_SECONDS):
        try:
            number += 1
            storm.opened.append(open_contact(desk, QUESTION.format(number)))
            ruth = desk.people.get("ruth")
            for review in desk.reviews.queue(ruth)[:2]:
                try:
                    settle(desk, review.id)
                except (Conflict, DecisionRefused):
                    continue
                storm.decided.append(review.id)
        except Exception as error:
            faults.append(f"contact {number} met {type(error).__name__}: {error}")


def restart(part: Part, others: list[Part], faults: list[str]) -> dict[str, Any]:
    """Stop and start a process; return figures."""
    told = time.monotonic()
    took, code = part.stop()
    ended = time.monotonic()
    if code != 0:
        faults.append(f"{part.name} ended with {code} after {took:.1f} seconds")
    part.start()
    until_ready = seconds_until(
        lambda: part.ready() and part.looks[-1].at > ended + LOOKED_SECONDS, STARTS_SECONDS
    )
    if until_ready == float("inf"):
        faults.append(f"{part.name} did not become ready again")
    lies = [one for one in part.between(told + LOOKED_SECONDS, ended) if one.status == 200]
    if lies:
        faults.append(f"{part.name} said {len(lies)} times that it is ready while it ended")
    for other in others:
        unready = [one for one in other.between(told, time.monotonic()) if one.status != 200]
        if unready:
            faults.append(f"{other.name} was not ready {len(unready)} times: {unready[0].parts}")
    return {
        "restarted": part.name,
        "ended in": round(took, 1),
        "ready after": round(until_ready, 1),
    }


def spoken(parts: list[Part]) -> tuple[int, list[str]]:
    """Return how many lines the logs hold, and what is wrong with them."""
    count, faults = 0, []
    for part in parts:
        for line in part.log.read_text("utf-8").splitlines():
            count += 1
            if SECRET.lower() in line.lower() or "refund" in line.lower():
                faults.append(f"{part.name} logs a customer's words: {line[:300]}")
            try:
                json.loads(line)
            except ValueError:
                faults.append(f"{part.name} logs a line that is no JSON: {line[:300]}")
    return count, faults


def run(settings: Settings, rounds: int) -> dict[str, Any]:
    """Return the figures; ``faults`` are sentences."""
    prepare(settings)
    environment = {
        "PROOFDESK_HOME": str(settings.home),
        "PROOFDESK_WORKSPACE": str(settings.workspace),
        "PROOFDESK_DATABASE_URL": settings.database,
        "PROOFDESK_UNDO_SECONDS": "0",
        "PROOFDESK_LOG_FORMAT": "json",
    }
    kinds: tuple[Kind, ...] = ("worker", "worker", "ui", "ui")
    parts = [
        Part(kind, environment, free_port(), settings.home.parent / f"{kind}-{number}.log")
        for number, kind in enumerate(kinds)
    ]
    done, faults, storm, restarts = threading.Event(), list[str](), Storm(), []
    for part in parts:
        part.start()
    threads = [threading.Thread(target=watch, args=(part, done), daemon=True) for part in parts]
    for thread in threads:
        thread.start()
    if seconds_until(lambda: all(part.ready() for part in parts), STARTS_SECONDS) == float("inf"):
        faults.append("not all became ready at first")
    desk, records = open_desk(settings), Watch(settings)
    coming = threading.Thread(target=bring_in, args=(desk, storm, done, faults), daemon=True)
    coming.start()
    try:
        for _ in range(rounds):
            for part in parts:
                since = records.now()
                restarts.append(restart(part, [one for one in parts if one is not part], faults))
                print(restarts[-1], file=sys.stderr)
                if part.kind == "worker":
                    worked = partial(records.worked_since, since, [part.pid])
                    working = seconds_until(worked, STARTS_SECONDS)
                    restarts[-1]["at work after"] = round(working, 1)
                    if working == float("inf"):
                        faults.append(f"{part.name} did not work again")
        done.set()
        for thread in (*threads, coming):
            thread.join()
        for _ in range(4):  # what is sent back waits again
            faults += [] if work_off(desk, 600) else ["work is left after ten minutes"]
            approve_all(desk)
        faults += [] if work_off(desk, 600) else ["work is left in the end"]
        if desk.works:
            faults.append("the desk that brings contacts in had to work")
        faults += look(desk, storm)
    finally:
        done.set()
        stops = [part.stop() for part in parts]
        desk.close()
        records.close()
    faults += [
        f"{one.name} ended with {stop[1]}"
        for one, stop in zip(parts, stops, strict=True)
        if stop[1]
    ]
    lines, wrong = spoken(parts)
    return {
        "restarts": restarts,
        "contacts": len(storm.opened),
        "decisions": len(storm.decided),
        "looks": sum(len(part.looks) for part in parts),
        "log lines": lines,
        "faults": faults + wrong,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with homes("postgresql", durable=True) as make:
        found = run(make(), options.rounds)
    faults, restarts = found.pop("faults"), found.pop("restarts")
    if options.json:
        print(json.dumps(found | {"restarts": restarts, "faults": faults}))
    else:
        names = list(restarts[0])
        print(
            table([names, *[[one.get(name, "") for name in names] for one in restarts]]), end="\n\n"
        )
        print(table([*found.items(), ("faults", len(faults))]))
    for fault in faults[:20]:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
