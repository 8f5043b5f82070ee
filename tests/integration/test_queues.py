"""The agent's queues: who stands in which, in what order, and that a page never reads a table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from core.clock import FixedClock
from core.database import Database
from core.migrate import upgrade
from desk.models import Contact, Person, SourceUse
from desk.permissions import Actor
from desk.queues import COUNTED_AT_MOST, QUEUES, ContactQueues
from tests.factories import ADMIN, NOON

MINA = Actor("per_mina", "Mina", "agent")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'queues.sqlite'}")
    upgrade(database)
    with database.write() as session:
        session.add(
            Person(id=MINA.id, name="Mina", email="m@example.com", role="agent", created_at=NOON)
        )
    yield database
    database.close()


def put(database: Database, number: int, **changes: Any) -> str:
    values: dict[str, Any] = {
        "id": f"con_{number:06d}",
        "channel": "email",
        "status": "in_review",
        "created_at": NOON + timedelta(minutes=number),
        "updated_at": NOON,
        "due_at": NOON + timedelta(days=1),
        "triggers": [],
    }
    with database.write() as session:
        session.add(Contact(**{**values, **changes}))
    return f"con_{number:06d}"


def ids(queues: ContactQueues, name: Any, **options: Any) -> list[str]:
    return [contact.id for contact in queues.page(MINA, name, **options)]


def test_each_contact_stands_where_it_belongs(database: Database) -> None:
    queues = ContactQueues(database, FixedClock(NOON))
    mine = put(database, 1, assigned_to=MINA.id)
    high = put(database, 2, risk=2, assigned_to=MINA.id)
    late = put(database, 3, due_at=NOON + timedelta(hours=1))
    unsure = put(database, 4, triggers=[{"id": "low_confidence"}])
    lacking = put(database, 5, lacks_details=True)
    stale = put(database, 6)
    handed = put(database, 7, status="escalated", risk=2)
    settled = put(database, 8, status="closed", assigned_to=MINA.id, risk=2)
    with database.write() as session:
        session.add(
            SourceUse(
                holder="rev_1",
                contact_id=stale,
                article_id="a",
                version_id="v",
                passage_id="p",
                content_hash="h",
                status="pending",
                at=NOON,
                stale_at=NOON,
            )
        )
    assert ids(queues, "mine") == [high, mine]
    assert ids(queues, "unassigned") == [handed, late, unsure, lacking, stale]
    assert ids(queues, "high_risk") == [high, handed]
    assert ids(queues, "ageing") == [late]
    assert ids(queues, "low_confidence") == [unsure]
    assert ids(queues, "missing_context") == [lacking]
    assert ids(queues, "stale_source") == [stale]
    assert ids(queues, "escalated") == [handed]
    assert ids(queues, "all")[-1] == settled
    counts = queues.counts(MINA)
    assert {name: counts[name] for name in QUEUES[:-1]} == {
        name: len(ids(queues, name)) for name in QUEUES[:-1]
    }


def test_crisis_and_safety_come_first_in_every_queue(database: Database) -> None:
    queues = ContactQueues(database, FixedClock(NOON))
    put(database, 1, risk=3, due_at=NOON)
    crisis = put(database, 2, risk=12, due_at=NOON)
    for name in ("unassigned", "high_risk", "ageing", "all"):
        assert ids(queues, name)[0] == crisis
    assert queues.urgent(MINA) == 1


@pytest.mark.parametrize("name", ["unassigned", "all"])
def test_pages_follow_each_other_without_gap_or_repeat(database: Database, name: str) -> None:
    queues = ContactQueues(database, FixedClock(NOON))
    for number in range(11):
        put(database, number, risk=number % 3, status="closed" if number % 4 == 0 else "in_review")
    whole = ids(queues, name, limit=50)
    paged: list[str] = []
    last = None
    while page := queues.page(MINA, name, limit=3, after=last):  # type: ignore[arg-type]
        paged += [contact.id for contact in page]
        last = page[-1]
    assert paged == whole
    assert len(set(whole)) == (11 if name == "all" else 8)


def test_counts_are_one_query_and_every_page_is_read_by_index(database: Database) -> None:
    queues = ContactQueues(database, FixedClock(NOON))
    put(database, 1)
    asked: list[tuple[str, Any]] = []

    def listen(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", listen)
    queues.counts(MINA)
    counted = [one for one in asked if one[0].lstrip().upper().startswith("SELECT")]
    assert len(counted) == 1
    for name in QUEUES:
        queues.page(MINA, name)
    event.remove(database.engine, "before_cursor_execute", listen)
    selects = [one for one in asked if "FROM contact" in one[0]]
    assert len(selects) >= len(QUEUES)
    with database.engine.connect() as connection:
        for statement, parameters in selects:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps = [str(step[3]) for step in plan]
            assert not [
                step for step in steps if step.startswith("SCAN contact") and "INDEX" not in step
            ]
            # The few whose sources changed are found first and sorted then.
            few = any("ix_source_use_status_stale" in step for step in steps)
            assert few or "USE TEMP B-TREE FOR ORDER BY" not in steps, steps


def test_more_open_contacts_than_are_counted_are_said_to_be_more(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.queues.COUNTED_AT_MOST", 3)
    for number in range(5):
        put(database, number)
    assert ContactQueues(database, FixedClock(NOON)).counts(ADMIN)["all"] == 3
    assert COUNTED_AT_MOST >= 1_000
    with database.read() as session:
        assert session.scalar(text("select count(*) from contact")) == 5
