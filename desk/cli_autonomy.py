"""`proofdesk autonomy`: which contact reasons have earned what, signing, locking, stopping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from desk.cli_shared import As, Json, acting, opened_desk, print_json

if TYPE_CHECKING:
    from desk.autonomy import Autonomy
    from desk.permissions import Actor

autonomy_app = typer.Typer(
    help="What contact reasons may do without a person.", no_args_is_help=True
)
Why = Annotated[str, typer.Option("--why", help="Why, in a sentence.")]
ReasonId = Annotated[str, typer.Argument(help="Id of the contact reason.")]


@autonomy_app.command("list")
def autonomy_list(as_person: As = None, as_json: Json = False) -> None:
    """List every contact reason: what can be acted on first, and what each lacks."""
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        found = {
            "switch": asdict(desk.autonomy.switch()),
            "reasons": [
                asdict(line) | {"eligible": line.standing.eligible}
                for line in desk.autonomy.lines(actor)
            ],
        }
    if as_json:
        print_json(found)
    else:
        from desk.render_autonomy import autonomy_table

        autonomy_table(found)


@autonomy_app.command("sign")
def autonomy_sign(reason: ReasonId, as_person: As = None, as_json: Json = False) -> None:
    """Let a reason that has earned it answer without a person. Exit code 1 when it has not."""
    _change(reason, as_person, as_json, lambda service, actor: service.sign(actor, reason))


@autonomy_app.command("return")
def autonomy_return(
    reason: ReasonId, why: Why, as_person: As = None, as_json: Json = False
) -> None:
    """Take a reason off autopilot; its evidence begins anew."""
    _change(
        reason,
        as_person,
        as_json,
        lambda service, actor: service.return_to_review(actor, reason, why),
    )


@autonomy_app.command("lock")
def autonomy_lock(reason: ReasonId, why: Why, as_person: As = None, as_json: Json = False) -> None:
    """Lock a reason: it earns nothing until an admin unlocks it."""
    _change(reason, as_person, as_json, lambda service, actor: service.lock(actor, reason, why))


@autonomy_app.command("unlock")
def autonomy_unlock(
    reason: ReasonId, why: Why, as_person: As = None, as_json: Json = False
) -> None:
    """Unlock a reason, whoever or whatever locked it; only an admin may."""
    _change(reason, as_person, as_json, lambda service, actor: service.unlock(actor, reason, why))


@autonomy_app.command("stop")
def autonomy_stop(
    why: Annotated[str, typer.Option("--why", help="Why; may be left out.")] = "",
    as_person: As = None,
) -> None:
    """Stop autopilot for everything; what has not left goes before a person."""
    with opened_desk() as desk:
        desk.autonomy.stop(acting(desk, as_person), why)
    typer.echo("Autopilot is stopped for everything.")


@autonomy_app.command("resume")
def autonomy_resume(why: Why, as_person: As = None) -> None:
    """Let autopilot run again."""
    with opened_desk() as desk:
        desk.autonomy.resume(acting(desk, as_person), why)
    typer.echo("Autopilot runs again.")


@autonomy_app.command("wrong")
def autonomy_wrong(
    contact: Annotated[str, typer.Argument(help="Id of the contact.")],
    why: Why,
    as_person: As = None,
) -> None:
    """Say that the last answer of a contact was wrong; its reason leaves autopilot at once."""
    with opened_desk() as desk:
        desk.autonomy.mark_wrong(acting(desk, as_person), contact, why)
    typer.echo("It is noted.")


def _change(
    reason: str,
    as_person: str | None,
    as_json: bool,
    change: Callable[[Autonomy, Actor], None],
) -> None:
    """Change where a reason stands, and print where that is."""
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        change(desk.autonomy, actor)
        line = desk.autonomy.line(actor, reason)
    if as_json:
        print_json(asdict(line))
    else:
        typer.echo(f"{line.name}: {line.state}. {line.cause}".strip())
