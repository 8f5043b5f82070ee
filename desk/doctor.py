"""Looks at every part of the desk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Final, TypedDict

from core.errors import ProofdeskError
from desk.bootstrap import Desk
from desk.workers import count_workers

LOW_DISK_BYTES: Final = 500 * 1024 * 1024


class Part(TypedDict):
    """How one part is. ``says`` is a plain sentence, with what to do where it is not well."""

    part: str
    ok: bool
    says: str


def examine(desk: Desk) -> list[Part]:
    """Return how each part of the desk is; never raises for a part that is broken."""
    return [
        _part("workspace", lambda: _workspace(desk)),
        _part("database", lambda: f"{desk.database.engine.dialect.name} answers and is migrated."),
        _part("disk", lambda: _disk(desk)),
        _part("embeddings", lambda: _embeddings(desk)),
        _part("index", lambda: _index(desk)),
        _part("rules", lambda: _rules(desk)),
        _part("sources", lambda: _sources(desk)),
        _part("queue", lambda: f"{desk.reviews.pending_count()} reviews wait for a person."),
        _part("worker", lambda: _worker(desk)),
    ]


def _part(name: str, look: Callable[[], str]) -> Part:
    try:
        return {"part": name, "ok": True, "says": look()}
    except ProofdeskError as error:
        return {"part": name, "ok": False, "says": error.message}
    except Exception as error:  # a broken part must not hide the others
        return {"part": name, "ok": False, "says": f"{type(error).__name__}: {error}"}


def _workspace(desk: Desk) -> str:
    names = ", ".join(source.name for source in desk.workspace.sources)
    return f"{desk.workspace.folder} with the sources {names}."


def _disk(desk: Desk) -> str:
    free = shutil.disk_usage(desk.settings.home).free
    if free < LOW_DISK_BYTES:
        raise ProofdeskError(f"Only {free // 2**20} MB are free; make room before the desk stops.")
    return f"{free / 2**30:.1f} GB free."


def _embeddings(desk: Desk) -> str:
    desk.embedder.embed(["How do I get a refund?"])
    return f"{desk.embedder.name} answers."


def _index(desk: Desk) -> str:
    in_force = len(desk.library.in_force_passage_ids())
    if not in_force:
        raise ProofdeskError("Nothing is in force: run `proofdesk sync`.")
    desk.search.search("refund", 1)
    return f"{in_force} passages in force are indexed."


def _rules(desk: Desk) -> str:
    _ = desk.tiers
    return f"{len(desk.reasons)} contact reasons; the tier rules are valid."


def _sources(desk: Desk) -> str:
    count = desk.flags.open_count()
    return f"{count} flags for content owners are open; see `proofdesk flags list`."


def _worker(desk: Desk) -> str:
    if desk.shares_work:
        count = count_workers(desk.database.engine)
        if not count:
            raise ProofdeskError("No worker is running: start one with `proofdesk worker`.")
        return "1 worker is running." if count == 1 else f"{count} workers are running."
    if desk.owns_home:
        return "No desk is running here; commands do their own work."
    return "A running desk carries the work out."
