"""Saying that an answer was wrong, which takes its contact reason off autopilot."""

from __future__ import annotations

import streamlit as st

from core.errors import ProofdeskError
from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.notice import keep


def mark_wrong(desk: Desk, actor: Actor, contact_id: str, delivery_id: str) -> None:
    """Let who may promote reasons say why an answer was wrong."""
    if not actor.may("promote"):
        return
    why = f"wrong.why.{delivery_id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Why the answer was wrong",
            key=why,
            placeholder="Why the answer was wrong",
            label_visibility="collapsed",
            width=300,
        )
        st.button(
            "Mark as wrong",
            key=f"wrong.{delivery_id}",
            icon=":material/report:",
            on_click=_mark,
            args=(desk, actor, contact_id, delivery_id, why),
        )


def _mark(desk: Desk, actor: Actor, contact_id: str, delivery_id: str, why: str) -> None:
    try:
        desk.autonomy.mark_wrong(actor, contact_id, st.session_state.get(why, ""), delivery_id)
    except ProofdeskError as error:
        keep("It was not noted", "refused", error.message)
        return
    keep("It is noted", "good", "Its contact reason answers nothing more without a person.")
