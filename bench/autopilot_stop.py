"""One answer found wrong while two workers send those that wait behind it: how many leave after it?

    python -m bench.autopilot_stop --engine postgresql --rounds 20

Each round signs a contact reason, has ten answers of it wait out their undo window at two workers
(on SQLite at one: it has one) and marks an eleventh wrong at some moment while they leave. What had
not been taken for sending at that moment may not leave; it must wait before a person.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from typing import Any, Final

from sqlalchemy import select

from bench._measure import table
from bench.fleet import DECIDERS, ENGINES, Member, homes, prepare
from core.settings import Settings
from desk.autonomy_models import AutopilotApproval
from desk.bootstrap import Desk, open_desk
from desk.contacts import NewContact, NewMessage
from desk.models import Contact, Delivery
from desk.permissions import Actor
from tests.integration.earned import QUESTION, put_on_autopilot

UNDO_SECONDS: Final = 2
ANSWERS: Final = 10
SPREAD_SECONDS: Final = 3.0
"""Within which the answers of a round leave."""
PATIENCE_SECONDS: Final = 120.0


def one_round(desk: Desk, actor: Actor, moment: float, result: Counter[str]) -> None:
    """Find an answer wrong ``moment`` seconds after the first undo window of the others ended."""
    put_on_autopilot(desk.database, desk.autonomy, actor)
    bad = _ask(desk, actor)
    _until(desk, [bad], ("answered",))
    contacts = [_ask(desk, actor) for _ in range(ANSWERS)]
    _until(desk, contacts, ("scheduled", "answered"))
    with desk.database.read() as session:
        due = min(session.scalars(select(Delivery.due_at).where(_of(contacts))))
    time.sleep(max(0.0, (due - desk.clock.now()).total_seconds() + moment))
    desk.autonomy.mark_wrong(actor, bad, "It was wrong.")
    taken = _with_status(desk, contacts, ("sending", "sent"))
    _until(desk, contacts, ("answered", "in_review"))
    left = _with_status(desk, contacts, ("sending", "sent"))
    result["left before"] += len(left & taken)
    result["left after"] += len(left - taken)
    result["held back"] += len(contacts) - len(left)
    with desk.database.read() as session:
        approvals = AutopilotApproval.contact_id.in_(contacts)
        without = len(contacts) - len(
            session.scalars(select(AutopilotApproval).where(approvals)).all()
        )
    result["approved by a person"] += without


def run(settings: Settings, rounds: int, workers: int, seed: int) -> Counter[str]:
    """Return what became of the answers of so many rounds on an empty home."""
    chance = random.Random(seed)
    prepare(settings)
    members = [Member(settings) for _ in range(workers)]
    for member in members:
        member.hear()
    result: Counter[str] = Counter(rounds=rounds, **dict.fromkeys(("left after", "held back"), 0))
    desk = open_desk(settings)
    try:
        actor = desk.people.get(DECIDERS[0])
        for _ in range(rounds):
            one_round(desk, actor, chance.uniform(0, SPREAD_SECONDS), result)
        letters = len(list((settings.home / "outbox").glob("*.eml")))
        result["letters too many"] = letters - result["left before"] - result["left after"] - rounds
    finally:
        desk.close()
        for member in members:
            member.leave()
    return result


def main() -> int:
    """Print what became of the answers; 1 when one left that should not have."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sqlite")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    workers = 2 if options.engine == "postgresql" else 1
    with homes(options.engine) as make:
        settings = make().model_copy(update={"undo_seconds": UNDO_SECONDS})
        result = run(settings, options.rounds, workers, options.seed)
    figures: dict[str, Any] = {"engine": options.engine, "workers": workers, **result}
    print(json.dumps(figures) if options.json else table(list(figures.items())))
    return 1 if result["left after"] or result["letters too many"] else 0


def _ask(desk: Desk, actor: Actor) -> str:
    message = NewMessage("customer", QUESTION)
    return desk.contacts.open(actor, NewContact("email", [message], customer_email="c@example.com"))


def _until(desk: Desk, contacts: list[str], statuses: tuple[str, ...]) -> None:
    """Wait until each of ``contacts`` has one of ``statuses``."""
    query = select(Contact.status).where(Contact.id.in_(contacts))
    for _ in range(int(PATIENCE_SECONDS / 0.05)):
        with desk.database.read() as session:
            found = set(session.scalars(query))
        if found <= set(statuses):
            return
        time.sleep(0.05)
    raise TimeoutError(f"contacts are {found}, not {statuses}")


def _of(contacts: list[str]) -> Any:
    return Delivery.contact_id.in_(contacts)


def _with_status(desk: Desk, contacts: list[str], statuses: tuple[str, ...]) -> set[str]:
    query = select(Delivery.contact_id).where(_of(contacts), Delivery.status.in_(statuses))
    with desk.database.read() as session:
        return set(session.scalars(query))


if __name__ == "__main__":
    sys.exit(main())
