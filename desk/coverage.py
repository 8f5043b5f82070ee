"""Which questions had no source: how many a week, what they ask for, who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, cast

from sqlalchemy import and_, func, or_, select

from core.clock import Clock
from core.database import Database
from core.errors import NotFound
from desk.calendar import monday_of
from desk.flag_rules import FlagStatus
from desk.models import Review, SourceFlagRow
from desk.permissions import Actor, require
from desk.seeded_ends import seeded_contacts

WEEKS: Final = 12
_WEEK: Final = timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class CoverageWeek:
    """How many contacts were drafted for in the week from ``start``, and for how many in vain."""

    start: date
    asked: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that no source answered."""

    contact_id: str
    review_id: str
    text: str
    at: datetime
    waits: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that ask for the same, and that no source answers.

    Attributes:
        flag_id: The flag ``missing`` that stands for them.
        asks: The shortest of its questions.
        words: Words that its questions share.
        count: How many contacts asked.
        weeks: How many asked in each of the last weeks, the present one last.
        damage: Its rank.
    """

    flag_id: str
    title: str
    asks: str
    words: list[str]
    status: FlagStatus
    owner: str | None
    count: int
    waiting: int
    last_at: datetime
    weeks: list[int]
    damage: float


class Coverage:
    """Reads the reviews that abstained, and the flags that group their questions."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def weeks(self, actor: Actor, weeks: int = WEEKS) -> list[CoverageWeek]:
        """Return the last weeks, the oldest first; a contact counts once a week."""
        require(actor, "read_reviews")
        first = monday_of(self._clock.now()) - (weeks - 1) * _WEEK
        starts = [first + n * _WEEK for n in range(weeks)]
        found = []
        with self._database.read() as session:
            for start in starts:
                begins = datetime.combine(start, time(), UTC)
                of_week = (
                    Review.opened_at >= begins,
                    Review.opened_at < begins + _WEEK,
                    Review.contact_id.not_in(seeded_contacts()),
                )
                contacts = func.count(Review.contact_id.distinct())
                asked = select(contacts).where(*of_week)
                found.append(
                    CoverageWeek(
                        start,
                        session.scalar(asked) or 0,
                        session.scalar(asked.where(Review.kind == "abstain")) or 0,
                    )
                )
        return found

    def gaps(
        self,
        actor: Actor,
        *,
        status: FlagStatus = "open",
        limit: int = 50,
        after: Gap | None = None,
        weeks: int = WEEKS,
    ) -> list[Gap]:
        """Return a page of gaps, the one that does most damage first.

        Args:
            actor: Who asks.
            status: ``open``; ``resolved`` for those that an article closed; ``dismissed``.
            limit: Length of the page.
            after: Last gap of the page before.
            weeks: Length of ``Gap.weeks``.
        """
        require(actor, "read_reviews")
        row = SourceFlagRow
        query = (
            select(row)
            .where(row.kind == "missing", row.article_id.is_(None), row.status == status)
            .order_by(row.damage.desc(), row.id)
            .limit(limit)
        )
        if after:
            behind = and_(row.damage == after.damage, row.id > after.flag_id)
            query = query.where(or_(row.damage < after.damage, behind))
        now = self._clock.now()
        with self._database.read() as session:
            return [_gap(one, now, weeks) for one in session.scalars(query)]

    def asked(self, actor: Actor, flag_id: str) -> list[Asked]:
        """Return the newest questions of a gap, the latest first.

        Raises:
            NotFound: There is no such gap.
        """
        require(actor, "read_reviews")
        with self._database.read() as session:
            row = session.get(SourceFlagRow, flag_id)
            if row is None or row.kind != "missing":
                raise NotFound(f"There is no gap {flag_id!r}.")
            return [_asked(one) for one in reversed(row.evidence.get("questions", []))]


def per_week(moments: Sequence[datetime], now: datetime, weeks: int) -> list[int]:
    """Return how many of ``moments`` lie in each of the last weeks, the present one last. Pure."""
    last = monday_of(now)
    counts = [0] * weeks
    for moment in moments:
        back = (last - monday_of(moment)).days // 7
        if 0 <= back < weeks:
            counts[weeks - 1 - back] += 1
    return counts


def _gap(row: SourceFlagRow, now: datetime, weeks: int) -> Gap:
    questions = [_asked(one) for one in row.evidence.get("questions", [])]
    moments = [one.at for one in questions]
    return Gap(
        flag_id=row.id,
        title=row.title,
        asks=min((one.text for one in questions), key=len, default=row.title),
        words=list(row.evidence.get("words", ())),
        status=cast(FlagStatus, row.status),
        owner=row.owner,
        count=int(row.evidence.get("count", len(questions))),
        waiting=sum(one.waits for one in questions),
        last_at=max(moments, default=row.opened_at),
        weeks=per_week(moments, now, weeks),
        damage=row.damage,
    )


def _asked(question: Mapping[str, Any]) -> Asked:
    return Asked(
        question["contact"],
        question["review"],
        question["text"],
        datetime.fromisoformat(question["at"]),
        bool(question["waits"]),
    )
