"""Saying that an answer was wrong, which takes its contact reason off autopilot."""

from __future__ import annotations

from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.notice import keep
from ui.components.once import ask, carry_out_briefly

_ASKED: Final = "wrong.asked"


def mark_wrong(actor: Actor, contact_id: str, delivery_id: str) -> None:
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
            on_click=_ask,
            args=(contact_id, delivery_id, why),
        )


def _ask(contact_id: str, delivery_id: str, why: str) -> None:
    ask(_ASKED, (contact_id, delivery_id, st.session_state.get(why, "")))


def carry_out_marking(desk: Desk, actor: Actor) -> None:
    """Note what was just marked as wrong; keep a notice of what became of it."""

    def marked(asked: tuple[str, str, str]) -> None:
        contact_id, delivery_id, why = asked
        desk.autonomy.mark_wrong(actor, contact_id, why, delivery_id)

    def tell(_asked: tuple[str, str, str]) -> None:
        keep("It is noted", "good", "Its contact reason answers nothing more without a person.")

    carry_out_briefly(_ASKED, marked, lambda _asked: "It was not noted", tell)
