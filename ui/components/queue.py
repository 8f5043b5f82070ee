"""The agent's queue: named filters with counts, a card a contact; it refreshes by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.contacts import ContactSummary
from desk.permissions import Actor
from desk.queues import COUNTED_AT_MOST, QUEUES, ContactQueues, QueueName
from ui.components.labels import STATUS_NAMES, due, tier_badge, warning_chip
from ui.components.news import forget, look_at_drawn
from ui.components.notice import empty, refusals_shown
from ui.components.text import NOTHING, label_text, show, tag, words

REFRESH_SECONDS: Final = 2.0
"""How often the queue looks; another person's decision is then seen within three seconds."""
PARAMETER: Final = "contact"
_FILTER: Final = "queue.filter"
_OPEN: Final = "queue.open"
_SHOWN: Final = "queue.shown"
_FROM: Final = "queue.from"
_LISTED: Final = "queue.listed"
_DRAWN: Final = "queue.drawn"
_WANTED: Final = "queue.wanted"
_PAGE: Final = 20
_MOST_SHOWN: Final = 80
_LONGEST_LABEL: Final = 90
_NAMES: Final[dict[QueueName, str]] = {
    "mine": "Mine",
    "unassigned": "Unassigned",
    "high_risk": "High risk",
    "ageing": "Ageing",
    "low_confidence": "Low confidence",
    "missing_context": "Missing context",
    "stale_source": "Stale source",
    "escalated": "Escalated",
    "all": "All",
}
_EMPTY: Final[dict[QueueName, str]] = {
    "mine": "Take a contact from “Unassigned” with “Take it”.",
    "unassigned": "Every open contact has somebody.",
    "high_risk": "Nothing urgent waits. Contacts that must be escalated first appear here.",
    "ageing": "Nothing is late, and nothing is due within two hours.",
    "low_confidence": "The desk is sure what every open contact is about.",
    "missing_context": "No open contact lacks a detail that its reason requires.",
    "stale_source": "No source changed under a waiting draft.",
    "escalated": "Contacts that a person carries on appear here, each with its brief.",
    "all": "Paste a customer's message with “New contact”.",
}


def opened_contact() -> str | None:
    """Return the id of the contact that is open; None when none is.

    The address names it, so that a link to a contact can be kept and passed on.
    """
    contact_id: str | None = st.session_state.get(_OPEN)
    if contact_id is None:
        contact_id = st.query_params.get(PARAMETER)
        st.session_state[_OPEN] = contact_id
    return contact_id


def open_contact(contact_id: str | None) -> None:
    """Have this contact open on the next run."""
    st.session_state[_OPEN] = contact_id
    if contact_id is None:
        st.query_params.pop(PARAMETER, None)
    else:
        st.query_params[PARAMETER] = contact_id


def show_queue(name: QueueName) -> None:
    """Have this queue shown on the next run."""
    st.session_state[_WANTED] = name


def keep_address() -> None:
    """Have the address name the contact that is open."""
    contact_id = opened_contact()
    if contact_id and st.query_params.get(PARAMETER) != contact_id:
        st.query_params[PARAMETER] = contact_id


def drawn(contact: ContactSummary | None) -> None:
    """Remember how the open contact was when the page was drawn."""
    st.session_state[_DRAWN] = _state_of(contact)


def queue(desk: Desk, actor: Actor) -> None:
    """Show the queue and let the person choose a contact; refreshed alone every two seconds."""
    st.session_state.pop(_DRAWN, None)  # the page is being drawn: there is no older state to leave
    forget()
    st.fragment(_queue, run_every=REFRESH_SECONDS)(desk, actor)


def _queue(desk: Desk, actor: Actor) -> None:
    with refusals_shown():
        _filters_and_cards(desk, actor)
        _look_for_news(desk, actor)


def _filters_and_cards(desk: Desk, actor: Actor) -> None:
    queues = ContactQueues(desk.database, desk.clock)
    counts = queues.counts(actor)
    if wanted := st.session_state.pop(_WANTED, None):
        _choose(wanted)
    st.session_state.setdefault(_FILTER, "mine" if counts["mine"] else "unassigned")
    if urgent := queues.urgent(actor):
        label = f"{urgent} {'needs' if urgent == 1 else 'need'} help now"
        st.button(
            label,
            key="queue.urgent",
            icon=":material/emergency:",
            on_click=_choose,
            args=("high_risk",),
            width="stretch",
        )
    name: QueueName = (
        st.pills(
            "Queue",
            QUEUES,
            required=True,
            format_func=lambda name: _counted(name, counts),
            key=_FILTER,
            label_visibility="collapsed",
            wrap=True,
            on_change=_from_the_top,
        )
        or QUEUES[-1]
    )
    shown = st.session_state.get(_SHOWN, _PAGE)
    start: ContactSummary | None = st.session_state.get(_FROM)
    contacts = queues.page(actor, name, limit=shown + 1, after=start)
    further, contacts = len(contacts) > shown, contacts[:shown]
    st.session_state[_LISTED] = [contact.id for contact in contacts]
    if start:
        st.button("Back to the top", key="queue.top", on_click=_from_the_top, type="tertiary")
    if not contacts:
        empty("Nothing here", _EMPTY[name])
    with st.container(key="pane-queue", gap=None):
        now = desk.clock.now()
        for contact in contacts:
            _card(contact, now)
        if further:
            last = contacts[-1]
            st.button("Show more", key="queue.more", on_click=_more, args=(last,), type="tertiary")
    _step(contacts)


def _counted(name: QueueName, counts: Mapping[QueueName, int]) -> str:
    if name == "all":
        return _NAMES[name]
    more = "+" if counts["all"] >= COUNTED_AT_MOST else ""
    return f"{_NAMES[name]} {counts[name]}{more}"


def _choose(name: QueueName) -> None:
    st.session_state[_FILTER] = name
    _from_the_top()


def _from_the_top() -> None:
    st.session_state[_SHOWN] = _PAGE
    st.session_state[_FROM] = None


def _more(last: ContactSummary) -> None:
    """Show further contacts below; past a screenful of screens, from where the list ended."""
    shown = st.session_state.get(_SHOWN, _PAGE) + _PAGE
    if shown > _MOST_SHOWN:
        st.session_state[_FROM], shown = last, _PAGE
    st.session_state[_SHOWN] = shown


def _step(contacts: list[ContactSummary]) -> None:
    """Offer the next and the one before by key; nothing of it is seen."""
    ids = [contact.id for contact in contacts]
    at = ids.index(opened) if (opened := opened_contact()) in ids else None
    with st.container(key="queue-steps", horizontal=True):
        following = ids[0 if at is None else min(at + 1, len(ids) - 1)] if ids else None
        before = ids[max(at - 1, 0)] if at is not None else None
        pressed = [
            st.button("Next contact", key="queue.next", shortcut="J", disabled=following is None),
            st.button("Contact before", key="queue.before", shortcut="K", disabled=before is None),
        ]
    if pressed[0] and following:
        _go(following)
    if pressed[1] and before:
        _go(before)


def _go(contact_id: str) -> None:
    open_contact(contact_id)
    st.rerun()


def _look_for_news(desk: Desk, actor: Actor) -> None:
    """Have the page drawn anew when somebody changed the contact that is open, or a source did."""
    contact_id = opened_contact()
    before = st.session_state.get(_DRAWN)
    if contact_id is None or before is None or before[0] != contact_id:
        return
    if _state_of(desk.contacts.summary(actor, contact_id)) != before or look_at_drawn(desk, actor):
        st.rerun()


def _state_of(contact: ContactSummary | None) -> tuple[str, str, datetime, str | None] | None:
    if contact is None:
        return None
    return contact.id, contact.status, contact.updated_at, contact.assigned_to


def _card(contact: ContactSummary, now: datetime) -> None:
    chosen = "-chosen" if contact.id == opened_contact() else ""
    settled = contact.status in ("answered", "closed", "waiting", "scheduled")
    with st.container(key=f"card{chosen}-{contact.id}", gap=None):
        show(
            tag(
                "div",
                "pd-card",
                tag(
                    "div",
                    "pd-card-head",
                    tag("div", "pd-card-who", words(contact.customer_name or "Unknown customer")),
                    tag("span", "pd-card-status", words(STATUS_NAMES[contact.status])),
                ),
                tag("div", "pd-card-what", words(contact.subject or "No subject")),
                tag(
                    "div",
                    "pd-badges",
                    tier_badge(contact.tier),
                    warning_chip("VIP") if contact.customer_status == "vip" else NOTHING,
                    NOTHING if settled else due(contact.due_at, now),
                ),
            )
        )
        # The label is read out, never seen: the button lies over the whole card.
        who = f"Open {contact.customer_name or 'unknown customer'}: {contact.subject}"
        if st.button(label_text(who[:_LONGEST_LABEL]), key=f"queue.open.{contact.id}"):
            _go(contact.id)
