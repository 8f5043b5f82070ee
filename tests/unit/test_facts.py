from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.facts import NAME_KINDS, VALUE_KINDS, Fact, compare, extract_facts, kinship, same_value


def values(text: str) -> list[tuple[str, str]]:
    return [(f.kind, f.value) for f in extract_facts(text) if f.kind in VALUE_KINDS]


def named(text: str) -> list[tuple[str, str]]:
    return [(f.kind, f.value) for f in extract_facts(text) if f.kind in NAME_KINDS]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("within two weeks", [("duration", "14 day")]),
        ("a 30-day period", [("duration", "30 day")]),
        ("24 hours or one day", [("duration", "1 day"), ("duration", "1 day")]),
        ("60 (sixty) days", [("duration", "60 day")]),
        ("30 business days", [("duration", "30 business day")]),
        ("3-5 days", [("duration", "3-5 day")]),
        ("one year, 12 months", [("duration", "12 month"), ("duration", "12 month")]),
        ("twenty-five minutes", [("duration", "25 minute")]),
        ("$1,250.00 or 1.250,00 €", [("amount", "1250 USD"), ("amount", "1250 EUR")]),
        ("USD 5, five dollars and 50 cents",
         [("amount", "5 USD"), ("amount", "5 USD"), ("amount", "0.5 USD")]),
        ("$10k", [("amount", "10000 USD")]),
        ("20%, 20 percent, 99.9 %",
         [("percentage", "20 %"), ("percentage", "20 %"), ("percentage", "99.9 %")]),
        ("September 28, 2021", [("date", "2021-09-28")]),
        ("28 Sept 2021 and 2021-09-28", [("date", "2021-09-28"), ("date", "2021-09-28")]),
        ("by May 5", [("date", "-05-05")]),
        ("in March 2020", [("date", "2020-03")]),
        ("Q3 2019", [("date", "2019Q3")]),
        ("open Monday to Friday", [("date", "weekday 1"), ("date", "weekday 5")]),
        ("9 a.m. to 5pm, 24/7", [("time", "09:00"), ("time", "17:00"), ("time", "24/7")]),
        ("10K credits and 25,000 users", [("number", "10000"), ("number", "25000")]),
        ("Python 3.10 is not 3.1", [("number", "3.10"), ("number", "3.1")]),
        ("You may cancel, and we march on.", []),
        ("see https://a.example/2024/05 or run `retry 5`", []),
        ("someone is often in the office", []),
    ],
)  # fmt: skip
def test_values_take_one_form(text: str, expected: list[tuple[str, str]]) -> None:
    assert values(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Free Trial Plan is on GitHub.", [("name", "free trial plan"), ("name", "github")]),
        ("Write to a.b@c.example or call (312) 555-1234.",
         [("email", "a.b@c.example"), ("phone", "3125551234")]),
        ("Call 1-866-555-0138 or +1 866 555 0138.",
         [("phone", "8665550138"), ("phone", "8665550138")]),
        ("Fax 866-555-0138, or 312.555.0199.", [("phone", "8665550138"), ("phone", "3125550199")]),
        ("See https://www.a.example/b/.", [("url", "a.example/b")]),
        ("Click “Buy add-ons”.", [("label", "buy add-ons")]),
        ("Edit .travis.yml and TRAVIS_BUILD_ID.",
         [("code", ".travis.yml"), ("code", "TRAVIS_BUILD_ID")]),
        ("Refunds take time.", []),
    ],
)  # fmt: skip
def test_names_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert named(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You can cancel.", "may"),
        ("You can't cancel.", "may not"),
        ("You are not allowed to cancel.", "may not"),
        ("You must cancel.", "must"),
        ("You do not need to cancel.", "need not"),
        ("You don't have to cancel.", "need not"),
        ("You must not cancel.", "must not"),
        ("Cancelling is not required.", "need not"),
        ("Smoking is prohibited.", "may not"),
    ],
)
def test_permissions_are_found(text: str, expected: str) -> None:
    permissions = [f.value for f in extract_facts(text) if f.kind == "permission"]
    assert permissions == [expected]


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("within 30 days", "at_most"), ("no more than 5 seats", "at_most"),
        ("up to $50", "at_most"), ("at least 20%", "at_least"), ("after 30 days", "at_least"),
        ("30 days or more", "at_least"), ("no less than 5 seats", "at_least"), ("30 days", ""),
    ],
)  # fmt: skip
def test_bounds_are_read(text: str, bound: str) -> None:
    (fact,) = (f for f in extract_facts(text) if f.kind in VALUE_KINDS)
    assert fact.bound == bound


SOURCE = "Annual plans can be refunded within 30 days, monthly plans within 14 days. A seat is $5."


@pytest.mark.parametrize(
    ("claim", "how"),
    [
        ("You have 30 days.", []),
        ("You have two weeks.", []),
        ("You have 45 days.", ["absent"]),
        ("A seat costs $6.", ["absent"]),
        ("A seat costs 5 dollars.", []),
        ("Refunds start after 30 days.", ["bound"]),
    ],
)
def test_claims_are_compared_with_their_source(claim: str, how: list[str]) -> None:
    found = compare(extract_facts(claim), extract_facts(SOURCE))
    assert [disagreement.how for disagreement in found] == how


def test_a_disagreement_names_the_fact_it_disagrees_with() -> None:
    (found,) = compare(extract_facts("Monthly plans: 20 days."), extract_facts(SOURCE))
    assert found.fact.text == "20 days"
    assert found.source is not None
    assert found.source.text == "14 days"


def test_facts_about_the_same_thing_are_nearer() -> None:
    annual, monthly = (f for f in extract_facts(SOURCE) if f.kind == "duration")
    (claim,) = (f for f in extract_facts("Monthly plans: 14 days") if f.kind == "duration")
    assert kinship(claim, monthly) > kinship(claim, annual)


def test_a_month_agrees_with_a_day_in_it() -> None:
    def date(text: str) -> Fact:
        return next(f for f in extract_facts(text) if f.kind == "date")

    assert same_value(date("June 2021"), date("June 5, 2021"))
    assert same_value(date("June 5"), date("June 5, 2021"))
    assert not same_value(date("June 6"), date("June 5, 2021"))
    assert not same_value(date("July 2021"), date("June 5, 2021"))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="aA1 0,.$%-–/:@may2days5€()\n`'_x\x00é", max_size=200))
def test_any_text_is_read_in_order_and_quoted_exactly(text: str) -> None:
    facts = extract_facts(text)
    assert all(text[f.start : f.end] == f.text for f in facts)
    firsts = [f for f in facts if f.kind in VALUE_KINDS]
    assert all(a.end <= b.start for a, b in pairwise(firsts))


@pytest.mark.parametrize("unit", ["1", "1,", "1.", "1 ", "1-", "-"])
def test_a_hundred_kilobytes_of_one_run_hold_no_value_but_the_sentence_beside_it_does(unit):
    run = (unit * 100_000)[:100_000]
    facts = extract_facts(f"Refunds take 14 days.\n\n{run}\n\nThe fee is 5%.")
    assert [(f.kind, f.value) for f in facts] == [("duration", "14 day"), ("percentage", "5 %")]


def test_a_number_nobody_could_act_on_is_not_cut_down_to_one_that_looks_sound():
    assert extract_facts("1" * 25 + "%") == []


def test_a_list_of_figures_is_read_in_full():
    figures = ", ".join(str(n) for n in range(10, 50))
    assert len(extract_facts(f"Sizes: {figures}.")) == 40
