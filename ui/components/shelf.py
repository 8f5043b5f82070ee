"""The help center as a list: its articles, what a search finds, what a sync did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import streamlit as st

from desk.render_changes import resting_line, was_and_now
from desk.views import ArticleLine
from graph.draft import content_words
from retrieval.ports import Hit
from ui.components.evidence import origin
from ui.components.labels import (
    exact_at_hand,
    exactly,
    plainly,
    table_moment,
    when,
)
from ui.components.notice import Tone, empty, notice
from ui.components.text import Markup, Span, marked, readable_text, say, show, tag, words

TABLE: Final = "sources.table"
DRAWN: Final = "sources.drawn"
_ROW: Final = 33
_MOST_ROWS: Final = 12
_MOST_BESIDE: Final = 5  # where an article is open below
_MOST_TOLD: Final = 6
_MOST_PROBLEMS: Final = 20
_WORD: Final = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*")


def article_table(
    lines: Sequence[ArticleLine], opened: str | None, now: datetime
) -> ArticleLine | None:
    """Show articles as a table; return the one that was chosen.

    Args:
        lines: The page.
        opened: Id of the article that is open; it need not be on the page.
        now: The moment.
    """
    ids = [line.id for line in lines]
    event = st.dataframe(
        [_row(line, now) for line in lines],
        key=f"{TABLE}.{st.session_state.get(DRAWN, 0)}",
        hide_index=True,
        height=_ROW * (min(len(lines), _MOST_BESIDE if opened else _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [ids.index(opened)] if opened in ids else []}},
        alt="Articles and macros",
        column_config={
            **exact_at_hand("In force since", "Last reviewed"),
            "Kind": st.column_config.TextColumn(width=80),
            "Version": st.column_config.TextColumn(width=70),
            "Look at": st.column_config.TextColumn(width=150),
        },
    )
    rows = [row for row in event["selection"]["rows"] if row < len(lines)]
    return lines[rows[0]] if rows else None


def _row(line: ArticleLine, now: datetime) -> dict[str, str]:
    return {
        "Title": readable_text(line.title),
        "Kind": plainly(line.kind),
        "Owner": readable_text(line.owner or "Nobody"),
        "Version": str(line.version),
        **table_moment("In force since", line.in_force_since, now, "Not in force"),
        **table_moment("Last reviewed", line.last_reviewed, now, "Never"),
        "Look at": ", ".join(plainly(flag) for flag in line.flags),
    }


def search_results(hits: Sequence[Hit], question: str, now: datetime) -> None:
    """Show the passages that a search found, its words marked."""
    if not hits:
        empty("Nothing in force says that", "Use other words, or sync the help center.")
    for hit in hits:
        passage = hit.passage
        show(
            tag(
                "div",
                "pd-passage",
                tag("div", "pd-source", words(passage.context)),
                tag("div", "pd-words", marked(passage.plain, found_words(passage.plain, question))),
                tag(
                    "div",
                    "pd-faint pd-provenance",
                    words(f"{origin(passage)} · in force since "),
                    when(passage.effective_from, now),
                    words(f" · {passage.owner or 'nobody owns it'}"),
                ),
            )
        )


def found_words(text: str, question: str) -> list[Span]:
    """Return where the words of a question stand in ``text``, whatever their endings."""
    sought = set(content_words(question))
    return [
        Span(word.start(), word.end(), "found")
        for word in _WORD.finditer(text)
        if sought.intersection(content_words(word.group()))
    ]


def sync_report(report: dict[str, Any], at: datetime) -> None:
    """Show what a sync did: counts, the facts that changed, what could not be read."""
    counts = {
        "new": len(report["new"]),
        "changed": len(report["changed"]),
        "gone": len(report["gone"]),
        "not read": len(report["failed"]),
    }
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    tone: Tone = "warning" if report["failed"] else "good"
    changed = report.get("facts_count", 0)
    passages = "1 passage tells" if changed == 1 else f"{changed} passages tell"
    told = f" {passages} a reader something else." if changed else ""
    resting = resting_line(report.get("impact", {}))
    notice(
        f"Synced: {said}; {report['unchanged']} as they were.{told} {resting}", tone, exactly(at)
    )
    facts = report.get("facts", [])
    if facts:
        show(tag("div", "pd-facts", *_told(facts[:_MOST_TOLD])))
    if changed > _MOST_TOLD:
        say(f"And {changed - _MOST_TOLD} more under “What changed”.", "pd-faint")
    for problem in report.get("withheld", [])[:_MOST_PROBLEMS]:
        say(f"The macro {problem['path']} is not used now: {problem['reason']}", "pd-faint")
    for problem in [*report["failed"], *report["notes"]][:_MOST_PROBLEMS]:
        say(f"{problem['path']}: {problem['reason']}", "pd-faint")


def _told(facts: Sequence[dict[str, Any]]) -> list[Markup]:
    return [
        fact_line(fact["title"], fact["heading"], old, new)
        for fact in facts
        for old, new in was_and_now(fact)
    ]


def fact_line(title: str, heading: str, old: str, new: str) -> Markup:
    """Return one changed fact in a line: where it stands, what it was, what it is."""
    place = " › ".join(dict.fromkeys(part for part in (title, heading) if part))
    return tag(
        "div",
        "pd-fact",
        tag("span", "pd-faint pd-fact-place", words(place)),
        tag("span", "pd-was", words(old or "not said before")),
        tag("span", "pd-fact-arrow", words("→")),
        tag("span", "pd-is", words(new or "no longer said")),
    )
