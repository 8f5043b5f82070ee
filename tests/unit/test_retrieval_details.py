"""Contact details: which a passage holds, and which a question asks for."""

from __future__ import annotations

import time

import pytest

from retrieval.details import details_asked, details_in


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Fernhill Ltd, 221 Baker Street, London NW1 6XE", ["postal"]),
        ("By mail: 40 N Racine Ave, Chicago, IL 60607", ["postal"]),
        ("Write to P.O. Box 12, Springfield", ["postal"]),
        ("Besuchen Sie uns: Rigaer Straße 8, 10247 Berlin", ["postal"]),
        ("Phone: (877) 273-8550", ["phone"]),
        ("Call +49 30 1234567.", ["phone"]),
        ("Write to help@example.org, or +1 415-555-0100.", ["phone", "email"]),
        ("Refunds take 14 days and cost 20 USD.", []),
        ("Version 1.2.345 came on 2021-09-28.", []),
        ("You can run a test suite of 300 tests.", []),
        ("", []),
    ],
)
def test_a_passage_holds_details(text: str, kinds: list[str]) -> None:
    assert details_in(text) == kinds


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("What is your postal address?", ["postal"]),
        ("Can I send the form by post?", ["postal"]),
        ("Where do I mail my cheque?", ["postal"]),
        ("Can I reach somebody by phone?", ["phone"]),
        ("Which email do I write to about an invoice?", ["email"]),
        ("Who should I contact about a broken item?", ["email"]),
        ("How do I change my mailing address?", []),
        ("How long do you keep my emails?", []),
        ("Where can I see what I posted?", []),
        ("", []),
    ],
)
def test_a_question_asks_for_details(question: str, kinds: list[str]) -> None:
    assert details_asked(question) == kinds


def test_a_very_long_text_is_read_at_once() -> None:
    began = time.process_time()
    for piece in ("12 A", "a-", "1 ", "+12 3", "where ", "Aa. "):
        assert details_in(piece * 50_000) in ([], ["phone"])
        assert details_asked(piece * 50_000) == []
    assert time.process_time() - began < 5
