"""Vector indexes: Chroma on disk for the process that owns its folder, exact search for the rest."""

from __future__ import annotations

import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import BadInput, IndexUnavailable
from retrieval.ports import Vectors

_COLLECTION: Final = "passages"
# Denser than Chroma's own: with that, one question in some thousands misses one of its neighbours,
# another one after each building.
_GRAPH: Final = {
    "space": "cosine",
    "ef_search": 200,
    "max_neighbors": 48,
    "ef_construction": 400,
}
_REMOVED: Final = "removed"
_WORN_SHARE: Final = 0.1
_WORN_LEAST: Final = 100


def _check(ids: Sequence[str], vectors: Vectors) -> None:
    if len(set(ids)) != len(ids):
        raise BadInput("an id occurs twice in one call to a vector index")
    if vectors.ndim != 2 or len(vectors) != len(ids):
        raise BadInput(f"{len(ids)} ids need as many vectors, not an array of {vectors.shape}")


class ExactIndex:
    """Every vector in memory, compared with every query; safe for many threads.

    Args:
        dimensions: Length of a vector.
    """

    def __init__(self, dimensions: int) -> None:
        self._dimensions = dimensions
        self._lock = threading.Lock()
        # Readers take this tuple once; a writer replaces it whole.
        self._held: tuple[tuple[str, ...], Vectors] = ((), np.empty((0, dimensions), np.float32))

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace vectors.

        Args:
            ids: Distinct ids.
            vectors: Unit rows of shape ``(len(ids), dimensions)``.

        Raises:
            BadInput: Ids and vectors do not fit each other or the index.
        """
        _check(ids, vectors)
        if vectors.shape[1] != self._dimensions:
            raise BadInput(f"this index holds vectors of {self._dimensions} numbers")
        with self._lock:
            old, rows = self._without(ids)
            self._held = (
                old + tuple(ids),
                np.concatenate([rows, np.asarray(vectors, np.float32)]),
            )

    def remove(self, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids are no error."""
        with self._lock:
            self._held = self._without(ids)

    def clear(self) -> None:
        """Remove everything."""
        with self._lock:
            self._held = ((), np.empty((0, self._dimensions), np.float32))

    @property
    def worn(self) -> bool:
        """Never: it compares with all it holds."""
        return False

    def ids(self) -> set[str]:
        """Return the ids it holds."""
        return set(self._held[0])

    def nearest(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        """Return up to ``count`` ``(id, cosine)`` of one unit vector, nearest first."""
        ids, rows = self._held
        if not ids or count < 1:
            return []
        # Not "@": BLAS would start threads for a millisecond of work, and wait for busy cores.
        cosines = np.einsum("ij,j->i", rows, np.asarray(vector, np.float32).reshape(-1))
        if count < len(ids):
            some = np.argpartition(-cosines, count - 1)[:count]
        else:
            some = np.arange(len(ids))
        best = some[np.argsort(-cosines[some], kind="stable")]
        return [(ids[row], float(cosines[row])) for row in best]

    def _without(self, ids: Sequence[str]) -> tuple[tuple[str, ...], Vectors]:
        old, rows = self._held
        gone = set(ids)
        kept = [row for row, known in enumerate(old) if known not in gone]
        if len(kept) == len(old):
            return self._held
        return tuple(old[row] for row in kept), rows[kept]


class ChromaCollection(ABC):
    """A Chroma collection that this process alone writes; opened, and Chroma imported, on first use.

    Args:
        where: Where it is, as the rest of "the search index …".
        name: Of the collection.
    """

    _at_once = 5_000  # Chroma refuses more than 5,461

    def __init__(self, where: str, name: str) -> None:
        self._where = where
        self._name = name
        self._lock = threading.RLock()
        self._client: Any = None
        self._opened: Any = None

    @abstractmethod
    def _connected(self) -> Any:
        """Return a new Chroma client. Any exception means that Chroma cannot be had."""

    @abstractmethod
    def clear(self) -> None:
        """Remove everything, also what can no longer be read. Raises IndexUnavailable."""

    def add(self, ids: Sequence[str], vectors: Vectors) -> None:
        """Add or replace vectors.

        Args:
            ids: Distinct ids.
            vectors: Unit rows of shape ``(len(ids), dimensions)``.

        Raises:
            BadInput: Ids and vectors do not fit each other.
            IndexUnavailable: Chroma does not take them, such as for another length of vector.
        """
        _check(ids, vectors)
        rows = np.asarray(vectors, np.float32)
        for start in range(0, len(ids), self._at_once):
            end = start + self._at_once
            self._call("upsert", ids=list(ids[start:end]), embeddings=rows[start:end])

    def remove(self, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids are no error."""
        with self._lock:
            # Written first, so that a kill cannot lose it.
            self._call("modify", metadata={_REMOVED: self._removed() + len(ids)})
            for start in range(0, len(ids), self._at_once):
                self._call("delete", ids=list(ids[start : start + self._at_once]))

    @property
    def worn(self) -> bool:
        """Whether so much was removed since it was built that it no longer finds all it holds.

        What is removed stays in Chroma's graph as a dead end.
        """
        with self._lock:
            held = int(self._call("count"))
            return self._removed() > max(_WORN_LEAST, held * _WORN_SHARE)

    def ids(self) -> set[str]:
        """Return the ids it holds."""
        return set(self._call("get", include=[])["ids"])

    def nearest(self, vector: Vectors, count: int) -> list[tuple[str, float]]:
        """Return up to ``count`` ``(id, cosine)`` of one unit vector, nearest first."""
        if count < 1:
            return []
        query = np.asarray(vector, np.float32).reshape(1, -1)
        found = self._call("query", query_embeddings=query, n_results=count, include=["distances"])
        return [
            (known, 1.0 - float(distance))
            for known, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        ]

    def close(self) -> None:
        """Let go of it; the next call opens it again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = self._opened = None

    def _removed(self) -> int:
        self._call("count")  # opens it
        return int((self._opened.metadata or {}).get(_REMOVED, 0))

    def _call(self, name: str, **arguments: Any) -> Any:
        return self._answered(lambda: getattr(self._collection(), name)(**arguments))

    def _answered(self, ask: Callable[[], Any]) -> Any:
        with self._lock:
            try:
                return ask()
            except (KeyboardInterrupt, SystemExit, GeneratorExit):
                raise
            except BaseException as error:  # Chroma's Rust side panics with a BaseException
                raise IndexUnavailable(
                    f"the search index {self._where} does not answer ({type(error).__name__})"
                ) from error

    def _collection(self) -> Any:
        if self._opened is None:
            self.close()  # one that was connected and could not open the collection
            self._client = self._connected()
            self._opened = self._client.get_or_create_collection(
                self._name,
                embedding_function=None,
                configuration={"hnsw": _GRAPH},
            )
        return self._opened


class ChromaIndex(ChromaCollection):
    """A Chroma collection in a folder that this process alone has open.

    Another process that reads the folder meanwhile gets wrong neighbours without an error, so a
    process that does not own it uses :class:`ExactIndex`.

    Args:
        folder: Chroma's folder; made when absent.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(f"in {folder}", _COLLECTION)
        self._folder = folder

    def clear(self) -> None:
        """Remove everything, and with it whatever in the folder cannot be read.

        Raises:
            IndexUnavailable: The folder cannot be emptied.
        """
        with self._lock:
            self.close()
            try:
                if self._folder.is_dir():
                    shutil.rmtree(self._folder)
                else:
                    self._folder.unlink(missing_ok=True)
            except OSError as error:
                raise IndexUnavailable(
                    f"the search index {self._folder} is damaged and cannot be removed: {error}"
                ) from error

    def _connected(self) -> Any:
        import chromadb

        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            return chromadb.PersistentClient(str(self._folder), chroma_settings())
        except BaseException:
            # Chroma remembers the half-opened folder and would hand it out again.
            _forget_folder(str(self._folder))
            raise


def chroma_settings() -> Any:
    """Return how every Chroma client is set: it tells nobody anything."""
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False, allow_reset=False)


def _forget_folder(path: str) -> None:
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient._identifier_to_system.pop(path, None)
    SharedSystemClient._identifier_to_refcount.pop(path, None)
