"""What autopilot asks and leaves behind when an answer goes out without a person.

The functions here work in the caller's unit of work. A delivery asks :meth:`Gate.why_held` while it
holds its contact; that holds the row of the reason and shares the switch, so whoever demotes the
reason or stops autopilot is either before the answer, which then stays, or after it was on its way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from core.identifiers import json_digest, text_digest
from core.vocabulary import Autonomy
from desk.audit import DESK, write_audit
from desk.autonomy_evidence import demote, hold_reason
from desk.autonomy_models import AutopilotApproval, AutopilotSwitch, ReasonAutonomy
from desk.autonomy_records import flagged_titles
from desk.models import Contact, Delivery, Review
from graph.autopilot import BY_AUTOPILOT
from graph.reasons import Reason, ReasonMap
from graph.tiers import TierRules
from graph.values import AutopilotGround

_SWITCH: Final = 1
_SEVERE: Final = ("escalate_first", "forbidden")
RULES_CHANGED: Final = "The rules that it was signed under changed."
_TIERS_DIGITS: Final = 16
_OWN_DIGITS: Final = 40
_MACRO_ENDINGS: Final = (".md", ".markdown", ".txt")


class Rulebook:
    """Names the rules that a contact reason is answered by, so that a change is noticed.

    Args:
        reasons: The contact reason map in force.
        tiers: The tier rules in force.
        folder: The workspace, in which macros lie.
        drafter: Who writes the drafts.
    """

    def __init__(
        self,
        reasons: Callable[[], ReasonMap],
        tiers: Callable[[], TierRules],
        folder: Callable[[], Path],
        drafter: str,
    ) -> None:
        self._reasons = reasons
        self._tiers = tiers
        self._folder = folder
        self._drafter = drafter
        self._tiers_digest = ""
        self._lock = threading.Lock()

    def reasons(self) -> ReasonMap:
        """Return the contact reason map in force."""
        return self._reasons()

    def name(self, reason_id: str) -> str:
        """Return a name of the rules in force for a reason: of the tiers, a dot, of its own."""
        reason = self._reasons().get(reason_id)
        entry = reason.model_dump(mode="json", exclude={"autonomy"}) if reason else None
        own = json_digest([entry, self._macro(reason), self._drafter])
        return f"{self._tiers_name()}.{own[:_OWN_DIGITS]}"

    def _macro(self, reason: Reason | None) -> str:
        if reason is None or not reason.macro:
            return ""
        name = reason.macro.removeprefix("macros/")
        for ending in ("", *_MACRO_ENDINGS):
            try:
                text = (self._folder() / "macros" / f"{name}{ending}").read_text("utf-8", "replace")
            except OSError:
                continue
            return text_digest(text)
        return "absent"

    def _tiers_name(self) -> str:
        with self._lock:
            if not self._tiers_digest:
                versions = {rule.id: rule.version for rule in self._tiers().rules}
                self._tiers_digest = json_digest(versions)[:_TIERS_DIGITS]
            return self._tiers_digest


def same_for_answers(name: str, other: str) -> bool:
    """Tell whether two names stand for rules that write the same answers, whatever the tiers."""
    return name.partition(".")[2] == other.partition(".")[2]


def locks_of(reason: Reason) -> set[str]:
    """Return what locks a reason unless an admin unlocks it: its ``tier``, the ``map``."""
    found = {"tier": reason.tier in _SEVERE, "map": reason.autonomy == "locked"}
    return {name for name, locks in found.items() if locks}


def state_of(row: ReasonAutonomy | None, reason: Reason | None) -> Autonomy:
    """Return where a reason stands: a reason that no map has is in review."""
    if reason is None:
        return "review"
    if locks_of(reason) - set(row.unlocked.split() if row else ()):
        return "locked"
    return row.state if row is not None else "review"


class Gate:
    """Decides in the last moment whether an answer may still leave without a person."""

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook

    def note(
        self,
        session: Session,
        key: str,
        contact_id: str,
        ground: AutopilotGround,
        delivery_id: str,
        at: datetime,
    ) -> None:
        """Write down what an approval by autopilot rests on, beside its delivery."""
        session.add(
            AutopilotApproval(
                id=key,
                contact_id=contact_id,
                thread=ground["thread"],
                reason=ground["reason"],
                round=ground["round"],
                tier=ground["tier"],
                confidence=ground["confidence"],
                e_value=ground["e_value"],
                evidence=dict(ground["evidence"]),
                at=at,
            )
        )
        write_audit(
            session,
            at,
            DESK,
            "autopilot.approved",
            contact_id=contact_id,
            data={"delivery": delivery_id, **ground},
        )

    def why_held(self, session: Session, approval: AutopilotApproval | None, at: datetime) -> str:
        """Return why an answer may not leave without a person any more; "" when it may.

        Holds the reason's row and the switch until the caller's work ends. The caller holds the
        contact.
        """
        if approval is None:
            return "Nobody approved this answer."
        row = hold_reason(session, approval.reason, at)
        reason = self._rulebook.reasons().get(approval.reason)
        if row.state == "autopilot" and row.rules != self._rulebook.name(approval.reason):
            demote(session, row, RULES_CHANGED, at, {"kind": "rules"})
        if state_of(row, reason) != "autopilot" or row.round != approval.round:
            return "Its contact reason is no longer on autopilot."
        if is_about_another(session, approval):
            return "Somebody said that it is about something else."
        if not hold_switch(session, at, share=True).on:
            return "Autopilot is stopped for everything."
        cited = [version["article_id"] for version in approval.evidence["versions"]]
        if flagged_titles(session, cited):
            return "A source it rests on was flagged."
        return ""


def is_about_another(session: Session, approval: AutopilotApproval | None) -> bool:
    """Tell whether a contact is held to be about another reason than it was answered for."""
    if approval is None:
        return False
    return session.get_one(Contact, approval.contact_id).reason != approval.reason


def hold_switch(session: Session, at: datetime, *, share: bool = False) -> AutopilotSwitch:
    """Return the switch; nobody changes it until this work ends, and with ``share`` others may read."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values: Mapping[str, Any] = {"id": _SWITCH, "on": True, "by": DESK, "at": at, "why": ""}
    session.execute(insert(AutopilotSwitch).values(values).on_conflict_do_nothing())
    return session.get_one(
        AutopilotSwitch,
        _SWITCH,
        with_for_update={"read": True} if share else True,
        populate_existing=True,
    )


def switch_of(session: Session) -> AutopilotSwitch | None:
    """Return the switch as it is; None while nobody touched it."""
    return session.get(AutopilotSwitch, _SWITCH)


def approval_of(session: Session, delivery: Delivery) -> AutopilotApproval | None:
    """Return what a delivery by autopilot rests on; None for one that a person approved."""
    if delivery.approved_by != BY_AUTOPILOT:
        return None
    return session.get(AutopilotApproval, delivery.key)


def reason_of(session: Session, delivery: Delivery) -> str | None:
    """Return the contact reason that an answer was given for."""
    if approval := approval_of(session, delivery):
        return approval.reason
    review = session.get(Review, delivery.review_id) if delivery.review_id else None
    return review.reason if review else None


def last_answer(session: Session, contact: Contact) -> Delivery | None:
    """Return the answer that a contact was sent last; a question back is none."""
    query = (
        select(Delivery)
        .where(Delivery.contact_id == contact.id, Delivery.status == "sent")
        .order_by(Delivery.sent_at.desc(), Delivery.id.desc())
    )
    return next((one for one in session.scalars(query) if one.draft["kind"] == "answer"), None)
