"""The agent's queue: named filters with counts, a card a contact."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import streamlit as st

from desk.contacts import ContactSummary
from desk.permissions import Actor
from desk.views import QUEUES, ContactQueues, QueueName
from ui.components.labels import STATUS_NAMES, due, tier_badge, warning_chip
from ui.components.notice import empty
from ui.components.text import NOTHING, show, tag, words

_FILTER: Final = "queue.filter"
_OPEN: Final = "queue.open"
_LIMIT: Final = "queue.limit"
_PAGE: Final = 20
_NAMES: Final[dict[QueueName, str]] = {
    "mine": "Mine",
    "unassigned": "Unassigned",
    "high_risk": "High risk",
    "escalated": "Escalated",
    "all": "All",
}
_EMPTY: Final[dict[QueueName, str]] = {
    "mine": "Take a contact from “Unassigned” with “Assign to me”.",
    "unassigned": "Every open contact has somebody.",
    "high_risk": "Nothing urgent waits. Contacts that must be escalated first appear here.",
    "escalated": "Contacts that a person carries on appear here, each with its brief.",
    "all": "Paste a customer's message with “New contact”.",
}


def opened_contact() -> str | None:
    """Return the id of the contact that is open; None when none is."""
    contact_id: str | None = st.session_state.get(_OPEN)
    return contact_id


def open_contact(contact_id: str | None) -> None:
    """Have this contact open on the next run."""
    st.session_state[_OPEN] = contact_id


def queue(queues: ContactQueues, actor: Actor, now: datetime) -> None:
    """Show the queue and let the person choose a contact."""
    counts = queues.counts(actor)
    st.session_state.setdefault(_FILTER, "mine" if counts["mine"] else "unassigned")
    name = st.pills(
        "Queue",
        QUEUES,
        required=True,
        format_func=lambda name: f"{_NAMES[name]} {counts[name]}",
        key=_FILTER,
        label_visibility="collapsed",
        wrap=True,
    )
    limit = st.session_state.get(_LIMIT, _PAGE)
    contacts = queues.page(actor, name or QUEUES[-1], limit=limit)
    if not contacts:
        empty("Nothing here", _EMPTY[name or QUEUES[-1]])
        return
    with st.container(key="pane-queue", gap=None):
        for contact in contacts:
            _card(contact, now)
        if len(contacts) == limit:
            st.button("Show more", key="queue.more", on_click=_show_more, type="tertiary")


def _show_more() -> None:
    st.session_state[_LIMIT] = st.session_state.get(_LIMIT, _PAGE) + _PAGE


def _card(contact: ContactSummary, now: datetime) -> None:
    chosen = "-chosen" if contact.id == opened_contact() else ""
    settled = contact.status in ("answered", "closed", "waiting", "scheduled")
    with st.container(key=f"card{chosen}-{contact.id}", gap=None):
        show(
            tag(
                "div",
                "pd-card",
                tag("div", "pd-card-who", words(contact.customer_name or "Unknown customer")),
                tag("div", "pd-card-what", words(contact.subject or "No subject")),
                tag(
                    "div",
                    "pd-badges",
                    tier_badge(contact.tier),
                    warning_chip("VIP") if contact.customer_status == "vip" else NOTHING,
                    NOTHING if settled else due(contact.due_at, now),
                    tag("span", "pd-faint", words(STATUS_NAMES[contact.status])),
                ),
            )
        )
        # The label is read out, never seen: the button lies over the whole card.
        st.button(
            f"Open contact {contact.id}",
            key=f"queue.open.{contact.id}",
            on_click=open_contact,
            args=(contact.id,),
        )
