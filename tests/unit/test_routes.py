from __future__ import annotations

from typing import Any

import pytest

from graph.routes import route_recheck, route_review, route_triage
from graph.state import RunState
from graph.values import EvidenceChange
from tests.factories import draft_from, passage, paused, triage


@pytest.mark.parametrize("route", ["handoff", "clarify", "retrieve"])
def test_triage_decides_before_anything_is_drafted(route: str) -> None:
    assert route_triage(RunState(triage=triage(route=route))) == route


def test_a_draft_that_a_person_brings_is_checked_but_never_past_a_handoff() -> None:
    brought = draft_from(passage())
    assert route_triage(RunState(triage=triage(), draft=brought)) == "check"
    assert route_triage(RunState(triage=triage(route="handoff"), draft=brought)) == "handoff"


@pytest.mark.parametrize(
    ("kind", "node"),
    [
        ("approve", "recheck"),
        ("edit", "recheck"),
        ("reject", "retrieve"),
        ("escalate", "handoff"),
        ("answer", "triage"),
    ],
)
def test_a_decision_leads_where_it_says(kind: str, node: str) -> None:
    state = paused(decision={"id": "dec_1", "kind": kind, "by": "ruth", "at": ""})
    assert route_review(state) == node


@pytest.mark.parametrize(
    "changes",
    [{"draft": draft_from(passage(), kind="clarify")}, {"reason": "wrong_tier"}],
)
def test_what_is_missing_is_not_drafted_past(changes: dict[str, Any]) -> None:
    reason = changes.pop("reason", "tone")
    decision = {"id": "dec_1", "kind": "reject", "by": "ruth", "at": "", "reason": reason}
    assert route_review(paused(decision=decision, **changes)) == "triage"


def test_a_refused_reply_waits_again() -> None:
    assert route_review(paused(reply_error="no such decision")) == "review"


def test_only_what_still_holds_is_delivered() -> None:
    source: EvidenceChange = {"what": "source", "sentence": "“Refunds” is no longer in force."}
    message: EvidenceChange = {"what": "message", "sentence": "The customer wrote again."}
    assert route_recheck(paused(changes=[], sent_back=False)) == "deliver"
    assert route_recheck(paused(changes=[source], sent_back=True)) == "review"
    assert route_recheck(paused(changes=[], sent_back=True)) == "review"
    assert route_recheck(paused(changes=[source, message], sent_back=True)) == "intake"
