"""The offer to call an answer back, as long as it has not left."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.errors import ProofdeskError
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.reviews import DecisionOutcome
from ui.components.labels import exactly
from ui.components.notice import keep
from ui.components.text import show, tag, words

_OFFER: Final = "undo.offer"
_ASKED: Final = "undo.asked"
UNDO: Final = "undo.button"
LOOK_AGAIN_SECONDS: Final = 5
CALL_BACK_SECONDS: Final = 30.0


def offer_undo(outcome: DecisionOutcome, contact_id: str) -> None:
    """Remember that what was just decided can be called back."""
    if outcome.delivery_id:
        st.session_state[_OFFER] = (contact_id, outcome.delivery_id)


def show_undo(desk: Desk, actor: Actor) -> None:
    """Show the offer in a corner of the screen while the undo window is open."""
    if _OFFER in st.session_state:
        st.fragment(_corner, run_every=LOOK_AGAIN_SECONDS)(desk, actor)


def _corner(desk: Desk, actor: Actor) -> None:
    if _OFFER not in st.session_state:
        return
    contact_id, delivery_id = st.session_state[_OFFER]
    if st.session_state.pop(_ASKED, False):
        call_back(desk, actor, contact_id, delivery_id)
        st.rerun()
    known = [d for d in desk.deliveries.of_contact(actor, contact_id) if d.id == delivery_id]
    if not known or known[0].status != "scheduled":
        del st.session_state[_OFFER]
        return
    left = max(0, round((known[0].due_at - desk.clock.now()).total_seconds()))
    with st.container(key="undo-corner", horizontal=True, vertical_alignment="center"):
        leaves = tag(
            "span", "", words(f"The answer leaves in {left} s."), title=exactly(known[0].due_at)
        )
        show(tag("div", "pd-undo", tag("strong", "", words("Approved. ")), leaves))
        st.button("Undo", key=UNDO, shortcut="U", on_click=_ask)


def _ask() -> None:
    st.session_state[_ASKED] = True


def call_back(desk: Desk, actor: Actor, contact_id: str, delivery_id: str) -> None:
    """Call an answer back and keep a notice of what became of it."""
    st.session_state.pop(_OFFER, None)
    try:
        desk.deliveries.undo(actor, delivery_id)
        desk.contacts.wait_for_draft(contact_id, CALL_BACK_SECONDS)
    except ProofdeskError as error:
        keep("It could not be called back", "refused", error.message)
    else:
        keep("Called back. The answer did not leave; it waits for a decision again.", "plain")
