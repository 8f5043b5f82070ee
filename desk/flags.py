"""What content owners must look at, read off the articles and what the desk could not answer."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from kb.library import Library

from core.vocabulary import SourceFlagKind


class SourceFlag(TypedDict):
    """One flag on one article."""

    kind: SourceFlagKind
    article: str
    title: str
    owner: str | None


def source_flags(library: Library, now: datetime) -> list[SourceFlag]:
    """Return the flags of every article with a version in its time, by article."""
    return [
        {"kind": kind, "article": article.id, "title": article.title, "owner": article.owner}
        for article in library.all_articles()
        for kind in library.flags(article, now)
    ]
