"""Reviews: the queue of paused runs, claiming them, deciding them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import AlreadyDecided, ClaimedByOther, NotAllowed, NotFound
from core.identifiers import new_id
from core.vocabulary import DecisionKind, ReviewStatus
from desk.audit import write_audit
from desk.contacts import get_contact
from desk.jobs import Jobs
from desk.models import Contact, Delivery, Person, Review
from desk.permissions import Actor, decisions_open_to, require
from graph.draft import draft_digest
from graph.interrupts import read_decision
from graph.state import RunState
from graph.values import (
    CheckReport,
    Classification,
    Decision,
    Draft,
    Evidence,
    EvidenceChange,
    Triage,
)

CARRY_OUT_SECONDS: Final = 120.0
_AUDITED: Final = frozenset({"id", "kind", "reason", "comment", "tier"})


@dataclass(frozen=True, slots=True)
class ReviewSummary:
    """One line of the review queue."""

    id: str
    contact_id: str
    kind: str
    status: ReviewStatus
    tier: str
    risk: int
    reason: str | None
    subject: str
    customer_name: str
    findings: int
    changed: bool
    opened_at: datetime
    due_at: datetime
    claimed_by: str | None
    claimed_until: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    decision: DecisionKind | None


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review with all that its page shows. ``open_decisions`` are the ones the viewer may take."""

    summary: ReviewSummary
    draft: Draft
    check: CheckReport
    evidence: Evidence
    triage: Triage
    classification: Classification
    changes: list[EvidenceChange]
    open_decisions: list[DecisionKind]
    decision: Decision | None


@dataclass(frozen=True, slots=True)
class DecisionOutcome:
    """What became of a decision.

    Attributes:
        contact_status: Where the contact stands; None when the desk is still at it.
        next_review_id: The review that waits now, when the decision was sent back or redrafted.
        changes: What the recheck found, when it stopped the decision.
        delivery_id: The delivery that the decision released.
    """

    review_id: str
    kind: DecisionKind
    contact_status: str | None
    stopped: bool
    next_review_id: str | None
    changes: list[EvidenceChange]
    delivery_id: str | None


class Reviews:
    """Lists, claims and decides reviews."""

    def __init__(
        self, database: Database, clock: Clock, jobs: Jobs, claim_minutes: int = 15
    ) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._claim = timedelta(minutes=claim_minutes)

    def queue(
        self,
        actor: Actor,
        status: ReviewStatus = "pending",
        *,
        limit: int = 50,
        after: ReviewSummary | None = None,
    ) -> list[ReviewSummary]:
        """Return a page of reviews: highest risk first, then the earliest due."""
        require(actor, "read_reviews")
        query = (
            select(Review, Contact)
            .join(Contact, Contact.id == Review.contact_id)
            .where(Review.status == status)
            .order_by(Review.risk.desc(), Review.due_at, Review.id)
            .limit(limit)
        )
        if after:
            query = query.where(
                or_(
                    Review.risk < after.risk,
                    and_(Review.risk == after.risk, Review.due_at > after.due_at),
                    and_(
                        Review.risk == after.risk,
                        Review.due_at == after.due_at,
                        Review.id > after.id,
                    ),
                )
            )
        with self._database.read() as session:
            return [_summary(review, contact) for review, contact in session.execute(query)]

    def pending_count(self) -> int:
        """Return how many reviews wait."""
        query = select(func.count()).select_from(Review).where(Review.status == "pending")
        with self._database.read() as session:
            return session.scalar(query) or 0

    def get(self, actor: Actor, review_id: str) -> ReviewView:
        """Return one review. Raises NotFound."""
        require(actor, "read_reviews")
        with self._database.read() as session:
            review = _get(session, review_id)
            contact = get_contact(session, review.contact_id)
            allowed = cast("list[DecisionKind]", review.allowed)
            pending = review.status == "pending"
            return ReviewView(
                summary=_summary(review, contact),
                draft=review.state["draft"],
                check=review.state["check"],
                evidence=review.state["evidence"],
                triage=review.state["triage"],
                classification=review.state["classification"],
                changes=[*review.state.get("changes", []), *review.stale],
                open_decisions=decisions_open_to(actor, review.tier, review.findings, allowed)
                if pending
                else [],
                decision=cast("Decision | None", review.decision),
            )

    def of_contact(self, actor: Actor, contact_id: str) -> list[ReviewSummary]:
        """Return the reviews of one contact, oldest first."""
        require(actor, "read_reviews")
        query = select(Review).where(Review.contact_id == contact_id).order_by(Review.id)
        with self._database.read() as session:
            contact = get_contact(session, contact_id)
            return [_summary(review, contact) for review in session.scalars(query)]

    def claim(self, actor: Actor, review_id: str) -> datetime:
        """Hold a review for oneself; return until when. Claiming again prolongs.

        Raises:
            ClaimedByOther: Somebody else holds it.
            AlreadyDecided: It was decided.
        """
        require(actor, "decide_own")
        now = self._clock.now()
        until = now + self._claim
        claim = (
            update(Review)
            .where(Review.id == review_id, *_free_for(actor, now))
            .values(claimed_by=actor.id, claimed_until=until)
            .returning(Review.id)
        )
        with self._database.write() as session:
            held_before = _get(session, review_id).claimed_by
            if session.scalar(claim) is None:
                raise _why_not(session, review_id)
            if held_before != actor.id:
                write_audit(
                    session,
                    now,
                    actor.id,
                    "review.claimed",
                    contact_id=_get(session, review_id).contact_id,
                    review_id=review_id,
                )
        return until

    def release(self, actor: Actor, review_id: str) -> None:
        """Give a claimed review back."""
        with self._database.write() as session:
            session.execute(
                update(Review)
                .where(Review.id == review_id, Review.claimed_by == actor.id)
                .values(claimed_by=None, claimed_until=None)
            )

    def decide(
        self, actor: Actor, review_id: str, reply: object, wait_seconds: float = CARRY_OUT_SECONDS
    ) -> DecisionOutcome:
        """Decide a review and have the decision carried out.

        The review is taken by compare-and-set before the graph hears of it, so of two people who
        decide at once one wins and the other is told who did what.

        Args:
            actor: Who decides.
            review_id: The review.
            reply: In any shape that :func:`graph.interrupts.read_decision` reads.
            wait_seconds: How long to wait for the outcome; 0 does not wait.

        Raises:
            NotFound: There is no such review.
            DecisionRefused: The reply does not fit the paused run.
            NotAllowed: The person's role does not admit this decision.
            AlreadyDecided: Somebody was faster.
            ClaimedByOther: Somebody else holds the review.
        """
        require(actor, "decide_own")
        now = self._clock.now()
        with self._database.write() as session:
            review = _get(session, review_id)
            if review.status != "pending":
                raise _why_not(session, review_id)
            decision = read_decision(reply, cast(RunState, review.state))
            decision |= {"id": new_id("dec"), "by": actor.id, "at": now.isoformat()}
            _require_role(actor, review, decision["kind"])
            take = (
                update(Review)
                .where(Review.id == review_id, *_free_for(actor, now))
                .values(status="decided", decision=decision, decided_by=actor.id, decided_at=now)
                .returning(Review.id)
            )
            if session.scalar(take) is None:
                raise _why_not(session, review_id)
            contact = get_contact(session, review.contact_id)
            contact.status = "deciding"
            if "fields" in decision:  # kept with the contact: a later run must not ask again
                contact.customer_fields = {**contact.customer_fields, **decision["fields"]}
            contact.updated_at = now
            write_audit(
                session,
                now,
                actor.id,
                f"review.{decision['kind']}",
                contact_id=contact.id,
                review_id=review_id,
                data=_for_audit(decision, review),
            )
            session.flush()
            self._jobs.enqueue(session, "resume", f"resume:{review_id}", review_id)
        if wait_seconds:
            self._jobs.wait(f"resume:{review_id}", wait_seconds)
        return self.outcome(review_id)

    def revise(
        self,
        actor: Actor,
        review_id: str,
        draft: Draft,
        wait_seconds: float = CARRY_OUT_SECONDS,
    ) -> DecisionOutcome:
        """Put another draft in the place of the one that waits. Nothing is decided and nothing sent.

        It goes the way of an edit: the run is resumed with it, looks whether the customer wrote
        again, checks it against the sources in force and pauses anew. The review that waited is
        withdrawn by compare-and-set, so of two people who revise at once one wins.

        Args:
            actor: Who revises; whoever works contacts may.
            review_id: The review that waits.
            draft: What takes its draft's place, with its citations.
            wait_seconds: How long to wait for the outcome; 0 does not wait.

        Raises:
            NotFound: There is no such review.
            DecisionRefused: The draft says nothing or has no readable form.
            AlreadyDecided: The review waits no more.
            ClaimedByOther: Somebody else holds the review.
        """
        require(actor, "work_contacts")
        now = self._clock.now()
        with self._database.write() as session:
            review = _get(session, review_id)
            if review.status != "pending":
                raise _why_not(session, review_id)
            reply = {"kind": "edit", "draft": draft, "hold": True}
            decision = read_decision(reply, cast(RunState, review.state))
            decision |= {"id": new_id("dec"), "by": actor.id, "at": now.isoformat()}
            take = (
                update(Review)
                .where(Review.id == review_id, *_free_for(actor, now))
                .values(status="withdrawn", decision=decision, decided_by=actor.id, decided_at=now)
                .returning(Review.id)
            )
            if session.scalar(take) is None:
                raise _why_not(session, review_id)
            contact = get_contact(session, review.contact_id)
            contact.status = "deciding"
            contact.updated_at = now
            write_audit(
                session,
                now,
                actor.id,
                "review.revised",
                contact_id=contact.id,
                review_id=review_id,
                data={"draft_digest": draft_digest(draft), "drafter": draft["drafter"]},
            )
            session.flush()
            self._jobs.enqueue(session, "resume", f"resume:{review_id}", review_id)
        if wait_seconds:
            self._jobs.wait(f"resume:{review_id}", wait_seconds)
        return self.outcome(review_id)

    def outcome(self, review_id: str) -> DecisionOutcome:
        """Return what became of a decided review so far."""
        with self._database.read() as session:
            review = _get(session, review_id)
            if review.decision is None:
                raise NotFound(f"Review {review_id} has not been decided.")
            contact = get_contact(session, review.contact_id)
            following = session.scalar(
                select(Review)
                .where(Review.contact_id == contact.id, Review.status == "pending")
                .order_by(Review.id.desc())
                .limit(1)
            )
            delivery = session.scalar(
                select(Delivery.id).where(Delivery.key == review.decision["id"])
            )
            stopped = review.status == "returned"
            return DecisionOutcome(
                review_id=review_id,
                kind=review.decision["kind"],
                contact_status=None if contact.status == "deciding" else contact.status,
                stopped=stopped,
                next_review_id=following.id if following else None,
                changes=following.state.get("changes", []) if stopped and following else [],
                delivery_id=delivery,
            )


def _free_for(actor: Actor, now: datetime) -> tuple[Any, ...]:
    return (
        Review.status == "pending",
        or_(
            Review.claimed_by.is_(None),
            Review.claimed_by == actor.id,
            Review.claimed_until < now,
        ),
    )


def _why_not(session: Session, review_id: str) -> AlreadyDecided | ClaimedByOther:
    review = _get(session, review_id)
    session.refresh(review)
    if review.decision and review.decision.get("hold"):
        return AlreadyDecided(
            f"{_name(session, review.decided_by)} put another draft in its place at "
            f"{review.decided_at:%H:%M:%S} UTC: look at that one."
        )
    if review.decision:
        return AlreadyDecided(
            f"{_name(session, review.decided_by)} was faster: {review.decision['kind']} at "
            f"{review.decided_at:%H:%M:%S} UTC."
        )
    if review.claimed_by and review.claimed_until and review.status == "pending":
        return ClaimedByOther(
            f"{_name(session, review.claimed_by)} is working on this review until "
            f"{review.claimed_until:%H:%M} UTC."
        )
    return AlreadyDecided(f"This review is {review.status} and waits for nobody.")


def _name(session: Session, person_id: str | None) -> str:
    person = session.get(Person, person_id) if person_id else None
    return person.name if person else "Somebody"


def _require_role(actor: Actor, review: Review, kind: DecisionKind) -> None:
    allowed = cast("list[DecisionKind]", review.allowed)
    if kind not in decisions_open_to(actor, review.tier, review.findings, allowed):
        raise NotAllowed(
            f"The role {actor.role.replace('_', ' ')} may not {kind} a review of tier "
            f"{review.tier.replace('_', ' ')} with {review.findings} finding(s): a supervisor may."
        )


def _for_audit(decision: Decision, review: Review) -> dict[str, Any]:
    """Return what the trail keeps of a decision: never the customer's text, always the evidence."""
    kept: dict[str, Any] = {key: value for key, value in decision.items() if key in _AUDITED}
    return {**kept, "evidence": review.state["evidence"], "findings": review.findings}


def _get(session: Session, review_id: str) -> Review:
    row = session.get(Review, review_id)
    if row is None:
        raise NotFound(f"There is no review {review_id!r}.")
    return row


def _summary(review: Review, contact: Contact) -> ReviewSummary:
    return ReviewSummary(
        id=review.id,
        contact_id=review.contact_id,
        kind=review.kind,
        status=review.status,
        tier=review.tier,
        risk=review.risk,
        reason=review.reason,
        subject=contact.subject,
        customer_name=contact.customer_name,
        findings=review.findings,
        changed=bool(review.state.get("changes") or review.stale),
        opened_at=review.opened_at,
        due_at=review.due_at,
        claimed_by=review.claimed_by,
        claimed_until=review.claimed_until,
        decided_by=review.decided_by,
        decided_at=review.decided_at,
        decision=review.decision["kind"] if review.decision else None,
    )
