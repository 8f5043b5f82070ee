"""The agent's evidence pane: the draft, the passage behind a citation, what may be decided."""

from __future__ import annotations

import streamlit as st

from desk.bootstrap import Desk
from desk.contacts import ContactView
from desk.permissions import Actor
from desk.reviews import ReviewView
from desk.views import ContactQueues
from graph.evidence import cited_passage_ids
from graph.values import Draft
from ui.components.decide import decide
from ui.components.delivery import delivery_shown
from ui.components.evidence import (
    changes_shown,
    choose_citation,
    draft_as_written,
    passage_card,
    sentences_beside_sources,
)
from ui.components.handoff import handoff_brief, instruction
from ui.components.labels import plainly
from ui.components.notice import empty, refusals_shown
from ui.components.text import show, tag, words


def answer(desk: Desk, actor: Actor, contact: ContactView) -> None:
    """Show the waiting draft with its evidence, or the answer that was given."""
    if contact.summary.status == "in_review":
        waiting = [
            review
            for review in desk.reviews.of_contact(actor, contact.summary.id)
            if review.status == "pending"
        ]
        if waiting:
            _waiting(desk, contact, desk.reviews.get(actor, waiting[-1].id))
            return
    if contact.brief and contact.summary.status == "escalated":
        handoff_brief(contact.brief)
        return
    if contact.summary.status in ("new", "drafting", "deciding"):
        empty("The desk is at work on it", "Look again in a moment.")
        st.button("Look again", key="answer.again")
        return
    delivered = desk.deliveries.of_contact(actor, contact.summary.id)
    if delivered:
        names = ContactQueues(desk.database).names()
        delivery_shown(desk, actor, delivered[-1], names)
    else:
        empty("No answer is drafted", "Decide with your team what this contact needs.")


def _waiting(desk: Desk, contact: ContactView, view: ReviewView) -> None:
    instruction(contact.brief["instruction"] if contact.brief else "")
    changes_shown(view.changes)
    draft_as_written(view.draft, view.check)
    if view.triage["missing"]:
        missing = ", ".join(plainly(field) for field in view.triage["missing"])
        show(tag("div", "pd-note", words(f"Still missing: {missing}.")))
    decide(desk, view)
    if not view.draft["sentences"]:
        return
    with refusals_shown():
        if view.check["findings"]:
            passages = desk.library.passages(cited_passage_ids(view.draft))
            sentences_beside_sources(view.draft, view.check, passages, desk.clock.now())
        else:
            _chosen_passage(desk, view.draft, view.summary.id)


def _chosen_passage(desk: Desk, draft: Draft, key: str) -> None:
    citation = choose_citation(draft, key)
    if citation is None:
        show(tag("div", "pd-note pd-faint", words("This draft rests on no source.")))
        return
    passage = desk.library.passages([citation["passage_id"]]).get(citation["passage_id"])
    around = desk.library.passages_of_version(citation["version_id"])
    passage_card(citation, passage, desk.clock.now(), around)
