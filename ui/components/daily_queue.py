"""The daily queue: contacts that must not wait, and failures that repeat."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.daily import DailyLine, DailySection, Theme
from desk.permissions import Actor
from desk.rhythm_render import SECTION_NOTES, SECTION_TITLES, theme_words
from ui.components.labels import STATUS_NAMES, relative
from ui.components.links import open_contact_button
from ui.components.notice import empty
from ui.components.task_board import due_text, owner_name
from ui.components.text import say, show, tag, words

_SHOWN: Final = 5
_EXAMPLES: Final = 3


def queue_view(desk: Desk, actor: Actor) -> None:
    """Show the daily queue."""
    names = {one.id: one.name for one in desk.reasons}
    now = desk.clock.now()
    sections = desk.daily.sections(actor, _SHOWN)
    if not any(section.count for section in sections):
        empty("Nothing is waiting", "Open contacts at risk, late or unclear stand here.")
    left, right = st.columns(2, gap="large")
    for place, section in enumerate(sections):
        with right if place % 2 else left:
            _section(actor, section, names, now)
    _overdue(desk, actor, now)
    show(tag("h4", "pd-section", words("Failures that repeat, of the last two weeks")))
    with st.spinner("Looking for what repeats …"):
        themes = desk.daily.themes(actor)
    if not themes:
        say("Nothing failed twice in the same way.", "pd-faint")
    for place, theme in enumerate(themes):
        _theme(actor, theme, place, names)


def _section(actor: Actor, section: DailySection, names: Mapping[str, str], now: datetime) -> None:
    show(
        tag(
            "h4",
            "pd-section",
            words(SECTION_TITLES[section.id]),
            tag("span", "pd-heading-count", words(f" {section.count}")),
        )
    )
    shown = section.lines
    if not section.count:
        say("None.", "pd-faint")
        return
    say(SECTION_NOTES[section.id], "pd-faint")
    if section.above:
        say(f"{section.above} of {section.count} stand in a section before.", "pd-faint")
    with st.container(gap=None):
        for line in shown:
            _line(actor, section, line, _state(line, names, now))
    if (more := section.count - section.above - len(shown)) > 0:
        say(f"{more} more; the desk has them all.", "pd-faint")


def _overdue(desk: Desk, actor: Actor, now: datetime) -> None:
    late = desk.tasks.count_overdue(actor)
    if not late:
        return
    show(
        tag(
            "h4",
            "pd-section",
            words("Overdue tasks"),
            tag("span", "pd-heading-count", words(f" {late}")),
        )
    )
    for task in desk.tasks.page(actor, overdue=True, limit=_SHOWN):
        said = f"{owner_name(task.owner)} · due {due_text(task)} · raised {relative(task.raised_at, now)}"
        show(
            tag(
                "div",
                "pd-step",
                tag("span", "", words(task.title)),
                tag("span", "pd-faint", words(said)),
            )
        )
    if late > _SHOWN:
        say(f"{late - _SHOWN} more; Tasks has them all.", "pd-faint")


def _line(actor: Actor, section: DailySection, line: DailyLine, state: str) -> None:
    name = f"{section.id}-{line.contact_id}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"daily-line-{name}"):
        show(
            tag(
                "div",
                "pd-step",
                tag("span", "", words(_who(line))),
                tag("span", "pd-faint", words(state)),
            )
        )
        open_contact_button(actor, line.contact_id, f"daily.{name}")


def _who(line: DailyLine) -> str:
    return " · ".join(part for part in (line.customer, line.subject) if part) or "No subject"


def _state(line: DailyLine, names: Mapping[str, str], now: datetime) -> str:
    parts = (
        names.get(line.reason or "", line.reason or "No known reason"),
        STATUS_NAMES.get(line.status, line.status),
        f"came {relative(line.created_at, now)}",
        "" if line.assigned else "nobody has it",
    )
    return " · ".join(part for part in parts if part)


def _theme(actor: Actor, theme: Theme, place: int, names: Mapping[str, str]) -> None:
    name, said = theme_words(theme, names)
    show(
        tag(
            "div",
            "pd-step",
            tag("strong", "", words(name)),
            tag("span", "pd-faint", words(said)),
        )
    )
    for number, example in enumerate(theme.examples[:_EXAMPLES]):
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"daily-line-theme-{place}-{number}"
        ):
            show(tag("div", "pd-quoted", words(example.text)))
            open_contact_button(actor, example.contact_id, f"daily.theme.{place}.{number}")
