"""The supervisor's workplace: what waits for a decision, and everything a decision needs."""

from __future__ import annotations

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.reviews import ReviewSummary, ReviewView
from desk.views import ContactQueues
from graph.evidence import cited_passage_ids
from ui.components.conversation import contact_heading, conversation, trigger_list
from ui.components.correct_reason import carry_out_correction, correct_reason
from ui.components.decide import carry_out_asked, decide, hold
from ui.components.evidence import changes_shown, draft_as_written, sentences_beside_sources
from ui.components.frame import title
from ui.components.handoff import instruction
from ui.components.labels import exactly
from ui.components.notice import empty, refusals_shown, show_kept
from ui.components.review_table import choose_review, following, neighbour, review_table
from ui.components.text import say, show, tag, words
from ui.components.undo import show_undo


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    title("Reviews", "Highest risk first, then what is due first.")
    outcome = carry_out_asked(desk, actor)
    if outcome:
        choose_review(outcome.next_review_id or following())
    carry_out_correction(desk, actor)
    show_kept()
    show_undo(desk, actor)
    with refusals_shown():
        waiting = desk.reviews.queue(actor)
        if not waiting:
            empty("Nothing waits for a decision", "New drafts appear here as contacts come in.")
            return
        reasons = {reason.id: reason.name for reason in desk.reasons}
        names = ContactQueues(desk.database).names()
        opened = review_table(waiting, reasons, names, desk.clock.now())
        _detail(desk, actor, waiting, desk.reviews.get(actor, opened))


def _detail(desk: Desk, actor: Actor, waiting: list[ReviewSummary], view: ReviewView) -> None:
    now = desk.clock.now()
    contact = desk.contacts.get(actor, view.summary.contact_id)
    reason = desk.reasons.get(view.summary.reason)
    held = hold(desk, actor, view)
    left, right = st.columns([5, 8], gap="large")
    with left, st.container(key="pane-customer"):
        contact_heading(contact, reason.name if reason else "No known reason", now)
        correct_reason(desk, actor, contact.summary.id)
        conversation(contact.messages, contact.triggers, now)
        trigger_list(contact.triggers)
    with right:
        with st.container(key="decide-head", horizontal=True, vertical_alignment="center"):
            say(held, "pd-held")
            with st.container(horizontal=True, width="content"):
                _step(waiting, view, -1, "Previous", "K")
                _step(waiting, view, 1, "Next", "J")
        instruction(contact.brief["instruction"] if contact.brief else "")
        decide(desk, view)
        changes_shown(view.changes)
        _draft(desk, view)


def _step(
    waiting: list[ReviewSummary], view: ReviewView, step: int, label: str, shortcut: str
) -> None:
    target = neighbour(waiting, view.summary.id, step)
    st.button(
        label,
        key=f"reviews.{label.lower()}",
        shortcut=shortcut,
        type="tertiary",
        disabled=not target,
        on_click=choose_review,
        args=(target,),
    )


def _draft(desk: Desk, view: ReviewView) -> None:
    now, draft = desk.clock.now(), view.draft
    drafted = f"Drafted by {draft['drafter']}, opened {exactly(view.summary.opened_at)}"
    show(tag("h4", "pd-section", words("The draft")), tag("span", "pd-faint", words(drafted)))
    draft_as_written(draft, view.check)
    if not draft["sentences"]:
        return
    with refusals_shown():
        passages = desk.library.passages(cited_passage_ids(draft))
        show(tag("h4", "pd-section", words("Sentence by sentence, with its source")))
        sentences_beside_sources(draft, view.check, passages, now)
