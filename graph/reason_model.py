"""Learns from examples which texts are about which reason, and when a text is about none of them.

Two opinions are summed. By meaning: kernel ridge regression on the vectors of the texts. By
wording: naive Bayes on words and word pairs. How much each counts, how sure the sum is, and what
a contact of an unknown reason looks like is learned from the examples alone: each example is judged
as if it were not there, and each reason's examples as if nobody had thought of that reason. For
ridge regression both follow from the one solution, so nothing is fitted twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from retrieval.ports import Vectors

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NOBODYS: Final = -1
"""Stands for the reason of a text that is about none of the reasons."""

MOST_TEXTS: Final = 12_000
"""More are not learned from: their kernel would not fit a small machine's memory."""

_SHARPNESS = 4.0  # of the kernel; a cosine of 0.8 then counts 0.45
_RIDGE = 0.2
_LEAST = 0.02  # scores by meaning below this are all the same
_WORD_PRIOR = (
    0.03  # what is added to every count; low, so that a word of one reason only is telling
)
_LOOKED_AT = 2_000  # texts that are judged as if they were absent
_PULL = 20.0
_FEW = 300  # texts that are learned anew with each correction
_NEIGHBOURS = 512  # texts that give way when one more is learned
_UNKNOWN_REFUSED = 0.91
_KNOWN_REFUSED = 0.2  # but never more than this share of what the map does know
_DOUBTFUL = 0.2
_NOBODYS_WEIGHT = 12.0
_UNKNOWN_SHARE = 0.04  # of contacts, where nobody has counted them
_TOKEN = re.compile(r"\w+")


def tokens_of(text: str) -> frozenset[str]:
    """Return the words and pairs of neighbouring words of ``text``, in lower case."""
    words = _TOKEN.findall(text.casefold())
    pairs = (f"{one} {two}" for one, two in pairwise(words))
    return frozenset(words).union(pairs)


def quick_to_learn(texts: int) -> bool:
    """Whether learning so many texts anew takes a fraction of a second."""
    return texts <= _FEW


@dataclass(frozen=True, slots=True)
class Lessons:
    """What there is to learn from; all of one length.

    Attributes:
        vectors: ``(texts, dimensions)``, unit rows.
        tokens: Words and pairs of each text.
        owner: ``(texts,)``, number of the reason each text is about; ``NOBODYS`` for none.
        spoken: ``(texts,)``, whether a customer would say it; names and descriptions are not.
    """

    vectors: Vectors
    tokens: tuple[frozenset[str], ...]
    owner: Ints
    spoken: Bools

    def __len__(self) -> int:
        return len(self.owner)

    def and_also(self, more: Lessons) -> Lessons:
        """Return these lessons with others behind them."""
        return Lessons(
            np.concatenate([self.vectors, more.vectors]),
            self.tokens + more.tokens,
            np.concatenate([self.owner, more.owner]),
            np.concatenate([self.spoken, more.spoken]),
        )

    def only(self, rows: Ints) -> Lessons:
        """Return the lessons of ``rows``, in their order."""
        return Lessons(
            self.vectors[rows],
            tuple(self.tokens[row] for row in rows),
            self.owner[rows],
            self.spoken[rows],
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """What a model makes of some texts.

    Attributes:
        probability: ``(texts, reasons)``, which reason it is if it is one of them; rows sum to 1.
        familiar: ``(texts,)``, log odds that it is one of them where one contact in two is.
        meaning: ``(texts, reasons)``, the opinion by meaning; about 1 for a text like an example.
    """

    probability: Floats
    familiar: Floats
    meaning: Floats


@dataclass(frozen=True, slots=True)
class Calibration:
    """How opinions become probabilities.

    Attributes:
        meaning: Weight of the opinion by meaning.
        ratio: Weight of its logarithm, which tells small opinions apart.
        wording: Weight of the opinion by wording.
        sure: What the log odds of the best reason add to ``familiar``.
        close: What the best score by meaning adds.
        offset: What is always added.
        refused_below: A text that is less familiar than this is about none of the reasons.
        doubtful: Best score by meaning that a fifth of the contacts of known reasons miss.
    """

    meaning: float = 4.0
    ratio: float = 2.0
    wording: float = 0.15
    sure: float = 1.0
    close: float = 5.0
    offset: float = -2.25
    refused_below: float = 0.0
    doubtful: float = 0.5

    def as_row(self) -> list[float]:
        """Return the numbers in the order of the fields."""
        return [
            self.meaning,
            self.ratio,
            self.wording,
            self.sure,
            self.close,
            self.offset,
            self.refused_below,
            self.doubtful,
        ]

    def judged(self, meaning: Floats, wording: Floats) -> Judged:
        """Return the judgement on texts from both opinions, each ``(texts, reasons)``."""
        probability = self.probability(meaning, wording)
        sure, close = _signs(probability, meaning)
        familiar = self.sure * sure + self.close * close + self.offset
        return Judged(probability, familiar - nobodys(meaning), meaning)

    def probability(self, meaning: Floats, wording: Floats) -> Floats:
        """Return which reason each text is about if it is one of them, ``(texts, reasons)``."""
        logarithm = np.log(np.maximum(meaning, 0) + _LEAST)
        return _softmax(self.meaning * meaning + self.ratio * logarithm + self.wording * wording)

    def nothing(self, familiar: Floats) -> Floats:
        """Return the probability that a text is about none of the reasons, 0..1."""
        return _sigmoid(np.log(_UNKNOWN_SHARE / (1 - _UNKNOWN_SHARE)) - familiar)


@dataclass(frozen=True)
class Wording:
    """Counts of words by reason; naive Bayes on them.

    Attributes:
        rows: Word or pair → row of ``counts``.
        counts: ``(words, reasons)``, how many texts of a reason have the word.
        prior: What is added to every count: among few examples a word is soon there by chance.
    """

    rows: dict[str, int]
    counts: npt.NDArray[np.float32]
    prior: float

    @classmethod
    def of(cls, tokens: Sequence[frozenset[str]], owner: Ints, reasons: int) -> Wording:
        """Count the words of texts; a text of no reason counts for none."""
        prior = min(max(_WORD_PRIOR * reasons / max(len(tokens), 1), 0.03), 0.3)
        return cls({}, np.zeros((0, reasons), np.float32), prior).and_also(tokens, owner)

    def and_also(self, tokens: Sequence[frozenset[str]], owner: Ints) -> Wording:
        """Return these counts with more texts counted."""
        rows = dict(self.rows)
        at: list[int] = []
        whose: list[int] = []
        for text, reason in zip(tokens, owner.tolist(), strict=True):
            if reason != NOBODYS:
                # Sorted: a set's order differs between processes, sums of floats with it.
                at.extend(rows.setdefault(token, len(rows)) for token in sorted(text))
                whose.extend([reason] * len(text))
        counts = np.zeros((len(rows), self.counts.shape[1]), np.float32)
        counts[: len(self.counts)] = self.counts
        np.add.at(counts, (at, whose), 1)
        return Wording(rows, counts, self.prior)

    @cached_property
    def _totals(self) -> Floats:
        totals: Floats = self.counts.sum(axis=0, dtype=np.float64)
        return totals

    @cached_property
    def _log_totals(self) -> Floats:
        return np.asarray(np.log(self._totals + self.prior * max(len(self.rows), 1)))

    def known(self, tokens: Iterable[str]) -> list[int]:
        """Return the rows of those tokens that have one."""
        return [self.rows[token] for token in sorted(tokens) if token in self.rows]

    def opinion(self, tokens: frozenset[str], without: int | None = None) -> Floats:
        """Return a score per reason, 0 for the best; a long text is not much surer than a short one.

        Args:
            tokens: The words and pairs of one text.
            without: Number of a reason that this text was counted for, to be left out of it.
        """
        at = self.known(tokens)
        if not at:
            return np.zeros(self.counts.shape[1])
        counts = self.counts[at].astype(np.float64)
        scores = np.log(counts + self.prior).sum(axis=0) - len(at) * self._log_totals
        if without is not None:
            left = np.log(np.maximum(counts[:, without] - 1, 0) + self.prior).sum()
            total = self._totals[without] - len(at) + self.prior * len(self.rows)
            scores[without] = left - len(at) * np.log(total)
        return np.asarray((scores - scores.max()) / np.sqrt(len(tokens)))

    def telling(self, words: Sequence[str], reason: int) -> Floats:
        """Return how much each word speaks for ``reason`` against the other ones; 0: not at all."""
        found = np.zeros(len(words))
        for place, word in enumerate(words):
            row = self.rows.get(word.casefold())
            if row is None or not self.counts[row, reason]:
                continue
            share = np.log(self.counts[row] + self.prior) - self._log_totals
            others = np.delete(share, reason)
            against = np.log(np.exp(others).mean()) if len(others) else share[reason] - 1
            found[place] = max(float(share[reason] - against), 0.0)
        return found


@dataclass(frozen=True)
class ReasonModel:
    """What was learned. Never changes: learning more makes another one.

    Attributes:
        lessons: What it was learned from.
        weights: ``(texts, reasons)``, how much each text speaks for and against each reason.
        wording: The words of the reasons.
        calibration: How opinions become probabilities.
    """

    lessons: Lessons
    weights: npt.NDArray[np.float32]
    wording: Wording
    calibration: Calibration

    @classmethod
    def fit(
        cls,
        lessons: Lessons,
        reasons: int,
        kept: Callable[[Callable[[], npt.NDArray[np.float32]]], npt.NDArray[np.float32]],
    ) -> ReasonModel:
        """Learn from ``lessons``, of which there is at least one.

        Args:
            lessons: Texts and what they are about.
            reasons: How many reasons there are.
            kept: Returns the array that its argument would make, made or kept from before.
        """
        lessons = lessons.only(_manageable(lessons.owner))
        wording = Wording.of(lessons.tokens, lessons.owner, reasons)

        def make() -> npt.NDArray[np.float32]:
            weights, calibration = _solve(lessons, wording, reasons)
            return np.concatenate([weights.ravel(), calibration.as_row()]).astype(np.float32)

        flat = kept(make)
        numbers = len(Calibration().as_row())
        return cls(
            lessons,
            flat[:-numbers].reshape(len(lessons), reasons),
            wording,
            Calibration(*flat[-numbers:].tolist()),
        )

    def judge(self, vectors: Vectors, tokens: Sequence[frozenset[str]]) -> Judged:
        """Return what the model makes of texts given as unit rows and as words."""
        wording = np.stack([self.wording.opinion(each) for each in tokens])
        return self.calibration.judged(self._meaning(vectors), wording)

    def _meaning(self, vectors: Vectors) -> Floats:
        kernel = _kernel(vectors, self.lessons.vectors)
        return np.asarray(kernel @ self.weights + _prior(self.weights.shape[1]), dtype=np.float64)

    def and_also(self, more: Lessons) -> ReasonModel:
        """Return a model that has learned ``more``, in a moment whatever it knew before.

        Only the new texts and the ones nearest to them are weighed anew. The rest would hardly
        move, as the kernel of what is far apart is nearly nothing.
        """
        reasons = self.weights.shape[1]
        known = len(self.lessons)
        gap = _targets(more.owner, reasons) + _prior(reasons) - self._meaning(more.vectors)
        near = (self.lessons.vectors @ more.vectors.T).max(axis=1)
        block = np.concatenate(
            [
                np.sort(np.argsort(-near)[:_NEIGHBOURS]),
                np.arange(known, known + len(more)),
            ]
        )
        lessons = self.lessons.and_also(more)
        system = _kernel(lessons.vectors[block], lessons.vectors[block]).astype(np.float64)
        system[np.diag_indices_from(system)] += _RIDGE
        wanted = np.concatenate([np.zeros((len(block) - len(more), reasons)), gap])
        weights = np.concatenate([self.weights, np.zeros((len(more), reasons), np.float32)])
        weights[block] += np.linalg.solve(system, wanted).astype(np.float32)
        wording = self.wording.and_also(more.tokens, more.owner)
        return replace(self, lessons=lessons, weights=weights, wording=wording)


def nobodys(meaning: Floats) -> Floats:
    """Return what the nearness of lessons about none of the reasons takes off ``familiar``.

    Scores of all reasons sum to nearly 1 wherever only lessons about reasons are near, and where
    nothing is near; to 0 at a text that is about none of them.

    Args:
        meaning: ``(texts, reasons)``, the opinion by meaning.
    """
    reasons = meaning.shape[1]
    lacking = 1 - _prior(reasons) - meaning.sum(axis=1)
    return np.asarray(_NOBODYS_WEIGHT * np.maximum(lacking, 0))


def _manageable(owner: Ints) -> Ints:
    """Return the rows to learn from: all, or the latest of each reason where there are too many."""
    rows = np.arange(len(owner))
    if len(rows) <= MOST_TEXTS:
        return rows
    latest = np.zeros(len(owner), dtype=np.int64)  # how many of the same reason come after it
    for reason in np.unique(owner):
        mine = np.flatnonzero(owner == reason)
        latest[mine] = np.arange(len(mine))[::-1]
    return np.sort(np.argsort(latest, kind="stable")[:MOST_TEXTS])


def _prior(reasons: int) -> float:
    """The score of a reason for a text that resembles nothing: "none of them" has its share."""
    return 1.0 / (reasons + 1)


def _targets(owner: Ints, reasons: int) -> Floats:
    targets = np.zeros((len(owner), reasons))
    rows = np.flatnonzero(owner != NOBODYS)
    targets[rows, owner[rows]] = 1.0
    return targets - _prior(reasons)


def _kernel(one: Vectors, two: Vectors) -> Vectors:
    kernel: Vectors = one @ two.T
    kernel -= 1
    kernel *= _SHARPNESS
    np.exp(kernel, out=kernel)  # in place: for many texts it is large
    return kernel


def _solve(lessons: Lessons, wording: Wording, reasons: int) -> tuple[Vectors, Calibration]:
    """Return the weights, ``(texts, reasons)``, and the calibration."""
    linalg: Any = import_module("scipy.linalg")
    order, looked_at = _looked_at(lessons.owner)
    vectors = lessons.vectors[order]
    system = _kernel(vectors, vectors)
    system[np.diag_indices_from(system)] += _RIDGE
    factor = linalg.cholesky(system, lower=True, overwrite_a=True, check_finite=False)
    targets = _targets(lessons.owner[order], reasons).astype(np.float32)
    weights: Vectors = linalg.cho_solve((factor, True), targets, check_finite=False)
    # The corner of the inverse belongs to the last rows, and needs the corner of the factor only.
    corner = factor[-looked_at:, -looked_at:].astype(np.float64)
    half, _ = linalg.lapack.dpotri(corner, lower=1)
    inverse = np.tril(half) + np.tril(half, -1).T
    last = order[-looked_at:]
    calibration = _calibrate(
        lessons.only(last),
        weights[-looked_at:].astype(np.float64),
        inverse,
        wording,
        reasons,
        whole=np.bincount(lessons.owner[lessons.owner != NOBODYS], minlength=reasons),
    )
    unsorted = np.empty_like(weights)
    unsorted[order] = weights
    return unsorted, calibration


def _looked_at(owner: Ints) -> tuple[Ints, int]:
    """Return an order of the rows and how many of the last are judged as if they were absent.

    They are all, or where that would take too long whole reasons drawn by lot and, for the rest,
    rows drawn by lot.
    """
    rows = np.arange(len(owner))
    if len(rows) <= _LOOKED_AT:
        return rows, len(rows)
    draw = np.random.default_rng(0)
    chosen = np.zeros(len(owner), dtype=np.bool_)
    for reason in draw.permutation(np.unique(owner[owner != NOBODYS])):
        mine = owner == reason
        if chosen.sum() + mine.sum() <= _LOOKED_AT * 2 // 3:
            chosen |= mine
    spare = _LOOKED_AT - int(chosen.sum())
    chosen[draw.choice(np.flatnonzero(~chosen), spare, replace=False)] = True
    return np.concatenate([rows[~chosen], rows[chosen]]), _LOOKED_AT


def _calibrate(
    lessons: Lessons,
    weights: Floats,
    inverse: Floats,
    wording: Wording,
    reasons: int,
    whole: Ints,
) -> Calibration:
    """Return the calibration from what the model says of lessons as if they were absent.

    Args:
        lessons: The lessons looked at.
        weights: Their weights.
        inverse: The part of the inverse of the system that belongs to them.
        wording: The words of all lessons.
        reasons: How many reasons there are.
        whole: ``(reasons,)``, how many lessons each reason has in all.
    """
    targets = _targets(lessons.owner, reasons) + _prior(reasons)
    asks = lessons.spoken & (lessons.owner != NOBODYS)
    absent_one = targets - weights / np.diag(inverse)[:, None]
    absent_all = np.full(targets.shape, np.nan)
    for reason in np.unique(lessons.owner[asks]):
        mine = np.flatnonzero(lessons.owner == reason)
        if len(mine) == whole[reason] and reasons > 1:
            block = inverse[np.ix_(mine, mine)]
            absent_all[mine] = targets[mine] - np.linalg.solve(block, weights[mine])
            absent_all[mine, reason] = _prior(reasons)
    fellows = np.append(whole, 0)[lessons.owner]
    known = np.flatnonzero(asks & (fellows > 1))
    unknown = np.flatnonzero(asks & np.isfinite(absent_all).all(axis=1))
    by_word = [
        wording.opinion(each, int(reason) if reason != NOBODYS else None)
        for each, reason in zip(lessons.tokens, lessons.owner, strict=True)
    ]
    words = np.stack(by_word)
    calibration = _weigh(absent_one[known], words[known], lessons.owner[known])
    if len(known):
        doubtful = float(np.quantile(absent_one[known].max(axis=1), _DOUBTFUL))
        calibration = replace(calibration, doubtful=doubtful)
    without = words.copy()
    own = lessons.owner[unknown]
    without[unknown, own] = -np.inf
    rest = without[unknown]
    rest = rest - rest.max(axis=1, keepdims=True) if len(rest) else rest
    rest[np.arange(len(unknown)), own] = -1e3
    return _draw_the_line(calibration, absent_one[known], words[known], absent_all[unknown], rest)


def _weigh(meaning: Floats, wording: Floats, owner: Ints) -> Calibration:
    """Return the weights of the opinions that make the right reasons likeliest."""
    start = Calibration()
    if not len(owner):
        return start
    rows = np.arange(len(owner))

    def moved(change: Floats) -> Calibration:
        return replace(
            start,
            meaning=start.meaning * float(np.exp(change[0])),
            ratio=start.ratio * float(np.exp(change[1])),
            wording=start.wording * float(np.exp(change[2])),
        )

    def loss(change: Floats) -> float:
        chosen = moved(change).probability(meaning, wording)[rows, owner]
        # Pulled towards the usual weights: few examples say little of how to weigh them, and what
        # makes the right reason likelier is not quite what makes it the likeliest.
        return float(-np.log(np.maximum(chosen, 1e-12)).sum() + _PULL * (change**2).sum())

    return moved(_minimum(loss, 3))


def _draw_the_line(
    calibration: Calibration,
    known_meaning: Floats,
    known_wording: Floats,
    unknown_meaning: Floats,
    unknown_wording: Floats,
) -> Calibration:
    """Return the calibration with what tells contacts of known reasons from those of unknown."""

    def signs(meaning: Floats, wording: Floats) -> Floats:
        probability = calibration.probability(meaning, wording)
        return np.stack([*_signs(probability, meaning), np.ones(len(meaning))], axis=1)

    known = signs(known_meaning, known_wording)
    unknown = signs(unknown_meaning, unknown_wording)
    start = np.array([calibration.sure, calibration.close, calibration.offset])
    if not len(known) or not len(unknown):
        return calibration
    weight = min(len(known), len(unknown))

    def loss(change: Floats) -> float:
        now = start + change
        of_known = np.logaddexp(0, -(known @ now)).mean()
        of_unknown = np.logaddexp(0, unknown @ now).mean()
        return float(weight * (of_known + of_unknown) + 2.0 * (change**2).sum())

    sure, close, offset = (start + _minimum(loss, 3)).tolist()
    drawn = replace(calibration, sure=sure, close=close, offset=offset)
    now = np.array([sure, close, offset])
    line = min(
        float(np.quantile(unknown @ now, _UNKNOWN_REFUSED)),
        float(np.quantile(known @ now, _KNOWN_REFUSED)),
    )
    trust = weight / (weight + 10.0)  # the quantile of a handful is chance
    return replace(drawn, refused_below=trust * line)


def _signs(probability: Floats, meaning: Floats) -> tuple[Floats, Floats]:
    """Return the log odds of the best reason and its score by meaning."""
    best = probability.argmax(axis=1)
    rows = np.arange(len(probability))
    top = np.clip(probability[rows, best], 1e-9, 1 - 1e-6)
    return np.asarray(np.log(top) - np.log1p(-top)), meaning[rows, best]


def _minimum(loss: Callable[[Floats], float], numbers: int) -> Floats:
    optimize: Any = import_module("scipy.optimize")
    found = optimize.minimize(loss, np.zeros(numbers), method="BFGS", options={"maxiter": 60})
    return np.asarray(found.x, dtype=np.float64)


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-values)))
