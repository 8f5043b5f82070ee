"""Reads what the rules for tasks look at: bounded by four weeks and by a number of rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.identifiers import json_digest
from core.vocabulary import TIERS, RejectReason, Tier
from desk.models import (
    AuditEvent,
    Contact,
    Person,
    ReasonCorrection,
    Review,
    SourceFlagRow,
    SourceUse,
)
from desk.qa_models import QaPick, QaScore, SeededCheck
from desk.rhythm_settings import RhythmSettings
from desk.task_models import Task
from desk.task_rules import (
    Names,
    Seen,
    SeenCorrection,
    SeenEscalation,
    SeenFlag,
    SeenLapse,
    SeenMacro,
    SeenReject,
    SeenSilence,
    Source,
    Work,
    lapse_key,
    long_quiet,
    silence_key,
)
from graph.reasons import ReasonMap
from graph.tiers import TierRules
from kb.amendments import NOT_JUDGED
from kb.models import Article, ArticleChange, ArticleVersion

LOOKBACK: Final = timedelta(days=28)
SEEDED: Final = "seeded"
"""Origin of the contacts that check reviewers: no customer wrote them, and nothing counts them."""
_MOST: Final = 500
_MOST_FLAGS: Final = 200


def read_seen(
    session: Session, now: datetime, reasons: ReasonMap, done: Mapping[str, datetime]
) -> Seen:
    """Return what reviewers and agents said and did in the last four weeks.

    Args:
        session: For reading.
        now: The present moment.
        reasons: The reason map.
        done: Key → when the task of this key was last done.
    """
    since = now - LOOKBACK
    readings, read = _readings(session, since, done)
    missed, met = _checks(session, since, done)
    return Seen(
        lapses=[*readings, *missed],
        looked_at={
            **{(_FAILED, person): number for person, number in read.items()},
            **{(_MISSED, person): number for person, number in met.items()},
        },
        rejects=_rejects(session, since),
        corrections=_corrections(session, since),
        escalations=_escalations(session, since),
        flags=_flags(session),
        macros=_macros(session),
        silences=_silences(session, since, reasons, done),
    )


def read_names(session: Session, reasons: ReasonMap, tiers: TierRules) -> Names:
    """Return how things are called now, and the digest of every rule's text."""
    digests = {
        f"reasons.yaml:{one.id}": json_digest(one.model_dump(mode="json")) for one in reasons
    }
    digests |= {
        f"tiers.yaml:{rule.id}": json_digest(rule.model_dump(mode="json")) for rule in tiers.rules
    }
    return Names(
        reasons={one.id: one.name for one in reasons},
        owners={one.id: one.owner for one in reasons},
        people=dict(session.execute(select(Person.id, Person.name)).tuples().all()),
        digests=digests,
    )


def _reviews_of(session: Session, event: str, since: datetime) -> list[tuple[datetime, Review]]:
    """Return the reviews that the newest events of one name are about, the latest first."""
    newest = (
        select(AuditEvent.id, AuditEvent.at, AuditEvent.review_id)
        .where(AuditEvent.event == event)
        .order_by(AuditEvent.id.desc())
        .limit(_MOST)
        .subquery()
    )
    query = (
        select(newest.c.at, Review)
        .join(Review, Review.id == newest.c.review_id)
        .join(Contact, Contact.id == Review.contact_id)
        .where(newest.c.at >= since, Contact.origin != SEEDED)
        .order_by(newest.c.id.desc())
    )
    return list(session.execute(query).tuples())


def _rejects(session: Session, since: datetime) -> list[SeenReject]:
    rows = _reviews_of(session, "review.reject", since)
    cited = {review.id: _cited(review.state) for _, review in rows}
    instead = _approved_after(session, [review for _, review in rows])
    sources = sources_of(session, {one for some in cited.values() for one in some})
    return [
        SeenReject(
            review=review.id,
            at=at,
            why=cast(RejectReason, (review.decision or {}).get("reason") or "other"),
            reason=review.reason,
            drafter=str(review.state["draft"]["drafter"]),
            sources=tuple(sources[one] for one in cited[review.id] if one in sources),
            instead=tuple(instead.get(review.id, ())),
            rule=_severest(review.state["triage"]["triggers"]),
        )
        for at, review in rows
    ]


def _cited(state: Mapping[str, Any]) -> list[str]:
    """Return the articles that a draft cites, the most cited first."""
    counted = Counter(
        citation["article_id"]
        for sentence in state["draft"]["sentences"]
        for citation in sentence["citations"]
    )
    return [article for article, _ in counted.most_common()]


def _approved_after(session: Session, rejected: Sequence[Review]) -> dict[str, list[str]]:
    """Return rejected review → the articles that the answer cites which was released after it."""
    contacts = {review.contact_id for review in rejected}
    query = (
        select(Review.id, Review.contact_id, Review.state)
        .where(Review.contact_id.in_(contacts), Review.status == "decided")
        .where(Review.decision["kind"].as_string().in_(("approve", "edit")))
        .order_by(Review.id)
    )
    later: dict[str, list[tuple[str, list[str]]]] = defaultdict(list)
    for review_id, contact_id, state in session.execute(query).tuples():
        later[contact_id].append((review_id, _cited(state)))
    return {
        review.id: next((cited for key, cited in later[review.contact_id] if key > review.id), [])
        for review in rejected
    }


def _severest(triggers: Sequence[Mapping[str, Any]]) -> str:
    fired = [one for one in triggers if one["tier"] in TIERS]
    worst = max(fired, key=lambda one: TIERS.index(cast(Tier, one["tier"])), default=None)
    return str(worst["by"]) if worst else ""


def sources_of(session: Session, ids: Iterable[str]) -> dict[str, Source]:
    """Return id → article or macro, of those that there are."""
    query = select(Article.id, Article.title, Article.owner, Article.kind).where(
        Article.id.in_(sorted(set(ids)))
    )
    return {
        key: Source(key, title, owner, kind == "macro")
        for key, title, owner, kind in session.execute(query).tuples()
    }


_FAILED: Final = "qa_failed"
_MISSED: Final = "seeded_missed"


def _readings(
    session: Session, since: datetime, done: Mapping[str, datetime]
) -> tuple[list[SeenLapse], Counter[str]]:
    """Return the answers that a reader failed, and how many of each person's were read.

    Of who was coached on it, only what was read since is counted.
    """
    query = (
        select(QaScore, QaPick.decided_by, QaPick.reason, QaPick.review_id)
        .join(QaPick, QaPick.id == QaScore.pick_id)
        .where(QaScore.at >= since)
        .order_by(QaScore.at.desc())
        .limit(_MOST)
    )
    failed: dict[str, SeenLapse] = {}
    read: dict[str, str] = {}
    for score, person, reason, review in session.execute(query).tuples():
        if score.at > done.get(lapse_key(_FAILED, person or ""), since):
            read[score.pick_id] = person or ""
        if not score.passed:  # read twice, it is one answer all the same
            items = tuple(item for item, mark in score.marks.items() if mark == "fail")
            failed[score.pick_id] = SeenLapse(
                review or score.pick_id, _FAILED, score.at, person or "", reason, items
            )
    return list(failed.values()), Counter(read.values())


def _checks(
    session: Session, since: datetime, done: Mapping[str, datetime]
) -> tuple[list[SeenLapse], Counter[str]]:
    """Return the seeded checks that were missed, and how many each person met since coaching."""
    row = SeededCheck
    query = (
        select(row)
        .where(row.resolved_at >= since, row.outcome.in_(("caught", "missed")))
        .order_by(row.resolved_at.desc())
        .limit(_MOST)
    )
    missed, met = [], Counter[str]()
    for one in session.scalars(query):
        person, at = one.resolved_by or "", one.resolved_at or since
        met[person] += at > done.get(lapse_key(_MISSED, person), since)
        if one.outcome == "missed":
            missed.append(SeenLapse(one.review_id, _MISSED, at, person, one.reason, (one.kind,)))
    return missed, met


def _corrections(session: Session, since: datetime) -> list[SeenCorrection]:
    row = ReasonCorrection
    query = (
        select(row.id, row.at, row.was, row.reason)
        .join(Contact, Contact.id == row.contact_id)
        .where(row.at >= since, row.undone_at.is_(None), Contact.origin != SEEDED)
        .order_by(row.at.desc())
        .limit(_MOST)
    )
    return [SeenCorrection(*one) for one in session.execute(query).tuples()]


def _escalations(session: Session, since: datetime) -> list[SeenEscalation]:
    rows = _reviews_of(session, "review.escalate", since)
    return [SeenEscalation(review.id, at, review.reason) for at, review in rows]


def _flags(session: Session) -> list[SeenFlag]:
    row = SourceFlagRow
    query = (
        select(row)
        .where(row.status == "open", row.kind.in_(("often_rewritten", "missing")))
        .order_by(row.damage.desc(), row.id)
        .limit(_MOST_FLAGS)
    )
    rows = [one for one in session.scalars(query) if not one.evidence.get("withheld")]
    sources = sources_of(session, [one.article_id for one in rows if one.article_id])
    return [_flag(one, sources.get(one.article_id or "")) for one in rows]


def _flag(row: SourceFlagRow, source: Source | None) -> SeenFlag:
    evidence = row.evidence
    seen = evidence.get("sentences") or evidence.get("questions") or []
    moments = [datetime.fromisoformat(one["at"]) for one in seen]
    count = int(evidence.get("rewritten") or evidence.get("count") or len(seen))
    return SeenFlag(
        id=row.id,
        kind=row.kind,
        at=max(moments, default=row.opened_at),
        owner=row.owner,
        source=source,
        seen=tuple(dict.fromkeys(one["review"] for one in seen)),
        count=count,
        of=int(evidence.get("drafts") or count),
        words=tuple(evidence.get("words", ())),
    )


def _macros(session: Session) -> list[SeenMacro]:
    query = (
        select(Article)
        .where(
            Article.kind == "macro",
            Article.withheld.is_not(None),
            Article.withheld != NOT_JUDGED,
            Article.archived.is_(False),
            Article.gone_at.is_(None),
        )
        .order_by(Article.id)
        .limit(_MOST_FLAGS)
    )
    rows = session.scalars(query).all()
    since = dict(
        session.execute(
            select(ArticleChange.article_id, func.max(ArticleChange.at))
            .where(
                ArticleChange.article_id.in_([one.id for one in rows]),
                ArticleChange.field == "withheld",
            )
            .group_by(ArticleChange.article_id)
        )
        .tuples()
        .all()
    )
    return [
        SeenMacro(
            Source(one.id, one.title, one.owner, is_macro=True),
            since.get(one.id),
            one.withheld or "",
        )
        for one in rows
    ]


def _silences(
    session: Session, since: datetime, reasons: ReasonMap, done: Mapping[str, datetime]
) -> list[SeenSilence]:
    contacts = func.count(Review.contact_id.distinct())
    seen_to = [
        or_(Review.reason != reason.id, Review.opened_at > done[key])
        for reason in reasons
        if (key := silence_key(reason.id)) in done
    ]
    of_time = (
        Review.opened_at >= since, Review.reason.is_not(None), Contact.origin != SEEDED, *seen_to
    )  # fmt: skip
    joined = select(Review.reason, contacts).join(Contact, Contact.id == Review.contact_id)
    asked = dict(session.execute(joined.where(*of_time).group_by(Review.reason)).tuples().all())
    silent: dict[str, dict[str, tuple[str, datetime]]] = defaultdict(dict)
    query = (
        select(Review.reason, Review.contact_id, Review.id, Review.opened_at)
        .join(Contact, Contact.id == Review.contact_id)
        .where(*of_time, Review.kind == "abstain")
        .order_by(Review.opened_at.desc())
        .limit(_MOST)
    )
    for reason, contact, review, at in session.execute(query).tuples():
        silent[reason or ""].setdefault(contact, (review, at))
    policies = {one.id: one.policy for one in reasons if one.policy}
    sources = sources_of(session, policies.values())
    found = []
    for reason, some in silent.items():
        source = sources.get(policies.get(reason, "") or "")
        newest = max(at for _, at in some.values())
        seen = tuple(sorted(review for review, _ in some.values()))
        owner = source.owner if source else None
        of = int(asked.get(reason, len(some)))
        found.append(SeenSilence(reason, newest, seen, of, source.id if source else None, owner))
    return found


def read_work(
    session: Session, tasks: Sequence[Task], names: Names, now: datetime, settings: RhythmSettings
) -> dict[str, Work]:
    """Return task → what was done since it was raised."""
    articles = _articles(session, tasks)
    versions = _versions(session, tasks)
    flags = _flags_of(session, tasks)
    found = {}
    for task in tasks:
        evidence = task.evidence
        article = articles.get(str(evidence.get("article", "")))
        flag = flags.get(str(evidence.get("flag", "")))
        ended = flag is not None and flag.status != "open"
        found[task.id] = Work(
            version=versions.get(task.id),
            out_of_use=article is not None and (article.archived or article.gone_at is not None),
            released=article is not None and article.withheld is None,
            flag_ended=(flag.action or flag.status) if flag is not None and ended else "",
            rule_digest=names.digests.get(str(evidence.get("rule", ""))),
            # A query for each: only for those that it may close.
            decided=_decided_since(session, evidence) if long_quiet(evidence, now, settings) else 0,
        )
    return found


def _articles(session: Session, tasks: Sequence[Task]) -> dict[str, Article]:
    ids = {task.evidence["article"] for task in tasks if task.evidence.get("article")}
    return {one.id: one for one in session.scalars(select(Article).where(Article.id.in_(ids)))}


def _versions(session: Session, tasks: Sequence[Task]) -> dict[str, int]:
    """Return task → number of the newest version of its article that came in since."""
    since = {task.id: task for task in tasks if task.evidence.get("article")}
    if not since:
        return {}
    ids = {task.evidence["article"] for task in since.values()}
    query = select(
        ArticleVersion.article_id, ArticleVersion.number, ArticleVersion.synced_at
    ).where(
        ArticleVersion.article_id.in_(ids),
        ArticleVersion.synced_at > min(task.raised_at for task in since.values()),
    )
    came: dict[str, list[tuple[int, datetime]]] = defaultdict(list)
    for article, number, at in session.execute(query).tuples():
        came[article].append((number, at))
    newest = {
        task.id: max(
            (number for number, at in came[task.evidence["article"]] if at > task.raised_at),
            default=None,
        )
        for task in since.values()
    }
    return {task: number for task, number in newest.items() if number is not None}


def _flags_of(session: Session, tasks: Sequence[Task]) -> dict[str, SourceFlagRow]:
    ids = {task.evidence["flag"] for task in tasks if task.evidence.get("flag")}
    query = select(SourceFlagRow).where(SourceFlagRow.id.in_(ids))
    return {one.id: one for one in session.scalars(query)}


def _decided_since(session: Session, evidence: Mapping[str, Any]) -> int:
    """Return how many reviews were decided that could have shown the cause of a task again."""
    last = evidence.get("last_at")
    if not isinstance(last, str):
        return 0
    since = datetime.fromisoformat(last)
    if person := evidence.get("person"):
        written = select(func.count()).where(
            AuditEvent.actor == person,
            AuditEvent.event.in_(("review.approve", "review.edit", "review.revised")),
            AuditEvent.at > since,
        )
        return session.scalar(written) or 0
    if article := evidence.get("article"):
        used = select(func.count(SourceUse.contact_id.distinct())).where(
            SourceUse.article_id == article, SourceUse.status == "answered", SourceUse.at > since
        )
        return session.scalar(used) or 0
    decided = (
        select(func.count())
        .select_from(Review)
        .join(Contact, Contact.id == Review.contact_id)
        .where(Review.opened_at > since, Review.status == "decided", Contact.origin != SEEDED)
    )
    if reason := evidence.get("reason"):
        decided = decided.where(Review.reason == reason)
    return session.scalar(decided) or 0
