from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.database import Base, Database
from core.identifiers import new_id
from core.migrate import upgrade
from desk.every_table import EVERY_TABLE
from desk.models import SourceUse
from kb.models import Article
from tests.factories import NOON, draft_from, passage
from tests.integration.older_schemas import Rows, fill, revisions, rows, upgrade_to
from tests.integration.postgres import PostgresServer


def is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _to: object) -> bool:
    return kind != "table" or name in EVERY_TABLE.tables


def test_the_migrated_schema_is_the_one_of_the_models(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    upgrade(database)
    with database.engine.connect() as connection:
        options = {"include_object": is_ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, EVERY_TABLE) == []
    database.close()


def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    upgrade(database)
    upgrade(database)
    database.close()


def fill_as_at_first(database: Database) -> None:
    """Bring a database to the first schema, with a waiting review and two answers in it."""
    upgrade_to(database, "0001")
    tables = sa.MetaData()
    tables.reflect(database.engine)
    with database.engine.begin() as connection:
        for name, some in first_rows().items():
            connection.execute(tables.tables[name].insert(), some)


def first_rows() -> Rows:
    """Return a waiting review and two answers, and what they rest on, in the first schema."""
    whole = draft_from(passage(), passage("Gift cards stay.", id="ver_1#1"))
    asks = draft_from(passage(id="ver_9#0"))
    asks["sentences"][0]["citations"] = []
    contact = {
        "id": "con_1",
        "origin": "desk",
        "channel": "email",
        "subject": "",
        "customer_name": "",
        "customer_email": "",
        "customer_status": "standard",
        "customer_fields": {},
        "status": "in_review",
        "confidence": 1.0,
        "tier": "allowed",
        "risk": 0,
        "triggers": [],
        "run": 1,
        "failure": "",
        "created_at": NOON,
        "updated_at": NOON,
        "version": 1,
    }
    review = {
        "contact_id": "con_1",
        "thread": "con_1:1",
        "kind": "answer",
        "tier": "allowed",
        "risk": 0,
        "allowed": ["approve"],
        "findings": 0,
        "opened_at": NOON,
        "due_at": NOON,
    }
    delivery = {
        "contact_id": "con_1",
        "subject": "",
        "recipient": "",
        "text": "",
        "draft": draft_from(passage()),
        "approved_by": "per_1",
        "created_at": NOON,
        "due_at": NOON,
        "location": "",
    }
    article = {
        "id": "help/refunds.md",
        "source": "help",
        "path": "refunds.md",
        "kind": "article",
        "title": "Refunds",
        "archived": False,
        "newest": 1,
        "file_hash": "",
        "outside_hash": "",
        "row": 1,
    }
    version = {
        "id": "ver_1",
        "article_id": "help/refunds.md",
        "number": 1,
        "title": "Refunds",
        "body": "",
        "format": "markdown",
        "body_hash": "",
        "meta_hash": "",
        "effective_from": NOON,
        "supersedes": ["help/returns.md"],
        "synced_at": NOON,
    }
    return {
        "article": [article],
        "article_version": [version],
        "contact": [contact],
        "review": [
            {**review, "id": "rev_1", "interrupt_id": "1", "status": "pending"}
            | {"state": {"draft": whole}},
            {**review, "id": "rev_2", "interrupt_id": "2", "status": "withdrawn"}
            | {"state": {"draft": whole}},
            {**review, "id": "rev_3", "interrupt_id": "3", "status": "pending"}
            | {"state": {"draft": asks}},
        ],
        "delivery": [
            {**delivery, "id": "del_1", "key": "1", "status": "sent"},
            {**delivery, "id": "del_2", "key": "2", "status": "undone"},
        ],
    }


def assert_filled_in(database: Database) -> None:
    with Session(database.engine) as session:
        uses = session.scalars(select(SourceUse).order_by(SourceUse.id)).all()
        assert [(use.holder, use.passage_id, use.status) for use in uses] == [
            ("rev_1", "ver_1#0", "pending"),
            ("rev_1", "ver_1#1", "pending"),
            ("del_1", "ver_1#0", "answered"),
        ]
        assert {use.article_id for use in uses} == {"help/refunds.md"}
        assert uses[0].content_hash == passage().content_hash
        assert (uses[0].at, uses[0].stale_at) == (NOON, None)
        article = session.scalars(select(Article)).one()
        assert article.assess_at is not None
        assert article.assess_at < NOON
        assert article.replaces


def test_what_was_there_before_is_known_to_rest_on_its_sources(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'older.sqlite'}")
    fill_as_at_first(database)
    upgrade(database)
    assert_filled_in(database)
    database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database on each engine."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'older.sqlite'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database(new_id("older"))
    found = Database(url)
    yield found
    found.close()


COMPUTED = {
    "article": {"assess_at", "replaces"},
    "contact": {"rank", "lacks_details", "low_confidence"},
    "review": {"changed"},
}
"""Table → columns that a migration computes anew from the others."""


@pytest.mark.parametrize("revision", revisions())
def test_no_row_of_an_earlier_version_is_lost_or_changed(database: Database, revision: str) -> None:
    upgrade_to(database, revision)
    fill(database, first_rows())
    before = rows(database)
    assert all(before.values())
    upgrade(database)
    after = rows(database)
    for name, old in before.items():
        spared = COMPUTED.get(name, set())
        kept = [{column: row[column] for column in old[0] if column not in spared} for row in old]
        now = [{column: row[column] for column in kept[0]} for row in after[name][: len(kept)]]
        assert now == kept, name
        if name != "source_use":  # which the migration fills for the drafts that it finds
            assert len(after[name]) == len(kept), name
    with Session(database.engine) as session:
        for mapper in Base.registry.mappers:  # the models read what earlier versions wrote
            for row in session.scalars(select(mapper.class_)):
                assert sa.inspect(row).dict


def test_two_processes_that_start_at_once_upgrade_once(database: Database) -> None:
    upgrade_to(database, "0001")
    start = threading.Barrier(2)

    def begin() -> None:
        other = Database(database.engine.url.render_as_string(hide_password=False))
        start.wait(60)
        upgrade(other)
        other.close()

    with ThreadPoolExecutor(2) as pool:
        for begun in [pool.submit(begin) for _ in range(2)]:
            begun.result(60)
    upgrade(database)
    assert "audit_seal" in sa.inspect(database.engine).get_table_names()
