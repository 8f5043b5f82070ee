"""What was pressed is carried out once and told once, whatever is pressed meanwhile.

When something is pressed while a page is being drawn, Streamlit draws the page anew at once, in a
thread of its own, and stops the first one at its next call into Streamlit. The second click of a
double click would ask again for what is being done, and what came of the first would be lost. So a
request stays until it was told: the page that is drawn next waits for its end and tells it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import streamlit as st

from core.errors import ProofdeskError
from ui.components.notice import keep

LATE_SECONDS: Final = 5.0
"""How late a press may come from a page that is no longer there, on a slow line or machine."""
_PREFIX: Final = "once."
_TOLD: Final = "once.told."
What = TypeVar("What")
Came = TypeVar("Came")


@dataclass(slots=True)
class Asked(Generic[What, Came]):
    """A request of the person at the screen.

    Attributes:
        what: What was pressed, with what was chosen or written.
        came: What came of it, once it is done and was not refused.
        refused: Why the desk refused it.
        is_done: Whether it was carried out or refused; it may not be told yet.
        is_dropped: Whether another request took its place before it was begun.
        turn: Held by the page that carries it out.
    """

    what: What
    came: Came | None = None
    refused: ProofdeskError | None = None
    is_done: bool = False
    is_dropped: bool = False
    turn: threading.Lock = field(default_factory=threading.Lock)


def ask(key: str, what: object) -> None:
    """Remember what was pressed, to be carried out on the next run of the page.

    While the last request is being carried out or its end is not told yet, nothing more is taken:
    it was pressed on a page that did not know of it. Nor is the same right after it was told.
    """
    last, told_at = st.session_state.get(_TOLD + key, (None, 0.0))
    if last == what and time.monotonic() - told_at < LATE_SECONDS:
        return
    before: Asked[Any, Any] | None = st.session_state.get(_PREFIX + key)
    if before is not None:
        if not before.turn.acquire(blocking=False):
            return
        before.is_dropped = not before.is_done
        before.turn.release()
        if before.is_done:
            return
    st.session_state[_PREFIX + key] = Asked(what)


def carry_out(
    key: str, during: Callable[[What], str], work: Callable[[What], Came]
) -> Asked[What, Came] | None:
    """Carry out what was pressed, unless it was already; return it with what came of it.

    The caller tells it and says so with :func:`told`; until then every run gets it again.

    Args:
        key: Under which it was asked.
        during: What the screen says while it is carried out.
        work: Carries it out, without a call into Streamlit.
    """
    asked: Asked[What, Came] | None = st.session_state.get(_PREFIX + key)
    if asked is None or asked.is_done:
        return asked
    with st.spinner(during(asked.what)), asked.turn:
        if not (asked.is_done or asked.is_dropped):
            try:
                asked.came = work(asked.what)
            except ProofdeskError as error:
                asked.refused = error
            asked.is_done = True
    return asked if asked.is_done else None


def carry_out_briefly(
    key: str,
    work: Callable[[What], object],
    not_done: Callable[[What], str],
    tell: Callable[[What], None],
) -> None:
    """Carry out what was pressed and takes a moment; keep a notice where the desk refuses it.

    Args:
        key: Under which it was asked.
        work: Carries it out, without a call into Streamlit.
        not_done: What stands above the reason when it is refused.
        tell: Says that it was done.
    """
    done = carry_out(key, lambda _asked: "One moment …", work)
    if done is None:
        return
    if done.refused:
        keep(not_done(done.what), "refused", done.refused.message)
    else:
        tell(done.what)
    told(key)


def told(key: str) -> None:
    """Forget a request whose end was told; one that was refused may come again at once."""
    asked: Asked[Any, Any] | None = st.session_state.get(_PREFIX + key)
    if asked is not None and asked.refused is None:
        st.session_state[_TOLD + key] = (asked.what, time.monotonic())
    st.session_state.pop(_PREFIX + key, None)


@contextmanager
def finished_first() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Let the block end before the page is stopped for something else that was pressed.

    Yields:
        What shows progress from inside the block: it is given a call into Streamlit. A stop that
        comes with such a call takes effect after the block.
    """
    stopped: list[BaseException] = []

    def tell(call: Callable[[], object]) -> None:
        if stopped:
            return
        try:
            call()
        except Exception:
            raise
        except BaseException as stop:  # how Streamlit stops a page
            stopped.append(stop)

    yield tell
    if stopped:
        raise stopped[0]
