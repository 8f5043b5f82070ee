"""The database goes away just then: who asked hears what became of it, and no job is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from core.database import Database, storage_trouble
from core.errors import DatabaseUnavailable
from core.identifiers import new_id
from core.settings import Settings
from desk.bootstrap import open_desk
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk, open_contact
from tests.integration.failing import fail_at_first
from tests.integration.postgres import PostgresServer


@pytest.fixture
def settings(settings_of_each_engine: Settings) -> Settings:
    return settings_of_each_engine


@pytest.fixture
def postgresql(postgres: PostgresServer) -> Iterator[Database]:
    database = Database(postgres.new_database(new_id("away")))
    yield database
    database.close()


@pytest.mark.postgres
def test_whoever_loses_the_database_at_the_commit_is_told_to_look(postgresql: Database) -> None:
    def lose_it_at_the_commit() -> None:
        with postgresql.write() as session:
            mine = session.scalar(text("SELECT pg_backend_pid()"))
            with postgresql.engine.connect() as other:
                other.execute(text("SELECT pg_terminate_backend(:mine)"), {"mine": mine})

    def lose_it_before() -> None:
        with postgresql.write() as session:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(DatabaseUnavailable, match="Look whether it is there"):
        lose_it_at_the_commit()
    with pytest.raises(DatabaseUnavailable, match="try again in a moment"):
        lose_it_before()


def test_who_finds_no_free_connection_is_told_so(settings: Settings) -> None:
    database = Database(settings.database)
    database.engine.pool._timeout = 0.01  # type: ignore[attr-defined]

    def ask() -> None:
        with database.write() as session:
            session.execute(text("SELECT 1"))

    with ExitStack() as taken:
        while database.answers():
            taken.enter_context(database.engine.connect())
        with pytest.raises(DatabaseUnavailable, match="more to do"):
            ask()
    assert database.answers()
    database.close()


def test_a_job_that_counts_as_begun_and_is_not_is_begun_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.jobs.HOLD_SECONDS", 0.05)
    desk = open_desk(settings)
    try:
        desk.start()
        from dbos import DBOS

        with desk.database.write() as session:
            desk.jobs.enqueue(session, "sweep", "slipped", "flags", delay_seconds=3600)
            session.flush()
            prefix = "dbos." if desk.shares_work else ""
            session.execute(
                text(
                    f"UPDATE {prefix}workflow_status SET status = 'PENDING', executor_id = :name"
                    " WHERE workflow_uuid = 'slipped'"
                ),
                {"name": DBOS.executor_id},
            )
        assert desk.jobs.wait("slipped", 60) == ""
    finally:
        desk.close()


@pytest.mark.postgres
def test_a_checkpointer_without_a_connection_costs_a_job_no_attempt(
    open_synced: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from psycopg_pool import PoolTimeout

    desk = open_synced(inline=False)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    fail_at_first(monkeypatch, PoolTimeout("couldn't get a connection after 30.00 sec"))
    desk.start()
    contact = open_contact(desk, agent, "How long does a refund take?")
    assert desk.contacts.get(ADMIN, contact).summary.status == "in_review"
    assert isinstance(storage_trouble(PoolTimeout("")), DatabaseUnavailable)
