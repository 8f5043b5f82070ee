from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from bench.impact import NOON, change, fill
from core.clock import FixedClock
from core.database import Base, Database
from core.migrate import upgrade
from desk.impact import Impact
from desk.jobs import InlineJobs
from kb.changes import ChangeJudge
from kb.library import Library
from tests.conftest import missing_part
from tests.factories import ADMIN
from tests.integration.test_migrations import assert_filled_in, fill_as_at_first, is_ours

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server of the test's own, on a socket in a temporary folder."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        missing_part("PostgreSQL is not installed (apt-get install postgresql)")
    programs = installed[-1].parent
    folder = tmp_path_factory.mktemp("postgres")
    as_user = ["runuser", "-u", "postgres", "--"] if Path("/root").owner() == _me() else []
    if as_user:
        subprocess.run(["chown", "-R", "postgres", str(folder)], check=True)
        for parent in [folder, *folder.parents[:3]]:
            subprocess.run(["chmod", "o+x", str(parent)], check=True)
    data = folder / "data"
    run = [*as_user, str(programs / "initdb"), "-A", "trust", "-U", "desk", "-D", str(data)]
    subprocess.run(run, check=True, capture_output=True)
    control = [*as_user, str(programs / "pg_ctl"), "-D", str(data), "-w"]
    options = f"-c listen_addresses='' -k {folder} -c fsync=off"
    log = ["-l", str(folder / "log")]
    subprocess.run([*control, *log, "-o", options, "start"], check=True, capture_output=True)
    try:
        yield f"postgresql+psycopg://desk@/postgres?host={folder}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True)


def _me() -> str:
    return subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()


def test_the_migrations_run_on_postgresql_and_give_the_models_schema(postgres_url: str) -> None:
    database = Database(postgres_url)
    try:
        upgrade(database)
        upgrade(database)
        with database.engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"include_object": is_ours})
            assert compare_metadata(context, Base.metadata) == []
    finally:
        database.close()


def new_database(postgres_url: str, name: str) -> Database:
    server = Database(postgres_url)
    with server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    server.close()
    return Database(postgres_url.replace("/postgres?", f"/{name}?"))


def test_what_was_there_before_is_filled_in_on_postgresql(postgres_url: str) -> None:
    database = new_database(postgres_url, "older")
    try:
        fill_as_at_first(database)
        upgrade(database)
        assert_filled_in(database)
    finally:
        database.close()


def test_what_rests_on_a_changed_source_is_found_on_postgresql(postgres_url: str) -> None:
    database = new_database(postgres_url, "impact")
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
