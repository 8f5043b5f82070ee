"""Metrics as cards: value, change, trend, and what it is on hover."""

from __future__ import annotations

from itertools import groupby
from typing import Final, Literal

import streamlit as st

from desk.metric_definitions import METRICS, Backlog, Better, Metric
from desk.metric_words import change_text, value_text
from desk.metrics import Board
from ui.components.text import label_text, show, tag, words

_ACROSS: Final = 4
_COLOURS: Final[dict[Better, Literal["normal", "inverse", "off"]]] = {
    "higher": "normal",
    "lower": "inverse",
    "neither": "off",
}


def metric_cards(board: Board, days: int) -> None:
    """Show every metric, by what it tells of.

    Args:
        board: The figures.
        days: How many days they are of; what they are compared with is as long.
    """
    for group, metrics in groupby(METRICS, key=lambda one: one.group):
        show(tag("h4", "pd-section", words(group)))
        of_group = list(metrics)
        for start in range(0, len(of_group), _ACROSS):
            for column, metric in zip(
                st.columns(_ACROSS), of_group[start : start + _ACROSS], strict=False
            ):
                with column:
                    _card(metric, board, days)


def _card(metric: Metric, board: Board, days: int) -> None:
    figure, before = board.figures[metric.id], board.before.get(metric.id)
    change = change_text(figure.value, before.value if before else None, metric.unit)
    trend = board.trends[metric.id].values if metric.id in board.trends else []
    drawn = [value for value in trend if value is not None]
    st.metric(
        metric.title,
        value_text(figure.value, metric.unit),
        change or ("" if isinstance(metric.measure, Backlog) else "as before"),
        delta_color=_COLOURS[metric.better] if change else "off",
        delta_arrow="auto" if change else "off",
        delta_description=f"to the {days} days before" if change else None,
        help=label_text(metric.told),
        border=True,
        height="stretch",
        chart_data=drawn if len(drawn) > 1 else None,
        chart_type="area",
    )
