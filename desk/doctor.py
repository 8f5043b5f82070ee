"""Looks at every part of the desk."""

from __future__ import annotations

import shutil
from typing import Final

from core.errors import IndexUnavailable, ProofdeskError
from desk.bootstrap import Desk
from desk.health import Part, database, index, jobs, look_at, model

LOW_DISK_BYTES: Final = 500 * 1024 * 1024


def examine(desk: Desk) -> list[Part]:
    """Return how each part of the desk is; never raises for a part that is broken."""
    parts = [
        look_at("workspace", lambda: _workspace(desk)),
        look_at("database", lambda: database(desk)),
        look_at("disk", lambda: _disk(desk)),
        look_at("embeddings", lambda: _embeddings(desk)),
        look_at("index", lambda: _index(desk)),
        look_at("rules", lambda: _rules(desk)),
        look_at("sources", lambda: _sources(desk)),
        look_at("queue", lambda: f"{desk.reviews.pending_count()} reviews wait for a person."),
        look_at("jobs", lambda: jobs(desk)),
        look_at("outbox", lambda: _outbox(desk)),
    ]
    if desk.settings.model:
        parts.append(look_at("model", lambda: model(desk)))
    return parts


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
    if desk.index_trouble:
        raise IndexUnavailable(index(desk))
    return f"{index(desk)} {in_force} passages are in force."


def _rules(desk: Desk) -> str:
    _ = desk.tiers
    return f"{len(desk.reasons)} contact reasons; the tier rules are valid."


def _sources(desk: Desk) -> str:
    count = desk.flags.open_count()
    return f"{count} flags for content owners are open; see `proofdesk flags list`."


def _outbox(desk: Desk) -> str:
    aside, waiting = desk.deliveries.troubles()
    if aside:
        what = "answer" if aside == 1 else "answers"
        raise ProofdeskError(
            f"{aside} approved {what} could not be sent: mend the cause, then send again in the "
            "outbox or by `proofdesk outbox send-again`."
        )
    if waiting:
        return f"{waiting} could not be sent at first and will be tried again."
    return "Nothing is held up."
