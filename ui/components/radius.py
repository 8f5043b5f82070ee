"""What rests on a source: drafts that wait, answers that left, macros that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.radius import Basis, RadiusCounts, RestingLine, RestingMacro, RestingState
from ui.components.labels import (
    chip,
    exact_at_hand,
    table_moment,
    tier_text,
    warning_chip,
    when,
)
from ui.components.links import go_to_article, open_contact_button, open_review_button
from ui.components.pager import page_buttons, read_page
from ui.components.text import NOTHING, Markup, readable_text, show, tag, words

TABLE: Final = "radius.table"
PAGE: Final = 25
_MOST_MACROS: Final = 8
_NARROW: Final = ("Stands", "Customer", "Subject", "When")
_MACROS: Final = "radius.macros"
_ROW: Final = 33
_MOST_ROWS: Final = 5
STATES: Final[dict[RestingState, str]] = {
    "waits": "Draft waits",
    "leaves": "About to leave",
    "sent": "Sent",
}


def radius_shown(
    desk: Desk, actor: Actor, name: str, basis: Basis, now: datetime, *, narrow: bool = False
) -> None:
    """Show what rests on ``basis``.

    Args:
        desk: The desk.
        actor: Who looks.
        name: Tells one place on the page from another.
        basis: The source.
        now: The moment.
        narrow: Leave columns out where there is no room for them.
    """
    counts = desk.radius.counts(actor, basis)
    macros = _macros(desk, actor, name, basis)
    show(tag("h4", "pd-section", words("What rests on it")), _summary(counts, macros))
    if counts.drafts or counts.answers:
        _table(desk, actor, name, basis, now, _NARROW if narrow else None)
    for place, macro in enumerate(macros[:_MOST_MACROS]):
        _macro(macro, place)


def _summary(counts: RadiusCounts, macros: Sequence[RestingMacro]) -> Markup:
    if not (counts.drafts or counts.answers or macros):
        return tag(
            "div", "pd-faint", words("No draft, no answer and no macro. Nobody was told this yet.")
        )
    parts = (
        _count(counts.drafts, "contact waits with a draft", "contacts wait with a draft"),
        _count(counts.answers, "contact was answered", "contacts were answered"),
        _count(len(macros), "macro speaks of it", "macros speak of it"),
    )
    return tag("div", "pd-badges", *(chip(part) for part in parts if part))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def _macros(desk: Desk, actor: Actor, name: str, basis: Basis) -> list[RestingMacro]:
    # Comparing every macro takes a while: once for what is open, not on every click beside it.
    known = st.session_state.get(_MACROS)
    if known is None or known[0] != (name, basis):
        with st.spinner("Looking through the macros …"):
            known = ((name, basis), desk.radius.macros(actor, basis))
        st.session_state[_MACROS] = known
    found: list[RestingMacro] = known[1]
    return found


def _table(
    desk: Desk,
    actor: Actor,
    name: str,
    basis: Basis,
    now: datetime,
    columns: Sequence[str] | None,
) -> None:
    lines, more = read_page(
        "radius",
        (name, basis),
        PAGE,
        lambda limit, after: desk.radius.page(actor, basis, limit=limit, after=after),
    )
    if not lines:
        return
    event = st.dataframe(
        [_row(line, now) for line in lines],
        key=f"{TABLE}.{name}",
        hide_index=True,
        column_order=columns,
        height=_ROW * (min(len(lines), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        alt="Drafts and answers that rest on this source",
        column_config={
            **exact_at_hand("When"),
            "Stands": st.column_config.TextColumn(width=120),
            "Risk": st.column_config.TextColumn(width=150),
            "When": st.column_config.TextColumn(width=90),
        },
    )
    rows = [row for row in event["selection"]["rows"] if row < len(lines)]
    page_buttons("radius", lines, more, keys=False)
    if rows:
        _told(actor, lines[rows[0]], now)


def _row(line: RestingLine, now: datetime) -> dict[str, str]:
    return {
        "Stands": STATES[line.state],
        "Customer": readable_text(line.customer_name) or "Unknown",
        "Subject": readable_text(line.subject) or "No subject",
        "Says": readable_text(" ".join(line.told)),
        "Risk": tier_text(line.tier),
        **table_moment("When", line.at, now),
    }


def _told(actor: Actor, line: RestingLine, now: datetime) -> None:
    show(
        tag(
            "div",
            "pd-quoted",
            tag(
                "div",
                "pd-byline",
                tag("strong", "", words(line.subject or line.customer_name or "No subject")),
                tag("span", "", when(line.at, now)),
            ),
            tag("div", "pd-words", words(" ".join(line.told) or "It cites the source elsewhere.")),
            warning_chip("What it said has changed since") if line.stale else NOTHING,
        )
    )
    with st.container(horizontal=True):
        if line.review_id and line.state == "waits":
            open_review_button(actor, line.review_id, "radius.review")
        open_contact_button(actor, line.contact_id, "radius.contact")


def _macro(macro: RestingMacro, place: int) -> None:
    standing = (
        warning_chip("Macro not used", macro.withheld) if macro.withheld else chip("Macro in use")
    )
    said = tag(
        "div",
        "pd-macro",
        standing,
        tag("span", "", words(macro.title)),
        tag("span", "pd-faint", words(macro.withheld)),
    )
    with st.container(horizontal=True, vertical_alignment="center", key=f"macro-{place}"):
        show(said)
        if st.button(
            "Open the macro",
            key=f"radius.macro.{place}",
            icon=":material/article:",
            type="tertiary",
        ):
            go_to_article(macro.article_id)
