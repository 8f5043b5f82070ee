"""`proofdesk metrics` as a supervisor types it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest

from bench.month import PEOPLE, fill
from core.database import Database
from core.settings import Settings
from desk import cli
from desk.metric_definitions import METRICS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.setenv("PROOFDESK_HOME", str(settings.home))
    monkeypatch.setenv("PROOFDESK_WORKSPACE", str(settings.workspace))

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["proofdesk", "metrics", *words])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        said = capsys.readouterr()
        return int(stopped.value.code or 0), said.out, said.err

    return run


def test_the_figures_are_printed_in_every_form(run: Run, settings: Settings) -> None:
    database = Database(settings.database)
    fill(database, 40)
    database.close()
    may = ("--since", "2026-05-01", "--until", "2026-05-31")
    code, out, _ = run("--by", "person", *may)
    assert code == 0
    assert PEOPLE[0] in out
    assert "Time to first owner" in out
    code, out, _ = run("--json", "--by", "reason", "--rebuild", *may)
    told = json.loads(out)
    whole, *of_reasons = told["figures"]
    decisions = whole["metrics"]["decisions"]["value"]
    assert decisions > 10
    assert sum(one["metrics"]["decisions"]["value"] for one in of_reasons) == decisions
    assert set(told["definitions"]) == {one.id for one in METRICS}
    _, out, _ = run("--format", "csv", "--by", "channel", *may)
    of_channels = [line for line in csv.DictReader(io.StringIO(out)) if line["by"] == "channel"]
    rates = [line for line in of_channels if line["metric"] == "correction_rate"]
    assert {line["name"] for line in rates} <= {"email", "chat", "voice"}
    for line in rates:
        if line["value"]:
            assert float(line["least"]) <= float(line["value"]) <= float(line["most"])
    code, out, _ = run("--by", "tier", *may)
    assert (code, "escalate_first" in out) == (0, True)
    reason = next(one for one in of_reasons if one["metrics"]["decisions"]["value"])
    _, out, _ = run("--format", "csv", "--reason", reason["name"], *may)
    lines = {line["metric"]: line["value"] for line in csv.DictReader(io.StringIO(out))}
    assert lines["decisions"] == str(reason["metrics"]["decisions"]["value"])
    _, out, _ = run("--format", "prometheus")
    told_of = {'decision="approve"', f'reason="{reason["name"]}"'}
    counters = [line for line in out.splitlines() if line.startswith("proofdesk_decisions_total{")]
    assert any(all(label in line for label in told_of) for line in counters)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "xml"), "--format: 'xml' is none of table, csv, json, prometheus."),
        (("--by", "team"), "--by: 'team' is none of all, reason, tier, channel, person."),
        (("--tier", "low"), "--tier: 'low' is none of allowed"),
        (("--channel", "fax"), "--channel: 'fax' is none of email, chat, voice."),
        (("--reason", "refunds"), "--reason: 'refunds' is none of order_status, refund_question"),
        (("--since", "May"), "--since: 'May' is no day such as 2026-11-01."),
        (("--since", "2026-05-02", "--until", "2026-05-01"), "since: 2026-05-02 comes after"),
    ],
)
def test_what_is_no_choice_is_said_in_one_sentence(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    code, out, error = run(*words)
    assert (code, out) == (2, "")
    assert said in error
    assert len(error.splitlines()) == 1


def test_who_may_not_read_them_is_refused_in_every_form(run: Run, settings: Settings) -> None:
    from core.clock import SystemClock
    from desk.people import People

    database = Database(settings.database)
    bo = People(database, SystemClock()).add(None, "Bo", "bo@example.com", "agent")
    database.close()
    for form in ("table", "prometheus"):
        code, out, error = run("--format", form, "--as", bo.id)
        assert (code, out) == (2, "")
        assert "The role agent may not read quality." in error
