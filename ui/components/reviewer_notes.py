"""What reviewers told the desk by rejecting and rewriting its drafts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import altair as alt
import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.quality import ReviewerNotes
from ui.components.charts import legend, shown_chart
from ui.components.labels import plainly, when
from ui.components.notice import empty
from ui.components.text import Markup, say, show, tag, words

_WEEKS: Final = 12
_NO_REASON: Final = "No known reason"


def notes_view(desk: Desk, actor: Actor) -> None:
    """Show what reviewers reject and rewrite."""
    notes = desk.quality.notes(actor, _WEEKS)
    if not notes.rejects and not notes.edits:
        empty(
            "No draft was rejected or rewritten yet",
            f"What reviewers change in {_WEEKS} weeks is drawn here, by reason.",
        )
        return
    names = {reason.id: reason.name for reason in desk.reasons}
    show(tag("div", "pd-lead", words(lead(notes))))
    left, right = st.columns(2, gap="large")
    with left:
        show(tag("h4", "pd-section", words("Drafts rejected, by why")))
        rejects_chart(notes)
    with right:
        show(tag("h4", "pd-section", words("Words rewritten in an edit, by contact reason")))
        edits_chart(notes, names)
    _edits_table(notes, names)
    _comments(notes.comments, desk.clock.now())
    if notes.cut:
        say("Only the newest 2,000 rejects and edits are counted.", "pd-faint")


def lead(notes: ReviewerNotes) -> str:
    """Return in one sentence how much of what was decided was rejected or rewritten."""
    decided = sum(notes.decided.values())
    rejected = sum(one.count for one in notes.rejects)
    edited = sum(one.count for one in notes.edits)
    weighed = sum(one.share * one.count for one in notes.edits)
    said = f"Of {decided} decisions in {_WEEKS} weeks, {rejected} were rejects and {edited} edits"
    return f"{said}; an edit changed {weighed / edited:.0%} of the words." if edited else f"{said}."


def rejects_chart(notes: ReviewerNotes) -> None:
    """Show how many drafts were rejected each week, by why."""
    values = [
        {"week": one.start.isoformat(), "why": plainly(one.reason), "count": one.count}
        for one in notes.rejects
    ]
    if not values:
        say("None was rejected.", "pd-faint")
        return
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar(cornerRadius=2)
        .encode(
            x=alt.X("yearmonthdate(week):O", title=None, axis=_axis()),
            y=alt.Y("sum(count):Q", title=None, axis=alt.Axis(tickMinStep=1)),
            color=alt.Color("why:N", legend=legend()),
            tooltip=[
                alt.Tooltip("week:T", title="Week from", format="%d %b"),
                alt.Tooltip("why:N", title="Why"),
                alt.Tooltip("count:Q", title="Drafts"),
            ],
        )
    )
    counted: dict[str, int] = {}
    for one in notes.rejects:
        counted[one.reason] = counted.get(one.reason, 0) + one.count
    said = ", ".join(f"{plainly(why)} {count}" for why, count in counted.items())
    shown_chart(chart, height=230, key="quality.rejects", alt_text=f"Drafts rejected: {said}")


def edits_chart(notes: ReviewerNotes, names: Mapping[str, str]) -> None:
    """Show which share of a draft's words edits changed each week, by contact reason."""
    values = [
        {
            "week": one.start.isoformat(),
            "reason": names.get(one.reason) or plainly(one.reason) or _NO_REASON,
            "share": one.share,
            "count": one.count,
        }
        for one in notes.edits
    ]
    if not values:
        say("None was edited.", "pd-faint")
        return
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_circle(opacity=0.8)
        .encode(
            x=alt.X("yearmonthdate(week):O", title=None, axis=_axis()),
            y=alt.Y(
                "share:Q",
                title=None,
                axis=alt.Axis(format="%"),
                scale=alt.Scale(domain=[0, 1]),
            ),
            size=alt.Size("count:Q", legend=None, scale=alt.Scale(range=[60, 400])),
            color=alt.Color("reason:N", legend=legend(orient="right", labelLimit=150)),
            tooltip=[
                alt.Tooltip("week:T", title="Week from", format="%d %b"),
                alt.Tooltip("reason:N", title="Contact reason"),
                alt.Tooltip("share:Q", title="Words changed", format=".0%"),
                alt.Tooltip("count:Q", title="Edits"),
            ],
        )
    )
    shown_chart(
        chart,
        height=230,
        key="quality.edits",
        alt_text="Share of words that edits changed, by week; the table below has it by reason",
    )


def _axis() -> Any:
    return alt.Axis(format="%d %b", labelAngle=0)


def _edits_table(notes: ReviewerNotes, names: Mapping[str, str]) -> None:
    edits: dict[str, tuple[int, float]] = {}
    for one in notes.edits:
        count, weighed = edits.get(one.reason, (0, 0.0))
        edits[one.reason] = (count + one.count, weighed + one.share * one.count)
    if not edits:
        return
    rows = [
        {
            "Contact reason": names.get(reason) or plainly(reason) or _NO_REASON,
            "Edits": count,
            "Words changed": round(100 * weighed / count),
        }
        for reason, (count, weighed) in sorted(edits.items(), key=lambda item: -item[1][1])
    ]
    st.dataframe(
        rows,
        key="quality.edited",
        hide_index=True,
        alt="Edits by contact reason",
        column_config={
            "Words changed": st.column_config.ProgressColumn(
                format="%d %%", min_value=0, max_value=100, width=220
            ),
            "Edits": st.column_config.NumberColumn(width=80),
        },
    )


def _comments(comments: Sequence[tuple[datetime, str, str]], now: datetime) -> None:
    if not comments:
        return
    show(
        tag("h4", "pd-section", words("In their words")),
        *(_comment(at, why, said, now) for at, why, said in comments),
    )


def _comment(at: datetime, why: str, said: str, now: datetime) -> Markup:
    return tag(
        "div",
        "pd-quoted",
        tag("div", "pd-byline", tag("strong", "", words(plainly(why))), when(at, now)),
        tag("div", "pd-words", words(said)),
    )
