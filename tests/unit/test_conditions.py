from __future__ import annotations

import pytest

from graph.check import EvidenceChecker
from graph.draft import cite_whole
from graph.values import Draft, Sentence
from tests.factories import passage


def found(text: str, source: str, *, rest: str = "", question: str = "") -> list[str]:
    cited = passage(source)
    sentences: list[Sentence] = [
        {"text": one, "citations": [cite_whole(cited)]} for one in (text, rest) if one
    ]
    draft: Draft = {
        "kind": "answer",
        "opening": "",
        "sentences": sentences,
        "closing": "",
        "drafter": "person:jo",
        "note": "",
    }
    report = EvidenceChecker().check(draft, {cited.id: cited}, {cited.version_id}, question)
    return [finding["message"] for finding in report["findings"]]


REFUND = "You get a full refund if you ask within 30 days. Shipping is not refunded."
ADOPTED = "If you adopted a pet from a shelter, you get 25% off the first year of any plan."


@pytest.mark.parametrize(
    ("source", "wrong", "right"),
    [
        (REFUND, "You get a full refund.", "If you ask within 30 days, you get a full refund."),
        (REFUND, "Yes, you get a full refund.", "Yes, you get a full refund if you ask within 30 days."),
        (ADOPTED, "You get 25% off the first year of any plan.", ADOPTED),
        (ADOPTED, "If you adopted a pet from a shelter, you get 25% off any plan.",
         "You get 25% off the first year of any plan if you adopted a pet from a shelter."),
        ("Returns are free within 14 days of delivery.", "Returns are free.", "Returns are free within 14 days of delivery."),
        ("Accessories can be exchanged if they are unused.", "Accessories can be exchanged.", "Unused accessories can be exchanged."),
        ("We keep comments as long as the site is active.", "We keep comments.", "We keep comments as long as the site is active."),
        ("Support can see a location only if you allow it in the app.", "Support can see a location.",
         "Support can see a location only if you allow it in the app."),
        ("Sie erhalten den Kaufpreis zurück, sofern die Ware unbenutzt ist.", "Sie erhalten den Kaufpreis zurück.",
         "Sie erhalten den Kaufpreis zurück, sofern die Ware unbenutzt ist."),
    ],
)  # fmt: skip
def test_what_holds_on_a_condition_is_not_said_without_it(
    source: str, wrong: str, right: str
) -> None:
    assert found(wrong, source)
    assert not found(right, source)


def test_a_condition_may_stand_elsewhere_in_the_reply_or_in_the_question() -> None:
    assert not found("You get a full refund.", REFUND, rest="Ask within 30 days.")
    asked = "Do I get a full refund if I ask within 30 days?"
    assert not found("You get a full refund.", REFUND, question=asked)
    assert found("You get a full refund.", REFUND, rest="Shipping is not refunded.")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("You can change the color if you want to.", "You can change the color."),
        ("Write to us if the parcel is late.", "Write to us."),
        ("The refund arrives within 5 business days.", "The refund arrives."),
        ("We mail the card, and you can block it if it is lost.", "We mail the card."),
        ("Refunds are free if you are a member. Refunds are free in June.", "Refunds are free in June."),
        ("You can cancel if you pay monthly. You can cancel in the app.", "You can cancel in the app."),
        ("If there is a limit, it is 10 days.", "It is 10 days."),
        ("Even if it is late, you can return it.", "You can return it."),
    ],
)  # fmt: skip
def test_what_limits_nothing_may_be_left_out(source: str, text: str) -> None:
    assert not found(text, source)


@pytest.mark.parametrize(
    ("source", "wrong", "right"),
    [
        ("The first year costs $10.", "Every year costs $10.", "The first year costs $10."),
        ("You get 25% off the first year.", "You get 25% off each year.", "You get 25% off the first year."),
        ("Gift cards expire after 24 months.", "They never expire.", "They expire after 24 months."),
        ("Backups are made twice a day.", "Backups are made once a day.", "Backups are made two times a day."),
        ("You can cancel 2 times.", "You can cancel three times.", "You can cancel twice."),
        ("It may be used twice. Codes end after 3 hours.", "It may be used 3 times.", "It may be used 2 times."),
    ],
)  # fmt: skip
def test_how_often_and_for_how_long_is_said_as_the_source_says_it(
    source: str, wrong: str, right: str
) -> None:
    assert found(wrong, source)
    assert not found(right, source)
