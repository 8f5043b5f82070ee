"""Named locks: within one process, or across all processes that share a PostgreSQL database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

_STRIPES: Final = 64

# The name's hash is the key: two names that share one wait for each other, which costs time only.
_LOCK: Final = text("SELECT pg_advisory_lock(hashtextextended(:name, 0))")
_TRY: Final = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_SHARE: Final = text("SELECT pg_advisory_lock_shared(hashtextextended(:name, 0))")
_SHARING: Final = text(
    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND (classid::bigint << 32 | objid::bigint) = hashtextextended(:name, 0)"
)
_UNLOCK: Final = text("SELECT pg_advisory_unlock_all()")


class Locks(Protocol):
    """Gives one holder at a time what a name stands for."""

    def hold(self, name: str) -> AbstractContextManager[None]:
        """Hold ``name`` while the block runs; waits for whoever holds it now."""
        ...


class ProcessLocks:
    """Locks between the threads of this process."""

    def __init__(self) -> None:
        self._stripes = tuple(threading.Lock() for _ in range(_STRIPES))

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold ``name`` while the block runs; waits for whoever holds it now."""
        with self._stripes[hash(name) % _STRIPES]:
            yield


class Held:
    """An advisory lock that is held."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def confirm(self) -> None:
        """Make sure that the server still knows the holder.

        Raises:
            sqlalchemy.exc.DBAPIError: The connection, and with it the lock, is gone.
        """
        self._connection.execute(text("SELECT 1"))

    def share(self, name: str) -> None:
        """Hold ``name`` together with everybody else who shares it, as long as this lock is held."""
        self._connection.execute(_SHARE, {"name": name})


class AdvisoryLocks:
    """Locks between all processes on one PostgreSQL database; the server keeps them.

    A holder that dies or loses its connection holds nothing any more. They belong to the session, so
    a pooler between desk and server must not share one server session among several clients.

    Args:
        engine: Connected to the PostgreSQL database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        """Hold ``name`` while the block runs; waits for whoever holds it now."""
        with self._engine.connect() as connection:
            connection.execute(_LOCK, {"name": name})
            try:
                yield
            finally:
                _release(connection)

    @contextmanager
    def try_hold(self, name: str) -> Iterator[Held | None]:
        """Hold ``name`` while the block runs if nobody else does; gives None when somebody does."""
        with self._engine.connect() as connection:
            if not connection.scalar(_TRY, {"name": name}):
                yield None
                return
            try:
                yield Held(connection)
            finally:
                _release(connection)

    def sharing(self, name: str) -> int:
        """Return how many share ``name`` now."""
        with self._engine.connect() as connection:
            return connection.scalar(_SHARING, {"name": name}) or 0


def _release(connection: Connection) -> None:
    if connection.invalidated:  # the server let go when the connection ended
        return
    try:
        connection.execute(_UNLOCK)
    except DBAPIError:
        # A session that is still there must not go back into the pool with the lock.
        connection.invalidate()
