"""The command line: one thin function a command, each a service call and a rendering.

Exit codes: 0 good; 1 a gate or check failed, or the desk refused; 2 bad use or bad input. Errors
are one plain sentence on stderr.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Optional

import typer

from core.errors import BadInput, ProofdeskError, Unavailable
from core.logs import write_no_log
from core.vocabulary import REJECT_REASONS, Channel, Role
from desk.cli_autonomy import autonomy_app
from desk.cli_flags import flags_app
from desk.cli_metrics import metrics_app
from desk.cli_operations import audit_app, operations_app
from desk.cli_outbox import outbox_app
from desk.cli_qa import qa_app
from desk.cli_reasons import reasons_app
from desk.cli_rhythm import rhythm_app, tasks_app
from desk.cli_shared import As, Json
from desk.cli_shared import acting as _actor
from desk.cli_shared import opened_desk as _desk
from desk.cli_shared import print_json as _print_json
from desk.cli_shared import progress as _progress
from desk.cli_shared import read_settings as _settings

REPOSITORY = Path(__file__).resolve().parents[1]

app = typer.Typer(
    name="proofdesk",
    help="A human-in-the-loop support desk that never lets a stale answer leave unnoticed.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
review_app = typer.Typer(help="The review queue.", no_args_is_help=True)
users_app = typer.Typer(help="People and their sign-in links.", no_args_is_help=True)
app.add_typer(review_app, name="review")
app.add_typer(flags_app, name="flags")
app.add_typer(autonomy_app, name="autonomy")
app.add_typer(reasons_app, name="reasons")
app.add_typer(audit_app, name="audit")
app.add_typer(rhythm_app)
app.add_typer(tasks_app, name="tasks")
app.add_typer(qa_app, name="qa")
app.add_typer(metrics_app)
app.add_typer(outbox_app, name="outbox")
app.add_typer(operations_app)  # without a name: its commands are commands of their own
app.add_typer(users_app, name="users")
# By name: the suites stand above the desk and use it, so the desk may not import them.
app.add_typer(import_module("evals.cli").app, name="eval")


def main() -> None:
    """Run the command line; the entry point of `proofdesk`."""
    write_no_log()
    try:
        app()
    except ProofdeskError as error:
        print(f"proofdesk: {error.message}", file=sys.stderr)
        sys.exit(error.exit_code)


@app.command()
def serve(
    port: Annotated[Optional[int], typer.Option(help="Port on localhost.")] = None,  # noqa: UP045
) -> None:
    """Start the desk: sample workspace on first start, UI in the browser, a sign-in link per role."""
    typer.echo("Opening the desk …")
    from desk.bootstrap import opened
    from desk.render import sync_summary
    from desk.sample import ensure_people, ensure_sample

    settings = _settings()
    with _progress(spoken=True) as report:
        if ensure_sample(settings, report):
            typer.echo("The sample workspace is set up.")
    port = port or settings.port
    with opened(settings) as desk:
        if settings.workspace is not None:
            with _progress(spoken=True) as report:
                synced = desk.sync_anywhere(on_progress=report)
            typer.echo(f"Help center: {sync_summary(synced)}")
        people = ensure_people(desk)
        typer.echo("\nSign in (a link is valid for 7 days):")
        for role, actor in people.items():
            token = desk.people.new_link_token(None, actor.id)
            label = f"{role.replace('_', ' ')} ({actor.name})"
            typer.echo(f"  {label:<34} http://localhost:{port}/?signin={token}")
    typer.echo("\nThe pages are starting: the links work once their address stands below.")
    typer.echo("Stop with Ctrl+C.")
    sys.stdout.flush()
    environment = {
        **os.environ,
        "PROOFDESK_HOME": str(settings.home.absolute()),
        "PROOFDESK_PORT": str(port),
    }
    if settings.workspace:
        environment["PROOFDESK_WORKSPACE"] = str(settings.workspace.absolute())
    os.chdir(REPOSITORY)
    os.execve(sys.executable, [sys.executable, "-m", "ui.server"], environment)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The new workspace.")],
    articles: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(
            help="A folder of your own articles, used where it is. Default: the sample's."
        ),
    ] = None,
) -> None:
    """Make a new workspace."""
    from desk.sample import init_workspace

    init_workspace(folder, articles)
    typer.echo(f"{folder} is ready: set PROOFDESK_WORKSPACE={folder} and run `proofdesk sync`.")


@app.command()
def sync(
    source: Annotated[Optional[str], typer.Option(help="Only this source.")] = None,  # noqa: UP045
    as_json: Json = False,
) -> None:
    """Bring the help center in; says what is new, changed, gone, and which facts changed."""
    with _desk() as desk, _progress(quiet=as_json) as report:
        result = desk.sync_anywhere(source, report)
    if as_json:
        _print_json(result)
    else:
        from desk.render import sync_report

        sync_report(result)


@app.command()
def search(
    words: Annotated[Optional[str], typer.Argument(help="What to look for.")] = None,  # noqa: UP045
    batch: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="JSONL with id and question; one line of results each."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, max=100, help="Results a question.")] = 10,
    as_json: Json = False,
) -> None:
    """Search the passages in force, best first."""
    from desk.render import hit_as_json, hits

    if (words is None) == (batch is None):
        raise BadInput("search: give either words or --batch FILE.")
    questions = _questions(batch) if batch else []
    with _desk() as desk:
        if batch:
            for key, question in questions:
                results = [hit_as_json(hit) for hit in desk.search.search(question, count)]
                print(json.dumps({"id": key, "results": results}, ensure_ascii=False))
            return
        found = desk.search.search(words or "", count)
    if as_json:
        _print_json({"question": words, "results": [hit_as_json(hit) for hit in found]})
    else:
        hits(found)


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What a customer asks.")],
    channel: Annotated[str, typer.Option(help="email, chat or voice.")] = "email",
    name: Annotated[str, typer.Option(help="The customer's name.")] = "",
    status: Annotated[str, typer.Option(help="standard or vip.")] = "standard",
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Carry one contact through the graph up to its pause; print draft, evidence, tier, triggers."""
    from desk.render import run_as_json, run_report

    customer = _customer_options(channel, status)
    with _desk() as desk:
        actor = _actor(desk, as_person)
        result = run_as_json(desk, actor, question, customer[0], name, customer[1])
    if as_json:
        _print_json(result)
    else:
        run_report(result)


@app.command()
def triage(
    file: Annotated[Path, typer.Argument(help="JSONL, one contact a line.")],
    as_json: Json = False,
) -> None:
    """Classify and tier many contacts without drafting; one line each."""
    from desk.triage_file import triage_file

    with _desk() as desk:
        for line in triage_file(desk.deps, file):
            if as_json:
                print(json.dumps(line, ensure_ascii=False))
            else:
                fired = [*line["triggers"], *line["desk"]["triggers"]]
                names = ", ".join(trigger["id"] for trigger in fired) or "no trigger"
                tier = line["desk"]["tier"]
                typer.echo(f"{line['id']}\t{tier}\t{line['reason'] or '-'}\t{names}")


@app.command()
def check(
    paths: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Argument(help="Texts, drafts, macros, or folders of them; - is standard input."),
    ] = None,
    draft: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="A draft: JSON as `ask --json` prints it, or text. May be repeated."),
    ] = None,
    question: Annotated[str, typer.Option(help="What the texts answer, if they do not say.")] = "",
    layout: Annotated[str, typer.Option("--format", help="text, json or github.")] = "text",
    as_json: Json = False,
) -> None:
    """Check texts written anywhere against the sources in force. Exit code 1 when one fails."""
    from desk.checking import check_all, read_all
    from desk.render import checks_as_json, checks_report, checks_to_github

    layout = "json" if as_json else layout
    if layout not in {"text", "json", "github"}:
        raise BadInput(f"--format must be text, json or github, not {layout!r}.")
    named = [*(draft or []), *(paths or [])]
    if not named:
        raise BadInput("check: name a file, a folder, or - for standard input.")
    written = read_all(named)
    with _desk() as desk, _progress(quiet=layout != "text" or len(written) == 1) as report:
        results = check_all(
            desk.deps, written, question, lambda done, total: report("texts", done, total)
        )
    if layout == "json":
        one = len(named) == 1 and not named[0].is_dir()
        _print_json(results[0] if one else checks_as_json(results))
    elif layout == "github":
        checks_to_github(results)
    else:
        checks_report(results)
    raise typer.Exit(0 if all(result["passed"] for result in results) else 1)


@app.command("import")
def import_contacts(
    file: Annotated[Path, typer.Argument(help=".jsonl, .csv, .mbox, or a Zendesk export (.json).")],
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Bring contacts in from a file and have each drafted."""
    from desk.contacts import validate
    from desk.importing import read_contacts

    contacts = read_contacts(file)
    for number, contact in enumerate(contacts, start=1):
        try:
            validate(contact)
        except BadInput as problem:
            raise BadInput(f"{file}: contact {number}: {problem.message}") from None
    with _desk() as desk, _progress(quiet=as_json) as report:
        actor = _actor(desk, as_person)
        ids = [desk.contacts.open(actor, contact) for contact in contacts]
        results = []
        for done, contact_id in enumerate(ids, start=1):
            with suppress(Unavailable):  # it ended with a person; its status says so
                desk.contacts.wait_for_draft(contact_id)
            status = desk.contacts.get(actor, contact_id).summary.status
            results.append({"contact": contact_id, "status": status})
            report("contacts", done, len(ids))
    if as_json:
        _print_json({"contacts": results})
    else:
        typer.echo(f"{len(results)} contacts are in; see `proofdesk review list`.")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look at every part of the desk and say how it is. Exit code 1 when something is wrong."""
    from desk.doctor import examine
    from desk.render import doctor_report

    with _desk() as desk:
        findings = examine(desk)
    if as_json:
        _print_json({"parts": findings})
    else:
        doctor_report(findings)
    raise typer.Exit(0 if all(part["ok"] for part in findings) else 1)


@review_app.command("list")
def review_list(as_person: As = None, as_json: Json = False) -> None:
    """List the reviews that wait, highest risk first."""
    from desk.render import reviews_as_json, reviews_table

    with _desk() as desk:
        reviews = desk.reviews.queue(_actor(desk, as_person), limit=200)
    if as_json:
        _print_json({"reviews": reviews_as_json(reviews)})
    else:
        reviews_table(reviews)


@review_app.command("show")
def review_show(review_id: str, as_person: As = None, as_json: Json = False) -> None:
    """Show one review: draft, evidence, findings, what changed."""
    from desk.render import review_as_json, review_report

    with _desk() as desk:
        actor = _actor(desk, as_person)
        view = desk.reviews.get(actor, review_id)
        result = review_as_json(view, desk.contacts.get(actor, view.summary.contact_id))
    if as_json:
        _print_json(result)
    else:
        review_report(result)


@review_app.command("approve")
def review_approve(
    review_id: str,
    comment: Annotated[
        str, typer.Option(help="Why, where the check holds something against it.")
    ] = "",
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Approve a draft as it is."""
    _decide(review_id, as_person, as_json, {"kind": "approve", "comment": comment})


@review_app.command("edit")
def review_edit(
    review_id: str,
    text: Annotated[Optional[str], typer.Option(help="The whole edited answer.")] = None,  # noqa: UP045
    file: Annotated[Optional[Path], typer.Option(help="A file that holds it.")] = None,  # noqa: UP045
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Approve a draft in your own words; they are checked like any draft."""
    if (text is None) == (file is None):
        raise BadInput("review edit: give either --text or --file.")
    _decide(review_id, as_person, as_json, {"kind": "edit", "text": text or _read(file)})


@review_app.command("reject")
def review_reject(
    review_id: str,
    reason: Annotated[str, typer.Option(help=f"One of {', '.join(REJECT_REASONS)}.")],
    comment: Annotated[str, typer.Option(help="A sentence that says why.")],
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Reject a draft; it is written again with your words."""
    _decide(review_id, as_person, as_json, {"kind": "reject", "reason": reason, "comment": comment})


@review_app.command("escalate")
def review_escalate(
    review_id: str,
    comment: Annotated[str, typer.Option(help="A sentence that says why.")],
    tier: Annotated[
        str, typer.Option(help="review_required or escalate_first.")
    ] = "escalate_first",
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Hand the contact to a person, with its brief."""
    _decide(review_id, as_person, as_json, {"kind": "escalate", "tier": tier, "comment": comment})


@review_app.command("answer")
def review_answer(
    review_id: str,
    text: Annotated[str, typer.Option(help="The missing information.")],
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Give the missing information yourself instead of asking the customer for it."""
    _decide(review_id, as_person, as_json, {"kind": "answer", "text": text})


@users_app.command("list")
def users_list(as_json: Json = False) -> None:
    """List the people of the desk."""
    with _desk() as desk:
        people = [{"id": p.id, "name": p.name, "role": p.role} for p in desk.people.all()]
    if as_json:
        _print_json({"people": people})
    else:
        for person in people:
            typer.echo(f"{person['id']}\t{person['role']}\t{person['name']}")


@users_app.command("add")
def users_add(
    name: str,
    email: str,
    role: Annotated[str, typer.Option(help="agent, supervisor, content_owner or admin.")],
    as_person: As = None,
) -> None:
    """Add a person."""
    with _desk() as desk:
        added = desk.people.add(_actor(desk, as_person), name, email, _as_role(role))
        typer.echo(added.id)


@users_app.command("link")
def users_link(person: Annotated[str, typer.Argument(help="Id or e-mail address.")]) -> None:
    """Print a fresh sign-in link."""
    with _desk() as desk:
        actor = desk.people.get(person)
        token = desk.people.new_link_token(None, actor.id)
        typer.echo(f"http://localhost:{desk.settings.port}/?signin={token}")


def _decide(review_id: str, person: str | None, as_json: bool, reply: dict[str, Any]) -> None:
    from desk.render import outcome_as_json, outcome_report

    with _desk() as desk:
        outcome = desk.reviews.decide(_actor(desk, person), review_id, reply)
    result = outcome_as_json(outcome)
    if as_json:
        _print_json(result)
    else:
        outcome_report(result)
    raise typer.Exit(1 if outcome.stopped else 0)


def _questions(path: Path) -> list[tuple[Any, str]]:
    questions = []
    for number, line in enumerate(_read(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadInput(f"{path}:{number}: not valid JSON: {error.msg}.") from None
        if not isinstance(value, dict) or not isinstance(value.get("question"), str):
            raise BadInput(f"{path}:{number}: question: each line needs id and question.")
        questions.append((value.get("id", number), value["question"]))
    return questions


def _read(path: Path | None) -> str:
    if path is None or not path.is_file():
        raise BadInput(f"{path}: there is no such file.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None


def _customer_options(channel: str, status: str) -> tuple[Channel, str]:
    if channel not in ("email", "chat", "voice"):
        raise BadInput(f"--channel: {channel!r} is none of email, chat, voice.")
    if status not in ("standard", "vip"):
        raise BadInput(f"--status: {status!r} is none of standard, vip.")
    return channel, status  # type: ignore[return-value]


def _as_role(role: str) -> Role:
    return role  # type: ignore[return-value] # People.add refuses what is no role


if __name__ == "__main__":
    main()
