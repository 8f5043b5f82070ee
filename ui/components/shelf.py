"""The help center: its articles, their versions, what a search finds, what a sync did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import streamlit as st

from desk.render_changes import resting_line
from desk.views import ArticleLine, Shelf, VersionLine
from graph.draft import content_words
from kb.library import Library
from retrieval.ports import Hit
from ui.components.evidence import old_beside_new, origin
from ui.components.labels import chip, exactly, plainly, relative, warning_chip, when
from ui.components.notice import Tone, empty, notice
from ui.components.text import Span, marked, readable_text, say, show, tag, words

TABLE: Final = "sources.table"
_WORD: Final = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*")


def article_table(lines: Sequence[ArticleLine], now: datetime) -> ArticleLine | None:
    """Show articles as a table; return the one that was chosen."""
    event = st.dataframe(
        [_row(line, now) for line in lines],
        key=TABLE,
        hide_index=True,
        height=min(len(lines), 8) * 35 + 40,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
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
        "In force since": relative(line.in_force_since, now)
        if line.in_force_since
        else "Not in force",
        "Last reviewed": relative(line.last_reviewed, now) if line.last_reviewed else "Never",
        "Look at": ", ".join(plainly(flag) for flag in line.flags),
    }


def article_shown(shelf: Shelf, library: Library, line: ArticleLine, now: datetime) -> None:
    """Show one article: its text, and any of its versions beside another."""
    versions = shelf.versions(line.id)
    flags = [warning_chip(plainly(flag)) for flag in line.flags]
    standing = chip("In force") if line.in_force_since else warning_chip("Not in force")
    show(
        tag("h3", "pd-subject", words(line.title)),
        tag("div", "pd-badges", standing, chip(line.owner or "Nobody owns it"), *flags),
        tag("div", "pd-faint pd-line", words(line.id)),
    )
    if not versions:
        empty("No version was read yet", "Sync the help center to bring it in.")
        return
    left, right = st.columns(2, gap="large")
    chosen = _version_box(left, "Version", versions, 0, f"sources.version.{line.id}")
    other = _version_box(right, "Beside", versions, None, f"sources.beside.{line.id}")
    if other and other.id != chosen.id:
        old, new = sorted((chosen, other), key=lambda version: version.number)
        pair = old_beside_new(library.body(old.id), library.body(new.id))
        show(tag("div", "pd-pair", *pair))
    else:
        show(
            tag("div", "pd-badges", words("In force from "), when(chosen.effective_from, now)),
            tag("div", "pd-body", words(library.body(chosen.id))),
        )


def _version_box(
    column: Any, label: str, versions: Sequence[VersionLine], index: int | None, key: str
) -> VersionLine:
    number: int | None = column.selectbox(
        label,
        range(len(versions)),
        index=index,
        format_func=lambda place: _named(versions[place]),
        placeholder="Another version, to compare",
        key=key,
        disabled=index is None and len(versions) < 2,
    )
    return versions[number] if number is not None else versions[0]


def _named(version: VersionLine) -> str:
    standing = ", in force" if version.in_force else ""
    return f"Version {version.number}, from {version.effective_from:%d %b %Y}{standing}"


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
    """Show what a sync did."""
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
    for problem in [*report["failed"], *report["notes"]][:20]:
        say(f"{problem['path']}: {problem['reason']}", "pd-faint")
