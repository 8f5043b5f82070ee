"""Judges what each new version of an article did to its passages, and keeps the judgements.

A version is judged once, against the one before it. Which ones are still to be judged is read off
the tables, so that a process that is killed before this step loses nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, aliased

from core.identifiers import new_id
from kb.changes import Change
from kb.content import Passage
from kb.counterparts import Pair, align
from kb.library import Library
from kb.models import Article, ArticleVersion, PassageChange

_LONGEST_SHOWN: Final = 600
_LONGEST_ROW_NAME: Final = 80


class Judge(Protocol):
    """Judges many edits; ``kb.changes.ChangeJudge`` is one."""

    def judge_many(self, pairs: Sequence[tuple[str, str]]) -> list[Change]:
        """Return a change for each pair of (older, newer) plain text."""
        ...


@dataclass(frozen=True, slots=True)
class VersionPair:
    """A version and the one before it.

    Attributes:
        begins: When the newer one comes into force.
    """

    article_id: str
    old_version_id: str
    old_number: int
    new_version_id: str
    new_number: int
    begins: datetime


@dataclass(frozen=True, slots=True)
class JudgedPassage:
    """What one new version did to one passage.

    Attributes:
        old: The passage before; None when the version adds it.
        new: The passage that took its place; None when none did.
    """

    versions: VersionPair
    old: Passage | None
    new: Passage | None
    change: Change

    @property
    def shown(self) -> Passage:
        """The passage that says where it stands: the newer one if there is one."""
        passage = self.new or self.old
        if passage is None:
            raise ValueError("a change has a passage on one side at least")
        return passage

    def _row(self) -> tuple[str, ...]:
        """What a table's row is about: an amount that changed says little without it."""
        names = {_row_name(passage) for passage in (self.old, self.new) if passage}
        return tuple(names) if len(names) == 1 and "" not in names else ()

    def as_json(self) -> dict[str, Any]:
        """Return what a report shows, as plain JSON values."""
        return {
            "article_id": self.versions.article_id,
            "title": self.shown.title,
            "heading": " › ".join((*self.shown.heading_path, *self._row())),
            "anchor": self.shown.anchor,
            "old_version": self.versions.old_number,
            "new_version": self.versions.new_number,
            "from": self.versions.begins.isoformat(),
            "outcome": self.change.outcome,
            "score": round(self.change.score, 4),
            "facts": [fact.as_json() for fact in self.change.facts],
            "old": _shortened(self.old),
            "new": _shortened(self.new),
            "old_passage_id": self.old.id if self.old else None,
            "new_passage_id": self.new.id if self.new else None,
        }


def _row_name(passage: Passage) -> str:
    """Return the first cell of a table's row, or ``""`` where it is none or too long to name it."""
    first, cut, _ = passage.plain.partition("; ")
    if not cut or not ("|" in passage.text or passage.text.startswith("<tr")):
        return ""
    name = first.partition(": ")[2] or first
    return name if len(name) <= _LONGEST_ROW_NAME else ""


def unjudged(session: Session, article_ids: Sequence[str]) -> list[VersionPair]:
    """Return the versions of these articles whose passages have not been judged, oldest first.

    A version that repeats the text of the one before it has nothing to judge.
    """
    new, old = aliased(ArticleVersion), aliased(ArticleVersion)
    known = select(PassageChange.id).where(PassageChange.new_version_id == new.id)
    query = (
        select(new.article_id, old.id, old.number, new.id, new.number, new.effective_from)
        .join(old, (old.article_id == new.article_id) & (old.number == new.number - 1))
        .where(new.article_id.in_(article_ids), new.body_hash != old.body_hash, ~known.exists())
        .order_by(new.article_id, new.number)
    )
    return [VersionPair(*row) for row in session.execute(query).tuples()]


def judge_versions(
    versions: Iterable[VersionPair], library: Library, judge: Judge
) -> list[JudgedPassage]:
    """Return what each version did to the passages whose words it changed.

    Args:
        versions: What to judge.
        library: Where their passages are read.
        judge: Compares two plain texts.
    """
    found: list[tuple[VersionPair, Pair]] = []
    for versions_of_one in versions:
        older = library.passages_of_version(versions_of_one.old_version_id)
        newer = library.passages_of_version(versions_of_one.new_version_id)
        found += [(versions_of_one, pair) for pair in align(older, newer) if _differs(pair)]
    changes = judge.judge_many([(_plain(old), _plain(new)) for _, (old, new) in found])
    return [
        JudgedPassage(pair, old, new, change)
        for (pair, (old, new)), change in zip(found, changes, strict=True)
    ]


def store(session: Session, judged: Iterable[JudgedPassage], now: datetime) -> None:
    """Keep judgements; those of a version that has some already are left out."""
    rows = [_row(one, now) for one in judged]
    versions = {row["new_version_id"] for row in rows}
    query = select(PassageChange.new_version_id).where(PassageChange.new_version_id.in_(versions))
    known = set(session.scalars(query.distinct())) if versions else set()
    if fresh := [row for row in rows if row["new_version_id"] not in known]:
        session.execute(insert(PassageChange), fresh)


def due_articles(session: Session, now: datetime, limit: int) -> dict[str, datetime]:
    """Return articles about which something changed that nobody has looked at yet.

    Returns:
        Article id → its ``assess_at``, for :func:`settle_due`.
    """
    query = (
        select(Article.id, Article.assess_at)
        .where(Article.assess_at <= now)
        .order_by(Article.id)
        .limit(limit)
    )
    return {key: moment for key, moment in session.execute(query).tuples() if moment}


def settle_due(session: Session, due: Mapping[str, datetime], now: datetime) -> None:
    """Say that these articles were looked at, until time alone changes what is in force of them.

    What changed since it was read as due stays due, whatever moment the change bears: a sync that
    began before ``now`` may store it after.

    Args:
        session: The caller's unit of work.
        due: What :func:`due_articles` gave before they were looked at.
        now: The moment they were looked at.
    """
    ahead: dict[str, datetime | None] = dict.fromkeys(due)
    query = select(
        ArticleVersion.article_id, ArticleVersion.effective_from, ArticleVersion.effective_to
    ).where(ArticleVersion.article_id.in_(due))
    for article_id, begins, ends in session.execute(query).tuples():
        moments = [begins, ends, ahead[article_id]]
        ahead[article_id] = min((m for m in moments if m and m > now), default=None)
    alike: defaultdict[tuple[datetime, datetime | None], list[str]] = defaultdict(list)
    for article_id, moment in ahead.items():
        alike[due[article_id], moment].append(article_id)
    for (read, moment), these in alike.items():
        session.execute(
            update(Article)
            .where(Article.id.in_(these), Article.assess_at == read)
            .values(assess_at=moment)
            .execution_options(synchronize_session=False)
        )


def _differs(pair: Pair) -> bool:
    old, new = pair
    return old is None or new is None or old.content_hash != new.content_hash


def _plain(passage: Passage | None) -> str:
    return passage.plain if passage else ""


def _shortened(passage: Passage | None) -> str:
    text = _plain(passage)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def _row(one: JudgedPassage, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id("pch"),
        "article_id": one.versions.article_id,
        "old_version_id": one.versions.old_version_id,
        "new_version_id": one.versions.new_version_id,
        "old_passage_id": one.old.id if one.old else None,
        "new_passage_id": one.new.id if one.new else None,
        "outcome": one.change.outcome,
        "score": one.change.score,
        "facts": [fact.as_json() for fact in one.change.facts],
        "at": now,
    }
