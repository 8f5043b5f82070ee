"""The daily queue of whoever leads the desk: what must not wait for its day of the week."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.clock import Clock, Zone, in_utc
from core.database import Database
from desk.contacts import ContactSummary, summary_of
from desk.flag_missing import Question, findings_of, grouped, vectors_of
from desk.metric_facts import DONE_WITH
from desk.models import OPEN_CONTACT, AuditEvent, Contact, Review, SourceFlagRow
from desk.permissions import Actor, require
from desk.queues import COUNTED_AT_MOST, HIGH_RANK, ContactQueues
from desk.rhythm_settings import RhythmSettings
from desk.suggest import masked, telling_words
from desk.task_grounds import SEEDED
from desk.tasks import TaskLine, Tasks, excerpt, openings
from retrieval.ports import Embedder, Vectors

Section = Literal["high_risk", "ageing", "missing_context", "low_confidence"]
SECTIONS: Final[tuple[Section, ...]] = get_args(Section)
FAILED_WITHIN: Final = timedelta(days=14)
ALIKE_IN_REASON: Final = 0.45
"""Cosine of a question and the mean of a group from which they ask for the same, where both are on
one contact reason, or on none of the map's. Over all reasons it takes
:data:`desk.flag_missing.ALIKE`: there unlike questions on one business are .45 alike."""
_MOST: Final = 200
_SHOWN: Final = 10
_EXAMPLES: Final = 4
_FAILURES: Final = {
    "review.reject": "rejected",
    "contact.reopened": "reopened",
    "run.failed": "failed",
}


@dataclass(frozen=True, slots=True)
class DailyLine:
    """One contact that the daily queue shows.

    ``subject`` is how its customer began where there is none.
    """

    contact_id: str
    customer: str
    subject: str
    reason: str | None
    tier: str
    status: str
    created_at: datetime
    due_at: datetime | None
    assigned: bool


@dataclass(frozen=True, slots=True)
class DailySection:
    """One part of the daily queue: its first contacts, and how many there are.

    Attributes:
        count: Of more than 5,000 open contacts only the most urgent are counted.
        lines: Its first contacts, without those that a section before shows.
        above: How many of its first contacts these are.
    """

    id: Section
    count: int
    lines: tuple[DailyLine, ...]
    above: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """One failure of a theme; ``text`` is the beginning of what the customer asked."""

    contact_id: str
    review_id: str
    text: str
    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Theme:
    """Contacts that failed in the same way, or on the same thing.

    Attributes:
        words: Words that their questions share; empty where only the contact reason is shared.
        reason: Their contact reason; None for none known.
        count: Contacts.
        what: What became of them (``unanswered``, ``rejected``, ``reopened``, ``failed``) → how
            many.
        of: Contacts of the reason that were drafted for in the same time.
        examples: Some, the latest first.
    """

    words: tuple[str, ...]
    reason: str | None
    count: int
    what: dict[str, int]
    of: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Today:
    """The daily queue.

    Attributes:
        at: The moment, in the time zone of the team.
        themes: Failures that repeat, of the last two weeks, the most frequent first.
        overdue: Tasks whose day is over, the newest first; of ``overdue_count``.
    """

    at: datetime
    sections: tuple[DailySection, ...]
    themes: tuple[Theme, ...]
    overdue: tuple[TaskLine, ...] = ()
    overdue_count: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return it as values that JSON can hold once moments are written out."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Failure:
    contact: str
    review: str
    text: str
    what: str
    reason: str | None
    at: datetime


class Daily:
    """Reads the daily queue.

    Args:
        embedder: Turns questions into vectors, to tell which ask for the same.
        settings: Reads the workspace's settings of the week.
        tasks: What is asked of others.
        zone: Tells the time zone of the team.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        embedder: Callable[[], Embedder],
        settings: Callable[[], RhythmSettings],
        tasks: Tasks,
        zone: Zone = in_utc,
    ) -> None:
        self._database = database
        self._clock = clock
        self._queues = ContactQueues(database, clock)
        self._embedder = embedder
        self._settings = settings
        self._tasks = tasks
        self._zone = zone
        self._vectors: dict[str, Vectors] = {}

    def today(self, actor: Actor) -> Today:
        """Return the daily queue."""
        return Today(
            self._clock.now().astimezone(self._zone()),
            tuple(self.sections(actor)),
            tuple(self.themes(actor)),
            tuple(self._tasks.page(actor, overdue=True, limit=_SHOWN)),
            self._tasks.count_overdue(actor),
        )

    def sections(self, actor: Actor, shown: int = _SHOWN) -> list[DailySection]:
        """Return the contacts that must not wait, under the names of their queues, each once.

        Args:
            actor: Who asks.
            shown: How many contacts a section holds at most.
        """
        require(actor, "run_rhythm")
        counts = self._queues.counts(actor)
        found: list[DailySection] = []
        above: set[str] = set()
        for section in SECTIONS:
            if section == "ageing":
                whole = self._ageing(shown)
            else:
                rows = self._queues.page(actor, section, limit=shown)
                whole = DailySection(section, counts[section], tuple(map(_line, rows)))
            new = tuple(line for line in whole.lines if line.contact_id not in above)
            if nameless := [line.contact_id for line in new if not line.subject]:
                with self._database.read() as session:
                    said = openings(session, nameless)
                new = tuple(
                    replace(line, subject=line.subject or said.get(line.contact_id, ""))
                    for line in new
                )
            found.append(replace(whole, lines=new, above=len(whole.lines) - len(new)))
            above |= {line.contact_id for line in new}
        return found

    def _ageing(self, shown: int) -> DailySection:
        """Return the contacts that have stood open for long, the oldest first.

        Those at high risk stand in a section of their own. A seeded check is work like any other
        until it is decided: where it were left out, the list would tell which it is.
        """
        before = self._clock.now() - timedelta(days=self._settings().ageing_days)
        is_open = text(f"contact.{OPEN_CONTACT}")
        mild = Contact.rank > HIGH_RANK
        old = (is_open, mild, Contact.created_at < before)
        query = select(Contact).where(*old).order_by(Contact.created_at, Contact.id).limit(shown)
        some = select(Contact.id).where(*old).limit(COUNTED_AT_MOST).subquery()
        with self._database.read() as session:
            count = session.scalar(select(func.count()).select_from(some)) or 0
            lines = tuple(_line(summary_of(row)) for row in session.scalars(query))
        return DailySection("ageing", count, lines)

    def themes(self, actor: Actor) -> list[Theme]:
        """Return failures of the last two weeks that repeat, the most frequent first.

        Questions on one contact reason are grouped by meaning and named by the words they share;
        what is left of a reason, and repeats only in its reason, is told as that.
        """
        require(actor, "run_rhythm")
        since = self._clock.now() - FAILED_WITHIN
        with self._database.read() as session:
            failures = _failures(session, since)
            asked = _asked(session, since)
        by_reason: dict[str | None, list[_Failure]] = defaultdict(list)
        for one in failures:
            by_reason[one.reason].append(one)
        found: list[Theme] = []
        for reason, some in by_reason.items():
            rest: list[_Failure] = []
            for words, group in self._grouped(some):
                if _contacts(group) > 1:
                    found.append(_theme(words, reason, group, asked.get(reason, 0)))
                else:
                    rest += group
            if reason is not None and _contacts(rest) >= self._settings().repeats:
                found.append(_theme((), reason, rest, asked.get(reason, 0)))
        return sorted(found, key=lambda one: (-one.count, not one.words, one.words))

    def of_gaps(self, rows: Sequence[SourceFlagRow]) -> list[tuple[str, int]]:
        """Return, of questions without a source, words that several share, and how many ask so."""
        questions = [
            _Failure(
                one["contact"],
                one["review"],
                one["text"],
                "unanswered",
                None,
                datetime.fromisoformat(one["at"]),
            )
            for row in rows
            for one in row.evidence.get("questions", ())
        ]
        with self._database.read() as session:
            reviews = [one.review for one in questions]
            query = select(Review.id, Review.reason).where(Review.id.in_(reviews))
            reasons = dict(session.execute(query).tuples().all())
        by_reason: dict[str | None, list[_Failure]] = defaultdict(list)
        for one in questions:
            by_reason[reasons.get(one.review)].append(one)
        found = [
            (", ".join(words), _contacts(group))
            for some in by_reason.values()
            for words, group in self._grouped(some)
            if words and _contacts(group) > 1
        ]
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def _grouped(
        self, failures: Sequence[_Failure]
    ) -> list[tuple[tuple[str, ...], list[_Failure]]]:
        """Return groups of failures that ask for the same, each with the words that name it."""
        if not failures:
            return []
        questions = [
            Question(one.contact, one.review, one.text, one.at, "", waits=False)
            for one in sorted(failures, key=lambda one: (one.at, one.review))
        ]
        texts = [one.text for one in questions]
        self._vectors = self._vectors | vectors_of(self._embedder(), texts, self._vectors)
        if len(self._vectors) > 5 * _MOST:
            self._vectors = {text: self._vectors[text] for text in set(texts)}
        groups = grouped([], questions, self._vectors, ALIKE_IN_REASON)
        told = findings_of(groups, self._clock.now())
        of_contact: dict[str, list[_Failure]] = defaultdict(list)
        for one in failures:
            of_contact[one.contact].append(one)
        return [
            (
                _telling(finding.evidence["words"]),
                [one for question in group.questions for one in of_contact[question.contact]],
            )
            for group, finding in zip(groups, told, strict=True)
        ]


def _line(summary: ContactSummary) -> DailyLine:
    return DailyLine(
        summary.id,
        summary.customer_name,
        masked(summary.subject),
        summary.reason,
        summary.tier,
        summary.status,
        summary.created_at,
        summary.due_at,
        summary.assigned_to is not None,
    )


def _telling(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in words if telling_words(word)) or tuple(words)


def _theme(words: Sequence[str], reason: str | None, group: Sequence[_Failure], of: int) -> Theme:
    latest = {one.contact: one for one in sorted(group, key=lambda one: one.at)}
    examples = sorted(latest.values(), key=lambda one: one.at, reverse=True)[:_EXAMPLES]
    return Theme(
        words=tuple(words),
        reason=reason,
        count=len(latest),
        what=dict(Counter(one.what for one in group).most_common()),
        of=max(of, len(latest)),
        examples=tuple(
            Example(one.contact, one.review, excerpt(one.text), one.what, one.at)
            for one in examples
        ),
    )


def _contacts(group: Sequence[_Failure]) -> int:
    return len({one.contact for one in group})


def _failures(session: Session, since: datetime) -> list[_Failure]:
    """Return what went wrong since; a contact may be there once for each way it did."""
    silent = (
        select(Review)
        .join(Contact, Contact.id == Review.contact_id)
        .where(Review.opened_at >= since, Review.kind == "abstain", Contact.origin != SEEDED)
        .order_by(Review.opened_at.desc())
        .limit(_MOST)
    )
    found = [_failure(one, "unanswered", one.opened_at) for one in session.scalars(silent)]
    events: dict[str, tuple[str, datetime]] = {}
    for event, what in _FAILURES.items():
        query = (
            select(AuditEvent.contact_id, AuditEvent.at, AuditEvent.data)
            .where(AuditEvent.event == event)
            .order_by(AuditEvent.id.desc())
            .limit(_MOST)
        )
        for contact, at, data in session.execute(query).tuples():
            came_back = event != "contact.reopened" or data.get("from") in DONE_WITH
            if contact and at >= since and came_back:
                events.setdefault(contact, (what, at))
    latest = (
        select(func.max(Review.id))
        .where(Review.contact_id.in_(sorted(events)))
        .group_by(Review.contact_id)
    )
    reviews = (
        select(Review)
        .join(Contact, Contact.id == Review.contact_id)
        .where(Review.id.in_(latest), Contact.origin != SEEDED)
    )
    for review in session.scalars(reviews):
        what, at = events[review.contact_id]
        found.append(_failure(review, what, at))
    once = {(one.contact, one.what): one for one in sorted(found, key=lambda one: one.at)}
    return list(once.values())


def _failure(review: Review, what: str, at: datetime) -> _Failure:
    question = " ".join(review.state["classification"]["question"].split())
    return _Failure(review.contact_id, review.id, question, what, review.reason, at)


def _asked(session: Session, since: datetime) -> dict[str | None, int]:
    query = (
        select(Review.reason, func.count(Review.contact_id.distinct()))
        .join(Contact, Contact.id == Review.contact_id)
        .where(Review.opened_at >= since, Contact.origin != SEEDED)
        .group_by(Review.reason)
    )
    return dict(session.execute(query).tuples().all())
