"""What the audit trail tells of a contact, as facts to be counted. Pure.

A fact is dated by the event that brings it, however old the contact is: what happens to a contact of
last month counts today. It carries reason, tier and channel as the trail had told them by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, cast, get_args

from core.vocabulary import DecisionKind
from desk.audit import DESK

Part = Literal[
    "taken_up",
    "first_owner",
    "escalated",
    "escalation_confirmed",
    "escalation_unneeded",
    "escalation_missed",
    "approve",
    "edit",
    "reject",
    "escalate",
    "answer",
    "rewritten",
    "review_wait",
    "review_hold",
    "draft_answer",
    "draft_clarify",
    "draft_abstain",
    "sent",
    "reopened",
    "stale_recheck",
    "stale_sweep",
    "stale_delivery",
    "complaint",
    "seeded_caught",
    "seeded_missed",
]
PARTS: Final[tuple[Part, ...]] = get_args(Part)
LENGTHS: Final[frozenset[Part]] = frozenset({"first_owner", "review_wait", "review_hold"})
"""Parts whose value is a length of time in seconds."""

SEEDED: Final = "seeded"
"""Origin of contacts that hold a check on reviewers; nothing else of them is counted."""
COMPLAINTS: Final = frozenset({"complaint", "executive_complaint"})
"""Triggers by which a contact counts as a complaint."""
DONE_WITH: Final = frozenset({"answered", "closed", "sending"})
"""Where a contact stood when a further message counts as reopening it."""

_DECISIONS: Final = {f"review.{kind}": kind for kind in get_args(DecisionKind)}
_OWNING: Final = frozenset({"contact.assigned", "contact.closed", "review.claimed", *_DECISIONS})
_CORRECTED: Final = frozenset({"contact.corrected", "contact.correction_undone"})
EVENTS: Final = (
    *sorted(_OWNING | _CORRECTED),
    "contact.opened",
    "contact.reopened",
    "delivery.sent",
    "delivery.stopped",
    "escalation.judged",
    "review.opened",
    "review.returned",
    "review.withdrawn",
    "run.recorded",
    "seeded.resolved",
)
"""The events that are read; all of them name their contact."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the audit trail."""

    id: int
    at: datetime
    actor: str
    event: str
    contact_id: str
    review_id: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to be counted.

    Attributes:
        event_id: The event that brought it.
        reason: Id of the contact reason; "" while none was known.
        tier: "" while none was known.
        person: Whom it is counted for, besides everybody; None for nobody in particular.
        value: A length in seconds, or a share; 0 for what only occurs.
    """

    event_id: int
    at: datetime
    part: Part
    contact_id: str
    reason: str
    tier: str
    channel: str
    person: str | None = None
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Known:
    """What the records say of a contact, for events that do not say it themselves."""

    origin: str
    channel: str
    reason: str | None
    tier: str
    triggers: tuple[str, ...]


@dataclass(slots=True)
class _Review:
    kind: str
    opened_at: datetime
    claimed_at: dict[str, datetime] = field(default_factory=dict)


def facts_of(events: Sequence[Event], known: Known | None) -> list[Fact]:
    """Return the facts of one contact, in the order of its events.

    Args:
        events: All events of the contact that are in :data:`EVENTS`, oldest first.
        known: Its record; None when it has none.
    """
    return list(_Story(known).facts(events))


class _Story:
    """One contact, event by event."""

    def __init__(self, known: Known | None) -> None:
        self._known = known
        self._origin = known.origin if known else ""
        self._channel = known.channel if known else ""
        self._reason = ""
        self._tier = ""
        self._came_at: datetime | None = None
        self._owned = self._taken_up = self._complained = False
        self._reviews: dict[str, _Review] = {}

    def facts(self, events: Iterable[Event]) -> Iterator[Fact]:
        for event in events:
            self._learn(event)
            if (self._origin == SEEDED) == (event.event == "seeded.resolved"):
                for part, value in self._parts(event):
                    yield Fact(
                        event.id,
                        event.at,
                        part,
                        event.contact_id,
                        self._reason,
                        self._tier,
                        self._channel,
                        _person(event, part),
                        value,
                    )

    def _learn(self, event: Event) -> None:
        """Take in what the event says of the contact."""
        data = event.data
        if event.event == "contact.opened":
            self._came_at = event.at
            self._channel = data.get("channel") or self._channel
            self._origin = data.get("origin") or self._origin
        elif event.event in ("review.opened", "run.recorded"):
            if "reason" in data:
                self._reason = data["reason"] or ""
            elif self._known:
                self._reason = self._known.reason or ""
            self._tier = data.get("tier") or self._tier
        elif event.event == "contact.corrected":
            self._reason = data.get("reason") or ""
        elif event.event == "contact.correction_undone":
            # What was taken back may not have been what held; else the contact is as it was.
            if self._reason == (data.get("reason") or ""):
                self._reason = data.get("was") or ""
        elif event.event == "seeded.resolved":
            self._reason = data.get("reason") or (self._known.reason if self._known else "") or ""
            self._tier = self._tier or (self._known.tier if self._known else "")
        if event.event == "review.opened" and event.review_id:
            self._reviews[event.review_id] = _Review(data.get("kind", ""), event.at)

    def _parts(self, event: Event) -> Iterator[tuple[Part, float]]:
        yield from self._first_times(event)
        name, data = event.event, event.data
        review = self._reviews.get(event.review_id or "")
        if name == "review.opened":
            if (part := f"draft_{data.get('kind')}") in PARTS:
                yield part, 0.0
        elif name == "review.claimed":
            if review:
                review.claimed_at[event.actor] = event.at
        elif name in _DECISIONS:
            yield from _decided(event, review)
        elif name == "run.recorded":
            if data.get("outcome") == "escalated":
                yield "escalated", 0.0
        elif name == "escalation.judged":
            yield "escalation_confirmed" if data.get("right") else "escalation_unneeded", 0.0
        elif name == "delivery.sent":
            if review is None or review.kind != "clarify":
                yield "sent", 0.0
        elif name == "contact.reopened":
            if data.get("from") in DONE_WITH:
                yield "reopened", 0.0
        elif name == "review.returned":
            if _of_a_source(data.get("changes")):
                yield "stale_recheck", 0.0
        elif name == "review.withdrawn":
            if data.get("why") == "source.changed":
                yield "stale_sweep", 0.0
        elif name == "delivery.stopped":
            if _of_a_source(data.get("changes")):
                yield "stale_delivery", 0.0
        elif name == "seeded.resolved" and data.get("outcome") in ("caught", "missed"):
            yield cast(Part, f"seeded_{data['outcome']}"), 0.0

    def _first_times(self, event: Event) -> Iterator[tuple[Part, float]]:
        """Yield what is counted once for a contact."""
        name, data = event.event, event.data
        if not self._owned and self._came_at and _takes_it(event):
            self._owned = True
            yield "first_owner", (event.at - self._came_at).total_seconds()
        if name in ("review.opened", "run.recorded"):
            if not self._taken_up:
                self._taken_up = True
                yield "taken_up", 0.0
            fired = data.get("triggers")
            if fired is None:
                fired = self._known.triggers if self._known else ()
            if not self._complained and COMPLAINTS.intersection(fired):
                self._complained = True
                yield "complaint", 0.0


def _takes_it(event: Event) -> bool:
    """Tell whether a person takes the contact on by this."""
    if event.actor == DESK or event.event not in _OWNING:
        return False
    return event.event != "contact.assigned" or bool(event.data.get("to"))


def _decided(event: Event, review: _Review | None) -> Iterator[tuple[Part, float]]:
    kind = cast(DecisionKind, _DECISIONS[event.event])
    if event.actor == DESK:  # nobody looked: no decision of a reviewer
        return
    yield kind, 0.0
    if kind == "escalate":
        yield "escalation_missed", 0.0
    if kind == "edit" and isinstance(share := event.data.get("rewritten"), int | float):
        yield "rewritten", float(share)
    if review is None:
        return
    yield "review_wait", (event.at - review.opened_at).total_seconds()
    if since := review.claimed_at.get(event.actor):
        yield "review_hold", (event.at - since).total_seconds()


_OF_A_PERSON: Final[frozenset[Part]] = frozenset(
    {
        *get_args(DecisionKind),
        "rewritten",
        "review_wait",
        "review_hold",
        "seeded_caught",
        "seeded_missed",
    }
)


def _person(event: Event, part: Part) -> str | None:
    if part not in _OF_A_PERSON:
        return None
    return event.actor if event.actor != DESK else event.data.get("by")


def _of_a_source(changes: object) -> bool:
    """Tell whether one of these evidence changes is of a source, and not a message or the draft."""
    return isinstance(changes, Sequence) and any(
        isinstance(one, Mapping) and one.get("what") in ("source", "conflict") for one in changes
    )
