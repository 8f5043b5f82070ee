"""Reads the edits that the stale suite runs on; keeps what probes see apart from the labels.

A probe gets a :class:`Case`, which has no field for a label: nothing that is measured can read what
it is measured against. The fields of a file are documented in ``evals/README.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import BadInput

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
        found = _spread(_read_file(path, seen), limit)
        for case, label in found:
            cases.append(case)
            if label is not None:
                labels[case.id] = label
    return Data(tuple(cases), labels)


def _spread(
    rows: list[tuple[Case, Label | None]], limit: int | None
) -> list[tuple[Case, Label | None]]:
    if limit is None or limit >= len(rows):
        return rows
    return [rows[at * len(rows) // limit] for at in range(limit)]


def _read_file(path: Path, seen: dict[str, str]) -> list[tuple[Case, Label | None]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise BadInput(f"{path}: is a folder, not a file.") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    rows: list[tuple[Case, Label | None]] = []
    # Only \n ends a line: a passage may hold a line separator of Unicode.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        case, label = _case(path, where, line)
        if case.id in seen:
            raise BadInput(
                f"{where}: id: {case.id!r} stands at {seen[case.id]} too; ids must be unique."
            )
        seen[case.id] = where
        rows.append((case, label))
    if not rows:
        raise BadInput(f"{path}: holds no edit; write one JSON object a line.")
    return rows


def _case(path: Path, where: str, line: str) -> tuple[Case, Label | None]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"{where}: not valid JSON: {error.msg}.") from None
    if isinstance(value, dict):
        # A field that is null says as little as one that is not there.
        value = {key: given for key, given in value.items() if given is not None}
        for field, given in value.items():
            if isinstance(given, str) and not _is_text(given):
                raise BadInput(f"{where}: {field}: holds half a character (a lone surrogate).")
    try:
        row = _Row.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        raise BadInput(f"{where}: {field}: {first['msg']}.") from None
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


def _is_text(words: str) -> bool:
    try:
        words.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


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
