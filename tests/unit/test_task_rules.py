"""What becomes a task, whose it is, and what closes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.vocabulary import RejectReason
from desk.rhythm_settings import RhythmSettings
from desk.task_rules import (
    Names,
    Proposal,
    Seen,
    SeenCorrection,
    SeenEscalation,
    SeenFlag,
    SeenLapse,
    SeenMacro,
    SeenReject,
    SeenSilence,
    Source,
    Work,
    crowded,
    done_by,
    is_new,
    medoid,
    proposals,
    rule_of,
    suggested_edit,
)

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
SETTINGS = RhythmSettings()
POLICY = Source("help/returns.md", "Return policy", "Priya")
TABLE = Source("help/plans.md", "Compare plans", None)
NAMES = Names(
    reasons={"refund": "Refunds", "order": "Orders"},
    owners={"refund": "Returns", "order": None},
    people={"per_1": "Mina"},
    digests={"reasons.yaml:refund": "abc", "tiers.yaml:fraud": "def"},
)


def reject(number: int, why: RejectReason, days: float = 0, **changes: Any) -> SeenReject:
    plain = SeenReject(
        f"rev_{number}", NOW - timedelta(days=days), why, "refund", "extractive", (POLICY,)
    )
    return replace(plain, **changes)


def ruled(done: dict[str, datetime] | None = None, **seen: Any) -> list[Proposal]:
    return proposals(Seen(**seen), SETTINGS, NAMES, done or {})


def test_a_wrong_source_goes_to_who_owns_the_article_that_was_replaced() -> None:
    (task,) = ruled(
        rejects=[reject(1, "wrong_source", sources=(TABLE, POLICY), instead=(POLICY.id, "x"))]
    )
    assert (task.kind, task.owner) == ("article_change", "content_owner")
    assert "Compare plans" in task.title
    assert task.evidence["instead"] == [POLICY.id, "x"]


def test_an_outdated_macro_is_a_macro_to_update() -> None:
    macro = Source("macros/m.md", "How long", "Joel", is_macro=True)
    (task,) = ruled(rejects=[reject(1, "out_of_date", sources=(macro,))])
    assert (task.kind, task.owner) == ("macro_update", "Joel")


@pytest.mark.parametrize(
    ("rule", "owner", "named"),
    [
        ("reasons.yaml:refund/tier", "Returns", "reasons.yaml:refund"),
        ("tiers.yaml:fraud/examples[123]@5168ade6", "admin", "tiers.yaml:fraud"),
        ("", "Returns", "reasons.yaml:refund"),
    ],
)
def test_a_wrong_tier_goes_to_who_owns_the_rule(rule: str, owner: str, named: str) -> None:
    (task,) = ruled(rejects=[reject(1, "wrong_tier", rule=rule)])
    assert (task.kind, task.owner, task.evidence["rule"]) == ("routing_fix", owner, named)
    assert task.evidence["rule_digest"] == NAMES.digests[named]


def test_tone_is_coaching_for_a_persons_words_and_an_articles_matter_for_its_own() -> None:
    (coach,) = ruled(rejects=[reject(1, "tone", drafter="person:per_1")])
    assert (coach.kind, coach.owner) == ("coaching", "supervisor")
    assert "Mina" in coach.title
    (article,) = ruled(rejects=[reject(1, "tone")])
    assert (article.kind, article.owner) == ("article_change", "Priya")
    (model,) = ruled(rejects=[reject(1, "tone", drafter="model:small")])
    assert (model.kind, model.owner) == ("coaching", "admin")


def test_one_incomplete_draft_is_no_task_and_three_in_a_week_are() -> None:
    few = [reject(1, "incomplete", 1), reject(2, "incomplete", 2)]
    assert ruled(rejects=few) == []
    assert ruled(rejects=[*few, reject(3, "incomplete", 20)]) == []
    (task,) = ruled(rejects=[*few, reject(3, "incomplete", 6)])
    assert (task.kind, task.evidence["count"]) == ("article_change", 3)


def test_what_no_article_shares_is_a_note_for_those_who_answer_the_reason() -> None:
    some = [
        reject(n, "wrong_answer", n, sources=(Source(f"help/{n}.md", str(n), None),))
        for n in range(3)
    ]
    (task,) = ruled(rejects=some)
    assert (task.kind, task.owner) == ("training_note", "Returns")
    assert "“Refunds”" in task.title


def test_what_was_seen_before_a_task_was_done_counts_no_more() -> None:
    before = reject(1, "out_of_date", 3)
    key = f"out_of_date:{POLICY.id}"
    assert ruled({key: NOW - timedelta(days=1)}, rejects=[before]) == []
    (task,) = ruled({key: NOW - timedelta(days=1)}, rejects=[before, reject(2, "out_of_date")])
    assert task.evidence["seen"] == ["rev_2"]


def test_corrections_in_one_direction_ask_for_examples_of_the_right_reason() -> None:
    some = [SeenCorrection(f"cor_{n}", NOW, "order", "refund") for n in range(3)]
    other = [SeenCorrection("cor_9", NOW, "refund", "order")]
    (task,) = ruled(corrections=[*some, *other])
    assert (task.kind, task.owner, task.evidence["other_way"]) == ("routing_fix", "Returns", 1)
    assert task.title == "3 contacts about “Refunds” were taken for “Orders”."
    assert ruled(corrections=some[:2]) == []


def test_what_reviewers_keep_escalating_by_hand_is_a_routing_fix() -> None:
    some = [SeenEscalation(f"rev_{n}", NOW - timedelta(days=n), "refund") for n in range(3)]
    (task,) = ruled(escalations=some)
    assert (task.kind, task.evidence["rule"]) == ("routing_fix", "reasons.yaml:refund")


def test_flags_and_macros_become_tasks_from_their_threshold_on() -> None:
    gap = SeenFlag("flg_1", "missing", NOW, None, None, ("rev_1",), 2, 2, ("watch", "app"))
    assert ruled(flags=[gap]) == []
    (asked,) = ruled(flags=[replace(gap, count=3)])
    assert asked.title.startswith("Write an article about watch and app: 3 customers")
    often = SeenFlag("flg_2", "often_rewritten", NOW, None, POLICY, ("rev_1",), 3, 7)
    (rewritten,) = ruled(flags=[often])
    assert (rewritten.owner, rewritten.evidence["article"]) == ("Priya", POLICY.id)
    (macro,) = ruled(macros=[SeenMacro(replace(POLICY, is_macro=True), NOW, "It says 60 days.")])
    assert (macro.kind, macro.title.endswith("It says 60 days.")) == ("macro_update", True)


def test_a_macro_that_is_withheld_again_for_the_same_fault_is_a_task_again() -> None:
    macro = SeenMacro(replace(POLICY, is_macro=True), NOW, "It says 60 days.")
    (first,) = ruled(macros=[macro])
    (same,) = ruled(macros=[macro])
    assert not is_new(same.evidence, [first.evidence])
    (again,) = ruled(macros=[replace(macro, at=NOW + timedelta(days=9))])
    assert is_new(again.evidence, [first.evidence])
    (at_first,) = ruled(macros=[replace(macro, at=None)])
    assert not is_new(at_first.evidence, [at_first.evidence])


def test_a_reason_that_many_ask_in_vain_is_told_with_its_denominator() -> None:
    silence = SeenSilence("refund", NOW, ("a", "b", "c"), 8, POLICY.id, "Priya")
    (task,) = ruled(silences=[silence])
    assert "3 of 8 contacts about “Refunds”" in task.title
    assert ruled(silences=[replace(silence, of=20)]) == []


def test_new_evidence_is_an_id_that_no_former_task_had() -> None:
    assert not is_new({"seen": ["a"], "count": 1}, [{"seen": ["a", "b"], "count": 2}])
    assert is_new({"seen": ["a", "c"]}, [{"seen": ["a"]}, {"seen": ["b"]}])
    assert is_new({"note": 2}, [{"note": 1}])
    assert not is_new({"note": 1}, [{"note": 1}])


def lapse(number: int, what: Any = "seeded_missed", **changes: Any) -> SeenLapse:
    plain = SeenLapse(f"chk_{number}", what, NOW, "per_1", "refund", ("old_value",))
    return replace(plain, **changes)


def test_the_second_lapse_of_a_person_asks_for_coaching_with_its_denominator() -> None:
    assert ruled(lapses=[lapse(1)]) == []
    (task,) = ruled(lapses=[lapse(1), lapse(2)], looked_at={("seeded_missed", "per_1"): 9})
    assert (task.kind, task.owner) == ("coaching", "supervisor")
    assert "Mina: 2 of 9 seeded checks were approved with their fault (old value)" in task.title
    assert ruled(lapses=[lapse(1, person="autopilot"), lapse(2, person="autopilot")]) == []


def test_readings_that_fail_one_reason_are_a_note_for_its_team() -> None:
    some = [lapse(n, "qa_failed", person="", items=("accurate",)) for n in range(3)]
    (task,) = ruled(lapses=some)
    assert (task.kind, task.owner) == ("training_note", "Returns")
    assert "3 answers about “Refunds” failed when they were read (accurate)." in task.title


LAST = (NOW - timedelta(weeks=4)).isoformat()


@pytest.mark.parametrize(
    ("evidence", "work", "cause"),
    [
        ({}, Work(version=4), "Version 4"),
        ({}, Work(out_of_use=True), "no longer in use"),
        ({"why": "withheld"}, Work(released=True), "in use again"),
        ({"flag": "f"}, Work(flag_ended="archive"), "archive"),
        ({"rule": "r", "rule_digest": "a"}, Work(rule_digest="b"), "was edited"),
        ({"last_at": LAST}, Work(decided=5), "not seen again for 3 weeks"),
    ],
)
def test_work_closes_a_task_and_says_how(evidence: Any, work: Work, cause: str) -> None:
    said = done_by("article_change", evidence, work, NOW, SETTINGS)
    assert said is not None
    assert cause in said


@pytest.mark.parametrize(
    ("evidence", "work"),
    [
        ({}, Work()),
        ({"rule": "r", "rule_digest": "a"}, Work(rule_digest="a")),
        ({"last_at": LAST}, Work(decided=2)),  # nothing was decided: silence says nothing
        ({"why": "withheld", "last_at": LAST}, Work(version=3, decided=9)),
        ({"last_at": NOW.isoformat()}, Work(decided=9)),
    ],
)
def test_a_task_stands_while_nothing_was_done(evidence: Any, work: Work) -> None:
    assert done_by("article_change", evidence, work, NOW, SETTINGS) is None


def test_a_new_text_of_an_article_does_not_close_what_is_no_matter_of_it() -> None:
    assert done_by("routing_fix", {}, Work(version=4), NOW, SETTINGS) is None


def test_crowded_slides_over_the_moments() -> None:
    days = [NOW - timedelta(days=n) for n in (0, 10, 11, 12, 30)]
    assert crowded(days, 3, timedelta(days=2))
    assert not crowded(days, 4, timedelta(days=7))


def test_the_suggested_edit_is_the_rewrite_most_like_the_others() -> None:
    edit = suggested_edit(
        [
            ("It takes 5 days.", "It takes 5 business days."),
            ("It takes 5 days.", "It takes 5 business days, Mrs Hill."),
            ("It takes 5 days.", "Five days!"),
            ("Other.", "Another."),
        ]
    )
    assert edit is not None
    assert (edit.before, edit.after, edit.written) == (
        "It takes 5 days.",
        "It takes 5 business days.",
        3,
    )
    struck = suggested_edit([("A.", ""), ("A.", ""), ("A.", "B.")])
    assert struck is not None
    assert struck.after == ""
    assert suggested_edit([]) is None
    assert medoid(["one"]) == "one"


def test_a_rule_is_named_without_its_example_and_version() -> None:
    assert rule_of("tiers.yaml:fraud/examples[123]@5168ade6") == "tiers.yaml:fraud"
    assert rule_of("tiers.yaml:legal_threat/words@9b7ce75c") == "tiers.yaml:legal_threat"
    assert rule_of("reasons.yaml:refund/tier") == "reasons.yaml:refund"
    assert rule_of("") == ""
