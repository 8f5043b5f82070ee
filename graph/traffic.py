"""Judges a contact beside the others that came in: how a reason that nobody thought of is noticed.

A single contact of an unknown reason looks much like an odd contact of a known one. Many of them
do not: they lie close to one another, where few examples lie. Two things are read off that:

- what the others near it are taken for. Ridge regression on what came in learns where the model
  was doubtful again and again, and where one doubtful contact stands among certain ones;
- how much came in here for each example here. Which reasons are asked how often plays no part:
  a day on which all ask about deliveries makes deliveries no news.

Nothing is learned from it which reason a contact is about, and nothing from a handful of contacts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from graph.reason_model import NOBODYS, Judged, ReasonModel, nobodys
from retrieval.ports import Vectors

Floats = npt.NDArray[np.float64]

_MOST = 2_000  # contacts; more would take long to learn from
_MOST_PER_REASON = 28
_LEAST = 200
_LEAST_PER_REASON = 4
_MOST_ALIKE = 60  # taken for the same reason: a rush on one would wear its scores down
_GROWTH = 1.5  # so much more than was learned from is worth learning from anew
_SHARPNESS = 4.0  # of the kernel that spreads what contacts are taken for
_RIDGE = 1.2
_ROUNDS = 4
_CERTAINTY = 12.0  # how fast doubt turns into certainty around the doubtful score
_CHOICE = 8.0  # how fast the best reason outweighs the second
_NEARBY = 25.0  # sharpness of the kernel that counts; a cosine of 0.9 then counts 0.08
_HEARD = 12.0  # sharpness of the kernel that says whether anything like it came in
_NEWS = 0.05  # weight of the counting
# The more came in, the lower all scores fall: each contact is explained by the others first.
_LINE = (0.35, 0.55, 6.0)


def most_to_remember(reasons: int) -> int:
    """Return how many contacts are worth keeping in mind for a map of so many reasons."""
    return min(_MOST, max(2 * _LEAST, _MOST_PER_REASON * reasons))


def worth_learning(contacts: int, learned_from: int, since: int, reasons: int) -> bool:
    """Whether to learn anew.

    Args:
        contacts: How many are in mind.
        learned_from: How many were when it was learned; 0 for never.
        since: How many new ones have come since then.
        reasons: Size of the map.
    """
    if contacts < max(_LEAST, _LEAST_PER_REASON * reasons):
        return False
    return contacts >= _GROWTH * learned_from or since >= most_to_remember(reasons)


@dataclass(frozen=True)
class Traffic:
    """What was learned from contacts that came in. Never changes.

    Attributes:
        model: What the examples had taught by then.
        rows: Text → its row below.
        vectors: ``(contacts, dimensions)``, unit rows.
        weights: ``(contacts, reasons)``, how much each moves the scores of what is near it.
        moved: ``(contacts, reasons)``, how much the others move its own scores.
        share: ``(lessons,)``, how often what is like a lesson of the model is to be expected.
    """

    model: ReasonModel
    rows: Mapping[str, int]
    vectors: Vectors
    weights: Vectors
    moved: Vectors
    share: Floats

    @classmethod
    def learn(
        cls, model: ReasonModel, texts: Sequence[str], vectors: Vectors, judged: Judged
    ) -> Traffic:
        """Learn from contacts, given as texts, as unit rows and as the model alone judges them."""
        chosen = _no_rush(judged.probability.argmax(axis=1))
        texts, vectors = [texts[at] for at in chosen], vectors[chosen]
        judged = Judged(judged.probability[chosen], judged.familiar[chosen], judged.meaning[chosen])
        linalg: Any = import_module("scipy.linalg")
        system = _near(vectors, vectors, _SHARPNESS)
        system[np.diag_indices_from(system)] += _RIDGE
        factor, _ = linalg.lapack.spotrf(system, lower=1, overwrite_a=1, clean=0)
        half, _ = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
        inverse = np.tril(half)
        inverse += np.tril(half, -1).T
        diagonal = inverse.diagonal()[:, None]
        share = _shares(model, judged.probability)
        first = cls(model, {}, vectors, vectors[:0], vectors[:0], share)
        news = _NEWS * first._news(np.arange(len(vectors)), vectors)
        alone = judged.meaning.astype(np.float32)
        scores, weights, moved = alone, np.zeros_like(alone), np.zeros_like(alone)
        for _ in range(_ROUNDS):
            best = scores.max(axis=1) + news
            known = 1 / (1 + np.exp(-_CERTAINTY * (best - model.calibration.doubtful)))
            taken_for = np.exp(_CHOICE * (scores - scores.max(axis=1, keepdims=True)))
            taken_for /= taken_for.sum(axis=1, keepdims=True)
            gap = (known[:, None] * taken_for - alone).astype(np.float32)
            weights = inverse @ gap
            # As if the contact itself had not come: it is no witness of its own.
            moved = gap - weights / diagonal
            scores = alone + moved
        rows = {text: row for row, text in enumerate(texts)}
        return cls(model, rows, vectors, weights, moved, share)

    def familiar(
        self, texts: Sequence[str], vectors: Vectors, judged: Judged, now: ReasonModel
    ) -> Floats:
        """Return the log odds that each text is about one of the map's reasons, as in ``Judged``.

        Args:
            texts: The texts; those that were learned from are judged by the others alone.
            vectors: Their unit rows.
            judged: What the model makes of them by itself.
            now: That model: the one learned with, or one that has learned more since. What it has
                learned near a text outweighs what came in there before.
        """
        own = np.array([self.rows.get(text, NOBODYS) for text in texts])
        moved = (_near(vectors, self.vectors, _SHARPNESS) @ self.weights).astype(np.float64)
        mine = own != NOBODYS
        moved[mine] = self.moved[own[mine]]
        still = 1 - _nearest(vectors, now.lessons.vectors[len(self.model.lessons) :])
        best = (judged.meaning + still[:, None] * moved).max(axis=1)
        best += still * _NEWS * self._news(own, vectors)
        calibration = self.model.calibration
        lowest, falls, half = _LINE
        per_reason = len(self.vectors) / self.weights.shape[1]
        line = calibration.doubtful * (lowest + falls / (1 + per_reason / half))
        beside = calibration.refused_below + _CERTAINTY * (best - line) - nobodys(judged.meaning)
        # Where nothing like it came in, what came in says nothing: the first contact of a new
        # subject is judged as strictly as if it were alone.
        heard = self._came(own, vectors, _HEARD).sum(axis=1, dtype=np.float64)
        weight = heard / (heard + 1)
        return np.asarray(weight * beside + (1 - weight) * judged.familiar)

    def _came(self, own: npt.NDArray[np.int64], vectors: Vectors, sharpness: float) -> Vectors:
        """How near each contact is to each row, but for the row itself."""
        came = _near(vectors, self.vectors, sharpness)
        mine = np.flatnonzero(own != NOBODYS)
        came[mine, own[mine]] = 0.0
        return came

    def _news(self, own: npt.NDArray[np.int64], vectors: Vectors) -> Floats:
        """Log of what was expected near each row to what came; ``own``: its row here, or none."""
        came = self._came(own, vectors, _NEARBY)
        expected = _near(vectors, self.model.lessons.vectors, _NEARBY) @ self.share
        doubt = 0.5 / len(self.vectors)
        return np.asarray(
            np.log(expected + doubt) - np.log(came.mean(axis=1, dtype=np.float64) + doubt)
        )


def _no_rush(best: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the rows to learn from: of those taken for the same reason only the latest."""
    kept = [np.flatnonzero(best == reason)[-_MOST_ALIKE:] for reason in np.unique(best)]
    return np.sort(np.concatenate(kept))


def _shares(model: ReasonModel, probability: Floats) -> Floats:
    lessons = model.lessons
    asked = lessons.spoken & (lessons.owner != NOBODYS)
    count = np.bincount(lessons.owner[asked], minlength=probability.shape[1])
    often = probability.mean(axis=0) / np.maximum(count, 1)
    return np.asarray(np.where(asked, often[lessons.owner], 0.0))


def _nearest(vectors: Vectors, lessons: Vectors) -> Vectors:
    """Return how near the nearest of ``lessons`` is to each row, 0..1."""
    if not len(lessons):
        return np.zeros(len(vectors), dtype=np.float32)
    return np.asarray(_near(vectors, lessons, _NEARBY).max(axis=1))


def _near(one: Vectors, two: Vectors, sharpness: float) -> Vectors:
    near = np.asarray(one @ two.T, dtype=np.float32)
    near -= 1
    near *= sharpness
    np.exp(near, out=near)
    return near
