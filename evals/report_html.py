"""A report as one page without scripts or anything fetched. Every text goes through escaping."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from evals.report import (
    TITLES,
    Comparison,
    Report,
    beside_baseline,
    by_probe,
    label_of,
    miss_rows,
    moves,
    sampled,
    shown,
    told,
)
from evals.stale_scores import CurvePoint, Miss

_STYLE: Final = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1c1f24; background: #fff; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-top: 1px solid #d8dbe0; padding-top: 1rem; }
table { border-collapse: collapse; margin: .75rem 0; } td, th { text-align: left; padding: .2rem .75rem
  .2rem 0; vertical-align: top; } th { font-weight: 600; border-bottom: 1px solid #aab; }
td.number { font-variant-numeric: tabular-nums; } .bad { color: #a4161a; } .good { color: #1b6e3c; }
details { margin: .5rem 0; border-left: 3px solid #d8dbe0; padding-left: .75rem; }
summary { cursor: pointer; } .passages { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.passages div { background: #f5f6f8; padding: .5rem .75rem; white-space: pre-wrap;
  overflow-wrap: anywhere; } .label { font-weight: 600; } svg { max-width: 100%; }
@media (prefers-color-scheme: dark) { body { color: #e6e8ec; background: #16181c; }
  .passages div { background: #22262c; } h2, details { border-color: #3a3f47; }
  .bad { color: #ff8f8f; } .good { color: #7fd6a0; } }
"""
_WIDTH: Final = 420
_HEIGHT: Final = 220
_PAD: Final = 36


def as_html(report: Report) -> str:
    """Return the report as a page."""
    parts = [_tag("h1", "Stale suite"), _rows_table((), report.about.items())]
    if report.gate_failures is not None:
        parts.append(_tag("h2", "Gate"))
        if report.gate_failures:
            items = "".join(_tag("li", sentence, "bad") for sentence in report.gate_failures)
            parts.append(f"<ul>{items}</ul>")
        else:
            parts.append(_tag("p", "Every gate holds.", "good"))
    if report.scores is None:
        parts.append(_tag("p", "The data has no labels: verdicts only, no scores."))
    else:
        scores = report.scores
        if rows := beside_baseline(scores.figures):
            parts.append(_tag("h2", "Stale answers, beside the usual way"))
            parts.append(_rows_table(("", "Proofdesk", "plain LangChain RAG"), rows))
        for probe, figures in by_probe(scores.figures).items():
            parts.append(_tag("h2", TITLES.get(probe, probe)))
            parts.append(
                _rows_table(
                    ("figure", "value", "count", "95 % interval"),
                    [(label_of(name), *shown(figure)) for name, figure in figures.items()],
                )
            )
            if points := scores.curves.get(probe):
                parts.append(_curve(points))
        if report.comparison:
            parts.append(_comparison(report.comparison))
        parts.append(_tag("h2", f"Misses ({len(scores.misses)})"))
        parts.extend(_miss(miss) for miss in scores.misses)
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Stale suite</title><style>{_STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _tag(name: str, text: str, css: str = "") -> str:
    attribute = f' class="{escape(css)}"' if css else ""
    return f"<{name}{attribute}>{escape(text)}</{name}>"


def _rows_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = f"<thead><tr>{''.join(_tag('th', cell) for cell in head)}</tr></thead>" if head else ""
    body = "".join(
        f"<tr>{''.join(_tag('td', cell, 'number' if at else '') for at, cell in enumerate(row))}</tr>"
        for row in rows
    )
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _curve(points: Sequence[CurvePoint]) -> str:
    highest = max(0.05, *(point.risk for point in points))
    x = _WIDTH - 2 * _PAD
    y = _HEIGHT - 2 * _PAD
    line = " ".join(
        f"{_PAD + point.coverage * x:.1f},{_HEIGHT - _PAD - point.risk / highest * y:.1f}"
        for point in points
    )
    picture = (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" '
        'aria-label="Risk against coverage">'
        f'<path d="M{_PAD},{_PAD} V{_HEIGHT - _PAD} H{_WIDTH - _PAD}" fill="none" stroke="#889"/>'
        f'<polyline points="{line}" fill="none" stroke="#3b6fd4" stroke-width="2"/>'
        f'<text x="{_WIDTH / 2:.0f}" y="{_HEIGHT - 8}" font-size="12" fill="currentColor" '
        'text-anchor="middle">coverage: share that passes without a look</text>'
        f'<text x="{_PAD}" y="{_PAD - 12}" font-size="12" fill="currentColor">'
        f"risk: share of those that changed (top {highest:.0%})</text></svg>"
    )
    table = _rows_table(
        ("pass", "score up to", "changed among them"),
        [(f"{p.coverage:.0%}", f"{p.threshold:.3f}", f"{p.risk:.1%}") for p in sampled(points)],
    )
    return f"{picture}<details><summary>Risk and coverage in figures</summary>{table}</details>"


def _comparison(comparison: Comparison) -> str:
    parts = [
        _tag("h2", f"Beside the run {comparison.name}"),
        _tag("p", f"{comparison.shared} edits were judged by both."),
    ]
    moved = moves(comparison)
    if moved:
        parts.append(_rows_table(("figure", "then", "now", "difference"), moved))
    else:
        parts.append(_tag("p", "No figure moved."))
    if comparison.flips:
        parts.append(_tag("p", f"{len(comparison.flips)} verdicts are others:"))
        parts.append(
            _rows_table(
                ("edit", "probe", "then", "now", ""),
                [
                    (
                        flip.id,
                        flip.probe,
                        "flagged" if flip.was else "passed",
                        "flagged" if flip.now else "passed",
                        told(flip),
                    )
                    for flip in comparison.flips
                ],
            )
        )
    return "".join(parts)


def _miss(miss: Miss) -> str:
    case, verdict = miss.case, miss.verdict
    rest = [row for row in miss_rows(miss) if row[0] not in ("old passage", "new passage")]
    head = f"{case.id} · {verdict.probe} · {miss.what} · {miss.label.kind}"
    return (
        f"<details>{_tag('summary', head)}"
        f'<div class="passages"><div>{_tag("span", "old", "label")}\n{escape(case.old_passage)}</div>'
        f"<div>{_tag('span', 'new', 'label')}\n{escape(case.new_passage)}</div></div>"
        f"{_rows_table((), rest)}</details>"
    )
