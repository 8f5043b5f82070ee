"""Brings the help center in: what is new, what changed, what is gone.

A file is recognised as unchanged by its size and time, or else by its digest, before it is parsed.
Articles are written in small units of work; a sync that is killed leaves whole articles behind and
the next one goes on from there. A new text, title, effective time or ``supersedes`` makes a new
version; any other change of an article (owner, review rhythm, archived, url …) is made in place and
leaves an ``ArticleChange``, unless the desk has decided otherwise (``kb.amendments``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import PurePosixPath
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, Unavailable
from core.identifiers import json_digest, new_id, text_digest
from kb.amendments import NOT_JUDGED, change_in_place, stands
from kb.content import CutPassage, PassageKind
from kb.loaders import (
    Document,
    Empty,
    Found,
    Listing,
    Unreadable,
    list_source,
    outside_digest,
    parse,
    read,
)
from kb.models import Article, ArticleVersion, PassageRow, SyncRun
from kb.passages import cut
from kb.workspace import MACROS, SourceSpec, Workspace

_ARTICLES_AT_ONCE: Final = 25
_FRESH_NS: Final = 2_000_000_000  # a file changed twice within a tick of its clock looks unchanged
_IN_PLACE: Final = (
    "owner",
    "reason",
    "review_every_days",
    "last_reviewed",
    "archived",
    "url",
    "addresses",
)

Progress = Callable[[str, int, int], None]
"""Called with the source's name, how many of its documents are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """An article whose text, title or effective time changed."""

    article_id: str
    old_version: int
    new_version: int
    old_version_id: str
    new_version_id: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file; ``path`` begins with the name of its source."""

    path: str
    reason: str


@dataclass
class SyncReport:
    """What a sync did. Lists hold article ids.

    Attributes:
        new: Articles seen for the first time.
        changed: Articles with a new version.
        updated: Articles of which something else changed, such as the owner.
        gone: Articles that are no longer there.
        returned: Articles that were gone and are there again.
        unchanged: How many articles are as they were.
        failed: Files that could not be read; an article that had been read keeps its last version.
        withheld: Macros that may no longer be used, and why.
        released: Macros that were withheld and may be used again.
        notes: What was odd about files that could be read.
        facts: Which facts changed in which passages, the surest first: article, title, heading,
            outcome, score and ``facts`` of old and new words each.
        facts_count: How many passages tell a reader something else; ``facts`` may hold fewer.
        reworded: How many passages only read differently.
        impact: What rests on what changed, counts and first ids of each kind.
        id: Id of its ``SyncRun``.
        seconds: How long it took.
    """

    new: list[str] = field(default_factory=list)
    changed: list[NewVersion] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    unchanged: int = 0
    failed: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    withheld: list[Problem] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    facts: list[dict[str, Any]] = field(default_factory=list)
    facts_count: int = 0
    reworded: int = 0
    impact: dict[str, Any] = field(default_factory=dict)
    id: str = ""
    seconds: float = 0.0

    def touched(self) -> list[str]:
        """Return the ids of the articles that are not as they were."""
        versions = [version.article_id for version in self.changed]
        macros = [*(problem.path for problem in self.withheld), *self.released]
        touched = [*self.new, *versions, *self.updated, *self.gone, *self.returned, *macros]
        return sorted(set(touched))

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Known:
    id: str
    file_size: int | None
    file_mtime_ns: int | None
    file_hash: str
    outside_hash: str
    gone: bool


@dataclass(frozen=True, slots=True)
class _Ready:
    """A document that was read and cut and waits to be stored."""

    found: Found
    document: Document
    passages: list[CutPassage]
    mtime_ns: int | None
    file_hash: str
    outside_hash: str


@dataclass(slots=True)
class _Outcome:
    """What storing one document did; reported once it is committed."""

    article_id: str
    notes: tuple[str, ...]
    new: bool = False
    altered: bool = False
    returned: bool = False
    change: NewVersion | None = None


class Sync:
    """Brings a workspace's articles and macros into the database.

    Args:
        database: Where they are kept.
        clock: Gives the moment of the sync.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def run(
        self,
        workspace: Workspace,
        source: str | None = None,
        on_progress: Progress | None = None,
    ) -> SyncReport:
        """Sync every source, or one of them, and return what happened.

        Raises:
            BadInput: There is no such source, or the folder of one is missing or empty though its
                articles are known. Nothing is written then.
        """
        began = time.perf_counter()
        report = SyncReport()
        specs = self._specs(workspace, source)
        listings = self._listings(specs, report)
        report.id = new_id("syn")
        with self._database.write() as session:
            session.add(SyncRun(id=report.id, started=self._clock.now(), report={}))
        names = {spec.name for spec in workspace.sources} | {MACROS}
        for spec, listing in listings:
            _SourceSync(self._database, self._clock.now(), spec, names, report).run(
                listing, on_progress or (lambda *_: None)
            )
        if source is None:
            self._drop_sources(names, report)
        report.seconds = round(time.perf_counter() - began, 3)
        self._finish(report)
        return report

    def amend(self, report: SyncReport) -> None:
        """Keep what was found out after the sync with its run."""
        with self._database.write() as session:
            session.get_one(SyncRun, report.id).report = report.as_json()

    def _specs(self, workspace: Workspace, source: str | None) -> list[SourceSpec]:
        specs = list(workspace.sources)
        if workspace.macros_folder.is_dir() or self._live(MACROS):
            specs.append(workspace.macros)
        if source is None:
            return specs
        chosen = [spec for spec in specs if spec.name == source]
        if not chosen:
            names = ", ".join(spec.name for spec in specs)
            raise BadInput(f"there is no source {source!r}; the workspace has {names}.")
        return chosen

    def _listings(
        self, specs: Iterable[SourceSpec], report: SyncReport
    ) -> list[tuple[SourceSpec, Listing]]:
        listings = []
        for spec in specs:
            try:
                listing = list_source(spec)
                if not listing.found and not listing.failed and self._live(spec.name):
                    if spec.kind == "loader":
                        raise Unavailable("it returned no documents; its articles were kept")
                    raise BadInput(
                        f"source {spec.name}: {spec.path} holds no documents, though its articles "
                        "are known; nothing was changed. Correct its path, or take the source out "
                        "of sources.yaml."
                    )
            except Unavailable as error:
                report.failed.append(Problem(spec.name, error.message))
            else:
                listings.append((spec, listing))
        return listings

    def _live(self, source: str) -> bool:
        with self._database.read() as session:
            live = select(Article.id).where(Article.source == source, Article.gone_at.is_(None))
            return session.scalar(live.limit(1)) is not None

    def _drop_sources(self, names: set[str], report: SyncReport) -> None:
        """Mark what came from sources that are no longer in the workspace as gone."""
        now = self._clock.now()
        with self._database.write() as session:
            dropped = session.scalars(
                select(Article)
                .where(Article.source.not_in(names), Article.gone_at.is_(None))
                .order_by(Article.id)
            ).all()
            for article in dropped:
                change_in_place(session, article, "gone_at", now, now)
                report.gone.append(article.id)
            for name in sorted({article.source for article in dropped}):
                report.notes.append(Problem(name, "no longer a source of this workspace"))

    def _finish(self, report: SyncReport) -> None:
        with self._database.write() as session:
            run = session.get_one(SyncRun, report.id)
            run.finished = self._clock.now()
            run.new, run.changed, run.gone = len(report.new), len(report.changed), len(report.gone)
            run.unchanged, run.failed = report.unchanged, len(report.failed)
            run.report = report.as_json()


class _SourceSync:
    """The sync of one source."""

    def __init__(
        self,
        database: Database,
        now: datetime,
        spec: SourceSpec,
        source_names: set[str],
        report: SyncReport,
    ) -> None:
        self._database = database
        self._now = now
        self._spec = spec
        self._source_names = source_names
        self._report = report
        self._kind: PassageKind = "macro" if spec.name == MACROS else "article"
        self._kept: set[str] = set()
        self._done = 0

    def run(self, listing: Listing, on_progress: Progress) -> None:
        """Sync what ``listing`` holds."""
        known = self._known()
        name, total = self._spec.name, len(listing.found)
        for path, reason in listing.failed:
            self._fail(path, reason)
        self._kept.update(path for path, _ in listing.failed if path not in listing.absent)
        ready = self._ready(listing, known)
        while batch := list(islice(ready, _ARTICLES_AT_ONCE)):
            with self._database.write() as session:
                outcomes = self._store(session, batch)
            for outcome in outcomes:
                self._record(outcome)
            on_progress(name, self._done, total)
        self._mark_gone(known, listing)
        on_progress(name, total, total)

    def _id(self, path: str) -> str:
        return f"{self._spec.name}/{path}"

    def _fail(self, path: str, reason: str) -> None:
        self._report.failed.append(Problem(self._id(path), reason))

    def _known(self) -> dict[str, _Known]:
        with self._database.read() as session:
            rows = session.execute(
                select(
                    Article.path,
                    Article.id,
                    Article.file_size,
                    Article.file_mtime_ns,
                    Article.file_hash,
                    Article.outside_hash,
                    Article.gone_at,
                ).where(Article.source == self._spec.name)
            )
            return {
                row.path: _Known(
                    row.id,
                    row.file_size,
                    row.file_mtime_ns,
                    row.file_hash,
                    row.outside_hash,
                    row.gone_at is not None,
                )
                for row in rows
            }

    def _ready(self, listing: Listing, known: dict[str, _Known]) -> Iterator[_Ready]:
        """Read, parse and cut what is not recognised as unchanged."""
        for path, found in listing.found.items():
            self._done += 1
            before = known.get(path)
            outside = outside_digest(found, self._spec)
            if before and found.file and not before.gone and _same_file(before, found, outside):
                self._report.unchanged += 1
                continue
            mtime_ns = found.mtime_ns if time.time_ns() - found.mtime_ns > _FRESH_NS else None
            try:
                text, digest, notes = read(found)
                digest = text_digest(digest + outside)
                if before and not before.gone and before.file_hash == digest:
                    self._touch(before.id, found, mtime_ns)
                    self._report.unchanged += 1
                    continue
                date = listing.git_dates.get(path)
                document = parse(found, text, self._spec, notes=notes, git_date=date)
                passages = cut(document.body, title=document.title)
            except Empty as error:
                self._fail(path, error.message)  # nothing is left of it: it counts as gone
                continue
            except Unreadable as error:
                self._fail(path, error.message)
                self._kept.add(path)
                continue
            except Exception as error:  # one bad file must not stop the others
                self._fail(path, f"cannot be parsed: {type(error).__name__}: {error}")
                self._kept.add(path)
                continue
            self._kept.add(path)
            yield _Ready(found, document, passages, mtime_ns, digest, outside)

    def _touch(self, article_id: str, found: Found, mtime_ns: int | None) -> None:
        if mtime_ns is None:
            return
        with self._database.write() as session:
            article = session.get_one(Article, article_id)
            article.file_size, article.file_mtime_ns = found.size, mtime_ns

    def _store(self, session: Session, batch: Sequence[_Ready]) -> list[_Outcome]:
        ids = [self._id(ready.found.path) for ready in batch]
        articles = {
            article.id: article
            for article in session.scalars(select(Article).where(Article.id.in_(ids)))
        }
        newest = {
            row.article_id: row
            for row in session.execute(
                select(
                    ArticleVersion.article_id,
                    ArticleVersion.id,
                    ArticleVersion.number,
                    ArticleVersion.body_hash,
                    ArticleVersion.meta_hash,
                )
                .join(Article, Article.id == ArticleVersion.article_id)
                .where(Article.id.in_(ids), ArticleVersion.number == Article.newest)
            )
        }
        passages: list[dict[str, Any]] = []
        outcomes: list[_Outcome] = []
        for ready in batch:
            article_id = self._id(ready.found.path)
            outcome = _Outcome(article_id, ready.document.notes)
            if not ready.passages:
                outcome.notes += (
                    "no passages: it holds nothing but headings, images or templates",
                )
            article = articles.get(article_id)
            if article is None:
                outcome.new = True
                article = self._new_article(article_id, ready.document)
                session.add(article)
            else:
                outcome.altered = self._alter(session, article, ready.document)
            if article.gone_at is not None:
                outcome.returned = True
                change_in_place(session, article, "gone_at", None, self._now)
            article.file_size, article.file_mtime_ns = ready.found.size, ready.mtime_ns
            article.file_hash, article.outside_hash = ready.file_hash, ready.outside_hash
            old = newest.get(article_id)
            version = self._version(article, ready.document)
            if not old or (old.body_hash, old.meta_hash) != (version.body_hash, version.meta_hash):
                article.newest, article.title = version.number, version.title
                article.replaces = article.replaces or bool(version.supersedes)
                article.assess_at = article.flags_due = self._now
                if self._kind == "macro":
                    article.withheld = article.withheld or NOT_JUDGED
                session.add(version)
                passages.extend(_passage_rows(version, self._kind, ready.passages))
                if old:
                    outcome.change = NewVersion(
                        article_id, old.number, version.number, old.id, version.id
                    )
            outcomes.append(outcome)
        session.flush()
        if passages:
            session.execute(insert(PassageRow), passages)
        return outcomes

    def _record(self, outcome: _Outcome) -> None:
        report = self._report
        if outcome.returned:
            report.returned.append(outcome.article_id)
        if outcome.new:
            report.new.append(outcome.article_id)
        elif outcome.change:
            report.changed.append(outcome.change)
        elif outcome.altered:
            report.updated.append(outcome.article_id)
        elif not outcome.returned:
            report.unchanged += 1
        report.notes.extend(Problem(outcome.article_id, note) for note in outcome.notes)

    def _new_article(self, article_id: str, document: Document) -> Article:
        return Article(
            id=article_id,
            source=self._spec.name,
            path=document.path,
            kind=self._kind,
            title=document.title,
            newest=0,
            **{name: getattr(document, name) for name in _IN_PLACE},
        )

    def _alter(self, session: Session, article: Article, document: Document) -> bool:
        altered = False
        for name in _IN_PLACE:
            value = getattr(document, name)
            if not stands(article, name, value) and getattr(article, name) != value:
                change_in_place(session, article, name, value, self._now)
                altered = True
        return altered

    def _version(self, article: Article, document: Document) -> ArticleVersion:
        supersedes = sorted({self._target(document, name) for name in document.supersedes})
        supersedes = [target for target in supersedes if target != article.id]
        starts = document.stated_from
        if starts is None and document.published_from and document.published_from > self._now:
            # What its site does not show yet is not in force yet.
            starts = document.published_from
        stated = [
            moment.isoformat() if moment else None for moment in (starts, document.effective_to)
        ]
        return ArticleVersion(
            id=new_id("ver"),
            article_id=article.id,
            number=article.newest + 1,
            title=document.title,
            body=document.body,
            format=document.format,
            body_hash=text_digest(document.body),
            meta_hash=json_digest([document.title, stated, supersedes]),
            effective_from=starts or min(document.date or self._now, self._now),
            effective_to=document.effective_to,
            supersedes=supersedes,
            synced_at=self._now,
        )

    def _target(self, document: Document, name: str) -> str:
        """Return the article id that a document means by a path or id in ``supersedes``."""
        if name.partition("/")[0] in self._source_names:
            return name
        if not name.startswith("."):
            return self._id(name.lstrip("/"))
        parts: list[str] = list(PurePosixPath(document.path).parent.parts)
        for part in PurePosixPath(name).parts:
            if part == ".." and parts:
                parts.pop()
            elif part not in {".", ".."}:
                parts.append(part)
        return self._id("/".join(parts))

    def _mark_gone(self, known: dict[str, _Known], listing: Listing) -> None:
        failed = {problem.path for problem in self._report.failed}
        gone = [
            before.id
            for path, before in known.items()
            if not before.gone
            and path not in self._kept
            and (path not in listing.found or before.id in failed)
        ]
        for start in range(0, len(gone), _ARTICLES_AT_ONCE):
            ids = gone[start : start + _ARTICLES_AT_ONCE]
            with self._database.write() as session:
                for article in session.scalars(select(Article).where(Article.id.in_(ids))):
                    change_in_place(session, article, "gone_at", self._now, self._now)
            self._report.gone.extend(ids)


def _same_file(before: _Known, found: Found, outside: str) -> bool:
    return (
        before.file_mtime_ns == found.mtime_ns
        and before.file_size == found.size
        and before.outside_hash == outside
    )


def _passage_rows(
    version: ArticleVersion, kind: PassageKind, passages: Iterable[CutPassage]
) -> Iterator[dict[str, Any]]:
    for ordinal, passage in enumerate(passages):
        yield {
            "id": f"{version.id}#{ordinal}",
            "version_id": version.id,
            "article_id": version.article_id,
            "kind": kind,
            "ordinal": ordinal,
            "anchor": passage.anchor,
            "heading_path": list(passage.heading_path),
            "start": passage.start,
            "end": passage.end,
            "text": passage.text,
            "plain": passage.plain,
            "content_hash": text_digest(passage.plain),
        }
