"""The audit trail: sealed by the hour, and verified."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update
from typer.testing import CliRunner

from core.settings import Settings
from desk.bootstrap import Desk
from desk.cli import app
from desk.models import AuditEvent, AuditSeal
from desk.permissions import Actor
from tests.factories import NOON
from tests.integration.conftest import OpenDesk, open_contact, pending_review


@pytest.fixture
def settings(settings_of_each_engine: Settings) -> Settings:
    return settings_of_each_engine


@pytest.fixture
def answered(desk: Desk, agent: Actor, supervisor: Actor) -> str:
    """A contact that was answered; the trail is sealed up to the approval."""
    contact = open_contact(desk, agent, "How long does a refund take?")
    desk.audit_seals.seal()
    desk.reviews.decide(supervisor, pending_review(desk, agent, contact), {"kind": "approve"})
    desk.jobs.run_all()  # type: ignore[union-attr]
    desk.audit_seals.seal()
    return contact


def do(desk: Desk, statement: Any) -> None:
    with desk.database.write() as session:
        session.execute(statement)


def an_event(desk: Desk, name: str) -> int:
    with desk.database.read() as session:
        found = select(AuditEvent.id).where(AuditEvent.event == name).limit(1)
        return session.execute(found).scalar_one()


def test_an_untouched_trail_is_whole(desk: Desk, answered: str) -> None:
    verdict = desk.audit_seals.verify()
    assert verdict.faults == []
    assert verdict.seals == 2
    assert verdict.unsealed == 0
    assert verdict.events > 5


def test_a_draft_that_was_revised_is_told_of_as_that(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, "How long does a refund take?")
    waiting = pending_review(desk, agent, contact)
    draft = desk.reviews.get(agent, waiting).draft
    desk.reviews.revise(agent, waiting, draft)
    desk.reviews.decide(supervisor, pending_review(desk, agent, contact), {"kind": "approve"})
    assert desk.audit_seals.verify().faults == []


def test_what_came_since_the_newest_seal_is_counted(
    desk: Desk, agent: Actor, answered: str
) -> None:
    open_contact(desk, agent, "What does shipping cost?")
    assert desk.audit_seals.verify().unsealed > 0
    assert desk.audit_seals.seal() > 0
    assert desk.audit_seals.seal() == 0
    assert desk.audit_seals.verify().unsealed == 0


def test_a_changed_event_breaks_its_seal(desk: Desk, answered: str) -> None:
    approved = an_event(desk, "review.approve")
    do(desk, update(AuditEvent).where(AuditEvent.id == approved).values(actor="somebody"))
    (fault,) = desk.audit_seals.verify().faults
    assert "Seal 2" in fault
    assert "changed" in fault


def test_a_removed_event_is_missed_by_its_seal_and_by_its_record(desk: Desk, answered: str) -> None:
    sent = an_event(desk, "delivery.sent")
    do(desk, delete(AuditEvent).where(AuditEvent.id == sent))
    faults = desk.audit_seals.verify().faults
    assert any("Seal 2" in fault and "are there" in fault for fault in faults)
    assert any("left" in fault for fault in faults)


def test_an_event_slipped_in_is_noticed(desk: Desk, answered: str) -> None:
    event = {"at": NOON, "actor": "desk", "event": "delivery.sent", "data": {}, "seal_id": 2}
    do(desk, insert(AuditEvent).values(**event))
    (fault,) = desk.audit_seals.verify().faults
    assert "Seal 2" in fault


def test_a_removed_seal_is_noticed(desk: Desk, answered: str) -> None:
    do(desk, update(AuditEvent).where(AuditEvent.seal_id == 1).values(seal_id=None))
    do(desk, delete(AuditSeal).where(AuditSeal.id == 1))
    faults = desk.audit_seals.verify().faults
    assert any("does not follow" in fault for fault in faults)


def test_a_decision_that_the_trail_tells_twice_is_a_fault(desk: Desk, answered: str) -> None:
    with desk.database.write() as session:
        row = session.get_one(AuditEvent, an_event(desk, "review.approve"))
        again = {"actor": row.actor, "event": row.event, "at": row.at, "data": row.data}
        again |= {"contact_id": row.contact_id, "review_id": row.review_id}
    do(desk, insert(AuditEvent).values(**again))
    (fault,) = desk.audit_seals.verify().faults
    assert "decided" in fault


def test_the_command_ends_with_1_when_the_trail_was_changed(
    open_synced: OpenDesk,
    settings: Settings,
    desk: Desk,
    answered: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PROOFDESK_HOME", str(settings.home))
    monkeypatch.setenv("PROOFDESK_WORKSPACE", str(settings.workspace))
    monkeypatch.setenv("PROOFDESK_DATABASE_URL", settings.database)
    runner = CliRunner()
    good = runner.invoke(app, ["audit", "verify", "--json"])
    assert good.exit_code == 0
    assert json.loads(good.stdout)["whole"] is True
    do(desk, update(AuditEvent).where(AuditEvent.id == 1).values(actor="somebody"))
    bad = runner.invoke(app, ["audit", "verify"])
    assert bad.exit_code == 1
    assert "NOT whole" in bad.stdout
