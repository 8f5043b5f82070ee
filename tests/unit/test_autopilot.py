from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.autopilot import CONDITIONS, Case, judge
from graph.evidence import evidence_of
from graph.values import Classification, Clearance
from tests.factories import draft_from, passage, triage

CLEAR: Clearance = {
    "state": "autopilot",
    "round": 2,
    "on": True,
    "e_value": 31.0,
    "least_confidence": 0.7,
    "flagged": [],
    "barred": "",
}
SURE: Classification = {
    "reason": "refund_question",
    "confidence": 0.9,
    "alternatives": [],
    "sentiment": 0.0,
    "language": "en",
    "question": "How long does a refund take?",
}
FINDING = {
    "sentence": 0,
    "rule": "number",
    "message": "",
    "words": "",
    "source_words": "",
    "passage_id": None,
}
FIRED = {"id": "refund", "tier": "review_required", "evidence": "refund", "by": "tiers.yaml"}
DRAFT = draft_from(passage())
CASE = Case(
    classification=SURE,
    triage=triage(),
    draft=DRAFT,
    check={"passed": True, "findings": [], "triggers": []},
    evidence=evidence_of(DRAFT, "msg_1"),
    clearance=CLEAR,
    written_by_run=True,
    decided_before=False,
    answered_before=False,
)


def _clearance(**changes: Any) -> dict[str, Any]:
    return {"clearance": {**CLEAR, **changes}}


BROKEN: dict[str, list[dict[str, Any]]] = {
    "autonomy": [_clearance(state=one) for one in ("locked", "review", "eligible")],
    "switch": [_clearance(on=False)],
    "reason": [{"classification": {**SURE, "reason": None}}],
    "confidence": [
        {"classification": {**SURE, "confidence": one}} for one in (0.69, 0.0, float("nan"))
    ],
    "tier": [
        {"triage": triage(tier=one)} for one in ("review_required", "escalate_first", "forbidden")
    ],
    "triggers": [{"triage": triage(triggers=[FIRED])}],
    "missing": [{"triage": triage(missing=["order_number"])}],
    "answer": [{"draft": draft_from(passage(), kind=one)} for one in ("clarify", "abstain")],
    "cited": [{"draft": draft_from()}],
    "check": [
        {"check": {"passed": False, "findings": [], "triggers": []}},
        {"check": {"passed": True, "findings": [FINDING], "triggers": []}},
        {"check": {"passed": True, "findings": [], "triggers": [FIRED]}},
    ],
    "disputes": [{"evidence": {**CASE.evidence, "disputes": ["flg_1"]}}],
    "sources": [_clearance(flagged=["Refunds"])],
    "written": [{"written_by_run": False}],
    "undecided": [{"decided_before": True}],
    "first": [{"answered_before": True}],
    "contact": [_clearance(barred="A seeded check is never sent.")],
}
ONE_WAY = [(name, change) for name, changes in BROKEN.items() for change in changes]


def test_a_clean_draft_of_a_reason_on_autopilot_leaves() -> None:
    assert judge(CASE) | {"draft_digest": ""} == {
        "leaves": True,
        "earns": True,
        "why_not": [],
        "draft_digest": "",
    }


def test_every_condition_is_broken_by_a_test() -> None:
    assert [condition.id for condition in CONDITIONS] == list(BROKEN)


@pytest.mark.parametrize(("name", "change"), ONE_WAY)
def test_each_condition_alone_keeps_a_draft_and_says_why(name: str, change: dict[str, Any]) -> None:
    verdict = judge(replace(CASE, **change))
    assert not verdict["leaves"]
    assert [one["id"] for one in verdict["why_not"]] == [name]
    assert verdict["why_not"][0]["sentence"].endswith(".")
    # Only what people grant is no fault of the draft's: it goes on earning the reason's autonomy.
    assert verdict["earns"] == (name in ("autonomy", "switch"))


@given(st.lists(st.sampled_from(ONE_WAY), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_whatever_else_holds_one_broken_condition_is_enough(
    broken: list[tuple[str, dict[str, Any]]],
) -> None:
    changed: dict[str, Any] = {}
    for _, change in broken:
        changed |= change
    verdict = judge(replace(CASE, **changed))
    assert not verdict["leaves"]
    assert verdict["why_not"]


def test_where_nobody_can_say_what_holds_nothing_leaves_or_earns() -> None:
    verdict = judge(replace(CASE, clearance=None))
    assert not verdict["leaves"]
    assert not verdict["earns"]
