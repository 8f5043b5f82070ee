"""Looks the links of the synced help center over."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import select

from core.database import Database
from kb.library import Library
from kb.links import PAGE_SUFFIXES, BrokenLink, CheckedLinks, LinkMap, Page
from kb.loaders import stated_addresses
from kb.models import Article, ArticleVersion
from kb.workspace import Workspace

_HEAD: Final = 20_000  # characters of a file in which its front matter must end


class LinkCheck:
    """Finds links of the articles in force that lead nowhere.

    What a version links to, and the headings it has, is read once per version and process; to know
    where links lead, the texts of all articles are needed.

    Args:
        database: Where a sync put the articles.
        library: Tells which version is in force.
        workspace: Has the folders of the sources, in which files that are no articles lie.
    """

    def __init__(self, database: Database, library: Library, workspace: Workspace) -> None:
        self._database = database
        self._library = library
        self._folders = {spec.name: spec.path for spec in workspace.sources if spec.path}

    def check(self, article_ids: Collection[str] | None = None) -> CheckedLinks:
        """Return what became of the links of these articles; default of all in force."""
        in_force = self._in_force()
        wanted = in_force.keys() if article_ids is None else in_force.keys() & set(article_ids)
        return self._map(in_force).check(wanted)

    def broken(self, article_ids: Collection[str] | None = None) -> list[BrokenLink]:
        """Return the broken links of these articles; default of all in force."""
        return self.check(article_ids).broken

    def broken_after(self, changed: Collection[str]) -> tuple[set[str], list[BrokenLink]]:
        """Return which articles a change bears on, and their broken links.

        Args:
            changed: Articles that came, changed or went.

        Returns:
            The changed articles and those that link to one of them, and the broken links of both.
        """
        in_force = self._in_force()
        links = self._map(in_force)
        looked_at = set(changed) | links.leading_to(changed)
        return looked_at, links.check(looked_at & in_force.keys()).broken

    def _map(self, in_force: dict[str, str]) -> LinkMap:
        pages = self._pages(in_force)
        known = {(page.source, page.path) for page in pages if not page.gone}
        stubs = (
            page
            for source, folder in self._folders.items()
            for page in stub_pages(source, folder, {path for name, path in known if name == source})
        )
        return LinkMap([*pages, *stubs], self._is_file)

    def _in_force(self) -> dict[str, str]:
        query = select(Article.id).where(Article.kind == "article")
        with self._database.read() as session:
            return self._library.versions_in_force(list(session.scalars(query)))

    def _pages(self, in_force: dict[str, str]) -> list[Page]:
        """Return every article: the version in force, or the newest of those that have none."""
        query = (
            select(Article, ArticleVersion)
            .join(ArticleVersion, ArticleVersion.article_id == Article.id)
            .where(Article.kind == "article", ArticleVersion.number == Article.newest)
            .order_by(Article.id)
        )
        with self._database.read() as session:
            rows = session.execute(query).tuples().all()
            # A version that waits for its day is the newest, but readers see the one before.
            early = {a.id for a, v in rows if in_force.get(a.id, v.id) != v.id}
            shown = {one: session.get_one(ArticleVersion, in_force[one]) for one in sorted(early)}
        return [_page(article, shown.get(article.id, version)) for article, version in rows]

    def _is_file(self, source: str, path: str) -> bool:
        folder = self._folders.get(source)
        return folder is not None and (folder / path).exists()


def stub_pages(source: str, folder: Path, articles: Collection[str]) -> Iterator[Page]:
    """Give the files of a source that are no articles, as places that links may lead to.

    A site serves more than what holds text for a customer: pages that only redirect, for instance.

    Args:
        source: Its name.
        folder: Where it lies.
        articles: Paths of its articles.
    """
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if path in articles or file.suffix.lower() not in PAGE_SUFFIXES or not file.is_file():
            continue
        with file.open(encoding="utf-8", errors="replace") as opened:
            addresses = stated_addresses(opened.read(_HEAD))
        yield Page(
            article_id=f"{source}/{path}",
            version_id=f"{source}/{path}",
            source=source,
            path=path,
            title=path,
            body="",
            format="text",
            addresses=tuple(addresses),
        )


def _page(article: Article, version: ArticleVersion) -> Page:
    return Page(
        article_id=article.id,
        version_id=version.id,
        source=article.source,
        path=article.path,
        title=version.title,
        body=version.body,
        format=version.format,
        url=article.url,
        addresses=tuple(article.addresses),
        gone=article.gone_at is not None,
    )
