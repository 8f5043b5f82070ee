"""The agent's queues: contacts under the names that the screen gives them, counted and paged.

Every query here reads an index of the open contacts alone, or the newest few of all; none grows with
the contacts that were settled.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from sqlalchemy import ColumnElement, and_, func, or_, select, text, true
from sqlalchemy.orm import Session, aliased

from core.clock import Clock, SystemClock
from core.database import Database
from core.vocabulary import ContactStatus
from desk.contacts import ContactSummary, summary_of
from desk.models import OPEN_CONTACT, SETTLED_CONTACT, Contact, Person, SourceUse
from desk.permissions import Actor, require
from desk.qa_models import SEEDED
from desk.risk import URGENT
from desk.uses import PENDING

QueueName = Literal[
    "mine",
    "unassigned",
    "high_risk",
    "ageing",
    "low_confidence",
    "missing_context",
    "stale_source",
    "escalated",
    "all",
]
QUEUES: Final[tuple[QueueName, ...]] = get_args(QueueName)
COUNTED_AT_MOST: Final = 5_000
SOON: Final = timedelta(hours=2)
OPEN_STATUSES: Final[tuple[ContactStatus, ...]] = (
    "new",
    "drafting",
    "in_review",
    "deciding",
    "escalated",
    "failed",
)
HIGH_RANK: Final = -2
"""Rank from which down a contact must be escalated first, or worse."""


class ContactQueues:
    """Lists contacts under the names that the agent's screen gives them.

    Open is what still waits for somebody at the desk. ``mine``: open and assigned to the person who
    asks. ``unassigned``: nobody's. ``high_risk``: escalate first or worse. ``ageing``: late, or due
    within two hours. ``low_confidence``: the desk was not sure what it is about.
    ``missing_context``: a required field is missing. ``stale_source``: a source changed under its
    draft. ``escalated``: handed to a person. ``all``: every contact, the open ones first.

    In each, a crisis or a danger comes first, then the highest risk, then the oldest.

    Args:
        database: Where the contacts are.
        clock: Says what is due soon.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    def counts(self, actor: Actor) -> dict[QueueName, int]:
        """Return how many open contacts stand in each queue, ``all`` of them under ``all``.

        One query, whose cost has a bound: of more than :data:`COUNTED_AT_MOST` open contacts only
        the most urgent are counted, and each figure is then the least it can be.
        """
        require(actor, "work_contacts")
        counted = (
            select(Contact)
            .where(_is_open())
            .order_by(Contact.rank, Contact.created_at, Contact.id)
            .limit(COUNTED_AT_MOST)
            .with_only_columns(
                Contact.id,
                Contact.rank,
                Contact.status,
                Contact.assigned_to,
                Contact.due_at,
                Contact.low_confidence,
                Contact.lacks_details,
            )
            .subquery()
        )
        one = aliased(Contact, counted)
        now = self._clock.now()
        sums = [func.count().filter(_condition(name, actor, now, one)) for name in QUEUES]
        with self._database.read() as session:
            row = session.execute(select(*sums).select_from(counted)).one()
        return dict(zip(QUEUES, map(int, row), strict=True))

    def urgent(self, actor: Actor) -> int:
        """Return how many open contacts hold a crisis or a danger, whoever has them."""
        require(actor, "work_contacts")
        query = select(func.count()).select_from(Contact).where(_is_open(), Contact.rank <= -URGENT)
        with self._database.read() as session:
            return session.scalar(query) or 0

    def page(
        self, actor: Actor, name: QueueName, *, limit: int = 25, after: ContactSummary | None = None
    ) -> list[ContactSummary]:
        """Return a page of one queue, by key: the cost of a page does not grow with its place.

        Args:
            actor: Who asks.
            name: The queue.
            limit: Length of the page.
            after: Last contact of the page before.
        """
        require(actor, "work_contacts")
        with self._database.read() as session:
            found: list[Contact] = []
            if after is None or after.status in OPEN_STATUSES:
                found = self._open_page(session, actor, name, limit, after)
            if name == "all" and len(found) < limit:
                settled = after if after and after.status not in OPEN_STATUSES else None
                found += _settled_page(session, limit - len(found), settled)
            return [summary_of(row) for row in found]

    def _open_page(
        self,
        session: Session,
        actor: Actor,
        name: QueueName,
        limit: int,
        after: ContactSummary | None,
    ) -> list[Contact]:
        query = (
            select(Contact)
            .where(_is_open(), _condition(name, actor, self._clock.now()))
            .order_by(Contact.rank, Contact.created_at, Contact.id)
            .limit(limit)
        )
        if after:
            query = query.where(_behind(after))
        return list(session.scalars(query))

    def names(self) -> dict[str, str]:
        """Return id → name of everybody who ever worked at the desk."""
        with self._database.read() as session:
            return dict(session.execute(select(Person.id, Person.name)).tuples().all())


def _is_open() -> ColumnElement[bool]:
    # In the very words of the index, or the database would not use it.
    return text(f"contact.{OPEN_CONTACT}")  # type: ignore[return-value]


def _condition(
    name: QueueName, actor: Actor, now: datetime, contact: type[Contact] = Contact
) -> ColumnElement[bool]:
    conditions: dict[QueueName, ColumnElement[bool]] = {
        "mine": contact.assigned_to == actor.id,
        "unassigned": contact.assigned_to.is_(None),
        "high_risk": contact.rank <= HIGH_RANK,
        "ageing": contact.due_at <= now + SOON,
        "low_confidence": contact.low_confidence.is_(True),
        "missing_context": contact.lacks_details.is_(True),
        "stale_source": contact.id.in_(
            select(SourceUse.contact_id).where(
                SourceUse.status == PENDING, SourceUse.stale_at.is_not(None)
            )
        ),
        "escalated": contact.status == "escalated",
        "all": true(),
    }
    return conditions[name]


def _behind(after: ContactSummary) -> ColumnElement[bool]:
    rank = -after.risk
    return or_(
        Contact.rank > rank,
        and_(Contact.rank == rank, Contact.created_at > after.created_at),
        and_(Contact.rank == rank, Contact.created_at == after.created_at, Contact.id > after.id),
    )


def _settled_page(session: Session, limit: int, after: ContactSummary | None) -> list[Contact]:
    """Return what waits for nobody at the desk, the newest first."""
    query = (
        select(Contact)
        .where(text(f"contact.{SETTLED_CONTACT}"), Contact.origin != SEEDED)
        .order_by(Contact.id.desc())
        .limit(limit)
    )
    if after:
        query = query.where(Contact.id < after.id)
    return list(session.scalars(query))
