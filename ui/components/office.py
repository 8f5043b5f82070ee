"""What the pages around the desk share: their styles, pairs of label and value."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from ui.components.frame import ASSETS
from ui.components.text import Markup, tag, words


def office_styles() -> None:
    """Put the styles of the pages around the desk on the page."""
    st.html(ASSETS / "office.css")


def values(pairs: Iterable[tuple[str, object]]) -> Markup:
    """Return labels with their values beside them; values come from anywhere."""
    return tag(
        "div",
        "pd-values",
        *(
            part
            for name, value in pairs
            for part in (
                tag("span", "pd-name", words(name)),
                tag("span", "pd-value", words(value)),
            )
        ),
    )
