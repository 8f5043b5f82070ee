"""The QA sample: drawing it, reading it blind, and what the readings say of all contacts.

A reading is blind: the reader sees what was asked and what left, not who decided it and not what
the other reader said, until both have read it. Nobody reads a contact twice, and nobody reads first
what they decided themselves.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, cast, get_args

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, Conflict, NotAllowed, NotFound
from core.identifiers import new_id
from core.vocabulary import ContactStatus
from desk.audit import write_audit
from desk.autonomy_evidence import note_evidence
from desk.autopilot import reason_of
from desk.models import AuditEvent, Contact, Delivery, Handoff, Review
from desk.operations_file import QaSection, ScorecardItem
from desk.permissions import Actor, require
from desk.qa_models import SEEDED, QaDraw, QaPick, QaScore
from desk.qa_report import DrawLine, QaReport, report_of
from desk.sampling import (
    DrawnStratum,
    Ended,
    Outcome,
    Pick,
    Risk,
    Stratum,
    draw,
)
from graph.autopilot import BY_AUTOPILOT
from graph.values import Draft

Mark = Literal["pass", "fail", "not_applicable"]
MARKS: Final[tuple[Mark, ...]] = get_args(Mark)
ENDED: Final[tuple[ContactStatus, ...]] = ("answered", "closed", "escalated", "failed")
_CAME_BACK_FROM: Final = ("answered", "closed")
_MOST_SEED: Final = 2**62
_MOST_PICKS: Final = 5_000
_MOST_NOTE: Final = 2_000


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """One contact that somebody may read now. ``second``: another person has read it already."""

    pick_id: str
    contact_id: str
    place: int
    second: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader sees of one pick beside the contact itself.

    Attributes:
        answer: What left; "" where nothing did.
        draft: The same, with its citations; None where nothing left.
        sent_at: When it left.
        drawn_at: What came later is not part of what is read.
        reason: The contact reason; None for none.
    """

    line: ReadingLine
    answer: str
    draft: Draft | None
    sent_at: datetime | None
    drawn_at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A contact that ended, with what decides its stratum and who may read it.

    Attributes:
        review_id: Its last decided review; None for none.
        by_desk: Whether the desk brought it to its end: no failure, and no person took it over.
    """

    ended: Ended
    review_id: str | None
    decided_by: str | None
    by_desk: bool


class QaSample:
    """Draws the sample, hands out readings, takes scores and reports.

    Args:
        section: What the workspace wants; asked anew each time.
    """

    def __init__(self, database: Database, clock: Clock, section: Callable[[], QaSection]) -> None:
        self._database = database
        self._clock = clock
        self._section = section

    def scorecard(self) -> tuple[ScorecardItem, ...]:
        """Return what readers judge."""
        return self._section().scorecard

    # Drawing

    def draw(
        self,
        actor: Actor,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        size: int | None = None,
        seed: int | None = None,
    ) -> str:
        """Draw a sample of the contacts that ended in a period; return the id of the draw.

        Args:
            actor: Who draws.
            since: Where the period begins; by default as many days back as the workspace says.
            until: The first moment after it; now by default.
            size: How many contacts; by default what the workspace says.
            seed: Draws the same sample again; by default nobody can foresee it.

        Raises:
            NotAllowed: The role may not draw.
            BadInput: The period is empty or lies ahead, the size or the seed is none, or no contact
                ended in the period.
        """
        require(actor, "sample_quality")
        section, now = self._section(), self._clock.now()
        until = until or now
        since = since or until - timedelta(days=section.days)
        size = section.size if size is None else size
        seed = secrets.randbelow(_MOST_SEED) if seed is None else seed
        if not since < until <= now:
            raise BadInput("The period must begin before it ends, and end no later than now.")
        if not 1 <= size <= _MOST_PICKS:
            raise BadInput(f"size: must be from 1 to {_MOST_PICKS:,}.")
        if not 0 <= seed < _MOST_SEED:
            raise BadInput(f"seed: must be from 0 to {_MOST_SEED - 1}.")
        with self._database.read() as session:  # it may take a while: nobody waits to write
            found = {one.ended.contact_id: one for one in _ended(session, since, until)}
            if not found:
                raise BadInput("No contact ended in this period: choose a longer one.")
            drawn = draw(
                [one.ended for one in found.values()],
                size,
                seed,
                section.attention,
                section.twice,
            )
            own_words = _own_words(session, [found[one.contact.contact_id] for one in drawn.picks])
        with self._database.write() as session:
            row = QaDraw(
                id=new_id("drw"),
                at=now,
                by=actor.id,
                seed=seed,
                since=since,
                until=until,
                cells=[_cell(one) for one in drawn.strata],
            )
            session.add(row)
            session.flush()
            for pick in drawn.picks:
                one = found[pick.contact.contact_id]
                own = one.ended.contact_id in own_words
                session.add(_pick_row(row.id, pick, one, own_words=own))
            told = {
                "draw": row.id,
                "seed": seed,
                "since": since.isoformat(),
                "until": until.isoformat(),
                "contacts": len(found),
                "picked": len(drawn.picks),
                "strata": {
                    f"{one.stratum.outcome}.{one.stratum.risk}": [one.contacts, one.picked]
                    for one in drawn.strata
                },
            }
            write_audit(session, now, actor.id, "qa.drawn", data=told)
        return row.id

    def draws(self, actor: Actor, limit: int = 20) -> list[DrawLine]:
        """Return the latest draws, the newest first."""
        require(actor, "sample_quality")
        query = select(QaDraw).order_by(QaDraw.id.desc()).limit(limit)
        with self._database.read() as session:
            rows = session.scalars(query).all()
            read = _read_of(session, [row.id for row in rows])
        return [_line(row, read.get(row.id, 0)) for row in rows]

    # Reading

    def to_read(self, actor: Actor, draw_id: str, limit: int = 20) -> list[ReadingLine]:
        """Return what this person may read next of a draw, in the order of reading.

        Raises:
            NotFound: There is no such draw.
        """
        require(actor, "sample_quality")
        with self._database.read() as session:
            _draw(session, draw_id)
            scored = exists().where(QaScore.pick_id == QaPick.id)
            mine = exists().where(QaScore.pick_id == QaPick.id, QaScore.reader == actor.id)
            second = exists().where(QaScore.pick_id == QaPick.id, QaScore.ordinal == 2)
            open_to_me: ColumnElement[bool] = or_(
                ~scored & or_(QaPick.decided_by.is_(None), QaPick.decided_by != actor.id),
                scored & QaPick.twice & ~mine & ~second,
            )
            query = (
                select(QaPick, scored)
                .where(QaPick.draw_id == draw_id, open_to_me)
                .order_by(QaPick.place)
                .limit(limit)
            )
            return [
                ReadingLine(pick.id, pick.contact_id, pick.place, bool(read))
                for pick, read in session.execute(query).tuples()
            ]

    def reading(self, actor: Actor, pick_id: str) -> Reading:
        """Return what a reader needs to judge one pick.

        Raises:
            NotFound: There is no such pick.
            NotAllowed: This person decided it or has read it already.
            Conflict: It has been read as often as it should be.
        """
        require(actor, "sample_quality")
        with self._database.read() as session:
            pick = _pick(session, pick_id)
            ordinal = _turn(actor, pick, _scores(session, pick_id))
            left = _left(session, pick)
            return Reading(
                line=ReadingLine(pick.id, pick.contact_id, pick.place, ordinal == 2),
                answer=left.text if left else "",
                draft=cast(Draft, left.draft) if left else None,
                sent_at=left.sent_at if left else None,
                drawn_at=session.get_one(QaDraw, pick.draw_id).at,
                reason=pick.reason,
            )

    def score(
        self,
        actor: Actor,
        pick_id: str,
        marks: Mapping[str, str],
        notes: Mapping[str, str] | None = None,
    ) -> bool:
        """Take what a reader says of one pick; return whether it passes.

        It fails when an item that the scorecard calls critical fails.

        Args:
            actor: Who read it.
            pick_id: What was read.
            marks: Item of the scorecard → ``pass``, ``fail`` or ``not_applicable``; every item.
            notes: Item → a sentence; needed where the mark is ``fail``.

        Raises:
            NotFound: There is no such pick.
            NotAllowed: This person decided it or has read it already.
            Conflict: It has been read as often as it should be.
            BadInput: An item lacks its mark, or a fail its sentence.
        """
        require(actor, "sample_quality")
        card = self.scorecard()
        kept = _notes_of(card, marks, notes or {})
        failed = [item.id for item in card if marks[item.id] == "fail"]
        passed = not any(item.critical and item.id in failed for item in card)
        now = self._clock.now()
        with self._database.write() as session:
            # Held first: of two who read the same at once, the second is told so.
            pick = session.get(QaPick, pick_id, with_for_update=True)
            if pick is None:
                raise NotFound(f"There is no pick {pick_id!r}.")
            before = _scores(session, pick_id)
            ordinal = _turn(actor, pick, before)
            session.add(
                QaScore(
                    id=new_id("scr"),
                    pick_id=pick_id,
                    ordinal=ordinal,
                    reader=actor.id,
                    at=now,
                    marks={item.id: marks[item.id] for item in card},
                    notes=kept,
                    passed=passed,
                )
            )
            write_audit(
                session,
                now,
                actor.id,
                "qa.scored",
                contact_id=pick.contact_id,
                review_id=pick.review_id,
                data={
                    "pick": pick_id,
                    "draw": pick.draw_id,
                    "reading": ordinal,
                    "passed": passed,
                    "failed": failed,
                },
            )
            session.flush()
            if not before or (before[0].passed and not passed):
                _tell_of_reason(session, pick, ordinal, passed, now)
        return passed

    # Reporting

    def report(self, actor: Actor, draw_id: str) -> QaReport:
        """Return what the first readings of a draw say of all contacts of its period.

        Raises:
            NotFound: There is no such draw.
        """
        require(actor, "sample_quality")
        card = self.scorecard()
        with self._database.read() as session:
            row = _draw(session, draw_id)
            line = _line(row, _read_of(session, [row.id]).get(row.id, 0))
            query = (
                select(QaPick, QaScore)
                .join(QaScore, QaScore.pick_id == QaPick.id)
                .where(QaPick.draw_id == draw_id)
                .order_by(QaPick.place, QaScore.ordinal)
            )
            read: dict[str, tuple[QaPick, list[QaScore]]] = {}
            for pick, score in session.execute(query).tuples():
                read.setdefault(pick.id, (pick, []))[1].append(score)
        return report_of(line, row, list(read.values()), card)


def _cell(one: DrawnStratum) -> dict[str, Any]:
    return {
        "outcome": one.stratum.outcome,
        "risk": one.stratum.risk,
        "contacts": one.contacts,
        "picked": one.picked,
        "reasons": one.reasons,
    }


def _pick_row(draw_id: str, pick: Pick, one: _Candidate, *, own_words: bool) -> QaPick:
    return QaPick(
        id=new_id("pck"),
        draw_id=draw_id,
        contact_id=pick.contact.contact_id,
        review_id=one.review_id,
        place=pick.place,
        outcome=pick.contact.stratum.outcome,
        risk=pick.contact.stratum.risk,
        reason=pick.contact.reason or None,
        probability=pick.probability,
        twice=pick.twice,
        decided_by=one.decided_by,
        own_words=own_words,
    )


def outcome_of(
    status: str, *, kind: str | None, autopilot: bool, handed: bool, came_back: bool
) -> Outcome:
    """Return how a contact ended, the gravest first. Pure.

    Args:
        status: Where the contact stands: answered, closed, escalated or failed.
        kind: The last decision on it; None where nobody decided.
        autopilot: Whether an answer left that nobody had approved.
        handed: Whether it was ever handed to a person.
        came_back: Whether the customer came back after an answer.
    """
    if status == "failed":
        return "failed"
    if came_back:
        return "reopened"
    if handed or status == "escalated":
        return "escalated"
    if autopilot:
        return "autopilot"
    if kind in ("edit", "answer"):
        return "corrected"
    return "solved_looking" if status == "closed" else "accepted"


def _ended(session: Session, since: datetime, until: datetime) -> list[_Candidate]:
    """Return the contacts that ended in a period; nothing of their texts is read."""
    rows = (
        select(Contact.id, Contact.status, Contact.tier, Contact.reason)
        .where(
            Contact.updated_at >= since,
            Contact.updated_at < until,
            Contact.status.in_(ENDED),
            Contact.origin != SEEDED,
        )
        .order_by(Contact.id)
    )
    ids = rows.with_only_columns(Contact.id).order_by(None)
    decided: dict[str, tuple[str, str, str | None]] = {}
    query = (
        select(Review.contact_id, Review.id, Review.decision["kind"].as_string(), Review.decided_by)
        .where(Review.contact_id.in_(ids), Review.status == "decided")
        .order_by(Review.id)
    )
    for contact_id, review_id, kind, person in session.execute(query).tuples():
        decided[contact_id] = (review_id, kind, person)
    by_itself = set(
        session.scalars(
            select(Delivery.contact_id).where(
                Delivery.contact_id.in_(ids),
                Delivery.approved_by == BY_AUTOPILOT,
                Delivery.status == "sent",
            )
        )
    )
    handed = set(session.scalars(select(Handoff.contact_id).where(Handoff.contact_id.in_(ids))))
    back = set(
        session.scalars(
            select(AuditEvent.contact_id).where(
                AuditEvent.event == "contact.reopened",
                AuditEvent.contact_id.in_(ids),
                AuditEvent.data["from"].as_string().in_(_CAME_BACK_FROM),
            )
        )
    )
    found = []
    for contact_id, status, tier, reason in session.execute(rows).tuples():
        review_id, kind, person = decided.get(contact_id, (None, None, None))
        outcome = outcome_of(
            status,
            kind=kind,
            autopilot=contact_id in by_itself,
            handed=contact_id in handed,
            came_back=contact_id in back,
        )
        risk: Risk = "low" if tier == "allowed" else "high"
        found.append(
            _Candidate(
                Ended(contact_id, Stratum(outcome, risk), reason or ""),
                review_id,
                person,
                status != "failed" and contact_id not in handed,
            )
        )
    return found


def _own_words(session: Session, candidates: Iterable[_Candidate]) -> set[str]:
    """Return the contacts of which what left last was the draft of a run as it stood."""
    state = Review.state
    query = (
        select(
            Delivery.contact_id,
            Delivery.approved_by,
            Review.decision["kind"].as_string(),
            state[("draft", "drafter")].as_string(),
            state[("autopilot", "draft_digest")].as_string(),
            state[("evidence", "draft_digest")].as_string(),
        )
        .outerjoin(Review, Review.id == Delivery.review_id)
        .where(
            Delivery.contact_id.in_([one.ended.contact_id for one in candidates if one.by_desk]),
            Delivery.status == "sent",
        )
        .order_by(Delivery.sent_at, Delivery.id)
    )
    own = {}
    for contact_id, by, kind, drafter, written, left in session.execute(query).tuples():
        as_it_stood = kind == "approve" and (written is None or written == left)
        by_run = not (drafter or "").startswith("person:")
        own[contact_id] = by == BY_AUTOPILOT or (as_it_stood and by_run)
    return {contact_id for contact_id, ours in own.items() if ours}


def _turn(actor: Actor, pick: QaPick, scores: Sequence[QaScore]) -> Literal[1, 2]:
    """Return which reading of a pick it is this person's turn for."""
    if any(score.reader == actor.id for score in scores):
        raise NotAllowed("You have read this one: another person gives the second reading.")
    if not scores:
        if pick.decided_by == actor.id:
            raise NotAllowed("You decided this one: another person reads it first.")
        return 1
    if not pick.twice or len(scores) > 1:
        raise Conflict("This one has been read: go on with the next.")
    return 2


def _notes_of(
    card: Sequence[ScorecardItem], marks: Mapping[str, str], notes: Mapping[str, str]
) -> dict[str, str]:
    known = {item.id for item in card}
    if unknown := sorted((marks.keys() | notes.keys()) - known):
        raise BadInput(f"{unknown[0]}: the scorecard has no such item; it has {listed(known)}.")
    kept = {name: note.strip() for name, note in notes.items() if note.strip()}
    for item in card:
        mark = marks.get(item.id)
        if mark not in MARKS:
            raise BadInput(f"{item.id}: needs one of {', '.join(MARKS)}.")
        if mark == "fail" and item.id not in kept:
            raise BadInput(f"{item.id}: a fail needs a sentence that says why.")
        if len(kept.get(item.id, "")) > _MOST_NOTE:
            raise BadInput(f"{item.id}: a note has up to {_MOST_NOTE:,} characters.")
    return kept


def listed(names: Iterable[str]) -> str:
    """Return names one after the other, in alphabetical order."""
    return ", ".join(sorted(names))


def _tell_of_reason(
    session: Session, pick: QaPick, ordinal: int, passed: bool, now: datetime
) -> None:
    """Note for the contact reason what a reader said of a draft that left as the desk wrote it."""
    left = _left(session, pick) if pick.own_words else None
    # What the contact is about may have been corrected since: then another reason is innocent.
    reason = reason_of(session, left) if left else None
    if left is None or reason is None:
        return
    note_evidence(
        session,
        key=f"qa:{pick.id}:{ordinal}",
        reason=reason,
        kind="qa_passed" if passed else "qa_failed",
        loss=0.0 if passed else 1.0,
        at=now,
        review_id=left.review_id,
        contact_id=pick.contact_id,
    )


def _left(session: Session, pick: QaPick) -> Delivery | None:
    """Return the answer that was drawn; a later one is somebody else's, perhaps the reader's."""
    query = (
        select(Delivery)
        .where(
            Delivery.contact_id == pick.contact_id,
            Delivery.status == "sent",
            Delivery.sent_at <= session.get_one(QaDraw, pick.draw_id).at,
        )
        .order_by(Delivery.sent_at.desc(), Delivery.id.desc())
        .limit(1)
    )
    return session.scalar(query)


def _read_of(session: Session, draws: Sequence[str]) -> dict[str, int]:
    """Return draw → how many of its contacts were read."""
    query = (
        select(QaPick.draw_id, func.count())
        .join(QaScore, QaScore.pick_id == QaPick.id)
        .where(QaPick.draw_id.in_(draws), QaScore.ordinal == 1)
        .group_by(QaPick.draw_id)
    )
    return dict(session.execute(query).tuples().all())


def _line(row: QaDraw, read: int) -> DrawLine:
    cells: list[dict[str, Any]] = row.cells
    return DrawLine(
        row.id,
        row.at,
        row.by,
        row.seed,
        row.since,
        row.until,
        sum(cell["contacts"] for cell in cells),
        sum(cell["picked"] for cell in cells),
        read,
    )


def _draw(session: Session, draw_id: str) -> QaDraw:
    row = session.get(QaDraw, draw_id)
    if row is None:
        raise NotFound(f"There is no draw {draw_id!r}.")
    return row


def _pick(session: Session, pick_id: str) -> QaPick:
    row = session.get(QaPick, pick_id)
    if row is None:
        raise NotFound(f"There is no pick {pick_id!r}.")
    return row


def _scores(session: Session, pick_id: str) -> list[QaScore]:
    query = select(QaScore).where(QaScore.pick_id == pick_id).order_by(QaScore.ordinal)
    return list(session.scalars(query))
