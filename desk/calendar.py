"""What comes due on the shelf, by week: reviews, ends and beginnings of what is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, Literal, cast

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database, UtcDateTime
from desk.permissions import Actor, require
from kb.content import PassageKind
from kb.library import Library
from kb.models import Article, ArticleVersion

DueKind = Literal["review", "ends", "begins"]
WEEKS: Final = 12
_WEEK: Final = timedelta(weeks=1)
_REPLACERS: Final = 2_000


@dataclass(frozen=True, slots=True)
class DueLine:
    """One thing that comes due.

    Attributes:
        why: ``review``: its owner is to confirm it; ``ends``: its text runs out; ``begins``: a new
            text comes into force.
        at: When; a review may lie in the past.
    """

    article_id: str
    kind: PassageKind
    title: str
    owner: str | None
    why: DueKind
    at: datetime


@dataclass(frozen=True, slots=True)
class DueWeek:
    """How much comes due in the week that begins on ``start``, a Monday; None for what is late."""

    start: date | None
    reviews: int = 0
    ends: int = 0
    begins: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.reviews + self.ends + self.begins


class Calendar:
    """Reads what comes due from the articles and versions in use."""

    def __init__(self, database: Database, library: Library, clock: Clock) -> None:
        self._database = database
        self._library = library
        self._clock = clock

    def weeks(self, actor: Actor, *, owner: str | None = None, weeks: int = WEEKS) -> list[DueWeek]:
        """Return what is late, then each of the coming weeks, also those in which nothing is due.

        Args:
            actor: Who asks.
            owner: Only of this owner; "" for what nobody owns.
            weeks: How many weeks, the present one first.
        """
        require(actor, "read_reviews")
        now = self._clock.now()
        first = monday_of(now)
        until = _midnight(first) + weeks * _WEEK
        counts: dict[date | None, dict[DueKind, int]] = {
            start: {} for start in (None, *(first + n * _WEEK for n in range(weeks)))
        }
        with self._database.read() as session:
            due = self._due(session, now, owner).subquery()
            late = due.c.at < now
            day = case((late, None), else_=func.date(due.c.at)).label("day")
            query = (
                select(day, due.c.why, func.count()).where(due.c.at < until).group_by("day", "why")
            )
            for found, why, count in session.execute(query):
                start = monday_of(_as_date(found)) if found is not None else None
                of_week = counts[start]
                of_week[why] = of_week.get(why, 0) + count
        return [
            DueWeek(start, of.get("review", 0), of.get("ends", 0), of.get("begins", 0))
            for start, of in counts.items()
        ]

    def page(
        self,
        actor: Actor,
        week: date | None,
        *,
        owner: str | None = None,
        limit: int = 50,
        after: DueLine | None = None,
    ) -> list[DueLine]:
        """Return a page of what comes due in one week, the earliest first.

        Args:
            actor: Who asks.
            week: A day of the week; None for what is late.
            owner: Only of this owner; "" for what nobody owns.
            limit: Length of the page.
            after: Last line of the page before.
        """
        require(actor, "read_reviews")
        now = self._clock.now()
        with self._database.read() as session:
            due = self._due(session, now, owner).subquery()
            query = select(due).order_by(due.c.at, due.c.id, due.c.why).limit(limit)
            if week is None:
                query = query.where(due.c.at < now)
            else:
                start = _midnight(monday_of(week))
                query = query.where(due.c.at >= max(start, now), due.c.at < start + _WEEK)
            if after:
                same = due.c.at == after.at
                query = query.where(
                    or_(
                        due.c.at > after.at,
                        and_(same, due.c.id > after.article_id),
                        and_(same, due.c.id == after.article_id, due.c.why > after.why),
                    )
                )
            return [DueLine(*row) for row in session.execute(query).tuples()]

    def _due(self, session: Session, now: datetime, owner: str | None) -> CompoundSelect[Any]:
        times = _current(now)
        conditions: list[ColumnElement[bool]] = [
            Article.archived.is_(False),
            Article.gone_at.is_(None),
            Article.superseded_by.is_(None),
        ]
        if replaced := self._replaced(session):
            conditions.append(Article.id.not_in(replaced))
        if owner is not None:
            conditions.append(Article.owner == owner if owner else Article.owner.is_(None))
        reviewed = case(
            (Article.last_reviewed > ArticleVersion.effective_from, Article.last_reviewed),
            else_=ArticleVersion.effective_from,
        )
        sqlite = session.get_bind().dialect.name == "sqlite"
        review = _of("review", _later(reviewed, Article.review_every_days, sqlite=sqlite)).where(
            *conditions,
            times,
            Article.review_every_days.is_not(None),
            or_(ArticleVersion.effective_to.is_(None), ArticleVersion.effective_to > now),
        )
        ends = _of("ends", ArticleVersion.effective_to).where(
            *conditions, times, ArticleVersion.effective_to > now
        )
        begins = _of("begins", ArticleVersion.effective_from).where(
            *conditions, ArticleVersion.effective_from > now
        )
        return union_all(review, ends, begins)

    def _replaced(self, session: Session) -> list[str]:
        """Return the articles that another one in force says it replaces."""
        query = (
            select(ArticleVersion.supersedes)
            .join(Article, Article.id == ArticleVersion.article_id)
            .where(Article.replaces)
            .limit(_REPLACERS)
        )
        named = sorted({old for olds in session.scalars(query) for old in olds})
        in_force = self._library.versions_in_force(named) if named else {}
        return [old for old in named if old not in in_force]


def monday_of(day: date) -> date:
    """Return the Monday of the week of ``day``."""
    plain = day.date() if isinstance(day, datetime) else day
    return plain - timedelta(days=plain.weekday())


def _current(now: datetime) -> Any:
    # The newest version of its article that has begun: the same rule as ``kb.freshness.current``.
    newest = (
        select(func.max(_other.c.number))
        .where(_other.c.article_id == ArticleVersion.article_id, _other.c.effective_from <= now)
        .correlate(ArticleVersion)
        .scalar_subquery()
    )
    return ArticleVersion.number == newest


_other: Final = ArticleVersion.__table__.alias("other_version")


def _of(why: DueKind, at: Any) -> Select[*tuple[Any, ...]]:
    return select(
        Article.id.label("id"),
        Article.kind.label("kind"),
        ArticleVersion.title.label("title"),
        Article.owner.label("owner"),
        literal(why).label("why"),
        type_coerce(at, UtcDateTime()).label("at"),
    ).join(ArticleVersion, ArticleVersion.article_id == Article.id)


def _later(moment: Any, days: Any, *, sqlite: bool) -> Any:
    """Return ``moment`` so many days later, as the database keeps moments."""
    if sqlite:
        # Six digits of a second, as SQLAlchemy writes them: moments are compared as text.
        shifted = func.datetime(moment, func.printf("+%d days", days))
        return shifted.op("||")(".000000")
    return moment + func.make_interval(0, 0, 0, days)


def _as_date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(cast(str, value))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
