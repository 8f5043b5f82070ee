"""A process that is killed between a decision and its delivery, and the one that comes after it."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from sqlalchemy import text

from core.errors import Unavailable
from core.settings import Settings
from desk.bootstrap import open_desk
from desk.contacts import NewContact, NewMessage
from desk.jobs import MAX_RECOVERIES, put_back
from tests.factories import ADMIN
from tests.integration import other_process
from tests.integration.conftest import OpenDesk, open_contact, pending_review

STEPS = 20  # more than a run takes


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


class _DiedError(BaseException):
    """The process is gone: nothing that the desk could catch."""


def _die_before_step(monkeypatch: pytest.MonkeyPatch, saver: Any, step: int) -> None:
    """Lose what a checkpointer is given from its ``step``-th checkpoint on."""
    begun: list[int] = []
    put, put_writes = saver.put, saver.put_writes

    def fragile_put(*given: Any) -> Any:
        begun.append(1)
        if len(begun) >= step:
            raise _DiedError
        return put(*given)

    def fragile_writes(*given: Any) -> None:
        if len(begun) >= step:
            raise _DiedError
        put_writes(*given)

    monkeypatch.setattr(saver, "put", fragile_put)
    monkeypatch.setattr(saver, "put_writes", fragile_writes)


def _survives(carry: Any) -> bool:
    try:
        carry()
    except _DiedError:
        return False
    return True


def test_a_run_goes_on_between_any_two_of_its_steps(
    open_synced: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    ruth = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    saver = desk.runs._checkpointer
    carried = resumed = False
    for step in range(1, STEPS):
        question = NewMessage("customer", "How long does a refund take?")
        contact = desk.contacts.open(agent, NewContact("email", [question]))
        with monkeypatch.context() as patch:
            _die_before_step(patch, saver, step)
            carried = _survives(lambda thread=f"{contact}:1": desk.runs.carry(thread))
        assert desk.runs.carry(f"{contact}:1") == "in_review", step
        review = pending_review(desk, agent, contact)
        desk.reviews.decide(ruth, review, {"kind": "approve"}, wait_seconds=0)
        with monkeypatch.context() as patch:
            _die_before_step(patch, saver, step)
            resumed = _survives(lambda review=review: desk.runs.resume(review))
        assert desk.runs.resume(review) == "scheduled", step
        assert len(desk.deliveries.of_contact(ADMIN, contact)) == 1
        if carried and resumed:
            break
    assert carried, "a step was never reached"
    assert resumed, "a step was never reached"


def test_a_job_that_killed_its_process_too_often_is_put_before_a_person_once(
    open_synced: OpenDesk,
) -> None:
    desk = open_synced(inline=False)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    question = NewContact("email", [NewMessage("customer", "How long does a refund take?")])
    contact = desk.contacts.open(agent, question)
    prefix = "dbos." if desk.shares_work else ""
    with desk.database.write() as session:
        # As it is left behind by a process that died over it once more than it may.
        session.execute(
            text(
                f"UPDATE {prefix}workflow_status SET status = 'PENDING', executor_id = :name, "
                "recovery_attempts = :often WHERE workflow_uuid = :key"
            ),
            {"name": "gone", "often": MAX_RECOVERIES + 1, "key": f"carry:{contact}:1"},
        )
    desk.start()
    put_back("gone")
    with pytest.raises(Unavailable):
        desk.contacts.wait_for_draft(contact)
    assert desk.contacts.get(ADMIN, contact).summary.status == "new"
    look = desk.handlers.carry_out["sweep"]
    look("flags")
    view = desk.contacts.get(ADMIN, contact)
    assert (view.summary.status, view.failure) == (
        "failed",
        f"The desk's process died over it {MAX_RECOVERIES} times.",
    )
    desk.contacts.close(agent, contact)
    look("flags")
    assert desk.contacts.get(ADMIN, contact).summary.status == "closed"
