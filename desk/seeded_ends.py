"""How a seeded check ends: with the decision on it, or with nothing said about its reviewer.

Everything here writes into the unit of work that decides the review, so a check has one end, told
once, whoever is killed at whatever point. No run is resumed and nothing is handed to the outbox:
there is no run behind a seeded contact, and nobody waits for its answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from desk.audit import DESK, write_audit
from desk.autonomy_evidence import note_evidence
from desk.models import AuditEvent, Contact, Review
from desk.qa_models import SEEDED, SeededCheck
from graph.draft import draft_text
from graph.faults import FaultKind, fault_stands
from graph.values import Decision

SeededOutcome = Literal["caught", "missed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class SeededEnd:
    """What a reviewer is told of a check that they decided.

    Attributes:
        kind: The fault.
        outcome: ``withdrawn`` when it ended in neither.
        before: The sentence as it should read; empty where the whole sentence was the fault.
        after: The faulty sentence.
        marked: Whether the check had marked it.
    """

    kind: FaultKind
    outcome: SeededOutcome
    before: str
    after: str
    marked: bool


def told_of(end: SeededEnd) -> tuple[str, str]:
    """Return what a reviewer is told of a check that just ended: a sentence, and what was wrong."""
    heads: dict[SeededOutcome, str] = {
        "caught": "This was a seeded check, and you caught it. Nothing was sent.",
        "missed": "This was a seeded check, and its fault was missed. Nothing was sent.",
        "withdrawn": "This was a seeded check; it has ended and counts for nobody.",
    }
    right = f"It should read: “{end.before}”" if end.before else "No source says so."
    return heads[end.outcome], f"The fault: “{end.after}” {right}"


def end_seeded(
    session: Session,
    contact: Contact,
    review: Review,
    decision: Decision,
    by: str,
    now: datetime,
) -> None:
    """End the check that the caller has just decided: caught or missed, and whose it is.

    Args:
        session: The caller's unit of work, which holds the contact.
        contact: The seeded contact.
        review: Its review, taken by the decision.
        decision: What was decided.
        by: Id of who decided.
        now: When.
    """
    check = _check(session, contact.id)
    texts = [sentence["text"] for sentence in review.state["draft"]["sentences"]]
    beside = [text for text in texts if text != check.after]
    outcome = outcome_of(check.before, check.after, decision, beside)
    check.dwell_seconds = _dwell(session, review, by, now)
    check.decision = decision["kind"]
    _end(session, contact, check, outcome, by, now)
    if outcome == "withdrawn":
        return
    session.refresh(review)  # who decided it stands in the row by now
    note_evidence(
        session,
        key=f"seeded:{check.id}",
        reason=check.reason,
        kind="seeded_caught" if outcome == "caught" else "seeded_missed",
        loss=0.0 if outcome == "caught" else 1.0,
        at=now,
        review_id=review.id,
        contact_id=contact.id,
    )


def withdraw_seeded(session: Session, contact: Contact, now: datetime) -> None:
    """End the check of a contact that goes another way than a decision; it tells of nobody."""
    check = _check(session, contact.id)
    if check.resolved_at is None:
        _end(session, contact, check, "withdrawn", DESK, now)


def outcome_of(
    before: str, after: str, decision: Mapping[str, Any], beside: Sequence[str] = ()
) -> SeededOutcome:
    """Return what a decision on a faulty draft comes to. Pure.

    An approval misses the fault, and so does an edit that leaves it standing. A draft that is only
    put in the place of the faulty one decides nothing yet.

    Args:
        before: The sentence as it was; empty where it was added.
        after: The faulty sentence.
        decision: What was decided.
        beside: The other sentences of the draft.
    """
    if decision["kind"] == "approve":
        return "missed"
    if decision["kind"] != "edit":
        return "caught"
    text = decision["text"] if "text" in decision else draft_text(decision["draft"])
    if not fault_stands(before, after, text, beside):
        return "caught"
    return "withdrawn" if decision.get("hold") else "missed"


def end_of(session: Session, review_id: str) -> SeededEnd | None:
    """Return how the check behind a decided review ended; None where there is none."""
    check = session.scalar(
        select(SeededCheck).where(
            SeededCheck.review_id == review_id, SeededCheck.resolved_at.is_not(None)
        )
    )
    if check is None:
        return None
    return SeededEnd(
        cast(FaultKind, check.kind),
        cast(SeededOutcome, check.outcome),
        check.before,
        check.after,
        check.marked,
    )


def seeded_contacts() -> Select[tuple[str]]:
    """Return the query for the ids of all seeded contacts."""
    return select(SeededCheck.contact_id)


def is_seeded(contact: Contact) -> bool:
    """Tell whether no customer began this contact."""
    return contact.origin == SEEDED


def _check(session: Session, contact_id: str) -> SeededCheck:
    return session.scalars(select(SeededCheck).where(SeededCheck.contact_id == contact_id)).one()


def _end(
    session: Session,
    contact: Contact,
    check: SeededCheck,
    outcome: SeededOutcome,
    by: str,
    now: datetime,
) -> None:
    check.outcome, check.resolved_at, check.resolved_by = outcome, now, by
    contact.status = "closed"
    contact.updated_at = now
    write_audit(
        session,
        now,
        by,
        "seeded.resolved",
        contact_id=contact.id,
        review_id=check.review_id,
        data={
            "check": check.id,
            "kind": check.kind,
            "marked": check.marked,
            "outcome": outcome,
            "caught": outcome == "caught",
            "decision": check.decision,
            "dwell_seconds": check.dwell_seconds,
            "placed_at": check.placed_at.isoformat(),
            "copied_from": check.source_contact_id,
        },
        key=f"seeded:{check.id}",
    )


def _dwell(session: Session, review: Review, by: str, now: datetime) -> float | None:
    """Return the seconds since a person last took a review up; None when they never did."""
    taken_up = session.scalar(
        select(func.max(AuditEvent.at)).where(
            AuditEvent.contact_id == review.contact_id,
            AuditEvent.review_id == review.id,
            AuditEvent.event == "review.claimed",
            AuditEvent.actor == by,
        )
    )
    return None if taken_up is None else (now - taken_up).total_seconds()
