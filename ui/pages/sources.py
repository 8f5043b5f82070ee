"""The content owner's workplace: what is wrong, what comes due, what changed, the articles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any, Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.views import sync_sources
from ui.components.aftermath import aftermath
from ui.components.articles_view import articles_view, open_article
from ui.components.changes import changes_view
from ui.components.due import due_view
from ui.components.flag_detail import carry_out_flag_action, undo_shown
from ui.components.flags_view import flags_view, link_to_flag
from ui.components.frame import title
from ui.components.gaps_view import gaps_view
from ui.components.links import source_address, source_asked_for
from ui.components.notice import refusal, refusals_shown, show_kept
from ui.components.office import office_styles
from ui.components.once import ask, carry_out, finished_first, told
from ui.components.shelf import search_results, sync_report

_FOUND: Final = 10
_VIEWS: Final[dict[str, Callable[[Desk, Actor], None]]] = {
    "To look at": flags_view,
    "Comes due": due_view,
    "No source": gaps_view,
    "What changed": changes_view,
    "Articles": articles_view,
}
_VIEW: Final = "sources.shown"
_SYNCED: Final = "sources.synced"
_STAGES: Final = {
    "passages": "Making the new passages findable …",
    "macros against articles": "Holding the macros against the articles …",
    "what owners must look at": "Looking for what owners must look at …",
}


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    office_styles()
    carry_out_flag_action(desk, actor)
    _open_what_is_asked_for()
    with st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"
    ):
        title("Sources", "What answers may rest on, and what is wrong with it.")
        if actor.may("sync_sources") and st.button(
            "Sync now", key="sources.sync", icon=":material/sync:", shortcut="Y"
        ):
            ask(_SYNCED, actor.id)
    _sync(desk, actor)
    _report()
    with st.container(horizontal=True, vertical_alignment="center"):
        show_kept()
        undo_shown(desk, actor)
    with refusals_shown():
        aftermath(desk, actor)
    with st.container(horizontal=True, vertical_alignment="center", key="sources-bar"):
        shown = st.pills(
            "Show",
            list(_VIEWS),
            default="To look at",
            required=True,
            key=_VIEW,
            label_visibility="collapsed",
        )
        question = st.text_input(
            "Search the passages in force",
            key="sources.search",
            placeholder="Search what is in force, as a customer would ask",
            label_visibility="collapsed",
            icon=":material/search:",
        )
    with refusals_shown():
        if question.strip():
            source_address()
            with st.spinner("Searching …"):
                hits = desk.search.search(question, _FOUND)
            search_results(hits, question, desk.clock.now())
        else:
            _VIEWS[shown](desk, actor)


def _open_what_is_asked_for() -> None:
    asked = source_asked_for()
    if flag_id := asked.get("flag"):
        st.session_state[_VIEW] = "To look at"
        link_to_flag(flag_id)
    elif article_id := asked.get("article"):
        st.session_state[_VIEW] = "Articles"
        open_article(article_id, asked.get("version"))


def _report() -> None:
    if _SYNCED not in st.session_state:
        return
    sync_report(*st.session_state[_SYNCED])
    st.button(
        "Close the report",
        key="sources.synced.close",
        type="tertiary",
        icon=":material/close:",
        on_click=st.session_state.pop,
        args=(_SYNCED,),
    )


def _sync(desk: Desk, actor: Actor) -> None:
    """Bring the sources in when that was asked for; keep the report of it."""
    with finished_first() as tell:
        bars: list[st.delta_generator.DeltaGenerator] = []

        def show(share: float, said: str) -> None:
            if bars:
                bars[0].progress(share, said)
            else:
                bars.append(st.progress(share, said))

        def advance(what: str, done: int, total: int) -> None:
            said = _STAGES.get(what, f"Reading the sources: {done} of {total} …")
            tell(partial(show, min(done / total, 1.0) if total else 1.0, said))

        def synced(_by: str) -> tuple[dict[str, Any], datetime]:
            return sync_sources(desk, actor, advance), desk.clock.now()

        done = carry_out(_SYNCED, lambda _by: "Reading the sources …", synced)
    if done is None:
        return
    if done.refused:
        refusal(done.refused)
    else:
        st.session_state[_SYNCED] = done.came
    told(_SYNCED)
    if done.came:
        st.rerun()
