"""The people of the desk, their roles, and the links that sign them in."""

from __future__ import annotations

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor, require
from ui.components.crew import add_person, people_table, person_shown
from ui.components.frame import title
from ui.components.notice import refusals_shown, show_kept
from ui.components.office import office_styles
from ui.components.text import say


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    office_styles()
    title("People", "Who works here, in which role, and the links that let them in.")
    show_kept()
    with refusals_shown():
        require(actor, "manage_people")
        left, right = st.columns([7, 4], gap="large")
        with left:
            chosen = people_table(desk.people.everybody(actor), desk.clock.now())
        with right:
            if chosen:
                person_shown(desk, actor, chosen)
            else:
                say("Choose a person to change their role or make them a sign-in link.", "pd-faint")
                add_person(desk, actor)
