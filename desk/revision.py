"""Writes a migration for what changed in the models: ``python -m desk.revision "What changes"``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

from core.database import Database
from core.migrate import MIGRATIONS
from desk.every_table import EVERY_TABLE


def main(message: str) -> None:
    """Compare the models with a database migrated to head and write what is missing."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["tables"] = EVERY_TABLE
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'revision.sqlite'}")
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        with database.engine.begin() as connection:
            config.attributes["connection"] = connection
            command.revision(config, message=message, autogenerate=True)
        database.close()


if __name__ == "__main__":
    main(sys.argv[1])
