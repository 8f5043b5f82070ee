"""Brings a database to the current schema."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import text

from core.database import Database

_ONE_AT_A_TIME: Final = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('proofdesk migrations', 0))"
)

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> None:
    """Run every migration that ``database`` lacks; costs one query when there is none."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    head = ScriptDirectory.from_config(config).get_current_head()
    with database.engine.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == head:
            return
    with database.engine.execution_options(proofdesk_begin="IMMEDIATE").begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(_ONE_AT_A_TIME)  # whoever comes second finds nothing left to do
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
