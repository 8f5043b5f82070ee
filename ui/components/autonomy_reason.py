"""One contact reason: its evidence, what it lacks, and what may be done with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import altair as alt
import streamlit as st

from desk.autonomy import ReasonLine, Step
from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.autonomy_table import state_text
from ui.components.charts import ACCENT, WARNING, shown_chart
from ui.components.labels import chip, tier_badge, warning_chip, when
from ui.components.notice import keep
from ui.components.office import values
from ui.components.once import ask, carry_out_briefly
from ui.components.text import Markup, say, show, tag, words

_Deed = Literal["sign", "return", "lock", "unlock"]
_WHY: Final = "autonomy.why"
_ASKED: Final = "autonomy.asked"
_LABELS: Final[dict[_Deed, tuple[str, str]]] = {
    "return": ("Return to review", ":material/undo:"),
    "lock": ("Lock", ":material/lock:"),
    "unlock": ("Unlock", ":material/lock_open:"),
}
_DONE: Final[dict[_Deed, str]] = {
    "sign": "on autopilot",
    "return": "returned",
    "lock": "locked",
    "unlock": "unlocked",
}
_MOST_POINTS: Final = 600


def reason_shown(desk: Desk, actor: Actor, line: ReasonLine, names: Mapping[str, str]) -> None:
    """Show a contact reason."""
    with st.container(border=True, key="autonomy-reason"):
        left, right = st.columns([5, 6], gap="large")
        with left:
            _head(desk, line, names)
            _lacks(line)
        with right:
            _evidence(line, desk.autonomy.steps(actor, line.reason))
        _actions(actor, line)


def _head(desk: Desk, line: ReasonLine, names: Mapping[str, str]) -> None:
    state = state_text(line.state)
    badge = warning_chip(state) if line.state == "eligible" else chip(state)
    owner = line.owner or "Nobody owns it"
    parts = [tag("span", "pd-faint", words(owner))]
    if line.since is not None and line.cause:
        who = "the desk" if line.by == "desk" else names.get(line.by, line.by)
        parts += [tag("span", "pd-faint", words(f"· by {who}")), when(line.since, desk.clock.now())]
    show(
        tag("h3", "pd-subject", words(line.name)),
        tag("div", "pd-badges", badge, tier_badge(line.tier), *parts),
    )
    if line.cause and line.state != "eligible":
        say(line.cause)


def _lacks(line: ReasonLine) -> None:
    if line.state == "autopilot":
        say(
            "It answers without a person where its tier, triggers, check and sources are clean. One "
            "bad answer puts it back to review at once.",
            "pd-faint",
        )
        return
    if line.state == "locked" and line.locked_by_map:
        say("Its tier or the reason map locks it: only an admin may say why not.", "pd-faint")
        return
    if line.standing.missing:
        show(tag("div", "pd-label", words("What it lacks")), _list(line.standing.missing))
    elif line.state == "eligible":
        say("It lacks nothing. A supervisor may sign it.", "pd-lead")
    if line.standing.notes:
        show(tag("div", "pd-label", words("What does not count")), _list(line.standing.notes))


def _list(sentences: Sequence[str]) -> Markup:
    return tag("ul", "pd-lacks", *(tag("li", "", words(one)) for one in sentences))


def _evidence(line: ReasonLine, steps: Sequence[Step]) -> None:
    standing = line.standing
    show(
        values(
            [
                ("Answers that count", standing.answers),
                ("Lost in them", f"{standing.loss:.2f}"),
                ("Evidence (e-value)", f"{standing.e_value:,.3g} of {standing.wanted:g} needed"),
                ("Tested limit", f"{100 * line.limit:g} % of answers wrong"),
            ]
        )
    )
    if len(steps) > 1:
        _chart(line, steps)
    else:
        say("Once answers are decided, their evidence is drawn here.", "pd-faint")


def _chart(line: ReasonLine, steps: Sequence[Step]) -> None:
    every = max(1, math.ceil(len(steps) / _MOST_POINTS))
    points = [
        {"answer": one.number, "e": math.exp(min(50.0, max(-7.0, one.log_e))), "loss": one.loss}
        for one in steps
        if one.loss or one.number % every == 0 or one.number == len(steps)
    ]
    wanted = line.standing.wanted
    base = alt.Chart(alt.InlineData(values=points)).encode(
        x=alt.X("answer:Q", title="Answers", axis=alt.Axis(tickMinStep=1, grid=False)),
        y=alt.Y(
            "e:Q",
            title="e-value",
            scale=alt.Scale(type="log", domainMax=wanted * 2.5),
            axis=alt.Axis(values=[0.01, 0.1, 1, 10, 100, 1000], format="~g"),
        ),
        tooltip=[
            alt.Tooltip("answer:Q", title="Answer"),
            alt.Tooltip("e:Q", title="e-value", format=".3g"),
            alt.Tooltip("loss:Q", title="Loss", format=".2f"),
        ],
    )
    rule = (
        alt.Chart(alt.InlineData(values=[{"e": wanted}]))
        .mark_rule(color=ACCENT, strokeDash=[5, 4], strokeWidth=1.5)
        .encode(y="e:Q")
    )
    marks = base.transform_filter("datum.loss > 0").mark_circle(color=WARNING, size=54)
    shown_chart(
        rule + base.mark_line(color=ACCENT, strokeWidth=2) + marks,
        height=190,
        key=f"autonomy.chart.{line.reason}",
        alt_text=(
            f"The e-value of {line.name} after each of {len(steps)} answers; "
            f"{line.standing.e_value:.3g} now, {wanted:g} needed"
        ),
    )


def _actions(actor: Actor, line: ReasonLine) -> None:
    offered: list[_Deed] = []
    if line.state == "autopilot":
        offered.append("return")
    if line.state != "locked":
        offered.append("lock")
    elif actor.may("unlock_reasons"):
        offered.append("unlock")
    with st.container(horizontal=True, vertical_alignment="bottom", key="autonomy-actions"):
        if line.state == "eligible":
            st.button(
                "Sign: let it answer by itself",
                key="autonomy.sign",
                icon=":material/draw:",
                type="primary",
                on_click=_ask,
                args=("sign", line),
            )
        if offered:
            st.text_input(
                "Why",
                key=_why(line),
                placeholder="Why; it is kept in the trail",
                width=340,
                label_visibility="collapsed",
            )
        for deed in offered:
            label, icon = _LABELS[deed]
            st.button(label, key=f"autonomy.{deed}", icon=icon, on_click=_ask, args=(deed, line))
        if line.state == "locked" and not offered:
            say("Ask an admin to unlock it.", "pd-faint")


def _why(line: ReasonLine) -> str:
    return f"{_WHY}.{line.reason}"


def _ask(deed: _Deed, line: ReasonLine) -> None:
    ask(_ASKED, (deed, line.reason, line.name, st.session_state.get(_why(line), "")))


def carry_out_change(desk: Desk, actor: Actor) -> None:
    """Do with a contact reason what was just asked for; keep a notice of what became of it."""

    def changed(asked: tuple[_Deed, str, str, str]) -> None:
        deed, reason, _name, why = asked
        if deed == "sign":
            desk.autonomy.sign(actor, reason)
        elif deed == "return":
            desk.autonomy.return_to_review(actor, reason, why)
        elif deed == "lock":
            desk.autonomy.lock(actor, reason, why)
        else:
            desk.autonomy.unlock(actor, reason, why)

    def tell(asked: tuple[_Deed, str, str, str]) -> None:
        for key in [key for key in st.session_state if str(key).startswith(f"{_WHY}.")]:
            st.session_state[key] = ""  # else what was said of one would be said of the next
        deed, _reason, name, _why = asked
        keep(f"{name} is {_DONE[deed]}.")

    carry_out_briefly(_ASKED, changed, lambda _asked: "That was not done", tell)
