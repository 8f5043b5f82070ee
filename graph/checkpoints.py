"""Opens LangGraph's checkpointer for the database that the desk uses."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from sqlalchemy.engine import make_url

from core.errors import BadInput


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
        from langgraph.checkpoint.sqlite import SqliteSaver

        connection = sqlite3.connect(home / "graph.sqlite", check_same_thread=False, timeout=30)
        saver = SqliteSaver(connection, serde=strict)
        saver.setup()
        return saver, connection.close
    try:
        from langgraph.checkpoint.postgres import PostgresSaver
        from psycopg.rows import dict_row
        from psycopg_pool import ConnectionPool
    except ImportError:
        raise BadInput(
            "database_url: PostgreSQL needs more packages; run `uv sync --extra postgres`."
        ) from None
    pool = ConnectionPool(
        url.set(drivername="postgresql").render_as_string(hide_password=False),
        kwargs={"autocommit": True, "prepare_threshold": None, "row_factory": dict_row},
        check=ConnectionPool.check_connection,
        open=True,
    )
    postgres = PostgresSaver(pool, serde=strict)  # type: ignore[arg-type]
    postgres.setup()
    return postgres, pool.close
