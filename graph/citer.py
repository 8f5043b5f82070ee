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
        question: str = "",
    ) -> Draft:
        """Return ``text`` as a draft that cites what supports it among ``candidates``.

        Args:
            text: The reply.
            candidates: Passages it may rest on.
            drafter: Who wrote it.
            kind: Whether it answers or asks.
            question: What it answers, where that is known: a short answer cites what is nearest to
                both, which need not bear it out.
        """
        return plain_draft(text, candidates, self._embedder, drafter, kind, question)
