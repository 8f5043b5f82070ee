"""What a person is handed with a contact: the brief, and the question for what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.vocabulary import Tier
from graph.draft import cite_whole
from graph.reasons import ReasonMap
from graph.values import (
    Brief,
    Classification,
    Conversation,
    Draft,
    PreviousAnswer,
    Triage,
    TriggerFiring,
)
from retrieval.ports import Hit

_SOURCES = 5
_ANSWERS = 3
_LONGEST = 400  # characters of a question or an earlier answer: a brief is one screen

_STEPS: dict[str, str] = {
    "crisis": "Contact the person now, before anything else, and follow the crisis instruction.",
    "safety": "Tell the customer to stop using it and follow the safety instruction; then answer.",
    "account_compromise": "Secure the account first, then verify who is writing, then answer.",
    "fraud": "Stop the payment or order if it can be stopped and pass it to the fraud team.",
    "legal_threat": "Do not answer the substance; pass it to whoever handles legal matters.",
    "regulated_data": "Pass it to the data protection contact; copy no identifiers anywhere.",
    "public_relations": "Do not comment; pass it to whoever speaks for the company.",
    "executive_complaint": "Pass it to the executive complaints owner and confirm receipt.",
    "vulnerable_customer": "Answer in person, with time and without pressure; offer what helps.",
    "disputed_refund": "Check the payment record and the dispute before saying who owes what.",
}


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return ``text`` in one line, cut at a word when it is longer than ``longest`` characters."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    return line[: longest - 1].rsplit(" ", 1)[0] + "…"


def previous_answers(conversation: Conversation) -> list[PreviousAnswer]:
    """Return the last answers this customer was given on this contact, oldest first."""
    given: list[PreviousAnswer] = [
        {"at": turn["at"], "speaker": turn["speaker"], "text": shortened(turn["text"])}
        for turn in conversation["turns"]
        if turn["speaker"] != "customer"
    ]
    return given[-_ANSWERS:]


def next_step(
    tier: Tier,
    triggers: Sequence[TriggerFiring],
    owner: str | None,
    missing: Sequence[str],
    descriptions: Mapping[str, str],
) -> str:
    """Return one recommendation for the person who takes over.

    Args:
        missing: Names of what is still to be asked.
        descriptions: Trigger id → what it stands for, in a plain sentence.
    """
    severe = [firing["id"] for firing in triggers if firing["tier"] == tier]
    first = next((_STEPS[step] for step in _STEPS if step in severe), None)
    if first is None and severe and tier != "allowed":
        what = descriptions.get(severe[0], severe[0].replace("_", " ")).rstrip(".")
        first = f"Decide in person: {what[:1].lower()}{what[1:]}."
    parts = [first or "Answer from the sources below."]
    if missing:
        parts.append(f"Ask for: {', '.join(missing)}.")
    if owner:
        parts.append(f"Owner: {owner}.")
    elif tier != "allowed":
        parts.append("Nobody owns this contact reason yet: assign it.")
    return " ".join(parts)


def brief(
    conversation: Conversation,
    classification: Classification,
    triage: Triage,
    hits: Sequence[Hit],
    reasons: ReasonMap,
    instructions: Mapping[str, str],
    descriptions: Mapping[str, str],
) -> Brief:
    """Return the handoff brief of a contact; it fits one screen.

    Args:
        instructions: Trigger id → the workspace's own words for it.
        descriptions: Trigger id → what it stands for, in a plain sentence.
    """
    reason = reasons.get(classification["reason"])
    names = [field.name for field in reasons.required_fields(triage["missing"], triage["owner"])]
    said = [
        instructions[firing["id"]].strip()
        for firing in triage["triggers"]
        if instructions.get(firing["id"], "").strip()
    ]
    brief: Brief = {
        "question": shortened(classification["question"]),
        "intent": reason.name if reason else "No known contact reason",
        "tier": triage["tier"],
        "triggers": triage["triggers"],
        "sources": [cite_whole(hit.passage) for hit in hits[:_SOURCES]],
        "missing": triage["missing"],
        "sentiment": classification["sentiment"],
        "previous_answers": previous_answers(conversation),
        "next_step": next_step(
            triage["tier"], triage["triggers"], triage["owner"], names, descriptions
        ),
        "instruction": "\n".join(dict.fromkeys(said)),
        "language": classification["language"],
    }
    if "intent" in classification:
        brief["aim"] = classification["intent"]
    if "urgency" in classification:
        brief["urgency"] = classification["urgency"]
    return brief


def clarifying_draft(conversation: Conversation, asks: Sequence[str]) -> Draft:
    """Return a draft that asks the customer for what is missing; it cites nothing.

    Args:
        asks: One question for each missing field.
    """
    name = conversation["customer"]["name"].strip()
    greeting = f"Hello {name}," if name else "Hello,"
    return {
        "kind": "clarify",
        "opening": f"{greeting}\n\nThank you for getting in touch.",
        "sentences": [{"text": text, "citations": []} for text in asks],
        "closing": "Thank you.",
        "drafter": "extractive",
        "note": f"asks for {len(asks)} missing field{'s' if len(asks) != 1 else ''}",
    }
