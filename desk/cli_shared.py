"""What every command of the command line needs: a desk, somebody who acts, JSON, progress."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from core.errors import BadInput
from core.settings import Settings

if TYPE_CHECKING:
    from desk.bootstrap import Desk
    from desk.permissions import Actor

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
As = Annotated[
    Optional[str],  # noqa: UP045 - Typer reads this annotation at run time
    typer.Option("--as", help="Act as this person (id or e-mail). Default: the admin."),
]


def read_settings() -> Settings:
    """Return the settings of this machine. Raises BadInput."""
    from pydantic import ValidationError

    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise BadInput(f"PROOFDESK_{name}: {first['msg']}.") from None


@contextmanager
def opened_desk() -> Iterator[Desk]:
    """Open the desk of this machine; a fresh home gets the sample workspace unless one is named."""
    from desk.bootstrap import opened
    from desk.sample import ensure_workspace

    settings = read_settings()
    ensure_workspace(settings)
    with opened(settings) as desk:
        yield desk


def acting(desk: Desk, person: str | None) -> Actor:
    """Return the person of this id or address; the admin when none is named."""
    from desk.sample import ensure_people

    return desk.people.get(person) if person else ensure_people(desk)["admin"]


def read_day(option: str, text: str) -> date:
    """Return a day that somebody typed. Raises BadInput."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{option}: {text!r} is no day such as 2026-11-01.") from None


def print_json(value: object) -> None:
    """Print ``value`` as JSON for programs."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


@contextmanager
def progress(quiet: bool = False, *, spoken: bool = False) -> Iterator[Any]:
    """Yield a function ``(what, done, total)`` that draws a progress bar on stderr.

    Args:
        quiet: Draw nothing.
        spoken: Where stderr is no terminal, name there what is begun: it takes a while.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as bar:
        tasks: dict[str, Any] = {}

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
                if spoken and bar.disable:
                    typer.echo(f"{what} …", err=True)
            bar.update(tasks[what], completed=done, total=total)

        yield report
