"""Makes valid values for tests; each test states only what it is about."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from core.identifiers import text_digest
from desk.permissions import Actor
from graph.draft import cite_whole
from graph.state import RunState
from graph.values import CheckReport, Conversation, Draft, Triage
from kb.content import Passage

ADMIN = Actor("per_admin", "Ingrid", "admin")
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def passage(text: str = "Refunds take 5 days.", **changes: Any) -> Passage:
    """Return a passage of article ``help/refunds.md``, version 1."""
    values: dict[str, Any] = {
        "id": "ver_1#0",
        "kind": "article",
        "article_id": "help/refunds.md",
        "version_id": "ver_1",
        "version": 1,
        "title": "Refunds",
        "anchor": "how-long",
        "heading_path": ("How long",),
        "start": 0,
        "end": len(text),
        "text": text,
        "plain": text,
        "content_hash": text_digest(text),
        "effective_from": NOON,
    }
    return Passage(**{**values, **changes})


def draft_from(*sources: Passage, **changes: Any) -> Draft:
    """Return a draft with one sentence a passage, in the passage's own words."""
    values: dict[str, Any] = {
        "kind": "answer",
        "opening": "Hello,",
        "sentences": [{"text": p.plain, "citations": [cite_whole(p)]} for p in sources],
        "closing": "Kind regards",
        "drafter": "extractive",
        "note": "",
    }
    return Draft(**{**values, **changes})  # type: ignore[typeddict-item]


def conversation(text: str = "How long does a refund take?", **changes: Any) -> Conversation:
    """Return a contact with one message of the customer."""
    values: dict[str, Any] = {
        "contact_id": "con_1",
        "channel": "email",
        "subject": "",
        "customer": {
            "status": "standard",
            "sla_due_in_minutes": None,
            "name": "Ada",
            "fields": {},
        },
        "turns": [{"id": "msg_1", "speaker": "customer", "text": text, "at": NOON.isoformat()}],
    }
    return Conversation(**{**values, **changes})  # type: ignore[typeddict-item]


def triage(**changes: Any) -> Triage:
    """Return the triage of a harmless contact."""
    values: dict[str, Any] = {
        "tier": "allowed",
        "triggers": [],
        "missing": [],
        "route": "retrieve",
        "owner": "Billing",
    }
    return Triage(**{**values, **changes})  # type: ignore[typeddict-item]


def paused(
    draft: Draft | None = None, check: CheckReport | None = None, **changes: Any
) -> RunState:
    """Return the state of a run that waits for a person."""
    from graph.evidence import evidence_of

    draft = draft or draft_from(passage())
    values: dict[str, Any] = {
        "contact_id": "con_1",
        "last_message_id": "msg_1",
        "triage": triage(),
        "draft": draft,
        "check": check or {"passed": True, "findings": [], "triggers": []},
        "evidence": evidence_of(draft, "msg_1"),
    }
    return RunState(**{**values, **changes})  # type: ignore[typeddict-item]
