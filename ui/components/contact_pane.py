"""The middle of the desk: the contact, what is done with it, and the chat with the assistant."""

from __future__ import annotations

import streamlit as st

from desk.assistant_turns import Turn
from desk.bootstrap import Desk
from desk.contacts import ContactView
from desk.permissions import Actor
from desk.queues import ContactQueues
from desk.reviews import ReviewView
from ui.components.assistant import chat, chat_input, said_by_person
from ui.components.context import checklist, macro_list, why_this_tier
from ui.components.conversation import contact_heading, conversation
from ui.components.correct_reason import correct_reason
from ui.components.new_contact import further_message
from ui.components.text import show, tag, words

_CLOSEABLE = ("answered", "waiting", "escalated", "failed")


def contact_pane(
    desk: Desk,
    actor: Actor,
    contact: ContactView,
    view: ReviewView | None,
    turns: list[Turn],
    proposal: Turn | None,
    asked: str | None,
) -> st.delta_generator.DeltaGenerator:
    """Show the contact and the chat; return where an answer that is being written appears.

    Args:
        asked: What was just typed and is being carried out.
    """
    now, line = desk.clock.now(), contact.summary
    reason = desk.reasons.get(line.reason)
    contact_heading(contact, reason.name if reason else "No known reason", now)
    _bar(desk, actor, contact, view, len(turns))
    names = ContactQueues(desk.database).names()
    with st.container(key="pane-talk", gap=None, height=420, border=False, autoscroll=bool(turns)):
        conversation(contact.messages, contact.triggers, now)
        why_this_tier(contact.triggers, view.classification if view else None)
        checklist(desk.assistant.fields(actor, line.id), may_ask=view is not None)
        show(tag("h4", "pd-section", words("Assistant")))
        chat(turns, names, proposal, empty_hint=_hint(view))
        if asked:
            show(said_by_person(asked, actor.name))
        slot = st.empty()
    chat_input(line.id, drafts=view is not None)
    return slot


def _hint(view: ReviewView | None) -> str:
    if view is None:
        return "Ask what a policy says: the answer comes with its sources."
    return (
        "Say what you want of the draft (“shorter”, “add the return label cost”, “ask for the order "
        "number”), or ask what a policy says. Nothing is sent by that."
    )


def _bar(
    desk: Desk, actor: Actor, contact: ContactView, view: ReviewView | None, turns: int
) -> None:
    line = contact.summary
    with st.container(key="contact-bar", horizontal=True, gap="small"):
        if line.assigned_to == actor.id:
            if st.button("Give back", key="desk.unassign", shortcut="T"):
                desk.contacts.assign(actor, line.id, None)
                st.rerun()
        elif st.button("Take it", key="desk.assign", shortcut="T"):
            desk.contacts.assign(actor, line.id, actor.id)
            st.rerun()
        if line.status in _CLOSEABLE and st.button("Close", key="desk.close", shortcut="W"):
            desk.contacts.close(actor, line.id)
            st.rerun()
        if view is not None:
            macro_list(desk.assistant.macros(actor, line.id), turns)
        correct_reason(desk, actor, line.id)
        further_message(line.id, len(contact.messages))
