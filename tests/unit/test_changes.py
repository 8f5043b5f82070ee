"""What the judge of changes tells a reader about an edit."""

import pytest

from kb.changes import ChangeJudge


@pytest.fixture(scope="module")
def judge() -> ChangeJudge:
    return ChangeJudge()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("You have two weeks to return it.", "You have 14 days to return it."),
        ("It costs $1,250.00 a year.", "It costs 1250 USD a year."),
        ("The fee is 5%.", "The fee is 5 percent."),
        ("Up to three users.", "Up to 3 users."),
        ("Cancel by 5 May 2024.", "Cancel by May 5, 2024."),
        ("Support is open 9 am to 5 pm.", "Support is open 09:00 to 17:00."),
        ("You can recieve a refund wihtin 30 days.", "You can receive a refund within 30 days."),
        ("You don't need a receipt.", "You do not need a receipt."),
        ("1. Open Settings.", "2. Open Settings."),
        ("Customers can purchase extra seats.", "Customers can buy additional seats."),
    ],
)
def test_other_words_for_the_same_pass(judge, old, new):
    change = judge.judge(old, new)

    assert not change.stops, change
    assert change.facts == ()


def test_a_changed_value_is_shown_old_beside_new(judge):
    old, new = "You have 30 days to cancel.", "You have 60 days to cancel."

    change = judge.judge(old, new)

    assert change.outcome == "changed"
    (fact,) = change.facts
    assert (fact.kind, fact.old, fact.new) == ("duration", "30 days", "60 days")
    assert old[fact.old_start :].startswith(fact.old)
    assert new[fact.new_start :].startswith(fact.new)
    assert change.sentence == "says “60 days” where it said “30 days”"
