"""Judges texts by example sentences, whose vectors are computed once and kept by digest."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.identifiers import json_digest, new_id
from retrieval.ports import Embedder, Vectors

Floats = npt.NDArray[np.float64]

_MARGIN_STEEPNESS = 12.0  # a lead of 0.1 in cosine is nearly certain with sentence embeddings
_ELSEWHERE = 1.0  # weight of a text written for another rule against one of the rule's own
_STRENGTH = 10.0  # inverse of the regularisation
_FIT_VERSION = 1  # raise it with every change of what is learned: kept fits are then made anew


class ExampleVectors:
    """Embeds examples once; a text that came before is never embedded again.

    Args:
        embedder: Turns texts into unit vectors.
        cache: Folder that keeps the vectors between processes; None keeps them in memory only.
    """

    def __init__(self, embedder: Embedder, cache: Path | None = None) -> None:
        self._embedder = embedder
        self._cache = cache
        self._known: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    def of(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows."""
        if not texts:
            return np.zeros((0, self._embedder.dimensions), dtype=np.float32)
        with self._lock:
            fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
            if fresh:
                self._known.update(zip(fresh, self._vectors(fresh), strict=True))
            return np.stack([self._known[text] for text in texts])

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._embedder.dimensions

    def kept(self, what: str, made_from: object, make: Callable[[], Vectors]) -> Vectors:
        """Return an array that was made from ``made_from`` and this embedder; make it if need be."""
        if self._cache is None:
            return make()
        file = self._cache / f"{what}-{json_digest([self._embedder.name, made_from])[:32]}.npy"
        try:
            found: Vectors = np.load(file, allow_pickle=False)
        except (OSError, ValueError, EOFError):  # absent, or cut short by a crash
            found = make()
            self._cache.mkdir(parents=True, exist_ok=True)
            half = file.with_suffix(f".{new_id('tmp')}.npy")
            np.save(half, found)
            os.replace(half, file)  # noqa: PTH105 - the atomic one
        return found

    def _vectors(self, texts: list[str]) -> Vectors:
        return self.kept("examples", texts, lambda: self._embedder.embed(texts))


@dataclass(frozen=True, slots=True)
class Judged:
    """What the examples say of some texts.

    Attributes:
        probability: ``(texts, rules)``, how sure each rule is, 0..1.
        nearest: ``(texts, rules)``, index of the rule's example nearest to the text.
    """

    probability: Floats
    nearest: npt.NDArray[np.int64]


class ExampleRules:
    """Judges texts by examples that should fire a rule and look-alikes that should not.

    Two opinions are averaged: a linear classifier over the examples (it learns the direction that
    matters) and the nearest example against the nearest harmless text (it remembers single ones).
    A linear classifier of all examples of a group (is this alarming at all? it holds best on what
    nobody thought of) can raise the likeliest rule of its group, and only that one. A rule without
    examples never fires.

    Args:
        positive: Per rule the texts that fire it.
        harmless: Per rule its look-alikes.
        ordinary: Texts that fire no rule.
        groups: Per rule the name of its group, such as its tier.
        vectors: Embeds the examples once.
        familiar: Per group what this team hears every day, which does not fire its rules.
    """

    def __init__(
        self,
        positive: Sequence[Sequence[str]],
        harmless: Sequence[Sequence[str]],
        ordinary: Sequence[str],
        groups: Sequence[str],
        vectors: ExampleVectors,
        familiar: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._positive = positive
        self._harmless = harmless
        self._ordinary = ordinary
        self._groups = groups
        self._vectors = vectors
        self._familiar = familiar or {}
        self._fitted: _FittedRules | None = None
        self._lock = threading.Lock()

    def judge(self, texts: Vectors) -> Judged:
        """Return what the rules make of texts given as unit rows, shape ``(texts, dimensions)``."""
        with self._lock:
            if self._fitted is None:
                self._fitted = self._fit()
        return self._fitted.judge(texts)

    def _fit(self) -> _FittedRules:
        positive = [self._vectors.of(texts) for texts in self._positive]
        harmless = [self._vectors.of(texts) for texts in self._harmless]
        ordinary = self._vectors.of(self._ordinary)
        familiar = {
            group: self._vectors.of(self._familiar.get(group, ())) for group in self._groups
        }
        everyday = [np.concatenate([ordinary, familiar[group]]) for group in self._groups]
        safe = {
            group: np.concatenate([*harmless, ordinary, familiar[group]]) for group in self._groups
        }
        given = [self._positive, self._harmless, self._ordinary, self._groups, self._familiar]
        directions = self._vectors.kept(
            "rules",
            [_FIT_VERSION, given],
            lambda: (
                np.stack(
                    [
                        *(
                            self._alone(at, positive, harmless, everyday[at])
                            for at in range(len(positive))
                        ),
                        *(self._grouped(group, positive, safe[group]) for group in self._groups),
                    ]
                )
                if positive
                else np.zeros((0, self._vectors.dimensions + 1), dtype=np.float32)
            ),
        )
        half = len(positive)
        return _FittedRules(
            positive, safe, directions[:half], directions[half:], list(self._groups)
        )

    @staticmethod
    def _alone(
        at: int, positive: list[Vectors], harmless: list[Vectors], everyday: Vectors
    ) -> Vectors:
        elsewhere = _others([*positive, *harmless], {at, at + len(positive)}, everyday)
        return _direction(positive[at], np.concatenate([harmless[at], everyday]), elsewhere)

    def _grouped(self, group: str, positive: list[Vectors], safe: Vectors) -> Vectors:
        members = {at for at, name in enumerate(self._groups) if name == group}
        within = _others(positive, set(range(len(positive))) - members, safe)
        return _direction(within, safe, _others(positive, members, safe))


@dataclass(frozen=True, slots=True)
class _FittedRules:
    """Directions are rows of weights with the bias last; NaN where a rule has no examples."""

    positive: list[Vectors]
    safe: dict[str, Vectors]
    alone: Vectors
    grouped: Vectors
    groups: Sequence[str]

    def judge(self, texts: Vectors) -> Judged:
        probability = np.zeros((len(texts), len(self.positive)))
        together = np.zeros(probability.shape)
        nearest = np.zeros(probability.shape, dtype=np.int64)
        safest = {group: _nearest(texts, safe) for group, safe in self.safe.items()}
        for column, (examples, alone, grouped, group) in enumerate(
            zip(self.positive, self.alone, self.grouped, self.groups, strict=True)
        ):
            if not len(examples) or not len(texts):
                continue
            cosines = texts @ examples.T
            nearest[:, column] = cosines.argmax(axis=1)
            margin = cosines.max(axis=1) - safest[group]
            probability[:, column] = 0.5 * _sigmoid(texts @ alone[:-1] + alone[-1])
            probability[:, column] += 0.5 * _sigmoid(_MARGIN_STEEPNESS * margin)
            together[:, column] = _sigmoid(texts @ grouped[:-1] + grouped[-1])
        for group in set(self.groups):
            columns = np.array([at for at, name in enumerate(self.groups) if name == group])
            best = columns[probability[:, columns].argmax(axis=1)]
            rows = np.arange(len(texts))
            own, of_group = probability[rows, best], together[rows, best]
            probability[rows, best] = np.maximum(own, (2 * own + of_group) / 3)
        return Judged(probability, nearest)


def _nearest(texts: Vectors, to: Vectors) -> Vectors:
    if not len(to):
        return np.full(len(texts), -1.0, dtype=np.float32)
    closest: Vectors = (texts @ to.T).max(axis=1)
    return closest


def _others(parts: Sequence[Vectors], without: set[int], empty: Vectors) -> Vectors:
    kept = [part for at, part in enumerate(parts) if at not in without]
    return np.concatenate(kept) if kept else empty[:0]


def _sigmoid(values: npt.NDArray[np.floating]) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-values)), dtype=np.float64)


def _direction(positive: Vectors, negative: Vectors, elsewhere: Vectors) -> Vectors:
    """Return weights and bias, shape ``(dimensions + 1,)``; NaN without examples to learn from."""
    dimensions = positive.shape[1]
    if not len(positive):
        return np.full(dimensions + 1, np.nan, dtype=np.float32)
    if not len(negative) + len(elsewhere):
        return np.zeros(dimensions + 1, dtype=np.float32)
    from sklearn.linear_model import LogisticRegression

    parts = [positive, negative, elsewhere]
    labels = np.repeat([1, 0, 0], [len(part) for part in parts])
    weight = np.repeat(
        [(len(negative) + _ELSEWHERE * len(elsewhere)) / len(positive) * 0.5, 1.0, _ELSEWHERE],
        [len(part) for part in parts],
    )
    model = LogisticRegression(C=_STRENGTH, max_iter=300)
    model.fit(np.concatenate(parts), labels, sample_weight=weight)
    return np.append(model.coef_[0], model.intercept_[0]).astype(np.float32)
