"""What a draft meets when two sources in force contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.bootstrap import Desk
from desk.checking import check_all, read_all
from desk.permissions import Actor
from tests.integration.conftest import OpenDesk, open_contact, pending_review

QUESTION = "How long does a refund take?"
BILLING = """---
title: Billing questions
owner: Tomas
effective_from: 2026-01-01
---
## How long a refund takes

A refund takes 14 business days to reach your card.
"""


def add_billing(desk: Desk) -> None:
    (desk.settings.workspace_folder / "articles" / "billing.md").write_text(BILLING)
    desk.sync()


def conflict_of(desk: Desk, owner: Actor) -> str:
    (flag,) = desk.flags.page(owner, kind="conflict")
    return flag.id


@pytest.fixture
def owner(desk: Desk) -> Actor:
    return desk.people.add(None, "Priya", "priya@example.com", "content_owner")


def test_a_contradiction_is_shown_at_the_sentence_and_needs_a_reason(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    add_billing(desk)
    contact_id = open_contact(desk, agent, QUESTION)
    review = desk.reviews.get(supervisor, pending_review(desk, agent, contact_id))
    rules = {finding["rule"] for finding in review.check["findings"]}
    assert rules == {"conflict"}
    outcome = desk.reviews.decide(
        supervisor, review.summary.id, {"kind": "approve", "comment": "Billing is wrong, I asked."}
    )
    assert not outcome.stopped


def test_a_contradiction_that_comes_while_a_review_waits_stops_the_approval(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    desk.reviews.claim(supervisor, review_id)
    add_billing(desk)
    outcome = desk.reviews.decide(supervisor, review_id, {"kind": "approve"})
    assert outcome.stopped
    (change,) = outcome.changes
    assert change["what"] == "conflict"
    assert "14 business days" in change["sentence"]


def test_a_contradiction_that_comes_in_the_undo_window_calls_the_answer_back(
    open_synced: OpenDesk,
) -> None:
    desk = open_synced(undo_seconds=60)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    supervisor = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    contact_id = open_contact(desk, agent, QUESTION)
    desk.reviews.decide(supervisor, pending_review(desk, agent, contact_id), {"kind": "approve"})
    (waiting,) = desk.deliveries.of_contact(supervisor, contact_id)
    add_billing(desk)
    desk.deliveries.deliver(waiting.id)
    (called_back,) = desk.deliveries.of_contact(supervisor, contact_id)
    assert called_back.status == "undone"


def test_what_a_reviewer_approved_in_spite_of_leaves(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    add_billing(desk)
    contact_id = open_contact(desk, agent, QUESTION)
    reply = {"kind": "approve", "comment": "Billing is wrong, I asked."}
    desk.reviews.decide(supervisor, pending_review(desk, agent, contact_id), reply)
    desk.jobs.run_all()  # type: ignore[union-attr]
    (sent,) = desk.deliveries.of_contact(supervisor, contact_id)
    assert sent.status == "sent"


def test_a_text_from_elsewhere_is_held_to_contradictions_too(desk: Desk, tmp_path: Path) -> None:
    add_billing(desk)
    reply = tmp_path / "reply.txt"
    reply.write_text("A refund takes 5 business days to reach your card.")
    (checked,) = check_all(desk.deps, read_all([reply]), QUESTION)
    assert {finding["rule"] for finding in checked["findings"]} == {"conflict"}


def test_a_dismissed_contradiction_is_held_against_nobody(
    desk: Desk, agent: Actor, supervisor: Actor, owner: Actor
) -> None:
    add_billing(desk)
    desk.flags.resolve(owner, conflict_of(desk, owner), "dismiss", reason="They are both true.")
    contact_id = open_contact(desk, agent, QUESTION)
    review = desk.reviews.get(supervisor, pending_review(desk, agent, contact_id))
    assert review.check["passed"]
