"""Reviews: the queue of paused runs, claiming them, deciding them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, cast

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, true, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database, UtcDateTime
from core.errors import (
    AlreadyDecided,
    ClaimedByOther,
    DecisionRefused,
    NotAllowed,
    NotFound,
    ProofdeskError,
)
from core.identifiers import new_id
from core.vocabulary import TIERS, DecisionKind, ReviewStatus, Tier
from desk.audit import write_audit
from desk.contacts import get_contact, hold_contact
from desk.jobs import Jobs, asked_for
from desk.models import Contact, Delivery, Person, Presence, Review
from desk.permissions import Actor, decisions_open_to, require
from desk.quality import rewritten_share
from desk.review_holds import CLAIMED, Holder, holder_of
from desk.risk import URGENT
from desk.seeded_ends import SeededEnd, end_of, end_seeded, is_seeded, told_of
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
LOOKS_FOR: Final = timedelta(seconds=30)
"""How long after they were last seen at it somebody counts as looking at a review."""
_UNDER_WAY: Final = "It is approved, and the desk is still looking at its sources."
_DONE: Final[dict[DecisionKind, str]] = {
    "approve": "approved",
    "edit": "edited and approved",
    "reject": "rejected",
    "escalate": "escalated",
    "answer": "missing details filled in",
}
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
class ReviewFilter:
    """Which reviews a queue is narrowed to; nothing by default.

    Attributes:
        tier: Of this tier.
        reason: Of this contact reason.
        changed: Whose sources changed since the draft.
        held_by: That this person holds.
        bulk: That may be approved many at once, as far as the queue can tell.
    """

    tier: Tier | None = None
    reason: str | None = None
    changed: bool = False
    held_by: str | None = None
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class BulkLine:
    """What became of one review of a bulk approval.

    Attributes:
        result: ``approved``; ``stopped`` by the recheck; ``left`` as it was; ``under_way`` when the
            approval stands and the desk has not carried it out yet, or could not; ``seeded`` when
            it was a seeded check, which this approval missed.
        sentence: Why it was stopped or left, or what is under way; empty when it was approved.
        delivery_id: The delivery that its approval released.
    """

    review_id: str
    contact_id: str
    subject: str
    result: Literal["approved", "stopped", "left", "under_way", "seeded"]
    sentence: str
    delivery_id: str | None


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
        seeded: What it was, when it was a seeded check; nothing was carried out then.
    """

    review_id: str
    kind: DecisionKind
    contact_status: str | None
    stopped: bool
    next_review_id: str | None
    changes: list[EvidenceChange]
    delivery_id: str | None
    seeded: SeededEnd | None = None


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
        only: ReviewFilter | None = None,
    ) -> list[ReviewSummary]:
        """Return a page of reviews: highest risk first, then the earliest due.

        A deep page costs what the first one does: there are few risks, and within one of them the
        page begins at its place in the index.

        Args:
            actor: Who asks.
            status: Where the reviews stand.
            limit: Length of the page.
            after: Last review of the page before.
            only: What the queue is narrowed to.
        """
        require(actor, "read_reviews")
        wanted = [Review.status == status, *_conditions(only or ReviewFilter(), self._clock.now())]
        page: list[ReviewSummary] = []
        below: ColumnElement[bool] = true()
        with self._database.read() as session:
            if after:
                place = tuple_(literal(after.due_at, UtcDateTime()), literal(after.id))
                behind = tuple_(Review.due_at, Review.id) > place
                page = _of_risk(session, after.risk, [*wanted, behind], limit)
                below = Review.risk < after.risk
            highest = select(func.max(Review.risk)).where(Review.status == status)
            if only and (tier := "allowed" if only.bulk else only.tier):
                of_tier = TIERS.index(tier)  # else what has another tier would be read as well
                highest = highest.where(Review.risk.in_((of_tier, of_tier + URGENT)))
            while len(page) < limit:
                risk = session.scalar(highest.where(below))
                if risk is None:
                    break
                page += _of_risk(session, risk, wanted, limit - len(page))
                below = Review.risk < risk
        return page

    def decided(
        self, actor: Actor, *, limit: int = 50, before: str | None = None
    ) -> list[ReviewSummary]:
        """Return what was decided, the newest first; ``before`` is the id that ends the page before."""
        require(actor, "read_reviews")
        query = _lines().where(Review.status == "decided").order_by(Review.id.desc()).limit(limit)
        if before:
            query = query.where(Review.id < before)
        with self._database.read() as session:
            return [ReviewSummary(*row) for row in session.execute(query).tuples()]

    def look(self, actor: Actor, review_id: str) -> None:
        """Note that somebody looks at a review now; one row a person is kept."""
        require(actor, "read_reviews")
        seen = {"review_id": review_id, "at": self._clock.now()}
        with self._database.write() as session:
            postgres = session.get_bind().dialect.name == "postgresql"
            insert = (postgresql if postgres else sqlite).insert(Presence)
            first = insert.values(person_id=actor.id, **seen)
            session.execute(first.on_conflict_do_update(index_elements=["person_id"], set_=seen))

    def lookers(self, actor: Actor, review_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return review id → ids of the others who look at it now, of those somebody looks at."""
        require(actor, "read_reviews")
        query = select(Presence.review_id, Presence.person_id).where(
            Presence.review_id.in_(review_ids),
            Presence.person_id != actor.id,
            Presence.at > self._clock.now() - LOOKS_FOR,
        )
        found: dict[str, list[str]] = {}
        with self._database.read() as session:
            for review_id, person_id in session.execute(query).tuples():
                found.setdefault(review_id, []).append(person_id)
        return found

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

    def line(self, actor: Actor, review_id: str) -> ReviewSummary:
        """Return one review as a line of the queue, without its draft. Raises NotFound."""
        require(actor, "read_reviews")
        with self._database.read() as session:
            row = session.execute(_lines().where(Review.id == review_id)).tuples().first()
        if row is None:
            raise NotFound(f"There is no review {review_id!r}.")
        return ReviewSummary(*row)

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
        with self._database.write() as session:
            review = _get(session, review_id)
            held_before = review.claimed_by
            if not _claim(session, review, actor, until, _free_for(actor, now)):
                raise _why_not(session, review_id)
            if held_before != actor.id:
                _tell_of_claim(session, review, actor, now)
        return until

    def holder(self, actor: Actor, review_id: str) -> Holder | None:
        """Return who else holds a review, and since when; None when nobody does. Raises NotFound."""
        require(actor, "read_reviews")
        with self._database.read() as session:
            return holder_of(session, _get(session, review_id), actor.id, self._clock.now())

    def take_over(self, actor: Actor, review_id: str, held_by: str) -> datetime:
        """Hold a review in the place of who holds it; return until when.

        Args:
            actor: Who takes it; only who may decide any review may.
            review_id: The review.
            held_by: Who held it when that was decided: from nobody else it is taken.

        Raises:
            NotAllowed: The person's role may not.
            ClaimedByOther: By now a third person holds it.
            AlreadyDecided: It was decided.
        """
        require(actor, "decide")
        now = self._clock.now()
        until = now + self._claim
        theirs = (Review.status == "pending", Review.claimed_by == held_by)
        with self._database.write() as session:
            review = _get(session, review_id)
            taken_from = holder_of(session, review, actor.id, now)
            if not _claim(session, review, actor, until, theirs) and not _claim(
                session, review, actor, until, _free_for(actor, now)
            ):
                raise _why_not(session, review_id)
            _tell_of_claim(session, review, actor, now, taken_from)
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
        carried_out = self._take_decision(actor, review_id, reply)
        with asked_for():
            if wait_seconds and carried_out:
                self._jobs.wait(f"resume:{review_id}", wait_seconds)
            return self.outcome(review_id)

    def approve_many(
        self, actor: Actor, review_ids: Sequence[str], wait_seconds: float = CARRY_OUT_SECONDS
    ) -> list[BulkLine]:
        """Approve answers of the lowest tier, each checked and rechecked by itself.

        Only what nothing speaks against is approved: of the tier ``allowed``, without findings,
        without a source that changed or is contradicted. The rest is left for a person to look at.

        Args:
            actor: Who approves.
            review_ids: The reviews, each once.
            wait_seconds: How long to wait for all outcomes together.

        Returns:
            A line for each review, in their order.

        Raises:
            NotAllowed: The person's role may not decide at all.
        """
        require(actor, "decide_own")
        refused: dict[str, str] = {}
        for review_id in dict.fromkeys(review_ids):
            try:
                self._take_decision(actor, review_id, {"kind": "approve"}, _refuse_in_bulk)
            except ProofdeskError as error:
                refused[review_id] = error.message
        enough = time.monotonic() + wait_seconds
        return [
            self._bulk_line(review_id, refused.get(review_id), max(0.0, enough - time.monotonic()))
            for review_id in dict.fromkeys(review_ids)
        ]

    def _bulk_line(self, review_id: str, refusal: str | None, wait_seconds: float) -> BulkLine:
        with self._database.read() as session:
            review = session.get(Review, review_id)
            contact = get_contact(session, review.contact_id) if review else None
        known = contact.id if contact else "", contact.subject if contact else ""
        if refusal is not None:
            return BulkLine(review_id, *known, "left", refusal, None)
        broken = ""
        if (outcome := self.outcome(review_id)).seeded:
            said = " ".join(told_of(outcome.seeded))
            return BulkLine(review_id, *known, "seeded", said, None)
        try:
            self._jobs.wait(f"resume:{review_id}", wait_seconds)
        except ProofdeskError as error:  # the others of the list are no worse for it
            broken = f"It is approved, and the desk could not carry it out. {error.message}"
        outcome = self.outcome(review_id)
        if outcome.stopped:
            why = " ".join(dict.fromkeys(change["sentence"] for change in outcome.changes))
            return BulkLine(review_id, *known, "stopped", why or "The check objects to it.", None)
        if outcome.delivery_id is None:
            return BulkLine(review_id, *known, "under_way", broken or _UNDER_WAY, None)
        return BulkLine(review_id, *known, "approved", "", outcome.delivery_id)

    def _take_decision(
        self,
        actor: Actor,
        review_id: str,
        reply: object,
        guard: Callable[[Review], None] = lambda _review: None,
    ) -> bool:
        """Record a decision and ask for it to be carried out, in one transaction.

        Returns:
            Whether there is anything to carry out: not behind a seeded check.
        """
        require(actor, "decide_own")
        now = self._clock.now()
        with self._database.write() as session:
            review = _waiting(session, review_id)
            guard(review)
            decision = _signed(reply, review, actor, now)
            if "hold" in decision:
                raise DecisionRefused(
                    "hold: a draft is put in the place of another by revising it."
                )
            _require_role(actor, review, decision["kind"])
            told = _for_audit(decision, review)
            event = f"review.{decision['kind']}"
            contact = self._take(session, actor, review, "decided", decision, now, event, told)
            if "fields" in decision:  # kept with the contact: a later run must not ask again
                contact.customer_fields = {**contact.customer_fields, **decision["fields"]}
            return not is_seeded(contact)

    def _take(
        self,
        session: Session,
        actor: Actor,
        review: Review,
        status: ReviewStatus,
        decision: Decision,
        now: datetime,
        event: str,
        told: Mapping[str, Any],
    ) -> Contact:
        """Take a waiting review by compare-and-set and have its run resumed; return its contact.

        A seeded check has no run: it ends here.

        Args:
            status: What becomes of the review.
            event: What the audit trail calls it, with ``told``.
        """
        contact = hold_contact(session, review.contact_id)
        take = (
            update(Review)
            .where(Review.id == review.id, *_free_for(actor, now))
            .values(
                status="withdrawn" if is_seeded(contact) else status,
                decision=decision,
                decided_by=actor.id,
                decided_at=now,
            )
            .returning(Review.id)
        )
        if session.scalar(take) is None:
            raise _why_not(session, review.id)
        if is_seeded(contact):
            end_seeded(session, contact, review, decision, actor.id, now)
            return contact
        contact.status = "deciding"
        contact.updated_at = now
        write_audit(
            session,
            now,
            actor.id,
            event,
            contact_id=contact.id,
            review_id=review.id,
            data=dict(told),
        )
        session.flush()
        self._jobs.enqueue(session, "resume", f"resume:{review.id}", review.id)
        return contact

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
            review = _waiting(session, review_id)
            decision = _signed({"kind": "edit", "draft": draft, "hold": True}, review, actor, now)
            told = {"draft_digest": draft_digest(draft), "drafter": draft["drafter"]}
            event = "review.revised"
            contact = self._take(session, actor, review, "withdrawn", decision, now, event, told)
        with asked_for():
            if wait_seconds and not is_seeded(contact):
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
                seeded=end_of(session, review_id),
            )


def _conditions(only: ReviewFilter, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if only.tier:
        found.append(Review.tier == only.tier)
    if only.reason:
        found.append(Review.reason == only.reason)
    if only.changed:
        found.append(Review.changed.is_(True))
    if only.held_by:
        found += [Review.claimed_by == only.held_by, Review.claimed_until > now]
    if only.bulk:
        found += [
            Review.tier == "allowed",
            Review.kind == "answer",
            Review.findings == 0,
            Review.changed.is_(False),
        ]
    return found


def _refuse_in_bulk(review: Review) -> None:
    """Raise DecisionRefused for what somebody must look at by itself."""
    reasons = (
        (review.tier != "allowed", "it is not of the lowest tier"),
        (review.kind != "answer", "it holds no answer"),
        (review.findings > 0, "the check objects to it"),
        (review.changed, "a source changed"),
        (bool(review.state["evidence"].get("disputes")), "a source is contradicted by another"),
    )
    if why := [words for holds, words in reasons if holds]:
        raise DecisionRefused(f"Look at this one by itself: {' and '.join(why)}.")


def _of_risk(
    session: Session, risk: int, wanted: Sequence[ColumnElement[bool]], limit: int
) -> list[ReviewSummary]:
    query = (
        _lines().where(Review.risk == risk, *wanted).order_by(Review.due_at, Review.id).limit(limit)
    )
    return [ReviewSummary(*row) for row in session.execute(query).tuples()]


def _free_for(actor: Actor, now: datetime) -> tuple[Any, ...]:
    return (
        Review.status == "pending",
        or_(
            Review.claimed_by.is_(None),
            Review.claimed_by == actor.id,
            Review.claimed_until < now,
        ),
    )


def _claim(
    session: Session, review: Review, actor: Actor, until: datetime, where: tuple[Any, ...]
) -> bool:
    """Have ``actor`` hold a review by compare-and-set; say whether they do."""
    claim = (
        update(Review)
        .where(Review.id == review.id, *where)
        .values(claimed_by=actor.id, claimed_until=until)
        .returning(Review.id)
    )
    return session.scalar(claim) is not None


def _tell_of_claim(
    session: Session,
    review: Review,
    actor: Actor,
    now: datetime,
    taken_from: Holder | None = None,
) -> None:
    write_audit(
        session,
        now,
        actor.id,
        CLAIMED,
        contact_id=review.contact_id,
        review_id=review.id,
        data={"taken_from": taken_from.person_id} if taken_from else {},
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
            f"{_name(session, review.decided_by)} was faster: {_DONE[review.decision['kind']]} at "
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
    if decision["kind"] == "edit":
        kept["rewritten"] = rewritten_share(review.state, decision)
    return {**kept, "evidence": review.state["evidence"], "findings": review.findings}


def _get(session: Session, review_id: str) -> Review:
    row = session.get(Review, review_id)
    if row is None:
        raise NotFound(f"There is no review {review_id!r}.")
    return row


def _waiting(session: Session, review_id: str) -> Review:
    review = _get(session, review_id)
    if review.status != "pending":
        raise _why_not(session, review_id)
    return review


def _signed(reply: object, review: Review, actor: Actor, now: datetime) -> Decision:
    """Return what was replied to a review as a decision, with who took it when."""
    decision = read_decision(reply, cast(RunState, review.state))
    decision |= {"id": new_id("dec"), "by": actor.id, "at": now.isoformat()}
    return decision


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
        changed=review.changed,
        opened_at=review.opened_at,
        due_at=review.due_at,
        claimed_by=review.claimed_by,
        claimed_until=review.claimed_until,
        decided_by=review.decided_by,
        decided_at=review.decided_at,
        decision=review.decision["kind"] if review.decision else None,
    )


def _lines() -> Select[*tuple[Any, ...]]:
    """Return the query for what :class:`ReviewSummary` holds, in its order; it reads no state."""
    return select(
        Review.id,
        Review.contact_id,
        Review.kind,
        Review.status,
        Review.tier,
        Review.risk,
        Review.reason,
        Contact.subject,
        Contact.customer_name,
        Review.findings,
        Review.changed,
        Review.opened_at,
        Review.due_at,
        Review.claimed_by,
        Review.claimed_until,
        Review.decided_by,
        Review.decided_at,
        Review.decision["kind"].as_string(),
    ).join(Contact, Contact.id == Review.contact_id)
