"""How the desk does: every metric with its trend, told apart by contact reason, tier or channel, and by person."""

from __future__ import annotations

import streamlit as st

from desk.bootstrap import Desk
from desk.metric_export import as_csv
from desk.metrics import DIMENSIONS, Board, Dimension
from desk.permissions import Actor, require
from ui.components.complaints import complaint_themes
from ui.components.frame import title
from ui.components.metric_cards import metric_cards
from ui.components.metric_filter import ChosenMetrics, metric_filter
from ui.components.metric_tables import (
    NAMES,
    definitions,
    groups_view,
    people_table,
    trend_chart,
)
from ui.components.notice import empty, notice, refusals_shown
from ui.components.office import office_styles
from ui.components.text import show, tag, words


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    office_styles()
    title("Metrics", "How the desk does. Point at a ? to read what a figure is.")
    with refusals_shown():
        require(actor, "read_quality")
        names = {reason.id: reason.name for reason in desk.reasons}
        chosen = metric_filter(desk.metrics.today(), names)
        if chosen is None:
            empty("Choose two days", "The first and the last one that you want to see.")
            return
        with st.spinner("Counting …"):
            _metrics(desk, actor, chosen, names)


def _metrics(desk: Desk, actor: Actor, chosen: ChosenMetrics, names: dict[str, str]) -> None:
    only = chosen.filter
    board = desk.metrics.board(actor, only, chosen.step)
    if board.waiting:
        notice(
            f"{board.waiting:,} events are not counted yet",
            detail="The desk counts them within the hour; until then these figures are too low.",
        )
    if _is_empty(board):
        empty("Nothing happened in these days", "Choose more days, or another reason or channel.")
        return
    metric_cards(board, len(only.days))
    show(tag("h4", "pd-section", words("Through the days")))
    trend_chart(board, chosen.step)
    show(tag("h4", "pd-section", words("By contact reason, tier or channel")))
    by: Dimension = st.pills(
        "By",
        DIMENSIONS,
        default="reason",
        required=True,
        key="metrics.by",
        label_visibility="collapsed",
        format_func=lambda one: f"By {NAMES[one].lower()}",
    )
    groups = desk.metrics.by(actor, only, by)
    groups_view(by, groups, names)
    of_people = desk.metrics.by_person(actor, only)
    people = desk.metrics.names(actor, of_people)
    show(tag("h4", "pd-section", words("Review load, by who decided")))
    people_table(of_people, people)
    show(tag("h4", "pd-section", words("What complaints are about")))
    themes = desk.metrics.themes(actor, only)
    complaint_themes(actor, themes, int(board.figures["complaint_rate"].hits))
    definitions()
    lines = [
        ("all", "", board.figures),
        *((by, name, figures) for name, figures in groups.items()),
        *(("person", people.get(one, one), figures) for one, figures in of_people.items()),
    ]
    st.download_button(
        "Download as CSV",
        as_csv(lines, only),
        f"metrics-{only.since}-{only.until}.csv",
        "text/csv",
        key="metrics.csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _is_empty(board: Board) -> bool:
    return not any(figure.count for figure in board.figures.values())
