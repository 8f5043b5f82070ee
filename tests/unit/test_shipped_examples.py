"""The vectors that come with the product."""

import numpy as np

from graph.reasons import ReasonMap
from graph.shipped_examples import ShippedExamples, store
from graph.tiers import TierRules, shipped_rules
from graph.triage import TriageService
from retrieval.embeddings import MiniLmEmbedder

TEXTS = ["one", "two"]
VECTORS = np.array([[0.6, 0.8, 30.0, -3.0], [1.0, 0.0, 0.5, 0.25]], np.float32)


def test_what_was_stored_is_found_by_text_and_nearly_as_it_was(tmp_path):
    store(tmp_path, TEXTS, VECTORS, "model@1")
    found = ShippedExamples(tmp_path).vectors(["two", "three", "one"], "model@1")
    assert set(found) == {"one", "two"}
    np.testing.assert_allclose(found["one"], VECTORS[0], atol=0.15)
    np.testing.assert_allclose(found["two"], VECTORS[1], atol=0.01)


def test_another_model_finds_nothing(tmp_path):
    store(tmp_path, TEXTS, VECTORS, "model@1")
    assert ShippedExamples(tmp_path).vectors(TEXTS, "model@2") == {}


def test_a_damaged_or_missing_file_is_as_if_nothing_were_shipped(tmp_path):
    assert ShippedExamples(tmp_path).vectors(TEXTS, "model@1") == {}
    (tmp_path / "vectors.npz").write_bytes(b"PK")
    (tmp_path / "rules-1.npy").write_bytes(b"")
    shipped = ShippedExamples(tmp_path)
    assert shipped.vectors(TEXTS, "model@1") == {}
    assert shipped.made("rules-1.npy") is None


def test_every_shipped_example_has_its_vector():
    """If this fails, run `python -m graph.shipped_examples` and commit what it writes."""
    rules, model = TierRules.load(None), MiniLmEmbedder()
    reasons = ReasonMap.load(shipped_rules().parent / "reasons.yaml")
    texts = TriageService(rules, reasons, model).examples.texts()
    found = ShippedExamples().vectors(texts, model.name)
    assert [text for text in texts if text not in found][:3] == []
