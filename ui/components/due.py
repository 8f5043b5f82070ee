"""The calendar of what comes due: the weeks as a picture, one week as a list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import altair as alt
import streamlit as st

from desk.bootstrap import Desk
from desk.calendar import DueKind, DueLine, DueWeek
from desk.permissions import Actor
from ui.components.charts import COLOURS, legend, shown_chart
from ui.components.links import go_to_article, source_address
from ui.components.notice import empty
from ui.components.pager import page_buttons, read_page
from ui.components.text import readable_text, say

WHY: Final[dict[DueKind, str]] = {
    "review": "To be reviewed",
    "ends": "Runs out",
    "begins": "Comes into force",
}
_WEEK: Final = "due.week"
_COLOURS: Final = COLOURS[:3]
_ROW: Final = 33
PAGE: Final = 50
_MOST_ROWS: Final = 9


def due_view(desk: Desk, actor: Actor) -> None:
    """Show what comes due."""
    source_address()
    now = desk.clock.now()
    with st.spinner("Reading the calendar …"):
        weeks = desk.calendar.weeks(actor)
    if not any(week.total for week in weeks):
        empty(
            "Nothing comes due in twelve weeks",
            "Give articles “review_every_days” or “effective_to”, and they stand here.",
        )
        return
    weeks_chart(weeks, now)
    week = week_choice(weeks, now)
    lines, more = read_page(
        "due",
        week,
        PAGE,
        lambda limit, after: desk.calendar.page(actor, week, limit=limit, after=after),
    )
    say("Choose a line to open its article.", "pd-faint")
    clicked = due_table(lines, now)
    page_buttons("due", lines, more)
    if clicked:
        go_to_article(clicked.article_id)


def weeks_chart(weeks: Sequence[DueWeek], now: datetime) -> None:
    """Show how much comes due each week."""
    values = [
        {"week": week_name(week.start, now), "order": place, "what": what, "count": count}
        for week in weeks
        for place, (what, count) in enumerate(
            zip(WHY.values(), (week.reviews, week.ends, week.begins), strict=True)
        )
    ]
    names = [week_name(week.start, now) for week in weeks]
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar(cornerRadius=2)
        .encode(
            x=alt.X("week:N", sort=names, title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("sum(count):Q", title=None, axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "what:N",
                sort=list(WHY.values()),
                scale=alt.Scale(domain=list(WHY.values()), range=_COLOURS),
                legend=legend(),
            ),
            order=alt.Order("order:Q"),
            tooltip=[
                alt.Tooltip("week:N", title="Week"),
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("count:Q", title="Articles"),
            ],
        )
    )
    told = ", ".join(f"{week_name(week.start, now)}: {week.total}" for week in weeks if week.total)
    shown_chart(chart, height=190, key="due.chart", alt_text=f"What comes due by week. {told}")


def week_choice(weeks: Sequence[DueWeek], now: datetime) -> date | None:
    """Let the reader choose a week in which something is due; return its Monday, None for late."""
    counts = {_key(week.start): week for week in weeks if week.total}
    options = list(counts)
    if st.session_state.get(_WEEK) not in options:
        st.session_state[_WEEK] = options[0]
    chosen = st.pills(
        "Week",
        options,
        required=True,
        key=_WEEK,
        format_func=lambda one: f"{week_name(counts[one].start, now)} · {counts[one].total}",
    )
    return counts[chosen or options[0]].start


def _key(start: date | None) -> str:
    return start.isoformat() if start else "late"


def week_name(start: date | None, now: datetime) -> str:
    """Return what a week is called: late, this week, next week, or its Monday."""
    if start is None:
        return "Late"
    monday = now.date() - timedelta(days=now.weekday())
    away = (start - monday).days // 7
    return {0: "This week", 1: "Next week"}.get(away, f"{start.day} {start:%b}")


def _away(at: datetime, now: datetime) -> str:
    days = (at.date() - now.date()).days
    if days == 0:
        return "Today"
    count = f"{abs(days)} day{'s' if abs(days) != 1 else ''}"
    return f"In {count}" if days > 0 else f"{count} late"


def due_table(lines: Sequence[DueLine], now: datetime) -> DueLine | None:
    """Show what comes due; return the line that was clicked."""
    event = st.dataframe(
        [
            {
                "Day": f"{line.at:%a} {line.at.day} {line.at:%b %Y}",
                "What": WHY[line.why],
                "Article": readable_text(line.title),
                "Owner": readable_text(line.owner or "Nobody"),
                "When": _away(line.at, now),
            }
            for line in lines
        ],
        key="due.table",
        hide_index=True,
        height=_ROW * (min(len(lines), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        alt="What comes due in this week",
        column_config={
            "Day": st.column_config.TextColumn(width=130),
            "What": st.column_config.TextColumn(width=150),
            "Owner": st.column_config.TextColumn(width=170),
            "When": st.column_config.TextColumn(width=110),
        },
    )
    rows = [row for row in event["selection"]["rows"] if row < len(lines)]
    return lines[rows[0]] if rows else None
