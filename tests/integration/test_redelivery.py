"""A mail server that is away costs no answer; one that stays away puts it before a person."""

from __future__ import annotations

import errno
import smtplib
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.clock import FixedClock
from core.errors import BadInput, Conflict, NotAllowed
from desk.bootstrap import Desk
from desk.cli import app
from desk.contacts import NewMessage
from desk.delivery import DeliveryView, EmlTransport, Letter
from desk.doctor import examine
from desk.permissions import Actor
from desk.redelivery import PAUSES, Attempt
from tests.factories import ADMIN, NOON
from tests.integration.conftest import OpenDesk, open_contact, pending_review

QUESTION = "How long does a refund take?"
FULL = OSError(errno.ENOSPC, "No space left on device")


class Away(EmlTransport):
    """A transport that fails while ``trouble`` is set; it may have brought the letter all the same."""

    def __init__(self, folder: Path, clock: FixedClock) -> None:
        super().__init__(folder)
        self.trouble: OSError | None = FULL
        self.loses_the_reply = False
        self.tried: list[datetime] = []
        self._clock = clock

    def send(self, letter: Letter) -> str:
        """Write the letter, or fail."""
        self.tried.append(self._clock.now())
        if self.trouble and not self.loses_the_reply:
            raise self.trouble
        location = super().send(letter)
        if self.trouble:
            raise self.trouble
        return location


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def desk(open_synced: OpenDesk, clock: FixedClock) -> Desk:
    return open_synced(clock)


@pytest.fixture
def transport(desk: Desk, clock: FixedClock) -> Away:
    away = Away(desk.settings.home / "outbox", clock)
    desk.deliveries._transport = away
    return away


def approved(desk: Desk, agent: Actor, supervisor: Actor) -> str:
    contact = open_contact(desk, agent, QUESTION)
    review = pending_review(desk, agent, contact)
    desk.reviews.decide(supervisor, review, {"kind": "approve"})
    return contact


def delivery_of(desk: Desk, contact: str) -> DeliveryView:
    (delivery,) = desk.deliveries.of_contact(ADMIN, contact)
    return delivery


def try_until(desk: Desk, clock: FixedClock, attempt: Attempt, count: int) -> Attempt:
    """Make ``count`` attempts, each at its time; return the one that comes next."""
    for _ in range(count):
        clock.advance(attempt.pause or timedelta())
        desk.jobs.wait(attempt.key, 0)
        attempt = attempt.next
    return attempt


def test_an_hour_without_a_mail_server_costs_no_answer(
    desk: Desk, clock: FixedClock, agent: Actor, supervisor: Actor, transport: Away
) -> None:
    contact = approved(desk, agent, supervisor)
    transport.trouble = smtplib.SMTPServerDisconnected("please run connect() first")
    attempt = Attempt(delivery_of(desk, contact).id)
    while clock.now() < NOON + timedelta(hours=1):
        attempt = try_until(desk, clock, attempt, 1)
        waiting = delivery_of(desk, contact)
        assert waiting.status == "sending"
        assert waiting.due_at == clock.now() + (attempt.pause or timedelta())
        assert waiting.attempts == attempt.before
    assert desk.contacts.get(ADMIN, contact).summary.status == "scheduled"
    assert len(transport.tried) < len(PAUSES)
    transport.trouble = None
    try_until(desk, clock, attempt, 1)
    assert delivery_of(desk, contact).status == "sent"
    assert desk.contacts.get(ADMIN, contact).summary.status == "answered"
    assert len(list((desk.settings.home / "outbox").glob("*.eml"))) == 1
    assert desk.audit_seals.verify().faults == []


def test_one_that_stays_away_puts_the_answer_before_a_person_who_sends_it_again(
    desk: Desk, agent: Actor, supervisor: Actor, transport: Away
) -> None:
    contact = approved(desk, agent, supervisor)
    desk.jobs.run_all()  # type: ignore[union-attr]
    failed = delivery_of(desk, contact)
    assert (failed.status, failed.attempts) == ("failed", 1 + len(PAUSES))
    view = desk.contacts.get(ADMIN, contact)
    assert view.summary.status == "failed"
    assert "could not be delivered: The machine says: No space left on device." in view.failure
    assert desk.deliveries.set_aside(agent) == [failed]
    (outbox,) = [part for part in examine(desk) if part["part"] == "outbox"]
    assert not outbox["ok"]
    assert "1 approved answer could not be sent" in outbox["says"]

    with pytest.raises(NotAllowed):
        desk.deliveries.send_again(agent, failed.id)
    desk.deliveries.send_again(supervisor, failed.id)
    assert desk.contacts.get(ADMIN, contact).summary.status == "scheduled"
    with pytest.raises(Conflict, match="nothing to send again"):
        desk.deliveries.send_again(supervisor, failed.id)
    transport.trouble = None
    desk.jobs.run_all()  # type: ignore[union-attr]
    assert delivery_of(desk, contact).status == "sent"
    assert desk.deliveries.troubles() == (0, 0)
    assert desk.audit_seals.verify().faults == []


def test_what_changed_while_the_mail_server_was_away_stops_the_answer(
    desk: Desk, clock: FixedClock, agent: Actor, supervisor: Actor, transport: Away
) -> None:
    contact = approved(desk, agent, supervisor)
    attempt = try_until(desk, clock, Attempt(delivery_of(desk, contact).id), 2)
    assert desk.deliveries.troubles() == (0, 1)
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace("5 business days", "8 business days"))
    desk.sync()
    transport.trouble = None
    try_until(desk, clock, attempt, 1)
    assert delivery_of(desk, contact).status == "undone"
    assert not list((desk.settings.home / "outbox").glob("*.eml"))


def test_a_letter_whose_receipt_was_lost_is_not_sent_twice(
    desk: Desk, agent: Actor, supervisor: Actor, transport: Away
) -> None:
    transport.loses_the_reply = True
    contact = approved(desk, agent, supervisor)
    desk.jobs.wait(Attempt(delivery_of(desk, contact).id).key, 0)
    transport.trouble = None
    desk.jobs.run_all()  # type: ignore[union-attr]
    assert delivery_of(desk, contact).status == "sent"
    assert len(list((desk.settings.home / "outbox").glob("*.eml"))) == 1
    messages = desk.contacts.get(ADMIN, contact).messages
    assert [one.speaker for one in messages].count("agent") == 1


def test_a_job_that_comes_again_after_its_attempt_makes_no_second_one(
    desk: Desk, clock: FixedClock, agent: Actor, supervisor: Actor, transport: Away
) -> None:
    contact = approved(desk, agent, supervisor)
    first = Attempt(delivery_of(desk, contact).id)
    try_until(desk, clock, first, 1)
    assert desk.deliveries.deliver(first.argument) == "sending"
    assert len(transport.tried) == 1
    assert delivery_of(desk, contact).attempts == 1


def test_an_answer_that_the_contact_went_on_without_is_not_sent_again(
    desk: Desk, agent: Actor, supervisor: Actor, transport: Away
) -> None:
    contact = approved(desk, agent, supervisor)
    desk.jobs.run_all()  # type: ignore[union-attr]
    desk.contacts.add_message(agent, contact, NewMessage("customer", "Never mind, it came."))
    with pytest.raises(Conflict, match="gone on without"):
        desk.deliveries.send_again(supervisor, delivery_of(desk, contact).id)
    assert desk.deliveries.set_aside(agent) == []


def test_the_command_line_sends_all_again_that_were_given_up(
    desk: Desk,
    agent: Actor,
    supervisor: Actor,
    transport: Away,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("desk.cli_outbox.opened_desk", lambda: nullcontext(desk))
    contact = approved(desk, agent, supervisor)
    desk.jobs.run_all()  # type: ignore[union-attr]
    run = CliRunner().invoke
    listed = run(app, ["outbox", "list"]).output
    assert delivery_of(desk, contact).id in listed
    assert "No space left on device" in listed
    assert isinstance(run(app, ["outbox", "send-again"]).exception, BadInput)
    assert "1 will be tried again" in run(app, ["outbox", "send-again", "--all"]).output
    transport.trouble = None
    desk.jobs.run_all()  # type: ignore[union-attr]
    assert delivery_of(desk, contact).status == "sent"
    assert "has left or is on its way" in run(app, ["outbox", "list"]).output
