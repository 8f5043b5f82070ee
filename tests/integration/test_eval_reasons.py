"""`proofdesk eval reasons` from end to end, with the shipped embeddings."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from desk.corrections import Corrections, Taught
from evals.cli import main
from evals.reasons import SAMPLE
from tests.conftest import ROOT

EXAMPLES = {
    "card": ("where is my card", "my card has not come", "card still not here", "waiting for card"),
    "rate": ("what is your exchange rate", "rate for euros", "is the rate good", "rate of today"),
    "fees": ("why was I charged a fee", "what is this fee", "fee on my bill", "fees for cash"),
}
ASKED = [
    ("has my card been posted?", "card"),
    ("what do you give for a euro", "rate"),
    ("there is a fee I do not know", "fees"),
    ("do you like dogs", ""),
]
REASONS = "\n".join(
    [
        "reasons:",
        *(
            f"  - {{id: {name}, name: {name}, examples: {json.dumps(texts)}}}"
            for name, texts in EXAMPLES.items()
        ),
    ]
)


def write(file: Path, rows: Sequence[tuple[str, str]]) -> Path:
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([("text", "category"), *rows])
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as Banking77 has it."""
    data = tmp_path / "bank"
    data.mkdir()
    write(data / "train.csv", [(text, name) for name, texts in EXAMPLES.items() for text in texts])
    write(data / "test.csv", ASKED)
    return data


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A workspace with a reason map."""
    workspace = tmp_path / "team"
    workspace.mkdir()
    (workspace / "reasons.yaml").write_text(REASONS)
    return workspace


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Run `proofdesk eval reasons` in a home of its own; return the exit code."""
    monkeypatch.setenv("PROOFDESK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PROOFDESK_WORKSPACE", raising=False)

    def run_it(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["evals", "reasons", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0)

    return run_it


def test_a_run_is_kept_opened_again_and_held_against_its_gate(command, folder, tmp_path, capsys):
    kept, out, gate = tmp_path / "run", tmp_path / "out.jsonl", tmp_path / "gate.yaml"
    gate.write_text("suite: reasons\nfigures: {known.accuracy: {minimum: 0.6}}\n")
    options = ("--data", folder, "--unknown", 0.5, "--gate", gate, "--json")
    assert command(*options, "--report", kept, "--verdicts", out) == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert figures["known.accuracy"]["n"] == 3
    assert figures["outside.refused"]["n"] == 1
    assert figures["unknown.refused"]["n"] == figures["unknown.kept"]["n"] == 3
    assert figures["correction.taken"]["value"] == 1.0
    assert {one.name for one in kept.iterdir()} == {
        "report.html",
        "report.md",
        "run.json",
        "verdicts.jsonl",
    }
    probes = [json.loads(line)["probe"] for line in out.read_text().splitlines()]
    assert probes.count("known") == 3
    assert "floor" not in probes

    gate.write_text("suite: reasons\nfigures: {floor.accuracy: {maximum: 0.1}}\n")
    again = ("--data", folder, "--unknown", 0.5, "--rescore", kept, "--gate", gate, "--json")
    assert command(*again) == 1
    said = capsys.readouterr()
    assert "floor.accuracy is" in said.err
    assert json.loads(said.out)["figures"]["known.accuracy"] == figures["known.accuracy"]


def test_a_flip_against_an_earlier_run_is_told(command, folder, tmp_path, capsys):
    before = tmp_path / "before.jsonl"
    before.write_text('{"id": "test.csv:2", "reason": "fees", "confidence": 0.9}\n')
    options = ("--data", folder, "--unknown", 0, "--no-beside", "--baseline", before)
    assert command(*options) == 0
    printed = capsys.readouterr().out
    assert "1 texts were judged by both." in printed
    assert "1 verdicts are others:" in printed
    assert "better" in printed


def test_few_examples_are_drawn_and_named_in_the_head(command, folder, capsys):
    options = ("--data", folder, "--shots", 2, "--draws", 2, "--unknown", 0, "--no-beside")
    assert command(*options, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["figures"]["known.accuracy"]["n"] == 6
    assert found["about"]["examples a reason"] == "2, drawn 2 times from seed 0"
    assert "with 6 examples" in found["about"]["reasons"]


def test_a_workspace_is_judged_by_its_own_examples_or_by_a_file(command, team, folder, capsys):
    assert command("--workspace", team, "--unknown", 0, "--no-beside", "--json") == 0
    assert json.loads(capsys.readouterr().out)["figures"]["known.accuracy"]["n"] == 12
    file = folder / "test.csv"
    assert command("--workspace", team, "--data", file, "--unknown", 0, "--no-beside") == 0
    assert "texts: 4, 4 of them labelled" in capsys.readouterr().out


def test_texts_outside_come_in_a_file_of_their_own(command, folder, tmp_path, capsys):
    more = tmp_path / "oos.jsonl"
    more.write_text('{"text": "sing me a song"}\n{"text": "what is for lunch"}\n')
    options = ("--data", folder, "--outside", more, "--unknown", 0, "--no-beside", "--json")
    assert command(*options) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["outside.refused"]["n"] == 3


def test_what_people_corrected_is_judged_by_the_map_alone(
    command, team, monkeypatch, workspace, capsys
):
    (workspace / "reasons.yaml").write_text(REASONS)
    monkeypatch.setenv("PROOFDESK_WORKSPACE", str(workspace))
    assert command("--past") == 2
    assert "nobody has said yet" in capsys.readouterr().err
    taught = Taught({}, (("has my card been posted?", "card"), ("do you like dogs", None)))
    monkeypatch.setattr(Corrections, "taught", lambda self: taught)
    assert command("--past", "--unknown", 0, "--no-beside", "--json") == 0
    figures = json.loads(capsys.readouterr().out)["figures"]
    assert (figures["known.accuracy"]["n"], figures["outside.refused"]["n"]) == (1, 1)


def test_the_sample_passes_its_gate(command, capsys):
    gate = ROOT / "evals" / "gates" / "sample-reasons.yaml"
    assert command("--unknown", 0, "--no-beside", "--gate", gate) == 0
    printed = capsys.readouterr().out
    assert "Every gate holds." in printed
    assert "tracker_offline" in printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "nowhere.csv"], "nowhere.csv: there is no such file."),
        (["--data", str(ROOT / "evals")], "holds no test.csv or test.jsonl."),
        (["--train", "nowhere.csv"], "nowhere.csv: there is no such file."),
        (["--train", str(SAMPLE), "--workspace", "."], "--train: leave it out"),
        (["--draws", "2"], "--draws: needs --shots"),
        (["--workspace", "nowhere"], "nowhere: there is no such folder."),
        (["--workspace", str(ROOT)], "reasons.yaml: there is no such file."),
        (["--workspace", ".", "--shots", "3"], "--shots, --outside: need --data"),
        (["--past", "--data", str(SAMPLE)], "--past: is judged by the workspace's map alone"),
        (["--gate", str(ROOT / "evals/gates/triage.yaml")], "this gate is for 'triage'"),
        (["--baseline", "nowhere"], "nowhere: there is no such file."),
        (["--report", str(SAMPLE)], "is a file; name a folder."),
        (["--unknown", "0.9"], "--unknown"),
    ],
)
def test_bad_use_is_said_before_anything_is_run_or_written(
    command, arguments, said, tmp_path, capsys
):
    out = tmp_path / "out.jsonl"
    assert command(*arguments, "--verdicts", out) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()
