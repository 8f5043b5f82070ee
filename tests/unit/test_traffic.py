"""Contacts judged beside the others that came in, on points around known and unknown subjects."""

from __future__ import annotations

import numpy as np
import pytest

from graph.reason_model import Floats, Judged, Lessons, ReasonModel
from graph.traffic import Traffic, most_to_remember, worth_learning
from retrieval.ports import Vectors

SIZE = 24
SUBJECTS = np.linalg.qr(np.random.default_rng(3).normal(size=(SIZE, SIZE)))[0]
REASONS = 5
# An unknown subject that lies beside a known one, as a new reason does.
UNKNOWN = 0.85 * SUBJECTS[0] + 0.53 * SUBJECTS[REASONS]


def about(subject, count, seed, spread=0.16) -> Vectors:
    points = subject + spread * np.random.default_rng(seed).normal(size=(count, SIZE))
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True), dtype=np.float32)


def known(count, seed) -> Vectors:
    """``count`` contacts of each reason."""
    return np.concatenate([about(SUBJECTS[at], count, seed + at) for at in range(REASONS)])


def wordless(vectors) -> list[frozenset[str]]:
    return [frozenset[str]()] * len(vectors)


@pytest.fixture(scope="module")
def model() -> ReasonModel:
    examples = known(30, 100)
    lessons = Lessons(
        examples,
        tuple(wordless(examples)),
        np.repeat(np.arange(REASONS), 30),
        np.ones(len(examples), dtype=np.bool_),
    )
    return ReasonModel.fit(lessons, REASONS, lambda make: make())


def alone(model, vectors) -> Judged:
    found: Judged = model.judge(vectors, wordless(vectors))
    return found


def beside(model, came, asked, names=None) -> Floats:
    """What ``asked`` are taken for by a desk to which ``came`` came in before."""
    traffic = Traffic.learn(model, [f"c{at}" for at in range(len(came))], came, alone(model, came))
    names = names or [f"a{at}" for at in range(len(asked))]
    return traffic.familiar(names, asked, alone(model, asked), model)


def told_apart(known_odds, unknown_odds) -> float:
    """Share of pairs in which the contact of a known reason is the more familiar one."""
    return float((known_odds[:, None] > unknown_odds[None, :]).mean())


def test_a_subject_that_came_in_again_and_again_is_told_from_the_known_ones(model):
    came = np.concatenate([known(40, 200), about(UNKNOWN, 40, 300)])
    asked, strange = known(20, 400), about(UNKNOWN, 40, 500)
    by_itself = told_apart(alone(model, asked).familiar, alone(model, strange).familiar)
    together = told_apart(beside(model, came, asked), beside(model, came, strange))
    assert together > by_itself + 0.05
    assert together > 0.97


def test_a_day_on_which_all_ask_the_same_makes_it_no_news(model):
    even = known(40, 200)
    rush = np.concatenate([known(10, 200), about(SUBJECTS[2], 160, 300)])
    asked = about(SUBJECTS[2], 60, 500)
    line = model.calibration.refused_below
    assert (beside(model, even, asked) >= line).mean() > 0.95
    assert (beside(model, rush, asked) >= line).mean() > 0.9


def test_the_first_contacts_of_a_new_subject_are_judged_as_if_alone(model):
    strange = about(SUBJECTS[REASONS + 1], 20, 500)
    together = beside(model, known(40, 200), strange)
    assert together == pytest.approx(alone(model, strange).familiar, abs=0.3)


def test_a_contact_is_no_witness_of_its_own(model):
    came = np.concatenate([known(40, 200), about(SUBJECTS[REASONS + 3], 1, 300)])
    names = [f"c{at}" for at in range(len(came))]
    as_member = beside(model, came, came[-1:], names[-1:])
    without = beside(model, came[:-1], came[-1:])
    assert as_member == pytest.approx(without, abs=0.3)


def test_what_was_learned_since_outweighs_what_came_in_before(model):
    came = np.concatenate([known(40, 200), about(UNKNOWN, 40, 300)])
    asked = about(UNKNOWN, 1, 500)
    traffic = Traffic.learn(model, [f"c{at}" for at in range(len(came))], came, alone(model, came))
    before = traffic.familiar(["a"], asked, alone(model, asked), model)
    taught = model.and_also(
        Lessons(asked, tuple(wordless(asked)), np.array([3]), np.ones(1, dtype=np.bool_))
    )
    after = traffic.familiar(["a"], asked, alone(taught, asked), taught)
    assert after > before + 2
    assert after > model.calibration.refused_below


def test_a_handful_of_contacts_teaches_nothing():
    assert not worth_learning(199, 0, 199, 10)
    assert worth_learning(200, 0, 200, 10)
    assert not worth_learning(300, 0, 300, 77)


def test_it_is_learned_anew_when_much_more_came_in_and_no_more_often():
    assert not worth_learning(290, 200, 90, 10)
    assert worth_learning(300, 200, 100, 10)
    most = most_to_remember(10)
    assert not worth_learning(most, most, most - 1, 10)
    assert worth_learning(most, most, most, 10)
