"""Two processes that decide the same reviews at the same time."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from core.errors import Conflict
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.models import Delivery, Review
from desk.permissions import Actor
from tests.integration.conftest import OpenDesk, open_contact, pending_review

REVIEWS = int(os.environ.get("PROOFDESK_TEST_RACES", "40"))


def decide_all(
    settings: dict[str, Any], actor: Actor, reviews: list[str], barrier: Any, results: Any
) -> None:
    desk = open_desk(Settings(**settings, _env_file=None))
    desk.start()
    won = lost = 0
    for review in reviews:
        barrier.wait(60)
        try:
            desk.reviews.decide(actor, review, {"kind": "approve"})
            won += 1
        except Conflict:
            lost += 1
    barrier.wait(60)
    desk.close()
    results.put((won, lost))


def test_each_review_has_one_outcome_and_one_delivery(
    open_synced: OpenDesk, settings: Settings
) -> None:
    reviews, people = prepare(open_synced, REVIEWS)
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(2), context.Queue()
    values = settings.model_dump(include={"home", "workspace", "undo_seconds"})
    workers = [
        context.Process(target=decide_all, args=(values, person, reviews, barrier, results))
        for person in people
    ]
    for worker in workers:
        worker.start()
    counts = [results.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert sum(won for won, _ in counts) == REVIEWS
    assert sum(lost for _, lost in counts) == REVIEWS

    desk = open_desk(settings, inline=True)
    try:
        assert letters(settings.home) == REVIEWS
        with desk.database.read() as session:
            sent = select(func.count()).select_from(Delivery).where(Delivery.status == "sent")
            open_reviews = select(func.count()).select_from(Review)
            assert session.scalar(sent) == REVIEWS
            assert session.scalar(open_reviews.where(Review.status != "decided")) == 0
        assert desk.contacts.counts() == {"answered": REVIEWS}
    finally:
        desk.close()


def prepare(open_synced: OpenDesk, count: int) -> tuple[list[str], list[Actor]]:
    """Open ``count`` contacts up to their pause, with a desk that is closed afterwards."""
    desk: Desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    people = [
        desk.people.add(None, name, f"{name}@example.com", "supervisor") for name in ("Ruth", "Sam")
    ]
    contacts = [
        open_contact(desk, agent, f"How long does a refund take for order {number}?")
        for number in range(count)
    ]
    reviews = [pending_review(desk, agent, contact) for contact in contacts]
    desk.close()
    return reviews, people


def letters(home: Path) -> int:
    return len(list((home / "outbox").glob("*.eml")))
