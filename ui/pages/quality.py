"""How well the desk does: what reviewers change, what readers of a sample find, the suites' runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor, require
from ui.components.eval_runs import runs_view
from ui.components.frame import title
from ui.components.notice import refusals_shown
from ui.components.office import office_styles
from ui.components.qa_view import qa_view
from ui.components.reviewer_notes import notes_view
from ui.components.seeded_view import seeded_view

_VIEWS: Final[dict[str, Callable[[Desk, Actor], None]]] = {
    "Reviewers": notes_view,
    "QA sample": qa_view,
    "Seeded checks": seeded_view,
    "Eval runs": runs_view,
}


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    office_styles()
    title("Quality", "What reviewers change, what readers find, and what the suites measure.")
    with refusals_shown():
        require(actor, "read_quality")
        shown = st.pills(
            "Show",
            list(_VIEWS),
            default="Reviewers",
            required=True,
            key="quality.shown",
            label_visibility="collapsed",
        )
        with st.spinner("Reading …"):
            _VIEWS[shown](desk, actor)
