"""How a draft comes before a person: the row that queues read, and what the trail tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from core.identifiers import new_id
from desk.audit import DESK, write_audit
from desk.models import Contact, Review
from graph.interrupts import allowed_decisions
from graph.state import RunState
from graph.values import EvidenceChange

_PARTS: Final = (
    "contact_id",
    "draft",
    "check",
    "evidence",
    "triage",
    "classification",
    "changes",
    "sent_back",
    "autopilot",
)
"""What a review keeps of the state of its run."""


def open_review(
    session: Session,
    contact: Contact,
    state: RunState,
    *,
    interrupt_id: str,
    at: datetime,
    stale: Sequence[EvidenceChange] = (),
    told: dict[str, Any] | None = None,
) -> Review:
    """Have a draft of a contact's present run wait for a decision.

    Args:
        session: The caller's unit of work, which holds the contact.
        contact: The contact, described by that run.
        state: Where the run paused.
        interrupt_id: Names the pause.
        at: The moment.
        stale: What changed under the draft since it was written.
        told: What the trail keeps besides.
    """
    review = Review(
        id=new_id("rev"),
        contact_id=contact.id,
        thread=contact.thread,
        interrupt_id=interrupt_id,
        kind=state["draft"]["kind"],
        status="pending",
        tier=contact.tier,
        risk=contact.risk,
        reason=contact.reason,
        state={part: state[part] for part in _PARTS if part in state},
        allowed=list(allowed_decisions(state)),
        stale=list(stale),
        findings=len(state["check"]["findings"]),
        opened_at=at,
        due_at=contact.due_at,
    )
    session.add(review)
    session.flush()
    write_audit(
        session,
        at,
        DESK,
        "review.opened",
        contact_id=contact.id,
        review_id=review.id,
        data={
            "kind": review.kind,
            "tier": review.tier,
            "reason": review.reason,
            "triggers": [trigger["id"] for trigger in state["triage"]["triggers"]],
            "evidence": state["evidence"],
            "findings": review.findings,
            "changes": state.get("changes", []),
            **(told or {}),
        },
    )
    return review
