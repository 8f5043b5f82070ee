"""Reads the contacts that the triage suite runs on; keeps what they expect apart from what is run.

The fields of a file are documented in ``evals/README.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from core.errors import BadInput
from core.vocabulary import Tier
from desk.triage_file import ContactLine
from evals.files import note_id, read_rows, spread


class _Expected(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tier: Tier
    triggers: tuple[str, ...] = ()


class _Row(ContactLine):
    id: str = Field(min_length=1)
    expected: _Expected | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """What a careful supervisor says of a contact.

    Attributes:
        tier: What it needs.
        triggers: Why.
        note: In their words; may be empty.
    """

    tier: Tier
    triggers: frozenset[str] = frozenset()
    note: str = ""


@dataclass(frozen=True, slots=True)
class TriageCase:
    """One contact, and what is expected of it; None where the file does not say."""

    contact: ContactLine
    label: Label | None

    @property
    def id(self) -> str:
        """Unique among all files of a run."""
        return self.contact.id


def read_cases(*paths: Path, limit: int | None = None) -> list[TriageCase]:
    """Return the contacts of JSONL files.

    Args:
        paths: Files of one contact a line.
        limit: At most so many contacts of each file, spread evenly over it; None for all.

    Raises:
        BadInput: A file is missing, holds nothing, or a line is no contact; names file, line, field.
    """
    cases: list[TriageCase] = []
    seen: dict[str, str] = {}
    for path in paths:
        cases += spread(_read_file(path, seen), limit)
    return cases


def _read_file(path: Path, seen: dict[str, str]) -> list[TriageCase]:
    found: list[TriageCase] = []
    for where, row in read_rows(path, _Row):
        note_id(row.id, where, seen)
        if not any(one.role == "customer" and one.text.strip() for one in row.messages):
            raise BadInput(f"{where}: messages: the customer says nothing in them.")
        found.append(_case(row))
    if not found:
        raise BadInput(f"{path}: holds no contact; write one JSON object a line.")
    return found


def _case(row: _Row) -> TriageCase:
    fields = {name: getattr(row, name) for name in ContactLine.model_fields}
    contact = ContactLine.model_construct(**fields)
    if row.expected is None:
        return TriageCase(contact, None)
    return TriageCase(
        contact, Label(row.expected.tier, frozenset(row.expected.triggers), row.note.strip())
    )
