"""What every command of the command line needs: a desk, somebody who acts, JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Optional

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


def print_json(value: object) -> None:
    """Print ``value`` as JSON for programs."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))
