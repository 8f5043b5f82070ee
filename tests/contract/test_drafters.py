"""What every drafter owes its callers, whether it writes by itself or asks a model."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from graph.draft import draft_digest, draft_text
from graph.extractive import ExtractiveDrafter
from graph.fakes import ScriptedChatModel
from graph.model_draft import ModelDrafter
from graph.ports import Drafter
from graph.values import Draft
from kb.content import Passage
from retrieval.embeddings import HashEmbedder
from retrieval.ports import Hit
from tests.factories import conversation, passage

QUESTION = "How long does a refund take?"
BODY = "How long does a refund take? A refund takes 5 days. However, a gift card is never refunded."
SOURCES: list[Passage] = [
    passage(BODY, id="ver_1#0", start=40, end=40 + len(BODY)),
    passage("Take the parcel to a shop.", id="ver_2#0", version_id="ver_2", article_id="help/r.md"),
]
HITS = [Hit(rank, 0.9, source, 0.8, 3.0) for rank, source in enumerate(SOURCES, start=1)]


def extractive() -> Drafter:
    return ExtractiveDrafter(HashEmbedder(), threshold=0.0)


def model() -> Drafter:
    reply = {"answered": True, "sentences": [{"text": "It takes 5 days.", "passages": [1, 2]}]}
    return ModelDrafter("test:x", None, 5, extractive(), ScriptedChatModel(replies=[reply] * 2))


def failing_model() -> Drafter:
    replies = [ConnectionRefusedError("down")] * 2
    return ModelDrafter("test:x", None, 5, extractive(), ScriptedChatModel(replies=replies))


@pytest.fixture(params=[extractive, model, failing_model])
def drafter(request: pytest.FixtureRequest) -> Drafter:
    made: Drafter = request.param()
    return made


def write(drafter: Drafter, hits: Sequence[Hit] = HITS) -> Draft:
    return drafter.draft(conversation(QUESTION), QUESTION, hits)


def test_it_answers_from_the_sources(drafter: Drafter) -> None:
    draft = write(drafter)
    assert draft["kind"] == "answer"
    assert "5 days" in draft_text(draft)


def test_every_sentence_cites_exact_words_of_a_hit(drafter: Drafter) -> None:
    by_id = {source.id: source for source in SOURCES}
    for sentence in write(drafter)["sentences"]:
        assert sentence["citations"]
        for citation in sentence["citations"]:
            source = by_id[citation["passage_id"]]
            first, last = citation["start"] - source.start, citation["end"] - source.start
            assert source.text[first:last] == citation["quote"] != ""
            assert citation["content_hash"] == source.content_hash
            assert citation["version_id"] == source.version_id


def test_without_hits_it_abstains_and_says_why(drafter: Drafter) -> None:
    draft = write(drafter, [])
    assert draft["kind"] == "abstain"
    assert draft["sentences"] == []
    assert draft["note"]
    assert draft_text(draft) == ""


def test_a_draft_is_plain_json_and_has_a_digest(drafter: Drafter) -> None:
    draft = write(drafter)
    assert json.loads(json.dumps(draft)) == draft
    assert draft_digest(draft) == draft_digest(json.loads(json.dumps(draft)))


def test_it_names_the_drafter(drafter: Drafter) -> None:
    assert drafter.name == "extractive" or drafter.name.startswith("model:")
    assert write(drafter)["drafter"] in (drafter.name, "extractive")


def test_text_is_passed_on_for_those_who_watch(drafter: Drafter) -> None:
    pieces: list[str] = []
    drafter.draft(conversation(QUESTION), QUESTION, HITS, "", pieces.append)
    assert "5 days" in "".join(pieces)
