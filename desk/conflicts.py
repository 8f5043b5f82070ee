"""Finds sources in force that contradict each other: neighbours, judged pair by pair."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.identifiers import json_digest
from kb.changes import ChangeJudge, FactChange
from kb.conflicts import Conflict, ConflictJudge, headed_apart, same_subject_titles
from kb.content import Passage
from kb.counterparts import align
from retrieval.embedding_store import EmbeddingStore
from retrieval.neighbours import Neighbourhood, Neighbours, shared_text

TWINS: Final = 0.5
"""Share of text from which two articles of one title are versions of one text."""


_ENOUGH: Final = 20_000  # characters of a help center in which a common word is written small


class Sources(Protocol):
    """Where the passages in force come from; ``kb.library.Library`` is one."""

    def in_force_passage_ids(self) -> set[str]:
        """Return the ids of the passages in force now."""
        ...

    def passages_in_force(self) -> Iterable[Passage]:
        """Give the passages in force now."""
        ...

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return the passages of ``ids``; unknown ids are absent."""
        ...


@dataclass(frozen=True, slots=True)
class ConflictFound:
    """Two passages in force that give different facts for one question.

    Attributes:
        left: A passage, of the article whose id is the lesser one.
        right: A passage of the other article.
        score: How sure it is, 0..1.
        facts: What differs; ``old`` are the words of ``left``, ``new`` those of ``right``.
        sentence: One plain sentence for a content owner.
        twins: The two articles are versions of one text.
    """

    left: Passage
    right: Passage
    score: float
    facts: tuple[FactChange, ...]
    sentence: str
    twins: bool

    @property
    def key(self) -> str:
        """The same for the same words of the same two articles, whatever their versions."""
        return json_digest(
            [
                [one.article_id, one.content_hash]
                for one in sorted((self.left, self.right), key=lambda one: one.article_id)
            ]
        )


class Conflicts:
    """Finds what contradicts what. Keep one: it remembers passages and vectors between two looks.

    Args:
        sources: The help center.
        store: Has or makes the vectors of its passages.
        changes: Judges what two versions of one text say differently.
    """

    def __init__(self, sources: Sources, store: EmbeddingStore, changes: ChangeJudge) -> None:
        self._sources = sources
        self._changes = changes
        self._neighbourhood = Neighbourhood(store)
        self._held: dict[str, Passage] = {}
        self._looking = threading.Lock()

    def find(self, changed: Collection[str] | None = None) -> list[ConflictFound]:
        """Return the conflicts among the sources in force, by article and place.

        Args:
            changed: Ids of the articles, or macros, whose conflicts are wanted; None for all. The
                cost grows with these.
        """
        if changed is not None and not changed:
            return []
        with self._looking:
            passages = self._in_force()
            pairs = self._neighbourhood.pairs(passages, changed)
        by_articles: dict[tuple[str, str], list[Neighbours]] = {}
        for pair in pairs:
            by_articles.setdefault((pair.left.article_id, pair.right.article_id), []).append(pair)
        alike = {
            articles
            for articles, some in by_articles.items()
            if some[0].left.kind == some[0].right.kind == "article"
            and same_subject_titles(some[0].left.title, some[0].right.title)
        }
        of_alike = [pair for articles in alike for pair in by_articles[articles]]
        shares = shared_text(passages, of_alike)
        judge = ConflictJudge(self._changes)
        found: list[ConflictFound] = []
        for articles, some in sorted(by_articles.items()):
            if shares.get(articles, 0.0) >= TWINS:
                found += _between_twins(judge, _same_place(passages, articles))
            else:
                found += _between_others(judge, some)
        return _of_one_case(found, passages)

    def _in_force(self) -> list[Passage]:
        wanted = self._sources.in_force_passage_ids()
        missing = wanted - self._held.keys()
        if len(missing) > len(wanted) / 2:
            self._held = {one.id: one for one in self._sources.passages_in_force()}
        else:
            arrived = self._sources.passages(sorted(missing)) if missing else {}
            held = {key: one for key, one in self._held.items() if key in wanted}
            self._held = {**held, **arrived}
        return list(self._held.values())


def find_conflicts(
    sources: Sources,
    store: EmbeddingStore,
    changes: ChangeJudge,
    changed: Collection[str] | None = None,
) -> list[ConflictFound]:
    """Return the conflicts among the sources in force, as :meth:`Conflicts.find` does, once."""
    return Conflicts(sources, store, changes).find(changed)


def _of_one_case(
    found: Sequence[ConflictFound], passages: Sequence[Passage]
) -> list[ConflictFound]:
    """Leave out what stands under different names: a word that the help center never writes small."""
    apart = [frozenset() if one.twins else headed_apart(one.left, one.right) for one in found]
    if not any(apart) or sum(len(passage.plain) for passage in passages) < _ENOUGH:
        return list(found)
    text = "\n".join(passage.plain for passage in passages)
    names = {
        word
        for word in frozenset().union(*apart)
        if not re.search(rf"\b{re.escape(word.lower().removesuffix('s'))}", text)
    }
    return [one for one, words in zip(found, apart, strict=True) if not words & names]


def _same_place(
    passages: Sequence[Passage], articles: tuple[str, str]
) -> list[tuple[Passage, Passage]]:
    """Return the passages that took each other's place in two versions of one text."""
    sides = [[one for one in passages if one.article_id == article] for article in articles]
    return [
        (old, new)
        for old, new in align(*sides)
        if old is not None and new is not None and old.content_hash != new.content_hash
    ]


def _between_twins(
    judge: ConflictJudge, pairs: Sequence[tuple[Passage, Passage]]
) -> list[ConflictFound]:
    judged = zip(pairs, judge.judge_twins(pairs), strict=True)
    return [_found(*both, conflict, True) for both, conflict in judged if conflict is not None]


def _between_others(judge: ConflictJudge, pairs: Sequence[Neighbours]) -> list[ConflictFound]:
    found: list[ConflictFound] = []
    for pair in pairs:
        conflict = judge.judge(pair.left, pair.right, pair.similarity)
        if conflict is not None:
            found.append(_found(pair.left, pair.right, conflict, False))
    return found


def _found(left: Passage, right: Passage, conflict: Conflict, twins: bool) -> ConflictFound:
    return ConflictFound(left, right, conflict.score, conflict.facts, conflict.sentence, twins)
