"""Which ended contacts a period's QA reads, and what the readings say of all of them. Pure.

A draw is stratified by how contacts ended and by risk; within a stratum every contact is as likely
as any other, so each one's probability of being read is known and a rate is the sum of the strata's
rates by their size (the Horvitz-Thompson estimator of a stratified sample). Who is picked follows
from a digest of the draw's seed and the contact's id: whoever knows the seed can draw again, in any
language.

Intervals are the mid-p gamma intervals of Fay and Kim for weighted sums of rare events (Biometrical
Journal 59, 2017; R's ``asht::wspoissonTest``), computed with scipy's functions. The upper limit
reckons with one more failure where a failure weighs most, which is why it holds with no failure
found and with failures that gather where few contacts were read. Strata that were read whole are
known and add no width. ``bench/qa_estimates.py`` measures how often the intervals hold.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

Outcome = Literal[
    "accepted",
    "corrected",
    "escalated",
    "reopened",
    "solved_looking",
    "failed",
    "autopilot",
]
Risk = Literal["low", "high"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
_TAIL: Final = 0.025
"""What a two-sided interval of 95 % leaves out on each side."""


@dataclass(frozen=True, slots=True, order=True)
class Stratum:
    """How contacts ended, and how risky they were."""

    outcome: Outcome
    risk: Risk


@dataclass(frozen=True, slots=True)
class Ended:
    """A contact that ended in the period. ``reason`` is its contact reason, "" for none."""

    contact_id: str
    stratum: Stratum
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Attention:
    """How much more often than others some contacts are read.

    Attributes:
        outcomes: Outcome → factor; 1 for what is not named.
        high_risk: Factor for contacts of high risk.
    """

    outcomes: Mapping[Outcome, float] = field(default_factory=dict)
    high_risk: float = 1.0

    def of(self, stratum: Stratum) -> float:
        """Return the factor of a stratum."""
        risky = self.high_risk if stratum.risk == "high" else 1.0
        return self.outcomes.get(stratum.outcome, 1.0) * risky


@dataclass(frozen=True, slots=True)
class DrawnStratum:
    """One stratum of a draw: contacts in it, how many were picked, contacts by reason."""

    stratum: Stratum
    contacts: int
    picked: int
    reasons: dict[str, int]

    @property
    def probability(self) -> float:
        """Probability of each of its contacts to be picked, 0..1."""
        return self.picked / self.contacts


@dataclass(frozen=True, slots=True)
class Pick:
    """One contact to read. ``place`` is its turn, from 0; ``twice``: a second person reads it."""

    contact: Ended
    probability: float
    place: int
    twice: bool


@dataclass(frozen=True, slots=True)
class Draw:
    """A sample: its strata in their order, its picks in the order of reading."""

    strata: list[DrawnStratum]
    picks: list[Pick]


@dataclass(frozen=True, slots=True)
class Cell:
    """What was read of one stratum: of ``contacts`` in it ``read`` at random, ``failed`` of these."""

    contacts: float
    read: int
    failed: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A rate among all contacts of a period, with its 95 % interval.

    Attributes:
        rate: The estimate, 0..1; None when nothing was read.
        low: Lower limit, 0..1.
        high: Upper limit, 0..1.
        read: Readings it rests on.
        failed: Failures among them.
    """

    rate: float | None
    low: float
    high: float
    read: int
    failed: int


def draw(
    population: Sequence[Ended],
    size: int,
    seed: int,
    attention: Attention | None = None,
    twice: float = 0.0,
) -> Draw:
    """Return a sample of ``population``; the same for the same arguments, in whatever order.

    Args:
        population: The contacts that ended in the period, each once.
        size: How many to pick; more when there are more strata, fewer when there are fewer contacts.
        seed: What decides who is picked.
        attention: Which contacts are picked more often.
        twice: Share of the picks that a second person reads, 0..1.
    """
    attention = attention or Attention()
    strata: dict[Stratum, list[Ended]] = {}
    for contact in population:
        strata.setdefault(contact.stratum, []).append(contact)
    counts = {stratum: len(strata[stratum]) for stratum in sorted(strata)}
    sizes = sizes_of(counts, size, attention)
    turn, second = _ranking(seed, "place"), _ranking(seed, "twice")
    chosen = [
        (contact, sizes[stratum] / counts[stratum])
        for stratum in counts
        for contact in sorted(strata[stratum], key=_ranking(seed, "pick"))[: sizes[stratum]]
    ]
    doubled = sorted((contact for contact, _ in chosen), key=second)
    again = {one.contact_id for one in doubled[: math.ceil(twice * len(chosen))]}
    chosen.sort(key=lambda one: turn(one[0]))
    return Draw(
        [
            DrawnStratum(stratum, counts[stratum], sizes[stratum], _reasons(strata[stratum]))
            for stratum in counts
        ],
        [
            Pick(contact, probability, place, contact.contact_id in again)
            for place, (contact, probability) in enumerate(chosen)
        ],
    )


def sizes_of(counts: Mapping[Stratum, int], size: int, attention: Attention) -> dict[Stratum, int]:
    """Return how many contacts of each stratum are picked.

    In proportion to its contacts and the attention it gets, at least one, at most all of them.

    Args:
        counts: Contacts in each stratum, at least one.
        size: How many are picked in all, as far as there are so many.
        attention: Which strata get more.
    """
    sizes = dict.fromkeys(counts, 1)
    wanted = {stratum: count * attention.of(stratum) for stratum, count in counts.items()}
    for _ in range(min(size, sum(counts.values())) - len(sizes)):
        # To where one reading stands for most: an interval is as wide as the heaviest of them.
        free = [stratum for stratum in sizes if sizes[stratum] < counts[stratum]]
        neediest = max(free, key=lambda stratum: wanted[stratum] / sizes[stratum])
        sizes[neediest] += 1
    return sizes


def estimate(cells: Iterable[Cell]) -> Estimate:
    """Return the rate of failures among all contacts of ``cells``, with its 95 % interval.

    What no reading speaks for may be all good or all bad: the interval allows for both.

    Args:
        cells: One a stratum. Of a sub-group: its members in the stratum, and those of them read.
    """
    known = [cell for cell in cells if cell.contacts > 0]
    total = sum(cell.contacts for cell in known)
    heard = [cell for cell in known if cell.read]
    read, failed = sum(cell.read for cell in heard), sum(cell.failed for cell in heard)
    if not heard:
        return Estimate(None, 0.0, 1.0, 0, 0)
    covered = sum(cell.contacts for cell in heard)
    rate = sum(cell.failed * cell.contacts / cell.read for cell in heard) / covered
    low, high = _interval(heard, covered)
    share = covered / total
    low, high = low * share, high * share + (1 - share)
    # What was seen is certain: so many failures there are, and so many contacts without one.
    low = max(low, failed / total)
    high = min(high, 1 - (read - failed) / total)
    return Estimate(rate, min(low, rate), max(high, rate), read, failed)


def _interval(cells: Sequence[Cell], total: float) -> tuple[float, float]:
    certain = sum(cell.failed for cell in cells if cell.read >= cell.contacts) / total
    rest = [
        (cell.failed, cell.contacts / cell.read / total)
        for cell in cells
        if cell.read < cell.contacts
    ]
    if not rest:
        return certain, certain
    low, high = _mid_p_gamma(rest)
    return certain + low, min(1.0, certain + high)


def _mid_p_gamma(failures: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return the mid-p gamma interval of a weighted sum.

    Args:
        failures: Failures of each stratum, and what one of them adds to the rate.
    """
    from scipy.optimize import brentq  # type: ignore[import-untyped]
    from scipy.special import gammainc  # type: ignore[import-untyped]

    found = sum(failed * weight for failed, weight in failures)
    spread = sum(failed * weight**2 for failed, weight in failures)
    heaviest = max(weight for _, weight in failures)
    more, wider = found + heaviest, spread + heaviest**2

    def below(rate: float) -> float:
        """Return the mean of the two confidence distributions up to ``rate``."""
        lower = float(gammainc(found**2 / spread, rate * found / spread)) if found else 1.0
        return (lower + float(gammainc(more**2 / wider, rate * more / wider))) / 2

    def limit(share: float) -> float:
        if below(0.0) >= share:
            return 0.0
        reach = more
        while below(reach) < share:
            reach *= 2
        return float(brentq(lambda rate: below(rate) - share, 0.0, reach, xtol=1e-9))

    return limit(_TAIL), limit(1 - _TAIL)


def exact_share(hits: int, total: int) -> tuple[float, float]:
    """Return the exact 95 % interval (Clopper and Pearson) of ``hits`` of ``total``."""
    from scipy.special import betaincinv

    low = float(betaincinv(hits, total - hits + 1, _TAIL)) if hits else 0.0
    high = float(betaincinv(hits + 1, total - hits, 1 - _TAIL)) if hits < total else 1.0
    return low, high


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two readers of the same contacts agree.

    Attributes:
        pairs: Contacts that both judged.
        share: Share of them on which they agree, 0..1; None without pairs.
        low: Lower limit of its exact 95 % interval.
        high: Upper limit.
        kappa: Cohen's kappa, -1..1: agreement beyond what chance gives; None where both only ever
            said one thing, for then chance explains everything.
    """

    pairs: int
    share: float | None
    low: float
    high: float
    kappa: float | None


def agreement(pairs: Sequence[tuple[bool, bool]]) -> Agreement:
    """Return how far the first and the second reading of each pair agree."""
    if not pairs:
        return Agreement(0, None, 0.0, 1.0, None)
    same = sum(first == second for first, second in pairs)
    kappa = None
    if len({verdict for pair in pairs for verdict in pair}) > 1:
        from sklearn.metrics import cohen_kappa_score

        first, second = zip(*pairs, strict=True)
        kappa = float(cohen_kappa_score(first, second))
    return Agreement(len(pairs), same / len(pairs), *exact_share(same, len(pairs)), kappa)


def _ranking(seed: int, purpose: str) -> Callable[[Ended], str]:
    def rank(contact: Ended) -> str:
        return hashlib.sha256(f"{seed}:{purpose}:{contact.contact_id}".encode()).hexdigest()

    return rank


def _reasons(contacts: Iterable[Ended]) -> dict[str, int]:
    return dict(sorted(Counter(contact.reason for contact in contacts).items()))
