"""What several lists share: a table of which one row is open, and somebody's words with the way to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import streamlit as st

from desk.permissions import Actor
from ui.components.labels import when
from ui.components.links import open_contact_button, open_review_button
from ui.components.text import show, tag, words

T = TypeVar("T")
_ROW: Final = 33


def chosen_line(
    lines: Sequence[T],
    rows: Sequence[Mapping[str, Any]],
    *,
    key: str,
    alt: str,
    most_rows: int,
    columns: Mapping[str, Any],
) -> T:
    """Show a table, the first row open until the reader opens another; return its line.

    Args:
        lines: What the rows show, one each; at least one.
        rows: Column → cell.
        key: Of the widget.
        alt: What the table is, for screen readers.
        most_rows: How many rows are seen without scrolling.
        columns: Column → how it is shown.
    """
    event = st.dataframe(
        list(rows),
        key=key,
        hide_index=True,
        height=_ROW * (min(len(rows), most_rows) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        alt=alt,
        column_config=dict(columns),
    )
    chosen = [row for row in event["selection"]["rows"] if row < len(lines)]
    return lines[chosen[0]] if chosen else lines[0]


def said_line(
    actor: Actor,
    text: str,
    at: datetime,
    now: datetime,
    *,
    key: str,
    box: str,
    review_id: str | None,
    contact_id: str,
) -> None:
    """Show somebody's words in a line, with the way to their review and contact.

    Args:
        actor: Who looks.
        text: The words.
        at: When they were said.
        now: The present moment.
        key: Begins the keys of its widgets.
        box: Key of the line itself, which the styles know.
        review_id: Their review; None for no way to it.
        contact_id: Their contact.
    """
    with st.container(horizontal=True, vertical_alignment="center", key=box):
        show(tag("div", "pd-asked", tag("span", "pd-words", words(text)), when(at, now)))
        if review_id:
            open_review_button(actor, review_id, f"{key}.review")
        open_contact_button(actor, contact_id, f"{key}.contact")
