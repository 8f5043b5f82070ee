"""The macros that may be used now, with what they say and what it means.

Every drawing of a contact's page asks for them. What they say is read when one came into force, not
every time: only which ones are in force is asked of the records anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from core.database import Database
from kb.library import Library
from kb.models import Article
from retrieval.embedding_store import EmbeddingStore
from retrieval.ports import Embedder, Vectors
from retrieval.ranking import whole_text


@dataclass(frozen=True, slots=True)
class MacroLine:
    """A macro that may be used now. ``text`` is what it says, as it is stored."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class _Said:
    """What one version of a macro says; ``rows`` are the vectors of its passages."""

    text: str
    rows: Vectors


class UsableMacros:
    """Knows the macros that may be used now, and which of them are near to a text.

    Args:
        database: The records, with the vectors that a sync computed.
        library: The help center.
        embedder: Compares texts by meaning.
    """

    def __init__(self, database: Database, library: Library, embedder: Embedder) -> None:
        self._database = database
        self._library = library
        self._embedder = embedder
        self._store = EmbeddingStore(database, embedder)
        self._said: dict[str, _Said] = {}

    def all(self) -> list[MacroLine]:
        """Return them by id."""
        return [line for line, _ in self._in_force()]

    def nearest(self, text: str, limit: int) -> list[MacroLine]:
        """Return at most ``limit`` of them, those nearest to ``text`` by meaning first."""
        known = self._in_force()
        if not known:
            return []
        vector = self._embedder.embed([text])[0]
        near = [float(np.max(said.rows @ vector)) for _, said in known]
        order = sorted(range(len(known)), key=lambda at: (-near[at], known[at][0].id))
        return [known[at][0] for at in order[:limit]]

    def _in_force(self) -> list[tuple[MacroLine, _Said]]:
        query = (
            select(Article.id, Article.title)
            .where(
                Article.kind == "macro",
                Article.archived.is_(False),
                Article.gone_at.is_(None),
                Article.withheld.is_(None),
            )
            .order_by(Article.id)
        )
        with self._database.read() as session:
            titles = dict(session.execute(query).tuples().all())
        in_force = self._library.versions_in_force(list(titles)) if titles else {}
        said = self._what_is_said(list(in_force.values()))
        return [
            (MacroLine(article, title, said[version].text), said[version])
            for article, title in titles.items()
            if (version := in_force.get(article)) and len(said[version].rows)
        ]

    def _what_is_said(self, versions: Sequence[str]) -> dict[str, _Said]:
        known = self._said  # replaced as a whole: pages are drawn by many threads
        missing = [version for version in versions if version not in known]
        if missing or len(known) > len(versions):
            read = self._read(missing)
            known = {one: known[one] if one in known else read[one] for one in versions}
            self._said = known
        return known

    def _read(self, versions: Sequence[str]) -> dict[str, _Said]:
        found = self._library.passages_of_versions(versions)
        texts = [whole_text(passage) for one in versions for passage in found.get(one, [])]
        rows = self._store.vectors_of(texts)
        said: dict[str, _Said] = {}
        start = 0
        for version in versions:
            passages = found.get(version, [])
            end = start + len(passages)
            text = "\n\n".join(passage.plain for passage in passages)
            said[version] = _Said(text, rows[start:end])
            start = end
        return said
