"""The database: declarative base, engine, units of work."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

import tenacity
from sqlalchemy import DateTime, Dialect, Engine, MetaData, create_engine, event, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import JSON, TypeDecorator

from core.errors import DatabaseUnavailable, Outdated

_LONGEST_PAUSE_SECONDS: Final = 2.0

_SAID: Final = {
    "locked": "The database is busy: another process has held it too long. Try again in a moment.",
    "deadlock": "Somebody else changed the same records at the same moment. Try again.",
    "full": "The disk is full. Make room; nothing of what you asked for was written.",
    "readonly": "The database cannot be written to. Check who owns its file, and the disk.",
    "disk i/o": "The disk does not answer. Nothing of what you asked for was written.",
}
"""Part of the database's message → what a person is told."""

_OURS: Final = ("syntax error", "no such table", "no such column", "no such function")
"""Parts of messages of SQLite that it calls operational and that are faults of the program."""

_NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC datetime on every engine; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert an aware datetime to UTC on its way in."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: give it a timezone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Mark what comes out as UTC (SQLite keeps no timezone)."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every table."""

    metadata = MetaData(naming_convention=_NAMING)
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(),
        list[str]: JSON(),
    }


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: ConnectionPoolEntry) -> None:
        # SQLAlchemy opens transactions itself (below): the driver's own BEGIN comes too late to
        # take the write lock, which makes read-then-write units of work fail as "locked".
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA busy_timeout=30000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        mode = connection.get_execution_options().get("proofdesk_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {mode}")


class Database:
    """One database, SQLite or PostgreSQL.

    Args:
        url: SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
        if self.engine.dialect.name == "sqlite":
            _prepare_sqlite(self.engine)
        self._writer = self.engine.execution_options(proofdesk_begin="IMMEDIATE")

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One unit of work: commits when the block ends, rolls back when it raises.

        Raises:
            Outdated: Somebody else changed a row that this unit of work read and changed.
            DatabaseUnavailable: The database is away, busy or full; nothing was written.
        """
        try:
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                yield session
        except StaleDataError:
            raise Outdated from None
        except DBAPIError as error:
            if away := _away(error):
                raise away from error
            raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; whatever it changes is rolled back.

        Raises:
            DatabaseUnavailable: The database is away.
        """
        try:
            with Session(self.engine, expire_on_commit=False) as session:
                yield session
        except DBAPIError as error:
            if away := _away(error):
                raise away from error
            raise

    def answers(self) -> bool:
        """Tell whether the database answers now."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def wait_until_it_answers(
        self, timeout_seconds: float, enough: threading.Event | None = None
    ) -> bool:
        """Wait for the database to answer, until ``enough`` is set; tell whether it does."""
        enough = enough or threading.Event()
        wait = tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda answered: not answered),
            wait=tenacity.wait_random_exponential(0.1, _LONGEST_PAUSE_SECONDS),
            stop=tenacity.stop_after_delay(timeout_seconds) | tenacity.stop_when_event_set(enough),
            sleep=tenacity.sleep_using_event(enough),
            retry_error_callback=lambda _: False,
        )
        return bool(wait(self.answers))

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def storage_trouble(error: BaseException) -> DatabaseUnavailable | None:
    """Return what a person is told when a write failed for want of a disk or a lock; else None.

    Such trouble passes: what failed for it may be done again.
    """
    if isinstance(error, DatabaseUnavailable):
        return error
    if not isinstance(error, sqlite3.OperationalError):
        return None
    cause = str(error).lower()
    said = next((said for part, said in _SAID.items() if part in cause), None)
    return DatabaseUnavailable(said) if said else None


def _away(error: DBAPIError) -> DatabaseUnavailable | None:
    """Return what a person is told when ``error`` is the database's state; None when it is ours."""
    if not (error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)):
        return None
    cause = str(error.orig).lower()
    if any(part in cause for part in _OURS):
        return None
    return DatabaseUnavailable(next((said for part, said in _SAID.items() if part in cause), None))
