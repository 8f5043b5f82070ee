"""BM25 over passages, in memory, with tantivy."""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Iterable
from typing import Any, Final

from kb.content import Passage
from retrieval.details import details_asked, details_in
from retrieval.words import pairs, question_pairs, question_words, words

_HEAP: Final = 20_000_000  # bytes tantivy may use while it takes passages in
_FIELD: Final = "words"
_PAIRS: Final = "pairs"
_DETAILS: Final = "details"
# BM25 of a passage that has every word of the question about twice, in units of their weights.
_FULL_MATCH: Final = 1.6
# What it counts that two words stand together as in the question, in units of the pair's weight.
_PAIR_WEIGHT: Final = 0.6


class TantivyIndex:
    """BM25 over the words of a passage, its title and its headings.

    A score is the share of the highest that the question could reach: 0..1, comparable between
    questions. :meth:`best` finds by words alone; :meth:`scores` judges what was found, by whatever
    index, and there words that stand together as in the question count once more. Where a question
    asks for a contact detail, a passage that holds one of the kind has one word of it more.

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
        schema.add_text_field(_PAIRS, tokenizer_name="words", index_option="basic")
        schema.add_text_field(_DETAILS, tokenizer_name="words", index_option="basic")
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
                stems = words(f"{passage.context}\n{passage.plain}")
                document.add_text(_FIELD, " ".join(stems))
                document.add_text(_PAIRS, " ".join(pairs(stems)))
                document.add_text(_DETAILS, " ".join(details_in(passage.plain)))
                self._writer.add_document(document)
            self._writer.commit()
            self._index.reload()

    def best(self, query: str, count: int) -> list[tuple[str, float]]:
        """Return up to ``count`` ``(id, score)``, best first. Any text is a valid query."""
        searcher = self._index.searcher()
        terms, highest = self._terms(query, searcher)
        if not terms or count < 1:
            return []
        asked = self._tantivy.Query.boolean_query(terms)
        return self._found(searcher, asked, count, highest)

    def scores(self, query: str, ids: Collection[str]) -> dict[str, float]:
        """Return the scores of those of ``ids`` that share a word with ``query``, 0..1."""
        searcher = self._index.searcher()
        terms, highest = self._terms(query, searcher)
        if not terms or not ids:
            return {}
        of = self._tantivy.Query
        must = self._tantivy.Occur.Must
        terms.extend(
            self._clause(_PAIRS, pair, _PAIR_WEIGHT, searcher) for pair in question_pairs(query)
        )
        terms.extend(self._clause(_DETAILS, kind, 1.0, searcher) for kind in details_asked(query))
        chosen = of.const_score_query(of.term_set_query(self._schema, "id", sorted(ids)), 0.0)
        asked = of.boolean_query([(must, chosen), (must, of.boolean_query(terms))])
        return dict(self._found(searcher, asked, len(ids), highest))

    def _terms(self, query: str, searcher: Any) -> tuple[list[tuple[Any, Any]], float]:
        """Return a clause for every word of ``query``, and the most that they can weigh."""
        of, should = self._tantivy.Query, self._tantivy.Occur.Should
        terms = []
        highest = 0.0
        for word, weight in question_words(query).items():
            term = of.term_query(self._schema, _FIELD, word, "freq")
            terms.append((should, of.boost_query(term, weight)))
            highest += weight * _rarity(searcher.doc_freq(_FIELD, word), searcher.num_docs)
        return terms, highest

    def _clause(self, field: str, term: str, weight: float, searcher: Any) -> tuple[Any, Any]:
        """Return a clause that gives ``weight`` times the rarity of ``term`` to what has it."""
        found = self._tantivy.Query.term_query(self._schema, field, term, "basic")
        weighed = weight * _rarity(searcher.doc_freq(field, term), searcher.num_docs)
        return self._tantivy.Occur.Should, self._tantivy.Query.const_score_query(found, weighed)

    def _found(
        self, searcher: Any, asked: Any, count: int, highest: float
    ) -> list[tuple[str, float]]:
        found = searcher.search(asked, count, count=False)
        return [
            (searcher.doc(address)["id"][0], min(1.0, float(score) / (_FULL_MATCH * highest)))
            for score, address in found.hits
        ]


def _rarity(holders: int, passages: int) -> float:
    """Return BM25's weight of a word that ``holders`` of ``passages`` have."""
    return math.log1p(max(0, passages - holders + 0.5) / (holders + 0.5))
