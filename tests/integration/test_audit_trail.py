"""The audit trail: who did what, chosen and handed out as a file."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import desk.audit as audit_module
from core.clock import FixedClock
from core.database import Database
from core.errors import BadInput, NotAllowed
from core.migrate import upgrade
from desk.audit import AuditFilter, AuditTrail, write_audit
from desk.permissions import Actor
from tests.factories import ADMIN

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def trail(tmp_path: Path) -> Any:
    database = Database(f"sqlite:///{tmp_path / 'trail.sqlite'}")
    upgrade(database)
    with database.write() as session:
        for number in range(6):
            write_audit(
                session,
                NOW - (5 - number) * HOUR,
                "per_ruth" if number % 2 else "desk",
                "review.approve" if number % 2 else "review.opened",
                contact_id=f"con_{number // 2}",
                data={"comment": '=HYPERLINK("https://evil.example")', "number": number},
            )
    yield AuditTrail(database, FixedClock(NOW))
    database.close()


def numbers(trail: AuditTrail, **chosen: Any) -> list[int]:
    return [e.data["number"] for e in trail.latest(ADMIN, chosen=AuditFilter(**chosen))]


def test_events_are_chosen_by_name_person_contact_and_time(trail: AuditTrail) -> None:
    assert numbers(trail) == [5, 4, 3, 2, 1, 0]
    assert numbers(trail, event="review.opened") == [4, 2, 0]
    assert numbers(trail, actor="per_ruth") == [5, 3, 1]
    assert numbers(trail, contact_id="con_1") == [3, 2]
    assert numbers(trail, since=NOW - 2 * HOUR, until=NOW) == [4, 3]
    assert numbers(trail, actor="desk", since=NOW - 2 * HOUR) == [4]


def test_every_name_that_ever_happened_is_offered(trail: AuditTrail) -> None:
    assert trail.names(ADMIN) == ["review.approve", "review.opened"]


def test_an_export_holds_what_was_chosen_and_the_trail_says_who_took_it(
    trail: AuditTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "_AT_ONCE", 2)
    lines = list(trail.export(ADMIN, "jsonl", AuditFilter(actor="per_ruth")))
    rows = [json.loads(line) for line in lines]
    assert [row["data"]["number"] for row in rows] == [5, 3, 1]
    assert rows[0]["at"] == NOW.isoformat()
    newest = trail.latest(ADMIN, 1)[0]
    assert (newest.event, newest.actor) == ("audit.exported", ADMIN.id)
    assert newest.data == {"actor": "per_ruth"}


def test_a_spreadsheet_finds_no_formula_in_an_export(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    upgrade(database)
    with database.write() as session:
        write_audit(session, NOW, "=1+1", "person.added")
    text = "".join(AuditTrail(database, FixedClock(NOW)).export(ADMIN, "csv"))
    database.close()
    (_, row) = csv.DictReader(io.StringIO(text))
    assert row["actor"] == "'=1+1"
    assert row["event"] == "person.added"


def test_only_who_may_read_the_trail_takes_it_away(trail: AuditTrail) -> None:
    with pytest.raises(NotAllowed, match="may not read audit"):
        trail.export(Actor("per_1", "Mina", "agent"), "csv")
    with pytest.raises(NotAllowed):
        trail.names(Actor("per_1", "Mina", "content_owner"))
    with pytest.raises(BadInput, match="none of csv, jsonl"):
        trail.export(ADMIN, "xlsx")  # type: ignore[arg-type]
