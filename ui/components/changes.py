"""What new versions changed in what a reader is told, and who was told the old thing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.impact import StaleAnswer
from desk.permissions import Actor
from desk.render_changes import was_and_now
from desk.views import ChangeLine, Shelf
from ui.components.evidence import old_beside_new
from ui.components.labels import (
    chip,
    exact_at_hand,
    exactly,
    relative,
    table_moment,
    when,
)
from ui.components.links import go_to_article, source_address
from ui.components.notice import empty
from ui.components.pager import page_buttons, read_page
from ui.components.text import Markup, readable_text, show, tag, words

TABLE: Final = "changes.table"
_ROW: Final = 33
PAGE: Final = 50
_MOST_ROWS: Final = 8


def changes_view(desk: Desk, actor: Actor) -> None:
    """Show what new versions changed in what a reader is told."""
    source_address()
    now = desk.clock.now()
    shelf = Shelf(desk.database, desk.library)
    lines, more = read_page("changes", "", PAGE, shelf.changes)
    if not lines:
        empty("Nothing changed yet", "What a sync changes in what a reader is told stands here.")
        return
    chosen = change_table(lines, now)
    page_buttons("changes", lines, more)
    if st.button("Open the article", key="changes.open", icon=":material/article:", shortcut="O"):
        go_to_article(chosen.article_id, chosen.version_id)
    with st.spinner("Looking for who was told the old thing …"):
        answers = told_of(desk, actor, chosen)
    change_shown(chosen, answers, now)


def change_table(lines: Sequence[ChangeLine], now: datetime) -> ChangeLine:
    """Show changes as a table, the latest first; return the one that is open."""
    event = st.dataframe(
        [_row(line, now) for line in lines],
        key=TABLE,
        hide_index=True,
        height=_ROW * (min(len(lines), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        alt="What new versions changed",
        selection_default={"selection": {"rows": [0]}},
        column_config={**exact_at_hand("When"), "When": st.column_config.TextColumn(width=90)},
    )
    rows = [row for row in event["selection"]["rows"] if row < len(lines)]
    return lines[rows[0]] if rows else lines[0]


def _row(line: ChangeLine, now: datetime) -> dict[str, str]:
    old, new = was_and_now({"facts": line.facts, "old": line.old, "new": line.new})[0]
    return {
        **table_moment("When", line.at, now),
        "Article": readable_text(line.title),
        "Was": readable_text(old) or "Not said before",
        "Now": readable_text(new) or "No longer said",
    }


def told_of(desk: Desk, actor: Actor, line: ChangeLine) -> list[StaleAnswer]:
    """Return the answers that said what a change has made old; none for who may not see them."""
    if not actor.may("sync_sources"):
        return []
    told = desk.impact.told_the_old(actor, article_id=line.article_id)
    return [one for one in told if one.change.get("passage_id") == line.old_passage_id]


def change_shown(line: ChangeLine, answers: Sequence[StaleAnswer], now: datetime) -> None:
    """Show one change, old beside new, and the answers that said the old thing."""
    told = f"{len(answers)} customer{'s were' if len(answers) != 1 else ' was'} told the old thing"
    show(
        tag("h3", "pd-subject", words(line.title)),
        tag(
            "div",
            "pd-badges",
            chip(f"Changed {relative(line.at, now)}", exactly(line.at)),
            chip(told if answers else "Nobody was told the old thing"),
        ),
        tag("div", "pd-faint pd-line", words(line.article_id)),
        tag("div", "pd-pair", *old_beside_new(line.old, line.new)),
    )
    if answers:
        show(tag("h4", "pd-section", words("Who was told the old thing")))
    for answer in answers:
        show(_told(answer, now))


def _told(answer: StaleAnswer, now: datetime) -> Markup:
    return tag(
        "div",
        "pd-quoted",
        tag(
            "div",
            "pd-byline",
            tag("strong", "", words(answer.subject or answer.contact_id)),
            when(answer.sent_at, now),
        ),
        tag("div", "pd-words", words(" ".join(answer.told))),
    )
