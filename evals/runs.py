"""What every suite does with a run: score it, compare it, keep it, open it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from core.errors import BadInput
from evals.files import Row, read_rows, read_text, write_rows, write_whole
from evals.gate import Gate, failures
from evals.report import Comparison, Flip, Report, Verdict, Words, as_json, as_markdown
from evals.report_html import as_html
from evals.scores import Figure, Scores

AGAIN: Final = "verdicts of"
"""Label of a run that was only scored again."""
V = TypeVar("V", bound=Verdict)

Progress = Callable[[str, int, int], None]
"""Called with what is under way, how many of it are done, and how many there are."""


@dataclass(frozen=True)
class Run(Generic[V]):
    """What a run found and how it was done.

    Attributes:
        verdicts: Of the probes and of what is run beside them.
        about: Label → words, for the head of the report.
    """

    verdicts: list[V]
    about: dict[str, str]


@dataclass(frozen=True, eq=False)
class Basis(Generic[V]):
    """Which verdicts figures are of, and which cases must have one.

    Attributes:
        what: What the verdicts are of, such as a probe, for a sentence.
        cases: Ids of the labelled cases that are asked about.
        counts: Whether a verdict is one of them.
    """

    what: str
    cases: Collection[str]
    counts: Callable[[V], bool]


def of_probe(probe: str, cases: Iterable[str]) -> Basis[Any]:
    """Return the basis of figures that all verdicts of one probe count for."""
    return Basis(probe, frozenset(cases), lambda verdict: verdict.probe == probe)


@dataclass(frozen=True)
class Judging(Generic[V]):
    """How a suite judges verdicts on the data at hand.

    Attributes:
        score: Verdicts → scores; None when the data has no labels.
        read: Reads the verdicts of an earlier run from its folder or a verdict file.
        told: A verdict in a word or two; two verdicts are the same when these are.
        better: Whether the second verdict is better than the first; None where no label says so.
        bases: First part of a figure's name → what it is of. A gate on a figure fails while a
            labelled case lacks a verdict: figures of a handful of cases say nothing of the data.
    """

    score: Callable[[Sequence[V]], Scores] | None
    read: Callable[[Path], list[V]]
    told: Callable[[V], str]
    better: Callable[[V, V], bool | None]
    bases: Mapping[str, Basis[V]] = field(default_factory=dict)


def report_of(
    words: Words,
    found: Run[V],
    judging: Judging[V],
    *,
    gate: Gate | None = None,
    baseline: Path | None = None,
) -> Report:
    """Score a run and lay it beside an earlier one and its gate.

    Args:
        words: How the suite calls things.
        found: The run.
        judging: How the suite judges it.
        gate: What the figures must keep to.
        baseline: Folder or verdict file of an earlier run.

    Raises:
        BadInput: The earlier run cannot be read or shares no case with this one, or no verdict is
            on a labelled case.
    """
    scores = judging.score(found.verdicts) if judging.score else None
    if scores is not None and not scores.figures:
        raise BadInput(f"None of the verdicts is on one of the labelled {words.cases}.")
    comparison = None
    if baseline and judging.score:
        comparison = _compare(words, baseline, found.verdicts, judging, judging.score)
    said = None
    if gate is not None:
        figures = scores.figures if scores else {}
        said = _unjudged(words, gate, figures, found.verdicts, judging) + failures(gate, figures)
    return Report(words, found.about, scores, found.verdicts, comparison, said)


def _unjudged(
    words: Words,
    gate: Gate,
    figures: Mapping[str, Figure],
    verdicts: Sequence[V],
    judging: Judging[V],
) -> list[str]:
    """Return a sentence for each basis of the gate's figures that some labelled cases are not in."""
    needed = [
        name.partition(".")[0]
        for name, bound in gate.figures.items()
        if not bound.optional or (name in figures and figures[name].value is not None)
    ]
    named = (judging.bases.get(name) for name in needed)
    said: list[str] = []
    for basis in dict.fromkeys(one for one in named if one is not None):
        judged = {verdict.id for verdict in verdicts if basis.counts(verdict)}
        if lacking := len(set(basis.cases) - judged):
            have = "has" if lacking == 1 else "have"
            said.append(
                f"{lacking} of {len(basis.cases)} labelled {words.cases} {have} no verdict of "
                f"{basis.what}: its figures are not those of the data."
            )
    return said


def _key(verdict: Verdict) -> Hashable:
    return verdict.id, verdict.probe


def _compare(
    words: Words,
    path: Path,
    now: Sequence[V],
    judging: Judging[V],
    score: Callable[[Sequence[V]], Scores],
) -> Comparison:
    then = {_key(verdict): verdict for verdict in judging.read(path)}
    both = [verdict for verdict in now if _key(verdict) in then]
    if not both:
        raise BadInput(f"{path}: shares none of the {words.cases} with this run.")
    earlier = [then[_key(verdict)] for verdict in both]
    flips = [
        Flip(
            verdict.id,
            verdict.probe,
            judging.told(was),
            judging.told(verdict),
            judging.better(was, verdict),
        )
        for was, verdict in zip(earlier, both, strict=True)
        if judging.told(was) != judging.told(verdict)
    ]
    return Comparison(
        name=path.name,
        figures=score(earlier).figures,
        now=score(both).figures,
        flips=flips,
        shared=len({verdict.id for verdict in both}),
    )


def write_run(folder: Path, report: Report) -> None:
    """Write a run's folder: ``verdicts.jsonl``, ``run.json``, ``report.html``, ``report.md``.

    Raises:
        BadInput: The folder cannot be written.
    """
    write_rows(folder / "verdicts.jsonl", (verdict.as_json() for verdict in report.verdicts))
    text = json.dumps(as_json(report), ensure_ascii=False, indent=2)
    write_whole(folder / "run.json", f"{text}\n")
    write_whole(folder / "report.md", as_markdown(report))
    write_whole(folder / "report.html", as_html(report))


def reopened(path: Path, read: Callable[[Path], list[V]]) -> Run[V]:
    """Return an earlier run, to be scored again.

    Args:
        path: A run's folder, or a verdict file.
        read: Reads its verdicts.

    Raises:
        BadInput: It is neither.
    """
    verdicts = read(path)
    about = {AGAIN: str(path)}
    kept = path / "run.json"
    if path.is_dir() and kept.is_file():
        try:
            said: dict[str, Any] = json.loads(read_text(kept))
            about |= {str(k): str(v) for k, v in said["about"].items()}
        except (ValueError, KeyError, AttributeError, TypeError):
            raise BadInput(f"{kept}: is not what a run writes; delete it to go on.") from None
    return Run(verdicts, about)


def read_verdicts(path: Path, form: type[Row], verdict: Callable[[Row], V]) -> list[V]:
    """Return the verdicts of a file, or of a run's folder.

    Args:
        path: A verdict file, or the folder of a run.
        form: What a line must be.
        verdict: Makes a verdict of a line.

    Raises:
        BadInput: The file is missing or a line is no verdict; names file, line and field.
    """
    file = path / "verdicts.jsonl" if path.is_dir() else path
    found = [verdict(row) for _, row in read_rows(file, form)]
    if not found:
        raise BadInput(f"{file}: holds no verdict.")
    return found


def word_for_word(cases: Iterable[Iterable[str]], examples: Iterable[str]) -> int:
    """Count the cases that hold a text which is an example, but for case and white space."""
    known = {" ".join(text.casefold().split()) for text in examples}
    return sum(any(" ".join(text.casefold().split()) in known for text in one) for one in cases)


def finished(seconds: float) -> dict[str, str]:
    """Return how long a run took and when it ended, for the head of its report."""
    return {
        "took": f"{seconds:.0f} s",
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
