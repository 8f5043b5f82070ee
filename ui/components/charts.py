"""How charts look: one set of colours, and words that can be read in light and dark."""

from __future__ import annotations

from typing import Any, Final

import altair as alt
import streamlit as st

CALM: Final = "#8fbfb3"
ACCENT: Final = "#2f8a7a"
WARNING: Final = "#c2410c"
COLOURS: Final = (
    ACCENT, WARNING, "#6b7fb3", "#b7791f", "#8a5fa8", "#5f7480", "#3b9ab2", "#a23b57",
)  # fmt: skip
"""Told apart by people who see red and green as one as well: they differ in lightness."""
_WORDS: Final = {"light": "#4c5a55", "dark": "#a9b7b2"}
_LINES: Final = {"light": "#e3e9e6", "dark": "#2e3a36"}


def shown_chart(chart: Any, *, height: int, key: str, alt_text: str) -> None:
    """Show a chart of Altair's in the colours of the desk.

    Args:
        chart: The chart, without a configuration of its own.
        height: In pixels.
        key: Of the widget.
        alt_text: What a screen reader says instead; what the chart shows, in words.
    """
    scheme = "dark" if st.context.theme.type == "dark" else "light"
    words, lines = _WORDS[scheme], _LINES[scheme]
    dressed = (
        chart.configure_axis(
            labelColor=words, titleColor=words, gridColor=lines, domainColor=lines, tickColor=lines
        )
        .configure_legend(labelColor=words, titleColor=words)
        .configure_range(category=list(COLOURS))
        .configure_view(strokeWidth=0)
    )
    st.altair_chart(dressed, height=height, key=key, alt=alt_text)


def legend(**changes: Any) -> alt.Legend:
    """Return a legend above the chart, without a title."""
    return alt.Legend(**{"orient": "top", "title": None, "offset": 4, **changes})
