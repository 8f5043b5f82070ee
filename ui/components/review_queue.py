"""The queue that looks after itself: it is read anew every two seconds, alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.queues import ContactQueues
from desk.reviews import ReviewFilter, ReviewSummary
from ui.components.labels import DECISION_NAMES, clock_time
from ui.components.news import forget, look
from ui.components.notice import notice
from ui.components.pager import page_buttons, read_page
from ui.components.review_table import PAGE, chosen_review, review_table, who_is_at
from ui.components.text import readable_text

LOOK_AGAIN_SECONDS: Final = 2
_TOLD_EVERY: Final = timedelta(seconds=10)
_TOLD: Final = "reviews.told"
_SHOWN: Final = "reviews.detail_of"


def review_queue(
    desk: Desk, actor: Actor, only: ReviewFilter, reasons: Mapping[str, str]
) -> str | None:
    """Show the queue; return the id of the review that is open, None when nothing waits.

    A decision of somebody else shows within seconds. What is open beside the table stays as it is:
    nobody loses what they are reading or writing.
    """
    st.session_state.pop(_SHOWN, None)
    forget()
    st.fragment(_queue, run_every=LOOK_AGAIN_SECONDS)(desk, actor, only, reasons)
    opened: str | None = st.session_state.get(_SHOWN)
    return opened


def _queue(desk: Desk, actor: Actor, only: ReviewFilter, reasons: Mapping[str, str]) -> None:
    """Draw the table and say who is at what; run the page again when another row was opened."""
    drawn_with_the_page = _SHOWN not in st.session_state
    beside = st.session_state.get(_SHOWN)
    reviews, more = read_page(
        "reviews",
        only,
        PAGE,
        lambda limit, after: desk.reviews.queue(actor, limit=limit, after=after, only=only),
    )
    opened = chosen_review()
    if not reviews and drawn_with_the_page:
        # What an address opened may be shown though nothing waits.
        st.session_state[_SHOWN] = opened
        return
    now = desk.clock.now()
    if reviews:
        opened = _table(desk, actor, reviews, reasons, now)
    if drawn_with_the_page:
        st.session_state[_SHOWN] = opened
    elif opened != beside:
        st.rerun()
    if opened:
        _tell(desk, actor, opened, now)
        if not drawn_with_the_page:
            _news(desk, actor, opened)
    page_buttons("reviews", reviews, more)


def _table(
    desk: Desk,
    actor: Actor,
    reviews: Sequence[ReviewSummary],
    reasons: Mapping[str, str],
    now: datetime,
) -> str:
    names = ContactQueues(desk.database).names()
    lookers = desk.reviews.lookers(actor, [review.id for review in reviews])
    people = who_is_at(reviews, lookers, names, actor.id, now)
    return review_table(reviews, reasons, people, actor.id, now)


def _tell(desk: Desk, actor: Actor, opened: str, now: datetime) -> None:
    """Tell the others what one looks at, when it is another or some seconds have passed."""
    told: tuple[str, datetime] | None = st.session_state.get(_TOLD)
    if told is None or told[0] != opened or now - told[1] > _TOLD_EVERY:
        desk.reviews.look(actor, opened)
        st.session_state[_TOLD] = (opened, now)


def _news(desk: Desk, actor: Actor, opened: str) -> None:
    """Say what somebody else, or a sync, did to what is open; nothing on the page is touched."""
    found = look(desk, actor, opened)
    if found is None:
        return
    if found.is_free:
        st.rerun()  # nothing could be written there
    names, line = ContactQueues(desk.database).names(), found.line
    if found.is_over:
        who = names.get(line.decided_by or "", "The desk")
        what = DECISION_NAMES[line.decision].lower() if line.decision else line.status
        at = f" at {clock_time(line.decided_at)}" if line.decided_at else ""
        notice(
            f"{who} was faster: {what}{at}.",
            "warning",
            "What is open below waits no more. Press Next (J) for the following review.",
        )
        label = "Show what was decided"
    elif found.holder:
        notice(
            f"{names.get(found.holder, 'Somebody')} took this review over.",
            "warning",
            "What you decide here does not count while they hold it.",
        )
        label = "Show who holds it"
    else:
        titles = " and ".join(f"“{readable_text(title)}”" for title in found.sources)
        notice(
            f"{titles or 'A source of this draft'} changed since you opened this review.",
            "warning",
            "What you see below is from before.",
        )
        label = "Show what changed"
    if st.button(label, key="reviews.again", icon=":material/refresh:", type="tertiary"):
        st.rerun()
