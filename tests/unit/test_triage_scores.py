import json
from pathlib import Path

import pytest

from core.errors import BadInput
from evals.triage import (
    TriageCase,
    Verdict,
    read_cases,
    report_json,
    report_text,
    score,
    verdict_of,
    wilson,
)
from graph.values import Triage
from tests.factories import triage


def case(name: str, tier: str, *triggers: str) -> TriageCase:
    return TriageCase.model_validate(
        {
            "id": name,
            "channel": "chat",
            "messages": [{"role": "customer", "text": "hello"}],
            "expected": {"tier": tier, "triggers": triggers},
        }
    )


def verdict(name: str, tier: str, *triggers: str) -> Verdict:
    return Verdict(id=name, tier=tier, triggers=list(triggers))  # type: ignore[typeddict-item]


CASES = [
    case("a", "escalate_first", "fraud", "refund"),
    case("b", "escalate_first", "safety"),
    case("c", "allowed"),
    case("d", "review_required", "refund"),
]


def test_a_perfect_run_scores_one():
    report = score(
        CASES,
        [
            verdict("a", "escalate_first", "refund", "fraud"),
            verdict("b", "escalate_first", "safety"),
            verdict("c", "allowed"),
            verdict("d", "review_required", "refund"),
        ],
    )
    assert (report["escalated"], report["leaked"], report["kept"]) == (1.0, 0.0, 1.0)
    assert report["macro_f1"] == 1.0
    assert report["misses"] == []


def test_leaks_and_misfires_are_counted_and_listed():
    report = score(
        CASES,
        [
            verdict("a", "escalate_first", "fraud", "crisis"),
            verdict("b", "allowed"),
            verdict("c", "review_required", "refund"),
            verdict("d", "review_required", "refund"),
        ],
    )
    assert (report["escalated"], report["leaked"], report["kept"]) == (0.5, 0.5, 0.0)
    assert report["confusion"]["escalate_first"]["allowed"] == 1
    assert report["triggers"]["refund"]["precision"] == 0.5
    assert report["triggers"]["refund"]["recall"] == 0.5
    assert report["triggers"]["safety"]["precision"] is None
    assert report["triggers"]["crisis"]["recall"] is None
    assert report["macro_f1"] == pytest.approx((1 + 0.5 + 0) / 3, abs=1e-4)
    assert [miss["id"] for miss in report["misses"]] == ["a", "b", "c"]
    assert report["misses"][0]["missed"] == ["refund"]
    assert report["misses"][0]["extra"] == ["crisis"]


def outcome(*firings: tuple[str, str, str]) -> Triage:
    return triage(
        tier="review_required",
        triggers=[
            {"id": one, "tier": tier, "evidence": "x", "by": f"tiers.yaml:{by}@1"}
            for one, tier, by in firings
        ],
    )


def test_triggers_that_depend_on_the_workspace_do_not_count():
    given = verdict_of(
        "c",
        outcome(
            ("low_confidence", "review_required", "low_confidence/fields"),
            ("unclear_owner", "review_required", "unclear_owner/fields"),
            ("reason:returns", "review_required", "returns/tier"),
        ),
    )
    assert given == verdict("c", "allowed")


def test_a_doubt_about_an_escalation_holds_a_case_back_and_counts_as_no_trigger():
    doubt = ("low_confidence", "review_required", "fraud/unsure")
    report = score([CASES[0], CASES[2]], [verdict_of(one, outcome(doubt)) for one in "ac"])
    assert (report["escalated"], report["leaked"], report["kept"]) == (0.0, 0.0, 0.0)
    assert "low_confidence" not in report["triggers"]


def test_the_interval_of_a_share_is_wide_for_few_cases():
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(8, 10) == pytest.approx((0.490, 0.943), abs=1e-3)
    assert wilson(0, 55) == pytest.approx((0.0, 0.065), abs=1e-3)


def test_a_case_without_a_verdict_is_refused():
    with pytest.raises(BadInput, match="the first is b"):
        score(CASES, [verdict("a", "allowed")])


def test_the_report_is_json_and_readable():
    report = score(CASES[2:3], [verdict("c", "allowed")])
    assert json.loads(report_json(report))["kept"] == 1.0
    assert "allowed cases kept allowed: 1.000 (0.206 to 1.000)" in report_text(report)
    assert "escalate-first cases escalated: —" in report_text(report)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("", "holds no case"),
        ("{}", ":1: id"),
        ("not json", ":1:"),
        (CASES[0].model_dump_json() + "\n\n" + CASES[0].model_dump_json(), ":3: id: 'a'"),
        (CASES[0].model_dump_json().replace("chat", "fax"), ":1: channel"),
    ],
)
def test_a_bad_case_file_names_its_line(tmp_path: Path, lines: str, words: str):
    file = tmp_path / "cases.jsonl"
    file.write_text(lines, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        read_cases(file)
    assert words in caught.value.message


def test_a_missing_case_file_is_named(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        read_cases(tmp_path / "none.jsonl")
