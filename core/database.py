"""The database: declarative base, engine, units of work."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, Final

import tenacity
from sqlalchemy import (
    URL,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import JSON, TypeDecorator

from core.errors import DatabaseUnavailable, Outdated

_LONGEST_PAUSE_SECONDS: Final = 2.0
_CONNECT_SECONDS: Final = 10
_SILENT_SECONDS: Final = 30
"""How long a server may be silent that cannot even be reached any more."""

_SAID: Final = {
    "locked": "The database is busy: another process has held it too long. Try again in a moment.",
    "deadlock": "Somebody else changed the same records at the same moment. Try again.",
    "full": "The disk is full. Make room; nothing of what you asked for was written.",
    "readonly": "The database cannot be written to. Check who owns its file, and the disk.",
    "disk i/o": "The disk does not answer. Nothing of what you asked for was written.",
}
"""Part of the database's message → what a person is told."""

_NONE_FREE: Final = (
    "The desk has more to do than it has connections to the database. Try again in a moment."
)
_WRITTEN_OR_NOT: Final = (
    "The database went away while it wrote this down. Look whether it is there, then try again."
)

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


def patience_with(url: URL) -> dict[str, int]:
    """Return what tells a PostgreSQL client when to give a server up, unless ``url`` says it.

    By itself it waits for a machine that is gone for as long as the kernel does: a quarter of an
    hour and more.
    """
    given = {
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": _SILENT_SECONDS // 2,
        "keepalives_interval": _SILENT_SECONDS // 6,
        "keepalives_count": 3,
        "tcp_user_timeout": _SILENT_SECONDS * 1000,
    }
    return {name: value for name, value in given.items() if name not in url.query}


def on_postgresql(url: str) -> bool:
    """Tell whether ``url`` names a database on PostgreSQL."""
    return make_url(url).get_backend_name() == "postgresql"


def with_patience(url: str) -> str:
    """Return a URL that says itself when a server is to be given up that cannot be reached."""
    if not on_postgresql(url):
        return url
    parsed = make_url(url)
    patience = {name: str(value) for name, value in patience_with(parsed).items()}
    return parsed.update_query_dict(patience).render_as_string(hide_password=False)


def connector(url: str) -> Callable[[], Any]:
    """Return what connects to PostgreSQL for SQLAlchemy, and gives up a server that is gone or hangs."""
    from core.patient_connection import PatientConnection

    parsed = make_url(with_patience(url))
    dialect: Any = parsed.get_dialect()
    given, named = dialect(dbapi=dialect.import_dbapi()).create_connect_args(parsed)
    return partial(PatientConnection.connect, *given, **named)


def patient_engine(url: str) -> Engine:
    """Return an engine on PostgreSQL that gives up a server that is gone or hangs."""
    return create_engine(url, pool_pre_ping=True, creator=connector(url))


class Database:
    """One database, SQLite or PostgreSQL.

    Args:
        url: SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        if on_postgresql(url):
            self.engine = patient_engine(url)
        else:
            self.engine = create_engine(url)
            _prepare_sqlite(self.engine)
        self._writer = self.engine.execution_options(proofdesk_begin="IMMEDIATE")

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One unit of work: commits when the block ends, rolls back when it raises.

        Raises:
            Outdated: Somebody else changed a row that this unit of work read and changed.
            DatabaseUnavailable: The database is away, busy or full. Nothing was written, save where
                it went away during the commit itself: then the message says that this is not known.
        """
        committing = False
        try:
            with Session(self._writer, expire_on_commit=False) as session, session.begin():
                yield session
                committing = True
        except StaleDataError:
            raise Outdated from None
        except (DBAPIError, NoneFree) as error:
            if committing and getattr(error, "connection_invalidated", False):
                raise DatabaseUnavailable(_WRITTEN_OR_NOT) from error
            if away := storage_trouble(error):
                raise away from error
            raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; whatever it changes is rolled back.

        Raises:
            DatabaseUnavailable: The database is away.
        """
        with plainly(), Session(self.engine, expire_on_commit=False) as session:
            yield session

    def answers(self) -> bool:
        """Tell whether the database answers now."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
        except (DBAPIError, NoneFree):
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


@contextmanager
def plainly() -> Iterator[None]:
    """Raise trouble of the database as DatabaseUnavailable."""
    try:
        yield
    except (DBAPIError, NoneFree) as error:
        if away := storage_trouble(error):
            raise away from error
        raise


def storage_trouble(error: BaseException) -> DatabaseUnavailable | None:
    """Return what a person is told when it failed for want of a database, disk or lock; else None.

    Such trouble passes: what failed for it may be done again.
    """
    if isinstance(error, DatabaseUnavailable):
        return error
    if isinstance(error, DBAPIError):
        return _away(error)
    if isinstance(error, NoneFree):
        return DatabaseUnavailable(_NONE_FREE)
    # What does not go through SQLAlchemy: LangGraph's checkpointers.
    psycopg = sys.modules.get("psycopg")
    if psycopg and isinstance(error, psycopg.OperationalError):
        return DatabaseUnavailable()
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
