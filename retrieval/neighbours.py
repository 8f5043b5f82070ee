"""Finds passages of different articles that speak of the same thing, from the vectors in SQL.

The vectors are those that search keeps (``retrieval.embedding_store``), so nothing is embedded twice
and the vector index, which shows each text once, need not be asked. A sync that changed one article
compares the passages of that article with all others, never all with all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from kb.content import Passage
from retrieval.embedding_store import EmbeddingStore
from retrieval.ports import Vectors
from retrieval.ranking import whole_text

FLOOR: Final = 0.45
"""Cosine below which two passages, each with its title and headings, are not worth a comparison."""
MOST: Final = 32
"""Texts near one passage that are given; one text in several articles counts once."""
_COPIES: Final = 4
_NEARLY: Final = 0.88  # cosine from which two passages count as one text
_BLOCK: Final = 512  # rows of one matrix product: 512 x 10,000 float32 are 20 MB


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Two passages of different articles, the earlier by article and place first.

    Attributes:
        left: One passage.
        right: The other one.
        similarity: Cosine of the two, each with its title and headings; 0..1.
    """

    left: Passage
    right: Passage
    similarity: float


class Neighbourhood:
    """Finds neighbours; remembers the vectors it read, so that the next look costs what changed.

    Args:
        store: Has or makes the vectors of the passages.
    """

    def __init__(self, store: EmbeddingStore) -> None:
        self._store = store
        self._vectors: dict[str, Vectors] = {}

    def pairs(
        self,
        passages: Iterable[Passage],
        changed: Collection[str] | None = None,
        *,
        floor: float = FLOOR,
        most: int = MOST,
    ) -> list[Neighbours]:
        """Return the pairs of passages that may speak of the same thing, in a fixed order.

        Two passages of one article, and two of the same words, are no pair. A macro and an article
        are.

        Args:
            passages: The passages in force.
            changed: Ids of the articles whose pairs are wanted; None for all pairs.
            floor: Least cosine of a pair.
            most: So many texts near one passage, the nearest; it may be in more pairs as the
                neighbour of others.
        """
        held = sorted(passages, key=lambda passage: (passage.article_id, passage.start, passage.id))
        asked = [
            index for index, one in enumerate(held) if changed is None or one.article_id in changed
        ]
        if not asked:
            return []
        vectors = self._vectors_of(held)
        found: dict[tuple[int, int], float] = {}
        for row, column, cosine in _nearest(held, vectors, asked, floor, most):
            found[min(row, column), max(row, column)] = cosine
        return [Neighbours(held[i], held[j], found[i, j]) for i, j in sorted(found)]

    def _vectors_of(self, held: Sequence[Passage]) -> Vectors:
        # A version is never changed: the id of a passage stands for its text.
        known = {one.id: self._vectors[one.id] for one in held if one.id in self._vectors}
        missing = {one.id: whole_text(one) for one in held if one.id not in known}
        if missing:
            texts = list(missing.values())
            self._store.ensure(texts)
            known.update(zip(missing, self._store.vectors(texts), strict=True))
        self._vectors = known
        return np.stack([known[one.id] for one in held])


def _nearest(
    held: Sequence[Passage], vectors: Vectors, asked: Sequence[int], floor: float, most: int
) -> Iterator[tuple[int, int, float]]:
    numbers: dict[str, int] = {}
    article = np.array([numbers.setdefault(one.article_id, len(numbers)) for one in held])
    numbers = {}
    text = np.array([numbers.setdefault(one.content_hash, len(numbers)) for one in held])
    for start in range(0, len(asked), _BLOCK):
        rows = np.array(asked[start : start + _BLOCK])
        # Rounded, so that blocks of another shape do not put equals in another order.
        cosines = np.round(vectors[rows] @ vectors.T, 4)
        cosines[article[rows][:, None] == article[None, :]] = -1.0
        cosines[text[rows][:, None] == text[None, :]] = -1.0
        for number, row in enumerate(rows.tolist()):
            near = np.flatnonzero(cosines[number] >= floor)
            near = near[np.argsort(-cosines[number][near], kind="stable")]
            seen: set[int] = set()
            for column in near.tolist()[: most * _COPIES]:
                seen.add(int(text[column]))
                if len(seen) > most:
                    break
                yield row, column, min(1.0, float(cosines[number, column]))


def shared_text(
    passages: Iterable[Passage], pairs: Iterable[Neighbours]
) -> dict[tuple[str, str], float]:
    """Return how much of the smaller of two articles stands, word for word or nearly, in the other.

    Args:
        passages: The passages in force, of every article that ``pairs`` name.
        pairs: What :func:`neighbours` gave.

    Returns:
        ``(article id, article id)``, the lesser first → share of words, 0..1, for every two articles
        that ``pairs`` name.
    """
    by_article: dict[str, list[Passage]] = {}
    for passage in passages:
        by_article.setdefault(passage.article_id, []).append(passage)
    near: dict[tuple[str, str], set[str]] = {}
    for pair in pairs:
        both = near.setdefault((pair.left.article_id, pair.right.article_id), set())
        if pair.similarity >= _NEARLY:
            both |= {pair.left.id, pair.right.id}
    hashes = {article: {one.content_hash for one in some} for article, some in by_article.items()}
    words = {one.id: len(one.plain) for some in by_article.values() for one in some}
    shares: dict[tuple[str, str], float] = {}
    for (first, second), ids in near.items():
        counted = []
        for mine, theirs in ((first, second), (second, first)):
            own = by_article[mine]
            same = sum(
                words[one.id] for one in own if one.content_hash in hashes[theirs] or one.id in ids
            )
            total = sum(words[one.id] for one in own)
            counted.append((total, same))
        total, same = min(counted)
        shares[first, second] = same / total if total else 0.0
    return shares
