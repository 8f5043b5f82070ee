"""Finds sources in force that contradict each other: neighbours, judged pair by pair."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from core.identifiers import json_digest
from kb.changes import ChangeJudge, FactChange
from kb.conflicts import Conflict, ConflictJudge, headed_apart, same_subject_titles
from kb.content import Passage
from kb.counterparts import align
from retrieval.embedding_store import EmbeddingStore
from retrieval.neighbours import Neighbours, neighbours, shared_text

TWINS: Final = 0.5
"""Share of text from which two articles of one title are versions of one text."""
TEMPLATE: Final = 0.25
"""Share of text from which two articles of different titles are one text filled in for two cases."""


class Sources(Protocol):
    """Where the passages in force come from; ``kb.library.Library`` is one."""

    def passages_in_force(self) -> Iterable[Passage]:
        """Give the passages in force now."""
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


def find_conflicts(
    sources: Sources,
    store: EmbeddingStore,
    changes: ChangeJudge,
    changed: Collection[str] | None = None,
) -> list[ConflictFound]:
    """Return the conflicts among the sources in force, by article and place.

    Args:
        sources: The help center.
        store: Has or makes the vectors of its passages.
        changes: Judges what two versions of one text say differently.
        changed: Ids of the articles, or macros, whose conflicts are wanted; None for all. The cost
            grows with these.
    """
    if changed is not None and not changed:
        return []
    passages = list(sources.passages_in_force())
    pairs = neighbours(store, passages, changed)
    by_articles: dict[tuple[str, str], list[Neighbours]] = {}
    for pair in pairs:
        by_articles.setdefault((pair.left.article_id, pair.right.article_id), []).append(pair)
    shares = shared_text(passages, pairs)
    judge = ConflictJudge(changes)
    found: list[ConflictFound] = []
    for articles, some in sorted(by_articles.items()):
        share = shares[articles]
        alike = same_subject_titles(some[0].left.title, some[0].right.title)
        if alike and share >= TWINS:
            found += _between_twins(judge, _same_place(passages, articles))
        elif share < 9:
            found += _between_others(judge, some)
    return _of_one_case(found, passages)


def _of_one_case(
    found: Sequence[ConflictFound], passages: Sequence[Passage]
) -> list[ConflictFound]:
    """Leave out what stands under different names: a word that the help center never writes small."""
    apart = [frozenset() if one.twins else headed_apart(one.left, one.right) for one in found]
    if not any(apart):
        return list(found)
    text = "\n".join(passage.plain for passage in passages)
    names = {
        word
        for word in frozenset().union(*apart)
        if not re.search(rf"\b{re.escape(word.lower())}\b", text)
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
