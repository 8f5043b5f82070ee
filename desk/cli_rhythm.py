"""`proofdesk rhythm` and `proofdesk tasks`: the supervisor's week, and what it asks of others."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, cast

import typer

from core.errors import BadInput
from core.vocabulary import ROLES
from desk.cli_shared import As, Json, acting, opened_desk, print_json, read_day
from desk.rhythm_rules import DAYS, Day
from desk.task_rules import TASK_KINDS, TASK_STATES, TaskKind, TaskState

if TYPE_CHECKING:
    from desk.bootstrap import Desk
    from desk.permissions import Actor
    from desk.rhythm_render import Document
    from desk.tasks import TaskLine

rhythm_app = typer.Typer()
tasks_app = typer.Typer(help="What reviewers' decisions ask of others.", no_args_is_help=True)

TODAY = "today"
FORMS = ("md", "html", "json")
_MOST_LISTED = 200


@rhythm_app.command()
def rhythm(
    day: Annotated[
        str,
        typer.Argument(help=f"{', '.join(DAYS)}; today is the daily queue and the day's report."),
    ] = TODAY,
    form: Annotated[str, typer.Option("--format", help=", ".join(FORMS))] = "md",
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write it here, in the place of what is there. Default: print it."),
    ] = None,
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Tell what a day of the supervisor's week has to say, and what it goes through."""
    import json

    from desk.rhythm_render import as_html, as_markdown
    from desk.rhythm_reports import write_whole

    form = "json" if as_json else form
    if day not in (*DAYS, TODAY):
        raise BadInput(f"day: {day!r} is none of {', '.join((*DAYS, TODAY))}.")
    if form not in FORMS:
        raise BadInput(f"--format must be one of {', '.join(FORMS)}, not {form!r}.")
    with opened_desk() as desk:
        document, values = _report(desk, acting(desk, as_person), day)
    if form == "json":
        text = json.dumps(values, ensure_ascii=False, indent=2, default=str) + "\n"
    else:
        text = as_html(document) if form == "html" else as_markdown(document)
    if out is None:
        sys.stdout.write(text)
    else:
        write_whole(out, text)
        typer.echo(f"{out} is written.")


def _report(desk: Desk, actor: Actor, day: str) -> tuple[Document, dict[str, Any]]:
    from desk.rhythm_render import day_document

    desk.flags.sweep()
    desk.tasks.sweep()
    if day == TODAY:
        return desk.todays_report(actor)
    report = desk.rhythm.report(actor, cast(Day, day))
    return day_document(report, desk.settings.base_url), report.as_json()


@tasks_app.command("list")
def tasks_list(
    state: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help=f"One of {', '.join(TASK_STATES)}. Default: what is not over."),
    ] = None,
    kind: Annotated[Optional[str], typer.Option(help=f"One of {', '.join(TASK_KINDS)}.")] = None,  # noqa: UP045
    mine: Annotated[bool, typer.Option("--mine", help="Only yours or your role's.")] = False,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only those whose day is over.")
    ] = False,
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """List tasks, the newest first; looks for new ones before."""
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        desk.tasks.sweep()
        states = (cast(TaskState, state),) if state else ("open", "in_progress")
        found = desk.tasks.page(
            actor,
            cast("tuple[TaskState, ...]", states),
            kind=cast("TaskKind | None", kind),
            mine=mine,
            overdue=overdue,
            limit=_MOST_LISTED,
        )
    if as_json:
        print_json({"tasks": [asdict(one) for one in found]})
        return
    for one in found:
        typer.echo(f"{one.id}\t{one.state}\t{one.kind}\t{one.owner}\t{_due(one)}\t{one.title}")
    if not found:
        typer.echo("Nothing is to be done.")
    if len(found) == _MOST_LISTED:
        typer.echo(f"Only the newest {_MOST_LISTED} are listed.", err=True)


@tasks_app.command("show")
def tasks_show(task_id: str, as_person: As = None, as_json: Json = False) -> None:
    """Show a task with what it rests on and what it proposes."""
    with opened_desk() as desk:
        detail = desk.tasks.get(acting(desk, as_person), task_id)
    if as_json:
        print_json(asdict(detail))
        return
    line = detail.line
    stands = ", ".join(filter(None, (line.kind, line.owner, line.state, _due(line))))
    typer.echo(f"{line.title}\n{stands}. {line.cause}".rstrip())
    if detail.instead:
        typer.echo(f"Cited in its place: {', '.join(detail.instead)}.")
    if detail.edit:
        typer.echo(f"- {detail.edit.before}\n+ {detail.edit.after or '(leave it out)'}")
    if detail.addition:
        typer.echo(f"Add to reasons.yaml:\n{detail.addition}")
    for one in detail.witnesses:
        typer.echo(f"{one.review_id or one.contact_id}\t{one.at:%Y-%m-%d}\t{one.words}")


@tasks_app.command("start")
def tasks_start(task_id: str, as_person: As = None) -> None:
    """Say that somebody works on a task."""
    with opened_desk() as desk:
        desk.tasks.start(acting(desk, as_person), task_id)
    typer.echo(f"{task_id} is in progress.")


def _due(line: TaskLine) -> str:
    if line.due_on is None:
        return ""
    return f"{'overdue since' if line.overdue else 'due'} {line.due_on}"


@tasks_app.command("give")
def tasks_give(
    task_id: str,
    to: Annotated[str, typer.Argument(help="A role, or a person's id or e-mail address.")],
    as_person: As = None,
) -> None:
    """Give a task to somebody else."""
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        desk.tasks.give(actor, task_id, to if to in ROLES else desk.people.get(to).id)
    typer.echo(f"{task_id} is {to}'s.")


@tasks_app.command("due")
def tasks_due(
    task_id: str,
    day: Annotated[str, typer.Argument(help="Such as 2026-12-01.")],
    as_person: As = None,
) -> None:
    """Say by which day a task is to be done."""
    due_on = read_day("day", day)
    with opened_desk() as desk:
        desk.tasks.set_due(acting(desk, as_person), task_id, due_on)
    typer.echo(f"{task_id} is due {due_on}.")


@tasks_app.command("close")
def tasks_close(
    task_id: str,
    note: Annotated[str, typer.Option(help="What was done.")] = "",
    dismiss: Annotated[
        str, typer.Option(help="Why nothing is to be done; it never comes back.")
    ] = "",
    as_person: As = None,
) -> None:
    """Say that a task is done, or that nothing is to be done. Exit code 1 when it is over."""
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        if dismiss:
            desk.tasks.dismiss(actor, task_id, dismiss)
        else:
            desk.tasks.close(actor, task_id, note)
    typer.echo(f"{task_id} is {'dismissed' if dismiss else 'done'}.")
