"""Opens LangGraph's checkpointer for the database that the desk uses."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from sqlalchemy.engine import make_url

from core.database import patience_with
from core.errors import BadInput

_RECONNECT_SECONDS: Final = 10.0
"""How long the pool tries to connect by itself, more and more seldom; then again for who asks."""
_TRY: Final = "SELECT pg_try_advisory_lock(hashtextextended('proofdesk checkpoints', 0))"
_LOOK_AGAIN_SECONDS: Final = 0.1
_LASTING: Final = ("decision", "outcome")
"""What a state holds once a person or a customer may have noticed something of the run."""


class ThreadFile(SqliteSaver):
    """Threads in a SQLite file; each step survives a killed process, each pause a power cut.

    Every step is committed before the next one begins. Committed is not yet on the disk: SQLite
    waits for the disk where a run pauses, fails or goes on after a decision, and then everything
    before it is on the disk, too. What a power cut can take are steps on the way to a pause that
    nobody has heard of; they are done again.
    """

    def __init__(self, connection: sqlite3.Connection, serde: JsonPlusSerializer) -> None:
        super().__init__(connection, serde=serde)
        self._now = threading.local()

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """As LangGraph's; a transaction waits for the disk where its writes must last."""
        with super().cursor(transaction) as cursor:
            if transaction:
                lasting = getattr(self._now, "lasting", True)
                cursor.execute(f"PRAGMA synchronous={'FULL' if lasting else 'NORMAL'}")
            yield cursor

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Save a checkpoint."""
        held = checkpoint["channel_values"]
        with self._waiting(any(held.get(key) is not None for key in _LASTING)):
            return super().put(config, checkpoint, metadata, new_versions)

    def put_writes(
        self,
        config: RunnableConfig,
        writes: Sequence[tuple[str, Any]],
        task_id: str,
        task_path: str = "",
    ) -> None:
        """Save what a node returned; that it paused, failed or was resumed is to last."""
        with self._waiting(any(channel in WRITES_IDX_MAP for channel, _ in writes)):
            super().put_writes(config, writes, task_id, task_path)

    @contextmanager
    def _waiting(self, lasting: bool) -> Iterator[None]:
        self._now.lasting = lasting
        try:
            yield
        finally:
            del self._now.lasting


def open_checkpointer(
    database_url: str, home: Path
) -> tuple[BaseCheckpointSaver[Any], Callable[[], None]]:
    """Return a checkpointer and what closes it.

    Args:
        database_url: SQLAlchemy URL of the records. For SQLite the threads get a file of their own
            in ``home``, so that the graph's writes do not wait for the desk's.
        home: ``PROOFDESK_HOME``.
    """
    # Checkpoints hold plain JSON only; what else is found in one is not brought to life.
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        connection = sqlite3.connect(home / "graph.sqlite", check_same_thread=False, timeout=30)
        saver = ThreadFile(connection, strict)
        saver.setup()
        return saver, connection.close
    try:
        from langgraph.checkpoint.postgres import PostgresSaver
        from psycopg.rows import dict_row, tuple_row
        from psycopg_pool import ConnectionPool

        from core.patient_connection import PatientConnection
    except ImportError:
        raise BadInput(
            "database_url: PostgreSQL needs more packages; run `uv sync --extra postgres`."
        ) from None
    pool = ConnectionPool(
        url.set(drivername="postgresql").render_as_string(hide_password=False),
        connection_class=PatientConnection,
        kwargs={
            "autocommit": True,
            "prepare_threshold": None,
            "row_factory": dict_row,
            **patience_with(url),
        },
        check=ConnectionPool.check_connection,
        reconnect_timeout=_RECONNECT_SECONDS,
        open=True,
    )
    postgres = PostgresSaver(pool, serde=strict)  # type: ignore[arg-type]
    with pool.connection() as one, one.cursor(row_factory=tuple_row) as alone:
        # Not by waiting for the lock: the indexes are made CONCURRENTLY, which waits for who waits.
        while alone.execute(_TRY).fetchone() != (True,):
            time.sleep(_LOOK_AGAIN_SECONDS)
        try:
            postgres.setup()
        finally:
            alone.execute("SELECT pg_advisory_unlock_all()")
    return postgres, pool.close
