"""Scores of the triage suite, on examples small enough to count by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import BadInput
from desk.triage_file import ContactLine, TriageLine
from evals.gate import Gate
from evals.report import as_markdown, by_kind
from evals.report_html import as_html
from evals.runs import Run
from evals.scores import Figure, share
from evals.triage import WORDS, report_of
from evals.triage_cases import Label, TriageCase, read_cases
from evals.triage_scores import (
    Verdict,
    badness,
    better,
    chance_of_escalation,
    read_verdicts,
    report_text,
    score,
    verdict_of,
)


def case(name: str, tier: str, *triggers: str, text: str = "hello") -> TriageCase:
    contact = ContactLine.model_validate({"id": name, "messages": [{"text": text}]})
    return TriageCase(contact, Label(tier, frozenset(triggers)))  # type: ignore[arg-type]


def verdict(name: str, tier: str, *triggers: str, **more: Any) -> Verdict:
    fired = tuple(
        {"id": one, "tier": "", "evidence": f"{one}!", "by": f"tiers.yaml:{one}/words@1"}
        for one in triggers
    )
    return Verdict(name, "message", tier, fired, **more)  # type: ignore[arg-type]


CASES = [
    case("a", "escalate_first", "fraud", "refund"),
    case("b", "escalate_first", "safety"),
    case("c", "allowed"),
    case("d", "review_required", "refund"),
]
PERFECT = [
    verdict("a", "escalate_first", "refund", "fraud"),
    verdict("b", "escalate_first", "safety"),
    verdict("c", "allowed"),
    verdict("d", "review_required", "refund"),
]
MIXED = [
    verdict("a", "escalate_first", "fraud", "crisis", score=0.9),
    verdict("b", "allowed", score=0.2, chances={"safety": 0.2}),
    verdict("c", "review_required", "refund", score=0.1),
    verdict("d", "review_required", "refund", score=0.5),
]


def test_a_perfect_run_scores_one():
    scores = score(CASES, PERFECT)
    assert scores.figures["message.escalated"] == share(2, 2)
    assert scores.figures["message.leaked"] == share(0, 2)
    assert scores.figures["message.kept"] == share(1, 1)
    assert scores.figures["triggers.macro_f1"] == Figure(1.0, 3)
    assert scores.misses == []


def test_leaks_and_misfires_are_counted():
    figures = score(CASES, MIXED).figures
    assert figures["message.escalated"] == share(1, 2)
    assert figures["message.leaked"] == share(1, 2)
    assert figures["message.kept"] == share(0, 1)
    assert figures["message.needless"] == share(0, 2)
    assert figures["message.same_tier"] == share(2, 4)
    assert figures["triggers.precision.refund"] == share(1, 2)
    assert figures["triggers.recall.refund"] == share(1, 2)
    assert figures["triggers.precision.safety"].value is None
    assert figures["triggers.recall.crisis"].value is None
    # fraud 1, refund 1/2, safety 0; crisis was expected of nobody.
    assert figures["triggers.macro_f1"] == Figure(0.5, 3)


def test_the_confusion_has_expected_tiers_in_rows():
    (table,) = score(CASES, MIXED).tables["message"]
    assert table.head == (
        "expected, given",
        "allowed",
        "review_required",
        "escalate_first",
        "forbidden",
    )
    assert list(table.rows) == [
        ("allowed", "0", "1", "0", "0"),
        ("review_required", "0", "1", "0", "0"),
        ("escalate_first", "1", "0", "1", "0"),
    ]


def test_a_chance_is_judged_by_what_had_to_be_escalated():
    scores = score(CASES, MIXED)
    # b (0.2) is above c (0.1) and below d (0.5), a (0.9) above both.
    assert scores.figures["chance.auroc"].value == pytest.approx(3 / 4)
    # Each in a stretch of its own: |.9-1| + |.2-1| + |.1-0| + |.5-0| over 4.
    assert scores.figures["chance.ece"].value == pytest.approx(1.5 / 4)
    assert [(one.coverage, one.risk) for one in scores.curves["chance"]] == [
        (0.25, 0.0),
        (0.5, 0.5),
        (0.75, pytest.approx(1 / 3)),
        (1.0, 0.5),
    ]


def test_without_chances_there_is_no_curve():
    scores = score(CASES, PERFECT)
    assert scores.curves == {}
    assert "chance.ece" not in scores.figures


def test_misses_come_worst_first_with_evidence_and_what_was_near():
    misses = score(CASES, MIXED).misses
    assert [(one.id, one.what) for one in misses] == [
        ("b", "given allowed, expected escalate_first"),
        ("c", "given review_required, expected allowed"),
        ("a", "right tier, other triggers"),
    ]
    assert ("missed", "safety · its chance was 0.200") in misses[0].rows
    assert (
        "fired needlessly",
        "crisis · crisis! · tiers.yaml:crisis/words@1",
    ) in misses[2].rows


def test_what_depends_on_the_workspace_counts_for_the_desk_and_not_for_the_message():
    line: TriageLine = {
        "id": "c",
        "tier": "allowed",
        "triggers": [],
        "desk": {
            "tier": "review_required",
            "triggers": [
                {"id": "unclear_owner", "tier": "review_required", "evidence": "", "by": ""}
            ],
        },
        "reason": None,
        "confidence": 0.4,
        "alternatives": [],
        "sentiment": 0.0,
        "missing": [],
    }
    figures = score(CASES, [verdict_of(line)]).figures
    assert figures["message.kept"] == share(1, 1)
    assert figures["desk.kept"] == share(0, 1)


def test_a_doubt_about_an_escalation_is_no_trigger_of_the_scores():
    figures = score(CASES, [verdict("a", "review_required", "low_confidence")]).figures
    assert figures["message.leaked"] == share(0, 1)
    assert "triggers.f1.low_confidence" not in figures


@pytest.mark.parametrize(
    ("by", "expected"),
    [("tiers.yaml:fraud/examples[3]@1", 0.4), ("tiers.yaml:fraud/words@1", 1.0)],
)
def test_words_that_escalate_leave_no_doubt_and_a_meaning_is_as_sure_as_it_is(by, expected):
    line: Any = {"triggers": [{"id": "fraud", "tier": "escalate_first", "evidence": "", "by": by}]}
    chances = {"fraud": 0.4, "refund": 0.9}
    assert chance_of_escalation(line, chances, {"fraud"}) == expected


def test_what_is_let_pass_is_worse_than_what_is_looked_at_needlessly():
    severe, mild = Label("escalate_first"), Label("allowed")
    passed, stopped = verdict("x", "review_required"), verdict("x", "escalate_first")
    assert badness(passed, severe) > badness(stopped, mild) > badness(stopped, severe) == (0, 0)


def test_a_flip_is_better_when_it_is_nearer_to_what_is_expected():
    labels = {"b": Label("escalate_first", frozenset({"safety"}))}
    passed, right = verdict("b", "allowed"), verdict("b", "escalate_first", "safety")
    assert better(passed, right, labels) is True
    assert better(right, passed, labels) is False
    assert better(passed, passed, labels) is None
    assert better(passed, right, {}) is None


def test_a_contact_without_a_label_is_not_scored():
    bare = replace(CASES[2], label=None)
    scores = score([CASES[0], bare], [PERFECT[0], verdict("c", "forbidden")])
    assert scores.figures["message.needless"].n == 0
    assert scores.misses == []


def test_the_report_lists_triggers_by_f1_with_their_intervals():
    table = by_kind(WORDS, "triggers", score(CASES, MIXED).figures)
    assert table.head == ("trigger", "precision", "recall", "F1")
    assert [row[0].text for row in table.rows] == [  # type: ignore[union-attr]
        "safety",
        "refund",
        "fraud",
        "crisis",
    ]
    assert table.rows[1][1:] == ("0.500 (1 of 2, 0.09 – 0.91)",) * 2 + ("0.500",)


HOSTILE = "<img src=x> `` | [x](javascript:alert(1))"


def test_nothing_a_customer_wrote_becomes_markup():
    told = verdict("<b>1</b>", "review_required", HOSTILE)
    report = report_of(Run([told], {}), [case("<b>1</b>", "allowed", "<i>t</i>", text=HOSTILE)])
    page, text = as_html(report), as_markdown(report)
    assert "&lt;img src=x&gt;" in page
    for markup in ("<img", "<b>1", "<i>t", "<a "):
        assert markup not in page
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    kinds = {child.type for token in tokens for child in token.children or ()}
    assert "code_inline" in kinds
    assert not kinds & {"link_open", "image", "html_inline"}


def test_totals_can_be_read_in_a_terminal():
    text = report_text(score(CASES, MIXED))
    assert text.splitlines()[0] == (
        "escalate-first contacts escalated: 0.500 (1 of 2, 0.09 – 0.91)"
    )


def test_verdicts_on_other_contacts_are_refused():
    with pytest.raises(BadInput, match="on one of the labelled contacts"):
        report_of(Run([verdict("z", "allowed")], {}), CASES)


# Files


def row(name: str = "a", **changes: object) -> str:
    messages = [{"role": "customer", "text": "hello"}]
    return json.dumps({"id": name, "channel": "chat", "messages": messages, **changes})


GATE = Gate.model_validate(
    {
        "suite": "triage",
        "figures": {"message.kept": {"minimum": 0.8}, "triggers.macro_f1": {"minimum": 0.7}},
    }
)


def test_a_gate_does_not_hold_on_a_handful_of_verdicts():
    assert report_of(Run(PERFECT, {}), CASES, gate=GATE).gate_failures == []
    assert report_of(Run(PERFECT[1:], {}), CASES, gate=GATE).gate_failures == [
        "1 of 4 labelled contacts has no verdict of message: its figures are not those of the data."
    ]
    words = [replace(one, probe="words") for one in PERFECT]
    (said,) = report_of(
        Run([PERFECT[2], PERFECT[3], *words], {}), CASES, gate=GATE
    ).gate_failures or [""]
    assert said.startswith("2 of 4 labelled contacts have no verdict of message")


def test_a_gate_on_the_desks_tier_asks_for_one_on_every_contact():
    gate = Gate.model_validate({"suite": "triage", "figures": {"desk.kept": {"minimum": 0.8}}})
    found = [PERFECT[0], PERFECT[1], replace(PERFECT[2], desk_tier="allowed"), PERFECT[3]]
    (said,) = report_of(Run(found, {}), CASES, gate=gate).gate_failures or [""]
    assert said.startswith("3 of 4 labelled contacts have no verdict of message with its tier")
    spared = {"desk.kept": {"minimum": 0.8, "optional": True}, "message.kept": {"minimum": 0.8}}
    gate = Gate.model_validate({"suite": "triage", "figures": spared})
    assert report_of(Run(PERFECT, {}), CASES, gate=gate).gate_failures == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "holds no contact"),
        ("{}", ":1: id: Field required"),
        ("not json", ":1: not valid JSON"),
        (f"{row()}\n\n{row()}", ":3: id: 'a' stands at"),
        (row(channel="fax"), ":1: channel"),
        (row(messages=[]), ":1: messages: the customer says nothing"),
        (row(messages=[{"role": "agent", "text": "hi"}]), ":1: messages: the customer says"),
        (row(expected={"tier": "urgent"}), ":1: expected.tier"),
        (row(expected={"tier": "allowed", "trigger": []}), ":1: expected.trigger"),
        (row(messages=[{"role": "customer", "text": "\ud800"}]), ":1: messages: holds half"),
    ],
)
def test_a_bad_line_is_named_with_its_field(tmp_path: Path, lines: str, words: str):
    file = tmp_path / "cases.jsonl"
    file.write_text(lines, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_cases(file)
    assert caught.value.message.startswith(f"{file}")
    assert words in caught.value.message


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(BadInput, match="no such file"):
        read_cases(tmp_path / "none.jsonl")


def test_ids_are_unique_among_all_files(tmp_path: Path):
    for name in ("one.jsonl", "two.jsonl"):
        (tmp_path / name).write_text(row())
    with pytest.raises(BadInput, match=r"two.jsonl:1: id: 'a' stands at .*one.jsonl:1"):
        read_cases(tmp_path / "one.jsonl", tmp_path / "two.jsonl")


def test_what_is_run_holds_no_label(tmp_path: Path):
    file = tmp_path / "cases.jsonl"
    file.write_text(row(expected={"tier": "allowed", "triggers": ["vip"]}, note="says why"))
    (found,) = read_cases(file)
    assert found.label == Label("allowed", frozenset({"vip"}), "says why")
    assert "expected" not in found.contact.model_dump()
    assert "says why" not in str(found.contact.conversation())


def test_the_output_of_triage_is_a_verdict_file(tmp_path: Path):
    file = tmp_path / "out.jsonl"
    fired = [{"id": "vip", "tier": "review_required", "evidence": "x", "by": "y"}]
    line = {"id": "a", "tier": "review_required", "triggers": fired, "sentiment": 0.1}
    file.write_text(json.dumps({**line, "desk": {"tier": "escalate_first", "triggers": []}}))
    (found,) = read_verdicts(file)
    assert (found.tier, found.desk_tier) == ("review_required", "escalate_first")
    assert found.fired == {"vip"}
    file.write_text(json.dumps({**line, "tier": "urgent"}))
    with pytest.raises(BadInput, match=r"out.jsonl:1: tier"):
        read_verdicts(file)


def test_verdicts_come_back_as_they_were_written(tmp_path: Path):
    given = replace(MIXED[1], desk_tier="allowed", reason="fees", confidence=0.5)
    file = tmp_path / "out.jsonl"
    file.write_text(json.dumps(given.as_json()))
    assert read_verdicts(file) == [given]
