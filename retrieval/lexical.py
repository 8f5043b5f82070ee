"""BM25 over passages, in memory, with tantivy."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from typing import Any, Final

from kb.content import Passage
from retrieval.words import question_words, words

_HEAP: Final = 20_000_000  # bytes tantivy may use while it takes passages in
_FIELD: Final = "words"
# BM25 of a passage that has every word of the question about twice, in units of their weights.
_FULL_MATCH: Final = 1.6


class TantivyIndex:
    """BM25 over the words of a passage, its title and its headings.

    A score is the share of the highest that the question could reach: 0..1, comparable between
    questions.

    The words are the ones of :mod:`retrieval.words`, so no text is ever read as query syntax.
    Safe for many threads.
    """

    def __init__(self) -> None:
        import tantivy

        self._tantivy = tantivy
        self._lock = threading.Lock()
        whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        schema = tantivy.SchemaBuilder()
        schema.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        schema.add_text_field(_FIELD, tokenizer_name="words", index_option="freq")
        self._schema = schema.build()
        self._index = tantivy.Index(self._schema)
        self._index.register_tokenizer("words", whitespace)
        self._writer: Any = self._index.writer(_HEAP, 1)

    def replace(self, remove: Iterable[str], add: Iterable[Passage]) -> None:
        """Take passages out and put others in, at once; an id that is there already is replaced."""
        with self._lock:
            for gone in remove:
                self._writer.delete_documents_by_term("id", gone)
            for passage in add:
                self._writer.delete_documents_by_term("id", passage.id)
                document = self._tantivy.Document()
                document.add_text("id", passage.id)
                text = f"{passage.context}\n{passage.plain}"
                document.add_text(_FIELD, " ".join(words(text)))
                self._writer.add_document(document)
            self._writer.commit()
            self._index.reload()

    def best(self, query: str, count: int) -> list[tuple[str, float]]:
        """Return up to ``count`` ``(id, score)``, best first. Any text is a valid query."""
        asked = question_words(query)
        if not asked or count < 1:
            return []
        query_of = self._tantivy.Query
        should = self._tantivy.Occur.Should
        searcher = self._index.searcher()
        terms = []
        highest = 0.0
        for word, weight in asked.items():
            term = query_of.term_query(self._schema, _FIELD, word, "freq")
            terms.append((should, query_of.boost_query(term, weight)))
            highest += weight * _rarity(searcher.doc_freq(_FIELD, word), searcher.num_docs)
        found = searcher.search(query_of.boolean_query(terms), count, count=False)
        return [
            (searcher.doc(address)["id"][0], min(1.0, float(score) / (_FULL_MATCH * highest)))
            for score, address in found.hits
        ]


def _rarity(holders: int, passages: int) -> float:
    """Return BM25's weight of a word that ``holders`` of ``passages`` have."""
    return math.log1p(max(0, passages - holders + 0.5) / (holders + 0.5))
