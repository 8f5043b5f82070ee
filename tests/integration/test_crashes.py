"""A process that is killed between a decision and its delivery, and the one that comes after it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from typing import Any

import pytest

from core.settings import Settings
from desk.bootstrap import open_desk
from desk.delivery import Deliveries, EmlTransport
from desk.permissions import Actor
from desk.runs import Runs
from tests.integration.conftest import OpenDesk, open_contact, pending_review

POINTS = [
    "decided, not resumed",
    "resumed, not settled",
    "before the outbox",
    "in the outbox, not checkpointed",
    "before sending",
    "sent, not written down",
]


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(owner: type, name: str) -> None:
    original = getattr(owner, name)

    def patched(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        die()

    setattr(owner, name, patched)


def arm(point: str) -> None:
    if point == "decided, not resumed":
        Runs.resume = die  # type: ignore[assignment, method-assign]
    elif point == "resumed, not settled":
        Runs._settle = die  # type: ignore[assignment, method-assign]
    elif point == "before the outbox":
        Deliveries.put = die  # type: ignore[assignment, method-assign]
    elif point == "in the outbox, not checkpointed":
        die_after(Deliveries, "put")
    elif point == "before sending":
        EmlTransport.send = die  # type: ignore[assignment, method-assign]
    elif point == "sent, not written down":
        die_after(EmlTransport, "send")


def decide_and_die(settings: dict[str, Any], actor: Actor, review: str, point: str) -> None:
    arm(point)
    desk = open_desk(Settings(**settings, _env_file=None))
    desk.start()
    desk.reviews.decide(actor, review, {"kind": "approve"})
    time.sleep(60)  # the delivery may come after the outcome: the kill ends this


@pytest.mark.parametrize("point", POINTS)
def test_the_answer_leaves_exactly_once_after_a_restart(
    open_synced: OpenDesk, settings: Settings, point: str
) -> None:
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    ruth = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    contact = open_contact(desk, agent, "How long does a refund take?")
    review = pending_review(desk, agent, contact)
    desk.close()

    values = settings.model_dump(include={"home", "workspace", "undo_seconds"})
    victim = multiprocessing.get_context("spawn").Process(
        target=decide_and_die, args=(values, ruth, review, point)
    )
    victim.start()
    victim.join(120)
    assert victim.exitcode == -signal.SIGKILL

    after = open_desk(settings)
    try:
        after.start()
        after.jobs.wait(f"resume:{review}", 60)
        (delivery,) = after.deliveries.of_contact(contact)
        after.jobs.wait(f"deliver:{delivery.id}", 60)
        (delivery,) = after.deliveries.of_contact(contact)
        assert delivery.status == "sent"
        assert len(list((settings.home / "outbox").glob("*.eml"))) == 1
        assert after.contacts.get(contact).summary.status == "answered"
        events = [entry.event for entry in after.audit.of_contact(contact)]
        for event in ("review.approve", "delivery.scheduled", "run.recorded", "delivery.sent"):
            assert events.count(event) == 1, events
    finally:
        after.close()
