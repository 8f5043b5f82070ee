"""Contacts that a person carries on, each with its brief."""

from __future__ import annotations

from sqlalchemy import select

from core.clock import Clock
from core.database import Database
from core.identifiers import new_id
from desk.audit import DESK, write_audit
from desk.models import Handoff
from graph.values import Brief


class Handoffs:
    """Implements :class:`graph.ports.Handoffs` on the database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def open(self, key: str, contact_id: str, brief: Brief, team: str | None) -> None:
        """Hand the contact over; a key that is there already changes nothing."""
        now = self._clock.now()
        with self._database.write() as session:
            if session.scalar(select(Handoff.id).where(Handoff.key == key)):
                return
            session.add(
                Handoff(
                    id=new_id("hnd"),
                    key=key,
                    contact_id=contact_id,
                    team=team,
                    brief=dict(brief),
                    opened_at=now,
                )
            )
            write_audit(
                session,
                now,
                DESK,
                "contact.escalated",
                contact_id=contact_id,
                data={"team": team, "tier": brief["tier"]},
            )
