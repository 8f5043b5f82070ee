"""The QA sample: drawing it, reading it, what it says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.qa_report import DrawLine
from ui.components.labels import here
from ui.components.notice import empty, keep, refusals_shown, show_kept
from ui.components.qa_reading import reading_view
from ui.components.qa_results import results_view
from ui.components.text import say

_DRAW: Final = "qa.draw"
_WHICH: Final = "qa.which"
_READ: Final = "Read"
_RESULTS: Final = "Results"
_OPEN: Final = "qa.drawing"
_MOST: Final = 1_000


def qa_view(desk: Desk, actor: Actor) -> None:
    """Show the draw that is chosen: what to read next of it, or what the readings say."""
    show_kept()
    draws = desk.qa.draws(actor)
    with st.container(horizontal=True, vertical_alignment="center", key="qa-bar"):
        chosen = _chosen(draws) if draws else None
        shown = (
            st.segmented_control(
                "Show",
                (_READ, _RESULTS),
                default=_READ,
                required=True,
                key=_WHICH,
                label_visibility="collapsed",
            )
            if chosen
            else ""
        )
        st.button(
            "Close" if st.session_state.get(_OPEN) else "Draw a sample",
            key="qa.draw_button",
            icon=":material/casino:",
            type="secondary" if chosen else "primary",
            on_click=_toggle,
        )
    if st.session_state.get(_OPEN):
        _draw_form(desk, actor)
    if chosen is None:
        empty(
            "No sample was drawn yet",
            "Draw one: people read it without knowing who decided, and what they find is told for "
            "all contacts of the period.",
        )
    elif shown == _RESULTS:
        results_view(desk, actor, chosen)
    else:
        reading_view(desk, actor, chosen)


def _toggle() -> None:
    st.session_state[_OPEN] = not st.session_state.get(_OPEN)


def _chosen(draws: Sequence[DrawLine]) -> DrawLine:
    known = {draw.id: draw for draw in draws}
    if st.session_state.get(_DRAW) not in known:
        st.session_state[_DRAW] = draws[0].id
    chosen = st.selectbox(
        "Sample",
        list(known),
        format_func=lambda draw_id: _named(known[draw_id]),
        key=_DRAW,
        width=420,
        label_visibility="collapsed",
    )
    return known[chosen]


def _named(draw: DrawLine) -> str:
    since, last = draw.since.astimezone(here()), _last_day(draw.until)
    return (
        f"{since:%d %b} to {last:%d %b %Y}: {draw.picked} of {draw.contacts:,} contacts, "
        f"{draw.read} read"
    )


def _last_day(until: datetime) -> datetime:
    return (until - timedelta(microseconds=1)).astimezone(here())


def _draw_form(desk: Desk, actor: Actor) -> None:
    """Ask for a period and a size, and draw."""
    today = desk.clock.now().astimezone(here()).date()
    with st.form("qa.drawing.form", border=True), refusals_shown():
        with st.container(horizontal=True, vertical_alignment="bottom"):
            since = st.date_input(
                "Contacts that ended from",
                value=today - timedelta(days=7),
                max_value=today,
                key="qa.since",
                width=190,
            )
            until = st.date_input(
                "Until and with", value=today, max_value=today, key="qa.until", width=190
            )
            size = st.number_input(
                "How many to read", 1, _MOST, value=None, key="qa.size", width=170,
                placeholder="As the workspace says",
            )  # fmt: skip
            pressed = st.form_submit_button("Draw", key="qa.drawing.send", type="primary")
        say(
            "Contacts are drawn by how they ended and by risk; who is drawn nobody can foresee, and "
            "the audit trail keeps what draws the same sample again.",
            "pd-faint",
        )
        if pressed:
            draw_id = desk.qa.draw(
                actor,
                since=_midnight(since),
                until=min(_midnight(until, days=1), desk.clock.now()),
                size=size,
            )
            st.session_state[_OPEN] = False
            st.session_state.pop(_DRAW, None)
            drawn = next(one for one in desk.qa.draws(actor) if one.id == draw_id)
            keep(f"{drawn.picked} of {drawn.contacts:,} contacts are drawn.")
            st.rerun()


def _midnight(day: object, days: int = 0) -> datetime:
    if not isinstance(day, date):  # a range is never asked for
        raise TypeError(f"{day!r} is no day")
    return datetime.combine(day + timedelta(days=days), time(), here())
