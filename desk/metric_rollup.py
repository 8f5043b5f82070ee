"""Counts the audit trail by day, each event once.

How far it is counted stands in one row that moves in the same unit of work as the sums, by compare
and set: of two processes that count at once one does, and a crash leaves nothing counted twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from itertools import product
from typing import Any, Final, cast

from sqlalchemy import Table, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from core.clock import Clock, Zone, in_utc
from core.database import Base, Database
from desk.calendar import monday_of
from desk.lengths import counted, of_counts, pack, together, unpack
from desk.metric_facts import EVENTS, LENGTHS, Event, Fact, Known, facts_of
from desk.metric_models import (
    ALL,
    EVER,
    Complaint,
    ComplaintTheme,
    MetricLengths,
    MetricMark,
    MetricSum,
)
from desk.models import AuditEvent, Contact

EVENTS_AT_ONCE: Final = 5_000
"""How many events somebody who waits has counted."""
_A_STEP: Final = 10_000
SETTLED: Final = timedelta(minutes=2)
"""How long an id that is missing in the trail may still be written: longer than any unit of work."""
_IDS_AT_ONCE: Final = 500
_MARK: Final = 1
_KEYS: Final = 6

Key = tuple[str, str, str, str, str, str]
"""reason, tier, channel, person, day, part."""


@dataclass(slots=True)
class _Sum:
    count: int = 0
    total: float = 0.0
    lengths: dict[int, int] = field(default_factory=dict)

    def add(self, value: float, length: int | None) -> None:
        self.count += 1
        self.total += value
        if length is not None:
            self.lengths[length] = self.lengths.get(length, 0) + 1


@dataclass(frozen=True, slots=True)
class Counted:
    """What one step counted.

    Attributes:
        events: How many events of the trail it went over.
        waiting: How many there are after them.
    """

    events: int
    waiting: int


def day_of(at: datetime, zone: tzinfo) -> str:
    """Return the day on which a moment counts."""
    return at.astimezone(zone).date().isoformat()


def week_of(monday: date) -> str:
    """Return what stands for a week in the place of its days."""
    return f"W{monday.isoformat()}"


def keys_of(fact: Fact, zone: tzinfo) -> Iterable[Key]:
    """Return every sum that a fact is added to, days being those of ``zone``. Pure."""
    day, week = day_of(fact.at, zone), week_of(monday_of(fact.at.astimezone(zone)))
    people = (ALL,) if fact.person is None else (ALL, fact.person)
    for reason, tier, channel, person in product(
        (fact.reason, ALL), (fact.tier, ALL), (fact.channel, ALL), people
    ):
        yield reason, tier, channel, person, day, fact.part
    for reason, person in product((fact.reason, ALL), people):
        yield reason, ALL, ALL, person, week, fact.part
    # Whoever reads what was counted since the beginning adds up by itself.
    yield fact.reason, fact.tier, fact.channel, ALL, EVER, fact.part


def sums_of(facts: Iterable[Fact], zone: tzinfo) -> dict[Key, _Sum]:
    """Return what facts add to each sum, days being those of ``zone``. Pure."""
    sums: dict[Key, _Sum] = defaultdict(_Sum)
    for fact in facts:
        length = counted(fact.value) if fact.part in LENGTHS else None
        for key in keys_of(fact, zone):
            # What is added up over all days is read by programs that want no medians.
            sums[key].add(fact.value, None if key[4] == EVER else length)
    return sums


class MetricRollup:
    """Keeps the sums of the metrics up with the audit trail.

    Args:
        database: The records.
        clock: The time.
        zone: Tells the time zone of the days; when it is another than before, all is counted anew.
    """

    def __init__(self, database: Database, clock: Clock, zone: Zone = in_utc) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone

    def catch_up(
        self, most: int | None = None, on_progress: Callable[[int, int], None] = lambda *_: None
    ) -> int:
        """Count what is new in the trail; return how many events still wait.

        Args:
            most: How many events to go over at most; None for all.
            on_progress: Told how many were gone over and how many there are.
        """
        done, zone = 0, self._zone()
        self._move_to(zone)
        while True:
            step = self._step(zone, min(_A_STEP, most - done) if most else _A_STEP)
            done += step.events
            on_progress(done, done + step.waiting)
            if not step.events or not step.waiting or (most and done >= most):
                return step.waiting

    def rebuild(self, on_progress: Callable[[int, int], None] = lambda *_: None) -> None:
        """Forget every sum and count the whole trail again.

        Until it is done the metrics show what is counted so far. Safe to be killed: whoever counts
        next goes on.
        """
        with self._database.write() as session:
            hold_mark(session)
            _forget(session, self._zone())
        self.catch_up(on_progress=on_progress)

    def _move_to(self, zone: tzinfo) -> None:
        """Begin anew where what is counted so far is by the days of another zone."""
        with self._database.read() as session:
            if session.scalar(_ZONE) == str(zone):
                return
        with self._database.write() as session:
            hold_mark(session)
            if session.scalar(_ZONE) != str(zone):  # else another process was faster
                _forget(session, zone)

    def _step(self, zone: tzinfo, most: int) -> Counted:
        with self._database.read() as session:
            after = session.scalar(select(MetricMark.event_id)) or 0
            upto = self._upto(session, after, most)
            newest = session.scalar(select(func.max(AuditEvent.id))) or 0
            facts = _facts(session, after, upto) if upto > after else []
        if upto <= after:
            return Counted(0, max(0, newest - after))
        sums = sums_of(facts, zone)
        with self._database.write() as session:
            same = hold_mark(session) == after and session.scalar(_ZONE) == str(zone)
            if same:  # else another process was faster
                _add(session, sums)
                _note_complaints(session, facts, zone)
                session.execute(update(MetricMark).values(event_id=upto))
        return Counted(upto - after, max(0, newest - upto))

    def _upto(self, session: Session, after: int, most: int) -> int:
        """Return the last event that may be counted now.

        PostgreSQL gives ids out before they are committed, so an id that is missing may come yet:
        nothing behind it is counted until what follows it is too old for that.
        """
        query = (
            select(AuditEvent.id, AuditEvent.at)
            .where(AuditEvent.id > after)
            .order_by(AuditEvent.id)
            .limit(most)
        )
        settled = self._clock.now() - SETTLED
        last = after
        for id, at in session.execute(query).tuples():
            if id != last + 1 and at > settled:
                break
            last = id
        return last


_ZONE: Final = select(MetricMark.zone)


def _forget(session: Session, zone: tzinfo) -> None:
    """Forget every sum; what is counted from here on is by the days of ``zone``."""
    for table in (MetricSum, MetricLengths, Complaint, ComplaintTheme):
        session.execute(delete(table))
    session.execute(update(MetricMark).values(event_id=0, zone=str(zone)))


def hold_mark(session: Session) -> int:
    """Return how far the trail is counted; nobody else counts until this unit of work ends."""
    its = select(MetricMark.event_id).where(MetricMark.id == _MARK).with_for_update()
    mark = session.scalar(its)
    if mark is None:
        on_sqlite = session.get_bind().dialect.name == "sqlite"
        once = (sqlite_insert if on_sqlite else postgresql_insert)(MetricMark)
        session.execute(once.values(id=_MARK, event_id=0).on_conflict_do_nothing())
        mark = session.scalar(its)
    return mark or 0


def _facts(session: Session, after: int, upto: int) -> list[Fact]:
    """Return the facts that the events after ``after`` up to ``upto`` bring.

    What an event means depends on those before it on the same contact, so these are read too.
    """
    ours = (AuditEvent.event.in_(EVENTS), AuditEvent.contact_id.is_not(None))
    fresh = (
        select(AuditEvent.contact_id)
        .where(AuditEvent.id > after, AuditEvent.id <= upto, *ours)
        .distinct()
    )
    contacts = sorted(id for id in session.scalars(fresh) if id)
    facts: list[Fact] = []
    for start in range(0, len(contacts), _IDS_AT_ONCE):
        some = contacts[start : start + _IDS_AT_ONCE]
        stories = _stories(session, some, upto)
        known = _known(session, some)
        for contact in some:
            told = facts_of(stories.get(contact, []), known.get(contact))
            facts += [fact for fact in told if fact.event_id > after]
    return facts


def _stories(session: Session, contacts: Sequence[str], upto: int) -> dict[str, list[Event]]:
    query = (
        select(
            AuditEvent.id,
            AuditEvent.at,
            AuditEvent.actor,
            AuditEvent.event,
            AuditEvent.contact_id,
            AuditEvent.review_id,
            AuditEvent.data,
        )
        .where(
            AuditEvent.contact_id.in_(contacts),
            AuditEvent.id <= upto,
            AuditEvent.event.in_(EVENTS),
        )
        .order_by(AuditEvent.contact_id, AuditEvent.id)
    )
    stories: dict[str, list[Event]] = defaultdict(list)
    for id, at, actor, event, contact, review, data in session.execute(query).tuples():
        if contact is not None:
            stories[contact].append(Event(id, at, actor, event, contact, review, data))
    return stories


def _known(session: Session, contacts: Sequence[str]) -> dict[str, Known]:
    query = select(
        Contact.id,
        Contact.origin,
        Contact.channel,
        Contact.reason,
        Contact.tier,
        Contact.triggers,
    ).where(Contact.id.in_(contacts))
    return {
        id: Known(origin, channel, reason, tier, tuple(one["id"] for one in triggers))
        for id, origin, channel, reason, tier, triggers in session.execute(query).tuples()
    }


def _add(session: Session, sums: Mapping[Key, _Sum]) -> None:
    """Add to what is stored. The caller holds the mark, so nobody else does."""
    days = sorted({key[4] for key in sums})
    stored = _stored(session, MetricSum, days, "count", "total")
    told: dict[Key, dict[str, Any]] = {}
    for key, one in sums.items():
        count, total = stored.get(key, (0, 0.0))
        told[key] = {"count": count + one.count, "total": total + one.total}
    _write(session, MetricSum, told, stored)
    known = _stored(session, MetricLengths, days, "lengths")
    held: dict[Key, dict[str, Any]] = {}
    for key, one in sums.items():
        if one.lengths:
            before = [unpack(known[key][0])] if key in known else []
            held[key] = {"lengths": pack(together([*before, of_counts(one.lengths)]))}
    _write(session, MetricLengths, held, known)


def _stored(
    session: Session, model: type[Base], days: Sequence[str], *values: str
) -> dict[Key, tuple[Any, ...]]:
    """Return what stands for some days."""
    table = cast(Table, model.__table__)
    columns = [*table.primary_key, *(table.c[name] for name in values)]
    found: dict[Key, tuple[Any, ...]] = {}
    for start in range(0, len(days), _IDS_AT_ONCE):
        some = days[start : start + _IDS_AT_ONCE]
        for row in session.execute(select(*columns).where(table.c.day.in_(some))):
            found[cast(Key, tuple(row[:_KEYS]))] = tuple(row[_KEYS:])
    return found


def _write(
    session: Session,
    model: type[Base],
    told: Mapping[Key, Mapping[str, Any]],
    there: Mapping[Key, object],
) -> None:
    table = cast(Table, model.__table__)
    names = [column.name for column in table.primary_key]
    new = [{**dict(zip(names, key, strict=True)), **told[key]} for key in told if key not in there]
    changed = [
        {f"its_{name}": part for name, part in zip(names, key, strict=True)} | dict(told[key])
        for key in told
        if key in there
    ]
    if new:
        session.execute(insert(table), new)
    if changed:
        its = [table.c[name] == bindparam(f"its_{name}") for name in names]
        values: dict[str, Any] = {
            column.name: bindparam(column.name) for column in table.c if column.name not in names
        }
        session.connection().execute(update(table).where(*its).values(values), changed)


def _note_complaints(session: Session, facts: Iterable[Fact], zone: tzinfo) -> None:
    rows = [
        {
            "contact_id": fact.contact_id,
            "day": day_of(fact.at, zone),
            "reason": fact.reason,
            "tier": fact.tier,
            "channel": fact.channel,
            "theme_id": None,
        }
        for fact in facts
        if fact.part == "complaint"
    ]
    if rows:
        session.execute(insert(Complaint), rows)
