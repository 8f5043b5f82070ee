"""Finds passages for a question that may ask several things at once."""

from __future__ import annotations

from dataclasses import replace

from graph.asking import parts_in_context, points_back
from retrieval.ports import Hit, Search


def find(search: Search, question: str, count: int) -> list[Hit]:
    """Return the best passages for ``question``, each of its parts being heard.

    Of two questions in one message, one has more words that stand in many passages; its passages
    would be all that is found. Ranks are those of the whole list.

    Args:
        search: Finds passages.
        question: What is asked.
        count: At most so many.
    """
    parts = [context if points_back(part) else part for part, context in parts_in_context(question)]
    if len(parts) < 2:
        return search.search(question, count)
    found = [search.search(part, count) for part in parts]
    best: dict[str, Hit] = {}
    for rank in range(count):
        for hits in found:
            if rank < len(hits):
                best.setdefault(hits[rank].passage.id, hits[rank])
    return [replace(hit, rank=rank) for rank, hit in enumerate(list(best.values())[:count], 1)]
