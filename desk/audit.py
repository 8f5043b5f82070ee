"""The audit trail: written in the same unit of work as what it tells of."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from core.clock import Clock, SystemClock
from core.database import Database
from core.errors import BadInput
from desk.models import AuditEvent
from desk.permissions import Actor, require
from desk.qa_models import SeededCheck

DESK = "desk"
ExportForm = Literal["csv", "jsonl"]
_COLUMNS: Final = ("id", "at", "actor", "event", "contact_id", "review_id", "data")
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE: Final = 1_000


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

    def as_json(self) -> dict[str, Any]:
        """Return the event as plain JSON values."""
        return {**asdict(self), "at": self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events are asked for; None for all.

    Attributes:
        actor: Id of the person, or ``desk``.
        since: The earliest moment.
        until: The first moment after the latest.
    """

    event: str | None = None
    actor: str | None = None
    contact_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what was chosen as plain JSON values."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if value is not None
        }


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
    """Reads the audit trail, and hands it out as a file.

    What the trail tells of a seeded check is left out until the check has ended: those who read the
    trail are those who are checked.
    """

    def __init__(self, database: Database, clock: Clock | None = None) -> None:
        self._database = database
        self._clock = clock or SystemClock()

    def of_contact(self, actor: Actor, contact_id: str) -> list[AuditEntry]:
        """Return the events of one contact, oldest first."""
        require(actor, "read_reviews")
        query = (
            select(AuditEvent)
            .where(AuditEvent.contact_id == contact_id, _is_told())
            .order_by(AuditEvent.id)
        )
        with self._database.read() as session:
            return [_entry(row) for row in session.scalars(query)]

    def latest(
        self,
        actor: Actor,
        limit: int = 100,
        before: int | None = None,
        chosen: AuditFilter | None = None,
    ) -> list[AuditEntry]:
        """Return a page of events, newest first.

        Args:
            actor: Who asks; must be allowed to read the trail.
            limit: Length of the page.
            before: Id of the last event of the page before.
            chosen: Only events that fit it.
        """
        require(actor, "read_audit")
        return self._page(chosen or AuditFilter(), limit, before)

    def names(self, actor: Actor) -> list[str]:
        """Return the name of every event that ever happened, in alphabetical order."""
        require(actor, "read_audit")
        found: list[str] = []
        following = select(func.min(AuditEvent.event))
        with self._database.read() as session:
            # One step of the index a name: the trail is long and its names are few.
            name = session.scalar(following)
            while name is not None:
                found.append(name)
                name = session.scalar(following.where(AuditEvent.event > name))
        return found

    def export(
        self, actor: Actor, form: ExportForm, chosen: AuditFilter | None = None
    ) -> Iterator[str]:
        """Yield the events that fit, newest first, as the lines of a file; the trail says who did.

        A text that a spreadsheet would take for a formula stands behind an apostrophe in CSV.

        Args:
            actor: Who asks.
            form: ``csv`` with a heading, or ``jsonl``.
            chosen: Only events that fit it.

        Raises:
            NotAllowed: The role may not read the trail.
            BadInput: There is no such form.
        """
        require(actor, "read_audit")
        if form not in get_args(ExportForm):
            raise BadInput(f"form: {form!r} is none of {', '.join(get_args(ExportForm))}.")
        chosen = chosen or AuditFilter()
        with self._database.write() as session:
            write_audit(
                session, self._clock.now(), actor.id, "audit.exported", data=chosen.as_json()
            )
        return _lines(form, self._all(chosen))

    def _all(self, chosen: AuditFilter) -> Iterator[AuditEntry]:
        before: int | None = None
        while entries := self._page(chosen, _AT_ONCE, before):
            yield from entries
            before = entries[-1].id

    def _page(self, chosen: AuditFilter, limit: int, before: int | None) -> list[AuditEntry]:
        query = select(AuditEvent).where(_is_told()).order_by(AuditEvent.id.desc()).limit(limit)
        if before is not None:
            query = query.where(AuditEvent.id < before)
        with self._database.read() as session:
            return [_entry(row) for row in session.scalars(query.where(*_fitting(chosen)))]


def _is_told() -> ColumnElement[bool]:
    waiting = select(SeededCheck.contact_id).where(SeededCheck.resolved_at.is_(None))
    return or_(AuditEvent.contact_id.is_(None), AuditEvent.contact_id.not_in(waiting))


def _fitting(chosen: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.event:
        conditions.append(AuditEvent.event == chosen.event)
    if chosen.actor:
        conditions.append(AuditEvent.actor == chosen.actor)
    if chosen.contact_id:
        conditions.append(AuditEvent.contact_id == chosen.contact_id)
    if chosen.since:
        conditions.append(AuditEvent.at >= chosen.since)
    if chosen.until:
        conditions.append(AuditEvent.at < chosen.until)
    return conditions


def _lines(form: ExportForm, entries: Iterator[AuditEntry]) -> Iterator[str]:
    if form == "csv":
        yield _csv_line(_COLUMNS)
    for entry in entries:
        row = entry.as_json()
        yield (
            f"{json.dumps(row, ensure_ascii=False)}\n"
            if form == "jsonl"
            else _csv_line([_cell(row[name]) for name in _COLUMNS])
        )


def _csv_line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _entry(row: AuditEvent) -> AuditEntry:
    return AuditEntry(row.id, row.at, row.actor, row.event, row.contact_id, row.review_id, row.data)
