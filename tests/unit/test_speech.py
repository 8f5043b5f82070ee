"""What people say is read as they would have written it."""

import pytest

from graph.asking import parts_in_context, parts_of
from graph.classify import question_of
from graph.finding import find
from graph.speech import is_speech, written_out
from retrieval.ports import Hit
from tests.factories import conversation, passage


@pytest.mark.parametrize(
    ("said", "written"),
    [
        (
            "hi um i have a lamp here and uh how long does the the bulb last and is it bright",
            "i have a lamp here. how long does the bulb last? is it bright?",
        ),
        (
            "my son set it all up so i just wanted to ask if i can move it to my own name thanks",
            "my son set it all up. if i can move it to my own name?",
        ),
        (
            "i need the, no wait, sorry, i need the form. Which form do I fill in?",
            "i need the form. Which form do I fill in?",
        ),
        (
            "once i have paid my bill when does the heating come back because its cold",
            "once i have paid my bill when does the heating come back? because its cold.",
        ),
        (
            "could you tell me where i find the invoice",
            "could you tell me where i find the invoice?",
        ),
        ("can you hear me okay it is about the roof", "it is about the roof."),
        ("the roof leaks. Can you hear me? Thanks.", "the roof leaks."),
        ("it is four four one two oh nine and the name is s m i t h", "it is and the name is."),
        ("hi are pets let in", "are pets let in?"),
        (
            "i have a note here and by which day do i have to pay the rest",
            "i have a note here. by which day do i have to pay the rest?",
        ),
        (
            "do you charge me more because i moved house",
            "do you charge me more because i moved house?",
        ),
        ("the roof leaks since sunday", "the roof leaks since sunday."),
    ],
)
def test_speech_is_written_out_with_its_questions_told_from_its_story(said, written):
    assert written_out(said) == written


@pytest.mark.parametrize(
    "story",
    [
        "somebody told me what she did when it broke",
        "the man who is my neighbour has the key",
        "that is all i know and it is not much",
    ],
)
def test_a_story_with_the_words_of_questions_asks_nothing(story):
    assert "?" not in written_out(story)


@pytest.mark.parametrize("text", ["", "...", "um uh", "um, uh."])
def test_what_has_no_words_comes_back(text):
    assert written_out(text) == text


@pytest.mark.parametrize(
    "part", ["how ", "um ", "is it ", "and ", "five ", "a b ", "i mean ", "if i "]
)
def test_a_long_hostile_transcript_is_read_in_no_time(part):
    assert written_out(part * (30_000 // len(part))) is not None


def test_calls_and_unpunctuated_messages_are_speech_and_letters_are_not():
    assert is_speech("Where is it?", "voice")
    assert is_speech("so " * 30, "chat")
    assert not is_speech("Hello, where is my parcel? " + "It is late. " * 10, "chat")
    assert not is_speech("where is my parcel", "chat")


def test_a_call_is_asked_by_its_questions_and_not_by_the_number_read_out_after_them():
    said = (
        ("customer", "hi my sister says the the fee went up um how much is the fee for one year"),
        ("agent", "Could I have your customer number?"),
        ("customer", "yes its four four one two oh nine"),
    )
    turns = [
        {"id": f"m{at}", "speaker": speaker, "text": text, "at": ""}
        for at, (speaker, text) in enumerate(said)
    ]
    call = conversation(turns=turns, channel="voice")
    assert question_of(call) == (
        "my sister says the fee went up. how much is the fee for one year? yes its"
    )


def test_what_points_back_is_told_with_what_it_points_to():
    parts = parts_in_context("I have a gift card. Can I pay the rent with it? Does it expire?")
    assert parts == [
        ("Can I pay the rent with it?", "I have a gift card. Can I pay the rent with it?"),
        ("Does it expire?", "I have a gift card. Does it expire?"),
    ]


class Known:
    """Finds what it was told for a question."""

    def __init__(self, **found: list[str]) -> None:
        self.found = found

    def search(self, question: str, count: int = 10) -> list[Hit]:
        for word, ids in self.found.items():
            if word in question:
                return [
                    Hit(rank, 0.5, passage(id=key), 0.5, 0.5) for rank, key in enumerate(ids, 1)
                ][:count]
        return []


def test_every_question_of_a_message_is_searched_for():
    search = Known(parking=["p1", "p2", "p3"], towels=["t1", "p1"])
    question = "How much is parking by the sea? Do you give out towels?"
    assert len(parts_of(question)) == 2
    hits = find(search, question, 3)
    assert [(hit.rank, hit.passage.id) for hit in hits] == [(1, "p1"), (2, "t1"), (3, "p2")]


def test_a_single_question_is_searched_for_as_it_is():
    search = Known(parking=["p1", "p2"])
    question = "We come in May. How much is parking?"
    assert [hit.passage.id for hit in find(search, question, 5)] == ["p1", "p2"]
