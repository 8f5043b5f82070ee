"""An approved answer: where it stands, its words, calling it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import streamlit as st

from core.vocabulary import DeliveryStatus
from desk.bootstrap import Desk
from desk.delivery import DeliveryView
from desk.permissions import Actor
from graph.autopilot import BY_AUTOPILOT
from ui.components.labels import (
    chip,
    exact_at_hand,
    table_moment,
    warning_chip,
    when,
)
from ui.components.mark_wrong import carry_out_marking, mark_wrong
from ui.components.notice import keep
from ui.components.once import ask, carry_out_briefly
from ui.components.text import NOTHING, Markup, readable_text, show, tag, words
from ui.components.undo import call_back

STATUS_NAMES: Final[dict[DeliveryStatus, str]] = {
    "scheduled": "Leaves soon",
    "sending": "Leaving",
    "sent": "Sent",
    "undone": "Did not leave",
    "failed": "Could not be sent",
}
TABLE: Final = "outbox.table"
_ASKED: Final = "delivery.asked"


def delivery_table(
    deliveries: list[DeliveryView], names: Mapping[str, str], now: datetime
) -> DeliveryView:
    """Show deliveries as a table; return the one that is open, the newest by default."""
    event = st.dataframe(
        [_row(delivery, names, now) for delivery in deliveries],
        key=TABLE,
        hide_index=True,
        height=min(len(deliveries), 12) * 35 + 40,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        column_config={
            **exact_at_hand("Approved"),
            "Status": st.column_config.TextColumn(width=120),
        },
    )
    rows = [row for row in event["selection"]["rows"] if row < len(deliveries)]
    return deliveries[rows[0] if rows else 0]


def _row(delivery: DeliveryView, names: Mapping[str, str], now: datetime) -> dict[str, str]:
    return {
        "Status": STATUS_NAMES[delivery.status],
        "Subject": readable_text(delivery.subject),
        "To": readable_text(delivery.recipient) or "No address",
        "Approved by": readable_text(_who(delivery, names)),
        **table_moment("Approved", delivery.created_at, now),
    }


def delivery_shown(
    desk: Desk, actor: Actor, delivery: DeliveryView, names: Mapping[str, str]
) -> None:
    """Show one delivery, with the button that calls it back while it has not left."""
    now = desk.clock.now()
    show(
        tag("h3", "pd-subject", words(delivery.subject)),
        tag("div", "pd-badges", *_standing(delivery, now)),
        _trouble(delivery),
        tag("div", "pd-draft pd-words", words(delivery.text)),
        tag("div", "pd-faint pd-line", words(_origin(delivery, names))),
        _file(delivery),
    )
    if delivery.status == "scheduled":
        st.button(
            "Undo",
            key=f"delivery.undo.{delivery.id}",
            icon=":material/undo:",
            on_click=call_back,
            args=(desk, actor, delivery.contact_id, delivery.id),
        )
    elif delivery.status == "sent":
        mark_wrong(actor, delivery.contact_id, delivery.id)
    elif delivery.status == "failed":
        send_again_button(actor, delivery)


def send_again_button(actor: Actor, delivery: DeliveryView) -> None:
    """Show the button that has an answer tried again which could not be sent."""
    if not (actor.may("decide") or delivery.approved_by == actor.id):
        return
    st.button(
        "Send again",
        key=f"delivery.again.{delivery.id}",
        icon=":material/send:",
        on_click=ask,
        args=(_ASKED, delivery.id),
    )


def carry_out_delivery(desk: Desk, actor: Actor) -> None:
    """Do with a delivery what was just asked for; keep a notice of what became of it."""
    carry_out_marking(desk, actor)

    def tried(delivery_id: str) -> None:
        desk.deliveries.send_again(actor, delivery_id)

    def tell(_delivery_id: str) -> None:
        keep("It is tried again. If it cannot be sent, it comes back here.", "plain")

    carry_out_briefly(_ASKED, tried, lambda _asked: "It was not sent again", tell)


def _standing(delivery: DeliveryView, now: datetime) -> list[Markup]:
    status = STATUS_NAMES[delivery.status]
    if delivery.status in ("failed", "undone"):
        return [warning_chip(status, delivery.error), when(delivery.created_at, now)]
    if delivery.status == "sending" and delivery.error:
        return [warning_chip("Is tried again", delivery.error), when(delivery.due_at, now)]
    moment = delivery.sent_at or delivery.due_at
    return [chip(status), when(moment, now)]


def _trouble(delivery: DeliveryView) -> Markup:
    if delivery.status not in ("failed", "sending") or not delivery.error:
        return NOTHING
    tried = "once" if delivery.attempts == 1 else f"{delivery.attempts} times"
    return tag("div", "pd-note", words(f"Tried {tried}. {delivery.error}"))


def _origin(delivery: DeliveryView, names: Mapping[str, str]) -> str:
    to = delivery.recipient or "nobody yet: the contact has no address"
    return f"Approved by {_who(delivery, names)} · to {to}"


def _who(delivery: DeliveryView, names: Mapping[str, str]) -> str:
    if delivery.approved_by == BY_AUTOPILOT:
        return "Autopilot"
    return names.get(delivery.approved_by, delivery.approved_by)


def _file(delivery: DeliveryView) -> Markup:
    if not delivery.location:
        return NOTHING
    return tag(
        "div", "pd-faint pd-line", words(Path(delivery.location).name), title=delivery.location
    )
