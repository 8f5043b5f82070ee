"""The audit trail: chosen by event, person, contact and time; one event whole; handed out as files."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast

import streamlit as st

from desk.audit import DESK, AuditEntry, AuditFilter, ExportForm
from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.labels import (
    exact_at_hand,
    exactly,
    here,
    namer,
    plainly,
    table_moment,
)
from ui.components.links import open_contact_button, open_review_button
from ui.components.office import values
from ui.components.text import readable_text, show, tag, words

TABLE: Final = "audit.table"
_KEYS: Final[dict[ExportForm, str]] = {"csv": "X", "jsonl": "W"}
_ROW: Final = 33
_MOST_ROWS: Final = 12
_FILTERS: Final = ("audit.event", "audit.person", "audit.contact", "audit.from", "audit.to")
_MIME: Final[dict[ExportForm, str]] = {"csv": "text/csv", "jsonl": "application/jsonl"}
_EVENTS: Final = {
    "review.approve": "Review approved",
    "review.edit": "Review edited and approved",
    "review.reject": "Review rejected",
    "review.escalate": "Review escalated",
    "review.answer": "Review answered with details",
    "person.link_made": "Sign-in link made",
    "person.left": "Person left",
    "person.back": "Person came back",
    "flag.gone": "Flag ended by itself",
    "flag.verify": "Flag ended: verified",
    "flag.edit": "Flag ended: corrected",
    "flag.supersede": "Flag ended: replaced",
    "flag.archive": "Flag ended: archived",
    "flag.dismiss": "Flag dismissed",
    "flag.assign": "Flag assigned",
    "flag.reopen": "Flag reopened",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the reader narrowed the trail to."""

    filter: AuditFilter
    narrowed: bool


def event_name(event: str) -> str:
    """Return an event as people say it."""
    return _EVENTS.get(event) or plainly(event.replace(".", " "))


def trail_filter(desk: Desk, actor: Actor, names: Mapping[str, str]) -> Chosen:
    """Let the reader narrow the trail."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="audit-filter"):
        event = st.selectbox(
            "Event",
            desk.audit.names(actor),
            index=None,
            placeholder="Every event",
            format_func=event_name,
            key="audit.event",
            width=230,
        )
        person = st.selectbox(
            "Who",
            list(names),
            index=None,
            placeholder="Everybody",
            format_func=namer({one: readable_text(name) for one, name in names.items()}),
            key="audit.person",
            width=190,
        )
        contact = st.text_input(
            "Contact", key="audit.contact", placeholder="con_…", width=210
        ).strip()
        since = st.date_input("From", value=None, key="audit.from", width=150)
        until = st.date_input("Until", value=None, key="audit.to", width=150)
        narrowed = any((event, person, contact, since, until))
        if narrowed:
            st.button(
                "Show all", key="audit.clear", type="tertiary", shortcut="U", on_click=_show_all
            )
    chosen = AuditFilter(
        event=event,
        actor=person,
        contact_id=contact or None,
        since=_midnight(since),
        until=_midnight(until, days=1),
    )
    return Chosen(chosen, narrowed)


def _show_all() -> None:
    for key in _FILTERS:
        st.session_state.pop(key, None)


def _midnight(day: object, days: int = 0) -> datetime | None:
    """Return the moment at which a day begins for whoever is at the screen."""
    if not isinstance(day, date):
        return None
    return datetime.combine(day + timedelta(days=days), time(), here())


def export_buttons(desk: Desk, actor: Actor, chosen: AuditFilter) -> None:
    """Show what hands the chosen events out as a file; it is made when it is asked for."""
    with st.container(horizontal=True, width="content"):
        for form in cast("tuple[ExportForm, ...]", ("csv", "jsonl")):
            st.download_button(
                f"Export {form.upper()}",
                _export(desk, actor, form, chosen),
                file_name=f"proofdesk-audit-{desk.clock.now():%Y%m%d-%H%M}.{form}",
                mime=_MIME[form],
                key=f"audit.export.{form}",
                icon=":material/download:",
                shortcut=_KEYS[form],
                on_click="ignore",
            )


def _export(desk: Desk, actor: Actor, form: ExportForm, chosen: AuditFilter) -> Callable[[], bytes]:
    return lambda: "".join(desk.audit.export(actor, form, chosen)).encode()


def trail_table(
    entries: Sequence[AuditEntry], names: Mapping[str, str], now: datetime
) -> AuditEntry | None:
    """Show a page of the trail; return the event that is open."""
    event = st.dataframe(
        [
            {
                **table_moment("When", entry.at, now),
                "Who": readable_text(names.get(entry.actor, entry.actor)),
                "Event": event_name(entry.event),
                "Contact": entry.contact_id or "",
                "Detail": readable_text(_in_a_line(entry.data)),
            }
            for entry in entries
        ],
        key=TABLE,
        hide_index=True,
        height=_ROW * (min(len(entries), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        alt="Events of the audit trail, the newest first",
        column_config={
            **exact_at_hand("When"),
            "When": st.column_config.TextColumn(width=100),
            "Who": st.column_config.TextColumn(width=150),
            "Event": st.column_config.TextColumn(width=200),
            "Contact": st.column_config.TextColumn(width=200),
        },
    )
    rows = [row for row in event["selection"]["rows"] if row < len(entries)]
    return entries[rows[0]] if rows else None


def _in_a_line(data: Mapping[str, Any]) -> str:
    return ", ".join(f"{plainly(name).lower()}: {_said(value)}" for name, value in data.items())


def _said(value: object) -> str:
    if isinstance(value, dict | list):
        return f"{len(value)} entr{'y' if len(value) == 1 else 'ies'}"
    return str(value)


def entry_shown(actor: Actor, entry: AuditEntry, names: Mapping[str, str]) -> None:
    """Show one event whole."""
    told = [
        ("Number", entry.id),
        ("When", exactly(entry.at)),
        ("Who", names.get(entry.actor, entry.actor)),
        ("Event", entry.event),
        ("Contact", entry.contact_id or "None"),
        ("Review", entry.review_id or "None"),
    ]
    data = [(plainly(name), _whole(value)) for name, value in entry.data.items()]
    show(
        tag("h3", "pd-subject", words(event_name(entry.event))),
        tag("div", "pd-passage", values([*told, *data])),
    )
    with st.container(horizontal=True):
        if entry.contact_id:
            open_contact_button(actor, entry.contact_id, "audit.open_contact")
        if entry.review_id:
            open_review_button(actor, entry.review_id, "audit.open_review")


def _whole(value: object) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, indent=1)
    return str(value)


def everybody(names: Mapping[str, str]) -> dict[str, str]:
    """Return id → name of everybody who can have done something, the desk itself first."""
    return {DESK: "The desk", **names}
