"""What a team sets about its week: the section ``rhythm`` of ``operations.yaml``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RhythmSettings(BaseModel):
    """From when on something that reviewers and agents say becomes a task.

    Attributes:
        window_days: What is said again within so many days counts together.
        repeats: So many rejects of one kind on one article or contact reason raise a task.
        corrections: So many corrections of contact reasons in one direction raise a task.
        gap_contacts: So many contacts that no source answers, on one theme, raise a task.
        quiet_weeks: A task whose cause was not seen again for so long, though drafts of its kind
            were decided, closes by itself.
        due_days: A task is to be done so many days after it was raised.
        ageing_days: An open contact that is older stands in the daily queue.
        items: How many things a day of the week lists at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_days: int = Field(7, ge=1, le=28)
    repeats: int = Field(3, ge=2, le=100)
    corrections: int = Field(3, ge=2, le=100)
    gap_contacts: int = Field(3, ge=2, le=100)
    quiet_weeks: int = Field(3, ge=1, le=26)
    due_days: int = Field(14, ge=1, le=90)
    ageing_days: int = Field(3, ge=1, le=90)
    items: int = Field(20, ge=1, le=100)
