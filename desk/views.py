"""What the agent's screen asks of the contacts: named queues with their counts."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true

from core.database import Database
from core.vocabulary import TIERS, ContactStatus
from desk.contacts import ContactSummary
from desk.models import Contact, Person
from desk.permissions import Actor, require

QueueName = Literal["mine", "unassigned", "high_risk", "escalated", "all"]
QUEUES: Final[tuple[QueueName, ...]] = get_args(QueueName)
_OPEN: Final[tuple[ContactStatus, ...]] = (
    "new",
    "drafting",
    "in_review",
    "deciding",
    "escalated",
    "failed",
)
_HIGH: Final = TIERS.index("escalate_first")


class ContactQueues:
    """Lists contacts under the names that the agent's screen gives them.

    ``mine``: open and assigned to the person who asks. ``unassigned``: open and nobody's.
    ``high_risk``: open, of the tier escalate first or worse. ``escalated``: handed to a person.
    ``all``: every contact. Open is what still waits for somebody at the desk.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def counts(self, actor: Actor) -> dict[QueueName, int]:
        """Return how many contacts stand in each queue, in one query."""
        require(actor, "work_contacts")
        sums = [func.sum(case((_condition(name, actor), 1), else_=0)) for name in QUEUES]
        with self._database.read() as session:
            row = session.execute(select(*sums)).one()
        return {name: int(count or 0) for name, count in zip(QUEUES, row, strict=True)}

    def page(
        self, actor: Actor, name: QueueName, *, limit: int = 25, after: ContactSummary | None = None
    ) -> list[ContactSummary]:
        """Return a page of one queue: what is open first, highest risk first, then oldest.

        Args:
            actor: Who asks.
            name: The queue.
            limit: Length of the page.
            after: Last contact of the page before.
        """
        require(actor, "work_contacts")
        query = (
            select(Contact)
            .where(_condition(name, actor))
            .order_by(_settled().asc(), Contact.risk.desc(), Contact.created_at, Contact.id)
            .limit(limit)
        )
        if after:
            query = query.where(_behind(after))
        with self._database.read() as session:
            return [_line(row) for row in session.scalars(query)]

    def names(self) -> dict[str, str]:
        """Return id → name of everybody who ever worked at the desk."""
        with self._database.read() as session:
            return dict(session.execute(select(Person.id, Person.name)).tuples().all())


def _settled() -> ColumnElement[int]:
    return case((Contact.status.in_(_OPEN), 0), else_=1)


def _condition(name: QueueName, actor: Actor) -> ColumnElement[bool]:
    is_open = Contact.status.in_(_OPEN)
    conditions: dict[QueueName, ColumnElement[bool]] = {
        "mine": and_(is_open, Contact.assigned_to == actor.id),
        "unassigned": and_(is_open, Contact.assigned_to.is_(None)),
        "high_risk": and_(is_open, Contact.risk >= _HIGH),
        "escalated": Contact.status == "escalated",
        "all": true(),
    }
    return conditions[name]


def _behind(after: ContactSummary) -> ColumnElement[bool]:
    settled = 0 if after.status in _OPEN else 1
    ties: list[tuple[Any, Any]] = [
        (_settled() > settled, _settled() == settled),
        (Contact.risk < after.risk, Contact.risk == after.risk),
        (Contact.created_at > after.created_at, Contact.created_at == after.created_at),
        (Contact.id > after.id, Contact.id == after.id),
    ]
    return or_(*(and_(*(same for _, same in ties[:i]), ties[i][0]) for i in range(len(ties))))


def _line(row: Contact) -> ContactSummary:
    return ContactSummary(
        id=row.id,
        channel=row.channel,
        subject=row.subject,
        customer_name=row.customer_name,
        customer_status=row.customer_status,
        status=row.status,
        reason=row.reason,
        confidence=row.confidence,
        tier=row.tier,
        risk=row.risk,
        assigned_to=row.assigned_to,
        due_at=row.due_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
