from __future__ import annotations

from typing import Any

import pytest

from core.errors import DecisionRefused
from graph.interrupts import allowed_decisions, payload, read_decision
from graph.values import CheckReport, Finding
from tests.factories import draft_from, passage, paused, triage


def finding(rule: str) -> Finding:
    return {
        "sentence": 0,
        "rule": rule,  # type: ignore[typeddict-item]
        "message": "The draft says 6 days, the source says 5 days.",
        "words": "6 days",
        "source_words": "5 days",
        "passage_id": "ver_1#0",
    }


def with_findings(*rules: str) -> CheckReport:
    return {"passed": False, "findings": [finding(rule) for rule in rules], "triggers": []}


FORBIDDEN: CheckReport = {
    "passed": False,
    "findings": [],
    "triggers": [
        {"id": "unsupported_promise", "tier": "forbidden", "evidence": "we guarantee", "by": "x"}
    ],
}


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"kind": "approve"}, "approve"),
        ({"decisions": [{"type": "approve"}]}, "approve"),
        ([{"type": "accept", "args": None}], "approve"),
        ({"kind": "edit", "text": "It takes 5 days."}, "edit"),
        (
            {
                "decisions": [
                    {
                        "type": "edit",
                        "edited_action": {"name": "send_answer", "args": {"text": "5 days."}},
                    }
                ]
            },
            "edit",
        ),
        (
            [{"type": "edit", "args": {"action": "send_answer", "args": {"text": "5 days."}}}],
            "edit",
        ),
        ({"kind": "reject", "reason": "tone", "comment": "Too curt."}, "reject"),
        ({"decisions": [{"type": "reject", "message": "tone: too curt"}]}, "reject"),
        ([{"type": "response", "args": "Too curt."}], "reject"),
        ({"kind": "escalate", "tier": "escalate_first", "comment": "A lawyer."}, "escalate"),
        (
            {"decisions": [{"type": "reject", "message": "ESCALATE escalate_first: a lawyer"}]},
            "escalate",
        ),
        ([{"type": "response", "args": "ESCALATE escalate_first: a lawyer"}], "escalate"),
    ],
)
def test_a_decision_is_read_in_all_three_shapes(reply: object, kind: str) -> None:
    assert read_decision(reply, paused())["kind"] == kind


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"decisions": []}, "exactly 1 decision; it holds 0"),
        ({"decisions": [{"type": "approve"}, {"type": "approve"}]}, "it holds 2"),
        ([], "exactly 1"),
        ("yes", "A reply is"),
        (None, "A reply is"),
        ({"decisions": [{"type": "ignore"}]}, "'ignore' is none of"),
        ([{"type": "ignore", "args": None}], "'ignore' is none of"),
        ({"kind": "maybe"}, "'maybe' is no decision"),
        ({"kind": "approve", "sudo": True}, "sudo"),
        ({"kind": "edit", "text": "  "}, "text: an edit needs"),
        (
            {
                "decisions": [
                    {"type": "edit", "edited_action": {"name": "delete_account", "args": {}}}
                ]
            },
            "edited_action.name",
        ),
        ({"kind": "reject", "comment": "no"}, "reason: a reject needs one of"),
        ({"kind": "reject", "reason": "tone"}, "comment: a reject needs"),
        ({"kind": "escalate", "tier": "allowed", "comment": "x"}, "tier: an escalation needs"),
        ({"kind": "escalate", "tier": "escalate_first"}, "comment: an escalation needs"),
        ({"kind": "answer", "text": "LB-1"}, "does not admit 'answer'"),
        ({"kind": "approve", "text": "Something else."}, "text: approve carries no such part"),
        ({"kind": "edit", "draft": "abc"}, "draft: Input should be"),
        ({"kind": "edit", "draft": {"kind": "answer"}}, r"draft\.opening: Field required"),
        ({"kind": "edit", "draft": draft_from(kind="answer")}, "an edit needs the edited answer"),
    ],
)
def test_a_reply_that_does_not_fit_is_an_error_that_says_so(reply: object, says: str) -> None:
    with pytest.raises(DecisionRefused, match=says):
        read_decision(reply, paused())


def test_forbidden_content_blocks_approve_itself() -> None:
    state = paused(check=FORBIDDEN)
    assert "approve" not in allowed_decisions(state)
    with pytest.raises(DecisionRefused, match="does not admit 'approve'"):
        read_decision({"kind": "approve", "comment": "I insist"}, state)


def test_findings_are_approved_only_with_a_reason() -> None:
    state = paused(check=with_findings("number"))
    for comment in ("", "  "):
        with pytest.raises(DecisionRefused, match="say why"):
            read_decision({"kind": "approve", "comment": comment}, state)
    decision = read_decision({"kind": "approve", "comment": "Billing confirmed it."}, state)
    assert decision["comment"] == "Billing confirmed it."


@pytest.mark.parametrize("rule", ["out_of_force", "unknown_source"])
def test_no_reason_carries_a_source_that_is_not_in_force(rule: str) -> None:
    with pytest.raises(DecisionRefused, match="cannot be approved"):
        read_decision({"kind": "approve", "comment": "I insist"}, paused(check=with_findings(rule)))


def test_an_abstention_has_nothing_to_approve() -> None:
    state = paused(draft=draft_from(kind="abstain"))
    assert "approve" not in allowed_decisions(state)
    assert "edit" in allowed_decisions(state)


def test_an_answer_fills_the_one_missing_field() -> None:
    state = paused(
        draft=draft_from(passage(), kind="clarify"), triage=triage(missing=["order_number"])
    )
    decision = read_decision({"decisions": [{"type": "respond", "message": " LB-7 "}]}, state)
    assert decision["fields"] == {"order_number": "LB-7"}


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ({"kind": "answer", "text": "LB-7"}, "say which of order_number, serial"),
        ({"kind": "answer", "fields": {"plan": "Home"}}, "does not lack it"),
        ({"kind": "answer", "fields": {"serial": ""}}, "must be text"),
        ({"kind": "answer", "fields": ["serial"]}, "must be an object"),
    ],
)
def test_an_answer_says_which_field_it_fills(reply: dict[str, Any], says: str) -> None:
    state = paused(
        draft=draft_from(passage(), kind="clarify"),
        triage=triage(missing=["order_number", "serial"]),
    )
    with pytest.raises(DecisionRefused, match=says):
        read_decision(reply, state)


def test_the_payload_offers_just_what_is_admitted() -> None:
    shown = payload(paused(check=FORBIDDEN), "middleware")
    assert shown["review_configs"][0]["allowed_decisions"] == ["edit", "reject"]  # type: ignore[typeddict-item]
    inbox = payload(paused(check=FORBIDDEN), "agent_inbox")
    assert inbox["config"]["allow_accept"] is False  # type: ignore[typeddict-item]
    assert inbox["config"]["allow_edit"] is True  # type: ignore[typeddict-item]


def test_an_inbox_response_to_a_clarifying_question_is_the_answer() -> None:
    state = paused(
        draft=draft_from(passage(), kind="clarify"), triage=triage(missing=["order_number"])
    )
    decision = read_decision([{"type": "response", "args": "LB-7"}], state)
    assert (decision["kind"], decision["fields"]) == ("answer", {"order_number": "LB-7"})


def test_the_same_words_on_two_contacts_are_two_decisions() -> None:
    first = read_decision({"kind": "approve"}, paused())
    second = read_decision({"kind": "approve"}, paused(contact_id="con_2"))
    assert first["id"] != second["id"]


def test_the_same_reply_read_twice_is_the_same_decision() -> None:
    first = read_decision({"kind": "approve"}, paused())
    assert first["id"] == read_decision({"kind": "approve"}, paused())["id"]
    other = paused(draft=draft_from(passage("Refunds take 9 days.")))
    assert first["id"] != read_decision({"kind": "approve"}, other)["id"]
