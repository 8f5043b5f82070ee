"""What the days of the week say, and what they keep to themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from desk.rhythm_reads import lacking
from desk.rhythm_reports import report_files
from desk.rhythm_rules import (
    Confidence,
    Handed,
    Outcomes,
    ReasonWeek,
    SourcesRead,
    Unanswered,
    beside,
    day_of,
    friday,
    monday,
    thursday,
    tuesday,
    wednesday,
    week_of,
)
from desk.rhythm_settings import RhythmSettings
from desk.shares import Share

WEDNESDAY = datetime(2026, 6, 3, 12, tzinfo=UTC)


def test_a_week_is_told_beside_the_one_before() -> None:
    assert beside(Share(2, 4), Share(1, 5)) == "the week before 1 of 5"
    assert "clearly more than" in beside(Share(18, 20), Share(4, 20))
    assert "none to compare" in beside(Share(1, 2), Share())


EMPTY = Unanswered(Share(), Share(), {}, {}, 0, (), 0, (0, 0), ())


def test_monday_tells_shares_themes_and_gaps_nobody_shares() -> None:
    told = monday(
        replace(
            EMPTY,
            now=Share(7, 40),
            before=Share(5, 40),
            by_reason={"Offline": Share(6, 7), "Refunds": Share(1, 33)},
            gaps=[(f"flg_{n}", 1, 1) for n in range(5)],
            themes=[("watch, app", 2)],
        )
    )
    said = " ".join(told.sentences)
    assert "7 of 40 contacts (18%) had no source" in said
    assert "“Offline”: 6 of 7; all others 3% (1 of 33)" in said
    assert "2 of the open questions ask for the same: watch, app." in said
    assert "Every other open gap was asked about once" in said
    assert [one.subject_id for one in told.found] == [f"flg_{n}" for n in range(5)]
    assert "Nothing was drafted" in monday(EMPTY).sentences[0]


def test_tuesday_says_when_nobody_ends_anything() -> None:
    read = SourcesRead(
        flags=[(f"flg_{n}", "overdue", n) for n in range(4)],
        open=(260, 3),
        opened=(5, 1),
        ended=(0, 2),
        new_articles=1,
        new_versions=2,
        changed=1,
        reworded=0,
        titles=["Refunds", "Plans"],
        told_old=[("con_1", WEDNESDAY)],
        waiting=0,
        withheld=0,
        due=[("help/a.md", WEDNESDAY)],
    )
    told = tuesday(read)
    said = " ".join(told.sentences)
    assert "1 passage tells a reader something else, 0 passages were only reworded" in said
    assert "Changed: “Refunds”, “Plans”." in said
    assert "1 contact was told what has changed since" in said
    assert "3 of 260 open flags on sources touch an answer" in said
    assert "5 flags came up in these seven days and none was ended. The pile grows." in said
    assert [one.why for one in told.found] == ["told_old", *["overdue"] * 4, "due"]
    figures = {one.name: (one.value, one.before) for one in told.figures}
    assert figures["Flags ended"] == ("0", "2")
    assert "2 were ended." in " ".join(tuesday(replace(read, ended=(2, 0))).sentences)
    assert "none was ended" not in " ".join(tuesday(replace(read, ended=(1, 0))).sentences)


@pytest.mark.parametrize(
    ("unsure", "sure", "verdict"),
    [
        (Outcomes(approved=2, stopped=8), Outcomes(approved=30), "doubt is worth heeding"),
        (Outcomes(approved=30), Outcomes(approved=2, edited=8), "points the wrong way"),
        (Outcomes(approved=2, edited=1), Outcomes(approved=4, edited=3), "So few cannot show"),
    ],
)
def test_wednesday_weighs_doubt_by_what_became_of_it(
    unsure: Outcomes, sure: Outcomes, verdict: str
) -> None:
    waits, wrong = [("rev_1", {"reason": ""})], [("rev_2", {"decided": "reject"})]
    read = Confidence(unsure, sure, Share(), waits, wrong, [("A", "B", 3)], 2)
    told = wednesday(read)
    said = " ".join(told.sentences)
    assert verdict in said
    assert "It wavered 3 times between “A” and “B”." in said
    assert [one.why for one in told.found] == ["sure_but_wrong", "unsure"]


HANDED = Handed("con_1", "Billing", False, (), 30.0, 100.0, True, False, "tiers.yaml:fraud")


def test_thursday_tells_what_briefs_lack_and_who_waits_longest() -> None:
    old = replace(HANDED, contact="con_4", touched_minutes=None, age_minutes=30_000.0)
    grave = replace(old, contact="con_5", age_minutes=100.0, rank=-9)
    told = thursday(
        [
            HANDED,
            replace(HANDED, contact="con_2", lacks=("sources",), touched_minutes=600.0),
            replace(HANDED, contact="con_3", touched_minutes=None, verdict=None),
        ],
        [],
        [old, grave],
    )
    said = " ".join(told.sentences)
    assert "2 of 3 briefs held all that is needed" in said
    assert "What was missing: sources (1)." in said
    assert "within 30 min, the slowest after 10.0 h; 1 of 3 wait untouched" in said
    assert "more than once: fraud (3)" in said
    assert "2 of 2 that were judged needed a person" in said
    assert "2 contacts handed over earlier still wait" in said
    assert [(one.subject_id, one.why) for one in told.found] == [
        ("con_5", "untouched"),
        ("con_4", "untouched"),
        ("con_3", "untouched"),
        ("con_2", "incomplete"),
    ]


def test_thursday_does_not_take_silence_for_agreement() -> None:
    told = thursday([replace(HANDED, verdict=None)], [])
    assert "Nobody has judged whether they needed a person" in " ".join(told.sentences)


BRIEF = {"question": "q", "next_step": "n", "sources": [1], "missing": [], "triggers": []}


def test_a_brief_lacks_what_the_next_person_needs() -> None:
    assert lacking(BRIEF, "Billing") == ()
    assert lacking(BRIEF, None) == ("owner",)
    assert lacking({**BRIEF, "sources": [], "missing": ["order"]}, "B") == (
        "sources",
        "required: order",
    )
    crisis = {**BRIEF, "sources": [], "triggers": [{"id": "crisis"}]}
    assert lacking(crisis, "B") == ("instruction",)
    assert lacking({**crisis, "instruction": "Call."}, "B") == ()


REFUND = ReasonWeek("refund", "Refunds", "review", approved=20, counted=20)


def test_friday_tells_what_to_sign_what_fell_and_what_was_changed_most() -> None:
    told = friday(
        [
            replace(REFUND, state="eligible", approved=70, counted=70),
            replace(REFUND, id="b", name="Battery", approved=10, edited=8, rejected=2, counted=0),
            replace(REFUND, id="c", name="Chat", approved=0, counted=0),
            replace(REFUND, id="d", name="Delivery", demoted=True, cause="A draft was rejected."),
        ]
    )
    said = " ".join(told.sentences)
    assert "3 review, 1 eligible" in said
    assert "“Delivery” went back to review: A draft was rejected." in said
    assert "“Refunds” may be signed: 70 of 70 left as drafted." in said
    assert "1 contact reason had drafts rejected" in said
    assert "“Battery” is changed most: 50% (10 of 20)" in said
    figures = {one.name: one.value for one in told.figures}
    assert figures["Let out and counted towards autonomy, four weeks"] == "83% (90 of 108)"
    assert [one.why for one in told.found] == ["demoted", "eligible", "worst"]
    assert told.found[-1].figures["did"] == "10 of 20 left as drafted, 8 edited, 2 rejected"


def test_friday_names_what_the_nearest_reason_lacks() -> None:
    told = friday([replace(REFUND, missing=("39 more clean answers.",))])
    said = " ".join(told.sentences)
    assert "The nearest is “Refunds” with 20 answers that count. 39 more clean answers." in said
    spoilt = friday([replace(REFUND, reopened=1)])
    assert "nothing against it" in " ".join(spoilt.sentences)
    assert "1 came back" in spoilt.found[0].figures["did"]


def test_days_and_weeks() -> None:
    assert day_of(WEDNESDAY) == "wednesday"
    assert day_of(WEDNESDAY + timedelta(days=4)) == "friday"
    assert week_of(WEDNESDAY).isoformat() == "2026-06-01"


def test_a_day_has_one_report_of_each_form() -> None:
    names = [path.name for path in report_files(Path("r"), WEDNESDAY)]
    assert names == ["2026-W23-3-wednesday.md", "2026-W23-3-wednesday.html"]


def test_settings_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValidationError):
        RhythmSettings.model_validate({"repeat": 3})
    with pytest.raises(ValidationError):
        RhythmSettings(repeats=1)
