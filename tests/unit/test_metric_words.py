from __future__ import annotations

import pytest

from desk.metric_definitions import METRICS, OF_ID, Ratio
from desk.metric_words import change_text, length_text, value_text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (599, "9 min 59 s"),
        (600, "10 min"),
        (3_600, "1 h"),
        (11_520, "3 h 12 min"),
        (180_000, "2 d 2 h"),
    ],
)
def test_a_length_is_said_in_its_two_largest_units(seconds: int, said: str) -> None:
    assert length_text(seconds) == said


def test_nothing_to_tell_is_a_dash_and_not_a_zero() -> None:
    assert value_text(None, "share") == "–"
    assert value_text(0, "share") == "0%"
    assert value_text(0.034, "share") == "3.4%"
    assert value_text(1_234, "count") == "1,234"


def test_a_change_is_told_with_its_sign_and_no_change_not_at_all() -> None:
    assert change_text(0.25, 0.2, "share") == "+5.0 points"
    assert change_text(0.2, 0.25, "share") == "-5.0 points"
    assert change_text(60, 3_660, "seconds") == "-1 h"
    assert change_text(3, 3, "count") is None
    assert change_text(0.2001, 0.2, "share") is None
    assert change_text(None, 0.2, "share") is None


def test_what_is_shown_on_hover_says_what_is_counted_from_what_and_which_way_is_good() -> None:
    told = OF_ID["catch_rate"].told
    assert "seeded checks caught of seeded checks caught or missed" in told
    assert "seeded.resolved" in told
    assert "Higher is better." in told
    for one in METRICS:
        assert (
            bool(one.denominator) == isinstance(one.measure, Ratio) or one.id == "correction_size"
        )


def test_no_metric_counts_customers_who_went_away_as_helped() -> None:
    words = " ".join(f"{one.id} {one.title} {one.sentence}".lower() for one in METRICS)
    assert "deflect" not in words
