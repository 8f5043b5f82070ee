"""A process that is killed between a decision and its delivery, and the one that comes after it."""

from __future__ import annotations

import signal

import pytest

from core.settings import Settings
from desk.bootstrap import open_desk
from tests.factories import ADMIN
from tests.integration import other_process
from tests.integration.conftest import OpenDesk, open_contact, pending_review


@pytest.fixture
def settings(settings_of_each_engine: Settings) -> Settings:
    return settings_of_each_engine


@pytest.mark.parametrize("point", other_process.KILL_POINTS)
def test_the_answer_leaves_exactly_once_after_a_restart(
    open_synced: OpenDesk, settings: Settings, point: str
) -> None:
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    desk.people.add(None, "Ruth", "ruth@example.com", "supervisor", "ruth")
    contact = open_contact(desk, agent, "How long does a refund take?")
    review = pending_review(desk, agent, contact)
    desk.close()

    victim = other_process.start(settings, "die", "ruth", review, point)
    victim.communicate(timeout=120)
    assert victim.returncode == -signal.SIGKILL

    after = open_desk(settings)
    try:
        after.start()
        after.jobs.wait(f"resume:{review}", 60)
        (delivery,) = after.deliveries.of_contact(ADMIN, contact)
        after.jobs.wait(f"deliver:{delivery.id}", 60)
        (delivery,) = after.deliveries.of_contact(ADMIN, contact)
        assert delivery.status == "sent"
        assert len(list((settings.home / "outbox").glob("*.eml"))) == 1
        assert after.contacts.get(ADMIN, contact).summary.status == "answered"
        events = [entry.event for entry in after.audit.of_contact(ADMIN, contact)]
        for event in ("review.approve", "delivery.scheduled", "run.recorded", "delivery.sent"):
            assert events.count(event) == 1, events
    finally:
        after.close()
