"""A small desk on real SQLite, Chroma and the built-in embedding model."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.clock import Clock
from core.database import Database
from core.identifiers import new_id
from core.migrate import upgrade
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.contacts import NewContact, NewMessage
from desk.jobs import prepare_job_tables
from desk.permissions import Actor
from tests.integration.postgres import PostgresServer, one_server

MIGRATED = "migrated"
REFUNDS = """---
title: Refunds
owner: Priya
effective_from: 2026-01-01
---
## How long a refund takes

A refund takes 5 business days to reach your card.

## Who gets one

You can return a lamp within 30 days of delivery. Gift cards cannot be refunded.
"""
SHIPPING = """---
title: Shipping
effective_from: 2026-01-01
---
## What shipping costs

Standard shipping costs $4.50. Orders over $50 ship free.

## How long shipping takes

Standard shipping takes 3 to 5 business days.
"""
REASONS = """version: 1
reasons:
  - id: refund_question
    name: Refund question
    owner: Billing
    examples:
      - How long does a refund take?
      - when do i get my money back
      - Can I return the lamp I bought?
      - what is your return window
      - Are gift cards refundable?
  - id: order_status
    name: Where is my order
    owner: Orders
    sla_minutes: 60
    required:
      - id: order_number
        name: Order number
        ask: Could you send us your order number?
        pattern: 'LB-\\d{6}'
        field: order_number
    examples:
      - Where is my order?
      - my parcel has not arrived yet
      - the tracking page has not moved for days
      - when will my order arrive
      - I am still waiting for my package
  - id: shipping_question
    name: Shipping question
    owner: Orders
    examples:
      - How much is shipping?
      - what does standard shipping cost
      - do i pay for delivery
      - how many days does shipping take
"""


@pytest.fixture(autouse=True)
def nothing_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no desk sweep because a test happens to run at seven minutes past the hour."""
    for schedule in ("SWEEP_SCHEDULE", "RHYTHM_SCHEDULE"):
        monkeypatch.setattr(f"desk.jobs.{schedule}", "0 0 29 2 *")


@pytest.fixture(scope="session")
def example_vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder in which what the rules learn from their examples is kept for all tests of a run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "examples"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace of two articles and three reasons."""
    folder = tmp_path / "workspace"
    (folder / "articles").mkdir(parents=True)
    (folder / "articles" / "refunds.md").write_text(REFUNDS)
    (folder / "articles" / "shipping.md").write_text(SHIPPING)
    (folder / "reasons.yaml").write_text(REASONS)
    return folder


@pytest.fixture
def settings(settings_on_sqlite: Settings) -> Settings:
    """Settings of a home of its own; a module that runs on each engine asks for the others."""
    return settings_on_sqlite


def prepare_database(url: str) -> None:
    """Bring an empty database to where a desk has it once it was opened."""
    database = Database(url)
    upgrade(database)
    prepare_job_tables(url)
    database.close()


@pytest.fixture(scope="session")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database is migrated: a copy of it saves a test the migrations."""
    settings = Settings(home=tmp_path_factory.mktemp("migrated"), _env_file=None)
    prepare_database(settings.database)
    return settings.home


@pytest.fixture
def settings_on_sqlite(
    tmp_path: Path, workspace: Path, example_vectors: Path, migrated_home: Path
) -> Settings:
    """Settings of a home of its own."""
    home = tmp_path / "home"
    shutil.copytree(migrated_home, home)
    (home / "cache").symlink_to(example_vectors)
    return Settings(home=home, workspace=workspace, undo_seconds=0, _env_file=None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL server; every test makes a database of its own in it."""
    with one_server() as server:
        prepare_database(server.new_database(MIGRATED))
        yield server


@pytest.fixture
def settings_on_postgresql(settings_on_sqlite: Settings, postgres: PostgresServer) -> Settings:
    """The same on PostgreSQL, with a database of its own."""
    url = postgres.new_database(new_id("desk"), like=MIGRATED)
    return settings_on_sqlite.model_copy(update={"database_url": url})


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings_of_each_engine(request: pytest.FixtureRequest) -> Settings:
    """Settings on SQLite, and the same on PostgreSQL."""
    found: Settings = request.getfixturevalue(f"settings_on_{request.param}")
    return found


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_synced(settings: Settings) -> Iterator[OpenDesk]:
    """Open desks that are closed after the test, their help center synced."""
    desks: list[Desk] = []

    def build(clock: Clock | None = None, *, inline: bool = True, **changes: object) -> Desk:
        desk = open_desk(settings.model_copy(update=changes), clock, inline=inline)
        desks.append(desk)
        desk.sync()
        return desk

    yield build
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(open_synced: OpenDesk) -> Desk:
    """A desk whose jobs run in the test's thread."""
    return open_synced()


@pytest.fixture
def agent(desk: Desk) -> Actor:
    return desk.people.add(None, "Mina", "mina@example.com", "agent")


@pytest.fixture
def supervisor(desk: Desk) -> Actor:
    return desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")


def open_contact(desk: Desk, actor: Actor, text: str, **changes: object) -> str:
    """Open a contact and let its run come to its pause; return its id."""
    new = NewContact(channel="email", messages=[NewMessage("customer", text)], **changes)  # type: ignore[arg-type]
    contact_id = desk.contacts.open(actor, new)
    desk.contacts.wait_for_draft(contact_id)
    return contact_id


def pending_review(desk: Desk, actor: Actor, contact_id: str) -> str:
    """Return the id of the review that the contact waits at."""
    (review,) = [r for r in desk.reviews.of_contact(actor, contact_id) if r.status == "pending"]
    return review.id
