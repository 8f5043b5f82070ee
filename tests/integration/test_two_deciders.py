"""Two processes that decide the same reviews at the same time."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.settings import Settings
from desk.bootstrap import open_desk
from desk.models import Contact, Delivery, Review
from tests.integration import other_process
from tests.integration.conftest import OpenDesk, open_contact, pending_review


@pytest.fixture
def settings(settings_of_each_engine: Settings) -> Settings:
    return settings_of_each_engine


REVIEWS = int(os.environ.get("PROOFDESK_TEST_RACES", "12"))


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_each_review_has_one_outcome_and_one_delivery(
    open_synced: OpenDesk, settings: Settings
) -> None:
    reviews = prepare(open_synced, REVIEWS)
    both = [other_process.start(settings, "decide", name) for name in ("ruth", "sam")]
    assert [hear(process) for process in both] == ["ready", "ready"]
    outcomes = []
    for review in reviews:
        for process in both:
            say(process, review)
        outcomes.append(sorted(hear(process) for process in both))
    for process in both:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert outcomes == [["lost", "won"]] * REVIEWS

    desk = open_desk(settings)
    try:
        desk.start()  # a delivery that was asked for as the others closed is still to be made
        for review in reviews:
            delivery = desk.reviews.outcome(review).delivery_id
            assert desk.jobs.wait(f"deliver:{delivery}", 60) == "sent"
        assert letters(settings.home) == REVIEWS
        with desk.database.read() as session:
            sent = select(func.count()).select_from(Delivery).where(Delivery.status == "sent")
            undecided = select(func.count()).select_from(Review).where(Review.status != "decided")
            assert session.scalar(sent) == REVIEWS
            assert session.scalar(undecided) == 0
            statuses = set(session.scalars(select(Contact.status)))
            assert statuses == {"answered"}
    finally:
        desk.close()


def prepare(open_synced: OpenDesk, count: int) -> list[str]:
    """Open contacts up to their pause, with a desk that is closed afterwards; return the reviews."""
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    for name in ("ruth", "sam"):
        desk.people.add(None, name, f"{name}@example.com", "supervisor", name)
    contacts = [
        open_contact(desk, agent, f"How long does a refund take for order {number}?")
        for number in range(count)
    ]
    reviews = [pending_review(desk, agent, contact) for contact in contacts]
    desk.close()
    return reviews


def letters(home: Path) -> int:
    return len(list((home / "outbox").glob("*.eml")))
