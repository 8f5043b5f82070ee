"""The values that help-center content is passed around as. Immutable, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

PassageKind = Literal["article", "macro"]


@dataclass(frozen=True, slots=True)
class CutPassage:
    """A passage as it was cut from one body, before it is stored.

    Attributes:
        anchor: Slug of the nearest heading, unique in its article; ``""`` before the first one.
        heading_path: Headings from the outermost to the nearest, then the line or item that leads
            in the list the passage is an item of ("You get a full refund if:"); plain text.
        start: Offset of the first character in the body.
        end: Offset after the last character in the body; ``body[start:end] == text``.
        text: The exact words of the source, markup included.
        plain: The same as a reader sees it: no markup, white space folded.
    """

    anchor: str
    heading_path: tuple[str, ...]
    start: int
    end: int
    text: str
    plain: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A stored passage: the unit that is searched and cited.

    Attributes:
        id: ``<version id>#<ordinal>``.
        article_id: ``<source name>/<path in the source>``, stable over versions.
        version_id: Id of the article version it was cut from.
        version: Number of that version, from 1.
        title: The article's title.
        content_hash: SHA-256 of ``plain``; equal for equal words.
        effective_from: When its version came (or comes) into force.
        owner: The person who answers for the article, if any.
        url: Where a customer reads the article, if known.
    """

    id: str
    kind: PassageKind
    article_id: str
    version_id: str
    version: int
    title: str
    anchor: str
    heading_path: tuple[str, ...]
    start: int
    end: int
    text: str
    plain: str
    content_hash: str
    effective_from: datetime
    owner: str | None = None
    url: str | None = None

    @property
    def context(self) -> str:
        """Title and headings in one line, the outermost first, without repetition."""
        parts: list[str] = []
        for part in (self.title, *self.heading_path):
            if part and (not parts or parts[-1].casefold() != part.casefold()):
                parts.append(part)
        return " › ".join(parts)
