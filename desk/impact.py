"""What a changed source does to what rests on it: finds it, marks it, has drafts written again.

Everything is found from the articles that are due to be looked at (``Article.assess_at``), through
the rows that say what rests on them: it costs by what changed, not by the size of the help center
or the number of contacts. Marking is done at once; drafts are written again as jobs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import NotFound
from desk.audit import DESK, write_audit
from desk.contacts import hold_contact, start_new_run
from desk.jobs import Jobs
from desk.models import Contact, Delivery, Review, SourceUse
from desk.permissions import Actor, require
from desk.uses import ANSWERED, PENDING, let_go
from graph.draft import cite_whole
from graph.evidence import Recheck, evidence_of, look_again
from graph.ports import Changes
from graph.values import Draft, Evidence, EvidenceChange
from kb.changes import Change, ChangeJudge
from kb.content import Passage
from kb.library import Library
from kb.models import Article, ArticleVersion
from kb.sync import SyncReport
from kb.version_changes import (
    JudgedPassage,
    due_articles,
    judge_versions,
    settle_due,
    store,
    unjudged,
)

_ARTICLES_AT_ONCE: Final = 25
_ROWS_AT_ONCE: Final = 400
_JOBS_AT_ONCE: Final = 50
_LISTED: Final = 200
_MOST_REPORTED: Final = 500


@dataclass
class ImpactReport:
    """What a look at the changed sources found.

    Attributes:
        articles: Articles that were due and of which a passage changed or left.
        judged: Passages whose words a new version changed, judged now.
        reviews: Waiting reviews that may no longer be approved as they stand.
        restored: Waiting reviews that were marked and may be approved again.
        scheduled: Deliveries in their undo window that rest on a changed fact.
        answers: How many answers that were sent rest on a changed fact, found now.
    """

    articles: list[str] = field(default_factory=list)
    judged: list[JudgedPassage] = field(default_factory=list)
    reviews: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    scheduled: list[str] = field(default_factory=list)
    answers: int = 0

    @property
    def facts(self) -> list[JudgedPassage]:
        """What tells a reader something else, the surest first."""
        stopping = [one for one in self.judged if one.change.stops]
        return sorted(stopping, key=lambda one: (-one.change.score, one.versions.article_id))

    @property
    def reworded(self) -> int:
        """How many passages only read differently."""
        return sum(not one.change.stops for one in self.judged)

    def add(self, other: ImpactReport) -> None:
        """Take in what a further look found."""
        self.articles += [one for one in other.articles if one not in self.articles]
        self.judged += other.judged
        self.reviews += [one for one in other.reviews if one not in self.reviews]
        self.restored += other.restored
        self.scheduled += other.scheduled
        self.answers += other.answers

    def tell(self, report: SyncReport) -> None:
        """Write what was found into the report of the sync that brought it."""
        facts = self.facts
        report.facts = [one.as_json() for one in facts[:_MOST_REPORTED]]
        report.facts_count = len(facts)
        report.reworded = self.reworded
        report.impact = self.as_json()

    def as_json(self) -> dict[str, Any]:
        """Return counts, and the first ids of each kind, as plain JSON values."""
        return {
            "articles": self.articles[:_LISTED],
            "reviews": self.reviews[:_LISTED],
            "reviews_count": len(self.reviews),
            "restored_count": len(self.restored),
            "scheduled": self.scheduled[:_LISTED],
            "scheduled_count": len(self.scheduled),
            "answers_count": self.answers,
        }


@dataclass(frozen=True, slots=True)
class StaleAnswer:
    """An answer that was sent and rests on a fact that has changed since.

    Attributes:
        use_id: Names this line; where the next page begins.
        told: The sentences of the answer that rest on the passage.
        change: What changed, old beside new.
    """

    use_id: int
    delivery_id: str
    contact_id: str
    article_id: str
    title: str
    subject: str
    sent_at: datetime | None
    stale_at: datetime
    told: list[str]
    change: EvidenceChange


class Impact:
    """Finds what rests on sources that changed.

    Args:
        database: Holds sources, reviews and deliveries.
        library: The help center.
        clock: Tells what is in force.
        jobs: Where the writing of drafts is left.
        judge: Says what an edit did to the facts of a passage.
    """

    def __init__(
        self,
        database: Database,
        library: Library,
        clock: Clock,
        jobs: Jobs,
        judge: ChangeJudge,
    ) -> None:
        self._database = database
        self._library = library
        self._clock = clock
        self._jobs = jobs
        self._judge = judge

    def sweep(self) -> ImpactReport:
        """Judge what changed, mark what rests on it, and say so in the audit trail.

        Looks at every article that a sync or a decision changed, and at those of which time alone
        brought a version in or ended one. Safe to repeat, and to be killed at any point: what was
        not looked at stays due.
        """
        report = ImpactReport()
        now = self._clock.now()
        while True:
            with self._database.read() as session:
                due = due_articles(session, now, _ARTICLES_AT_ONCE)
            if not due:
                return report
            self._look_at(due, now, report)

    def redraft_stale(self) -> int:
        """Ask for new drafts in place of the marked ones that nobody holds; return how many."""
        now = self._clock.now()
        asked = 0
        after = ""
        while True:
            marked = select(SourceUse.holder).where(
                SourceUse.status == PENDING, SourceUse.stale_at.is_not(None)
            )
            query = (
                select(Review)
                .where(Review.id.in_(marked), Review.id > after, *_free(now))
                .order_by(Review.id)
                .limit(_JOBS_AT_ONCE)
            )
            with self._database.write() as session:
                reviews = session.scalars(query).all()
                for review in reviews:
                    if not _may_be_redrafted(session, review):
                        continue
                    # A job that found it taken is over; an hour later it is asked for again.
                    key = f"redraft:{review.id}:{now:%Y%m%d%H}"
                    self._jobs.enqueue(session, "redraft", key, review.id)
                    asked += 1
            if len(reviews) < _JOBS_AT_ONCE:
                return asked
            after = reviews[-1].id

    def redraft(self, review_id: str) -> str:
        """Withdraw a marked review that nobody holds and start its contact's run anew.

        Returns:
            ``redrafted``, or ``kept`` when somebody took it meanwhile or nothing is wrong with it.
        """
        now = self._clock.now()
        with self._database.write() as session:
            review = session.get(Review, review_id)
            if review is None:
                raise NotFound(f"There is no review {review_id!r}.")
            if not review.stale or not _may_be_redrafted(session, review):
                return "kept"
            contact = hold_contact(session, review.contact_id)
            take = (
                update(Review)
                .where(Review.id == review_id, *_free(now))
                .values(status="withdrawn")
                .returning(Review.id)
            )
            if session.scalar(take) is None:
                return "kept"
            let_go(session, review_id)
            contact.updated_at = now
            start_new_run(session, self._jobs, contact)
            write_audit(
                session,
                now,
                DESK,
                "review.withdrawn",
                contact_id=review.contact_id,
                review_id=review_id,
                data={"why": "source.changed", "changes": review.stale},
            )
        return "redrafted"

    def told_the_old(
        self,
        actor: Actor,
        *,
        article_id: str | None = None,
        limit: int = 50,
        after: StaleAnswer | None = None,
    ) -> list[StaleAnswer]:
        """Return a page of sent answers that rest on a changed fact: who was told the old thing.

        The latest found come first. An answer that uses another sentence of the passage than the
        one that changed is left out.

        Args:
            actor: Who asks; must be allowed to sync sources.
            article_id: Only what rests on this article.
            limit: Length of the page.
            after: Last line of the page before.
        """
        require(actor, "sync_sources")
        answers: list[StaleAnswer] = []
        sources = _OneReading(self._library)
        judge = _OneJudgement(self._judge)
        last = (after.stale_at, after.use_id) if after else None
        while len(answers) < limit:
            with self._database.read() as session:
                rows = session.execute(_told(article_id, limit, last)).tuples().all()
            for use, delivery in rows:
                if line := _stale_answer(use, delivery, sources, judge):
                    answers.append(line)
            if len(rows) < limit:
                break
            use = rows[-1][0]
            last = (cast(datetime, use.stale_at), use.id)
        return answers[:limit]

    # Looking at what changed

    def _look_at(self, due: Mapping[str, datetime], now: datetime, report: ImpactReport) -> None:
        articles = list(due)
        with self._database.read() as session:
            versions = unjudged(session, articles)
            concerned = sorted({*articles, *_replaced_by(session, articles)})
            used = _used_passages(session, concerned)
        judged = judge_versions(versions, self._library, self._judge)
        sources = _OneReading(self._library)
        judge = _OneJudgement(self._judge, judged)
        passages = sources.passages(sorted(used))
        found = _at_worst(list(passages.values()), sources, judge)
        stopped = {change["passage_id"] for change in found.stops}
        noted = {change["passage_id"] for change in found.notes}
        reviews = self._waiting_on(concerned, stopped | noted)
        looked_at = {
            review.id: look_again(
                cast(Evidence, review.state["evidence"]),
                cast(Draft, review.state["draft"]),
                review.state["evidence"]["last_message_id"],
                sources,
                judge,
            ).stops
            for review in reviews
        }
        with self._database.write() as session:
            store(session, judged, now)
            here = ImpactReport(judged=judged)
            _mark_reviews(session, looked_at, now, here)
            _mark_answers(session, concerned, stopped, now, here)
            settle_due(session, due, now)
            touched = {p.article_id for p in passages.values() if p.id in stopped}
            here.articles = sorted(touched | {one.versions.article_id for one in here.facts})
            if here.judged or here.articles or here.restored:
                write_audit(session, now, DESK, "source.changed", data=_for_audit(here))
        report.add(here)

    def _waiting_on(self, article_ids: Sequence[str], passage_ids: set[str]) -> list[Review]:
        """Return the waiting reviews that rest on one of these passages, or are marked already."""
        query = (
            select(Review)
            .join(SourceUse, SourceUse.holder == Review.id)
            .where(Review.status == "pending", SourceUse.status == PENDING)
        )
        found: dict[str, Review] = {}
        with self._database.read() as session:
            for some in _chunks(sorted(article_ids)):
                marked = query.where(
                    SourceUse.article_id.in_(some), SourceUse.stale_at.is_not(None)
                )
                found |= {review.id: review for review in session.scalars(marked)}
            for some in _chunks(sorted(passage_ids)):
                resting = query.where(SourceUse.passage_id.in_(some))
                found |= {review.id: review for review in session.scalars(resting)}
        return list(found.values())


class _OneReading:
    """Reads each thing of the help center once: many drafts rest on the same few sources."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._passages: dict[str, Passage] = {}
        self._in_force: dict[str, str | None] = {}
        self._versions: dict[str, list[Passage]] = {}

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return the passages of ``ids``; unknown ids are absent."""
        if unread := [key for key in ids if key not in self._passages]:
            self._passages |= self._library.passages(unread)
        return {key: self._passages[key] for key in ids if key in self._passages}

    def versions_in_force(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Return article id → id of the version in force now; absent when none is."""
        if unread := [key for key in article_ids if key not in self._in_force]:
            self._in_force |= dict.fromkeys(unread) | self._library.versions_in_force(unread)
        known = ((key, self._in_force[key]) for key in article_ids)
        return {key: version for key, version in known if version is not None}

    def passages_of_version(self, version_id: str) -> list[Passage]:
        """Return the passages of one version in reading order."""
        if version_id not in self._versions:
            self._versions[version_id] = self._library.passages_of_version(version_id)
        return self._versions[version_id]


class _OneJudgement:
    """Judges each edit once. Implements :class:`graph.ports.Changes`."""

    def __init__(self, judge: Changes, known: Iterable[JudgedPassage] = ()) -> None:
        self._judge = judge
        self._known = {
            (one.old.plain, one.new.plain): one.change for one in known if one.old and one.new
        }

    def judge(self, old: str, new: str) -> Change:
        """Return what changed between two plain texts of one passage."""
        if (old, new) not in self._known:
            self._known[old, new] = self._judge.judge(old, new)
        return self._known[old, new]


def _at_worst(passages: Iterable[Passage], sources: _OneReading, judge: _OneJudgement) -> Recheck:
    """Return what became of passages for an answer that says all that each of them says."""
    sources.versions_in_force(sorted({passage.article_id for passage in passages}))
    draft: Draft = {
        "kind": "answer",
        "opening": "",
        "sentences": [{"text": p.plain, "citations": [cite_whole(p)]} for p in passages],
        "closing": "",
        "drafter": "",
        "note": "",
    }
    return look_again(evidence_of(draft, ""), draft, "", sources, judge)


def _replaced_by(session: Session, article_ids: Sequence[str]) -> set[str]:
    """Return the articles that a version of one of these says it replaces."""
    query = (
        select(ArticleVersion.supersedes)
        .join(Article, Article.id == ArticleVersion.article_id)
        .where(Article.id.in_(article_ids), Article.replaces)
    )
    return {target for targets in session.scalars(query) for target in targets}


def _used_passages(session: Session, article_ids: Sequence[str]) -> set[str]:
    """Return the passages of these articles that something waiting or answered rests on."""
    found: set[str] = set()
    for some in _chunks(article_ids):
        query = select(SourceUse.passage_id).where(
            SourceUse.article_id.in_(some), SourceUse.status.in_((PENDING, ANSWERED))
        )
        found.update(session.scalars(query.distinct()))
    return found


def _mark_reviews(
    session: Session,
    looked_at: Mapping[str, list[EvidenceChange]],
    now: datetime,
    report: ImpactReport,
) -> None:
    """Write what changed under each review, unless somebody decided it: its recheck will tell."""
    with session.no_autoflush:
        for some in _chunks(sorted(looked_at)):
            waiting = select(Review).where(Review.id.in_(some), Review.status == "pending")
            uses: dict[str, list[SourceUse]] = defaultdict(list)
            for use in session.scalars(select(SourceUse).where(SourceUse.holder.in_(some))):
                uses[use.holder].append(use)
            for review in session.scalars(waiting):
                _mark_review(session, review, uses[review.id], looked_at[review.id], now, report)


def _mark_review(
    session: Session,
    review: Review,
    uses: Sequence[SourceUse],
    changes: list[EvidenceChange],
    now: datetime,
    report: ImpactReport,
) -> None:
    stopped = {change.get("passage_id") for change in changes}
    for use in uses:
        use.stale_at = (use.stale_at or now) if use.passage_id in stopped else None
    # What its recheck has told the reviewer is not told a second time.
    told = review.state.get("changes", [])
    news = [change for change in changes if change not in told]
    if changes:
        report.reviews.append(review.id)
    if news == review.stale:
        return
    if not news:
        report.restored.append(review.id)
    review.stale = news
    write_audit(
        session,
        now,
        DESK,
        "source.changed" if news else "source.restored",
        contact_id=review.contact_id,
        review_id=review.id,
        data={"changes": news},
    )


def _mark_answers(
    session: Session,
    article_ids: Sequence[str],
    stopped: set[str],
    now: datetime,
    report: ImpactReport,
) -> None:
    """Mark answers that rest on a stopped passage; take marks back that no longer hold."""
    quiet = {"synchronize_session": False}
    for some in _chunks(article_ids):
        session.execute(
            update(SourceUse)
            .where(SourceUse.article_id.in_(some), SourceUse.status == ANSWERED)
            .where(SourceUse.stale_at.is_not(None), SourceUse.passage_id.not_in(stopped))
            .values(stale_at=None)
            .execution_options(**quiet)
        )
    scheduled: set[str] = set()
    sent = 0
    for some in _chunks(sorted(stopped)):
        fresh = and_(
            SourceUse.passage_id.in_(some),
            SourceUse.status == ANSWERED,
            SourceUse.stale_at.is_(None),
        )
        resting = select(SourceUse.holder).where(fresh)
        scheduled.update(
            session.scalars(
                select(Delivery.id).where(
                    Delivery.id.in_(resting), Delivery.status.in_(("scheduled", "sending"))
                )
            )
        )
        sent += (
            session.scalar(
                select(func.count())
                .select_from(Delivery)
                .where(Delivery.id.in_(resting), Delivery.status == "sent")
            )
            or 0
        )
        session.execute(
            update(SourceUse).where(fresh).values(stale_at=now).execution_options(**quiet)
        )
    report.scheduled = sorted(scheduled)
    report.answers = sent


def _for_audit(report: ImpactReport) -> dict[str, Any]:
    versions = list(dict.fromkeys(one.versions.new_version_id for one in report.judged))
    return {
        **report.as_json(),
        "versions": versions[:_LISTED],
        "facts_count": len(report.facts),
        "reworded_count": report.reworded,
    }


def _free(now: datetime) -> tuple[Any, ...]:
    return (
        Review.status == "pending",
        or_(Review.claimed_by.is_(None), Review.claimed_until < now),
    )


def _may_be_redrafted(session: Session, review: Review) -> bool:
    """Tell whether no person's words or decision would be lost with the draft."""
    draft: Mapping[str, Any] = review.state["draft"]
    contact = session.get_one(Contact, review.contact_id)
    return (
        not review.state.get("sent_back")
        and not str(draft["drafter"]).startswith("person:")
        and contact.brought_draft is None
        and contact.thread == review.thread
    )


def _told(article_id: str | None, limit: int, last: tuple[datetime, int] | None) -> Any:
    query = (
        select(SourceUse, Delivery)
        .join(Delivery, Delivery.id == SourceUse.holder)
        .where(
            SourceUse.status == ANSWERED,
            SourceUse.stale_at.is_not(None),
            Delivery.status == "sent",
        )
        .order_by(SourceUse.stale_at.desc(), SourceUse.id.desc())
        .limit(limit)
    )
    if article_id:
        query = query.where(SourceUse.article_id == article_id)
    if last:
        at, use_id = last
        query = query.where(
            or_(
                SourceUse.stale_at < at,
                and_(SourceUse.stale_at == at, SourceUse.id < use_id),
            )
        )
    return query


def _stale_answer(
    use: SourceUse, delivery: Delivery, sources: _OneReading, judge: _OneJudgement
) -> StaleAnswer | None:
    """Return one line, or None where the answer does not rest on what changed in the passage."""
    draft = cast(Draft, delivery.draft)
    stops = look_again(evidence_of(draft, ""), draft, "", sources, judge).stops
    change = next((one for one in stops if one.get("passage_id") == use.passage_id), None)
    if change is None:
        return None
    told = [
        sentence["text"]
        for sentence in draft["sentences"]
        if any(citation["passage_id"] == use.passage_id for citation in sentence["citations"])
    ]
    passage = sources.passages([use.passage_id]).get(use.passage_id)
    return StaleAnswer(
        use_id=use.id,
        delivery_id=delivery.id,
        contact_id=delivery.contact_id,
        article_id=use.article_id,
        title=passage.title if passage else use.article_id,
        subject=delivery.subject,
        sent_at=delivery.sent_at,
        stale_at=cast(datetime, use.stale_at),
        told=told,
        change=change,
    )


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _ROWS_AT_ONCE):
        yield items[start : start + _ROWS_AT_ONCE]
