"""`proofdesk eval`: the suites from the command line; `python -m evals` is the same.

Exit codes: 0 good; 1 a gate failed; 2 bad use or bad input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, cast, get_args

import typer

from core.errors import BadInput, ProofdeskError

if TYPE_CHECKING:
    from evals.report import Report
    from evals.stale_judges import Folds
    from evals.stale_verdicts import Probe
    from evals.stale_world import Progress

app = typer.Typer(
    help="Suites that measure the desk on data of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_HEADLINES = ("auroc", "recall", "false_alarms", "old_value", "stale", "rests_on_new", "drafted")


@app.callback()
def _suites() -> None:
    """Keep the suite's name a word of the command, also while there is only one."""


@app.command()
def stale(
    data: Annotated[
        list[Path],
        typer.Option(help="JSONL of edits, its articles/ beside it. May be given several times."),
    ],
    verdicts: Annotated[
        Optional[Path],  # noqa: UP045 - Typer reads this annotation at run time
        typer.Option(help="Write one verdict a line here."),
    ] = None,
    probes: Annotated[
        str, typer.Option(help="Some of diff,draft_old,draft_new,approve,twins,ask.")
    ] = "",
    folds: Annotated[
        str,
        typer.Option(help="corpus: judges fitted without the help center they judge. Else: none."),
    ] = "none",
    words: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="With --folds: folder of unlabelled edits to count words in."),
    ] = None,
    report: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Write report.html, report.md, run.json and verdicts.jsonl here."),
    ] = None,
    baseline: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Compare with an earlier run: its folder or its verdicts."),
    ] = None,
    gate: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="YAML with the least and the most each figure may be."),
    ] = None,
    rescore: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Score an earlier run again instead of running the probes."),
    ] = None,
    limit: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Only so many edits of each file, spread evenly."),
    ] = None,
    beside: Annotated[
        bool, typer.Option("--beside/--no-beside", help="Run the baselines for the report.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure whether changed facts are found, stopped, and never told to a customer."""
    from evals import stale as suite
    from evals.gate import read_gate
    from evals.report import as_json as json_of
    from evals.stale_cases import read_data
    from evals.stale_verdicts import read_verdicts

    # Everything that can be wrong with the input is found before minutes are spent.
    chosen = _probes(probes)
    if folds not in ("none", "corpus"):
        raise BadInput(f"--folds: {folds!r} is none of none, corpus.")
    edits = read_data(data, limit)
    bounds = read_gate(gate, suite.SUITE) if gate else None
    if baseline:
        read_verdicts(baseline)
    for folder in (verdicts.parent if verdicts else None, report):
        if folder is not None and folder.exists() and not folder.is_dir():
            raise BadInput(f"{folder}: is a file; name a folder.")
    if rescore:
        found = suite.reopened(rescore)
    else:
        with _progress(quiet=as_json) as tell:
            found = suite.run(
                edits,
                chosen,
                folds=cast("Folds", folds),
                words=words,
                beside=beside,
                on_progress=tell,
            )
    result = suite.report_of(found, edits, gate=bounds, baseline=baseline)
    if verdicts:
        suite.write_outcome(verdicts, found)
    if report:
        suite.write_run(report, result)
    if as_json:
        print(json.dumps(json_of(result), ensure_ascii=False, indent=2))
    else:
        _print(result, report)
    for sentence in result.gate_failures or ():
        print(f"proofdesk: {sentence}", file=sys.stderr)
    raise typer.Exit(1 if result.gate_failures else 0)


def _probes(given: str) -> tuple[Probe, ...]:
    from evals.stale_verdicts import PROBES, Probe

    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in PROBES:
            raise BadInput(f"--probes: {name!r} is none of {', '.join(get_args(Probe))}.")
    return tuple(probe for probe in PROBES if not names or probe in names)


def _print(report: Report, folder: Path | None) -> None:
    from evals.report import by_probe, label_of, shown

    for label, words in report.about.items():
        typer.echo(f"{label}: {words}")
    if report.scores is None:
        typer.echo("The data has no labels: verdicts only, no scores.")
    else:
        for probe, figures in by_probe(report.scores.figures).items():
            typer.echo(f"\n{probe}")
            for name, figure in figures.items():
                if name.split(".")[1] in _HEADLINES:
                    value, count, interval = shown(figure)
                    typer.echo(f"  {label_of(name):<44}{value:>7}  {count:<14}{interval}")
        typer.echo(f"\n{len(report.scores.misses)} misses")
    if report.gate_failures is not None and not report.gate_failures:
        typer.echo("Every gate holds.")
    if folder:
        typer.echo(f"See {folder / 'report.html'}")


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    ) as bar:
        tasks: dict[str, Any] = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield tell


def main() -> None:
    """Run the command line of `python -m evals`."""
    try:
        app(prog_name="python -m evals")
    except ProofdeskError as error:
        print(f"proofdesk: {error.message}", file=sys.stderr)
        sys.exit(error.exit_code)
