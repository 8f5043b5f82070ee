"""What the desk decided about an article is still so after the next sync."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from kb.amendments import AmendedField, amend
from kb.models import Article, ArticleChange
from tests.integration.test_sync import NOW, HelpCenter

ID = "help-center/refunds.md"
DAY = timedelta(days=1)


@pytest.fixture
def center(tmp_path: Path) -> Iterator[HelpCenter]:
    center = HelpCenter(tmp_path / "workspace")
    center.write("articles/refunds.md", "Refunds take 5 days.\n", front="title: Refunds")
    center.write("articles/returns.md", "Return it in 30 days.\n", front="title: Returns")
    center.sync()
    yield center
    center.database.close()


def decide(center: HelpCenter, name: AmendedField, value: object) -> None:
    with center.database.write() as session:
        amend(session, session.get_one(Article, ID), name, value, center.clock.now())


def rewrite(center: HelpCenter, front: str = "title: Refunds") -> None:
    center.write("articles/refunds.md", "Refunds take five days.\n", front=front)
    center.sync()


def test_an_owner_who_was_assigned_stays_when_the_text_changes(center: HelpCenter) -> None:
    decide(center, "owner", "Priya")
    rewrite(center)
    assert center.library.article(ID).owner == "Priya"
    assert center.library.article(ID).newest == 2


def test_an_owner_whom_the_source_names_later_is_the_owner(center: HelpCenter) -> None:
    decide(center, "owner", "Priya")
    rewrite(center, "title: Refunds\nowner: Mina")
    assert center.library.article(ID).owner == "Mina"
    rewrite(center, "title: Our refunds")
    assert center.library.article(ID).owner is None


def test_a_source_that_comes_to_agree_has_the_word_again(center: HelpCenter) -> None:
    decide(center, "owner", "Priya")
    rewrite(center, "title: Refunds\nowner: Priya")
    rewrite(center, "title: Our refunds")
    assert center.library.article(ID).owner is None


def test_an_article_archived_at_the_desk_stays_out_of_force(center: HelpCenter) -> None:
    decide(center, "archived", True)
    rewrite(center)
    assert list(center.in_force()) == ["returns.md"]
    decide(center, "archived", False)
    assert sorted(center.in_force()) == ["refunds.md", "returns.md"]


@pytest.mark.parametrize(("said", "kept"), [(NOW - DAY, NOW), (NOW + DAY, NOW + DAY)])
def test_the_later_review_counts(center: HelpCenter, said: object, kept: object) -> None:
    decide(center, "last_reviewed", NOW)
    rewrite(center, f"title: Refunds\nlast_reviewed: {said}")
    assert center.library.article(ID).last_reviewed == kept


def test_an_article_replaced_by_decision_is_out_while_its_successor_is_in(
    center: HelpCenter,
) -> None:
    decide(center, "superseded_by", "help-center/returns.md")
    rewrite(center)
    assert list(center.in_force()) == ["returns.md"]
    assert center.library.superseded_by() == {ID: "help-center/returns.md"}
    (center.folder / "articles" / "returns.md").unlink()
    center.sync()
    assert list(center.in_force()) == ["refunds.md"]


def test_what_the_desk_decided_is_in_the_history_of_the_article(center: HelpCenter) -> None:
    decide(center, "owner", "Priya")
    decide(center, "owner", "Priya")
    with center.database.read() as session:
        (change,) = session.scalars(select(ArticleChange).where(ArticleChange.field == "owner"))
    assert (change.old, change.new, change.at) == (None, "Priya", NOW)
