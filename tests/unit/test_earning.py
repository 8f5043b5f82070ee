from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.autonomy import first_looks, fractions, getting_better, naive_looks, right_or_wrong
from desk.earning import (
    STAKES,
    Approver,
    Demands,
    Record,
    clean_answers_to,
    e_value,
    log_e_values,
    loss_of_edit,
    standing_of,
)

DEMANDS = Demands(
    limit=0.05, error_of_test=0.05, least_answers=30, seeded_miss_limit=0.25, seeded_each=3
)
SHARP = Approver("Ruth", 80, (0.0,) * 20)
LOSSES = st.lists(st.floats(0, 1), max_size=40)


def test_the_money_that_is_bet_is_all_there_is() -> None:
    assert math.fsum(weight for _, weight in STAKES) == pytest.approx(1)


@given(LOSSES, st.floats(0.005, 0.5))
@settings(max_examples=60, deadline=None)
def test_one_more_answer_is_a_fair_bet_at_the_limit(losses: list[float], limit: float) -> None:
    # What makes it a test: among losses of 0 and 1 whose mean is the limit it gains nothing.
    now = e_value(losses, limit)
    after = (1 - limit) * e_value([*losses, 0.0], limit) + limit * e_value([*losses, 1.0], limit)
    assert after == pytest.approx(now, rel=1e-6)


@given(LOSSES, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_answers_does_not_matter(losses: list[float], chance: random.Random) -> None:
    other = list(losses)
    chance.shuffle(other)
    assert e_value(other, 0.05) == pytest.approx(e_value(losses, 0.05), rel=1e-6)


@given(LOSSES, st.integers(0, 39), st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_a_worse_answer_never_helps(losses: list[float], place: int, worse: float) -> None:
    if place < len(losses):
        other = [*losses]
        other[place] = max(worse, losses[place])
        assert e_value(other, 0.05) <= e_value(losses, 0.05) * (1 + 1e-9)


@given(LOSSES, st.sampled_from([0.05, 0.02, 0.01]))
@settings(max_examples=40, deadline=None)
def test_so_many_clean_answers_are_enough_and_one_less_is_not(
    losses: list[float], limit: float
) -> None:
    count = clean_answers_to(losses, limit, 0.05)
    assert e_value([*losses, *[0.0] * count], limit) >= 20 * (1 - 1e-9)
    if count:
        assert e_value([*losses, *[0.0] * (count - 1)], limit) < 20


def test_few_reasons_at_the_limit_are_ever_proposed() -> None:
    for maker in (right_or_wrong, fractions, getting_better):
        looks = first_looks(maker, np.random.default_rng(5), (400, 500), 0.05)
        assert np.mean(looks > 0) <= 0.06
    naive = naive_looks(np.random.default_rng(5), (400, 500), 0.05)
    assert np.mean(naive > 0) > 0.12


def test_values_after_each_answer_end_with_the_value_after_all() -> None:
    losses = [0.0, 0.2, 0.0, 1.0, 0.0]
    assert math.exp(log_e_values(losses, 0.02)[-1]) == pytest.approx(e_value(losses, 0.02))
    assert e_value([], 0.02) == 1.0


def test_a_reason_that_lacks_nothing_may_be_proposed() -> None:
    standing = standing_of(Record((0.0,) * 80, approvers=(SHARP,)), DEMANDS)
    assert standing.missing == ()
    assert standing.e_value >= standing.wanted == 20
    assert standing.progress == 1.0


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (Record((0.0,) * 60, approvers=(SHARP,)), "14 more answers approved as drafted"),
        (Record((0.0,) * 60 + (1.0,), approvers=(SHARP,)), "1 of 61 answers went wrong"),
        (Record((0.0,) * 80), "caught 0 of 0 seeded checks"),
        (
            Record((0.0,) * 80, approvers=(SHARP, Approver("Sam", 9, (0.0,)))),
            "9 approvals of Sam do not count yet: they met 1 of 3 seeded checks.",
        ),
        (
            Record((0.0,) * 80, approvers=(SHARP, Approver("Sam", 1, (1.0, 1.0, 0.0)))),
            "1 approval of Sam does not count: they missed 2 of 3 seeded checks.",
        ),
        (
            Record((0.0,) * 80, approvers=(SHARP, Approver("Sam", 9, (0.0,) * 40 + (1.0,) * 8))),
            "9 approvals of Sam do not count: they missed 8 of their last 20 seeded checks.",
        ),
        (
            Record((0.0,) * 80, 0, (SHARP,), tier="review_required"),
            "a person look at every contact",
        ),
        (Record((0.0,) * 80, 4, (SHARP,)), "4 good answers will count once"),
        (Record((0.0,) * 80, 0, (SHARP,), ("Refunds",)), "is flagged: Refunds."),
    ],
)
def test_what_is_missing_is_said_in_sentences(record: Record, said: str) -> None:
    standing = standing_of(record, DEMANDS)
    assert said in " ".join((*standing.missing, *standing.notes))


def test_waiting_answers_alone_do_not_hold_a_reason_up() -> None:
    standing = standing_of(Record((0.0,) * 80, 4, (SHARP,)), DEMANDS)
    assert standing.eligible


def test_a_team_without_seeded_checks_is_told_to_have_some() -> None:
    standing = standing_of(Record((0.0,) * 80), replace(DEMANDS, seeded_run=False))
    assert "set seeded.rate in operations.yaml" in " ".join(standing.missing)


def test_the_floor_of_answers_is_kept_where_the_limit_is_lax() -> None:
    lax = replace(DEMANDS, limit=0.5, least_answers=40)
    standing = standing_of(Record((0.0,) * 20, approvers=(SHARP,)), lax)
    assert not standing.eligible
    assert "At least 40 answers must have been read; 20 lack." in standing.missing


@pytest.mark.parametrize(
    ("sent", "least", "most"),
    [
        ("You can return it within 30 days.", 0.0, 0.0),
        ("you can return it, within 30 days", 0.0, 0.0),
        ("You can return it within 14 days.", 1.0, 1.0),
        ("You may send it back within 30 days.", 0.2, 0.5),
        ("Certainly! You can return it within 30 days.", 0.05, 0.3),
        ("", 1.0, 1.0),
    ],
)
def test_an_edit_is_as_bad_as_what_it_changed(sent: str, least: float, most: float) -> None:
    assert least <= loss_of_edit("You can return it within 30 days.", sent) <= most


@pytest.mark.parametrize(
    ("drafted", "sent", "wrong"),
    [
        ("You can return a lamp.", "You cannot return a lamp.", True),
        ("You can't return a lamp on sale.", "You can return a lamp on sale.", True),
        ("Hello! You can return a lamp.", "You can not return a lamp, sorry.", True),
        ("You must keep the box.", "You do not need to keep the box.", True),
        ("We charge for returns.", "We never charge for returns.", True),
        ("You can return a lamp.", "Certainly, you may return a lamp.", False),
        ("You can return a lamp.", "You can return a lamp. Gift cards cannot be returned.", False),
        ("You cannot return gift cards.", "Gift cards cannot be returned.", False),
    ],
)
def test_an_edit_that_denies_what_was_allowed_is_a_wrong_answer(
    drafted: str, sent: str, wrong: bool
) -> None:
    assert (loss_of_edit(drafted, sent) == 1.0) is wrong
