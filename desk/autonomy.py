"""How promotion works: contact reasons earn to be answered without a person, and lose it at once.

A reason is in ``review`` until its evidence (:mod:`desk.autonomy_evidence`) passes the test of
:mod:`desk.earning`; it is ``eligible`` then, and on ``autopilot`` once a supervisor signed. Anything
bad puts it back to review, where its evidence begins anew. A reason that its tier or the map locks
stays ``locked`` until an admin says why not. What the delivery asks last is in
:mod:`desk.autopilot`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, Conflict, NotFound, Refused
from core.vocabulary import Autonomy as State
from core.vocabulary import Tier
from desk.audit import DESK, write_audit
from desk.autonomy_evidence import begin_anew, demote, hold_reason, note_evidence
from desk.autonomy_models import AutopilotApproval, ReasonAutonomy
from desk.autonomy_records import demands_of, flagged_titles, record_of
from desk.autopilot import (
    RULES_CHANGED,
    Rulebook,
    approval_of,
    hold_switch,
    locks_of,
    reason_of,
    same_for_answers,
    state_of,
    switch_of,
)
from desk.contacts import hold_contact
from desk.earning import Demands, Record, Standing, log_e_values, standing_of
from desk.models import AuditEvent, Contact, Delivery, Person
from desk.operations_file import OperationsFile
from desk.permissions import Actor, require
from desk.qa_models import SEEDED
from graph.autopilot import BY_AUTOPILOT
from graph.reasons import Reason
from graph.values import Clearance

CHANGES: Final = (
    "autonomy.proposed",
    "autonomy.withdrawn",
    "autonomy.signed",
    "autonomy.returned",
    "autonomy.demoted",
    "autonomy.renewed",
    "autonomy.locked",
    "autonomy.unlocked",
    "autonomy.marked_wrong",
    "autopilot.stopped",
    "autopilot.resumed",
)
"""The events of the trail that tell what became of reasons and of the switch."""
_STRICTER: Final = "More is asked of it now than when it was signed."
_LOOK_AGAIN: Final = timedelta(minutes=10)
_MEASURED: Final = 200
"""Contacts whose mean confidence is kept when a reason is signed."""
_DRIFT_OVER: Final = (20, 50)
"""How many of the newest contacts a drift is told by: at least, at most."""
_MOST_REASON: Final = 500
_AT_ONCE: Final = 25


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """Where one contact reason stands.

    Attributes:
        tier: The mildest tier that its contacts may have.
        by: Who put it there; a person's id or ``desk``.
        cause: Why, in one sentence; "" where it is as it began.
        round: Number of its evidence: after a demotion evidence begins anew.
        locked_by_map: Whether its tier or the map locks it, unless an admin unlocks.
        limit: Mean loss it must be shown to stay below.
        sent: Answers that left on autopilot since it was signed; 0 elsewhere.
    """

    reason: str
    name: str
    owner: str | None
    tier: Tier
    state: State
    since: datetime | None
    by: str
    cause: str
    round: int
    locked_by_map: bool
    limit: float
    sent: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Step:
    """One answer that counts, and how far the reason was after it.

    Attributes:
        number: From 1.
        loss: From 0, good as it was, to 1.
        log_e: The natural logarithm of the e-value after it.
    """

    number: int
    loss: float
    log_e: float


@dataclass(frozen=True, slots=True)
class SwitchView:
    """The switch that stops autopilot for everything."""

    on: bool
    by: str
    at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Change:
    """Something that became of a reason or of the switch; ``reason`` is None for the switch."""

    at: datetime
    actor: str
    event: str
    reason: str | None
    cause: str


class Autonomy:
    """Promotes and demotes contact reasons. Implements :class:`graph.ports.Autonomy`.

    Args:
        database: Holds evidence and states.
        clock: Tells the time.
        rulebook: The rules in force, and their names.
        operations: What the team asks of a reason.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        rulebook: Rulebook,
        operations: Callable[[], OperationsFile],
    ) -> None:
        self._database = database
        self._clock = clock
        self._rulebook = rulebook
        self._operations = operations

    # What a run asks

    def clearance(self, contact_id: str, reason: str | None, articles: Sequence[str]) -> Clearance:
        """Return what holds now for a contact of ``reason`` whose draft cites ``articles``."""
        now = self._clock.now()
        entry = self._rulebook.reasons().get(reason)
        with self._database.read() as session:
            row = session.get(ReasonAutonomy, reason) if reason is not None else None
            contact = session.get(Contact, contact_id)
            switch = switch_of(session)
            flagged = flagged_titles(session, articles)
        state = state_of(row, entry)
        if row and state == "autopilot" and (cause := self._why_void(row)):
            self._demote(row.reason, cause, now, {"kind": "rules"})
            state = "review"
        seeded = contact is not None and contact.origin == SEEDED
        return {
            "state": state,
            "round": row.round if row else 1,
            "on": switch is None or switch.on,
            "e_value": row.e_value if row else 1.0,
            "least_confidence": self._operations().autonomy.least_confidence,
            "flagged": flagged,
            "barred": "A seeded check is never sent." if seeded else "",
        }

    # What people look at

    def lines(self, actor: Actor) -> list[ReasonLine]:
        """Return every contact reason of the map: what a supervisor can act on comes first."""
        require(actor, "promote")
        self._look_at([reason.id for reason in self._rulebook.reasons()])
        with self._database.read() as session:
            rows = {row.reason: row for row in session.scalars(select(ReasonAutonomy))}
            sent = _sent_since_signed(session)
        found = [
            self._line(reason, rows.get(reason.id), sent) for reason in self._rulebook.reasons()
        ]
        order = ("eligible", "autopilot", "review", "locked")
        return sorted(
            found,
            key=lambda one: (
                order.index(one.state),
                one.tier != "allowed",
                -one.standing.progress,
                one.name,
            ),
        )

    def line(self, actor: Actor, reason_id: str) -> ReasonLine:
        """Return one contact reason. Raises NotFound."""
        require(actor, "promote")
        reason = self._entry(reason_id)
        self._look_at([reason_id])
        with self._database.read() as session:
            row = session.get(ReasonAutonomy, reason_id)
            sent = _sent_since_signed(session)
        return self._line(reason, row, sent)

    def steps(self, actor: Actor, reason_id: str) -> list[Step]:
        """Return how the evidence of a reason grew, answer by answer, since it began."""
        require(actor, "promote")
        now = self._clock.now()
        limit = self._operations().autonomy.limit_of(reason_id)
        with self._database.read() as session:
            row = session.get(ReasonAutonomy, reason_id)
            record = record_of(session, row, self._operations(), now) if row else None
        losses = record.losses if record else ()
        grown = log_e_values(losses, limit)
        return [
            Step(number, loss, float(log_e))
            for number, (loss, log_e) in enumerate(zip(losses, grown, strict=True), start=1)
        ]

    def switch(self) -> SwitchView:
        """Return whether autopilot runs at all."""
        with self._database.read() as session:
            row = switch_of(session)
        return (
            SwitchView(row.on, row.by, row.at, row.why) if row else SwitchView(True, "", None, "")
        )

    def history(self, actor: Actor, reason_id: str | None = None, limit: int = 50) -> list[Change]:
        """Return what became of reasons and the switch, newest first; of one reason, if given."""
        require(actor, "promote")
        query = (
            select(AuditEvent)
            .where(AuditEvent.event.in_(CHANGES))
            .order_by(AuditEvent.id.desc())
            .limit(limit)
        )
        if reason_id is not None:
            named = AuditEvent.data["reason"].as_string()
            query = query.where(or_(named == reason_id, AuditEvent.event.like("autopilot.%")))
        with self._database.read() as session:
            return [
                Change(
                    row.at, row.actor, row.event, row.data.get("reason"), row.data.get("cause", "")
                )
                for row in session.scalars(query)
            ]

    # What people decide

    def sign(self, actor: Actor, reason_id: str) -> None:
        """Let a reason that has earned it answer without a person; again changes nothing.

        Raises:
            NotFound: The map has no such reason.
            Conflict: Somebody else signed it already.
            Refused: It is locked, or its evidence does not suffice (any more); says what is missing.
        """
        require(actor, "promote")
        reason = self._entry(reason_id)
        now = self._clock.now()
        with self._database.write() as session:
            row = hold_reason(session, reason_id, now)
            if state_of(row, reason) == "locked":
                raise Refused(f"{reason.name} is locked: an admin may unlock it, with a reason.")
            if row.state == "autopilot" and row.by == actor.id:
                return
            if row.state == "autopilot":
                raise Conflict(
                    f"{_name(session, row.by)} signed it at {row.since:%Y-%m-%d %H:%M} UTC."
                )
            standing = self._refresh(session, row, reason, now)
            if not standing.eligible:
                raise Refused(f"{reason.name} is not eligible. {' '.join(standing.missing)}")
            row.state, row.since, row.by = "autopilot", now, actor.id
            row.cause = f"Signed on {_answers(standing)}."
            row.rules = self._rulebook.name(reason_id)
            row.confidence = _mean_confidence(session, reason_id, _MEASURED)
            evidence = _told(standing, row, self._demands(reason_id))
            write_audit(
                session,
                now,
                actor.id,
                "autonomy.signed",
                data={"reason": reason_id, "cause": row.cause, **evidence},
            )

    def return_to_review(self, actor: Actor, reason_id: str, why: str) -> None:
        """Take a reason off autopilot; its evidence begins anew.

        Raises:
            BadInput: No reason why is given.
            Conflict: It is not on autopilot.
        """
        require(actor, "promote")
        self._change(actor, self._entry(reason_id), "review", "autonomy.returned", _said(why))

    def lock(self, actor: Actor, reason_id: str, why: str) -> None:
        """Lock a reason: it earns nothing until an admin unlocks it.

        Raises:
            BadInput: No reason why is given.
            Conflict: It is locked.
        """
        require(actor, "promote")
        self._change(actor, self._entry(reason_id), "locked", "autonomy.locked", _said(why))

    def unlock(self, actor: Actor, reason_id: str, why: str) -> None:
        """Unlock a reason, whether its tier, the map or a person locked it; it is in review then.

        Raises:
            BadInput: No reason why is given.
            Conflict: It is not locked.
        """
        require(actor, "unlock_reasons")
        reason = self._entry(reason_id)
        cause = _said(why)
        now = self._clock.now()
        with self._database.write() as session:
            row = hold_reason(session, reason_id, now)
            if state_of(row, reason) != "locked":
                raise Conflict(f"{reason.name} is not locked.")
            begin_anew(row, now)
            row.state, row.since, row.by, row.cause = "review", now, actor.id, cause
            row.unlocked_by, row.unlocked = actor.id, " ".join(sorted(locks_of(reason)))
            write_audit(
                session,
                now,
                actor.id,
                "autonomy.unlocked",
                data={"reason": reason_id, "cause": cause, "tier": reason.tier},
            )

    def stop(self, actor: Actor, why: str = "") -> None:
        """Stop autopilot for everything; what has not left goes to a person. Again changes nothing."""
        require(actor, "promote")
        self._turn(actor, on=False, cause=why.strip()[:_MOST_REASON])

    def resume(self, actor: Actor, why: str) -> None:
        """Let autopilot run again. Raises BadInput where no reason why is given."""
        require(actor, "promote")
        self._turn(actor, on=True, cause=_said(why))

    def mark_wrong(
        self, actor: Actor, contact_id: str, why: str, delivery_id: str | None = None
    ) -> None:
        """Say that an answer of a contact was wrong; its reason leaves autopilot at once.

        Args:
            actor: Who says so.
            contact_id: The contact.
            why: Why it was wrong.
            delivery_id: The answer; by default the last one.

        Raises:
            BadInput: No reason why is given.
            NotFound: There is no such contact, or no such answer of it.
            Conflict: It was marked before, or a person approved it and it can still be called back.
        """
        require(actor, "promote")
        cause = _said(why)
        now = self._clock.now()
        with self._database.write() as session:
            hold_contact(session, contact_id)
            delivery = _answer(session, contact_id, delivery_id)
            if delivery.status == "scheduled" and delivery.approved_by != BY_AUTOPILOT:
                raise Conflict("This answer has not left: call it back.")
            reason = reason_of(session, delivery)
            key = f"wrong:{delivery.id}"
            if session.scalar(select(AuditEvent.id).where(AuditEvent.key == key)):
                raise Conflict("This answer was marked wrong before.")
            note_evidence(
                session,
                key=key,
                reason=reason,
                kind="rejected",
                loss=1.0,
                at=now,
                review_id=delivery.review_id,
                contact_id=contact_id,
            )
            write_audit(
                session,
                now,
                actor.id,
                "autonomy.marked_wrong",
                contact_id=contact_id,
                review_id=delivery.review_id,
                key=key,
                data={
                    "reason": reason,
                    "cause": cause,
                    "delivery": delivery.id,
                    "autopilot": approval_of(session, delivery) is not None,
                },
            )

    # What time brings

    def sweep(self) -> list[str]:
        """Look at every reason anew; return the ones that left autopilot.

        Demotes where a source that its answers rest on was flagged, the rules changed, or the
        desk has become less sure what its contacts are about. Safe to repeat.
        """
        now = self._clock.now()
        demoted = []
        with self._database.read() as session:
            flying = list(
                session.scalars(
                    select(ReasonAutonomy.reason).where(ReasonAutonomy.state == "autopilot")
                )
            )
        for reason_id in flying:
            with self._database.write() as session:
                row = hold_reason(session, reason_id, now)
                if row.state == "autopilot" and self._fell(session, row, now):
                    demoted.append(reason_id)
        self._look_at([reason.id for reason in self._rulebook.reasons()], every=True)
        return demoted

    def _fell(self, session: Session, row: ReasonAutonomy, now: datetime) -> bool:
        """Demote a reason on autopilot that the caller holds if time gave cause; tell whether."""
        if cause := self._why_void(row):
            demote(session, row, cause, now, {"kind": "rules"})
            return True
        if record_of(session, row, self._operations(), now).flagged:
            note_evidence(
                session,
                key=f"stale:{row.reason}:{row.round}",
                reason=row.reason,
                kind="stale",
                loss=0.0,
                at=now,
            )
            return True
        least, most = _DRIFT_OVER
        recent = _mean_confidence(session, row.reason, most, row.since, least)
        if recent is None or row.confidence is None:
            return False
        if row.confidence - recent <= self._operations().autonomy.confidence_drift:
            return False
        cause = (
            f"The desk was {row.confidence:.0%} sure what its contacts are about and now is "
            f"{recent:.0%}."
        )
        demote(session, row, cause, now, {"kind": "drift", "was": row.confidence, "is": recent})
        return True

    # Within

    def _entry(self, reason_id: str) -> Reason:
        reason = self._rulebook.reasons().get(reason_id)
        if reason is None:
            raise NotFound(f"The contact reason map has no {reason_id!r}.")
        return reason

    def _demands(self, reason_id: str) -> Demands:
        return demands_of(self._operations(), reason_id)

    def _why_void(self, row: ReasonAutonomy) -> str:
        """Return why the signature of a reason on autopilot holds no longer; "" while it does."""
        if row.rules != self._rulebook.name(row.reason):
            return RULES_CHANGED
        signed, demands = row.standing or {}, self._demands(row.reason)
        if demands.limit < signed.get("limit", 0.0):
            return _STRICTER
        if 1 / demands.error_of_test > signed.get("wanted", math.inf):
            return _STRICTER
        return ""

    def _line(self, reason: Reason, row: ReasonAutonomy | None, sent: dict[str, int]) -> ReasonLine:
        known = row.standing if row else None
        standing = (
            Standing(
                **{**known, "missing": tuple(known["missing"]), "notes": tuple(known["notes"])}
            )
            if known
            else standing_of(Record((), tier=reason.tier), self._demands(reason.id))
        )
        state = state_of(row, reason)
        return ReasonLine(
            reason=reason.id,
            name=reason.name,
            owner=reason.owner,
            tier=reason.tier,
            state=state,
            since=row.since if row else None,
            by=row.by if row else DESK,
            cause=row.cause if row else "",
            round=row.round if row else 1,
            locked_by_map=bool(locks_of(reason)),
            limit=self._demands(reason.id).limit,
            sent=sent.get(reason.id, 0),
            standing=standing,
        )

    def _look_at(self, reasons: Sequence[str], *, every: bool = False) -> None:
        """Look anew at the evidence of these reasons where something came since, or time passed."""
        now = self._clock.now()
        query = select(ReasonAutonomy.reason).where(
            ReasonAutonomy.reason.in_(reasons), ReasonAutonomy.state.in_(("review", "eligible"))
        )
        if not every:
            old = ReasonAutonomy.looked_at < now - _LOOK_AGAIN
            query = query.where(or_(ReasonAutonomy.looked_at.is_(None), old))
        flying = select(ReasonAutonomy).where(
            ReasonAutonomy.reason.in_(reasons), ReasonAutonomy.state == "autopilot"
        )
        with self._database.read() as session:
            due = list(session.scalars(query))
            signed = list(session.scalars(flying))
        for one in signed:
            if cause := self._why_void(one):
                self._demote(one.reason, cause, now, {"kind": "rules"})
        # Some in one commit, and in one order, so that two who look never wait for each other.
        due.sort()
        for start in range(0, len(due), _AT_ONCE):
            with self._database.write() as session:
                for reason_id in due[start : start + _AT_ONCE]:
                    row = hold_reason(session, reason_id, now)
                    reason = self._rulebook.reasons().get(reason_id)
                    if reason is not None and row.state in ("review", "eligible"):
                        self._refresh(session, row, reason, now)

    def _refresh(
        self, session: Session, row: ReasonAutonomy, reason: Reason, now: datetime
    ) -> Standing:
        """Bring a reason in review that the caller holds up to its evidence; propose it or not."""
        rules = self._rulebook.name(reason.id)
        if row.rules and not same_for_answers(row.rules, rules):
            begin_anew(row, now)
            row.state = "review"
            write_audit(
                session,
                now,
                DESK,
                "autonomy.renewed",
                data={
                    "reason": reason.id,
                    "cause": "The rules its answers are written by changed.",
                },
            )
            session.flush()
        row.rules = rules
        # A lock that was opened and taken out of the map is a new one when it is put back.
        row.unlocked = " ".join(sorted(set(row.unlocked.split()) & locks_of(reason)))
        demands = self._demands(reason.id)
        record = record_of(session, row, self._operations(), now, reason.tier)
        standing = standing_of(record, demands)
        row.e_value, row.answers, row.loss = standing.e_value, standing.answers, standing.loss
        row.standing, row.looked_at = asdict(standing), now
        proposed = standing.eligible and state_of(row, reason) != "locked"
        if proposed != (row.state == "eligible"):
            row.state, row.since, row.by = ("eligible" if proposed else "review"), now, DESK
            row.cause = f"It has {_answers(standing)}." if proposed else " ".join(standing.missing)
            event = "autonomy.proposed" if proposed else "autonomy.withdrawn"
            evidence = _told(standing, row, demands)
            write_audit(
                session,
                now,
                DESK,
                event,
                data={"reason": reason.id, "cause": row.cause, **evidence},
            )
        return standing

    def _demote(self, reason_id: str, cause: str, now: datetime, told: dict[str, object]) -> None:
        with self._database.write() as session:
            row = hold_reason(session, reason_id, now)
            if row.state == "autopilot":
                demote(session, row, cause, now, told)

    def _change(self, actor: Actor, reason: Reason, to: State, event: str, cause: str) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            row = hold_reason(session, reason.id, now)
            if row.state == to:
                raise Conflict(f"{reason.name} is {_words(row.state)} already.")
            if to == "review" and row.state != "autopilot":
                raise Conflict(f"{reason.name} is {_words(row.state)}, not on autopilot.")
            was = row.state
            begin_anew(row, now)
            row.state, row.since, row.by, row.cause = to, now, actor.id, cause
            if to == "locked":
                row.unlocked_by, row.unlocked = None, ""
            write_audit(
                session,
                now,
                actor.id,
                event,
                data={"reason": reason.id, "from": was, "cause": cause},
            )

    def _turn(self, actor: Actor, *, on: bool, cause: str) -> None:
        now = self._clock.now()
        with self._database.write() as session:
            row = hold_switch(session, now)
            if row.on == on:
                return
            row.on, row.by, row.at, row.why = on, actor.id, now, cause
            event = "autopilot.resumed" if on else "autopilot.stopped"
            write_audit(session, now, actor.id, event, data={"cause": cause})


def _said(why: str) -> str:
    if not why.strip():
        raise BadInput("why: say why, in a sentence.")
    return why.strip()[:_MOST_REASON]


def _answers(standing: Standing) -> str:
    return (
        f"{standing.answers} answers with a loss of {standing.loss:.2g} in all, "
        f"an e-value of {standing.e_value:.3g}"
    )


def _told(standing: Standing, row: ReasonAutonomy, demands: Demands) -> dict[str, Any]:
    """Return what the trail keeps of the evidence of a proposal or a signature."""
    return {
        "round": row.round,
        "answers": standing.answers,
        "loss": standing.loss,
        "e_value": standing.e_value,
        "limit": demands.limit,
        "error_of_test": demands.error_of_test,
        "rules": row.rules,
    }


def _words(state: str) -> str:
    return {"review": "in review", "autopilot": "on autopilot"}.get(state, state)


def _name(session: Session, person_id: str) -> str:
    person = session.get(Person, person_id)
    return person.name if person else "Somebody"


def _answer(session: Session, contact_id: str, delivery_id: str | None) -> Delivery:
    """Return an answer that left a contact or is about to, the last by default; no question back."""
    query = (
        select(Delivery)
        .where(
            Delivery.contact_id == contact_id,
            Delivery.status.in_(("scheduled", "sending", "sent")),
        )
        .order_by(Delivery.created_at.desc(), Delivery.id.desc())
    )
    if delivery_id is not None:
        query = query.where(Delivery.id == delivery_id)
    found = next((one for one in session.scalars(query) if one.draft["kind"] == "answer"), None)
    if found is None:
        raise NotFound(f"Contact {contact_id} was sent no such answer.")
    return found


def _sent_since_signed(session: Session) -> dict[str, int]:
    """Return for each reason on autopilot how many answers left on it since it was signed."""
    query = (
        select(AutopilotApproval.reason, func.count())
        .join(ReasonAutonomy, ReasonAutonomy.reason == AutopilotApproval.reason)
        .join(Delivery, Delivery.key == AutopilotApproval.id)
        .where(
            ReasonAutonomy.state == "autopilot",
            AutopilotApproval.at >= ReasonAutonomy.since,
            Delivery.approved_by == BY_AUTOPILOT,
            Delivery.status == "sent",
        )
        .group_by(AutopilotApproval.reason)
    )
    return dict(session.execute(query).tuples().all())


def _mean_confidence(
    session: Session,
    reason_id: str,
    most: int,
    since: datetime | None = None,
    least: int = 1,
) -> float | None:
    """Return how sure the desk was of the newest contacts of a reason; None of fewer than ``least``."""
    query = (
        select(Contact.confidence)
        .where(Contact.reason == reason_id, Contact.origin != SEEDED)
        .order_by(Contact.id.desc())
        .limit(most)
    )
    if since is not None:
        query = query.where(Contact.created_at > since)
    found = cast("list[float]", list(session.scalars(query)))
    return sum(found) / len(found) if len(found) >= least else None
