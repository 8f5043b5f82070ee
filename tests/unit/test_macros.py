from __future__ import annotations

import pytest

from desk.macros import said


def texts(*paragraphs: str) -> list[str]:
    return [one.text for one in said(paragraphs)]


@pytest.mark.parametrize(
    "paragraph",
    [
        "Hi {{customer_name}},",
        "Thank you for your message.",
        "Please send us a photo of the lamp.",
        "Is there anything else we can help with?",
        "{{agent_name}}\nLamp Support",
        "Kind regards,\nThe Lamp Team",
    ],
)
def test_courtesies_requests_and_signatures_state_nothing(paragraph: str) -> None:
    assert texts("The lamp is made of brass.", paragraph) == ["The lamp is made of brass."]


def test_a_request_with_a_figure_states_it() -> None:
    assert texts("Please wait 3 days and write to us again.") == [
        "Please wait 3 days and write to us again."
    ]


@pytest.mark.parametrize(
    "hole", ["{{order_number}}", "{order_number}", "[ORDER NUMBER]", "%order%"]
)
def test_what_fills_a_placeholder_is_no_fact(hole: str) -> None:
    (one,) = said([f"Order {hole} leaves our warehouse within 2 days."])
    assert one.text == "Order leaves our warehouse within 2 days."
    assert one.of_the_case


def test_a_name_to_fill_in_makes_a_sentence_no_case() -> None:
    (one,) = said(["{{customer_name}}, the lamp has a warranty of 2 years."])
    assert not one.of_the_case


def test_the_number_of_the_next_list_item_is_no_figure() -> None:
    assert texts("Pay right away. 2. Then choose one of our 7 lamps.") == [
        "Pay right away.",
        "Then choose one of our 7 lamps.",
    ]


@pytest.mark.parametrize(
    ("text", "of_the_case"),
    [
        ("We have sent the invoice again.", True),
        ("Your parcel is already with the carrier.", True),
        ("We have a shop in Lyon.", False),
        ("You can return a lamp within 30 days.", False),
    ],
)
def test_what_was_done_for_one_customer_is_told_from_a_policy(text: str, of_the_case: bool) -> None:
    (one,) = said([text])
    assert one.of_the_case is of_the_case


def test_a_last_line_that_holds_a_figure_is_no_signature() -> None:
    assert texts("The lamp is made of brass.", "Free above $50") == [
        "The lamp is made of brass.",
        "Free above $50",
    ]
