"""Databases as earlier versions left them, with a row or more in every table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from core.database import Database
from core.migrate import MIGRATIONS
from desk.every_table import EVERY_TABLE
from tests.factories import NOON

Rows = dict[str, list[dict[str, Any]]]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def revisions() -> list[str]:
    """Return every revision, oldest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()][
        ::-1
    ]


def upgrade_to(database: Database, revision: str) -> None:
    """Bring ``database`` to ``revision``."""
    config = _config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def fill(database: Database, given: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Put rows into every table of the schema as it is; columns that are not given are made up."""
    tables = _tables(database)
    made: dict[str, dict[str, Any]] = {}
    with database.engine.begin() as connection:
        for name, table in tables.items():
            for some in given.get(name, [{}]):
                row = {
                    column.name: some.get(column.name, _made_up(column, made))
                    for column in table.columns
                }
                connection.execute(table.insert().values(row))
                made.setdefault(name, row)


def rows(database: Database) -> Rows:
    """Return all rows by table, in the order of their keys."""
    with database.engine.connect() as connection:
        return {
            name: [
                dict(row)
                for row in connection.execute(
                    table.select().order_by(*table.primary_key.columns)
                ).mappings()
            ]
            for name, table in _tables(database).items()
        }


def _tables(database: Database) -> dict[str, sa.Table]:
    found = sa.MetaData()
    found.reflect(database.engine, only=lambda name, _: name in EVERY_TABLE.tables)
    return {table.name: table for table in found.sorted_tables}


def _made_up(column: sa.Column[Any], made: Mapping[str, Mapping[str, Any]]) -> Any:
    for key in column.foreign_keys:
        return made[key.column.table.name][key.column.name]
    kind = column.type
    if isinstance(kind, sa.Boolean):
        return True
    if isinstance(kind, sa.JSON):
        return {}
    if isinstance(kind, sa.DateTime):
        return NOON
    if isinstance(kind, sa.Date):
        return NOON.date()
    if isinstance(kind, sa.Integer):
        return 1
    if isinstance(kind, sa.Numeric | sa.Float):
        return 0.5
    if isinstance(kind, sa.LargeBinary):
        return b"\x00\x00\x80?"
    return column.name[: kind.length] if isinstance(kind, sa.String) else column.name
