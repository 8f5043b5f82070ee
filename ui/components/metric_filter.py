"""What the metrics are narrowed to: days, contact reason, tier, channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, get_args

import streamlit as st

from core.vocabulary import TIERS, Channel
from desk.metrics import MetricFilter, Step
from ui.components.labels import CHANNEL_NAMES, TIER_NAMES, namer
from ui.components.text import readable_text

_CHOSEN_DAYS: Final = "Other days"
_PERIODS: Final = {"7 days": 7, "28 days": 28, "12 weeks": 84, "A year": 364}
_BY_WEEK_FROM: Final = 50
"""Days from which a trend is drawn by the week."""


@dataclass(frozen=True, slots=True)
class ChosenMetrics:
    """What the reader asks for, and how its trends are drawn."""

    filter: MetricFilter
    step: Step


def metric_filter(today: date, reasons: Mapping[str, str]) -> ChosenMetrics | None:
    """Let the reader narrow the metrics; None while days are being chosen.

    Args:
        today: The day it is where the team works.
        reasons: Contact reason → name.
    """
    with st.container(horizontal=True, vertical_alignment="center", key="metrics-filter"):
        period = st.pills(
            "Days",
            [*_PERIODS, _CHOSEN_DAYS],
            default="28 days",
            required=True,
            key="metrics.period",
            label_visibility="collapsed",
        )
        days = _days(period, today)
        reason = st.selectbox(
            "Contact reason",
            ["", *reasons],
            index=None,
            placeholder="Every contact reason",
            format_func=namer({"": "No known reason"} | _readable(reasons)),
            key="metrics.reason",
            label_visibility="collapsed",
            width=230,
        )
        tier = st.selectbox(
            "Tier",
            TIERS,
            index=None,
            placeholder="Every tier",
            format_func=namer(TIER_NAMES),
            key="metrics.tier",
            label_visibility="collapsed",
            width=180,
        )
        channel = st.selectbox(
            "Channel",
            get_args(Channel),
            index=None,
            placeholder="Every channel",
            format_func=namer(CHANNEL_NAMES),
            key="metrics.channel",
            label_visibility="collapsed",
            width=160,
        )
    if days is None:
        return None
    since, until = days
    chosen = MetricFilter(since, until, reason, tier, channel)
    return ChosenMetrics(chosen, "week" if (until - since).days >= _BY_WEEK_FROM else "day")


def _days(period: str, today: date) -> tuple[date, date] | None:
    if period != _CHOSEN_DAYS:
        return today - timedelta(days=_PERIODS[period] - 1), today
    chosen = st.date_input(
        "From and until",
        (today - timedelta(days=27), today),
        max_value=today,
        key="metrics.days",
        label_visibility="collapsed",
        width=240,
    )
    # While only the first of the two is chosen, there is one.
    return (chosen[0], chosen[1]) if isinstance(chosen, tuple) and len(chosen) == 2 else None


def _readable(names: Mapping[str, str]) -> dict[str, str]:
    return {id: readable_text(name) for id, name in names.items()}
