"""Who holds the review that is open: oneself while it is looked at, or somebody else."""

from __future__ import annotations

from typing import Final

import streamlit as st

from core.errors import AlreadyDecided, ClaimedByOther
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.review_holds import Holder
from desk.reviews import ReviewView
from ui.components.labels import clock_time, relative
from ui.components.notice import keep, notice
from ui.components.once import ask, carry_out_briefly
from ui.components.text import readable_text

_HELD: Final = "decide.held"
_ASKED: Final = "decide.taking_over"


def hold(desk: Desk, actor: Actor, view: ReviewView) -> str:
    """Hold the review for the person who looks at it; return until when, in words.

    What they held before is given back: looking through a queue must not lock it for the others.
    """
    review_id = view.summary.id
    before = st.session_state.get(_HELD)
    if before and before != review_id:
        desk.reviews.release(actor, before)
        st.session_state[_HELD] = None
    if not view.open_decisions:
        return ""
    try:
        until = desk.reviews.claim(actor, review_id)
    except (ClaimedByOther, AlreadyDecided):  # what may be decided is shown by who holds it now
        return ""
    st.session_state[_HELD] = review_id
    return f"Held by you until {clock_time(until)}"


def held_by_another(desk: Desk, actor: Actor, holder: Holder, review_id: str) -> None:
    """Say who holds a review, and offer to take it over to who may."""
    name, now = readable_text(holder.name), desk.clock.now()
    since = (
        f" since {clock_time(holder.since)} ({relative(holder.since, now)})" if holder.since else ""
    )
    may = actor.may("decide")
    notice(
        f"{name} holds this review{since}",
        "warning",
        f"It comes free at {clock_time(holder.until)} if {name} does nothing. "
        + (
            f"Whoever takes it over decides it; {name} is then refused."
            if may
            else "Until then a supervisor can take it over."
        ),
    )
    if may:
        st.button(
            "Take over",
            key=f"decide.take_over.{review_id}",
            icon=":material/front_hand:",
            shortcut="V",
            on_click=ask,
            args=(_ASKED, (review_id, holder.person_id, name)),
        )


def carry_out_taking_over(desk: Desk, actor: Actor) -> None:
    """Take over what was just asked for; keep a notice of what became of it."""

    def taken(asked: tuple[str, str, str]) -> object:
        return desk.reviews.take_over(actor, asked[0], asked[1])

    def tell(asked: tuple[str, str, str]) -> None:
        keep(f"You took it over from {asked[2]}.", "plain", "It is yours to decide now.")

    carry_out_briefly(_ASKED, taken, lambda _asked: "You did not take it over", tell)
