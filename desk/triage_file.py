"""Triages a file of contacts without drafting."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice, tee
from pathlib import Path
from typing import Any, Literal, Protocol, TypedDict, runtime_checkable

from pydantic import BaseModel, ValidationError

from core.errors import BadInput
from core.vocabulary import Channel, Speaker
from graph.ports import Classifier, Deps, TriageRules
from graph.values import Classification, Conversation, ReasonGuess, Triage, TriggerFiring
from graph.verdicts import added_by_desk, said_by_contact

_BATCH = 128
_AT_ONCE = 2


class _Customer(BaseModel):
    status: Literal["standard", "vip"] = "standard"
    sla_due_in_minutes: int | None = None
    name: str = ""
    fields: dict[str, str] = {}


class _Message(BaseModel):
    role: Speaker = "customer"
    text: str


class ContactLine(BaseModel):
    """One line of input: the form of the triage suite without what it expects."""

    id: str
    channel: Channel = "email"
    subject: str = ""
    customer: _Customer = _Customer()
    messages: list[_Message]

    def conversation(self) -> Conversation:
        """Return the contact as a run would see it."""
        now = datetime.now(UTC).isoformat()
        return {
            "contact_id": self.id,
            "channel": self.channel,
            "subject": self.subject,
            "customer": {
                "status": self.customer.status,
                "sla_due_in_minutes": self.customer.sla_due_in_minutes,
                "name": self.customer.name,
                "fields": self.customer.fields,
            },
            "turns": [
                {"id": f"{self.id}:{n}", "speaker": m.role, "text": m.text, "at": now}
                for n, m in enumerate(self.messages)
            ],
        }


class TriggerLine(TypedDict):
    """A trigger as the output shows it."""

    id: str
    tier: str
    evidence: str
    by: str


class DeskLine(TypedDict):
    """What this desk makes of a contact. ``tier`` is the one it is routed by."""

    tier: str
    triggers: list[TriggerLine]


class TriageLine(TypedDict):
    """One line of output.

    ``tier`` and ``triggers`` are what message, conversation and the customer's fields say; ``desk``
    holds what this desk's reason map and confidence add to them.
    """

    id: str
    tier: str
    triggers: list[TriggerLine]
    desk: DeskLine
    reason: str | None
    confidence: float
    alternatives: list[ReasonGuess]
    sentiment: float
    missing: list[str]


@runtime_checkable
class _ClassifiesMany(Protocol):
    def classify_all(self, conversations: Sequence[Conversation]) -> list[Classification]: ...


@runtime_checkable
class _TriagesMany(Protocol):
    def triage_all(
        self, conversations: Sequence[Conversation], classifications: Sequence[Classification]
    ) -> list[Triage]: ...


def triage_file(deps: Deps, path: Path) -> Iterator[TriageLine]:
    """Yield the triage of each contact in ``path``. The whole file is validated first.

    Raises:
        BadInput: Names file, line and field.
    """
    yield from triage_contacts(deps.classifier, deps.rules, _read(path))


def triage_contacts(
    classifier: Classifier, rules: TriageRules, contacts: Iterable[ContactLine]
) -> Iterator[TriageLine]:
    """Yield the triage of each contact.

    They are read in batches: embedding many texts at once is faster, and no more than a few batches
    are held in memory beside the contacts.
    """
    ours, theirs = tee(contacts)
    outcomes = routed(classifier, rules, (case.conversation() for case in theirs))
    for case, (classification, triage) in zip(ours, outcomes, strict=True):
        yield _line(case, classification, triage)


def routed(
    classifier: Classifier, rules: TriageRules, conversations: Iterable[Conversation]
) -> Iterator[tuple[Classification, Triage]]:
    """Yield what each conversation is about and how it is routed, in their order.

    While one batch is embedded, which needs no turn at Python's lock, rules read another.
    """

    def route(batch: list[Conversation]) -> list[tuple[Classification, Triage]]:
        classified = _classify(classifier, batch)
        return list(zip(classified, _triage(rules, batch, classified), strict=True))

    rest = iter(conversations)
    ahead: deque[Future[list[tuple[Classification, Triage]]]] = deque()
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="triage") as pool:
        while batch := list(islice(rest, _BATCH)):
            ahead.append(pool.submit(route, batch))
            if len(ahead) > _AT_ONCE:
                yield from ahead.popleft().result()
        while ahead:
            yield from ahead.popleft().result()


def _classify(classifier: Classifier, contacts: list[Conversation]) -> list[Classification]:
    if isinstance(classifier, _ClassifiesMany):
        return classifier.classify_all(contacts)
    return [classifier.classify(contact) for contact in contacts]


def _triage(
    rules: TriageRules, contacts: list[Conversation], classified: list[Classification]
) -> list[Triage]:
    if isinstance(rules, _TriagesMany):
        return rules.triage_all(contacts, classified)
    return [rules.triage(*each) for each in zip(contacts, classified, strict=True)]


def _line(case: ContactLine, classification: Classification, triage: Triage) -> TriageLine:
    said = said_by_contact(triage["triggers"])
    added = added_by_desk(triage["triggers"])
    return {
        "id": case.id,
        "tier": said["tier"],
        "triggers": _shown(said["triggers"]),
        "desk": {"tier": triage["tier"], "triggers": _shown(added["triggers"])},
        "reason": classification["reason"],
        "confidence": classification["confidence"],
        "alternatives": classification["alternatives"],
        "sentiment": classification["sentiment"],
        "missing": triage["missing"],
    }


def _shown(triggers: Sequence[TriggerFiring]) -> list[TriggerLine]:
    return [
        {key: one[key] for key in ("id", "tier", "evidence", "by")}  # type: ignore[misc]
        for one in triggers
    ]


def _read(path: Path) -> list[ContactLine]:
    if not path.is_file():
        raise BadInput(f"{path}: there is no such file.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    cases: list[ContactLine] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value: Any = json.loads(line)
            cases.append(ContactLine.model_validate(value))
        except json.JSONDecodeError as error:
            raise BadInput(f"{path}:{number}: not valid JSON: {error.msg}.") from None
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            field = ".".join(str(part) for part in first["loc"])
            raise BadInput(f"{path}:{number}: {field}: {first['msg']}.") from None
        if (first_at := seen.setdefault(cases[-1].id, number)) != number:
            raise BadInput(
                f"{path}:{number}: id: {cases[-1].id!r} stands in line {first_at} already; "
                "give each contact its own."
            )
    if not cases:
        raise BadInput(f"{path}: it holds no contact; write one a line, as JSON.")
    return cases
