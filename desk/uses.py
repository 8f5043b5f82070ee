"""What pending drafts and answers rest on: one row a cited passage, kept true with the holder.

Each function writes into the caller's unit of work, so that the rows say what the review or the
delivery says at every moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from desk.models import SourceUse
from graph.values import Citation, Draft

PENDING: Final = "pending"
"""A review waits."""
ANSWERED: Final = "answered"
"""It was approved, and leaves or left."""
OVER: Final = "over"
"""Nobody relies on it any more."""


def rest_on(
    session: Session,
    holder: str,
    contact_id: str,
    draft: Draft,
    at: datetime,
    status: str = PENDING,
) -> None:
    """Write down what ``draft`` rests on.

    Args:
        session: The caller's unit of work.
        holder: Id of the review or delivery.
        contact_id: Its contact.
        draft: Its draft.
        at: When it began to rest on it.
        status: ``pending`` or ``answered``.
    """
    for citation in _cited(draft).values():
        session.add(_use(holder, contact_id, citation, at, status))


def hand_over(
    session: Session,
    review_id: str | None,
    delivery_id: str,
    contact_id: str,
    draft: Draft,
    at: datetime,
) -> None:
    """Move what a review rested on to the delivery that it released.

    What an edit dropped is over; what it cites anew is added.
    """
    cited = _cited(draft)
    held = select(SourceUse).where(SourceUse.holder == review_id, SourceUse.status == PENDING)
    for use in session.scalars(held).all() if review_id else ():
        if cited.pop(use.passage_id, None):
            use.holder, use.status, use.at, use.stale_at = delivery_id, ANSWERED, at, None
        else:
            use.status = OVER
    for citation in cited.values():
        session.add(_use(delivery_id, contact_id, citation, at, ANSWERED))


def let_go(session: Session, holder: str) -> None:
    """Say that a review or delivery rests on nothing any more."""
    _over(session, SourceUse.holder == holder)


def take_up(session: Session, delivery_id: str, at: datetime) -> None:
    """Say that a delivery which was let go of rests on its sources again."""
    session.execute(
        update(SourceUse)
        .where(SourceUse.holder == delivery_id)
        .values(status=ANSWERED, at=at, stale_at=None)
        .execution_options(synchronize_session=False)
    )


def let_go_of_drafts(session: Session, contact_id: str) -> None:
    """Say that no draft of a contact waits any more; its answers stay."""
    _over(session, SourceUse.contact_id == contact_id, SourceUse.status == PENDING)


def _over(session: Session, *conditions: Any) -> None:
    session.execute(
        update(SourceUse)
        .where(*conditions)
        .values(status=OVER)
        .execution_options(synchronize_session=False)
    )


def _cited(draft: Draft) -> dict[str, Citation]:
    return {
        citation["passage_id"]: citation
        for sentence in draft["sentences"]
        for citation in sentence["citations"]
    }


def _use(
    holder: str, contact_id: str, citation: Mapping[str, Any], at: datetime, status: str
) -> SourceUse:
    return SourceUse(
        holder=holder,
        contact_id=contact_id,
        article_id=citation["article_id"],
        version_id=citation["version_id"],
        passage_id=citation["passage_id"],
        content_hash=citation["content_hash"],
        status=status,
        at=at,
    )
