"""The review queue as a table: its filters and pages, and which of its rows is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from core.identifiers import text_digest
from core.vocabulary import TIERS, Tier
from desk.reviews import ReviewFilter, ReviewSummary
from ui.components.in_sight import keep_in_sight
from ui.components.labels import (
    DECISION_NAMES,
    KIND_NAMES,
    TIER_NAMES,
    exact_at_hand,
    namer,
    table_moment,
    tier_text,
)
from ui.components.text import readable_text

PAGE: Final = 50
TABLE: Final = "reviews.table"
_FRAME: Final = "reviews-table"
ADDRESS: Final = "review"
_ADDRESSED: Final = "reviews.addressed"
_CHOSEN: Final = "reviews.chosen"
_FOLLOWING: Final = "reviews.id_after"
_NEXT_FREE: Final = "reviews.id_free"
_PREVIOUS: Final = "reviews.id_before"
_ROW: Final = 33
_MOST_ROWS: Final = 5


def choose_review(review_id: str | None) -> None:
    """Have this review open on the next run."""
    if review_id:
        st.session_state[_CHOSEN] = review_id


def close_review() -> None:
    """Have no review open any more: the first of the queue opens, if there is one."""
    st.session_state.pop(_CHOSEN, None)
    st.query_params.pop(ADDRESS, None)


def choose_by_address() -> None:
    """Open the review that the address names, once each time it names another."""
    asked = st.query_params.get(ADDRESS)
    if asked and asked != st.session_state.get(_ADDRESSED):
        choose_review(asked)
        st.session_state[_ADDRESSED] = asked


def keep_address(review_id: str) -> None:
    """Have the address name what is open, so that it can be kept and passed on."""
    st.session_state[_ADDRESSED] = review_id
    if st.query_params.get(ADDRESS) != review_id:
        st.query_params[ADDRESS] = review_id


def chosen_review() -> str | None:
    """Return the id of the review that is open; None when none was opened yet."""
    review_id: str | None = st.session_state.get(_CHOSEN)
    return review_id


def following() -> str | None:
    """Return the id of the review that came after the one that was open."""
    review_id: str | None = st.session_state.get(_FOLLOWING)
    return review_id


def previous() -> str | None:
    """Return the id of the review that came before the one that was open."""
    review_id: str | None = st.session_state.get(_PREVIOUS)
    return review_id


def next_free() -> str | None:
    """Return the id of the next review that nobody else holds."""
    review_id: str | None = st.session_state.get(_NEXT_FREE)
    return review_id


def neighbour(ids: Sequence[str], review_id: str, step: int) -> str | None:
    """Return the id ``step`` places from ``review_id``, round and round; None when it is alone."""
    if review_id not in ids:
        return ids[0] if ids else None
    others = [other for other in ids if other != review_id]
    return ids[(ids.index(review_id) + step) % len(ids)] if others else None


def review_filter(reasons: Mapping[str, str], actor_id: str) -> ReviewFilter:
    """Let the reader narrow the queue; return what to."""
    with st.container(key="reviews-filter", horizontal=True, vertical_alignment="center"):
        tier: Tier | None = st.selectbox(
            "Tier",
            TIERS,
            index=None,
            format_func=namer(TIER_NAMES),
            placeholder="Every tier",
            key="reviews.tier",
            on_change=close_review,
            label_visibility="collapsed",
            width=165,
        )
        reason: str | None = st.selectbox(
            "Contact reason",
            list(reasons),
            index=None,
            format_func=lambda id: readable_text(reasons[id]),
            placeholder="Every reason",
            key="reviews.reason",
            on_change=close_review,
            label_visibility="collapsed",
            width=200,
        )
        changed = st.toggle("Source changed", key="reviews.changed", on_change=close_review)
        mine = st.toggle("Held by me", key="reviews.mine", on_change=close_review)
    return ReviewFilter(tier, reason, changed, actor_id if mine else None)


def review_table(
    reviews: Sequence[ReviewSummary],
    reasons: Mapping[str, str],
    people: Mapping[str, Sequence[str]],
    actor_id: str,
    now: datetime,
) -> str:
    """Show a page of the queue; return the id of the review that is open.

    The review that was opened stays open when it has left the page: somebody is reading it.

    Args:
        reviews: The page, at least one.
        reasons: Contact reason id → name.
        people: Review id → what to say about who is at it.
        actor_id: Who looks.
        now: The moment.
    """
    ids = [review.id for review in reviews]
    free = [review.id for review in reviews if not _of_another(review, actor_id, now)]
    opened: str = st.session_state.setdefault(_CHOSEN, (free or ids)[0])
    # A browser keeps a selection by row. Another queue, or another row that was opened otherwise
    # than by a click, is another table, or its rows would stand for reviews that they are not.
    key = f"{TABLE}.{text_digest(' '.join([opened, *ids]))[:16]}"
    at = ids.index(opened) if opened in ids else None
    with st.container(key=_FRAME):
        event = st.dataframe(
            [_row(review, reasons, people, now) for review in reviews],
            key=key,
            hide_index=True,
            height=_ROW * (min(len(ids), _MOST_ROWS) + 1) + 4,
            row_height=_ROW,
            on_select="rerun",
            selection_mode="single-row" if at is None else "single-row-required",
            selection_default={"selection": {"rows": [] if at is None else [at]}},
            alt="Reviews: risk, due, customer, subject, reason, draft, check, changes, who is at it",
            column_config={
                **exact_at_hand("Due"),
                "Risk": st.column_config.TextColumn(width=150),
                "Due": st.column_config.TextColumn(width=90),
                "Check": st.column_config.TextColumn(width=100),
                "Changed": st.column_config.TextColumn(width=105),
                "Who is at it": st.column_config.TextColumn(width=140),
            },
        )
        if at is not None:
            keep_in_sight(_FRAME, key, at, _ROW)
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(ids):
        opened = st.session_state[_CHOSEN] = ids[rows[0]]
    st.session_state[_FOLLOWING] = neighbour(ids, opened, 1)
    st.session_state[_PREVIOUS] = neighbour(ids, opened, -1)
    at_hand = [id for id in ids if id == opened or id in free]
    st.session_state[_NEXT_FREE] = neighbour(at_hand, opened, 1)
    return opened


def decided_table(
    reviews: Sequence[ReviewSummary], names: Mapping[str, str], now: datetime
) -> ReviewSummary:
    """Show decided reviews, the newest first; return the one that is open."""
    event = st.dataframe(
        [
            {
                **table_moment("Decided", review.decided_at, now),
                "Decision": DECISION_NAMES[review.decision] if review.decision else "",
                "By": readable_text(names.get(review.decided_by or "", "The desk")),
                "Risk": tier_text(review.tier),
                "Customer": readable_text(review.customer_name) or "Unknown",
                "Subject": readable_text(review.subject),
            }
            for review in reviews
        ],
        key="reviews.decided",
        hide_index=True,
        height=_ROW * (min(len(reviews), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row-required",
        column_config=exact_at_hand("Decided"),
        alt="Decided reviews: when, decision, by whom, risk, customer, subject",
    )
    rows = [row for row in event["selection"]["rows"] if row < len(reviews)]
    return reviews[rows[0] if rows else 0]


def bulk_table(reviews: Sequence[ReviewSummary], now: datetime) -> list[str]:
    """Show what may be approved at once, all chosen by default; return the ids that are chosen."""
    ids = [review.id for review in reviews]
    event = st.dataframe(
        [
            {
                **_due(review, now),
                "Customer": readable_text(review.customer_name) or "Unknown",
                "Subject": readable_text(review.subject),
            }
            for review in reviews
        ],
        key=f"reviews.bulk.{text_digest(' '.join(ids))[:16]}",
        hide_index=True,
        height=_ROW * (min(len(ids), 8) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": list(range(len(ids)))}},
        column_config=exact_at_hand("Due"),
        alt="Reviews of the lowest tier that may be approved at once",
    )
    return [ids[row] for row in event["selection"]["rows"] if row < len(ids)]


def who_is_at(
    reviews: Sequence[ReviewSummary],
    lookers: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
    actor_id: str,
    now: datetime,
) -> dict[str, list[str]]:
    """Return review id → who holds it and who else looks at it, in words."""
    said: dict[str, list[str]] = {}
    for review in reviews:
        held = review.claimed_until is not None and review.claimed_until > now
        holder = review.claimed_by if held else None
        at_it = [_holds(holder, names, actor_id)] if holder else []
        others = [id for id in lookers.get(review.id, []) if id != holder]
        at_it += [f"{names.get(id, 'Somebody')} looks at it" for id in others]
        if at_it:
            said[review.id] = at_it
    return said


def _of_another(review: ReviewSummary, actor_id: str, now: datetime) -> bool:
    held = review.claimed_until is not None and review.claimed_until > now
    return held and review.claimed_by != actor_id


def _holds(holder: str, names: Mapping[str, str], actor_id: str) -> str:
    return "You hold it" if holder == actor_id else f"{names.get(holder, 'Somebody')} holds it"


def _check_text(review: ReviewSummary) -> str:
    if review.kind == "abstain":
        return "Nothing to check"
    count = review.findings
    return f"{count} finding{'s' if count != 1 else ''}" if count else "Passed"


def _due(review: ReviewSummary, now: datetime) -> dict[str, str]:
    cells = table_moment("Due", review.due_at, now)
    return cells | {"Due": "Overdue"} if review.due_at < now else cells


def _row(
    review: ReviewSummary,
    reasons: Mapping[str, str],
    people: Mapping[str, Sequence[str]],
    now: datetime,
) -> dict[str, str]:
    return {
        "Risk": tier_text(review.tier),
        **_due(review, now),
        "Customer": readable_text(review.customer_name) or "Unknown",
        "Subject": readable_text(review.subject),
        "Reason": readable_text(reasons.get(review.reason or "", "None known")),
        "Draft": KIND_NAMES.get(review.kind, review.kind),
        "Check": _check_text(review),
        "Changed": "Source changed" if review.changed else "",
        "Who is at it": readable_text(", ".join(people.get(review.id, []))),
    }
