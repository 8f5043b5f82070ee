"""The form that a customer's message is pasted into."""

from __future__ import annotations

import contextlib
from typing import Final, cast, get_args

import streamlit as st

from core.errors import ProofdeskError
from core.vocabulary import Channel
from desk.bootstrap import Desk
from desk.contacts import NewContact, NewMessage
from desk.permissions import Actor
from ui.components.labels import CHANNEL_NAMES, namer
from ui.components.notice import keep
from ui.components.once import ask, carry_out, told
from ui.components.queue import open_contact, show_queue
from ui.components.text import say

_SHOWN: Final = "new.shown"
_OPENING: Final = "new.contact"
_ADDING: Final = "new.message"
DRAFT_SECONDS: Final = 120.0


def new_contact_shown() -> bool:
    """Tell whether the form is on the screen."""
    return bool(st.session_state.get(_SHOWN))


def show_new_contact(shown: bool = True) -> None:
    """Put the form on the screen, or take it away."""
    st.session_state[_SHOWN] = shown


def new_contact() -> None:
    """Show the form."""
    with st.form("new.form"):
        st.subheader("New contact", anchor=False)
        st.text_area(
            "What the customer wrote", height=200, key="new.text", placeholder="Paste the message"
        )
        left, right = st.columns(2)
        left.text_input("Customer's name", key="new.name")
        right.text_input("Customer's e-mail address", key="new.email")
        left.text_input("Subject", key="new.subject")
        right.selectbox(
            "Channel", get_args(Channel), format_func=namer(CHANNEL_NAMES), key="new.channel"
        )
        with st.container(horizontal=True):
            st.form_submit_button("Ask for a draft", key="new.send", type="primary", on_click=_ask)
            st.form_submit_button(
                "Cancel", key="new.cancel", on_click=show_new_contact, args=(False,)
            )
    say("The desk looks at the risk first, then drafts from the articles in force.", "pd-faint")


def _ask() -> None:
    text, name, email, subject, channel = (
        st.session_state.get(f"new.{field}") or ""
        for field in ("text", "name", "email", "subject", "channel")
    )
    ask(
        _OPENING,
        NewContact(
            channel=cast(Channel, channel),
            messages=[NewMessage("customer", text)],
            subject=subject,
            customer_name=name,
            customer_email=email,
        ),
    )


def carry_out_new_contact(desk: Desk, actor: Actor) -> None:
    """Open the contact that was asked for, and show it once its draft is there."""

    def opened(new: NewContact) -> str:
        contact_id = desk.contacts.open(actor, new)
        desk.contacts.assign(actor, contact_id, actor.id)
        _wait(desk, contact_id)
        return contact_id

    done = carry_out(_OPENING, lambda _new: "Reading, weighing, drafting, checking …", opened)
    if done is None:
        return
    if done.refused:
        keep("No contact was opened", "refused", done.refused.message)
    else:
        show_new_contact(False)
        open_contact(done.came)
        show_queue("mine")
    told(_OPENING)


def further_message(contact_id: str, messages: int) -> None:
    """Show the form that takes what the customer wrote since the ``messages`` so far."""
    with (
        st.popover(
            "Add message",
            icon=":material/reply:",
            # Another box, which is closed, once a message was added.
            key=f"desk.message.box.{messages}",
        ),
        st.form("desk.message.form", clear_on_submit=True, border=False),
    ):
        st.text_area(
            "What the customer wrote", key="desk.message", height=80, placeholder="Paste it"
        )
        st.form_submit_button(
            "Add the message", key="desk.message.send", on_click=_add, args=(contact_id,)
        )


def _add(contact_id: str) -> None:
    ask(_ADDING, (contact_id, st.session_state.get("desk.message") or ""))


def carry_out_further_message(desk: Desk, actor: Actor) -> None:
    """Add the message that was pasted; keep a notice of what became of it."""

    def added(asked: tuple[str, str]) -> None:
        contact_id, text = asked
        desk.contacts.add_message(actor, contact_id, NewMessage("customer", text))
        _wait(desk, contact_id)

    done = carry_out(_ADDING, lambda _asked: "Reading it …", added)
    if done is None:
        return
    if done.refused:
        keep("The message was not added", "refused", done.refused.message)
    else:
        keep("The message was added.", "plain")
    told(_ADDING)


def _wait(desk: Desk, contact_id: str) -> None:
    """Wait for the draft; what a run fails of stands at its contact."""
    with contextlib.suppress(ProofdeskError):
        desk.contacts.wait_for_draft(contact_id, DRAFT_SECONDS)
