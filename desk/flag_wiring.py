"""Ties the source flags to the other parts of a desk."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from desk.flags import FlagParts
from graph.values import Conversation
from kb.workspace import MACROS, Workspace

if TYPE_CHECKING:
    from desk.bootstrap import Desk


def flag_parts(desk: Desk) -> FlagParts:
    """Return what the source flags of ``desk`` need of it; nothing is built before it is used."""
    return FlagParts(
        embedder=lambda: desk.embedder,
        answers=lambda question, changed: _answers(desk, question, changed),
        file_of=lambda source, path: _file_of(desk.workspace, source, path),
        sync=lambda source: desk.sync_anywhere(source or None),
        moved=lambda _articles: desk.search.refresh(),
    )


def _answers(desk: Desk, question: str, changed: Collection[str] | None) -> bool:
    """Tell whether the extractive drafter answers, with a passage of ``changed`` at hand."""
    from graph.extractive import ExtractiveDrafter

    hits = desk.search.search(question, desk.settings.passages_per_draft)
    if changed is not None and not any(hit.passage.article_id in changed for hit in hits):
        return False
    conversation: Conversation = {
        "contact_id": "",
        "channel": "email",
        "subject": "",
        "customer": {
            "status": "standard",
            "sla_due_in_minutes": None,
            "name": "",
            "fields": {},
        },
        "turns": [
            {
                "id": "",
                "speaker": "customer",
                "text": question,
                "at": desk.clock.now().isoformat(),
            }
        ],
    }
    drafter = ExtractiveDrafter(desk.reader, desk.library)
    return drafter.draft(conversation, question, hits)["kind"] == "answer"


def _file_of(workspace: Workspace, source: str, path: str) -> str:
    """Return where an article is edited: a path, or which source it is loaded from."""
    specs = [*workspace.sources, *([workspace.macros] if source == MACROS else [])]
    for spec in specs:
        if spec.name == source and spec.kind == "folder" and spec.path is not None:
            return str(spec.path / path)
    return f"{path} in the source {source}"
