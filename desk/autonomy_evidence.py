"""Notes what tells how well a contact reason does, and takes autopilot back the moment it is bad.

Everything here writes into the caller's unit of work: what happened and what follows of it for the
reason are one commit. The reason's row is held meanwhile, and a delivery holds it too before it
lets an answer go, so that none leaves on autopilot after a bad outcome was noted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, get_args

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from desk.audit import DESK, write_audit
from desk.autonomy_models import AutonomyEvidence, ReasonAutonomy
from desk.models import Review

EvidenceKind = Literal[
    "approved",  # left as it was drafted
    "edited",  # a person changed it; the loss is how much
    "rejected",
    "reopened",  # its customer came back about it
    "qa_passed",
    "qa_failed",
    "seeded_caught",  # tell of the reviewer, not of the reason
    "seeded_missed",
    "stale",  # its sources changed, or contradict each other
]
BAD: Final[frozenset[EvidenceKind]] = frozenset({"rejected", "reopened", "qa_failed", "stale"})
"""After one of these, and after an edit with a loss of 1, a reason does not stay on autopilot."""
_SENTENCES: Final[dict[str, str]] = {
    "rejected": "A draft of this reason was rejected, or an answer was marked wrong.",
    "edited": "A person changed what an answer of this reason stated.",
    "reopened": "A customer came back about an answer of this reason.",
    "qa_failed": "A quality reading failed an answer of this reason.",
    "stale": "A source that its answers rest on changed or is contradicted.",
}


def note_evidence(
    session: Session,
    *,
    key: str,
    reason: str | None,
    kind: EvidenceKind,
    loss: float,
    at: datetime,
    review_id: str | None = None,
    contact_id: str | None = None,
) -> None:
    """Note one outcome; nothing when ``key`` was noted before.

    What is bad puts a reason that is on autopilot back to review at once. Whoever calls this holds
    the contact first, if it changes one.

    Args:
        session: The caller's unit of work.
        key: What happened, the same each time it is noted, such as ``review:<id>``.
        reason: The contact reason; None where the contact has none.
        kind: What happened.
        loss: From 0, good as it was, to 1, wrong.
        at: When.
        review_id: The review it is about; whoever decided it is remembered.
        contact_id: The contact it is about.

    Raises:
        ValueError: The kind is unknown or the loss is not within 0 and 1.
    """
    if kind not in get_args(EvidenceKind):
        raise ValueError(f"kind: {kind!r} is none of {', '.join(get_args(EvidenceKind))}")
    if not 0 <= loss <= 1:
        raise ValueError(f"loss: {loss!r} is not within 0 and 1")
    known = select(AutonomyEvidence.id).where(AutonomyEvidence.key == key)
    if session.scalar(known):  # before the row is held, so that few units of work hold two
        return
    row = hold_reason(session, reason, at) if reason is not None else None
    if session.scalar(known):
        return
    review = session.get(Review, review_id) if review_id else None
    session.add(
        AutonomyEvidence(
            key=key,
            reason=reason,
            round=row.round if row else 0,
            at=at,
            kind=kind,
            loss=loss,
            review_id=review_id,
            contact_id=contact_id or (review.contact_id if review else None),
            person_id=review.decided_by if review else None,
        )
    )
    if row is not None:
        row.looked_at = None
    bad = kind in BAD or (kind == "edited" and loss == 1)
    if row is not None and row.state == "autopilot" and bad:
        demote(session, row, _SENTENCES[kind], at, {"kind": kind, "key": key})
    session.flush()


def hold_reason(session: Session, reason: str, at: datetime) -> ReasonAutonomy:
    """Return the row of a reason as it is now; nobody else changes it until this work ends.

    A reason that has none gets one, in review. (SQLite has one writer at a time.)
    """
    values = {
        "reason": reason,
        "state": "review",
        "round": 1,
        "since": at,
        "round_since": at,
        "by": DESK,
        "cause": "",
        "rules": "",
        "e_value": 1.0,
        "answers": 0,
        "loss": 0.0,
    }
    session.flush()  # else what this work changed on the row would be read away
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(ReasonAutonomy).values(values).on_conflict_do_nothing())
    return session.get_one(ReasonAutonomy, reason, with_for_update=True, populate_existing=True)


def demote(
    session: Session, row: ReasonAutonomy, cause: str, at: datetime, told: dict[str, object]
) -> None:
    """Put a reason that the caller holds back to review; its evidence begins anew."""
    was = row.state
    begin_anew(row, at)
    row.state, row.since, row.by, row.cause = "review", at, DESK, cause
    write_audit(
        session,
        at,
        DESK,
        "autonomy.demoted",
        data={"reason": row.reason, "from": was, "cause": cause, **told},
    )


def begin_anew(row: ReasonAutonomy, at: datetime) -> None:
    """Have the evidence of a reason that the caller holds begin anew."""
    row.round += 1
    row.round_since = at
    row.e_value, row.answers, row.loss, row.confidence = 1.0, 0, 0.0, None
    row.standing = row.looked_at = None
    row.rules = ""
