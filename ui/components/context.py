"""What the desk knows of a contact beside its words: why it has its tier, what is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import streamlit as st

from desk.assistant import FieldLine
from desk.usable_macros import MacroLine
from graph.values import Brief, Classification, TriggerFiring
from ui.components.assistant import act
from ui.components.conversation import by
from ui.components.impression import impression_line, layer
from ui.components.labels import plainly, trigger_badge
from ui.components.text import NOTHING, Markup, join, label_text, say, show, tag, words

# What each trigger says, in a sentence; a team's own triggers are said by their name.
SENTENCES: Final = {
    "legal_threat": "The customer speaks of legal steps.",
    "safety": "Somebody may be in danger.",
    "regulated_data": "Health, payment or other regulated data are involved.",
    "fraud": "Fraud is alleged or likely.",
    "executive_complaint": "The complaint goes to the top of the company.",
    "public_relations": "The press or the public may become involved.",
    "account_compromise": "Somebody else may be in the account.",
    "crisis": "The customer may be in a crisis.",
    "vulnerable_customer": "The customer may be vulnerable.",
    "disputed_refund": "A refund or charge is disputed.",
    "refund": "It is about money back.",
    "credit": "It is about a credit or compensation.",
    "account_closure": "An account is to be closed.",
    "sla_breach": "The answer is late by your own target.",
    "vip": "The customer is a VIP.",
    "complaint": "The customer complains.",
    "sensitive_personal_data": "The message holds sensitive personal data.",
    "negative_sentiment": "The customer is unhappy.",
    "account_access": "It is about access to an account.",
    "human_requested": "The customer asks for a person.",
    "repeat_contact": "The customer has written about this before.",
    "low_confidence": "The desk is not sure what this is about.",
    "source_missing": "No source in force answers it.",
    "policy_exception": "The customer asks for an exception.",
    "unclear_owner": "Nobody owns this kind of contact.",
    "final_policy_exception": "The draft grants an exception for good.",
    "irreversible_account_change": "The draft changes an account for good.",
    "unsupported_promise": "The draft promises what no source does.",
    "emotional_response": "The draft answers with emotion.",
}
_BEFORE_COMMA: Final = re.compile(r" ([,.!?])")
_KINDS: Final = {
    "review_required": "Your team reviews contacts of this kind.",
    "escalate_first": "Your team escalates contacts of this kind.",
    "forbidden": "Your team lets nobody answer contacts of this kind by draft.",
}


def why_this_tier(
    triggers: Sequence[TriggerFiring], found: Classification | Brief | None = None
) -> None:
    """Show in sentences why the contact has its tier, each with the words it rests on.

    Args:
        triggers: What fired.
        found: What triage noticed beside the reason, where it is at hand.
    """
    noticed = impression_line(found)
    if not triggers:
        show(noticed)
        return
    rows: list[Markup] = []
    quoted: set[str] = set()
    for trigger in _each_once(triggers):
        again = trigger["evidence"] in quoted
        quoted.add(trigger["evidence"])
        rows.append(
            tag(
                "li",
                "",
                trigger_badge(trigger["id"], trigger["tier"]),
                tag("span", "", words(_sentence(trigger)), title=by(trigger)),
                NOTHING if again else _quoted(trigger),
                _layer(trigger),
            )
        )
    show(tag("h4", "", words("Why this tier")), tag("ul", "pd-triggers", join(rows)), noticed)


def _layer(trigger: TriggerFiring) -> Markup:
    """Return what fired the trigger; nothing where its badge says so already."""
    said = "" if trigger["id"].startswith("reason:") else layer(trigger["by"])
    return tag("span", "pd-layer", words(said)) if said else NOTHING


def _each_once(triggers: Sequence[TriggerFiring]) -> list[TriggerFiring]:
    seen: dict[str, TriggerFiring] = {}
    for trigger in triggers:
        known = seen.get(trigger["id"])
        if known is None or ("start" in trigger and "start" not in known):
            seen[trigger["id"]] = trigger
    return list(seen.values())


def _sentence(trigger: TriggerFiring) -> str:
    kind, _, reason = trigger["id"].partition(":")
    if kind == "reason" and reason:
        return _KINDS.get(trigger["tier"], "Your team looks at contacts of this kind.")
    return SENTENCES.get(trigger["id"], f"{plainly(trigger['id'])}.")


def _quoted(trigger: TriggerFiring) -> Markup:
    if "start" in trigger:
        return tag("span", "pd-faint", words(f"“{trigger['evidence']}”"))
    name, _, value = trigger["evidence"].partition("=")
    if trigger["id"].startswith("reason:") or not value:
        return NOTHING
    return tag("span", "pd-faint", words(f"{plainly(name.rpartition('.')[2])}: {value}"))


def checklist(fields: Sequence[FieldLine], *, may_ask: bool) -> None:
    """Show what the contact's reason requires, found or missing; what is missing can be asked for."""
    if not fields:
        return
    show(tag("h4", "", words("What must be known")))
    with st.container(key="context-fields", gap=None):
        for field in fields:
            with st.container(
                horizontal=True,
                vertical_alignment="center",
                gap="small",
                key=f"context-field-{field.id}",
            ):
                sign, css = ("✓", "pd-found-field") if field.found else ("○", "pd-missing-field")
                state = "found" if field.found else "missing"
                show(
                    tag(
                        "div",
                        f"pd-field {css}",
                        words(f"{sign} {field.name} "),
                        tag("span", "pd-faint", words(state)),
                    )
                )
                if not field.found and may_ask:
                    st.button(
                        "Ask for it",
                        key=f"context.ask.{field.id}",
                        type="tertiary",
                        on_click=act,
                        args=("field", field.id),
                    )


def macro_list(macros: Sequence[MacroLine], turns: int) -> None:
    """Show the macros that may be used now; one press puts one into the draft.

    Args:
        macros: The macros.
        turns: How much was said to the assistant: with what one has brought, the list closes.
    """
    with st.popover("Macros", icon=":material/text_snippet:", key=f"context.macros.{turns}"):
        if not macros:
            say("No macro is in force and borne out by the articles.", "pd-faint")
            return
        for macro in macros:
            st.button(
                label_text(macro.title),
                key=f"context.macro.{macro.id}",
                help=None,
                on_click=act,
                args=("macro", macro.id),
                width="stretch",
            )
            say(_first_words(macro.text), "pd-faint pd-macro")


def _first_words(text: str, most: int = 110) -> str:
    plain = _BEFORE_COMMA.sub(r"\1", " ".join(text.split()))  # where a name will stand
    return plain if len(plain) <= most else plain[: most - 1].rsplit(" ", 1)[0] + " …"
