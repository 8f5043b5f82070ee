"""What a probe of the stale suite found on one edit, and the file that holds such verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from evals import runs

Probe = Literal["diff", "draft_old", "draft_new", "approve", "twins", "ask"]
PROBES: Final[tuple[Probe, ...]] = get_args(Probe)
EXTRA_PROBES: Final = (
    "draft_old_with_history",
    "draft_new_with_history",
    "text_differs",
    "token_rule",
    "plain_rag",
)
"""What is run beside the probes for the report only: another regime, and the baselines."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one probe found on one edit.

    Attributes:
        id: Id of the edit.
        probe: A :data:`Probe`, or one of :data:`EXTRA_PROBES`.
        flagged: Whether the product (or the baseline) holds something against it.
        score: How sure it is that something changed, 0..1.
        why: One plain sentence.
        seconds: How long this edit took.
        draft: Probes that ask: the text of the draft, ``""`` when there is none.
        cited: Probes that ask: the texts of the cited passages, white space folded.
        findings: ``ask``: what the check holds against the draft, in the words the reviewer reads.
    """

    id: str
    probe: str
    flagged: bool
    score: float
    why: str
    seconds: float
    draft: str | None = None
    cited: tuple[str, ...] | None = None
    findings: tuple[str, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as a line of a verdict file."""
        line: dict[str, Any] = {
            "id": self.id,
            "probe": self.probe,
            "flagged": self.flagged,
            "score": round(self.score, 6),
            "why": self.why,
            "seconds": round(self.seconds, 4),
        }
        if self.draft is not None:
            line |= {"draft": self.draft, "cited": list(self.cited or ())}
        if self.findings is not None:
            line["findings"] = list(self.findings)
        return line


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    id: str = Field(min_length=1)
    probe: str
    flagged: bool
    score: float = Field(ge=0, le=1)
    why: str = ""
    seconds: float = 0.0
    draft: str | None = None
    cited: list[str] | None = None
    findings: list[str] | None = None


def read_verdicts(path: Path) -> list[Verdict]:
    """Return the verdicts of a file, or of a run's folder.

    Raises:
        BadInput: The file is missing or a line is no verdict; names file, line and field.
    """
    return runs.read_verdicts(path, _Line, _verdict)


def _verdict(row: _Line) -> Verdict:
    return Verdict(
        id=row.id,
        probe=row.probe,
        flagged=row.flagged,
        score=row.score,
        why=row.why,
        seconds=row.seconds,
        draft=row.draft,
        cited=None if row.cited is None else tuple(row.cited),
        findings=None if row.findings is None else tuple(row.findings),
    )


def only_probes(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts of the six probes, without other regimes and baselines."""
    return [verdict for verdict in verdicts if verdict.probe in PROBES]
