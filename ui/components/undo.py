"""The offer to call answers back, as long as they have not left."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import streamlit as st

from core.errors import ProofdeskError
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.reviews import DecisionOutcome
from ui.components.labels import exactly
from ui.components.notice import keep
from ui.components.text import show, tag, words

_OFFERS: Final = "undo.offers"
_ASKED: Final = "undo.asked"
UNDO: Final = "undo.button"
LOOK_AGAIN_SECONDS: Final = 5
CALL_BACK_SECONDS: Final = 30.0
_MOST: Final = 10
Offer = list[tuple[str, str]]
"""Contact and delivery ids of what was approved by one action."""


def offer_undo(outcome: DecisionOutcome, contact_id: str) -> None:
    """Remember that what was just decided can be called back."""
    if outcome.delivery_id:
        offer_undo_of([(contact_id, outcome.delivery_id)])


def offer_undo_of(approved: Offer) -> None:
    """Remember that what was just approved, one or many, can be called back in one."""
    if approved:
        offers: list[Offer] = st.session_state.setdefault(_OFFERS, [])
        if list(approved) not in offers:
            offers.append(list(approved))
        del offers[:-_MOST]


def show_undo(desk: Desk, actor: Actor) -> None:
    """Show the offer in a corner of the screen while the undo window is open."""
    if st.session_state.get(_OFFERS):
        st.fragment(_corner, run_every=LOOK_AGAIN_SECONDS)(desk, actor)


def _corner(desk: Desk, actor: Actor) -> None:
    offers: list[Offer] = st.session_state.get(_OFFERS, [])
    if offers and st.session_state.pop(_ASKED, False):
        for contact_id, delivery_id in offers.pop():
            call_back(desk, actor, contact_id, delivery_id)
        st.rerun()
    while offers and not _still_here(desk, actor, offers[-1]):
        offers.pop()
    if not offers:
        return
    leaves = min(due for due in _still_here(desk, actor, offers[-1]).values())
    left = max(0, round((leaves - desk.clock.now()).total_seconds()))
    many = len(offers[-1])
    said = "The answer leaves" if many == 1 else f"{many} answers leave"
    with st.container(key="undo-corner", horizontal=True, vertical_alignment="center"):
        show(
            tag(
                "div",
                "pd-undo",
                tag("strong", "", words("Approved. ")),
                tag("span", "", words(f"{said} in {left} s."), title=exactly(leaves)),
            )
        )
        st.button("Undo" if many == 1 else "Undo all", key=UNDO, shortcut="U", on_click=_ask)


def _still_here(desk: Desk, actor: Actor, offer: Offer) -> dict[str, datetime]:
    """Return the deliveries of an offer that have not left, and when each does."""
    wanted = {delivery_id for _, delivery_id in offer}
    return {
        delivery.id: delivery.due_at
        for contact_id, _ in offer
        for delivery in desk.deliveries.of_contact(actor, contact_id)
        if delivery.id in wanted and delivery.status == "scheduled"
    }


def _ask() -> None:
    st.session_state[_ASKED] = True


def call_back(desk: Desk, actor: Actor, contact_id: str, delivery_id: str) -> None:
    """Call an answer back and keep a notice of what became of it."""
    try:
        desk.deliveries.undo(actor, delivery_id)
        desk.contacts.wait_for_draft(contact_id, CALL_BACK_SECONDS)
    except ProofdeskError as error:
        keep("It could not be called back", "refused", error.message)
    else:
        keep("Called back. The answer did not leave; it waits for a decision again.", "plain")
