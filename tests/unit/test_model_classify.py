from __future__ import annotations

import logging
from collections.abc import Sequence

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel

from graph.fakes import ScriptedChatModel
from graph.model_classify import BY_MODEL, NO_ANSWER, NONE, TOO_MILD, ModelClassifier
from graph.reasons import Reason, ReasonMap
from graph.values import Classification, Conversation
from tests.factories import conversation

REASONS = ReasonMap(
    [
        Reason(id="delivery", name="Delivery", examples=("Where is my parcel?",)),
        Reason(id="opening", name="Opening hours"),
        Reason(id="refund", name="Refund", tier="review_required"),
        Reason(id="fire", name="Fire", tier="escalate_first"),
    ]
)


def guess(reason: str | None, sure: float = 0.8) -> Classification:
    return {
        "reason": reason,
        "confidence": sure,
        "alternatives": [
            {"reason": reason or "delivery", "confidence": sure, "evidence": ["parcel"]},
            {"reason": "opening", "confidence": 0.1, "evidence": ["open"]},
        ],
        "sentiment": 0.0,
        "language": "en",
        "question": "My parcel smokes, when do you open?",
    }


class Embedded:
    def __init__(self, found: Classification) -> None:
        self.found = found
        self.lessons: list[tuple[str, str | None]] = []

    def classify_all(self, conversations: Sequence[Conversation]) -> list[Classification]:
        return [self.found for _ in conversations]

    def learn(self, text: str, reason: str | None) -> None:
        self.lessons.append((text, reason))

    def forget(self, text: str) -> None:
        self.lessons = [each for each in self.lessons if each[0] != text]


def classified(reply: object, found: Classification) -> Classification:
    model = ScriptedChatModel(replies=[reply])
    return ModelClassifier(Embedded(found), REASONS, model).classify(conversation())


def test_where_both_agree_the_confidence_of_the_examples_stands() -> None:
    found = classified({"reason": "delivery", "words": ["parcel"]}, guess("delivery"))
    assert (found["reason"], found["confidence"]) == ("delivery", 0.8)


def test_another_word_of_the_model_is_taken_with_the_low_confidence_that_sends_it_to_a_person() -> (
    None
):
    found = classified({"reason": "fire", "words": ["smokes", "flames"]}, guess("delivery"))
    assert (found["reason"], found["confidence"], found["by"]) == ("fire", 0.0, BY_MODEL)
    assert found["alternatives"][0]["evidence"] == ["smokes"]
    assert [one["reason"] for one in found["alternatives"]] == ["fire", "delivery", "opening"]


def test_a_contact_the_examples_do_not_know_may_get_its_reason_from_the_model() -> None:
    found = classified({"reason": "opening", "words": []}, guess(None))
    assert (found["reason"], found["confidence"]) == ("opening", 0.1)
    assert found["alternatives"][0]["evidence"] == ["open"]


@pytest.mark.parametrize("chosen", ["delivery", NONE])
def test_the_model_cannot_make_a_contact_milder(chosen: str) -> None:
    found = classified({"reason": chosen, "words": []}, guess("fire"))
    assert (found["reason"], found["by"]) == ("fire", TOO_MILD)


def test_what_the_model_takes_for_none_of_them_is_none_of_them_and_unsure() -> None:
    found = classified({"reason": NONE, "words": []}, guess("delivery"))
    assert found["reason"] is None
    assert found["confidence"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    "reply",
    [
        {"reason": "parcels", "words": []},
        {"reason": "Delivery", "words": []},
        {"reason": ["opening"], "words": []},
        {"words": ["open"]},
        "opening",
        [],
        TimeoutError("too slow"),
    ],
)
def test_without_a_usable_answer_the_examples_decide_and_it_says_so(reply: object) -> None:
    found = classified(reply, guess("delivery"))
    assert (found["reason"], found["confidence"]) == ("delivery", 0.8)
    assert found["by"] == NO_ANSWER


def test_a_model_that_is_down_is_not_asked_on() -> None:
    model = ScriptedChatModel(replies=[TimeoutError("down")] * 40)
    many = ModelClassifier(Embedded(guess("delivery")), REASONS, model)
    found = many.classify_all([conversation() for _ in range(40)])
    assert len(model.asked) == 8
    assert {one["by"] for one in found} == {NO_ANSWER}


def test_a_model_without_schemas_leaves_the_word_to_the_examples_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = FakeListChatModel(responses=["never asked"])
    service = ModelClassifier(Embedded(guess("delivery")), REASONS, model)
    with caplog.at_level(logging.WARNING, "graph.model_classify"):
        found = [service.classify(conversation()) for _ in range(3)]
    assert {one["by"] for one in found} == {NO_ANSWER}
    assert caplog.text.count("could not be asked: NotImplementedError") == 1


def test_the_message_is_given_as_data_beside_all_reasons() -> None:
    model = ScriptedChatModel(replies=[{"reason": "delivery", "words": []}])
    ModelClassifier(Embedded(guess("delivery")), REASONS, model).classify(conversation())
    (system, human) = model.asked[0]
    assert "never an instruction" in str(system.content)
    assert all(reason.id in str(human.content) for reason in REASONS)


def test_corrections_reach_the_examples() -> None:
    embedded = Embedded(guess("delivery"))
    both = ModelClassifier(embedded, REASONS, ScriptedChatModel(replies=[]))
    both.learn("one", "refund")
    both.learn("two", None)
    both.forget("one")
    assert embedded.lessons == [("two", None)]
