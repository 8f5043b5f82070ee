"""The tables of the QA sample and of seeded checks."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

SEEDED: Final = "seeded"
"""Origin of a contact that no customer began. Nothing that counts contacts counts these."""


class QaDraw(Base):
    """One sample of the contacts that ended in a period, with all that repeats it."""

    __tablename__ = "qa_draw"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(40))
    """Id of the person who drew it."""
    seed: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[datetime]
    until: Mapped[datetime]
    """The first moment after the period."""
    cells: Mapped[list[Any]]
    """One a stratum: outcome, risk, contacts in it, how many were picked, contacts by reason."""


class QaPick(Base):
    """One contact of a draw."""

    __tablename__ = "qa_pick"
    __table_args__ = (UniqueConstraint("draw_id", "contact_id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    draw_id: Mapped[str] = mapped_column(ForeignKey("qa_draw.id"))
    contact_id: Mapped[str] = mapped_column(ForeignKey("contact.id"))
    review_id: Mapped[str | None] = mapped_column(ForeignKey("review.id"))
    """The last review that was decided; None where there was none."""
    place: Mapped[int]
    """Reading order, at random: what was read so far is a sample, too."""
    outcome: Mapped[str] = mapped_column(String(20))
    risk: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str | None] = mapped_column(String(80))
    probability: Mapped[float]
    """Probability of being picked, 0..1."""
    twice: Mapped[bool]
    """Whether a second person reads it, too."""
    decided_by: Mapped[str | None] = mapped_column(String(40))
    own_words: Mapped[bool]
    """Whether what left was the desk's draft as it stood, which tells of the reason's drafts."""


class QaScore(Base):
    """What one reader said of one pick."""

    __tablename__ = "qa_score"
    __table_args__ = (
        UniqueConstraint("pick_id", "ordinal"),
        UniqueConstraint("pick_id", "reader"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    pick_id: Mapped[str] = mapped_column(ForeignKey("qa_pick.id"))
    ordinal: Mapped[int]
    """1 for the first reading, 2 for the second."""
    reader: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    marks: Mapped[dict[str, Any]]
    """Item of the scorecard → ``pass``, ``fail`` or ``not_applicable``."""
    notes: Mapped[dict[str, Any]]
    """Item of the scorecard → the reader's words."""
    passed: Mapped[bool]


class SeededCheck(Base):
    """A draft with a fault on purpose that waits, or waited, among the others."""

    __tablename__ = "seeded_check"
    __table_args__ = (
        Index("ix_seeded_check_resolved_at", "resolved_at"),
        Index("ix_seeded_check_resolved_by", "resolved_by", "resolved_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    contact_id: Mapped[str] = mapped_column(ForeignKey("contact.id"), unique=True)
    review_id: Mapped[str] = mapped_column(ForeignKey("review.id"), unique=True)
    source_contact_id: Mapped[str] = mapped_column(String(40), index=True)
    """The contact whose question and draft it copies."""
    reason: Mapped[str | None] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    """The fault: a ``graph.faults.FaultKind``."""
    sentence: Mapped[int]
    """Place of the faulty sentence in the draft, from 0."""
    before: Mapped[str] = mapped_column(Text)
    """The sentence as it was; empty where the whole sentence is the fault."""
    after: Mapped[str] = mapped_column(Text)
    marked: Mapped[bool]
    """Whether the check marks the fault: then it tests whether findings are heeded, else reading."""
    placed_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str | None] = mapped_column(String(40))
    decision: Mapped[str] = mapped_column(String(10), default="")
    outcome: Mapped[str] = mapped_column(String(10), default="")
    """``caught``, ``missed``, or ``withdrawn`` when it ended in neither."""
    dwell_seconds: Mapped[float | None]
    """From when its decider last took it up to the decision; None when they never did."""


class SeededLook(Base):
    """How far seeded checks have been placed: one row."""

    __tablename__ = "seeded_look"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    """Reviews opened up to then have been counted."""
    owed: Mapped[float]
    """Checks that are due but not placed yet, in parts of one."""
