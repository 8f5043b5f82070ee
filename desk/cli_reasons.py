"""`proofdesk reasons`: proposing, checking and correcting what contacts are about."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from core.errors import BadInput
from core.identifiers import new_id
from desk.cli_shared import As, Json, acting, opened_desk, print_json, progress, read_settings

reasons_app = typer.Typer(help="The contact reason map.", no_args_is_help=True)

NONE = "none"
_OF_A_WORKSPACE = ("sources.yaml", "articles", "macros")


@reasons_app.command("suggest")
def reasons_suggest(
    file: Annotated[Path, typer.Argument(help=".jsonl, .csv, .mbox, or a Zendesk export (.json).")],
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write the map here; it must not exist. Default: print it."),
    ] = None,
    groups: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=2, max=500, help="How many reasons. Default: as many as stand apart."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Propose a contact reason map from past contacts, for a lead to edit."""
    from desk.importing import read_contacts
    from desk.suggest import as_json as suggestion_json
    from desk.suggest import as_yaml, past_contact, suggest
    from retrieval.embeddings import load_embedder

    if out is not None and out.exists():
        raise BadInput(f"{out}: is there already; name another file.")
    contacts = [past_contact(contact) for contact in read_contacts(file)]
    embedder = load_embedder(read_settings().embeddings)
    with progress(quiet=as_json) as report:
        found = suggest(contacts, embedder, groups=groups, on_progress=report)
    text = as_yaml(found, file.name)
    if out is not None:
        _write(out, text)
    if as_json:
        print_json({**suggestion_json(found), "written": str(out) if out else None})
    elif out is None:
        sys.stdout.write(text)
    else:
        typer.echo(
            f"{len(found.reasons)} reasons from {found.contacts:,} contacts are in {out}; "
            f"{found.ungrouped:,} contacts fit none. Edit it, then `proofdesk reasons check {out}`."
        )


@reasons_app.command("check")
def reasons_check(
    file: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(help="A reason map. Default: the workspace's."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a reason map. Exit code 1 when something in it is wrong; warnings do not count.

    Macros and articles are looked for beside the file where it lies in a workspace, else in the
    desk's own.
    """
    from desk.reason_check import check_map
    from desk.sample import ensure_workspace
    from kb.workspace import Workspace
    from retrieval.embeddings import load_embedder

    settings = read_settings()
    if file is not None and any((file.parent / name).exists() for name in _OF_A_WORKSPACE):
        workspace = Workspace.load(file.parent)
    else:
        ensure_workspace(settings)
        workspace = Workspace.load(settings.workspace_folder)
    path = file or workspace.reasons_file
    remarks = check_map(path, workspace, load_embedder(settings.embeddings))
    errors = sum(remark.level == "error" for remark in remarks)
    if as_json:
        print_json(
            {"file": str(path), "valid": not errors, "remarks": [asdict(one) for one in remarks]}
        )
    else:
        for one in remarks:
            name = f"{one.reason}: " if one.reason else ""
            typer.echo(f"{path}:{one.line}: {one.level}: {name}{one.message}")
        warnings = len(remarks) - errors
        typer.echo(f"{path}: {errors} error(s), {warnings} warning(s).")
    raise typer.Exit(1 if errors else 0)


@reasons_app.command("correct")
def reasons_correct(
    contact: Annotated[str, typer.Argument(help="Id of the contact.")],
    reason: Annotated[str, typer.Option(help=f"Id of a reason of the map, or {NONE!r}.")],
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Say what a contact is really about; the desk learns from it at once."""
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        wanted = None if reason == NONE else reason
        correction = desk.corrections.correct(actor, contact, wanted)
        desk.contacts.wait_for_draft(contact)
        status = desk.contacts.get(actor, contact).summary.status
    result = {"correction": correction, "contact": contact, "reason": wanted, "status": status}
    if as_json:
        print_json(result)
    else:
        typer.echo(
            f"{contact} is about {reason}; it is {status.replace('_', ' ')}. "
            f"Take it back with `proofdesk reasons undo {correction}`."
        )


@reasons_app.command("corrections")
def reasons_corrections(as_person: As = None, as_json: Json = False) -> None:
    """List what people corrected, the latest first."""
    with opened_desk() as desk:
        found = desk.corrections.all(acting(desk, as_person))
    if as_json:
        print_json({"corrections": [asdict(one) for one in found]})
        return
    for one in found:
        state = "undone" if one.undone_at else "dormant" if one.dormant else "holds"
        change = f"{one.was or NONE} → {one.reason or NONE}"
        typer.echo(f"{one.id}\t{one.contact_id}\t{change}\t{state}\t{one.at:%Y-%m-%d %H:%M}")
    if not found:
        typer.echo("Nobody has corrected anything yet.")


@reasons_app.command("undo")
def reasons_undo(
    correction: Annotated[str, typer.Argument(help="Id of the correction.")],
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Take a correction back; nothing is learned from it any more."""
    with opened_desk() as desk:
        desk.corrections.undo(acting(desk, as_person), correction)
    result: dict[str, Any] = {"correction": correction, "undone": True}
    if as_json:
        print_json(result)
    else:
        typer.echo(f"{correction} is taken back.")


def _write(path: Path, text: str) -> None:
    """Write a whole file or nothing."""
    half = path.with_name(f".{path.name}.{new_id('tmp')}")
    try:
        half.write_text(text, encoding="utf-8")
        os.link(half, path)  # fails when somebody was faster
    except FileExistsError:
        raise BadInput(f"{path}: is there already; name another file.") from None
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}.") from None
    finally:
        half.unlink(missing_ok=True)
