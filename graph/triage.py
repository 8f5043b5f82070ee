"""Decides tier, triggers, missing fields and route of a contact, before anything is drafted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from core.vocabulary import Tier, most_severe
from graph import brief as briefs
from graph.customer_text import Said, customer_turns, own_words, plain, sentence_spans, units
from graph.meaning import ExampleRules, ExampleVectors, Judged
from graph.reasons import ReasonMap
from graph.tiers import FieldValue, Rule, TierRules
from graph.values import Brief, Classification, Conversation, Draft, Triage, TriggerFiring, Turn
from retrieval.ports import Embedder, Hit, Vectors

Route = Literal["handoff", "clarify", "retrieve"]

_SETTLED = re.compile(
    r"\b(?:thank(?:s| you)|thx|cheers|ta|perfect|brilliant|wonderful|lovely|great|awesome|fab"
    r"|(?:that|it|this)(?:'s|’s|s| has| is)?(?: all)? (?:worked|did it|did the trick|fixed|helped"
    r"|sorted|solved|resolved)|(?:all|now) (?:good|sorted|set|fine|settled|solved)|works? now"
    r"|working now|(?:is|has been) (?:sorted|settled|solved|resolved|fixed)|(?:has|have) arrived"
    r"|(?:arrived|came) (?:today|this morning|safely)|no longer an issue|problem solved)\b",
    re.IGNORECASE,
)
_NOT_SETTLED = re.compile(
    r"\b(?:but|still|however|again|not|nothing|no thanks|never|except|yet|unless|although|though"
    r"|useless|unacceptable|otherwise|in advance|thank you for (?:your )?(?:reply|message|email)"
    r"|thanks for (?:your |the )?(?:reply|message|email|getting back))\b|n['’]t\b",
    re.IGNORECASE,
)
_NO_ANSWER = re.compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening)|welcome|i can help|i'd be happy"
    r"|happy to help|of course|sure|certainly|let me|(?:one|just a) moment|please hold (?:on|the line)"
    r"|i(?:'m| am) (?:the|your|a) (?:virtual|digital)|thanks for|thank you for|i see\b|i understand)",
    re.IGNORECASE,
)
_SAME_ISSUE = 0.6  # cosine from which two messages of one customer say the same


@dataclass(frozen=True, slots=True)
class _Scene:
    """Which turns of a conversation are judged, and how.

    ``open_from`` is the position from which on nothing is settled yet; ``answered`` holds the
    positions of customer turns that come after an answer of the assistant to an earlier one.
    """

    turns: list[tuple[int, Turn]]
    open_from: int
    answered: frozenset[int]


def settled_before(conversation: Conversation) -> int:
    """Return the position of the last customer turn that takes a matter as settled, else 0.

    What the customer said before it counts no more; it needs an answer in between.
    """
    settled = 0
    replied = False
    for index, turn in enumerate(conversation["turns"]):
        if turn["speaker"] != "customer":
            replied = True
            continue
        text = own_words(turn["text"])
        sentences = [text[start:end] for start, end in sentence_spans(text)]
        hits = [at for at, one in enumerate(sentences) if _SETTLED.search(one)]
        if replied and any(
            not _NOT_SETTLED.search(" ".join(sentences[at : at + 2])) for at in hits
        ):
            settled = index
    return settled


def answers_something(text: str) -> bool:
    """Whether an assistant's message says something beyond greeting, stalling and asking back."""
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    return any(
        not one.endswith("?") and not _NO_ANSWER.match(one) and len(one.split()) > 3
        for one in sentences
    )


def after_answer(conversation: Conversation) -> frozenset[int]:
    """Return positions of customer turns after the assistant answered an earlier one."""
    asked = answered = False
    found = set()
    for index, turn in enumerate(conversation["turns"]):
        if turn["speaker"] == "customer":
            if answered:
                found.add(index)
            asked = True
        elif turn["speaker"] == "assistant" and asked and answers_something(turn["text"]):
            answered = True
    return frozenset(found)


def fields_of(
    conversation: Conversation, classification: Classification, reasons: ReasonMap
) -> dict[str, FieldValue]:
    """Return the fields that rules may compare, by path."""
    customer = conversation["customer"]
    reason = reasons.get(classification["reason"])
    return {
        "channel": conversation["channel"],
        "customer.status": customer["status"],
        "customer.sla_due_in_minutes": customer["sla_due_in_minutes"],
        "classification.confidence": classification["confidence"],
        "classification.sentiment": classification["sentiment"],
        "classification.language": classification["language"],
        "classification.reason": classification["reason"],
        "reason.owner": reason.owner if reason else None,
        "reason.tier": reason.tier if reason else None,
        **{f"customer.fields.{key}": value for key, value in customer["fields"].items()},
    }


def route_for(tier: Tier, missing: Sequence[str]) -> Route:
    """Return where a contact goes: to a person, back to the customer, or to the sources."""
    if tier in ("escalate_first", "forbidden"):
        return "handoff"
    return "clarify" if missing else "retrieve"


def by_fields(rule: Rule, fields: dict[str, FieldValue]) -> TriggerFiring | None:
    """Return the firing of a rule's field conditions; one that cannot be compared fires."""
    for condition in rule.conditions:
        try:
            if not condition.holds(fields):
                continue
            evidence = f"{condition.path}={_shown(fields.get(condition.path))}"
        except (ValueError, TypeError):
            evidence = f"could not be evaluated: {condition.text}"
        return {"id": rule.id, "tier": rule.tier, "evidence": evidence, "by": rule.name("fields")}
    return None


def _shown(value: FieldValue) -> str:
    return "none" if value is None else str(value)


def _applies(rule: Rule, index: int, scene: _Scene) -> bool:
    if rule.settles and index < scene.open_from:
        return False
    return rule.said == "anywhere" or index in scene.answered


def _firing(rule: Rule, part: str, said: Said) -> TriggerFiring:
    return {
        "id": rule.id,
        "tier": rule.tier,
        "evidence": said.text,
        "by": rule.name(part),
        "turn": said.turn,
        "start": said.start,
        "end": said.end,
    }


def by_words(rule: Rule, scene: _Scene) -> TriggerFiring | None:
    """Return the firing of a rule's phrases and patterns, at their last occurrence."""
    for index, turn in reversed(scene.turns):
        if not _applies(rule, index, scene):
            continue
        for start, end in rule.word_hits(own_words(turn["text"])):
            said = Said(turn["id"], index, start, end, turn["text"][start:end])
            return _firing(rule, "words", said)
    return None


def by_meaning(
    rule: Rule, column: int, said: Sequence[Said], judged: Judged, scene: _Scene
) -> TriggerFiring | None:
    """Return the firing of a rule's examples, at the narrowest stretch that is sure enough."""
    for at, one in enumerate(said):
        if judged.probability[at, column] < rule.sure_enough or not _applies(
            rule, one.index, scene
        ):
            continue
        return _firing(rule, f"examples[{int(judged.nearest[at, column])}]", one)
    return None


def everyday_examples(reasons: ReasonMap) -> list[str]:
    """Return what this team hears every day: examples of reasons that need no escalation.

    They keep "can I return it?" from sounding like a disputed refund. They quieten only rules that
    escalate: a reason's own tier sees to it that what needs a review is reviewed.
    """
    return [
        text for reason in reasons if reason.tier != "escalate_first" for text in reason.examples
    ]


class TriageService:
    """Applies tier rules and reason map to contacts; implements ``graph.ports.TriageRules``.

    Args:
        rules: The tier rules of the workspace.
        reasons: Its contact reason map; may be empty.
        embedder: Turns texts into unit vectors.
        cache: Folder that keeps the examples' vectors between processes.
    """

    def __init__(
        self,
        rules: TierRules,
        reasons: ReasonMap,
        embedder: Embedder,
        *,
        cache: Path | None = None,
    ) -> None:
        self._rules = rules
        self._reasons = reasons
        self._embedder = embedder
        self._meant = tuple(rule for rule in rules.rules if rule.examples)
        self._examples = ExampleRules(
            [rule.examples for rule in self._meant],
            [rule.harmless for rule in self._meant],
            rules.ordinary,
            [rule.tier for rule in self._meant],
            ExampleVectors(embedder, cache),
            {"escalate_first": everyday_examples(reasons)},
        )

    def triage(self, conversation: Conversation, classification: Classification) -> Triage:
        """Return tier, triggers, missing fields, route and owner.

        A rule that cannot be evaluated fires and says so in its evidence.
        """
        scene = _Scene(
            customer_turns(conversation), settled_before(conversation), after_answer(conversation)
        )
        fields = fields_of(conversation, classification, self._reasons)
        meant = self._by_meaning(scene)
        firings: list[TriggerFiring] = []
        for rule in self._rules.rules:
            found = by_words(rule, scene) or meant.get(rule.id) or by_fields(rule, fields)
            if found is not None:
                firings.append(found)
        reason = self._reasons.get(classification["reason"])
        if reason is not None and reason.tier != "allowed":
            firings.append(
                {
                    "id": f"reason:{reason.id}",
                    "tier": reason.tier,
                    "evidence": f"classification.reason={reason.id}",
                    "by": f"reasons.yaml:{reason.id}/tier",
                }
            )
        tier = most_severe([firing["tier"] for firing in firings])
        missing = self._reasons.missing(
            classification["reason"],
            [plain(turn["text"]) for _, turn in scene.turns],
            conversation["customer"]["fields"],
        )
        return {
            "tier": tier,
            "triggers": firings,
            "missing": missing,
            "route": route_for(tier, missing),
            "owner": reason.owner if reason else None,
        }

    def brief(
        self,
        conversation: Conversation,
        classification: Classification,
        triage: Triage,
        hits: Sequence[Hit],
    ) -> Brief:
        """Return the handoff brief."""
        return briefs.brief(
            conversation,
            classification,
            triage,
            hits,
            self._reasons,
            self._rules.instructions,
            {rule.id: rule.description for rule in self._rules.rules},
        )

    def clarifying_draft(self, conversation: Conversation, triage: Triage) -> Draft:
        """Return a draft that asks for every missing field, in the words of the reason map."""
        fields = self._reasons.required_fields(triage["missing"], triage["owner"])
        return briefs.clarifying_draft(conversation, [field.ask for field in fields])

    def _by_meaning(self, scene: _Scene) -> dict[str, TriggerFiring]:
        said = [one for index, turn in scene.turns for one in units(turn, index)]
        if not said:
            return {}
        turns = [
            Said(turn["id"], index, 0, len(turn["text"]), plain(turn["text"]))
            for index, turn in scene.turns
            if scene.answered and plain(turn["text"])
        ]
        texts = list(dict.fromkeys(one.text for one in (*said, *turns)))
        row = {text: at for at, text in enumerate(texts)}
        try:
            vectors = self._embedder.embed(texts)
            judged = self._examples.judge(vectors)
        # Whatever the model's runtime raises, the contact must reach a person; no interrupt()
        # can be inside.
        except Exception as error:
            return self._unevaluated(type(error).__name__)
        rows = [row[one.text] for one in said]
        judged = Judged(judged.probability[rows], judged.nearest[rows])
        found: dict[str, TriggerFiring] = {}
        for column, rule in enumerate(self._meant):
            firing = by_meaning(rule, column, said, judged, scene)
            if firing is not None:
                found[rule.id] = firing
        for rule in self._rules.rules:
            if rule.said == "after_answer" and rule.id not in found:
                firing = _repeated(rule, turns, vectors[[row[one.text] for one in turns]], scene)
                if firing is not None:
                    found[rule.id] = firing
        return found

    def _unevaluated(self, why: str) -> dict[str, TriggerFiring]:
        return {
            rule.id: {
                "id": rule.id,
                "tier": rule.tier,
                "evidence": f"could not be evaluated: the embedding model failed ({why})",
                "by": rule.name("examples"),
            }
            for rule in self._meant
        }


def _repeated(
    rule: Rule, whole: Sequence[Said], vectors: Vectors, scene: _Scene
) -> TriggerFiring | None:
    """Return a firing when a message after an answer says what an earlier one said."""
    cosines = vectors @ vectors.T
    for at, one in enumerate(whole):
        if at == 0 or not _applies(rule, one.index, scene):
            continue
        if float(np.max(cosines[at, :at])) >= _SAME_ISSUE:
            return _firing(rule, "same_issue", one)
    return None
