"""What the desk says back: refusals, outcomes, empty places."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import streamlit as st

from core.errors import Conflict, NotAllowed, ProofdeskError
from ui.components.text import show, tag, words

Tone = Literal["good", "warning", "refused", "plain"]
_log: Final = logging.getLogger(__name__)
_KEPT: Final = "notice.kept"
_SINCE: Final = "notice.since"
_SEEN_SECONDS: Final = 3.0


def notice(text: str, tone: Tone = "plain", detail: str = "") -> None:
    """Show a box with plain words."""
    inside = [tag("strong", "", words(text))]
    if detail:
        inside.append(tag("div", "pd-detail", words(detail)))
    show(tag("div", f"pd-notice pd-{tone}", *inside))


def empty(title: str, what_to_do: str) -> None:
    """Say that nothing is here, and what to do about it."""
    show(tag("div", "pd-empty", tag("strong", "", words(title)), tag("p", "", words(what_to_do))))


def keep(text: str, tone: Tone = "good", detail: str = "") -> None:
    """Have a notice shown on the next run of the page, and on those that follow at once."""
    st.session_state[_KEPT] = (text, tone, detail)
    st.session_state.pop(_SINCE, None)


def show_kept() -> None:
    """Show what :func:`keep` kept.

    A page that is drawn twice within moments, because its queue has news or something was pressed,
    shows it both times: the first was hardly seen.
    """
    kept, since = st.session_state.get(_KEPT), st.session_state.get(_SINCE)
    if kept is None:
        return
    if since is not None and time.monotonic() - since > _SEEN_SECONDS:
        del st.session_state[_KEPT]
        return
    notice(*kept)
    if since is None:
        st.session_state[_SINCE] = time.monotonic()


def refusal(error: ProofdeskError) -> None:
    """Show why the desk did not do what was asked."""
    title = {NotAllowed: "Not allowed", Conflict: "Somebody was faster"}
    known = next((words for kind, words in title.items() if isinstance(error, kind)), "")
    notice(known or "The desk did not do that", "refused", error.message)


def failure(error: Exception) -> bool:
    """Say in plain words that the page failed; return True: there is nothing more to show.

    What failed is in the log of the desk and not on the screen, where it could quote anybody.
    """
    _log.error("A page failed", exc_info=error)
    notice(
        "This page could not be shown",
        "refused",
        "Nothing was decided or sent by it. Reload the page; if it fails again, tell your admin: "
        "the log of the desk says why.",
    )
    return True


@contextmanager
def refusals_shown() -> Iterator[None]:
    """Show what the block is refused, in plain words, and go on after it."""
    try:
        yield
    except ProofdeskError as error:
        refusal(error)
