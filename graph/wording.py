"""How texts are put: TF-IDF over the letter sequences within their words, and over words and pairs.

The figures are those of scikit-learn's ``TfidfVectorizer`` (``char_wb`` from two to five letters,
``word`` with pairs; sublinear, rows of length 1). It is written out here because each word is then
taken apart once and not once per text: reading a contact would else take as long as embedding it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from retrieval.ports import Vectors

Columns = npt.NDArray[np.int32]

_SHORTEST, _LONGEST = 2, 5  # letters of a sequence; the blanks around a word count
_MOST_WORDS = 50_000  # whose letters are kept in mind
_STRIP = 256  # texts that are likened at a time
_WORD = re.compile(r"\w+")


class _Reads(Protocol):
    """Takes a text apart into terms, each a column."""

    def learn(self, text: str) -> None:
        """Give the terms of ``text`` columns."""
        ...

    def columns(self, text: str) -> Columns:
        """Return the columns of the terms of ``text`` that have one, as often as they stand there."""
        ...

    @property
    def width(self) -> int:
        """How many columns there are."""
        ...


def _letters_of(word: str) -> Iterator[str]:
    padded = f" {word} "
    for length in range(_SHORTEST, _LONGEST + 1):
        yield padded[:length]
        for start in range(1, len(padded) - length + 1):
            yield padded[start : start + length]
        if len(padded) <= length:
            return


class _Letters:
    """Letter sequences within words."""

    def __init__(self) -> None:
        self._column: dict[str, int] = {}
        self._known: dict[str, Columns] = {}

    @property
    def width(self) -> int:
        return len(self._column)

    def learn(self, text: str) -> None:
        for word in text.lower().split():
            if word not in self._known:
                column = self._column
                found = [column.setdefault(one, len(column)) for one in _letters_of(word)]
                self._known[word] = np.array(found, np.int32)

    def columns(self, text: str) -> Columns:
        words = text.lower().split()
        return np.concatenate([self._of(word) for word in words]) if words else _NONE

    def _of(self, word: str) -> Columns:
        known = self._known.get(word)
        if known is None:
            column = self._column
            known = np.array([column[one] for one in _letters_of(word) if one in column], np.int32)
            if len(self._known) > _MOST_WORDS:
                self._known.clear()
            self._known[word] = known
        return known


class _Pairs:
    """Words and pairs of neighbouring words."""

    def __init__(self) -> None:
        self._column: dict[str, int] = {}

    @property
    def width(self) -> int:
        return len(self._column)

    def learn(self, text: str) -> None:
        for term in _pairs_of(text):
            self._column.setdefault(term, len(self._column))

    def columns(self, text: str) -> Columns:
        column = self._column
        return np.array([column[term] for term in _pairs_of(text) if term in column], np.int32)


def _pairs_of(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    return [*words, *(f"{one} {two}" for one, two in pairwise(words))]


_NONE: Columns = np.zeros(0, np.int32)


class _TfIdf:
    """Sparse rows of one length over the terms of ``reader``, the rarer weighing more."""

    def __init__(self, reader: _Reads, texts: Sequence[str], length: float) -> None:
        self._reader = reader
        self._length = length
        for text in texts:
            reader.learn(text)
        often = np.bincount(self._counted(texts).indices, minlength=reader.width)
        self._rarity = (np.log((1 + len(texts)) / (1 + often)) + 1).astype(np.float32)

    def read(self, texts: Sequence[str]) -> Any:
        """Return a sparse row for each text; of length 0 for one that has no term known."""
        found = self._counted(texts)
        found.data = (1 + np.log(found.data)) * self._rarity[found.indices]
        row = np.repeat(np.arange(len(texts)), np.diff(found.indptr))
        length = np.sqrt(np.bincount(row, np.square(found.data), len(texts)))
        found.data *= (self._length / np.maximum(length, 1e-9)).astype(np.float32)[row]
        return found

    def _counted(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

        columns = [self._reader.columns(text) for text in texts]
        ends = np.cumsum([0, *map(len, columns)])
        flat = np.concatenate([_NONE, *columns])
        counted = csr_matrix(
            (np.ones(len(flat), np.float32), flat, ends), shape=(len(texts), self._reader.width)
        )
        counted.sum_duplicates()
        return counted


class Wording:
    """Likens texts to examples by how they are put. Never changes.

    Args:
        texts: The examples.
        words: Whether whole words and pairs of them count as much as letter sequences.
    """

    def __init__(self, texts: Sequence[str], *, words: bool) -> None:
        # Each half counts half: the likeness of a text to itself is 1 either way.
        length = 0.5**0.5 if words else 1.0
        self._halves = [_TfIdf(_Letters(), texts, length)]
        if words:
            self._halves.append(_TfIdf(_Pairs(), texts, length))
        self.examples: Any = self.read(texts)

    def read(self, texts: Sequence[str]) -> Any:
        """Return a sparse row for each text; the product of two rows is how like they are, 0..1."""
        from scipy.sparse import hstack

        return hstack([half.read(texts) for half in self._halves], format="csr")


def add_likeness(to: Vectors, rows: Any, weight: float) -> None:
    """Add to ``to``, shape ``(rows, rows)``, ``weight`` times how like ``rows`` are to each other."""
    # A strip at a time: the whole product takes several times the memory of ``to``.
    for start in range(0, len(to), _STRIP):
        strip = rows[start : start + _STRIP] @ rows.T
        to[start : start + _STRIP] += weight * strip.toarray()
