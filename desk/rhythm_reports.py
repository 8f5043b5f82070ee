"""Writes the reports of the week as files."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from core.errors import BadInput
from core.identifiers import new_id
from desk.rhythm_render import Document, as_html, as_markdown
from desk.rhythm_rules import DAYS

REPORTS: Final = "reports"
"""Folder of the reports below the home."""


_FROM_HOUR: Final = 5


def is_due(at: datetime) -> bool:
    """Return whether the report of the day may be written: from early on every weekday. Pure.

    Args:
        at: The moment, in the time zone of the team.
    """
    return at.weekday() < len(DAYS) and at.hour >= _FROM_HOUR


def report_files(folder: Path, at: datetime) -> tuple[Path, Path]:
    """Return where the report of a day is kept, as Markdown and as HTML: one of each a day."""
    year, week, _ = at.isocalendar()
    day = min(at.weekday(), len(DAYS) - 1)
    stem = f"{year}-W{week:02d}-{day + 1}-{DAYS[day]}"
    return folder / f"{stem}.md", folder / f"{stem}.html"


def write_report(folder: Path, at: datetime, document: Document) -> tuple[Path, Path]:
    """Write the report of a day in both forms; return where.

    Raises:
        BadInput: A file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{folder}: cannot be made: {error.strerror}.") from None
    markdown, page = report_files(folder, at)
    write_whole(markdown, as_markdown(document))
    write_whole(page, as_html(document))
    return markdown, page


def write_whole(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        BadInput: It cannot be written.
    """
    half = path.with_name(f".{path.name}.{new_id('part')}")  # two may write it at once
    try:
        half.write_text(text, encoding="utf-8")
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise BadInput(f"{path}: cannot be written: {error.strerror}.") from None
