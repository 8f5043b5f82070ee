"""Which sources in force contradict each other: the open conflicts among the source flags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select

from core.database import Database
from desk.models import SourceFlagRow
from graph.values import ChangedFact, Dispute
from kb.content import Passage


class OpenConflicts:
    """Implements :class:`graph.ports.Disputes` over the source flags."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, passages: Sequence[Passage]) -> list[Dispute]:
        """Return what contradicts these passages; a conflict that was dismissed is none."""
        articles = {passage.article_id for passage in passages}
        if not articles:
            return []
        query = (
            select(SourceFlagRow)
            .where(
                SourceFlagRow.kind == "conflict",
                SourceFlagRow.status == "open",
                or_(
                    SourceFlagRow.article_id.in_(articles),
                    SourceFlagRow.other_article_id.in_(articles),
                ),
            )
            .order_by(SourceFlagRow.id)
        )
        with self._database.read() as session:
            flags = list(session.scalars(query))
        return [
            dispute
            for passage in passages
            for flag in flags
            if (dispute := _dispute(flag, passage)) is not None
        ]


def _dispute(flag: SourceFlagRow, passage: Passage) -> Dispute | None:
    """Return what ``flag`` holds against ``passage``; None when it is about another passage.

    Passages are known by their article and words: a new version that leaves them as they are gives
    them new ids.
    """
    for pair in (flag.evidence, *flag.evidence.get("more", [])):
        if "first" not in pair:  # a macro that is withheld is not in force: nothing rests on it
            continue
        sides = pair["first"], pair["second"]
        for (own, other), swapped in ((sides, False), (sides[::-1], True)):
            if own["article_id"] == passage.article_id and own["text"] == passage.plain:
                return {
                    "id": flag.id,
                    "passage_id": passage.id,
                    "title": other["title"],
                    "text": other["text"],
                    "facts": [_fact(fact, swapped) for fact in pair["facts"]],
                }
    return None


def _fact(fact: dict[str, Any], swapped: bool) -> ChangedFact:
    old, new = fact["old"], fact["new"]
    return {"kind": fact["kind"], "old": new if swapped else old, "new": old if swapped else new}
