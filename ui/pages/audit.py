"""The audit trail: what happened, who did it, newest first."""

from __future__ import annotations

from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor, require
from desk.queues import ContactQueues
from ui.components.frame import title
from ui.components.notice import empty, refusals_shown
from ui.components.office import office_styles
from ui.components.pager import page_buttons, read_page
from ui.components.text import say
from ui.components.trail import (
    entry_shown,
    everybody,
    export_buttons,
    trail_filter,
    trail_table,
)

PAGE: Final = 100


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    office_styles()
    title("Audit", "Every decision, with what it was bound to. Nothing here can be changed.")
    with refusals_shown():
        require(actor, "read_audit")
        names = everybody(ContactQueues(desk.database).names())
        chosen = trail_filter(desk, actor, names)
        entries, more = read_page(
            "audit",
            chosen.filter,
            PAGE,
            lambda limit, after: desk.audit.latest(
                actor, limit, after.id if after else None, chosen=chosen.filter
            ),
        )
        if not entries:
            empty("No such event", "Choose another event, person, contact or time.")
            return
        opened = trail_table(entries, names, desk.clock.now())
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            page_buttons("audit", entries, more)
            export_buttons(desk, actor, chosen.filter)
        if opened:
            entry_shown(actor, opened, names)
        else:
            say("Choose an event to read all of it.", "pd-faint")
