"""A person says what a contact is about; the desk follows, and learns."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.errors import BadInput, ClaimedByOther, Conflict, NotAllowed, NotFound
from desk.bootstrap import Desk, open_desk
from desk.contacts import NewMessage
from desk.jobs import InlineJobs
from desk.models import Contact, Handoff
from desk.permissions import Actor
from tests.factories import ADMIN, conversation
from tests.integration.conftest import REASONS, OpenDesk, open_contact, pending_review

QUESTION = "Hello, how long does a refund take to reach my card?"
ODD = "The zebra lamp flickers at dusk, is that how it should be?"
# No examples: what the tier rules learned for the plain map is used again.
SUPERVISED = """  - id: complaint
    name: Complaint
    owner: Care
    tier: review_required
  - id: fire
    name: Fire
    owner: Safety
    tier: escalate_first
    sla_minutes: 10
"""


@pytest.fixture
def wider(open_synced: OpenDesk, settings) -> Desk:
    """A desk whose map has reasons of every tier."""
    settings.workspace_folder.joinpath("reasons.yaml").write_text(REASONS + SUPERVISED)
    return open_synced()


@pytest.fixture
def mina(wider: Desk) -> Actor:
    return wider.people.add(None, "Mina", "mina@example.com", "agent")


@pytest.fixture
def ruth(wider: Desk) -> Actor:
    return wider.people.add(None, "Ruth", "ruth@example.com", "supervisor")


def settle(desk: Desk) -> None:
    assert isinstance(desk.jobs, InlineJobs)
    desk.jobs.run_all()


def reason_of(desk: Desk, text: str) -> str | None:
    return desk.deps.classifier.classify(conversation(text, contact_id="con_other"))["reason"]


def test_a_corrected_contact_is_routed_again_by_its_new_reason(desk: Desk, agent: Actor) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    before = pending_review(desk, agent, contact_id)
    opened = desk.contacts.get(agent, contact_id).summary
    assert opened.reason == "refund_question"
    desk.corrections.correct(agent, contact_id, "order_status")
    settle(desk)
    now = desk.contacts.get(agent, contact_id).summary
    assert (now.reason, now.confidence) == ("order_status", 1.0)
    assert now.due_at == opened.created_at + timedelta(minutes=60)
    review = pending_review(desk, agent, contact_id)
    assert review != before
    view = desk.reviews.get(agent, review)
    assert view.draft["kind"] == "clarify"  # the new reason asks for an order number
    assert view.classification["alternatives"][0]["reason"] == "order_status"
    events = [one.event for one in desk.audit.of_contact(ADMIN, contact_id)]
    assert events == ["contact.opened", "review.opened", "contact.corrected", "review.opened"]


def test_the_trail_of_a_correction_holds_no_words_of_the_customer(desk: Desk, agent: Actor) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    desk.corrections.correct(agent, contact_id, "order_status")
    (entry,) = [
        one for one in desk.audit.of_contact(ADMIN, contact_id) if one.event == "contact.corrected"
    ]
    assert entry.actor == agent.id
    assert (entry.data["was"], entry.data["reason"]) == ("refund_question", "order_status")
    assert "refund to reach" not in str(entry.data)


def test_the_next_contact_of_the_same_kind_is_recognised_in_every_process(
    desk: Desk, agent: Actor
) -> None:
    contact_id = open_contact(desk, agent, ODD)
    other = open_desk(desk.settings, inline=True)
    try:
        assert reason_of(other, ODD) is None
        correction = desk.corrections.correct(agent, contact_id, "shipping_question")
        assert reason_of(desk, ODD) == "shipping_question"
        assert reason_of(other, ODD) == "shipping_question"
        desk.corrections.undo(agent, correction)
        assert reason_of(desk, ODD) is None
        assert reason_of(other, ODD) is None
    finally:
        other.close()


def test_a_correction_outlives_the_process_and_sleeps_while_its_reason_is_gone(
    open_synced: OpenDesk, settings
) -> None:
    file = settings.workspace_folder / "reasons.yaml"
    first = open_synced()
    contact_id = open_contact(first, ADMIN, ODD)
    first.corrections.correct(ADMIN, contact_id, "shipping_question")
    first.close()
    file.write_text(REASONS.replace("id: shipping_question", "id: delivery"))
    without = open_synced()
    assert reason_of(without, ODD) != "shipping_question"
    assert [one.dormant for one in without.corrections.all(ADMIN)] == [True]
    without.close()
    file.write_text(REASONS)
    again = open_synced()
    assert reason_of(again, ODD) == "shipping_question"
    assert [one.dormant for one in again.corrections.all(ADMIN)] == [False]


def test_a_further_message_does_not_bring_the_wrong_reason_back(desk: Desk, agent: Actor) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    desk.corrections.correct(agent, contact_id, "shipping_question")
    settle(desk)
    desk.contacts.add_message(None, contact_id, NewMessage("customer", "When do I get the money?"))
    settle(desk)
    assert desk.contacts.get(agent, contact_id).summary.reason == "shipping_question"


def test_undo_gives_the_contact_its_former_reason_back(desk: Desk, agent: Actor) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    opened = desk.contacts.get(agent, contact_id).summary
    correction = desk.corrections.correct(agent, contact_id, "order_status")
    settle(desk)
    desk.corrections.undo(agent, correction)
    settle(desk)
    now = desk.contacts.get(agent, contact_id).summary
    assert (now.reason, now.due_at) == (opened.reason, opened.due_at)
    assert (
        desk.reviews.get(agent, pending_review(desk, agent, contact_id)).draft["kind"] == "answer"
    )
    with pytest.raises(BadInput, match="taken back already"):
        desk.corrections.undo(agent, correction)


def test_undoing_an_overruled_correction_changes_nothing_of_the_contact(
    desk: Desk, agent: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    first = desk.corrections.correct(agent, contact_id, "order_status")
    settle(desk)
    second = desk.corrections.correct(agent, contact_id, "shipping_question")
    settle(desk)
    desk.corrections.undo(agent, first)
    assert desk.contacts.get(agent, contact_id).summary.reason == "shipping_question"
    desk.corrections.undo(agent, second)
    settle(desk)
    assert desk.corrections.taught().pairs == ()


def test_none_of_the_reasons_is_an_answer_too(desk: Desk, agent: Actor) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    desk.corrections.correct(agent, contact_id, None)
    settle(desk)
    summary = desk.contacts.get(agent, contact_id).summary
    assert summary.reason is None
    assert summary.tier == "review_required"  # nobody owns it
    assert [reason for _, reason in desk.corrections.taught().pairs] == [None]


def test_a_new_reason_that_escalates_reaches_a_person_even_when_it_was_answered(
    wider: Desk, ruth: Actor
) -> None:
    contact_id = open_contact(wider, ruth, QUESTION)
    wider.reviews.decide(ruth, pending_review(wider, ruth, contact_id), {"kind": "approve"})
    settle(wider)
    assert wider.contacts.get(ruth, contact_id).summary.status == "answered"
    wider.corrections.correct(ruth, contact_id, "order_status")
    assert wider.contacts.get(ruth, contact_id).summary.status == "answered"
    wider.corrections.correct(ruth, contact_id, "fire")
    settle(wider)
    summary = wider.contacts.get(ruth, contact_id).summary
    assert (summary.status, summary.tier) == ("escalated", "escalate_first")
    assert summary.due_at == summary.created_at + timedelta(minutes=10)


def test_an_escalated_contact_goes_to_the_team_of_its_new_reason_and_stays_with_it(
    wider: Desk, mina: Actor, ruth: Actor
) -> None:
    contact_id = open_contact(wider, mina, QUESTION)
    wider.corrections.correct(mina, contact_id, "fire")
    settle(wider)
    assert wider.contacts.get(mina, contact_id).summary.status == "escalated"
    wider.corrections.correct(ruth, contact_id, "refund_question")
    settle(wider)
    view = wider.contacts.get(mina, contact_id)
    assert (view.summary.status, view.summary.tier) == ("escalated", "allowed")
    with wider.database.read() as session:
        assert session.scalars(select(Handoff.team)).all() == ["Billing"]


def test_an_agent_cannot_correct_a_review_into_their_own_hands(
    wider: Desk, mina: Actor, ruth: Actor
) -> None:
    contact_id = open_contact(wider, mina, QUESTION)
    wider.corrections.correct(mina, contact_id, "complaint")
    settle(wider)
    assert wider.contacts.get(mina, contact_id).summary.tier == "review_required"
    with pytest.raises(NotAllowed, match="supervisor"):
        wider.corrections.correct(mina, contact_id, "refund_question")
    offered = {choice.id for choice in wider.corrections.choices(mina, contact_id)}
    assert offered == {"complaint", "fire"}
    wider.corrections.correct(ruth, contact_id, "refund_question")
    settle(wider)
    assert wider.contacts.get(mina, contact_id).summary.reason == "refund_question"


def test_the_likely_reasons_are_offered_first_and_none_last(desk: Desk, agent: Actor) -> None:
    contact_id = open_contact(desk, agent, "where is my parcel, LB-123456, it has not arrived")
    choices = desk.corrections.choices(agent, contact_id)
    assert choices[0].id == "order_status"
    assert choices[0].confidence is not None
    assert [choice.id for choice in choices][-1] is None
    assert len(choices) == 4


def test_what_cannot_be_corrected_is_refused_in_words(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    with pytest.raises(NotFound, match="there are: refund_question"):
        desk.corrections.correct(agent, contact_id, "weather")
    with pytest.raises(NotFound, match="no contact"):
        desk.corrections.correct(agent, "con_0", "order_status")
    with pytest.raises(BadInput, match="already"):
        desk.corrections.correct(agent, contact_id, "refund_question")
    desk.reviews.claim(supervisor, pending_review(desk, agent, contact_id))
    with pytest.raises(ClaimedByOther, match="Ruth"):
        desk.corrections.correct(agent, contact_id, "order_status")
    with desk.database.write() as session:
        session.get_one(Contact, contact_id).status = "deciding"
    with pytest.raises(Conflict, match="carried out"):
        desk.corrections.correct(supervisor, contact_id, "order_status")
    assert desk.corrections.state() == (0, 0)


def test_a_due_date_that_came_with_the_contact_stays(desk: Desk, agent: Actor) -> None:
    due = desk.clock.now() + timedelta(days=3)
    contact_id = open_contact(desk, agent, QUESTION, due_at=due)
    desk.corrections.correct(agent, contact_id, "order_status")
    settle(desk)
    assert desk.contacts.get(agent, contact_id).summary.due_at == due


def test_an_agent_undoes_only_their_own(desk: Desk, agent: Actor, supervisor: Actor) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    correction = desk.corrections.correct(supervisor, contact_id, "order_status")
    settle(desk)
    with pytest.raises(NotAllowed, match="Somebody else"):
        desk.corrections.undo(agent, correction)


def test_of_two_words_on_the_same_question_the_later_is_learned(desk: Desk, agent: Actor) -> None:
    first, second = (open_contact(desk, agent, ODD, subject=str(at)) for at in range(2))
    desk.corrections.correct(agent, first, "shipping_question")
    settle(desk)
    desk.corrections.correct(agent, second, "order_status")
    assert [reason for _, reason in desk.corrections.taught().pairs] == ["order_status"]
