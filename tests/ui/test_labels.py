"""Moments and tiers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.vocabulary import TIERS
from ui.components.evidence import differing
from ui.components.labels import due, exact_at_hand, relative, table_moment, tier_badge

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "said"),
    [
        (timedelta(seconds=-20), "now"),
        (timedelta(minutes=-5), "5 min ago"),
        (timedelta(minutes=89), "in 89 min"),
        (timedelta(hours=-5), "5 h ago"),
        (timedelta(days=3), "in 3 d"),
        (timedelta(days=-200), "13 Oct 2025"),
    ],
)
def test_a_moment_is_told_by_its_distance(distance: timedelta, said: str) -> None:
    assert relative(NOW + distance, NOW) == said


def test_what_is_late_says_so_and_holds_the_exact_moment() -> None:
    shown = due(NOW - timedelta(hours=2), NOW)
    assert "Was due 2 h ago" in shown
    assert "Fri 1 May 2026, 10:00 UTC" in shown


def test_a_table_tells_the_distance_of_a_moment_and_holds_the_exact_one() -> None:
    cells = table_moment("Sent", NOW - timedelta(hours=2), NOW)
    assert cells == {"Sent": "2 h ago", "Sent, exactly": "Fri 1 May 2026, 10:00 UTC"}
    assert exact_at_hand("Sent") == {"Sent, exactly": None}
    assert table_moment("Seen", None, NOW, "Never") == {"Seen": "Never", "Seen, exactly": ""}


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_told_in_words(tier: str) -> None:
    assert tier.replace("_", " ").capitalize() in tier_badge(tier)


def test_only_the_words_that_differ_are_marked() -> None:
    old, new = differing("within 60 days of delivery", "within 30 days of delivery")
    assert [(span.start, span.end) for span in old] == [(7, 9)]
    assert [(span.start, span.end) for span in new] == [(7, 9)]
