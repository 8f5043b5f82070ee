"""The view of what is wrong: the flags, one of them open, those that fold into a line."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.errors import NotFound
from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.flag_detail import flag_shown
from ui.components.flag_list import (
    choose_flag,
    flag_filter,
    flag_table,
    folded_lines,
    opened_flag,
    show_every_flag,
)
from ui.components.links import source_address
from ui.components.notice import empty, notice
from ui.components.pager import page_buttons, read_page

PAGE: Final = 50
_LINKED: Final = "sources.linked"


def link_to_flag(flag_id: str) -> None:
    """Have this flag open, wherever it stands, for as long as nobody chooses another one."""
    st.session_state[_LINKED] = flag_id
    show_every_flag()
    choose_flag(flag_id)


def flags_view(desk: Desk, actor: Actor) -> None:
    """Show what content owners must look at."""
    now = desk.clock.now()
    groups = desk.flags.grouped(actor)
    linked = _linked_flag()
    if not groups and not linked:
        source_address()
        empty("Nothing to look at", "Every source is owned, reviewed, in force and undisputed.")
        return
    chosen = flag_filter(groups)
    lines, more = read_page(
        "flags",
        chosen,
        PAGE,
        lambda limit, after: desk.flags.page(
            actor, kind=chosen.kind, owner=chosen.owner, limit=limit, after=after
        ),
    )
    if linked and linked not in [line.id for line in lines]:
        _linked_alone(desk, actor, linked)
    elif lines:
        opened = flag_table(lines, now)
        if desk.flags.count_anew(actor, opened):
            st.rerun()
        page_buttons("flags", lines, more)
        source_address(flag=opened)
        flag_shown(desk, actor, desk.flags.get(actor, opened), now, lines)
    elif chosen.kind or chosen.owner is not None:
        empty("No such flag", "Choose another kind or owner.")
    if not chosen.kind and not linked:
        folded_lines(desk.flags.folded(actor, owner=chosen.owner))


def _linked_flag() -> str | None:
    """Return the flag that a link leads to, for as long as nobody chose another one."""
    linked: str | None = st.session_state.get(_LINKED)
    if linked and opened_flag() != linked:
        linked = st.session_state[_LINKED] = None
    return linked


def _linked_alone(desk: Desk, actor: Actor, flag_id: str) -> None:
    """Show a flag that is not on the page: it ended, it is folded, or it stands further down."""
    source_address(flag=flag_id)
    st.button(
        "All flags",
        key="flags.all",
        icon=":material/arrow_back:",
        type="tertiary",
        on_click=choose_flag,
        args=(None,),
    )
    try:
        detail = desk.flags.get(actor, flag_id)
    except NotFound:
        notice("There is no such flag", "warning", "The link may be from another desk.")
        return
    flag_shown(desk, actor, detail, desk.clock.now())
