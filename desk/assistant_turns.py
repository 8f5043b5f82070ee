"""What was said about a contact: kept, read, and marked with what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import Conflict, NotFound
from core.identifiers import new_id
from desk.audit import DESK, write_audit
from desk.models import ChatTurn, Contact, Review
from desk.permissions import Actor
from graph.chat_requests import Request, RequestKind
from graph.draft import draft_digest
from graph.values import CheckReport, Draft

TurnStatus = Literal["said", "answer", "proposed", "used", "discarded"]

_USED: Final = "This proposal was used already: look at the draft that waits now."
_RANDOM_DIGITS: Final = 10  # of an id, after the digits that tell its millisecond


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that was said about a contact.

    Attributes:
        by: Id of the person; None for the assistant.
        draft: The proposed draft, or the answer to the agent; None where it is only said.
        report: What the check holds against it.
        status: ``said``, ``answer``, ``proposed``, ``used`` or ``discarded``.
    """

    id: str
    by: str | None
    kind: RequestKind
    text: str
    draft: Draft | None
    report: CheckReport | None
    status: TurnStatus
    review_id: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Reply:
    """What the assistant says to one request.

    Attributes:
        draft: The draft it proposes, or the answer to the agent; None where it only says something.
        status: ``said``, ``answer`` or ``proposed``.
    """

    said: str
    draft: Draft | None = None
    status: TurnStatus = "said"


class Turns:
    """Keeps what was said about contacts.

    Args:
        database: The records.
        clock: The time.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def of_contact(self, contact_id: str, limit: int) -> list[Turn]:
        """Return what was said about a contact, the oldest of the last ``limit`` turns first."""
        query = (
            select(ChatTurn)
            .where(ChatTurn.contact_id == contact_id)
            .order_by(ChatTurn.id.desc())
            .limit(limit)
        )
        with self._database.read() as session:
            return [_turn(row) for row in reversed(session.scalars(query).all())]

    def proposal(self, contact_id: str) -> Turn | None:
        """Return the proposal that is open: the last one on the review that waits; None if none."""
        with self._database.read() as session:
            review = waiting(session, contact_id)
            row = proposed(session, contact_id, review.id) if review else None
            return _turn(row) if row else None

    def get(self, contact_id: str, turn_id: str) -> Turn:
        """Return one turn. Raises NotFound."""
        with self._database.read() as session:
            return _turn(_row(session, contact_id, turn_id))

    def keep(
        self,
        actor: Actor,
        contact_id: str,
        review_id: str | None,
        request: Request,
        reply: Reply,
        report: CheckReport | None,
    ) -> Turn:
        """Keep a request and the reply to it, in one unit of work; return the reply's turn."""
        now = self._clock.now()
        told = ChatTurn(
            id=new_id("say"),
            contact_id=contact_id,
            review_id=review_id,
            by=actor.id,
            kind=request.kind,
            text=request.text,
            status="said",
            at=now,
        )
        # Ids of one millisecond do not sort by themselves.
        answer_id = new_id("say")
        while answer_id[:-_RANDOM_DIGITS] <= told.id[:-_RANDOM_DIGITS]:
            answer_id = new_id("say")
        answer = ChatTurn(
            id=answer_id,
            contact_id=contact_id,
            review_id=review_id,
            by=DESK,
            kind=request.kind,
            text=reply.said,
            draft=cast("dict[str, object] | None", reply.draft),
            report=cast("dict[str, object] | None", report),
            status=reply.status,
            at=now,
        )
        with self._database.write() as session:
            session.add_all([told, answer])
            write_audit(
                session,
                now,
                actor.id,
                f"assistant.{'asked' if reply.status != 'proposed' else 'proposed'}",
                contact_id=contact_id,
                review_id=review_id,
                data=_for_audit(request, reply, report),
            )
            session.flush()
            return _turn(answer)

    def mark(self, actor: Actor, contact_id: str, turn_id: str, status: TurnStatus) -> None:
        """Note what became of a turn; noting the same again changes nothing.

        Raises:
            NotFound: There is no such turn.
            Conflict: It is to be taken back and was used.
        """
        now = self._clock.now()
        with self._database.write() as session:
            row = _row(session, contact_id, turn_id, lock=True)
            if row.status == status:
                return
            if row.status == "used":
                raise Conflict(_USED)
            row.status = status
            write_audit(
                session,
                now,
                actor.id,
                f"assistant.{status}",
                contact_id=contact_id,
                review_id=row.review_id,
                data={"turn": turn_id},
            )

    def open_proposal(self, contact_id: str, turn_id: str) -> Turn:
        """Return a proposal that may still be used.

        Raises:
            NotFound: There is no such proposal.
            Conflict: It was used, or the draft that it was made from waits no more.
        """
        with self._database.read() as session:
            turn = _turn(_row(session, contact_id, turn_id))
            review = waiting(session, contact_id)
        if turn.draft is None or turn.review_id is None or turn.status not in ("proposed", "used"):
            raise NotFound("That is no proposed draft.")
        if turn.status == "used":
            raise Conflict(_USED)
        if review is None or review.id != turn.review_id:
            raise Conflict(
                "The draft that this proposal was made from waits no more: look at what waits now."
            )
        return turn


def waiting(session: Session, contact_id: str) -> Review | None:
    """Return the review that a contact waits at; None if it waits at none."""
    return session.scalar(
        select(Review)
        .join(Contact, Contact.id == Review.contact_id)
        .where(
            Review.contact_id == contact_id,
            Review.status == "pending",
            Contact.status == "in_review",
        )
        .order_by(Review.id.desc())
        .limit(1)
    )


def first_draft(session: Session, review: Review) -> Draft:
    """Return the draft that the desk wrote first in this run."""
    state = session.scalar(
        select(Review.state).where(Review.thread == review.thread).order_by(Review.id).limit(1)
    )
    return cast(Draft, (state or review.state)["draft"])


def proposed(session: Session, contact_id: str, review_id: str) -> ChatTurn | None:
    """Return the last proposal on a review that is still open; None if none is."""
    return session.scalar(
        select(ChatTurn)
        .where(
            ChatTurn.contact_id == contact_id,
            ChatTurn.review_id == review_id,
            ChatTurn.status == "proposed",
        )
        .order_by(ChatTurn.id.desc())
        .limit(1)
    )


def _row(session: Session, contact_id: str, turn_id: str, *, lock: bool = False) -> ChatTurn:
    row = session.get(ChatTurn, turn_id, with_for_update=lock or None)
    if row is None or row.contact_id != contact_id:
        raise NotFound(f"Nothing of the id {turn_id!r} was said about this contact.")
    return row


def _turn(row: ChatTurn) -> Turn:
    return Turn(
        id=row.id,
        by=None if row.by == DESK else row.by,
        kind=cast(RequestKind, row.kind),
        text=row.text,
        draft=cast("Draft | None", row.draft),
        report=cast("CheckReport | None", row.report),
        status=cast(TurnStatus, row.status),
        review_id=row.review_id,
        at=row.at,
    )


def _for_audit(request: Request, reply: Reply, report: CheckReport | None) -> Mapping[str, object]:
    """Return what the trail keeps: never what was typed, always what came of it."""
    kept: dict[str, object] = {"request": request.kind, "status": reply.status}
    if reply.draft is not None:
        kept |= {"draft_digest": draft_digest(reply.draft), "drafter": reply.draft["drafter"]}
    if report is not None:
        kept["findings"] = len(report["findings"])
    return kept
