"""Saying what a contact is really about; the desk learns from it at once."""

from __future__ import annotations

from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.labels import namer
from ui.components.notice import keep
from ui.components.once import ask, carry_out, told
from ui.components.text import readable_text, say

_ASKED: Final = "reason.asked"
_NONE: Final = ""  # none of the map's reasons, which a selectbox could not tell from no choice


def correct_reason(desk: Desk, actor: Actor, contact_id: str) -> None:
    """Offer the reasons that a contact may be about instead."""
    if not actor.may("work_contacts"):
        return
    # Another box, which is closed, once the reason was corrected or the contact is another one.
    reason = desk.contacts.summary(actor, contact_id).reason
    box = f"reason.popover.{contact_id}.{reason}"
    with st.popover("Another reason", icon=":material/label:", key=box):
        choices = desk.corrections.choices(actor, contact_id)
        if not choices:
            say("There is no other reason that you may choose.", "pd-faint")
            return
        names = {one.id or _NONE: readable_text(one.name) for one in choices}
        field = f"reason.choice.{contact_id}"
        st.selectbox(
            "What is it about?",
            list(names),
            index=None,
            format_func=namer(names),
            key=field,
            placeholder="Likely ones first",
        )
        say("The desk routes it anew and learns from it.", "pd-faint")
        st.button(
            "Correct", key="reason.send", type="primary", on_click=_ask, args=(contact_id, field)
        )


def _ask(contact_id: str, field: str) -> None:
    if (chosen := st.session_state.get(field)) is not None:
        ask(_ASKED, (contact_id, chosen))


def carry_out_correction(desk: Desk, actor: Actor) -> str | None:
    """Correct the reason that was just chosen; keep a notice of what became of it.

    Returns:
        The id of the contact that has another reason now, or None.
    """

    def corrected(asked: tuple[str, str]) -> None:
        contact_id, chosen = asked
        desk.corrections.correct(actor, contact_id, chosen or None)
        desk.contacts.wait_for_draft(contact_id)

    done = carry_out(_ASKED, lambda _asked: "The contact is routed anew …", corrected)
    if done is None:
        return None
    contact_id, chosen = done.what
    if done.refused:
        keep("That was not done", "refused", done.refused.message)
    else:
        reason = desk.reasons.get(chosen)
        now = readable_text(reason.name) if reason else "none of these"
        keep(f"Corrected: {now}", "good", "The desk will know the next one like it.")
    told(_ASKED)
    return None if done.refused else contact_id
