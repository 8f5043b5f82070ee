"""The agent's evidence pane: the draft or proposal, what may be done with it, what it rests on."""

from __future__ import annotations

from typing import Any

import streamlit as st

from desk.assistant_turns import Turn
from desk.bootstrap import Desk
from desk.contacts import ContactView
from desk.permissions import Actor
from desk.queues import ContactQueues
from desk.review_holds import Holder
from desk.reviews import ReviewView
from graph.draft import draft_text
from graph.values import Draft
from ui.components.assistant import ANSWER_PLACES, EDITING, act, request
from ui.components.cited_draft import cited_draft
from ui.components.decide import decide
from ui.components.delivery import delivery_shown, send_again_button
from ui.components.evidence import changes_shown, drafted_how, drafters_note
from ui.components.handoff import handoff_brief, instruction
from ui.components.holding import held_by_another
from ui.components.labels import KIND_NAMES, chip, warning_chip
from ui.components.news import remember
from ui.components.notice import empty, notice, refusals_shown
from ui.components.places import place_name
from ui.components.source_cards import source_cards
from ui.components.text import NOTHING, Markup, show, tag, words


def waiting_review(desk: Desk, actor: Actor, contact: ContactView) -> ReviewView | None:
    """Return the review that the contact waits at, if it waits at one."""
    if contact.summary.status != "in_review":
        return None
    pending = [
        review
        for review in desk.reviews.of_contact(actor, contact.summary.id)
        if review.status == "pending"
    ]
    return desk.reviews.get(actor, pending[-1].id) if pending else None


def answer(
    desk: Desk,
    actor: Actor,
    contact: ContactView,
    view: ReviewView | None,
    proposal: Turn | None,
    looked_up: Turn | None,
) -> None:
    """Show the draft that waits, or the proposal on it, or the answer that was given.

    Args:
        view: The review that waits, if one does.
        proposal: The proposal that is open on it, if one is.
        looked_up: The newest answer to the agent, whose sources are shown below.
    """
    if view is not None:
        _waiting(desk, actor, contact, view, proposal)
    elif contact.brief and contact.summary.status == "escalated":
        handoff_brief(contact.brief)
    elif contact.summary.status in ("new", "drafting", "deciding"):
        empty("The desk is at work on it", "The page shows what comes of it by itself.")
    elif contact.summary.status == "failed":
        _failed(desk, actor, contact)
    else:
        _given(desk, actor, contact)
    if looked_up and looked_up.draft:
        show(tag("h4", "pd-section", words("Sources of what you looked up")))
        with refusals_shown():
            _sources(desk, looked_up.draft, ANSWER_PLACES)


def _failed(desk: Desk, actor: Actor, contact: ContactView) -> None:
    notice("The desk could not go on", "warning", contact.failure or "Its run stopped.")
    delivered = desk.deliveries.of_contact(actor, contact.summary.id)
    undelivered = delivered[-1] if delivered and delivered[-1].status == "failed" else None
    with st.container(horizontal=True):
        st.button(
            "Review it anew" if undelivered else "Try again",
            key="answer.retry",
            icon=":material/refresh:",
            shortcut="G",
            type="primary",
            on_click=act,
            args=("retry", ""),
        )
        if undelivered:
            send_again_button(actor, undelivered)


def _given(desk: Desk, actor: Actor, contact: ContactView) -> None:
    delivered = desk.deliveries.of_contact(actor, contact.summary.id)
    if delivered:
        delivery_shown(desk, actor, delivered[-1], ContactQueues(desk.database).names())
    else:
        empty("No answer is drafted", "Decide with your team what this contact needs.")


def _waiting(
    desk: Desk, actor: Actor, contact: ContactView, view: ReviewView, proposal: Turn | None
) -> None:
    instruction(contact.brief["instruction"] if contact.brief else "")
    if not proposal:
        changes_shown(view.changes)
    if view.changes and not proposal:
        st.button(
            "Draft it anew",
            key="answer.anew",
            icon=":material/autorenew:",
            on_click=request,
            args=(contact.summary.id, "start over"),
        )
    draft = proposal.draft if proposal and proposal.draft else view.draft
    report = proposal.report if proposal else view.check
    places = place_name("src", proposal.id if proposal else view.summary.id)
    holder = desk.reviews.holder(actor, view.summary.id)
    with st.container(
        key="draft-head",
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
    ):
        _heading(draft, proposal, view, holder)
        if proposal or "edit" not in view.open_decisions:
            st.button(
                "Edit",
                key="answer.edit",
                icon=":material/edit:",
                shortcut="E",
                type="tertiary",
                on_click=_edit,
                args=(view.summary.id,),
            )
    cited_draft(draft, report, places, before=view.draft if proposal else None)
    show(drafters_note(draft))
    if proposal:
        if holder:
            held_by_another(desk, actor, holder, view.summary.id)
        _proposal_bar(view, proposal, held=holder is not None)
    else:
        decide(desk, actor, view, holder)
    if st.session_state.get(EDITING) == view.summary.id:
        _edit_form(draft, proposal.id if proposal else view.summary.id)
    with refusals_shown():
        _sources(desk, draft, places)
    if proposal:  # it answers what changed: the draft comes first now
        changes_shown(view.changes)
    remember(desk, actor, view, draft)


def _heading(draft: Draft, proposal: Turn | None, view: ReviewView, holder: Holder | None) -> None:
    if proposal:
        badges: list[Markup] = []
        title = "Proposed with the assistant"
    else:
        badges = [chip(KIND_NAMES[draft["kind"]])]
        title = "The draft that waits"
    how = drafted_how(draft)
    by = tag("span", "pd-faint", words(how)) if how else NOTHING
    if holder and not (proposal or view.open_decisions):  # else it is said where they decide
        badges.append(warning_chip(f"{holder.name} is reviewing it"))
    show(tag("div", "pd-draft-head", tag("strong", "", words(title)), *badges, by))


def _proposal_bar(view: ReviewView, proposal: Turn, *, held: bool) -> None:
    clean = not (proposal.report and proposal.report["findings"])
    may_approve = "edit" in view.open_decisions and clean
    with st.container(key="proposal-bar", horizontal=True):
        if may_approve:
            st.button(
                "Approve and send",
                key="proposal.approve",
                icon=":material/check:",
                shortcut="A",
                type="primary",
                disabled=held,
                on_click=act,
                args=("approve", proposal.id),
            )
        st.button(
            "Keep as the draft" if may_approve else "Send for review",
            key="proposal.forward",
            icon=":material/input:",
            shortcut="Y",
            type="secondary" if may_approve else "primary",
            disabled=held,
            on_click=act,
            args=("forward", proposal.id),
        )
        st.button(
            "Take back",
            key="proposal.discard",
            icon=":material/undo:",
            shortcut="B",
            type="tertiary",
            on_click=act,
            args=("discard", proposal.id),
        )


def _edit(review_id: str) -> None:
    st.session_state[EDITING] = None if st.session_state.get(EDITING) == review_id else review_id


def _edit_form(draft: Draft, whose: str) -> None:
    # A box keeps its text while its key is the same: the next proposal needs a box of its own.
    key = f"answer.text.{whose}"
    with st.form("answer.edit.form", border=False):
        st.text_area(
            "The answer as the customer will read it", value=draft_text(draft), height=240, key=key
        )
        st.form_submit_button(
            "Check it", key="answer.edit.send", type="primary", on_click=_edited, args=(key,)
        )


def _edited(key: str) -> None:
    text: Any = st.session_state.get(key)
    act("edit", str(text or ""))


def _sources(desk: Desk, draft: Draft, places: str) -> None:
    sources = desk.cited_sources.of(draft)
    if not sources:
        if draft["sentences"] and draft["kind"] != "clarify":
            show(tag("div", "pd-note pd-faint", words("This draft rests on no source.")))
        return
    source_cards(sources, places, desk.clock.now())
