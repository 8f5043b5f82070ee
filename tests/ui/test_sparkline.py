from __future__ import annotations

import re

from ui.components.sparkline import sparkline


def heights(markup: str) -> list[int | None]:
    bars = re.findall(r"<span(?: class=\"pd-bar\" style=\"height: (\d+)%\")?></span>", markup)
    return [int(bar) if bar else None for bar in bars]


def test_each_value_is_a_bar_in_its_place_and_nothing_to_tell_a_gap() -> None:
    assert heights(sparkline([0.0, None, 2.0, 1.0], "x")) == [0, None, 100, 50]


def test_nothing_but_zeros_is_drawn_and_a_single_value_is_not() -> None:
    assert heights(sparkline([0.0, 0.0], "x")) == [0, 0]
    assert sparkline([3.0, None], "x") == ""


def test_what_is_said_instead_cannot_break_out() -> None:
    assert 'aria-label="&quot;&gt;&lt;img"' in sparkline([1.0, 2.0], '"><img')
