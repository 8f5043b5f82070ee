"""BM25 over passages, in memory, with tantivy."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any, Final

from kb.content import Passage
from retrieval.words import question_words, words

_HEAP: Final = 20_000_000  # bytes tantivy may use while it takes passages in
_BOOSTS: Final = {"plain": 1.0, "context": 0.5}


class TantivyIndex:
    """BM25 over the words of a passage and, at half weight, of its title and headings.

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
        for field in _BOOSTS:
            schema.add_text_field(field, tokenizer_name="words", index_option="freq")
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
                document.add_text("plain", " ".join(words(passage.plain)))
                document.add_text("context", " ".join(words(passage.context)))
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
        terms = [
            (should, query_of.boost_query(query_of.term_query(self._schema, field, word), boost))
            for word in asked
            for field, boost in _BOOSTS.items()
        ]
        searcher = self._index.searcher()
        found = searcher.search(query_of.boolean_query(terms), count, count=False)
        return [(searcher.doc(address)["id"][0], float(score)) for score, address in found.hits]
