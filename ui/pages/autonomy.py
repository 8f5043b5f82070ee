"""Which contact reasons have earned to be answered without a person, and the switch that stops all."""

from __future__ import annotations

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor, require
from desk.queues import ContactQueues
from ui.components.autonomy_changes import changes_shown
from ui.components.autonomy_reason import carry_out_change, reason_shown
from ui.components.autonomy_table import autonomy_table
from ui.components.autopilot_switch import carry_out_switch, switch_shown
from ui.components.frame import ASSETS, title
from ui.components.notice import empty, refusals_shown, show_kept
from ui.components.office import office_styles
from ui.components.text import show, tag, words


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    office_styles()
    st.html(ASSETS / "autonomy.css")
    title("Autonomy", "What a contact reason has shown, and what it may do without a person.")
    with refusals_shown():
        require(actor, "promote")
        carry_out_switch(desk, actor)
        carry_out_change(desk, actor)
        show_kept()
        with st.spinner("Reading …"):
            lines = desk.autonomy.lines(actor)
        if not lines:
            empty("There are no contact reasons", "Write them into reasons.yaml of the workspace.")
            return
        names = ContactQueues(desk.database).names()
        switch_shown(desk, lines, names)
        chosen = autonomy_table(lines, desk.clock.now())
        reason_shown(desk, actor, chosen, names)
        show(tag("h4", "pd-section", words("What changed")))
        changes_shown(desk.autonomy.history(actor), names, {one.reason: one.name for one in lines})
