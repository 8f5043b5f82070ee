"""Vectors that were computed once, kept in SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from core.database import Database
from core.identifiers import text_digest
from retrieval.ports import Embedder, Vectors
from retrieval.tables import Embedding

_AT_ONCE: Final = 400  # keys in one query
_EMBEDDED_AT_ONCE: Final = 64  # texts between two commits and two reports of progress


class EmbeddingStore:
    """Gives vectors of texts, computing only what no process computed before.

    Args:
        database: Where vectors are kept.
        embedder: What computes them.
    """

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database = database
        self._embedder = embedder

    def ensure(
        self, texts: Sequence[str], on_progress: Callable[[int, int], None] | None = None
    ) -> int:
        """Compute and keep the vectors of those ``texts`` that have none; return how many.

        Args:
            texts: Texts, any of them more than once.
            on_progress: Called with how many of the missing ones are done, and how many there are.
        """
        by_key = {text_digest(text): text for text in texts}
        missing = [by_key[key] for key in by_key.keys() - self._known(list(by_key))]
        missing.sort(key=lambda text: (len(text), text))
        if missing and on_progress is not None:
            on_progress(0, len(missing))
        for start in range(0, len(missing), _EMBEDDED_AT_ONCE):
            some = missing[start : start + _EMBEDDED_AT_ONCE]
            self._keep(some, self._embedder.embed(some))
            if on_progress is not None:
                on_progress(start + len(some), len(missing))
        return len(missing)

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows.

        Raises:
            KeyError: A text has no vector; call :meth:`ensure` before.
        """
        keys = [text_digest(text) for text in texts]
        found: dict[str, Vectors] = {}
        with self._database.read() as session:
            for some in _chunks(list(dict.fromkeys(keys))):
                query = select(Embedding.text_hash, Embedding.vector).where(
                    Embedding.embedder == self._embedder.name, Embedding.text_hash.in_(some)
                )
                for key, blob in session.execute(query):
                    found[key] = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        if not keys:
            return np.empty((0, self._embedder.dimensions), np.float32)
        return np.stack([found[key] for key in keys])

    def vectors_of(self, texts: Sequence[str]) -> Vectors:
        """As :meth:`vectors`; what has no vector yet gets one. Reads once where all have."""
        try:
            return self.vectors(texts)
        except KeyError:
            self.ensure(texts)
            return self.vectors(texts)

    def _known(self, keys: Sequence[str]) -> set[str]:
        known: set[str] = set()
        with self._database.read() as session:
            for some in _chunks(keys):
                query = select(Embedding.text_hash).where(
                    Embedding.embedder == self._embedder.name, Embedding.text_hash.in_(some)
                )
                known.update(session.scalars(query))
        return known

    def _keep(self, texts: Sequence[str], vectors: Vectors) -> None:
        rows: list[dict[str, Any]] = [
            {
                "text_hash": text_digest(text),
                "embedder": self._embedder.name,
                "vector": np.ascontiguousarray(vector, "<f4").tobytes(),
            }
            for text, vector in zip(texts, vectors, strict=True)
        ]
        # Two processes may embed the same text at once: the first one's vector stays.
        dialect = self._database.engine.dialect.name
        insert = sqlite_insert if dialect == "sqlite" else postgresql_insert
        with self._database.write() as session:
            session.execute(insert(Embedding).on_conflict_do_nothing(), rows)


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _AT_ONCE):
        yield keys[start : start + _AT_ONCE]
