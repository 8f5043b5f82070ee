"""Deciding a review: the buttons for what is open to the person, and the forms behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import streamlit as st

from core.errors import ClaimedByOther, DecisionRefused, NotAllowed, ProofdeskError
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
_ASKED: Final = "decide.asked"
_BUTTONS: Final[dict[DecisionKind, tuple[str, str, str]]] = {
    "approve": ("Approve", ":material/check:", "Ctrl+Enter"),
    "edit": ("Edit", ":material/edit:", "E"),
    "reject": ("Reject", ":material/undo:", "X"),
    "escalate": ("Escalate", ":material/arrow_upward:", "S"),
    "answer": ("Fill in", ":material/text_fields:", "F"),
}


def decide(desk: Desk, view: ReviewView) -> None:
    """Show what the person may decide about a review, and the form that is open."""
    kinds, review_id = view.open_decisions, view.summary.id
    if not kinds:
        say("This waits for a supervisor.", "pd-faint")
        return
    with st.container(key="decide-bar", horizontal=True):
        for kind in kinds:
            label, icon, shortcut = _BUTTONS[kind]
            st.button(
                label,
                key=f"decide.{kind}",
                icon=icon,
                shortcut=shortcut,
                type="primary" if kind == "approve" else "secondary",
                on_click=_press,
                args=(view, kind),
            )
    opened = st.session_state.get(_OPEN)
    if opened and opened[0] == review_id and opened[1] in kinds:
        with st.form(f"decide.form.{opened[1]}.{review_id}"):
            _FORMS[opened[1]](desk, view)


def hold(desk: Desk, actor: Actor, view: ReviewView) -> str:
    """Hold the review for the person who looks at it; return who holds it until when."""
    if not view.open_decisions:
        return ""
    try:
        until = desk.reviews.claim(actor, view.summary.id)
    except ClaimedByOther as error:
        notice("Somebody is at it", "warning", error.message)
        return ""
    return f"Held by you until {until:%H:%M} UTC"


def _press(view: ReviewView, kind: DecisionKind) -> None:
    if kind == "approve" and not view.check["findings"]:
        _ask(view, lambda _review_id: {"kind": "approve"})
        return
    wanted = (view.summary.id, kind)
    st.session_state[_OPEN] = None if st.session_state.get(_OPEN) == wanted else wanted


def _ask(view: ReviewView, reply: Callable[[str], Reply]) -> None:
    """Remember a decision, to be carried out before the page reads what waits.

    By then the review may be gone from the page, decided by somebody else: the person is to hear
    of that, so the decision must not hang on a button that is no longer drawn.
    """
    st.session_state[_ASKED] = (view.summary.id, view.summary.contact_id, reply(view.summary.id))


def carry_out_asked(desk: Desk, actor: Actor) -> DecisionOutcome | None:
    """Carry out the decision that was just asked for; keep a notice of what became of it."""
    review_id, contact_id, reply = st.session_state.pop(_ASKED, (None, "", {}))
    if review_id is None:
        return None
    try:
        with st.spinner("The desk looks at the sources once more …"):
            outcome = desk.reviews.decide(actor, review_id, reply)
    except (DecisionRefused, NotAllowed) as error:
        keep("This is not decided yet", "refused", error.message)  # its form stays open
        return None
    except ProofdeskError as error:
        keep("Your decision did not count", "refused", error.message)
        return None
    st.session_state[_OPEN] = None
    if outcome.stopped:
        why = " ".join(dict.fromkeys(change["sentence"] for change in outcome.changes))
        keep("It was not sent", "warning", why or "The check objects to it: see below.")
    elif outcome.kind == "reject":
        keep("Rejected. A new draft waits.", "plain")
    else:
        keep(DECISION_NAMES[outcome.kind] + ".")
        offer_undo(outcome, contact_id)
    return outcome


def _typed(name: str, review_id: str) -> Any:
    return st.session_state.get(f"decide.{name}.{review_id}")


def _approve_form(_desk: Desk, view: ReviewView) -> None:
    count = len(view.check["findings"])
    st.text_input(
        f"The check holds {count} thing{'s' if count != 1 else ''} against this draft. "
        "Why may it go out all the same?",
        key=f"decide.approve.comment.{view.summary.id}",
    )
    st.form_submit_button(
        "Approve all the same",
        key="decide.approve.send",
        type="primary",
        on_click=_ask,
        args=(view, lambda id: {"kind": "approve", "comment": _typed("approve.comment", id)}),
    )


def _reject_reply(review_id: str) -> Reply:
    return {
        "kind": "reject",
        "reason": _typed("reject.reason", review_id),
        "comment": _typed("reject.comment", review_id),
    }


def _escalate_reply(review_id: str) -> Reply:
    return {
        "kind": "escalate",
        "tier": _typed("escalate.tier", review_id),
        "comment": _typed("escalate.comment", review_id),
    }


def _answer_reply(missing: Sequence[str], review_id: str) -> Reply:
    typed = {field: _typed(f"answer.{field}", review_id) or "" for field in missing}
    filled = {field: value for field, value in typed.items() if value.strip()}
    return {"kind": "answer", "fields": filled, "text": ""}


def _edit_form(_desk: Desk, view: ReviewView) -> None:
    st.text_area(
        "The answer as the customer will read it",
        value=draft_text(view.draft),
        height=280,
        key=f"decide.edit.text.{view.summary.id}",
    )
    st.form_submit_button(
        "Check and approve",
        key="decide.edit.send",
        type="primary",
        on_click=_ask,
        args=(view, lambda id: {"kind": "edit", "text": _typed("edit.text", id)}),
    )


def _reject_form(_desk: Desk, view: ReviewView) -> None:
    st.selectbox(
        "What is wrong with it?",
        REJECT_REASONS,
        index=None,
        format_func=plainly,
        placeholder="Choose a reason",
        key=f"decide.reject.reason.{view.summary.id}",
    )
    st.text_input(
        "What should the next draft do differently?",
        key=f"decide.reject.comment.{view.summary.id}",
    )
    st.form_submit_button(
        "Reject and draft again",
        key="decide.reject.send",
        type="primary",
        on_click=_ask,
        args=(view, _reject_reply),
    )


def _escalate_form(_desk: Desk, view: ReviewView) -> None:
    st.radio(
        "To which tier?",
        ESCALATION_TIERS,
        index=len(ESCALATION_TIERS) - 1,
        format_func=namer(TIER_NAMES),
        horizontal=True,
        key=f"decide.escalate.tier.{view.summary.id}",
    )
    st.text_input(
        "What must the person who takes it know?",
        key=f"decide.escalate.comment.{view.summary.id}",
    )
    st.form_submit_button(
        "Escalate",
        key="decide.escalate.send",
        type="primary",
        on_click=_ask,
        args=(view, _escalate_reply),
    )


def _answer_form(desk: Desk, view: ReviewView) -> None:
    say("Fill in what you know; the answer is then drafted without asking the customer.")
    missing = view.triage["missing"]
    names = {f.id: f.name for f in desk.reasons.required_fields(missing, view.triage["owner"])}
    for number, field in enumerate(missing, start=1):
        say(names.get(field, plainly(field)), "pd-label")
        st.text_input(
            f"Missing detail {number}",
            label_visibility="collapsed",
            key=f"decide.answer.{field}.{view.summary.id}",
        )
    st.form_submit_button(
        "Draft the answer",
        key="decide.answer.send",
        type="primary",
        on_click=_ask,
        args=(view, lambda id: _answer_reply(missing, id)),
    )


_FORMS: Final[dict[DecisionKind, Callable[[Desk, ReviewView], None]]] = {
    "approve": _approve_form,
    "edit": _edit_form,
    "reject": _reject_form,
    "escalate": _escalate_form,
    "answer": _answer_form,
}
