"""One contact of the QA sample, read without knowing who decided it, and its scorecard."""

from __future__ import annotations

from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.operations_file import ScorecardItem
from desk.permissions import Actor
from desk.qa import MARKS, Reading
from desk.qa_report import DrawLine
from graph.evidence import cited_passage_ids
from graph.values import CheckReport
from ui.components.conversation import contact_heading, conversation
from ui.components.evidence import draft_as_written, sentences_beside_sources
from ui.components.labels import namer, warning_chip, when
from ui.components.notice import empty, keep, refusals_shown
from ui.components.text import NOTHING, label_text, say, show, tag, words

_MARK_NAMES: Final = {"pass": "Pass", "fail": "Fail", "not_applicable": "Does not apply"}
_UNCHECKED: Final[CheckReport] = {"passed": True, "findings": [], "triggers": []}
"""Readers judge for themselves: what the check held against the draft is not shown."""


def reading_view(desk: Desk, actor: Actor, drawn: DrawLine) -> None:
    """Show what this person reads next of a draw, and its scorecard."""
    waiting = desk.qa.to_read(actor, drawn.id, limit=1)
    if not waiting:
        _nothing_to_read(drawn)
        return
    reading = desk.qa.reading(actor, waiting[0].pick_id)
    left, right = st.columns([5, 7], gap="large")
    with left:
        _asked(desk, actor, reading)
    with right:
        _left(desk, reading)
        _scorecard(desk, actor, reading, drawn)


def _nothing_to_read(drawn: DrawLine) -> None:
    if drawn.read < drawn.picked:
        empty(
            "The rest is for others to read",
            "You decided what is left of this sample: another supervisor reads it first.",
        )
    else:
        empty("Everything of this sample is read", "See what it says under Results.")


def _asked(desk: Desk, actor: Actor, reading: Reading) -> None:
    contact = desk.contacts.get(actor, reading.line.contact_id)
    reason, now = desk.reasons.get(reading.reason), desk.clock.now()
    contact_heading(contact, reason.name if reason else "No known reason", now)
    then = [message for message in contact.messages if message.at <= reading.drawn_at]
    conversation(then, contact.triggers, now)


def _left(desk: Desk, reading: Reading) -> None:
    """Show what left the desk, with its sources as they were."""
    now = desk.clock.now()
    second = warning_chip("Second reading", "Somebody has read it; you will see theirs afterwards")
    show(
        tag(
            "div",
            "pd-badges",
            tag("strong", "pd-section", words("What left")),
            when(reading.sent_at, now) if reading.sent_at else NOTHING,
            second if reading.line.second else NOTHING,
        )
    )
    if reading.draft is None:
        say("No answer left: a person took it over, or it failed.", "pd-faint")
        return
    draft_as_written(reading.draft)
    with st.expander("Sentence by sentence, with its source", key="qa.sources"):
        passages = desk.library.passages(cited_passage_ids(reading.draft))
        sentences_beside_sources(reading.draft, _UNCHECKED, passages, now)


def _scorecard(desk: Desk, actor: Actor, reading: Reading, drawn: DrawLine) -> None:
    pick = reading.line.pick_id
    with st.form(f"qa.card.{pick}", border=True):
        marks, notes = {}, {}
        for item in desk.qa.scorecard():
            marks[item.id], notes[item.id] = _item(pick, item)
        with st.container(horizontal=True, vertical_alignment="center"):
            pressed = st.form_submit_button("Score it", key="qa.score", type="primary")
            say(f"{drawn.read} of {drawn.picked} read so far.", "pd-faint")
        if pressed:
            with refusals_shown():
                given = {name: mark for name, mark in marks.items() if mark}
                passed = desk.qa.score(actor, pick, given, notes)
                keep("It passes." if passed else "It fails.", "good" if passed else "warning")
                st.rerun()


def _item(pick: str, item: ScorecardItem) -> tuple[str, str]:
    left, right = st.columns([6, 7], vertical_alignment="bottom")
    with left:
        mark = st.radio(
            label_text(item.name),
            MARKS,
            index=None,
            format_func=namer(_MARK_NAMES),
            horizontal=True,
            key=f"qa.mark.{pick}.{item.id}",
            help=label_text(item.asks) or None,
        )
    with right:
        note = st.text_input(
            f"Why: {label_text(item.name)}",
            key=f"qa.note.{pick}.{item.id}",
            placeholder="Why? A fail needs a sentence.",
            label_visibility="collapsed",
        )
    return mark or "", note or ""
