"""What an admin looks over: the workspace's files, the settings in force, who may do what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor, require
from ui.components.frame import title
from ui.components.notice import refusals_shown
from ui.components.office import office_styles
from ui.components.rule_files import files_view, permissions_view, settings_view

_VIEWS: Final[dict[str, Callable[[Desk, Actor], None]]] = {
    "Workspace files": files_view,
    "Settings in force": settings_view,
    "Who may do what": permissions_view,
}


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    office_styles()
    title("Settings", "What this desk runs on, and what is wrong with it.")
    with refusals_shown():
        require(actor, "manage_settings")
        shown = st.pills(
            "Show",
            list(_VIEWS),
            default="Workspace files",
            required=True,
            key="settings.shown",
            label_visibility="collapsed",
        )
        _VIEWS[shown](desk, actor)
