"""Who holds a review, and since when: what somebody else is told who wants to decide it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from desk.models import AuditEvent, Person, Review

CLAIMED = "review.claimed"


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody else who holds a review.

    Attributes:
        person_id: Who.
        name: Their name.
        since: When they took it; None where the trail does not say.
        until: When their hold ends unless they prolong it.
    """

    person_id: str
    name: str
    since: datetime | None
    until: datetime


def holder_of(session: Session, review: Review, actor_id: str, now: datetime) -> Holder | None:
    """Return who but ``actor_id`` holds a review that waits; None when nobody does."""
    held, until = review.claimed_by, review.claimed_until
    if review.status != "pending" or not held or held == actor_id or until is None or until < now:
        return None
    since = session.scalar(
        select(AuditEvent.at)
        .where(
            AuditEvent.contact_id == review.contact_id,
            AuditEvent.review_id == review.id,
            AuditEvent.event == CLAIMED,
            AuditEvent.actor == held,
        )
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    person = session.get(Person, held)
    return Holder(held, person.name if person else "Somebody", since, until)
