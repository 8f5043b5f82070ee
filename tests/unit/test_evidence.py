from __future__ import annotations

from collections.abc import Sequence

import pytest

from graph.evidence import (
    Recheck,
    Sight,
    changes_since,
    dispute_findings,
    disputes_of,
    evidence_of,
)
from graph.values import Dispute, Draft
from kb.changes import Change, ChangeJudge, FactChange
from kb.content import Passage
from tests.factories import draft_from, passage

OLD = passage("Refunds take 5 days.")
NEW = passage("Refunds take 9 days.", id="ver_2#0", version_id="ver_2", version=2)
DRAFT = draft_from(OLD)
EVIDENCE = evidence_of(DRAFT, "msg_1")


class Says:
    """A judge that answers as told, and fails when it is not meant to be asked."""

    def __init__(self, answer: Change | None = None) -> None:
        self._answer = answer

    def judge(self, old: str, new: str) -> Change:
        assert self._answer is not None, f"nobody should compare {old!r} with {new!r}"
        return self._answer


REWORDED = Says(Change("same", 0.1))
CHANGED = Says(Change("changed", 0.9, (FactChange("duration", "5 days", "9 days", 13, 13),)))
NOT_ASKED = Says()


def recheck(
    newer: Sequence[Passage] | None = None,
    judge: Says | ChangeJudge = NOT_ASKED,
    *,
    older: Sequence[Passage] = (OLD,),
    draft: Draft = DRAFT,
    message: str = "msg_1",
) -> Recheck:
    """Look again at an approval bound to ``OLD``; None: its version is still the one in force."""
    versions = {"ver_1": older} if newer is None else {"ver_1": older, "ver_2": newer}
    sight = Sight(
        last_message_id=message,
        in_force={"help/refunds.md": "ver_1" if newer is None else "ver_2"},
        cited={p.id: p for p in older},
        versions=versions,
    )
    return changes_since(evidence_of(draft, "msg_1"), draft, sight, judge)


def test_nothing_changed_means_the_approval_goes_through() -> None:
    assert recheck() == Recheck([], [])


def test_a_changed_fact_stops_it_and_shows_old_beside_new() -> None:
    (change,) = recheck([NEW], CHANGED).stops
    assert (change["old"], change["new"]) == ("Refunds take 5 days.", "Refunds take 9 days.")
    assert change["facts"] == [{"kind": "duration", "old": "5 days", "new": "9 days"}]
    assert change["sentence"] == (
        "“Refunds” has a newer version, which says “9 days” where it said “5 days”."
    )


def test_a_rewording_lets_it_through_and_is_noted() -> None:
    reworded = passage("A refund takes 5 days.", id="ver_2#0", version_id="ver_2", version=2)
    found = recheck([reworded], REWORDED)
    assert found.stops == []
    (note,) = found.notes
    assert note["sentence"] == "“Refunds” was reworded; the facts of the cited passage stand."


def test_a_version_in_which_the_passage_reads_the_same_is_noted_without_judging() -> None:
    same = passage(OLD.plain, id="ver_2#3", version_id="ver_2", version=2)
    found = recheck([same])
    assert found.stops == []
    assert "reads the same" in found.notes[0]["sentence"]


def test_a_value_that_changed_in_a_sentence_the_draft_does_not_use_is_noted() -> None:
    text = "Refunds take 5 days. Gift vouchers expire after 12 months."
    old = passage(text)
    new = passage(text.replace("12", "18"), id="ver_2#0", version_id="ver_2", version=2)
    draft = draft_from(old)
    draft["sentences"][0]["text"] = "Refunds take 5 days."
    draft["sentences"][0]["citations"][0]["quote"] = "Refunds take 5 days."
    judge = Says(
        Change("changed", 0.9, (FactChange("duration", "12 months", "18 months", 49, 49),))
    )
    assert recheck([new], judge, older=[old], draft=draft).stops == []
    whole = draft_from(old)
    assert recheck([new], judge, older=[old], draft=whole).stops != []


@pytest.mark.parametrize("said", ["That is $0.06 a minute.", "A minute is six cents."])
def test_a_value_that_changed_in_a_row_stops_a_draft_that_repeats_none_of_its_labels(
    said: str,
) -> None:
    plain = "Operating system: macOS; Per-minute rate (USD): $0.06"
    old = passage("| macOS | $0.06 |", plain=plain)
    new = passage(
        "| macOS | $0.08 |",
        plain=plain.replace("6", "8"),
        id="ver_2#0",
        version_id="ver_2",
        version=2,
    )
    draft = draft_from(old)
    draft["sentences"][0]["text"] = said
    draft["sentences"][0]["citations"][0]["quote"] = "| macOS | $0.06 |"
    judge = Says(Change("changed", 0.9, (FactChange("amount", "$0.06", "$0.08", 48, 48),)))
    (change,) = recheck([new], judge, older=[old], draft=draft).stops
    assert "“$0.08” where it said “$0.06”" in change["sentence"]


def test_a_draft_that_says_the_old_value_in_words_of_its_own_is_stopped() -> None:
    text = "Refunds take 5 days. Gift vouchers bought in our shops expire after 12 months."
    old = passage(text)
    new = passage(text.replace("12", "18"), id="ver_2#0", version_id="ver_2", version=2)
    draft = draft_from(old)
    draft["sentences"][0]["text"] = "You have 12 months."
    draft["sentences"][0]["citations"][0]["quote"] = "Refunds take 5 days."
    at = text.index("12")
    judge = Says(
        Change("changed", 0.9, (FactChange("duration", "12 months", "18 months", at, at),))
    )
    assert recheck([new], judge, older=[old], draft=draft).stops != []


@pytest.mark.parametrize(
    ("old", "new"), [("$50", "$80"), ("4 days", "6 days"), ("10", "20"), ("5", "3")]
)
def test_the_figures_within_another_value_are_not_the_old_value(old: str, new: str) -> None:
    text = f"Shipping costs $4.50 and takes 2.4 days, 10.5 in winter. Dearer orders need {old}."
    before = passage(text)
    after = passage(text.replace(f"need {old}", f"need {new}"), id="ver_2#0", version_id="ver_2")
    draft = draft_from(before)
    draft["sentences"][0]["text"] = "Shipping costs $4.50."
    draft["sentences"][0]["citations"][0]["quote"] = text.partition(". D")[0] + "."
    at = text.rindex(old)
    judge = Says(Change("changed", 0.9, (FactChange("amount", old, new, at, at),)))
    assert recheck([after], judge, older=[before], draft=draft).stops == []


def test_a_limit_added_to_the_passage_stops_it_wherever_it_stands() -> None:
    new = passage("Refunds take 5 days. Sale items are excluded.", id="ver_2#0", version_id="ver_2")
    judge = Says(Change("added", 0.8, (FactChange("statement", "", "Sale items are excluded."),)))
    (change,) = recheck([new], judge).stops
    assert "now also says “Sale items are excluded.”" in change["sentence"]


def test_a_new_passage_beside_it_on_the_same_subject_stops_it() -> None:
    same = passage(OLD.plain, id="ver_2#0", version_id="ver_2")
    exception = passage(
        "For sale items, no refunds are given, whatever the days.", id="ver_2#1", version_id="ver_2"
    )
    (change,) = recheck([same, exception]).stops
    assert change["new"] == exception.plain
    unrelated = passage("Our office is in Leeds.", id="ver_2#1", version_id="ver_2")
    assert recheck([same, unrelated]).stops == []


def test_a_new_section_elsewhere_that_contradicts_it_stops_it() -> None:
    same = passage(OLD.plain, id="ver_2#1", version_id="ver_2")
    update = passage(
        "Refunds take 9 days.", id="ver_2#0", version_id="ver_2", anchor="update", heading_path=()
    )
    elsewhere = passage(
        "Refund requests are read in 2 days.", id="ver_2#2", version_id="ver_2", anchor="requests"
    )
    (change,) = recheck([update, same, elsewhere]).stops
    assert change["new"] == "Refunds take 9 days."
    assert recheck([same, elsewhere]).stops == []


def test_a_passage_that_left_stops_it() -> None:
    other = passage("Our office is in Leeds.", id="ver_2#0", version_id="ver_2", anchor="office")
    (change,) = recheck([other]).stops
    assert "no longer holds" in change["sentence"]


def test_an_article_that_is_gone_stops_it() -> None:
    sight = Sight("msg_1", {}, {OLD.id: OLD})
    (change,) = changes_since(EVIDENCE, DRAFT, sight, NOT_ASKED).stops
    assert change["sentence"] == "“Refunds” is no longer in force."


def test_a_passage_that_was_tampered_with_stops_it() -> None:
    tampered = passage("Refunds take 1 day.")
    sight = Sight("msg_1", {"help/refunds.md": "ver_1"}, {OLD.id: tampered})
    (change,) = changes_since(EVIDENCE, DRAFT, sight, NOT_ASKED).stops
    assert "is not what was reviewed" in change["sentence"]


def test_a_new_message_stops_it() -> None:
    (change,) = recheck(message="msg_2").stops
    assert change["what"] == "message"


def test_an_edited_draft_stops_it() -> None:
    edited = draft_from(OLD, opening="Dear Ada,")
    sight = Sight("msg_1", {"help/refunds.md": "ver_1"}, {OLD.id: OLD})
    (change,) = changes_since(EVIDENCE, edited, sight, NOT_ASKED).stops
    assert change["what"] == "draft"


def dispute(cited: Passage = OLD, old: str = "5 days") -> Dispute:
    return {
        "id": "flg_1",
        "passage_id": cited.id,
        "title": "Billing",
        "text": "A refund takes 14 days.",
        "facts": [{"kind": "duration", "old": old, "new": "14 days"}],
    }


class Disputed:
    """Knows one contradiction."""

    def of(self, passages: Sequence[Passage]) -> list[Dispute]:
        return [dispute()] if OLD in passages else []


def test_a_disputed_source_is_held_against_the_sentence_that_rests_on_it() -> None:
    (finding,) = dispute_findings(DRAFT, disputes_of(DRAFT, [OLD], Disputed()))
    assert (finding["sentence"], finding["rule"]) == (0, "conflict")
    assert finding["message"] == (
        "“Billing” is in force too and says “14 days” where this source says “5 days”."
    )


def test_a_dispute_about_something_the_draft_does_not_say_is_not_held_against_it() -> None:
    assert dispute_findings(DRAFT, [dispute(old="10 euros")]) == []


def test_a_contradiction_that_came_after_the_review_was_opened_stops_it() -> None:
    sight = Sight("msg_1", {"help/refunds.md": "ver_1"}, {OLD.id: OLD}, disputes=[dispute()])
    (change,) = changes_since(EVIDENCE, DRAFT, sight, NOT_ASKED).stops
    assert (change["what"], change["new"]) == ("conflict", "A refund takes 14 days.")
    shown = evidence_of(DRAFT, "msg_1", [dispute()])
    assert changes_since(shown, DRAFT, sight, NOT_ASKED).stops == [], "approved in spite of it"


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("Refunds take 9 days.", True),
        ("Refunds never take 5 days.", True),
        ("Refunds take five days.", False),
    ],
)
def test_with_the_real_judge(text: str, stops: bool) -> None:
    new = passage(text, id="ver_2#0", version_id="ver_2", version=2)
    assert bool(recheck([new], ChangeJudge()).stops) is stops
