"""What screens ask for: articles with their flags, and what a draft rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from core.database import Database
from core.errors import NotFound
from core.vocabulary import SourceFlagKind
from desk.models import SourceFlagRow
from desk.permissions import Actor, require
from kb.changes import STOPPING
from kb.content import Passage, PassageKind
from kb.counterparts import counterpart
from kb.library import Library
from kb.models import Article, ArticleVersion, PassageChange

if TYPE_CHECKING:
    from desk.bootstrap import Desk


@dataclass(frozen=True, slots=True)
class ArticleLine:
    """One article as a list shows it.

    Attributes:
        version: Number of the version in force, or of the newest when none is.
        in_force_since: When that version came into force; None when none is in force.
    """

    id: str
    kind: PassageKind
    title: str
    owner: str | None
    version: int
    in_force_since: datetime | None
    last_reviewed: datetime | None
    flags: list[SourceFlagKind]


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version of an article, without its text."""

    id: str
    number: int
    effective_from: datetime
    effective_to: datetime | None
    in_force: bool


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One passage that tells a reader something else since a version came in.

    Attributes:
        facts: What changed: ``kind``, ``old`` and ``new`` each; may be empty.
        old: The passage before; empty when the version added it.
        new: The passage now; empty when the version dropped it.
        score: How likely a reader is told something else, 0..1.
        version_id: The version that brought it.
    """

    id: str
    article_id: str
    title: str
    at: datetime
    facts: list[dict[str, Any]]
    old_passage_id: str | None
    old: str
    new: str
    score: float = 1.0
    version_id: str = ""


class Shelf:
    """Lists the articles and macros of the help center."""

    def __init__(self, database: Database, library: Library) -> None:
        self._database = database
        self._library = library

    def lines(
        self, *, words: str = "", flagged: bool = False, limit: int = 100, after: str = ""
    ) -> list[ArticleLine]:
        """Return up to ``limit`` articles by id, those that come after id ``after``.

        Args:
            words: Only articles with these words in title or id.
            flagged: Only articles that their owner must look at.
            limit: Length of the page.
            after: Id of the last article of the page before.
        """
        query = select(Article).where(Article.id > after).order_by(Article.id).limit(limit)
        for word in words.split():
            query = query.where(
                or_(
                    Article.title.icontains(word, autoescape=True),
                    Article.id.icontains(word, autoescape=True),
                )
            )
        if flagged:
            row = SourceFlagRow
            own = select(row.article_id).where(row.status == "open")
            other = select(row.other_article_id).where(row.status == "open", row.kind == "conflict")
            query = query.where(or_(Article.id.in_(own), Article.id.in_(other)))
        with self._database.read() as session:
            articles = session.scalars(query).all()
        return self._described(articles)

    def line(self, article_id: str) -> ArticleLine:
        """Return one article. Raises NotFound."""
        with self._database.read() as session:
            article = session.get(Article, article_id)
        if article is None:
            raise NotFound(f"There is no article {article_id!r}.")
        return self._described([article])[0]

    def titles_of(self, article_ids: Sequence[str]) -> dict[str, str]:
        """Return id → title of these articles and macros, in use or not; unknown ids are absent."""
        query = select(Article.id, Article.title).where(Article.id.in_(article_ids))
        with self._database.read() as session:
            return dict(session.execute(query).tuples().all())

    def titles(self) -> dict[str, str]:
        """Return id → title of every article and macro in use, by title."""
        query = (
            select(Article.id, Article.title)
            .where(Article.gone_at.is_(None), Article.archived.is_(False))
            .order_by(Article.title, Article.id)
        )
        with self._database.read() as session:
            return dict(session.execute(query).tuples().all())

    def changes(self, limit: int = 100, after: ChangeLine | None = None) -> list[ChangeLine]:
        """Return what new versions changed in what a reader is told, the latest first.

        Args:
            limit: Length of the page.
            after: Last change of the page before.
        """
        row = PassageChange
        query = (
            select(PassageChange, Article.title)
            .join(Article, Article.id == PassageChange.article_id)
            .where(PassageChange.outcome.in_(STOPPING))
            .order_by(row.at.desc(), row.score.desc(), row.id)
            .limit(limit)
        )
        if after:
            same = row.at == after.at
            query = query.where(
                or_(
                    row.at < after.at,
                    and_(same, row.score < after.score),
                    and_(same, row.score == after.score, row.id > after.id),
                )
            )
        with self._database.read() as session:
            rows = session.execute(query).tuples().all()
        ids = [key for row, _ in rows for key in (row.old_passage_id, row.new_passage_id) if key]
        passages = self._library.passages(ids)

        def text(passage_id: str | None) -> str:
            found = passages.get(passage_id or "")
            return found.plain if found else ""

        return [
            ChangeLine(
                id=row.id,
                article_id=row.article_id,
                title=title,
                at=row.at,
                facts=row.facts,
                old_passage_id=row.old_passage_id,
                old=text(row.old_passage_id),
                new=text(row.new_passage_id),
                score=row.score,
                version_id=row.new_version_id,
            )
            for row, title in rows
        ]

    def versions(self, article_id: str) -> list[VersionLine]:
        """Return the versions of an article, the newest first, without their texts."""
        in_force = self._library.versions_in_force([article_id]).get(article_id)
        query = (
            select(
                ArticleVersion.id,
                ArticleVersion.number,
                ArticleVersion.effective_from,
                ArticleVersion.effective_to,
            )
            .where(ArticleVersion.article_id == article_id)
            .order_by(ArticleVersion.number.desc())
        )
        with self._database.read() as session:
            rows = session.execute(query).tuples().all()
        return [VersionLine(*row, in_force=row[0] == in_force) for row in rows]

    def _described(self, articles: Sequence[Article]) -> list[ArticleLine]:
        ids = [article.id for article in articles]
        in_force = self._library.versions_in_force(ids)
        query = select(
            ArticleVersion.article_id, ArticleVersion.number, ArticleVersion.effective_from
        ).where(ArticleVersion.id.in_(in_force.values()))
        with self._database.read() as session:
            known = {row[0]: (row[1], row[2]) for row in session.execute(query).tuples()}
            flags = _open_flags(session, ids)
        return [
            _article_line(article, known.get(article.id), flags.get(article.id, []))
            for article in articles
        ]


def _open_flags(session: Session, articles: Sequence[str]) -> dict[str, list[SourceFlagKind]]:
    """Return article id → kinds of its open flags, each once, the most harmful first."""
    row = SourceFlagRow
    query = (
        select(row.article_id, row.other_article_id, row.kind)
        .where(
            row.status == "open",
            or_(
                row.article_id.in_(articles),
                and_(row.kind == "conflict", row.other_article_id.in_(articles)),
            ),
        )
        .order_by(row.damage.desc(), row.id)
    )
    found: dict[str, list[SourceFlagKind]] = {}
    for article, other, kind in session.execute(query).tuples():
        for about in (article, other if kind == "conflict" else None):
            if about and kind not in found.setdefault(about, []):
                found[about].append(kind)
    return found


def _article_line(
    article: Article, version: tuple[int, datetime] | None, flags: list[SourceFlagKind]
) -> ArticleLine:
    number, since = version if version else (article.newest, None)
    return ArticleLine(
        id=article.id,
        kind=article.kind,
        title=article.title,
        owner=article.owner,
        version=number,
        in_force_since=since,
        last_reviewed=article.last_reviewed,
        flags=flags,
    )


def sources_now(library: Library, passages: Mapping[str, Passage]) -> dict[str, Passage | None]:
    """Return what took the place of passages since, where the article in force reads otherwise.

    Args:
        library: Where the articles are.
        passages: Id → passage as it was cited.

    Returns:
        Id → the passage that stands there now; None when nothing does. What reads as it did, and
        what has no version in force at all, is absent.
    """
    in_force = library.versions_in_force([passage.article_id for passage in passages.values()])
    newer: dict[str, list[Passage]] = {}
    found: dict[str, Passage | None] = {}
    for key, passage in passages.items():
        version = in_force.get(passage.article_id)
        if version is None or version == passage.version_id:
            continue
        if version not in newer:
            newer[version] = library.passages_of_version(version)
        if any(now.content_hash == passage.content_hash for now in newer[version]):
            continue
        found[key] = counterpart(passage, newer[version])
    return found


def sync_sources(
    desk: Desk, actor: Actor, on_progress: Callable[[str, int, int], None]
) -> dict[str, Any]:
    """Bring the help center in on somebody's behalf; return the report as JSON.

    Raises:
        NotAllowed: Their role may not.
    """
    require(actor, "sync_sources")
    return desk.sync_anywhere(on_progress=on_progress)
