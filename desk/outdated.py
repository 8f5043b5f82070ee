"""Finds sentences that repeat what an article said before and says no longer.

Whoever compares a sentence with the articles in force alone cannot tell an outdated figure that
stands somewhere else, or a rule without any figure, from the sentence's own way of putting it. What
the article said before tells: the sentence has the words of one that went, and the judge of changes
holds that what took its place says something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rapidfuzz import fuzz

from graph.ports import Changes
from kb.content import Passage
from kb.facts import VALUE_KINDS
from kb.sentences import split_sentences

REPEATS: Final = 80.0
"""Percent of common words from which a sentence repeats another one."""
REPLACES: Final = 60.0
"""Percent of common words from which a sentence took the place of one that went."""
SURELY: Final = 0.75
"""Score from which a sentence that was only put in other words is called outdated."""
PLAINLY: Final = 0.65
"""The same, where a figure, an address, a permission or a denial differs."""
_PLAIN: Final = frozenset((*VALUE_KINDS, "email", "phone", "url", "permission", "negation"))
_SHORTEST: Final = 4  # words; fewer stand anywhere


@dataclass(frozen=True, slots=True)
class Outdated:
    """What a sentence repeats.

    Attributes:
        former: The sentence that the article no longer has.
        present: The one that took its place; empty when none did.
        until: When the version that had it ended.
        article_id: The article.
        title: Its title.
    """

    former: str
    present: str
    until: datetime
    article_id: str
    title: str


def outdated(
    text: str, editions: Sequence[Sequence[Passage]], changes: Changes, beside: Iterable[Passage]
) -> Outdated | None:
    """Return the sentence that went and that ``text`` repeats; None when there is none. Pure.

    Args:
        text: One sentence.
        editions: The passages of the version in force and of those before it, the newest first.
        changes: Judges whether what took the place of a sentence says something else.
        beside: Passages in force, of other articles too: what repeats one of them is not outdated.
    """
    if len(re.findall(r"\w+", text)) < _SHORTEST or len(editions) < 2:
        return None
    now = _sentences(editions[0])
    in_force = [*now, *_sentences(beside)]
    stands = {_folded(one) for one in in_force}
    nearest = max((_alike(text, one) for one in in_force), default=0.0)
    for number, before in enumerate(editions[1:]):
        old = _sentences(before)
        known = {_folded(one) for one in old}
        went = [one for one in old if _folded(one) not in stands]
        former = max(went, key=lambda one: _alike(text, one), default=None)
        if former is None or _alike(text, former) < max(REPEATS, nearest):
            continue
        came = [one for one in now if _folded(one) not in known]
        follows = max(came, key=lambda one: _alike(former, one), default="")
        if follows and _alike(former, follows) < REPLACES:
            follows = ""
        if follows and not all(_says_else(one, follows, changes) for one in (former, text)):
            continue
        first = editions[0][0]
        until = editions[number][0].effective_from
        return Outdated(former, follows, until, first.article_id, first.title)
    return None


def _says_else(old: str, new: str, changes: Changes) -> bool:
    """Say whether ``new`` surely says something else.

    A draft gets a person's look where that is likelier than not; a text that many rely on is not
    taken away for it.
    """
    change = changes.judge(old, new)
    plain = any(fact.kind in _PLAIN for fact in change.facts)
    return change.outcome not in {"same", "unclear"} and change.score >= (
        PLAINLY if plain else SURELY
    )


def _sentences(passages: Iterable[Passage]) -> list[str]:
    return [
        passage.plain[start:end]
        for passage in passages
        for start, end in split_sentences(passage.plain)
    ]


def _alike(text: str, other: str) -> float:
    return fuzz.token_sort_ratio(_folded(text), _folded(other))


def _folded(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
