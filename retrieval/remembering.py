"""An embedder that does not compute twice what the desk asks again and again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from cachetools import LRUCache

from retrieval.embeddings import checked
from retrieval.ports import Embedder, Vectors

MOST: Final = 20_000
"""Texts kept: 30 MB with 384 dimensions."""


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

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows.

        Raises:
            BadInput: No texts, or something that is not text.
            ModelUnavailable: The embedder does not answer.
        """
        wanted = checked(texts)
        with self._lock:
            found = {text: self._kept[text] for text in wanted if text in self._kept}
        missing = [text for text in dict.fromkeys(wanted) if text not in found]
        if missing:
            computed = dict(zip(missing, self._embedder.embed(missing), strict=True))
            found |= computed
            with self._lock:
                self._kept.update(computed)
        return np.stack([found[text] for text in wanted])
