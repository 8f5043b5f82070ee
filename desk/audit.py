"""The audit trail: written in the same unit of work as what it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from desk.models import AuditEvent
from desk.permissions import Actor, require

DESK = "desk"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One audit event, for reading."""

    id: int
    at: datetime
    actor: str
    event: str
    contact_id: str | None
    review_id: str | None
    data: dict[str, Any]


def write_audit(
    session: Session,
    at: datetime,
    actor: str,
    event: str,
    *,
    contact_id: str | None = None,
    review_id: str | None = None,
    data: Mapping[str, Any] | None = None,
    key: str | None = None,
) -> None:
    """Append one event to the caller's unit of work; nothing when ``key`` is there already."""
    if key and session.scalar(select(AuditEvent.id).where(AuditEvent.key == key)):
        return
    session.add(
        AuditEvent(
            key=key,
            at=at,
            actor=actor,
            event=event,
            contact_id=contact_id,
            review_id=review_id,
            data=dict(data or {}),
        )
    )


class AuditLedger:
    """Implements :class:`graph.ports.Ledger` on the audit trail."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def record(self, key: str, contact_id: str, event: str, data: Mapping[str, object]) -> None:
        """Append one event unless ``key`` is there already."""
        with self._database.write() as session:
            write_audit(
                session, self._clock.now(), DESK, event, contact_id=contact_id, data=data, key=key
            )


class AuditTrail:
    """Reads the audit trail."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_contact(self, actor: Actor, contact_id: str) -> list[AuditEntry]:
        """Return the events of one contact, oldest first."""
        require(actor, "read_reviews")
        query = (
            select(AuditEvent).where(AuditEvent.contact_id == contact_id).order_by(AuditEvent.id)
        )
        with self._database.read() as session:
            return [_entry(row) for row in session.scalars(query)]

    def latest(
        self, actor: Actor, limit: int = 100, before: int | None = None, event: str | None = None
    ) -> list[AuditEntry]:
        """Return a page of events, newest first.

        Args:
            actor: Who asks; must be allowed to read the trail.
            limit: Length of the page.
            before: Id of the last event of the page before.
            event: Only events of this name.
        """
        require(actor, "read_audit")
        query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditEvent.id < before)
        if event:
            query = query.where(AuditEvent.event == event)
        with self._database.read() as session:
            return [_entry(row) for row in session.scalars(query)]


def _entry(row: AuditEvent) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.actor, row.event, row.contact_id, row.review_id, row.data)
