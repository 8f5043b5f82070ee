"""What a run reads between two pauses."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from core.errors import NotFound
from graph.reading import OneReading
from graph.values import Conversation
from kb.content import Passage
from retrieval.ports import Hit
from tests.factories import conversation, passage

FOUND = passage("Refunds take 5 days.", id="ver_1#0")
BESIDE = passage("Gift cards are never refunded.", id="ver_1#1")


class HelpCenter:
    """Contacts, search and sources in one, which count how often they are asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.in_force = {"help/refunds.md": "ver_1"}

    def load(self, contact_id: str) -> Conversation:
        self.asked.append(contact_id)
        if contact_id != "con_1":
            raise NotFound("There is no such contact.")
        return conversation(contact_id=contact_id)

    def search(self, question: str, count: int = 10) -> list[Hit]:
        return [Hit(1, 0.9, FOUND, 0.9, 0.5)]

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        self.asked.extend(ids)
        return {one.id: one for one in (FOUND, BESIDE) if one.id in ids}

    def versions_in_force(self, article_ids: Sequence[str]) -> dict[str, str]:
        return {key: self.in_force[key] for key in article_ids if key in self.in_force}

    def passages_of_version(self, version_id: str) -> list[Passage]:
        return [FOUND, BESIDE]


@pytest.fixture
def center() -> HelpCenter:
    return HelpCenter()


@pytest.fixture
def reading(center: HelpCenter) -> OneReading:
    return OneReading(center, center, center)


def test_a_contact_is_read_once(center: HelpCenter, reading: OneReading) -> None:
    assert reading.load("con_1") == reading.load("con_1") == conversation(contact_id="con_1")
    assert center.asked == ["con_1"]
    with pytest.raises(NotFound):
        reading.load("con_2")


def test_what_was_found_is_not_read_again(center: HelpCenter, reading: OneReading) -> None:
    reading.search("How long does a refund take?")
    for _ in range(2):
        assert reading.passages(["ver_1#1", "ver_1#0", "gone"]) == {
            "ver_1#0": FOUND,
            "ver_1#1": BESIDE,
        }
    assert center.asked.count("ver_1#0") == 0
    assert center.asked.count("ver_1#1") == 1


def test_what_is_in_force_is_asked_each_time(center: HelpCenter, reading: OneReading) -> None:
    assert reading.versions_in_force(["help/refunds.md"]) == {"help/refunds.md": "ver_1"}
    center.in_force.clear()
    assert reading.versions_in_force(["help/refunds.md"]) == {}
