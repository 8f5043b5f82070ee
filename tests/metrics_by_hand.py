"""The metrics, told a second time: in plain Python, straight from an exported audit trail.

:class:`ByHand` shares nothing with the desk but the definitions in words. Everything is kept in lists
and looked through again for each figure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any

from sqlalchemy import select

from core.clock import FixedClock
from core.database import Database
from desk.audit import AuditTrail
from desk.models import Contact
from tests.factories import ADMIN

Line = dict[str, Any]
DECISIONS = ["approve", "edit", "reject", "escalate", "answer"]
OPEN = {"new", "drafting", "in_review", "deciding", "escalated", "failed"}


def by_hand(database: Database, now: datetime, zone: tzinfo = UTC) -> ByHand:
    """Return what an export of the trail and the table of contacts tell."""
    query = select(
        Contact.id,
        Contact.origin,
        Contact.channel,
        Contact.reason,
        Contact.tier,
        Contact.status,
        Contact.created_at,
    )
    with database.read() as session:
        contacts = [dict(row._mapping) for row in session.execute(query)]
    return ByHand(AuditTrail(database, FixedClock(now)).export(ADMIN, "jsonl"), contacts, zone)


class ByHand:
    """An exported trail and the contacts, ready to be asked.

    Args:
        lines: The export, JSON lines in any order.
        contacts: Rows of the contacts: id, origin, channel, reason, tier, status, created_at.
        zone: The time zone of the days.
    """

    def __init__(self, lines: Iterable[str], contacts: Iterable[Line], zone: tzinfo = UTC) -> None:
        self.contacts = {row["id"]: row for row in contacts}
        self.trail = sorted((json.loads(line) for line in lines), key=lambda line: line["id"])
        of_contact: dict[str, list[Line]] = {}
        for line in self.trail:
            line["at"] = datetime.fromisoformat(line["at"])
            line["day"] = line["at"].astimezone(zone).strftime("%Y-%m-%d")
            if line["contact_id"]:
                of_contact.setdefault(line["contact_id"], []).append(line)
        for contact_id, story in of_contact.items():
            self._annotate(story, self.contacts.get(contact_id, {}))
        self.ours = [one for one in self.trail if one["contact_id"] and not one["seeded"]]
        self.seeded = [one for one in self.trail if one["contact_id"] and one["seeded"]]

    def _annotate(self, story: list[Line], contact: Line) -> None:
        """Write down at each line what was known of its contact by then."""
        reason = tier = ""
        channel = contact.get("channel", "")
        seeded = contact.get("origin") == "seeded"
        came = None
        owned = seen = complained = False
        opened: dict[str, Line] = {}
        claims: dict[tuple[str, str], datetime] = {}
        for line in story:
            event, data = line["event"], line["data"]
            if event == "contact.opened":
                came, channel = line["at"], data["channel"]
                seeded = seeded or data["origin"] == "seeded"
            if event in ("review.opened", "run.recorded"):
                reason, tier = data["reason"] or "", data["tier"]
            if event == "contact.corrected":
                reason = data["reason"] or ""
            if event == "contact.correction_undone" and reason == (data["reason"] or ""):
                reason = data["was"] or ""
            if event == "review.opened":
                opened[line["review_id"]] = line
            if event == "review.claimed":
                claims[line["review_id"], line["actor"]] = line["at"]
            person = line["actor"] != "desk"
            kind = event.removeprefix("review.")
            decides = person and event.startswith("review.") and kind in DECISIONS
            takes = person and (
                decides
                or event in ("review.claimed", "contact.closed")
                or (event == "contact.assigned" and data["to"] is not None)
            )
            line["first_owner"] = None
            if takes and not owned and came is not None:
                owned = True
                line["first_owner"] = (line["at"] - came).total_seconds()
            is_triaged = event in ("review.opened", "run.recorded")
            line["taken_up"] = is_triaged and not seen
            seen = seen or is_triaged
            complains = is_triaged and any(
                trigger in ("complaint", "executive_complaint") for trigger in data["triggers"]
            )
            line["complaint"] = complains and not complained
            complained = complained or complains
            line["decision"] = kind if decides else None
            review = opened.get(line["review_id"])
            line["kind"] = review["data"]["kind"] if review else None
            line["wait"] = line["hold"] = None
            if decides and review:
                line["wait"] = (line["at"] - review["at"]).total_seconds()
            if decides and (line["review_id"], line["actor"]) in claims:
                since = claims[line["review_id"], line["actor"]]
                line["hold"] = (line["at"] - since).total_seconds()
            line["reason"], line["tier"], line["channel"] = reason, tier, channel
        for line in story:
            line["seeded"] = seeded

    def figures(
        self,
        first: str,
        last: str,
        *,
        now: datetime,
        reason: str | None = None,
        tier: str | None = None,
        channel: str | None = None,
        person: str | None = None,
    ) -> dict[str, float | None]:
        """Return metric → value from the day ``first`` to the day ``last``, both included."""

        def fits(line: Line) -> bool:
            return (
                (reason is None or line["reason"] == reason)
                and (tier is None or line["tier"] == tier)
                and (channel is None or line["channel"] == channel)
                and (person is None or line["actor"] == person)
            )

        lines = [one for one in self.ours if first <= one["day"] <= last and fits(one)]

        def count(test: Callable[[Line], bool]) -> int:
            return len([one for one in lines if test(one)])

        def decided(*kinds: str) -> int:
            return count(lambda one: one["decision"] in kinds)

        def told(event: str, **data: Any) -> int:
            return count(
                lambda one: (
                    one["event"] == event
                    and all(one["data"].get(key) == value for key, value in data.items())
                )
            )

        def by_source(event: str) -> int:
            return count(
                lambda one: (
                    one["event"] == event
                    and any(
                        change["what"] == "source" or change["what"] == "conflict"
                        for change in one["data"].get("changes") or []
                    )
                )
            )

        rewritten = [one["data"]["rewritten"] for one in lines if one["decision"] == "edit"]
        owners = [one["first_owner"] for one in lines if one["first_owner"] is not None]
        waits = [one["wait"] for one in lines if one["wait"] is not None]
        holds = [one["hold"] for one in lines if one["hold"] is not None]
        right, unneeded = (
            told("escalation.judged", right=True),
            told("escalation.judged", right=False),
        )
        abstained, drafted = (
            told("review.opened", kind="abstain"),
            told("review.opened", kind="answer"),
        )
        ends = [one for one in self.seeded if one["event"] == "seeded.resolved"]
        ends = [one for one in ends if first <= one["day"] <= last and fits(one)]
        caught = len([one for one in ends if one["data"]["outcome"] == "caught"])
        missed = len([one for one in ends if one["data"]["outcome"] == "missed"])
        ages = [
            (now - row["created_at"]).total_seconds()
            for row in self.contacts.values()
            if row["status"] in OPEN and row["origin"] != "seeded" and fits(
                {**row, "reason": row["reason"] or "", "actor": person}
            )
        ]  # fmt: skip
        return {
            "first_owner_median": shown(rank(owners, 0.5)),
            "first_owner_p90": shown(rank(owners, 0.9)),
            "backlog": len(ages),
            "backlog_age_median": shown(rank(ages, 0.5)),
            "backlog_age_p90": shown(rank(ages, 0.9)),
            "review_wait_median": shown(rank(waits, 0.5)),
            "review_hold_median": shown(rank(holds, 0.5)),
            "taken_up": count(lambda one: one["taken_up"]),
            "decisions": decided(*DECISIONS),
            "escalation_accuracy": share(right, right + unneeded),
            "escalations": told("run.recorded", outcome="escalated"),
            "escalation_missed": decided("escalate"),
            "correction_rate": share(decided("edit"), decided("edit", "approve")),
            "correction_size": share(math.fsum(rewritten), len(rewritten)),
            "rejection_rate": share(decided("reject"), decided("approve", "edit", "reject")),
            "reopened_rate": share(
                count(
                    lambda one: (
                        one["event"] == "contact.reopened"
                        and one["data"]["from"] in ("answered", "closed", "sending")
                    )
                ),
                count(lambda one: one["event"] == "delivery.sent" and one["kind"] != "clarify"),
            ),
            "complaint_rate": share(
                count(lambda one: one["complaint"]), count(lambda one: one["taken_up"])
            ),
            "abstention_rate": share(abstained, abstained + drafted),
            "stale_stopped": by_source("review.returned")
            + by_source("delivery.stopped")
            + told("review.withdrawn", why="source.changed"),
            "catch_rate": share(caught, caught + missed),
        }


def share(part: float, whole: float) -> float | None:
    """Return a share; None of nothing."""
    return part / whole if whole else None


def rank(values: list[float], share: float) -> float | None:
    """Return the nearest rank: the smallest value that ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else None


def shown(seconds: float | None) -> int | None:
    """Return a length as pages show it: whole seconds under ten minutes, else whole minutes."""
    if seconds is None:
        return None
    return int(seconds) if seconds < 600 else int(seconds // 60) * 60
