"""Reads what is known of a contact reason out of the evidence, an answer at a time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.vocabulary import Tier
from desk.autonomy_evidence import EvidenceKind
from desk.autonomy_models import AutonomyEvidence, AutopilotApproval, ReasonAutonomy
from desk.earning import Approver, Demands, Record, counts
from desk.models import Person, SourceFlagRow, SourceUse
from desk.operations_file import OperationsFile
from desk.uses import ANSWERED
from kb.models import Article

_ANSWERS: Final[tuple[EvidenceKind, ...]] = (
    "approved",
    "edited",
    "rejected",
    "reopened",
    "qa_passed",
    "qa_failed",
)
_SEEDED: Final[dict[str, float]] = {"seeded_caught": 0.0, "seeded_missed": 1.0}
_SPEAKS_AGAINST: Final = ("conflict", "changed", "superseded")
_SPEAKS_AGAINST_ONE: Final = (*_SPEAKS_AGAINST, "overdue")
_MOST_ARTICLES: Final = 200


@dataclass
class _Answer:
    """One answer: the worst that is known of it counts."""

    at: datetime
    loss: float
    person: str | None
    read: bool


def record_of(
    session: Session,
    row: ReasonAutonomy,
    operations: OperationsFile,
    now: datetime,
    tier: Tier = "allowed",
) -> Record:
    """Return what is known of a reason, of the tier that the map gives it, since its evidence began.

    An answer counts once, by the worst that is known of it, in the place where it was decided. A
    good one counts when it is old enough for its customer to have come back, and when whoever
    approved it meets seeded checks and catches them; a bad one counts at once, whoever read it.
    """
    asked = operations.autonomy
    answers = list(_answers(session, row).values())
    clean = Counter(one.person for one in answers if not one.loss)
    approvers = _approvers(session, {person: n for person, n in clean.items() if person})
    demands = demands_of(operations, row.reason)
    counting = {person for person, one in approvers.items() if counts(one, demands)}
    settled = now - timedelta(hours=asked.settle_hours)
    good = [one for one in answers if not one.loss and one.person in counting]
    waiting = sum(one.at > settled for one in good)
    losses = tuple(
        one.loss for one in answers if one.loss or (one.person in counting and one.at <= settled)
    )
    return Record(
        losses=losses,
        waiting=waiting,
        approvers=tuple(approvers.values()),
        tier=tier,
        flagged=tuple(flagged_titles(session, _articles(session, row), _SPEAKS_AGAINST)),
    )


def demands_of(operations: OperationsFile, reason: str) -> Demands:
    """Return what a team asks of a contact reason."""
    asked = operations.autonomy
    return Demands(
        limit=asked.limit_of(reason),
        error_of_test=asked.error_of_test,
        least_answers=asked.least_answers,
        seeded_miss_limit=asked.seeded_miss_limit,
        seeded_each=asked.seeded_each,
        seeded_run=operations.seeded.rate > 0,
    )


def flagged_titles(
    session: Session, articles: Sequence[str], kinds: Sequence[str] = _SPEAKS_AGAINST_ONE
) -> list[str]:
    """Return the titles of those of ``articles`` that have an open flag of one of ``kinds``."""
    if not articles:
        return []
    query = (
        select(Article.title)
        .join(
            SourceFlagRow,
            (SourceFlagRow.article_id == Article.id)
            | (SourceFlagRow.other_article_id == Article.id),
        )
        .where(
            Article.id.in_(articles),
            SourceFlagRow.status == "open",
            SourceFlagRow.kind.in_(kinds),
        )
        .distinct()
        .order_by(Article.title)
    )
    return list(session.scalars(query))


def _answers(session: Session, row: ReasonAutonomy) -> dict[str, _Answer]:
    query = (
        select(
            AutonomyEvidence.key,
            AutonomyEvidence.kind,
            AutonomyEvidence.at,
            AutonomyEvidence.loss,
            AutonomyEvidence.review_id,
            AutonomyEvidence.contact_id,
            AutonomyEvidence.person_id,
        )
        .where(
            AutonomyEvidence.reason == row.reason,
            AutonomyEvidence.round == row.round,
            AutonomyEvidence.kind.in_(_ANSWERS),
        )
        .order_by(AutonomyEvidence.id)
    )
    found: dict[str, _Answer] = {}
    for key, kind, at, loss, review_id, contact_id, person_id in session.execute(query).tuples():
        name = review_id or contact_id or key
        decided = kind in ("approved", "edited", "rejected")
        known = found.setdefault(name, _Answer(at, loss, person_id, decided))
        known.loss = max(known.loss, loss)
        known.read = known.read or decided
    # A good quality reading alone is no answer that somebody decided on: it confirms another.
    return {name: one for name, one in found.items() if one.read or one.loss}


def _approvers(session: Session, clean: dict[str, int]) -> dict[str, Approver]:
    if not clean:
        return {}
    query = (
        select(AutonomyEvidence.person_id, AutonomyEvidence.kind)
        .where(AutonomyEvidence.person_id.in_(clean), AutonomyEvidence.kind.in_(_SEEDED))
        .order_by(AutonomyEvidence.id)
    )
    checks: dict[str | None, list[float]] = defaultdict(list)
    for person, kind in session.execute(query).tuples():
        checks[person].append(_SEEDED[kind])
    named = select(Person.id, Person.name).where(Person.id.in_(clean))
    names = dict(session.execute(named).tuples().all())
    return {
        person: Approver(names.get(person, person), number, tuple(checks[person]))
        for person, number in sorted(clean.items())
    }


def _articles(session: Session, row: ReasonAutonomy) -> list[str]:
    """Return the articles that the answers of a reason rest on, since its evidence began."""
    read = select(AutonomyEvidence.contact_id).where(
        AutonomyEvidence.reason == row.reason, AutonomyEvidence.round == row.round
    )
    left = select(AutopilotApproval.contact_id).where(
        AutopilotApproval.reason == row.reason, AutopilotApproval.at >= row.round_since
    )
    query = (
        select(SourceUse.article_id)
        .where(
            or_(SourceUse.contact_id.in_(read), SourceUse.contact_id.in_(left)),
            SourceUse.status == ANSWERED,
        )
        .distinct()
        .limit(_MOST_ARTICLES)
    )
    return list(session.scalars(query))
