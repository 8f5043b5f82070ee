"""What became of the drafts that rested on a source when its owner ended a flag."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.flags import FlagDetail
from desk.permissions import Actor
from desk.radius import basis_of
from desk.reviews import ReviewSummary
from graph.draft import draft_text
from ui.components.evidence import old_beside_new
from ui.components.labels import STATUS_NAMES, chip, plainly, warning_chip
from ui.components.links import open_on
from ui.components.text import NOTHING, Markup, show, tag, words

_FOLLOWED: Final = "flags.followed"
_SINCE: Final = "flags.followed.since"
_MOST: Final = 5
_DRAFTED: Final = ("new", "drafting")
_PATIENCE: Final = timedelta(minutes=10)
_LOOK_EVERY: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Followed:
    """A draft that waited when the flag was ended.

    Attributes:
        by_person: Whether a person wrote it; the desk does not write over their words.
    """

    contact_id: str
    review_id: str
    who: str
    text: str
    by_person: bool


def follow(desk: Desk, actor: Actor, detail: FlagDetail) -> list[Followed]:
    """Return the drafts that wait on what a flag is about; call before it is ended."""
    found = []
    for line in desk.radius.page(actor, basis_of(detail), limit=_MOST):
        if line.state == "waits" and line.review_id:
            draft = desk.reviews.get(actor, line.review_id).draft
            who = line.customer_name or line.subject or line.contact_id
            by_person = draft["drafter"].startswith("person:")
            found.append(
                Followed(line.contact_id, line.review_id, who, draft_text(draft), by_person)
            )
    return found


def keep_following(followed: list[Followed], since: datetime | None = None) -> None:
    """Show on the next runs what becomes of these drafts; of none, nothing."""
    st.session_state[_FOLLOWED] = followed
    st.session_state[_SINCE] = since


def aftermath(desk: Desk, actor: Actor) -> None:
    """Show what became of the drafts; looks again until the desk has written them anew."""
    followed: list[Followed] = st.session_state.get(_FOLLOWED) or []
    if not followed:
        return
    since: datetime | None = st.session_state.get(_SINCE)

    def is_under_way() -> bool:
        moment = desk.clock.now()
        if since is None or moment - since > _PATIENCE:
            return False
        return any(
            desk.radius.standing(actor, one.contact_id) in _DRAFTED
            or _is_under_way(_newest(desk, actor, one), one, moment)
            for one in followed
        )

    under_way = is_under_way()

    @st.fragment(run_every=_LOOK_EVERY if under_way else None)
    def watch() -> None:
        with st.container(key="flag-aftermath", border=True):
            show(tag("h4", "pd-section", words("What became of the drafts that rested on it")))
            for place, one in enumerate(followed):
                _draft(desk, actor, one, _newest(desk, actor, one), place)
            st.button(
                "Close",
                key="flags.aftermath.close",
                type="tertiary",
                icon=":material/close:",
                on_click=keep_following,
                args=([],),
            )
        if under_way and not is_under_way():
            st.rerun()

    watch()


def _newest(desk: Desk, actor: Actor, one: Followed) -> ReviewSummary:
    return desk.reviews.of_contact(actor, one.contact_id)[-1]


def _is_under_way(now: ReviewSummary, one: Followed, moment: datetime) -> bool:
    is_marked = now.id == one.review_id and now.status == "pending" and now.changed
    return is_marked and not one.by_person and not _is_held(now, moment)


def _is_held(review: ReviewSummary, moment: datetime) -> bool:
    return review.claimed_until is not None and review.claimed_until > moment


def _draft(desk: Desk, actor: Actor, one: Followed, now: ReviewSummary, place: int) -> None:
    shown: Markup = NOTHING
    moment = desk.clock.now()
    status = desk.radius.standing(actor, one.contact_id)
    if status in _DRAFTED or _is_under_way(now, one, moment):
        said = chip("Is written anew …")
    elif now.id != one.review_id and now.status == "pending":
        said = chip("Written anew")
        text = draft_text(desk.reviews.get(actor, now.id).draft)
        titles = ("The draft before", "The draft now")
        shown = tag("div", "pd-pair", *old_beside_new(one.text, text, titles))
    elif now.status != "pending":
        said = chip(STATUS_NAMES.get(status, plainly(status)))
    elif now.changed and _is_held(now, moment):
        said = warning_chip("Somebody holds it: they are told what changed when they decide")
    elif now.changed:
        said = warning_chip("Its source changed: it cannot be approved as it stands")
    else:
        said = chip("Stands as it was: it says nothing that changed")
    show(tag("div", "pd-badges", tag("strong", "", words(one.who)), said), shown)
    if (
        now
        and now.status == "pending"
        and st.button(
            "Open the review",
            key=f"flags.aftermath.{place}",
            icon=":material/fact_check:",
            type="tertiary",
        )
    ):
        open_on("reviews", review=now.id)
