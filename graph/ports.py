"""What a run needs from outside, as protocols, and the dependencies a node gets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from core.clock import Clock
from core.settings import InterruptShape
from graph.values import (
    Brief,
    CheckReport,
    Classification,
    Clearance,
    Conversation,
    Decision,
    Dispute,
    Draft,
    Triage,
)
from kb.changes import Change
from kb.content import Passage
from retrieval.ports import Hit, Search


class Conversations(Protocol):
    """Reads contacts."""

    def load(self, contact_id: str) -> Conversation:
        """Return the contact with all its messages. Raises NotFound."""
        ...


class Versions(Protocol):
    """Reads whole versions."""

    def passages_of_version(self, version_id: str) -> list[Passage]:
        """Return the passages of one version in reading order."""
        ...


class Sources(Versions, Protocol):
    """Reads passages by id and tells what is in force."""

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return the passages of ``ids`` in force or not; unknown ids are absent."""
        ...

    def versions_in_force(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Return article id → id of the version in force now; absent when none is."""
        ...


class Past(Protocol):
    """Reads what sources said before."""

    def editions(self, version_id: str, former: int = 2) -> list[list[Passage]]:
        """Return the passages of a version and of those its article had before it, newest first."""
        ...


class Classifier(Protocol):
    """Says what a contact is about."""

    def classify(self, conversation: Conversation) -> Classification:
        """Return reason, confidence, sentiment, language and question."""
        ...


class TriageRules(Protocol):
    """Decides tier, triggers, missing fields and route of a contact."""

    def triage(self, conversation: Conversation, classification: Classification) -> Triage:
        """Return the triage; a rule that cannot be evaluated fires."""
        ...

    def brief(
        self,
        conversation: Conversation,
        classification: Classification,
        triage: Triage,
        hits: Sequence[Hit],
    ) -> Brief:
        """Return the handoff brief."""
        ...

    def clarifying_draft(self, conversation: Conversation, triage: Triage) -> Draft:
        """Return a draft that asks for what is missing."""
        ...


class Drafter(Protocol):
    """Writes drafts from passages."""

    @property
    def name(self) -> str:
        """``extractive`` or ``model:<name>``."""
        ...

    def draft(
        self,
        conversation: Conversation,
        question: str,
        hits: Sequence[Hit],
        feedback: str = "",
        on_text: Callable[[str], None] | None = None,
    ) -> Draft:
        """Return a draft in which every sentence cites some of ``hits``, or an abstention.

        Args:
            feedback: Why a reviewer rejected the draft before; "" at first.
            on_text: Called with pieces of text as they come, by drafters that stream.
        """
        ...


class Checker(Protocol):
    """Judges drafts against their sources."""

    def check(
        self,
        draft: Draft,
        passages: Mapping[str, Passage],
        in_force: set[str],
        question: str = "",
    ) -> CheckReport:
        """Return what is wrong with ``draft``.

        Args:
            draft: What to judge.
            passages: Passage id → passage, for the ids that the draft cites and that exist.
            in_force: Ids of versions in force now.
            question: What the customer asks, where it is known: a short answer is read with it.
        """
        ...


class Outbox(Protocol):
    """Takes approved answers. Keyed: putting the same key twice does nothing twice."""

    def put(self, key: str, contact_id: str, draft: Draft, decision: Decision) -> None:
        """Accept an answer for delivery."""
        ...


class Handoffs(Protocol):
    """Takes contacts that a person must carry on. Keyed like the outbox."""

    def open(self, key: str, contact_id: str, brief: Brief, team: str | None) -> None:
        """Hand the contact to ``team`` (None: nobody owns its reason) with its brief."""
        ...


class Changes(Protocol):
    """Judges what an edit of a passage did to its facts; ``kb.changes.ChangeJudge`` is the one."""

    def judge(self, old: str, new: str) -> Change:
        """Return what changed between two plain texts of one passage."""
        ...


class Disputes(Protocol):
    """Knows which sources in force contradict each other."""

    def of(self, passages: Sequence[Passage]) -> list[Dispute]:
        """Return what contradicts these passages and was not dismissed by a content owner."""
        ...


class Citer(Protocol):
    """Ties free text to its sources."""

    def cite(
        self,
        text: str,
        candidates: Sequence[Passage],
        drafter: str,
        kind: Literal["answer", "clarify"] = "answer",
        question: str = "",
    ) -> Draft:
        """Return ``text`` as a draft whose sentences cite what supports them among candidates.

        A sentence that nothing supports cites nothing; the check then says so. With the
        ``question`` it answers a sentence cites what is nearest to both.
        """
        ...


class Autonomy(Protocol):
    """Knows which contact reasons have earned to be answered without a person."""

    def clearance(self, contact_id: str, reason: str | None, articles: Sequence[str]) -> Clearance:
        """Return what holds now for a contact of ``reason`` whose draft cites ``articles``.

        A reason that nobody knows is in review.
        """
        ...


class Ledger(Protocol):
    """Takes what a run has to record. Keyed like the outbox."""

    def record(self, key: str, contact_id: str, event: str, data: Mapping[str, object]) -> None:
        """Append one audit event unless ``key`` is there already."""
        ...


@dataclass(frozen=True)
class Deps:
    """Everything a node may use; handed over as LangGraph's runtime context on every call."""

    clock: Clock
    conversations: Conversations
    classifier: Classifier
    rules: TriageRules
    search: Search
    sources: Sources
    drafter: Drafter
    checker: Checker
    changes: Changes
    disputes: Disputes
    citer: Citer
    outbox: Outbox
    handoffs: Handoffs
    ledger: Ledger
    past: Past | None = None
    autonomy: Autonomy | None = None
    interrupt_shape: InterruptShape = "middleware"
    passages_per_draft: int = 8
