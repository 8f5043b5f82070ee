"""Time as a dependency, so that rules and tests never ask the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol

Zone = Callable[[], tzinfo]
"""Tells in which time zone a team's days begin and end."""


def in_utc() -> tzinfo:
    """Return UTC: the zone of a team that names none."""
    return UTC


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
