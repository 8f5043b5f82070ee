"""`proofdesk autonomy` as a supervisor types it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from core.settings import Settings
from desk import cli
from desk.bootstrap import opened
from tests.integration.earned import REASON, catch_seeded, note_answers

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    with opened(settings, inline=True) as desk:
        desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    monkeypatch.setenv("PROOFDESK_HOME", str(settings.home))
    monkeypatch.setenv("PROOFDESK_WORKSPACE", str(settings.workspace))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["proofdesk", "autonomy", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def test_a_reason_is_listed_signed_and_taken_back(run: Run, settings: Settings) -> None:
    ruth = ("--as", "ruth@example.com")
    code, _, said = run("sign", REASON, *ruth)
    assert code == 1
    assert "is not eligible. 74 more answers" in said
    with opened(settings, inline=True) as desk:
        actor = desk.people.get("ruth@example.com")
        catch_seeded(desk.database, actor)
        note_answers(desk.database, actor, 80)
    found = json.loads(run("list", "--json", *ruth)[1])
    assert found["switch"]["on"]
    first = found["reasons"][0]
    assert (first["reason"], first["state"], first["eligible"]) == (REASON, "eligible", True)
    code, said, _ = run("sign", REASON, *ruth)
    assert code == 0
    assert said.startswith("Refund question: autopilot. Signed on 80 answers")
    assert "refund_question" in run("list")[1]
    assert run("stop", *ruth)[:2] == (0, "Autopilot is stopped for everything.\n")
    assert "Autopilot is stopped for everything." in run("list", *ruth)[1]
    assert run("resume", "--why", "It was nothing.", *ruth)[0] == 0
    assert run("return", REASON, "--why", "A new plan.", *ruth)[1].startswith(
        "Refund question: review. A new plan."
    )
    assert run("lock", REASON, "--why", "Nobody owns it.", *ruth)[0] == 0
    code, _, said = run("unlock", REASON, "--why", "I do.", *ruth)
    assert code == 2
    assert "supervisor may not unlock reasons" in said
    assert run("unlock", REASON, "--why", "They do.")[0] == 0


def test_bad_use_ends_with_2(run: Run) -> None:
    for words, said in (
        (("sign", "gone"), "has no 'gone'"),
        (("lock", REASON, "--why", " "), "say why"),
        (("wrong", "con_gone", "--why", "It is."), "con_gone"),
    ):
        code, _, told = run(*words)
        assert (code, said in told) == (2, True), told
