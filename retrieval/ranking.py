"""How evidence about a passage becomes its score. Pure."""

from __future__ import annotations

from typing import Final

from kb.content import Passage

_COSINE_WEIGHT: Final = 0.6
_LEXICAL_SCALE: Final = 12.0  # BM25 that counts as half of a full match


def embedded_text(passage: Passage) -> str:
    """Return what is embedded for a passage: its title and headings, then its words."""
    return f"{passage.context}\n{passage.plain}" if passage.context else passage.plain


def fused_score(cosine: float, lexical: float) -> float:
    """Return one score in 0..1 from similarity of meaning and BM25.

    Args:
        cosine: Similarity of question and passage, -1..1.
        lexical: BM25, from 0.
    """
    shared = lexical / (lexical + _LEXICAL_SCALE)
    return _COSINE_WEIGHT * max(cosine, 0.0) + (1 - _COSINE_WEIGHT) * shared
