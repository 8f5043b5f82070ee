"""Eval runs: how a suite's figures went over time, one run with its figures and misses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import altair as alt
import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.quality import EvalRun, Figure, Miss, UnreadableRun
from ui.components.charts import legend, shown_chart
from ui.components.labels import (
    chip,
    exact_at_hand,
    exactly,
    plainly,
    table_moment,
    warning_chip,
)
from ui.components.notice import empty, notice
from ui.components.office import values
from ui.components.text import readable_text, say, show, tag, words

_ROW: Final = 33
_MOST_ROWS: Final = 6
_MOST_MISSES: Final = 200
_A_DAY: Final = timedelta(days=1)
_MOST_TREND: Final = 40


def runs_view(desk: Desk, actor: Actor) -> None:
    """Show the runs of the suites."""
    runs, unreadable = desk.quality.runs(actor)
    _unreadable(unreadable)
    if not runs:
        empty(
            "No eval run is kept yet",
            "Run “proofdesk eval reasons”, “triage” or “stale” with this desk's PROOFDESK_HOME: "
            "its figures and misses are kept here, run beside run.",
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        suites = sorted({run.suite for run in runs})
        suite = st.pills(
            "Suite",
            suites,
            default=runs[0].suite,
            required=True,
            key="quality.suite",
            format_func=lambda one: plainly(one)[:40],
        )
        own = [run for run in runs if run.suite == suite] or runs
        probes = sorted({name.partition(".")[0] for run in own for name in run.headline})
        probe = (
            st.pills(
                "Probe",
                probes,
                default=probes[0],
                required=True,
                key=f"quality.probe.{suite}",
                format_func=lambda one: plainly(one)[:40],
            )
            if len(probes) > 1
            else (probes or [""])[0]
        )
    trend_chart(own[:_MOST_TREND], probe or "")
    chosen = _table(own, desk.clock.now())
    _run(desk, actor, chosen)


def trend_chart(runs: Sequence[EvalRun], probe: str) -> None:
    """Show the figures of one probe over the runs of a suite, with their intervals."""
    points = [
        {
            "at": run.at.isoformat(),
            "figure": plainly(name.partition(".")[2]),
            "value": figure.value,
            "low": figure.low if figure.low is not None else figure.value,
            "high": figure.high if figure.high is not None else figure.value,
            "run": run.id,
        }
        for run in runs
        for name, figure in run.headline.items()
        if name.partition(".")[0] == probe and figure.value is not None and figure.value <= 1
    ]
    if not points:
        return
    one_day = max(run.at for run in runs) - min(run.at for run in runs) < _A_DAY
    moments = alt.Axis(format="%H:%M" if one_day else "%d %b", tickCount=6, labelOverlap=True)
    base = alt.Chart(alt.InlineData(values=points)).encode(
        x=alt.X("at:T", title=None, axis=moments),
        color=alt.Color("figure:N", legend=legend()),
    )
    scale = alt.Scale(domain=[0, 1])
    line = base.mark_line(point=True).encode(
        y=alt.Y("value:Q", title=None, scale=scale),
        tooltip=[
            alt.Tooltip("figure:N", title="Figure"),
            alt.Tooltip("value:Q", title="Value", format=".3f"),
            alt.Tooltip("low:Q", title="From", format=".3f"),
            alt.Tooltip("high:Q", title="To", format=".3f"),
            alt.Tooltip("run:N", title="Run"),
        ],
    )
    bars = base.mark_rule(opacity=0.45).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    shown_chart(bars + line, height=230, key="quality.trend", alt_text=_told(runs, probe))


def _told(runs: Sequence[EvalRun], probe: str) -> str:
    newest = {
        plainly(name.partition(".")[2]): figure.value
        for name, figure in runs[0].headline.items()
        if name.partition(".")[0] == probe and figure.value is not None
    }
    said = ", ".join(f"{name} {value:.3f}" for name, value in newest.items())
    return f"Figures of {len(runs)} runs. The newest: {said}."


def _table(runs: Sequence[EvalRun], now: datetime) -> EvalRun:
    event = st.dataframe(
        [
            {
                "Run": readable_text(run.id),
                **table_moment("When", run.at, now),
                "Data": readable_text(run.about.get("data", "")),
                "Misses": len(run.misses),
                "Gate": _gate(run),
            }
            for run in runs
        ],
        key=f"quality.runs.{runs[0].suite}",
        hide_index=True,
        height=_ROW * (min(len(runs), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [0]}},
        alt="Runs of this suite",
        column_config={
            **exact_at_hand("When"),
            "When": st.column_config.TextColumn(width=100),
            "Misses": st.column_config.NumberColumn(width=80),
            "Gate": st.column_config.TextColumn(width=160),
        },
    )
    rows = [row for row in event["selection"]["rows"] if row < len(runs)]
    return runs[rows[0]] if rows else runs[0]


def _gate(run: EvalRun) -> str:
    if run.gate is None:
        return "None was given"
    return f"{len(run.gate)} not kept" if run.gate else "Kept"


def _run(desk: Desk, actor: Actor, run: EvalRun) -> None:
    standing = (
        chip("No gate was given")
        if run.gate is None
        else warning_chip(_gate(run))
        if run.gate
        else chip("Every gate is kept")
    )
    show(
        tag("h3", "pd-subject", words(run.id)),
        tag(
            "div",
            "pd-badges",
            chip(plainly(run.suite)),
            chip(f"{len(run.misses)} misses"),
            standing,
            tag("span", "pd-faint", words(exactly(run.at))),
        ),
        values((plainly(label), said) for label, said in run.about.items() if label != "finished"),
    )
    for sentence in run.gate or ():
        notice(sentence, "warning")
    left, right = st.columns([5, 6], gap="large")
    with left:
        _figures(run)
    with right:
        _misses(desk, actor, run)


def _figures(run: EvalRun) -> None:
    show(tag("h4", "pd-section", words("Figures")))
    if not run.figures:
        say("The data had no labels, so there are no figures.", "pd-faint")
        return
    st.dataframe(
        [
            {
                "Figure": readable_text(_named(name)),
                "Value": "–" if figure.value is None else f"{figure.value:.3f}",
                "Count": _counted(figure),
                "95 % interval": _interval(figure),
            }
            for name, figure in run.figures.items()
        ],
        key=f"quality.figures.{run.id}",
        hide_index=True,
        height=_ROW * 9,
        row_height=_ROW,
        alt="Figures of this run",
    )


def _named(name: str) -> str:
    probe, _, rest = name.partition(".")
    return f"{plainly(probe)} · {plainly(rest.replace('.', ' · '))}"


def _counted(figure: Figure) -> str:
    return f"{figure.hits} of {figure.n}" if figure.hits is not None else str(figure.n)


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return "–"
    return f"{figure.low:.2f} – {figure.high:.2f}"


def _misses(desk: Desk, actor: Actor, run: EvalRun) -> None:
    show(tag("h4", "pd-section", words("What it judged wrong")))
    if not run.misses:
        say("Nothing.", "pd-faint")
        return
    misses = run.misses[:_MOST_MISSES]
    event = st.dataframe(
        [
            {
                "Case": readable_text(miss.id),
                "Probe": plainly(miss.probe),
                "Kind": plainly(miss.kind),
                "What": readable_text(miss.what),
            }
            for miss in misses
        ],
        key=f"quality.misses.{run.id}",
        hide_index=True,
        height=_ROW * (min(len(misses), 8) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        alt="Cases that this run judged wrong",
    )
    if len(run.misses) > len(misses):
        say(f"The first {len(misses)} of {len(run.misses)}; the rest is in its folder.", "pd-faint")
    rows = [row for row in event["selection"]["rows"] if row < len(misses)]
    if rows:
        _miss(desk, actor, run, misses[rows[0]])


def _miss(desk: Desk, actor: Actor, run: EvalRun, miss: Miss) -> None:
    with st.spinner("Reading the verdict …"):
        said = desk.quality.verdict(actor, run.id, miss)
    if said:
        show(
            tag("div", "pd-passage", values((plainly(name), value) for name, value in said.items()))
        )
    else:
        say("Its verdict is not in the run's folder any more.", "pd-faint")


def _unreadable(unreadable: Sequence[UnreadableRun]) -> None:
    if unreadable:
        first = unreadable[0]
        more = f" So are {len(unreadable) - 1} more." if len(unreadable) > 1 else ""
        notice(f"The run {first.id} cannot be read.{more}", "warning", first.why)
