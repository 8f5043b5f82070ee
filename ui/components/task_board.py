"""The board of tasks: whose they are, what they rest on, what they propose, how they end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import streamlit as st

from core.errors import BadInput
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
    namer,
    relative,
    table_moment,
    warning_chip,
)
from ui.components.links import open_on
from ui.components.listing import chosen_line, said_line
from ui.components.notice import empty, keep
from ui.components.once import ask, carry_out_briefly
from ui.components.pager import page_buttons, read_page
from ui.components.text import Markup, readable_text, say, show, tag, words

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
_Deed = Literal["begin", "done", "give", "date", "dismiss"]
_DONE: Final[Mapping[_Deed, str]] = {
    "begin": "The task is in progress",
    "done": "The task is done",
    "give": "The task was given on",
    "date": "The day is set",
    "dismiss": "The task is dismissed, and does not come back",
}
_GIVEN: Final[Mapping[_Deed, str]] = {"give": "to", "date": "due", "dismiss": "why"}
"""What is done → the field that says to whom, by when or why."""
_ASKED: Final = "tasks.asked"
_MOST_ROWS: Final = 9


ADDRESS: Final = "task"
"""What the address names to have one task open alone."""


def tasks_view(desk: Desk, actor: Actor) -> None:
    """Show the board, or the one task that the address names."""
    if asked := st.query_params.get(ADDRESS):
        st.button(
            "All tasks",
            key="tasks.all",
            icon=":material/arrow_back:",
            type="tertiary",
            on_click=_show_all,
        )
        task_shown(desk, actor, desk.tasks.get(actor, asked))
        return
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
        late = desk.tasks.count_overdue(actor)
        overdue = bool(late) and st.toggle(f"Only overdue ({late})", key="tasks.overdue")
    lines, more = read_page(
        "tasks",
        (state, mine, overdue),
        PAGE,
        lambda limit, after: desk.tasks.page(
            actor, (state,), mine=mine, overdue=overdue, limit=limit, after=after
        ),
    )
    if not lines:
        empty(
            f"No task is {STATES[state].lower()}" + (" and overdue" if overdue else ""),
            "Rejects, corrections and rewrites raise tasks by themselves, within the hour.",
        )
        return
    chosen = _table(lines, desk.clock.now())
    page_buttons("tasks", lines, more)
    task_shown(desk, actor, desk.tasks.get(actor, chosen.id))


def _show_all() -> None:
    st.query_params.pop(ADDRESS, None)


def _table(lines: Sequence[TaskLine], now: datetime) -> TaskLine:
    return chosen_line(
        lines,
        [
            {
                "What": KINDS[one.kind],
                "Task": readable_text(one.title),
                "Owner": owner_name(one.owner),
                "Due": due_text(one),
                **table_moment("Raised", one.raised_at, now),
            }
            for one in lines
        ],
        key=TABLE,
        alt="Tasks",
        most_rows=_MOST_ROWS,
        columns={
            **exact_at_hand("Raised"),
            "What": st.column_config.TextColumn(width=66),
            "Task": st.column_config.TextColumn(width=640),
            "Owner": st.column_config.TextColumn(width=115),
            "Due": st.column_config.TextColumn(width=100),
            "Raised": st.column_config.TextColumn(width=70),
        },
    )


def due_text(line: TaskLine) -> str:
    """Return by which day a task is to be done; "" where nobody said."""
    if line.due_on is None:
        return ""
    day = f"{line.due_on.day} {line.due_on:%b}"
    return f"{day}, overdue" if line.overdue else day


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
            *_due_chip(line),
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


def _due_chip(line: TaskLine) -> list[Markup]:
    if line.due_on is None or line.ended_at:
        return []
    day = f"{line.due_on.day} {line.due_on:%B}"
    return [warning_chip(f"Overdue since {day}") if line.overdue else chip(f"Due {day}")]


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
                on_click=_ask,
                args=(line.id, "begin"),
            )
        if line.state in ("open", "in_progress"):
            st.button(
                "Done",
                key="tasks.done",
                icon=":material/check:",
                type="primary",
                on_click=_ask,
                args=(line.id, "done"),
            )
            if actor.may("assign_tasks"):
                _giving(desk, actor, line)
            with st.popover("Dismiss", icon=":material/close:", key="tasks.dismiss"):
                st.text_input("Why nothing is to be done", key=f"tasks.why.{line.id}")
                st.button(
                    "Dismiss for good",
                    key="tasks.dismiss.now",
                    on_click=_ask,
                    args=(line.id, "dismiss"),
                )


def _giving(desk: Desk, actor: Actor, line: TaskLine) -> None:
    """Offer to give a task to somebody else and to set its day."""
    to, day = f"tasks.to.{line.id}", f"tasks.due.{line.id}"
    with st.popover("Owner and day", icon=":material/person_add:", key="tasks.give"):
        takers = desk.tasks.takers(actor, line.kind)
        names = {one: ROLE_NAMES.get(one, readable_text(name)) for one, name in takers.items()}
        st.selectbox(
            "To whom",
            list(names),
            index=None,
            placeholder="Choose a person or a role",
            format_func=namer(names),
            key=to,
        )
        st.button(
            "Give",
            key="tasks.give.now",
            disabled=not st.session_state.get(to),
            on_click=_ask,
            args=(line.id, "give"),
        )
        st.date_input(
            "To be done by",
            line.due_on,
            min_value=min(filter(None, (line.due_on, desk.tasks.today()))),
            key=day,
        )
        st.button(
            "Set the day",
            key="tasks.due.now",
            on_click=_ask,
            args=(line.id, "date"),
        )


def _ask(task_id: str, what: _Deed) -> None:
    """Remember what was pressed, with what was chosen or written for it."""
    given = st.session_state.get(f"tasks.{_GIVEN[what]}.{task_id}") if what in _GIVEN else None
    ask(_ASKED, (task_id, what, given))


def carry_out_task(desk: Desk, actor: Actor) -> None:
    """Do with a task what was just asked for; keep a notice of what became of it."""

    def acted(asked: tuple[str, _Deed, Any]) -> None:
        task_id, what, given = asked
        if what == "begin":
            desk.tasks.start(actor, task_id)
        elif what == "done":
            desk.tasks.close(actor, task_id)
        elif what == "give":
            desk.tasks.give(actor, task_id, str(given or ""))
        elif what == "date":
            if given is None:
                raise BadInput("due: choose a day.")
            desk.tasks.set_due(actor, task_id, given)
        else:
            desk.tasks.dismiss(actor, task_id, str(given or ""))

    def tell(asked: tuple[str, _Deed, Any]) -> None:
        keep(_DONE[asked[1]])

    carry_out_briefly(_ASKED, acted, lambda _asked: "The task is as it was", tell)


def _witnesses(actor: Actor, witnesses: Sequence[Witness], now: datetime) -> None:
    if not witnesses:
        return
    show(tag("h4", "pd-section", words("What it rests on")))
    for place, one in enumerate(witnesses):
        said_line(
            actor,
            one.words,
            one.at,
            now,
            key=f"tasks.{place}",
            box=f"task-seen-{place}",
            review_id=one.review_id,
            contact_id=one.contact_id,
        )
