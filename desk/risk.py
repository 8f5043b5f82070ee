"""How urgent a contact or review is: one number that the queues sort by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from core.vocabulary import TIERS, Tier
from graph.values import TriggerFiring

JUMPS_EVERY_QUEUE: Final = frozenset({"crisis", "safety"})
URGENT: Final = 10
"""What crisis and safety add to a risk."""
DEFAULT_TARGET: Final = timedelta(hours=24)


def risk_of(tier: Tier, triggers: Sequence[TriggerFiring]) -> int:
    """Return 0 (allowed) to 3 (forbidden) by tier; crisis and safety add 10."""
    urgent = any(trigger["id"] in JUMPS_EVERY_QUEUE for trigger in triggers)
    return TIERS.index(tier) + (URGENT if urgent else 0)


def due_at(created_at: datetime, sla_minutes: int | None) -> datetime:
    """Return when a contact must be answered: by its reason's SLA, else within a day."""
    return created_at + (timedelta(minutes=sla_minutes) if sla_minutes else DEFAULT_TARGET)
