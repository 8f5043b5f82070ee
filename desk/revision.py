"""Writes a migration for what changed in the models: ``python -m desk.revision "What changes"``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

import desk.autonomy_models  # noqa: F401 - importing them registers the tables
import desk.models  # noqa: F401
import desk.qa_models  # noqa: F401
import kb.models  # noqa: F401
import retrieval.tables  # noqa: F401
from core.database import Database
from core.migrate import MIGRATIONS


def main(message: str) -> None:
    """Compare the models with a database migrated to head and write what is missing."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
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
