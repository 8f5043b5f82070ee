from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.lengths import counted, of_counts, pack, quantile, together, unpack

seconds = st.floats(0, 5_000_000)


@pytest.mark.parametrize(
    ("length", "as_counted"),
    [(-3, 0), (0.9, 0), (599.9, 599), (600, 600), (659.9, 600), (3_725, 3_720)],
)
def test_a_length_is_cut_to_seconds_and_from_ten_minutes_to_minutes(
    length: float, as_counted: int
) -> None:
    assert counted(length) == as_counted


@given(
    st.lists(st.lists(seconds, max_size=30), min_size=1, max_size=5), st.sampled_from([0.5, 0.9])
)
def test_a_quantile_of_several_days_is_the_one_of_their_lengths(
    days: list[list[float]], share: float
) -> None:
    stored = [pack(of_counts(Counter(map(counted, day)))) for day in days]
    every = sorted(length for day in days for length in day)
    expected = counted(every[math.ceil(share * len(every)) - 1]) if every else None
    assert quantile(together(map(unpack, stored)), share) == expected
