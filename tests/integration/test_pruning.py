"""The checkpoints of a run go when nothing can need them any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.clock import FixedClock
from core.settings import Settings
from desk.bootstrap import Desk
from desk.contacts import NewMessage
from desk.permissions import Actor
from tests.factories import ADMIN, NOON
from tests.integration.conftest import OpenDesk, open_contact, pending_review

QUESTION = "How long does a refund take?"


@pytest.fixture
def settings(settings_of_each_engine: Settings) -> Settings:
    return settings_of_each_engine


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def desk(open_synced: OpenDesk, clock: FixedClock) -> Desk:
    return open_synced(clock)


def checkpoints(desk: Desk, contact: str) -> int:
    saver = desk.runs._checkpointer
    threads = [f"{contact}:{run}" for run in range(1, 4)]
    return sum(len(list(saver.list({"configurable": {"thread_id": thread}}))) for thread in threads)


def answer(desk: Desk, supervisor: Actor, contact: str) -> str:
    review = pending_review(desk, supervisor, contact)
    desk.reviews.decide(supervisor, review, {"kind": "approve"})
    desk.jobs.run_all()  # type: ignore[union-attr]
    return review


def test_only_contacts_that_ended_a_day_ago_are_pruned(
    desk: Desk, clock: FixedClock, agent: Actor, supervisor: Actor
) -> None:
    done, waiting = (open_contact(desk, agent, QUESTION) for _ in range(2))
    answer(desk, supervisor, done)
    desk.sweep()
    assert checkpoints(desk, done) > 0
    clock.advance(timedelta(days=2))
    late = open_contact(desk, agent, QUESTION)
    answer(desk, supervisor, late)
    desk.sweep()
    assert checkpoints(desk, done) == 0
    assert checkpoints(desk, late) > 0
    assert checkpoints(desk, waiting) > 0
    answer(desk, supervisor, waiting)
    assert desk.contacts.get(ADMIN, waiting).summary.status == "answered"


def test_a_job_that_comes_again_after_the_pruning_does_nothing(
    desk: Desk, clock: FixedClock, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, QUESTION)
    review = answer(desk, supervisor, contact)
    clock.advance(timedelta(days=2))
    desk.sweep()
    assert desk.runs.resume(review) == "answered"
    assert desk.runs.carry(f"{contact}:1") == "answered"
    assert len(desk.deliveries.of_contact(ADMIN, contact)) == 1


def test_a_pruned_contact_that_is_reopened_is_drafted_and_pruned_again(
    desk: Desk, clock: FixedClock, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, QUESTION)
    answer(desk, supervisor, contact)
    clock.advance(timedelta(days=2))
    desk.sweep()
    again = NewMessage("customer", "And how long have I to return it?")
    desk.contacts.add_message(agent, contact, again)
    desk.jobs.run_all()  # type: ignore[union-attr]
    answer(desk, supervisor, contact)
    assert checkpoints(desk, contact) > 0
    clock.advance(timedelta(days=2))
    desk.sweep()
    assert checkpoints(desk, contact) == 0
