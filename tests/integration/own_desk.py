"""A small desk with a workspace of its own that the tests of one module share, and may edit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.clock import Clock
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from tests.integration.conftest import REASONS, REFUNDS, SHIPPING


@contextmanager
def own_desk(
    base: Path, example_vectors: Path, clock: Clock, operations: str = ""
) -> Iterator[Desk]:
    """Open a synced desk in a folder of its own.

    Args:
        base: An empty folder.
        example_vectors: What the rules learnt from their examples, kept for all tests of a run.
        clock: The time.
        operations: What ``operations.yaml`` holds; "" for none.
    """
    workspace, home = base / "workspace", base / "home"
    (workspace / "articles").mkdir(parents=True)
    (workspace / "articles" / "refunds.md").write_text(REFUNDS)
    (workspace / "articles" / "shipping.md").write_text(SHIPPING)
    (workspace / "reasons.yaml").write_text(REASONS)
    if operations:
        (workspace / "operations.yaml").write_text(operations)
    home.mkdir()
    (home / "cache").symlink_to(example_vectors)
    settings = Settings(home=home, workspace=workspace, undo_seconds=0, _env_file=None)
    desk = open_desk(settings, clock, inline=True)
    desk.sync()
    yield desk
    desk.close()
