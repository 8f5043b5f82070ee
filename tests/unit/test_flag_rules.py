"""How flags rank, what folds into one line, and what may be done with each."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from core.vocabulary import SourceFlagKind
from desk.flag_missing import Group, Question, findings_of
from desk.flag_rules import (
    FLAG_KINDS,
    FOLD_FROM,
    Band,
    Finding,
    Uses,
    actions_of,
    band_of,
    damage,
    fold_sentence,
    folded_kinds,
    often_rewritten,
    words_in_common,
)
from tests.factories import NOON

DAY = timedelta(days=1)


def uses(band: Band = "recent", count: int = 1, tier: str = "allowed") -> Uses:
    return Uses({(band, tier): count})


def rank(kind: SourceFlagKind = "overdue", resting: Uses | None = None, days: float = 0) -> float:
    return damage(kind, resting or uses(), NOON - days * DAY, NOON)


def test_what_waits_outranks_what_left_and_what_left_lately_what_left_long_ago() -> None:
    ranks = [rank(resting=uses(band)) for band in get_args(Band)]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == len(ranks)


def test_more_answers_a_stricter_tier_and_more_days_each_raise_the_rank() -> None:
    assert rank(resting=uses(count=2)) > rank()
    assert rank(resting=uses(tier="escalate_first")) > rank(resting=uses(tier="review_required"))
    assert rank(resting=uses(tier="review_required")) > rank()
    assert rank(days=30) == pytest.approx(2 * rank(), rel=0.01)
    assert rank(days=3650) == pytest.approx(4 * rank(), rel=0.01)


@pytest.mark.parametrize("unused", FLAG_KINDS)
@pytest.mark.parametrize("used", FLAG_KINDS)
def test_whatever_an_answer_uses_comes_before_whatever_none_uses(
    unused: SourceFlagKind, used: SourceFlagKind
) -> None:
    assert rank(used, uses("old")) > rank(unused, Uses(), days=3650)


def test_a_changed_fact_outranks_a_missing_owner() -> None:
    assert rank("changed") > rank("unowned")
    assert rank("changed", Uses()) > rank("unowned", Uses())


def test_time_makes_a_use_matter_less() -> None:
    moments = [NOON - days * DAY for days in (1, 31, 181)]
    assert [band_of("answered", at, NOON) for at in moments] == ["recent", "older", "old"]
    assert band_of("pending", NOON - 365 * DAY, NOON) == "pending"


def test_many_flags_of_one_kind_that_nothing_uses_become_one_line() -> None:
    assert folded_kinds({"unowned": FOLD_FROM, "overdue": FOLD_FROM - 1}) == {"unowned"}
    assert fold_sentence("unowned", 231).startswith("231 articles without an owner, none used")


def test_conflicts_changes_and_gaps_are_never_folded_away() -> None:
    many = dict.fromkeys(FLAG_KINDS, 1000)
    assert not folded_kinds(many) & {"conflict", "changed", "missing", "often_rewritten"}


def test_a_finding_is_the_same_while_its_subject_is() -> None:
    one = Finding("unowned", ("help/a.md",), "Nobody owns it.")
    assert one.key == Finding("unowned", ("help/a.md",), "Said otherwise.", owner="x").key
    assert one.key != Finding("overdue", ("help/a.md",), "Nobody owns it.").key


@pytest.mark.parametrize(
    ("rewritten", "drafts", "often"),
    [(2, 2, False), (3, 4, True), (3, 10, True), (3, 11, False), (30, 200, False), (4, 0, True)],
)
def test_a_few_changes_among_many_drafts_are_chance(
    rewritten: int, drafts: int, often: bool
) -> None:
    assert often_rewritten(rewritten, drafts) is often


@pytest.mark.parametrize("kind", FLAG_KINDS)
def test_every_open_flag_can_be_ended_and_handed_to_somebody(kind: SourceFlagKind) -> None:
    actions = actions_of(kind, "open", "", {})
    assert {"dismiss", "assign", "edit"} <= set(actions)
    assert "reopen" not in actions


def test_confirming_a_text_does_not_make_it_last_longer() -> None:
    assert "verify" in actions_of("overdue", "open", "", {"because": "review"})
    assert "verify" not in actions_of("overdue", "open", "", {"because": "ends"})


def test_what_a_person_decided_can_be_taken_back_and_what_went_by_itself_cannot() -> None:
    assert actions_of("conflict", "dismissed", "dismiss", {}) == ("reopen",)
    assert actions_of("conflict", "resolved", "archive", {}) == ("reopen",)
    assert actions_of("conflict", "resolved", "gone", {}) == ()


def test_a_group_of_questions_is_named_by_what_it_shares_and_others_lack() -> None:
    group = [["smartwatch", "app", "tracker"], ["tracker", "smartwatch", "install"]]
    assert words_in_common(group, {"tracker": 40, "app": 3})[0] == "smartwatch"


def test_a_gap_is_named_by_words_that_tell_what_it_is_about() -> None:
    texts = (
        "Because I moved, would you still deliver to Hawaii?",
        "Would you deliver to Hawaii? I ask because of a gift.",
    )
    questions = [
        Question(f"con_{place}", f"rev_{place}", text, NOON, "allowed", waits=True)
        for place, text in enumerate(texts)
    ]
    (found,) = findings_of([Group("g", questions)], NOON)
    assert found.evidence["words"][:2] == ["deliver", "hawaii"]
    assert "because" not in found.evidence["words"]
