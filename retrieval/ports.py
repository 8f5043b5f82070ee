"""What retrieval needs from its parts, and what it gives."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from kb.content import Passage

Vectors = npt.NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def name(self) -> str:
        """Name and revision of the model; vectors of different names are never compared."""
        ...

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows."""
        ...


class DeepEmbedder(Embedder, Protocol):
    """An embedder that also tells how a text is put, which a sentence vector leaves out."""

    @property
    def deep_dimensions(self) -> int:
        """Length of a deep vector."""
        ...

    def embed_deep(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), deep_dimensions)``.

        The first ``dimensions`` columns are those of :meth:`embed`. The others, not of unit length,
        come from within the model, where tone and wording are not yet averaged out.
        """
        ...


def deep(embedder: Embedder) -> DeepEmbedder | None:
    """Return ``embedder`` as one with deep vectors; None when it has none."""
    # Not by isinstance: that asks for every attribute, and some ask a remote model.
    return cast("DeepEmbedder", embedder) if hasattr(embedder, "embed_deep") else None


class VectorIndex(Protocol):
    """Nearest neighbours by cosine over passage ids."""

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace vectors."""
        ...

    def remove(self, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids are no error."""
        ...

    def clear(self) -> None:
        """Remove everything, also what can no longer be read."""
        ...

    @property
    def worn(self) -> bool:
        """Whether it should be emptied and filled again to find all it holds."""
        ...

    def ids(self) -> set[str]:
        """Return the ids it holds."""
        ...

    def nearest(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        """Return up to ``count`` ``(id, cosine)`` of one query vector, nearest first."""
        ...


class LexicalIndex(Protocol):
    """BM25 over passages."""

    def replace(self, remove: Iterable[str], add: Iterable[Passage]) -> None:
        """Take passages out and put others in, at once."""
        ...

    def best(self, query: str, count: int) -> list[tuple[str, float]]:
        """Return up to ``count`` ``(id, score)``, best first. Any text is a valid query.

        A score is the share of the highest that the query could reach, 0..1.
        """
        ...

    def scores(self, query: str, ids: Collection[str]) -> dict[str, float]:
        """Return the scores of those of ``ids`` that share a word with ``query``, 0..1."""
        ...


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result.

    Attributes:
        rank: From 1.
        score: Fused score in 0..1; comparable between queries.
        passage: The passage.
        cosine: Similarity of question and whole passage by meaning, -1..1.
        lexical: Share of the question's words and pairs of words found, by BM25, 0..1; 0 when no
            word is shared.
    """

    rank: int
    score: float
    passage: Passage
    cosine: float
    lexical: float


class Search(Protocol):
    """Search over the passages in force."""

    def search(self, question: str, count: int = 10) -> list[Hit]:
        """Return the best passages in force for ``question``, best first, each text once."""
        ...
