"""Order numbers as customers write them, against the pattern of the shipped map."""

from __future__ import annotations

import pytest

from desk.sample import SAMPLE
from graph.given import readings
from graph.reasons import Reason, ReasonMap, RequiredField
from graph.tiers import TierRules
from graph.triage import TriageService
from graph.values import Conversation, Triage
from retrieval.embeddings import HashEmbedder
from tests.factories import conversation

SHIPPED = ReasonMap.load(SAMPLE / "reasons.yaml")
TWO = ReasonMap(
    [
        Reason(
            id="return_item",
            name="Return an item",
            owner="Returns",
            required=(
                RequiredField(
                    id="order",
                    name="Order number",
                    ask="Which order is it?",
                    pattern=r"\bORD-\d{6}\b",
                ),
                RequiredField(
                    id="model",
                    name="Model",
                    ask="Which model is it?",
                    pattern=r"\b(?:mini|maxi)\b",
                    field="model",
                ),
            ),
        )
    ]
)


@pytest.mark.parametrize(
    "message",
    [
        "LB-204518",
        "lb204518",
        "my order is LB 204518, thanks",
        "LB - 204518",
        "LB–204518",  # an en dash
        "LB_204518",
        "LB#204518",
        "LB: 204518",
        "LB-204 518",
        "LB-204-518",
        "Order #204518",
        "order # 204518",
        "order no. 204518",
        "order number: 204518",
        "ＬＢ－２０４５１８",
        "its LB two zero four five one eight",
        "LB dash two oh four, five one eight",
        "LB 2 0 4 5 1 8",
        "LB double two four five one eight",
        "204518",
        "#204518",
        "It's 204518, thanks!",
        "Sorry, here it is: 204 518",
    ],
)
def test_an_order_number_is_found_however_it_is_written(message: str) -> None:
    assert SHIPPED.missing("order_status", [message], {}) == []


@pytest.mark.parametrize(
    "message",
    [
        "where is it?",
        "LB-20451",  # a digit short
        "LB-2045189",  # one too many
        "I ordered 3 of them on 2026-05-04",
        "it cost 120 dollars and 45 cents",
        "call me at 415 555 0134",
        "one or two of the three are broken",
        "LB",
    ],
)
def test_what_is_no_order_number_is_not_taken_for_one(message: str) -> None:
    assert SHIPPED.missing("order_status", [message], {}) == ["order_number"]


def triage(*messages: str, reasons: ReasonMap = TWO, **fields: str) -> tuple[Conversation, Triage]:
    turns = [
        {"id": f"m{at}", "speaker": who or "customer", "text": text, "at": ""}
        for at, (who, _, text) in enumerate(message.rpartition("|") for message in messages)
    ]
    customer = {"status": "standard", "sla_due_in_minutes": None, "name": "Ada", "fields": fields}
    contact = conversation(turns=turns, customer=customer)
    service = TriageService(TierRules([]), reasons, HashEmbedder())
    about = {
        "reason": next(iter(reasons)).id,
        "confidence": 0.9,
        "alternatives": [],
        "sentiment": 0.0,
        "language": "en",
        "question": messages[0],
    }
    return contact, service.triage(contact, about)  # type: ignore[arg-type]


def asked(contact: Conversation, outcome: Triage) -> list[str]:
    service = TriageService(TierRules([]), TWO, HashEmbedder())
    return [one["text"] for one in service.clarifying_draft(contact, outcome)["sentences"]]


def test_of_two_fields_only_the_one_that_is_missing_is_asked_for() -> None:
    contact, outcome = triage("I want to send the mini back")
    assert (outcome["missing"], outcome["route"]) == (["order"], "clarify")
    assert asked(contact, outcome) == ["Which order is it?"]


def test_both_are_asked_for_in_one_message_where_both_are_missing() -> None:
    contact, outcome = triage("I want to send it back")
    assert asked(contact, outcome) == ["Which order is it?", "Which model is it?"]


def test_what_was_said_before_is_not_asked_again() -> None:
    _, outcome = triage("It is about ORD 123456.", "agent|Which model?", "the mini, send it back")
    assert (outcome["missing"], outcome["route"]) == ([], "retrieve")


def test_what_the_desk_said_does_not_count_as_the_customers_word() -> None:
    _, outcome = triage("the mini shall go back", "agent|Is it ORD-123456 or ORD-123457?", "no")
    assert outcome["missing"] == ["order"]


def test_what_is_known_of_the_customer_is_not_asked_for() -> None:
    _, outcome = triage("I want to send it back", order="ORD-1", model="mini")
    assert outcome["missing"] == []


def test_a_bare_answer_to_the_question_is_enough_where_the_pattern_names_the_field() -> None:
    _, outcome = triage(
        "where is my order?", "agent|Which order number?", "204518", reasons=SHIPPED
    )
    assert outcome["missing"] == []


def test_a_value_that_does_not_look_right_is_asked_for_again() -> None:
    contact, outcome = triage("the mini, order ORD-12345", "agent|Which order?", "ORD-12345")
    assert (outcome["missing"], outcome["route"]) == (["order"], "clarify")
    assert asked(contact, outcome) == ["Which order is it?"]


def test_the_message_itself_comes_first_among_its_readings() -> None:
    assert readings("LB – 204 518")[0] == "LB – 204 518"
    assert readings("plain words") == ("plain words",)
