"""Judges texts by example sentences, whose vectors are computed once and kept by digest."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.identifiers import json_digest, new_id, text_digest
from retrieval.ports import Embedder, Vectors, deep

Floats = npt.NDArray[np.float64]

_NEARNESS = 3.0  # how fast likeness in meaning fades: a cosine of 0.7 counts 0.4, one of 0.3 0.1
_WORDING = 0.5  # weight of likeness in wording beside likeness in meaning
_DOUBT = 0.5  # of a single example: the higher, the more examples must agree
_UNKNOWN = 0.1  # probability of what is like no example at all
_LOUD = 0.9  # how sure it must be that a message fires any rule at all, or each is less likely …
_QUIETER = 0.4  # … by this much of what is missing
_BUCKETS = 256  # among which harmless texts are spread when one is chosen to stand beside another
_STRIP = 256  # examples whose wording is compared at a time
_FIT_VERSION = 4  # raise it with every change of what is learned: kept fits are then made anew


class Shipped(Protocol):
    """What was computed when the product was built."""

    def vectors(self, texts: Sequence[str], model: str) -> dict[str, Vectors]:
        """Return those of ``texts`` whose deep vectors by ``model`` are at hand."""
        ...

    def made(self, name: str) -> Vectors | None:
        """Return the array that was made under ``name``, or None."""
        ...


class ExampleVectors:
    """Embeds examples once; a text that came before is never embedded again.

    Args:
        embedder: Turns texts into unit vectors.
        cache: Folder that keeps the vectors between processes; None keeps them in memory only.
        in_depth: Whether they are the embedder's deep vectors, where it has any.
        shipped: What need not be computed because it comes with the product.
    """

    def __init__(
        self,
        embedder: Embedder,
        cache: Path | None = None,
        *,
        in_depth: bool = False,
        shipped: Shipped | None = None,
    ) -> None:
        self._embedder = embedder
        self._deep = deep(embedder) if in_depth else None
        self._shipped = shipped
        self._cache = cache
        self._known: dict[str, Vectors] = {}
        self._lock = threading.Lock()

    def of(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        with self._lock:
            fresh = [text for text in dict.fromkeys(texts) if text not in self._known]
            if fresh:
                self._known.update(zip(fresh, self._vectors(fresh), strict=True))
            return np.stack([self._known[text] for text in texts])

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._deep.deep_dimensions if self._deep else self._embedder.dimensions

    @property
    def plain_dimensions(self) -> int:
        """How many of a vector's columns are the plain one; the others tell how a text is put."""
        return self._embedder.dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return vectors of texts that are no examples, of the same kind; not kept here."""
        return self._deep.embed_deep(texts) if self._deep else self._embedder.embed(texts)

    def kept(self, what: str, made_from: object, make: Callable[[], Vectors]) -> Vectors:
        """Return an array that was made from ``made_from`` and this embedder; make it if need be."""
        name = f"{what}-{json_digest([self._embedder.name, made_from])[:32]}.npy"
        if self._shipped is not None and (ready := self._shipped.made(name)) is not None:
            return ready
        if self._cache is None:
            return make()
        file = self._cache / name
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
        known = self._shipped.vectors(texts, self._embedder.name) if self._shipped else {}
        absent = [text for text in texts if text not in known]
        if absent:
            what = "deep" if self._deep else "examples"
            found = self.kept(what, absent, lambda: self.embed(absent))
            known = {**known, **dict(zip(absent, found, strict=True))}
        return np.stack([known[text] for text in texts])


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
        among_others: Whether what is judged are whole messages, in which what an example says
            stands among other things. Then it is also learned from examples that do, and how texts
            are put counts beside what they mean.
    """

    def __init__(
        self,
        positive: Sequence[Sequence[str]],
        harmless: Sequence[Sequence[str]],
        ordinary: Sequence[str],
        groups: Sequence[str],
        vectors: ExampleVectors,
        familiar: Mapping[str, Sequence[str]] | None = None,
        *,
        among_others: bool = False,
    ) -> None:
        self._among_others = among_others
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
            vectors: Their rows, as :meth:`ExampleVectors.embed` gives them.
        """
        return self._ready().judge(texts, vectors)

    def by_wording(self, texts: Sequence[str]) -> Vectors:
        """Return how far the wording alone speaks for each rule, shape ``(texts, rules)``.

        Only good for putting texts in order; it needs no vectors.
        """
        ready = self._ready()
        rules = len(ready.fires)
        if not texts or not ready.letters.size:
            return np.zeros((len(texts), rules), np.float32)
        return ready.wording.judge(texts, ready.letters)[:, :rules]

    def _ready(self) -> _FittedRules:
        with self._lock:
            if self._fitted is None:
                self._fitted = self._fit()
            return self._fitted

    def prepare(self) -> None:
        """Learn now what would be learned at the first judgement."""
        self._ready()

    def texts(self) -> list[str]:
        """Return every text that is learned from, each once."""
        return list(dict.fromkeys([*self._given(), *(text for text, _ in self._composed())]))

    def _composed(self) -> list[tuple[str, str]]:
        return compositions(self._positive, self._quiet()) if self._among_others else []

    def _fit(self) -> _FittedRules:
        texts = self._given()
        row = {text: at for at, text in enumerate(texts)}
        columns = [np.array([row[text] for text in part], np.int64) for part in self._positive]
        targets = self._targets(row, columns)
        if self._among_others:
            # The last column: whether a text fires any rule. That is easier to tell than which.
            targets = np.concatenate([targets, targets.max(axis=1, keepdims=True)], axis=1)
        if composed := self._composed():
            texts = [*texts, *(text for text, _ in composed)]
            rows = [row.get(of, -1) for _, of in composed]
            nothing = np.full((1, targets.shape[1]), -_UNKNOWN, np.float32)
            targets = np.concatenate([targets, np.concatenate([targets, nothing])[rows]])
        wording = _wording(tuple(texts), self._among_others)
        vectors = self._vectors.of(texts)
        space = _Space.of(vectors, self._vectors.plain_dimensions)
        placed = space.place(vectors)
        weights = self._vectors.kept(
            "rules",
            [_FIT_VERSION, self._positive, texts, self._groups, self._familiar],
            lambda: _ridge(placed, wording, targets),
        )
        letters = wording.weights(weights) if texts else weights
        return _FittedRules(space, placed, weights, wording, letters, columns)

    def _given(self) -> list[str]:
        parts = (*self._positive, *self._harmless, self._ordinary, *self._familiar.values())
        return list(dict.fromkeys(text for part in parts for text in part))

    def _quiet(self) -> list[str]:
        """What fires no rule."""
        loud = {text for part in self._positive for text in part}
        quiet = dict.fromkeys(text for part in (*self._harmless, self._ordinary) for text in part)
        return [text for text in quiet if text not in loud]

    def _targets(self, row: Mapping[str, int], columns: Sequence[npt.NDArray[np.int64]]) -> Vectors:
        """Per text and rule how far from unknown it lies: above 0 it fires, below it does not."""
        targets = np.full((len(row), len(columns)), -_UNKNOWN, np.float32)
        known = {text for part in (*self._positive, *self._harmless) for text in part}
        known.update(self._ordinary)
        for column, fires in enumerate(columns):
            decided = known.union(self._familiar.get(self._groups[column], ()))
            undecided = [at for text, at in row.items() if text not in decided]
            targets[undecided, column] = 0
            targets[fires, column] = 1 - _UNKNOWN
        return targets


def compositions(positive: Sequence[Sequence[str]], quiet: Sequence[str]) -> list[tuple[str, str]]:
    """Return longer texts made of examples, each with the example whose rules it fires ("": none).

    Each example stands among one or two harmless texts, and each harmless text among others of its
    kind. Which texts are taken depends on the texts alone, and mostly stays when others come or go,
    so that few must be embedded anew.
    """
    shelf: dict[int, list[str]] = {}
    for text in quiet:
        shelf.setdefault(_number(text) % _BUCKETS, []).append(text)
    if not shelf:
        return []

    def beside(text: str, place: int) -> str:
        at = _number(f"{place} {text}") % _BUCKETS
        while at not in shelf:
            at = (at + 1) % _BUCKETS
        return min(shelf[at], key=lambda other: text_digest(f"{text} {other}"))

    found = []
    loud = dict.fromkeys(text for part in positive for text in part)
    for text in (*loud, *quiet):
        number = _number(text) // _BUCKETS
        others = [_sentence(beside(text, place)) for place in range(1 + number // 2 % 2)]
        at = number // 4 % (len(others) + 1)
        whole = " ".join([*others[:at], _sentence(text), *others[at:]])
        found.append((whole, text if text in loud else ""))
    return found


def _number(text: str) -> int:
    return int(text_digest(text)[:8], 16)


def _sentence(text: str) -> str:
    return text if text[-1:] in ".!?" else f"{text}."


class _Wording:
    """Likeness of texts by the letter sequences within their words, rare ones weighing more.

    Args:
        texts: The examples.
        words: Whether whole words and pairs of them count as much.
    """

    def __init__(self, texts: Sequence[str], *, words: bool) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.pipeline import FeatureUnion

        letters = TfidfVectorizer(
            analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32
        )
        pairs = TfidfVectorizer(
            token_pattern=r"\b\w+\b", ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32
        )
        # Each half counts half: the likeness of a text to itself is 1 either way.
        self._reader: Any = (
            FeatureUnion(
                [("letters", letters), ("words", pairs)],
                transformer_weights=dict.fromkeys(("letters", "words"), 0.5**0.5),
            )
            if words
            else letters
        )
        self._examples: Any = self._reader.fit_transform(texts or ["?"]).tocsr()

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


@lru_cache(maxsize=4)
def _wording(texts: tuple[str, ...], words: bool) -> _Wording:
    # Reading ten thousand examples takes seconds, and several desks of a process often share them.
    return _Wording(texts, words=words)


@dataclass(frozen=True, slots=True)
class _Space:
    """Where texts are compared: both halves of a deep vector, each of length 1, count the same.

    ``middle`` is the mean of the second half over the examples. Vectors from within a model all
    point much the same way; what tells them apart is how they differ from it.
    """

    plain: int
    middle: Vectors

    @classmethod
    def of(cls, vectors: Vectors, plain: int) -> _Space:
        inner = vectors[:, plain:]
        return cls(plain, inner.mean(axis=0) if len(inner) else inner.sum(axis=0))

    def place(self, vectors: Vectors) -> Vectors:
        """Return unit rows."""
        if vectors.shape[1] == self.plain:
            return vectors
        inner = vectors[:, self.plain :] - self.middle
        inner /= np.maximum(np.linalg.norm(inner, axis=1, keepdims=True), 1e-9)
        both = np.concatenate([vectors[:, : self.plain], inner], axis=1)
        return np.asarray(both / np.sqrt(2.0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _FittedRules:
    """``weights`` is ``(examples, rules)``; ``fires`` holds per rule the rows of its examples.

    One column more than there are rules says whether a text fires any.
    """

    space: _Space
    vectors: Vectors
    weights: Vectors
    wording: _Wording
    letters: Vectors
    fires: Sequence[npt.NDArray[np.int64]]

    def judge(self, texts: Sequence[str], vectors: Vectors) -> Judged:
        nearest = np.zeros((len(texts), len(self.fires)), dtype=np.int64)
        if not len(texts) or not self.weights.size:
            return Judged(np.zeros(nearest.shape), nearest)
        likeness = _meaning(self.space.place(vectors) @ self.vectors.T)
        found = likeness @ self.weights
        found += _WORDING * self.wording.judge(texts, self.letters)
        sure = found.astype(np.float64) + _UNKNOWN
        if sure.shape[1] > len(self.fires):
            loud = np.clip(sure[:, -1:], 0.0, 1.0)
            sure = sure[:, :-1] + _QUIETER * np.minimum(loud - _LOUD, 0.0)
        probability = np.clip(sure, 0.0, 1.0)
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

    Takes the memory of one square array of the number of examples (400 MB for ten thousand), and
    some ten seconds.
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
