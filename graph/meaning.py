"""Judges texts by example sentences, whose vectors are computed once and kept by digest."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.identifiers import json_digest, new_id
from retrieval.ports import Embedder, Vectors

Floats = npt.NDArray[np.float64]

_NEARNESS = 3.0  # how fast likeness in meaning fades: a cosine of 0.7 counts 0.4, one of 0.3 0.1
_WORDING = 0.5  # weight of likeness in wording beside likeness in meaning
_DOUBT = 0.5  # of a single example: the higher, the more examples must agree
_UNKNOWN = 0.1  # probability of what is like no example at all
_STRIP = 256  # examples whose wording is compared at a time
_FIT_VERSION = 2  # raise it with every change of what is learned: kept fits are then made anew


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

    A kernel ridge regression from all examples to whether they fire each rule: every text is
    likened to every example, in meaning (sentence embeddings) and in wording (letter sequences
    within words), and near-by examples outvote far ones. That bends around look-alikes, which a
    straight cut through the embedding space cannot. Least squares makes the outcome an estimate of
    the probability; what is like nothing known gets a low one.

    A text that several rules name is an example of each. A rule without examples never fires.

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

    def judge(self, texts: Sequence[str], vectors: Vectors) -> Judged:
        """Return what the rules make of ``texts``.

        Args:
            vectors: Their unit rows, shape ``(len(texts), dimensions)``.
        """
        return self._ready().judge(texts, vectors)

    def by_wording(self, texts: Sequence[str]) -> Vectors:
        """Return how far the wording alone speaks for each rule, shape ``(texts, rules)``.

        Only good for putting texts in order; it needs no vectors.
        """
        ready = self._ready()
        if not texts or not ready.letters.size:
            return np.zeros((len(texts), len(ready.fires)), np.float32)
        return ready.wording.judge(texts, ready.letters)

    def _ready(self) -> _FittedRules:
        with self._lock:
            if self._fitted is None:
                self._fitted = self._fit()
            return self._fitted

    def _fit(self) -> _FittedRules:
        texts = list(
            dict.fromkeys(
                text
                for part in (
                    *self._positive,
                    *self._harmless,
                    self._ordinary,
                    *self._familiar.values(),
                )
                for text in part
            )
        )
        row = {text: at for at, text in enumerate(texts)}
        columns = [np.array([row[text] for text in part], np.int64) for part in self._positive]
        wording = _Wording(texts)
        vectors = self._vectors.of(texts)
        weights = self._vectors.kept(
            "rules",
            [_FIT_VERSION, self._positive, texts, self._groups, self._familiar],
            lambda: _ridge(vectors, wording, self._targets(row, columns)),
        )
        letters = wording.weights(weights) if texts else weights
        return _FittedRules(vectors, weights, wording, letters, columns)

    def _targets(self, row: Mapping[str, int], columns: Sequence[npt.NDArray[np.int64]]) -> Vectors:
        """Per text and rule how far from unknown it lies: above 0 it fires, below it does not."""
        targets = np.full((len(row), len(columns)), -_UNKNOWN, np.float32)
        known = {text for part in (*self._positive, *self._harmless) for text in part}
        known.update(self._ordinary)
        for column, fires in enumerate(columns):
            everyday = set(self._familiar.get(self._groups[column], ()))
            undecided = [at for text, at in row.items() if text not in known | everyday]
            targets[undecided, column] = 0
            targets[fires, column] = 1 - _UNKNOWN
        return targets


class _Wording:
    """Likeness of texts by the letter sequences within their words, rare ones weighing more.

    Args:
        texts: The examples.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._reader = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32
        )
        self._examples: Any = self._reader.fit_transform(texts or ["?"])

    def add_likeness(self, to: Vectors, weight: float) -> None:
        """Add to ``to``, shape ``(examples, examples)``, how like the examples are to each other."""
        # A strip at a time: the whole product takes several times the memory of ``to``.
        for start in range(0, len(to), _STRIP):
            strip = self._examples[start : start + _STRIP] @ self._examples.T
            to[start : start + _STRIP] += weight * strip.toarray()

    def weights(self, of_examples: Vectors) -> Vectors:
        """Return the weight of each letter sequence, given those of the examples."""
        return np.asarray(self._examples.T @ of_examples, dtype=np.float32)

    def judge(self, texts: Sequence[str], weights: Vectors) -> Vectors:
        """Return the sum of the weights of each text's letter sequences."""
        return np.asarray(self._reader.transform(texts) @ weights, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _FittedRules:
    """``weights`` is ``(examples, rules)``; ``fires`` holds per rule the rows of its examples."""

    vectors: Vectors
    weights: Vectors
    wording: _Wording
    letters: Vectors
    fires: Sequence[npt.NDArray[np.int64]]

    def judge(self, texts: Sequence[str], vectors: Vectors) -> Judged:
        nearest = np.zeros((len(texts), len(self.fires)), dtype=np.int64)
        if not len(texts) or not self.weights.size:
            return Judged(np.zeros(nearest.shape), nearest)
        cosines = vectors @ self.vectors.T
        likeness = _meaning(cosines)
        found = likeness @ self.weights
        found += _WORDING * self.wording.judge(texts, self.letters)
        probability = np.clip(found.astype(np.float64) + _UNKNOWN, 0.0, 1.0)
        for column, fires in enumerate(self.fires):
            if len(fires):
                nearest[:, column] = likeness[:, fires].argmax(axis=1)
            else:
                probability[:, column] = 0.0
        return Judged(probability, nearest)


def _meaning(cosines: Vectors) -> Vectors:
    """Return the likeness that goes with ``cosines``, in their place."""
    cosines -= 1
    cosines *= _NEARNESS
    return np.asarray(np.exp(cosines, out=cosines), dtype=np.float32)


def _ridge(vectors: Vectors, wording: _Wording, targets: Vectors) -> Vectors:
    """Return the weight of each example for each rule.

    Takes the memory of one square array of the number of examples (100 MB for five thousand), and
    two seconds.
    """
    if not targets.size:
        return targets
    from scipy.linalg import cho_factor, cho_solve  # type: ignore[import-untyped]

    likeness = _meaning(vectors @ vectors.T)
    wording.add_likeness(likeness, _WORDING)
    likeness[np.diag_indices_from(likeness)] += _DOUBT
    return np.asarray(
        cho_solve(cho_factor(likeness, overwrite_a=True, check_finite=False), targets),
        dtype=np.float32,
    )
