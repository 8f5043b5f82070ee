"""Shares as points, each with the interval that holds it: how sure the figure is shows at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import altair as alt

from ui.components.charts import ACCENT, shown_chart
from ui.components.text import readable_text

_ROW: Final = 30
_AROUND: Final = 46
_LEAST: Final = 0.05
"""How far the scale goes at least."""


@dataclass(frozen=True, slots=True)
class Share:
    """One share under a name, 0..1; ``of`` says in words what it rests on."""

    name: str
    share: float | None
    low: float
    high: float
    of: str


def rate_chart(shares: Sequence[Share], *, key: str, title: str, whole: bool = False) -> None:
    """Show shares with their 95 % intervals, one a line, in their order.

    Args:
        shares: At least one.
        key: Of the widget.
        title: What a share is of; said to screen readers with the figures.
        whole: Draw all of 0 to 100 %, not only as far as the intervals reach.
    """
    values = [
        {
            "name": readable_text(one.name),
            "share": one.share,
            "low": one.low,
            "high": one.high,
            "of": one.of,
        }
        for one in shares
    ]
    told = [
        alt.Tooltip("name:N", title="What"),
        alt.Tooltip("share:Q", title="Share", format=".1%"),
        alt.Tooltip("low:Q", title="At least", format=".1%"),
        alt.Tooltip("high:Q", title="At most", format=".1%"),
        alt.Tooltip("of:N", title="From"),
    ]
    lines = alt.Y(
        "name:N",
        sort=None,
        title=None,
        axis=alt.Axis(labelLimit=220, labelFlush=False, grid=False, ticks=False, domain=False),
    )
    reach = max(one.high for one in shares)
    along = alt.Scale(domain=[0, 1 if whole else min(1, max(_LEAST, reach))], nice=not whole)
    whisker = (
        alt.Chart(alt.InlineData(values=values))
        .mark_rule(strokeWidth=3, strokeCap="round", color=ACCENT, opacity=0.45)
        .encode(
            y=lines,
            x=alt.X("low:Q", title=None, scale=along, axis=alt.Axis(format="%", tickCount=5)),
            x2="high:Q",
            tooltip=told,
        )
    )
    point = (
        alt.Chart(alt.InlineData(values=[one for one in values if one["share"] is not None]))
        .mark_point(filled=True, size=90, opacity=1, color=ACCENT)
        .encode(y=lines, x=alt.X("share:Q", title=None, scale=along), tooltip=told)
    )
    said = "; ".join(f"{readable_text(one.name)} {within(one)}" for one in shares)
    shown_chart(
        alt.layer(whisker, point),
        height=_ROW * len(shares) + _AROUND,
        key=key,
        alt_text=f"{title}: {said}",
    )


def within(one: Share) -> str:
    """Return a share with its interval in words."""
    if one.share is None:
        return "not read yet"
    return f"{one.share:.1%} ({one.low:.1%} to {one.high:.1%})"
