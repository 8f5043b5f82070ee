"""The tables of earned autonomy."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from core.vocabulary import Autonomy


class AutonomyEvidence(Base):
    """One thing that tells how well a contact reason, or who reviews it, does. Only ever added."""

    __tablename__ = "autonomy_evidence"
    __table_args__ = (
        Index("ix_autonomy_evidence_reason", "reason", "round", "id"),
        Index("ix_autonomy_evidence_person", "person_id", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(160), unique=True)
    """What happened, in a form that is the same when it is noted twice."""
    reason: Mapped[str | None] = mapped_column(String(80))
    """The contact reason; None where only the reviewer is told of."""
    round: Mapped[int]
    """The reason's round when it was noted: after a demotion evidence begins anew."""
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(16))
    """A ``desk.autonomy_evidence.EvidenceKind``."""
    loss: Mapped[float]
    """0 for an answer that was good as it was, 1 for one that was wrong."""
    review_id: Mapped[str | None] = mapped_column(String(40))
    contact_id: Mapped[str | None] = mapped_column(String(40))
    person_id: Mapped[str | None] = mapped_column(String(40))
    """Who decided the review."""


class ReasonAutonomy(Base):
    """Where a contact reason stands. Whoever changes it, or lets an answer go by it, holds the row."""

    __tablename__ = "reason_autonomy"

    reason: Mapped[str] = mapped_column(String(80), primary_key=True)
    state: Mapped[Autonomy] = mapped_column(String(12))
    """As people and evidence have it; the tier and the map may lock it in spite of that."""
    round: Mapped[int] = mapped_column(default=1)
    since: Mapped[datetime]
    """When it came to this state."""
    round_since: Mapped[datetime]
    """When its evidence began anew."""
    by: Mapped[str] = mapped_column(String(40))
    """Who put it there: a person, or ``desk``."""
    cause: Mapped[str] = mapped_column(Text, default="")
    """Why, in one sentence."""
    rules: Mapped[str] = mapped_column(String(64), default="")
    """What its evidence, or its signature, is about, as ``desk.autopilot.Rulebook`` names it."""
    confidence: Mapped[float | None]
    """Mean confidence of its contacts when it was signed."""
    e_value: Mapped[float] = mapped_column(default=1.0)
    """As of the last look; of a reason on autopilot, as it was signed."""
    answers: Mapped[int] = mapped_column(default=0)
    loss: Mapped[float] = mapped_column(default=0.0)
    """Sum of the losses of ``answers``."""
    standing: Mapped[dict[str, Any] | None]
    """What the last look found, for the pages."""
    looked_at: Mapped[datetime | None]
    """When its evidence was last looked at; None when something came since."""
    unlocked_by: Mapped[str | None] = mapped_column(String(40))
    """The admin who unlocked it last."""
    unlocked: Mapped[str] = mapped_column(String(20), default="", server_default="")
    """Which locks that opened, of ``desk.autopilot.locks_of``: one that comes later is another."""


class AutopilotSwitch(Base):
    """The one switch that stops autopilot for everything; one row, on while there is none."""

    __tablename__ = "autopilot_switch"

    id: Mapped[int] = mapped_column(primary_key=True)
    on: Mapped[bool]
    by: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    why: Mapped[str] = mapped_column(Text, default="")


class AutopilotApproval(Base):
    """An answer that autopilot released, and what it rested on; its id is the delivery's key."""

    __tablename__ = "autopilot_approval"
    __table_args__ = (Index("ix_autopilot_approval_reason_at", "reason", "at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    contact_id: Mapped[str] = mapped_column(String(40), index=True)
    thread: Mapped[str] = mapped_column(String(60))
    reason: Mapped[str] = mapped_column(String(80))
    round: Mapped[int]
    tier: Mapped[str] = mapped_column(String(20))
    confidence: Mapped[float]
    e_value: Mapped[float]
    evidence: Mapped[dict[str, Any]]
    """A ``graph.values.Evidence``."""
    at: Mapped[datetime]
