"""What a run passes from node to node: plain JSON, as it stands in a checkpoint.

Only ``TypedDict``, ``Literal``, strings, numbers, booleans, lists: LangGraph warns about richer
types in a checkpoint and will refuse them.
"""

from __future__ import annotations

from typing import Literal, NotRequired

# pydantic validates these, and on Python 3.11 cannot read typing's own TypedDict.
from typing_extensions import TypedDict

from core.vocabulary import Autonomy, Channel, DecisionKind, RejectReason, Speaker, Tier


class Turn(TypedDict):
    """One message of a contact. ``at`` is ISO 8601 in UTC."""

    id: str
    speaker: Speaker
    text: str
    at: str


class Customer(TypedDict):
    """What the desk knows of the customer. ``fields`` holds order numbers, plans and the like."""

    status: Literal["standard", "vip"]
    sla_due_in_minutes: int | None
    name: str
    fields: dict[str, str]


class Conversation(TypedDict):
    """A contact as the run sees it."""

    contact_id: str
    channel: Channel
    subject: str
    customer: Customer
    turns: list[Turn]


def one_message(text: str, channel: Channel = "email", at: str = "") -> Conversation:
    """Return what a customer of whom nothing is known says in a single message."""
    return {
        "contact_id": "",
        "channel": channel,
        "subject": "",
        "customer": {"status": "standard", "sla_due_in_minutes": None, "name": "", "fields": {}},
        "turns": [{"id": "m1", "speaker": "customer", "text": text, "at": at}],
    }


class ReasonGuess(TypedDict):
    """One candidate contact reason. ``confidence`` is a calibrated probability, 0..1."""

    reason: str
    confidence: float
    evidence: list[str]


class TriggerFiring(TypedDict):
    """A rule that fired. ``evidence`` are the words (or ``field=value``) that made it fire.

    ``start``/``end`` locate the words in the text of turn ``turn``; absent for fields.
    ``by`` names the rule and its version, such as ``tiers.yaml:legal_threat/phrases@3f2a``.
    """

    id: str
    tier: Tier
    evidence: str
    by: str
    turn: NotRequired[str]
    start: NotRequired[int]
    end: NotRequired[int]


Intent = Literal["question", "request", "problem", "complaint", "thanks", "other"]
Urgency = Literal["low", "normal", "high"]


class Classification(TypedDict):
    """The outcome of classify. ``reason`` is None for none of the map's reasons."""

    reason: str | None
    confidence: float
    alternatives: list[ReasonGuess]
    sentiment: float  # -1..1
    language: str  # ISO 639-1
    question: str  # what the customer asks, in their words
    intent: NotRequired[Intent]
    urgency: NotRequired[Urgency]
    by: NotRequired[str]  # who decided, where it was not the examples alone


class Triage(TypedDict):
    """The outcome of triage."""

    tier: Tier
    triggers: list[TriggerFiring]
    missing: list[str]  # ids of required fields that neither message nor customer data hold
    route: Literal["handoff", "clarify", "retrieve"]
    owner: str | None  # team that owns the reason


class Citation(TypedDict):
    """A sentence's source. ``quote`` is the exact words: ``body[start:end]`` of that version."""

    passage_id: str
    article_id: str
    version_id: str
    version: int
    title: str
    anchor: str
    heading: list[str]
    start: int
    end: int
    quote: str
    content_hash: str  # of the passage, as kb.content.Passage.content_hash
    url: str | None


class Sentence(TypedDict):
    """One sentence of a draft. A courtesy (greeting, thanks) states nothing and cites nothing.

    ``written_by`` is the model whose words a person left as they were; else the draft's drafter.
    """

    text: str
    citations: list[Citation]
    written_by: NotRequired[str]


class Draft(TypedDict):
    """A draft. ``sentences`` is empty when the drafter abstained; ``note`` then says why."""

    kind: Literal["answer", "clarify", "abstain"]
    opening: str
    sentences: list[Sentence]
    closing: str
    drafter: str  # "extractive", "model:<name>", "person:<id>"
    note: str


FindingRule = Literal[
    "no_citation",
    "unknown_source",
    "out_of_force",
    "number",
    "amount",
    "date",
    "duration",
    "percentage",
    "negation",
    "permission",
    "name",
    "unsupported",
    "conflict",
    "link",
    "unsupported_promise",
    "final_policy_exception",
    "irreversible_account_change",
    "emotional_response",
]


class Finding(TypedDict):
    """What the check holds against one sentence.

    ``sentence`` is the index in ``draft["sentences"]``. ``words`` are the words of the sentence,
    ``source_words`` the ones of the cited passage that they disagree with ("" when it has none).
    """

    sentence: int
    rule: FindingRule
    message: str
    words: str
    source_words: str
    passage_id: str | None


class CheckReport(TypedDict):
    """The outcome of a check; ``passed`` when there is no finding."""

    passed: bool
    findings: list[Finding]
    triggers: list[TriggerFiring]  # forbidden ones; they block Approve itself


class ChangedFact(TypedDict):
    """One fact that two passages state differently. ``old`` or ``new`` is empty: not stated."""

    kind: str
    old: str
    new: str


class Dispute(TypedDict):
    """Another source in force that contradicts a cited passage."""

    id: str  # of the source flag
    passage_id: str  # the cited passage
    title: str  # of the other source
    text: str  # the other passage
    facts: list[ChangedFact]  # ``old`` as the cited passage says it, ``new`` as the other one does


class CitedVersion(TypedDict):
    """A version an approval is bound to."""

    article_id: str
    version_id: str
    passage_ids: list[str]
    content_hashes: list[str]


class Evidence(TypedDict):
    """What an approval is bound to."""

    draft_digest: str
    versions: list[CitedVersion]
    last_message_id: str
    disputes: NotRequired[list[str]]  # ids of the contradictions that the reviewer was shown


class EvidenceChange(TypedDict):
    """One thing that changed between the review and its approval."""

    what: Literal["source", "conflict", "message", "draft"]
    sentence: str  # one plain sentence for the reviewer
    article_id: NotRequired[str]
    passage_id: NotRequired[str]  # the cited passage
    old: NotRequired[str]
    new: NotRequired[str]
    facts: NotRequired[list[ChangedFact]]


class Clearance(TypedDict):
    """What the desk says, at this moment, of answering a contact without a person."""

    state: Autonomy  # of its contact reason
    round: int  # of the reason's evidence; another one is another signature
    on: bool  # the switch that stops autopilot for everything
    e_value: float  # as it was signed
    least_confidence: float
    flagged: list[str]  # titles of the cited sources that somebody must look at
    barred: str  # why this contact is never answered without a person; "" when nothing bars it


class Obstacle(TypedDict):
    """One condition of autopilot that does not hold."""

    id: str
    sentence: str


class AutopilotVerdict(TypedDict):
    """Whether a draft leaves without a person.

    ``earns`` says that it would, were its reason on autopilot and the switch on: what becomes of
    such drafts is what a reason earns its autonomy by. ``draft_digest`` names the draft.
    """

    leaves: bool
    earns: bool
    why_not: list[Obstacle]
    draft_digest: str


class AutopilotGround(TypedDict):
    """What an approval by autopilot rests on."""

    thread: str
    reason: str
    round: int
    tier: Tier
    confidence: float
    e_value: float
    evidence: Evidence


class Decision(TypedDict):
    """A person's decision on a review, as it enters the graph; or autopilot's."""

    id: str
    kind: DecisionKind
    by: str
    at: str
    draft: NotRequired[Draft]  # edit, where the reviewer's tool keeps citations
    hold: NotRequired[bool]  # edit: it takes the draft's place and waits for a decision
    reason: NotRequired[RejectReason]  # reject
    comment: NotRequired[str]  # reject, escalate; approve in spite of findings
    fields: NotRequired[dict[str, str]]  # answer
    tier: NotRequired[Tier]  # escalate
    text: NotRequired[str]  # edit, as the reviewer wrote it
    ground: NotRequired[AutopilotGround]  # approve, where no person decided


class PreviousAnswer(TypedDict):
    """An answer this customer was given before on this contact."""

    at: str
    speaker: Speaker
    text: str


class Brief(TypedDict):
    """The handoff to a person."""

    question: str
    intent: str
    tier: Tier
    triggers: list[TriggerFiring]
    sources: list[Citation]
    missing: list[str]
    sentiment: float
    previous_answers: list[PreviousAnswer]
    next_step: str
    instruction: str  # the workspace's own words for crisis and safety, "" otherwise
    comment: NotRequired[str]  # why a reviewer escalated
    aim: NotRequired[Intent]  # what the customer is after
    urgency: NotRequired[Urgency]
    language: NotRequired[str]  # ISO 639-1
