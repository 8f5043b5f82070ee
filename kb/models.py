"""The tables of the help center.

An article is a row that changes; its versions, and the passages cut from them, never do. What
changes on an article outside its versions (owner, review rhythm, url) leaves an ``ArticleChange``.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base
from kb.content import PassageKind

ARTICLE_ID = String(512)
VERSION_ID = String(40)


class Article(Base):
    """One document of the help center, or one macro, over all its versions."""

    __tablename__ = "article"
    __table_args__ = (Index("ix_article_source_path", "source", "path", unique=True),)

    id: Mapped[str] = mapped_column(ARTICLE_ID, primary_key=True)
    """``<source name>/<path in the source>``."""
    source: Mapped[str] = mapped_column(String(64))
    """Name of the source, as in ``sources.yaml``; ``macros`` for macros."""
    path: Mapped[str] = mapped_column(String(480))
    """Path in the source, with forward slashes, or the id that a loader gave."""
    kind: Mapped[PassageKind] = mapped_column(String(16))
    """``article`` or ``macro``."""
    title: Mapped[str] = mapped_column(Text)
    """Title of the newest version."""
    owner: Mapped[str | None] = mapped_column(String(256), index=True)
    """Who answers for it."""
    reason: Mapped[str | None] = mapped_column(String(128))
    """Contact reason that a macro answers."""
    review_every_days: Mapped[int | None]
    """How often its owner must look at it; None for never."""
    last_reviewed: Mapped[datetime | None]
    """When its owner last confirmed it."""
    archived: Mapped[bool] = mapped_column(default=False)
    """Taken out of use by its author, its text kept."""
    withheld: Mapped[str | None] = mapped_column(Text)
    """Why the desk does not let it be used, in words; None while it may be used."""
    superseded_by: Mapped[str | None] = mapped_column(ARTICLE_ID)
    """Article that replaces it by a decision at the desk; a source says so with ``supersedes``."""
    decided: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Column → what the source said of it when the desk decided otherwise (``kb.amendments``)."""
    gone_at: Mapped[datetime | None]
    """When a sync no longer found it; None while it is there."""
    url: Mapped[str | None] = mapped_column(Text)
    """Where a customer reads it."""
    addresses: Mapped[list[str]] = mapped_column(default=list)
    """Paths at which its site serves it, as its author says (``permalink``, ``redirect_from`` …)."""
    newest: Mapped[int] = mapped_column(default=0)
    """Number of its newest version."""
    file_size: Mapped[int | None] = mapped_column(BigInteger)
    """Size of the file in bytes when it was last read."""
    file_mtime_ns: Mapped[int | None] = mapped_column(BigInteger)
    """Modification time of the file when it was last read; None when it was too fresh to trust."""
    file_hash: Mapped[str] = mapped_column(String(64), default="")
    """Digest of the file's bytes and of what was said about it elsewhere (index, source)."""
    outside_hash: Mapped[str] = mapped_column(String(64), default="")
    """Digest of what was said about it elsewhere, alone."""
    replaces: Mapped[bool] = mapped_column(default=False, index=True)
    """Whether one of its versions says that it replaces other articles."""
    assess_at: Mapped[datetime | None] = mapped_column(index=True)
    """When what rests on it must next be looked at: at once after a change, or when time brings a
    version in or ends one; None for never."""
    flags_due: Mapped[datetime | None] = mapped_column(index=True)
    """When its source flags must next be looked for; set and moved on as ``assess_at`` is."""
    row: Mapped[int] = mapped_column(default=1)
    """Counts the writes to this row, so that two writers never overwrite each other unseen."""

    __mapper_args__ = {"version_id_col": row}  # noqa: RUF012 (SQLAlchemy's own attribute)


class ArticleVersion(Base):
    """One text of an article with the time in which it holds. Never changed, never deleted."""

    __tablename__ = "article_version"
    __table_args__ = (
        UniqueConstraint("article_id", "number"),
        Index("ix_article_version_effective_from", "effective_from"),
        Index("ix_article_version_effective_to", "effective_to"),
        Index("ix_article_version_synced_at", "synced_at"),
    )

    id: Mapped[str] = mapped_column(VERSION_ID, primary_key=True)
    """``ver_…``."""
    article_id: Mapped[str] = mapped_column(ForeignKey("article.id"))
    """The article."""
    number: Mapped[int]
    """1 for the first version of the article, and so on without gaps."""
    title: Mapped[str] = mapped_column(Text)
    """Title at that time."""
    body: Mapped[str] = mapped_column(Text)
    """The text without front matter, as Markdown; spans of passages are offsets in it."""
    format: Mapped[str] = mapped_column(String(16))
    """``markdown``, ``html`` (rewritten as Markdown) or ``text``."""
    body_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the body."""
    meta_hash: Mapped[str] = mapped_column(String(64))
    """Digest of title, stated effective dates and ``supersedes``."""
    effective_from: Mapped[datetime]
    """When it comes into force."""
    effective_to: Mapped[datetime | None]
    """When it ends; None for never."""
    supersedes: Mapped[list[str]]
    """Ids of the articles that it replaces."""
    synced_at: Mapped[datetime]
    """When a sync first saw it."""


class PassageRow(Base):
    """A passage of a version. Never changed, never deleted."""

    __tablename__ = "passage"
    __table_args__ = (
        Index("ix_passage_version_ordinal", "version_id", "ordinal", unique=True),
        Index("ix_passage_content_hash", "content_hash"),
    )

    id: Mapped[str] = mapped_column(String(48), primary_key=True)
    """``<version id>#<ordinal>``."""
    version_id: Mapped[str] = mapped_column(ForeignKey("article_version.id"))
    """The version it was cut from."""
    article_id: Mapped[str] = mapped_column(ForeignKey("article.id"), index=True)
    """The article of that version."""
    kind: Mapped[PassageKind] = mapped_column(String(16))
    """``article`` or ``macro``."""
    ordinal: Mapped[int]
    """Place in reading order, from 0."""
    anchor: Mapped[str] = mapped_column(Text)
    """Slug of the nearest heading."""
    heading_path: Mapped[list[str]]
    """Headings from the outermost to the nearest, then the line that leads its list in."""
    start: Mapped[int]
    """Offset of its first character in the body."""
    end: Mapped[int]
    """Offset after its last character in the body."""
    text: Mapped[str] = mapped_column(Text)
    """``body[start:end]``."""
    plain: Mapped[str] = mapped_column(Text)
    """The same without markup."""
    content_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 of ``plain``."""


class ArticleChange(Base):
    """One change of an article that made no new version."""

    __tablename__ = "article_change"
    __table_args__ = (Index("ix_article_change_article_id_at", "article_id", "at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """``chg_…``."""
    article_id: Mapped[str] = mapped_column(ForeignKey("article.id"))
    """The article."""
    at: Mapped[datetime]
    """When a sync saw it."""
    field: Mapped[str] = mapped_column(String(32))
    """Name of the column."""
    old: Mapped[str | None] = mapped_column(Text)
    """Value before, as text."""
    new: Mapped[str | None] = mapped_column(Text)
    """Value after, as text."""


class PassageChange(Base):
    """What one new version changed in one passage, as it was judged when the version came in."""

    __tablename__ = "passage_change"
    __table_args__ = (
        Index("ix_passage_change_article_id_at", "article_id", "at"),
        Index("ix_passage_change_at", "at"),
        Index("ix_passage_change_new_version_id", "new_version_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """``pch_…``."""
    article_id: Mapped[str] = mapped_column(ForeignKey("article.id"))
    """The article."""
    old_version_id: Mapped[str] = mapped_column(ForeignKey("article_version.id"))
    """The version before."""
    new_version_id: Mapped[str] = mapped_column(ForeignKey("article_version.id"))
    """The version that came in."""
    old_passage_id: Mapped[str | None] = mapped_column(String(48), index=True)
    """The passage before; None when the new version adds the passage."""
    new_passage_id: Mapped[str | None] = mapped_column(String(48))
    """The passage that took its place; None when none did."""
    outcome: Mapped[str] = mapped_column(String(10))
    """``same``, ``changed``, ``added``, ``removed`` or ``unclear``."""
    score: Mapped[float]
    """How likely a reader is told something else, 0..1."""
    facts: Mapped[list[Any]]
    """What changed: ``{kind, old, new}`` each, with the words of both sides."""
    at: Mapped[datetime]
    """When it was judged."""


class SyncRun(Base):
    """One sync."""

    __tablename__ = "sync_run"
    __table_args__ = (Index("ix_sync_run_started", "started"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """``syn_…``."""
    started: Mapped[datetime]
    """When it began."""
    finished: Mapped[datetime | None]
    """When it ended; None while it runs, and for ever when it was killed."""
    new: Mapped[int] = mapped_column(default=0)
    """Articles that were new."""
    changed: Mapped[int] = mapped_column(default=0)
    """Articles with a new version."""
    gone: Mapped[int] = mapped_column(default=0)
    """Articles that were no longer found."""
    unchanged: Mapped[int] = mapped_column(default=0)
    """Articles without a new version."""
    failed: Mapped[int] = mapped_column(default=0)
    """Files that could not be read."""
    report: Mapped[dict[str, Any]]
    """The whole report, as ``SyncReport.as_json`` gives it."""
