"""How a classifier keeps up with what people say, on fakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pytest

from desk.corrections import Corrections, Taught, TaughtClassifier, as_said, is_milder, with_reason
from graph.reasons import Reason, ReasonMap
from graph.values import Classification, Conversation, TriggerFiring
from tests.factories import conversation

REASONS = ReasonMap(
    [
        Reason(id="delivery", name="Delivery"),
        Reason(id="refund", name="Refund", tier="review_required"),
        Reason(id="fire", name="Fire", tier="escalate_first"),
    ]
)
GUESS: Classification = {
    "reason": "delivery",
    "confidence": 0.6,
    "alternatives": [
        {"reason": "delivery", "confidence": 0.6, "evidence": ["parcel"]},
        {"reason": "refund", "confidence": 0.3, "evidence": ["money"]},
    ],
    "sentiment": 0.0,
    "language": "en",
    "question": "Where is it?",
}


class Learner:
    """Remembers what it was taught."""

    def __init__(self) -> None:
        self.lessons: list[tuple[str, str | None]] = []
        self.forgotten: list[str] = []

    def forget(self, text: str) -> None:
        self.forgotten.append(text)

    def learn(self, text: str, reason: str | None) -> None:
        self.lessons.append((text, reason))

    def classify(self, conversation: Conversation) -> Classification:
        return GUESS

    def classify_all(self, conversations: Sequence[Conversation]) -> list[Classification]:
        return [GUESS for _ in conversations]


class Said:
    """Stands for the corrections of a desk."""

    def __init__(self) -> None:
        self.counts = (0, 0)
        self.now = Taught({}, ())
        self.read = 0

    def say(self, *pairs: tuple[str, str | None], undone: int = 0, **contacts: str | None) -> None:
        self.counts = (self.counts[0] + 1, self.counts[1] + undone)
        self.now = Taught(contacts, pairs)

    def state(self) -> tuple[int, int]:
        return self.counts

    def taught(self) -> Taught:
        self.read += 1
        return self.now


class Bench:
    """A taught classifier with all that it made."""

    def __init__(self) -> None:
        self.made: list[Learner] = []
        self.said = Said()
        self.classifier = TaughtClassifier(self._fresh, cast(Corrections, self.said), REASONS)

    def _fresh(self) -> Learner:
        self.made.append(Learner())
        return self.made[-1]

    def reason(self, contact_id: str = "con_9") -> str | None:
        return self.classifier.classify(conversation(contact_id=contact_id))["reason"]


def test_only_what_is_new_is_learned_and_nothing_is_read_where_nothing_changed() -> None:
    bench = Bench()
    bench.said.say(("one", "refund"))
    bench.reason()
    bench.reason()
    bench.said.say(("one", "refund"), ("two", None))
    bench.reason()
    (learner,) = bench.made
    assert learner.lessons == [("one", "refund"), ("two", None)]
    assert bench.said.read == 2


def test_another_word_on_the_same_question_is_learned_over_the_first() -> None:
    bench = Bench()
    bench.said.say(("one", "refund"))
    bench.reason()
    bench.said.say(("one", "delivery"))
    bench.reason()
    (learner,) = bench.made
    assert learner.lessons == [("one", "refund"), ("one", "delivery")]


def test_what_was_taken_back_is_forgotten_and_the_rest_stays() -> None:
    bench = Bench()
    bench.said.say(("one", "refund"), ("two", "delivery"))
    bench.reason()
    bench.said.say(("two", "delivery"), undone=1)
    bench.reason()
    (learner,) = bench.made
    assert learner.forgotten == ["one"]
    assert learner.lessons == [("one", "refund"), ("two", "delivery")]


def test_a_persons_word_binds_its_contact_alone_and_not_where_the_reason_left_the_map() -> None:
    bench = Bench()
    bench.said.say(con_1="refund", con_2=None, con_3="gone")
    assert [bench.reason(f"con_{at}") for at in range(1, 5)] == [
        "refund",
        None,
        "delivery",
        "delivery",
    ]
    together = bench.classifier.classify_all(
        [conversation(contact_id=f"con_{at}") for at in range(1, 5)]
    )
    assert [one["reason"] for one in together] == ["refund", None, "delivery", "delivery"]


def test_what_a_person_said_stands_first_and_certain() -> None:
    said = as_said("refund", GUESS)
    assert (said["reason"], said["confidence"]) == ("refund", 1.0)
    assert [one["reason"] for one in said["alternatives"]] == ["refund", "delivery"]
    assert sum(one["confidence"] for one in said["alternatives"]) == 1.0
    assert as_said(None, GUESS)["reason"] is None
    assert GUESS["confidence"] == 0.6


@pytest.mark.parametrize(
    ("reason", "than", "milder"),
    [
        ("delivery", "refund", True),
        (None, "refund", True),
        ("refund", "fire", True),
        ("refund", "refund", False),
        ("fire", "delivery", False),
        ("delivery", None, False),
    ],
)
def test_milder_is_what_needs_less(reason, than, milder) -> None:
    assert is_milder(REASONS.get(reason), REASONS.get(than)) is milder


def test_the_tier_follows_the_reason_and_never_drops_what_the_words_fired() -> None:
    words: TriggerFiring = {
        "id": "legal_threat",
        "tier": "escalate_first",
        "evidence": "my lawyer",
        "by": "tiers.yaml:legal_threat",
    }
    triggers, tier = with_reason([], REASONS.get("refund"))
    assert ([one["id"] for one in triggers], tier) == (["reason:refund"], "review_required")
    triggers, tier = with_reason([words, *triggers], REASONS.get("delivery"))
    assert ([one["id"] for one in triggers], tier) == (["legal_threat"], "escalate_first")
    assert with_reason([], None) == ([], "allowed")
