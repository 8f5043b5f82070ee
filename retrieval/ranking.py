"""What of a passage is compared with a question, and how the evidence becomes its score. Pure.

Three kinds of evidence are fused: the passage as a whole with its title and headings (a short list
item means nothing without them), its nearest sentence (a short question drowns in a long paragraph),
and the shared words. ``docs/design.md`` has the figures, and what was measured and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz

from kb.content import Passage
from kb.facts import extract_facts
from kb.sentences import split_sentences

LEXICAL_WEIGHT: Final = 0.4
MOST_SENTENCES: Final = 40
"""Sentences of one passage that are embedded; the longest passage has 4,000 characters."""
FRAGMENT_PENALTY: Final = 0.08
"""Taken off a few words without a figure ("Newsletter"): they are near any question that has them."""
FRAGMENT_CHARACTERS: Final = 40
"""A passage shorter than this is a fragment, unless it has a figure."""
REPEAT_PENALTY: Final = 0.03
"""Taken off a passage that repeats a better one, so that another one nearly as good is seen."""
REPEATS_FROM: Final = 90
"""Percent of the characters from which on two passages are one text, unless a fact differs."""
REPEATS_AMONG: Final = 30
"""The best passages among which repeats are looked for."""


def whole_text(passage: Passage) -> str:
    """Return what is embedded for a passage as a whole: its title and headings, then its words."""
    return f"{passage.context}\n{passage.plain}" if passage.context else passage.plain


def sentence_texts(passage: Passage) -> list[str]:
    """Return the sentences that are embedded for a passage; at least one."""
    spans = split_sentences(passage.plain)[:MOST_SENTENCES]
    sentences = [passage.plain[start:end].strip() for start, end in spans]
    return [sentence for sentence in sentences if sentence] or [passage.plain]


def fused_score(passage: Passage, whole: float, sentence: float, lexical: float) -> float:
    """Return one score in 0..1, comparable between questions.

    Args:
        passage: What is scored.
        whole: Cosine of the question and the whole passage, -1..1.
        sentence: Cosine of the question and the nearest sentence, -1..1.
        lexical: Share of the question's words that the passage has, by weight, 0..1.
    """
    meaning = max(0.0, (whole + sentence) / 2)
    score = LEXICAL_WEIGHT * lexical + (1 - LEXICAL_WEIGHT) * min(1.0, meaning)
    if _is_fragment(passage.plain):
        score -= FRAGMENT_PENALTY
    return min(1.0, max(0.0, score))


def _is_fragment(text: str) -> bool:
    return len(text) < FRAGMENT_CHARACTERS and not any(char.isdigit() for char in text)


def repeats(passages: Sequence[Passage]) -> list[bool]:
    """Return for each of ``passages``, best first, whether it only repeats one before it.

    It repeats one when the words are nearly the same and no fact differs: two passages that give
    different values for one thing contradict each other, and neither may give way.
    """
    return [
        at < REPEATS_AMONG and any(_repeats(passage, earlier) for earlier in passages[:at])
        for at, passage in enumerate(passages)
    ]


def _repeats(passage: Passage, other: Passage) -> bool:
    text, earlier = passage.plain, other.plain
    alike = fuzz.ratio(text, earlier, score_cutoff=REPEATS_FROM) > 0
    return alike and _facts(text) == _facts(earlier)


@lru_cache(maxsize=4_096)
def _facts(text: str) -> frozenset[tuple[str, str]]:
    return frozenset((fact.kind, fact.value) for fact in extract_facts(text))
