from __future__ import annotations

import random
from collections import Counter

import pytest

from desk.sampling import (
    Attention,
    Cell,
    Ended,
    Stratum,
    agreement,
    draw,
    estimate,
    exact_share,
    sizes_of,
)

ACCEPTED = Stratum("accepted", "low")
RISKY = Stratum("accepted", "high")
REOPENED = Stratum("reopened", "low")


def contacts(**counts: int) -> list[Ended]:
    strata = {"accepted": ACCEPTED, "risky": RISKY, "reopened": REOPENED}
    return [
        Ended(f"{name}-{number}", strata[name], "refund" if number % 2 else "shipping")
        for name, count in counts.items()
        for number in range(count)
    ]


def test_the_same_seed_draws_the_same_contacts_in_whatever_order_they_come() -> None:
    population = contacts(accepted=300, risky=40, reopened=12)
    first = draw(population, 30, seed=7, twice=0.2)
    random.Random(1).shuffle(population)
    assert draw(population, 30, seed=7, twice=0.2) == first
    other = draw(population, 30, seed=8, twice=0.2)
    assert {p.contact.contact_id for p in other.picks} != {
        p.contact.contact_id for p in first.picks
    }


def test_every_contact_is_picked_as_often_as_its_probability_says() -> None:
    population = contacts(accepted=20, risky=6)
    attention = Attention(high_risk=2)
    seen: Counter[str] = Counter()
    for seed in range(600):
        seen.update(pick.contact.contact_id for pick in draw(population, 8, seed, attention).picks)
    known = {s.stratum: s.probability for s in draw(population, 8, 0, attention).strata}
    assert known[RISKY] > known[ACCEPTED]
    for contact in population:
        assert seen[contact.contact_id] / 600 == pytest.approx(known[contact.stratum], abs=0.09)


def test_each_stratum_is_read_and_none_beyond_its_size() -> None:
    counts = {ACCEPTED: 1000, RISKY: 2, REOPENED: 1}
    assert sizes_of(counts, 10, Attention()) == {ACCEPTED: 8, RISKY: 1, REOPENED: 1}
    many = Attention(high_risk=1000)
    assert sizes_of(counts, 10, many) == {ACCEPTED: 7, RISKY: 2, REOPENED: 1}
    assert sum(sizes_of(counts, 5000, Attention()).values()) == 1003
    assert sizes_of(counts, 1, Attention()) == {ACCEPTED: 1, RISKY: 1, REOPENED: 1}
    assert draw([], 10, seed=1).picks == []


def test_a_share_of_the_picks_is_read_twice_and_the_order_mixes_the_strata() -> None:
    drawn = draw(contacts(accepted=200, reopened=200), 40, seed=3, twice=0.25)
    assert sum(pick.twice for pick in drawn.picks) == 10
    assert [pick.place for pick in drawn.picks] == list(range(40))
    first_half = Counter(pick.contact.stratum for pick in drawn.picks[:20])
    assert min(first_half.values()) >= 4


def test_strata_count_by_their_size_and_not_by_how_often_they_were_read() -> None:
    told = estimate([Cell(900, 30, 0), Cell(100, 30, 15)])
    assert told.rate == pytest.approx(0.05)
    assert told.low < 0.05 < told.high
    assert (told.read, told.failed) == (60, 15)


def test_no_failure_found_leaves_room_for_those_that_one_reading_stands_for() -> None:
    even = estimate([Cell(1000, 100, 0)])
    uneven = estimate([Cell(900, 50, 0), Cell(100, 50, 0)])
    assert even.rate == uneven.rate == 0
    assert even.low == uneven.low == 0
    assert even.high == pytest.approx(0.03, abs=0.002)
    assert uneven.high > 1.7 * even.high


def test_what_was_read_whole_is_known() -> None:
    told = estimate([Cell(10, 10, 3), Cell(5, 5, 0)])
    assert (told.low, told.rate, told.high) == (0.2, 0.2, 0.2)
    part = estimate([Cell(10, 10, 3), Cell(90, 30, 0)])
    assert part.low == pytest.approx(0.03)
    assert part.rate == pytest.approx(0.03)
    assert 0.03 < part.high < 0.2


def test_what_nobody_read_may_be_all_good_or_all_bad() -> None:
    told = estimate([Cell(80, 80, 0), Cell(20, 0, 0)])
    assert told.rate == 0
    assert told.low == 0
    assert told.high == pytest.approx(0.2)
    nothing = estimate([Cell(80, 0, 0)])
    assert (nothing.rate, nothing.low, nothing.high) == (None, 0.0, 1.0)
    assert estimate([]).rate is None


def test_every_contact_bad_is_within_the_interval() -> None:
    told = estimate([Cell(100, 20, 20), Cell(10, 10, 10)])
    assert told.rate == 1
    assert told.high == 1
    assert 0.5 < told.low < 1


def test_exact_shares() -> None:
    low, high = exact_share(0, 59)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 59))
    assert exact_share(0, 0) == (0.0, 1.0)
    assert exact_share(10, 10)[1] == 1


def test_agreement_beyond_chance() -> None:
    alike = [(True, True)] * 8 + [(False, False)] * 2
    assert agreement(alike).kappa == pytest.approx(1.0)
    by_chance = [(True, True), (True, False), (False, True), (False, False)] * 5
    assert agreement(by_chance).kappa == pytest.approx(0.0)
    assert agreement(by_chance).share == 0.5
    same_word = agreement([(True, True)] * 9)
    assert same_word.share == 1
    assert same_word.kappa is None
    assert agreement([]).share is None
