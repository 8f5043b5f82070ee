"""The tables of the people side."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, ForeignKey, Index, String, Text, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, Mapper, mapped_column, relationship

from core.database import Base
from core.vocabulary import (
    Channel,
    ContactStatus,
    DeliveryStatus,
    ReviewStatus,
    Role,
    SourceFlagKind,
    Speaker,
)

OPEN_CONTACT: Final = (
    "status IN ('new', 'drafting', 'in_review', 'deciding', 'escalated', 'failed')"
)
"""What still waits for somebody at the desk, as the index of open contacts says it."""
UNPRUNED_CONTACT: Final = "pruned_run < run"
SETTLED_CONTACT: Final = OPEN_CONTACT.replace(" IN ", " NOT IN ")


class Person(Base):
    """Somebody who works at the desk."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    email: Mapped[str] = mapped_column(String(320), unique=True)
    role: Mapped[Role] = mapped_column(String(20))
    active: Mapped[bool] = mapped_column(default=True)
    """Somebody who left is deactivated, never deleted: the audit trail names them."""
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's declaration


class SignInLink(Base):
    """A link that signs a person in. Only its digest is kept."""

    __tablename__ = "sign_in_link"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class BrowserSession(Base):
    """A browser in which somebody is signed in. Only the digest of its cookie is kept."""

    __tablename__ = "browser_session"

    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Presence(Base):
    """What somebody looks at now: one row a person, so it never grows."""

    __tablename__ = "presence"

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    review_id: Mapped[str] = mapped_column(String(40), index=True)
    at: Mapped[datetime]


class Contact(Base):
    """One customer matter on one channel."""

    __tablename__ = "contact"
    __table_args__ = (
        # Holds all that the queues of open contacts and their counts read.
        Index(
            "ix_contact_open",
            "rank",
            "created_at",
            "id",
            "assigned_to",
            "due_at",
            "low_confidence",
            "lacks_details",
            "status",
            sqlite_where=text(OPEN_CONTACT),
            postgresql_where=text(OPEN_CONTACT),
        ),
        Index(
            "ix_contact_mine",
            "assigned_to",
            "rank",
            "created_at",
            "id",
            sqlite_where=text(OPEN_CONTACT),
            postgresql_where=text(OPEN_CONTACT),
        ),
        Index(
            "ix_contact_backlog",
            "created_at",
            "reason",
            "tier",
            "channel",
            "origin",
            "status",
            sqlite_where=text(OPEN_CONTACT),
            postgresql_where=text(OPEN_CONTACT),
        ),
        Index(
            "ix_contact_settled",
            "id",
            sqlite_where=text(SETTLED_CONTACT),
            postgresql_where=text(SETTLED_CONTACT),
        ),
        Index(
            "ix_contact_unpruned",
            "updated_at",
            sqlite_where=text(UNPRUNED_CONTACT),
            postgresql_where=text(UNPRUNED_CONTACT),
        ),
        UniqueConstraint("origin", "external_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    origin: Mapped[str] = mapped_column(String(40), default="desk")
    """Where it came from: ``desk``, or the kind of file it was imported from."""
    external_id: Mapped[str | None] = mapped_column(String(200))
    """Its id at its origin; importing the same again adds nothing."""
    channel: Mapped[Channel] = mapped_column(String(10))
    subject: Mapped[str] = mapped_column(String(500), default="")
    customer_name: Mapped[str] = mapped_column(String(200), default="")
    customer_email: Mapped[str] = mapped_column(String(320), default="")
    customer_status: Mapped[str] = mapped_column(String(20), default="standard")
    customer_fields: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the team knows of the customer: order numbers, plan and the like."""
    status: Mapped[ContactStatus] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(80), index=True)
    confidence: Mapped[float] = mapped_column(default=0.0)
    tier: Mapped[str] = mapped_column(String(20), default="")
    risk: Mapped[int] = mapped_column(default=0)
    """Sorts the queues: position of the tier, plus 10 for crisis and safety."""
    triggers: Mapped[list[Any]] = mapped_column(default=list)
    low_confidence: Mapped[bool] = mapped_column(default=False)
    """Whether the desk was not sure what it is about; kept beside the triggers for the queues."""
    lacks_details: Mapped[bool] = mapped_column(default=False)
    """Whether a required field is missing."""
    rank: Mapped[int] = mapped_column(default=0)
    """``risk`` below zero: an index in one direction then gives the highest risk, oldest first."""
    assigned_to: Mapped[str | None] = mapped_column(ForeignKey("person.id"), index=True)
    run: Mapped[int] = mapped_column(default=1)
    """Number of its run; the thread is ``<id>:<run>``. A reopened contact starts the next."""
    pruned_run: Mapped[int] = mapped_column(default=0)
    """The checkpoints of its runs up to this one are gone."""
    brought_draft: Mapped[dict[str, Any] | None]
    """A draft that its run starts with instead of writing one: after an undo, for instance."""
    failure: Mapped[str] = mapped_column(Text, default="")
    """Why its run failed, in words for the person who looks at it."""
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    messages: Mapped[list[Message]] = relationship(
        order_by="Message.ordinal", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's declaration

    @property
    def thread(self) -> str:
        """Id of the LangGraph thread of the current run."""
        return f"{self.id}:{self.run}"


@event.listens_for(Contact, "before_insert")
@event.listens_for(Contact, "before_update")
def _keep_for_queues(_mapper: Mapper[Contact], _connection: Connection, contact: Contact) -> None:
    contact.rank = -(contact.risk or 0)
    fired = contact.triggers or []
    contact.low_confidence = any(trigger.get("id") == "low_confidence" for trigger in fired)


class ChatTurn(Base):
    """One thing that an agent or the assistant said about a contact."""

    __tablename__ = "chat_turn"
    __table_args__ = (Index("ix_chat_turn_contact", "contact_id", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contact.id"))
    review_id: Mapped[str | None] = mapped_column(String(40))
    """The review whose draft it is about; None where none waited."""
    by: Mapped[str] = mapped_column(String(60))
    """Id of the person, or ``desk`` for what the assistant said."""
    kind: Mapped[str] = mapped_column(String(20))
    """What was asked for: a ``graph.chat_requests.RequestKind``."""
    text: Mapped[str] = mapped_column(Text)
    draft: Mapped[dict[str, Any] | None]
    """A proposed draft, or an answer to the agent, with its citations."""
    report: Mapped[dict[str, Any] | None]
    """What the check holds against it."""
    status: Mapped[str] = mapped_column(String(10))
    """``said``, ``answer`` (for the agent), ``proposed``, ``used`` or ``discarded``."""
    at: Mapped[datetime]


class Message(Base):
    """One message of a contact."""

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("contact_id", "ordinal"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contact.id"))
    ordinal: Mapped[int]
    speaker: Mapped[Speaker] = mapped_column(String(12))
    text: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Review(Base):
    """One paused run that waits for a person."""

    __tablename__ = "review"
    __table_args__ = (
        Index("ix_review_queue", "status", "risk", "due_at", "id"),
        Index("ix_review_opened", "opened_at", "kind", "contact_id"),
        UniqueConstraint("thread", "interrupt_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contact.id"), index=True)
    thread: Mapped[str] = mapped_column(String(60))
    interrupt_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(10))
    """``answer``, ``clarify`` or ``abstain``: what the draft is."""
    status: Mapped[ReviewStatus] = mapped_column(String(12))
    tier: Mapped[str] = mapped_column(String(20))
    risk: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(String(80))
    state: Mapped[dict[str, Any]]
    """Draft, check, evidence, triage, classification and changes of the paused run."""
    allowed: Mapped[list[str]]
    """The decisions it admits."""
    stale: Mapped[list[Any]] = mapped_column(default=list)
    """What changed under it while it waited: ``EvidenceChange`` each, found when a sync brought it."""
    findings: Mapped[int] = mapped_column(default=0)
    changed: Mapped[bool] = mapped_column(default=False)
    """Whether its recheck or a sync found a change; kept beside them so that queues need no state."""
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    claimed_until: Mapped[datetime | None]
    decision: Mapped[dict[str, Any] | None]
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]


@event.listens_for(Review, "before_insert")
@event.listens_for(Review, "before_update")
def _keep_changed(_mapper: Mapper[Review], _connection: Connection, review: Review) -> None:
    review.changed = bool(review.stale or review.state.get("changes"))


class Delivery(Base):
    """An approved answer on its way out."""

    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_status_due", "status", "due_at"),
        Index("ix_delivery_status_id", "status", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    """Id of the decision that released it: one decision, one delivery."""
    contact_id: Mapped[str] = mapped_column(ForeignKey("contact.id"), index=True)
    review_id: Mapped[str | None] = mapped_column(ForeignKey("review.id"))
    status: Mapped[DeliveryStatus] = mapped_column(String(12))
    subject: Mapped[str] = mapped_column(String(500))
    recipient: Mapped[str] = mapped_column(String(320))
    text: Mapped[str] = mapped_column(Text)
    draft: Mapped[dict[str, Any]]
    approved_by: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    """When the undo window ends and it leaves; after a failed attempt, when it is tried again."""
    sent_at: Mapped[datetime | None]
    location: Mapped[str] = mapped_column(Text, default="")
    """Where the transport put it: for the embedded one, the path of the .eml file."""

    attempts: Mapped[list[DeliveryAttempt]] = relationship(order_by="DeliveryAttempt.at")


class DeliveryAttempt(Base):
    """One attempt to deliver."""

    __tablename__ = "delivery_attempt"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("delivery.id"), index=True)
    at: Mapped[datetime]
    error: Mapped[str] = mapped_column(Text, default="")


class Handoff(Base):
    """A contact that a person carries on, with its brief."""

    __tablename__ = "handoff"
    __table_args__ = (Index("ix_handoff_opened_at", "opened_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(100), unique=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contact.id"), index=True)
    team: Mapped[str | None] = mapped_column(String(200))
    brief: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime]


class ReasonCorrection(Base):
    """What a person said a contact is about, against what the desk took it for."""

    __tablename__ = "reason_correction"
    __table_args__ = (Index("ix_reason_correction_at", "at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contact.id"), index=True)
    text: Mapped[str] = mapped_column(Text)
    """The question that was classified; what is learned from."""
    reason: Mapped[str | None] = mapped_column(String(80))
    """What it is about; None for none of the map's reasons. It may have left the map since."""
    was: Mapped[str | None] = mapped_column(String(80))
    by: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    """When it was taken back. Rows are never deleted, so two counts tell whether to read anew."""


class SourceUse(Base):
    """One passage that a pending draft or an answer rests on; what makes a blast radius cheap."""

    __tablename__ = "source_use"
    __table_args__ = (
        UniqueConstraint("holder", "passage_id"),
        Index("ix_source_use_article_status", "article_id", "status"),
        Index("ix_source_use_passage", "passage_id"),
        Index("ix_source_use_contact", "contact_id"),
        Index("ix_source_use_status_stale", "status", "stale_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    holder: Mapped[str] = mapped_column(String(40))
    """Id of the review (a pending draft) or of the delivery (an answer)."""
    contact_id: Mapped[str] = mapped_column(String(40))
    article_id: Mapped[str] = mapped_column(String(512))
    version_id: Mapped[str] = mapped_column(String(40))
    passage_id: Mapped[str] = mapped_column(String(48))
    content_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(10))
    """``pending``: a review waits; ``answered``: it was approved and leaves or left; ``over``."""
    at: Mapped[datetime]
    stale_at: Mapped[datetime | None]
    """When a fact of the passage changed, or the passage left, after the holder relied on it."""


class SourceRewrite(Base):
    """A cited sentence that a person changed before it left."""

    __tablename__ = "source_rewrite"
    __table_args__ = (Index("ix_source_rewrite_article", "article_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[str] = mapped_column(ForeignKey("review.id"))
    article_id: Mapped[str] = mapped_column(String(512))
    passage_id: Mapped[str] = mapped_column(String(48))
    before: Mapped[str] = mapped_column(Text)
    """The sentence as it was drafted."""
    after: Mapped[str] = mapped_column(Text)
    """What the person wrote in its place; empty when it was struck out."""
    at: Mapped[datetime]


class SourceFlagRow(Base):
    """Something a content owner must look at, with its evidence and what became of it."""

    __tablename__ = "source_flag"
    __table_args__ = (Index("ix_source_flag_status_damage", "status", "damage", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    """Digest of the kind and of the evidence: the same finding is the same flag, for ever."""
    kind: Mapped[SourceFlagKind] = mapped_column(String(20))
    article_id: Mapped[str | None] = mapped_column(String(512), index=True)
    """The article; None for what no article says."""
    passage_id: Mapped[str | None] = mapped_column(String(48))
    other_article_id: Mapped[str | None] = mapped_column(String(512))
    """The other side of a conflict, or what supersedes it."""
    owner: Mapped[str | None] = mapped_column(String(256))
    title: Mapped[str] = mapped_column(Text)
    """One plain sentence."""
    evidence: Mapped[dict[str, Any]]
    """What the flag rests on; its keys depend on the kind."""
    damage: Mapped[float] = mapped_column(default=0.0)
    """Rank: answers that rest on it, times age, times tier."""
    uses: Mapped[int] = mapped_column(default=0)
    """How many answers and pending drafts rest on it."""
    status: Mapped[str] = mapped_column(String(10))
    """``open``, ``resolved`` or ``dismissed``."""
    opened_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(60))
    action: Mapped[str] = mapped_column(String(20), default="")
    """What ended it: ``verify``, ``edit``, ``supersede``, ``archive``, ``assign``, ``dismiss``; or
    ``gone`` when its ground went away by itself."""
    note: Mapped[str] = mapped_column(Text, default="")
    """Why it was dismissed, or what was done."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's declaration


class AuditEvent(Base):
    """One thing that happened. Rows are only ever added."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("ix_audit_event_contact", "contact_id", "id"),
        Index("ix_audit_event_actor_id", "actor", "id"),
        Index("ix_audit_event_seal_id", "seal_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str | None] = mapped_column(String(120), unique=True)
    """Set for events that a run may try to write twice."""
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60))
    """Id of the person, or ``desk`` for what the machine did. No foreign key: it outlives people."""
    event: Mapped[str] = mapped_column(String(60), index=True)
    contact_id: Mapped[str | None] = mapped_column(String(40))
    review_id: Mapped[str | None] = mapped_column(String(40))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seal_id: Mapped[int | None] = mapped_column(ForeignKey("audit_seal.id"))


class AuditSeal(Base):
    """A digest over the events that came since the seal before; see :mod:`desk.audit_seals`."""

    __tablename__ = "audit_seal"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    previous: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    events: Mapped[int]
