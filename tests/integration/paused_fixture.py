"""Paused runs as a release leaves them, kept in ``tests/fixtures/paused``, a folder an engine.

``python -m tests.integration.paused_fixture`` writes those of the version in pyproject.toml; do so
before a release. They are what later code must be able to resume, so they are never written anew for a
version that has been released.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import tempfile
import tomllib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from core.clock import FixedClock
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.every_table import EVERY_TABLE
from tests.conftest import ROOT
from tests.integration.conftest import REASONS, REFUNDS, SHIPPING, open_contact, pending_review
from tests.integration.postgres import PostgresServer, one_server

FOLDER = ROOT / "tests" / "fixtures" / "paused"
POSTGRESQL = "-postgresql"
_LEFT = "left"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUESTION = "How long does a refund take?"
DECISIONS: dict[str, dict[str, Any]] = {
    "approved": {"kind": "approve"},
    "edited": {"kind": "edit", "text": "A refund takes 5 business days to reach your card."},
    "rejected": {"kind": "reject", "reason": "tone", "comment": "Be kinder."},
    "escalated": {"kind": "escalate", "tier": "escalate_first", "comment": "A lawyer must look."},
}
"""What is decided on each paused run when it is resumed."""


def write(folder: Path, server: PostgresServer | None = None) -> None:
    """Write a desk with paused runs to ``folder``: its databases as SQL, and what they are.

    Args:
        folder: Does not exist yet.
        server: Where the desk has its database; None for SQLite.
    """
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        settings = Settings(
            home=home,
            workspace=lay_workspace(Path(temporary)),
            database_url=server.new_database(_LEFT) if server else None,
            _env_file=None,
        )
        desk = open_desk(settings, FixedClock(NOW), inline=True)
        try:
            paused = _pause(desk)
        finally:
            desk.close()
        folder.mkdir(parents=True)
        if server:
            script = server.dump(_LEFT, "--schema=public", "--exclude-table-data=embedding")
            (folder / "dump.sql").write_text(script, encoding="utf-8")
        else:
            tables = {*EVERY_TABLE.tables, "alembic_version"}
            _dump(home / "proofdesk.sqlite", folder / "records.sql", tables)
            _dump(home / "graph.sqlite", folder / "checkpoints.sql", None)
    about = {"now": NOW.isoformat(), "paused": paused}
    (folder / "about.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def lay_workspace(base: Path) -> Path:
    """Make the workspace that the paused runs rest on."""
    workspace = base / "fixture-workspace"
    (workspace / "articles").mkdir(parents=True)
    (workspace / "articles" / "refunds.md").write_text(REFUNDS)
    (workspace / "articles" / "shipping.md").write_text(SHIPPING)
    (workspace / "reasons.yaml").write_text(REASONS)
    return workspace


def is_of_postgresql(folder: Path) -> bool:
    """Tell whether ``folder`` holds a desk on PostgreSQL."""
    return folder.name.endswith(POSTGRESQL)


def lay_database(folder: Path, url: str) -> dict[str, Any]:
    """Bring an empty database to what ``folder`` was written from; return what is paused there."""
    script = (folder / "dump.sql").read_text(encoding="utf-8")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(script.encode())
    return _about(folder)


def lay_home(folder: Path, home: Path) -> dict[str, Any]:
    """Make the home that ``folder`` was written from; return what is paused there."""
    home.mkdir(parents=True, exist_ok=True)
    for name, script in (("proofdesk", "records"), ("graph", "checkpoints")):
        with closing(sqlite3.connect(home / f"{name}.sqlite")) as connection:
            connection.executescript((folder / f"{script}.sql").read_text(encoding="utf-8"))
    return _about(folder)


def _about(folder: Path) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    return about


def _pause(desk: Desk) -> dict[str, dict[str, str]]:
    desk.sync()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent", "mina")
    desk.people.add(None, "Ruth", "ruth@example.com", "supervisor", "ruth")
    paused: dict[str, dict[str, str]] = {}
    for name in DECISIONS:
        contact = open_contact(desk, agent, QUESTION)
        paused[name] = {"contact": contact, "review": pending_review(desk, agent, contact)}
    asks = open_contact(desk, agent, "Where is my order?")
    paused["asked"] = {"contact": asks, "review": pending_review(desk, agent, asks)}
    return paused


def _dump(database: Path, target: Path, tables: set[str] | None) -> None:
    with closing(sqlite3.connect(database)) as connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            if tables is not None and name not in tables and not name.startswith("sqlite_"):
                connection.execute(f'DROP TABLE "{name}"')
        if tables is not None:
            connection.execute("DELETE FROM embedding")  # which the next start makes again
        connection.commit()
        text = "\n".join(connection.iterdump())
    target.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    """Write the fixtures of the current version; refuse to replace one."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    there = [
        str(one) for one in (FOLDER / version, FOLDER / (version + POSTGRESQL)) if one.exists()
    ]
    if there:
        sys.exit(f"{', '.join(there)}: there already; a release is written once.")
    with tempfile.TemporaryDirectory() as temporary, one_server() as server:
        for name, where in ((version, None), (version + POSTGRESQL, server)):
            unfinished = Path(temporary) / name
            write(unfinished, where)
            shutil.copytree(unfinished, FOLDER / name)


if __name__ == "__main__":
    main()
