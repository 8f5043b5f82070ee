"""Simulates contact reasons that earn autonomy: how many wrongly, and after how many answers.

    python -m bench.autonomy [--reasons 3000] [--looks 3000] [--seed 7] [--stricter]

Every reason's true mean loss is exactly the limit, and its evidence is looked at after each
approval; the share that is ever proposed may not exceed the error of the test. Beside it stands
what a Clopper-Pearson bound does when it is looked at as often. Then the same at half the limit and
without any error: after how many answers a reason is proposed. With --stricter what more could be
asked against errors in clusters, and what that costs.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from desk.earning import clean_answers_to, log_e_values

Losses = NDArray[np.float64]
Maker = Callable[[np.random.Generator, tuple[int, int], float], Losses]
Rule = Callable[[Losses, float], NDArray[np.bool_]]

LIMITS: Final = (0.05, 0.02, 0.01)
ERROR: Final = 0.05
_AT_ONCE: Final = 500
_LONGEST: Final = 6000


def right_or_wrong(rng: np.random.Generator, shape: tuple[int, int], mean: float) -> Losses:
    """Return losses of 0 and 1."""
    return (rng.random(shape) < mean).astype(np.float64)


def fractions(rng: np.random.Generator, shape: tuple[int, int], mean: float) -> Losses:
    """Return losses as edits make them: most answers as drafted, some changed by a share."""
    return (rng.random(shape) < 2 * mean) * rng.beta(0.5, 0.5, shape)


def small_edits(rng: np.random.Generator, shape: tuple[int, int], mean: float) -> Losses:
    """Return losses of many small edits: every answer is changed a little."""
    return rng.beta(2 * mean, 2 * (1 - mean), shape)


def getting_better(rng: np.random.Generator, shape: tuple[int, int], mean: float) -> Losses:
    """Return losses whose mean falls from twice the limit to none: on average never below it."""
    return (rng.random(shape) < np.linspace(2 * mean, 0, shape[1])).astype(np.float64)


def in_waves(rng: np.random.Generator, shape: tuple[int, int], mean: float) -> Losses:
    """Return losses in waves of 200 answers, bad times first: on average never below the limit."""
    wave = np.sin(np.arange(shape[1]) * 2 * math.pi / 200)
    return (rng.random(shape) < mean * (1 + wave)).astype(np.float64)


def after_errors(rng: np.random.Generator, shape: tuple[int, int], mean: float) -> Losses:
    """Return losses that come in pairs: right after one the next is likely, never rarer than the limit."""
    found = right_or_wrong(rng, shape, mean)
    follow = rng.random(shape) < 0.5
    found[:, 1:] = np.maximum(found[:, 1:], found[:, :-1] * follow[:, 1:])
    return found


def in_clusters(rng: np.random.Generator, shape: tuple[int, int], mean: float) -> Losses:
    """Return losses in clusters of 10 with long good times between: *outside* what is covered."""
    starts = rng.random(shape) < mean / 10
    found = np.zeros(shape)
    for behind in range(10):
        found[:, behind:] = np.maximum(found[:, behind:], starts[:, : shape[1] - behind])
    return found


COVERED: Final[tuple[Maker, ...]] = (
    right_or_wrong,
    fractions,
    small_edits,
    getting_better,
    in_waves,
    after_errors,
)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reasons", type=int, default=3000)
    parser.add_argument("--looks", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--stricter", action="store_true")
    given = parser.parse_args()
    shape = (given.reasons, given.looks)
    if given.stricter:
        print_stricter(shape, given.seed)
        return
    print(f"{given.reasons} reasons at exactly the limit, {given.looks} looks each: ever proposed")
    print(f"{'':18}" + "".join(f"{limit:>9.0%}" for limit in LIMITS))
    for maker in (*COVERED, in_clusters):
        rng = np.random.default_rng(given.seed)
        shares = [float(np.mean(first_looks(maker, rng, shape, m) > 0)) for m in LIMITS]
        note = "   (not covered)" if maker is in_clusters else ""
        print(f"{maker.__name__:18}" + "".join(f"{one:>9.2%}" for one in shares) + note)
    rng = np.random.default_rng(given.seed)
    naive = [float(np.mean(naive_looks(rng, shape, m) > 0)) for m in LIMITS]
    print(f"{'Clopper-Pearson':18}" + "".join(f"{one:>9.2%}" for one in naive))
    print(f"\nanswers until a reason is proposed; later than {_LONGEST} is not followed")
    print(f"{'':34}" + "".join(f"{limit:>9.0%}" for limit in LIMITS))
    fixed = [math.ceil(math.log(ERROR) / math.log(1 - m)) for m in LIMITS]
    print(f"{'one look, no error':34}" + "".join(f"{one:>9}" for one in fixed))
    clean = [clean_answers_to((), m, ERROR) for m in LIMITS]
    print(f"{'no error':34}" + "".join(f"{one:>9}" for one in clean))
    for share, name in ((0.1, "a tenth of"), (0.5, "half"), (0.7, "0.7 of")):
        for maker in (right_or_wrong, fractions):
            rng = np.random.default_rng(given.seed)
            found = [
                first_looks(maker, rng, (given.reasons, _LONGEST), m, share * m) for m in LIMITS
            ]
            told = "".join(f"{_median(one):>9}" for one in found)
            print(f"{f'median at {name} the limit, {maker.__name__}':>34}{told}")


def enough(losses: Losses, limit: float) -> NDArray[np.bool_]:
    """Tell at which looks the evidence suffices."""
    return log_e_values(losses, limit) >= -math.log(ERROR)


def with_latest(count: int) -> Rule:
    """Return a rule that also has the latest ``count`` answers keep the limit by themselves."""

    def rule(losses: Losses, limit: float) -> NDArray[np.bool_]:
        total = np.cumsum(losses, axis=1)
        latest = total[:, count:] - total[:, :-count] <= limit * count
        return enough(losses, limit) & np.pad(latest, ((0, 0), (count, 0)))

    return rule


def held_for(count: int) -> Rule:
    """Return a rule by which a proposal must hold for ``count`` further answers."""

    def rule(losses: Losses, limit: float) -> NDArray[np.bool_]:
        found = np.cumsum(enough(losses, limit), axis=1)
        return np.pad(found[:, count:] - found[:, :-count] == count, ((0, 0), (count, 0)))

    return rule


def without_error_for(count: int) -> Rule:
    """Return a rule that begins anew after each error: none within the latest ``count`` answers."""

    def rule(losses: Losses, limit: float) -> NDArray[np.bool_]:
        looks = np.arange(losses.shape[1])
        last = np.maximum.accumulate(np.where(losses > 0, looks, -1), axis=1)
        return enough(losses, limit) & (looks - last >= count)

    return rule


STRICTER: Final[dict[str, Rule]] = {
    "as it is": enough,
    "latest 100 within the limit": with_latest(100),
    "latest 200 within the limit": with_latest(200),
    "held for 74 more": held_for(74),
    "held for 150 more": held_for(150),
    "no error in the latest 74": without_error_for(74),
    "no error in the latest 120": without_error_for(120),
}


def print_stricter(shape: tuple[int, int], seed: int, limit: float = LIMITS[0]) -> None:
    """Print how many are wrongly proposed in clusters by each rule, and after how many answers."""
    print(f"{'':30}{'in clusters':>14}{'half, median':>14}{'no error':>14}")
    for name, rule in STRICTER.items():
        wrong, good, clean = (
            first_looks(maker, np.random.default_rng(seed), some, limit, mean, rule)
            for maker, some, mean in (
                (in_clusters, shape, limit),
                (right_or_wrong, shape, limit / 2),
                (right_or_wrong, (1, 1000), 0.0),
            )
        )
        print(f"{name:30}{np.mean(wrong > 0):>14.2%}{_median(good):>14}{_median(clean):>14}")


def first_looks(
    maker: Maker,
    rng: np.random.Generator,
    shape: tuple[int, int],
    limit: float,
    mean: float | None = None,
    rule: Rule = enough,
) -> NDArray[np.int64]:
    """Return for each reason the number of the look at which it is proposed; 0 for never.

    Args:
        maker: Draws the losses.
        rng: Where chance comes from.
        shape: Reasons and looks.
        limit: The limit that is tested.
        mean: The true mean loss; the limit itself when it is None.
        rule: Tells at which looks a reason would be proposed.
    """
    found = []
    for start in range(0, shape[0], _AT_ONCE):
        some = (min(_AT_ONCE, shape[0] - start), shape[1])
        losses = maker(rng, some, limit if mean is None else mean)
        found.append(_first(rule(losses, limit)))
    return np.concatenate(found)


def naive_looks(
    rng: np.random.Generator, shape: tuple[int, int], limit: float
) -> NDArray[np.int64]:
    """As :func:`first_looks`, by an upper Clopper-Pearson bound of 95 % below the limit."""
    from scipy.stats import binom  # type: ignore[import-untyped]

    looks = np.arange(1, shape[1] + 1)
    most = binom.ppf(ERROR, looks, limit)
    most = np.where(binom.cdf(most, looks, limit) <= ERROR, most, most - 1)
    wrong = np.cumsum(right_or_wrong(rng, shape, limit), axis=1)
    return _first(wrong <= most)


def _first(reached: NDArray[np.bool_]) -> NDArray[np.int64]:
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, 0)


def _median(looks: NDArray[np.int64]) -> str:
    middle = float(np.median(np.where(looks > 0, looks, np.inf)))
    return "later" if math.isinf(middle) else f"{middle:.0f}"


if __name__ == "__main__":
    main()
