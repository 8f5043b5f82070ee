"""Shares, and when two of them differ by more than chance makes."""

from __future__ import annotations

import random

from desk.shares import Share, differ, standing_out


def test_a_share_tells_its_denominator_and_a_percentage_only_of_enough() -> None:
    assert str(Share(3, 4)) == "3 of 4"
    assert str(Share(13, 60)) == "22% (13 of 60)"
    assert Share().value == 0


def test_few_make_no_story() -> None:
    assert not differ(Share(2, 4), Share(1, 5))
    assert differ(Share(18, 20), Share(4, 20))


def test_a_group_stands_out_against_all_others_together() -> None:
    groups = {"voice": Share(6, 7), "email": Share(4, 30), "chat": Share(1, 8)}
    ((name, share, rest),) = standing_out(groups)
    assert (name, share, rest) == ("voice", Share(6, 7), Share(5, 38))
    assert standing_out({"voice": Share(2, 2), "email": Share(0, 30)}) == []


def test_of_thirty_groups_that_are_alike_chance_seldom_names_one() -> None:
    draw = random.Random(11)
    weeks = 40
    named = 0
    for _ in range(weeks):
        groups = {
            str(number): Share(sum(draw.random() < 0.3 for _ in range(40)), 40)
            for number in range(30)
        }
        named += bool(standing_out(groups))
    assert named / weeks <= 0.15  # tested one by one, half of the weeks name one
