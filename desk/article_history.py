"""One article over time: its versions, what changed beside them, and what differs between two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from core.database import Database
from core.errors import BadInput, NotFound
from desk.permissions import Actor, require
from kb.changes import STOPPING
from kb.library import Library
from kb.models import ArticleChange, ArticleVersion, PassageChange
from kb.version_changes import Judge, JudgedPassage, VersionPair, judge_versions


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of an article, without its text.

    Attributes:
        effective_to: When it ends; None for never.
        synced_at: When the desk first saw it.
        told_otherwise: How many passages tell a reader something else than the version before.
    """

    id: str
    article_id: str
    number: int
    title: str
    effective_from: datetime
    effective_to: datetime | None
    synced_at: datetime
    in_force: bool
    told_otherwise: int


@dataclass(frozen=True, slots=True)
class PassageDifference:
    """What differs in one passage between two versions.

    Attributes:
        heading: Its headings; empty at the top of the article.
        tells_otherwise: Whether a reader is told something else; False for a rewording.
        facts: What changed: ``kind``, ``old`` and ``new`` each; may be empty.
        old: The passage in the older version; empty where the newer one added it.
        new: The passage in the newer version; empty where it dropped it.
    """

    heading: str
    outcome: str
    score: float
    tells_otherwise: bool
    facts: list[dict[str, Any]]
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two versions of one article, what matters to a reader first."""

    old: Edition
    new: Edition
    passages: list[PassageDifference]


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change of an article that made no new version, such as another owner."""

    at: datetime
    field: str
    old: str | None
    new: str | None


class ArticleHistory:
    """Reads the versions of articles.

    Args:
        database: The records.
        library: The help center.
        judge: Says what an edit did to the facts of a passage.
    """

    def __init__(self, database: Database, library: Library, judge: Judge) -> None:
        self._database = database
        self._library = library
        self._judge = judge

    def editions(
        self, actor: Actor, article_id: str, *, limit: int = 50, before: int | None = None
    ) -> list[Edition]:
        """Return a page of versions, the newest first; none for an unknown article.

        Args:
            actor: Who asks.
            article_id: The article.
            limit: Length of the page.
            before: Number of the last version of the page before.
        """
        require(actor, "read_reviews")
        version = ArticleVersion
        query = _editions().where(version.article_id == article_id).limit(limit)
        if before is not None:
            query = query.where(version.number < before)
        return self._read(query)

    def edition(self, actor: Actor, version_id: str) -> Edition:
        """Return one version. Raises NotFound."""
        require(actor, "read_reviews")
        found = self._read(_editions().where(ArticleVersion.id == version_id))
        if not found:
            raise NotFound(f"There is no article version {version_id!r}.")
        return found[0]

    def amendments(self, actor: Actor, article_id: str, limit: int = 20) -> list[Amendment]:
        """Return what changed of an article without a new version, the latest first."""
        require(actor, "read_reviews")
        query = (
            select(ArticleChange.at, ArticleChange.field, ArticleChange.old, ArticleChange.new)
            .where(ArticleChange.article_id == article_id)
            .order_by(ArticleChange.at.desc(), ArticleChange.id.desc())
            .limit(limit)
        )
        with self._database.read() as session:
            return [Amendment(*row) for row in session.execute(query).tuples()]

    def between(self, actor: Actor, one: str, other: str) -> Difference:
        """Return what differs between two versions of an article, in whichever order they are named.

        Raises:
            NotFound: There is no such version.
            BadInput: They are versions of two articles.
        """
        old, new = sorted(
            (self.edition(actor, one), self.edition(actor, other)), key=lambda each: each.number
        )
        if old.article_id != new.article_id:
            raise BadInput(f"{other}: is a version of another article; name two of one article.")
        pair = VersionPair(
            old.article_id, old.id, old.number, new.id, new.number, new.effective_from
        )
        judged = [] if old.id == new.id else judge_versions([pair], self._library, self._judge)
        return Difference(old, new, sorted(map(_difference, judged), key=_rank))

    def _read(self, query: Any) -> list[Edition]:
        with self._database.read() as session:
            rows = session.execute(query).tuples().all()
        in_force = set(self._library.versions_in_force([row[1] for row in rows]).values())
        return [_edition(row, in_force) for row in rows]


def _edition(row: Sequence[Any], in_force: set[str]) -> Edition:
    *own, told_otherwise = row
    return Edition(*own, in_force=own[0] in in_force, told_otherwise=told_otherwise)  # type: ignore[misc]


def _editions() -> Any:
    version = ArticleVersion
    told = (
        select(func.count())
        .select_from(PassageChange)
        .where(PassageChange.new_version_id == version.id, PassageChange.outcome.in_(STOPPING))
        .correlate(version)
        .scalar_subquery()
    )
    return select(
        version.id,
        version.article_id,
        version.number,
        version.title,
        version.effective_from,
        version.effective_to,
        version.synced_at,
        told,
    ).order_by(version.number.desc())


def _difference(judged: JudgedPassage) -> PassageDifference:
    return PassageDifference(
        heading=" › ".join(judged.shown.heading_path),
        outcome=judged.change.outcome,
        score=judged.change.score,
        tells_otherwise=judged.change.stops,
        facts=[fact.as_json() for fact in judged.change.facts],
        old=judged.old.plain if judged.old else "",
        new=judged.new.plain if judged.new else "",
    )


def _rank(one: PassageDifference) -> tuple[bool, float]:
    return (not one.tells_otherwise, -one.score)
