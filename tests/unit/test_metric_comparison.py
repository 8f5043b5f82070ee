"""How sure a figure is told to be."""

from __future__ import annotations

import pytest

from desk.metric_comparison import clearly_other, figure_text, standing_apart, within
from desk.metric_definitions import METRICS, OF_ID
from desk.metric_figures import Figure

CORRECTED = OF_ID["correction_rate"]
CAUGHT = OF_ID["catch_rate"]


def share(hits: int, of: int) -> Figure:
    return Figure(hits / of if of else None, hits, of)


@pytest.mark.parametrize(
    ("metric", "figure", "said"),
    [
        ("correction_rate", share(1, 3), "1 of 3"),
        ("correction_rate", share(12, 240), "5.0% of 240"),
        ("correction_rate", share(0, 0), "–"),
        ("reopened_rate", share(3, 2), "3 against 2"),
        ("correction_size", Figure(0.4, 1.6, 4), "40%, of 4"),
        ("first_owner_median", Figure(3_600, 2, 2), "1 h, of 2"),
        ("first_owner_median", Figure(3_600, 90, 90), "1 h"),
        ("decisions", Figure(3, 3, 3), "3"),
    ],
)
def test_a_figure_of_few_says_of_how_few(metric: str, figure: Figure, said: str) -> None:
    assert figure_text(OF_ID[metric], figure) == said


def test_the_interval_of_few_is_wide_and_what_is_no_part_of_a_whole_has_none() -> None:
    low, high = within(CORRECTED, share(1, 3)) or (0, 0)
    assert low < 0.02
    assert high > 0.9
    low, high = within(CORRECTED, share(100, 300)) or (0, 0)
    assert 0.27 < low < 1 / 3 < high < 0.4
    assert within(CORRECTED, share(0, 0)) is None
    assert within(OF_ID["reopened_rate"], share(3, 2)) is None
    assert {one.id for one in METRICS if one.is_part} == {
        "correction_rate", "rejection_rate", "escalation_accuracy", "abstention_rate", "catch_rate",
    }  # fmt: skip


def test_a_change_is_good_or_bad_only_where_chance_does_not_make_it() -> None:
    assert not clearly_other(CORRECTED, share(2, 5), share(1, 5))
    assert clearly_other(CORRECTED, share(40, 100), share(10, 100))
    slow, slower = Figure(60, 3, 3), Figure(600, 3, 3)
    assert not clearly_other(OF_ID["first_owner_median"], slow, slower)


def test_the_group_that_is_worse_is_named_whichever_way_is_good() -> None:
    some = {"Refunds": share(18, 30), "Orders": share(5, 60), "Gifts": share(1, 2)}
    assert standing_apart(CORRECTED, some) == [
        "Refunds stands out: 60% (18 of 30), all others 10% (6 of 62)."
    ]
    caught = {"Refunds": share(12, 30), "Orders": share(55, 60)}
    assert standing_apart(CAUGHT, caught) == [
        "Refunds stands out: 40% (12 of 30), all others 92% (55 of 60)."
    ]
    assert standing_apart(CORRECTED, {"Gifts": share(1, 2), "Orders": share(1, 9)}) == []
