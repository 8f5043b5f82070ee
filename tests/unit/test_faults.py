from __future__ import annotations

import random
import re

import pytest

from graph.draft import draft_text
from graph.faults import FAULT_KINDS, Fault, FaultKind, fault_stands, faults_in, with_fault
from graph.values import Sentence
from tests.factories import draft_from, passage

NOW = passage(
    "A refund takes 5 business days to reach your card. Express refunds take 2 business days.",
)
THEN = passage(
    "A refund takes 14 business days to reach your card. Express refunds take 2 business days.",
    id="ver_0#0",
    version_id="ver_0",
)
TAKES = "A refund takes 5 business days to reach your card."


ELSEWHERE = passage(
    "Standard shipping costs $4.50.",
    id="ver_9#0",
    version_id="ver_9",
    article_id="help/shipping.md",
)


def made(kind: FaultKind, text: str = TAKES) -> list[Fault]:
    draft = draft_from(NOW)
    draft["sentences"][0]["text"] = text
    return faults_in(draft, {NOW.id: NOW}, {NOW.id: [THEN]}, kind, random.Random(1))


def test_a_sentence_of_another_answer_brings_its_own_source_along() -> None:
    draft = draft_from(NOW, passage("Gift cards stay valid.", id="ver_1#1"))
    others = [*draft_from(ELSEWHERE)["sentences"], *draft["sentences"]]
    step: Sentence = {**others[0], "text": "- Open the app."}
    (fault,) = faults_in(draft, {}, {}, "other_answer", random.Random(1), [*others, step])
    assert (fault.before, fault.after) == (
        draft["sentences"][0]["text"],
        "Standard shipping costs $4.50.",
    )
    faulty = with_fault(draft, fault)
    assert faulty["sentences"][0]["citations"][0]["passage_id"] == ELSEWHERE.id
    assert faulty["sentences"][1] == draft["sentences"][1]
    assert fault_stands(fault.before, fault.after, draft_text(faulty))
    assert not fault_stands(fault.before, fault.after, draft_text(draft))


def test_an_old_value_is_the_one_that_the_article_stated_before() -> None:
    (fault,) = made("old_value")
    assert fault.after == "A refund takes 14 business days to reach your card."
    assert fault.before == TAKES


def test_there_is_no_old_value_where_nothing_of_the_sentence_changed() -> None:
    assert made("old_value", "Express refunds take 2 business days.") == []


def test_a_wrong_value_may_be_one_that_belongs_to_something_else_in_the_source() -> None:
    after = {fault.after for fault in made("wrong_value")}
    assert "A refund takes 2 business days to reach your card." in after
    assert TAKES not in after


def test_a_promise_is_added_to_a_sentence_or_stands_as_one() -> None:
    faults = made("promise")
    assert all("5 business days" in fault.after for fault in faults if fault.before)
    apart = next(fault for fault in faults if not fault.before)
    draft = with_fault(draft_from(NOW), apart)
    assert draft["sentences"][1]["citations"] == draft["sentences"][0]["citations"]
    assert apart.after in draft_text(draft)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_faulty_draft_differs_in_one_sentence_and_says_what_is_wrong(kind: FaultKind) -> None:
    draft = draft_from(NOW, passage("Gift cards stay valid.", id="ver_1#1"))
    draft["sentences"][0]["text"] = TAKES
    sources = {NOW.id: NOW}
    for fault in faults_in(draft, sources, {NOW.id: [THEN]}, kind, random.Random(2)):
        faulty = with_fault(draft, fault)
        texts = [sentence["text"] for sentence in draft["sentences"]]
        other = [s["text"] for s in faulty["sentences"] if s["text"] not in texts]
        assert other == [fault.after]
        assert draft["sentences"][0]["text"] == TAKES
        assert fault_stands(fault.before, fault.after, draft_text(faulty))
        assert not fault_stands(fault.before, fault.after, draft_text(draft))


WRONG = "A refund takes 14 business days to reach your card."


@pytest.mark.parametrize(
    ("edited", "stands"),
    [
        (f"Hello,\n\n{WRONG}\n\nKind regards", True),
        ("Your refund takes 14 business days to reach the card.", True),
        ("Thanks for asking: a refund takes 14 business days to reach your card, sorry!", True),
        (TAKES, False),
        ("A refund takes a few business days to reach your card.", False),
        ("A refund takes 7 business days to reach your card.", False),
        ("We will look into it and write to you.", False),
        ("", False),
    ],
)
def test_an_edit_takes_the_fault_out_or_leaves_it(edited: str, stands: bool) -> None:
    assert fault_stands(TAKES, WRONG, edited) is stands


def test_values_that_changed_places_are_still_wrong_until_they_are_back() -> None:
    right = "Annual plans are refunded within 14 days, monthly plans within 3 days."
    wrong = "Annual plans are refunded within 3 days, monthly plans within 14 days."
    assert fault_stands(right, wrong, f"Hello! {wrong}")
    assert not fault_stands(right, wrong, f"Hello! {right}")


@pytest.mark.parametrize(
    ("edited", "stands"),
    [
        ("Your refund: 14 business days.", True),
        ("The money is back on your card after 14 business days.", True),
        ("The money is back on your card after 5 business days, not after 14.", False),
        ("Express refunds take 14 business days.", False),
        ("We do not know yet when your card gets it.", False),
    ],
)
def test_a_wrong_value_stands_in_other_words_too(edited: str, stands: bool) -> None:
    beside = ["Express refunds take 14 business days."]
    assert fault_stands(TAKES, WRONG, edited, beside) is stands


LIMITED = "You can return a lamp within 30 days of delivery."
UNLIMITED = "You can return a lamp."


@pytest.mark.parametrize(
    ("edited", "stands"),
    [
        (f"Hello! {UNLIMITED}", True),
        ("Sure, you can return a lamp.", True),
        (f"Hello! {LIMITED} Kind regards", False),
        ("You can return a lamp within a month after delivery.", False),
        ("We will look into it.", False),
    ],
)
def test_a_condition_that_was_left_out_is_back_or_not(edited: str, stands: bool) -> None:
    assert fault_stands(LIMITED, UNLIMITED, edited) is stands


@pytest.mark.parametrize(
    ("text", "without"),
    [
        (LIMITED, UNLIMITED),
        ("All plans are covered, except for the basic one.", "All plans are covered."),
        (
            "Our team can see the place only if you allow it in the app, for a day.",
            "Our team can see the place.",
        ),
        ("Shipping is quite free on orders over $50.", "Shipping is quite free."),
        (
            "If it is still missing, write to us within 14 days of the delivery date.",
            "If it is still missing, write to us.",
        ),
        # Nothing that matters is left out, or what is left is no sentence.
        ("We charge plans once a year.", None),
        ("We send a new one within 2 business days.", None),
        ("If you cancel the plan only for members, it is free.", None),
        ("If you cancel within 14 days.", None),
        ("If the claim is approved, a replacement ships within 3 days.", None),
        ("You cannot cancel unless you are the owner.", None),
        (TAKES, None),
    ],
)
def test_a_promise_may_be_one_without_its_condition(text: str, without: str | None) -> None:
    afters = {fault.after for fault in made("promise", text)}
    left = {after for after in afters if text.startswith(after.rstrip("."))}
    assert left == ({without} if without else set())


def test_what_is_left_out_comes_before_words_that_come_again() -> None:
    for seed in range(5):
        draft = draft_from(NOW)
        draft["sentences"][0]["text"] = LIMITED
        found = faults_in(draft, {NOW.id: NOW}, {}, "promise", random.Random(seed))
        assert [fault.leaves_out for fault in found[:2]] == [True, False]


def test_a_condition_that_the_answer_states_elsewhere_is_not_left_out() -> None:
    draft = draft_from(NOW, passage("Within 30 days of delivery.", id="ver_1#1"))
    draft["sentences"][0]["text"] = LIMITED
    draft["sentences"][1]["text"] = "You have 30 days from delivery."
    found = faults_in(draft, {NOW.id: NOW}, {}, "promise", random.Random(1))
    assert UNLIMITED not in {fault.after for fault in found}


def test_an_added_promise_is_gone_only_when_it_is_taken_out() -> None:
    added = "If anything goes wrong, we will take over the costs."
    assert fault_stands("", added, f"{TAKES} {added}")
    assert fault_stands("", added, f"{TAKES} If anything goes wrong we take over the costs.")
    assert not fault_stands("", added, TAKES)


def test_invented_values_keep_their_unit_and_their_order() -> None:
    source = passage("Delivery takes 6 to 10 business days.")
    draft = draft_from(source)
    found = [
        fault.after
        for seed in range(40)
        for fault in faults_in(draft, {source.id: source}, {}, "wrong_value", random.Random(seed))
    ]
    assert len(set(found)) > 3
    for after in found:
        low, high = map(int, re.findall(r"\d+", after))
        assert low < high
        assert after.endswith("business days.")


def test_no_promise_is_made_that_the_source_keeps() -> None:
    source = passage("You can return it within 30 days. Shipping it back is free, also on sale.")
    draft = draft_from(source)
    draft["sentences"][0]["text"] = "You can return it within 30 days."
    made_here = faults_in(draft, {source.id: source}, {}, "promise", random.Random(1))
    assert made_here
    assert not any("sale" in one.after or "costs" in one.after for one in made_here)


def test_what_a_fault_added_is_told_apart_from_what_was_there() -> None:
    assert Fault("promise", 0, TAKES, f"{TAKES[:-1]}, whatever happens.").added == (
        ", whatever happens."
    )
    assert Fault("promise", 1, "", "We will call you.").added == "We will call you."
