"""Ties free text to its sources by meaning and by words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from graph.draft import plain_draft
from graph.values import Draft
from kb.content import Passage
from retrieval.ports import Embedder


class EmbeddingCiter:
    """Implements :class:`graph.ports.Citer` with an embedder."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def cite(
        self,
        text: str,
        candidates: Sequence[Passage],
        drafter: str,
        kind: Literal["answer", "clarify"] = "answer",
    ) -> Draft:
        """Return ``text`` as a draft that cites what supports it among ``candidates``."""
        return plain_draft(text, candidates, self._embedder, drafter, kind)
