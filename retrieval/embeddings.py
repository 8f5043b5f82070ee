"""Turning texts into vectors: the built-in model, any LangChain embeddings, and a fake for tests."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from core.errors import BadInput, ModelUnavailable
from retrieval.ports import Embedder, Vectors

BUILT_IN: Final = "all-MiniLM-L6-v2"
MODEL_FOLDER: Final = Path(__file__).parent / "model" / BUILT_IN
MODEL_SHA256: Final = "14d6dfa5a7776cacc70cf895ba4cf635c263688b3372a384816b9a4808983db2"
MAX_TOKENS: Final = 256

# Of six layers the third knows words and tone best; the last knows meaning and little else.
_INNER: Final = "encoder.layer.2.output.LayerNorm/out"

# A text beyond this cannot fill more than MAX_TOKENS; cutting it first keeps tokenising cheap.
_MAX_CHARACTERS: Final = 20_000


def checked(texts: Sequence[str]) -> list[str]:
    """Return ``texts`` as a list.

    Raises:
        BadInput: There is none, or something that is not text among them.
    """
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise BadInput("an embedder takes a list of texts")
    if not texts:
        raise BadInput("an embedder needs at least one text")
    return list(texts)


def _readable(text: str) -> str:
    """Return the beginning of ``text`` without lone surrogates, which no tokenizer takes."""
    return text[:_MAX_CHARACTERS].encode("utf-8", "replace").decode()


def _length_prefixed(number: int, content: bytes) -> bytes:
    """Return a field of a protocol buffer: its number, the length of its content, the content."""
    length = bytearray()
    rest = len(content)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    return bytes([number << 3 | 2, *length, rest]) + content


def _with_output(model: bytes, name: str) -> bytes:
    """Return an ONNX model that also gives out the value ``name`` from within its graph.

    Messages of a protocol buffer that stand one after the other are read as one, so what is to be
    added is appended: ``ModelProto.graph`` (7) with one more ``output`` (12) of name (1) and type
    (2), a tensor (1) of element type (1) float (1).
    """
    floats = _length_prefixed(1, bytes([1 << 3, 1]))
    value = _length_prefixed(1, name.encode()) + _length_prefixed(2, floats)
    return model + _length_prefixed(7, _length_prefixed(12, value))


def _unit_rows(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)


class MiniLmEmbedder:
    """The built-in all-MiniLM-L6-v2, 8 bits, on the CPU.

    A text's vector does not depend on the texts beside it: activations are quantised per run, so
    every text is a run of its own, and ``threads`` of them run at once. That is also faster than
    padded batches. The model is read on first use.

    Args:
        threads: How many texts are embedded at once.
        folder: Where ``model.onnx`` and ``vocab.txt`` lie.
    """

    name: str = f"{BUILT_IN}@{MODEL_SHA256[:12]}"
    dimensions: int = 384
    deep_dimensions: int = 768

    def __init__(self, threads: int = 2, folder: Path = MODEL_FOLDER) -> None:
        self._threads = max(1, threads)
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any] | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), 384)`` of unit rows.

        Raises:
            BadInput: No texts, or something that is not text.
            ModelUnavailable: The model file is missing or damaged.
        """
        return self._run(texts, deep=False)

    def embed_deep(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), 768)``; see ``retrieval.ports.DeepEmbedder``.

        It takes no longer than :meth:`embed`: the inner layer is computed on the way anyway.

        Raises:
            BadInput: No texts, or something that is not text.
            ModelUnavailable: The model file is missing or damaged.
        """
        return self._run(texts, deep=True)

    def _run(self, texts: Sequence[str], *, deep: bool) -> Vectors:
        wanted = checked(texts)
        session, tokenizer = self._load()
        encodings = tokenizer.encode_batch([_readable(text) for text in wanted])
        width = self.deep_dimensions if deep else self.dimensions
        outputs = ["sentence_embedding", _INNER] if deep else ["sentence_embedding"]
        out = np.empty((len(wanted), width), np.float32)

        def run(row: int) -> None:
            ids = np.array([encodings[row].ids], np.int64)
            feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
            found = session.run(outputs, feeds)
            out[row, : self.dimensions] = found[0][0]
            if deep:
                out[row, self.dimensions :] = found[1][0].mean(axis=0)

        if len(wanted) == 1:
            run(0)
        else:
            # Longest first, so that no thread is left alone with a long text at the end.
            order = sorted(range(len(wanted)), key=lambda row: -len(encodings[row].ids))
            with ThreadPoolExecutor(self._threads) as pool:
                list(pool.map(run, order))
        return out

    def _load(self) -> tuple[Any, Any]:
        with self._lock:
            if self._loaded is None:
                self._loaded = (self._open_session(), self._open_tokenizer())
            return self._loaded

    def _open_session(self) -> Any:
        import onnxruntime

        path = self._folder / "model.onnx"
        try:
            graph = path.read_bytes()
        except OSError:
            raise ModelUnavailable(f"the embedding model {path} cannot be read") from None
        if hashlib.sha256(graph).hexdigest() != MODEL_SHA256:
            raise ModelUnavailable(f"the embedding model {path} is damaged: fetch it again")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        return onnxruntime.InferenceSession(
            _with_output(graph, _INNER), options, providers=["CPUExecutionProvider"]
        )

    def _open_tokenizer(self) -> Any:
        from tokenizers import BertWordPieceTokenizer

        path = self._folder / "vocab.txt"
        if not path.is_file():
            raise ModelUnavailable(f"the vocabulary {path} of the embedding model is missing")
        tokenizer = BertWordPieceTokenizer(str(path), lowercase=True)
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer


class LangChainModel(Protocol):
    """What this module uses of LangChain's ``Embeddings``."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector per text."""
        ...


class LangChainEmbedder:
    """Any LangChain embeddings.

    Args:
        name: Name that marks its vectors, such as ``openai:text-embedding-3-small``.
        model: The LangChain object; without it, one is made from ``name`` on first use.
    """

    def __init__(self, name: str, model: LangChainModel | None = None) -> None:
        self.name = name
        self._model = model
        self._dimensions: int | None = None

    @property
    def dimensions(self) -> int:
        """Length of a vector; asks the model once."""
        if self._dimensions is None:
            self.embed(["length"])
        assert self._dimensions is not None
        return self._dimensions

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows.

        Raises:
            BadInput: No texts, or something that is not text.
            ModelUnavailable: The model does not answer, or not with one vector per text.
        """
        wanted = checked(texts)
        if self._model is None:
            self._model = _langchain_model(self.name)
        try:
            rows = self._model.embed_documents(wanted)
        except Exception as error:  # every provider raises its own
            raise ModelUnavailable(
                f"the embedding model {self.name} does not answer ({type(error).__name__})"
            ) from error
        vectors = np.array(rows, np.float32)
        if vectors.ndim != 2 or len(vectors) != len(wanted) or not np.isfinite(vectors).all():
            raise ModelUnavailable(f"the embedding model {self.name} gave no usable vectors")
        self._dimensions = int(vectors.shape[1])
        return _unit_rows(vectors)


def _langchain_model(name: str) -> LangChainModel:
    """Make LangChain embeddings from ``provider:model``.

    ``langchain`` itself is taken where it is installed; ``langchain_classic`` comes with
    langchain-community and has the same function. To replace both, return any object with
    ``embed_documents`` here.
    """
    package = "langchain" if find_spec("langchain") else "langchain_classic"
    init_embeddings = import_module(f"{package}.embeddings").init_embeddings
    try:
        model: LangChainModel = init_embeddings(name)
    except ImportError as error:
        raise ModelUnavailable(
            f"the embedding model {name} needs a package that is not installed: {error.name}"
        ) from error
    except ValueError as error:
        raise BadInput(
            f"embeddings {name!r} is unknown: use {BUILT_IN!r} or 'provider:model'"
        ) from error
    return model


class HashEmbedder:
    """A bag of hashed words: the strict, deterministic embedder for tests.

    Texts that share words are near each other; it knows nothing of meaning.

    Args:
        dimensions: Length of a vector.
    """

    def __init__(self, dimensions: int = 256) -> None:
        self.dimensions = dimensions
        self.name = f"hash-{dimensions}"
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows.

        Every text asked for is kept in ``embedded``, in order.

        Raises:
            BadInput: No texts, or something that is not text.
        """
        wanted = checked(texts)
        self.embedded.extend(wanted)
        out = np.zeros((len(wanted), self.dimensions), np.float32)
        for row, text in enumerate(wanted):
            for word in re.findall(r"\w+", text.casefold()) or [""]:
                digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8)
                number = int.from_bytes(digest.digest(), "big")
                out[row, number % self.dimensions] += 1 if number >> 63 else -1
            if not out[row].any():
                out[row, 0] = 1
        return _unit_rows(out)


def load_embedder(name: str = BUILT_IN, threads: int = 2) -> Embedder:
    """Return the embedder that the setting ``embeddings`` names. Nothing is read yet.

    Args:
        name: ``all-MiniLM-L6-v2`` or ``provider:model`` of any LangChain embeddings.
        threads: How many texts the built-in model embeds at once.

    Raises:
        BadInput: The name is neither.
    """
    if name == BUILT_IN:
        return MiniLmEmbedder(threads)
    provider, _, model = name.partition(":")
    if not provider or not model:
        raise BadInput(f"embeddings {name!r} is unknown: use {BUILT_IN!r} or 'provider:model'")
    return LangChainEmbedder(name)
