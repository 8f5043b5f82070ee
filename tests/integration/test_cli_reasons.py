"""`proofdesk reasons` as a lead types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.settings import Settings
from desk import cli
from tests.integration.conftest import REASONS, OpenDesk, open_contact

Run = Callable[..., tuple[int, str, str]]
ASKED = {
    "parcel": "where is my parcel LB-{}, the tracking of the parcel stands still {}",
    "password": "how do i reset the password of my account {1}",
    "refund": "when is the refund for the lamp paid back to my card {1}",
}
WHEN = ("today", "since monday", "again", "for a week", "in june", "please", "on my phone", "now")


@pytest.fixture
def run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.setenv("PROOFDESK_HOME", str(settings.home))
    monkeypatch.setenv("PROOFDESK_WORKSPACE", str(settings.workspace))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["proofdesk", "reasons", *words])
        stopped = 0
        try:
            cli.main()
        except SystemExit as ended:
            stopped = int(ended.code or 0)
        said = capsys.readouterr()
        return stopped, said.out, said.err

    return run


@pytest.fixture
def past(tmp_path: Path) -> Path:
    file = tmp_path / "past.jsonl"
    lines = [
        {"id": f"{name}-{at}-{more}", "text": asked.format(200_000 + at, f"{when} {more}")}
        for at, when in enumerate(WHEN)
        for more in ("as before", "and tomorrow", "my friend")
        for name, asked in ASKED.items()
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    return file


def test_a_proposed_map_is_written_once_and_passes_the_check(
    run: Run, past: Path, tmp_path: Path
) -> None:
    out = tmp_path / "proposed.yaml"
    code, said, _ = run("suggest", str(past), "--out", str(out), "--groups", "3")
    assert code == 0
    assert "3 reasons from 72 contacts" in said
    assert "LB[-_/ ]?" in out.read_text()
    code, said, _ = run("check", str(out))
    assert code == 0
    assert "nobody owns it" in said
    before = out.read_text()
    code, _, problem = run("suggest", str(past), "--out", str(out))
    assert (code, out.read_text()) == (2, before)
    assert "is there already" in problem
    code, said, _ = run("suggest", str(past), "--groups", "3")
    assert (code, said) == (0, before)
    code, said, _ = run("suggest", str(past), "--groups", "3", "--json")
    parcel = next(one for one in json.loads(said)["reasons"] if "parcel" in " ".join(one["words"]))
    assert [field["pattern"] for field in parcel["required"]] == [r"\bLB[-_/ ]?\d{6}\b"]
    assert parcel["size"] == 24


def test_what_cannot_be_read_or_written_is_bad_use(run: Run, past: Path, tmp_path: Path) -> None:
    assert run("suggest", str(tmp_path / "gone.jsonl"))[0] == 2
    few = tmp_path / "few.jsonl"
    few.write_text('{"text": "where is my parcel"}')
    code, _, problem = run("suggest", str(few))
    assert code == 2
    assert "at least 50" in problem
    code, _, problem = run("suggest", str(past), "--out", str(tmp_path / "no" / "where.yaml"))
    assert code == 2
    assert "cannot be written" in problem
    assert run("check", str(tmp_path / "gone.yaml"))[0] == 2


def test_the_workspaces_map_is_checked_and_a_mistake_ends_with_1(
    run: Run, settings: Settings
) -> None:
    assert run("check")[0] == 0
    file = settings.workspace_folder / "reasons.yaml"
    file.write_text(REASONS.replace("owner: Billing", "owner: Billing\n    macro: nowhere"))
    code, said, _ = run("check")
    assert code == 1
    assert f"{file}:6: error: refund_question: macro: there is no macro 'nowhere'" in said
    code, said, _ = run("check", "--json")
    assert code == 1
    found = json.loads(said)
    assert not found["valid"]
    assert [one["line"] for one in found["remarks"] if one["level"] == "error"] == [6]


def test_a_map_in_another_workspace_is_held_against_that_one(
    run: Run, settings: Settings, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    (there / "macros").mkdir(parents=True)
    (there / "articles").mkdir()
    (there / "macros" / "thanks.md").write_text("Thanks.")
    file = there / "reasons.yaml"
    file.write_text(REASONS.replace("owner: Billing", "owner: Billing\n    macro: thanks"))
    assert run("check", str(file))[0] == 0
    elsewhere = tmp_path / "reasons.yaml"
    elsewhere.write_text(file.read_text())
    assert run("check", str(elsewhere))[0] == 1


def test_a_contact_is_corrected_listed_and_put_back(run: Run, open_synced: OpenDesk) -> None:
    desk = open_synced()
    admin = desk.people.add(None, "Ingrid", "ingrid@example.com", "admin")
    contact_id = open_contact(desk, admin, "How long does a refund take to reach my card?")
    desk.close()
    who = ("--as", "ingrid@example.com")
    code, said, _ = run("correct", contact_id, "--reason", "order_status", *who, "--json")
    assert code == 0
    done = json.loads(said)
    assert (done["reason"], done["status"]) == ("order_status", "in_review")
    code, said, _ = run("corrections", *who)
    assert "refund_question → order_status\tholds" in said
    assert run("undo", done["correction"], *who)[0] == 0
    assert "undone" in run("corrections", *who)[1]
    code, _, problem = run("correct", contact_id, "--reason", "weather", *who)
    assert code == 2
    assert "no contact reason 'weather'" in problem
