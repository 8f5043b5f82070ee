"""What somebody sees who is not signed in."""

from __future__ import annotations

import streamlit as st

from ui.components.notice import notice
from ui.components.text import show, tag, words
from ui.session import was_refused

_COMMANDS = (
    ("proofdesk serve", "prints a link for each role when it starts"),
    ("proofdesk users link", "makes a new link for one person"),
)


def render() -> None:
    """Show the page."""
    _, middle, _ = st.columns([1, 2, 1])
    with middle:
        if was_refused():
            notice(
                "You are not signed in",
                "refused",
                "This sign-in link is not valid (any more). Ask your admin for a new one.",
            )
        show(
            tag(
                "div",
                "pd-signin",
                tag("h3", "", words("Open your sign-in link")),
                tag(
                    "p",
                    "",
                    words(
                        "Proofdesk knows you by a personal link. Open the one you were given; if "
                        "you have none, ask your admin, or run one of these where the desk runs:"
                    ),
                ),
                *(
                    tag(
                        "div",
                        "pd-command",
                        tag("span", "pd-code", words(command)),
                        tag("span", "pd-faint", words(what)),
                    )
                    for command, what in _COMMANDS
                ),
            )
        )
