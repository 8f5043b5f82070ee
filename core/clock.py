"""Time as a dependency, so that rules and tests never ask the machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment as an aware UTC datetime."""
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A clock that stands still until it is told to move; for tests and for replays."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment this clock stands at."""
        return self.moment

    def advance(self, by: timedelta) -> None:
        """Move this clock forward."""
        self.moment += by
