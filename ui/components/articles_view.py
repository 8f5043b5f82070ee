"""The view of the articles: all of them as a list, one of them open with its versions."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.errors import NotFound
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.views import Shelf
from ui.components.article import article_shown, open_version
from ui.components.links import source_address
from ui.components.notice import empty, notice
from ui.components.pager import page_buttons, read_page
from ui.components.shelf import DRAWN, article_table

PAGE: Final = 50
_ARTICLE: Final = "sources.article"


def open_article(article_id: str, version_id: str | None = None) -> None:
    """Have this article open on the next run, at one of its versions."""
    st.session_state[_ARTICLE] = article_id
    st.session_state[DRAWN] = st.session_state.get(DRAWN, 0) + 1
    open_version(article_id, version_id)


def articles_view(desk: Desk, actor: Actor) -> None:
    """Show the articles, and one of them open."""
    now = desk.clock.now()
    shelf = Shelf(desk.database, desk.library)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        sought = st.text_input(
            "Filter by title or path",
            key="articles.words",
            placeholder="refund, billing/ …",
            icon=":material/filter_alt:",
            width=360,
        )
        flagged = st.toggle("Only what must be looked at", key="articles.flagged")
    lines, more = read_page(
        "articles",
        (sought, flagged),
        PAGE,
        lambda limit, after: shelf.lines(
            words=sought, flagged=flagged, limit=limit, after=after.id if after else ""
        ),
    )
    opened: str | None = st.session_state.get(_ARTICLE)
    if lines:
        chosen = article_table(lines, opened, now)
        page_buttons("articles", lines, more)
        if chosen and chosen.id != opened:
            opened = st.session_state[_ARTICLE] = chosen.id
    elif sought or flagged:
        empty("No such article", "Use other words, or look at all of them.")
    else:
        empty("No articles here", "“Sync now” brings in what the workspace's sources hold.")
    if not opened:
        source_address()
        if lines:
            empty("No article is open", "Choose one in the table to read it and its versions.")
        return
    try:
        line = shelf.line(opened)
    except NotFound:
        source_address(article=opened)
        notice("There is no such article", "warning", f"{opened} is not known to this desk.")
        return
    version = article_shown(desk, actor, line, now)
    source_address(article=opened, version=version)
