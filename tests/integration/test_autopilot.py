"""Answers that leave without a person, and what keeps them from it in the last moment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.errors import Conflict, NotFound
from desk.autonomy_models import AutonomyEvidence, AutopilotApproval
from desk.bootstrap import Desk
from desk.contacts import NewMessage
from desk.delivery import Deliveries
from desk.models import Contact, Review, SourceFlagRow
from desk.permissions import Actor
from desk.render import run_as_json, run_report
from tests.integration.conftest import open_contact, pending_review
from tests.integration.earned import QUESTION, REASON, a_flag, note_answers, put_on_autopilot
from tests.integration.one_desk import one_desk


@pytest.fixture(scope="module")
def the_desk(tmp_path_factory: pytest.TempPathFactory, example_vectors: Path) -> Iterator[Desk]:
    yield from one_desk(tmp_path_factory.mktemp("autopilot"), example_vectors)


@pytest.fixture(scope="module")
def ruth(the_desk: Desk) -> Actor:
    return the_desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")


@pytest.fixture
def flying(the_desk: Desk, ruth: Actor) -> Desk:
    """The desk, with its reason on autopilot whatever the test before left."""
    if not the_desk.autonomy.switch().on:
        the_desk.autonomy.resume(ruth, "For the next test.")
    if the_desk.autonomy.line(ruth, REASON).state != "autopilot":
        note_answers(the_desk.database, ruth, 80)  # the last test may have left a loss
        put_on_autopilot(the_desk.database, the_desk.autonomy, ruth)
    return the_desk


def ask(desk: Desk, actor: Actor, text: str = QUESTION) -> str:
    return open_contact(desk, actor, text, customer_email="ada@example.com")


def delivery_of(desk: Desk, actor: Actor, contact_id: str) -> str:
    return desk.deliveries.of_contact(actor, contact_id)[-1].id


def status(desk: Desk, contact_id: str) -> str:
    with desk.database.read() as session:
        return session.get_one(Contact, contact_id).status


def test_a_clean_answer_leaves_without_a_person_and_the_trail_says_on_what(
    flying: Desk, ruth: Actor
) -> None:
    contact = ask(flying, ruth)
    assert status(flying, contact) == "scheduled"
    assert flying.reviews.of_contact(ruth, contact) == []
    (waiting,) = flying.deliveries.of_contact(ruth, contact)
    assert waiting.approved_by == "autopilot"
    assert flying.deliveries.deliver(waiting.id) == "sent"
    assert status(flying, contact) == "answered"
    events = {one.event: one for one in flying.audit.of_contact(ruth, contact)}
    approved = events["autopilot.approved"].data
    assert approved["e_value"] >= 20
    assert approved["evidence"]["versions"][0]["article_id"] == "help-center/refunds.md"
    assert approved["delivery"] == waiting.id
    assert flying.autonomy.line(ruth, REASON).sent == 1
    # What it needs a person for it still leaves to one, and says why.
    for text, why in (
        ("I want my money back now or I call my lawyer about a refund.", None),
        ("How long does a refund take? This is a complaint, I am very angry.", "triggers"),
        ("How much is shipping?", "autonomy"),
    ):
        contact = ask(flying, ruth, text)
        assert flying.deliveries.of_contact(ruth, contact) == []
        if why:
            with flying.database.read() as session:
                review = session.scalars(select(Review).where(Review.contact_id == contact)).one()
            assert why in [one["id"] for one in review.state["autopilot"]["why_not"]]


def test_the_switch_holds_back_what_waits_and_lets_nothing_new_go(
    flying: Desk, ruth: Actor
) -> None:
    before = ask(flying, ruth)
    flying.autonomy.stop(ruth, "Something is off.")
    assert flying.deliveries.deliver(delivery_of(flying, ruth, before)) == "undone"
    flying.contacts.wait_for_draft(before)
    assert status(flying, before) == "in_review"
    assert status(flying, ask(flying, ruth)) == "in_review"
    flying.autonomy.resume(ruth, "It was nothing.")
    assert status(flying, ask(flying, ruth)) == "scheduled"


def test_a_process_that_dies_around_the_outbox_sends_once(
    flying: Desk, ruth: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Deliveries.put

    def dies_after(self: Deliveries, *given: object) -> None:
        put(self, *given)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    def dies_before(self: Deliveries, *given: object) -> None:
        raise KeyboardInterrupt

    for dies in (dies_before, dies_after):
        monkeypatch.setattr(Deliveries, "put", dies)
        with pytest.raises(KeyboardInterrupt):
            ask(flying, ruth)
        with flying.database.read() as session:
            contact = session.scalars(select(Contact).order_by(Contact.id.desc())).first()
        assert contact is not None
        monkeypatch.setattr(Deliveries, "put", put)
        assert flying.runs.carry(contact.thread) == "scheduled"
        assert flying.runs.carry(contact.thread) == "scheduled"
        (delivery,) = flying.deliveries.of_contact(ruth, contact.id)
        assert flying.deliveries.deliver(delivery.id) == "sent"
        assert flying.runs.carry(contact.thread) == "answered"
        with flying.database.read() as session:
            query = select(AutopilotApproval).where(AutopilotApproval.contact_id == contact.id)
            assert session.scalars(query).one().thread == contact.thread


def test_a_customer_who_writes_in_the_undo_window_is_read_first(flying: Desk, ruth: Actor) -> None:
    contact = ask(flying, ruth)
    more = NewMessage("customer", "And I want to close my account. This is a complaint.")
    flying.contacts.add_message(None, contact, more)
    assert flying.deliveries.deliver(delivery_of(flying, ruth, contact)) == "undone"
    flying.contacts.wait_for_draft(contact)
    assert status(flying, contact) in ("in_review", "escalated")


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("This is wrong! How long does a refund take? I complain about this answer.", "review"),
        ("Thank you so much, that helped!", "autopilot"),
    ],
)
def test_a_customer_who_comes_back_about_an_answer_ends_autopilot_and_thanks_do_not(
    flying: Desk, ruth: Actor, text: str, state: str
) -> None:
    contact = ask(flying, ruth)
    flying.deliveries.deliver(delivery_of(flying, ruth, contact))
    flying.contacts.add_message(None, contact, NewMessage("customer", text))
    flying.contacts.wait_for_draft(contact)
    assert flying.autonomy.line(ruth, REASON).state == state
    # Whatever it says, what comes back is for a person.
    assert status(flying, contact) in ("in_review", "escalated")


def test_what_reviewers_decide_is_the_evidence(flying: Desk, ruth: Actor) -> None:
    flying.autonomy.stop(ruth)
    approved, changed, rejected = (ask(flying, ruth) for _ in range(3))
    flying.reviews.decide(ruth, pending_review(flying, ruth, approved), {"kind": "approve"})
    wrong = "A refund takes 30 business days to reach your card."
    reply = {"kind": "edit", "text": wrong}
    review = pending_review(flying, ruth, changed)
    outcome = flying.reviews.decide(ruth, review, reply)
    assert outcome.next_review_id is not None  # the check objects, and a person insists
    insisted = {"kind": "approve", "comment": "The bank told us."}
    flying.reviews.decide(ruth, outcome.next_review_id, insisted)
    no = {"kind": "reject", "reason": "incomplete", "comment": "Say from when."}
    flying.reviews.decide(ruth, pending_review(flying, ruth, rejected), no)
    with flying.database.read() as session:
        query = select(AutonomyEvidence).where(AutonomyEvidence.review_id.is_not(None))
        found = {one.contact_id: one for one in session.scalars(query)}
    three = (approved, changed, rejected)
    assert {one: (found[one].kind, found[one].loss) for one in three} == {
        approved: ("approved", 0.0),
        changed: ("edited", 1.0),
        rejected: ("rejected", 1.0),
    }
    assert found[approved].person_id == ruth.id


@pytest.mark.parametrize(
    ("reply", "state", "loss"),
    [
        ({"kind": "edit", "text": "A refund takes 30 business days."}, "review", 1.0),
        ({"kind": "approve"}, "autopilot", 0.0),
    ],
)
def test_an_answer_called_back_from_autopilot_and_corrected_ends_it(
    flying: Desk, ruth: Actor, reply: dict[str, str], state: str, loss: float
) -> None:
    contact = ask(flying, ruth)
    flying.deliveries.undo(ruth, delivery_of(flying, ruth, contact))
    flying.contacts.wait_for_draft(contact)
    review = pending_review(flying, ruth, contact)
    outcome = flying.reviews.decide(ruth, review, reply)
    if outcome.next_review_id:  # the check objects, and a person insists
        insisted = {"kind": "approve", "comment": "The bank told us."}
        flying.reviews.decide(ruth, outcome.next_review_id, insisted)
    assert flying.autonomy.line(ruth, REASON).state == state
    with flying.database.read() as session:
        query = select(AutonomyEvidence.loss).where(AutonomyEvidence.contact_id == contact)
        assert session.scalars(query).all() == [loss]


def test_a_state_before_there_was_autopilot_can_still_be_decided(flying: Desk, ruth: Actor) -> None:
    flying.autonomy.stop(ruth)
    contact = ask(flying, ruth)
    review = pending_review(flying, ruth, contact)
    with flying.database.write() as session:
        row = session.get_one(Review, review)
        row.state = {key: value for key, value in row.state.items() if key != "autopilot"}
    outcome = flying.reviews.decide(ruth, review, {"kind": "approve"})
    assert outcome.delivery_id
    with flying.database.read() as session:
        query = select(AutonomyEvidence).where(AutonomyEvidence.review_id == review)
        assert session.scalars(query).all() == []


def test_an_answer_whose_source_is_flagged_meanwhile_is_held_back(
    flying: Desk, ruth: Actor
) -> None:
    contact = ask(flying, ruth)
    flag = a_flag("overdue", "help-center/refunds.md")
    with flying.database.write() as session:
        session.add(flag)
    assert flying.deliveries.deliver(delivery_of(flying, ruth, contact)) == "undone"
    stopped = flying.audit.of_contact(ruth, contact)
    assert "A source it rests on was flagged." in [one.data.get("autopilot") for one in stopped]
    with flying.database.write() as session:
        session.delete(session.get_one(SourceFlagRow, flag.id))


def test_an_answer_whose_contact_turns_out_to_be_about_something_else_is_held_back(
    flying: Desk, ruth: Actor
) -> None:
    contact = ask(flying, ruth)
    flying.corrections.correct(ruth, contact, "shipping_question")
    assert flying.deliveries.deliver(delivery_of(flying, ruth, contact)) == "undone"
    events = flying.audit.of_contact(ruth, contact)
    held = [one.data.get("autopilot") for one in events if one.event == "delivery.stopped"]
    assert held == ["Somebody said that it is about something else."]
    flying.contacts.wait_for_draft(contact)
    (review,) = flying.reviews.of_contact(ruth, contact)
    assert review.reason == "shipping_question"
    assert flying.autonomy.line(ruth, REASON).state == "autopilot"
    (correction,) = flying.corrections.all(ruth, contact_id=contact)
    flying.corrections.undo(ruth, correction.id)


def test_a_customer_who_comes_back_is_heard_though_the_reason_was_corrected_since(
    flying: Desk, ruth: Actor
) -> None:
    contact = ask(flying, ruth)
    assert flying.deliveries.deliver(delivery_of(flying, ruth, contact)) == "sent"
    flying.corrections.correct(ruth, contact, "shipping_question")
    assert flying.autonomy.line(ruth, REASON).state == "autopilot"
    flying.contacts.add_message(None, contact, NewMessage("customer", "How long does it take?"))
    flying.jobs.run_all()  # type: ignore[union-attr]
    line = flying.autonomy.line(ruth, REASON)
    assert (line.state, line.cause) == (
        "review",
        "A customer came back about an answer of this reason.",
    )
    (correction,) = flying.corrections.all(ruth, contact_id=contact)
    flying.corrections.undo(ruth, correction.id)


def test_the_answer_that_is_named_is_the_one_marked_wrong(flying: Desk, ruth: Actor) -> None:
    contact = ask(flying, ruth)
    flying.deliveries.deliver(first := delivery_of(flying, ruth, contact))
    flying.contacts.add_message(None, contact, NewMessage("customer", "How much is shipping?"))
    flying.contacts.wait_for_draft(contact)
    review = pending_review(flying, ruth, contact)
    later = flying.reviews.decide(ruth, review, {"kind": "approve", "comment": "Fine."})
    with pytest.raises(Conflict, match="call it back"):
        flying.autonomy.mark_wrong(ruth, contact, "It costs more.")
    assert flying.deliveries.deliver(str(later.delivery_id)) == "sent"
    flying.autonomy.mark_wrong(ruth, contact, "It takes ten days.", first)
    told = [one.data for one in flying.audit.of_contact(ruth, contact)][-1]
    assert (told["delivery"], told["autopilot"]) == (first, True)
    with pytest.raises(Conflict, match="before"):
        flying.autonomy.mark_wrong(ruth, contact, "It takes ten days.", first)
    with pytest.raises(NotFound, match="no such answer"):
        flying.autonomy.mark_wrong(ruth, ask(flying, ruth), "It is wrong.", first)


def test_who_asks_is_told_in_words_that_it_leaves_without_a_person(
    flying: Desk, ruth: Actor, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run_as_json(flying, ruth, QUESTION, "email", "Ada", "standard")
    assert (found["outcome"], found["answer"]["status"]) == ("autopilot", "scheduled")
    run_report(found)
    said = " ".join(capsys.readouterr().out.split())
    assert "A refund takes 5 business days" in said
    assert "No person reads it first: its contact reason is on autopilot. It leaves at " in said
    flying.deliveries.deliver(delivery_of(flying, ruth, found["contact"]))
    assert flying.contacts.get(ruth, found["contact"]).summary.status == "answered"


def test_what_autopilot_leaves_in_the_trail_holds_nobodys_words(flying: Desk, ruth: Actor) -> None:
    contact = ask(flying, ruth, "Ahoi, how long does a refund take?")
    told = json.dumps([one.as_json() for one in flying.audit.of_contact(ruth, contact)])
    assert "Ahoi" not in told
    assert "business days" not in told
