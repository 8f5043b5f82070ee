"""Shares of something, and when two of them differ by more than chance makes. Pure.

Every share is told with what it is a share of. That groups differ is said only where Fisher's exact
test would seldom (one time in twenty) say so of groups that are alike; where many groups are looked
at, one time in twenty for all of them together: a desk of thirty contact reasons would otherwise hear
every other week of one that chance made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

FEW: Final = 20
"""Below so many a percentage says more than is known."""
LEAST_HITS: Final = 3
"""Fewer are never a story."""
ODDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    hits: int = 0
    of: int = 0

    @property
    def value(self) -> float:
        """The share, 0..1; 0 of nothing."""
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """Return it in words; a percentage only where there are enough."""
        if self.of < FEW:
            return f"{self.hits} of {self.of}"
        return f"{self.value:.0%} ({self.hits} of {self.of})"

    def told(self, of_what: str) -> str:
        """Return it with the name of what it is a share of: ``7 of 19 contacts``."""
        percent = f" ({self.value:.0%})" if self.of >= FEW else ""
        return f"{self.hits} of {self.of} {of_what}{percent}"

    def __add__(self, other: Share) -> Share:
        """Return both together."""
        return Share(self.hits + other.hits, self.of + other.of)


def differ(one: Share, other: Share, odds: float = ODDS) -> bool:
    """Tell whether two shares differ by more than chance easily makes them.

    Args:
        one: A share.
        other: Another, of other things.
        odds: How often shares that are alike may be called different.
    """
    if not one.of or not other.of or one.hits + other.hits < LEAST_HITS:
        return False
    return _p_value(one.hits, one.of - one.hits, other.hits, other.of - other.hits) < odds


@lru_cache(maxsize=4096)
def _p_value(a: int, b: int, c: int, d: int) -> float:
    from scipy.stats import fisher_exact  # type: ignore[import-untyped]

    return float(fisher_exact([[a, b], [c, d]])[1])


def standing_out(groups: Mapping[str, Share]) -> list[tuple[str, Share, Share]]:
    """Return the groups whose share is higher than that of all others together, the highest first.

    Each with its own share and that of the others. Looking at more groups makes it harder for each
    (Bonferroni), so that chance names any of them one time in twenty at most.
    """
    total = sum(groups.values(), Share())
    odds = ODDS / max(1, sum(one.of > 0 for one in groups.values()))
    found = []
    for name, share in groups.items():
        rest = Share(total.hits - share.hits, total.of - share.of)
        if share.hits >= LEAST_HITS and share.value > rest.value and differ(share, rest, odds):
            found.append((name, share, rest))
    return sorted(found, key=lambda one: -one[1].value)
