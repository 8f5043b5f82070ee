"""What people say a contact is about when the desk took it for something else, and learning from it.

A correction is kept in the database and is the truth from that moment on: for its own contact it is
binding, for all later ones it is one more example. Every process reads corrections anew when there
are others than it knows of, so there is nothing to retrain and nobody has to remember it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, ClaimedByOther, Conflict, NotAllowed, NotFound
from core.identifiers import new_id
from core.vocabulary import TIERS, ContactStatus, Tier, most_severe
from desk.audit import write_audit
from desk.contacts import Contacts, get_contact, hold_contact, start_over
from desk.jobs import Jobs
from desk.models import Contact, Handoff, Person, ReasonCorrection, Review
from desk.permissions import Actor, require
from desk.risk import due_at, risk_of
from graph.classify import question_of
from graph.ports import Classifier
from graph.reasons import Reason, ReasonMap
from graph.values import Classification, Conversation, ReasonGuess, TriggerFiring

SAID_BY_A_PERSON: Final = "a person said so"
# Where what was written rests on the wrong reason, and no decision on it is being carried out.
_ROUTED_AGAIN: Final[frozenset[ContactStatus]] = frozenset(
    {"new", "drafting", "in_review", "failed"}
)
# Where the desk has done with the contact: it is taken up again only if a person must see it first.
_SETTLED: Final[frozenset[ContactStatus]] = frozenset({"waiting", "answered", "closed"})


@dataclass(frozen=True, slots=True)
class ReasonChoice:
    """A reason that a contact can be corrected to.

    Attributes:
        id: None for none of the map's reasons.
        confidence: How likely the desk took it to be, 0..1; None where it did not come near.
    """

    id: str | None
    name: str
    description: str
    owner: str | None
    tier: Tier
    confidence: float | None


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """One correction, for reading. ``dormant``: its reason has left the map."""

    id: str
    contact_id: str
    text: str
    reason: str | None
    was: str | None
    by: str
    at: datetime
    undone_at: datetime | None
    dormant: bool


@dataclass(frozen=True, slots=True)
class Taught:
    """What all corrections that hold come to.

    Attributes:
        by_contact: Contact id → what a person said it is about.
        pairs: ``(question, reason)`` to learn from, the oldest first; of two about the same words
            only the later. Reason None: it is about none of the map's. Also pairs whose reason the
            map no longer has.
    """

    by_contact: dict[str, str | None]
    pairs: tuple[tuple[str, str | None], ...]


def is_milder(reason: Reason | None, than: Reason | None) -> bool:
    """Whether a contact of ``reason`` may go with less than one of ``than``."""
    ours, theirs = (one.tier if one else "allowed" for one in (reason, than))
    return TIERS.index(ours) < TIERS.index(theirs)


def with_reason(
    triggers: Sequence[TriggerFiring], reason: Reason | None
) -> tuple[list[TriggerFiring], Tier]:
    """Return the triggers and tier of a contact that is about ``reason`` after all.

    Only what the tier of its former reason fired goes; what the customer's words fired stays.
    """
    kept = [firing for firing in triggers if not firing["id"].startswith("reason:")]
    if reason is not None and reason.tier != "allowed":
        kept.append(
            {
                "id": f"reason:{reason.id}",
                "tier": reason.tier,
                "evidence": f"classification.reason={reason.id}",
                "by": f"reasons.yaml:{reason.id}/tier",
            }
        )
    return kept, most_severe([firing["tier"] for firing in kept])


class Corrections:
    """Takes corrections and tells what they come to.

    Args:
        contacts: Reads the conversation that was classified.
        reasons: Returns the reason map; asked when needed, so that opening a desk reads no file.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        jobs: Jobs,
        contacts: Contacts,
        reasons: Callable[[], ReasonMap],
    ) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._contacts = contacts
        self._reasons = reasons

    def choices(self, actor: Actor, contact_id: str) -> list[ReasonChoice]:
        """Return what a contact can be corrected to: likely reasons first, then the map's order.

        The last is none of them. Reasons that this person may not choose are left out.

        Raises:
            NotFound: There is no such contact.
        """
        require(actor, "read_reviews")
        with self._database.read() as session:
            current = self._reasons().get(get_contact(session, contact_id).reason)
            state = session.scalar(
                select(Review.state)
                .where(Review.contact_id == contact_id)
                .order_by(Review.id.desc())
                .limit(1)
            )
        guesses = state["classification"]["alternatives"] if state else []
        sure = {guess["reason"]: guess["confidence"] for guess in guesses}
        listed = sorted(self._reasons(), key=lambda reason: -sure.get(reason.id, 0.0))
        found = [
            ReasonChoice(one.id, one.name, one.description, one.owner, one.tier, sure.get(one.id))
            for one in listed
            if actor.may("decide") or not is_milder(one, current)
        ]
        if actor.may("decide") or not is_milder(None, current):
            found.append(ReasonChoice(None, "None of these", "", None, "allowed", None))
        return found

    def correct(self, actor: Actor, contact_id: str, reason_id: str | None) -> str:
        """Say that a contact is about another reason; return the id of the correction.

        Owner, due date, tier and risk follow. Where a draft waits or is being written, the contact
        is routed again, for the new reason may ask for something else first. The same goes for a
        contact that was done with, when its new reason is one that a person must see first.

        Args:
            actor: Who says it. An agent cannot choose a reason of a milder tier than the present
                one: it would open the review to the agent's own decision.
            contact_id: The contact.
            reason_id: A reason of the map; None for none of them.

        Raises:
            NotFound: There is no such contact, or no such reason.
            BadInput: It is about this reason already.
            NotAllowed: The role does not admit it.
            ClaimedByOther: Somebody else works on its review.
            Conflict: A decision on it is being carried out.
        """
        require(actor, "work_contacts")
        reason = self._known(reason_id)
        text = question_of(self._contacts.load(contact_id))
        now = self._clock.now()
        with self._database.write() as session:
            contact = hold_contact(session, contact_id)
            if contact.reason == reason_id and (reason_id or contact.tier):
                name = reason.name if reason else "none of the map's reasons"
                raise BadInput(f"The contact is about {name!r} already.")
            self._may_change(session, actor, contact, reason, now)
            correction = ReasonCorrection(
                id=new_id("cor"),
                contact_id=contact_id,
                text=text,
                reason=reason_id,
                was=contact.reason,
                by=actor.id,
                at=now,
            )
            session.add(correction)
            write_audit(
                session,
                now,
                actor.id,
                "contact.corrected",
                contact_id=contact_id,
                data={"correction": correction.id, "reason": reason_id, "was": contact.reason},
            )
            session.flush()
            self._follow(session, contact, reason_id, 1.0, now)
        return correction.id

    def undo(self, actor: Actor, correction_id: str) -> None:
        """Take a correction back: nothing is learned from it any more.

        Its contact returns to what it was taken for, unless it was corrected again since.

        Raises:
            NotFound: There is no such correction.
            BadInput: It was taken back already.
            NotAllowed: It is somebody else's, which takes a supervisor; or the former reason is
                milder.
            ClaimedByOther: Somebody else works on the contact's review.
            Conflict: A decision on the contact is being carried out.
        """
        require(actor, "work_contacts")
        now = self._clock.now()
        with self._database.write() as session:
            row = session.get(ReasonCorrection, correction_id)
            if row is None:
                raise NotFound(f"There is no correction {correction_id!r}.")
            if row.by != actor.id and not actor.may("decide"):
                raise NotAllowed("Somebody else made this correction: a supervisor may undo it.")
            contact = hold_contact(session, row.contact_id)
            session.refresh(row)  # of two who take it back at once, the second is told so
            if row.undone_at is not None:
                raise BadInput("This correction was taken back already.")
            latest = session.scalar(
                select(ReasonCorrection.id)
                .where(
                    ReasonCorrection.contact_id == contact.id,
                    ReasonCorrection.undone_at.is_(None),
                )
                .order_by(ReasonCorrection.at.desc(), ReasonCorrection.id.desc())
                .limit(1)
            )
            speaks = latest == row.id and contact.reason == row.reason
            if speaks:
                self._may_change(session, actor, contact, self._reasons().get(row.was), now)
            row.undone_at = now
            write_audit(
                session,
                now,
                actor.id,
                "contact.correction_undone",
                contact_id=contact.id,
                data={"correction": row.id, "reason": row.reason, "was": row.was},
            )
            session.flush()
            if speaks:
                self._follow(session, contact, row.was, 0.0, now)

    def all(
        self, actor: Actor, *, contact_id: str | None = None, limit: int = 200
    ) -> list[CorrectionView]:
        """Return corrections, the latest first, undone ones among them."""
        require(actor, "read_reviews")
        query = (
            select(ReasonCorrection)
            .order_by(ReasonCorrection.at.desc(), ReasonCorrection.id.desc())
            .limit(limit)
        )
        if contact_id:
            query = query.where(ReasonCorrection.contact_id == contact_id)
        with self._database.read() as session:
            return [
                CorrectionView(
                    id=row.id,
                    contact_id=row.contact_id,
                    text=row.text,
                    reason=row.reason,
                    was=row.was,
                    by=row.by,
                    at=row.at,
                    undone_at=row.undone_at,
                    dormant=row.reason is not None and self._reasons().get(row.reason) is None,
                )
                for row in session.scalars(query)
            ]

    def state(self) -> tuple[int, int]:
        """Return how many corrections were made and taken back; both only ever grow."""
        query = select(func.count(ReasonCorrection.id), func.count(ReasonCorrection.undone_at))
        with self._database.read() as session:
            made, undone = session.execute(query).one()
        return made, undone

    def taught(self) -> Taught:
        """Return what the corrections that hold come to."""
        query = (
            select(ReasonCorrection.contact_id, ReasonCorrection.text, ReasonCorrection.reason)
            .where(ReasonCorrection.undone_at.is_(None))
            .order_by(ReasonCorrection.at, ReasonCorrection.id)
        )
        with self._database.read() as session:
            rows = session.execute(query).all()
        by_contact = {contact_id: (text, reason) for contact_id, text, reason in rows}
        learned: dict[str, tuple[str, str | None]] = {}
        for text, reason in by_contact.values():
            if key := " ".join(text.split()).casefold():
                learned.pop(key, None)
                learned[key] = (text, reason)
        return Taught(
            {contact_id: reason for contact_id, (_, reason) in by_contact.items()},
            tuple(learned.values()),
        )

    def _known(self, reason_id: str | None) -> Reason | None:
        reason = self._reasons().get(reason_id)
        if reason_id is not None and reason is None:
            known = ", ".join(one.id for one in self._reasons()) or "none, for there is no map"
            raise NotFound(f"There is no contact reason {reason_id!r}; there are: {known}.")
        return reason

    def _may_change(
        self,
        session: Session,
        actor: Actor,
        contact: Contact,
        reason: Reason | None,
        now: datetime,
    ) -> None:
        current = self._reasons().get(contact.reason)
        if is_milder(reason, current) and not actor.may("decide"):
            raise NotAllowed(
                "That reason needs less than the present one: a supervisor may choose it."
            )
        if contact.status == "deciding":
            raise Conflict("A decision on this contact is being carried out; correct it after.")
        holder = session.scalar(
            select(Person.name)
            .join(Review, Review.claimed_by == Person.id)
            .where(
                Review.thread == contact.thread,
                Review.status == "pending",
                Review.claimed_until >= now,
                Review.claimed_by != actor.id,
            )
        )
        if holder:
            raise ClaimedByOther(f"{holder} is working on the review of this contact.")

    def _follow(
        self,
        session: Session,
        contact: Contact,
        reason_id: str | None,
        confidence: float,
        now: datetime,
    ) -> None:
        """Have owner, due date, tier and risk follow the reason, and the routing where it must."""
        reason, former = self._reasons().get(reason_id), self._reasons().get(contact.reason)
        before = contact.tier
        if contact.due_at in (None, _due(contact, former)):  # else it came with the contact
            contact.due_at = _due(contact, reason)
        contact.reason = reason_id
        contact.confidence = confidence
        contact.updated_at = now
        if contact.tier:
            triggers, tier = with_reason(contact.triggers, reason)
            contact.triggers, contact.tier = triggers, tier
            contact.risk = risk_of(tier, triggers)
        if contact.status == "escalated":
            _move(session, contact, reason)
        urgent = contact.tier == "escalate_first" != before
        if contact.status in _ROUTED_AGAIN or (urgent and contact.status in _SETTLED):
            start_over(session, self._jobs, contact)


def _due(contact: Contact, reason: Reason | None) -> datetime:
    return due_at(contact.created_at, reason.sla_minutes if reason else None)


def _move(session: Session, contact: Contact, reason: Reason | None) -> None:
    """Hand a contact that waits for a person to the team that owns what it is about."""
    latest = session.scalar(
        select(Handoff)
        .where(Handoff.contact_id == contact.id)
        .order_by(Handoff.opened_at.desc())
        .limit(1)
    )
    if latest is not None:
        latest.team = reason.owner if reason else None


def as_said(reason: str | None, guess: Classification) -> Classification:
    """Return a classification that says what a person said; None for none of the map's reasons."""
    others: list[ReasonGuess] = [
        {**one, "confidence": 0.0} for one in guess["alternatives"] if one["reason"] != reason
    ]
    if reason is not None:
        others.insert(0, {"reason": reason, "confidence": 1.0, "evidence": [SAID_BY_A_PERSON]})
    return {**guess, "reason": reason, "confidence": 1.0, "alternatives": others[:3]}


class Learner(Classifier, Protocol):
    """A classifier that takes one more example at a time."""

    def classify_all(self, conversations: Sequence[Conversation]) -> list[Classification]:
        """Classify many contacts."""
        ...

    def learn(self, text: str, reason: str | None) -> None:
        """Take ``text`` as an example of ``reason``, None for none of the map's.

        An unknown reason is ignored.
        """
        ...

    def forget(self, text: str) -> None:
        """Take back what was learned of ``text``."""
        ...


class TaughtClassifier:
    """Classifies with all that people have said so far; implements ``graph.ports.Classifier``.

    Before each contact it asks for two counts, which cost a fraction of a millisecond. When they
    have changed, in this process or another, what is new is learned.

    Args:
        fresh: Makes a classifier that knows the reason map only.
        corrections: What people said.
        reasons: The reason map: what it no longer has is passed over.
    """

    def __init__(
        self, fresh: Callable[[], Learner], corrections: Corrections, reasons: ReasonMap
    ) -> None:
        self._fresh = fresh
        self._corrections = corrections
        self._reasons = reasons
        self._lock = threading.Lock()
        self._known: tuple[int, int] | None = None
        self._taught = Taught({}, ())
        self._learner: Learner | None = None

    def classify(self, conversation: Conversation) -> Classification:
        """Return what the contact is about: what a person said of it, else the best guess."""
        learner, taught = self._up_to_date()
        return self._as_said(conversation, learner.classify(conversation), taught)

    def classify_all(self, conversations: Sequence[Conversation]) -> list[Classification]:
        """As :meth:`classify` for many contacts, which is faster than one after the other."""
        learner, taught = self._up_to_date()
        guessed = learner.classify_all(conversations)
        return [
            self._as_said(conversation, guess, taught)
            for conversation, guess in zip(conversations, guessed, strict=True)
        ]

    def _as_said(
        self, conversation: Conversation, guess: Classification, taught: Taught
    ) -> Classification:
        contact_id = conversation["contact_id"]
        if contact_id not in taught.by_contact:
            return guess
        reason = taught.by_contact[contact_id]
        if reason is not None and self._reasons.get(reason) is None:
            return guess
        return as_said(reason, guess)

    def _up_to_date(self) -> tuple[Learner, Taught]:
        with self._lock:
            state = self._corrections.state()
            if self._learner is None or state != self._known:
                taught = self._corrections.taught()
                learned = dict(self._taught.pairs)
                if self._learner is None:
                    self._learner = self._fresh()
                for text in learned.keys() - dict(taught.pairs).keys():
                    self._learner.forget(text)
                for text, reason in taught.pairs:
                    if text not in learned or learned[text] != reason:
                        self._learner.learn(text, reason)
                self._known, self._taught = state, taught
            return self._learner, self._taught
