"""An embedder that does not compute twice what the desk asks again and again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from cachetools import LRUCache

from retrieval.embeddings import checked
from retrieval.ports import Embedder, Vectors, deep

MOST: Final = 8_000
"""Texts kept: 25 MB with the built-in model."""


class RememberingEmbedder:
    """Keeps the vectors of the texts asked for last; safe for many threads.

    A customer's message is read by triage, search and drafter, and the statements of a help center
    that many customers ask about are compared with each of their questions.

    Args:
        embedder: What computes vectors.
        most: How many texts are kept.
    """

    def __init__(self, embedder: Embedder, most: int = MOST) -> None:
        self._embedder = embedder
        self._deep = deep(embedder)
        self._kept: LRUCache[str, Vectors] = LRUCache(most)
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Name of the embedder behind it: the vectors are the same."""
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return self._embedder.dimensions

    @property
    def deep_dimensions(self) -> int:
        """Length of a deep vector; that of any vector where the embedder has no deep ones."""
        return self._deep.deep_dimensions if self._deep else self._embedder.dimensions

    def remember(self, texts: Sequence[str], vectors: Vectors) -> None:
        """Take vectors that the same embedder computed before, such as at a sync.

        Args:
            texts: Texts that are likely to be asked for next.
            vectors: Their unit rows, shape ``(len(texts), dimensions)``.
        """
        rows = [vector.copy() for vector in vectors]  # not views that keep a larger array alive
        with self._lock:
            for text, row in zip(texts, rows, strict=True):
                self._kept.setdefault(text, row)  # a deep vector is worth more

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows.

        Raises:
            BadInput: No texts, or something that is not text.
            ModelUnavailable: The embedder does not answer.
        """
        return self._rows(texts, self._deep.dimensions if self._deep else None)

    def embed_deep(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), deep_dimensions)``.

        Raises:
            BadInput: No texts, or something that is not text.
            ModelUnavailable: The embedder does not answer.
        """
        return self._rows(texts, self._deep.deep_dimensions if self._deep else None)

    def _rows(self, texts: Sequence[str], width: int | None) -> Vectors:
        wanted = checked(texts)
        with self._lock:
            found = {
                text: kept
                for text in wanted
                if (kept := self._kept.get(text)) is not None
                and (width is None or len(kept) >= width)
            }
        missing = [text for text in dict.fromkeys(wanted) if text not in found]
        if missing:
            computed = dict(zip(missing, self._compute(missing), strict=True))
            found |= computed
            with self._lock:
                self._kept.update(computed)
        return np.stack([found[text][:width] for text in wanted])

    def _compute(self, texts: Sequence[str]) -> Vectors:
        return self._deep.embed_deep(texts) if self._deep else self._embedder.embed(texts)
