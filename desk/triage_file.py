"""Triages a file of contacts without drafting."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypedDict

from pydantic import BaseModel, ValidationError

from core.errors import BadInput
from core.vocabulary import Channel, Speaker
from graph.ports import Deps
from graph.values import Conversation, ReasonGuess


class _Customer(BaseModel):
    status: Literal["standard", "vip"] = "standard"
    sla_due_in_minutes: int | None = None
    name: str = ""
    fields: dict[str, str] = {}


class _Message(BaseModel):
    role: Speaker = "customer"
    text: str


class _Case(BaseModel):
    """One line: the form of the triage suite; ``expected`` and ``note`` are not looked at."""

    id: str
    channel: Channel = "email"
    subject: str = ""
    customer: _Customer = _Customer()
    messages: list[_Message]


class TriggerLine(TypedDict):
    """A trigger as the output shows it."""

    id: str
    tier: str
    evidence: str
    by: str


class TriageLine(TypedDict):
    """One line of output."""

    id: str
    tier: str
    triggers: list[TriggerLine]
    reason: str | None
    confidence: float
    alternatives: list[ReasonGuess]
    sentiment: float
    missing: list[str]


def triage_file(deps: Deps, path: Path) -> Iterator[TriageLine]:
    """Yield the triage of each contact in ``path``. The whole file is validated first.

    Raises:
        BadInput: Names file, line and field.
    """
    for case in _read(path):
        conversation = _conversation(case)
        classification = deps.classifier.classify(conversation)
        triage = deps.rules.triage(conversation, classification)
        yield {
            "id": case.id,
            "tier": triage["tier"],
            "triggers": [
                {key: trigger[key] for key in ("id", "tier", "evidence", "by")}  # type: ignore[misc]
                for trigger in triage["triggers"]
            ],
            "reason": classification["reason"],
            "confidence": classification["confidence"],
            "alternatives": classification["alternatives"],
            "sentiment": classification["sentiment"],
            "missing": triage["missing"],
        }


def _read(path: Path) -> list[_Case]:
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file.")
    cases = []
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value: Any = json.loads(line)
            cases.append(_Case.model_validate(value))
        except json.JSONDecodeError as error:
            raise BadInput(f"{path}:{number}: not valid JSON: {error.msg}.") from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise BadInput(f"{path}:{number}: {field}: {first['msg']}.") from None
    return cases


def _conversation(case: _Case) -> Conversation:
    now = datetime.now(UTC).isoformat()
    return {
        "contact_id": case.id,
        "channel": case.channel,
        "subject": case.subject,
        "customer": {
            "status": case.customer.status,
            "sla_due_in_minutes": case.customer.sla_due_in_minutes,
            "name": case.customer.name,
            "fields": case.customer.fields,
        },
        "turns": [
            {"id": f"{case.id}:{n}", "speaker": m.role, "text": m.text, "at": now}
            for n, m in enumerate(case.messages)
        ],
    }
