"""Processes killed at random over intake, drafting, deciding, resuming and delivering.

    python -m bench.kills --engine postgresql --workers 3 --kills 500

Some of the kills come at a random moment, some at a random place of the code. Afterwards one desk is
started and works until nothing is left. No contact and no decision that was acknowledged may be
lost, no answer may leave twice, every run must have come to its end, and the audit trail must be
whole.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import Any, Final

from sqlalchemy import func, select, text

from bench._measure import table
from bench.fleet import (
    APPROVE,
    DECIDERS,
    ENGINES,
    ESCALATE,
    QUESTIONS,
    KillPoint,
    Member,
    homes,
    prepare,
    settle,
)
from core.database import Database
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.models import Contact, Delivery, Review
from tests.factories import ADMIN

PLACES: Final = (
    ("desk.contacts:Contacts", "open"),
    ("desk.jobs:DbosJobs", "enqueue"),
    ("desk.runs:Runs", "carry"),
    ("desk.runs:Runs", "resume"),
    ("desk.runs:Runs", "_invoke"),
    ("desk.runs:Runs", "_settle"),
    ("desk.runs:Runs", "_open_review"),
    ("graph.checkpoints:ThreadFile", "put"),
    ("graph.checkpoints:ThreadFile", "put_writes"),
    ("langgraph.checkpoint.postgres:PostgresSaver", "put"),
    ("langgraph.checkpoint.postgres:PostgresSaver", "put_writes"),
    ("sqlalchemy.engine.default:DefaultDialect", "do_commit"),
    ("desk.reviews:Reviews", "_take"),
    ("desk.reviews:Reviews", "_take_decision"),
    ("desk.handoffs:Handoffs", "open"),
    ("desk.audit:AuditLedger", "record"),
    ("desk.delivery:Deliveries", "put"),
    ("desk.delivery:Deliveries", "_release"),
    ("desk.delivery:EmlTransport", "send"),
    ("os", "fsync"),
    ("desk.delivery:Deliveries", "_sent"),
)
OFTEN: Final = frozenset({"put", "put_writes", "do_commit", "enqueue"})
REPLIES: Final = (
    APPROVE,
    APPROVE,
    APPROVE,
    {"kind": "reject", "reason": "tone", "comment": "Say it more kindly."},
    ESCALATE,
)
LONGEST_SECONDS: Final = 4.0
"""How long a member lives that does not come to the place where it is to die."""
UNDONE: Final = text(
    "SELECT count(*) FROM {}workflow_status WHERE status IN ('PENDING', 'ENQUEUED', 'DELAYED')"
)


@dataclass
class Storm:
    """What happened while processes were killed.

    Attributes:
        opened: Contacts whose opening was acknowledged.
        decided: Reviews whose decision was acknowledged.
        at: Where kills struck → how often.
        refused: What else members said.
    """

    opened: list[str] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)
    at: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def note(self, said: object) -> None:
        """Take down what a member acknowledged."""
        if not isinstance(said, tuple):
            return
        how, what = said
        if how == "opened":
            self.opened.append(what)
        elif how == "won":
            self.decided.append(what)
        elif how == "refused":
            self.refused[what] += 1


def quick_to_take_over() -> None:
    """Have members look for what dead ones left sooner than those of a desk do."""
    from functools import partial

    from desk import bootstrap, workers

    shorter: dict[object, dict[str, object]] = {
        bootstrap: {
            "TAKE_OVER_SECONDS": 0.05,
            "Liveness": partial(workers.Liveness, beat_seconds=0.2),
        },
        workers: {"GRACE_BEATS": 2},
    }
    for module, values in shorter.items():
        for name, value in values.items():
            setattr(module, name, value)


def pick_place(chance: random.Random, engine: str) -> KillPoint | None:
    """Return where a member is to die; None for any moment."""
    if chance.random() < 0.3:
        return None
    saver = "Postgres" if engine == "sqlite" else "ThreadFile"
    place, name = chance.choice([one for one in PLACES if saver not in one[0]])
    times = chance.randint(1, 25) if name in OFTEN else chance.randint(1, 3)
    return KillPoint(place, name, chance.random() < 0.5, times)


class Waves:
    """Kills members one after the other while the others work.

    Args:
        settings: Of their home.
        workers: How many work at a time.
        chance: What everything random is drawn from.
    """

    def __init__(
        self, settings: Settings, engine: str, workers: int, chance: random.Random
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._chance = chance
        self._database = Database(settings.database)
        self.storm = Storm()
        self._spare = deque(self._new() for _ in range(2))
        self._live: list[Member] = []
        for _ in range(workers):
            self._join()

    def kill(self) -> None:
        """Give everybody work and kill one."""
        reviews = self._waiting()
        for member in self._live:
            for _ in range(2):
                question = self._chance.choice(QUESTIONS).format(self._chance.randint(1, 9999))
                member.say("open", question)
            for review in self._chance.sample(reviews, min(3, len(reviews))):
                person = self._chance.choice(DECIDERS)
                member.say("decide", person, review, self._chance.choice(REPLIES), 0)
        armed = [one for one in self._live if one.dies_at]
        victim = self._dies_by_itself(LONGEST_SECONDS) if len(armed) == len(self._live) else None
        if victim is None:
            victim = self._dies_by_itself(self._chance.uniform(0, LONGEST_SECONDS / 2))
        self.storm.at[str(victim.dies_at) if victim else "at a random moment"] += 1
        victim = victim or self._chance.choice(self._live)
        victim.kill()
        self._hear(victim)
        self._live.remove(victim)
        self._join()

    def end(self) -> None:
        """Kill whoever lives."""
        for member in [*self._live, *self._spare]:
            member.kill()
            self._hear(member)
        self._database.close()

    def _dies_by_itself(self, seconds: float) -> Member | None:
        dead = wait([one.process.sentinel for one in self._live], seconds)
        return next((one for one in self._live if one.process.sentinel in dead), None)

    def _hear(self, member: Member) -> None:
        try:
            while member.pipe.poll():
                self.storm.note(member.hear())
        except EOFError:
            return

    def _new(self) -> Member:
        return Member(
            self._settings,
            works=False,
            dies_at=pick_place(self._chance, self._engine),
            patch="bench.kills:quick_to_take_over",
        )

    def _join(self) -> None:
        self._spare.append(self._new())
        while True:
            member = self._spare.popleft()
            try:
                member.hear()
            except EOFError:  # it died as it opened its desk
                self.storm.at[f"{member.dies_at}, at its start"] += 1
                self._spare.append(self._new())
                continue
            member.say("start")
            self._live.append(member)
            for one in self._live:
                self._hear(one)
            return

    def _waiting(self) -> list[str]:
        with self._database.read() as session:
            pending = select(Review.id).where(Review.status == "pending").limit(200)
            return list(session.scalars(pending))


def work_off(desk: Desk, seconds: float) -> bool:
    """Let the desk work until nothing is left to do; tell whether it came to that in time."""
    prefix = "dbos." if desk.shares_work else ""
    undone = text(UNDONE.text.format(prefix))
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with desk.database.read() as session:
            if not session.scalar(undone):
                return True
        time.sleep(0.2)
    return False


def approve_all(desk: Desk) -> None:
    """Decide whatever waits, so that every contact comes to its end."""
    ruth = desk.people.get(DECIDERS[0])
    while page := desk.reviews.queue(ruth):
        for review in page:
            settle(desk, review.id)


def look(desk: Desk, storm: Storm) -> list[str]:
    """Return what is wrong in the end, a sentence each."""
    faults = list(desk.audit_seals.verify().faults)
    with desk.database.read() as session:
        contacts = {row.id: row for row in session.scalars(select(Contact))}
        reviews = {row.id: row for row in session.scalars(select(Review))}
        deliveries = list(session.scalars(select(Delivery)))
    faults += [f"contact {one} was lost" for one in storm.opened if one not in contacts]
    for one in storm.decided:
        if one not in reviews or reviews[one].decision is None:
            faults.append(f"the decision on {one} was lost")
    for contact in contacts.values():
        if contact.status not in ("answered", "waiting", "escalated"):
            faults.append(f"contact {contact.id} ends {contact.status}: {contact.failure}")
    left: Counter[str] = Counter()
    for delivery in deliveries:
        if delivery.status != "sent":
            faults.append(f"delivery {delivery.id} is {delivery.status}")
        elif delivery.review_id:
            left[reviews[delivery.review_id].thread] += 1
    faults += [f"run {run} sent {count} answers" for run, count in left.items() if count > 1]
    approved = {
        row.decision["id"]
        for row in reviews.values()
        if row.decision and row.status == "decided" and row.decision["kind"] in ("approve", "edit")
    }
    keys = [delivery.key for delivery in deliveries]
    letters = {path.stem for path in (desk.settings.home / "outbox").glob("*.eml")}
    if not approved == set(keys) == letters or len(keys) != len(set(keys)):
        faults.append(f"{len(approved)} approvals, {len(keys)} deliveries, {len(letters)} letters")
    for contact in contacts.values():
        view = desk.contacts.get(ADMIN, contact.id)
        answers = sum(message.speaker == "agent" for message in view.messages)
        of_it = sum(one.contact_id == contact.id and one.status == "sent" for one in deliveries)
        if answers != of_it:
            faults.append(f"contact {contact.id} has {answers} answers of {of_it} deliveries")
    return faults


def run(settings: Settings, engine: str, kills: int, workers: int, seed: int) -> dict[str, Any]:
    """Return the figures of one storm on an empty home; ``faults`` are sentences."""
    chance = random.Random(seed)
    prepare(settings)
    began = time.monotonic()
    waves = Waves(settings, engine, workers, chance)
    for _ in range(kills):
        waves.kill()
    waves.end()
    stormed, began = time.monotonic() - began, time.monotonic()
    desk = open_desk(settings, lock_seconds=60)
    try:
        desk.start()
        faults = [] if work_off(desk, 600) else ["work is left after ten minutes"]
        approve_all(desk)
        faults += [] if work_off(desk, 600) else ["work is left after ten minutes more"]
        faults += look(desk, waves.storm)
        with desk.database.read() as session:
            contacts = session.scalar(select(func.count()).select_from(Contact))
            sent = session.scalar(select(func.count()).select_from(Delivery))
    finally:
        desk.close()
    return {
        "contacts": contacts,
        "acknowledged": len(waves.storm.opened),
        "decisions acknowledged": len(waves.storm.decided),
        "sent": sent,
        "kills": dict(waves.storm.at.most_common()),
        "refused": dict(waves.storm.refused),
        "seconds of kills": round(stormed),
        "seconds to work off": round(time.monotonic() - began),
        "faults": faults,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    print(f"seed {options.seed}", file=sys.stderr)
    with homes(options.engine) as make:
        found = run(make(), options.engine, options.kills, options.workers, options.seed)
    asked = {"engine": options.engine, "workers": options.workers, "seed": options.seed}
    if options.json:
        print(json.dumps(asked | found))
    else:
        faults, kills = found.pop("faults"), found.pop("kills")
        print(table([*asked.items(), *found.items(), ("faults", len(faults))]), end="\n\n")
        print(table(list(kills.items())))
        found["faults"] = faults
    for fault in found["faults"][:20]:
        print(fault, file=sys.stderr)
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
