"""The metrics of the operating loop, for pages, reports and exports.

What it costs grows with the days that are asked for, not with the contacts: see
:class:`desk.metric_models.MetricSum`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, Select, func, literal, literal_column, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.clock import Clock, Zone, in_utc
from core.database import Database
from core.errors import BadInput
from desk.calendar import monday_of
from desk.lengths import counted
from desk.metric_definitions import METRICS, OF_PEOPLE, Backlog
from desk.metric_facts import PARTS, SEEDED, Part
from desk.metric_figures import Ages, Figure, Sums, figure
from desk.metric_models import ALL, EVER, Complaint, ComplaintTheme, MetricLengths, MetricSum
from desk.metric_rollup import EVENTS_AT_ONCE, MetricRollup, week_of
from desk.models import OPEN_CONTACT, Contact, Person
from desk.permissions import Actor, require

Step = Literal["day", "week"]
Dimension = Literal["reason", "tier", "channel"]
DIMENSIONS: Final[tuple[Dimension, ...]] = get_args(Dimension)
"""What contacts are told apart by."""
Figures = dict[str, dict[str, Figure]]
"""Group → metric → its value."""
Slice = tuple[str, str, str]
"""Reason, tier and channel."""
Group = tuple[str, str, Mapping[str, Figure]]
"""What figures are grouped by, such as ``reason``; the name of the group; its figures."""
MOST_DAYS: Final = 732
DAYS_SHOWN: Final = 28
_MOST_THEMES: Final = 12
_WEEK: Final = 7
_VALUES: Final = {MetricSum: ("count", "total"), MetricLengths: ("lengths",)}


@dataclass(frozen=True, slots=True)
class MetricFilter:
    """What the metrics are narrowed to.

    Attributes:
        since: The first day, in the time zone of the team.
        until: The last day.
        reason: Of this contact reason; "" for contacts without one, None for all.
        tier: Of this tier; None for all.
        channel: Of this channel; None for all.
    """

    since: date
    until: date
    reason: str | None = None
    tier: str | None = None
    channel: str | None = None

    def check(self) -> None:
        """Raise BadInput unless this is a stretch of days."""
        if self.since > self.until:
            raise BadInput(f"since: {self.since} comes after until, {self.until}.")
        if (self.until - self.since).days >= MOST_DAYS:
            raise BadInput(f"since: choose at most {MOST_DAYS} days.")

    @property
    def days(self) -> list[date]:
        """Every day of it."""
        count = (self.until - self.since).days + 1
        return [self.since + timedelta(days=number) for number in range(count)]

    @property
    def spans(self) -> list[str]:
        """What it is stored under: whole weeks where there are such sums, else days."""
        return self.spans_by("reason")

    def spans_by(self, by: Dimension | Literal["person"]) -> list[str]:
        """What it is stored under where groups are told apart: weeks have no tiers or channels."""
        days = [day.isoformat() for day in self.days]
        if self.tier or self.channel or by in ("tier", "channel"):
            return days
        found = []
        while days:
            if len(days) >= _WEEK and date.fromisoformat(days[0]).weekday() == 0:
                found.append(week_of(date.fromisoformat(days[0])))
                days = days[_WEEK:]
            else:
                found.append(days.pop(0))
        return found


@dataclass(frozen=True, slots=True)
class Trend:
    """A metric by day or week. ``starts`` holds the first day of each."""

    starts: list[str]
    values: list[float | None]


@dataclass(frozen=True, slots=True)
class Theme:
    """Complaints about the same, the texts of the newest few among them.

    Attributes:
        words: What they share; names the theme.
        count: How many came in the days asked for.
        examples: Id of a contact, and what its customer asked.
    """

    id: str
    words: list[str]
    count: int
    examples: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Board:
    """All that a page shows of one choice.

    Attributes:
        figures: Metric → its value.
        before: The same for as many days before; backlog metrics are not in it.
        trends: Metric → its values by day or week; backlog metrics are not in it.
        stopped: Where stale answers were stopped: part → how many.
        waiting: Events of the trail that are not counted yet.
    """

    figures: dict[str, Figure]
    before: dict[str, Figure]
    trends: dict[str, Trend]
    stopped: dict[Part, int]
    waiting: int

    @property
    def had_before(self) -> bool:
        """Whether anything happened in the days before."""
        return any(one.count for one in self.before.values())


@dataclass(frozen=True, slots=True)
class Totals:
    """What was counted since the beginning.

    Attributes:
        by_slice: Reason, tier and channel → part → count and sum of values.
        open: The same → how many contacts are open now.
        backlog: All open contacts now.
        waiting: Events of the trail that are not counted yet.
    """

    by_slice: dict[Slice, dict[str, tuple[int, float]]]
    open: dict[Slice, int]
    backlog: Ages
    waiting: int


class Metrics:
    """Tells the metrics.

    Args:
        database: The records.
        clock: The time.
        zone: Tells the time zone of the days.
    """

    def __init__(self, database: Database, clock: Clock, zone: Zone = in_utc) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone
        self.rollup = MetricRollup(database, clock, zone)

    def today(self) -> date:
        """Return the day it is where the team works."""
        return self._clock.now().astimezone(self._zone()).date()

    def lately(self, days: int = DAYS_SHOWN) -> MetricFilter:
        """Return the last so many days, today included."""
        today = self.today()
        return MetricFilter(today - timedelta(days=days - 1), today)

    def board(self, actor: Actor, chosen: MetricFilter, step: Step = "day") -> Board:
        """Return every metric, how it went and how it was before; counts what is new first.

        Only a bounded stretch of the trail is counted now; the rest is the hourly sweep's.

        Raises:
            NotAllowed: The role may not read metrics.
            BadInput: The days are none.
        """
        require(actor, "read_quality")
        chosen.check()
        waiting = self.rollup.catch_up(EVENTS_AT_ONCE)
        length = (chosen.until - chosen.since).days + 1
        first = chosen.since - timedelta(days=length)
        with self._database.read() as session:
            sums = session.execute(_of_all(MetricSum, chosen, first)).all()
            lengths = session.execute(_of_all(MetricLengths, chosen, first)).all()
            ages = _ages(session, chosen, self._clock.now(), None).get(ALL, Ages())
        now, before = Sums(), Sums()
        steps = {start: Sums() for start in _starts(chosen, step)}
        of_day = {day.isoformat(): (now, steps[_start(day, step)]) for day in chosen.days}
        for day, part, count, total in sums:
            for one in of_day.get(day, (before,)):
                one.add(part, count, total)
        for day, part, stored in lengths:
            for one in of_day.get(day, (before,)):
                one.add_lengths(part, stored)
        history = [one for one in METRICS if not isinstance(one.measure, Backlog)]
        return Board(
            figures={one.id: figure(one, now, ages) for one in METRICS},
            before={one.id: figure(one, before, ages) for one in history},
            trends={
                one.id: Trend(list(steps), [figure(one, of, ages).value for of in steps.values()])
                for one in history
            },
            stopped={part: now.of((part,)) for part in PARTS if part.startswith("stale_")},
            waiting=waiting,
        )

    def by(self, actor: Actor, chosen: MetricFilter, by: Dimension) -> Figures:
        """Return reason, tier or channel → metric → its value, for each that something is known of."""
        require(actor, "read_quality")
        chosen.check()
        now = self._clock.now()
        with self._database.read() as session:
            column = getattr(MetricSum, by)
            groups = _distinct(session, column, _slices(MetricSum, chosen, before=by))
            wanted = getattr(chosen, by)
            if wanted is not None:
                groups = [one for one in groups if one == wanted]
            sums = _grouped(session, by, groups, chosen)
            ages = _ages(session, chosen, now, by)
        return {
            group: {
                one.id: figure(one, sums.get(group, Sums()), ages.get(group, Ages()))
                for one in METRICS
            }
            for group in sorted({*sums, *ages})
        }

    def by_person(self, actor: Actor, chosen: MetricFilter) -> Figures:
        """Return id of a person → metric → its value, for everybody who decided something."""
        require(actor, "read_quality")
        chosen.check()
        with self._database.read() as session:
            its = _slices(MetricSum, chosen, before="person")
            people = _distinct(session, MetricSum.person, its)
            sums = _grouped(session, "person", people, chosen)
        return {
            person: {one.id: figure(one, its_sums, Ages()) for one in OF_PEOPLE}
            for person, its_sums in sorted(sums.items())
        }

    def groups(self, actor: Actor, chosen: MetricFilter, by: str = "all") -> list[Group]:
        """Return what an export holds: the figures of everything, and of each reason or person.

        Args:
            actor: Who asks.
            chosen: What they are narrowed to.
            by: One of :data:`DIMENSIONS`, ``person``, or ``all`` for nothing.
        """
        found: list[Group] = [("all", "", self.board(actor, chosen).figures)]
        if by in DIMENSIONS:
            found += [(by, name, its) for name, its in self.by(actor, chosen, by).items()]
        if by == "person":
            of_people = self.by_person(actor, chosen)
            names = self.names(actor, of_people)
            found += [("person", names.get(one, one), its) for one, its in of_people.items()]
        return found

    def rebuild(
        self, actor: Actor, on_progress: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        """Count the whole trail again."""
        require(actor, "read_quality")
        self.rollup.rebuild(on_progress)

    def themes(self, actor: Actor, chosen: MetricFilter) -> list[Theme]:
        """Return what complaints were about, the most frequent first."""
        require(actor, "read_quality")
        chosen.check()
        count = func.count().label("count")
        query = (
            select(Complaint.theme_id, count)
            .where(
                Complaint.theme_id > "",
                Complaint.day.between(chosen.since.isoformat(), chosen.until.isoformat()),
            )
            .group_by(Complaint.theme_id)
            .order_by(count.desc(), Complaint.theme_id)
            .limit(_MOST_THEMES)
        )
        for column, wanted in (
            (Complaint.reason, chosen.reason),
            (Complaint.tier, chosen.tier),
            (Complaint.channel, chosen.channel),
        ):
            if wanted is not None:
                query = query.where(column == wanted)
        with self._database.read() as session:
            counts = dict(session.execute(query).tuples().all())
            rows = session.scalars(select(ComplaintTheme).where(ComplaintTheme.id.in_(counts)))
            themes = {row.id: row for row in rows}
        return [
            Theme(
                id=id,
                words=themes[id].words,
                count=total,
                examples=[(one["contact"], one["text"]) for one in themes[id].examples],
            )
            for id, total in counts.items()
            if id is not None and id in themes
        ]

    def names(self, actor: Actor, people: Iterable[str]) -> dict[str, str]:
        """Return id → name of people; who is not known any more is absent."""
        require(actor, "read_quality")
        query = select(Person.id, Person.name).where(Person.id.in_(list(people)))
        with self._database.read() as session:
            return dict(session.execute(query).tuples().all())

    def totals(self) -> Totals:
        """Return what was counted since the beginning, for machines; it names nobody."""
        waiting = self.rollup.catch_up(EVENTS_AT_ONCE)
        row = MetricSum
        query = select(row.reason, row.tier, row.channel, row.part, row.count, row.total).where(
            row.day == EVER
        )
        its = func.coalesce(Contact.reason, ""), Contact.tier, Contact.channel
        standing = (
            select(*its, func.count())
            .where(literal_column(OPEN_CONTACT), Contact.origin != SEEDED)
            .group_by(*its)
        )
        waits: dict[Slice, int] = {}
        found: dict[Slice, dict[str, tuple[int, float]]] = defaultdict(dict)
        with self._database.read() as session:
            for reason, tier, channel, part, count, total in session.execute(query).tuples():
                found[reason, tier, channel][part] = (count, total)
            for reason, tier, channel, count in session.execute(standing).tuples():
                waits[reason, tier, channel] = count
            ages = _ages(session, self.lately(1), self._clock.now(), None).get(ALL, Ages())
        return Totals(dict(found), waits, ages, waiting)


def _of_all(
    model: type[MetricSum | MetricLengths], chosen: MetricFilter, since: date
) -> Select[*tuple[Any, ...]]:
    """Return the query for day, part and values of every day from ``since``, of nobody apart."""
    values = [getattr(model, name) for name in _VALUES[model]]
    return select(model.day, model.part, *values).where(
        *_slices(model, chosen),
        model.day.between(since.isoformat(), chosen.until.isoformat()),
    )


_SLICED_BY: Final = ("reason", "tier", "channel", "person")
"""In the order of the index."""


def _slices(
    model: type[MetricSum | MetricLengths],
    chosen: MetricFilter,
    *,
    without: str = "",
    before: str = "",
) -> list[ColumnElement[bool]]:
    """Return which slices are asked for, of nobody apart.

    Args:
        model: Where they are kept.
        chosen: What they are narrowed to.
        without: Leave this out: its groups are told apart.
        before: Only what stands before this in the index.
    """
    kept = {
        "reason": ALL if chosen.reason is None else chosen.reason,
        "tier": chosen.tier or ALL,
        "channel": chosen.channel or ALL,
        "person": ALL,
    }
    names = _SLICED_BY[: _SLICED_BY.index(before)] if before else _SLICED_BY
    return [getattr(model, name) == kept[name] for name in names if name != without]


def _distinct(
    session: Session, column: InstrumentedAttribute[str], its: Sequence[ColumnElement[bool]]
) -> list[str]:
    """Return the values of a column that are not :data:`ALL`, a step of the index each."""
    following = select(func.min(column)).where(*its)
    found = []
    value = session.scalar(following)
    while value is not None:
        if value != ALL:
            found.append(value)
        value = session.scalar(following.where(column > value))
    return found


def _grouped(
    session: Session,
    by: Dimension | Literal["person"],
    values: Sequence[str],
    chosen: MetricFilter,
) -> dict[str, Sums]:
    """Return what is known in the days of ``chosen``, for each of some groups."""
    found: dict[str, Sums] = defaultdict(Sums)
    for value, part, count, total in session.execute(_of_each(MetricSum, by, values, chosen)):
        found[value].add(part, count, total)
    for value, part, stored in session.execute(_of_each(MetricLengths, by, values, chosen)):
        found[value].add_lengths(part, stored)
    return dict(found)


def _of_each(
    model: type[MetricSum | MetricLengths],
    by: Dimension | Literal["person"],
    values: Sequence[str],
    chosen: MetricFilter,
) -> Select[*tuple[Any, ...]]:
    column = getattr(model, by)
    return select(column, model.part, *(getattr(model, name) for name in _VALUES[model])).where(
        column.in_(values),
        *_slices(model, chosen, without=by),
        model.day.in_(chosen.spans_by(by)),
    )


def _starts(chosen: MetricFilter, step: Step) -> list[str]:
    return list(dict.fromkeys(_start(day, step) for day in chosen.days))


def _start(day: date, step: Step) -> str:
    return (day if step == "day" else monday_of(day)).isoformat()


def _ages(
    session: Session, chosen: MetricFilter, now: datetime, by: Dimension | None
) -> dict[str, Ages]:
    """Return group (:data:`ALL` where none are told apart) → the open contacts' ages."""
    group = func.coalesce(getattr(Contact, by), "") if by else literal(ALL)
    its: list[ColumnElement[bool]] = [literal_column(OPEN_CONTACT), Contact.origin != SEEDED]
    if chosen.reason is not None:
        its.append(func.coalesce(Contact.reason, "") == chosen.reason)
    if chosen.tier:
        its.append(Contact.tier == chosen.tier)
    if chosen.channel:
        its.append(Contact.channel == chosen.channel)
    ranked = (
        select(
            group.label("group"),
            Contact.created_at.label("since"),
            func.row_number()
            .over(partition_by=group, order_by=Contact.created_at.desc())
            .label("rank"),
            func.count().over(partition_by=group).label("count"),
        )
        .where(*its)
        .subquery()
    )
    one = ranked.c
    # The nearest ranks: a half and nine tenths, rounded up.
    wanted = select(one.group, one.since, one.rank, one.count).where(
        or_(one.rank == (one.count + 1) // 2, one.rank == (9 * one.count + 9) // 10)
    )
    counts: dict[str, int] = {}
    at: dict[str, dict[float, int]] = defaultdict(dict)
    for name, since, rank, count in session.execute(wanted):
        age = counted((now - since).total_seconds())
        counts[name] = count
        if rank == (count + 1) // 2:
            at[name][0.5] = age
        if rank == (9 * count + 9) // 10:
            at[name][0.9] = age
    return {name: Ages(count, at[name]) for name, count in counts.items()}
