"""Approved answers on their way to the customer, and those that have left."""

from __future__ import annotations

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.queues import ContactQueues
from ui.components.delivery import STATUS_NAMES, carry_out_delivery, delivery_shown, delivery_table
from ui.components.frame import title
from ui.components.labels import namer
from ui.components.notice import empty, refusals_shown, show_kept
from ui.components.pager import page_buttons, read_page

PAGE = 50


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    title("Outbox", "What was approved, and whether it has left.")
    carry_out_delivery(desk, actor)
    show_kept()
    status = st.pills(
        "Status",
        list(STATUS_NAMES),
        format_func=namer(STATUS_NAMES),
        key="outbox.status",
        label_visibility="collapsed",
    )
    with refusals_shown():
        latest, more = read_page(
            "outbox",
            status,
            PAGE,
            lambda limit, last: desk.deliveries.latest(
                actor, limit, status, last.id if last else None
            ),
        )
        if not latest:
            empty("Nothing here", "An answer appears here as soon as somebody approves it.")
            return
        names = ContactQueues(desk.database).names()
        left, right = st.columns([7, 5], gap="large")
        with left:
            chosen = delivery_table(latest, names, desk.clock.now())
            page_buttons("outbox", latest, more)
        with right:
            delivery_shown(desk, actor, chosen, names)
