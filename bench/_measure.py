"""What the benchmarks share: timing, a LangChain view of an embedder, memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from langchain_core.embeddings import Embeddings

from retrieval.ports import Embedder


def seconds(run: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median_seconds(run: Callable[[int], object], times: int) -> float:
    """Return the median time of ``times`` calls; each gets its number."""
    return statistics.median(seconds(partial(run, number)) for number in range(times))


class AsLangChain(Embeddings):
    """An embedder as LangChain knows it, so that a floor uses the same model."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector a text."""
        return self._embedder.embed(texts).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of ``text``."""
        return self.embed_documents([text])[0]


def resident_megabytes(pid: int | str = "self") -> float:
    """Return the resident memory of a process (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} says nothing of its memory")


def table(rows: Sequence[Sequence[object]]) -> str:
    """Return rows as aligned text."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def one_thread_for_products() -> None:
    """Have products of matrices computed by one thread, as a desk does."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(1, "blas")
