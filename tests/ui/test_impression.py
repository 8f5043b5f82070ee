"""What triage noticed beside the reason, told in plain words."""

from __future__ import annotations

from typing import cast

import pytest

from graph.values import Brief, Classification
from ui.components.impression import impression, impression_line, layer

PLAIN = {"reason": "refund", "sentiment": 0.0, "language": "en", "question": "When?"}


def told(**found: object) -> str:
    return impression(cast(Classification, PLAIN | found))


def test_what_is_ordinary_is_not_told() -> None:
    assert told(intent="question", urgency="normal", sentiment=0.2) == ""
    assert told(language="und") == ""
    assert impression_line(cast(Classification, PLAIN)) == ""


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"urgency": "high"}, "It is urgent."),
        ({"language": "de"}, "The customer writes in German."),
        ({"sentiment": -0.2}, "The customer is unhappy."),
        (
            {"urgency": "high", "intent": "complaint", "sentiment": -0.7, "language": "fr"},
            "It is urgent. The customer complains, is very unhappy and writes in French.",
        ),
    ],
)
def test_what_stands_out_is_told_in_a_sentence(found: dict[str, object], said: str) -> None:
    assert told(**found) == said


def test_a_brief_tells_the_same_as_the_classification_it_was_made_of() -> None:
    brief = {"intent": "Refund question", "sentiment": -0.7, "aim": "problem", "language": "en"}
    said = impression(cast(Brief, brief))
    assert said == "The customer reports a problem and is very unhappy."


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("tiers.yaml:fraud/words@3f2a", "by its words"),
        ("tiers.yaml:fraud/examples[I was robbed / twice]@3f2a", "by its meaning"),
        ("language model: vote, tiers.yaml:fraud/description@3f2a", "by the language model"),
        ("tiers.yaml:vip/fields@3f2a", "by what is known of the contact"),
        ("graph.nodes:source_missing", ""),
    ],
)
def test_what_fired_a_trigger_is_told_without_names_of_files(by: str, said: str) -> None:
    assert layer(by) == said
