"""One review beside the customer's words: what may be decided, the draft, what it rests on."""

from __future__ import annotations

import itertools

import streamlit as st

from desk.bootstrap import Desk
from desk.contacts import ContactView
from desk.delivery import DeliveryView
from desk.permissions import Actor
from desk.reviews import ReviewView
from desk.views import sources_now
from graph.draft import draft_text
from graph.evidence import cited_passage_ids
from kb.content import Passage
from ui.components.context import why_this_tier
from ui.components.conversation import contact_heading, conversation
from ui.components.correct_reason import correct_reason
from ui.components.decide import came_too_late, decide
from ui.components.delivery import STATUS_NAMES
from ui.components.evidence import (
    changes_shown,
    draft_as_written,
    drafted_how,
    old_beside_new,
    sentences_beside_sources,
)
from ui.components.handoff import instruction
from ui.components.holding import hold
from ui.components.labels import DECISION_BUTTONS, DECISION_NAMES, clock_time, plainly, when
from ui.components.news import remember
from ui.components.notice import refusals_shown
from ui.components.review_table import choose_review, following, previous
from ui.components.text import NOTHING, Markup, say, show, tag, words


def review_to_decide(desk: Desk, actor: Actor, view: ReviewView) -> None:
    """Show a review that waits, with everything a decision needs."""
    contact = desk.contacts.get(actor, view.summary.contact_id)
    held = hold(desk, actor, view)
    left, right = st.columns([5, 8], gap="large")
    with left:
        _customer(desk, actor, view, contact)
    with right:
        with st.container(key="decide-head", horizontal=True, vertical_alignment="center"):
            say(held, "pd-held")
            _steps()
        instruction(contact.brief["instruction"] if contact.brief else "")
        decide(desk, actor, view, desk.reviews.holder(actor, view.summary.id))
        changes_shown(view.changes)
        _draft(desk, view)
    remember(desk, actor, view)


def decided_review(
    desk: Desk, actor: Actor, view: ReviewView, who: str, *, in_queue: bool = False
) -> None:
    """Show a decided review: what was drafted, what a person made of it, what was sent.

    Args:
        who: Who decided it.
        in_queue: Whether it stands where the queue is worked through: somebody else was faster.
    """
    contact = desk.contacts.get(actor, view.summary.contact_id)
    sent = [
        delivery
        for delivery in desk.deliveries.of_contact(actor, contact.summary.id)
        if delivery.review_id == view.summary.id
    ]
    left, right = st.columns([5, 8], gap="large")
    with left:
        _customer(desk, actor, view, contact)
    with right:
        if in_queue:
            with st.container(horizontal=True, horizontal_alignment="right"):
                _steps()
            _was_faster(desk, view, who, sent[-1] if sent else None)
        else:
            show(_decision_line(desk, view, who))
        _from_draft_to_letter(view, sent[-1] if sent else None)
        changes_shown(view.changes)
        _draft(desk, view)


def _customer(desk: Desk, actor: Actor, view: ReviewView, contact: ContactView) -> None:
    reason, now = desk.reasons.get(view.summary.reason), desk.clock.now()
    with st.container(key="pane-customer"):
        contact_heading(contact, reason.name if reason else "No known reason", now)
        correct_reason(desk, actor, contact.summary.id)
        conversation(contact.messages, contact.triggers, now)
        why_this_tier(contact.triggers, view.classification)


def _steps() -> None:
    with st.container(horizontal=True, width="content"):
        _step("Previous", "K", previous())
        _step("Next", "J", following())


def _step(label: str, shortcut: str, target: str | None) -> None:
    st.button(
        label,
        key=f"reviews.{label.lower()}",
        shortcut=shortcut,
        type="tertiary",
        disabled=not target,
        on_click=choose_review,
        args=(target,),
    )


def _decision_line(desk: Desk, view: ReviewView, who: str) -> Markup:
    kind = view.summary.decision
    said = f"{DECISION_NAMES[kind] if kind else 'Settled'} by {who}"
    why = _why(view)
    return tag(
        "div",
        "pd-notice",
        tag("strong", "", words(said)),
        words(" "),
        when(view.summary.decided_at, desk.clock.now()),
        tag("div", "pd-detail pd-words", words(why)) if why else NOTHING,
    )


def _was_faster(desk: Desk, view: ReviewView, who: str, sent: DeliveryView | None) -> None:
    """Say who decided what is open in the queue, when, and what can be done now."""
    kind, at = view.summary.decision, view.summary.decided_at
    what = DECISION_NAMES[kind].lower() if kind else "settled"
    late = came_too_late(view.summary.id)
    now = "Press Next (J) for the following review."
    if sent and sent.status == "scheduled":
        now = f"Until the answer leaves, the Outbox can call it back. {now}"
    why = _why(view)
    show(
        tag(
            "div",
            "pd-notice pd-warning",
            tag("strong", "", words(f"{who} was faster: {what}")),
            *([words(f" at {clock_time(at)}, "), when(at, desk.clock.now())] if at else []),
            words("."),
            words(f" Your “{DECISION_BUTTONS[late]}” did not count.") if late else NOTHING,
            tag("div", "pd-detail pd-words", words(why)) if why else NOTHING,
            tag("div", "pd-detail", words(now)),
        )
    )


def _why(view: ReviewView) -> str:
    decision = view.decision
    said = (plainly(decision.get("reason")), decision.get("comment")) if decision else ()
    return " · ".join(part for part in said if part)


def _from_draft_to_letter(view: ReviewView, sent: DeliveryView | None) -> None:
    """Show, word by word, what a person changed in the draft and what left in the end."""
    drafted = draft_text(view.draft)
    edited = (view.decision.get("text") or "") if view.decision else ""
    told = [("As drafted", drafted)]
    if edited:
        told.append(("As edited", edited))
    if sent:
        told.append((f"The letter ({STATUS_NAMES[sent.status].lower()})", sent.text))
    for (before, old), (after, new) in itertools.pairwise(told):
        if " ".join(old.split()) == " ".join(new.split()):
            say(f"{after} says the same, word for word.", "pd-faint")
            continue
        show(tag("div", "pd-pair", *old_beside_new(old, new, (before, after))))


def _draft(desk: Desk, view: ReviewView) -> None:
    now, draft = desk.clock.now(), view.draft
    drafted = tag(
        "span",
        "pd-faint",
        words(_first_up(" · ".join(part for part in (drafted_how(draft), "opened ") if part))),
        when(view.summary.opened_at, now),
    )
    show(tag("h4", "pd-section", words("The draft")), drafted)
    draft_as_written(draft, view.check)
    if not draft["sentences"]:
        return
    with refusals_shown():
        passages = desk.library.passages(cited_passage_ids(draft))
        _reworded(sources_now(desk.library, passages), passages, view)
        show(tag("h4", "pd-section", words("Sentence by sentence, with its source")))
        sentences_beside_sources(draft, view.check, passages, now)


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]


def _reworded(now: dict[str, Passage | None], then: dict[str, Passage], view: ReviewView) -> None:
    """Show the sources that read otherwise than when the draft was written, and are no stop."""
    stopped = {change.get("passage_id") for change in view.changes}
    for key, passage in now.items():
        if key in stopped:
            continue
        newer = passage.plain if passage else ""
        show(
            tag(
                "div",
                "pd-notice",
                tag("strong", "", words(f"“{then[key].title}” reads otherwise by now")),
                tag("div", "pd-pair", *old_beside_new(then[key].plain, newer, _THEN_AND_NOW)),
            )
        )


_THEN_AND_NOW = ("When it was drafted", "Now")
