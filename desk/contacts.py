"""Contacts: opening them, adding messages, reading them. Their queues are in desk/views.py."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, NotFound
from core.identifiers import new_id
from core.vocabulary import Channel, ContactStatus, Speaker
from desk.audit import DESK, write_audit
from desk.jobs import Jobs
from desk.models import Contact, Delivery, Handoff, Message, Person, Review
from desk.permissions import Actor, require
from desk.seeded_ends import is_seeded, withdraw_seeded
from desk.uses import let_go_of_drafts
from graph.values import Brief, Conversation, Draft, TriggerFiring

MAX_MESSAGE_CHARACTERS: Final = 200_000
_ADDRESS: Final = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")
# Where a further message of the customer starts a new run. Elsewhere a run is under way, and the
# recheck or the delivery finds the message; an escalated contact stays with its person.
_REOPENED_BY_MESSAGE: Final[frozenset[ContactStatus]] = frozenset(
    {"in_review", "waiting", "answered", "failed", "closed"}
)


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to be added. ``at`` is aware; None means now."""

    speaker: Speaker
    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact to be opened."""

    channel: Channel
    messages: Sequence[NewMessage]
    subject: str = ""
    customer_name: str = ""
    customer_email: str = ""
    customer_status: Literal["standard", "vip"] = "standard"
    customer_fields: Mapping[str, str] = field(default_factory=dict)
    origin: str = "desk"
    external_id: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MessageView:
    """One message, for reading."""

    id: str
    speaker: Speaker
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ContactSummary:
    """One line of a queue."""

    id: str
    channel: Channel
    subject: str
    customer_name: str
    customer_status: str
    status: ContactStatus
    reason: str | None
    confidence: float
    tier: str
    risk: int
    assigned_to: str | None
    due_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ContactView:
    """A contact with all that its page shows.

    Attributes:
        was_seeded: Whether it was a seeded check, once that has ended; no customer wrote it.
    """

    summary: ContactSummary
    customer_email: str
    customer_fields: dict[str, str]
    messages: list[MessageView]
    triggers: list[TriggerFiring]
    brief: Brief | None
    failure: str
    was_seeded: bool = False


class Contacts:
    """Opens and reads contacts. Implements :class:`graph.ports.Conversations`."""

    def __init__(self, database: Database, clock: Clock, jobs: Jobs) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs

    def open(self, actor: Actor, new: NewContact, draft: Draft | None = None) -> str:
        """Open a contact and have its run started; return its id.

        A contact of the same origin and external id is not opened twice: its id is returned.

        Raises:
            BadInput: No message, none of the customer, or an empty or overlong one.
        """
        require(actor, "work_contacts")
        validate(new)
        try:
            return self._open(actor, new, draft)
        except IntegrityError:  # another process brings the same in at the same moment
            with self._database.read() as session:
                if new.external_id and (known := _by_external_id(session, new)):
                    return known
            raise

    def _open(self, actor: Actor, new: NewContact, draft: Draft | None) -> str:
        now = self._clock.now()
        with self._database.write() as session:
            if new.external_id and (known := _by_external_id(session, new)):
                return known
            contact = Contact(
                id=new_id("con"),
                origin=new.origin,
                external_id=new.external_id,
                channel=new.channel,
                subject=new.subject[:500],
                customer_name=new.customer_name[:200],
                customer_email=new.customer_email[:320],
                customer_status=new.customer_status,
                customer_fields=dict(new.customer_fields),
                status="new",
                brought_draft=draft,
                due_at=new.due_at,
                created_at=min((m.at for m in new.messages if m.at), default=now),
                updated_at=now,
            )
            for ordinal, message in enumerate(new.messages):
                contact.messages.append(_message(contact.id, ordinal, message, now))
            session.add(contact)
            write_audit(
                session,
                now,
                actor.id,
                "contact.opened",
                contact_id=contact.id,
                data={"channel": new.channel, "origin": new.origin},
            )
            session.flush()
            self._jobs.enqueue(session, "carry", f"carry:{contact.thread}", contact.thread)
        return contact.id

    def add_message(self, actor: Actor | None, contact_id: str, new: NewMessage) -> str:
        """Add a message and return its id; one of the customer may reopen the contact.

        Args:
            actor: Who adds it; None for what a channel brings in.
            contact_id: The contact.
            new: The message.

        Raises:
            NotFound: There is no such contact.
            BadInput: The message is empty or overlong.
        """
        if actor:
            require(actor, "work_contacts")
        _validate_text(new.text)
        now = self._clock.now()
        with self._database.write() as session:
            contact = hold_contact(session, contact_id)
            ordinal = len(contact.messages)
            message = _message(contact.id, ordinal, new, now)
            contact.messages.append(message)
            contact.updated_at = now
            write_audit(
                session,
                now,
                actor.id if actor else DESK,
                "contact.message",
                contact_id=contact_id,
                data={"message": message.id, "speaker": new.speaker},
            )
            if new.speaker == "customer" and contact.status in _REOPENED_BY_MESSAGE:
                reopened_from = contact.status
                start_over(session, self._jobs, contact)
                write_audit(
                    session,
                    now,
                    DESK,
                    "contact.reopened",
                    contact_id=contact_id,
                    data={"from": reopened_from},
                )
        return message.id

    def wait_for_draft(self, contact_id: str, timeout_seconds: float = 120) -> None:
        """Wait until the current run of the contact has paused or ended."""
        with self._database.read() as session:
            thread = get_contact(session, contact_id).thread
        self._jobs.wait(f"carry:{thread}", timeout_seconds)

    def assign(self, actor: Actor, contact_id: str, person_id: str | None) -> None:
        """Give the contact to a person, or to nobody."""
        require(actor, "work_contacts")
        with self._database.write() as session:
            contact = hold_contact(session, contact_id)
            person = session.get(Person, person_id) if person_id else None
            if person_id and (person is None or not person.active):
                raise NotFound(f"There is no person {person_id!r} at this desk.")
            contact.assigned_to = person_id
            contact.updated_at = self._clock.now()
            write_audit(
                session,
                self._clock.now(),
                actor.id,
                "contact.assigned",
                contact_id=contact_id,
                data={"to": person_id},
            )

    def close(self, actor: Actor, contact_id: str) -> None:
        """Close a contact that needs no answer (any more)."""
        require(actor, "work_contacts")
        with self._database.write() as session:
            contact = hold_contact(session, contact_id)
            if contact.status not in ("answered", "waiting", "escalated", "failed"):
                raise BadInput(
                    f"The contact is {contact.status.replace('_', ' ')}: decide its review first."
                )
            contact.status = "closed"
            contact.updated_at = self._clock.now()
            write_audit(
                session, self._clock.now(), actor.id, "contact.closed", contact_id=contact_id
            )

    def retry(self, actor: Actor, contact_id: str) -> None:
        """Have a contact that the desk could not go on with carried through a new run.

        An answer that could not be delivered is not sent again by this: its draft is checked and
        reviewed anew.

        Raises:
            BadInput: Its run did not fail.
        """
        require(actor, "work_contacts")
        now = self._clock.now()
        with self._database.write() as session:
            contact = hold_contact(session, contact_id)
            if contact.status != "failed":
                raise BadInput("The desk goes on with this contact by itself: nothing to retry.")
            undelivered = session.scalar(
                select(Delivery)
                .where(Delivery.contact_id == contact_id)
                .order_by(Delivery.created_at.desc(), Delivery.id.desc())
                .limit(1)
            )
            failed = undelivered is not None and undelivered.status == "failed"
            draft = undelivered.draft if undelivered and failed else None
            start_over(session, self._jobs, contact, draft)
            contact.updated_at = now
            write_audit(session, now, actor.id, "contact.retried", contact_id=contact_id)

    def get(self, actor: Actor, contact_id: str) -> ContactView:
        """Return one contact. Raises NotFound."""
        require(actor, "read_reviews")
        with self._database.read() as session:
            row = get_contact(session, contact_id)
            brief = session.scalar(
                select(Handoff.brief)
                .where(Handoff.contact_id == contact_id)
                .order_by(Handoff.opened_at.desc())
                .limit(1)
            )
            return ContactView(
                summary=summary_of(row),
                customer_email=row.customer_email,
                customer_fields=row.customer_fields,
                messages=[MessageView(m.id, m.speaker, m.text, m.at) for m in row.messages],
                triggers=row.triggers,
                brief=brief,
                failure=row.failure,
                was_seeded=is_seeded(row) and row.status == "closed",
            )

    def summary(self, actor: Actor, contact_id: str) -> ContactSummary:
        """Return one contact as a line of a queue, without its messages. Raises NotFound."""
        require(actor, "read_reviews")
        with self._database.read() as session:
            return summary_of(get_contact(session, contact_id))

    def load(self, contact_id: str) -> Conversation:
        """Return the contact as a run sees it."""
        now = self._clock.now()
        with self._database.read() as session:
            row = get_contact(session, contact_id)
            due = (row.due_at - now).total_seconds() // 60 if row.due_at else None
            return {
                "contact_id": row.id,
                "channel": row.channel,
                "subject": row.subject,
                "customer": {
                    "status": "vip" if row.customer_status == "vip" else "standard",
                    "sla_due_in_minutes": None if due is None else int(due),
                    "name": row.customer_name,
                    "fields": {k: str(v) for k, v in row.customer_fields.items()},
                },
                "turns": [
                    {
                        "id": message.id,
                        "speaker": message.speaker,
                        "text": message.text,
                        "at": message.at.isoformat(),
                    }
                    for message in row.messages
                ],
            }


def get_contact(session: Session, contact_id: str) -> Contact:
    """Return the row of a contact. Raises NotFound."""
    row = session.get(Contact, contact_id)
    if row is None:
        raise NotFound(f"There is no contact {contact_id!r}.")
    return row


def hold_contact(session: Session, contact_id: str) -> Contact:
    """Return the row of a contact as it is now; nobody else changes it until this work ends.

    Whoever changes a contact and something of it holds the contact first, so that two never wait
    for each other. (SQLite has one writer at a time and needs no lock on a row.)

    Raises:
        NotFound: There is no such contact.
    """
    row = session.get(Contact, contact_id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no contact {contact_id!r}.")
    return row


def last_customer_message(contact: Contact) -> str:
    """Return the id of the customer's last message."""
    return [message.id for message in contact.messages if message.speaker == "customer"][-1]


def contact_of(thread: str) -> str:
    """Return the contact of a thread."""
    return thread.rpartition(":")[0]


def run_of(thread: str) -> int:
    """Return the number of the run that a thread belongs to."""
    return int(thread.rpartition(":")[2])


def start_new_run(
    session: Session, jobs: Jobs, contact: Contact, draft: Mapping[str, Any] | None = None
) -> None:
    """Have the contact carried through the graph again, in a thread of its own.

    Nobody waits for the answer of a seeded contact: its check ends instead.
    """
    if is_seeded(contact):
        withdraw_seeded(session, contact, contact.updated_at)
        return
    contact.run += 1
    contact.status = "new"
    contact.failure = ""
    contact.brought_draft = dict(draft) if draft else None
    session.flush()
    jobs.enqueue(session, "carry", f"carry:{contact.thread}", contact.thread)


def start_over(
    session: Session, jobs: Jobs, contact: Contact, draft: Mapping[str, Any] | None = None
) -> None:
    """As :func:`start_new_run`, and withdraw whatever of the contact waits for a decision."""
    session.execute(
        update(Review)
        .where(Review.contact_id == contact.id, Review.status == "pending")
        .values(status="withdrawn")
    )
    let_go_of_drafts(session, contact.id)
    start_new_run(session, jobs, contact, draft)


def _by_external_id(session: Session, new: NewContact) -> str | None:
    return session.scalar(
        select(Contact.id).where(
            Contact.origin == new.origin, Contact.external_id == new.external_id
        )
    )


def validate(new: NewContact) -> None:
    """Raise BadInput unless ``new`` can be opened."""
    if new.customer_email and not _ADDRESS.fullmatch(new.customer_email):
        raise BadInput("customer_email: must be one e-mail address.")
    if not any(message.speaker == "customer" for message in new.messages):
        raise BadInput("messages: a contact needs at least one message from the customer.")
    for message in new.messages:
        _validate_text(message.text)


def _validate_text(text: str) -> None:
    if not text.strip():
        raise BadInput("text: a message cannot be empty.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise BadInput("text: holds half a character (a lone surrogate).") from None
    if len(text) > MAX_MESSAGE_CHARACTERS:
        raise BadInput(
            f"text: the message has {len(text):,} characters; the desk takes up to "
            f"{MAX_MESSAGE_CHARACTERS:,}."
        )


def _message(contact_id: str, ordinal: int, new: NewMessage, now: datetime) -> Message:
    return Message(
        id=new_id("msg"),
        contact_id=contact_id,
        ordinal=ordinal,
        speaker=new.speaker,
        text=new.text,
        at=new.at or now,
    )


def summary_of(row: Contact) -> ContactSummary:
    """Return a row as one line of a queue."""
    return ContactSummary(
        id=row.id,
        channel=row.channel,
        subject=row.subject,
        customer_name=row.customer_name,
        customer_status=row.customer_status,
        status=row.status,
        reason=row.reason,
        confidence=row.confidence,
        tier=row.tier,
        risk=row.risk,
        assigned_to=row.assigned_to,
        due_at=row.due_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
