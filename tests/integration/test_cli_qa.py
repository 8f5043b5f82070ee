"""`proofdesk qa` as a supervisor types it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from desk import cli, cli_qa
from desk.bootstrap import Desk
from desk.permissions import Actor
from tests.integration.conftest import open_contact, pending_review

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    @contextmanager
    def opened() -> Iterator[Desk]:
        yield desk

    monkeypatch.setattr(cli_qa, "opened_desk", opened)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["proofdesk", "qa", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def test_a_sample_is_drawn_listed_scored_and_reported(
    run: Run, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    code, _, said = run("report")
    assert (code, "No sample was drawn yet" in said) == (2, True)
    asked = open_contact(desk, agent, "How long does a refund take?")
    review = pending_review(desk, agent, asked)
    outcome = desk.reviews.decide(supervisor, review, {"kind": "approve"})
    desk.jobs.wait(f"deliver:{outcome.delivery_id}", 60)

    code, out, _ = run("draw", "--seed", "7", "--json")
    drawn = json.loads(out)["draw"]
    assert (code, drawn["seed"], drawn["contacts"], drawn["picked"]) == (0, 7, 1, 1)
    _, out, _ = run("list", "--as", supervisor.id)
    assert out == "Nothing of this draw is for you to read.\n"
    _, out, _ = run("list", "--json")
    (line,) = json.loads(out)["to_read"]
    assert line["contact_id"] == asked

    marks = ["complete=pass", "in_force=pass", "tone=pass", "next_step=not_applicable"]
    given = [word for mark in marks for word in ("--mark", mark)]
    code, _, said = run("score", line["pick_id"], *given)
    assert (code, "accurate: needs one of" in said) == (2, True)
    code, _, said = run("score", line["pick_id"], "--mark", "accurate")
    assert (code, "--mark: 'accurate' must be ITEM=" in said) == (2, True)
    why = ["--mark", "accurate=fail", "--note", "accurate=It takes three days."]
    code, out, _ = run("score", line["pick_id"], *given, *why)
    assert (code, out) == (0, "It fails.\n")

    code, out, _ = run("report")
    assert code == 0
    assert "1 of 1 drawn are read" in out
    assert "100.0%" in out
    _, out, _ = run("report", "--draw", drawn["id"], "--json")
    assert json.loads(out)["overall"]["rate"] == 1.0
    _, out, _ = run("checks")
    assert out == "No seeded check was decided yet.\n"


@pytest.mark.parametrize(
    "words", [("--since", "yesterday"), ("--since", "2030-01-01"), ("--size", "0")]
)
def test_a_draw_that_makes_no_sense_is_bad_use(run: Run, words: tuple[str, ...]) -> None:
    code, _, said = run("draw", *words)
    assert code == 2
    assert said.startswith("proofdesk: ")
