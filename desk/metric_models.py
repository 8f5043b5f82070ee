"""The tables of the metrics: sums by day that are computed from the audit trail, and themes."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base

ALL: Final = "*"
"""Stands for every reason, tier, channel or person; no reason has such an id."""
EVER: Final = ""
"""Stands for every day."""


class MetricSum(Base):
    """How often something happened on a day, and what its values add up to.

    One row for each slice that may be asked for, :data:`ALL` included: what a page shows is read
    and not added up from finer rows, so it costs by the days shown and not by the contacts.
    """

    __tablename__ = "metric_sum"
    __table_args__ = (
        Index("ix_metric_sum_day", "day"),
        # The rows of a slice lie side by side: what a page reads is a few stretches of one tree.
        {"sqlite_with_rowid": False},
    )

    reason: Mapped[str] = mapped_column(String(80), primary_key=True)
    tier: Mapped[str] = mapped_column(String(20), primary_key=True)
    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    person: Mapped[str] = mapped_column(String(60), primary_key=True)
    day: Mapped[str] = mapped_column(String(11), primary_key=True)
    """Such as ``2026-11-22``, in the zone of :class:`MetricMark`; ``W2026-11-16`` for the week from that Monday, which is kept
    where tier and channel are :data:`ALL`; or :data:`EVER`."""
    part: Mapped[str] = mapped_column(String(30), primary_key=True)
    """What happened: a ``desk.metric_facts.Part``."""
    count: Mapped[int]
    total: Mapped[float]


class MetricLengths(Base):
    """How often each length of time occurred, of the parts that take one; beside its sum."""

    __tablename__ = "metric_lengths"
    __table_args__ = (Index("ix_metric_lengths_day", "day"),)

    reason: Mapped[str] = mapped_column(String(80), primary_key=True)
    tier: Mapped[str] = mapped_column(String(20), primary_key=True)
    channel: Mapped[str] = mapped_column(String(10), primary_key=True)
    person: Mapped[str] = mapped_column(String(60), primary_key=True)
    day: Mapped[str] = mapped_column(String(11), primary_key=True)
    part: Mapped[str] = mapped_column(String(30), primary_key=True)
    lengths: Mapped[bytes] = mapped_column(LargeBinary)
    """See :mod:`desk.lengths`."""


class MetricMark(Base):
    """How far the audit trail is counted; one row."""

    __tablename__ = "metric_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int]
    """Everything up to this event is counted, and nothing after it."""
    zone: Mapped[str] = mapped_column(String(40), default="", server_default="")
    """The time zone of the days that it is counted by."""


class Complaint(Base):
    """A contact that complains, and the theme it belongs to."""

    __tablename__ = "complaint"
    __table_args__ = (
        Index("ix_complaint_theme_id", "theme_id"),
        Index("ix_complaint_day_theme", "day", "theme_id"),
    )

    contact_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    day: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(80))
    tier: Mapped[str] = mapped_column(String(20))
    channel: Mapped[str] = mapped_column(String(10))
    theme_id: Mapped[str | None] = mapped_column(String(40))
    """None until it was looked at."""


class ComplaintTheme(Base):
    """Complaints that are about the same."""

    __tablename__ = "complaint_theme"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    words: Mapped[list[str]]
    """What its complaints share, the most telling first."""
    centre: Mapped[bytes] = mapped_column(LargeBinary)
    """Sum of the vectors of its complaints, 32-bit floats."""
    count: Mapped[int]
    examples: Mapped[list[Any]]
    """The newest few: ``contact`` and ``text``."""
