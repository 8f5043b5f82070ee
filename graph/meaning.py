"""Judges texts by example sentences, whose vectors are computed once and kept by digest."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from core.identifiers import json_digest, new_id
from retrieval.ports import Embedder, Vectors

Floats = npt.NDArray[np.float64]
Linear = tuple[Vectors, float]  # weights of shape (dimensions,), bias

_MARGIN_STEEPNESS = 12.0  # a lead of 0.1 in cosine is nearly certain with sentence embeddings
_ELSEWHERE = 1.0  # weight of a text written for another rule against one of the rule's own
_STRENGTH = 10.0  # inverse of the regularisation


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

    def _vectors(self, texts: list[str]) -> Vectors:
        if self._cache is None:
            return self._embedder.embed(texts)
        file = self._cache / f"examples-{json_digest([self._embedder.name, texts])[:32]}.npy"
        try:
            kept: Vectors = np.load(file, allow_pickle=False)
            if kept.shape == (len(texts), self._embedder.dimensions):
                return kept
        except (OSError, ValueError):
            pass  # absent, or cut short by a crash: computed again below
        vectors = self._embedder.embed(texts)
        self._cache.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(f".{new_id('tmp')}.npy")
        np.save(half, vectors)
        os.replace(half, file)  # noqa: PTH105 - the atomic one
        return vectors


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
    """

    def __init__(
        self,
        positive: Sequence[Sequence[str]],
        harmless: Sequence[Sequence[str]],
        ordinary: Sequence[str],
        groups: Sequence[str],
        vectors: ExampleVectors,
    ) -> None:
        self._positive = positive
        self._harmless = harmless
        self._ordinary = ordinary
        self._groups = groups
        self._vectors = vectors
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
        safe = np.concatenate([*harmless, ordinary])
        alone = [
            _direction(
                positive[at],
                np.concatenate([harmless[at], ordinary]),
                _others([*positive, *harmless], {at, at + len(positive)}, ordinary),
            )
            for at in range(len(positive))
        ]
        grouped: dict[str, Linear | None] = {}
        for group in dict.fromkeys(self._groups):
            members = {at for at, name in enumerate(self._groups) if name == group}
            grouped[group] = _direction(
                _others(positive, set(range(len(positive))) - members, ordinary),
                safe,
                _others(positive, members, ordinary),
            )
        return _FittedRules(
            positive, safe, alone, [grouped[group] for group in self._groups], self._groups
        )


@dataclass(frozen=True, slots=True)
class _FittedRules:
    positive: list[Vectors]
    safe: Vectors
    alone: list[Linear | None]
    grouped: list[Linear | None]
    groups: Sequence[str]

    def judge(self, texts: Vectors) -> Judged:
        probability = np.zeros((len(texts), len(self.positive)))
        together = np.zeros(probability.shape)
        nearest = np.zeros(probability.shape, dtype=np.int64)
        safest = (texts @ self.safe.T).max(axis=1) if len(self.safe) else np.full(len(texts), -1.0)
        for column, (examples, alone, grouped) in enumerate(
            zip(self.positive, self.alone, self.grouped, strict=True)
        ):
            if alone is None or grouped is None or not len(texts):
                continue
            cosines = texts @ examples.T
            nearest[:, column] = cosines.argmax(axis=1)
            margin = cosines.max(axis=1) - safest
            probability[:, column] = 0.5 * _sigmoid(texts @ alone[0] + alone[1])
            probability[:, column] += 0.5 * _sigmoid(_MARGIN_STEEPNESS * margin)
            together[:, column] = _sigmoid(texts @ grouped[0] + grouped[1])
        for group in set(self.groups):
            columns = np.array([at for at, name in enumerate(self.groups) if name == group])
            best = columns[probability[:, columns].argmax(axis=1)]
            rows = np.arange(len(texts))
            own, of_group = probability[rows, best], together[rows, best]
            probability[rows, best] = np.maximum(own, (2 * own + of_group) / 3)
        return Judged(probability, nearest)


def _others(parts: Sequence[Vectors], without: set[int], empty: Vectors) -> Vectors:
    kept = [part for at, part in enumerate(parts) if at not in without]
    return np.concatenate(kept) if kept else empty[:0]


def _sigmoid(values: npt.NDArray[np.floating]) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-values)), dtype=np.float64)


def _direction(positive: Vectors, negative: Vectors, elsewhere: Vectors) -> Linear | None:
    """Return weights ``(dimensions,)`` and bias of a linear classifier, None without examples."""
    if not len(positive):
        return None
    if not len(negative) + len(elsewhere):
        return np.zeros(positive.shape[1], dtype=np.float32), 0.0
    from sklearn.linear_model import LogisticRegression

    parts = [positive, negative, elsewhere]
    labels = np.repeat([1, 0, 0], [len(part) for part in parts])
    weight = np.repeat(
        [(len(negative) + _ELSEWHERE * len(elsewhere)) / len(positive) * 0.5, 1.0, _ELSEWHERE],
        [len(part) for part in parts],
    )
    model = LogisticRegression(C=_STRENGTH, max_iter=300)
    model.fit(np.concatenate(parts), labels, sample_weight=weight)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])
