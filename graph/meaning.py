"""Judges texts by example sentences, whose vectors are computed once and kept by digest."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from core.identifiers import json_digest, new_id, text_digest
from graph.wording import Wording, add_likeness
from retrieval.ports import Embedder, Vectors, deep

Floats = npt.NDArray[np.float64]

_NEARNESS = 3.0  # how fast likeness in meaning fades: a cosine of 0.7 counts 0.4, one of 0.3 0.1
_WORDING = 0.5  # weight of likeness in wording beside likeness in meaning
_DOUBT = 0.5  # of a single example: the higher, the more examples must agree
_UNKNOWN = 0.1  # probability of what is like no example at all
_LOUD = 0.9  # how sure it must be that a message fires any rule at all, or each is less likely …
_QUIETER = 0.4  # … by this much of what is missing
_BUCKETS = 256  # among which harmless texts are spread when one is chosen to stand beside another
_NEIGHBOURS = 2_000  # examples that give way to what a team hears every day
_FIT_VERSION = 5  # raise it with every change of what is learned: kept fits are then made anew


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
        nearest: ``(texts, rules)``, index of the rule's example nearest to the text; 0 where the
            rule is as unlikely as for a text like nothing known.
        loud: ``(texts,)``, how far each says anything that fires a rule: about 0 for what does not,
            about 1 for what does. Easier to tell than which rule, and so known where that is not.
    """

    probability: Floats
    nearest: npt.NDArray[np.int64]
    loud: Floats


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
        if not texts or not ready.terms.size:
            return np.zeros((len(texts), rules), np.float32)
        return np.asarray(ready.wording.read(texts) @ ready.terms)[:, :rules]

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
        texts = self._decided()
        row = {text: at for at, text in enumerate(texts)}
        columns = [np.array([row[text] for text in part], np.int64) for part in self._positive]
        targets = np.full((len(texts), len(columns)), -_UNKNOWN, np.float32)
        for column, fires in enumerate(columns):
            targets[fires, column] = 1 - _UNKNOWN
        # The last column: whether a text fires any rule. That is easier to tell than which.
        targets = np.concatenate(
            [targets, targets.max(axis=1, keepdims=True, initial=-_UNKNOWN)], axis=1
        )
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
            [_FIT_VERSION, self._positive, texts, self._among_others],
            lambda: _ridge(placed, wording.examples, targets),
        )
        fitted = _FittedRules.of(
            space, placed, weights, wording, wording.examples, columns, self._among_others
        )
        return self._used_to(fitted, set(row))

    def _used_to(self, fitted: _FittedRules, decided: Collection[str]) -> _FittedRules:
        """Learn on top what this team hears every day.

        It is the team's own and learned at every start, so the rest does not wait for it: only it
        and what is nearest to it are weighed anew. The others would hardly move.
        """
        groups = {
            text: {name for name, part in self._familiar.items() if text in part}
            for part in self._familiar.values()
            for text in part
            if text not in decided
        }
        if not groups or not fitted.weights.size:
            return fitted
        texts = list(groups)
        vectors = self._vectors.of(texts)
        read = fitted.wording.read(texts)
        quiet = np.array([[name in groups[text] for name in self._groups] for text in texts])
        # What it says of other groups nobody knows, nor whether it fires any rule at all.
        quiet = np.concatenate([quiet, np.zeros((len(texts), 1), np.bool_)], axis=1)
        placed = fitted.space.place(vectors)
        found = fitted.scores(fitted.likeness(placed), read)
        gap = np.where(quiet, -_UNKNOWN - found, 0).astype(np.float32)
        return fitted.and_also(placed, read, gap)

    def _given(self) -> list[str]:
        parts = (self._decided(), *self._familiar.values())
        return list(dict.fromkeys(text for part in parts for text in part))

    def _decided(self) -> list[str]:
        """Texts of which each rule knows whether they fire it."""
        parts = (*self._positive, *self._harmless, self._ordinary)
        return list(dict.fromkeys(text for part in parts for text in part))

    def _quiet(self) -> list[str]:
        """What fires no rule."""
        loud = {text for part in self._positive for text in part}
        quiet = dict.fromkeys(text for part in (*self._harmless, self._ordinary) for text in part)
        return [text for text in quiet if text not in loud]


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


@lru_cache(maxsize=4)
def _wording(texts: tuple[str, ...], words: bool) -> Wording:
    # Several desks of a process often share their examples.
    return Wording(texts, words=words)


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
    """What was learned.

    Attributes:
        space: Where texts are compared.
        vectors: ``(examples, dimensions)``, placed there.
        weights: ``(examples, rules + 1)``; the last column says whether a text fires any rule.
        wording: Reads how texts are put.
        read: ``(examples, terms)``, the examples so read.
        terms: ``(terms, rules + 1)``, the weights of the terms that follow from it.
        fires: Per rule the rows of its examples.
        calmed: Whether each rule is believed less where it is doubtful that any fires.
    """

    space: _Space
    vectors: Vectors
    weights: Vectors
    wording: Wording
    read: Any
    terms: Vectors
    fires: Sequence[npt.NDArray[np.int64]]
    calmed: bool

    @classmethod
    def of(
        cls,
        space: _Space,
        vectors: Vectors,
        weights: Vectors,
        wording: Wording,
        read: Any,
        fires: Sequence[npt.NDArray[np.int64]],
        calmed: bool,
    ) -> _FittedRules:
        terms = np.asarray(read.T @ weights, dtype=np.float32)
        return cls(space, vectors, weights, wording, read, terms, fires, calmed)

    def and_also(self, vectors: Vectors, read: Any, gap: Vectors) -> _FittedRules:
        """Return these rules moved by ``gap``, shape ``(texts, rules + 1)``, at further texts."""
        from scipy.sparse import vstack  # type: ignore[import-untyped]

        near = (self.vectors @ vectors.T).max(axis=1)
        block = np.sort(np.argsort(-near, kind="stable")[:_NEIGHBOURS])
        known = np.zeros((len(block), gap.shape[1]), np.float32)
        moved = _ridge(
            np.concatenate([self.vectors[block], vectors]),
            vstack([self.read[block], read], format="csr"),
            np.concatenate([known, gap]),
        )
        weights = np.concatenate([self.weights, moved[len(block) :]])
        weights[block] += moved[: len(block)]
        return _FittedRules.of(
            self.space,
            np.concatenate([self.vectors, vectors]),
            weights,
            self.wording,
            vstack([self.read, read], format="csr"),
            self.fires,
            self.calmed,
        )

    def scores(self, likeness: Vectors, read: Any) -> Vectors:
        """Return how far above unknown each rule is.

        Args:
            likeness: ``(texts, examples)``, in meaning.
            read: ``(texts, terms)``.
        """
        return np.asarray(likeness @ self.weights + _WORDING * (read @ self.terms))

    def likeness(self, placed: Vectors) -> Vectors:
        """Return how like texts are to the examples in meaning, ``(texts, examples)``."""
        return _meaning(placed @ self.vectors.T)

    def judge(self, texts: Sequence[str], vectors: Vectors) -> Judged:
        rules = len(self.fires)
        nearest = np.zeros((len(texts), rules), dtype=np.int64)
        if not len(texts) or not self.weights.size:
            return Judged(np.zeros(nearest.shape), nearest, np.zeros(len(texts)))
        likeness = self.likeness(self.space.place(vectors))
        sure = self.scores(likeness, self.wording.read(texts)).astype(np.float64) + _UNKNOWN
        sure, loud = sure[:, :rules], sure[:, -1]
        if self.calmed:
            doubt = np.minimum(np.clip(loud, 0.0, 1.0) - _LOUD, 0.0)
            sure = sure + _QUIETER * doubt[:, None]
        probability = np.clip(sure, 0.0, 1.0)
        for column, fires in enumerate(self.fires):
            if not len(fires):
                probability[:, column] = 0.0
            likely = np.flatnonzero(probability[:, column] > _UNKNOWN)
            if len(likely):
                nearest[likely, column] = likeness[np.ix_(likely, fires)].argmax(axis=1)
        return Judged(probability, nearest, loud)


def _meaning(cosines: Vectors) -> Vectors:
    """Return the likeness that goes with ``cosines``, in their place."""
    cosines -= 1
    cosines *= _NEARNESS
    return np.asarray(np.exp(cosines, out=cosines), dtype=np.float32)


def _ridge(vectors: Vectors, read: Any, targets: Vectors) -> Vectors:
    """Return the weight of each example for each rule.

    Takes the memory of one square array of the number of examples (400 MB for ten thousand), and
    some ten seconds.
    """
    if not targets.size:
        return targets
    from scipy.linalg import cho_factor, cho_solve  # type: ignore[import-untyped]

    likeness = _meaning(vectors @ vectors.T)
    add_likeness(likeness, read, _WORDING)
    likeness[np.diag_indices_from(likeness)] += _DOUBT
    return np.asarray(
        cho_solve(cho_factor(likeness, overwrite_a=True, check_finite=False), targets),
        dtype=np.float32,
    )
