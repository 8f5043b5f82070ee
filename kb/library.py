"""Reads the help center: articles, versions, passages, and what is in force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import CompoundSelect, Row, Select, bindparam, func, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import NotFound
from kb import freshness
from kb.content import Passage
from kb.freshness import VersionTimes
from kb.models import Article, ArticleVersion, PassageRow

_IDS_AT_ONCE: Final = 400

_TIMES: Final = (
    ArticleVersion.id,
    ArticleVersion.article_id,
    ArticleVersion.number,
    ArticleVersion.effective_from,
    ArticleVersion.effective_to,
    ArticleVersion.supersedes,
    Article.archived,
    Article.gone_at,
    Article.superseded_by,
    Article.withheld,
)
_PASSAGE: Final = (
    PassageRow.id,
    PassageRow.kind,
    PassageRow.article_id,
    PassageRow.version_id,
    ArticleVersion.number,
    ArticleVersion.title,
    PassageRow.anchor,
    PassageRow.heading_path,
    PassageRow.start,
    PassageRow.end,
    PassageRow.text,
    PassageRow.plain,
    PassageRow.content_hash,
    ArticleVersion.effective_from,
    Article.owner,
    Article.url,
)


class Library:
    """The help center as it was synced.

    Args:
        database: Where a sync put it.
        clock: Gives the moment at which something is or is not in force.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # What is in force

    def versions_in_force(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Return article id → id of the version in force now; absent when none is.

        Costs by the number of ids, and of articles that replace others.
        """
        wanted = set(article_ids)
        with self._database.read() as session:
            some = sorted(wanted) if len(wanted) <= _IDS_AT_ONCE else None
            known = freshness.in_force(self._begun(session, some), self._clock.now())
        return {article: version for article, version in known.items() if article in wanted}

    def in_force_versions(self) -> set[str]:
        """Return the ids of the versions in force now."""
        return set(self._in_force().values())

    def in_force_passage_ids(self) -> set[str]:
        """Return the ids of the passages in force now."""
        ids: set[str] = set()
        with self._database.read() as session:
            for some in _chunks(sorted(self._in_force().values())):
                query = select(PassageRow.id).where(PassageRow.version_id.in_(some))
                ids.update(session.scalars(query))
        return ids

    def passages_in_force(self) -> Iterator[Passage]:
        """Yield the passages in force now, article by article, in reading order."""
        versions = [version for _, version in sorted(self._in_force().items())]
        for some in _chunks(versions):
            query = _passages().where(PassageRow.version_id.in_(some))
            query = query.order_by(PassageRow.article_id, PassageRow.ordinal)
            with self._database.read() as session:
                rows = session.execute(query).all()
            yield from map(_passage, rows)

    def next_boundary(self, now: datetime | None = None) -> datetime | None:
        """Return when time alone next changes what is in force; None for never.

        Args:
            now: The moment to start from; default the present one.
        """
        now = now or self._clock.now()
        with self._database.read() as session:
            versions = [_times(row) for row in session.execute(_all_times())]
        return freshness.next_boundary(versions, now)

    def superseded_by(self) -> dict[str, str]:
        """Return article id → id of the article that replaces it now."""
        with self._database.read() as session:
            candidates = freshness.current(self._begun(session), self._clock.now())
        return freshness.superseded(candidates)

    def _in_force(self) -> dict[str, str]:
        with self._database.read() as session:
            return freshness.in_force(self._begun(session), self._clock.now())

    def _begun(
        self, session: Session, article_ids: Sequence[str] | None = None
    ) -> list[VersionTimes]:
        """Return the newest version of each article that has begun, to be judged further.

        Args:
            session: Where it is read.
            article_ids: Only of these, and of whatever may replace one of them; default all.
        """
        given: dict[str, Any] = {"now": self._clock.now()}
        if article_ids is not None:
            concerned = session.scalars(_may_replace(), {"articles": list(article_ids)})
            given["articles"] = sorted({*article_ids, *concerned})
        query = _newest_begun(of_all=article_ids is None)
        return [_times(row) for row in session.execute(query, given)]

    # Passages

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """Return the passages of ``ids``, in force or not; unknown ids are absent."""
        found: dict[str, Passage] = {}
        with self._database.read() as session:
            for some in _chunks(list(dict.fromkeys(ids))):
                for row in session.execute(_passages().where(PassageRow.id.in_(some))):
                    found[row[0]] = _passage(row)
        return found

    def passages_of_version(self, version_id: str) -> list[Passage]:
        """Return the passages of one version in reading order; none for an unknown version."""
        query = _passages().where(PassageRow.version_id == version_id)
        with self._database.read() as session:
            return [_passage(row) for row in session.execute(query.order_by(PassageRow.ordinal))]

    def passages_of_versions(self, version_ids: Sequence[str]) -> dict[str, list[Passage]]:
        """Return version id → its passages in reading order; unknown versions are absent."""
        found: dict[str, list[Passage]] = {}
        with self._database.read() as session:
            for some in _chunks(list(dict.fromkeys(version_ids))):
                query = _passages().where(PassageRow.version_id.in_(some))
                query = query.order_by(PassageRow.version_id, PassageRow.ordinal)
                for passage in map(_passage, session.execute(query)):
                    found.setdefault(passage.version_id, []).append(passage)
        return found

    def editions(self, version_id: str, former: int = 2) -> list[list[Passage]]:
        """Return the passages of a version and of those its article had before it, newest first.

        Args:
            version_id: The version; one that is unknown gives an empty list.
            former: How many former versions at most.
        """
        this = select(ArticleVersion.article_id, ArticleVersion.number).where(
            ArticleVersion.id == version_id
        )
        with self._database.read() as session:
            found = session.execute(this).one_or_none()
            if found is None:
                return []
            ids = session.scalars(
                select(ArticleVersion.id)
                .where(
                    ArticleVersion.article_id == found.article_id,
                    ArticleVersion.number <= found.number,
                )
                .order_by(ArticleVersion.number.desc())
                .limit(former + 1)
            ).all()
        return [passages for one in ids if (passages := self.passages_of_version(one))]

    # Articles and versions

    def article(self, article_id: str) -> Article:
        """Return an article. Raises NotFound."""
        with self._database.read() as session:
            article = session.get(Article, article_id)
        if article is None:
            raise NotFound(f"there is no article {article_id!r}.")
        return article

    def articles(self, limit: int = 100, after: str = "") -> list[Article]:
        """Return up to ``limit`` articles and macros by id, those that come after id ``after``."""
        query = select(Article).where(Article.id > after).order_by(Article.id).limit(limit)
        with self._database.read() as session:
            return list(session.scalars(query))

    def versions(self, article_id: str) -> list[ArticleVersion]:
        """Return the versions of an article, the newest first; none for an unknown article."""
        query = select(ArticleVersion).where(ArticleVersion.article_id == article_id)
        with self._database.read() as session:
            return list(session.scalars(query.order_by(ArticleVersion.number.desc())))

    def version(self, version_id: str) -> ArticleVersion:
        """Return a version. Raises NotFound."""
        with self._database.read() as session:
            version = session.get(ArticleVersion, version_id)
        if version is None:
            raise NotFound(f"there is no article version {version_id!r}.")
        return version

    def body(self, version_id: str) -> str:
        """Return the text of a version, in which the spans of its passages are offsets.

        Raises:
            NotFound: There is no such version.
        """
        return self.version(version_id).body


def _all_times() -> Select[*tuple[Any, ...]]:
    return select(*_TIMES).join(Article, Article.id == ArticleVersion.article_id)


# Every draft, check and review asks what is in force: composing these takes longer than running them.
@cache
def _may_replace() -> CompoundSelect[*tuple[Any, ...]]:
    """Return what finds the articles that may replace one of ``articles``."""
    by_desk = select(Article.superseded_by).where(
        Article.id.in_(bindparam("articles", expanding=True)), Article.superseded_by.is_not(None)
    )
    return select(Article.id).where(Article.replaces).union(by_desk)


@cache
def _newest_begun(*, of_all: bool) -> Select[*tuple[Any, ...]]:
    """Return what finds the newest version, begun at ``now``, of each article or of ``articles``."""
    begun = (
        select(ArticleVersion.article_id, func.max(ArticleVersion.number).label("number"))
        .where(ArticleVersion.effective_from <= bindparam("now"))
        .group_by(ArticleVersion.article_id)
    )
    if not of_all:
        begun = begun.where(ArticleVersion.article_id.in_(bindparam("articles", expanding=True)))
    newest = begun.subquery()
    return _all_times().join(
        newest,
        (newest.c.article_id == ArticleVersion.article_id)
        & (newest.c.number == ArticleVersion.number),
    )


def _times(row: Row[*tuple[Any, ...]]) -> VersionTimes:
    version_id, article_id, number, begins, ends, supersedes, archived, gone, by, held = tuple(row)
    usable = not archived and gone is None and held is None
    return VersionTimes(version_id, article_id, number, begins, ends, usable, tuple(supersedes), by)


def _passages() -> Select[*tuple[Any, ...]]:
    return (
        select(*_PASSAGE)
        .join(ArticleVersion, ArticleVersion.id == PassageRow.version_id)
        .join(Article, Article.id == PassageRow.article_id)
    )


def _passage(row: Row[*tuple[Any, ...]]) -> Passage:
    values = dict(row._mapping)
    return Passage(
        id=values["id"],
        kind=values["kind"],
        article_id=values["article_id"],
        version_id=values["version_id"],
        version=values["number"],
        title=values["title"],
        anchor=values["anchor"],
        heading_path=tuple(values["heading_path"]),
        start=values["start"],
        end=values["end"],
        text=values["text"],
        plain=values["plain"],
        content_hash=values["content_hash"],
        effective_from=values["effective_from"],
        owner=values["owner"],
        url=values["url"],
    )


def _chunks(items: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), _IDS_AT_ONCE):
        yield items[start : start + _IDS_AT_ONCE]
