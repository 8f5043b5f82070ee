"""What a probe of the stale suite found on one edit, and the file that holds such verdicts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput

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
    """

    id: str
    probe: str
    flagged: bool
    score: float
    why: str
    seconds: float
    draft: str | None = None
    cited: tuple[str, ...] | None = None

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


def write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Write one verdict a line; the file appears whole or not at all."""
    lines = [json.dumps(verdict.as_json(), ensure_ascii=False) for verdict in verdicts]
    write_whole(path, "".join(f"{line}\n" for line in lines))


def write_whole(path: Path, text: str) -> None:
    """Write ``text`` so that no reader ever finds half of it.

    Raises:
        BadInput: The folder cannot be written.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}.") from None


def read_verdicts(path: Path) -> list[Verdict]:
    """Return the verdicts of a file, or of a run's folder.

    Raises:
        BadInput: The file is missing or a line is no verdict; names file, line and field.
    """
    file = path / "verdicts.jsonl" if path.is_dir() else path
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BadInput(f"{file}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    found: list[Verdict] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _Line.model_validate_json(line)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"]) or "the line"
            raise BadInput(f"{file}:{number}: {field}: {first['msg']}.") from None
        cited = None if row.cited is None else tuple(row.cited)
        found.append(
            Verdict(
                row.id, row.probe, row.flagged, row.score, row.why, row.seconds, row.draft, cited
            )
        )
    if not found:
        raise BadInput(f"{file}: holds no verdict.")
    return found


def only_probes(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts of the six probes, without other regimes and baselines."""
    return [verdict for verdict in verdicts if verdict.probe in PROBES]
