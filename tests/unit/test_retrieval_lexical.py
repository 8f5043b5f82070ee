"""Search by words: what counts as a word, and what a score means."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.lexical import TantivyIndex
from retrieval.words import LONGEST_QUESTION, question_words, words
from tests.unit.test_retrieval_ranking import passage

PLAINS = {
    "refund": "Refunds are paid within 14 days.",
    "cancel": "You can cancel your plan at any time in settings.",
    "certificate": "Certificates are valid for 90 days.",
    "chat": "Chat is open on Saturdays.",
}


@pytest.fixture
def index() -> TantivyIndex:
    made = TantivyIndex()
    made.replace(
        (), [passage(text, id=key, title="", heading_path=()) for key, text in PLAINS.items()]
    )
    return made


def best(index: TantivyIndex, question: str, count: int = 10) -> list[str]:
    return [key for key, _ in index.best(question, count)]


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("When is my refund paid?", "refund"),
        ("CANCELLING the plans", "cancel"),
        ("certificaté", "certificate"),
        ("saturday", "chat"),
    ],
)
def test_words_match_in_any_form(index: TantivyIndex, question: str, key: str) -> None:
    assert best(index, question)[0] == key


def test_titles_and_headings_are_searched() -> None:
    index = TantivyIndex()
    index.replace((), [passage("Within 30 days.", title="Backups", heading_path=("Retention",))])
    assert best(index, "backups") == best(index, "retention") == ["ver_1#0"]


def test_a_word_that_no_passage_has_finds_nothing(index: TantivyIndex) -> None:
    assert best(index, "zebra") == []


def test_scores_are_shares_of_the_question(index: TantivyIndex) -> None:
    (_, full), *_ = index.best("certificates valid 90 days", 1)
    (_, half), *_ = index.best("certificates valid zebra giraffe", 1)
    assert 0 < half < full <= 1


def test_a_subject_counts_more_than_small_words(index: TantivyIndex) -> None:
    assert best(index, "any saturday")[0] == "chat"


def test_removed_passages_are_not_found(index: TantivyIndex) -> None:
    index.replace(["refund", "never there"], [])
    assert "refund" not in best(index, "refund days")


def test_a_passage_put_in_again_is_found_once(index: TantivyIndex) -> None:
    index.replace((), [passage("Chat is closed on Sundays.", id="chat")])
    assert best(index, "chat") == ["chat"]
    assert best(index, "saturdays") == []


@pytest.mark.parametrize("count", [0, -3])
def test_asking_for_none_gives_none(index: TantivyIndex, count: int) -> None:
    assert index.best("refund", count) == []


def test_a_long_message_keeps_its_subject_words() -> None:
    filler = " ".join(f"word{number}" for number in range(1000))
    asked = question_words(f"refund the a of {filler}")
    assert len(asked) == LONGEST_QUESTION
    assert asked["refund"] > 0.9


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_words_and_any_text_can_be_asked(text: str) -> None:
    index = TantivyIndex()
    index.replace((), [passage(text or "empty", title="", heading_path=())])
    found = index.best(text, 5)
    assert (len(found) == 1) == bool(words(text))
