"""The board of tasks: whose they are, what they rest on, what they propose, how they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import streamlit as st

from core.errors import ProofdeskError
from desk.audit import DESK
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.task_rules import TASK_STATES, TaskKind, TaskState
from desk.tasks import TaskDetail, TaskLine, Witness
from ui.components.evidence import old_beside_new
from ui.components.labels import (
    ROLE_NAMES,
    chip,
    exact_at_hand,
    exactly,
    relative,
    table_moment,
    when,
)
from ui.components.links import open_contact_button, open_on, open_review_button
from ui.components.notice import empty, keep
from ui.components.pager import page_buttons, read_page
from ui.components.text import readable_text, say, show, tag, words

TABLE: Final = "tasks.table"
PAGE: Final = 50
KINDS: Final[Mapping[TaskKind, str]] = {
    "routing_fix": "Routing",
    "macro_update": "Macro",
    "training_note": "Training note",
    "article_change": "Article",
    "coaching": "Coaching",
}
STATES: Final[Mapping[TaskState, str]] = {
    "open": "Open",
    "in_progress": "In progress",
    "done": "Done",
    "dismissed": "Dismissed",
}
_ROW: Final = 33
_MOST_ROWS: Final = 9


def tasks_view(desk: Desk, actor: Actor) -> None:
    """Show the board."""
    counts = desk.tasks.counts(actor)
    with st.container(horizontal=True, vertical_alignment="center"):
        state: TaskState = st.pills(
            "State",
            TASK_STATES,
            default="open",
            required=True,
            key="tasks.state",
            label_visibility="collapsed",
            format_func=lambda one: f"{STATES[one]} {counts[one]}",
        )
        mine = st.toggle("Only mine and my role's", key="tasks.mine")
    lines, more = read_page(
        "tasks",
        (state, mine),
        PAGE,
        lambda limit, after: desk.tasks.page(actor, (state,), mine=mine, limit=limit, after=after),
    )
    if not lines:
        empty(
            f"No task is {STATES[state].lower()}",
            "Rejects, corrections and rewrites raise tasks by themselves, within the hour.",
        )
        return
    chosen = _table(lines, desk.clock.now())
    page_buttons("tasks", lines, more)
    task_shown(desk, actor, desk.tasks.get(actor, chosen.id))


def _table(lines: Sequence[TaskLine], now: datetime) -> TaskLine:
    event = st.dataframe(
        [
            {
                "What": KINDS[one.kind],
                "Task": readable_text(one.title),
                "Owner": owner_name(one.owner),
                **table_moment("Raised", one.raised_at, now),
            }
            for one in lines
        ],
        key=TABLE,
        hide_index=True,
        height=_ROW * (min(len(lines), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        alt="Tasks",
        column_config={
            **exact_at_hand("Raised"),
            "What": st.column_config.TextColumn(width="small"),
            "Task": st.column_config.TextColumn(width="large"),
            "Owner": st.column_config.TextColumn(width="small"),
            "Raised": st.column_config.TextColumn(width="small"),
        },
    )
    rows = [row for row in event["selection"]["rows"] if row < len(lines)]
    return lines[rows[0]] if rows else lines[0]


def owner_name(owner: str) -> str:
    """Return an owner as people read it: a role by its name, anybody else as written."""
    return ROLE_NAMES.get(owner, readable_text(owner))


def task_shown(desk: Desk, actor: Actor, detail: TaskDetail) -> None:
    """Show one task, and what may be done with it."""
    line, now = detail.line, desk.clock.now()
    show(
        tag("h3", "pd-subject", words(line.title)),
        tag(
            "div",
            "pd-badges",
            chip(KINDS[line.kind]),
            chip(f"Owner: {owner_name(line.owner)}"),
            chip(STATES[line.state]),
            chip(f"Raised {relative(line.raised_at, now)}", exactly(line.raised_at)),
            *([chip(f"Raised for the {line.round}. time")] if line.round > 1 else []),
        ),
    )
    if line.cause:
        by = "By itself: " if line.ended_by == DESK else ""
        say(f"{by}{line.cause}")
    _buttons(desk, actor, detail)
    if detail.instead:
        say(f"Cited in its place afterwards: {', '.join(detail.instead)}.")
    if detail.edit:
        show(tag("h4", "pd-section", words("A suggested edit, from what reviewers wrote")))
        show(tag("div", "pd-pair", *old_beside_new(
            detail.edit.before, detail.edit.after, ("As drawn from the source", "As reviewers put it")
        )))  # fmt: skip
        say(f"The nearest to all {detail.edit.written} rewrites of this sentence.", "pd-faint")
    if detail.addition:
        show(tag("h4", "pd-section", words("To add to reasons.yaml")))
        st.code(detail.addition, language=None)
    _witnesses(actor, detail.witnesses, now)


def _buttons(desk: Desk, actor: Actor, detail: TaskDetail) -> None:
    line = detail.line
    article = str(line.evidence.get("article") or "")
    flag = str(line.evidence.get("flag") or "")
    with st.container(horizontal=True, vertical_alignment="center"):
        if flag and st.button("Open the flag", key="tasks.flag", icon=":material/flag:"):
            open_on("sources", flag=flag)
        if article and st.button(
            "Open the article", key="tasks.article", icon=":material/article:"
        ):
            open_on("sources", article=article)
        if line.state == "open":
            st.button(
                "Begin",
                key="tasks.begin",
                icon=":material/play_arrow:",
                on_click=partial(_do, desk, actor, line.id, "begin"),
            )
        if line.state in ("open", "in_progress"):
            st.button(
                "Done",
                key="tasks.done",
                icon=":material/check:",
                type="primary",
                on_click=partial(_do, desk, actor, line.id, "done"),
            )
            with st.popover("Dismiss", icon=":material/close:", key="tasks.dismiss"):
                st.text_input("Why nothing is to be done", key=f"tasks.why.{line.id}")
                st.button(
                    "Dismiss for good",
                    key="tasks.dismiss.now",
                    on_click=partial(_do, desk, actor, line.id, "dismiss"),
                )


def _do(desk: Desk, actor: Actor, task_id: str, what: str) -> None:
    try:
        if what == "begin":
            desk.tasks.start(actor, task_id)
            keep("The task is in progress")
        elif what == "done":
            desk.tasks.close(actor, task_id)
            keep("The task is done")
        else:
            why = str(st.session_state.get(f"tasks.why.{task_id}") or "")
            desk.tasks.dismiss(actor, task_id, why)
            keep("The task is dismissed, and does not come back")
    except ProofdeskError as error:
        keep("The task is as it was", "refused", error.message)


def _witnesses(actor: Actor, witnesses: Sequence[Witness], now: datetime) -> None:
    if not witnesses:
        return
    show(tag("h4", "pd-section", words("What it rests on")))
    for place, one in enumerate(witnesses):
        with st.container(horizontal=True, vertical_alignment="center", key=f"task-seen-{place}"):
            show(
                tag(
                    "div",
                    "pd-asked",
                    tag("span", "pd-words", words(one.words)),
                    when(one.at, now),
                )
            )
            if one.review_id:
                open_review_button(actor, one.review_id, f"tasks.review.{place}")
            open_contact_button(actor, one.contact_id, f"tasks.contact.{place}")
