"""Reads and writes the files of suites: cases and verdicts, one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.errors import BadInput

Row = TypeVar("Row", bound=BaseModel)
Item = TypeVar("Item")


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        BadInput: There is no such file, or it is not text.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise BadInput(f"{path}: is a folder, not a file.") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}.") from None


def read_rows(path: Path, form: type[Row]) -> Iterator[tuple[str, Row]]:
    """Yield ``file:line`` and the row of each line that is not blank.

    A field that is null says as little as one that is not there.

    Raises:
        BadInput: The file cannot be read or a line does not fit; names file, line and field.
    """
    # Only \n ends a line: a text may hold a line separator of Unicode.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            where = f"{path}:{number}"
            yield where, _row(where, line, form)


def _row(where: str, line: str, form: type[Row]) -> Row:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise BadInput(f"{where}: not valid JSON: {error.msg}.") from None
    except RecursionError:
        raise BadInput(f"{where}: not valid JSON: nested too deep.") from None
    if isinstance(value, dict):
        value = {key: given for key, given in value.items() if given is not None}
        for field, given in value.items():
            if not _is_text(given):
                raise BadInput(f"{where}: {field}: holds half a character (a lone surrogate).")
    try:
        return form.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the line"
        raise BadInput(f"{where}: {field}: {first['msg']}.") from None


def _is_text(value: Any) -> bool:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            return False
    elif isinstance(value, list):
        return all(map(_is_text, value))
    elif isinstance(value, dict):
        return all(map(_is_text, value.values()))
    return True


def note_id(name: str, where: str, seen: dict[str, str]) -> None:
    """Keep in ``seen`` that the id ``name`` stands at ``where``.

    Raises:
        BadInput: It stands somewhere else already.
    """
    if name in seen:
        raise BadInput(f"{where}: id: {name!r} stands at {seen[name]} too; ids must be unique.")
    seen[name] = where


def spread(rows: list[Item], limit: int | None) -> list[Item]:
    """Return ``limit`` of ``rows``, spread evenly over them; all where there are no more."""
    if limit is None or limit >= len(rows):
        return rows
    return [rows[at * len(rows) // limit] for at in range(limit)]


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


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line; the file appears whole or not at all."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    write_whole(path, "".join(f"{line}\n" for line in lines))
