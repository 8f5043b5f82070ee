"""What a customer still waits to be told, however it is put."""

import pytest

from graph.asking import answer_types, names_in, parts_of


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        ("How long does it take?", ["How long does it take?"]),
        (
            "How long does delivery take and what does express delivery cost?",
            ["How long does delivery take", "what does express delivery cost?"],
        ),
        ("I moved house. Please tell me the new fee", ["Please tell me the new fee"]),
        ("It broke.\nI would like to know the price", ["I would like to know the price"]),
        ("Nothing is asked here", ["Nothing is asked here"]),
    ],
)
def test_a_question_is_taken_apart_into_what_it_asks(question, parts):
    assert parts_of(question) == parts


@pytest.mark.parametrize("part", ["1 ", "\n", " ", "and ", ", ", "no. ", "to a", "A.", "a", "A&"])
def test_a_long_hostile_question_is_read_in_no_time(part):
    question = f"How long {part * (50_000 // len(part))} b"
    assert parts_of(question)
    assert "duration" in answer_types(question)
    assert isinstance(names_in(question), list)
