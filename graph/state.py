"""The state of one run, as LangGraph checkpoints it."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from graph.values import (
    AutopilotVerdict,
    Brief,
    CheckReport,
    Classification,
    Decision,
    Draft,
    Evidence,
    EvidenceChange,
    Triage,
)

Outcome = Literal["answered", "asked", "escalated"]


class RunInput(TypedDict):
    """What starts a run. ``draft`` is one that a person brings along; it is checked, not written.

    ``thread`` is its own name, which approvals by autopilot are bound to.
    """

    contact_id: str
    thread: NotRequired[str]
    draft: NotRequired[Draft]


class FoundPassage(TypedDict):
    """A search result, without the text that can be read again."""

    passage_id: str
    score: float
    cosine: float
    lexical: float


class RunState(TypedDict, total=False):
    """What a run knows. Ids instead of texts wherever the text can be read again.

    Attributes:
        answers: Required fields that a reviewer filled in (``answer``), field id → value.
        hits: Passages that retrieval found, best first.
        attempt: Drafting attempts so far; a reject starts the next.
        feedback: Why the last draft was rejected.
        changes: What changed since the review before this one; shown to the reviewer.
        noted: What changed without touching a fact that the approved draft relies on.
        sent_back: Whether the recheck stopped the last decision.
        refused: Content hashes of passages that reviewers said are the wrong ones.
        reply_error: Why the last reply to the interrupt was refused.
        autopilot: Whether the draft that the run wrote may leave without a person, and why not.
    """

    contact_id: str
    thread: str
    last_message_id: str
    answers: dict[str, str]
    classification: Classification
    triage: Triage
    hits: list[FoundPassage]
    attempt: int
    feedback: str
    draft: Draft
    check: CheckReport
    evidence: Evidence
    decision: Decision | None
    changes: list[EvidenceChange]
    noted: list[EvidenceChange]
    sent_back: bool
    refused: list[str]
    reply_error: str
    autopilot: AutopilotVerdict
    brief: Brief
    outcome: Outcome
