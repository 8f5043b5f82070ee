"""Reads the edits that the stale suite runs on; keeps what probes see apart from the labels.

A probe gets a :class:`Case`, which has no field for a label: nothing that is measured can read what
it is measured against. The fields of a file are documented in ``evals/README.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from core.errors import BadInput
from evals.files import note_id, read_rows, spread

VALUE_KINDS: Final = ("number", "duration", "amount", "date")
"""Kinds of change in which a customer is told another figure."""


@dataclass(frozen=True, slots=True)
class Case:
    """One edit of one passage, as a probe sees it.

    Attributes:
        id: Unique in its file.
        corpus: The help center it comes from; ``""`` when the file does not say.
        article: Path of the article in its help center.
        title: The article's title; may be empty.
        section: The nearest heading; may be empty.
        date: Day of the edit, ISO 8601; may be empty.
        old_passage: The passage before, Markdown.
        new_passage: The passage after, Markdown.
        question: What a customer asks about it; ``""`` when the file has none.
        old_answer: What the older passage answers; may be empty.
        new_answer: What the newer passage answers; may be empty.
        old_article: The article before, as a file; None when the file names none.
        new_article: The article after.
    """

    id: str
    corpus: str
    article: str
    title: str
    section: str
    date: str
    old_passage: str
    new_passage: str
    question: str = ""
    old_answer: str = ""
    new_answer: str = ""
    old_article: Path | None = None
    new_article: Path | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """What an annotator says of an edit.

    Attributes:
        changed: Whether a customer has to be told something else now.
        kind: What changed, such as ``duration``; ``reword`` when nothing did.
    """

    changed: bool
    kind: str


@dataclass(frozen=True)
class Data:
    """The edits of one or more files, and the labels of those that have one."""

    cases: tuple[Case, ...]
    labels: Mapping[str, Label]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    id: str = Field(min_length=1)
    corpus: str = ""
    article: str = ""
    title: str = ""
    section: str = ""
    date: str = ""
    old_passage: str
    new_passage: str
    question: str = ""
    old_answer: str = ""
    new_answer: str = ""
    old_article: str | None = None
    new_article: str | None = None
    changed: bool | None = None
    kind: str = ""


def read_data(paths: Sequence[Path], limit: int | None = None) -> Data:
    """Return the edits of JSONL files, and their labels apart from them.

    Args:
        paths: Files of one edit a line, or folders that hold a ``pairs.jsonl``.
        limit: At most so many edits of each file, spread evenly over it; None for all.

    Raises:
        BadInput: A file is missing, holds nothing, or a line is no edit; names file, line and field.
    """
    cases: list[Case] = []
    labels: dict[str, Label] = {}
    seen: dict[str, str] = {}
    for given in paths:
        path = given / "pairs.jsonl" if given.is_dir() else given
        found = spread(_read_file(path, seen), limit)
        for case, label in found:
            cases.append(case)
            if label is not None:
                labels[case.id] = label
    return Data(tuple(cases), labels)


def _read_file(path: Path, seen: dict[str, str]) -> list[tuple[Case, Label | None]]:
    rows: list[tuple[Case, Label | None]] = []
    for where, row in read_rows(path, _Row):
        note_id(row.id, where, seen)
        rows.append(_case(path, where, row))
    if not rows:
        raise BadInput(f"{path}: holds no edit; write one JSON object a line.")
    return rows


def _case(path: Path, where: str, row: _Row) -> tuple[Case, Label | None]:
    if not (row.old_passage.strip() or row.new_passage.strip()):
        raise BadInput(f"{where}: old_passage: both passages are empty; one must hold words.")
    if (row.old_article is None) != (row.new_article is None):
        missing = "old_article" if row.old_article is None else "new_article"
        raise BadInput(f"{where}: {missing}: name both articles or neither.")
    case = Case(
        id=row.id,
        corpus=row.corpus,
        article=row.article or row.new_article or row.id,
        title=row.title,
        section=row.section,
        date=row.date,
        old_passage=row.old_passage,
        new_passage=row.new_passage,
        question=row.question.strip(),
        old_answer=row.old_answer.strip(),
        new_answer=row.new_answer.strip(),
        old_article=_article(path, where, "old_article", row.old_article),
        new_article=_article(path, where, "new_article", row.new_article),
    )
    if row.changed is None:
        return case, None
    return case, Label(row.changed, row.kind or ("changed" if row.changed else "reword"))


def _article(path: Path, where: str, field: str, name: str | None) -> Path | None:
    if name is None:
        return None
    parts = PurePosixPath(name)
    if parts.is_absolute() or ".." in parts.parts:
        raise BadInput(f"{where}: {field}: {name!r} must be a path below {path.parent}.")
    found = path.parent / parts
    if not found.is_file():
        raise BadInput(f"{where}: {field}: there is no file {found}.")
    return found
