"""Approving many at once: only answers of the lowest tier that nothing speaks against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from core.identifiers import text_digest
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.reviews import BulkLine, ReviewFilter
from ui.components.notice import Tone, empty, notice, refusal
from ui.components.once import ask, carry_out, told
from ui.components.review_table import bulk_table
from ui.components.text import say, show, tag, words
from ui.components.undo import offer_undo_of

_OPEN: Final = "bulk.open"
_ASKED: Final = "bulk.asked"
_DONE: Final = "bulk.done"
_MOST: Final = 50
_SIGNS: Final = {
    "approved": "Approved",
    "stopped": "Stopped",
    "left": "Left as it was",
    "under_way": "Under way",
    "seeded": "Seeded check",
}


def bulk_is_open() -> bool:
    """Tell whether many are being chosen to approve at once."""
    return bool(st.session_state.get(_OPEN))


def bulk_button() -> None:
    """Offer to approve many at once."""
    st.button(
        "Back to the queue" if bulk_is_open() else "Approve many",
        key="bulk.open_button",
        icon=":material/arrow_back:" if bulk_is_open() else ":material/done_all:",
        shortcut="B",
        on_click=_toggle,
    )


def _toggle() -> None:
    st.session_state[_OPEN] = not bulk_is_open()
    st.session_state.pop(_DONE, None)


def approve_many(desk: Desk, actor: Actor) -> None:
    """Let the reader choose among what may be approved at once; show what became of each."""
    if _DONE in st.session_state:
        _done(st.session_state[_DONE])
    say(
        "Answers of the lowest tier that the check and every source bear out. Each is checked "
        "against its sources once more; what does not hold is left for you to look at.",
        "pd-faint",
    )
    reviews = desk.reviews.queue(actor, limit=_MOST, only=ReviewFilter(bulk=True))
    if not reviews:
        empty("Nothing can be approved at once", "What is flagged waits in the queue.")
        return
    ids = bulk_table(reviews, desk.clock.now())
    st.button(
        f"Approve {len(ids)} answer{'s' if len(ids) != 1 else ''}",
        # A late press must not meet the answers that have come up since.
        key=f"bulk.send.{text_digest(' '.join(review.id for review in reviews))[:16]}",
        type="primary",
        disabled=not ids,
        on_click=_ask,
        args=(ids,),
    )


def _ask(ids: Sequence[str]) -> None:
    if ids:
        ask(_ASKED, list(ids))


def carry_out_many(desk: Desk, actor: Actor) -> None:
    """Approve what was just chosen, before the page reads what waits."""

    def approved(ids: list[str]) -> list[BulkLine]:
        return desk.reviews.approve_many(actor, ids)

    done = carry_out(_ASKED, _while_many, approved)
    if done is None:
        return
    if done.refused:
        refusal(done.refused)
    elif lines := done.came:
        st.session_state[_DONE] = lines
        offer_undo_of([(line.contact_id, line.delivery_id) for line in lines if line.delivery_id])
    told(_ASKED)


def _while_many(ids: Sequence[str]) -> str:
    return f"The desk looks at the sources of {len(ids)} answers once more …"


def _done(lines: Sequence[BulkLine]) -> None:
    approved = sum(line.result == "approved" for line in lines)
    on_the_way = sum(line.result == "under_way" for line in lines)
    rest = len(lines) - approved - on_the_way
    also = f" {on_the_way} {'is' if on_the_way == 1 else 'are'} under way." if on_the_way else ""
    also += f" {rest} {'was' if rest == 1 else 'were'} not." if rest else ""
    tone: Tone = "warning" if rest or on_the_way else "good"
    notice(f"{approved} of {len(lines)} approved.{also}", tone)
    show(
        tag(
            "ul",
            "pd-plain pd-results",
            *(
                tag(
                    "li",
                    "",
                    tag("strong", "", words(_SIGNS[line.result])),
                    tag("span", "", words(f" · {line.subject or line.contact_id}")),
                    tag("span", "pd-faint", words(f" {line.sentence}")),
                )
                for line in lines
            ),
        )
    )
