"""One day of the supervisor's week: what it tells, and what it goes through."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.errors import ProofdeskError
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.rhythm import DayItem, DayReport
from desk.rhythm_rules import Figure
from ui.components.labels import when
from ui.components.links import open_contact_button, open_on, open_review_button
from ui.components.notice import empty, keep
from ui.components.text import Markup, label_text, say, show, tag, words


def day_view(desk: Desk, actor: Actor, report: DayReport) -> None:
    """Show a day."""
    left, right = st.columns((5, 2), gap="large")
    with left:
        _told(report)
        _items(desk, actor, report)
    with right:
        show(tag("h4", "pd-section", words("The last seven days")))
        _figures(report.figures)


def _told(report: DayReport) -> None:
    first, *others = report.told
    show(
        tag("div", "pd-lead", words(first)),
        tag("ul", "pd-tellings", *(tag("li", "", words(one)) for one in others)),
    )


def _figures(figures: Sequence[Figure]) -> None:
    show(
        tag(
            "div",
            "pd-figures",
            *(
                part
                for one in figures
                for part in (
                    tag("span", "pd-name", words(one.name)),
                    tag(
                        "span",
                        "pd-value",
                        words(one.value),
                        tag("span", "pd-faint", words(f"before: {one.before}"))
                        if one.before
                        else words(""),
                    ),
                )
            ),
        )
    )


def _items(desk: Desk, actor: Actor, report: DayReport) -> None:
    open_ones = [one for one in report.items if one.done_at is None]
    done = [one for one in report.items if one.done_at is not None]
    last_done, last_all = report.last_week
    before = f" The week before, {last_done} of {last_all} were." if last_all else ""
    if not report.items:
        empty("Nothing to work through", "The day lists here what needs somebody's look.")
        return
    show(tag("h4", "pd-section", words("To work through")))
    say(f"{len(done)} of {len(report.items)} are done this week.{before}", "pd-faint")
    with st.container(gap=None):
        for one in open_ones:
            _item(desk, actor, one)
    if report.unlisted:
        say(f"{report.unlisted} more, less urgent, are not listed.", "pd-faint")
    if done:
        with st.expander(f"Done ({len(done)})", key="rhythm.done"):
            for one in done:
                _item(desk, actor, one)


def _item(desk: Desk, actor: Actor, item: DayItem) -> None:
    name = f"rhythm.tick.{item.id}"
    st.session_state[name] = item.done_at is not None  # the desk may have ended it meanwhile
    with st.container(horizontal=True, vertical_alignment="center", key=f"rhythm-item-{item.id}"):
        st.checkbox(
            label_text(item.title) or "Done",
            key=name,
            label_visibility="collapsed",
            on_change=partial(_tick, desk, actor, item),
        )
        css = "pd-step-done" if item.done_at else ""
        show(
            tag(
                "div",
                "pd-step",
                tag("span", css, words(item.title)),
                tag("span", "pd-faint", words(item.note)),
                _ended(desk, item),
            )
        )
        _ways(actor, item)


def _ended(desk: Desk, item: DayItem) -> Markup:
    if item.done_at is None or not item.cause:
        return words("")
    ago = when(item.done_at, desk.clock.now())
    return tag("span", "pd-faint", words(f"{item.cause} "), ago)


def _tick(desk: Desk, actor: Actor, item: DayItem) -> None:
    try:
        desk.rhythm.tick(actor, item.id, done=item.done_at is None)
    except ProofdeskError as error:
        keep("It was not noted", "refused", error.message)


def _ways(actor: Actor, item: DayItem) -> None:
    key = f"rhythm.open.{item.id}"
    if item.review_id:
        open_review_button(actor, item.review_id, key)
    elif item.contact_id:
        open_contact_button(actor, item.contact_id, key)
    elif item.flag_id and st.button(
        "Open the flag", key=key, icon=":material/flag:", type="tertiary"
    ):
        open_on("sources", flag=item.flag_id)
    elif item.subject == "article" and st.button(
        "Open the article", key=key, icon=":material/article:", type="tertiary"
    ):
        open_on("sources", article=item.subject_id)
    elif item.subject == "reason" and st.button(
        "Open autonomy", key=key, icon=":material/trending_up:", type="tertiary"
    ):
        open_on("autonomy", reason=item.subject_id)
