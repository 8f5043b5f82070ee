"""What the assistant does to a draft without a language model."""

from __future__ import annotations

import pytest

from graph.assistant import (
    about,
    asking,
    bonds,
    macro_sentences,
    named_edge,
    named_sentence,
    named_source,
    needs_model,
    numbered,
    shorten,
    toned,
    with_sentences,
    without,
)
from graph.check import EvidenceChecker
from graph.draft import abstention, cite
from graph.promises import forbidden_words
from graph.values import Draft
from kb.content import Passage
from retrieval.embeddings import HashEmbedder, load_embedder
from retrieval.ports import Embedder, Hit
from tests.factories import conversation, draft_from, passage

RULE = "You can return a lamp within 30 days."
EXCEPTION = "However, lamps on final sale cannot be returned."
LABEL = "A return label costs $6.95."
STORES = "Our stores are open on Sundays."
QUESTION = "How long can I return a lamp? What does a return label cost?"
WHO = conversation(QUESTION)


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder("all-MiniLM-L6-v2")


def told(*texts: str) -> tuple[Draft, Passage]:
    """Return a draft whose sentences stand in one passage, and the passage."""
    source = passage(" ".join(texts))
    sentences = []
    at = 0
    for text in texts:
        start = source.text.index(text, at)
        at = start + len(text)
        sentences.append({"text": text, "citations": [cite(source, start, at)]})
    return draft_from(sentences=sentences), source


def needs_of(draft: Draft, source: Passage) -> list[frozenset[int]]:
    return bonds(draft, {source.version_id: [source]}, WHO["customer"])


def texts_of(draft: Draft) -> list[str]:
    return [sentence["text"] for sentence in draft["sentences"]]


def test_shorter_leaves_out_what_is_least_to_the_point_and_the_courtesies(
    embedder: Embedder,
) -> None:
    draft, source = told(RULE, LABEL, STORES)
    draft["opening"] = "Hello Ada,\n\nThank you for your message."
    done = shorten(draft, QUESTION, embedder, needs_of(draft, source))
    assert texts_of(done.draft) == [RULE, LABEL]
    assert done.draft["opening"] == "Hello Ada,"
    assert done.draft["closing"] == ""
    assert done.said == "Left out 1 sentence less to the point and the courtesies."


def test_an_exception_is_not_torn_from_its_rule_to_be_shorter(embedder: Embedder) -> None:
    draft, source = told(RULE, EXCEPTION, STORES)
    done = shorten(draft, "How long can I return a lamp?", embedder, needs_of(draft, source), 1)
    assert texts_of(done.draft) == [RULE, EXCEPTION]
    assert "2 sentences are needed" in done.said


def test_half_a_list_is_not_told() -> None:
    draft = draft_from(
        sentences=[
            {"text": "To return it:", "citations": []},
            {"text": "- Pack it.", "citations": []},
            {"text": "- Send it.", "citations": []},
            {"text": STORES, "citations": []},
        ]
    )
    needs = bonds(draft, {}, WHO["customer"])
    assert texts_of(without(draft, 1, needs).draft) == [STORES]


def test_what_cannot_get_shorter_says_so_and_stays(embedder: Embedder) -> None:
    draft, source = told(RULE)
    bare: Draft = {**draft, "opening": "Hello Ada,", "closing": ""}
    done = shorten(bare, QUESTION, embedder, needs_of(bare, source))
    assert not done.changed
    assert done.draft == bare
    assert "PROOFDESK_MODEL" in done.said


def test_the_last_sentence_cannot_be_left_out() -> None:
    draft, source = told(RULE)
    assert not without(draft, 0, needs_of(draft, source)).changed


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("remove the second sentence", 1),
        ("drop the last sentence", 2),
        ("leave out the opening hours of the stores", 2),
        ("without the return label", 1),
        ("remove sentence 9", None),
    ],
)
def test_a_sentence_is_named_by_its_place_or_by_what_it_says(
    embedder: Embedder, text: str, at: int | None
) -> None:
    draft, _ = told(RULE, LABEL, STORES)
    assert named_sentence(draft, text, embedder) == at


def test_a_courtesy_is_named() -> None:
    assert named_edge("skip the greeting") == "opening"
    assert named_edge("no sign-off") == "closing"
    assert named_edge("remove the fee") is None


def test_what_the_sources_say_about_something_is_added_with_its_words(embedder: Embedder) -> None:
    draft, _ = told(RULE)
    label = passage(f"{LABEL} We take it off your refund.", id="ver_2#0", version_id="ver_2")
    hits = [Hit(1, 0.8, label, 0.7, 0.6)]
    sentences = about("return label cost", hits, {}, WHO, embedder)
    done = with_sentences(draft, sentences, WHO)
    assert texts_of(done.draft)[:2] == [RULE, LABEL]
    assert done.draft["sentences"][1]["citations"][0]["quote"] == LABEL
    again = with_sentences(done.draft, sentences, WHO)
    assert not again.changed


def test_about_what_no_source_speaks_of_nothing_is_made_up(embedder: Embedder) -> None:
    hits = [Hit(1, 0.2, passage(STORES), 0.1, 0.0)]
    assert about("the colour of the night sky over Bhutan", hits, {}, WHO, embedder) == []


def test_an_abstention_becomes_an_answer_when_something_is_put_in() -> None:
    nothing = abstention("extractive", "No source answers.")
    done = with_sentences(nothing, draft_from(passage(LABEL))["sentences"], WHO)
    assert done.draft["kind"] == "answer"
    assert done.draft["opening"].startswith("Hello Ada,")
    assert done.draft["note"] == ""


def test_a_missing_detail_is_asked_for_in_the_teams_words_and_passes_the_check() -> None:
    source = passage(RULE)
    ask = "Which order is it about, please?"
    done = asking(draft_from(source), [ask], WHO)
    assert texts_of(done.draft) == [RULE, ask]
    assert done.draft["kind"] == "answer"
    checker = EvidenceChecker(asks=[ask])
    assert checker.check(done.draft, {source.id: source}, {source.version_id})["passed"]
    assert asking(abstention("extractive", ""), [ask], WHO).draft["kind"] == "clarify"
    assert not asking(done.draft, [ask], WHO).changed


@pytest.mark.parametrize("channel", ["email", "chat", "voice"])
@pytest.mark.parametrize("tone", ["warm", "formal", "sorry"])
@pytest.mark.parametrize("name", ["Ada Lovelace", "", "42"])
def test_courtesies_of_every_tone_state_and_promise_nothing(
    channel: str, tone: str, name: str
) -> None:
    who = conversation(channel=channel)
    who["customer"]["name"] = name
    source = passage(RULE)
    done = toned(draft_from(source), tone, who)  # type: ignore[arg-type]
    report = EvidenceChecker().check(done.draft, {source.id: source}, {source.version_id})
    assert report["findings"] == []
    assert not forbidden_words(f"{done.draft['opening']} {done.draft['closing']}")
    assert texts_of(done.draft) == [RULE]


def test_a_macro_is_told_without_what_nobody_knows_of_this_customer() -> None:
    macro = passage(
        "Hi {{customer.name}},\n\nYour order {{order.number}} is late. Standard delivery takes 5 days.",
        kind="macro",
    )
    sentences, left_out = macro_sentences([macro], WHO)
    assert [one["text"] for one in sentences] == ["Standard delivery takes 5 days."]
    assert sentences[0]["citations"][0]["passage_id"] == macro.id
    assert left_out == 1


def test_a_source_is_named_by_its_number_its_title_or_as_the_other_one(
    embedder: Embedder,
) -> None:
    returns = passage(RULE, title="Return policy")
    warranty = passage(
        "The warranty lasts 2 years.", id="ver_2#0", article_id="help/warranty.md", title="Warranty"
    )
    draft = draft_from(returns)
    hits = [Hit(1, 0.9, returns, 0.8, 0.7), Hit(2, 0.5, warranty, 0.4, 0.3)]
    assert named_source("use source 1", draft, hits, embedder) == returns.article_id
    assert named_source("use the second source", draft, hits, embedder) == warranty.article_id
    assert named_source("base it on the warranty article", draft, hits, embedder) == (
        warranty.article_id
    )
    assert named_source("wrong source, use the other one", draft, hits, embedder) == (
        warranty.article_id
    )
    assert named_source("use source 7", draft, hits, embedder) is None


def test_citations_are_numbered_once_each_in_order() -> None:
    first, second = passage(RULE), passage(LABEL, id="ver_1#1")
    draft = draft_from(first, second, first)
    assert [citation["passage_id"] for citation in numbered(draft)] == [first.id, second.id]


def test_what_needs_a_language_model_says_what_to_set() -> None:
    assert "PROOFDESK_MODEL" in needs_model("language")
    assert "PROOFDESK_MODEL" in needs_model("reword")
    assert needs_model("shorten") == ""


def test_nothing_here_depends_on_the_embedder_being_a_good_one() -> None:
    draft, source = told(RULE, LABEL, STORES)
    done = shorten(draft, QUESTION, HashEmbedder(), needs_of(draft, source), 1)
    assert 1 <= len(done.draft["sentences"]) <= 3
    assert set(texts_of(done.draft)) <= {RULE, LABEL, STORES}
