"""The one switch that stops autopilot for everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from desk.autonomy import ReasonLine
from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.labels import when
from ui.components.notice import keep
from ui.components.once import ask, carry_out_briefly
from ui.components.text import Markup, join, show, tag, words

_WHY: Final = "autonomy.resume.why"
_ASKED: Final = "autonomy.switch"


def switch_shown(desk: Desk, lines: Sequence[ReasonLine], names: Mapping[str, str]) -> None:
    """Show whether autopilot runs, and the button that turns it the other way."""
    switch = desk.autonomy.switch()
    flying = [line for line in lines if line.state == "autopilot"]
    with st.container(
        key=f"autopilot-switch-{'on' if switch.on else 'off'}",
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
    ):
        if switch.on:
            show(tag("div", "pd-switch", *_runs(flying)))
            st.button(
                "Stop autopilot for everything",
                key="autonomy.stop",
                icon=":material/front_hand:",
                type="primary" if flying else "secondary",
                on_click=ask,
                args=(_ASKED, ("stop", "")),
            )
            return
        who = names.get(switch.by, "The desk")
        said = (
            f"{who} stopped it{f': {switch.why}' if switch.why else '.'} What had not left goes "
            "before a person."
        )
        show(
            tag(
                "div",
                "pd-switch",
                tag("strong", "", words("Autopilot is stopped for everything")),
                tag(
                    "div",
                    "pd-faint",
                    join([words(f"{said} "), when(switch.at, desk.clock.now())]),
                ),
            )
        )
        st.text_input(
            "Why it may run again",
            key=_WHY,
            placeholder="Why it may run again",
            width=300,
            label_visibility="collapsed",
        )
        st.button(
            "Resume",
            key="autonomy.resume",
            icon=":material/play_arrow:",
            on_click=_resume,
        )


def _runs(flying: Sequence[ReasonLine]) -> tuple[Markup, ...]:
    count = len(flying)
    sent = sum(line.sent for line in flying)
    if not count:
        return (
            tag("strong", "", words("Every answer is read by a person")),
            tag("div", "pd-faint", words("No contact reason is on autopilot.")),
        )
    reasons = "1 contact reason is" if count == 1 else f"{count} contact reasons are"
    answers = {0: "No answer has", 1: "1 answer has"}.get(sent, f"{sent} answers have")
    return (
        tag("strong", "", words(f"{reasons} on autopilot")),
        tag("div", "pd-faint", words(f"{answers} left without a person since they were signed.")),
    )


def carry_out_switch(desk: Desk, actor: Actor) -> None:
    """Stop or resume what was just asked for; keep a notice of what became of it."""

    def turned(asked: tuple[str, str]) -> None:
        if asked[0] == "stop":
            desk.autonomy.stop(actor)
        else:
            desk.autonomy.resume(actor, asked[1])

    def not_done(asked: tuple[str, str]) -> str:
        return f"Autopilot was not {'stopped' if asked[0] == 'stop' else 'resumed'}"

    def tell(asked: tuple[str, str]) -> None:
        if asked[0] != "stop":
            keep("Autopilot runs again")

    carry_out_briefly(_ASKED, turned, not_done, tell)


def _resume() -> None:
    ask(_ASKED, ("resume", st.session_state.get(_WHY, "")))
