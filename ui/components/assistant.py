"""The chat with the assistant about a contact: what was said, what is typed, quick requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from desk.assistant_turns import Turn
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.reviews import DecisionOutcome
from ui.components.cited_draft import draft_markup
from ui.components.notice import keep
from ui.components.once import ask, carry_out, told
from ui.components.seeded import tell_of_seeded
from ui.components.text import NOTHING, Markup, show, tag, words
from ui.components.undo import offer_undo

INPUT: Final = "assistant.input"
EDITING: Final = "answer.editing"
"""Where the page remembers whose draft is being written by hand."""
_ASKED: Final = "assistant.asked"
_ACT: Final = "assistant.act"
ANSWER_PLACES: Final = "look"
_QUICK: Final = (
    ("Shorter", "shorter", "H"),
    ("More detail", "more detail", "D"),
    ("Warmer", "friendlier", "W"),
    ("Start over", "start over", "O"),
)
_STANDING: Final = {
    "proposed": "Proposed",
    "used": "Used",
    "discarded": "Taken back",
    "answer": "For you, not in the draft",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was typed and is carried out while the page is drawn."""

    contact_id: str
    text: str


def asked_about(contact_id: str) -> str | None:
    """Take the request that was just typed about this contact; None when none was."""
    asked: Asked | None = st.session_state.pop(_ASKED, None)
    return asked.text if asked and asked.contact_id == contact_id else None


def chat(
    turns: Sequence[Turn], names: dict[str, str], open_proposal: Turn | None, *, empty_hint: str
) -> None:
    """Show what was said; the newest answer's citations lead to the sources beside it.

    Args:
        turns: The oldest first.
        names: Id → name of people.
        open_proposal: The proposal that stands on the right, if one does.
        empty_hint: What to say where nothing was said yet.
    """
    if not turns:
        show(tag("div", "pd-chat-hint", words(empty_hint)))
        return
    newest = next((turn for turn in reversed(turns) if turn.status == "answer"), None)
    for turn in turns:
        if turn.by is not None:
            show(said_by_person(turn.text, names.get(turn.by, "Somebody")))
            continue
        _said_by_assistant(
            turn,
            is_open=open_proposal is not None and turn.id == open_proposal.id,
            links=turn == newest,
        )


def said_by_person(text: str, name: str) -> Markup:
    """Return what an agent typed."""
    return tag(
        "div",
        "pd-said pd-said-person",
        tag("div", "pd-said-name", words(name)),
        tag("div", "pd-words", words(text)),
    )


def _said_by_assistant(turn: Turn, *, is_open: bool, links: bool) -> None:
    standing = _STANDING.get(turn.status, "")
    if is_open:
        standing = "Proposed: see the draft"
    elif turn.status == "proposed":
        standing = "Proposed earlier"
    answer = NOTHING
    if turn.status in ("answer", "used") and turn.draft and turn.kind == "lookup":
        answer = draft_markup(turn.draft, turn.report, ANSWER_PLACES if links else f"old-{turn.id}")
    findings = len(turn.report["findings"]) if turn.report else 0
    objections = (
        tag("span", "pd-chip pd-chip-warning", words(f"The check objects: {findings}"))
        if findings and turn.kind != "lookup"
        else NOTHING
    )
    show(
        tag(
            "div",
            "pd-said pd-said-desk",
            tag(
                "div",
                "pd-said-name",
                words("Assistant"),
                tag("span", "pd-faint", words(f" · {standing}")) if standing else NOTHING,
            ),
            tag("div", "pd-words", words(turn.text)) if turn.text else NOTHING,
            answer,
            objections,
        )
    )
    if links and turn.status == "answer" and turn.draft:
        st.button(
            "Use it in the draft",
            key=f"assistant.use.{turn.id}",
            icon=":material/subdirectory_arrow_right:",
            type="tertiary",
            on_click=act,
            args=("use", turn.id),
        )


def chat_input(contact_id: str, *, drafts: bool) -> None:
    """Show where the agent types, and the requests that need no typing."""
    if drafts:
        with st.container(key="assistant-quick", horizontal=True, gap="small"):
            for label, text, shortcut in _QUICK:
                st.button(
                    label,
                    key=f"assistant.quick.{shortcut}",
                    shortcut=shortcut,
                    on_click=request,
                    args=(contact_id, text),
                )
    st.chat_input(
        "Ask for a change, or what a policy says" if drafts else "Ask what a policy says",
        key=INPUT,
        max_chars=2_000,
        on_submit=_typed,
        args=(contact_id,),
    )


def _typed(contact_id: str) -> None:
    text: Any = st.session_state.get(INPUT)
    if text:
        request(contact_id, str(text))


def request(contact_id: str, text: str) -> None:
    """Have a request carried out on the next run, as if it had been typed."""
    st.session_state[_ASKED] = Asked(contact_id, text)


def act(what: str, argument: str) -> None:
    """Remember what was pressed, to be carried out before the page is read."""
    ask(_ACT, (what, argument))


def carry_out_act(desk: Desk, actor: Actor, contact_id: str) -> None:
    """Carry out what was pressed; keep a notice of what became of it."""

    def acted(asked: tuple[str, str]) -> tuple[str, _Came]:
        return contact_id, _carry_out(desk, actor, contact_id, *asked)

    done = carry_out(_ACT, lambda asked: _WHILE.get(asked[0], "One moment …"), acted)
    if done is None:
        return
    if done.refused:
        keep("That was not done", "refused", done.refused.message)
    elif done.came:
        _tell(done.what[0], *done.came)
    told(_ACT)


_Came = Turn | DecisionOutcome | None
_WHILE: Final = {
    "forward": "The draft is checked and put before the reviewers …",
    "approve": "The desk looks at the sources once more …",
    "edit": "Each sentence is tied to its source …",
}


def _carry_out(desk: Desk, actor: Actor, contact_id: str, what: str, argument: str) -> _Came:
    assistant = desk.assistant
    match what:
        case "use":
            return assistant.use(actor, contact_id, argument)
        case "discard":
            assistant.discard(actor, contact_id, argument)
        case "macro":
            return assistant.insert_macro(actor, contact_id, argument)
        case "field":
            return assistant.ask_for(actor, contact_id, argument)
        case "edit":
            return assistant.edit(actor, contact_id, argument)
        case "forward":
            return assistant.put_forward(actor, contact_id, argument)
        case "approve":
            return assistant.approve(actor, contact_id, argument)
        case "retry":
            desk.contacts.retry(actor, contact_id)
            desk.contacts.wait_for_draft(contact_id)
    return None


def _tell(what: str, contact_id: str, came: _Came) -> None:
    if what == "edit":
        st.session_state[EDITING] = None  # not before: what was refused stays to be mended
    if what == "retry":
        keep("Tried again.")
    elif isinstance(came, Turn):
        if came.status == "said":
            keep(came.text, "plain")
    elif came is None:
        return
    elif came.seeded:
        tell_of_seeded(came.seeded)
    elif what == "forward":
        keep("It waits in the review queue now.")
    elif came.stopped:
        why = " ".join(dict.fromkeys(change["sentence"] for change in came.changes))
        keep("It was not sent", "warning", why or "The check objects to it: see the draft.")
    else:
        keep("Approved.")
        offer_undo(came, contact_id)
