"""What complaints are about, with the words of a few."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from desk.metrics import Theme
from desk.permissions import Actor
from ui.components.labels import chip
from ui.components.links import open_contact_button
from ui.components.text import say, show, tag, words

_EXAMPLES = 2
_LONGEST = 180


def complaint_themes(actor: Actor, themes: Sequence[Theme], complaints: int) -> None:
    """Show the themes, the most frequent first.

    Args:
        actor: Who looks.
        themes: What complaints were about.
        complaints: How many there were in all.
    """
    if not complaints:
        say("Nobody complained in these days.", "pd-faint")
        return
    waiting = complaints - sum(theme.count for theme in themes)
    for theme in themes:
        with st.container(key=f"metrics-theme-{theme.id}"):
            if theme.count > 1:
                named = ", ".join(theme.words) or "No word in common"
                show(
                    tag(
                        "div",
                        "pd-badges",
                        chip(f"{theme.count} contacts"),
                        tag("strong", "", words(named)),
                    )
                )
            for contact, text in theme.examples[: -_EXAMPLES - 1 : -1]:
                with st.container(
                    horizontal=True,
                    vertical_alignment="center",
                    key=f"gap-asked-{contact}",
                ):
                    show(tag("div", "pd-asked", tag("span", "pd-words", words(_cut(text)))))
                    open_contact_button(actor, contact, f"metrics.contact.{contact}")
    if waiting > 0:
        say(
            f"{waiting} more: of rarer themes, or not grouped yet; the desk groups what is new "
            "each hour.",
            "pd-faint",
        )


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1].rstrip()}…"
