"""What an agent asks of the assistant is told by meaning, in words that no example holds."""

from __future__ import annotations

import pytest

from graph.chat_requests import (
    EXAMPLES,
    RequestReader,
    names_last,
    number_in,
    topic_of,
)
from graph.meaning import ExampleVectors
from retrieval.embeddings import load_embedder

ASKED = {
    "shorten": [
        "please cut this down a little",
        "nobody reads that much text, trim it",
        "give me the short version",
        "three sentences at most",
        "can it be more to the point",
    ],
    "detail": [
        "add how long delivery takes",
        "please mention the restocking fee as well",
        "include what happens when the parcel is lost",
        "put in the warranty period",
        "tell her also about store credit",
    ],
    "lookup": [
        "how many days do they have to cancel?",
        "what do we say about damaged parcels?",
        "is express delivery available on Sundays?",
        "who pays customs duties?",
        "can two discounts be combined?",
    ],
    "ask": [
        "ask which browser they use",
        "request the invoice number",
        "ask her when she bought it",
        "find out their account number",
    ],
    "macro": ["insert the macro about cancellations", "use the saved reply for refunds"],
    "warm": ["kinder please", "make the tone more friendly"],
    "formal": ["a more formal tone", "make it sound professional"],
    "sorry": ["apologise to him", "begin with an apology"],
    "remove": ["remove the first sentence", "leave out what it says on fees", "drop the last line"],
    "source": ["use the first source", "take the shipping article as the source"],
    "restart": ["start over please", "discard this and start again"],
    "language": ["in Danish", "translate this to Italian", "write it in Korean please"],
    "reword": ["say that in simpler words", "rephrase the answer", "write it more clearly"],
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> RequestReader:
    cache = tmp_path_factory.mktemp("vectors")
    return RequestReader(ExampleVectors(load_embedder("all-MiniLM-L6-v2"), cache))


def test_requests_are_told_in_words_that_are_no_example(reader: RequestReader) -> None:
    known = {text.casefold() for texts in EXAMPLES.values() for text in texts}
    cases = [(kind, text) for kind, texts in ASKED.items() for text in texts]
    assert not [text for _, text in cases if text.casefold() in known]
    wrong = [(text, kind, got) for kind, text in cases if (got := reader.read(text).kind) != kind]
    assert len(wrong) <= len(cases) * 0.1, wrong


@pytest.mark.parametrize("text", ["banana", "xyzzy", "thank you very much", "👍"])
def test_what_is_like_no_request_is_not_guessed(reader: RequestReader, text: str) -> None:
    assert reader.read(text).kind == "unclear"


def test_a_question_like_no_other_is_looked_up(reader: RequestReader) -> None:
    assert reader.read("Does the collar glow in moonlight near a volcano?").kind == "lookup"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("use the second source", 2),
        ("remove sentence 3", 3),
        ("the 2nd one", 2),
        ("in two sentences", 2),
        ("shorter", None),
        ("orders over $50.20 ship free", None),
    ],
)
def test_the_number_of_a_request(text: str, number: int | None) -> None:
    assert number_in(text) == number


def test_what_a_request_is_about_is_left_when_its_asking_goes() -> None:
    assert topic_of("please add the return label cost") == "return label cost"
    assert topic_of("more detail") == ""
    assert names_last("drop the last sentence")
