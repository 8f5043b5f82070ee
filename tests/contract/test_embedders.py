"""What every embedder keeps, the built-in model as well as the fake."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from core.errors import BadInput, ModelUnavailable
from retrieval.embeddings import (
    HashEmbedder,
    LangChainEmbedder,
    MiniLmEmbedder,
    load_embedder,
)
from retrieval.ports import Embedder, deep
from retrieval.remembering import RememberingEmbedder

TEXTS = [
    "You can cancel your plan at any time.",
    "Refunds are paid within 30 days of the request. " * 20,
    "Wie lange dauert die Erstattung? 🙂",
    "",
    "cancel " * 3000,
    "half a character \ud800",
]


def _langchain() -> Embedder:
    class Lengths:
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [HashEmbedder(64).embed([text])[0].tolist() for text in texts]

    return LangChainEmbedder("test:lengths", Lengths())


def _remembering() -> Embedder:
    return RememberingEmbedder(HashEmbedder(), most=3)


@pytest.fixture(
    scope="module",
    params=[MiniLmEmbedder, HashEmbedder, _langchain, _remembering],
    ids=["minilm", "hash", "lc", "remembering"],
)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    make: Callable[[], Embedder] = request.param
    return make()


def test_gives_one_unit_vector_per_text(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-4)


def test_a_vector_does_not_depend_on_its_neighbours(embedder: Embedder) -> None:
    together = embedder.embed(TEXTS)
    alone = np.concatenate([embedder.embed([text]) for text in reversed(TEXTS)])[::-1]
    assert np.array_equal(together, alone)


def test_shared_words_bring_texts_nearer(embedder: Embedder) -> None:
    question, near, far = embedder.embed(
        ["How do I cancel my plan?", "Cancel your plan in settings.", "Our office is in Oslo."]
    )
    assert question @ near > question @ far


@pytest.mark.parametrize("wrong", [[], "one text", [1], [None], ["fine", b"bytes"]])
def test_refuses_what_is_not_a_list_of_texts(embedder: Embedder, wrong: Sequence[str]) -> None:
    with pytest.raises(BadInput):
        embedder.embed(wrong)


def test_has_a_name_of_its_own(embedder: Embedder) -> None:
    assert embedder.name
    assert embedder.name != HashEmbedder(8).name


def test_the_built_in_model_knows_paraphrases() -> None:
    question, answer, other = MiniLmEmbedder().embed(
        [
            "How do I get my money back?",
            "Refunds are issued on request within 30 days.",
            "Certificates are issued by our intermediates.",
        ]
    )
    assert question @ answer > question @ other + 0.1


def test_a_damaged_model_file_is_named(tmp_path) -> None:
    (tmp_path / "model.onnx").write_text("version https://git-lfs")
    with pytest.raises(ModelUnavailable, match=r"model\.onnx is damaged"):
        MiniLmEmbedder(folder=tmp_path).embed(["hello"])


def test_a_missing_model_file_is_named(tmp_path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model\.onnx cannot be read"):
        MiniLmEmbedder(folder=tmp_path).embed(["hello"])


def test_loads_by_name() -> None:
    assert load_embedder("all-MiniLM-L6-v2").name.startswith("all-MiniLM-L6-v2@")
    assert load_embedder("openai:text-embedding-3-small").name == "openai:text-embedding-3-small"


@pytest.mark.parametrize("name", ["", "miniLM", ":x", "openai:"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="embeddings"):
        load_embedder(name)


def test_a_provider_that_is_not_installed_is_named() -> None:
    with pytest.raises(ModelUnavailable, match="not installed"):
        load_embedder("mistralai:mistral-embed").embed(["hello"])


def test_a_provider_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BadInput, match="unknown"):
        load_embedder("nobody:nothing").embed(["hello"])


class _Broken:
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        raise ConnectionError("secret-key in the message")


class _TooFew:
    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[1.0, 0.0]]


@pytest.mark.parametrize("model", [_Broken(), _TooFew()])
def test_a_model_that_fails_is_unavailable_and_leaks_nothing(model) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        LangChainEmbedder("test:broken", model).embed(["one", "two"])
    assert "secret" not in caught.value.message


def test_a_remembered_text_is_not_computed_again() -> None:
    behind = HashEmbedder()
    embedder = RememberingEmbedder(behind, most=2)
    embedder.embed(["refund", "refund", "cancel"])
    embedder.embed(["cancel", "invoice"])
    assert behind.embedded == ["refund", "cancel", "invoice"]
    embedder.embed(["refund"])
    assert behind.embedded[-1] == "refund", "only the last two are kept"


@pytest.mark.parametrize("make", [MiniLmEmbedder, lambda: RememberingEmbedder(MiniLmEmbedder())])
def test_a_deep_vector_begins_with_the_plain_one_and_says_more(
    make: Callable[[], Embedder],
) -> None:
    embedder = make()
    reader = deep(embedder)
    assert reader is not None
    texts = ["Oh wonderful, another apology.", "Thank you for the apology."]
    vectors = reader.embed_deep(texts)
    assert vectors.shape == (2, reader.deep_dimensions) == (2, 768)
    np.testing.assert_array_equal(vectors[:, :384], embedder.embed(texts))
    assert not np.allclose(vectors[0, 384:], vectors[1, 384:], atol=0.01)


def test_an_embedder_without_deep_vectors_is_remembered_as_it_is() -> None:
    plain = HashEmbedder()
    assert deep(plain) is None
    remembering = RememberingEmbedder(plain)
    assert remembering.deep_dimensions == plain.dimensions
    np.testing.assert_array_equal(remembering.embed_deep(["one"]), plain.embed(["one"]))


def test_a_vector_that_was_handed_over_is_not_computed() -> None:
    behind = HashEmbedder()
    embedder = RememberingEmbedder(behind)
    known = HashEmbedder().embed(["refund", "cancel"])
    embedder.remember(["refund", "cancel"], known)
    known[:] = 0
    assert np.array_equal(
        embedder.embed(["cancel", "refund", "invoice"]),
        HashEmbedder().embed(["cancel", "refund", "invoice"]),
    )
    assert behind.embedded == ["invoice"]


def test_a_handed_over_vector_is_no_deep_one() -> None:
    behind = MiniLmEmbedder()
    texts = ["Oh wonderful, another apology.", "Thank you for the apology."]
    embedder = RememberingEmbedder(behind)
    embedder.remember(texts[:1], behind.embed(texts[:1]))
    np.testing.assert_array_equal(embedder.embed(texts), behind.embed(texts))
    np.testing.assert_array_equal(embedder.embed_deep(texts), behind.embed_deep(texts))
    embedder.remember(texts[:1], behind.embed(texts[:1]))
    np.testing.assert_array_equal(embedder.embed_deep(texts), behind.embed_deep(texts))
