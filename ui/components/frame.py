"""What every page has around it: styles, who is here, a title."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import streamlit as st

from desk.permissions import Actor
from ui.components.keys import keys
from ui.components.labels import ROLE_NAMES
from ui.components.text import show, tag, words
from ui.session import sign_out

ASSETS: Final = Path(__file__).resolve().parents[1] / "assets"


def styles() -> None:
    """Put our styles on the page."""
    st.html(ASSETS / "proofdesk.css")


def who_is_here(actor: Actor, paths: Sequence[str]) -> None:
    """Show who is signed in, the keys, and the way out.

    Args:
        actor: Who is signed in.
        paths: The addresses of their pages.
    """
    with st.container(key="who", horizontal=True, vertical_alignment="center"):
        keys(paths)
        show(
            tag(
                "div",
                "pd-who",
                tag("strong", "", words(actor.name)),
                tag("span", "pd-faint", words(ROLE_NAMES[actor.role])),
            )
        )
        st.button("Sign out", key="who.sign_out", on_click=sign_out, type="tertiary")


def title(text: str, hint: str = "") -> None:
    """Show the title of a page, and what it is for."""
    show(tag("div", "pd-title", tag("h3", "", words(text)), tag("span", "pd-faint", words(hint))))
