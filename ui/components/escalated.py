"""What a person carries on: each with its brief, on one screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from core.errors import ProofdeskError
from desk.bootstrap import Desk
from desk.contacts import ContactSummary
from desk.permissions import Actor
from desk.queues import ContactQueues
from ui.components.conversation import contact_heading, conversation
from ui.components.handoff import handoff_brief
from ui.components.labels import (
    exact_at_hand,
    table_moment,
    tier_text,
)
from ui.components.links import open_contact_button
from ui.components.notice import empty, keep
from ui.components.text import readable_text, say

_MOST: Final = 50
_ROW: Final = 33


def escalated(desk: Desk, actor: Actor) -> None:
    """Show the contacts that were escalated, and the brief of the one that is open."""
    queues, now = ContactQueues(desk.database), desk.clock.now()
    contacts = queues.page(actor, "escalated", limit=_MOST)
    if not contacts:
        empty("Nothing is escalated", "Contacts that a person must carry on appear here.")
        return
    chosen = _table(contacts, queues.names(), now)
    contact = desk.contacts.get(actor, chosen.id)
    reason = desk.reasons.get(contact.summary.reason)
    left, right = st.columns([5, 7], gap="large")
    with left, st.container(key="pane-customer"):
        contact_heading(contact, reason.name if reason else "No known reason", now)
        conversation(contact.messages, contact.triggers, now)
    with right, st.container(key="brief-wide"):
        open_contact_button(actor, chosen.id, "escalated.open")
        if contact.brief:
            handoff_brief(contact.brief)
        else:
            empty("It has no brief", "It was escalated before the desk had read it.")
        if actor.may("decide"):
            _verdict(desk, actor, chosen.id, queues.names())


def _verdict(desk: Desk, actor: Actor, contact_id: str, names: Mapping[str, str]) -> None:
    """Ask whether the contact needed a person, or show what was said of it."""
    given = desk.escalations.verdict(actor, contact_id)
    if given is not None:
        said = "needed a person" if given.right else "did not need a person"
        say(f"{names.get(given.by, 'Somebody')} said that this {said}.", "pd-faint")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="escalation-verdict"):
        for right, label in ((True, "This needed a person"), (False, "It needed nobody")):
            st.button(
                label,
                key=f"escalation.{'right' if right else 'unneeded'}",
                icon=":material/check:" if right else ":material/close:",
                on_click=_judge,
                args=(desk, actor, contact_id, right),
            )


def _judge(desk: Desk, actor: Actor, contact_id: str, right: bool) -> None:
    try:
        desk.escalations.judge(actor, contact_id, right=right)
    except ProofdeskError as error:
        keep("The desk did not take this verdict", "refused", error.message)


def _table(
    contacts: Sequence[ContactSummary], names: Mapping[str, str], now: datetime
) -> ContactSummary:
    event = st.dataframe(
        [
            {
                "Risk": tier_text(contact.tier),
                **table_moment("Came", contact.created_at, now),
                "Customer": readable_text(contact.customer_name) or "Unknown",
                "Subject": readable_text(contact.subject),
                "With": readable_text(names.get(contact.assigned_to or "", "Nobody yet")),
            }
            for contact in contacts
        ],
        key="reviews.escalated",
        hide_index=True,
        height=_ROW * (min(len(contacts), 4) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row-required",
        column_config=exact_at_hand("Came"),
        alt="Escalated contacts: risk, when they came, customer, subject, with whom",
    )
    rows = [row for row in event["selection"]["rows"] if row < len(contacts)]
    return contacts[rows[0] if rows else 0]
