"""A report as one page without scripts or anything fetched. Every text goes through escaping."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from evals.report import (
    CurveWords,
    Report,
    comparison_tables,
    curve_table,
    miss_head,
    miss_rows,
    sections,
)
from evals.scores import Cell, CurvePoint, Miss, Outside, Table

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
    words, scores = report.words, report.scores
    parts = [_tag("h1", words.title), _table(Table((), list(report.about.items())))]
    if report.gate_failures is not None:
        parts.append(_tag("h2", "Gate"))
        if report.gate_failures:
            items = "".join(_tag("li", sentence, "bad") for sentence in report.gate_failures)
            parts.append(f"<ul>{items}</ul>")
        else:
            parts.append(_tag("p", "Every gate holds.", "good"))
    if scores is None:
        parts.append(_tag("p", "The data has no labels: verdicts only, no scores."))
    else:
        for section in sections(words, scores):
            parts.append(_tag("h2", section.title))
            parts.extend(map(_table, section.tables))
            if section.curve:
                parts.append(_curve(words.curve, section.curve))
        if report.comparison:
            parts.append(_tag("h2", f"Beside the run {report.comparison.name}"))
            parts.extend(map(_table, comparison_tables(words, report.comparison)))
        parts.append(_tag("h2", f"Misses ({len(scores.misses)})"))
        parts.extend(map(_miss, scores.misses))
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(words.title)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n</body></html>\n"
    )


def _tag(name: str, text: str, css: str = "") -> str:
    attribute = f' class="{escape(css)}"' if css else ""
    return f"<{name}{attribute}>{escape(text)}</{name}>"


def _table(table: Table) -> str:
    lead = _tag("p", table.lead) if table.lead else ""
    if not table.rows:
        return lead
    top = "".join(_tag("th", _text(cell)) for cell in table.head)
    top = f"<thead><tr>{top}</tr></thead>" if top else ""
    body = "".join(
        f"<tr>{''.join(_tag('td', _text(cell), 'number' if at else '') for at, cell in enumerate(row))}</tr>"
        for row in table.rows
    )
    return f"{lead}<table>{top}<tbody>{body}</tbody></table>"


def _text(cell: Cell) -> str:
    return cell.text if isinstance(cell, Outside) else cell


def _curve(words: CurveWords, points: Sequence[CurvePoint]) -> str:
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
        f'text-anchor="middle">coverage: {escape(words.coverage)}</text>'
        f'<text x="{_PAD}" y="{_PAD - 12}" font-size="12" fill="currentColor">'
        f"risk: {escape(words.risk)} (top {highest:.0%})</text></svg>"
    )
    table = _table(curve_table(words, points))
    return f"{picture}<details><summary>Risk and coverage in figures</summary>{table}</details>"


def _miss(miss: Miss) -> str:
    head = " · ".join(part for part in (miss_head(miss), miss.what, miss.kind) if part)
    pair = "".join(
        f"<div>{_tag('span', label, 'label')}\n{escape(words)}</div>"
        for label, words in miss.beside
    )
    beside = f'<div class="passages">{pair}</div>' if pair else ""
    return f"<details>{_tag('summary', head)}{beside}{_table(Table((), miss_rows(miss)))}</details>"
