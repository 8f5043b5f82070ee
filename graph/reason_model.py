"""Learns from examples which texts are about which reason, and when a text is about none of them.

Two opinions on which reason it is are summed. By meaning: kernel ridge regression on the vectors of
the texts. By wording: naive Bayes on words and word pairs. Whether it is any reason at all is told by
a second kernel ridge regression. What the examples of a reason have in common tells it from the
others, so the first kernel reaches far, the farther the fewer examples there are: a narrow one knows
a text by its nearest examples, and among a handful the nearest is often near for a word that all
reasons share. Single words, too, tell little before there are plenty of examples. What is unlike
every example is told by a narrow kernel alone.

How much each opinion counts, how sure the sum is, and what a contact of an unknown reason looks like
is learned from the examples alone: each example is judged as if it were not there, and each reason's
examples as if nobody had thought of that reason. For ridge regression both follow from the one
solution, so nothing is fitted twice.
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

# Sharpness of the kernel that tells reasons apart, with hardly any texts and with very many …
_WHICH = (1.0, 4.0)
_HALF_WAY = 300.0  # … and the number of texts that is half way; at 1 a cosine of 0.8 counts 0.82
_WHETHER = 4.0  # of the one that tells whether it is any of them; a cosine of 0.8 then counts 0.45
_PLENTY = 10.0  # examples a reason that give words half their usual weight
_WORDING = 0.28  # usual weight of the opinion by wording, with plenty of examples
_RIDGE = 0.2  # how far an opinion by meaning may stay from what a text is about …
_NAME_RIDGE = 0.05  # … and a name or description, which stands for more than one example does
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
        meaning: ``(texts, reasons)``, how near it is to each; about 1 for a text like an example.
    """

    probability: Floats
    familiar: Floats
    meaning: Floats


@dataclass(frozen=True, slots=True)
class Calibration:
    """How opinions become probabilities.

    Of the two opinions by meaning, ``which`` tells reasons apart, ``whether`` what is like none.

    Attributes:
        meaning: Weight of the opinion by meaning.
        ratio: Weight of its logarithm, which tells small opinions apart.
        wording: Weight of the opinion by wording.
        sure: What the log odds of the best reason add to ``familiar``.
        close: What the nearness to the best reason adds.
        offset: What is always added.
        refused_below: A text that is less familiar than this is about none of the reasons.
        doubtful: Nearness to any reason that a fifth of the contacts of known reasons miss.
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

    def judged(self, which: Floats, whether: Floats, wording: Floats) -> Judged:
        """Return the judgement on texts from all opinions, each ``(texts, reasons)``."""
        probability = self.probability(which, wording)
        sure, close = _signs(probability, whether)
        familiar = self.sure * sure + self.close * close + self.offset
        return Judged(probability, familiar - nobodys(whether), whether)

    def probability(self, which: Floats, wording: Floats) -> Floats:
        """Return which reason each text is about if it is one of them, ``(texts, reasons)``."""
        logarithm = np.log(np.maximum(which, 0) + _LEAST)
        return _softmax(self.meaning * which + self.ratio * logarithm + self.wording * wording)

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
        which: ``(texts, reasons)``, how much each text speaks for and against each reason.
        whether: The same where the question is whether it is any reason at all.
        wording: The words of the reasons.
        calibration: How opinions become probabilities.
        sharpness: Of the kernel of ``which``.
    """

    lessons: Lessons
    which: npt.NDArray[np.float32]
    whether: npt.NDArray[np.float32]
    wording: Wording
    calibration: Calibration
    sharpness: float

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
        many = len(lessons) / (len(lessons) + _HALF_WAY)
        sharpness = _WHICH[0] + many * (_WHICH[1] - _WHICH[0])

        def make() -> npt.NDArray[np.float32]:
            start = Calibration(wording=_WORDING * _plenty(lessons))
            which, whether, calibration = _solve(lessons, wording, reasons, sharpness, start)
            row = calibration.as_row()
            return np.concatenate([which.ravel(), whether.ravel(), row]).astype(np.float32)

        flat = kept(make)
        numbers = len(Calibration().as_row())
        which, whether = flat[:-numbers].reshape(2, len(lessons), reasons)
        calibration = Calibration(*flat[-numbers:].tolist())
        return cls(lessons, which, whether, wording, calibration, sharpness)

    def judge(self, vectors: Vectors, tokens: Sequence[frozenset[str]]) -> Judged:
        """Return what the model makes of texts given as unit rows and as words."""
        wording = np.stack([self.wording.opinion(each) for each in tokens])
        which, whether = self._opinions(vectors)
        return self.calibration.judged(which, whether, wording)

    def _opinions(self, vectors: Vectors) -> tuple[Floats, Floats]:
        """Return both opinions by meaning on texts, each ``(texts, reasons)``."""
        cosine = vectors @ self.lessons.vectors.T
        prior = _prior(self.which.shape[1])
        which = _into_kernel(cosine.copy(), self.sharpness) @ self.which + prior
        whether = _into_kernel(cosine, _WHETHER) @ self.whether + prior
        return which.astype(np.float64), whether.astype(np.float64)

    def and_also(self, more: Lessons) -> ReasonModel:
        """Return a model that has learned ``more``, in a moment whatever it knew before.

        Only the new texts and the ones nearest to them are weighed anew. The rest would hardly
        move, as the kernel of what is far apart is nearly nothing.
        """
        reasons = self.which.shape[1]
        known = len(self.lessons)
        near = (self.lessons.vectors @ more.vectors.T).max(axis=1)
        block = np.concatenate(
            [
                np.sort(np.argsort(-near)[:_NEIGHBOURS]),
                np.arange(known, known + len(more)),
            ]
        )
        lessons = self.lessons.and_also(more)
        cosine = (lessons.vectors[block] @ lessons.vectors[block].T).astype(np.float64)
        ridge = _ridge(lessons.spoken[block])
        targets = _targets(more.owner, reasons) + _prior(reasons)

        def wiser(weights: Vectors, sharpness: float, opinion: Floats) -> Vectors:
            system = _system(cosine.copy(), sharpness, ridge)
            wanted = np.zeros((len(block), reasons))
            wanted[-len(more) :] = targets - opinion
            more_weights = np.concatenate([weights, np.zeros((len(more), reasons), np.float32)])
            more_weights[block] += np.linalg.solve(system, wanted).astype(np.float32)
            return more_weights

        which, whether = self._opinions(more.vectors)
        return replace(
            self,
            lessons=lessons,
            which=wiser(self.which, self.sharpness, which),
            whether=wiser(self.whether, _WHETHER, whether),
            wording=self.wording.and_also(more.tokens, more.owner),
        )


def nobodys(meaning: Floats) -> Floats:
    """Return what the nearness of lessons about none of the reasons takes off ``familiar``.

    Scores of all reasons sum to nearly 1 wherever only lessons about reasons are near, and where
    nothing is near; to 0 at a text that is about none of them.

    Args:
        meaning: ``(texts, reasons)``, how near each text is to each reason.
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


def _plenty(lessons: Lessons) -> float:
    """Return how near the examples are to plenty: 0 for none, 1 for very many of each reason."""
    asked = lessons.owner[_asks(lessons)]
    each = len(asked) / max(len(np.unique(asked)), 1)
    return each / (each + _PLENTY)


def _prior(reasons: int) -> float:
    """The score of a reason for a text that resembles nothing: "none of them" has its share."""
    return 1.0 / (reasons + 1)


def _targets(owner: Ints, reasons: int) -> Floats:
    targets = np.zeros((len(owner), reasons))
    rows = np.flatnonzero(owner != NOBODYS)
    targets[rows, owner[rows]] = 1.0
    return targets - _prior(reasons)


def _into_kernel(cosine: npt.NDArray[Any], sharpness: float) -> npt.NDArray[Any]:
    """Turn cosines into the kernel, in place: for many texts they are large."""
    cosine -= 1
    cosine *= sharpness
    np.exp(cosine, out=cosine)
    return cosine


def _ridge(spoken: Bools) -> Floats:
    return np.where(spoken, _RIDGE, _NAME_RIDGE)


def _system(cosine: npt.NDArray[Any], sharpness: float, ridge: Floats) -> npt.NDArray[Any]:
    system = _into_kernel(cosine, sharpness)
    system[np.diag_indices_from(system)] += ridge.astype(system.dtype)
    return system


@dataclass(frozen=True, slots=True)
class _Absent:
    """What an opinion by meaning says of the lessons looked at as if they were absent.

    Attributes:
        one: ``(texts, reasons)``, as if the text itself were.
        all: As if every text of the same reason were; NaN where they were not all looked at.
    """

    one: Floats
    all: Floats


def _solve(
    lessons: Lessons, wording: Wording, reasons: int, sharpness: float, start: Calibration
) -> tuple[Vectors, Vectors, Calibration]:
    """Return the weights of both opinions, ``(texts, reasons)`` each, and the calibration."""
    order, looked_at = _looked_at(lessons.owner)
    last = lessons.only(order[-looked_at:])
    whole = np.bincount(lessons.owner[lessons.owner != NOBODYS], minlength=reasons)
    ordered = lessons.only(order)
    solved = []
    for each in (sharpness, _WHETHER):
        weights, inverse = _weights(ordered, reasons, each, looked_at)
        unsorted = np.empty_like(weights)
        unsorted[order] = weights
        mine = weights[-looked_at:].astype(np.float64)
        solved.append((unsorted, _absent(last, mine, inverse, reasons, whole)))
    (which, which_absent), (whether, whether_absent) = solved
    calibration = _calibrate(start, last, which_absent, whether_absent, wording, whole)
    return which, whether, calibration


def _weights(
    lessons: Lessons, reasons: int, sharpness: float, looked_at: int
) -> tuple[Vectors, Floats]:
    """Return the weights, ``(texts, reasons)``, and the last rows' corner of the inverse."""
    linalg: Any = import_module("scipy.linalg")
    system = _system(lessons.vectors @ lessons.vectors.T, sharpness, _ridge(lessons.spoken))
    factor = linalg.cholesky(system, lower=True, overwrite_a=True, check_finite=False)
    targets = _targets(lessons.owner, reasons).astype(np.float32)
    weights: Vectors = linalg.cho_solve((factor, True), targets, check_finite=False)
    # The corner of the inverse belongs to the last rows, and needs the corner of the factor only.
    corner = factor[-looked_at:, -looked_at:].astype(np.float64)
    half, _ = linalg.lapack.dpotri(corner, lower=1)
    return weights, np.tril(half) + np.tril(half, -1).T


def _absent(
    lessons: Lessons, weights: Floats, inverse: Floats, reasons: int, whole: Ints
) -> _Absent:
    """Return what is said of lessons as if they were absent.

    Args:
        lessons: The lessons looked at.
        weights: Their weights.
        inverse: The part of the inverse of the system that belongs to them.
        reasons: How many reasons there are.
        whole: ``(reasons,)``, how many lessons each reason has in all.
    """
    targets = _targets(lessons.owner, reasons) + _prior(reasons)
    absent_all = np.full(targets.shape, np.nan)
    for reason in np.unique(lessons.owner[_asks(lessons)]):
        mine = np.flatnonzero(lessons.owner == reason)
        if len(mine) == whole[reason] and reasons > 1:
            block = inverse[np.ix_(mine, mine)]
            absent_all[mine] = targets[mine] - np.linalg.solve(block, weights[mine])
            absent_all[mine, reason] = _prior(reasons)
    return _Absent(targets - weights / np.diag(inverse)[:, None], absent_all)


def _asks(lessons: Lessons) -> Bools:
    return np.asarray(lessons.spoken & (lessons.owner != NOBODYS))


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
    start: Calibration,
    lessons: Lessons,
    which: _Absent,
    whether: _Absent,
    wording: Wording,
    whole: Ints,
) -> Calibration:
    """Return the calibration from what the model says of lessons as if they were absent.

    Args:
        start: The usual one.
        lessons: The lessons looked at.
        which: What tells reasons apart.
        whether: What tells whether it is any.
        wording: The words of all lessons.
        whole: ``(reasons,)``, how many lessons each reason has in all.
    """
    asks = _asks(lessons)
    fellows = np.append(whole, 0)[lessons.owner]
    known = np.flatnonzero(asks & (fellows > 1))
    unknown = np.flatnonzero(asks & np.isfinite(whether.all).all(axis=1))
    by_word = [
        wording.opinion(each, int(reason) if reason != NOBODYS else None)
        for each, reason in zip(lessons.tokens, lessons.owner, strict=True)
    ]
    words = np.stack(by_word)
    calibration = _weigh(start, which.one[known], words[known], lessons.owner[known])
    if len(known):
        doubtful = float(np.quantile(whether.one[known].max(axis=1), _DOUBTFUL))
        calibration = replace(calibration, doubtful=doubtful)
    without = words.copy()
    own = lessons.owner[unknown]
    without[unknown, own] = -np.inf
    rest = without[unknown]
    rest = rest - rest.max(axis=1, keepdims=True) if len(rest) else rest
    rest[np.arange(len(unknown)), own] = -1e3
    return _draw_the_line(
        calibration,
        _signs(calibration.probability(which.one[known], words[known]), whether.one[known]),
        _signs(calibration.probability(which.all[unknown], rest), whether.all[unknown]),
    )


def _weigh(start: Calibration, which: Floats, wording: Floats, owner: Ints) -> Calibration:
    """Return the weights of the opinions that make the right reasons likeliest."""
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
        chosen = moved(change).probability(which, wording)[rows, owner]
        # Pulled towards the usual weights: few examples say little of how to weigh them, and what
        # makes the right reason likelier is not quite what makes it the likeliest.
        return float(-np.log(np.maximum(chosen, 1e-12)).sum() + _PULL * (change**2).sum())

    return moved(_minimum(loss, 3))


def _draw_the_line(
    calibration: Calibration, of_known: tuple[Floats, Floats], of_unknown: tuple[Floats, Floats]
) -> Calibration:
    """Return the calibration with what tells contacts of known reasons from those of unknown.

    Args:
        calibration: How opinions become probabilities.
        of_known: Signs of contacts of known reasons.
        of_unknown: Signs of contacts of unknown reasons.
    """
    known, unknown = (
        np.stack([*signs, np.ones(len(signs[0]))], axis=1) for signs in (of_known, of_unknown)
    )
    start = np.array([calibration.sure, calibration.close, calibration.offset])
    if not len(known) or not len(unknown):
        return calibration
    weight = min(len(known), len(unknown))

    def loss(change: Floats) -> float:
        now = start + change
        missed = np.logaddexp(0, -(known @ now)).mean()
        taken = np.logaddexp(0, unknown @ now).mean()
        return float(weight * (missed + taken) + 2.0 * (change**2).sum())

    sure, close, offset = (start + _minimum(loss, 3)).tolist()
    drawn = replace(calibration, sure=sure, close=close, offset=offset)
    now = np.array([sure, close, offset])
    line = min(
        float(np.quantile(unknown @ now, _UNKNOWN_REFUSED)),
        float(np.quantile(known @ now, _KNOWN_REFUSED)),
    )
    trust = weight / (weight + 10.0)  # the quantile of a handful is chance
    return replace(drawn, refused_below=trust * line)


def _signs(probability: Floats, whether: Floats) -> tuple[Floats, Floats]:
    """Return the log odds of the best reason and the nearness to it."""
    best = probability.argmax(axis=1)
    rows = np.arange(len(probability))
    top = np.clip(probability[rows, best], 1e-9, 1 - 1e-6)
    return np.asarray(np.log(top) - np.log1p(-top)), whether[rows, best]


def _minimum(loss: Callable[[Floats], float], numbers: int) -> Floats:
    optimize: Any = import_module("scipy.optimize")
    found = optimize.minimize(loss, np.zeros(numbers), method="BFGS", options={"maxiter": 60})
    return np.asarray(found.x, dtype=np.float64)


def _softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-values)))
