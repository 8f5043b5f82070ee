"""The supervisor's workplace: what waits for a decision, and everything a decision needs."""

from __future__ import annotations

from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.queues import ContactQueues
from desk.reviews import ReviewFilter
from ui.components.bulk import approve_many, bulk_button, bulk_is_open, carry_out_many
from ui.components.correct_reason import carry_out_correction
from ui.components.decide import carry_out_asked
from ui.components.decided import decided
from ui.components.escalated import escalated
from ui.components.frame import title
from ui.components.holding import carry_out_taking_over
from ui.components.notice import empty, refusals_shown, show_kept
from ui.components.review_detail import decided_review, review_to_decide
from ui.components.review_queue import review_queue
from ui.components.review_table import (
    choose_by_address,
    choose_review,
    close_review,
    keep_address,
    next_free,
    review_filter,
)
from ui.components.undo import show_undo

_SHOWN: Final = ("To decide", "Escalated", "Decided")
_WHICH: Final = "reviews.shown"


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    choose_by_address()
    with st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"
    ):
        title("Reviews", "Highest risk first, then what is due first.")
        shown = st.segmented_control(
            "Which reviews",
            _SHOWN,
            default=_SHOWN[0],
            required=True,
            key=_WHICH,
            label_visibility="collapsed",
        )
    outcome = carry_out_asked(desk, actor, tells_of_others=True)
    carry_out_taking_over(desk, actor)
    if outcome:
        following = outcome.next_review_id if outcome.stopped else next_free()
        choose_review(following) if following else close_review()
    if (corrected := carry_out_correction(desk, actor)) is not None:
        # Routed anew, it waits in another review than the one that was open.
        waiting = (r for r in desk.reviews.of_contact(actor, corrected) if r.status == "pending")
        choose_review(next((review.id for review in waiting), None))
    carry_out_many(desk, actor)
    show_kept()
    show_undo(desk, actor)
    with refusals_shown():
        if shown == _SHOWN[1]:
            escalated(desk, actor)
        elif shown == _SHOWN[2]:
            decided(desk, actor)
        elif actor.may("decide_own") and bulk_is_open():
            bulk_button()
            approve_many(desk, actor)
        else:
            _to_decide(desk, actor)


def _to_decide(desk: Desk, actor: Actor) -> None:
    reasons = {reason.id: reason.name for reason in desk.reasons}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        only = review_filter(reasons, actor.id)
        if actor.may("decide_own"):
            bulk_button()
    opened = review_queue(desk, actor, only, reasons)
    if opened is None:
        _nothing_waits(only)
        return
    keep_address(opened)
    view = desk.reviews.get(actor, opened)
    if view.summary.status == "decided":
        who = _who(desk, view.summary.decided_by)
        decided_review(desk, actor, view, who, in_queue=True)
    else:
        review_to_decide(desk, actor, view)


def _nothing_waits(only: ReviewFilter) -> None:
    if only == ReviewFilter():
        empty("Nothing waits for a decision", "New drafts appear here as contacts come in.")
    else:
        empty("Nothing like that waits", "Choose another tier or reason, or none.")


def _who(desk: Desk, person_id: str | None) -> str:
    return ContactQueues(desk.database).names().get(person_id or "", "the desk")
