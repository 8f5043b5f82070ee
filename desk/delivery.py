"""The outbox: approved answers, their undo window, their delivery."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any, Final, Protocol, cast

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import Conflict, NotFound, Unavailable
from core.identifiers import new_id
from core.logs import about
from core.tracing import span
from core.vocabulary import TIERS, DeliveryStatus
from desk.audit import DESK, write_audit
from desk.autopilot import Gate, approval_of, is_about_another
from desk.contacts import hold_contact, last_customer_message, start_new_run, start_over
from desk.jobs import Jobs, describe_failure
from desk.models import Contact, Delivery, DeliveryAttempt, Message, Review
from desk.permissions import Actor, require
from desk.redelivery import Attempt
from desk.uses import hand_over, let_go, let_go_of_drafts, take_up
from graph.autopilot import BY_AUTOPILOT
from graph.draft import draft_text
from graph.evidence import Recheck, cited_articles, evidence_of, look_again
from graph.ports import Changes, Disputes, Sources
from graph.values import Decision, Draft, EvidenceChange

_log = logging.getLogger(__name__)

CLOCK_SLACK: Final = timedelta(minutes=5)
"""By how much the clocks of two machines may differ without either being wrong."""
_AT_DESK: Final = "@proofdesk.invalid>"


@dataclass(frozen=True, slots=True)
class Letter:
    """What a transport sends. ``key`` is the idempotency key: one key is delivered once.

    All letters of one contact belong to one conversation, and name it.
    """

    key: str
    sender: str
    recipient: str
    subject: str
    text: str
    at: datetime
    contact_id: str = ""


class Transport(Protocol):
    """Brings letters to the customer."""

    def send(self, letter: Letter) -> str:
        """Deliver ``letter`` unless its key was delivered before; return where it went."""
        ...

    def was_sent(self, key: str) -> bool:
        """Tell whether a letter of this key left, as far as can be found out."""
        ...

    def besides(self, known: Collection[str]) -> list[Letter]:
        """Return what left, as far as can be found out, save the letters of ``known`` keys."""
        ...


class EmlTransport:
    """Writes each letter as an ``.eml`` file: the embedded default."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, letter: Letter) -> str:
        """Write the letter; a key that was written before is left as it is."""
        self._folder.mkdir(parents=True, exist_ok=True)
        target = self._file(letter.key)
        if target.exists():
            return str(target)
        message = EmailMessage()
        message["From"] = letter.sender
        message["To"] = letter.recipient or "undisclosed-recipients:;"
        message["Subject"] = " ".join(letter.subject.split()) or "Your question"
        message["Date"] = format_datetime(letter.at)
        message["Message-ID"] = f"<{letter.key}{_AT_DESK}"
        if letter.contact_id:
            message["References"] = f"<{letter.contact_id}{_AT_DESK}"
        message.set_content(letter.text)
        handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(bytes(message))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # else the name may be lost with the power after we said "sent"
        finally:
            os.close(folder)
        return str(target)

    def was_sent(self, key: str) -> bool:
        """Tell whether its file is there."""
        return self._file(key).exists()

    def besides(self, known: Collection[str]) -> list[Letter]:
        """Read the files of other keys."""
        there = sorted(self._folder.glob("*.eml"))
        return [_read(path) for path in there if path.stem not in known]

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.eml"


def _read(path: Path) -> Letter:
    message = BytesParser(policy=default).parsebytes(path.read_bytes())
    return Letter(
        key=path.stem,
        sender=message["From"],
        recipient=message["To"],
        subject=message["Subject"],
        text=message.get_content().rstrip("\n"),
        at=parsedate_to_datetime(message["Date"]),
        contact_id=(message["References"] or "").strip("<>").removesuffix(_AT_DESK.strip(">")),
    )


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One delivery, for reading.

    Attributes:
        due_at: When it leaves, or is tried again.
        error: Why the last attempt that failed did.
        attempts: How often it was tried.
    """

    id: str
    contact_id: str
    review_id: str | None
    status: DeliveryStatus
    subject: str
    recipient: str
    text: str
    approved_by: str
    created_at: datetime
    due_at: datetime
    sent_at: datetime | None
    location: str
    error: str
    attempts: int


class Deliveries:
    """Takes approved answers and sees them off. Implements :class:`graph.ports.Outbox`.

    Args:
        undo_seconds: Length of the undo window; a function, since a replay of the past has none.
        gate: Says whether an answer that no person approved may still leave.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        jobs: Jobs,
        transport: Transport,
        undo_seconds: Callable[[], int],
        sender: str,
        sources: Sources,
        changes: Changes,
        disputes: Disputes,
        gate: Gate,
    ) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self._transport = transport
        self._undo_seconds = undo_seconds
        self._sender = sender
        self._sources = sources
        self._changes = changes
        self._disputes = disputes
        self._gate = gate

    def put(self, key: str, contact_id: str, draft: Draft, decision: Decision) -> None:
        """Accept an answer for delivery; a key that is there already changes nothing."""
        now = self._clock.now()
        with self._database.write() as session:
            if session.scalar(select(Delivery.id).where(Delivery.key == key)):
                return
            contact = hold_contact(session, contact_id)
            delivery = Delivery(
                id=new_id("del"),
                key=key,
                contact_id=contact_id,
                review_id=_review_of(session, contact_id, key),
                status="scheduled",
                subject=f"Re: {contact.subject}" if contact.subject else "Your question",
                recipient=contact.customer_email,
                text=draft_text(draft),
                draft=dict(draft),
                approved_by=decision["by"],
                created_at=now,
                due_at=now + timedelta(seconds=self._undo_seconds()),
            )
            session.add(delivery)
            hand_over(session, delivery.review_id, delivery.id, contact_id, draft, now)
            if ground := decision.get("ground"):
                self._gate.note(session, key, contact_id, ground, delivery.id, now)
            write_audit(
                session,
                now,
                decision["by"],
                "delivery.scheduled",
                contact_id=contact_id,
                review_id=delivery.review_id,
                data={"delivery": delivery.id, "due_at": delivery.due_at.isoformat()},
            )
            session.flush()
            first = Attempt(delivery.id)
            self._jobs.enqueue(session, "deliver", first.key, first.argument, self._undo_seconds())

    def deliver(self, argument: str) -> str:
        """Try to send a delivery unless it was undone or sent; return its status.

        What it rests on is looked at once more: a source in which a fact it relies on changed or
        that is no longer in force, a further message or a newer run stops it, and its draft goes
        back to review. A rewording lets it go, and the trail says so.

        An attempt that the transport failed at is written down together with the job for the next
        one, which waits longer each time (:mod:`desk.redelivery`) and looks at everything anew.
        After the last one the delivery is set aside for a person.

        Safe to repeat after a crash at any point: the transport knows the key.

        Args:
            argument: An :class:`~desk.redelivery.Attempt`; of the first one it is the delivery's id.
        """
        attempt = Attempt.read(argument)
        delivery_id = attempt.delivery_id
        delivery = self._release(attempt)
        if delivery is None:
            with self._database.read() as session:
                return _get(session, delivery_id).status
        letter = Letter(
            key=delivery.key,
            sender=self._sender,
            recipient=delivery.recipient,
            subject=delivery.subject,
            text=delivery.text,
            at=self._clock.now(),
            contact_id=delivery.contact_id,
        )
        try:
            with about(contact_id=delivery.contact_id), span("delivery"):
                location = self._transport.send(letter)
        except (OSError, Unavailable) as error:
            _log.warning("an attempt failed", exc_info=error)
            return self._defer(attempt.next, describe_failure(error))
        return self._sent(delivery_id, location)

    def _defer(self, attempt: Attempt, cause: str) -> str:
        """Write a failed attempt down and ask for the next one; return the delivery's status."""
        now, pause = self._clock.now(), attempt.pause
        with self._database.write() as session:
            delivery, contact = _hold(session, attempt.delivery_id)
            if delivery.status != "sending" or len(delivery.attempts) >= attempt.before:
                return delivery.status
            delivery.attempts.append(self._attempt(delivery.id, cause))
            if pause is None:
                _log.error("given up: a person must look")
                self._set_aside(session, delivery, contact, cause)
                return delivery.status
            delivery.due_at = now + pause
            write_audit(
                session,
                now,
                DESK,
                "delivery.deferred",
                contact_id=contact.id,
                review_id=delivery.review_id,
                data={
                    "delivery": delivery.id,
                    "attempts": attempt.before,
                    "until": delivery.due_at.isoformat(),
                    "cause": cause,
                },
            )
            session.flush()
            seconds = pause.total_seconds()
            self._jobs.enqueue(session, "deliver", attempt.key, attempt.argument, seconds)
            return delivery.status

    def _release(self, attempt: Attempt) -> Delivery | None:
        """Take a delivery for sending, or stop it; return it if it is to be sent."""
        with self._database.read() as session:
            delivery = _get(session, attempt.delivery_id)
            if len(delivery.attempts) > attempt.before:
                return None  # it was made, and the process died before it said so
            draft = cast(Draft, delivery.draft)
            review = session.get(Review, delivery.review_id) if delivery.review_id else None
        evidence = evidence_of(draft, "")
        if review is not None:  # what its reviewer knew of and approved in spite of
            evidence["disputes"] = review.state["evidence"].get("disputes", [])
        articles = cited_articles(draft)
        while True:
            seen = self._sources.versions_in_force(articles)
            found = look_again(evidence, draft, "", self._sources, self._changes, self._disputes)
            with self._database.write() as session:
                if self._sources.versions_in_force(articles) == seen:
                    return delivery if self._take(session, delivery.id, found) else None
            # A sync came between the look and the lock: what it brought is looked at too.

    def _take(self, session: Session, delivery_id: str, found: Recheck) -> bool:
        delivery, contact = _hold(session, delivery_id)
        if delivery.status not in ("scheduled", "sending"):
            return False
        # One that an attempt took before and broke off at may have left or not.
        again = delivery.status == "sending"
        # In a restored desk even one that was not taken: its letter came with the backup.
        if self._transport.was_sent(delivery.key):
            return True
        if self._stop(session, delivery, contact, found.stops):
            return False
        delivery.status = "sending"
        if found.notes and not again:
            write_audit(
                session,
                self._clock.now(),
                DESK,
                "delivery.reworded",
                contact_id=delivery.contact_id,
                review_id=delivery.review_id,
                data={"delivery": delivery_id, "noted": found.notes},
            )
        return True

    def _stop(
        self,
        session: Session,
        delivery: Delivery,
        contact: Contact,
        changes: list[EvidenceChange],
    ) -> bool:
        """Send the draft back to review if it may not leave; tell whether it did."""
        ground = _ground_of(session, delivery)
        newer_run = ground is not None and ground.thread != contact.thread
        wrote_again = ground is not None and _wrote_again(contact, ground)
        stricter = ground is not None and _stricter(contact, ground)
        held, approval = "", approval_of(session, delivery)
        if delivery.approved_by == BY_AUTOPILOT:
            held = self._gate.why_held(session, approval, self._clock.now())
        if not (changes or newer_run or wrote_again or stricter or held):
            return False
        if not newer_run:
            # Else it is triaged and drafted anew: it is about something else now.
            same = not (wrote_again or stricter or is_about_another(session, approval))
            start_new_run(session, self._jobs, contact, delivery.draft if same else None)
        why = {
            "changes": changes,
            "newer_run": newer_run,
            "wrote_again": wrote_again,
            "stricter": stricter,
            **({"autopilot": held} if held else {}),
        }
        self._take_back(session, delivery, DESK, "delivery.stopped", why)
        return True

    def _take_back(
        self,
        session: Session,
        delivery: Delivery,
        by: str,
        event: str,
        why: dict[str, Any],
    ) -> None:
        """Have a delivery not leave, and tell the trail."""
        delivery.status = "undone"
        let_go(session, delivery.id)
        write_audit(
            session,
            self._clock.now(),
            by,
            event,
            contact_id=delivery.contact_id,
            review_id=delivery.review_id,
            data={"delivery": delivery.id, **why},
        )

    def set_right(self) -> int:
        """Have what waits for a time that a wrong clock gave it wait from now on; return how many.

        An answer approved while the clock was a day ahead would else leave a day late.
        """
        now = self._clock.now()
        ahead = now + CLOCK_SLACK
        tried = select(DeliveryAttempt.id).where(
            DeliveryAttempt.delivery_id == Delivery.id, DeliveryAttempt.at > ahead
        )
        waiting = select(Delivery).where(
            Delivery.status.in_(("scheduled", "sending")),
            or_(Delivery.created_at > ahead, tried.exists()),
        )
        with self._database.write() as session:
            found = list(session.scalars(waiting))
            for delivery in found:
                delivery.due_at = now + timedelta(seconds=self._undo_seconds())
            keys = [Attempt(one.id, before=len(one.attempts)).key for one in found]
        for key in keys:
            self._jobs.put_off(key, self._undo_seconds())
        return len(keys)

    def write_down_what_left(self) -> int:
        """Tell contacts of letters that their records know nothing of; return how many.

        For a desk that was restored: such a letter left between the moment of the records and the
        end of the backup. Whatever waits of its contact is withdrawn, so that it is not answered
        twice.
        """
        with self._database.read() as session:
            known = set(session.scalars(select(Delivery.key)))
        return sum(self._write_down(letter) for letter in self._transport.besides(known))

    def _write_down(self, letter: Letter) -> bool:
        now, message_id = self._clock.now(), f"msg_{letter.key}"
        with self._database.write() as session:
            contact = session.get(Contact, letter.contact_id, with_for_update=True)
            if contact is None or session.get(Message, message_id) is not None:
                return False
            if _review_of(session, contact.id, letter.key):
                return False  # its decision is still to be carried out, and will find the letter
            waiting = (Review.contact_id == contact.id, Review.status == "pending")
            session.execute(update(Review).where(*waiting).values(status="withdrawn"))
            let_go_of_drafts(session, contact.id)
            contact.run += 1  # what was under way speaks for the contact no more
            contact.status, contact.failure, contact.brought_draft = "answered", "", None
            contact.updated_at = now
            contact.messages.append(
                Message(
                    id=message_id,
                    contact_id=contact.id,
                    ordinal=len(contact.messages),
                    speaker="agent",
                    text=letter.text,
                    at=letter.at,
                )
            )
            why = {"key": letter.key, "left_at": letter.at.isoformat()}
            write_audit(session, now, DESK, "delivery.found", contact_id=contact.id, data=why)
            return True

    def hold_back(self) -> int:
        """Send everything that is on its way out back to review; return how many answers.

        For a desk that was restored: the one it is a copy of went on, so an answer may have left
        already, or rest on what is no longer true. What was approved and not yet carried out is on
        its way out, too.
        """
        moving = select(Delivery.id).where(Delivery.status.in_(("scheduled", "sending")))
        approved = (
            select(Review.id)
            .join(Contact, Contact.id == Review.contact_id)
            .where(Review.status == "decided", Contact.status == "deciding")
        )
        with self._database.read() as session:
            deliveries = list(session.scalars(moving))
            reviews = list(session.scalars(approved))
        held = [self._hold_back(delivery_id) for delivery_id in deliveries]
        held += [self._hold_back_approved(review_id) for review_id in reviews]
        return sum(held)

    def _hold_back(self, delivery_id: str) -> bool:
        with self._database.write() as session:
            delivery, contact = _hold(session, delivery_id)
            if delivery.status not in ("scheduled", "sending"):
                return False
            if self._transport.was_sent(delivery.key):
                return False  # its letter came with the backup: it is only written down
            start_new_run(session, self._jobs, contact, delivery.draft)
            self._take_back(session, delivery, DESK, "delivery.stopped", {"restored": True})
            return True

    def _hold_back_approved(self, review_id: str) -> bool:
        """Have an approval that nobody carried out yet not release anything any more.

        The run that it was to resume goes on, and its answer stops at the newer run.
        """
        with self._database.write() as session:
            review = session.get_one(Review, review_id)
            contact = hold_contact(session, review.contact_id)
            decision = review.decision
            if decision is None or contact.status != "deciding" or review.thread != contact.thread:
                return False
            if decision["kind"] not in ("approve", "edit"):
                return False
            if self._transport.was_sent(decision["id"]):
                return False
            contact.updated_at = self._clock.now()
            start_new_run(
                session, self._jobs, contact, decision.get("draft") or review.state["draft"]
            )
            write_audit(
                session,
                contact.updated_at,
                DESK,
                "review.held_back",
                contact_id=contact.id,
                review_id=review.id,
                data={"restored": True},
            )
            return True

    def give_up(self, argument: str, cause: str) -> None:
        """Set a delivery aside that could not be sent: a person must look at it."""
        with self._database.write() as session:
            delivery, contact = _hold(session, Attempt.read(argument).delivery_id)
            if delivery.status in ("scheduled", "sending"):
                self._set_aside(session, delivery, contact, cause)

    def _set_aside(
        self, session: Session, delivery: Delivery, contact: Contact, cause: str
    ) -> None:
        delivery.status = "failed"
        let_go(session, delivery.id)
        ground = _ground_of(session, delivery)
        if ground is None or ground.thread == contact.thread:  # else a newer run speaks for it
            contact.status = "failed"
            contact.failure = f"The answer was approved but could not be delivered: {cause}"
            contact.updated_at = self._clock.now()
        write_audit(
            session,
            self._clock.now(),
            DESK,
            "delivery.failed",
            contact_id=delivery.contact_id,
            review_id=delivery.review_id,
            data={"delivery": delivery.id, "cause": cause},
        )

    def send_again(self, actor: Actor, delivery_id: str) -> None:
        """Have an answer that was set aside tried again, as often as at first.

        Nothing about it is new: each attempt looks whether it may still leave.

        Raises:
            Conflict: It is not set aside, or the contact has gone on without it.
        """
        require(actor, "decide_own")
        now = self._clock.now()
        with self._database.write() as session:
            delivery, contact = _hold(session, delivery_id)
            if not actor.may("decide") and delivery.approved_by != actor.id:
                require(actor, "decide")
            if delivery.status != "failed":
                raise Conflict(f"This answer is {delivery.status}: there is nothing to send again.")
            ground = _ground_of(session, delivery)
            if contact.status != "failed" or (ground and ground.thread != contact.thread):
                raise Conflict("The contact has gone on without this answer: look at it there.")
            # Not "scheduled": one of the attempts may have brought it to the customer after all.
            delivery.status, delivery.due_at = "sending", now
            contact.status, contact.failure, contact.updated_at = "scheduled", "", now
            take_up(session, delivery.id, now)
            write_audit(
                session,
                now,
                actor.id,
                "delivery.retried",
                contact_id=contact.id,
                review_id=delivery.review_id,
                data={"delivery": delivery.id},
            )
            session.flush()
            again = Attempt(delivery.id, before=len(delivery.attempts))
            self._jobs.enqueue(session, "deliver", again.key, again.argument)

    def set_aside(self, actor: Actor, limit: int = 1000) -> list[DeliveryView]:
        """Return the answers that wait for a person because they could not be sent, newest first."""
        require(actor, "work_contacts")
        query = _dead_letters(select(Delivery)).order_by(Delivery.id.desc()).limit(limit)
        with self._database.read() as session:
            return [_view(row) for row in session.scalars(query)]

    def troubles(self) -> tuple[int, int]:
        """Return how many answers are set aside, and how many wait for another attempt."""
        tried = select(DeliveryAttempt.id).where(DeliveryAttempt.delivery_id == Delivery.id)
        waiting = (
            select(func.count())
            .select_from(Delivery)
            .where(Delivery.status == "sending", tried.exists())
        )
        with self._database.read() as session:
            aside = session.scalar(_dead_letters(select(func.count()).select_from(Delivery)))
            return aside or 0, session.scalar(waiting) or 0

    def undo(self, actor: Actor, delivery_id: str) -> None:
        """Call an answer back before it leaves; its draft goes back to review.

        Raises:
            Conflict: It has left already.
        """
        require(actor, "decide_own")
        with self._database.write() as session:
            delivery, contact = _hold(session, delivery_id)
            if not actor.may("decide") and delivery.approved_by != actor.id:
                require(actor, "decide")
            if delivery.status != "scheduled":
                raise Conflict(f"This answer is {delivery.status}: it cannot be called back.")
            contact.updated_at = self._clock.now()
            start_new_run(session, self._jobs, contact, delivery.draft)
            self._take_back(session, delivery, actor.id, "delivery.undone", {})

    def latest(
        self,
        actor: Actor,
        limit: int = 50,
        status: DeliveryStatus | None = None,
        before: str | None = None,
    ) -> list[DeliveryView]:
        """Return the newest deliveries; of those before the one with the id ``before``, if given."""
        require(actor, "work_contacts")
        query = select(Delivery).order_by(Delivery.id.desc()).limit(limit)
        if status:
            query = query.where(Delivery.status == status)
        if before:
            query = query.where(Delivery.id < before)
        with self._database.read() as session:
            return [_view(row) for row in session.scalars(query)]

    def of_contact(self, actor: Actor, contact_id: str) -> list[DeliveryView]:
        """Return the deliveries of one contact, oldest first."""
        require(actor, "work_contacts")
        query = select(Delivery).where(Delivery.contact_id == contact_id).order_by(Delivery.id)
        with self._database.read() as session:
            return [_view(row) for row in session.scalars(query)]

    def _sent(self, delivery_id: str, location: str) -> str:
        now = self._clock.now()
        with self._database.write() as session:
            delivery, contact = _hold(session, delivery_id)
            if delivery.status == "sent":
                return delivery.status
            ground = _ground_of(session, delivery)
            delivery.status, delivery.sent_at, delivery.location = "sent", now, location
            session.add(self._attempt(delivery_id, ""))
            contact.messages.append(
                Message(
                    id=new_id("msg"),
                    contact_id=contact.id,
                    ordinal=len(contact.messages),
                    speaker="agent",
                    text=delivery.text,
                    at=now,
                )
            )
            contact.updated_at = now
            write_audit(
                session,
                now,
                DESK,
                "delivery.sent",
                contact_id=contact.id,
                review_id=delivery.review_id,
                data={"delivery": delivery.id},
            )
            if ground is not None and ground.thread != contact.thread:
                return delivery.status  # a newer run speaks for the contact
            contact.status = "waiting" if delivery.draft["kind"] == "clarify" else "answered"
            if ground is not None and _wrote_again(contact, ground):
                # While it was on its way, too late to be stopped.
                start_over(session, self._jobs, contact)
                write_audit(
                    session,
                    now,
                    DESK,
                    "contact.reopened",
                    contact_id=contact.id,
                    data={"from": "sending"},
                )
            return delivery.status

    def _attempt(self, delivery_id: str, error: str) -> DeliveryAttempt:
        return DeliveryAttempt(delivery_id=delivery_id, at=self._clock.now(), error=error)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What an approval was bound to, whoever gave it."""

    thread: str
    tier: str
    last_message_id: str


def _ground_of(session: Session, delivery: Delivery) -> _Ground | None:
    if approval := approval_of(session, delivery):
        evidence = approval.evidence
        return _Ground(approval.thread, approval.tier, evidence["last_message_id"])
    review = session.get(Review, delivery.review_id) if delivery.review_id else None
    if review is None:
        return None
    return _Ground(review.thread, review.tier, review.state["evidence"]["last_message_id"])


def _wrote_again(contact: Contact, ground: _Ground) -> bool:
    """Tell whether the customer wrote since the draft was written."""
    return last_customer_message(contact) != ground.last_message_id


def _stricter(contact: Contact, ground: _Ground) -> bool:
    """Tell whether the contact turned out to need more than it was decided with."""
    tiers: list[str] = list(TIERS)
    return contact.tier in tiers and tiers.index(contact.tier) > tiers.index(ground.tier)


def _review_of(session: Session, contact_id: str, decision_id: str) -> str | None:
    # Not among those of the present run alone: the contact may have gone on meanwhile.
    for review in session.scalars(select(Review).where(Review.contact_id == contact_id)):
        if review.decision and review.decision.get("id") == decision_id:
            return review.id
    return None


def _dead_letters(query: Select[Any]) -> Select[Any]:
    """Return ``query`` narrowed to answers that failed and that nobody has seen to since."""
    return query.join(Contact, Contact.id == Delivery.contact_id).where(
        Delivery.status == "failed", Contact.status == "failed"
    )


def _hold(session: Session, delivery_id: str) -> tuple[Delivery, Contact]:
    """Return a delivery and its contact as they are now; nobody else changes them meanwhile."""
    delivery = _get(session, delivery_id)
    contact = hold_contact(session, delivery.contact_id)
    session.refresh(delivery)
    return delivery, contact


def _get(session: Session, delivery_id: str) -> Delivery:
    row = session.get(Delivery, delivery_id)
    if row is None:
        raise NotFound(f"There is no delivery {delivery_id!r}.")
    return row


def _view(row: Delivery) -> DeliveryView:
    errors = [attempt.error for attempt in row.attempts if attempt.error]
    return DeliveryView(
        id=row.id,
        contact_id=row.contact_id,
        review_id=row.review_id,
        status=row.status,
        subject=row.subject,
        recipient=row.recipient,
        text=row.text,
        approved_by=row.approved_by,
        created_at=row.created_at,
        due_at=row.due_at,
        sent_at=row.sent_at,
        location=row.location,
        error=errors[-1] if errors else "",
        attempts=len(row.attempts),
    )
