from __future__ import annotations

from datetime import timedelta
from typing import Any

from desk.metric_facts import Event, Known, facts_of
from tests.factories import NOON


def story(*told: tuple[Any, ...], actor: str = "per_1") -> list[Event]:
    """Return events, a minute apart: name, and optionally data, review, actor."""
    found = []
    for number, one in enumerate(told):
        name, data, review, who = (one + (None,) * 3)[:4]
        at = NOON + timedelta(minutes=number)
        found.append(Event(number + 1, at, who or actor, name, "con_1", review, data or {}))
    return found


OPENED = ("contact.opened", {"channel": "chat", "origin": "desk"})
PUT_UP = (
    "review.opened",
    {"kind": "answer", "tier": "allowed", "reason": "refund", "triggers": []},
)


def counted(*told: tuple[Any, ...], known: Known | None = None) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for fact in facts_of(story(*told), known):
        found.setdefault(fact.part, []).append(fact.value)
    return found


def put_up(review: str, **changes: Any) -> tuple[Any, ...]:
    return ("review.opened", {**PUT_UP[1], **changes}, review, "desk")


def test_the_first_person_who_takes_a_contact_is_its_first_owner_and_nobody_after() -> None:
    found = counted(
        OPENED,
        put_up("rev_1"),
        ("contact.assigned", {"to": None}),
        ("review.claimed", None, "rev_1"),
        ("review.approve", None, "rev_1"),
    )
    assert found["first_owner"] == [180.0]


def test_the_desk_itself_is_no_owner_and_takes_no_decision() -> None:
    found = counted(OPENED, put_up("rev_1"), ("review.approve", None, "rev_1", "desk"))
    assert set(found) == {"taken_up", "draft_answer"}


def test_the_time_at_a_review_counts_from_when_its_decider_last_opened_it() -> None:
    found = counted(
        OPENED,
        put_up("rev_1"),
        ("review.claimed", None, "rev_1"),
        ("review.claimed", None, "rev_1", "per_2"),
        ("review.claimed", None, "rev_1"),
        ("review.edit", {"rewritten": 0.25}, "rev_1"),
    )
    assert found["review_hold"] == [60.0]
    assert found["review_wait"] == [240.0]
    assert found["rewritten"] == [0.25]


def test_facts_carry_what_was_known_by_then() -> None:
    facts = facts_of(
        story(
            OPENED,
            put_up("rev_1"),
            ("contact.corrected", {"reason": "warranty"}),
            ("review.reject", None, "rev_1"),
            put_up("rev_2", reason="warranty", tier="review_required"),
        ),
        None,
    )
    assert [(fact.part, fact.reason, fact.tier) for fact in facts] == [
        ("taken_up", "refund", "allowed"),
        ("draft_answer", "refund", "allowed"),
        ("first_owner", "warranty", "allowed"),
        ("reject", "warranty", "allowed"),
        ("review_wait", "warranty", "allowed"),
        ("draft_answer", "warranty", "review_required"),
    ]
    assert {fact.channel for fact in facts} == {"chat"}
    assert [fact.person for fact in facts if fact.part == "reject"] == ["per_1"]


def test_a_correction_that_is_taken_back_gives_the_former_reason_back() -> None:
    facts = facts_of(
        story(
            OPENED,
            put_up("rev_1"),
            ("contact.corrected", {"reason": "warranty", "was": "refund"}),
            ("contact.correction_undone", {"reason": "warranty", "was": "refund"}),
            ("contact.closed",),
        ),
        None,
    )
    assert facts[-1].reason == "refund"


def test_a_check_on_reviewers_counts_for_the_catch_rate_alone() -> None:
    seeded = ("contact.opened", {"channel": "email", "origin": "seeded"})
    told = [put_up("rev_1"), ("review.claimed", None, "rev_1"), ("review.approve", None, "rev_1")]
    end = ("seeded.resolved", {"outcome": "missed"}, "rev_1")
    assert set(counted(seeded, *told, end)) == {"seeded_missed"}
    known = Known("seeded", "email", "refund", "allowed", ())
    (fact,) = facts_of(story(*told, end), known)
    assert (fact.part, fact.person, fact.reason) == ("seeded_missed", "per_1", "refund")
    assert "seeded_missed" not in counted(OPENED, *told, end)


def test_a_stale_answer_is_counted_where_it_was_stopped_and_a_new_message_is_none() -> None:
    source, message = {"what": "source"}, {"what": "message"}
    found = counted(
        OPENED,
        put_up("rev_1"),
        ("review.withdrawn", {"why": "source.changed"}, "rev_1", "desk"),
        put_up("rev_2"),
        ("review.returned", {"changes": [message]}, "rev_2", "desk"),
        ("review.returned", {"changes": [message, source]}, "rev_2", "desk"),
        ("delivery.stopped", {"changes": [], "wrote_again": True}, "rev_2", "desk"),
        ("delivery.stopped", {"changes": [{"what": "conflict"}]}, "rev_2", "desk"),
        ("delivery.stopped", {"restored": True}, "rev_2", "desk"),
    )
    parts = ("stale_sweep", "stale_recheck", "stale_delivery")
    assert [len(found[part]) for part in parts] == [1, 1, 1]


def test_a_reply_to_a_question_back_neither_reopens_nor_is_the_question_an_answer() -> None:
    found = counted(
        OPENED,
        put_up("rev_1", kind="clarify"),
        ("delivery.sent", None, "rev_1", "desk"),
        ("contact.reopened", {"from": "waiting"}, None, "desk"),
        put_up("rev_2"),
        ("delivery.sent", None, "rev_2", "desk"),
        ("contact.reopened", {"from": "answered"}, None, "desk"),
    )
    assert len(found["sent"]) == len(found["reopened"]) == 1


def test_a_contact_complains_and_is_taken_up_once() -> None:
    found = counted(
        OPENED,
        put_up("rev_1"),
        put_up("rev_2", triggers=["complaint"]),
        put_up("rev_3", triggers=["complaint", "executive_complaint"]),
    )
    assert len(found["complaint"]) == len(found["taken_up"]) == 1


def test_events_of_an_earlier_version_are_read_with_what_the_record_says() -> None:
    known = Known("desk", "voice", "warranty", "allowed", ("complaint",))
    earlier = ("review.opened", {"kind": "abstain", "tier": "allowed"}, "rev_1", "desk")
    facts = facts_of(story(earlier), known)
    assert {(fact.reason, fact.channel) for fact in facts} == {("warranty", "voice")}
    assert {fact.part for fact in facts} == {"taken_up", "complaint", "draft_abstain"}


def test_an_escalation_is_counted_with_its_run_and_judged_by_a_verdict() -> None:
    ended: dict[str, Any] = {
        "outcome": "escalated",
        "tier": "escalate_first",
        "reason": None,
        "triggers": [],
    }
    found = counted(
        OPENED,
        ("run.recorded", ended, None, "desk"),
        ("escalation.judged", {"right": True}),
        ("escalation.judged", {"right": False}),
    )
    assert set(found) == {
        "taken_up", "escalated", "escalation_confirmed", "escalation_unneeded",
    }  # fmt: skip


def test_every_part_has_a_name_that_its_column_holds() -> None:
    from desk.metric_facts import PARTS

    assert max(map(len, PARTS)) <= 30
