"""Seals on the audit trail, and the look whether it is whole and tells of everything that happened.

Each seal is the SHA-256 of the seal before it and of the events that came since, so an event that is
changed, removed or slipped in later breaks its seal and every later one. Whoever holds a copy of the
newest digest somewhere else can tell even a trail that was sealed anew from the start. Events are
sealed by the hour and not one by one: a chain through every event would let only one person at a time
write. (The way is that of Schneier and Kelsey, "Secure audit logs to support computer forensics",
1999, with batches for entries.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.identifiers import json_digest
from desk.models import AuditEvent, AuditSeal, Contact, Delivery, Review
from desk.qa_models import SeededCheck

FIRST: Final = "0" * 64
"""What the first seal follows."""
_EVENTS_A_SEAL: Final = 5_000
_EXAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """What the look at the audit trail found.

    Attributes:
        events: How many events there are.
        seals: How many seals hold.
        unsealed: Events that came after the newest seal.
        digest: The newest seal; worth keeping somewhere else.
        faults: A sentence each; none when the trail is whole.
    """

    events: int
    seals: int
    unsealed: int
    digest: str
    faults: list[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "whole": not self.faults,
            "events": self.events,
            "seals": self.seals,
            "unsealed": self.unsealed,
            "digest": self.digest,
            "faults": self.faults,
        }


class AuditSeals:
    """Seals the audit trail and verifies it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def seal(self) -> int:
        """Seal what is not sealed yet; return how many events that was.

        Safe to call at once from several processes: one of them seals.
        """
        sealed = 0
        while events := self._seal_some():
            sealed += events
        return sealed

    def verify(self) -> AuditVerdict:
        """Read the whole trail and say whether it is whole; writes nothing."""
        with self._database.read() as session:
            faults: list[str] = []
            digest, seals = FIRST, 0
            for seal in session.scalars(select(AuditSeal).order_by(AuditSeal.id)):
                if fault := _fault_of(session, seal, digest):
                    faults.append(fault)
                else:
                    seals += 1
                digest = seal.digest
            count = select(func.count()).select_from(AuditEvent)
            unsealed = count.where(AuditEvent.seal_id.is_(None))
            faults += [fault for gap in _GAPS for fault in gap.found(session)]
            return AuditVerdict(
                session.scalar(count) or 0, seals, session.scalar(unsealed) or 0, digest, faults
            )

    def holds(self, digest: str) -> bool:
        """Tell whether a seal of this digest is in the trail; every trail begins with ``FIRST``."""
        its = select(AuditSeal.id).where(AuditSeal.digest == digest)
        with self._database.read() as session:
            return digest == FIRST or session.scalar(its) is not None

    def _seal_some(self) -> int:
        try:
            with self._database.write() as session:
                newest = session.scalar(select(AuditSeal).order_by(AuditSeal.id.desc()).limit(1))
                unsealed = select(AuditEvent).where(AuditEvent.seal_id.is_(None))
                events = list(
                    session.scalars(unsealed.order_by(AuditEvent.id).limit(_EVENTS_A_SEAL))
                )
                if not events:
                    return 0
                previous = newest.digest if newest else FIRST
                seal = AuditSeal(
                    at=self._clock.now(),
                    previous=previous,
                    events=len(events),
                    digest=_digest(previous, events),
                )
                session.add(seal)
                session.flush()
                of_these = update(AuditEvent).where(AuditEvent.id.in_([one.id for one in events]))
                session.execute(of_these.values(seal_id=seal.id))
                return len(events)
        except IntegrityError:  # another process sealed just now: what it follows is unique
            return 0


def _digest(previous: str, events: list[AuditEvent]) -> str:
    digest = hashlib.sha256(previous.encode())
    for event in events:
        digest.update(json_digest(_content(event)).encode())
    return digest.hexdigest()


def _content(event: AuditEvent) -> list[Any]:
    return [
        event.id,
        event.key,
        event.at.isoformat(),
        event.actor,
        event.event,
        event.contact_id,
        event.review_id,
        event.data,
    ]


def _fault_of(session: Session, seal: AuditSeal, previous: str) -> str | None:
    day = f"{seal.at:%-d %B %Y, %H:%M} UTC"
    if seal.previous != previous:
        return f"Seal {seal.id} of {day} does not follow the one before it: a seal is missing."
    its = select(AuditEvent).where(AuditEvent.seal_id == seal.id).order_by(AuditEvent.id)
    events = list(session.scalars(its))
    session.expunge_all()
    if len(events) != seal.events:
        return f"Seal {seal.id} of {day} holds {seal.events} events, and {len(events)} are there."
    if _digest(previous, events) != seal.digest:
        first, last = events[0].id, events[-1].id
        return (
            f"Seal {seal.id} of {day} is broken: one of the events {first} to {last} was changed."
        )
    return None


@dataclass(frozen=True, slots=True)
class _Gap:
    """Records that lack an event that must be there, or have it more than once.

    Attributes:
        says: The sentence; ``{}`` stands for the record's id.
        records: Selects the ids of the records it goes for.
        is_its: The event's condition.
    """

    says: str
    records: Select[str]
    is_its: ColumnElement[bool]

    def found(self, session: Session) -> Iterator[str]:
        """Yield a sentence for the first few, and one for how many more there are."""
        count = (
            select(func.count())
            .select_from(AuditEvent)
            .where(self.is_its)
            .correlate(Contact, Review, Delivery)
            .scalar_subquery()
        )
        lacking = self.records.where(count != 1)
        ids = list(session.scalars(lacking.limit(_EXAMPLES)))
        yield from (self.says.format(id) for id in ids)
        if len(ids) == _EXAMPLES:
            total = session.scalar(select(func.count()).select_from(lacking.subquery())) or 0
            if total > len(ids):
                yield f"… and {total - len(ids)} more of this kind."


def _of_delivery(event: str) -> ColumnElement[bool]:
    return and_(
        AuditEvent.contact_id == Delivery.contact_id,
        AuditEvent.event == event,
        AuditEvent.data["delivery"].as_string() == Delivery.id,
    )


def _of_review(event: ColumnElement[str] | str) -> ColumnElement[bool]:
    return and_(
        AuditEvent.contact_id == Review.contact_id,
        AuditEvent.review_id == Review.id,
        AuditEvent.event == event,
    )


_GAPS: Final = (
    _Gap(
        "The trail does not tell once that contact {} was opened.",
        select(Contact.id).order_by(Contact.id),
        and_(AuditEvent.contact_id == Contact.id, AuditEvent.event == "contact.opened"),
    ),
    _Gap(
        "The trail does not tell once that review {} was opened.",
        select(Review.id).order_by(Review.id),
        _of_review("review.opened"),
    ),
    _Gap(
        "The trail does not tell once how review {} was decided.",
        select(Review.id).where(Review.decided_at.is_not(None)).order_by(Review.id),
        # A decision that only held another draft up for review is told under a name of its own.
        _of_review(
            case(
                (Review.id.in_(select(SeededCheck.review_id)), "seeded.resolved"),
                (Review.decision["hold"].as_boolean().is_(True), "review.revised"),
                else_=literal("review.") + Review.decision["kind"].as_string(),
            )
        ),
    ),
    _Gap(
        "The trail does not tell once that delivery {} was approved.",
        select(Delivery.id).order_by(Delivery.id),
        _of_delivery("delivery.scheduled"),
    ),
    _Gap(
        "The trail does not tell once that delivery {} left.",
        select(Delivery.id).where(Delivery.status == "sent").order_by(Delivery.id),
        _of_delivery("delivery.sent"),
    ),
)
