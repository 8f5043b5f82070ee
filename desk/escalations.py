"""Verdicts on escalations: whether a contact that was handed to a person needed one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import Conflict, NotFound
from desk.audit import write_audit
from desk.contacts import hold_contact
from desk.models import AuditEvent, Handoff
from desk.permissions import Actor, require

_JUDGED = "escalation.judged"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a person said of an escalation. ``right``: the contact needed a person."""

    right: bool
    by: str


class Escalations:
    """Takes and tells verdicts on escalations. An escalation has one, the first.

    Args:
        database: The records.
        clock: The time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def judge(self, actor: Actor, contact_id: str, *, right: bool) -> None:
        """Say whether the latest escalation of a contact was right.

        Args:
            actor: Who judges; must be allowed to decide any review.
            contact_id: The contact.
            right: Whether it needed a person.

        Raises:
            NotFound: There is no such contact, or it was never escalated.
            Conflict: Somebody judged this escalation already.
        """
        require(actor, "decide")
        with self._database.write() as session:
            contact = hold_contact(session, contact_id)
            handoff = _latest(session, contact_id)
            if handoff is None:
                raise NotFound("This contact was never escalated: there is nothing to judge.")
            if _verdict(session, handoff):
                raise Conflict("This escalation was judged already; its first verdict counts.")
            write_audit(
                session,
                self._clock.now(),
                actor.id,
                _JUDGED,
                contact_id=contact_id,
                data={
                    "handoff": handoff,
                    "right": right,
                    "reason": contact.reason,
                    "tier": contact.tier,
                },
                key=_key(handoff),
            )

    def verdict(self, actor: Actor, contact_id: str) -> Verdict | None:
        """Return what was said of the latest escalation of a contact; None while nothing was."""
        require(actor, "read_reviews")
        with self._database.read() as session:
            handoff = _latest(session, contact_id)
            return _verdict(session, handoff) if handoff else None


def _key(handoff_id: str) -> str:
    return f"{_JUDGED}:{handoff_id}"


def _latest(session: Session, contact_id: str) -> str | None:
    return session.scalar(
        select(Handoff.id)
        .where(Handoff.contact_id == contact_id)
        .order_by(Handoff.opened_at.desc(), Handoff.id.desc())
        .limit(1)
    )


def _verdict(session: Session, handoff_id: str) -> Verdict | None:
    its = select(AuditEvent.data, AuditEvent.actor).where(AuditEvent.key == _key(handoff_id))
    row = session.execute(its).tuples().first()
    return Verdict(bool(row[0]["right"]), row[1]) if row else None
