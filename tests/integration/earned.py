"""Contact reasons that have earned their autonomy, for tests."""

from __future__ import annotations

from datetime import timedelta

from core.database import Database
from core.identifiers import new_id
from desk.autonomy import Autonomy
from desk.autonomy_evidence import hold_reason
from desk.autonomy_models import AutonomyEvidence
from desk.permissions import Actor
from tests.factories import NOON

REASON = "refund_question"
QUESTION = "How long does a refund take?"


def note_answers(
    database: Database,
    by: Actor,
    count: int,
    *,
    reason: str | None = REASON,
    kind: str = "approved",
    loss: float = 0.0,
    hours_ago: float = 48,
) -> None:
    """Have a person have decided on so many answers, as of NOON or of now."""
    at = NOON - timedelta(hours=hours_ago)
    with database.write() as session:
        row = hold_reason(session, reason, at) if reason else None
        for _ in range(count):
            session.add(
                AutonomyEvidence(
                    key=new_id("test"),
                    reason=reason,
                    round=row.round if row else 0,
                    at=at,
                    kind=kind,
                    loss=loss,
                    person_id=by.id,
                )
            )
        if row:
            row.looked_at = None


def catch_seeded(database: Database, by: Actor, count: int = 20, missed: int = 0) -> None:
    """Have a person have met seeded checks."""
    note_answers(database, by, missed, reason=None, kind="seeded_missed", loss=1.0)
    note_answers(database, by, count, reason=None, kind="seeded_caught")


def put_on_autopilot(
    database: Database, autonomy: Autonomy, by: Actor, reason: str = REASON
) -> None:
    """Bring a reason to autopilot the way it goes: evidence, proposal, signature."""
    catch_seeded(database, by)
    note_answers(database, by, 80, reason=reason)
    autonomy.sign(by, reason)
