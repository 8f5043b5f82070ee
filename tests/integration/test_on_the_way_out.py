"""What comes between an approval and the letter, or while the letter is on its way."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, update

from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.contacts import NewMessage
from desk.delivery import Deliveries, EmlTransport, Letter
from desk.jobs import InlineJobs
from desk.models import Contact, Delivery, Message
from desk.permissions import Actor
from desk.redelivery import Attempt
from tests.factories import ADMIN
from tests.integration.conftest import REASONS, OpenDesk, open_contact, pending_review
from tests.integration.test_main_job import (
    QUESTION,
    THREAT,
    change_refunds,
    letters,
    run_jobs,
    status,
)

FIRE = """  - id: fire
    name: Fire
    owner: Safety
    tier: escalate_first
"""


class Interrupted(EmlTransport):
    """Has something happen at the moment it sends."""

    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def send(self, letter: Letter) -> str:
        self.meanwhile()
        return super().send(letter)


def approve(desk: Desk, agent: Actor, supervisor: Actor) -> tuple[str, str]:
    """Approve an answer that leaves in a minute; return its contact and its delivery."""
    desk.undo_seconds = 60
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    outcome = desk.reviews.decide(supervisor, review_id, {"kind": "approve"})
    assert outcome.delivery_id
    return contact_id, outcome.delivery_id


def delivery_status(desk: Desk, contact_id: str) -> str:
    (delivery,) = desk.deliveries.of_contact(ADMIN, contact_id)
    return delivery.status


def test_a_message_that_comes_while_the_letter_leaves_is_taken_up(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id, _ = approve(desk, agent, supervisor)
    transport = Interrupted(desk.settings.home / "outbox")
    transport.meanwhile = lambda: desk.contacts.add_message(None, contact_id, THREAT)
    desk.deliveries._transport = transport
    run_jobs(desk)
    assert len(letters(desk)) == 1
    assert status(desk, contact_id) == "escalated"
    events = [event.event for event in desk.audit.of_contact(ADMIN, contact_id)]
    assert events.index("contact.reopened") == events.index("delivery.sent") + 1


def test_a_delivery_that_broke_off_is_looked_at_again_before_it_is_sent(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id, delivery_id = approve(desk, agent, supervisor)
    assert desk.deliveries._release(Attempt(delivery_id))  # and here its process died
    change_refunds(desk, "5 business days", "15 business days")
    run_jobs(desk)
    assert letters(desk) == []
    assert delivery_status(desk, contact_id) == "undone"
    again = desk.reviews.get(agent, pending_review(desk, agent, contact_id))
    assert again.changes or "15 business days" in str(again.draft)


def test_a_letter_that_had_left_when_its_process_died_counts_as_sent(
    desk: Desk, agent: Actor, supervisor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact_id, delivery_id = approve(desk, agent, supervisor)
    with monkeypatch.context() as patched:
        patched.setattr(Deliveries, "_sent", lambda *_: "died")
        assert desk.deliveries.deliver(delivery_id) == "died"
    change_refunds(desk, "5 business days", "15 business days")
    run_jobs(desk)
    assert len(letters(desk)) == 1
    assert delivery_status(desk, contact_id) == "sent"
    assert status(desk, contact_id) == "answered"


def test_a_contact_that_turns_out_to_be_worse_in_the_undo_window_does_not_get_its_answer(
    open_synced: OpenDesk, settings: Settings
) -> None:
    settings.workspace_folder.joinpath("reasons.yaml").write_text(REASONS + FIRE)
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    supervisor = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    contact_id, _ = approve(desk, agent, supervisor)
    desk.corrections.correct(agent, contact_id, "fire")
    run_jobs(desk)
    assert letters(desk) == []
    assert delivery_status(desk, contact_id) == "undone"
    assert status(desk, contact_id) == "escalated"


def test_an_approval_that_a_new_run_overtook_sends_nothing(
    desk: Desk, agent: Actor, supervisor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Deliveries.put

    def overtaken(deliveries: Deliveries, key: str, contact_id: str, *rest: object) -> None:
        with desk.database.write() as session:
            session.execute(update(Contact).where(Contact.id == contact_id).values(run=2))
        put(deliveries, key, contact_id, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Deliveries, "put", overtaken)
    contact_id, _ = approve(desk, agent, supervisor)
    with desk.database.read() as session:
        assert session.scalar(select(Delivery.review_id)) is not None
    run_jobs(desk)
    assert letters(desk) == []
    assert delivery_status(desk, contact_id) == "undone"


def test_messages_that_come_at_one_moment_are_all_kept(settings_of_each_engine: Settings) -> None:
    desk = open_desk(settings_of_each_engine, inline=True)
    try:
        desk.sync()
        agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
        contact_id = open_contact(desk, agent, QUESTION)
        together, failures = threading.Barrier(4), []

        def write(who: int) -> None:
            together.wait()
            for number in range(5):
                try:
                    message = NewMessage("customer", f"{who} writes message {number}.")
                    desk.contacts.add_message(None, contact_id, message)
                except Exception as error:
                    failures.append(error)

        writers = [threading.Thread(target=write, args=(who,)) for who in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert failures == []
        with desk.database.read() as session:
            query = select(func.count()).where(Message.contact_id == contact_id)
            assert session.scalar(query) == 21
        assert isinstance(desk.jobs, InlineJobs)
    finally:
        desk.close()
