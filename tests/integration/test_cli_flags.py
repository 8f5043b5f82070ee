"""`proofdesk flags` as a content owner types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from core.settings import Settings
from desk import cli
from tests.integration.conftest import OpenDesk

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    settings: Settings,
    open_synced: OpenDesk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    open_synced().close()
    monkeypatch.setenv("PROOFDESK_HOME", str(settings.home))
    monkeypatch.setenv("PROOFDESK_WORKSPACE", str(settings.workspace))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["proofdesk", "flags", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def listed(run: Run, *words: str) -> list[dict[str, Any]]:
    code, out, _ = run("list", "--json", *words)
    assert code == 0
    return json.loads(out)["flags"]  # type: ignore[no-any-return]


def test_a_flag_is_listed_shown_and_ended(run: Run) -> None:
    (flag,) = listed(run)
    assert (flag["kind"], flag["article_id"]) == ("unowned", "help-center/shipping.md")
    code, out, _ = run("show", flag["id"])
    assert code == 0
    assert "Nobody owns “Shipping”." in out
    assert "--action assign --owner …" in out
    code, out, _ = run("resolve", flag["id"], "--action", "dismiss", "--reason", "We all do.")
    assert code == 0
    assert "dismissed it" in out
    assert listed(run) == []
    assert [one["note"] for one in listed(run, "--status", "dismissed")] == ["We all do."]
    assert run("list")[1].startswith("No flag")


def test_bad_use_ends_with_2_and_what_was_ended_already_with_1(run: Run) -> None:
    (flag,) = listed(run)
    code, out, err = run("resolve", flag["id"], "--action", "dismiss")
    assert (code, out) == (2, "")
    assert err.startswith("proofdesk: reason: say why")
    assert run("resolve", flag["id"], "--action", "burn")[0] == 2
    assert run("list", "--kind", "stale")[0] == 2
    assert run("show", "flg_none")[0] == 2
    assert run("resolve", flag["id"], "--action", "assign", "--owner", "Mina")[0] == 0
    code, _, err = run("resolve", flag["id"], "--action", "archive")
    assert code == 1
    assert "named an owner" in err
