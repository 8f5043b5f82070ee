"""The offer to call answers back, as long as they have not left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import streamlit as st

from core.errors import ProofdeskError
from core.vocabulary import DeliveryStatus
from desk.bootstrap import Desk
from desk.delivery import DeliveryView
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
    stopped = [one for offer in offers for one in _approved(desk, actor, offer, "undone")]
    if stopped:
        _tell_of_stopped(stopped)
        st.rerun()
    while offers and not _approved(desk, actor, offers[-1], "scheduled"):
        offers.pop()
    if not offers:
        return
    leaves = min(one.due_at for one in _approved(desk, actor, offers[-1], "scheduled"))
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


def _approved(desk: Desk, actor: Actor, offer: Offer, status: DeliveryStatus) -> list[DeliveryView]:
    """Return the deliveries of an offer that stand so."""
    wanted = {delivery_id for _, delivery_id in offer}
    return [
        delivery
        for contact_id, _ in offer
        for delivery in desk.deliveries.of_contact(actor, contact_id)
        if delivery.id in wanted and delivery.status == status
    ]


def _forget(delivery_ids: Collection[str]) -> None:
    offers: list[Offer] = st.session_state.get(_OFFERS, [])
    for offer in offers:
        offer[:] = [(contact_id, one) for contact_id, one in offer if one not in delivery_ids]


def _tell_of_stopped(stopped: Sequence[DeliveryView]) -> None:
    """Say that what this person approved did not leave; they have not called it back themselves."""
    _forget({one.id for one in stopped})
    keep(
        "What you approved did not leave",
        "warning",
        f"{', '.join(f'“{one.subject}”' for one in stopped)}: since then a source changed, the "
        "customer wrote again, or somebody called it back. It comes up for a decision again.",
    )


def _ask() -> None:
    st.session_state[_ASKED] = True


def call_back(desk: Desk, actor: Actor, contact_id: str, delivery_id: str) -> None:
    """Call an answer back and keep a notice of what became of it."""
    _forget([delivery_id])
    try:
        desk.deliveries.undo(actor, delivery_id)
        desk.contacts.wait_for_draft(contact_id, CALL_BACK_SECONDS)
    except ProofdeskError as error:
        keep("It could not be called back", "refused", error.message)
    else:
        keep("Called back. The answer did not leave; it waits for a decision again.", "plain")
