"""What a report holds, and a report as Markdown. ``evals/report_html.py`` makes the page.

Passages, questions and answers come from outside: in Markdown they stand in code spans, on the page
as escaped text; nowhere do they become markup.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from evals.stale_scores import CurvePoint, Figure, Miss, Scores
from evals.stale_verdicts import Verdict

COVERAGES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_LONGEST: Final = 1_500  # characters of a passage in a table of misses


@dataclass(frozen=True, slots=True)
class Flip:
    """A verdict that is another than in the earlier run."""

    id: str
    probe: str
    was: bool
    now: bool
    better: bool | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run beside an earlier one.

    Attributes:
        name: What the earlier run is called.
        figures: Its figures, on the edits that both runs judged.
        now: The figures of this run on the same edits.
        flips: Verdicts that changed.
        shared: How many edits both runs judged.
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
        about: Facts of the run, such as data, judge and time, as label → words.
        scores: Figures, curves and misses; None when the data has no labels.
        verdicts: Of every probe that ran.
        comparison: With an earlier run.
        gate_failures: One sentence for every gate that does not hold; None when no gate was given.
    """

    about: Mapping[str, str]
    scores: Scores | None
    verdicts: Sequence[Verdict]
    comparison: Comparison | None = None
    gate_failures: Sequence[str] | None = None
    probes: Sequence[str] = field(default_factory=tuple)


TITLES: Final[Mapping[str, str]] = {
    "diff": "diff: did a fact change between the two passages?",
    "draft_old": "draft_old: the outdated answer, checked against the new article",
    "draft_new": "draft_new: the right answer, checked against the new article",
    "draft_old_with_history": "draft_old, where the desk has seen the older version",
    "draft_new_with_history": "draft_new, where the desk has seen the older version",
    "approve": "approve: a draft from the older version, approved after the sync",
    "twins": "twins: both versions in force as two sources",
    "ask": "ask: the question through the whole graph, both versions synced in order",
    "plain_rag": "Baseline: plain LangChain RAG with both versions indexed",
    "text_differs": "Baseline: the text differs",
    "token_rule": "Baseline: a number, negation or date token differs",
}
_MEASURES: Final[Mapping[str, str]] = {
    "auroc": "AUROC of the score",
    "recall": "recall on changed",
    "false_alarms": "false alarms",
    "precision": "precision",
    "f1": "F1",
    "drafted": "questions that got a draft",
    "stale": "stale drafts",
    "rests_on_new": "drafts that cite the newer passage",
    "old_value": "drafts that state an old value",
    "new_value": "drafts that state the new value",
    "seconds": "seconds an edit (median)",
}


def label_of(name: str) -> str:
    """Return what a figure is called in a report: ``recall on changed · duration``."""
    words, kind = words_of(name)
    return f"{words} · {kind}" if kind else words


def words_of(name: str) -> tuple[str, str]:
    """Return the words for a figure and the kind of change it is about, ``""`` for all kinds.

    The kind comes from the data: it is text from outside.
    """
    _, measure, *kind = name.split(".")
    printable = "".join(letter for letter in ".".join(kind) if letter.isprintable())
    return _MEASURES.get(measure, measure), printable


def by_probe(figures: Mapping[str, Figure]) -> dict[str, dict[str, Figure]]:
    """Return probe → name → figure, in the order they were scored."""
    found: dict[str, dict[str, Figure]] = {}
    for name, figure in figures.items():
        found.setdefault(name.partition(".")[0], {})[name] = figure
    return found


def shown(figure: Figure) -> tuple[str, str, str]:
    """Return value, count and interval of a figure as words."""
    if figure.value is None:
        return "–", f"0 of {figure.n}" if figure.n else "no case", "–"
    value = f"{figure.value:.3f}"
    if figure.hits is None or figure.low is None or figure.high is None:
        return value, str(figure.n), "–"
    return value, f"{figure.hits} of {figure.n}", f"{figure.low:.2f} – {figure.high:.2f}"


def sampled(points: Sequence[CurvePoint]) -> list[CurvePoint]:
    """Return the last point within each tenth of coverage."""
    found: list[CurvePoint] = []
    for coverage in COVERAGES:
        within = [point for point in points if point.coverage <= coverage + 1e-9]
        if within and (not found or within[-1] != found[-1]):
            found.append(within[-1])
    return found


def beside_baseline(figures: Mapping[str, Figure]) -> list[tuple[str, str, str]]:
    """Return label, ours, plain RAG: the figures of ``ask`` beside the usual way."""
    rows: list[tuple[str, str, str]] = []
    for measure in ("old_value", "stale", "new_value", "rests_on_new", "drafted"):
        ours, usual = figures.get(f"ask.{measure}"), figures.get(f"plain_rag.{measure}")
        if ours and usual:
            rows.append((label_of(f"ask.{measure}"), _line(ours), _line(usual)))
    return rows


def _line(figure: Figure) -> str:
    value, count, interval = shown(figure)
    return f"{value} ({count}, {interval})"


def clipped(text: str) -> str:
    """Return ``text`` in one line, shortened to what a table can hold."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def moves(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    """Return figure, then, now, difference, of the figures that moved."""
    rows: list[tuple[str, str, str, str]] = []
    for name, now in comparison.now.items():
        then = comparison.figures.get(name)
        if then is None or now.value is None or then.value is None or name.endswith(".seconds"):
            continue
        if abs(now.value - then.value) >= 0.0005:
            moved = f"{now.value - then.value:+.3f}"
            rows.append((name, f"{then.value:.3f}", f"{now.value:.3f}", moved))
    return rows


# Markdown


def as_markdown(report: Report) -> str:
    """Return the report as Markdown; text from outside stands in code spans."""
    lines = ["# Stale suite", ""]
    lines += [f"- {label}: {_code(words)}" for label, words in report.about.items()]
    if report.gate_failures is not None:
        lines += ["", "## Gate", ""]
        lines += [f"- {sentence}" for sentence in report.gate_failures] or ["Every gate holds."]
    if report.scores is None:
        return "\n".join([*lines, "", "The data has no labels: verdicts only, no scores.", ""])
    scores = report.scores
    if rows := beside_baseline(scores.figures):
        lines += ["", "## Stale answers, beside the usual way", ""]
        lines += _table(("", "Proofdesk", "plain LangChain RAG"), rows)
    for probe, figures in by_probe(scores.figures).items():
        lines += ["", f"## {TITLES.get(probe, probe)}", ""]
        lines += _table(
            ("figure", "value", "count", "95 % interval"),
            [(_label(name), *shown(figure)) for name, figure in figures.items()],
        )
        if points := scores.curves.get(probe):
            lines += ["", "Let the edits with the lowest scores pass without a look:", ""]
            lines += _table(
                ("pass", "score up to", "changed among them"),
                [
                    (f"{p.coverage:.0%}", f"{p.threshold:.3f}", f"{p.risk:.1%}")
                    for p in sampled(points)
                ],
            )
    if report.comparison:
        lines += _compared(report.comparison)
    lines += ["", f"## Misses ({len(scores.misses)})", ""]
    for miss in scores.misses:
        lines += _miss(miss)
    return "\n".join([*lines, ""])


def _compared(comparison: Comparison) -> list[str]:
    lines = ["", f"## Beside the run {_code(comparison.name)}", ""]
    lines += [f"{comparison.shared} edits were judged by both.", ""]
    moved = moves(comparison)
    coded = [(_code(name), *rest) for name, *rest in moved]
    lines += (
        _table(("figure", "then", "now", "difference"), coded) if moved else ["No figure moved."]
    )
    if comparison.flips:
        lines += ["", f"{len(comparison.flips)} verdicts are others:", ""]
        lines += _table(
            ("edit", "probe", "then", "now", ""),
            [(_code(f.id), f.probe, _flag(f.was), _flag(f.now), told(f)) for f in comparison.flips],
        )
    return lines


def told(flip: Flip) -> str:
    """Return whether a changed verdict is better, in a word."""
    return "" if flip.better is None else "better" if flip.better else "worse"


def _flag(flagged: bool) -> str:
    return "flagged" if flagged else "passed"


def _miss(miss: Miss) -> list[str]:
    case, verdict = miss.case, miss.verdict
    lines = [
        f"### {_code(f'{case.id} · {verdict.probe}')} {miss.what} ({_code(miss.label.kind)})",
        "",
    ]
    for label, words in miss_rows(miss):
        lines.append(f"- {label}: {_code(clipped(words))}")
    return [*lines, ""]


def miss_rows(miss: Miss) -> list[tuple[str, str]]:
    """Return what a reader needs to judge a miss, as label and words; empty ones are left out."""
    case, verdict = miss.case, miss.verdict
    rows = [
        ("old passage", case.old_passage),
        ("new passage", case.new_passage),
        ("question", case.question),
        ("old answer", case.old_answer),
        ("new answer", case.new_answer),
        ("draft", verdict.draft or ""),
        ("cited", " ¶ ".join(verdict.cited or ())),
        ("score", f"{verdict.score:.3f}"),
        ("why", verdict.why),
    ]
    return [(label, words) for label, words in rows if words.strip()]


def _label(name: str) -> str:
    words, kind = words_of(name)
    return f"{words} · {_code(kind)}" if kind else words


def _code(text: str) -> str:
    """Return untrusted text as a code span that nothing in it can leave."""
    line = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{' --- |' * len(head)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
    ]


def as_json(report: Report) -> dict[str, Any]:
    """Return run and figures as plain JSON, for `--json` and for the run's folder."""
    scores = report.scores
    return {
        "suite": "stale",
        "about": dict(report.about),
        "figures": None
        if scores is None
        else {name: figure.as_json() for name, figure in scores.figures.items()},
        "misses": None
        if scores is None
        else [
            {"id": m.case.id, "probe": m.verdict.probe, "kind": m.label.kind, "what": m.what}
            for m in scores.misses
        ],
        "gate": None if report.gate_failures is None else list(report.gate_failures),
    }
