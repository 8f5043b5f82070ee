"""Reads what the days of the week tell: each query is bounded by its period and by a number of rows.

Contacts that check reviewers (origin ``seeded``) are left out, save from what waits: no customer
wrote them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, and_, case, func, not_, select, text
from sqlalchemy.orm import Session

from core.vocabulary import TIERS, Tier
from desk.audit import DESK
from desk.autonomy import ReasonLine
from desk.autonomy_models import AutonomyEvidence
from desk.models import (
    OPEN_CONTACT,
    AuditEvent,
    Contact,
    Handoff,
    ReasonCorrection,
    Review,
    SourceFlagRow,
    SourceUse,
)
from desk.quality import rewritten_share
from desk.rhythm_rules import (
    MOST_HANDED,
    NO_REASON,
    Confidence,
    Handed,
    Outcomes,
    ReasonWeek,
)
from desk.shares import Share
from desk.task_grounds import SEEDED
from desk.task_rules import rule_of
from kb.amendments import NOT_JUDGED
from kb.changes import STOPPING
from kb.models import Article, ArticleVersion, PassageChange

FOUR_WEEKS: Final = timedelta(weeks=4)
MOSTLY: Final = 0.3  # share of a draft's words from which an edit says that it was wrong
_WAVERS: Final = 0.15  # confidence of the second guess from which the desk was torn between two
_MOST: Final = 500
_QUESTION_WAITS: Final = frozenset({"crisis", "safety"})  # they are acted on before any source


@dataclass(frozen=True, slots=True)
class Period:
    """From after ``since`` up to ``until``."""

    since: datetime
    until: datetime

    @property
    def before(self) -> Period:
        """The period of the same length before."""
        return Period(self.since - (self.until - self.since), self.since)

    def holds(self, column: Any) -> ColumnElement[bool]:
        """Return that a moment lies in it."""
        return and_(column > self.since, column <= self.until)


def asked(
    session: Session, period: Period, names: Mapping[str, str]
) -> tuple[Share, dict[str, Share], dict[str, Share], int]:
    """Return how many contacts had no source: of all, by reason, by channel; how many still wait.

    A contact counts once, whatever became of its drafts.
    """
    silent = func.max(case((Review.kind == "abstain", 1), else_=0))
    waits = func.max(case((and_(Review.kind == "abstain", Review.status == "pending"), 1), else_=0))
    of_contact = (
        select(
            func.max(Review.reason).label("reason"),
            Contact.channel.label("channel"),
            silent.label("silent"),
            waits.label("waits"),
        )
        .join(Contact, Contact.id == Review.contact_id)
        .where(period.holds(Review.opened_at), Contact.origin != SEEDED)
        .group_by(Review.contact_id, Contact.channel)
        .subquery()
    )
    columns = of_contact.c
    query = select(
        columns.reason,
        columns.channel,
        func.sum(columns.silent),
        func.sum(columns.waits),
        func.count(),
    ).group_by(columns.reason, columns.channel)
    total, waiting = Share(), 0
    by_reason: dict[str, Share] = defaultdict(Share)
    by_channel: dict[str, Share] = defaultdict(Share)
    for reason, channel, hits, waits_too, of in session.execute(query).tuples():
        share = Share(int(hits), int(of))
        total += share
        waiting += int(waits_too)
        by_reason[names.get(reason or "", reason or NO_REASON)] += share
        by_channel[channel] += share
    return total, dict(by_reason), dict(by_channel), waiting


def gaps(session: Session, since: datetime, limit: int) -> list[SourceFlagRow]:
    """Return the open flags of questions that no source answers, the most harmful first.

    Those that nobody asked since and nobody waits for are left out.
    """
    row = SourceFlagRow
    query = (
        select(row)
        .where(row.status == "open", _IS_GAP)
        .order_by(row.damage.desc(), row.id)
        .limit(5 * limit)
    )
    found = []
    for one in session.scalars(query):
        questions = one.evidence.get("questions", ())
        last = max((datetime.fromisoformat(q["at"]) for q in questions), default=one.opened_at)
        if last >= since or any(q["waits"] for q in questions):
            found.append(one)
    return found[:limit]


_IS_GAP: Final = and_(SourceFlagRow.kind == "missing", SourceFlagRow.article_id.is_(None))
"""A question that no source answers; a macro's sentence that no article bears out is none."""


def flags_moved(session: Session, period: Period, *, gaps: bool) -> tuple[int, int]:
    """Return how many gaps, or other flags, came up and were ended in a period."""
    row = SourceFlagRow
    wanted = _IS_GAP if gaps else not_(_IS_GAP)
    opened = func.count().filter(period.holds(row.opened_at))
    ended = func.count().filter(period.holds(row.ended_at))
    came, went = session.execute(select(opened, ended).where(wanted)).one()
    return int(came), int(went)


def flags_standing(session: Session, *, gaps: bool) -> tuple[int, int]:
    """Return how many gaps, or other flags, are open, and how many touch an answer or a draft."""
    row = SourceFlagRow
    wanted = (row.status == "open", _IS_GAP if gaps else not_(_IS_GAP))
    used = func.count().filter(row.uses > 0)
    standing, touching = session.execute(select(func.count(), used).where(*wanted)).one()
    return int(standing), int(touching)


def source_flags(session: Session, limit: int) -> list[SourceFlagRow]:
    """Return the open flags but gaps, the most harmful first."""
    row = SourceFlagRow
    query = (
        select(row)
        .where(row.status == "open", not_(_IS_GAP))
        .order_by(row.damage.desc(), row.id)
        .limit(limit)
    )
    return list(session.scalars(query))


@dataclass(frozen=True, slots=True)
class Moved:
    """What came into the help center in a period, and what it left behind."""

    new_articles: int
    new_versions: int
    changed: int
    reworded: int
    titles: list[str]
    waiting: int
    withheld: int


def moved(session: Session, period: Period) -> Moved:
    """Return what came into the help center in a period, and what rests on it now."""
    first = case((ArticleVersion.number == 1, 1), else_=0)
    versions = select(func.coalesce(func.sum(first), 0), func.count()).where(
        period.holds(ArticleVersion.synced_at)
    )
    new, all_of_them = session.execute(versions).one()
    stopping = case((PassageChange.outcome.in_(sorted(STOPPING)), 1), else_=0)
    changes = select(func.coalesce(func.sum(stopping), 0), func.count()).where(
        period.holds(PassageChange.at)
    )
    changed, all_changes = session.execute(changes).one()
    titles = (
        select(Article.title)
        .join(PassageChange, PassageChange.article_id == Article.id)
        .where(period.holds(PassageChange.at), PassageChange.outcome.in_(sorted(STOPPING)))
        .group_by(Article.id, Article.title)
        .order_by(func.count().desc(), Article.id)
        .limit(_MOST)
    )
    waiting = select(func.count(SourceUse.contact_id.distinct())).where(
        SourceUse.status == "pending", SourceUse.stale_at.is_not(None)
    )
    withheld = (
        select(func.count())
        .select_from(Article)
        .where(
            Article.kind == "macro",
            Article.withheld.is_not(None),
            Article.withheld != NOT_JUDGED,
            Article.archived.is_(False),
            Article.gone_at.is_(None),
        )
    )
    return Moved(
        int(new),
        int(all_of_them) - int(new),
        int(changed),
        int(all_changes) - int(changed),
        list(session.scalars(titles)),
        session.scalar(waiting) or 0,
        session.scalar(withheld) or 0,
    )


def told_old(session: Session, period: Period) -> list[tuple[str, datetime]]:
    """Return contacts with an answer that rests on what changed in a period, the latest first."""
    changed = func.max(SourceUse.stale_at)
    query = (
        select(SourceUse.contact_id, changed)
        .where(SourceUse.status == "answered", period.holds(SourceUse.stale_at))
        .group_by(SourceUse.contact_id)
        .order_by(changed.desc(), SourceUse.contact_id)
        .limit(_MOST)
    )
    return [(contact, at) for contact, at in session.execute(query).tuples() if at]


def confidence(session: Session, period: Period, names: Mapping[str, str]) -> Confidence:
    """Return what became of drafts that the desk was sure and not sure about."""
    kind = Review.decision["kind"].as_string().label("decided_as")
    query = (
        select(Contact.low_confidence, Review.status, kind, func.count())
        .join(Contact, Contact.id == Review.contact_id)
        .where(*_drafts(period), Review.status.in_(("pending", "decided")))
        .group_by(Contact.low_confidence, Review.status, "decided_as")
    )
    counted: Counter[tuple[bool, str]] = Counter()
    for unsure, status, decision, number in session.execute(query).tuples():
        counted[bool(unsure), "waiting" if status == "pending" else str(decision)] += int(number)
    before = (
        select(Contact.low_confidence, func.count())
        .join(Review, Contact.id == Review.contact_id)
        .where(*_drafts(period.before), Review.status.in_(("pending", "decided")))
        .group_by(Contact.low_confidence)
    )
    then = {bool(unsure): int(n) for unsure, n in session.execute(before).tuples()}
    row = ReasonCorrection
    corrected = (
        select(func.count())
        .select_from(row)
        .join(Contact, Contact.id == row.contact_id)
        .where(period.holds(row.at), row.undone_at.is_(None), Contact.origin != SEEDED)
    )
    return Confidence(
        unsure=_outcomes(counted, unsure=True),
        sure=_outcomes(counted, unsure=False),
        before=Share(then.get(True, 0), sum(then.values())),
        waiting=_unsure_waiting(session, names),
        wrong=_sure_but_wrong(session, period),
        between=_between(session, period, names),
        corrected=session.scalar(corrected) or 0,
    )


def _drafts(period: Period) -> tuple[ColumnElement[bool], ...]:
    return period.holds(Review.opened_at), Review.kind == "answer", Contact.origin != SEEDED


def _outcomes(counted: Counter[tuple[bool, str]], *, unsure: bool) -> Outcomes:
    return Outcomes(
        approved=counted[unsure, "approve"],
        edited=counted[unsure, "edit"],
        stopped=counted[unsure, "reject"] + counted[unsure, "escalate"],
        waiting=counted[unsure, "waiting"],
    )


def _unsure_waiting(session: Session, names: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
    # With the seeded checks among them: the list would tell which these are if it left them out.
    query = (
        select(Review.id, Review.opened_at, Contact.reason)
        .join(Contact, Contact.id == Review.contact_id)
        .where(Review.status == "pending", Contact.low_confidence.is_(True))
        .order_by(Review.risk.desc(), Review.due_at, Review.id)
        .limit(100)
    )
    return [
        (
            review,
            {
                "since": since.isoformat(),
                "reason": names.get(reason or "", ""),
            },
        )
        for review, since, reason in session.execute(query).tuples()
    ]


def _sure_but_wrong(session: Session, period: Period) -> list[tuple[str, dict[str, Any]]]:
    kind = Review.decision["kind"].as_string()
    query = (
        select(Review.id, kind, Review.state, Review.decision)
        .join(Contact, Contact.id == Review.contact_id)
        .where(*_drafts(period), Review.status == "decided", Contact.low_confidence.is_(False))
        .where(kind.in_(("reject", "escalate", "edit")))
        .order_by(Review.opened_at.desc())
        .limit(_MOST)
    )
    found = []
    for review, decided, state, decision in session.execute(query).tuples():
        share = rewritten_share(state, decision or {}) if decided == "edit" else 1.0
        if share >= MOSTLY:
            reason = str((decision or {}).get("reason") or "") if decided == "reject" else ""
            how = {"decided": decided, "reason": reason, "share": round(share, 2)}
            found.append((review, how))
    return sorted(found, key=lambda one: (-one[1]["share"], one[0]))


def _between(
    session: Session, period: Period, names: Mapping[str, str]
) -> list[tuple[str, str, int]]:
    query = (
        select(Review.state)
        .join(Contact, Contact.id == Review.contact_id)
        .where(period.holds(Review.opened_at), Contact.low_confidence.is_(True))
        .where(Contact.origin != SEEDED)
        .order_by(Review.opened_at.desc())
        .limit(_MOST)
    )
    pairs: Counter[tuple[str, str]] = Counter()
    for state in session.scalars(query):
        guesses = state["classification"]["alternatives"][:2]
        if len(guesses) == 2 and guesses[1]["confidence"] >= _WAVERS:
            first, second = sorted(guess["reason"] for guess in guesses)
            pairs[first, second] += 1
    return [
        (names.get(one, one), names.get(other, other), number)
        for (one, other), number in pairs.most_common(3)
        if number > 1
    ]


def handed(session: Session, period: Period, now: datetime) -> list[Handed]:
    """Return what was handed to a person in a period, the latest first."""
    query = (
        select(Handoff, Contact.status, Contact.rank)
        .join(Contact, Contact.id == Handoff.contact_id)
        .where(period.holds(Handoff.opened_at), Contact.origin != SEEDED)
        .order_by(Handoff.opened_at.desc())
        .limit(MOST_HANDED)
    )
    return _handed(session, session.execute(query).tuples().all(), now)


def left_behind(session: Session, period: Period, now: datetime) -> list[Handed]:
    """Return what was handed over before a period and still waits untouched, the oldest first."""
    query = (
        select(Handoff, Contact.status, Contact.rank)
        .join(Contact, Contact.id == Handoff.contact_id)
        .where(
            text(f"contact.{OPEN_CONTACT}"),
            Contact.status == "escalated",
            Contact.origin != SEEDED,
            Handoff.opened_at <= period.since,
        )
        .order_by(Handoff.opened_at)
        .limit(_MOST)
    )
    found = _handed(session, session.execute(query).tuples().all(), now)
    return [one for one in found if one.touched_minutes is None]


def _handed(
    session: Session, rows: Sequence[tuple[Handoff, str, int]], now: datetime
) -> list[Handed]:
    since = min((row.opened_at for row, _, _ in rows), default=now)
    events = _after(session, {row.contact_id for row, _, _ in rows}, since)
    found = []
    for row, status, rank in rows:
        of_contact = [one for one in events.get(row.contact_id, ()) if one[0] >= row.opened_at]
        first = next((at for at, event, _ in of_contact if event != _JUDGED), None)
        verdict = next(
            (
                bool(data.get("right"))
                for _, event, data in of_contact
                if event == _JUDGED and data.get("handoff") == row.id
            ),
            None,
        )
        found.append(
            Handed(
                contact=row.contact_id,
                team=row.team or "",
                by_reviewer=bool(row.brief.get("comment")),
                lacks=lacking(row.brief, row.team),
                touched_minutes=_minutes(first - row.opened_at) if first else None,
                age_minutes=_minutes(now - row.opened_at),
                verdict=verdict,
                over=status in ("closed", "answered", "waiting", "scheduled"),
                rule=_severest(row.brief.get("triggers", ())),
                rank=rank,
                since=row.opened_at,
            )
        )
    return found


_JUDGED: Final = "escalation.judged"
_BEFORE: Final = frozenset({"contact.opened", "review.escalate"})
"""What people did that led to a handoff, and not what came of it."""


def _after(
    session: Session, contacts: Iterable[str], since: datetime
) -> dict[str, list[tuple[datetime, str, dict[str, Any]]]]:
    """Return contact → what people did with it since, the earliest first."""
    query = (
        select(AuditEvent.contact_id, AuditEvent.at, AuditEvent.event, AuditEvent.data)
        .where(
            AuditEvent.contact_id.in_(sorted(contacts)),
            AuditEvent.actor != DESK,
            AuditEvent.at >= since,
        )
        .order_by(AuditEvent.id)
    )
    found: dict[str, list[tuple[datetime, str, dict[str, Any]]]] = defaultdict(list)
    for contact, at, event, data in session.execute(query).tuples():
        by_customer = event == "contact.message" and data.get("speaker") == "customer"
        if contact and not by_customer and event not in _BEFORE:
            found[contact].append((at, event, data))
    return found


def touched_since(session: Session, listed: Mapping[str, datetime]) -> set[str]:
    """Return the contacts that a person took up after the moment they were listed at."""
    return {
        contact
        for contact, events in _after(session, listed, min(listed.values())).items()
        if any(at >= listed[contact] and event != _JUDGED for at, event, _ in events)
    }


def lacking(brief: Mapping[str, Any], team: str | None) -> tuple[str, ...]:
    """Return what a brief that went to ``team`` lacks. Pure.

    In a crisis or a danger nobody waits for sources: there the instruction counts.
    """
    urgent = any(one["id"] in _QUESTION_WAITS for one in brief.get("triggers", ()))
    lacks = [
        ("question", not str(brief.get("question", "")).strip()),
        ("next step", not str(brief.get("next_step", "")).strip()),
        ("instruction", urgent and not str(brief.get("instruction", "")).strip()),
        ("sources", not urgent and not brief.get("sources")),
        ("owner", not team),
    ]
    missing = [f"required: {field}" for field in brief.get("missing", ())]
    return (*(name for name, holds in lacks if holds), *missing)


def _severest(triggers: Sequence[Mapping[str, Any]]) -> str:
    fired = [one for one in triggers if one["tier"] in TIERS]
    worst = max(fired, key=lambda one: TIERS.index(cast(Tier, one["tier"])), default=None)
    return rule_of(str(worst["by"])) if worst else ""


def _minutes(length: timedelta) -> float:
    return length / timedelta(minutes=1)


_LATER: Final = ("reopened", "qa_failed")
"""What tells of an answer after it was decided."""
_LET_OUT: Final = ("approved", "edited")


def reasons(session: Session, period: Period, stands: Sequence[ReasonLine]) -> list[ReasonWeek]:
    """Return how contact reasons did in the four weeks before the end of a period."""
    four_weeks = Period(period.until - FOUR_WEEKS, period.until)
    decided = _decisions(session, four_weeks)
    lately = _decisions(session, period)
    row = AutonomyEvidence
    query = (
        select(row.reason, row.kind, func.count())
        .where(four_weeks.holds(row.at), row.kind.in_((*_LET_OUT, *_LATER)))
        .group_by(row.reason, row.kind)
    )
    noted: dict[str, Counter[str]] = defaultdict(Counter)
    for reason, kind, number in session.execute(query).tuples():
        noted[reason or ""][kind] = int(number)
    demoted = _demoted(session, period)
    return [
        ReasonWeek(
            id=line.reason,
            name=line.name,
            state=line.state,
            approved=decided[line.reason]["approve"],
            edited=decided[line.reason]["edit"],
            rejected=decided[line.reason]["reject"],
            reopened=sum(noted[line.reason][kind] for kind in _LATER),
            counted=sum(noted[line.reason][kind] for kind in _LET_OUT),
            lately=Share(
                lately[line.reason]["edit"] + lately[line.reason]["reject"],
                lately[line.reason].total(),
            ),
            demoted=line.reason in demoted,
            cause=demoted.get(line.reason, ""),
            missing=line.standing.missing,
        )
        for line in stands
    ]


def _decisions(session: Session, period: Period) -> dict[str, Counter[str]]:
    """Return contact reason → how often drafts were approved, edited and rejected."""
    kind = Review.decision["kind"].as_string()
    query = (
        select(Review.reason, kind.label("decided_as"), func.count())
        .join(Contact, Contact.id == Review.contact_id)
        .where(*_drafts(period), Review.status == "decided")
        .where(kind.in_(("approve", "edit", "reject")))
        .group_by(Review.reason, "decided_as")
    )
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for reason, decision, number in session.execute(query).tuples():
        found[reason or ""][str(decision)] = int(number)
    return found


def _demoted(session: Session, period: Period) -> dict[str, str]:
    query = (
        select(AuditEvent.data)
        .where(AuditEvent.event == "autonomy.demoted", period.holds(AuditEvent.at))
        .order_by(AuditEvent.id)
        .limit(_MOST)
    )
    return {
        str(data.get("reason")): str(data.get("cause") or "") for data in session.scalars(query)
    }
