"""What an article said before and says no longer is known for what it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.identifiers import text_digest
from desk.outdated import outdated
from kb.changes import ChangeJudge
from kb.content import Passage

FORMER = "Gift cards may be exchanged for cash in any of our shops."
BACKUPS = "Within 30 days, your content is deleted from our logs and our backups."


def version(number: int, *texts: str, article: str = "help/cards.md") -> list[Passage]:
    return [
        Passage(
            id=f"{article}#{number}-{place}", kind="article", article_id=article,
            version_id=f"v{number}", version=number, title="Gift cards", anchor="", heading_path=(),
            start=0, end=len(text), text=text, plain=text, content_hash=text_digest(text),
            effective_from=datetime(2026, number, 1, tzinfo=UTC),
        )
        for place, text in enumerate(texts)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("former", "present", "said"),
    [
        (FORMER, "Gift cards may not be exchanged for cash in any of our shops.", FORMER),
        (FORMER, "", "Our gift cards may be exchanged for cash in any of our shops."),
        # The figure still stands there, about something else.
        (
            BACKUPS,
            "Within 30 days, your content is deleted from our logs. Within 60 days, your content "
            "is deleted from our backups.",
            BACKUPS,
        ),
    ],
)
def test_what_went_or_was_turned_is_outdated(former: str, present: str, said: str):
    now = version(2, *filter(None, [present, "A gift card is valid for 3 years."]))
    found = outdated(said, [now, version(1, former)], ChangeJudge(), ())
    assert found is not None
    assert found.former == former
    assert found.until == datetime(2026, 2, 1, tzinfo=UTC)
    assert found.present in present


@pytest.mark.parametrize(
    ("former", "present", "said"),
    [
        (FORMER, "In any of our shops, gift cards may be exchanged for cash.", FORMER),
        # It is in the words of what stands now.
        (
            "A gift card is valid for 2 years.",
            "A gift card is valid for 3 years.",
            "A gift card is valid for 3 years.",
        ),
        ("We ship lamps.", "We ship every lamp we make.", "We ship lamps."),
        (FORMER, "Gift cards may not be exchanged for cash.", "Thank you for being our customer."),
        # Likelier changed than not, which is no reason to take a text away.
        (
            "We aim to fix the cause as much as possible to avoid the errors from coming back.",
            "We aim to fix the cause to prevent the errors from coming back.",
            "We aim to fix the cause as much as possible to avoid the errors from coming back.",
        ),
    ],
)
def test_what_was_reworded_or_says_something_else_is_not(former: str, present: str, said: str):
    assert outdated(said, [version(2, present), version(1, former)], ChangeJudge(), ()) is None


def test_what_another_article_says_today_is_not_outdated():
    editions = [version(2, "A gift card is valid for 3 years."), version(1, FORMER)]
    elsewhere = version(1, FORMER, article="help/shops.md")
    assert outdated(FORMER, editions, ChangeJudge(), ()) is not None
    assert outdated(FORMER, editions, ChangeJudge(), elsewhere) is None


def test_an_article_without_a_past_outdates_nothing():
    assert (
        outdated(FORMER, [version(1, "Gift cards may not be exchanged.")], ChangeJudge(), ())
        is None
    )
    assert outdated(FORMER, [], ChangeJudge(), ()) is None
