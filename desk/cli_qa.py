"""`proofdesk qa`: the sample of ended contacts that people read, and the seeded checks."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from core.errors import BadInput
from desk.cli_shared import As, Json, acting, opened_desk, print_json, read_day

if TYPE_CHECKING:
    from desk.bootstrap import Desk
    from desk.permissions import Actor

qa_app = typer.Typer(
    help="The sample of ended contacts that people read, and seeded checks.", no_args_is_help=True
)
Drawn = Annotated[
    Optional[str],  # noqa: UP045 - Typer reads this annotation at run time
    typer.Option("--draw", help="Id of the draw. Default: the latest."),
]


@qa_app.command("draw")
def qa_draw(
    since: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="First day of the period, YYYY-MM-DD."),
    ] = None,
    until: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(help="Last day of the period, YYYY-MM-DD. Default: until now."),
    ] = None,
    size: Annotated[Optional[int], typer.Option(help="How many contacts.")] = None,  # noqa: UP045
    seed: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(help="Draws the same sample again; the audit trail has it."),
    ] = None,
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Draw a sample of the contacts that ended in a period."""
    first = read_day("--since", since) if since else None
    last = read_day("--until", until) if until else None
    with opened_desk() as desk:
        zone = desk.zone()
        begins = datetime.combine(first, time(), zone) if first else None
        ends = datetime.combine(last + timedelta(days=1), time(), zone) if last else None
        actor = acting(desk, as_person)
        if ends:
            ends = min(ends, desk.clock.now())
        draw_id = desk.qa.draw(actor, since=begins, until=ends, size=size, seed=seed)
        (drawn,) = [one for one in desk.qa.draws(actor) if one.id == draw_id]
    if as_json:
        print_json({"draw": asdict(drawn)})
    else:
        typer.echo(f"{drawn.id}: {drawn.picked} of {drawn.contacts} contacts; seed {drawn.seed}.")


@qa_app.command("list")
def qa_list(draw: Drawn = None, as_person: As = None, as_json: Json = False) -> None:
    """List what you may read next of a draw, in the order of reading."""
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        lines = desk.qa.to_read(actor, _draw_id(desk, actor, draw), limit=200)
    if as_json:
        print_json({"to_read": [asdict(line) for line in lines]})
        return
    for line in lines:
        reading = "second reading" if line.second else "first reading"
        typer.echo(f"{line.pick_id}\t{line.contact_id}\t{reading}")
    if not lines:
        typer.echo("Nothing of this draw is for you to read.")


@qa_app.command("score")
def qa_score(
    pick: Annotated[str, typer.Argument(help="What was read, as `qa list` names it.")],
    mark: Annotated[
        list[str], typer.Option(help="ITEM=pass, fail or not_applicable; once for each item.")
    ],
    note: Annotated[
        Optional[list[str]],  # noqa: UP045
        typer.Option(help="ITEM=why; needed for a fail."),
    ] = None,
    as_person: As = None,
    as_json: Json = False,
) -> None:
    """Say what you found in one contact of the sample."""
    marks, notes = _pairs(mark, "--mark"), _pairs(note or [], "--note")
    with opened_desk() as desk:
        passed = desk.qa.score(acting(desk, as_person), pick, marks, notes)
    if as_json:
        print_json({"pick": pick, "passed": passed})
    else:
        typer.echo("It passes." if passed else "It fails.")


@qa_app.command("report")
def qa_report(draw: Drawn = None, as_person: As = None, as_json: Json = False) -> None:
    """Say what the readings of a draw tell of all contacts of its period."""
    with opened_desk() as desk:
        actor = acting(desk, as_person)
        report = desk.qa.report(actor, _draw_id(desk, actor, draw))
    if as_json:
        print_json(asdict(report))
    else:
        from desk.render_qa import qa_tables

        qa_tables(report)


@qa_app.command("checks")
def qa_checks(as_person: As = None, as_json: Json = False) -> None:
    """Say who caught the seeded checks; agents see their own."""
    with opened_desk() as desk:
        rates = desk.seeded.catch_rates(acting(desk, as_person))
    if as_json:
        print_json({"catch_rates": [asdict(rate) for rate in rates]})
    else:
        from desk.render_qa import catch_table

        catch_table(rates)


def _draw_id(desk: Desk, actor: Actor, draw: str | None) -> str:
    if draw:
        return draw
    latest = desk.qa.draws(actor, limit=1)
    if not latest:
        raise BadInput("No sample was drawn yet: run `proofdesk qa draw`.")
    return latest[0].id


def _pairs(given: list[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or not name.strip() or name.strip() in found:
            raise BadInput(f"{option}: {one!r} must be ITEM=…, each item once.")
        found[name.strip()] = value.strip()
    return found
