"""`proofdesk outbox`: answers that could not be sent, and sending them again."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Optional

import typer

from core.errors import BadInput, Conflict
from desk.cli_shared import As, Json, acting, opened_desk, print_json

outbox_app = typer.Typer(help="Answers that could not be sent.", no_args_is_help=True)


@outbox_app.command("list")
def outbox_list(as_person: As = None, as_json: Json = False) -> None:
    """List the approved answers that were given up, newest first, with the cause."""
    with opened_desk() as desk:
        found: list[dict[str, Any]] = [
            asdict(one) for one in desk.deliveries.set_aside(acting(desk, as_person))
        ]
    if as_json:
        print_json(found)
        return
    for one in found:
        typer.echo(f"{one['id']}  contact {one['contact_id']}  {one['attempts']} attempts")
        typer.echo(f"  {one['error']}")
    if not found:
        typer.echo("Every approved answer has left or is on its way.")


@outbox_app.command("send-again")
def outbox_send_again(
    delivery_id: Annotated[Optional[str], typer.Argument(help="The delivery.")] = None,  # noqa: UP045
    every: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Have an answer that was given up tried again, as often as at first."""
    if every == bool(delivery_id):
        raise BadInput("outbox send-again: name one delivery, or all of them by --all.")
    sent: list[str] = []
    left: list[str] = []
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        if delivery_id:
            desk.deliveries.send_again(actor, delivery_id)
            sent.append(delivery_id)
        for one in desk.deliveries.set_aside(actor) if every else ():
            try:
                desk.deliveries.send_again(actor, one.id)
                sent.append(one.id)
            except Conflict as error:  # somebody was faster
                left.append(f"{one.id}: {error.message}")
    if as_json:
        print_json({"sent_again": sent, "left": left})
        return
    for line in left:
        typer.echo(line)
    typer.echo(f"{len(sent)} will be tried again by whoever carries the desk's work out.")
