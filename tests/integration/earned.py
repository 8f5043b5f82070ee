"""Contact reasons that have earned their autonomy, for tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

from core.database import Database
from core.identifiers import new_id
from desk.autonomy import Autonomy
from desk.autonomy_evidence import hold_reason
from desk.autonomy_models import AutonomyEvidence
from desk.autopilot import Rulebook
from desk.models import SourceFlagRow
from desk.permissions import Actor
from graph.reasons import Reason, ReasonMap
from graph.tiers import TierRules
from kb.models import Article
from tests.factories import NOON

REASON = "refund_question"
QUESTION = "How long does a refund take?"
ARTICLE = "help/refunds.md"


@cache
def tiers() -> TierRules:
    return TierRules.load(None)


def rulebook(folder: Path, reasons: Sequence[Reason], drafter: str = "extractive") -> Rulebook:
    """Return the rules of a map that a test may change, and the tiers that the desk ships with."""
    return Rulebook(lambda: ReasonMap(reasons), tiers, lambda: folder, drafter)


def an_article() -> Article:
    return Article(
        id=ARTICLE,
        source="help",
        path="refunds.md",
        kind="article",
        title="Refunds",
        newest=1,
        file_hash="",
        outside_hash="",
    )


def a_flag(kind: str, article_id: str = ARTICLE, other: str | None = None) -> SourceFlagRow:
    """Return an open flag on an article, or on two of them."""
    return SourceFlagRow(
        id=new_id("flg"),
        key=new_id("key"),
        kind=kind,
        article_id=article_id,
        other_article_id=other,
        title="Somebody must look at it.",
        evidence={},
        status="open",
        opened_at=NOON,
        updated_at=NOON,
    )


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
