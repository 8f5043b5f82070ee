"""The review queue as a table, and which of its rows is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from desk.reviews import ReviewSummary
from ui.components.labels import KIND_NAMES, relative, tier_text
from ui.components.text import readable_text

_CHOSEN: Final = "reviews.chosen"
_FOLLOWING: Final = "reviews.following"
_DRAWN: Final = "reviews.drawn"
TABLE: Final = "reviews.table"
_ROW: Final = 33
_MOST_ROWS: Final = 5


def choose_review(review_id: str | None) -> None:
    """Have this review open on the next run."""
    st.session_state[_CHOSEN] = review_id
    st.session_state[_DRAWN] = st.session_state.get(_DRAWN, 0) + 1  # a selection is kept per table


def following() -> str | None:
    """Return the id of the review that came after the one that was open."""
    review_id: str | None = st.session_state.get(_FOLLOWING)
    return review_id


def neighbour(reviews: Sequence[ReviewSummary], review_id: str, step: int) -> str | None:
    """Return the id of the review ``step`` rows from ``review_id``; the first when it is the last."""
    ids = [review.id for review in reviews]
    if review_id not in ids:
        return ids[0] if ids else None
    others = [other for other in ids if other != review_id]
    return ids[(ids.index(review_id) + step) % len(ids)] if others else None


def review_table(
    reviews: Sequence[ReviewSummary],
    reasons: Mapping[str, str],
    names: Mapping[str, str],
    now: datetime,
) -> str:
    """Show the queue; return the id of the review that is open."""
    ids = [review.id for review in reviews]
    if st.session_state.get(_CHOSEN) not in ids:
        choose_review(ids[0])
    opened: str = st.session_state[_CHOSEN]
    key = f"{TABLE}.{st.session_state[_DRAWN]}"
    event = st.dataframe(
        [_row(review, reasons, names, now) for review in reviews],
        key=key,
        hide_index=True,
        height=_ROW * (min(len(ids), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [ids.index(opened)]}},
        column_config={
            "Risk": st.column_config.TextColumn(width=150),
            "Due": st.column_config.TextColumn(width=90),
            "Check": st.column_config.TextColumn(width=100),
            "Changed": st.column_config.TextColumn(width=100),
        },
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(ids):
        st.session_state[_CHOSEN] = ids[rows[0]]
    opened = st.session_state[_CHOSEN]
    st.session_state[_FOLLOWING] = neighbour(reviews, opened, 1)
    return opened


def _check_text(review: ReviewSummary) -> str:
    if review.kind == "abstain":
        return "Nothing to check"
    count = review.findings
    return f"{count} finding{'s' if count != 1 else ''}" if count else "Passed"


def _row(
    review: ReviewSummary, reasons: Mapping[str, str], names: Mapping[str, str], now: datetime
) -> dict[str, str]:
    held = review.claimed_by and review.claimed_until and review.claimed_until > now
    return {
        "Risk": tier_text(review.tier),
        "Due": "Overdue" if review.due_at < now else relative(review.due_at, now),
        "Customer": readable_text(review.customer_name) or "Unknown",
        "Subject": readable_text(review.subject),
        "Reason": reasons.get(review.reason or "", "None known"),
        "Draft": KIND_NAMES.get(review.kind, review.kind),
        "Check": _check_text(review),
        "Changed": "Source changed" if review.changed else "",
        "Held by": readable_text(names.get(review.claimed_by or "", "")) if held else "",
    }
