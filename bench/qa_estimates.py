"""Do the QA sample's intervals hold? Months with known truth are drawn from and estimated.

    python -m bench.qa_estimates [--months 1000] [--seed 1] [--steep] [--json]

Each month has its own size, mix of outcomes and error rate (0.5 to 10 %), and its own way of
gathering errors: evenly, in the strata that are read more, in those that are read less, all in one,
or first where one reading stands for most contacts, which is the worst for an estimate. The truth is the rate among the month's contacts. Printed are the share of months whose 95 %
interval holds the truth, the mean width, and what other methods give on the same samples: a simple
random sample of the same size with the exact interval, Korn and Graubard's interval, and the normal
one. With --steep some strata are read up to 32 times as often as others. Exit code 1 when fewer than 94 % of the months hold.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from numpy.random import Generator
from scipy.special import betaincinv  # type: ignore[import-untyped]

from desk.operations_file import QaSection
from desk.sampling import (
    OUTCOMES,
    Attention,
    Cell,
    Draw,
    Ended,
    Risk,
    Stratum,
    draw,
    estimate,
    exact_share,
    sizes_of,
)

RISKS: tuple[Risk, ...] = ("low", "high")
GATHERED = (
    "evenly",
    "where more is read",
    "where less is read",
    "in one stratum",
    "at the worst place",
)
MUST_HOLD = 0.94
STEEP = Attention({"reopened": 8, "failed": 8, "autopilot": 4, "escalated": 4}, 4)
Interval = tuple[float, float]


def month(
    rng: Generator, gathered: str, picked: int, attention: Attention
) -> tuple[list[Ended], set[str]]:
    """Return a month's contacts and the ids of the bad ones; ``picked`` will be read."""
    strata = [Stratum(outcome, risk) for outcome, risk in product(OUTCOMES, RISKS)]
    shares = rng.dirichlet([4, 1, 2, 0.6, 1.2, 0.4, 0.8, 0.3, 3, 0.6, 0.3, 0.2, 2, 0.3])
    size = int(math.exp(rng.uniform(math.log(300), math.log(6000))))
    counts = dict(zip(strata, map(int, rng.multinomial(size, shares)), strict=True))
    rate = math.exp(rng.uniform(math.log(0.005), math.log(0.10)))
    contacts = {
        stratum: [
            Ended(f"{place}-{number}", stratum, f"reason{number % 8}") for number in range(count)
        ]
        for place, (stratum, count) in enumerate(counts.items())
    }
    bad = _bad(rng, counts, gathered, rate * size, picked, attention)
    return (
        [contact for some in contacts.values() for contact in some],
        {
            contacts[stratum][number].contact_id
            for stratum, count in bad.items()
            for number in rng.choice(counts[stratum], count, replace=False)
        },
    )


def _bad(
    rng: Generator,
    counts: Mapping[Stratum, int],
    gathered: str,
    expected: float,
    picked: int,
    attention: Attention,
) -> dict[Stratum, int]:
    """Return how many contacts of each stratum are bad."""
    filled = {stratum: count for stratum, count in counts.items() if count}
    if gathered == "at the worst place":
        sizes, left, bad = sizes_of(filled, picked, attention), round(expected), {}
        for stratum in sorted(filled, key=lambda one: -filled[one] / sizes[one]):
            bad[stratum] = min(left, filled[stratum])
            left -= bad[stratum]
        return bad
    read_more = np.array([attention.of(stratum) for stratum in filled])
    likely = np.ones(len(filled))
    if gathered == "where more is read":
        likely = read_more**2 * rng.lognormal(0, 1, len(filled))
    elif gathered == "where less is read":
        likely = read_more**-2.0 * rng.lognormal(0, 1, len(filled))
    elif gathered == "in one stratum":
        likely = np.zeros(len(filled))
        likely[rng.integers(len(filled))] = 1.0
    likely *= expected / float(likely @ np.array(list(filled.values())))
    return {
        stratum: int(rng.binomial(count, min(1.0, chance)))
        for (stratum, count), chance in zip(filled.items(), likely, strict=True)
    }


def cells_of(drawn: Draw, bad: set[str], reason: str = "") -> list[Cell]:
    """Return what reading the whole sample says, of one reason if one is named."""
    read: dict[Stratum, int] = defaultdict(int)
    failed: dict[Stratum, int] = defaultdict(int)
    for pick in drawn.picks:
        if not reason or pick.contact.reason == reason:
            read[pick.contact.stratum] += 1
            failed[pick.contact.stratum] += pick.contact.contact_id in bad
    return [
        Cell(
            one.reasons.get(reason, 0) if reason else one.contacts,
            read[one.stratum],
            failed[one.stratum],
        )
        for one in drawn.strata
    ]


def korn_graubard(cells: Sequence[Cell]) -> Interval:
    """Return the modified Clopper-Pearson interval by the effective sample size."""
    total, read = sum(c.contacts for c in cells), sum(c.read for c in cells)
    rate, variance = _rate_and_variance(cells, total)
    if rate in (0.0, 1.0) or variance <= 0:
        effective = float(read)
    else:
        effective = min(float(read), rate * (1 - rate) / variance)
    hits = rate * effective
    low = float(betaincinv(hits, effective - hits + 1, 0.025)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, effective - hits, 0.975)) if hits < effective else 1.0
    return low, high


def normal(cells: Sequence[Cell]) -> Interval:
    """Return the interval of the normal distribution."""
    rate, variance = _rate_and_variance(cells, sum(c.contacts for c in cells))
    reach = 1.96 * math.sqrt(variance)
    return max(0.0, rate - reach), min(1.0, rate + reach)


def _rate_and_variance(cells: Sequence[Cell], total: float) -> tuple[float, float]:
    rate = variance = 0.0
    for cell in cells:
        share, own = cell.contacts / total, cell.failed / cell.read
        rate += share * own
        if cell.read > 1:
            left = 1 - cell.read / cell.contacts
            variance += share**2 * left * own * (1 - own) / (cell.read - 1)
    return rate, variance


def simulate(
    months: int, seed: int, attention: Attention
) -> dict[str, dict[str, list[tuple[Interval, float]]]]:
    """Return by method and way of gathering the intervals with their truths."""
    rng = np.random.default_rng(seed)
    found: dict[str, dict[str, list[tuple[Interval, float]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for number in range(months):
        gathered = GATHERED[number % len(GATHERED)]
        size = int(rng.choice([30, 60, 100, 200]))
        contacts, bad = month(rng, gathered, size, attention)
        drawn = draw(contacts, size, seed=int(rng.integers(2**62)), attention=attention)
        truth, cells = len(bad) / len(contacts), cells_of(drawn, bad)
        told = estimate(cells)
        simple = rng.choice(len(contacts), min(len(drawn.picks), len(contacts)), replace=False)
        hits = sum(contacts[place].contact_id in bad for place in simple)
        given: Mapping[str, Interval] = {
            "this sample": (told.low, told.high),
            "simple random sample": exact_share(hits, len(simple)),
            "Korn-Graubard": korn_graubard(cells),
            "normal": normal(cells),
        }
        for method, interval in given.items():
            found[method][gathered].append((interval, truth))
        of_reason = [contact for contact in contacts if contact.reason == "reason0"]
        share = sum(contact.contact_id in bad for contact in of_reason) / len(of_reason)
        part = estimate(cells_of(drawn, bad, "reason0"))
        found["one reason of eight"][gathered].append(((part.low, part.high), share))
    return found


def main() -> int:
    """Print what was found; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--months", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steep", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    attention = STEEP if given.steep else QaSection().attention
    found = simulate(given.months, given.seed, attention)
    told = {
        method: {
            gathered: _summary(pairs)
            for gathered, pairs in [*ways.items(), ("all", [p for w in ways.values() for p in w])]
        }
        for method, ways in found.items()
    }
    if given.json:
        print(json.dumps({"months": given.months, "seed": given.seed, "methods": told}))
    else:
        print(f"{given.months} months, seed {given.seed}")
        for method, ways in told.items():
            for gathered, one in ways.items():
                print(
                    f"{method:<22}{gathered:<20} held {one['held']:.3f}"
                    f"  missed above {one['above']:.3f} below {one['below']:.3f}"
                    f"  mean width {one['width']:.4f}"
                )
    return 0 if told["this sample"]["all"]["held"] >= MUST_HOLD else 1


def _summary(pairs: Sequence[tuple[Interval, float]]) -> dict[str, float]:
    slack = 1e-12
    above = sum(truth > high + slack for (_, high), truth in pairs) / len(pairs)
    below = sum(truth < low - slack for (low, _), truth in pairs) / len(pairs)
    width = sum(high - low for (low, high), _ in pairs) / len(pairs)
    return {"held": 1 - above - below, "above": above, "below": below, "width": width}


if __name__ == "__main__":
    raise SystemExit(main())
