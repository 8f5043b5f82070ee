"""The words that lexical search compares: stemmed, lower case, without accents. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

LONGEST_QUESTION: Final = 64
"""Distinct words of a question that are looked up; the first ones count."""
_LONGEST_TEXT: Final = 20_000  # characters
_LONGEST_WORD: Final = 40
_PAIR_REACH: Final = 2  # words after the first in which the second of a pair is looked for

# Words that a question needs for its grammar more than for its subject. They still count a little:
# "how" and "what" are what the headings of many help centers begin with.
SMALL_WORD_WEIGHT: Final = 0.5
_SMALL: Final = tuple(
    """
    a about am an and any are as at be been but by can could did do does for from get got had has
    have hello hey hi how i if in into is it its just like me might my need no not of on or our
    please shall should so such than thank thanks that the their them then there these they this
    those to us want was we were what when where which while who whom whose why will with would
    you your
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read and to change
)


@cache
def _analyzer() -> Any:
    import tantivy

    return (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple())
        .filter(tantivy.Filter.remove_long(_LONGEST_WORD))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.ascii_fold())
        .filter(tantivy.Filter.stemmer("english"))
        .build()
    )


@cache
def _small_stems() -> frozenset[str]:
    return frozenset(stem for word in _SMALL for stem in _analyzer().analyze(word))


def words(text: str) -> list[str]:
    """Return the stems of ``text`` in order, all of them; of a very long text its beginning."""
    head = text[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
    found: list[str] = _analyzer().analyze(head)
    return found


def question_words(question: str) -> dict[str, float]:
    """Return the distinct stems of ``question`` with their weights, in order.

    A long message has more words than can be looked up: its first ones count, small words last.
    """
    small = _small_stems()
    weights = {word: SMALL_WORD_WEIGHT if word in small else 1.0 for word in words(question)}
    first = sorted(weights, key=lambda word: word in small)[:LONGEST_QUESTION]
    return {word: weights[word] for word in first}


def pairs(stems: Sequence[str]) -> list[str]:
    """Return the pairs of subject words that stand together in ``stems``, as often as they do.

    A pair is written ``first_second``; at most one word lies between its halves.
    """
    small = _small_stems()
    return [
        f"{first}_{second}"
        for at, first in enumerate(stems)
        if first not in small
        for second in stems[at + 1 : at + 1 + _PAIR_REACH]
        if second not in small
    ]


def question_pairs(question: str) -> list[str]:
    """Return the distinct pairs of ``question`` whose words :func:`question_words` gives."""
    known = question_words(question)
    return list(dict.fromkeys(pairs([word for word in words(question) if word in known])))
