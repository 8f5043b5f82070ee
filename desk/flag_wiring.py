"""Ties the source flags to the other parts of a desk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from desk.flag_grounds import BrokenLink, WithheldMacro
from desk.flags import FlagParts
from graph.values import one_message
from kb.workspace import MACROS, Workspace

if TYPE_CHECKING:
    from desk.bootstrap import Desk
    from kb.links import BrokenLink as LinkInText

_BEST: Final = 3


def flag_parts(desk: Desk) -> FlagParts:
    """Return what the source flags of ``desk`` need of it; nothing is built before it is used."""
    return FlagParts(
        conflicts=lambda articles: desk.conflicts.find(articles),
        links=lambda articles: _broken_links(desk, articles),
        withheld=lambda articles: [
            WithheldMacro(one.article_id, one.sentence, one.contradicts)
            for one in desk.macros.withheld(articles)
        ],
        embedder=lambda: desk.embedder,
        answers=lambda question, changed: _answers(desk, question, changed),
        file_of=lambda source, path: _file_of(desk.workspace, source, path),
        sync=lambda source: desk.sync_anywhere(source or None),
        moved=lambda _articles: desk.sweep(),
    )


def _broken_links(
    desk: Desk, articles: Sequence[str] | None
) -> tuple[Sequence[str] | None, list[BrokenLink]]:
    from kb.link_check import LinkCheck

    check = LinkCheck(desk.database, desk.library, desk.workspace)
    if articles is None:
        looked_at, found = None, check.broken()
    else:
        bears_on, found = check.broken_after(articles)
        looked_at = sorted(bears_on)
    return looked_at, [
        BrokenLink(one.article_id, one.target, one.text, one.why, _passage_at(desk, one))
        for one in found
    ]


def _passage_at(desk: Desk, link: LinkInText) -> str | None:
    """Return the id of the passage in which a link stands."""
    for passage in desk.library.passages_of_version(link.version_id):
        if passage.start <= link.start < passage.end:
            return passage.id
    return None


def _answers(desk: Desk, question: str, changed: Collection[str] | None) -> bool:
    """Tell whether the extractive drafter answers, with a passage of ``changed`` among the best."""
    from graph.extractive import ExtractiveDrafter

    hits = desk.search.search(question, desk.settings.passages_per_draft)
    if changed is not None and not any(hit.passage.article_id in changed for hit in hits[:_BEST]):
        return False
    drafter = ExtractiveDrafter(desk.reader, desk.library)
    asked = one_message(question, at=desk.clock.now().isoformat())
    return drafter.draft(asked, question, hits)["kind"] == "answer"


def _file_of(workspace: Workspace, source: str, path: str) -> str:
    """Return where an article is edited: a path, or which source it is loaded from."""
    specs = [*workspace.sources, *([workspace.macros] if source == MACROS else [])]
    for spec in specs:
        if spec.name == source and spec.kind == "folder" and spec.path is not None:
            return str(spec.path / path)
    return f"{path} in the source {source}"
