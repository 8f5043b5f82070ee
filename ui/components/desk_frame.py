"""What the desk has around its three panes."""

from __future__ import annotations

import streamlit as st

from ui.components.frame import ASSETS, title
from ui.components.new_contact import show_new_contact


def desk_styles() -> None:
    """Put the styles of the desk on the page."""
    st.html(ASSETS / "desk.css")


def heading() -> None:
    """Show the title, and what opens a new contact."""
    with st.container(
        key="desk-heading",
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
    ):
        title("Desk", "Contacts that wait, and the evidence behind every answer.")
        st.button(
            "New contact",
            key="desk.new",
            icon=":material/add:",
            shortcut="N",
            on_click=show_new_contact,
            type="primary",
        )
