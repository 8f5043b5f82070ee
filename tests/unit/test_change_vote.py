from __future__ import annotations

import pytest

from graph.change_vote import ModelVote
from graph.fakes import ScriptedChatModel
from kb.changes import Change

OLD = "Write to us to cancel."
NEW = "Call us to cancel."
SAME = Change("same", 0.2)
CHANGED = Change("changed", 0.9)


class Says:
    def __init__(self, answer: Change) -> None:
        self._answer = answer

    def judge(self, old: str, new: str) -> Change:
        return self._answer


def vote(reply: object, answer: Change = SAME, new: str = NEW) -> Change:
    model = ScriptedChatModel(replies=[reply])
    return ModelVote(Says(answer), model).judge(OLD, new)


def test_a_difference_that_only_the_model_sees_stops_and_shows_its_words() -> None:
    change = vote({"different": True, "words": "Call us"})
    assert change.stops
    assert [fact.new for fact in change.facts] == ["Call us"]


def test_words_that_the_passage_does_not_hold_are_not_shown() -> None:
    change = vote({"different": True, "words": "Fax us"})
    assert change.stops
    assert change.facts == ()


@pytest.mark.parametrize(
    "reply",
    [
        {"different": False, "words": ""},
        {"different": "yes", "words": "Call us"},
        "I think they differ.",
        [],
        TimeoutError("too slow"),
    ],
)
def test_anything_but_a_clear_vote_leaves_the_judgement(reply: object) -> None:
    assert vote(reply) == SAME


def test_a_model_cannot_take_a_stop_back_and_is_not_even_asked() -> None:
    model = ScriptedChatModel(replies=[])
    assert ModelVote(Says(CHANGED), model).judge(OLD, NEW) == CHANGED


def test_the_same_words_are_not_put_to_a_model() -> None:
    model = ScriptedChatModel(replies=[])
    assert ModelVote(Says(SAME), model).judge(OLD, f"{OLD}\n") == SAME
