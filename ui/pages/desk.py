"""The agent's workplace: queue, conversation, evidence."""

from __future__ import annotations

import streamlit as st

from desk.bootstrap import Desk
from desk.contacts import ContactView
from desk.permissions import Actor
from desk.views import ContactQueues
from ui.components.answer import answer
from ui.components.conversation import contact_heading, conversation, trigger_list
from ui.components.correct_reason import carry_out_correction, correct_reason
from ui.components.decide import carry_out_asked
from ui.components.frame import title
from ui.components.new_contact import (
    further_message,
    new_contact,
    new_contact_shown,
    show_new_contact,
)
from ui.components.notice import empty, notice, refusals_shown, show_kept
from ui.components.queue import open_contact, opened_contact, queue
from ui.components.undo import show_undo


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    with st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"
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
    carry_out_asked(desk, actor)
    carry_out_correction(desk, actor)
    show_kept()
    show_undo(desk, actor)
    left, middle, right = st.columns([30, 40, 42], gap="medium")
    with left, refusals_shown():
        queue(ContactQueues(desk.database), actor, desk.clock.now())
    if new_contact_shown():
        with middle:
            opened = new_contact(desk, actor)
        if opened:
            open_contact(opened)
            st.rerun()
        return
    contact_id = opened_contact()
    if contact_id is None:
        with middle:
            empty("No contact is open", "Choose one on the left, or paste a message: New contact.")
        return
    with refusals_shown():
        contact = desk.contacts.get(actor, contact_id)
        with middle:
            _contact(desk, actor, contact)
        with right:
            answer(desk, actor, contact)


def _contact(desk: Desk, actor: Actor, contact: ContactView) -> None:
    now, line = desk.clock.now(), contact.summary
    reason = desk.reasons.get(line.reason)
    contact_heading(contact, reason.name if reason else "No known reason", now)
    if contact.failure:
        notice("The desk could not go on", "warning", contact.failure)
    with st.container(horizontal=True):
        if line.assigned_to != actor.id and st.button("Assign to me", key="desk.assign"):
            desk.contacts.assign(actor, line.id, actor.id)
            st.rerun()
        if line.assigned_to == actor.id and st.button("Give back", key="desk.unassign"):
            desk.contacts.assign(actor, line.id, None)
            st.rerun()
        if line.status in ("answered", "waiting", "escalated", "failed") and st.button(
            "Close", key="desk.close"
        ):
            desk.contacts.close(actor, line.id)
            st.rerun()
        correct_reason(desk, actor, line.id)
    conversation(contact.messages, contact.triggers, now)
    further_message(desk, actor, line.id)
    trigger_list(contact.triggers)
