"""Two who do the same at the same moment, in two processes on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.errors import BadInput, Refused
from core.identifiers import new_id
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.contacts import NewContact, NewMessage, hold_contact
from desk.models import Contact, Person, Presence, ReasonCorrection
from graph.checkpoints import open_checkpointer
from tests.factories import NOON
from tests.integration.postgres import PostgresServer

pytestmark = pytest.mark.postgres
Result = TypeVar("Result")
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
def desk(settings_on_postgresql: Settings) -> Iterator[Desk]:
    desk = open_desk(settings_on_postgresql, inline=True)
    yield desk
    desk.close()


@contextmanager
def first(desk: Desk, then: Callable[[], Result]) -> Iterator[tuple[Session, Future[Result]]]:
    """Give a unit of work that ends when ``then``, begun inside of it, waits for it or is done."""
    with ThreadPoolExecutor(1) as pool:
        with desk.database.write() as session:
            second: Future[Result] = Future()
            yield session, second
            session.flush()
            running = pool.submit(then)
            pause = threading.Event()
            with desk.database.read() as other:
                while not running.done() and not other.scalar(WAITING):
                    other.rollback()
                    pause.wait(0.01)
        if error := running.exception(60):
            second.set_exception(error)
        else:
            second.set_result(running.result())


def test_processes_that_start_at_once_make_the_tables_of_runs_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.new_database(new_id("fresh"))
    start = threading.Barrier(4)

    def begin() -> None:
        start.wait(60)
        open_checkpointer(url, tmp_path)[1]()

    with ThreadPoolExecutor(4) as pool:
        for begun in [pool.submit(begin) for _ in range(4)]:
            begun.result(60)


def test_two_admins_who_let_each_other_go_leave_one(desk: Desk) -> None:
    ada = desk.people.add(None, "Ada", "ada@example.com", "admin")
    bea = desk.people.add(None, "Bea", "bea@example.com", "admin")
    with first(desk, lambda: desk.people.leave(ada, bea.id)) as (session, second):
        session.get_one(Person, ada.id, with_for_update=True).active = False
    with pytest.raises(Refused, match="last admin"):
        second.result()


def test_somebody_with_two_pages_open_is_seen_once(desk: Desk) -> None:
    ruth = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    with first(desk, lambda: desk.reviews.look(ruth, "rev_2")) as (session, second):
        session.add(Presence(person_id=ruth.id, review_id="rev_1", at=NOON))
    assert second.result() is None
    with desk.database.read() as session:
        assert session.scalars(select(Presence.review_id)).all() == ["rev_2"]


def test_a_correction_that_two_take_back_is_taken_back_once(desk: Desk) -> None:
    mina = desk.people.add(None, "Mina", "mina@example.com", "agent")
    contact = desk.contacts.open(mina, NewContact("email", [NewMessage("customer", "Hello?")]))
    with desk.database.write() as session:
        correction = ReasonCorrection(
            id="cor_1", contact_id=contact, text="Hello?", reason=None, by=mina.id, at=NOON
        )
        session.add(correction)
    with first(desk, lambda: desk.corrections.undo(mina, "cor_1")) as (session, second):
        hold_contact(session, contact)
        session.get_one(ReasonCorrection, "cor_1").undone_at = NOON
    with pytest.raises(BadInput, match="taken back already"):
        second.result()


def test_a_contact_that_two_processes_bring_in_is_opened_once(desk: Desk) -> None:
    mina = desk.people.add(None, "Mina", "mina@example.com", "agent")
    new = NewContact(
        "email", [NewMessage("customer", "Hello?")], origin="mbox", external_id="letter 1"
    )
    with first(desk, lambda: desk.contacts.open(mina, new)) as (session, second):
        session.add(
            Contact(
                id="con_first",
                origin="mbox",
                external_id="letter 1",
                channel="email",
                status="closed",
                created_at=NOON,
                updated_at=NOON,
            )
        )
    assert second.result() == "con_first"
    with desk.database.read() as session:
        assert session.scalars(select(Contact.id)).all() == ["con_first"]
