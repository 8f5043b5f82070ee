"""Eval runs kept in the home, and what reviewers' decisions tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import evals.cli
from core.clock import FixedClock
from core.database import Database
from core.errors import BadInput, NotAllowed, NotFound
from core.migrate import upgrade
from desk.audit import write_audit
from desk.models import Contact, Review
from desk.permissions import Actor
from desk.quality import Quality, new_run_folder, rewritten_share
from tests.factories import ADMIN, draft_from, passage

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
FIGURES = {
    "approve.recall": {"value": 0.96, "n": 50, "hits": 48, "low": 0.87, "high": 0.99},
    "approve.recall.duration": {"value": 0.9, "n": 10, "hits": 9, "low": 0.6, "high": 0.98},
    "approve.seconds": {"value": 3.0, "n": 50},
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def database(home: Path) -> Any:
    home.mkdir()
    database = Database(f"sqlite:///{home / 'proofdesk.sqlite'}")
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def quality(database: Database, home: Path) -> Quality:
    return Quality(database, home, FixedClock(NOW))


def keep(home: Path, suite: str, at: datetime, **changes: Any) -> str:
    folder = new_run_folder(home, suite, at)
    folder.mkdir(parents=True)
    run = {
        "suite": suite,
        "about": {"data": "edits.jsonl", "finished": at.isoformat()},
        "figures": FIGURES,
        "misses": [{"id": "e1", "probe": "approve", "kind": "duration", "what": "let through"}],
        "gate": None,
        **changes,
    }
    (folder / "run.json").write_text(json.dumps(run))
    verdicts = [{"id": "e0", "probe": "approve"}, {"id": "e1", "probe": "approve", "score": 0.25}]
    (folder / "verdicts.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in verdicts))
    return folder.name


def test_runs_are_listed_latest_first_with_their_headline(quality: Quality, home: Path) -> None:
    earlier = keep(home, "stale", datetime(2026, 6, 1, tzinfo=UTC))
    later = keep(home, "triage", datetime(2026, 6, 2, tzinfo=UTC), gate=["recall is too low."])
    runs, unreadable = quality.runs(ADMIN)
    assert [run.id for run in runs] == [later, earlier]
    assert unreadable == []
    assert list(runs[1].headline) == ["approve.recall"]
    assert runs[0].gate == ["recall is too low."]


def test_a_miss_shows_what_the_suite_wrote_down(quality: Quality, home: Path) -> None:
    run = quality.run(ADMIN, keep(home, "stale", NOW))
    assert quality.verdict(ADMIN, run.id, run.misses[0]) == {
        "id": "e1",
        "probe": "approve",
        "score": "0.250",
    }


def test_what_is_no_run_is_named_and_hides_no_other(quality: Quality, home: Path) -> None:
    good = keep(home, "stale", NOW)
    for name, text in (("broken", "{"), ("wrong", '{"figures": {"a.b": {"value": "x"}}}')):
        (home / "evals" / name).mkdir()
        (home / "evals" / name / "run.json").write_text(text)
    (home / "evals" / "empty").mkdir()
    runs, unreadable = quality.runs(ADMIN)
    assert [run.id for run in runs] == [good]
    assert {one.id for one in unreadable} == {"broken", "wrong"}
    assert any("figures.a.b.value" in one.why for one in unreadable)
    with pytest.raises(BadInput):
        quality.run(ADMIN, "broken")


@pytest.mark.parametrize("name", ["../evals", "none", "", "/etc", "a/b"])
def test_a_run_is_a_folder_of_the_home_and_nothing_else(quality: Quality, name: str) -> None:
    with pytest.raises(NotFound):
        quality.run(ADMIN, name)


def test_a_home_without_runs_has_none(quality: Quality) -> None:
    assert quality.runs(ADMIN) == ([], [])


@pytest.mark.parametrize("role", ["agent", "content_owner"])
def test_quality_is_for_supervisors_and_admins(quality: Quality, role: Any) -> None:
    for read in (quality.runs, quality.notes):
        with pytest.raises(NotAllowed, match="may not read quality"):
            read(Actor("per_1", "Mina", role))


def decided(database: Database, number: int, kind: str, at: datetime, **decision: Any) -> None:
    draft = draft_from(passage("A refund takes five working days."))
    with database.write() as session:
        session.add(
            Contact(
                id=f"con_{number}", channel="email", status="answered",
                created_at=at, updated_at=at,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Review(
                id=f"rev_{number}", contact_id=f"con_{number}", thread=f"con_{number}:1",
                interrupt_id="i", kind="answer", status="decided", tier="allowed",
                reason="refund_question", state={"draft": draft}, allowed=[], opened_at=at,
                due_at=at, decision={"kind": kind, **decision}, decided_at=at,
            )
        )  # fmt: skip
        session.flush()
        told = {key: value for key, value in decision.items() if key in ("reason", "comment")}
        write_audit(
            session, at, "per_1", f"review.{kind}", contact_id=f"con_{number}",
            review_id=f"rev_{number}", data=told,
        )  # fmt: skip


def test_rejects_and_edits_are_told_week_by_week(database: Database, quality: Quality) -> None:
    last_week, this_week = datetime(2026, 5, 27, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC)
    decided(database, 1, "reject", last_week, reason="tone", comment="Too stiff.")
    decided(database, 2, "reject", this_week, reason="tone")
    decided(database, 3, "reject", this_week, reason="tone")
    decided(database, 4, "approve", this_week)
    decided(database, 5, "edit", this_week, text="Quite something else altogether!")
    decided(database, 6, "reject", datetime(2025, 1, 1, tzinfo=UTC), reason="other")
    notes = quality.notes(ADMIN)
    first, second = datetime(2026, 5, 25, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    assert [(one.start, one.reason, one.count) for one in notes.rejects] == [
        (first, "tone", 1),
        (second, "tone", 2),
    ]
    assert notes.decided == {first: 1, second: 4}
    assert notes.comments == [(last_week, "tone", "Too stiff.")]
    (edit,) = notes.edits
    assert (edit.start, edit.reason, edit.count) == (second, "refund_question", 1)
    assert edit.share > 0.9


def test_an_edit_is_as_large_as_the_share_of_words_it_changed() -> None:
    draft = draft_from(passage("A refund takes five working days."), opening="", closing="")
    share = rewritten_share({"draft": draft}, {"text": "A refund takes nine working days."})
    assert share == pytest.approx(1 / 7)
    assert rewritten_share({"draft": draft}, {"draft": draft}) == 0.0


def test_a_run_beside_a_desk_is_kept_where_its_page_looks(
    database: Database, quality: Quality, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROOFDESK_HOME", str(home))
    cases = Path(evals.cli.__file__).parent / "sample" / "reasons.csv"
    arguments = ["reasons", "--data", str(cases), "--limit", "60", "--no-beside"]
    CliRunner().invoke(evals.cli.app, arguments)
    (run,) = quality.runs(ADMIN)[0]
    assert run.suite == "reasons"
    assert run.headline
