import json
from pathlib import Path

import pytest

from core.errors import BadInput
from evals.triage import TriageCase, Verdict, read_cases, report_json, report_text, score


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


def test_triggers_that_depend_on_the_workspace_do_not_count():
    given = [
        verdict("c", "review_required", "low_confidence", "unclear_owner", "reason:returns"),
    ]
    assert score([CASES[2]], given)["kept"] == 1.0
    assert score([CASES[2]], given, ignore=frozenset())["kept"] == 0.0


def test_a_case_without_a_verdict_is_refused():
    with pytest.raises(BadInput, match="the first is b"):
        score(CASES, [verdict("a", "allowed")])


def test_the_report_is_json_and_readable():
    report = score(CASES[2:3], [verdict("c", "allowed")])
    assert json.loads(report_json(report)) == report
    assert "allowed cases kept allowed: 1.000" in report_text(report)
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
