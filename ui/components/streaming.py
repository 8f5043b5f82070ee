"""What the assistant writes, shown while it comes. Escaped like every text of others."""

from __future__ import annotations

from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.text import NOTHING, Markup, tag, words

_LONGEST_SHOWN: Final = 6_000


def answering(
    desk: Desk,
    actor: Actor,
    contact_id: str,
    asked: str,
    slot: st.delta_generator.DeltaGenerator,
    right: st.delta_generator.DeltaGenerator,
) -> None:
    """Carry a request out and show what comes: a draft where drafts stand, an answer in the chat.

    Args:
        slot: Where an answer appears in the chat.
        right: Where drafts stand.
    """
    for_agent = desk.assistant.kind_of(asked) == "lookup"
    slot.html(_bubble("Looking it up …" if for_agent else "Working on the draft …", NOTHING))
    target = slot if for_agent else right.empty()
    come: list[str] = []

    def on_text(piece: str) -> None:
        come.append(piece)
        text = words("".join(come)[-_LONGEST_SHOWN:])
        target.html(
            _bubble("Assistant", tag("div", "pd-words", text))
            if for_agent
            else tag("div", "pd-draft pd-writing", tag("div", "pd-words", text))
        )

    desk.assistant.ask(actor, contact_id, asked, on_text)


def _bubble(name: str, inside: Markup) -> Markup:
    return tag("div", "pd-said pd-said-desk", tag("div", "pd-said-name", words(name)), inside)
