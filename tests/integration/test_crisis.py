"""A crisis or a danger: first in every queue, with the workspace's own instruction, never a draft."""

from __future__ import annotations

import pytest

from core.errors import AlreadyDecided
from desk.bootstrap import Desk
from desk.contacts import NewMessage
from desk.jobs import InlineJobs
from desk.permissions import Actor
from desk.queues import ContactQueues
from tests.factories import ADMIN
from tests.integration.conftest import open_contact, pending_review

QUESTION = "Hello, how long does a refund take to reach my card?"
CRISIS = "I don't want to be alive any more, I have counted the tablets."
SAFETY = "There is smoke coming out of the lamp and the plug has melted."
JUMPS = pytest.mark.parametrize(
    ("text", "trigger", "told"),
    [(CRISIS, "crisis", "crisis line"), (SAFETY, "safety", "unplug it")],
)


def run_jobs(desk: Desk) -> None:
    assert isinstance(desk.jobs, InlineJobs)
    desk.jobs.run_all()


def assert_handed_over(desk: Desk, contact_id: str, trigger: str, told: str) -> None:
    view = desk.contacts.get(ADMIN, contact_id)
    assert (view.summary.status, view.summary.tier) == ("escalated", "escalate_first")
    assert view.brief is not None
    assert trigger in [firing["id"] for firing in view.brief["triggers"]]
    assert told in view.brief["instruction"]


@JUMPS
def test_nothing_is_drafted_and_the_instruction_is_shown(
    desk: Desk, agent: Actor, text: str, trigger: str, told: str
) -> None:
    contact_id = open_contact(desk, agent, text)
    assert_handed_over(desk, contact_id, trigger, told)
    assert desk.reviews.of_contact(agent, contact_id) == []


@JUMPS
def test_a_later_message_takes_back_the_draft_that_waits(
    desk: Desk, agent: Actor, supervisor: Actor, text: str, trigger: str, told: str
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review = pending_review(desk, agent, contact_id)
    desk.contacts.add_message(None, contact_id, NewMessage("customer", text))
    with pytest.raises(AlreadyDecided, match="withdrawn"):
        desk.reviews.decide(supervisor, review, {"kind": "approve"})
    run_jobs(desk)
    assert_handed_over(desk, contact_id, trigger, told)
    assert list((desk.settings.home / "outbox").glob("*.eml")) == []


def test_thanks_after_it_do_not_settle_a_crisis(desk: Desk, agent: Actor) -> None:
    contact_id = open_contact(desk, agent, CRISIS)
    desk.contacts.add_message(None, contact_id, NewMessage("agent", "Are you safe? Call 112."))
    desk.contacts.add_message(
        None, contact_id, NewMessage("customer", "Thank you, all sorted. How long is a refund?")
    )
    run_jobs(desk)
    assert_handed_over(desk, contact_id, "crisis", "crisis line")
    assert desk.reviews.of_contact(agent, contact_id) == []


def test_it_stands_before_an_escalation_that_came_first(desk: Desk, agent: Actor) -> None:
    threat = open_contact(desk, agent, "My solicitor will be in touch about the lamp.")
    question = open_contact(desk, agent, QUESTION)
    crisis = open_contact(desk, agent, CRISIS)
    queues = ContactQueues(desk.database, desk.clock)
    assert [one.id for one in queues.page(agent, "high_risk")] == [crisis, threat]
    assert [one.id for one in queues.page(agent, "unassigned")] == [crisis, threat, question]
