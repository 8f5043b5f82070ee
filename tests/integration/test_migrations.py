from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import desk.models  # noqa: F401 - importing them registers the tables
import kb.models  # noqa: F401
import retrieval.tables  # noqa: F401
from core.database import Base, Database
from core.migrate import upgrade


def is_ours(_object: object, name: str | None, kind: str, _reflected: bool, _to: object) -> bool:
    return kind != "table" or name in Base.metadata.tables


def test_the_migrated_schema_is_the_one_of_the_models(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    upgrade(database)
    with database.engine.connect() as connection:
        options = {"include_object": is_ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    database.close()


def test_upgrading_twice_changes_nothing(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'fresh.sqlite'}")
    upgrade(database)
    upgrade(database)
    database.close()
