"""The audit trail: what happened, who did it, newest first."""

from __future__ import annotations

import json
from typing import Final

import streamlit as st

from desk.audit import DESK, AuditEntry
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.views import ContactQueues
from ui.components.frame import title
from ui.components.labels import exactly
from ui.components.notice import empty, refusals_shown
from ui.components.text import readable_text

PAGE: Final = 100
EVENTS: Final = (
    "contact.opened",
    "contact.message",
    "contact.assigned",
    "contact.reopened",
    "contact.escalated",
    "contact.closed",
    "review.opened",
    "review.claimed",
    "review.approve",
    "review.edit",
    "review.reject",
    "review.escalate",
    "review.answer",
    "review.returned",
    "delivery.scheduled",
    "delivery.sent",
    "delivery.undone",
    "delivery.failed",
    "run.recorded",
    "run.failed",
    "person.added",
    "person.link_made",
)
_STARTS: Final = "audit.starts"


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    title("Audit", "Every decision, with what it was bound to. Nothing here can be changed.")
    starts: list[int] = st.session_state.setdefault(_STARTS, [])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        event = st.selectbox(
            "Event",
            EVENTS,
            index=None,
            placeholder="Every event",
            key="audit.event",
            on_change=starts.clear,
            width=260,
        )
        newer = st.button("Newer", key="audit.newer", disabled=not starts)
        older = st.container(width="content")
    if newer:
        starts.pop()
        st.rerun()
    with refusals_shown():
        entries = desk.audit.latest(actor, PAGE, starts[-1] if starts else None, event)
        if older.button("Older", key="audit.older", disabled=len(entries) < PAGE):
            starts.append(entries[-1].id)
            st.rerun()
        if not entries:
            empty("No such event yet", "Choose another event, or “Every event”.")
            return
        names = {DESK: "The desk", **ContactQueues(desk.database).names()}
        st.dataframe(
            [_row(entry, names) for entry in entries],
            key="audit.table",
            hide_index=True,
            height=560,
        )


def _row(entry: AuditEntry, names: dict[str, str]) -> dict[str, str]:
    return {
        "When": exactly(entry.at),
        "Who": readable_text(names.get(entry.actor, entry.actor)),
        "Event": entry.event,
        "Contact": entry.contact_id or "",
        "Review": entry.review_id or "",
        "Detail": readable_text(json.dumps(entry.data, ensure_ascii=False)) if entry.data else "",
    }
