"""What a report holds, and a report as Markdown. ``evals/report_html.py`` makes the page.

Texts of cases come from outside: in Markdown they stand in code spans, on the page as escaped text;
nowhere do they become markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from evals.scores import Bin, Cell, CurvePoint, Figure, Miss, Outside, Scores, Table, share

COVERAGES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_LONGEST: Final = 1_500  # characters of a passage in a table of misses
_FIGURES: Final = ("figure", "value", "count", "95 % interval")
_RELIABILITY: Final = ("confidence", "cases", "said, on average", "came true", "95 % interval")


class Verdict(Protocol):
    """What a suite found out about one case."""

    @property
    def id(self) -> str:
        """Id of the case."""

    @property
    def probe(self) -> str:
        """What was asked of it."""

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as a line of a verdict file."""


@dataclass(frozen=True, slots=True)
class CurveWords:
    """How a suite speaks of risk and coverage.

    Attributes:
        lead: The sentence above the table.
        coverage: What the share of cases means.
        risk: What the share among them means.
        head: Heads of the columns: coverage, threshold, risk.
        of_confidence: Whether a case passes from a confidence on, which is 1 - score.
    """

    lead: str
    coverage: str
    risk: str
    head: tuple[str, str, str]
    of_confidence: bool = False


@dataclass(frozen=True)
class Words:
    """How a suite calls what it measures.

    Attributes:
        suite: Its name on the command line and in gates.
        title: Head of its report.
        cases: What it runs on, such as ``edits``.
        titles: Probe → head of its section.
        measures: Measure → what it is called.
        headlines: Measures that the command line prints.
        curve: How it speaks of risk and coverage.
        opening: Head of the section that stands first, from ``Scores.tables[""]``.
        kinds: Probe → what the rows are called, where all kinds make one table.
    """

    suite: str
    title: str
    cases: str
    titles: Mapping[str, str]
    measures: Mapping[str, str]
    headlines: Sequence[str]
    curve: CurveWords
    opening: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flip:
    """A verdict that is another than in the earlier run; ``was`` and ``now`` come from outside."""

    id: str
    probe: str
    was: str
    now: str
    better: bool | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run beside an earlier one.

    Attributes:
        name: What the earlier run is called.
        figures: Its figures, on the cases that both runs judged.
        now: The figures of this run on the same cases.
        flips: Verdicts that changed.
        shared: How many cases both runs judged.
    """

    name: str
    figures: Mapping[str, Figure]
    now: Mapping[str, Figure]
    flips: Sequence[Flip]
    shared: int


@dataclass(frozen=True)
class Report:
    """Everything that a report says.

    Attributes:
        words: How the suite calls things.
        about: Facts of the run, such as data, judge and time, as label → words.
        scores: Figures, curves and misses; None when the data has no labels.
        verdicts: Of every probe that ran.
        comparison: With an earlier run.
        gate_failures: One sentence for every gate that does not hold; None when no gate was given.
    """

    words: Words
    about: Mapping[str, str]
    scores: Scores | None
    verdicts: Sequence[Verdict]
    comparison: Comparison | None = None
    gate_failures: Sequence[str] | None = None


@dataclass(frozen=True)
class Section:
    """One part of a report."""

    title: str
    tables: Sequence[Table]
    curve: Sequence[CurvePoint] = ()


def sections(words: Words, scores: Scores) -> Iterator[Section]:
    """Yield the parts of a report that hold figures, in the order they were scored."""
    if opening := scores.tables.get(""):
        yield Section(words.opening, opening)
    for probe, figures in by_probe(scores.figures).items():
        rowed = probe in words.kinds
        shown_alone = {name: one for name, one in figures.items() if not (rowed and _kind(name))}
        tables = [
            Table(
                _FIGURES, [(_label(words, name), *shown(one)) for name, one in shown_alone.items()]
            )
        ]
        tables += scores.tables.get(probe, ())
        if rowed:
            tables.append(by_kind(words, probe, figures))
        if bins := scores.reliability.get(probe):
            tables.append(_reliability(bins))
        yield Section(words.titles.get(probe, probe), tables, scores.curves.get(probe, ()))


def by_probe(figures: Mapping[str, Figure]) -> dict[str, dict[str, Figure]]:
    """Return probe → name → figure, in the order they were scored."""
    found: dict[str, dict[str, Figure]] = {}
    for name, figure in figures.items():
        found.setdefault(name.partition(".")[0], {})[name] = figure
    return found


def by_kind(words: Words, probe: str, figures: Mapping[str, Figure]) -> Table:
    """Return a table with a row for every kind, the lowest last measure first."""
    rows: dict[str, dict[str, Figure]] = {}
    measures: dict[str, None] = {}
    for name, figure in figures.items():
        if kind := _kind(name):
            measure = name.split(".")[1]
            measures[measure] = None
            rows.setdefault(kind, {})[measure] = figure

    last = list(measures)[-1:]

    def worst(kind: str) -> tuple[float, str]:
        value = next((rows[kind][one].value for one in last if one in rows[kind]), None)
        return (2.0 if value is None else value, kind)

    return Table(
        (words.kinds[probe], *(words.measures.get(one, one) for one in measures)),
        [
            (
                Outside(kind),
                *(_line(rows[kind].get(one, Figure(None, 0))) for one in measures),
            )
            for kind in sorted(rows, key=worst)
        ],
    )


def _reliability(bins: Sequence[Bin]) -> Table:
    rows = []
    for one in bins:
        true = share(one.right, one.n)
        rows.append(
            (
                f"{one.low:.2f} – {one.high:.2f}",
                str(one.n),
                f"{one.confidence:.3f}",
                *shown(true)[::2],
            )
        )
    return Table(_RELIABILITY, rows, "How often what was said with a confidence came true:")


def _kind(name: str) -> str:
    return ".".join(name.split(".")[2:])


def label_of(words: Words, name: str) -> str:
    """Return what a figure is called in a report: ``recall on changed · duration``."""
    said, kind = words_of(words, name)
    return f"{said} · {kind}" if kind else said


def words_of(words: Words, name: str) -> tuple[str, str]:
    """Return the words for a figure and the kind of case it is about, ``""`` for all kinds.

    The kind comes from the data: it is text from outside.
    """
    measure = name.split(".")[1]
    printable = "".join(letter for letter in _kind(name) if letter.isprintable())
    return words.measures.get(measure, measure), printable


def _label(words: Words, name: str) -> Cell:
    said, kind = words_of(words, name)
    return Outside(f"{said} · {kind}") if kind else said


def shown(figure: Figure) -> tuple[str, str, str]:
    """Return value, count and interval of a figure as words."""
    if figure.value is None:
        return "–", f"0 of {figure.n}" if figure.n else "no case", "–"
    value = f"{figure.value:.3f}"
    if figure.hits is None or figure.low is None or figure.high is None:
        return value, str(figure.n), "–"
    return value, f"{figure.hits} of {figure.n}", f"{figure.low:.2f} – {figure.high:.2f}"


def in_a_line(figure: Figure) -> str:
    """Return a figure as words in one line."""
    value, count, interval = shown(figure)
    return f"{value} ({count}, {interval})"


def _line(figure: Figure) -> str:
    return (
        "–"
        if figure.value is None
        else shown(figure)[0]
        if figure.hits is None
        else in_a_line(figure)
    )


def sampled(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """Return the last point within each tenth of coverage."""
    found: list[CurvePoint] = []
    for coverage in COVERAGES:
        within = [point for point in points if point.coverage <= coverage + 1e-9]
        if within and (not found or within[-1] != found[-1]):
            found.append(within[-1])
    return found


def curve_table(words: CurveWords, points: Sequence[CurvePoint]) -> Table:
    """Return risk and coverage in figures."""
    return Table(
        words.head,
        [
            (
                f"{point.coverage:.0%}",
                f"{1 - point.threshold if words.of_confidence else point.threshold:.3f}",
                f"{point.risk:.1%}",
            )
            for point in sampled(points)
        ],
        words.lead,
    )


def clipped(text: str) -> str:
    """Return ``text`` in one line, shortened to what a table can hold."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def miss_head(miss: Miss) -> str:
    """Return which case and probe a miss is about; text from outside."""
    return f"{miss.id} · {miss.probe}"


def miss_rows(miss: Miss) -> list[tuple[str, str]]:
    """Return what stands below a miss, as label and words; empty ones are left out."""
    return [(label, words) for label, words in miss.rows if words.strip()]


def comparison_tables(words: Words, comparison: Comparison) -> list[Table]:
    """Return what moved and which verdicts are others; a table without rows where nothing did."""
    rows: list[tuple[Cell, ...]] = []
    for name, now in comparison.now.items():
        then = comparison.figures.get(name)
        if then is None or now.value is None or then.value is None or name.endswith(".seconds"):
            continue
        if abs(now.value - then.value) >= 0.0005:
            moved = f"{now.value - then.value:+.3f}"
            rows.append((Outside(name), f"{then.value:.3f}", f"{now.value:.3f}", moved))
    lead = f"{comparison.shared} {words.cases} were judged by both."
    tables = [
        Table(
            ("figure", "then", "now", "difference"),
            rows,
            lead if rows else f"{lead} No figure moved.",
        )
    ]
    if comparison.flips:
        tables.append(
            Table(
                (words.cases, "probe", "then", "now", ""),
                [
                    (Outside(one.id), one.probe, Outside(one.was), Outside(one.now), told(one))
                    for one in comparison.flips
                ],
                f"{len(comparison.flips)} verdicts are others:",
            )
        )
    return tables


def told(flip: Flip) -> str:
    """Return whether a changed verdict is better, in a word."""
    return "" if flip.better is None else "better" if flip.better else "worse"


# Markdown


def as_markdown(report: Report) -> str:
    """Return the report as Markdown; text from outside stands in code spans."""
    words, scores = report.words, report.scores
    lines = [f"# {words.title}", ""]
    lines += [f"- {label}: {_code(said)}" for label, said in report.about.items()]
    if report.gate_failures is not None:
        lines += ["", "## Gate", ""]
        lines += [f"- {_code(said)}" for said in report.gate_failures] or ["Every gate holds."]
    if scores is None:
        return "\n".join([*lines, "", "The data has no labels: verdicts only, no scores.", ""])
    for section in sections(words, scores):
        lines += ["", f"## {section.title}"]
        for table in section.tables:
            lines += _table(table)
        if section.curve:
            lines += _table(curve_table(words.curve, section.curve))
    if report.comparison:
        lines += ["", f"## Beside the run {_code(report.comparison.name)}"]
        for table in comparison_tables(words, report.comparison):
            lines += _table(table)
    lines += ["", f"## Misses ({len(scores.misses)})", ""]
    for miss in scores.misses:
        kind = f" ({_code(miss.kind)})" if miss.kind else ""
        lines += [f"### {_code(miss_head(miss))} {miss.what}{kind}", ""]
        below = [*miss.beside, *miss_rows(miss)]
        lines += [f"- {label}: {_code(clipped(said))}" for label, said in below if said.strip()]
        lines.append("")
    return "\n".join([*lines, ""])


def _code(text: str) -> str:
    """Return untrusted text as a code span that nothing in it can leave."""
    line = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _table(table: Table) -> list[str]:
    lines = ["", table.lead] if table.lead else []
    if not table.rows:
        return lines
    return [
        *lines,
        "",
        f"| {' | '.join(map(_cell, table.head))} |",
        f"|{' --- |' * len(table.head)}",
        *(f"| {' | '.join(map(_cell, row))} |" for row in table.rows),
    ]


def _cell(cell: Cell) -> str:
    text = _code(cell.text) if isinstance(cell, Outside) else cell
    return text.replace("|", "\\|")


def as_json(report: Report) -> dict[str, Any]:
    """Return run and figures as plain JSON, for `--json` and for the run's folder."""
    scores = report.scores
    return {
        "suite": report.words.suite,
        "about": dict(report.about),
        "figures": None
        if scores is None
        else {name: figure.as_json() for name, figure in scores.figures.items()},
        "misses": None
        if scores is None
        else [
            {"id": one.id, "probe": one.probe, "kind": one.kind, "what": one.what}
            for one in scores.misses
        ],
        "gate": None if report.gate_failures is None else list(report.gate_failures),
    }
