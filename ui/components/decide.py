"""Deciding a review: the buttons for what is open to the person, and the forms behind them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from core.errors import AlreadyDecided, DecisionRefused, NotAllowed, ProofdeskError
from core.vocabulary import REJECT_REASONS, DecisionKind, RejectReason
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.review_holds import Holder
from desk.reviews import DecisionOutcome, ReviewView
from graph.draft import draft_text
from graph.interrupts import ESCALATION_TIERS
from ui.components.holding import held_by_another
from ui.components.labels import DECISION_BUTTONS, DECISION_NAMES, TIER_NAMES, namer, plainly
from ui.components.notice import keep
from ui.components.once import ask, carry_out, told
from ui.components.seeded import tell_of_seeded
from ui.components.text import label_text, say
from ui.components.undo import offer_undo

Reply = dict[str, Any]
_OPEN: Final = "decide.open"
_ASKED: Final = "decide.asked"
_LATE: Final = "decide.late"
_BUTTONS: Final[dict[DecisionKind, tuple[str, str]]] = {
    "approve": (":material/check:", "A"),
    "edit": (":material/edit:", "E"),
    "reject": (":material/undo:", "X"),
    "escalate": (":material/arrow_upward:", "S"),
    "answer": (":material/text_fields:", "F"),
}
_REJECT_WORDS: Final[dict[RejectReason, tuple[str, str]]] = {
    "wrong_source": ("Wrong source", "It rests on the wrong source."),
    "out_of_date": ("Out of date", "It is out of date."),
    "incomplete": ("Incomplete", "It does not answer all that was asked."),
    "wrong_answer": ("Wrong answer", "It answers another question, or wrongly."),
    "wrong_tier": ("Wrong tier", "The contact has another tier."),
    "tone": ("Tone", "It does not sound right."),
    "other": ("Something else", "Write it another way."),
}
"""Reason → its button, and what the next draft is told where nobody writes more."""
_ESCALATE_WORDS: Final = (
    "The customer is upset, or asks for a person.",
    "The sources do not cover this: it needs a decision.",
    "It is about money or an account: somebody must act.",
    "The sources may be wrong.",
)


def decide(desk: Desk, actor: Actor, view: ReviewView, holder: Holder | None) -> None:
    """Show what the person may decide about a review, and the form that is open.

    Args:
        holder: Who else holds it: nothing can be decided then.
    """
    kinds = view.open_decisions
    if not kinds:
        say(_waits_for_nobody(view), "pd-faint")
        return
    if holder:
        held_by_another(desk, actor, holder, view.summary.id)
        return
    opened = _opened(view)
    with st.container(key="decide-bar", horizontal=True, vertical_alignment="center"):
        for kind in kinds:
            icon, shortcut = _BUTTONS[kind]
            st.button(
                DECISION_BUTTONS[kind],
                # A late press must not meet the review that has come up since.
                key=f"decide.{kind}.{view.summary.id}",
                icon=icon,
                # Keys do nothing while a form is open: they would decide what is being written.
                shortcut=None if opened else shortcut,
                type="primary" if kind == "approve" else "secondary",
                on_click=_press,
                args=(view, kind),
            )
        if not {"approve", "edit"} & set(kinds):
            say("It waits for a supervisor to approve it.", "pd-faint")
        if opened:
            st.button("Close", key="decide.close", shortcut="Esc", type="tertiary", on_click=_close)
    if opened:
        with st.container(key=f"decide-form-{opened}", border=True):
            _FORMS[opened](desk, view)


def _waits_for_nobody(view: ReviewView) -> str:
    if view.summary.status == "pending":
        return "This waits for a supervisor."
    kind = view.summary.decision
    return f"{DECISION_NAMES[kind]}." if kind else f"This review is {view.summary.status}."


def _opened(view: ReviewView) -> DecisionKind | None:
    review_id, kind = st.session_state.get(_OPEN) or (None, None)
    return kind if review_id == view.summary.id and kind in view.open_decisions else None


def _close() -> None:
    st.session_state[_OPEN] = None


def _press(view: ReviewView, kind: DecisionKind) -> None:
    if kind == "approve" and not view.check["findings"]:
        _ask(view, lambda _review_id: {"kind": "approve"})
        return
    st.session_state[_OPEN] = None if _opened(view) == kind else (view.summary.id, kind)


def _ask(view: ReviewView, reply: Callable[[str], Reply]) -> None:
    """Remember a decision, to be carried out before the page reads what waits.

    By then the review may be gone from the page, decided by somebody else: the person is to hear
    of that, so the decision must not hang on a button that is no longer drawn.
    """
    ask(_ASKED, (view.summary.id, view.summary.contact_id, reply(view.summary.id)))


def came_too_late(review_id: str) -> DecisionKind | None:
    """Return what the person asked for of a review that somebody else had decided by then."""
    late: tuple[str, DecisionKind] | None = st.session_state.get(_LATE)
    return late[1] if late and late[0] == review_id else None


def carry_out_asked(
    desk: Desk, actor: Actor, *, tells_of_others: bool = False
) -> DecisionOutcome | None:
    """Carry out the decision that was just asked for; keep a notice of what became of it.

    Args:
        desk: The desk.
        actor: Who decides.
        tells_of_others: Whether the page itself says who was faster; see :func:`came_too_late`.
    """

    def decided(asked: tuple[str, str, Reply]) -> DecisionOutcome:
        review_id, _contact_id, reply = asked
        return desk.reviews.decide(actor, review_id, reply)

    done = carry_out(_ASKED, lambda _asked: "The desk looks at the sources once more …", decided)
    if done is None:
        return None
    if done.came is not None:
        _tell(done.came, done.what[1])
    elif tells_of_others and _is_decided(desk, actor, done.what[0], done.refused):
        st.session_state[_LATE] = (done.what[0], done.what[2]["kind"])
    elif isinstance(done.refused, DecisionRefused | NotAllowed):
        keep("This is not decided yet", "refused", done.refused.message)  # its form stays open
    elif done.refused:
        keep("Your decision did not count", "refused", done.refused.message)
    told(_ASKED)
    return done.came


def _is_decided(desk: Desk, actor: Actor, review_id: str, refused: ProofdeskError | None) -> bool:
    """Say whether a decision was refused since somebody else had taken one that can be shown."""
    if not isinstance(refused, AlreadyDecided):
        return False
    return desk.reviews.line(actor, review_id).status == "decided"


def _tell(outcome: DecisionOutcome, contact_id: str) -> None:
    st.session_state[_OPEN] = None
    if outcome.seeded:
        tell_of_seeded(outcome.seeded)
    elif outcome.stopped:
        why = " ".join(dict.fromkeys(change["sentence"] for change in outcome.changes))
        keep("It was not sent", "warning", why or "The check objects to it: see below.")
    elif outcome.kind == "reject":
        keep("Rejected. A new draft waits in the queue.", "plain")
    else:
        keep(DECISION_NAMES[outcome.kind] + ".")
        offer_undo(outcome, contact_id)


def _typed(name: str, review_id: str) -> Any:
    return st.session_state.get(f"decide.{name}.{review_id}")


def _approve_form(_desk: Desk, view: ReviewView) -> None:
    count = len(view.check["findings"])
    with st.form(f"decide.form.approve.{view.summary.id}", border=False):
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


def _edit_form(_desk: Desk, view: ReviewView) -> None:
    with st.form(f"decide.form.edit.{view.summary.id}", border=False):
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


def _reject_reply(reason: RejectReason, review_id: str) -> Reply:
    typed = (_typed("reject.comment", review_id) or "").strip()
    return {"kind": "reject", "reason": reason, "comment": typed or _REJECT_WORDS[reason][1]}


def _reject_form(_desk: Desk, view: ReviewView) -> None:
    say("What is wrong with it? The draft is written again.", "pd-label")
    with st.container(key="decide-reasons", horizontal=True):
        for number, reason in enumerate(REJECT_REASONS, start=1):
            st.button(
                _REJECT_WORDS[reason][0],
                key=f"decide.reject.{reason}",
                shortcut=str(number),
                on_click=_ask,
                args=(view, partial(_reject_reply, reason)),
            )
    st.text_input(
        "What should the next draft do differently? (if you like)",
        key=f"decide.reject.comment.{view.summary.id}",
    )


def _escalate_reply(review_id: str) -> Reply:
    return {
        "kind": "escalate",
        "tier": _typed("escalate.tier", review_id),
        "comment": _typed("escalate.comment", review_id),
    }


def _escalate_at_once(why: str, _review_id: str) -> Reply:
    return {"kind": "escalate", "tier": "escalate_first", "comment": why}


def _escalate_form(_desk: Desk, view: ReviewView) -> None:
    say("Why does a person carry it on?", "pd-label")
    with st.container(key="decide-whys"):
        for number, why in enumerate(_ESCALATE_WORDS, start=1):
            st.button(
                why,
                key=f"decide.escalate.{number}",
                shortcut=str(number),
                on_click=_ask,
                args=(view, partial(_escalate_at_once, why)),
            )
    with st.form(f"decide.form.escalate.{view.summary.id}", border=False):
        st.text_input(
            "Or in your own words: what must the person who takes it know?",
            key=f"decide.escalate.comment.{view.summary.id}",
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.radio(
                "To which tier?",
                ESCALATION_TIERS,
                index=len(ESCALATION_TIERS) - 1,
                format_func=namer(TIER_NAMES),
                horizontal=True,
                key=f"decide.escalate.tier.{view.summary.id}",
            )
            st.form_submit_button(
                "Escalate",
                key="decide.escalate.send",
                type="primary",
                on_click=_ask,
                args=(view, _escalate_reply),
            )


def _answer_reply(missing: Sequence[str], review_id: str) -> Reply:
    typed = {field: _typed(f"answer.{field}", review_id) or "" for field in missing}
    filled = {field: value for field, value in typed.items() if value.strip()}
    return {"kind": "answer", "fields": filled, "text": ""}


def _answer_form(desk: Desk, view: ReviewView) -> None:
    missing = view.triage["missing"]
    names = {f.id: f.name for f in desk.reasons.required_fields(missing, view.triage["owner"])}
    with st.form(f"decide.form.answer.{view.summary.id}", border=False):
        say("Fill in what you know; the answer is then drafted without asking the customer.")
        for field in missing:
            st.text_input(
                label_text(names.get(field, plainly(field))),
                key=f"decide.answer.{field}.{view.summary.id}",
            )
        st.form_submit_button(
            "Draft the answer",
            key="decide.answer.send",
            type="primary",
            on_click=_ask,
            args=(view, partial(_answer_reply, missing)),
        )


_FORMS: Final[dict[DecisionKind, Callable[[Desk, ReviewView], None]]] = {
    "approve": _approve_form,
    "edit": _edit_form,
    "reject": _reject_form,
    "escalate": _escalate_form,
    "answer": _answer_form,
}
