"""The versions of an article, and what differs between two of them."""

from __future__ import annotations

import pytest

from core.errors import BadInput, NotFound
from desk.bootstrap import Desk
from desk.permissions import Actor
from tests.factories import ADMIN

REFUNDS = "help-center/refunds.md"


def rewrite(desk: Desk, name: str, *edits: tuple[str, str]) -> None:
    path = desk.settings.workspace_folder / "articles" / name
    text = path.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    desk.sync()


@pytest.fixture
def desk(desk: Desk) -> Desk:
    rewrite(desk, "refunds.md", ("5 business days", "8 business days"))
    rewrite(desk, "refunds.md", ("within 30 days", "within 14 days"), ("A refund", "Each refund"))
    return desk


def test_versions_are_listed_newest_first_with_what_they_told_otherwise(desk: Desk) -> None:
    editions = desk.history.editions(ADMIN, REFUNDS)
    assert [one.number for one in editions] == [3, 2, 1]
    assert [one.in_force for one in editions] == [True, False, False]
    assert [one.told_otherwise for one in editions] == [1, 1, 0]
    assert [one.number for one in desk.history.editions(ADMIN, REFUNDS, before=3, limit=1)] == [2]
    assert desk.history.edition(ADMIN, editions[1].id).number == 2


def test_any_two_versions_are_compared_fact_by_fact(desk: Desk) -> None:
    third, _, first = desk.history.editions(ADMIN, REFUNDS)
    found = desk.history.between(ADMIN, third.id, first.id)
    assert (found.old.number, found.new.number) == (1, 3)
    facts = {(fact["old"], fact["new"]) for one in found.passages for fact in one.facts}
    assert facts == {("5 business days", "8 business days"), ("30 days", "14 days")}
    assert all(one.tells_otherwise for one in found.passages)
    assert {one.heading for one in found.passages} == {"How long a refund takes", "Who gets one"}


def test_a_version_beside_itself_differs_in_nothing(desk: Desk) -> None:
    third = desk.history.editions(ADMIN, REFUNDS)[0]
    assert desk.history.between(ADMIN, third.id, third.id).passages == []


def test_two_articles_are_not_compared(desk: Desk) -> None:
    one = desk.history.editions(ADMIN, REFUNDS)[0]
    other = desk.history.editions(ADMIN, "help-center/shipping.md")[0]
    with pytest.raises(BadInput, match="version of another article"):
        desk.history.between(ADMIN, one.id, other.id)
    with pytest.raises(NotFound):
        desk.history.edition(ADMIN, "ver_none")


def test_a_change_of_owner_is_no_version_and_is_told(desk: Desk, agent: Actor) -> None:
    (flag,) = desk.flags.page(ADMIN, kind="unowned")
    desk.flags.resolve(ADMIN, flag.id, "assign", owner="Tomas")
    (amended,) = desk.history.amendments(agent, "help-center/shipping.md")
    assert (amended.field, amended.old, amended.new) == ("owner", None, "Tomas")
