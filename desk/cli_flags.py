"""`proofdesk flags`: what content owners must look at, and ending it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Optional, cast

import typer

from core.errors import BadInput
from core.vocabulary import SourceFlagKind
from desk.cli_shared import As, Json, acting, opened_desk, print_json
from desk.flag_rules import FLAG_ACTIONS, FLAG_KINDS, FlagStatus

flags_app = typer.Typer(help="What content owners must look at.", no_args_is_help=True)

_MOST: int = 200


@flags_app.command("list")
def flags_list(
    kind: Annotated[Optional[str], typer.Option(help=f"One of {', '.join(FLAG_KINDS)}.")] = None,  # noqa: UP045
    owner: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help='Only what this person owns; "" for what nobody owns.'),
    ] = None,
    status: Annotated[str, typer.Option(help="open, resolved or dismissed.")] = "open",
    every: Annotated[
        bool, typer.Option("--all", help="A line for each flag, also where no answer uses it.")
    ] = False,
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """List flags, the one that does most damage first."""
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        desk.flags.freshen()
        wanted = cast("SourceFlagKind | None", kind)
        chosen: dict[str, Any] = {"kind": wanted, "owner": owner, "folded": every}
        lines = desk.flags.page(actor, **chosen, status=cast(FlagStatus, status), limit=_MOST)
        while every and len(lines) % _MOST == 0 and lines:
            more = desk.flags.page(
                actor, **chosen, status=cast(FlagStatus, status), limit=_MOST, after=lines[-1]
            )
            if not more:
                break
            lines += more
        hidden = kind or every or status != "open"
        folded = [] if hidden else desk.flags.folded(actor, owner=owner)
        found = {
            "flags": [asdict(line) for line in lines],
            "folded": [asdict(line) for line in folded],
        }
    if as_json:
        print_json(found)
    else:
        from desk.render_flags import flags_table

        flags_table(found)


@flags_app.command("show")
def flags_show(flag_id: str, as_person: As = None, as_json: Json = False) -> None:
    """Show one flag with its evidence and what may be done with it."""
    with opened_desk() as desk:
        found = asdict(desk.flags.get(acting(desk, as_person), flag_id))
    if as_json:
        print_json(found)
    else:
        from desk.render_flags import flag_report

        flag_report(found)


@flags_app.command("resolve")
def flags_resolve(
    flag_id: str,
    action: Annotated[str, typer.Option(help=f"One of {', '.join(FLAG_ACTIONS)}.")],
    reason: Annotated[str, typer.Option(help="Why; dismiss needs it.")] = "",
    owner: Annotated[str, typer.Option(help="Who answers for it; assign needs it.")] = "",
    by: Annotated[str, typer.Option(help="Article that replaces it; supersede needs it.")] = "",
    article: Annotated[str, typer.Option(help="Which of two articles is meant.")] = "",
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Do something with a flag. Exit code 1 when somebody was faster or it still stands."""
    if action not in FLAG_ACTIONS:
        raise BadInput(f"--action: {action!r} is none of {', '.join(FLAG_ACTIONS)}.")
    with opened_desk() as desk:
        detail = desk.flags.resolve(
            acting(desk, as_person),
            flag_id,
            action,
            reason=reason,
            owner=owner,
            by=by,
            article=article,
        )
    found = asdict(detail)
    if as_json:
        print_json(found)
    else:
        from desk.render_flags import flag_report

        flag_report(found)
