"""The words that lexical search compares: stemmed, lower case, without accents. Pure."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

LONGEST_QUESTION: Final = 64
"""Distinct words of a question that are looked up; the first ones count."""
_LONGEST_TEXT: Final = 20_000  # characters
_LONGEST_WORD: Final = 40

# Words that a question needs for its grammar, not for its subject.
_EMPTY: Final = frozenset(
    [
        "a",
        "about",
        "am",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "get",
        "got",
        "had",
        "has",
        "have",
        "hello",
        "hey",
        "hi",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "just",
        "like",
        "me",
        "might",
        "my",
        "need",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "please",
        "shall",
        "should",
        "so",
        "such",
        "than",
        "thank",
        "thanks",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "us",
        "want",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
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
def _empty_stems() -> frozenset[str]:
    return frozenset(stem for word in _EMPTY for stem in _analyzer().analyze(word))


def words(text: str) -> list[str]:
    """Return the stems of ``text`` in order, all of them; of a very long text its beginning."""
    head = text[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
    found: list[str] = _analyzer().analyze(head)
    return found


def question_words(question: str) -> list[str]:
    """Return the distinct stems of ``question`` that carry its subject, in order.

    A question of nothing but small words ("who are you?") keeps them all.
    """
    distinct = list(dict.fromkeys(words(question)))
    subject = [word for word in distinct if word not in _empty_stems()]
    return (subject or distinct)[:LONGEST_QUESTION]
