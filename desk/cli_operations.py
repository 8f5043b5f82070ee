"""The commands that keep a desk running: workers, backup, export, the audit trail."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import BadInput
from core.logs import write_log
from core.tracing import send_traces, stop_traces
from desk.cli_shared import Json, opened_desk, print_json, read_settings
from desk.leaving import leave

if TYPE_CHECKING:
    from desk.bootstrap import Desk

operations_app = typer.Typer()
audit_app = typer.Typer(help="The audit trail.", no_args_is_help=True)


@operations_app.command()
def worker() -> None:
    """Carry the desk's work out beside other workers; needs PostgreSQL. Ctrl+C ends it in order."""
    settings = read_settings()
    write_log(settings.log_format, settings.log_level)
    if settings.traces:
        send_traces()
    with opened_desk() as desk:
        if not desk.shares_work:
            raise BadInput(
                "PROOFDESK_DATABASE_URL: several workers need PostgreSQL; on SQLite the running "
                "desk does the work itself."
            )
        # A pipe, since an Event that is set from within its own wait stands still for good.
        asked, ask = os.pipe()
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, lambda *_: os.write(ask, b"."))
        desk.start()
        desk.warm_up()
        if desk.settings.health_port:
            _answer_probes(desk)
        typer.echo("Working. Stop with Ctrl+C.")
        sys.stdout.flush()
        os.read(asked, 1)
        typer.echo("Finishing what is under way …")
    stop_traces()
    typer.echo("Stopped; what waits stays queued.")
    leave(0)


def _answer_probes(desk: Desk) -> None:
    from desk.health import serve_probes

    given = desk.settings
    serve_probes(desk, given.address, given.health_port)


@operations_app.command()
def backup(target: Annotated[Path, typer.Argument(help="The archive to write, a .zip.")]) -> None:
    """Back the desk up while it works: records, paused runs, outbox and workspace in one file."""
    from desk.backup import back_up

    with opened_desk() as desk:
        desk.audit_seals.seal()
        verdict = desk.audit_seals.verify()
        back_up(desk.settings, desk.database, desk.clock, verdict.digest, target)
    typer.echo(f"{target} is complete. The audit trail is sealed up to {verdict.digest}.")


@operations_app.command()
def restore(source: Annotated[Path, typer.Argument(help="An archive that backup wrote.")]) -> None:
    """Make the desk of a backup in an empty home; says whether its audit trail is whole."""
    from desk.backup import restore as restore_backup
    from desk.bootstrap import opened

    settings = read_settings()
    manifest = restore_backup(settings, source)
    with opened(settings) as desk:
        verdict = desk.audit_seals.verify()
        sealed = desk.audit_seals.holds(manifest.audit_digest)
        found = desk.deliveries.write_down_what_left()
        held = desk.deliveries.hold_back()
    faults = list(verdict.faults)
    if not sealed:
        faults.append("The audit trail is not the one that was backed up: its seal is not in it.")
    for fault in faults:
        typer.echo(fault)
    typer.echo(f"The desk of {manifest.made_at:%Y-%m-%d %H:%M} UTC is in {settings.home}.")
    if found:
        typer.echo(
            f"{found} answers left while it was backed up. They are written down at their contacts, and "
            "nothing waits there any more."
        )
    if held:
        typer.echo(
            f"{held} approved answers had not left when it was backed up. They may have left since, "
            "so they wait for review again."
        )
    workspace = settings.home / "workspace"
    if settings.workspace_folder != workspace:
        typer.echo(
            f"Its workspace is in {workspace}; PROOFDESK_WORKSPACE names {settings.workspace_folder}."
        )
    raise typer.Exit(1 if faults else 0)


@operations_app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder.")],
    as_json: Json = False,
) -> None:
    """Write every record as JSON lines, a file a table."""
    from desk.backup import export as export_records

    with opened_desk() as desk:
        counts = export_records(desk.database, folder)
    if as_json:
        print_json(counts)
    else:
        for name, count in counts.items():
            typer.echo(f"{count:>8}  {folder / name}.jsonl")


@audit_app.command("verify")
def audit_verify(as_json: Json = False) -> None:
    """Say whether the trail is whole: nothing changed, removed or slipped in, nothing untold."""
    with opened_desk() as desk:
        verdict = desk.audit_seals.verify()
    if as_json:
        print_json(verdict.as_json())
    else:
        for fault in verdict.faults:
            typer.echo(fault)
        state = "is NOT whole" if verdict.faults else "is whole"
        typer.echo(
            f"The trail {state}: {verdict.events} events, {verdict.seals} seals that hold, "
            f"{verdict.unsealed} events since the newest. Keep this elsewhere: {verdict.digest}"
        )
    raise typer.Exit(1 if verdict.faults else 0)
