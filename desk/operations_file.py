"""``operations.yaml`` of the workspace: how a team wants its desk to be worked.

Each part of the operating loop keeps its section here; a section or key that is absent has the
default said beside it. Unknown keys are errors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from core.yamlfile import load_yaml
from desk.rhythm_settings import RhythmSettings

Share = Annotated[float, Field(gt=0, lt=1)]


class AutonomySection(BaseModel):
    """What a contact reason must show before it may answer by itself.

    Attributes:
        error_limit: Mean loss of an answer that a reason must be shown to stay below.
        limits: Contact reason → its own limit.
        error_of_test: How often a reason at exactly the limit may be proposed, however often the
            evidence is looked at.
        least_answers: Reviewed answers without which no reason is proposed.
        settle_hours: How long a good answer waits before it counts: its customer may come back.
        least_confidence: How sure the desk must be what a contact is about to answer by itself.
        confidence_drift: By how much the mean confidence may sink before a reason returns to review.
        seeded_miss_limit: Share of seeded checks that those who approve must be shown to miss less of.
        seeded_each: Seeded checks that a person must have met before their approvals count.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    error_limit: Share = 0.05
    limits: dict[str, Share] = Field(default_factory=dict)
    error_of_test: Share = 0.05
    least_answers: int = Field(30, ge=1)
    settle_hours: float = Field(24, ge=0)
    least_confidence: float = Field(0.7, ge=0, le=1)
    confidence_drift: Share = 0.1
    seeded_miss_limit: Share = 0.25
    seeded_each: int = Field(3, ge=1)

    def limit_of(self, reason: str) -> float:
        """Return the limit of one contact reason."""
        return self.limits.get(reason, self.error_limit)


class OperationsFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(1, ge=1, le=1)
    autonomy: AutonomySection = Field(default_factory=AutonomySection)
    rhythm: RhythmSettings = Field(default_factory=RhythmSettings)


def load_operations(path: Path) -> OperationsFile:
    """Return what ``path`` holds; the defaults where there is no such file.

    Raises:
        BadInput: It is no such file; the message names line and field.
    """
    if not path.exists():
        return OperationsFile()
    return load_yaml(path, OperationsFile)
