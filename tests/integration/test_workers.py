"""Several workers on one PostgreSQL database."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import TimeoutError as PoolTimeout

from core.errors import DatabaseUnavailable
from core.locks import AdvisoryLocks
from core.settings import Settings
from desk.bootstrap import open_desk
from desk.contacts import NewContact, NewMessage
from desk.workers import Liveness, count_workers, new_worker_name
from tests.conftest import ROOT
from tests.factories import ADMIN
from tests.integration import other_process
from tests.integration.conftest import OpenDesk, open_contact, pending_review
from tests.integration.postgres import PostgresServer

pytestmark = pytest.mark.postgres
BEAT = 0.02
PATIENCE = 60


@pytest.fixture
def settings(settings_on_postgresql: Settings) -> Settings:
    return settings_on_postgresql


@pytest.fixture
def engine(postgres: PostgresServer) -> Iterator[Engine]:
    engine = create_engine(postgres.new_database(new_worker_name()[-20:]))
    yield engine
    engine.dispose()


def test_one_at_a_time_holds_a_name(engine: Engine) -> None:
    locks = AdvisoryLocks(engine)
    second = threading.Event()

    def wait_for_it() -> None:
        with locks.hold("thread 1"):
            second.set()

    with locks.hold("thread 1"):
        other = threading.Thread(target=wait_for_it)
        other.start()
        with locks.hold("thread 2"), locks.try_hold("thread 1") as held:
            assert held is None
        assert not second.is_set()
    other.join(timeout=PATIENCE)
    assert second.is_set()


def test_the_dead_are_taken_over_and_the_living_are_not(engine: Engine) -> None:
    taken: list[str] = []
    found = threading.Event()

    def take_over(name: str) -> None:
        taken.append(name)
        found.set()

    at_work = {"me", "alive", "gone"}
    with AdvisoryLocks(engine).try_hold("proofdesk worker alive") as held:
        assert held is not None
        liveness = Liveness(engine, "me", lambda: at_work, take_over, BEAT)
        assert liveness.start(PATIENCE)
        assert found.wait(PATIENCE)
        assert count_workers(engine) == 1
        liveness.stop()
    assert set(taken) == {"gone"}
    assert count_workers(engine) == 0


def test_a_worker_that_lost_its_connection_comes_back(engine: Engine) -> None:
    liveness = Liveness(engine, "me", set, lambda _: None, BEAT)
    assert liveness.start(PATIENCE)
    assert count_workers(engine) == 1
    locks = AdvisoryLocks(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        )
    assert _soon(lambda: count_workers(engine) == 1)
    with locks.try_hold("proofdesk worker me") as held:
        assert held is None
    liveness.stop()


@pytest.mark.parametrize(
    "trouble", [PoolTimeout("no connection was free"), RuntimeError("no system database")]
)
def test_a_worker_that_could_not_look_after_the_others_lives_on(
    engine: Engine, trouble: Exception
) -> None:
    looks: list[int] = []

    def at_work() -> set[str]:
        looks.append(1)
        if len(looks) == 1:
            raise trouble
        return set()

    liveness = Liveness(engine, "me", at_work, lambda _: None, BEAT)
    assert liveness.start(PATIENCE)
    assert _soon(lambda: len(looks) > 2)
    assert count_workers(engine) == 1
    liveness.stop()


def test_a_worker_holds_its_name_before_it_begins_to_work(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk(settings)
    held: list[int] = []

    def begin(*_: object) -> None:
        held.append(count_workers(desk.database.engine))
        raise DatabaseUnavailable

    monkeypatch.setattr("desk.bootstrap.start_working", begin)
    try:
        with pytest.raises(DatabaseUnavailable):
            desk.start()
        assert held == [1]
    finally:
        desk.close()


def test_what_a_killed_worker_began_another_one_finishes(
    open_synced: OpenDesk, settings: Settings
) -> None:
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    desk.people.add(None, "Ruth", "ruth@example.com", "supervisor", "ruth")
    contact = open_contact(desk, agent, "How long does a refund take?")
    review = pending_review(desk, agent, contact)
    desk.close()

    dies = ("die", "ruth", review, "resumed, not settled", other_process.WHEN_TOLD)
    victim = other_process.start(settings, *dies)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "there\n"
    survivor = open_desk(settings)
    try:
        # It joins while the other one works, so nothing is recovered by a start.
        survivor.start()
        victim.communicate("die\n", timeout=120)
        assert victim.returncode == -signal.SIGKILL
        assert survivor.jobs.wait(f"resume:{review}", 60) is not None
        (delivery,) = survivor.deliveries.of_contact(ADMIN, contact)
        assert survivor.jobs.wait(f"deliver:{delivery.id}", 60) == "sent"
        assert len(list((settings.home / "outbox").glob("*.eml"))) == 1
    finally:
        survivor.close()


def test_a_worker_that_is_told_to_stop_finishes_what_it_began(
    open_synced: OpenDesk, settings: Settings
) -> None:
    desk = open_synced()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    desk.close()
    environment = {
        **os.environ,
        "PROOFDESK_HOME": str(settings.home),
        "PROOFDESK_WORKSPACE": str(settings.workspace),
        "PROOFDESK_DATABASE_URL": settings.database,
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "desk.cli", "worker"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline().startswith("Working")
    desk = open_desk(settings)
    try:
        new = NewContact("email", [NewMessage("customer", "How long does a refund take?")])
        contact = desk.contacts.open(agent, new)
        desk.contacts.wait_for_draft(contact)
        assert desk.contacts.get(ADMIN, contact).summary.status == "in_review"
        assert not desk._working  # the worker did it
    finally:
        worker.send_signal(signal.SIGTERM)
        said, _ = worker.communicate(timeout=60)
        desk.close()
    assert worker.returncode == 0
    assert "Stopped" in said


def _soon(holds: Callable[[], bool]) -> bool:
    waiting = threading.Event()
    for _ in range(round(PATIENCE / BEAT)):
        if holds():
            return True
        waiting.wait(BEAT)
    return False


def test_work_goes_on_by_itself_after_the_database_was_away(
    settings_on_sqlite: Settings,
) -> None:
    with tempfile.TemporaryDirectory(prefix="proofdesk-postgres-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        url = server.new_database("desk")
        desk = open_desk(settings_on_sqlite.model_copy(update={"database_url": url}))
        try:
            desk.sync()
            agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
            desk.start()
            for mode in ("immediate", "fast"):
                new = NewContact("email", [NewMessage("customer", "How long does a refund take?")])
                contacts = [desk.contacts.open(agent, new) for _ in range(3)]
                server.stop(mode)
                with pytest.raises(DatabaseUnavailable, match="try again"):
                    desk.contacts.get(agent, contacts[0])
                with pytest.raises(DatabaseUnavailable, match="is written down"):
                    desk.jobs.wait(f"carry:{contacts[0]}:1", 60)
                server.start()
                for contact in contacts:
                    desk.contacts.wait_for_draft(contact)
                    assert desk.contacts.get(agent, contact).summary.status == "in_review"
        finally:
            desk.close()
            if server.running():
                server.stop()
