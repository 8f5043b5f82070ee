"""The database takes connections and answers nothing: whoever waits is told so, and work goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import text

from core.database import Database
from core.errors import DatabaseUnavailable
from core.identifiers import new_id
from core.settings import Settings
from desk.bootstrap import open_desk
from desk.contacts import NewContact, NewMessage
from tests.factories import ADMIN
from tests.integration import proxy
from tests.integration.conftest import MIGRATED
from tests.integration.postgres import PostgresServer
from tests.integration.proxy import Proxy

pytestmark = pytest.mark.postgres
QUESTION = NewContact("email", [NewMessage("customer", "How long does a refund take?")])


@pytest.fixture
def between(postgres: PostgresServer) -> Iterator[Proxy]:
    with proxy.before(postgres.socket) as one:
        yield one


@pytest.fixture
def url(postgres: PostgresServer, between: Proxy) -> str:
    """URL of a migrated database behind the proxy."""
    name = new_id("hangs")
    postgres.new_database(name, like=MIGRATED)
    return f"postgresql+psycopg://desk@127.0.0.1:{between.port}/{name}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@contextmanager
def hanging(between: Proxy) -> Iterator[None]:
    """Have the server hang, and those who wait for it be quick to notice."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("LOOK_SECONDS", "LOOK_AGAIN_SECONDS", "ANSWER_SECONDS"):
            patched.setattr(f"core.patient_connection.{name}", 0.1)
        patched.setattr("psycopg.connection.timeout_from_conninfo", lambda _: 0.2)
        between.hang()
        yield
    between.go_on()


def number(database: Database) -> int:
    with database.read() as session:
        return int(session.scalar(text("SELECT 1")) or 0)


def test_whoever_asks_a_server_that_hangs_is_told_so(database: Database, between: Proxy) -> None:
    assert number(database) == 1
    with hanging(between), pytest.raises(DatabaseUnavailable, match="try again"):
        number(database)
    assert number(database) == 1


def test_who_loses_it_at_the_commit_is_told_to_look(database: Database, between: Proxy) -> None:
    def write() -> None:
        with ExitStack() as until, database.write() as session:
            session.execute(text("CREATE TABLE half (one int)"))
            until.enter_context(hanging(between))

    with pytest.raises(DatabaseUnavailable, match="Look whether it is there"):
        write()


@pytest.fixture
def watchful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have whoever waits look at once, as patiently as ever."""
    for name in ("LOOK_SECONDS", "LOOK_AGAIN_SECONDS"):
        monkeypatch.setattr(f"core.patient_connection.{name}", 0.1)


@pytest.mark.usefixtures("watchful")
def test_connections_that_lead_nowhere_any_more_are_given_up(
    database: Database, between: Proxy
) -> None:
    assert number(database) == 1
    between.forget()
    assert number(database) == 1


@pytest.mark.usefixtures("watchful")
def test_what_takes_long_or_waits_for_a_lock_is_waited_for(
    database: Database, postgres: PostgresServer
) -> None:
    other = Database(postgres.url(database.engine.url.database or ""))
    with database.engine.connect() as waiting, other.engine.connect() as holds:
        holds.execute(text("SELECT pg_advisory_lock(1)"))
        threading.Timer(0.6, lambda: holds.execute(text("SELECT pg_advisory_unlock(1)"))).start()
        assert waiting.scalar(text("SELECT 1 FROM pg_advisory_lock(1)")) == 1
        assert waiting.scalar(text("SELECT 2 FROM pg_sleep(0.4)")) == 2
    other.close()


def test_work_goes_on_by_itself_after_the_database_hung(
    settings_on_sqlite: Settings, url: str, between: Proxy
) -> None:
    desk = open_desk(settings_on_sqlite.model_copy(update={"database_url": url}))
    try:
        desk.sync()
        agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
        desk.start()
        contacts = [desk.contacts.open(agent, QUESTION) for _ in range(3)]
        with hanging(between):
            with pytest.raises(DatabaseUnavailable):
                desk.contacts.open(agent, QUESTION)
            with pytest.raises(DatabaseUnavailable, match="is written down"):
                desk.jobs.wait(f"carry:{contacts[0]}:1", 60)
        for contact in contacts:
            desk.contacts.wait_for_draft(contact)
            assert desk.contacts.get(ADMIN, contact).summary.status == "in_review"
    finally:
        assert desk.close()
