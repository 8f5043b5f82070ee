"""``operations.yaml`` of the workspace: how a team wants its desk to be worked.

Each part of the operating loop keeps its section here; a section or key that is absent has the
default said beside it. Unknown keys are errors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.yamlfile import load_yaml
from desk.rhythm_settings import RhythmSettings
from desk.sampling import Attention, Outcome
from graph.faults import FAULT_KINDS, FaultKind
from kb.workspace import Slug

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


class SeededSection(BaseModel):
    """Drafts with a known fault that are slipped into the review queue; none by default.

    Attributes:
        rate: How many of them for each review that opens, 0..0.2.
        kinds: Which faults: ``old_value``, ``wrong_value``, ``promise``, ``other_answer``.
        most_waiting: How many may wait at a time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rate: float = Field(0.0, ge=0, le=0.2)
    kinds: tuple[FaultKind, ...] = Field(FAULT_KINDS, min_length=1)
    most_waiting: int = Field(10, ge=1, le=1000)


class ScorecardItem(BaseModel):
    """One thing that a reader of the QA sample judges.

    Attributes:
        id: Its name in records and files.
        name: Its name on the screen.
        asks: What the reader asks themselves.
        critical: Whether an answer that fails it fails as a whole.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Slug
    name: str = Field(min_length=1, max_length=60)
    asks: str = Field("", max_length=300)
    critical: bool = True


_SCORECARD: Final = (
    ScorecardItem(
        id="accurate", name="Accurate", asks="Is everything it states true by its sources?"
    ),
    ScorecardItem(
        id="complete", name="Complete", asks="Does it answer all that the customer asked?"
    ),
    ScorecardItem(
        id="in_force", name="In force", asks="Did its sources apply on the day it was sent?"
    ),
    ScorecardItem(id="tone", name="Tone", asks="Is it polite, plain and fitting?", critical=False),
    ScorecardItem(
        id="next_step",
        name="Next step",
        asks="Does the customer know what to do, or what will be done?",
        critical=False,
    ),
)
_READ_MORE: Final[dict[Outcome, float]] = {"reopened": 2.0, "failed": 2.0, "autopilot": 2.0}


class QaSection(BaseModel):
    """The sample of ended contacts that people read.

    Attributes:
        size: Contacts a draw picks.
        days: Length of the period that a draw looks back on, when none is given.
        twice: Share of them that a second person reads, 0..1.
        weights: How a contact ended → how much more often it is read.
        high_risk: How much more often contacts that were not of the lowest tier are read.
        scorecard: What readers judge.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(60, ge=1, le=5000)
    days: int = Field(7, ge=1, le=366)
    twice: float = Field(0.2, ge=0, le=1)
    weights: dict[Outcome, Annotated[float, Field(ge=0.25, le=10)]] = Field(
        default_factory=lambda: dict(_READ_MORE)
    )
    high_risk: float = Field(1.5, ge=0.25, le=10)
    scorecard: tuple[ScorecardItem, ...] = Field(_SCORECARD, min_length=1, max_length=20)

    @model_validator(mode="after")
    def _usable(self) -> Self:
        ids = [item.id for item in self.scorecard]
        if twice := sorted({one for one in ids if ids.count(one) > 1}):
            raise ValueError(f"two items of the scorecard are called {twice[0]!r}")
        if not any(item.critical for item in self.scorecard):
            raise ValueError("the scorecard needs an item that is critical")
        return self

    @property
    def attention(self) -> Attention:
        """What a draw reads more often."""
        return Attention(self.weights, self.high_risk)


class OperationsFile(BaseModel):
    """The whole file.

    Attributes:
        time_zone: Where the team works, such as ``Europe/Berlin``: its days and weeks are those of
            the daily queue, the week, the metrics and the tasks.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(1, ge=1, le=1)
    time_zone: str = Field("UTC", max_length=40)
    autonomy: AutonomySection = Field(default_factory=AutonomySection)
    seeded: SeededSection = Field(default_factory=SeededSection)
    qa: QaSection = Field(default_factory=QaSection)
    rhythm: RhythmSettings = Field(default_factory=RhythmSettings)

    @field_validator("time_zone")
    @classmethod
    def _known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name!r} is no time zone such as Europe/Berlin") from None
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the team."""
        return ZoneInfo(self.time_zone)


def load_operations(path: Path) -> OperationsFile:
    """Return what ``path`` holds; the defaults where there is no such file.

    Raises:
        BadInput: It is no such file; the message names line and field.
    """
    if not path.exists():
        return OperationsFile()
    return load_yaml(path, OperationsFile)
