"""The supervisor's week: the daily queue, a day for each part of the loop, and the tasks."""

from __future__ import annotations

from typing import Final, cast

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor, require
from desk.rhythm_rules import DAYS, Day, day_of
from ui.components.daily_queue import queue_view
from ui.components.frame import ASSETS, title
from ui.components.notice import refusals_shown, show_kept
from ui.components.office import office_styles
from ui.components.rhythm_day import day_view
from ui.components.task_board import ADDRESS, carry_out_task, tasks_view
from ui.components.text import say

_SHOWN: Final = "rhythm.shown"
_QUEUE: Final = "queue"
_TASKS: Final = "tasks"


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    office_styles()
    st.html(ASSETS / "rhythm.css")
    leads = actor.may("run_rhythm")
    title(
        "This week" if leads else "Tasks",
        "What must not wait, a day for each part of the loop, and what it asks of others."
        if leads
        else "What reviewers' decisions ask of you.",
    )
    carry_out_task(desk, actor)
    show_kept()
    with refusals_shown():
        require(actor, "work_tasks")
        if not leads:
            tasks_view(desk, actor)
            return
        shown = str(st.session_state.get(_SHOWN) or _first(desk))
        if shown not in DAYS:
            _choice(desk, actor)
            (queue_view if shown == _QUEUE else tasks_view)(desk, actor)
            return
        with st.spinner("Reading the week …"):  # first: what it lists, the choice counts
            report = desk.rhythm.report(actor, shown)
        _choice(desk, actor)
        say(f"{report.title}: {report.purpose}", "pd-faint")
        day_view(desk, actor, report)


def _first(desk: Desk) -> str:
    return _TASKS if ADDRESS in st.query_params else day_of(desk.now_here())


def _choice(desk: Desk, actor: Actor) -> None:
    now = desk.now_here()
    weekday = DAYS[now.weekday()] if now.weekday() < len(DAYS) else None
    progress = desk.rhythm.progress(actor)

    def named(option: str) -> str:
        if option in (_QUEUE, _TASKS):
            return "Daily queue" if option == _QUEUE else "Tasks"
        done, total = progress[cast(Day, option)]
        name = option.capitalize()
        mark = f"{name} (today)" if option == weekday else name
        return f"{mark} {done}/{total}" if total else mark

    st.pills(
        "Show",
        (_QUEUE, *DAYS, _TASKS),
        default=_first(desk),
        required=True,
        key=_SHOWN,
        label_visibility="collapsed",
        format_func=named,
    )
