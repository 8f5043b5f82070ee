"""The content owner's workplace: the articles, what is wrong with them, bringing them in."""

from __future__ import annotations

from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.impact import StaleAnswer
from desk.permissions import Actor
from desk.views import ChangeLine, Shelf, sync_sources
from ui.components.changes import change_shown, change_table
from ui.components.flag_detail import carry_out_flag_action, flag_shown, undo_shown
from ui.components.flag_list import flag_filter, flag_table, folded_lines
from ui.components.frame import title
from ui.components.notice import empty, refusals_shown, show_kept
from ui.components.shelf import article_shown, article_table, search_results, sync_report

PAGE: Final = 200
_FOUND: Final = 10
_SHOWN: Final = ("To look at", "What changed", "Articles")
_SYNCED: Final = "sources.synced"


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    carry_out_flag_action(desk, actor)
    with st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"
    ):
        title("Sources", "What answers may rest on, and what is wrong with it.")
        if actor.may("sync_sources") and st.button(
            "Sync now", key="sources.sync", icon=":material/sync:"
        ):
            _sync(desk, actor)
    if _SYNCED in st.session_state:
        sync_report(*st.session_state[_SYNCED])
    with st.container(horizontal=True, vertical_alignment="center"):
        show_kept()
        undo_shown(desk, actor)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        question = st.text_input(
            "Search the passages in force",
            key="sources.search",
            placeholder="Ask as a customer would",
            icon=":material/search:",
        )
        shown = st.pills(
            "Show", _SHOWN, default=_SHOWN[0], required=True, key="sources.shown", width="content"
        )
    with refusals_shown():
        if question.strip():
            search_results(desk.search.search(question, _FOUND), question, desk.clock.now())
        elif shown == _SHOWN[0]:
            _flags(desk, actor)
        elif shown == _SHOWN[1]:
            _changes(desk, actor)
        else:
            _articles(desk)


def _flags(desk: Desk, actor: Actor) -> None:
    now = desk.clock.now()
    desk.flags.freshen()
    groups = desk.flags.grouped(actor)
    if not groups:
        empty("Nothing to look at", "Every source is owned, reviewed, in force and undisputed.")
        return
    chosen = flag_filter(groups)
    lines = desk.flags.page(actor, kind=chosen.kind, owner=chosen.owner, limit=PAGE)
    if lines:
        flag_shown(desk, desk.flags.get(actor, flag_table(lines, now)), now)
    elif chosen.kind or chosen.owner is not None:
        empty("No such flag", "Choose another kind or owner.")
    if not chosen.kind:
        folded_lines(desk.flags.folded(actor, owner=chosen.owner))


def _changes(desk: Desk, actor: Actor) -> None:
    now = desk.clock.now()
    lines = Shelf(desk.database, desk.library).changes(PAGE)
    if not lines:
        empty("Nothing changed yet", "What a sync changes in what a reader is told stands here.")
        return
    chosen = change_table(lines, now)
    told = (
        desk.impact.told_the_old(actor, article_id=chosen.article_id)
        if actor.may("sync_sources")
        else []
    )
    change_shown(chosen, [one for one in told if _of_change(one, chosen)], now)


def _of_change(answer: StaleAnswer, line: ChangeLine) -> bool:
    return answer.change.get("passage_id") == line.old_passage_id


def _articles(desk: Desk) -> None:
    now = desk.clock.now()
    shelf = Shelf(desk.database, desk.library)
    lines = shelf.lines(limit=PAGE)
    if not lines:
        empty("No articles here", "“Sync now” brings in what the workspace's sources hold.")
        return
    chosen = article_table(lines, now)
    if chosen:
        article_shown(shelf, desk.library, chosen, now)
    else:
        empty("No article is open", "Choose one in the table to read it and its versions.")


def _sync(desk: Desk, actor: Actor) -> None:
    with refusals_shown():
        bar = st.progress(0.0, "Reading the sources …")

        def advance(_what: str, done: int, total: int) -> None:
            bar.progress(min(done / total, 1.0) if total else 1.0, "Reading the sources …")

        report = sync_sources(desk, actor, advance)
        st.session_state[_SYNCED] = (report, desk.clock.now())
        st.rerun()
