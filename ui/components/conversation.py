"""What customer and desk said to each other, with the words that fired a rule marked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from desk.contacts import ContactView, MessageView
from graph.values import TriggerFiring
from ui.components.labels import (
    CHANNEL_NAMES,
    chip,
    due,
    plainly,
    tier_badge,
    trigger_name,
    warning_chip,
    when,
)
from ui.components.text import Markup, Span, marked, show, tag, words

_SPEAKERS = {"customer": "Customer", "agent": "Desk", "assistant": "Assistant"}


def contact_heading(contact: ContactView, reason_name: str, now: datetime) -> None:
    """Show what the contact is and where it stands."""
    line = contact.summary
    badges = [tier_badge(line.tier), due(line.due_at, now), chip(CHANNEL_NAMES[line.channel])]
    if contact.was_seeded:
        badges.append(warning_chip("Seeded check", "Copied to see who reads: nobody waits for it"))
    if line.customer_status == "vip":
        badges.append(warning_chip("VIP"))
    if line.tier:
        badges.append(chip(reason_name, f"{line.confidence:.0%} sure"))
    show(
        tag("h3", "pd-subject", words(line.subject or "No subject")),
        tag("div", "pd-line", words(line.customer_name or "Unknown customer"), _address(contact)),
        tag("div", "pd-badges", *badges),
        _fields(contact),
    )


def _address(contact: ContactView) -> Markup:
    text = f" · {contact.customer_email}" if contact.customer_email else ""
    return tag("span", "pd-faint", words(text))


def _fields(contact: ContactView) -> Markup:
    known = [f"{plainly(name)}: {value}" for name, value in contact.customer_fields.items()]
    return tag("div", "pd-faint pd-line", words(" · ".join(known)))


def conversation(
    messages: Sequence[MessageView], triggers: Sequence[TriggerFiring], now: datetime
) -> None:
    """Show the messages, oldest first."""
    show(*(_message(message, triggers, now) for message in messages))


def _message(message: MessageView, triggers: Sequence[TriggerFiring], now: datetime) -> Markup:
    spans = [
        Span(
            trigger["start"],
            trigger["end"],
            "trigger",
            f"{trigger_name(trigger['id'])} ({by(trigger)})",
        )
        for trigger in triggers
        if trigger.get("turn") == message.id and "start" in trigger and "end" in trigger
    ]
    return tag(
        "div",
        f"pd-message pd-from-{message.speaker}",
        tag(
            "div",
            "pd-byline",
            tag("strong", "", words(_SPEAKERS[message.speaker])),
            when(message.at, now),
        ),
        tag("div", "pd-words", marked(message.text, spans)),
    )


def by(trigger: TriggerFiring) -> str:
    """Return which rule fired a trigger, without the version that only the trail needs."""
    return trigger["by"].partition("@")[0]
