"""Two passages in force that give different facts are a conflict; two cases are not."""

from __future__ import annotations

from typing import Any

import pytest

from kb.changes import ChangeJudge
from kb.conflicts import Conflict, ConflictJudge, headed_apart, same_subject_titles
from kb.content import Passage
from tests.factories import passage

ALIKE = 0.8


def side(text: str, title: str = "Help", *headings: str, **changes: Any) -> Passage:
    name = changes.pop("name", title.lower().replace(" ", "-"))
    return passage(
        text,
        id=f"{name}#{abs(hash((title, headings, text)))}",
        article_id=f"help/{name}.md",
        title=title,
        heading_path=headings,
        content_hash=text,
        **changes,
    )


def judged(left: Passage, right: Passage, similarity: float = ALIKE) -> Conflict | None:
    return ConflictJudge(ChangeJudge()).judge(left, right, similarity)


@pytest.mark.parametrize(
    ("left", "right", "words"),
    [
        (
            side("You can pause a plan for up to 3 months in a year.", "Pause your plan"),
            side("A plan may be paused for at most 6 months a year.", "Charges while paused"),
            ("3 months", "6 months"),
        ),
        (
            side("Refunds take 5 business days.", "Refunds"),
            side("Refunds take 10 business days to arrive.", "Cancel an order", "Your money"),
            ("5 business days", "10 business days"),
        ),
        (
            side("We charge a late fee of 5% on overdue invoices.", "Late fees"),
            side("Overdue invoices carry a late fee of 10%.", "Overdue invoices"),
            ("5%", "10%"),
        ),
        (
            side("Chargebacks cost $15 each.", "Chargebacks"),
            side("We charge a fee of $25 for each chargeback.", "Fees"),
            ("$15", "$25"),
        ),
        (
            side("Online check-in opens 24 hours before departure.", "Online check-in"),
            side("Online check-in opens 48 hours before departure.", "Before you fly"),
            ("24 hours", "48 hours"),
        ),
        (
            side("You can borrow up to 10 books at a time.", "Library loans"),
            side("Members can borrow up to 15 books at a time.", "Borrowing"),
            ("10", "15"),
        ),
        (
            side("Phone support is open from 9 am to 5 pm.", "Support hours"),
            side("Our phone support is open from 8 am to 5 pm.", "Contact us"),
            ("9 am", "8 am"),
        ),
    ],
    ids=["plan", "refund", "percent", "amount", "copied", "count", "hours"],
)
def test_another_value_for_the_same_thing_is_a_conflict(
    left: Passage, right: Passage, words: tuple[str, str]
) -> None:
    conflict = judged(left, right)
    assert conflict is not None
    assert (conflict.facts[0].old, conflict.facts[0].new) == words
    assert left.plain[conflict.facts[0].old_start :].startswith(words[0])
    assert right.plain[conflict.facts[0].new_start :].startswith(words[1])
    assert all(word in conflict.sentence for word in (*words, left.title, right.title))


@pytest.mark.parametrize(
    ("left", "right"),
    [("Refunds take 5 days to arrive.", "Refunds take 9 days to arrive."),
     ("You can change your email address at any time.", "You cannot change your email address.")],
)  # fmt: skip
def test_articles_of_one_title_are_told_apart_by_their_paths(left: str, right: str) -> None:
    conflict = judged(side(left, "Help", name="shop"), side(right, "help", name="account"))
    assert conflict is not None
    assert "“Help” (help/shop.md) says" in conflict.sentence
    assert "“help” (help/account.md) says" in conflict.sentence


def test_the_same_conflict_is_seen_from_either_side() -> None:
    left = side("Refunds take 5 days to arrive.", "Refunds")
    right = side("Refunds take 9 days to arrive.", "Money back")
    there, back = judged(left, right), judged(right, left)
    assert there is not None
    assert back is not None
    assert there.facts[0].old == back.facts[0].new == "5 days"


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("You can change your email address at any time.", "You cannot change your email address."),
        ("Parking is included in the room price.", "Parking is not included in the room price."),
    ],
)
def test_a_yes_against_a_no_is_a_conflict(yes: str, no: str) -> None:
    conflict = judged(side(yes, "One"), side(no, "Two"))
    assert conflict is not None
    assert conflict.facts[0].kind == "permission"


def test_a_macro_that_states_an_older_value_is_a_conflict() -> None:
    macro = side(
        "Hello, you can return a tracker within 60 days of delivery. The label is free.",
        "Return window",
        kind="macro",
    )
    article = side("You can return a tracker within 30 days of delivery.", "Return policy")
    conflict = judged(macro, article)
    assert conflict is not None
    assert conflict.facts[0].old == "60 days"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (side("Refunds take 14 days.", "Refunds"), side("Refunds take two weeks.", "Money back")),
        (side("Refunds take 3 to 5 days.", "Refunds"), side("Refunds take 5 days.", "Money back")),
        (side("It costs $1,250.00 a year.", "Cost"), side("It costs 1250 USD a year.", "Price")),
        (
            side("Refunds take up to 10 days.", "Refunds"),
            side("Refunds take at least 3 days.", "Money back"),
        ),
        (side("Refunds take 5 days.", "Refunds"), side("Returns are free.", "Returns")),
    ],
    ids=["other words", "range", "amount", "both bounds", "no value"],
)
def test_the_same_value_is_no_conflict(left: Passage, right: Passage) -> None:
    assert judged(left, right) is None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (
            side("You can invite up to 5 members.", "Free plan"),
            side("You can invite up to 50 members.", "Business plan"),
        ),
        (
            side("You can pause a plan for up to 3 months.", "Pause your plan"),
            side("You can pause a Pack plan for up to 6 months.", "Pack plans"),
        ),
        (
            side("Employees have 30 days of vacation a year.", "Vacation", "Germany"),
            side("Employees have 25 days of vacation a year.", "Vacation", "Ireland"),
        ),
        (
            side("The mileage rate is $0.65 per mile.", "Rates 2023"),
            side("The mileage rate is $0.67 per mile.", "Rates 2024"),
        ),
        (
            side("The application fee is $50.", "Undergraduate admissions"),
            side("The application fee is $90.", "Graduate admissions"),
        ),
        (
            side("The app needs 80 MB of free space.", "Android app"),
            side("The app needs 120 MB of free space.", "iOS app"),
        ),
        (
            side("Hold the button for 20 seconds until the light blinks red.", "Reset"),
            side("Hold the button for 10 seconds until the light blinks white.", "Restart"),
        ),
        (
            side("If an order arrives damaged, you can return it within 90 days.", "Refund"),
            side("You can return an order within 30 days.", "Returns"),
        ),
        (
            side("You earn 2% interest on balances up to $10,000.", "Savings"),
            side("You earn 1% interest on balances over $10,000.", "Interest"),
        ),
        (
            side("The plan costs 10 euros a month.", "Price"),
            side("The plan costs $12 a month.", "Cost"),
        ),
        (
            side("You cannot cancel an order once it has shipped.", "Cancel"),
            side("You can cancel an order before it has shipped.", "Orders"),
        ),
        (
            side("Endpoint: /new; Requests: 300; Burst: 200", "Rate limits"),
            side("Endpoint: /new; Requests: 20; Burst: 40", "Staging environment", "Rate limits"),
        ),
    ],
    ids=[
        "plan in the title",
        "more specific",
        "country",
        "year",
        "sibling titles",
        "platform",
        "other action",
        "condition",
        "bound of a premise",
        "currency",
        "before and after",
        "table of another environment",
    ],
)
def test_another_case_is_no_conflict(left: Passage, right: Passage) -> None:
    assert judged(left, right) is None


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (
            side("Last updated: June 5, 2021.", "Terms"),
            side("Last updated: July 9, 2022.", "Privacy"),
        ),
        (
            side("The largest file is now 25 MB.", "Files", "Changelog"),
            side("The largest file is 50 MB.", "Uploads"),
        ),
        (
            side("As of 2019, the largest file was 25 MB.", "Uploads"),
            side("The largest file is 50 MB.", "Files"),
        ),
        (
            side("For example, a pause of 30 days moves the next charge by 30 days.", "Pause"),
            side("For example, a pause of 60 days moves the next charge by 60 days.", "Charges"),
        ),
        (
            side("3.3 You will be able to buy A12 shares.", "Offer"),
            side("5.2 You will be able to buy A12 shares.", "Agreement"),
        ),
        (
            side("```\nretry: 3 times\n```", "Configure retries"),
            side("```\nretry: 5 times\n```", "Set up retries"),
        ),
    ],
    ids=["stamp", "changelog", "past", "example", "section number", "code"],
)
def test_dated_text_examples_and_numbering_are_no_conflict(left: Passage, right: Passage) -> None:
    assert judged(left, right) is None


def test_an_article_that_knows_both_values_is_no_conflict() -> None:
    left = side("We keep deleted files in our backups for 30 days.", "Backups")
    right = side("Deleted files stay in our backups for 60 days.", "Deleted files")
    assert judged(left, right) is not None
    right = side(
        "Deleted files stay in our backups for 60 days. Files of a trial stay there for 30 days.",
        "Deleted files",
    )
    assert judged(left, right) is None


def test_equal_words_are_no_conflict_even_between_twins() -> None:
    left, right = side("Refunds take 5 days.", "Old"), side("Refunds take 5 days.", "New")
    assert ConflictJudge(ChangeJudge()).judge(left, right, 1.0, twins=True) is None


def test_twins_conflict_in_whatever_one_version_says_differently() -> None:
    older = side("Write to us at help@old.example to close your account.", "Close", name="older")
    newer = side("Write to us at help@new.example to close your account.", "Close", name="newer")
    judge = ConflictJudge(ChangeJudge())
    conflict = judge.judge(older, newer, 0.98, twins=True)
    assert conflict is not None
    assert older.article_id in conflict.sentence
    assert newer.article_id in conflict.sentence


def test_twins_may_be_reworded() -> None:
    older = side("You can get your money back within 30 days.", "Refunds", name="older")
    newer = side("You may get your money back within 30 days.", "Refunds", name="newer")
    assert ConflictJudge(ChangeJudge()).judge(older, newer, 0.98, twins=True) is None


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Refunds", "Refunds (old)", True),
        ("Terms of service", "Terms of Service", True),
        ("Privacy policy", "4f2ac81b09", True),
        ("Warranty for Mini", "Warranty for Max", False),
        ("Holiday returns 2023", "Holiday returns 2024", False),
    ],
)
def test_titles_tell_versions_of_one_text_from_siblings(left: str, right: str, same: bool) -> None:
    assert same_subject_titles(left, right) is same


def test_words_of_a_title_that_the_other_side_lacks_may_be_names() -> None:
    left = side("Our office is on the 35th floor.", "Chicago")
    right = side("Our office is on the 6th floor.", "Boston")
    assert headed_apart(left, right) == {"Chicago", "Boston"}
