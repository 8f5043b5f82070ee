"""Badges and moments: the desk's fixed words as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from ui.components.text import Markup, tag, words

TIER_NAMES: Final = {
    "allowed": "Allowed",
    "review_required": "Review required",
    "escalate_first": "Escalate first",
    "forbidden": "Forbidden",
    "": "Not triaged yet",
}
_TIER_SIGNS: Final = {
    "allowed": "●",
    "review_required": "▲",
    "escalate_first": "◆",
    "forbidden": "■",
    "": "○",
}
STATUS_NAMES: Final = {
    "new": "Being drafted",
    "drafting": "Being drafted",
    "in_review": "To decide",
    "deciding": "Being carried out",
    "scheduled": "About to be sent",
    "waiting": "With the customer",
    "answered": "Answered",
    "escalated": "Escalated",
    "failed": "Needs a look",
    "closed": "Closed",
}
CHANNEL_NAMES: Final = {"email": "E-mail", "chat": "Chat", "voice": "Voice"}
KIND_NAMES: Final = {"answer": "Answer", "clarify": "Question back", "abstain": "No answer found"}
DECISION_NAMES: Final = {
    "approve": "Approved",
    "edit": "Edited and approved",
    "reject": "Rejected",
    "escalate": "Escalated",
    "answer": "Missing details filled in",
}
DECISION_BUTTONS: Final = {
    "approve": "Approve",
    "edit": "Edit",
    "reject": "Reject",
    "escalate": "Escalate",
    "answer": "Fill in",
}
ROLE_NAMES: Final = {
    "agent": "Agent",
    "supervisor": "Supervisor",
    "content_owner": "Content owner",
    "admin": "Admin",
}
_PERMANENT_DAYS: Final = 90  # after which a date says more than a count of days


def plainly(identifier: str | None) -> str:
    """Return an identifier such as ``legal_threat`` as words."""
    return (identifier or "").replace("_", " ").strip().capitalize()


def namer(names: Mapping[Any, str]) -> Callable[[Any], str]:
    """Return what a widget calls to name its options."""
    return lambda option: names.get(option) or plainly(str(option))


def tier_text(tier: str) -> str:
    """Return a tier as sign and words, for tables."""
    return f"{_TIER_SIGNS.get(tier, '○')} {TIER_NAMES.get(tier, plainly(tier))}"


def tier_badge(tier: str) -> Markup:
    """Return a tier as a badge that is told apart by words and sign, not by colour alone."""
    known = tier if tier in TIER_NAMES and tier else "none"
    return tag("span", f"pd-badge pd-tier-{known}", words(tier_text(tier)))


def trigger_name(trigger_id: str) -> str:
    """Return a trigger as words; one that a contact reason fires by itself says so."""
    kind, _, rest = trigger_id.partition(":")
    return (
        f"Contact reason: {plainly(rest).lower()}"
        if kind == "reason" and rest
        else plainly(trigger_id)
    )


def trigger_badge(trigger_id: str, tier: str) -> Markup:
    """Return a trigger as a badge with the sign of its tier."""
    sign = _TIER_SIGNS.get(tier, "○")
    return tag(
        "span",
        f"pd-badge pd-tier-{tier if tier in _TIER_SIGNS and tier else 'none'}",
        words(f"{sign} {trigger_name(trigger_id)}"),
        title=TIER_NAMES.get(tier, plainly(tier)),
    )


def chip(text: str, title: str = "") -> Markup:
    """Return a small neutral label."""
    return tag("span", "pd-chip", words(text), title=title)


def warning_chip(text: str, title: str = "") -> Markup:
    """Return a small label that asks for attention."""
    return tag("span", "pd-chip pd-chip-warning", words(text), title=title)


def relative(moment: datetime, now: datetime) -> str:
    """Return how far ``moment`` lies from ``now``, in words."""
    seconds = (moment - now).total_seconds()
    size = abs(seconds)
    if size < 45:
        return "now"
    if size > _PERMANENT_DAYS * 86400:
        return f"{moment.day} {moment:%b %Y}"
    count, unit = _counted(size)
    return f"in {count} {unit}" if seconds > 0 else f"{count} {unit} ago"


def _counted(seconds: float) -> tuple[int, str]:
    if seconds < 5400:
        return max(1, round(seconds / 60)), "min"
    if seconds < 129_600:
        return round(seconds / 3600), "h"
    return round(seconds / 86400), "d"


def here() -> tzinfo:
    """Return the time zone of the person at the screen; UTC when their browser does not tell."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def table_moment(
    column: str, moment: datetime | None, now: datetime, otherwise: str = ""
) -> dict[str, str]:
    """Return the cells of a moment in a table: its distance, and exactly when.

    Args:
        column: Name of the column; the exact moment stands in a second one.
        moment: The moment; None where there is none.
        now: The present moment.
        otherwise: What to say in place of the distance where there is no moment.
    """
    told = relative(moment, now) if moment else otherwise
    return {column: told, _exact(column): exactly(moment) if moment else ""}


def exact_at_hand(*columns: str) -> dict[str, None]:
    """Configure the exact moments of a table's columns: hidden, shown by the table's own menu."""
    return dict.fromkeys(map(_exact, columns))


def _exact(column: str) -> str:
    return f"{column}, exactly"


def exactly(moment: datetime) -> str:
    """Return ``moment`` in full, in the zone of the person at the screen."""
    local = moment.astimezone(here())
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} {local.tzname() or 'UTC'}"


def clock_time(moment: datetime) -> str:
    """Return the time of day of ``moment``, in the zone of the person at the screen."""
    return f"{moment.astimezone(here()):%H:%M}"


def when(moment: datetime | None, now: datetime) -> Markup:
    """Return a moment relative to now, exact on hover."""
    if moment is None:
        return tag("span", "pd-when", words("–"))
    return tag("span", "pd-when", words(relative(moment, now)), title=exactly(moment))


def due(moment: datetime | None, now: datetime) -> Markup:
    """Return when an answer is due; late ones say so."""
    if moment is None:
        return Markup("")
    if moment < now:
        return warning_chip(f"Was due {relative(moment, now)}", exactly(moment))
    return chip(f"Due {relative(moment, now)}", exactly(moment))
