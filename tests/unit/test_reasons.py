from pathlib import Path

import pytest

from core.errors import BadInput
from graph.reasons import ReasonMap

MAP = r"""
version: 1
reasons:
  - id: return_item
    name: Return an item
    owner: Returns team
    required:
      - id: order_number
        name: Order number
        ask: Which order is it about?
        pattern: '\bORD-\d{6}\b'
        field: order
    examples: [How do I send this back]
  - id: change_address
    name: Change an address
    owner: Accounts team
    tier: review_required
    required:
      - {id: postcode, name: Postcode, ask: "What is the new postcode?", field: postcode}
"""


def load(tmp_path: Path, text: str) -> ReasonMap:
    file = tmp_path / "reasons.yaml"
    file.write_text(text, encoding="utf-8")
    return ReasonMap.load(file)


def test_a_workspace_without_a_map_has_no_reasons(tmp_path):
    reasons = ReasonMap.load(tmp_path / "reasons.yaml")
    assert len(reasons) == 0
    assert reasons.missing("return_item", ["anything"], {}) == []


def test_reasons_come_in_the_order_of_the_file(tmp_path):
    reasons = load(tmp_path, MAP)
    assert [reason.id for reason in reasons] == ["return_item", "change_address"]
    owner = reasons.get("return_item")
    assert owner is not None
    assert owner.owner == "Returns team"
    assert reasons.get("unknown") is None
    assert reasons.get(None) is None


@pytest.mark.parametrize(
    ("messages", "fields", "missing"),
    [
        (["I want to return it"], {}, ["order_number"]),
        (["It is ord-123456, thanks"], {}, []),
        (["I want to return it"], {"order": "ORD-1"}, []),
        (["I want to return it"], {"order_number": "ORD-1"}, []),
        (["I want to return it"], {"order": "  "}, ["order_number"]),
        (["hello", "ORD-12345"], {}, ["order_number"]),
    ],
)
def test_a_required_field_is_found_in_messages_or_customer_fields(
    tmp_path, messages, fields, missing
):
    assert load(tmp_path, MAP).missing("return_item", messages, fields) == missing


def test_the_ask_of_a_missing_field_is_found_again(tmp_path):
    fields = load(tmp_path, MAP).required_fields(["postcode"], "Accounts team")
    assert [field.ask for field in fields] == ["What is the new postcode?"]


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        (r"'\bORD-\d{6}\b'", "'ORD-('", 11, "regular expression"),
        ("id: change_address", "id: return_item", 3, "return_item"),
        ("tier: review_required", "tier: reviewed", 17, "tier"),
        ("owner: Returns team", "ownr: Returns team", 6, "ownr"),
        (", field: postcode", "", 19, "pattern, a field"),
    ],
)
def test_a_mistake_in_the_map_is_named_with_its_line(tmp_path, old, new, line, words):
    assert old in MAP
    with pytest.raises(BadInput) as caught:
        load(tmp_path, MAP.replace(old, new))
    assert f"reasons.yaml:{line}:" in caught.value.message
    assert words in caught.value.message
