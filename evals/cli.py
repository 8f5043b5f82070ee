"""`proofdesk eval`: the suites from the command line; `python -m evals` is the same.

Exit codes: 0 good; 1 a gate failed; 2 bad use or bad input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional, cast, get_args

import typer

from core.errors import BadInput, ProofdeskError
from desk.cli_shared import Json, progress, read_settings

if TYPE_CHECKING:
    from evals.gate import Gate
    from evals.reason_cases import Texts
    from evals.report import Report, Verdict
    from evals.scores import Cell, Table
    from evals.stale_judges import Folds
    from evals.stale_verdicts import Probe

app = typer.Typer(
    help="Suites that measure the desk on data of your own.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_ROWS = 30  # of a table by kind

# Typer reads annotations at run time: Optional[Path].
Verdicts = Annotated[Optional[Path], typer.Option(help="Write one verdict a line here.")]  # noqa: UP045
Folder = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(
        "--report",
        help="Write report.html, report.md, run.json and verdicts.jsonl here. "
        "Default: evals/ in the desk's home, where there is one.",
    ),
]
Baseline = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="Compare with an earlier run: its folder or its verdicts."),
]
GateFile = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--gate", help="YAML with the least and the most each figure may be."),
]
Limit = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(min=1, help="Only so many cases of each file, spread evenly."),
]
Rescore = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="Score an earlier run again instead of running anything."),
]
Beside = Annotated[
    bool, typer.Option("--beside/--no-beside", help="Run the baselines for the report.")
]


@app.command()
def stale(
    data: Annotated[
        list[Path],
        typer.Option(help="JSONL of edits, its articles/ beside it. May be given several times."),
    ],
    verdicts: Verdicts = None,
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
    report: Folder = None,
    baseline: Baseline = None,
    gate: GateFile = None,
    rescore: Rescore = None,
    limit: Limit = None,
    beside: Beside = True,
    as_json: Json = False,
) -> None:
    """Measure whether changed facts are found, stopped, and never told to a customer."""
    from evals import stale as suite
    from evals.runs import reopened
    from evals.stale_cases import read_data
    from evals.stale_verdicts import read_verdicts

    # Everything that can be wrong with the input is found before minutes are spent.
    chosen = _probes(probes)
    if folds not in ("none", "corpus"):
        raise BadInput(f"--folds: {folds!r} is none of none, corpus.")
    edits = read_data(data, limit)
    bounds = _checked(suite.SUITE, read_verdicts, gate, baseline, verdicts, report)
    if rescore:
        found = reopened(rescore, read_verdicts)
    else:
        with progress(quiet=as_json) as tell:
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
    _conclude(result, report, as_json)


@app.command()
def triage(
    data: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="JSONL of contacts. May be given several times. Default: the sample."),
    ] = None,
    workspace: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder with tiers.yaml and reasons.yaml. Default: the desk's own."),
    ] = None,
    bare: Annotated[
        bool, typer.Option("--no-workspace", help="The rules that ship, and no reason map.")
    ] = False,
    verdicts: Verdicts = None,
    report: Folder = None,
    baseline: Baseline = None,
    gate: GateFile = None,
    rescore: Rescore = None,
    limit: Limit = None,
    beside: Beside = True,
    as_json: Json = False,
) -> None:
    """Measure whether contacts that need a person get one, and the others are left alone."""
    from evals import triage as suite
    from evals.files import write_rows
    from evals.runs import reopened
    from evals.triage_cases import read_cases
    from evals.triage_scores import read_verdicts

    if bare and workspace:
        raise BadInput("--no-workspace: leave it out, or leave --workspace out.")
    cases = read_cases(*(data or [suite.SAMPLE]), limit=limit)
    bounds = _checked(suite.SUITE, read_verdicts, gate, baseline, verdicts, report)
    if rescore:
        found = reopened(rescore, read_verdicts)
    else:
        folder = None if bare else _workspace(workspace)
        with progress(quiet=as_json) as tell:
            found = suite.run(
                cases, workspace=folder, beside=beside, cache=_cache(), on_progress=tell
            )
    result = suite.report_of(found, cases, gate=bounds, baseline=baseline)
    if verdicts:
        write_rows(verdicts, (one.as_json() for one in found.verdicts if one.probe == "message"))
    _conclude(result, report, as_json)


@app.command()
def reasons(
    data: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(
            help="CSV or JSONL of texts with their reason, or a folder with train and test file."
            " May be given several times. Default: the sample."
        ),
    ] = None,
    train: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="CSV or JSONL of examples to learn from. Default: the workspace's map."),
    ] = None,
    outside: Annotated[
        Optional[list[Path]],  # noqa: UP045
        typer.Option(help="CSV or JSONL of texts about none of the reasons."),
    ] = None,
    workspace: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(help="Folder with a reasons.yaml. Without --data it is judged by itself."),
    ] = None,
    past: Annotated[
        bool, typer.Option("--past", help="Judge by what people of this desk corrected.")
    ] = False,
    shots: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Learn from so many examples of each reason, drawn by lot."),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, max=100, help="With --shots: how often.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of every lot.")] = 0,
    unknown: Annotated[
        float,
        typer.Option(min=0, max=0.5, help="Share of the reasons held back at a time; 0: none."),
    ] = 0.1,
    folds: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(min=1, help="Hold back only so many of these shares. Default: each once."),
    ] = None,
    verdicts: Verdicts = None,
    report: Folder = None,
    baseline: Baseline = None,
    gate: GateFile = None,
    rescore: Rescore = None,
    limit: Limit = None,
    beside: Beside = True,
    as_json: Json = False,
) -> None:
    """Measure whether it is known what contacts are about, how sure, and when it is not known."""
    from evals import reasons as suite
    from evals.files import write_rows
    from evals.reason_cases import map_of, read_map, read_texts, split_folders
    from evals.reason_scores import read_verdicts
    from evals.runs import reopened

    if draws > 1 and shots is None:
        raise BadInput("--draws: needs --shots; all examples are drawn only one way.")
    if train and workspace:
        raise BadInput("--train: leave it out, or leave --workspace out.")
    tests, trains = split_folders(data or [])
    if past and (tests or train or outside):
        raise BadInput("--past: is judged by the workspace's map alone; leave the files out.")
    learned = [train] if train else [] if workspace else trains
    own = workspace is not None and not tests and not past
    if own and (shots or outside):
        raise BadInput("--shots, --outside: need --data; a map is judged by itself without them.")
    if learned:
        known = map_of(read_texts(*learned), learned[0])
    else:
        sample = not (tests or past or workspace)
        known = read_map(_sample_workspace() if sample else _workspace(workspace))
    if own:
        planned = suite.plan_of_own(known, seed=seed, unknown=unknown)
    else:
        texts = (
            _past_corrections()
            if past
            else read_texts(*(tests or [suite.SAMPLE]), outside=outside or [], limit=limit)
        )
        planned = suite.plan(
            texts, known, shots=shots, draws=draws, seed=seed, unknown=unknown, folds=folds
        )
    bounds = _checked(suite.SUITE, read_verdicts, gate, baseline, verdicts, report)
    if rescore:
        found = reopened(rescore, read_verdicts)
    else:
        with progress(quiet=as_json) as tell:
            found = suite.run(planned, beside=beside, on_progress=tell)
    result = suite.report_of(found, planned, gate=bounds, baseline=baseline)
    if verdicts:
        write_rows(verdicts, (one.as_json() for one in found.verdicts if one.probe != "floor"))
    _conclude(result, report, as_json)


def _past_corrections() -> Texts:
    """Return what people of this desk said contacts are about."""
    from desk.cli_shared import opened_desk
    from evals.reason_cases import of_corrections

    with opened_desk() as desk:
        return of_corrections(desk.corrections.taught().pairs)


def _sample_workspace() -> Path:
    from desk.sample import SAMPLE

    return SAMPLE


def _workspace(given: Path | None) -> Path:
    """Return the workspace in use: the one that is named, the desk's own, or the sample."""
    if given is not None:
        if not given.is_dir():
            raise BadInput(f"{given}: there is no such folder.")
        return given
    own = read_settings().workspace_folder
    return own if own.is_dir() else _sample_workspace()


def _cache() -> Path | None:
    """Return where a desk keeps what it learned from examples; None where there is no desk."""
    home = read_settings().home
    return home / "cache" if home.is_dir() else None


def _probes(given: str) -> tuple[Probe, ...]:
    from evals.stale_verdicts import PROBES, Probe

    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if name not in PROBES:
            raise BadInput(f"--probes: {name!r} is none of {', '.join(get_args(Probe))}.")
    return tuple(probe for probe in PROBES if not names or probe in names)


def _checked(
    suite: str,
    read_verdicts: Callable[[Path], Sequence[Verdict]],
    gate: Path | None,
    baseline: Path | None,
    verdicts: Path | None,
    report: Path | None,
) -> Gate | None:
    """Return the gate, after a look at all that a run is held against and written to."""
    from evals.gate import read_gate

    bounds = read_gate(gate, suite) if gate else None
    if baseline:
        read_verdicts(baseline)
    for folder in (verdicts.parent if verdicts else None, report):
        if folder is not None and folder.exists() and not folder.is_dir():
            raise BadInput(f"{folder}: is a file; name a folder.")
    return bounds


def _conclude(result: Report, folder: Path | None, as_json: bool) -> None:
    """Write and print a report; exit with 1 when a gate does not hold."""
    from evals.report import as_json as json_of
    from evals.runs import write_run

    folder = folder or _kept_at(result)
    if folder:
        write_run(folder, result)
    if as_json:
        print(json.dumps(json_of(result), ensure_ascii=False, indent=2))
    else:
        _print(result, folder)
    for sentence in result.gate_failures or ():
        print(f"proofdesk: {sentence}", file=sys.stderr)
    raise typer.Exit(1 if result.gate_failures else 0)


def _kept_at(result: Report) -> Path | None:
    """Return where a desk at home here keeps the run, for its quality page to show."""
    from desk.quality import new_run_folder
    from evals.runs import AGAIN

    home = read_settings().home
    if AGAIN in result.about or not (home / "proofdesk.sqlite").is_file():
        return None
    return new_run_folder(home, result.words.suite, datetime.now(UTC))


def _print(report: Report, folder: Path | None) -> None:
    from evals.report import by_kind, by_probe, comparison_tables, label_of, shown

    words = report.words
    for label, said in report.about.items():
        typer.echo(f"{label}: {said}")
    if report.scores is None:
        typer.echo("The data has no labels: verdicts only, no scores.")
    else:
        for probe, figures in by_probe(report.scores.figures).items():
            typer.echo(f"\n{probe}")
            for name, figure in figures.items():
                _, measure, *kind = name.split(".")
                if measure in words.headlines and not (kind and probe in words.kinds):
                    value, count, interval = shown(figure)
                    typer.echo(f"  {label_of(words, name):<44}{value:>7}  {count:<14}{interval}")
            if probe in words.kinds:
                _print_table(by_kind(words, probe, figures))
        typer.echo(f"\n{len(report.scores.misses)} misses")
    if report.comparison:
        typer.echo(f"\nBeside {report.comparison.name}:")
        for table in comparison_tables(words, report.comparison):
            _print_table(table)
    if report.gate_failures is not None and not report.gate_failures:
        typer.echo("Every gate holds.")
    if folder:
        typer.echo(f"See {folder / 'report.html'}")


def _print_table(table: Table) -> None:
    from evals.scores import Outside

    def said(cell: Cell) -> str:
        text = cell.text if isinstance(cell, Outside) else cell
        return "".join(letter for letter in text if letter.isprintable())

    rows = [[said(cell) for cell in row] for row in (table.head, *table.rows[:_ROWS])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if table.lead:
        typer.echo(table.lead)
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo(f"  {'  '.join(cells).rstrip()}")
    if len(table.rows) > _ROWS:
        typer.echo(f"  … and {len(table.rows) - _ROWS} more, all of them in the report")


def main() -> None:
    """Run the command line of `python -m evals`."""
    try:
        app(prog_name="python -m evals")
    except ProofdeskError as error:
        print(f"proofdesk: {error.message}", file=sys.stderr)
        sys.exit(error.exit_code)
