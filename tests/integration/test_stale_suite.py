"""The stale suite from end to end: real desks, the real graph, the shipped judge and embeddings."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import BadInput
from evals.cli import main
from evals.gate import read_gate
from evals.runs import write_run
from evals.stale import Found, report_of, run
from evals.stale_cases import Case, Data, Label, read_data
from evals.stale_verdicts import EXTRA_PROBES, PROBES, Verdict
from tests.conftest import ROOT

SAMPLE = ROOT / "evals" / "sample" / "pairs.jsonl"
GATES = ROOT / "evals" / "gates"


class Untouchable(Mapping[str, Label]):
    """Labels that nobody may look at."""

    def __getitem__(self, key: str) -> Label:
        raise AssertionError("a probe read a label")

    def __iter__(self) -> Iterator[str]:
        raise AssertionError("a probe read the labels")

    def __len__(self) -> int:
        return 0


@pytest.fixture(scope="module")
def edits() -> Data:
    return read_data([SAMPLE])


@pytest.fixture(scope="module")
def found(edits: Data, example_vectors: Path) -> Found:
    """Every probe on the hand-written edits, run without their labels."""
    bare = Case(
        id="bare-1",
        corpus="lumen/help",
        article="bare-1",
        title="Vouchers",
        section="## How long they last",
        date="",
        old_passage="A voucher is valid for 12 months.",
        new_passage="A voucher is valid for 24 months.",
    )
    return run(Data((*edits.cases, bare), Untouchable()), cache=example_vectors)


def verdict_on(found: Found, name: str, probe: str) -> Verdict:
    (one,) = [v for v in found.verdicts if (v.id, v.probe) == (name, probe)]
    return one


def test_every_probe_gives_one_verdict_on_every_edit(found: Found, edits: Data):
    for probe in (*PROBES, *EXTRA_PROBES):
        ids = [v.id for v in found.verdicts if v.probe == probe and v.id != "bare-1"]
        assert ids == [case.id for case in edits.cases], probe


def test_the_sample_passes_its_gate(found: Found, edits: Data):
    report = report_of(found, edits, gate=read_gate(GATES / "sample.yaml", "stale"))
    assert report.gate_failures == []


def test_the_usual_way_tells_an_old_value_where_the_desk_does_not(found: Found, edits: Data):
    assert "$4.50" in (verdict_on(found, "lumen-3", "plain_rag").draft or "")
    ours = verdict_on(found, "lumen-3", "ask")
    assert "$5.90" in (ours.draft or "")
    assert "$4.50" not in (ours.draft or "")
    assert ours.cited == ("Standard shipping costs $5.90. Orders over $50 ship free.",)


def test_a_stopped_approval_says_what_changed(found: Found):
    stopped = verdict_on(found, "lumen-1", "approve")
    assert stopped.flagged
    assert "10 business days" in stopped.why
    assert "5 business days" in stopped.why
    assert not verdict_on(found, "lumen-4", "approve").flagged


def test_an_edit_without_question_and_articles_is_judged_by_its_passages(found: Found):
    assert [v.probe for v in found.verdicts if v.id == "bare-1"] == [
        "diff",
        "approve",
        "text_differs",
        "token_rule",
    ]
    assert verdict_on(found, "bare-1", "approve").flagged


def test_folds_need_help_centers_to_learn_from(edits: Data):
    with pytest.raises(BadInput, match="at least three help centers"):
        run(edits, ("diff",), folds="corpus")


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["evals", "stale", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_a_kept_run_is_scored_again_and_its_gate_decides(
    found: Found,
    edits: Data,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    kept = tmp_path / "run"
    write_run(kept, report_of(found, edits))
    again = ("--data", SAMPLE, "--rescore", kept, "--verdicts", tmp_path / "out.jsonl", "--json")
    assert command(monkeypatch, *again, "--gate", GATES / "sample.yaml") == 0
    assert json.loads(capsys.readouterr().out)["figures"]["diff.recall"]["hits"] == 6
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {line["probe"] for line in lines} == set(PROBES)

    strict = tmp_path / "strict.yaml"
    strict.write_text("suite: stale\nfigures: {text_differs.false_alarms: {maximum: 0.5}}\n")
    assert command(monkeypatch, *again, "--gate", strict) == 1
    assert "text_differs.false_alarms is 1.000 (2 of 2)" in capsys.readouterr().err


def test_without_labels_there_are_verdicts_and_no_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    data = tmp_path / "history.jsonl"
    data.write_text('{"id": "x", "old_passage": "5 days", "new_passage": "9 days"}\n')
    out = tmp_path / "out.jsonl"
    assert command(monkeypatch, "--data", data, "--verdicts", out, "--probes", "diff") == 0
    assert "no scores" in capsys.readouterr().out
    (line,) = [json.loads(text) for text in out.read_text().splitlines()]
    assert line["flagged"] is True


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "nowhere.jsonl"], "nowhere.jsonl: there is no such file."),
        (["--data", str(SAMPLE), "--probes", "diff,guess"], "--probes: 'guess' is none of"),
        (["--data", str(SAMPLE), "--folds", "random"], "--folds: 'random' is none of"),
        (["--data", str(SAMPLE), "--gate", "nowhere.yaml"], "nowhere.yaml: there is no such"),
        (["--data", str(SAMPLE), "--baseline", "nowhere"], "nowhere: there is no such file."),
        (["--data", str(SAMPLE), "--report", str(SAMPLE)], "is a file; name a folder."),
    ],
)
def test_bad_use_is_said_before_anything_is_run_or_written(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    out = tmp_path / "out.jsonl"
    assert command(monkeypatch, *arguments, "--verdicts", out) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.data
def test_on_real_edits_no_changed_value_slips_through(shared_data: Path, example_vectors: Path):
    data = read_data([shared_data / "policy-changes" / "pairs.jsonl"])
    own = [case for case in data.cases if case.corpus == "basecamp/policies"]
    kinds = {case.id: data.labels[case.id].kind for case in own}
    values = [case for case in own if kinds[case.id] in ("number", "duration", "date")]
    reworded = [case for case in own if kinds[case.id] == "reword"]
    chosen = [*values[:4], *reworded[:4]]
    # The shipped judge has seen these edits: this is about the way through the desk, not its skill.
    some = Data(tuple(replace(case) for case in chosen), data.labels)
    report = report_of(
        run(some, ("diff", "approve", "ask"), beside=False, cache=example_vectors), some
    )
    assert report.scores is not None
    figures = report.scores.figures
    assert figures["diff.recall.values"].value == 1.0
    assert figures["approve.recall.values"].value == 1.0
    assert figures["ask.stale"].value == 0.0
