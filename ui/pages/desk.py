"""The agent's workplace: queue, conversation with the assistant, evidence."""

from __future__ import annotations

import streamlit as st

from core.errors import NotFound, ProofdeskError
from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.answer import answer, waiting_review
from ui.components.assistant import asked_about, carry_out_act
from ui.components.contact_pane import contact_pane
from ui.components.correct_reason import carry_out_correction
from ui.components.decide import carry_out_asked
from ui.components.delivery import carry_out_delivery
from ui.components.desk_frame import desk_styles, heading
from ui.components.holding import carry_out_taking_over
from ui.components.new_contact import (
    carry_out_further_message,
    carry_out_new_contact,
    new_contact,
    new_contact_shown,
)
from ui.components.notice import empty, keep, refusals_shown, show_kept
from ui.components.queue import (
    drawn,
    keep_address,
    open_contact,
    opened_contact,
    queue,
)
from ui.components.streaming import answering
from ui.components.undo import show_undo


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    desk_styles()
    heading()
    carry_out_asked(desk, actor)
    carry_out_taking_over(desk, actor)
    carry_out_delivery(desk, actor)
    carry_out_correction(desk, actor)
    carry_out_further_message(desk, actor)
    carry_out_new_contact(desk, actor)
    contact_id = opened_contact()
    if contact_id:
        carry_out_act(desk, actor, contact_id)
    show_undo(desk, actor)
    left, middle, right = st.columns([26, 39, 38], gap="medium")
    with left:
        queue(desk, actor)
    if new_contact_shown():
        with middle:
            show_kept()
            new_contact()
        return
    if contact_id is None:
        with middle:
            show_kept()
            empty("No contact is open", "Choose one on the left, or paste a message: New contact.")
        return
    keep_address()
    with refusals_shown():
        _opened(desk, actor, contact_id, middle, right)


def _opened(
    desk: Desk,
    actor: Actor,
    contact_id: str,
    middle: st.delta_generator.DeltaGenerator,
    right: st.delta_generator.DeltaGenerator,
) -> None:
    try:
        contact = desk.contacts.get(actor, contact_id)
    except NotFound:
        open_contact(None)
        with middle:
            show_kept()
            empty("There is no such contact", "The link may be old. Choose one on the left.")
        return
    drawn(contact.summary)
    view = waiting_review(desk, actor, contact)
    turns = desk.assistant.history(actor, contact_id)
    proposal = desk.assistant.proposal(actor, contact_id)
    asked = asked_about(contact_id)
    with middle, st.container(key="pane-middle", gap="small"):
        show_kept()
        slot = contact_pane(desk, actor, contact, view, turns, proposal, asked)
    if asked:
        try:
            answering(desk, actor, contact_id, asked, slot, right)
        except ProofdeskError as error:
            keep("The assistant did not do that", "refused", error.message)
        st.rerun()
    looked_up = turns[-1] if turns and turns[-1].status == "answer" else None
    with right, st.container(key="pane-evidence", gap="small"):
        answer(desk, actor, contact, view, proposal, looked_up)
