"""The tables of the supervisor's week: tasks, and what each day goes through."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from desk.task_rules import TaskKind, TaskState


class Task(Base):
    """One thing that somebody must change so that reviewers need not say it again."""

    __tablename__ = "desk_task"
    __table_args__ = (
        UniqueConstraint("key", "round"),
        Index("ix_desk_task_state_id", "state", "id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(600))
    """What makes it this task and no other, such as ``wrong_source:<article>``."""
    round: Mapped[int] = mapped_column(default=1)
    """How often a task of this key was raised: what comes back after it was done is a new row."""
    kind: Mapped[TaskKind] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(Text)
    """One plain sentence, without a customer's words."""
    owner: Mapped[str] = mapped_column(String(256))
    """Name or id of a person, a team, or a role; an id where somebody gave it to a person."""
    evidence: Mapped[dict[str, Any]]
    """Ids and figures; see :mod:`desk.task_rules`."""
    state: Mapped[TaskState] = mapped_column(String(12))
    raised_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    due_on: Mapped[date | None]
    """The last day, where the team works, on which it is in time; None where nobody said."""
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(60))
    """Id of the person, or ``desk`` when the work itself closed it."""
    cause: Mapped[str] = mapped_column(Text, default="")
    """What closed it, or why it was dismissed."""
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's declaration


class RhythmItem(Base):
    """One thing that a day of a week goes through, and whether it was."""

    __tablename__ = "rhythm_item"
    __table_args__ = (UniqueConstraint("week", "day", "subject", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    week: Mapped[date]
    """The Monday of its week."""
    day: Mapped[str] = mapped_column(String(10))
    subject: Mapped[str] = mapped_column(String(10))
    """What it is: ``flag``, ``review``, ``contact``, ``article`` or ``reason``."""
    subject_id: Mapped[str] = mapped_column(String(512))
    why: Mapped[str] = mapped_column(String(40))
    """Why the day lists it; a code that the day's rule knows."""
    figures: Mapped[dict[str, Any]]
    """What it was listed for, as ids and figures."""
    place: Mapped[int] = mapped_column(default=0)
    """Its place in the day's order when it was listed."""
    listed_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None] = mapped_column(String(60))
    """Id of the person who ticked it off, or ``desk`` when its ground was gone."""
    cause: Mapped[str] = mapped_column(Text, default="")
    """Why the desk holds it done."""
