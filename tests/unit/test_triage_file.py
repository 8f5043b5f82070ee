"""Triage of a file of contacts."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import BadInput, ModelUnavailable
from desk import triage_file as module
from desk.triage_file import ContactLine, triage_contacts, triage_file
from graph.classify import ReasonClassifier
from graph.reasons import ReasonMap
from graph.tiers import Rule, TierRules
from graph.triage import TriageService
from retrieval.embeddings import HashEmbedder

RULES = [
    Rule.model_validate(
        {
            "id": "legal_threat",
            "tier": "escalate_first",
            "description": "d",
            "phrases": ["my lawyer"],
        }
    ),
    Rule.model_validate(
        {
            "id": "vip",
            "tier": "review_required",
            "description": "d",
            "fields": ["customer.status == vip"],
        }
    ),
]


def deps() -> Any:
    return SimpleNamespace(
        classifier=ReasonClassifier(ReasonMap(), HashEmbedder()),
        rules=TriageService(TierRules(RULES), ReasonMap(), HashEmbedder()),
    )


def written(tmp_path: Path, *lines: object) -> Path:
    file = tmp_path / "contacts.jsonl"
    texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
    file.write_text("\n".join(texts), encoding="utf-8")
    return file


def said(name: str, text: str, **more: object) -> dict[str, object]:
    return {"id": name, "messages": [{"role": "customer", "text": text}], **more}


def test_each_contact_gets_a_line_in_order_over_several_batches(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BATCH", 2)
    file = written(
        tmp_path,
        said("a", "my lawyer will call"),
        "",
        said("b", "hello", customer={"status": "vip"}),
        said("c", "hello"),
    )
    lines = list(triage_file(deps(), file))
    assert [(one["id"], one["tier"]) for one in lines] == [
        ("a", "escalate_first"),
        ("b", "review_required"),
        ("c", "allowed"),
    ]
    assert lines[0]["triggers"][0]["evidence"] == "my lawyer"
    assert set(lines[0]["triggers"][0]) == {"id", "tier", "evidence", "by"}


def test_two_contacts_of_one_id_are_named_and_nothing_is_read(tmp_path):
    file = written(tmp_path, said("a", "hello"), said("b", "hello"), said("a", "my lawyer"))
    with pytest.raises(BadInput, match=r":3: id: 'a' stands in line 1 already"):
        list(triage_file(deps(), file))


def test_a_file_without_contacts_says_so(tmp_path):
    with pytest.raises(BadInput, match="holds no contact"):
        list(triage_file(deps(), written(tmp_path)))


def test_parts_that_take_one_contact_at_a_time_will_do(tmp_path):
    whole = deps()
    one_by_one = SimpleNamespace(
        classifier=SimpleNamespace(classify=whole.classifier.classify),
        rules=SimpleNamespace(triage=whole.rules.triage),
    )
    file = written(tmp_path, said("a", "my lawyer will call"), said("b", "hello"))
    one: Any = one_by_one
    assert list(triage_file(one, file)) == list(triage_file(whole, file))


def test_a_long_file_is_read_only_a_little_ahead(monkeypatch):
    monkeypatch.setattr(module, "_BATCH", 2)
    taken: list[str] = []

    def endless() -> Iterator[ContactLine]:
        for number in count():
            taken.append(str(number))
            yield ContactLine.model_validate(said(str(number), "hello"))

    parts = deps()
    lines = triage_contacts(parts.classifier, parts.rules, endless())
    assert [next(lines)["id"] for _ in range(20)] == taken[:20]
    assert len(taken) <= 20 + 3 * 2


def test_a_part_that_breaks_ends_the_listing_with_its_error(monkeypatch):
    monkeypatch.setattr(module, "_BATCH", 2)
    parts = deps()

    def breaks(conversation: object) -> None:
        raise ModelUnavailable("The model is away.")

    contacts = [ContactLine.model_validate(said(str(number), "hello")) for number in range(9)]
    with pytest.raises(ModelUnavailable):
        list(triage_contacts(SimpleNamespace(classify=breaks), parts.rules, contacts))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([said("a", "x"), "{"], ":2: not valid JSON"),
        ([said("a", "x"), {"id": "b"}], ":2: messages"),
        ([said("a", "x", channel="fax")], ":1: channel"),
    ],
)
def test_nothing_is_triaged_when_a_line_is_wrong(tmp_path, lines, words):
    with pytest.raises(BadInput) as caught:
        next(triage_file(deps(), written(tmp_path, *lines)))
    assert words in caught.value.message


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        next(triage_file(deps(), tmp_path / "none.jsonl"))


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "old.jsonl"
    path.write_bytes(b'{"id": "a", "messages": [{"role": "customer", "text": "caf\xe9"}]}')
    with pytest.raises(BadInput, match=r"old\.jsonl: not UTF-8 at byte 58; save it as UTF-8"):
        next(triage_file(deps(), path))


def test_what_a_desk_adds_stands_apart_from_what_the_contact_says(tmp_path):
    owned = {"id": "unclear_owner", "description": "d", "fields": ["reason.owner == none"]}
    rules = TierRules([*RULES, Rule.model_validate(owned)])
    wired = deps()
    wired.rules = TriageService(rules, ReasonMap(), HashEmbedder())
    file = written(tmp_path, said("a", "what time do you open"), said("b", "my lawyer will call"))
    harmless, threat = triage_file(wired, file)
    assert (harmless["tier"], harmless["triggers"]) == ("allowed", [])
    assert harmless["desk"]["tier"] == "review_required"
    assert [one["id"] for one in harmless["desk"]["triggers"]] == ["unclear_owner"]
    assert [one["id"] for one in threat["triggers"]] == ["legal_threat"]
    assert threat["desk"]["tier"] == "escalate_first"
