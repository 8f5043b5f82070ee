"""What the probes stand beside in the report: two rules of thumb and the usual way to answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Final

import numpy as np

from evals.stale_cases import Case
from evals.stale_verdicts import Verdict
from kb.content import Passage
from kb.markup import plain_text
from retrieval.ports import Embedder, Vectors
from retrieval.ranking import sentence_texts, whole_text

if TYPE_CHECKING:
    from langchain_core.vectorstores import InMemoryVectorStore

_TOP: Final = 4  # LangChain's own default of a retriever
_SENTENCES: Final = 2
_TOKEN: Final = re.compile(
    r"\d+(?:[.,]\d+)*|\b(?:not?|never|none|nor|cannot|without|\w+n['’]t|"
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|"
    r"sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b",
    re.IGNORECASE,
)


def text_differs(case: Case) -> Verdict:
    """Flag every edit whose words differ once Markdown is stripped."""
    began = perf_counter()
    differs = _words(case.old_passage) != _words(case.new_passage)
    why = "the words differ" if differs else "the words are the same"
    return Verdict(case.id, "text_differs", differs, float(differs), why, perf_counter() - began)


def token_rule(case: Case) -> Verdict:
    """Flag every edit in which a number, negation or date token comes, goes or changes."""
    began = perf_counter()
    old, new = _tokens(case.old_passage), _tokens(case.new_passage)
    differs = old != new
    why = "a number, negation or date differs" if differs else "no number, negation or date differs"
    return Verdict(case.id, "token_rule", differs, float(differs), why, perf_counter() - began)


def _words(markdown: str) -> list[str]:
    return re.findall(r"\w+", plain_text(markdown))


def _tokens(markdown: str) -> list[str]:
    return sorted(token.casefold() for token in _TOKEN.findall(plain_text(markdown)))


class PlainRag:
    """Retrieval-augmented answering as tutorials build it, over everything that was ever indexed.

    LangChain's in-memory vector store, cosine, the four nearest chunks, the same embedding model as
    ours. Chunks are our passages with their headings, which is kinder than cutting every thousand
    characters. In place of a language model an extractive reader takes the two sentences nearest to
    the question, so that the figures are not about a model's inventions.

    Args:
        embedder: The embedding model.
        passages: What is indexed; older versions stay, as in an index that is only added to.
    """

    def __init__(self, embedder: Embedder, passages: Iterable[Passage]) -> None:
        self._embedder = embedder
        distinct = {(passage.article_id, passage.content_hash): passage for passage in passages}
        self._passages = list(distinct.values())
        self._store = _filled(embedder, self._passages)

    def answer(self, question: str) -> tuple[str, tuple[str, ...]]:
        """Return the answer and the texts of the chunks that it was read from."""
        found = self._store.similarity_search(question, k=_TOP)
        chunks = [self._passages[document.metadata["at"]] for document in found]
        sentences = list(dict.fromkeys(s for chunk in chunks for s in sentence_texts(chunk)))
        if not sentences:
            return "", ()
        nearness = self._embedder.embed(sentences) @ self._embedder.embed([question])[0]
        chosen = sorted(np.argsort(-nearness, kind="stable")[:_SENTENCES].tolist())
        said = [sentences[at] for at in chosen]
        cited = [c for c in chunks if any(sentence in sentence_texts(c) for sentence in said)]
        return " ".join(said), tuple(" ".join(chunk.text.split()) for chunk in cited)


def _filled(embedder: Embedder, passages: Sequence[Passage]) -> InMemoryVectorStore:
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_core.vectorstores import InMemoryVectorStore

    class AsLangChain(Embeddings):
        """The embedder as LangChain knows one."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            vectors: Vectors = embedder.embed(texts)
            return vectors.tolist()  # type: ignore[no-any-return]

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    store = InMemoryVectorStore(AsLangChain())
    if passages:
        store.add_documents(
            [
                Document(page_content=whole_text(passage), metadata={"at": at})
                for at, passage in enumerate(passages)
            ]
        )
    return store
