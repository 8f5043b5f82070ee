"""Pages of a list by keyset: where the page begins is kept, how many there are is never counted."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, TypeVar

import streamlit as st

T = TypeVar("T")
_STARTS: Final = "pager.starts"
_CHOSEN: Final = "pager.chosen"


def read_page(
    name: str, chosen: Hashable, size: int, read: Callable[[int, Any], list[T]]
) -> tuple[list[T], bool]:
    """Return the page that is open of one list, and whether another follows it.

    Args:
        name: Of the list.
        chosen: What it is narrowed to; another choice begins at the first page.
        size: Length of a page.
        read: Given a length and the last line of the page before (None for the first page), reads.
    """
    if st.session_state.get(f"{_CHOSEN}.{name}") != chosen:
        st.session_state[f"{_CHOSEN}.{name}"] = chosen
        st.session_state[f"{_STARTS}.{name}"] = []
    starts = _starts(name)
    lines = read(size + 1, starts[-1] if starts else None)
    return lines[:size], len(lines) > size


def page_buttons(name: str, lines: Sequence[object], more: bool, *, keys: bool = True) -> None:
    """Show the way to the pages before and after; nothing where there is one page.

    Args:
        name: Of the list.
        lines: The page that is open.
        more: Whether another follows.
        keys: Whether keys turn its pages; of one list on a page only.
    """
    starts = _starts(name)
    if not starts and not more:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Page before",
            key=f"{name}.before",
            icon=":material/chevron_left:",
            type="tertiary",
            shortcut="B" if keys else None,
            disabled=not starts,
            on_click=_back,
            args=(name,),
        )
        st.button(
            "Next page",
            key=f"{name}.after",
            icon=":material/chevron_right:",
            icon_position="right",
            type="tertiary",
            shortcut="N" if keys else None,
            disabled=not more,
            on_click=_on,
            args=(name, lines[-1] if lines else None),
        )


def _starts(name: str) -> list[Any]:
    starts: list[Any] = st.session_state.setdefault(f"{_STARTS}.{name}", [])
    return starts


def _back(name: str) -> None:
    _starts(name).pop()


def _on(name: str, last: object) -> None:
    _starts(name).append(last)
