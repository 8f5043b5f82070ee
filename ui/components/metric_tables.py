"""Metrics by contact reason and by person, and one metric's way through the days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import altair as alt
import streamlit as st

from desk.metric_comparison import figure_text, standing_apart, within
from desk.metric_definitions import METRICS, OF_ID, OF_PEOPLE, Backlog, Metric
from desk.metric_figures import Figure
from desk.metric_words import NOTHING, value_text
from desk.metrics import Board, Dimension, Figures, Step
from ui.components.charts import ACCENT, shown_chart
from ui.components.labels import CHANNEL_NAMES, TIER_NAMES, plainly
from ui.components.rate_chart import Share, rate_chart
from ui.components.text import label_text, readable_text, say, show, tag, words

_OF_GROUPS: Final = (
    "taken_up",
    "backlog",
    "first_owner_median",
    "decisions",
    "correction_rate",
    "correction_size",
    "rejection_rate",
    "reopened_rate",
    "abstention_rate",
    "complaint_rate",
    "escalation_accuracy",
    "stale_stopped",
)
_DRAWN: Final = tuple(one.id for one in METRICS if not isinstance(one.measure, Backlog))
_COMPARED: Final = tuple(one.id for one in METRICS if one.is_part)
_NONE_APART: Final = "No group differs from all others by more than chance makes."
_ROW: Final = 33
_MOST_ROWS: Final = 14


NAMES: Final[Mapping[Dimension, str]] = {
    "reason": "Contact reason",
    "tier": "Tier",
    "channel": "Channel",
}
_GROUP_NAMES: Final[Mapping[Dimension, Mapping[str, str]]] = {
    "reason": {"": "No known reason"},
    "tier": TIER_NAMES,
    "channel": CHANNEL_NAMES | {"": "No known channel"},
}


def groups_view(by: Dimension, groups: Figures, reasons: Mapping[str, str]) -> None:
    """Show the metrics of each group, the busiest first, and one share of all with how sure it is.

    Args:
        by: What the groups are told apart by.
        groups: Group → metric → its value.
        reasons: Contact reason → its name.
    """
    known = {**_GROUP_NAMES[by], **(reasons if by == "reason" else {})}
    ranked = sorted(
        groups.items(),
        key=lambda item: (-item[1]["taken_up"].hits, -item[1]["backlog"].hits, item[0]),
    )
    rows = [(known.get(group) or plainly(group), figures) for group, figures in ranked]
    _table(NAMES[by], rows, [OF_ID[one] for one in _OF_GROUPS], f"metrics.by.{by}")
    _compared(by, dict(rows))


def _compared(by: Dimension, groups: Mapping[str, Mapping[str, Figure]]) -> None:
    metric = OF_ID[
        st.selectbox(
            "Share",
            _COMPARED,
            format_func=lambda id: OF_ID[id].title,
            key="metrics.compared",
            label_visibility="collapsed",
            width=280,
        )
    ]
    told = {name: figures[metric.id] for name, figures in groups.items()}
    shares = [
        Share(name, one.value, *bounds, f"{one.hits:.0f} of {one.count:,}")
        for name, one in told.items()
        if (bounds := within(metric, one))
    ]
    if not shares:
        say("Nothing to compare in these days.", "pd-faint")
        return
    for sentence in standing_apart(metric, told) or [_NONE_APART]:
        say(sentence)
    rate_chart(
        shares[:_MOST_ROWS],
        key="metrics.shares",
        title=f"{metric.title} by {NAMES[by].lower()}, with 95 % intervals",
        whole=True,
    )
    if len(shares) > _MOST_ROWS:
        say(f"The {_MOST_ROWS} busiest of {len(shares)}.", "pd-faint")


def people_table(of_people: Mapping[str, Mapping[str, Figure]], names: Mapping[str, str]) -> None:
    """Show what each person decided, who decided most first."""
    ranked = sorted(
        of_people.items(), key=lambda item: (-item[1]["decisions"].hits, names.get(item[0], ""))
    )
    rows = [(names.get(person, "Somebody who left"), figures) for person, figures in ranked]
    if not rows:
        say("Nobody decided anything in these days.", "pd-faint")
        return
    _table("Who", rows, list(OF_PEOPLE), "metrics.people")


def trend_chart(board: Board, step: Step) -> None:
    """Show one metric through the days or weeks; the reader says which."""
    chosen = OF_ID[
        st.selectbox(
            "Metric",
            _DRAWN,
            index=_DRAWN.index("correction_rate"),
            format_func=lambda id: OF_ID[id].title,
            key="metrics.drawn",
            label_visibility="collapsed",
            width=280,
        )
    ]
    trend = board.trends[chosen.id]
    values = [
        {"start": start, "value": value, "said": value_text(value, chosen.unit)}
        for start, value in zip(trend.starts, trend.values, strict=True)
        if value is not None
    ]
    if not values:
        say("Nothing to draw in these days.", "pd-faint")
        return
    every = "week from" if step == "week" else "day"
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X("yearmonthdate(start):T", title=None, axis=alt.Axis(format="%d %b")),
        y=alt.Y("value:Q", title=None, axis=_axis(chosen)),
        tooltip=[
            alt.Tooltip("start:T", title=every.capitalize(), format="%d %b"),
            alt.Tooltip("said:N", title=chosen.title),
        ],
    )
    chart = base.mark_line(color=ACCENT, strokeWidth=2) + base.mark_circle(color=ACCENT, size=46)
    last = values[-1]
    shown_chart(
        chart,
        height=240,
        key="metrics.trend",
        alt_text=f"{chosen.title} by {every}; {last['said']} in the last one, {last['start']}",
    )


def definitions() -> None:
    """Show what every metric is, for who does not point at things."""
    with st.expander("What each metric is", icon=":material/menu_book:"):
        show(
            *(
                tag(
                    "div",
                    "pd-problem",
                    tag("strong", "", words(metric.title)),
                    tag("div", "pd-note", words(metric.told)),
                )
                for metric in METRICS
            )
        )


def _axis(metric: Metric) -> alt.Axis:
    if metric.unit == "share":
        return alt.Axis(format=".0%")
    if metric.unit == "seconds":
        # Vega has no format for lengths of time.
        return alt.Axis(
            labelExpr="datum.value < 5400 ? format(datum.value / 60, '.0f') + ' min'"
            " : format(datum.value / 3600, '.1~f') + ' h'"
        )
    return alt.Axis(tickMinStep=1)


def _column(metric: Metric) -> Any:
    kind = st.column_config.NumberColumn if metric.unit == "count" else st.column_config.TextColumn
    return kind(help=label_text(metric.told), width=125 if metric.unit == "count" else 130)


def _table(
    what: str,
    rows: Sequence[tuple[str, Mapping[str, Figure]]],
    metrics: Sequence[Metric],
    key: str,
) -> None:
    lines: list[dict[str, Any]] = []
    for name, figures in rows:
        line: dict[str, Any] = {what: readable_text(name)}
        for metric in metrics:
            figure = figures[metric.id]
            counts = metric.unit == "count"
            line[metric.title] = figure.value if counts else figure_text(metric, figure)
        lines.append(line)
    st.dataframe(
        lines,
        key=key,
        hide_index=True,
        row_height=_ROW,
        placeholder=NOTHING,
        height=_ROW * (min(len(lines), _MOST_ROWS) + 1) + 4,
        alt=f"Metrics by {what.lower()}",
        column_config={
            what: st.column_config.TextColumn(width=190, pinned=True),
            **{metric.title: _column(metric) for metric in metrics},
        },
    )
