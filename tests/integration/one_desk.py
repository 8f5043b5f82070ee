"""One desk for all tests of a module: each opens its own contacts and leaves the sources alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from tests.integration.conftest import REASONS, REFUNDS, SHIPPING


def one_desk(base: Path, example_vectors: Path, database_url: str | None = None) -> Iterator[Desk]:
    """Yield a synced desk whose jobs run in the test's thread; close it at the end."""
    workspace, home = base / "workspace", base / "home"
    (workspace / "articles").mkdir(parents=True)
    (workspace / "articles" / "refunds.md").write_text(REFUNDS)
    (workspace / "articles" / "shipping.md").write_text(SHIPPING)
    (workspace / "reasons.yaml").write_text(REASONS)
    home.mkdir()
    (home / "cache").symlink_to(example_vectors)
    settings = Settings(
        home=home,
        workspace=workspace,
        undo_seconds=0,
        database_url=database_url,
        _env_file=None,
    )
    desk = open_desk(settings, inline=True)
    desk.sync()
    yield desk
    desk.close()
