"""What content owners must look at, read off the articles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, TypedDict

from core.vocabulary import SourceFlagKind
from kb.freshness import flags_of
from kb.library import Library
from kb.models import Article

_PAGE: Final = 500


class SourceFlag(TypedDict):
    """One flag on one article."""

    kind: SourceFlagKind
    article: str
    title: str
    owner: str | None


def source_flags(library: Library, now: datetime) -> list[SourceFlag]:
    """Return the flags of every article that is in use, by article."""
    replaced = library.superseded_by()
    flags: list[SourceFlag] = []
    for article in _in_use(library):
        newest = library.versions(article.id)[:1]
        if not newest or newest[0].effective_from > now:
            continue
        kinds = flags_of(
            owner=article.owner,
            review_every_days=article.review_every_days,
            last_reviewed=article.last_reviewed,
            effective_from=newest[0].effective_from,
            superseded_by=replaced.get(article.id),
            now=now,
        )
        flags += [
            {"kind": kind, "article": article.id, "title": article.title, "owner": article.owner}
            for kind in kinds
        ]
    return flags


def _in_use(library: Library) -> Iterator[Article]:
    after = ""
    while page := library.articles(_PAGE, after):
        yield from (article for article in page if not article.archived and not article.gone_at)
        after = page[-1].id
