"""The form that a customer's message is pasted into."""

from __future__ import annotations

from typing import Final, cast, get_args

import streamlit as st

from core.vocabulary import Channel
from desk.bootstrap import Desk
from desk.contacts import NewContact, NewMessage
from desk.permissions import Actor
from ui.components.labels import CHANNEL_NAMES, namer
from ui.components.notice import keep, refusals_shown
from ui.components.text import say

_SHOWN: Final = "new.shown"
DRAFT_SECONDS: Final = 120.0


def new_contact_shown() -> bool:
    """Tell whether the form is on the screen."""
    return bool(st.session_state.get(_SHOWN))


def show_new_contact(shown: bool = True) -> None:
    """Put the form on the screen, or take it away."""
    st.session_state[_SHOWN] = shown


def new_contact(desk: Desk, actor: Actor) -> str | None:
    """Show the form; return the id of the contact it opened, once its draft is there."""
    with st.form("new.form"):
        st.subheader("New contact", anchor=False)
        text = st.text_area(
            "What the customer wrote", height=200, key="new.text", placeholder="Paste the message"
        )
        left, right = st.columns(2)
        name = left.text_input("Customer's name", key="new.name")
        email = right.text_input("Customer's e-mail address", key="new.email")
        subject = left.text_input("Subject", key="new.subject")
        channel = right.selectbox(
            "Channel", get_args(Channel), format_func=namer(CHANNEL_NAMES), key="new.channel"
        )
        with st.container(horizontal=True):
            sent = st.form_submit_button("Ask for a draft", key="new.send", type="primary")
            left_alone = st.form_submit_button("Cancel", key="new.cancel")
    if left_alone:
        show_new_contact(False)
        st.rerun()
    if not sent:
        say("The desk looks at the risk first, then drafts from the articles in force.", "pd-faint")
        return None
    opened: str | None = None
    new = NewContact(
        channel=cast(Channel, channel),
        messages=[NewMessage("customer", text)],
        subject=subject,
        customer_name=name,
        customer_email=email,
    )
    with refusals_shown(), st.spinner("Reading, weighing, drafting, checking …"):
        opened = desk.contacts.open(actor, new)
        desk.contacts.assign(actor, opened, actor.id)
        show_new_contact(False)
        desk.contacts.wait_for_draft(opened, DRAFT_SECONDS)
    return opened


def further_message(desk: Desk, actor: Actor, contact_id: str) -> None:
    """Show the form that takes what the customer wrote since."""
    with (
        st.popover("Add message", icon=":material/reply:", key="desk.message.box"),
        st.form("desk.message.form", clear_on_submit=True, border=False),
    ):
        text = st.text_area(
            "What the customer wrote", key="desk.message", height=80, placeholder="Paste it"
        )
        if not st.form_submit_button("Add the message", key="desk.message.send"):
            return
    with refusals_shown(), st.spinner("Reading it …"):
        desk.contacts.add_message(actor, contact_id, NewMessage("customer", text))
        desk.contacts.wait_for_draft(contact_id, DRAFT_SECONDS)
        keep("The message was added.", "plain")
        st.rerun()
