"""`proofdesk eval triage` from end to end: a real desk's wiring, the shipped rules and embeddings."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evals.cli import main
from evals.triage import SAMPLE, Found, run
from evals.triage_cases import TriageCase, read_cases
from tests.conftest import ROOT

GATE = ROOT / "evals" / "gates" / "triage.yaml"
TEXTS = {
    "threat": ("My solicitor will be in touch about this.", "escalate_first", ["legal_threat"]),
    "smoke": ("There is smoke coming out of the charger!", "escalate_first", ["safety"]),
    "hours": ("What time do you open on Sundays?", "allowed", []),
    "vip": ("Do you ship to Norway?", "review_required", ["vip"]),
}


def row(name: str) -> dict[str, Any]:
    text, tier, triggers = TEXTS[name]
    return {
        "id": name,
        "channel": "chat",
        "customer": {"status": "vip" if name == "vip" else "standard"},
        "messages": [{"role": "customer", "text": text}],
        "expected": {"tier": tier, "triggers": triggers},
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "cases.jsonl"
    file.write_text("".join(f"{json.dumps(row(name))}\n" for name in TEXTS))
    return file


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example_vectors: Path):
    """Run `proofdesk eval triage` in a home of its own; return the exit code."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "cache").symlink_to(example_vectors)
    monkeypatch.setenv("PROOFDESK_HOME", str(home))
    monkeypatch.delenv("PROOFDESK_WORKSPACE", raising=False)

    def run_it(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["evals", "triage", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0)

    return run_it


@pytest.fixture(scope="module")
def cases() -> list[TriageCase]:
    return read_cases(SAMPLE, limit=12)


@pytest.fixture(scope="module")
def found(cases: list[TriageCase], example_vectors: Path) -> Found:
    return run([replace(case, label=None) for case in cases], cache=example_vectors)


def test_every_contact_gets_a_verdict_of_each_probe(found: Found, cases: list[TriageCase]):
    for probe in ("message", "words"):
        assert [one.id for one in found.verdicts if one.probe == probe] == [c.id for c in cases]
    assert all(one.score is not None for one in found.verdicts if one.probe == "message")


def test_labels_change_no_verdict(found: Found, cases: list[TriageCase], example_vectors: Path):
    assert run(cases, cache=example_vectors).verdicts == found.verdicts


def test_a_run_is_kept_opened_again_and_held_against_its_gate(command, data, tmp_path, capsys):
    kept, out = tmp_path / "run", tmp_path / "out.jsonl"
    options = ("--data", data, "--no-workspace", "--gate", GATE, "--json")
    assert command(*options, "--report", kept, "--verdicts", out) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["suite"] == "triage"
    assert said["figures"]["message.escalated"]["hits"] == 2
    assert said["figures"]["triggers.recall.vip"]["value"] == 1.0
    assert said["gate"] == []
    assert {one.name for one in kept.iterdir()} == {
        "report.html",
        "report.md",
        "run.json",
        "verdicts.jsonl",
    }
    assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == list(TEXTS)

    strict = tmp_path / "strict.yaml"
    strict.write_text("suite: triage\nfigures: {triggers.recall.vip: {maximum: 0.5}}\n")
    assert command("--data", data, "--rescore", kept, "--gate", strict, "--json") == 1
    assert "triggers.recall.vip is 1.000 (1 of 1)" in capsys.readouterr().err


def test_a_flip_against_an_earlier_run_is_told(command, data, tmp_path, capsys):
    before = tmp_path / "before.jsonl"
    passed = [{"id": name, "tier": "allowed", "triggers": []} for name in TEXTS]
    before.write_text("\n".join(map(json.dumps, passed)))
    assert command("--data", data, "--no-workspace", "--baseline", before, "--no-beside") == 0
    printed = capsys.readouterr().out
    assert "4 contacts were judged by both." in printed
    assert "3 verdicts are others:" in printed
    assert "allowed: no trigger" in printed
    assert "better" in printed


def test_the_rules_of_a_workspace_are_the_ones_that_are_asked(command, data, tmp_path, capsys):
    team = tmp_path / "team"
    (team / "articles").mkdir(parents=True)
    (team / "tiers.yaml").write_text(
        "triggers:\n  - {id: norway, tier: review_required, description: d, phrases: [norway]}\n"
    )
    assert command("--data", data, "--workspace", team, "--json") == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert {"triggers.precision.norway", "desk.kept"} <= figures.keys()
    assert command("--data", data, "--no-workspace", "--json") == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert "triggers.precision.norway" not in figures
    assert "desk.kept" not in figures  # there is none


def test_without_labels_there_are_verdicts_and_no_scores(command, tmp_path, capsys):
    data, out = tmp_path / "bare.jsonl", tmp_path / "out.jsonl"
    bare = {key: value for key, value in row("threat").items() if key != "expected"}
    data.write_text(json.dumps(bare))
    assert command("--data", data, "--no-workspace", "--verdicts", out) == 0
    assert "no scores" in capsys.readouterr().out
    assert json.loads(out.read_text())["tier"] == "escalate_first"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "nowhere.jsonl"], "nowhere.jsonl: there is no such file."),
        (["--gate", "nowhere.yaml"], "nowhere.yaml: there is no such"),
        (["--gate", str(ROOT / "evals/gates/sample.yaml")], "this gate is for 'stale'"),
        (["--baseline", "nowhere"], "nowhere: there is no such file."),
        (["--workspace", "nowhere"], "nowhere: there is no such folder."),
        (["--workspace", str(ROOT), "--no-workspace"], "--no-workspace: leave it out"),
        (["--report", str(SAMPLE)], "is a file; name a folder."),
    ],
)
def test_bad_use_is_said_before_anything_is_run_or_written(
    command, arguments, said, tmp_path, capsys
):
    out = tmp_path / "out.jsonl"
    assert command(*arguments, "--verdicts", out) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_rules_of_a_workspace_that_are_none_are_named(command, data, tmp_path, capsys):
    team = tmp_path / "team"
    (team / "articles").mkdir(parents=True)
    (team / "tiers.yaml").write_text("triggers:\n  - {id: norway}\n")
    assert command("--data", data, "--workspace", team) == 2
    assert "tiers.yaml:2: triggers.0" in capsys.readouterr().err
