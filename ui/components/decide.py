"""Deciding a review: the buttons for what is open to the person, and the forms behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import streamlit as st

from core.errors import DecisionRefused, NotAllowed, ProofdeskError
from core.vocabulary import REJECT_REASONS, DecisionKind
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.reviews import DecisionOutcome, ReviewView
from graph.draft import draft_text
from graph.interrupts import ESCALATION_TIERS
from ui.components.labels import DECISION_NAMES, TIER_NAMES, namer, plainly
from ui.components.notice import keep, notice
from ui.components.text import say
from ui.components.undo import offer_undo

Reply = dict[str, Any]
_OPEN: Final = "decide.open"
_BUTTONS: Final[dict[DecisionKind, tuple[str, str, str]]] = {
    "approve": ("Approve", ":material/check:", "Ctrl+Enter"),
    "edit": ("Edit", ":material/edit:", "E"),
    "reject": ("Reject", ":material/undo:", "X"),
    "escalate": ("Escalate", ":material/arrow_upward:", "S"),
    "answer": ("Fill in", ":material/text_fields:", "F"),
}


def decide(desk: Desk, actor: Actor, view: ReviewView) -> DecisionOutcome | None:
    """Show what the person may decide; return the outcome of a decision just taken.

    What went wrong or was stopped is kept as a notice for the next run of the page.
    """
    kinds = view.open_decisions
    if not kinds:
        say("This waits for a supervisor.", "pd-faint")
        return None
    at_once = "approve" in kinds and not view.check["findings"]
    chosen: DecisionKind | None = None
    with st.container(key="decide-bar", horizontal=True):
        for kind in kinds:
            label, icon, shortcut = _BUTTONS[kind]
            if st.button(
                label,
                key=f"decide.{kind}",
                icon=icon,
                shortcut=shortcut,
                type="primary" if kind == "approve" else "secondary",
            ):
                chosen = kind
    review_id = view.summary.id
    if chosen == "approve" and at_once:
        return _carry_out(desk, actor, view, {"kind": "approve"})
    if chosen:
        was_open = st.session_state.get(_OPEN) == (review_id, chosen)
        st.session_state[_OPEN] = None if was_open else (review_id, chosen)
    opened = st.session_state.get(_OPEN)
    if not opened or opened[0] != review_id or opened[1] not in kinds:
        return None
    with st.form(f"decide.form.{opened[1]}.{review_id}", border=True):
        reply = _FORMS[opened[1]](desk, view)
    return _carry_out(desk, actor, view, reply) if reply else None


def _approve_form(_desk: Desk, view: ReviewView) -> Reply | None:
    count = len(view.check["findings"])
    comment = st.text_input(
        f"The check holds {count} thing{'s' if count != 1 else ''} against this draft. "
        "Why may it go out all the same?",
        key=f"decide.approve.comment.{view.summary.id}",
    )
    sent = st.form_submit_button("Approve all the same", key="decide.approve.send", type="primary")
    return {"kind": "approve", "comment": comment} if sent else None


def _edit_form(_desk: Desk, view: ReviewView) -> Reply | None:
    text = st.text_area(
        "The answer as the customer will read it",
        value=draft_text(view.draft),
        height=280,
        key=f"decide.edit.text.{view.summary.id}",
    )
    sent = st.form_submit_button("Check and approve", key="decide.edit.send", type="primary")
    return {"kind": "edit", "text": text} if sent else None


def _reject_form(_desk: Desk, view: ReviewView) -> Reply | None:
    reason = st.selectbox(
        "What is wrong with it?",
        REJECT_REASONS,
        index=None,
        format_func=plainly,
        placeholder="Choose a reason",
        key=f"decide.reject.reason.{view.summary.id}",
    )
    comment = st.text_input(
        "What should the next draft do differently?",
        key=f"decide.reject.comment.{view.summary.id}",
    )
    sent = st.form_submit_button("Reject and draft again", key="decide.reject.send", type="primary")
    return {"kind": "reject", "reason": reason, "comment": comment} if sent else None


def _escalate_form(_desk: Desk, view: ReviewView) -> Reply | None:
    tier = st.radio(
        "To which tier?",
        ESCALATION_TIERS,
        index=len(ESCALATION_TIERS) - 1,
        format_func=namer(TIER_NAMES),
        horizontal=True,
        key=f"decide.escalate.tier.{view.summary.id}",
    )
    comment = st.text_input(
        "What must the person who takes it know?",
        key=f"decide.escalate.comment.{view.summary.id}",
    )
    sent = st.form_submit_button("Escalate", key="decide.escalate.send", type="primary")
    return {"kind": "escalate", "tier": tier, "comment": comment} if sent else None


def _answer_form(desk: Desk, view: ReviewView) -> Reply | None:
    say("Fill in what you know; the answer is then drafted without asking the customer.")
    missing = view.triage["missing"]
    names = {f.id: f.name for f in desk.reasons.required_fields(missing, view.triage["owner"])}
    values = {}
    for number, field in enumerate(missing, start=1):
        say(names.get(field, plainly(field)), "pd-label")
        values[field] = st.text_input(
            f"Missing detail {number}",
            label_visibility="collapsed",
            key=f"decide.answer.{field}.{view.summary.id}",
        )
    sent = st.form_submit_button("Draft the answer", key="decide.answer.send", type="primary")
    filled = {name: value for name, value in values.items() if value.strip()}
    return {"kind": "answer", "fields": filled, "text": ""} if sent else None


_FORMS: Final[dict[DecisionKind, Callable[[Desk, ReviewView], Reply | None]]] = {
    "approve": _approve_form,
    "edit": _edit_form,
    "reject": _reject_form,
    "escalate": _escalate_form,
    "answer": _answer_form,
}


def _carry_out(desk: Desk, actor: Actor, view: ReviewView, reply: Reply) -> DecisionOutcome | None:
    try:
        with st.spinner("The desk looks at the sources once more …"):
            outcome = desk.reviews.decide(actor, view.summary.id, reply)
    except (DecisionRefused, NotAllowed) as error:
        notice("This is not decided yet", "refused", error.message)  # the form stays as it is
        return None
    except ProofdeskError as error:
        keep("This review is no longer yours to decide", "refused", error.message)
        st.rerun()
    st.session_state[_OPEN] = None
    if outcome.stopped:
        why = " ".join(change["sentence"] for change in outcome.changes)
        keep(
            "It was not sent", "warning", why or "The check holds something against it; see below."
        )
    elif outcome.kind == "reject":
        keep("Rejected. A new draft waits.", "plain")
    else:
        keep(DECISION_NAMES[outcome.kind] + ".")
        offer_undo(outcome, view.summary.contact_id)
    return outcome
