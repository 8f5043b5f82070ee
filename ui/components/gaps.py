"""Which questions had no source: the share of each week, the gaps, who asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import altair as alt
import streamlit as st

from desk.coverage import Asked, CoverageWeek, Gap
from desk.flag_rules import FlagStatus
from desk.permissions import Actor
from ui.components.charts import CALM, WARNING, legend, shown_chart
from ui.components.labels import (
    chip,
    exact_at_hand,
    table_moment,
    warning_chip,
)
from ui.components.listing import chosen_line, said_line
from ui.components.text import readable_text, say, show, tag, words

TABLE: Final = "gaps.table"
STATUSES: Final[dict[FlagStatus, str]] = {
    "open": "Open",
    "resolved": "Closed by a source",
    "dismissed": "Dismissed",
}
_ANSWERED: Final = "With a source"
_UNANSWERED: Final = "Without a source"
_COLOURS: Final = (CALM, WARNING)
_MOST_ROWS: Final = 8
_MOST_SHOWN: Final = 8


def coverage_chart(weeks: Sequence[CoverageWeek]) -> None:
    """Show how many contacts of each week had no source."""
    values = [
        {"week": f"{week.start.day} {week.start:%b}", "what": what, "count": count}
        for week in weeks
        for what, count in (
            (_ANSWERED, week.asked - week.unanswered),
            (_UNANSWERED, week.unanswered),
        )
    ]
    names = [f"{week.start.day} {week.start:%b}" for week in weeks]
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar(cornerRadius=2)
        .encode(
            x=alt.X("week:N", sort=names, title=None, axis=alt.Axis(labelAngle=0)),
            y=alt.Y("sum(count):Q", title=None, axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "what:N",
                scale=alt.Scale(domain=[_ANSWERED, _UNANSWERED], range=_COLOURS),
                legend=legend(),
            ),
            tooltip=[
                alt.Tooltip("week:N", title="Week from"),
                alt.Tooltip("what:N", title="What"),
                alt.Tooltip("count:Q", title="Contacts"),
            ],
        )
    )
    shown_chart(chart, height=190, key="gaps.chart", alt_text=coverage_sentence(weeks))


def coverage_sentence(weeks: Sequence[CoverageWeek]) -> str:
    """Return the share without a source in one sentence, and which way it goes."""
    asked, without = sum(w.asked for w in weeks), sum(w.unanswered for w in weeks)
    if not asked:
        return "Nothing was asked in these weeks."
    said = f"{without} of {asked} contacts of the last {len(weeks)} weeks had no source"
    before, lately = _share(weeks[:-4]), _share(weeks[-4:])
    if before is None or lately is None:
        return f"{said}."
    way = "up" if lately > before else "down" if lately < before else "unchanged"
    return f"{said}; {lately:.0%} of the last four weeks, {way} from {before:.0%} before."


def _share(weeks: Sequence[CoverageWeek]) -> float | None:
    asked = sum(week.asked for week in weeks)
    return sum(week.unanswered for week in weeks) / asked if asked else None


def gap_table(gaps: Sequence[Gap], now: datetime) -> Gap:
    """Show the gaps; return the one that is open."""
    most = max(max(gap.weeks) for gap in gaps)
    return chosen_line(
        gaps,
        [
            {
                "Question": readable_text(gap.asks),
                "About": readable_text(", ".join(gap.words)),
                "Asked": gap.count,
                "Waiting": gap.waiting,
                "By week": gap.weeks,
                **table_moment("Last asked", gap.last_at, now),
            }
            for gap in gaps
        ],
        key=TABLE,
        alt="Questions that no source answers",
        most_rows=_MOST_ROWS,
        columns={
            **exact_at_hand("Last asked"),
            "Asked": st.column_config.NumberColumn(width=80),
            "Waiting": st.column_config.NumberColumn(width=80),
            "By week": st.column_config.BarChartColumn(width=150, y_min=0, y_max=max(most, 1)),
            "Last asked": st.column_config.TextColumn(width=100),
        },
    )


def gap_shown(actor: Actor, gap: Gap, asked: Sequence[Asked], now: datetime) -> bool:
    """Show who asked; return whether the reader wants to see its flag."""
    show(
        tag("h3", "pd-subject", words(gap.title)),
        tag(
            "div",
            "pd-badges",
            chip(f"{gap.count} contact{'s' if gap.count != 1 else ''} asked"),
            warning_chip(f"{gap.waiting} still waiting") if gap.waiting else chip("Nobody waits"),
            chip(gap.owner or "Nobody owns it"),
        ),
    )
    wanted = st.button(
        "Open the flag", key="gaps.flag", icon=":material/flag:", type="primary", shortcut="O"
    )
    gap_questions(actor, asked, now)
    return wanted


def gap_questions(actor: Actor, asked: Sequence[Asked], now: datetime) -> None:
    """Show what customers asked, the latest first, with the way to each."""
    show(tag("h4", "pd-section", words("What customers asked")))
    for place, question in enumerate(asked[:_MOST_SHOWN]):
        said_line(
            actor,
            question.text,
            question.at,
            now,
            key=f"gaps.{place}",
            box=f"gap-asked-{place}",
            review_id=question.review_id if question.waits else None,
            contact_id=question.contact_id,
        )
    if len(asked) > _MOST_SHOWN:
        say(f"And {len(asked) - _MOST_SHOWN} more, earlier.", "pd-faint")
