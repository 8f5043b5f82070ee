r"""The vectors of the shipped examples, so that a new desk need not compute them for a minute.

``python -m graph.shipped_examples`` makes ``graph/examples/`` again after ``kb/sample/tiers.yaml``
or the sample's reasons changed. A text that is not in it is embedded when it is needed, so it is
never wrong, only slow: vectors are found by the digest of the text and the name of the model, and
what was learned by the digest of all it was learned from.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

import kb
from core.identifiers import text_digest
from retrieval.ports import Vectors

FOLDER: Final = Path(__file__).parent / "examples"
_VECTORS: Final = "vectors.npz"


class ShippedExamples:
    """Reads ``graph/examples/``; what is missing there is simply not at hand.

    Args:
        folder: Where the files lie.
    """

    def __init__(self, folder: Path = FOLDER) -> None:
        self._folder = folder

    def vectors(self, texts: Sequence[str], model: str) -> dict[str, Vectors]:
        """Return those of ``texts`` whose deep vectors by ``model`` are at hand."""
        if self._stored is None or self._stored[0] != model:
            return {}
        _, row, numbers, scales = self._stored
        wanted = {text: row[key] for text in texts if (key := _key(text)) in row}
        rows = list(wanted.values())
        found = _widened(numbers[rows], scales[rows])
        return dict(zip(wanted, found, strict=True))

    def made(self, name: str) -> Vectors | None:
        """Return the array that was made under ``name``, or None."""
        try:
            found: Vectors = np.load(self._folder / name, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return found

    @cached_property
    def _stored(self) -> tuple[str, dict[bytes, int], Vectors, Vectors] | None:
        try:
            with np.load(self._folder / _VECTORS, allow_pickle=False) as file:
                keys = [bytes(key) for key in file["keys"]]
                row = {key: at for at, key in enumerate(keys)}
                return str(file["model"]), row, file["numbers"], file["scales"]
        except (OSError, ValueError, EOFError, KeyError):
            return None


def store(folder: Path, texts: Sequence[str], vectors: Vectors, model: str) -> None:
    """Write the vectors of ``texts``, in 8 bits with one scale for each half of a row.

    Args:
        vectors: ``(len(texts), even)``.
    """
    halves = vectors.reshape(len(texts), 2, -1)
    scales = np.abs(halves).max(axis=2).astype(np.float32) / 127
    numbers = np.rint(halves / np.maximum(scales, 1e-9)[:, :, None]).astype(np.int8)
    folder.mkdir(parents=True, exist_ok=True)
    keys = np.array([list(_key(text)) for text in texts], np.uint8)
    np.savez(folder / _VECTORS, model=np.str_(model), keys=keys, numbers=numbers, scales=scales)


def _key(text: str) -> bytes:
    return bytes.fromhex(text_digest(text)[:24])


def _widened(numbers: Vectors, scales: Vectors) -> Vectors:
    wide = numbers.astype(np.float32) * scales[:, :, None]
    return np.asarray(wide.reshape(len(wide), -1), dtype=np.float32)


def build(folder: Path = FOLDER) -> int:
    """Make the folder anew; return the number of texts."""
    from graph.reasons import ReasonMap
    from graph.tiers import TierRules
    from graph.triage import TriageService
    from retrieval.embeddings import MiniLmEmbedder

    sample = Path(kb.__file__).parent / "sample"
    rules, reasons = TierRules.load(None), ReasonMap.load(sample / "reasons.yaml")
    embedder = MiniLmEmbedder()
    texts = TriageService(rules, reasons, embedder).examples.texts()
    known = ShippedExamples(folder).vectors(texts, embedder.name)
    if fresh := [text for text in texts if text not in known]:
        known |= dict(zip(fresh, embedder.embed_deep(fresh), strict=True))
    store(folder, texts, np.stack([known[text] for text in texts]), embedder.name)
    # What is learned below is learned from the vectors as they will be read, in 8 bits.
    for old in folder.glob("rules-*.npy"):
        old.unlink()
    with tempfile.TemporaryDirectory() as cache:
        shipped = ShippedExamples(folder)
        TriageService(
            rules, reasons, embedder, cache=Path(cache), shipped=shipped
        ).examples.prepare()
        for file in Path(cache).glob("rules-*.npy"):
            (folder / file.name).write_bytes(file.read_bytes())
    return len(texts)


if __name__ == "__main__":
    print(f"{build()} texts")
    sys.exit(0)
