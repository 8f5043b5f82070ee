"""What became of an answer, as evidence for its contact reason: decisions, and customers who return.

A decision counts where autopilot would have sent the draft (``AutopilotVerdict.earns``), or had
released it before it was called back or held: what a reason earns is the right to send such drafts.
A reject counts always. What a reviewer's check of itself (a seeded contact) brings is not an
answer's outcome.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from desk.autonomy_evidence import note_evidence
from desk.autonomy_models import AutopilotApproval
from desk.autopilot import last_answer, reason_of
from desk.contacts import get_contact
from desk.corrections import SAID_BY_A_PERSON
from desk.earning import loss_of_edit
from desk.models import Contact, Review
from desk.qa_models import SEEDED
from graph.draft import draft_digest, draft_text
from graph.state import RunState
from graph.values import AutopilotVerdict, Classification, Draft

_ON_ITS_WAY_BACK: Final = frozenset({"autonomy", "switch", "written"})
"""Conditions of autopilot that a draft fails which it released, once that was called back or held."""
_UNHAPPY: Final = frozenset(
    {"complaint", "negative_sentiment", "repeat_contact", "human_requested", "disputed_refund"}
)


def note_decision(session: Session, review: Review, state: RunState, at: datetime) -> None:
    """Note what a person decided on an answer; nothing for what tells nothing of its reason.

    Args:
        session: The caller's unit of work; it holds the contact.
        review: The decided review, carried out and not stopped.
        state: Where the run stands now.
        at: The moment.
    """
    decision = review.decision
    if decision is None or review.status != "decided" or review.reason is None:
        return
    if get_contact(session, review.contact_id).origin == SEEDED:
        return
    key = f"review:{review.id}"
    verdict = cast("AutopilotVerdict | None", review.state.get("autopilot"))
    earns = verdict is not None and (verdict["earns"] or _was_released(session, review, verdict))
    kind = decision["kind"]
    # A reject counts whatever else spoke against the draft; an escalation only where nothing did.
    if (kind == "reject" and review.kind == "answer") or (kind == "escalate" and earns):
        note_evidence(
            session,
            key=key,
            reason=review.reason,
            kind="rejected",
            loss=1.0,
            at=at,
            review_id=review.id,
        )
    if verdict and earns and kind in ("approve", "edit") and state.get("outcome") == "answered":
        drafted = _drafted(session, review, verdict["draft_digest"])
        if drafted is None:
            return
        loss = loss_of_edit(draft_text(drafted), draft_text(state["draft"]))
        note_evidence(
            session,
            key=key,
            reason=review.reason,
            kind="edited" if loss else "approved",
            loss=loss,
            at=at,
            review_id=review.id,
        )


def note_return(session: Session, contact: Contact, state: RunState, at: datetime) -> None:
    """Note that a customer came back about an answer; nothing for thanks or another question.

    Args:
        session: The caller's unit of work; it holds the contact.
        contact: The contact, described by its present run.
        state: Where that run stands.
        at: The moment.
    """
    if contact.run == 1 or contact.origin == SEEDED:
        return
    answer = last_answer(session, contact)
    if answer is None or answer.sent_at is None:
        return
    said = [one.at for one in contact.messages if one.speaker == "customer"]
    reason = reason_of(session, answer)
    if reason is None or max(said) <= answer.sent_at:
        return
    found = state["classification"]
    unhappy = any(trigger["id"] in _UNHAPPY for trigger in state["triage"]["triggers"])
    another = found["reason"] not in (None, reason) and not _told_by_a_person(found)
    if not unhappy and (found.get("intent") == "thanks" or another):
        return
    note_evidence(
        session,
        key=f"reopened:{answer.id}",
        reason=reason,
        kind="reopened",
        loss=1.0,
        at=at,
        review_id=answer.review_id,
        contact_id=contact.id,
    )


def _told_by_a_person(found: Classification) -> bool:
    """Tell whether the reason is what a person said of the contact, and not what this message asks."""
    return any(SAID_BY_A_PERSON in guess["evidence"] for guess in found["alternatives"])


def _was_released(session: Session, review: Review, verdict: AutopilotVerdict) -> bool:
    """Tell whether autopilot had released this very draft, and only its way back speaks against it."""
    if any(one["id"] not in _ON_ITS_WAY_BACK for one in verdict["why_not"]):
        return False
    released = select(AutopilotApproval.evidence).where(
        AutopilotApproval.contact_id == review.contact_id
    )
    return any(
        evidence["draft_digest"] == verdict["draft_digest"]
        for evidence in session.scalars(released)
    )


def _drafted(session: Session, review: Review, digest: str) -> Draft | None:
    """Return the draft that autopilot judged, as a review of the same run shows it."""
    query = (
        select(Review.state)
        .where(Review.thread == review.thread, Review.id <= review.id)
        .order_by(Review.id.desc())
    )
    for state in session.scalars(query):
        draft = cast(Draft, state["draft"])
        if draft_digest(draft) == digest:
            return draft
    return None
