"""A made-up month of contacts, written straight into the records: contacts and their audit trail.

What happens to a contact is drawn at random with a fixed seed, in shares that a busy desk might see:
most drafts are approved, some edited, rejected or escalated; some contacts come back weeks later,
some answers are stopped because a source changed, some wait still. Nothing is computed here that the
metrics compute.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert

from core.database import Database
from desk.models import AuditEvent, Contact

END: Final = datetime(2026, 6, 1, tzinfo=UTC)
DAYS: Final = 30
REASONS: Final = (
    "refund_status", "order_status", "change_address", "cancel_order", "password_reset",
    "billing_error", "delivery_delay", "warranty", "plan_change", "gift_card", "data_request",
    "complaint_about_staff",
)  # fmt: skip
PEOPLE: Final = ("per_ada", "per_bo", "per_cy", "per_dee", "per_eli", "per_flo")
_CHANNELS: Final = {"email": 60, "chat": 30, "voice": 10}
_TIERS: Final = {"allowed": 50, "review_required": 40, "escalate_first": 10}
_AT_ONCE: Final = 10_000
Row = dict[str, Any]


@dataclass
class _Life:
    """One contact on its way through the desk."""

    random: random.Random
    id: str
    at: datetime
    channel: str
    reason: str
    tier: str
    triggers: list[str]
    status: str = "new"
    events: list[Row] = field(default_factory=list)
    reviews: int = 0

    def tell(self, event: str, actor: str = "desk", review: str | None = None, **data: Any) -> None:
        self.events.append(
            {
                "at": self.at,
                "actor": actor,
                "event": event,
                "contact_id": self.id,
                "review_id": review,
                "data": data,
                "key": None,
            }
        )

    def wait(self, minutes: float) -> bool:
        """Let time pass, long and short; tell whether the month goes on."""
        self.at += timedelta(seconds=self.random.expovariate(1 / (60 * minutes)))
        return self.at < END

    def chance(self, percent: float) -> bool:
        return self.random.random() * 100 < percent

    def open_review(self, kind: str) -> str:
        self.reviews += 1
        review = f"rev_{self.id}_{self.reviews}"
        told: Row = {"kind": kind, "tier": self.tier, "reason": self.reason}
        told["triggers"] = self.triggers
        self.tell("review.opened", review=review, **told, findings=0, changes=[])
        self.status = "in_review"
        return review

    def end_escalated(self) -> None:
        self.tell("contact.escalated", team=None, tier=self.tier)
        told: Row = {"tier": self.tier, "reason": self.reason, "triggers": self.triggers}
        self.tell("run.recorded", outcome="escalated", **told)
        self.status = "escalated"

    def live(self) -> None:
        self.tell("contact.opened", "per_ada", channel=self.channel, origin="desk")
        if not self.wait(0.3):
            return
        if self.tier == "escalate_first" and self.chance(80):
            self.escalated()
            return
        for _ in range(self.random.choice((1, 1, 1, 1, 2, 2, 3))):
            if not self.answered():
                return
            if not self.chance(12) or not self.wait(6_000):
                return
            self.tell("contact.message", speaker="customer")
            self.tell("contact.reopened", **{"from": self.status})
            if not self.wait(0.5):
                return

    def escalated(self) -> None:
        self.end_escalated()
        if not self.wait(200):
            return
        person = self.random.choice(PEOPLE)
        if self.chance(70):
            self.tell("contact.assigned", self.random.choice(PEOPLE), to=person)
        if self.chance(50) and self.wait(300):
            self.tell("escalation.judged", person, right=self.chance(80), handoff=self.id)
        if self.chance(60) and self.wait(600):
            self.tell("contact.closed", person)
            self.status = "closed"

    def answered(self) -> bool:
        """Carry the contact to an answer; tell whether there is one."""
        for _ in range(6):
            kind = self.random.choices(("answer", "abstain", "clarify"), (80, 10, 10))[0]
            review = self.open_review(kind)
            if self.chance(2) and self.wait(60):
                changes = [{"what": "source", "sentence": ""}]
                self.tell("review.withdrawn", review=review, why="source.changed", changes=changes)
                continue
            if not self.wait(90):
                return False
            if self.chance(4):
                self.reason = self.random.choice(REASONS)
                self.tell("contact.corrected", "per_ada", reason=self.reason, was=None)
            person = self.random.choice(PEOPLE)
            for _ in range(self.random.choice((0, 1, 1, 1, 2))):
                self.tell("review.claimed", person, review)
                if not self.wait(4):
                    return False
            if self.decided(kind, review, person):
                return True
            if self.status in ("escalated", "in_review"):
                return False
        return False

    def decided(self, kind: str, review: str, person: str) -> bool:
        """Have a person decide; tell whether an answer left."""
        weights = (62, 20, 9, 6, 3 if kind == "clarify" else 0)
        names = ("approve", "edit", "reject", "escalate", "answer")
        decision = self.random.choices(names, weights)[0]
        more = {"rewritten": self.random.random()} if decision == "edit" else {}
        self.tell(f"review.{decision}", person, review, kind=decision, **more)
        self.status = "deciding"
        if not self.wait(0.1):
            return False
        if decision == "escalate":
            self.escalated()
            return False
        if decision in ("reject", "answer"):
            return False
        if self.chance(3):
            what = self.random.choice(("source", "conflict", "message"))
            self.tell("review.returned", review=review, changes=[{"what": what}], findings=[])
            return False
        self.tell("delivery.scheduled", person, review, delivery=f"del_{review}")
        if not self.wait(2):
            return False
        if self.chance(1):
            changes = [{"what": "source"}] if self.chance(60) else []
            self.tell("delivery.stopped", review=review, changes=changes, wrote_again=not changes)
            return False
        self.tell("delivery.sent", review=review, delivery=f"del_{review}")
        self.status = "waiting" if kind == "clarify" else "answered"
        return True


def _seeded(life: _Life) -> None:
    """A check on reviewers: nothing of it counts but how it ended."""
    life.tell("contact.opened", channel=life.channel, origin="seeded")
    review = life.open_review("answer")
    if life.wait(90):
        person = life.random.choice(PEOPLE)
        life.tell("review.claimed", person, review)
        life.tell("review.approve", person, review, kind="approve")
        outcome = life.random.choice(("caught", "caught", "missed", "withdrawn"))
        life.tell("seeded.resolved", person, review, outcome=outcome)
        life.status = "closed"


def _drawn(draw: random.Random, weights: dict[str, int]) -> str:
    return draw.choices(list(weights), list(weights.values()))[0]


def lives(contacts: int, seed: int = 7) -> Iterator[tuple[Row, list[Row]]]:
    """Yield contacts with the events of their month."""
    draw = random.Random(seed)
    for number in range(contacts):
        complains = draw.random() < 0.07
        life = _Life(
            random=draw,
            id=f"con_{number:06d}",
            at=END - timedelta(seconds=draw.random() * DAYS * 86_400),
            channel=_drawn(draw, _CHANNELS),
            reason=draw.choices(REASONS, range(len(REASONS), 0, -1))[0],
            tier=_drawn(draw, _TIERS),
            triggers=["complaint"] if complains else [],
        )
        came = life.at
        seeded = draw.random() < 0.02
        _seeded(life) if seeded else life.live()
        yield (
            {
                "id": life.id,
                "origin": "seeded" if seeded else "desk",
                "channel": life.channel,
                "status": life.status,
                "reason": life.reason,
                "tier": life.tier,
                "triggers": [{"id": one} for one in life.triggers],
                "created_at": came,
                "updated_at": life.at,
            },
            life.events,
        )


def fill(database: Database, contacts: int, seed: int = 7) -> int:
    """Write a month into an empty desk; return how many events it has.

    What a contact left waiting weeks ago is closed, so that the backlog holds days and not the month.
    """
    rows, events = [], []
    for row, told in lives(contacts, seed):
        waits = row["status"] in ("new", "in_review", "deciding", "escalated")
        if waits and END - row["updated_at"] > timedelta(days=2):
            row["status"] = "closed"
        rows.append(row)
        events += told
    events.sort(key=lambda event: event["at"])
    shared = {"customer_fields": {}, "version": 1}
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        with database.write() as session:
            session.execute(insert(Contact), [row | shared for row in some])
    for start in range(0, len(events), _AT_ONCE):
        with database.write() as session:
            session.execute(insert(AuditEvent), events[start : start + _AT_ONCE])
    return len(events)
