"""Metrics as cards: value, change, trend, and what it is on hover."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final, Literal

import streamlit as st

from desk.metric_comparison import clearly_other
from desk.metric_definitions import METRICS, Backlog, Better, Metric
from desk.metric_words import change_text, value_text
from desk.metrics import Board
from ui.components.sparkline import sparkline
from ui.components.text import label_text, say, show, tag, words

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
    if not board.had_before:
        say(
            f"Nothing happened in the {days} days before: there is nothing to compare with.",
            "pd-faint",
        )
    for place, (group, metrics) in enumerate(groupby(METRICS, key=lambda one: one.group)):
        show(tag("h4", "pd-section", words(group)))
        with st.container(horizontal=True, key=f"metrics-cards-{place}"):
            for metric in metrics:
                if isinstance(metric.measure, Backlog):
                    _state_card(metric, board)
                else:
                    _card(metric, board, days)


def _card(metric: Metric, board: Board, days: int) -> None:
    figure = board.figures[metric.id]
    before = board.before[metric.id]
    change = change_text(figure.value, before.value, metric.unit) if board.had_before else None
    same = board.had_before and before.value is not None and figure.value is not None
    telling = change is not None and clearly_other(metric, figure, before)
    trend = board.trends[metric.id].values
    with st.container(border=True, height="stretch", key=f"metrics-card-{metric.id}"):
        st.metric(
            metric.title,
            value_text(figure.value, metric.unit),
            change or ("as before" if same else None),
            delta_color=_COLOURS[metric.better] if telling else "off",
            delta_arrow="auto" if change else "off",
            delta_description=_against(days, telling=telling) if change else None,
            help=label_text(metric.told),
        )
        show(sparkline(trend, _in_words(metric, trend)))


def _against(days: int, *, telling: bool) -> str:
    return f"to the {days} days before" + ("" if telling else "; so few may differ by chance")


def _in_words(metric: Metric, trend: Sequence[float | None]) -> str:
    known = [value for value in trend if value is not None]
    if not known:
        return ""
    low, high = (value_text(one, metric.unit) for one in (min(known), max(known)))
    return f"{metric.title}: between {low} and {high}, {value_text(known[-1], metric.unit)} last"


def _state_card(metric: Metric, board: Board) -> None:
    with st.container(border=True, height="stretch", key=f"metrics-card-{metric.id}"):
        st.metric(
            metric.title,
            value_text(board.figures[metric.id].value, metric.unit),
            help=label_text(metric.told),
        )
