"""Short answers, taken apart."""

from __future__ import annotations

import pytest

from graph.answers import alternatives, is_short_answer, read_answer


@pytest.mark.parametrize(
    ("text", "stance", "said"),
    [
        ("Yes, at any time", 1, "at any time"),
        ("No", -1, ""),
        ("No, only with your consent", -1, "only with your consent"),
        ("Not yet", -1, "Not yet"),
        ("Up to 30 days", 0, "Up to 30 days"),
        ("No later than Friday", 0, "No later than Friday"),
        ("A valid email address, not a number", 0, "A valid email address, not a number"),
    ],
)
def test_an_answer_agrees_or_denies_and_says_something(text: str, stance: int, said: str) -> None:
    answer = read_answer(text)
    assert (answer.stance, answer.said, answer.silent) == (stance, said, False)


@pytest.mark.parametrize(
    "text", ["Not stated", "No longer mentioned", "None given in the passage", "It doesn't say",
             "No, only the first form is listed"],
)  # fmt: skip
def test_an_answer_may_say_that_the_source_is_silent(text: str) -> None:
    assert read_answer(text).only_silent


def test_what_is_claimed_beside_silence_is_kept() -> None:
    answer = read_answer("Not stated; only uploads are encrypted")
    assert answer.silent
    assert not answer.only_silent
    assert answer.said == "only uploads are encrypted"


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("Can I get a refund?", "you can get a refund.", "you can not get a refund."),
        ("Do you sell my data?", "we sell your data.", "we do not sell your data."),
        (
            "If I leave, can I come back?",
            "If you leave, you can come back.",
            "If you leave, you can not come back.",
        ),
        (
            "Is the old challenge still available?",
            "the old challenge is still available.",
            "the old challenge is not still available.",
        ),
    ],
)
def test_a_question_of_yes_or_no_chooses_between_two_statements(
    question: str, yes: str, no: str
) -> None:
    assert alternatives(question) == (yes, no)


@pytest.mark.parametrize("question", ["How long do I have?", "", "?", "Which plan"])
def test_other_questions_do_not(question: str) -> None:
    assert alternatives(question) is None


def test_a_long_reply_is_no_short_answer() -> None:
    assert is_short_answer("Within 30 days")
    assert not is_short_answer("word " * 40)
    assert not is_short_answer(" … ")
