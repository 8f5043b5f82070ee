from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from bench.impact import NOON, change, fill
from core.clock import FixedClock
from core.database import Database
from core.migrate import upgrade
from desk.every_table import EVERY_TABLE
from desk.impact import Impact
from desk.jobs import InlineJobs
from kb.changes import ChangeJudge
from kb.library import Library
from tests.factories import ADMIN
from tests.integration.postgres import PostgresServer
from tests.integration.test_migrations import assert_filled_in, fill_as_at_first, is_ours

pytestmark = pytest.mark.postgres


def test_the_migrations_run_on_postgresql_and_give_the_models_schema(
    postgres: PostgresServer,
) -> None:
    database = Database(postgres.new_database("fresh"))
    try:
        upgrade(database)
        upgrade(database)
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"include_object": is_ours})
            assert compare_metadata(context, EVERY_TABLE) == []
    finally:
        database.close()


def test_what_was_there_before_is_filled_in_on_postgresql(postgres: PostgresServer) -> None:
    database = Database(postgres.new_database("older"))
    try:
        fill_as_at_first(database)
        upgrade(database)
        assert_filled_in(database)
    finally:
        database.close()


def test_what_rests_on_a_changed_source_is_found_on_postgresql(postgres: PostgresServer) -> None:
    database = Database(postgres.new_database("impact"))
    try:
        upgrade(database)
        fill(database, articles=6, answered=12, waiting=6, used=6)
        clock, jobs = FixedClock(NOON), InlineJobs()
        impact = Impact(database, Library(database, clock), clock, jobs, ChangeJudge())
        assert impact.sweep().articles == []
        change(database, [2], 2)
        found = impact.sweep()
        assert found.articles == ["help/2.md"]
        assert (found.reviews, found.answers) == (["rev_14"], 2)
        assert impact.redraft_stale() == 1
        assert [line.contact_id for line in impact.told_the_old(ADMIN)] == ["con_8", "con_2"]
        assert impact.sweep().articles == []
    finally:
        database.close()
