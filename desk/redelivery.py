"""When an answer that could not be sent is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self

PAUSES: Final = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
    timedelta(hours=4),
    timedelta(hours=8),
    timedelta(hours=8),
)
"""Before the second attempt, the third and so on: a day in all. Then a person must look."""

JITTER: Final = 0.2
"""By which share a pause is shorter or longer, so that a server that is back is not stormed."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Which attempt to send a delivery a job is for.

    Attributes:
        delivery_id: The delivery.
        before: How many attempts came before. The job of an attempt that was made is over.
        failed: How many of them failed since somebody last asked for it to be sent.
    """

    delivery_id: str
    before: int = 0
    failed: int = 0

    @classmethod
    def read(cls, argument: str) -> Self:
        """Return the attempt that a job's argument names."""
        delivery_id, *counts = argument.split(":")
        return cls(delivery_id, *map(int, counts))

    @property
    def argument(self) -> str:
        """What its job gets."""
        numbered = f"{self.delivery_id}:{self.before}:{self.failed}"
        return numbered if self.before else self.delivery_id

    @property
    def key(self) -> str:
        """Key of its job."""
        return f"deliver:{self.delivery_id}" + (f":{self.before}" if self.before else "")

    @property
    def next(self) -> Attempt:
        """The attempt after this one has failed."""
        return Attempt(self.delivery_id, self.before + 1, self.failed + 1)

    @property
    def pause(self) -> timedelta | None:
        """How long to wait for it after the last failure; None when it is not to be made.

        The same for the same attempt, whoever asks.
        """
        if self.failed > len(PAUSES):
            return None
        spread = random.Random(f"{self.delivery_id}:{self.before}").uniform(-JITTER, JITTER)
        return PAUSES[self.failed - 1] * (1 + spread) if self.failed else timedelta()
