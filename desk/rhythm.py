"""The supervisor's week: what each day tells, what it goes through, and what of that is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Final, cast

from sqlalchemy import Select, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.clock import Clock, Zone, in_utc
from core.database import Database
from core.errors import BadInput, NotFound
from desk.audit import DESK, write_audit
from desk.autonomy import Autonomy
from desk.autonomy_models import ReasonAutonomy
from desk.calendar import Calendar
from desk.models import Contact, Review, SourceFlagRow
from desk.permissions import Actor, require
from desk.rhythm_reads import (
    FOUR_WEEKS,
    Period,
    asked,
    confidence,
    flags_moved,
    flags_standing,
    gaps,
    handed,
    left_behind,
    moved,
    reasons,
    source_flags,
    told_old,
    touched_since,
)
from desk.rhythm_rules import (
    DAYS,
    PURPOSES,
    TITLES,
    WHYS,
    Day,
    Figure,
    Found,
    SourcesRead,
    Subject,
    Told,
    Unanswered,
    count,
    friday,
    monday,
    thursday,
    tuesday,
    wednesday,
    week_of,
)
from desk.rhythm_settings import RhythmSettings
from desk.suggest import masked
from desk.task_models import RhythmItem
from desk.tasks import excerpt, openings
from graph.reasons import ReasonMap
from kb.models import Article

WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class DayItem:
    """One thing that a day goes through.

    Attributes:
        title: What it is, in one line; may hold words of a customer.
        why: Why the day lists it, in words.
        detail: Figures that say more.
        done_by: Id of the person, or ``desk`` when its ground was gone; None while it is left.
        cause: Why the desk holds it done.
    """

    id: int
    subject: str
    subject_id: str
    title: str
    why: str
    detail: str
    contact_id: str | None
    review_id: str | None
    article_id: str | None
    flag_id: str | None
    done_at: datetime | None
    done_by: str | None
    cause: str

    @property
    def note(self) -> str:
        """What there is to say beside its title, which of a flag tells why it is listed."""
        why = "" if self.subject == "flag" else self.why
        return "; ".join(filter(None, (why, self.detail)))


@dataclass(frozen=True, slots=True)
class DayReport:
    """What a day of a week tells.

    Attributes:
        week: Its Monday.
        since: Figures are of the time from after here …
        until: … up to here; those beside them of the seven days before.
        told: What there is to say, in sentences.
        items: What to work through: what is left first.
        unlisted: How many more there are at least, less urgent than those that are listed.
        last_week: Items of the same day of the week before: done, and all.
    """

    day: Day
    title: str
    purpose: str
    week: date
    since: datetime
    until: datetime
    told: tuple[str, ...]
    figures: tuple[Figure, ...]
    items: tuple[DayItem, ...]
    unlisted: int
    last_week: tuple[int, int]

    @property
    def done(self) -> int:
        """How many items are done."""
        return sum(one.done_at is not None for one in self.items)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            **asdict(self),
            "week": self.week.isoformat(),
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "done": self.done,
            "items": [
                asdict(one) | {"done_at": one.done_at.isoformat() if one.done_at else None}
                for one in self.items
            ],
        }


MACHINE: Final = Actor(DESK, "The desk", "supervisor")
"""On whose behalf the desk writes a report that nobody asked for."""


class Rhythm:
    """Reads the days, keeps what they list, and takes ticks.

    Args:
        reasons: Returns the contact reason map.
        settings: Reads the workspace's settings of the week.
        autonomy: Tells where contact reasons stand.
        themes: Returns, of open gaps, words that name those asking for the same, and how many.
        nearest: Returns the title of the article nearest to a question; "" where there is none.
            Often enough the article is there, and the question was not understood.
        zone: Tells the time zone of the team's days and weeks.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        calendar: Calendar,
        reasons: Callable[[], ReasonMap],
        settings: Callable[[], RhythmSettings],
        autonomy: Callable[[], Autonomy],
        themes: Callable[[Sequence[SourceFlagRow]], list[tuple[str, int]]],
        nearest: Callable[[str], str],
        zone: Zone = in_utc,
    ) -> None:
        self._database = database
        self._clock = clock
        self._calendar = calendar
        self._reasons = reasons
        self._settings = settings
        self._autonomy = autonomy
        self._themes = themes
        self._nearest = nearest
        self._zone = zone

    def report(self, actor: Actor, day: Day) -> DayReport:
        """Return what a day of this week tells; notes what it lists and what was done since.

        Raises:
            NotAllowed: The role may not.
            BadInput: There is no such day.
        """
        require(actor, "run_rhythm")
        if day not in DAYS:
            raise BadInput(f"day: {day!r} is none of {', '.join(DAYS)}.")
        now, zone = self._clock.now(), self._zone()
        week = week_of(now.astimezone(zone))
        period = Period(now - WEEK, now)
        told = self._told(actor, day, period, now)
        found = told.found[: self._settings().items]
        with self._database.read() as session:
            rows = _rows(session, week, day)
            ended = _ended(session, rows, self._names())
        held = {(row.subject, row.subject_id) for row in rows}
        new = [one for one in found if (one.subject, one.subject_id) not in held]
        if ended or new:
            new = [self._with_nearest(one) for one in new]
            with self._database.write() as session:
                _note(session, week, day, new, ended, now)
        with self._database.read() as session:
            rows = _rows(session, week, day)
            before = _rows(session, week - WEEK, day)
            items = _described(session, rows, self._names(), zone)
        order = {(one.subject, one.subject_id): place for place, one in enumerate(found)}
        items.sort(key=lambda one: (one.done_at is not None, _place(order, one), one.id))
        return DayReport(
            day=day,
            title=TITLES[day],
            purpose=PURPOSES[day],
            week=week,
            since=period.since.astimezone(zone),
            until=period.until.astimezone(zone),
            told=told.sentences,
            figures=told.figures,
            items=tuple(items),
            unlisted=len(told.found) - len(found),
            last_week=(sum(row.done_at is not None for row in before), len(before)),
        )

    def _with_nearest(self, found: Found) -> Found:
        if found.why != "unanswered":
            return found
        with self._database.read() as session:
            flag = session.get(SourceFlagRow, found.subject_id)
        title = self._nearest(_asks(flag)) if flag else ""
        return replace(found, figures={**found.figures, "nearest": title})

    def tick(self, actor: Actor, item_id: int, *, done: bool) -> None:
        """Say that an item is done, or that it is not after all.

        Raises:
            NotFound: There is no such item.
        """
        require(actor, "run_rhythm")
        now = self._clock.now()
        with self._database.write() as session:
            row = session.get(RhythmItem, item_id, with_for_update=True)
            if row is None:
                raise NotFound(f"There is no item {item_id}.")
            if (row.done_at is not None) == done:
                return
            row.done_at, row.done_by, row.cause = (now, actor.id, "") if done else (None, None, "")
            _audit(session, row, actor.id, "rhythm.ticked" if done else "rhythm.unticked", now)

    def progress(self, actor: Actor) -> dict[Day, tuple[int, int]]:
        """Return for each day of this week how many of its items are done, and how many there are."""
        require(actor, "run_rhythm")
        week = week_of(self._clock.now().astimezone(self._zone()))
        query = select(RhythmItem.day, RhythmItem.done_at).where(RhythmItem.week == week)
        found: dict[Day, tuple[int, int]] = dict.fromkeys(DAYS, (0, 0))
        with self._database.read() as session:
            for day, done_at in session.execute(query).tuples():
                done, total = found[day]  # type: ignore[index]
                found[day] = (done + (done_at is not None), total + 1)  # type: ignore[index]
        return found

    def _names(self) -> dict[str, str]:
        return {one.id: one.name for one in self._reasons()}

    def _told(self, actor: Actor, day: Day, period: Period, now: datetime) -> Told:
        if day == "monday":
            return self._monday(period)
        if day == "tuesday":
            return self._tuesday(actor, period, now)
        stands = self._autonomy().lines(actor) if day == "friday" else []
        with self._database.read() as session:
            if day == "wednesday":
                return wednesday(confidence(session, period, self._names()))
            if day == "thursday":
                return thursday(
                    handed(session, period, now),
                    handed(session, period.before, now),
                    left_behind(session, period, now),
                )
            return friday(reasons(session, period, stands))

    def _monday(self, period: Period) -> Told:
        names = self._names()
        with self._database.read() as session:
            share, _, _, waiting = asked(session, period, names)
            before = asked(session, period.before, names)[0]
            four_weeks = Period(period.until - FOUR_WEEKS, period.until)
            _, by_reason, by_channel, _ = asked(session, four_weeks, names)
            rows = gaps(session, period.until - FOUR_WEEKS, self._settings().items)
            ended = flags_moved(session, period, gaps=True)[1]
            ended_before = flags_moved(session, period.before, gaps=True)[1]
            standing = flags_standing(session, gaps=True)[0]
        return monday(
            Unanswered(
                now=share,
                before=before,
                by_reason=by_reason,
                by_channel=by_channel,
                waiting=waiting,
                gaps=[_gap(row) for row in rows],
                open=standing,
                ended=(ended, ended_before),
                themes=self._themes(rows),
            )
        )

    def _tuesday(self, actor: Actor, period: Period, now: datetime) -> Told:
        due: dict[str, datetime] = {}
        for start in (now.date(), (now + WEEK).date()):
            for line in self._calendar.page(actor, start, limit=100):
                if line.at < now + WEEK and line.why != "begins":
                    due.setdefault(line.article_id, line.at)  # the earliest first
        with self._database.read() as session:
            rows = source_flags(session, 200)
            standing = flags_standing(session, gaps=False)
            opened, ended = flags_moved(session, period, gaps=False)
            opened_before, ended_before = flags_moved(session, period.before, gaps=False)
            came = moved(session, period)
            told = told_old(session, period)
        return tuesday(
            SourcesRead(
                flags=[(row.id, _kind(row), row.uses) for row in rows],
                open=standing,
                opened=(opened, opened_before),
                ended=(ended, ended_before),
                new_articles=came.new_articles,
                new_versions=came.new_versions,
                changed=came.changed,
                reworded=came.reworded,
                titles=came.titles,
                told_old=told,
                waiting=came.waiting,
                withheld=came.withheld,
                due=list(due.items()),
            )
        )


def _gap(row: SourceFlagRow) -> tuple[str, int, int]:
    questions = row.evidence.get("questions", ())
    return row.id, int(row.evidence.get("count", 1)), sum(bool(one["waits"]) for one in questions)


def _kind(row: SourceFlagRow) -> str:
    """Return why Tuesday lists a flag: its kind, or what of its kind it is."""
    if row.evidence.get("withheld"):
        return "withheld"
    return "ends" if row.kind == "overdue" and row.evidence.get("because") == "ends" else row.kind


def _place(order: Mapping[tuple[Subject, str], int], item: DayItem) -> int:
    return order.get((cast(Subject, item.subject), item.subject_id), len(order))


def _rows_of(week: date, day: Day) -> Select[RhythmItem]:
    query = select(RhythmItem).where(RhythmItem.week == week, RhythmItem.day == day)
    return query.order_by(RhythmItem.place, RhythmItem.id)


def _rows(session: Session, week: date, day: Day) -> list[RhythmItem]:
    return list(session.scalars(_rows_of(week, day)))


def _note(
    session: Session,
    week: date,
    day: Day,
    found: Sequence[Found],
    ended: Mapping[int, str],
    now: datetime,
) -> None:
    held = session.scalars(_rows_of(week, day).with_for_update())
    rows = {(row.subject, row.subject_id): row for row in held}
    given = [
        {
            "week": week,
            "day": day,
            "subject": one.subject,
            "subject_id": one.subject_id,
            "why": one.why,
            "figures": one.figures,
            "place": place,
            "listed_at": now,
            "cause": "",
        }
        for place, one in enumerate(found)
        if (one.subject, one.subject_id) not in rows
    ]
    if given:  # somebody else may open the same day at the same moment
        postgres = session.get_bind().dialect.name == "postgresql"
        insert = postgresql.insert if postgres else sqlite.insert
        session.execute(insert(RhythmItem).values(given).on_conflict_do_nothing())
    for row in rows.values():
        if row.done_at is None and (cause := ended.get(row.id)):
            row.done_at, row.done_by, row.cause = now, DESK, cause
            _audit(session, row, DESK, "rhythm.ended", now)


def _audit(session: Session, row: RhythmItem, by: str, event: str, now: datetime) -> None:
    data = {"week": row.week.isoformat(), "day": row.day, "why": row.why}
    data |= {"subject": row.subject, "id": row.subject_id}
    write_audit(session, now, by, event, data=data)


def _ended(
    session: Session, rows: Sequence[RhythmItem], names: Mapping[str, str]
) -> dict[int, str]:
    """Return the items whose ground is gone, and why."""
    left = [row for row in rows if row.done_at is None]
    flags = _by_id(session, SourceFlagRow, left, "flag")
    reviews = _by_id(session, Review, left, "review")
    contacts = _by_id(session, Contact, left, "contact")
    articles = _by_id(session, Article, left, "article")
    touched = _touched(session, [row for row in left if row.why in _UNTIL_TOUCHED])
    states = _states(session, [row for row in left if row.subject == "reason"])
    found = {}
    for row in left:
        flag, review = flags.get(row.subject_id), reviews.get(row.subject_id)
        contact, article = contacts.get(row.subject_id), articles.get(row.subject_id)
        if flag is not None and flag.status != "open":
            found[row.id] = f"The flag was ended ({(flag.action or flag.status)})."
        elif review is not None and row.why == "unsure" and review.status != "pending":
            found[row.id] = f"The review is {review.status}."
        elif contact is not None and contact.status == "closed":
            found[row.id] = "The contact was closed."
        elif row.why in _UNTIL_TOUCHED and row.subject_id in touched:
            found[row.id] = "Somebody took it up."
        elif row.subject == "reason" and row.subject_id not in names:
            found[row.id] = "The reason map has it no longer."
        elif row.why == "eligible" and states.get(row.subject_id) != "eligible":
            signed = states.get(row.subject_id) == "autopilot"
            found[row.id] = "It was signed." if signed else "It is no longer to be signed."
        elif article is not None and _seen_to(article, row):
            found[row.id] = "Its owner looked at it."
    return found


_UNTIL_TOUCHED: Final = frozenset({"untouched", "told_old"})
"""Why a contact is listed until a person does something with it."""


def _states(session: Session, rows: Sequence[RhythmItem]) -> dict[str, str]:
    """Return contact reason → where it stands."""
    row = ReasonAutonomy
    wanted = {one.subject_id for one in rows}
    query = select(row.reason, row.state).where(row.reason.in_(wanted))
    return dict(session.execute(query).tuples().all()) if wanted else {}


def _seen_to(article: Article, row: RhythmItem) -> bool:
    reviewed = article.last_reviewed is not None and article.last_reviewed > row.listed_at
    return reviewed or article.archived or article.gone_at is not None


def _by_id(
    session: Session, model: Any, rows: Sequence[RhythmItem], subject: str
) -> dict[str, Any]:
    ids = [row.subject_id for row in rows if row.subject == subject]
    if not ids:
        return {}
    return {one.id: one for one in session.scalars(select(model).where(model.id.in_(ids)))}


def _touched(session: Session, rows: Sequence[RhythmItem]) -> set[str]:
    """Return the contacts that a person did something with since they were listed."""
    listed = {row.subject_id: row.listed_at for row in rows}
    return touched_since(session, listed) if listed else set()


def _described(
    session: Session, rows: Sequence[RhythmItem], names: Mapping[str, str], zone: tzinfo
) -> list[DayItem]:
    flags = _by_id(session, SourceFlagRow, rows, "flag")
    articles = _by_id(session, Article, rows, "article")
    questions = _questions(session, rows)
    found = []
    for row in rows:
        flag = flags.get(row.subject_id)
        contact, title = questions.get(row.subject_id, (None, row.subject_id))
        if row.subject == "contact":
            contact = row.subject_id
        if flag is not None:
            title = excerpt(_asks(flag) or flag.title, 150)
        elif row.subject == "article":
            article = articles.get(row.subject_id)
            title = article.title if article else row.subject_id
        elif row.subject == "reason":
            title = names.get(row.subject_id, row.subject_id)
        found.append(
            DayItem(
                id=row.id,
                subject=row.subject,
                subject_id=row.subject_id,
                title=title,
                why=WHYS.get(row.why, row.why.replace("_", " ")),
                detail=_detail(row, flag, zone),
                contact_id=contact,
                review_id=row.subject_id if row.subject == "review" else None,
                article_id=row.subject_id
                if row.subject == "article"
                else (flag.article_id if flag else None),
                flag_id=flag.id if flag else None,
                done_at=row.done_at,
                done_by=row.done_by,
                cause=row.cause,
            )
        )
    return found


def _asks(flag: SourceFlagRow) -> str:
    """Return the shortest question of a gap; "" for any other flag."""
    texts = [one["text"] for one in flag.evidence.get("questions", ())]
    return min(texts, key=len, default="")


def _questions(session: Session, rows: Sequence[RhythmItem]) -> dict[str, tuple[str, str]]:
    """Return review or contact → its contact, and its subject or the beginning of its question."""
    reviews = [row.subject_id for row in rows if row.subject == "review"]
    contacts = [row.subject_id for row in rows if row.subject == "contact"]
    found: dict[str, tuple[str, str]] = {}
    if reviews:
        query = (
            select(Review.id, Review.state, Contact.id, Contact.subject, Contact.customer_name)
            .join(Contact, Contact.id == Review.contact_id)
            .where(Review.id.in_(reviews))
        )
        for review, state, contact, subject, name in session.execute(query).tuples():
            question = excerpt(state["classification"]["question"], 120)
            found[review] = contact, _titled(subject, name, question)
    if contacts:
        those = select(Contact.id, Contact.subject, Contact.customer_name).where(
            Contact.id.in_(contacts)
        )
        said = openings(session, contacts)
        for contact, subject, name in session.execute(those).tuples():
            found[contact] = contact, _titled(subject, name, said.get(contact, ""))
    return found


def _titled(subject: str, name: str, question: str) -> str:
    about = masked(" ".join((subject or question or "").split()))
    return " · ".join(part for part in (name, about) if part) or "A contact without a subject"


def _detail(row: RhythmItem, flag: SourceFlagRow | None, zone: tzinfo) -> str:
    figures = row.figures
    if row.why == "unanswered":
        _, asked, waiting = _gap(flag) if flag else ("", figures["asked"], figures["waiting"])
        said = f"{count(asked, 'contact')} asked{_waiting(waiting, flag, zone)}"
        nearest = figures.get("nearest")
        return f"{said}; nearest article: “{nearest}”" if nearest else said
    if flag is not None:
        owner = flag.owner or "" if row.why == "unowned" else flag.owner or "nobody owns it"
        uses = int(figures.get("uses", 0))
        resting = count(uses, "answer or draft rests", "answers or drafts rest") + " on it"
        return "; ".join(filter(None, (owner, resting if uses else "nothing rests on it yet")))
    if row.why in ("due", "told_old"):
        # An article names the day on which it ends, and means it in UTC.
        its = UTC if row.why == "due" else zone
        return f"on {_moment(figures['at'], its):%d %b %Y}"
    if row.why == "sure_but_wrong":
        return _decided(figures)
    if row.why == "unsure":
        return _guessed(figures, zone)
    if row.why in ("untouched", "incomplete"):
        lacks = ", ".join(figures.get("lacks", ()))
        by = f" by {figures['by']}" if figures.get("by") == "a reviewer" else ""
        rule = f", for {figures['by']}" if figures.get("by") and not by else ""
        given = f"to {figures.get('team') or 'nobody'}{by}{rule}{_since(figures, zone)}"
        return f"{given}; the brief lacks: {lacks}" if lacks else given
    if row.why == "demoted":
        return str(figures.get("cause", ""))
    return str(figures.get("did", ""))


def _decided(figures: Mapping[str, Any]) -> str:
    """Return what a reviewer did with a draft that the desk was sure of."""
    if figures.get("decided") == "edit":
        return f"{float(figures.get('share', 1.0)):.0%} of the words changed"
    if figures.get("decided") == "escalate":
        return "escalated"
    reason = str(figures.get("reason") or "").replace("_", " ")
    return f"rejected: {reason}" if reason else "rejected"


def _guessed(figures: Mapping[str, Any], zone: tzinfo) -> str:
    reason = figures.get("reason")
    return (f"taken for “{reason}”" if reason else "no reason fits") + _since(figures, zone)


def _since(figures: Mapping[str, Any], zone: tzinfo) -> str:
    since = figures.get("since")
    return f", since {_moment(since, zone):%d %b}" if since else ""


def _moment(written: str, zone: tzinfo) -> datetime:
    return datetime.fromisoformat(written).astimezone(zone)


def _waiting(number: int, flag: SourceFlagRow | None, zone: tzinfo) -> str:
    """Return how many of those that a gap left without an answer wait, and since when."""
    if not number:
        return ""
    questions = flag.evidence.get("questions", ()) if flag else ()
    oldest = min((one["at"] for one in questions if one["waits"]), default="")
    since = f" since {_moment(oldest, zone):%d %b}" if oldest else ""
    return f", {number} {'waits' if number == 1 else 'wait'}{since}"
