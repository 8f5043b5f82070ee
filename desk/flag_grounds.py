"""Reads off the help center, and off what answers rest on, what its owners must look at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, cast

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    case,
    column,
    func,
    or_,
    select,
    tuple_,
    values,
)
from sqlalchemy.orm import Session

from core.database import Database
from desk.flag_rules import (
    OLDER,
    RECENT,
    Band,
    Finding,
    Uses,
    often_rewritten,
)
from desk.models import Contact, SourceRewrite, SourceUse
from kb.changes import STOPPING, FactChange
from kb.content import Passage
from kb.freshness import ends_soon, flags_of
from kb.library import Library
from kb.models import Article, ArticleVersion, PassageChange, PassageRow

_AT_ONCE: Final = 400
_MOST_SHOWN: Final = 20
_RESTING: Final = ("pending", "answered")
Resting = tuple[Collection[str], Collection[str]]
"""Some articles, and the content hashes of the passages of theirs that are meant."""


class SourceConflict(Protocol):
    """Two passages in force that give different facts for the same question."""

    @property
    def left(self) -> Passage:
        """One of them."""
        ...

    @property
    def right(self) -> Passage:
        """The other one."""
        ...

    @property
    def facts(self) -> Sequence[FactChange]:
        """What differs: ``old`` are the words of the left passage, ``new`` of the right one."""
        ...

    @property
    def score(self) -> float:
        """How sure it is, 0..1."""
        ...

    @property
    def twins(self) -> bool:
        """Whether the two articles are versions of one text."""
        ...

    @property
    def sentence(self) -> str:
        """One plain sentence."""
        ...


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A link of an article in force that leads nowhere.

    Attributes:
        target: As it is written.
        words: What a reader clicks.
        why: One plain sentence.
        passage_id: The passage it stands in, where known.
    """

    article_id: str
    target: str
    words: str
    why: str
    passage_id: str | None = None


@dataclass(frozen=True, slots=True)
class WithheldMacro:
    """A macro that may not be used.

    Attributes:
        why: One plain sentence.
        contradicts: The article that says otherwise; None when no source speaks of it.
    """

    article_id: str
    why: str
    contradicts: str | None = None


class ConflictFinder(Protocol):
    """Finds what contradicts what."""

    def __call__(self, article_ids: Sequence[str] | None) -> Iterable[SourceConflict]:
        """Return the conflicts in which one of these articles takes part; None for all."""
        ...


class LinkFinder(Protocol):
    """Finds links that lead nowhere."""

    def __call__(
        self, article_ids: Sequence[str] | None
    ) -> tuple[Sequence[str] | None, Iterable[BrokenLink]]:
        """Return the articles that a change of these bears on, and their broken links.

        Those that link to a changed article are looked at as well; None stands for all.
        """
        ...


class WithheldFinder(Protocol):
    """Finds macros that may not be used."""

    def __call__(self, article_ids: Sequence[str] | None) -> Iterable[WithheldMacro]:
        """Return those of these macros that may not be used; None for all."""
        ...


@dataclass(frozen=True, slots=True)
class _Shelved:
    """An article that is in use, with its newest version that has begun."""

    id: str
    title: str
    owner: str | None
    review_every_days: int | None
    last_reviewed: datetime | None
    version_id: str
    number: int
    effective_from: datetime
    effective_to: datetime | None


class Grounds:
    """Finds the grounds of flags.

    Args:
        database: The records.
        library: The help center.
    """

    def __init__(self, database: Database, library: Library) -> None:
        self._database = database
        self._library = library

    def of_articles(self, article_ids: Sequence[str] | None, now: datetime) -> list[Finding]:
        """Return what is to be said of articles from their dates, changes and edits alone.

        Kinds: ``overdue``, ``superseded``, ``unowned``, ``changed``, ``often_rewritten``.

        Args:
            article_ids: The articles; None for all.
            now: The moment.
        """
        replaced = self._library.superseded_by()
        found: list[Finding] = []
        with self._database.read() as session:
            if article_ids is None:
                article_ids = session.scalars(select(Article.id).order_by(Article.id)).all()
            for some in _chunks(article_ids):
                shelved = _shelved(session, some, now)
                successors = _with_successor(session, some, now)
                names = _titles(session, {replaced[id] for id in shelved if id in replaced})
                for article in shelved.values():
                    found += _dated(article, replaced, names, article.id in successors, now)
                found += _changed(session, shelved, now)
                found += _rewritten(session, shelved)
        return found

    def replaced_by(self, article_ids: Iterable[str]) -> set[str]:
        """Return the articles that one of these replaces, or no longer does."""
        wanted = set(article_ids)
        found = {old for old, new in self._library.superseded_by().items() if new in wanted}
        with self._database.read() as session:
            for some in _chunks(sorted(wanted)):
                said = (
                    select(ArticleVersion.supersedes)
                    .join(Article, Article.id == ArticleVersion.article_id)
                    .where(Article.id.in_(some), Article.replaces)
                )
                found.update(old for several in session.scalars(said) for old in several)
                decided = select(Article.id).where(Article.superseded_by.in_(some))
                found.update(session.scalars(decided))
        return found

    def of_conflicts(self, conflicts: Iterable[SourceConflict]) -> list[Finding]:
        """Return a ``conflict`` for each pair of passages; one for two articles of one text."""
        found: list[Finding] = []
        twins: dict[tuple[str, str], list[SourceConflict]] = defaultdict(list)
        for one in conflicts:
            if one.twins:
                twins[one.left.article_id, one.right.article_id].append(one)
            else:
                found.append(_conflict([one]))
        return found + [_conflict(some) for some in twins.values()]

    def of_links(self, links: Iterable[BrokenLink]) -> list[Finding]:
        """Return a ``broken_link`` for each target of an article."""
        links = list(links)
        by_passage = self._library.passages([one.passage_id for one in links if one.passage_id])
        articles = self._articles({one.article_id for one in links})
        found: dict[str, Finding] = {}
        for one in links:
            article = articles.get(one.article_id)
            if article is None:
                continue
            passage = by_passage.get(one.passage_id or "")
            finding = Finding(
                kind="broken_link",
                subject=(one.article_id, one.target),
                title=f"“{article.title}” links to {one.target}, which leads nowhere.",
                article_id=one.article_id,
                owner=article.owner,
                passage_id=one.passage_id,
                evidence={
                    "target": one.target,
                    "words": one.words,
                    "why": one.why,
                    "place": place_of(passage) if passage else None,
                },
            )
            found.setdefault(finding.key, finding)
        return list(found.values())

    def of_withheld(self, macros: Iterable[WithheldMacro]) -> list[Finding]:
        """Return a ``conflict`` or ``missing`` for each macro that may not be used."""
        macros = list(macros)
        articles = self._articles({one.article_id for one in macros})
        return [
            Finding(
                kind="conflict" if one.contradicts else "missing",
                subject=("withheld", one.article_id, one.why),
                title=f"The macro “{articles[one.article_id].title}” is not used: {one.why}",
                article_id=one.article_id,
                other_article_id=one.contradicts,
                owner=articles[one.article_id].owner,
                evidence={"withheld": one.why},
            )
            for one in macros
            if one.article_id in articles
        ]

    def _articles(self, ids: set[str]) -> dict[str, Article]:
        found: dict[str, Article] = {}
        with self._database.read() as session:
            for some in _chunks(sorted(ids)):
                for article in session.scalars(select(Article).where(Article.id.in_(some))):
                    found[article.id] = article
        return found


class UseBook:
    """Counts the contacts whose answers and pending drafts rest on articles and passages.

    Args:
        session: The caller's unit of work.
        now: The moment.
    """

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def of_articles(self, article_ids: Iterable[str]) -> dict[str, Uses]:
        """Return article id → uses; absent where nothing rests on it."""
        found: dict[str, Uses] = {}
        for some in _chunks(sorted(set(article_ids))):
            found |= self._gathered(self._counted(some))
        return found

    def of_each(self, wanted: Mapping[str, Resting]) -> dict[str, Uses]:
        """Return key → the uses of what it names; absent where nothing rests on it.

        Who rests on several of the passages of one key is counted once. Asks once for some hundred
        keys, however many there are.
        """
        found: dict[str, Uses] = {}
        for some in _chunks(list(wanted)):
            found |= self._gathered(self._counted_each({key: wanted[key] for key in some}))
        return found

    def _counted_each(self, wanted: Mapping[str, Resting]) -> Select[str, str, str, int]:
        places = (
            values(
                column("key", String),
                column("article_id", String),
                column("content_hash", String),
                name="wanted",
            )
            .data(
                [
                    (key, article, content_hash)
                    for key, (articles, hashes) in wanted.items()
                    for article in sorted(set(articles))
                    for content_hash in sorted(set(hashes))
                ]
            )
            .cte("wanted")
        )
        return (
            select(
                places.c.key,
                self._band(),
                Contact.tier,
                func.count(SourceUse.contact_id.distinct()),
            )
            .join_from(
                places,
                SourceUse,
                and_(
                    SourceUse.article_id == places.c.article_id,
                    SourceUse.content_hash == places.c.content_hash,
                ),
            )
            .join(Contact, Contact.id == SourceUse.contact_id)
            .where(SourceUse.status.in_(_RESTING))
            .group_by(places.c.key, "band", Contact.tier)
        )

    def _counted(self, article_ids: Sequence[str]) -> Select[str, str, str, int]:
        return (
            select(
                SourceUse.article_id,
                self._band(),
                Contact.tier,
                func.count(SourceUse.contact_id.distinct()),
            )
            .join(Contact, Contact.id == SourceUse.contact_id)
            .where(SourceUse.status.in_(_RESTING), SourceUse.article_id.in_(article_ids))
            # By name: PostgreSQL takes the expression with its own parameters for another one.
            .group_by(SourceUse.article_id, "band", Contact.tier)
        )

    def _band(self) -> ColumnElement[str]:
        return case(
            (SourceUse.status == "pending", "pending"),
            (SourceUse.at > self._now - RECENT, "recent"),
            (SourceUse.at > self._now - OLDER, "older"),
            else_="old",
        ).label("band")

    def _gathered(self, query: Select[str, str, str, int]) -> dict[str, Uses]:
        counts: dict[str, dict[tuple[Band, str], int]] = defaultdict(dict)
        for row in self._session.execute(query):
            counts[row[0]][cast(Band, row[1]), row[2]] = row[3]
        return {article: Uses(of_it) for article, of_it in counts.items()}


def place_of(passage: Passage) -> dict[str, Any]:
    """Return where a passage stands and what it says, as evidence keeps it."""
    return {
        "article_id": passage.article_id,
        "title": passage.title,
        "version": passage.version,
        "passage_id": passage.id,
        "heading": " › ".join(passage.heading_path),
        "text": passage.plain,
    }


def _shelved(session: Session, ids: Sequence[str], now: datetime) -> dict[str, _Shelved]:
    begun = (
        select(ArticleVersion.article_id, func.max(ArticleVersion.number).label("number"))
        .where(ArticleVersion.effective_from <= now, ArticleVersion.article_id.in_(ids))
        .group_by(ArticleVersion.article_id)
        .subquery()
    )
    query = (
        select(
            Article.id,
            ArticleVersion.title,
            Article.owner,
            Article.review_every_days,
            Article.last_reviewed,
            ArticleVersion.id,
            ArticleVersion.number,
            ArticleVersion.effective_from,
            ArticleVersion.effective_to,
        )
        .join(Article, Article.id == ArticleVersion.article_id)
        .join(
            begun,
            (begun.c.article_id == ArticleVersion.article_id)
            & (begun.c.number == ArticleVersion.number),
        )
        .where(Article.archived.is_(False), Article.gone_at.is_(None))
        .order_by(Article.id)
    )
    return {row[0]: _Shelved(*row) for row in session.execute(query)}


def _with_successor(session: Session, ids: Sequence[str], now: datetime) -> set[str]:
    """Return the articles of which a later version is already written."""
    query = select(ArticleVersion.article_id).where(
        ArticleVersion.effective_from > now, ArticleVersion.article_id.in_(ids)
    )
    return set(session.scalars(query))


def _titles(session: Session, ids: set[str]) -> dict[str, str]:
    if not ids:
        return {}
    query = select(Article.id, Article.title).where(Article.id.in_(ids))
    return dict(session.execute(query).tuples().all())


def _dated(
    article: _Shelved,
    replaced: Mapping[str, str],
    titles: Mapping[str, str],
    has_successor: bool,
    now: datetime,
) -> Iterator[Finding]:
    ends = None if has_successor else article.effective_to
    kinds = flags_of(
        owner=article.owner,
        review_every_days=article.review_every_days,
        last_reviewed=article.last_reviewed,
        effective_from=article.effective_from,
        effective_to=ends,
        superseded_by=replaced.get(article.id),
        now=now,
    )
    if "superseded" in kinds:  # whatever else is wrong with it, taking it down is what is due
        by = replaced[article.id]
        yield Finding(
            kind="superseded",
            subject=(article.id, by),
            title=f"“{article.title}” was replaced by “{titles.get(by, by)}” and still stands.",
            article_id=article.id,
            owner=article.owner,
            other_article_id=by,
            evidence={"by": by, "by_title": titles.get(by, by)},
        )
        return
    if "overdue" in kinds:
        yield _overdue(article, ends, now)
    if "unowned" in kinds:
        yield Finding(
            kind="unowned",
            subject=(article.id,),
            title=f"Nobody owns “{article.title}”.",
            article_id=article.id,
        )


def _overdue(article: _Shelved, ends: datetime | None, now: datetime) -> Finding:
    if ends_soon(ends, now) and ends is not None:
        verb = "runs out" if ends > now else "ran out"
        title = f"“{article.title}” {verb} on {_day(ends)} and nothing takes its place."
        because, due = "ends", ends
    else:
        reviewed = max(article.last_reviewed or article.effective_from, article.effective_from)
        due = reviewed + timedelta(days=article.review_every_days or 0)
        title, because = f"“{article.title}” was due for review on {_day(due)}.", "review"
    return Finding(
        kind="overdue",
        subject=(article.id, because, due.isoformat()),
        title=title,
        article_id=article.id,
        owner=article.owner,
        evidence={
            "because": because,
            "due": due.isoformat(),
            "last_reviewed": article.last_reviewed.isoformat() if article.last_reviewed else None,
            "review_every_days": article.review_every_days,
        },
    )


def _changed(session: Session, shelved: Mapping[str, _Shelved], now: datetime) -> list[Finding]:
    """Return what new versions of the last half-year changed, where answers rest on the old.

    That its author looked the new text over ends nothing: it is about what was said before.
    """
    query = (
        select(PassageChange)
        .where(
            PassageChange.article_id.in_(shelved),
            PassageChange.outcome.in_(STOPPING),
            PassageChange.old_passage_id.is_not(None),
            PassageChange.at > now - OLDER,
        )
        .order_by(PassageChange.at, PassageChange.id)
    )
    by_version: dict[tuple[str, str], list[PassageChange]] = defaultdict(list)
    for change in session.scalars(query):
        by_version[change.article_id, change.new_version_id].append(change)
    if not by_version:
        return []
    ids = [
        id
        for changes in by_version.values()
        for change in changes
        for id in (change.old_passage_id, change.new_passage_id)
        if id
    ]
    places = _places(session, ids)
    standing = _texts_in_force(session, {article: shelved[article] for article, _ in by_version})
    uses = UseBook(session, now).of_each(
        {
            str(change.id): ([change.article_id], [places[change.old_passage_id].content_hash])
            for changes in by_version.values()
            for change in changes
            if change.old_passage_id in places
        }
    )
    numbers = _numbers(session, [version for _, version in by_version])
    found = []
    for (article_id, version_id), changes in by_version.items():
        version = version_id, numbers[version_id]
        article, texts = shelved[article_id], standing[article_id]
        if finding := _change_of(article, version, changes, places, texts, uses):
            found.append(finding)
    return found


def _numbers(session: Session, version_ids: Sequence[str]) -> dict[str, int]:
    query = select(ArticleVersion.id, ArticleVersion.number)
    return dict(session.execute(query.where(ArticleVersion.id.in_(version_ids))).tuples().all())


def _change_of(
    article: _Shelved,
    version: tuple[str, int],
    changes: Sequence[PassageChange],
    places: Mapping[str, _Place],
    standing: set[str],
    uses_of: Mapping[str, Uses],
) -> Finding | None:
    version_id, number = version
    subject: set[str] = set()
    hashes: list[str] = []
    shown: list[dict[str, Any]] = []
    facts: list[Mapping[str, Any]] = []
    for change in changes:
        old = places.get(change.old_passage_id or "")
        new = places.get(change.new_passage_id or "")
        if old is None:
            continue
        subject.add(f"{old.content_hash}>{new.content_hash if new else ''}")
        uses = uses_of.get(str(change.id), Uses())
        if old.content_hash in standing or not any(band != "old" for band, _ in uses.counts):
            continue
        hashes.append(old.content_hash)
        facts += change.facts
        shown.append(
            {
                "old": old.as_json(),
                "new": new.as_json() if new else None,
                "facts": change.facts,
                "outcome": change.outcome,
                "score": change.score,
                "uses": uses.total,
            }
        )
    if not shown:
        return None
    shown.sort(key=lambda one: -one["uses"])
    return Finding(
        kind="changed",
        subject=(article.id, *sorted(subject)),
        title=_what_changed(article.title, facts),
        article_id=article.id,
        owner=article.owner,
        passage_id=shown[0]["old"]["passage_id"],
        evidence={"version": number, "version_id": version_id, "passages": shown[:_MOST_SHOWN]},
        content_hashes=tuple(hashes),
    )


def _what_changed(title: str, facts: Sequence[Mapping[str, Any]]) -> str:
    more = f", and {len(facts) - 1} more" if len(facts) > 1 else ""
    for fact in facts:
        old, new = fact.get("old"), fact.get("new")
        if old and new:
            return f"“{title}” now says “{new}” where it said “{old}”{more}."
        if old:
            return f"“{title}” no longer says “{old}”{more}."
        if new:
            return f"“{title}” now says “{new}” too{more}."
    return f"“{title}” changed what answers rest on."


def _rewritten(session: Session, shelved: Mapping[str, _Shelved]) -> list[Finding]:
    query = (
        select(SourceRewrite, PassageRow.content_hash)
        .join(PassageRow, PassageRow.id == SourceRewrite.passage_id)
        .where(SourceRewrite.article_id.in_(shelved))
        .order_by(SourceRewrite.at.desc(), SourceRewrite.id.desc())
    )
    by_text: dict[tuple[str, str], list[SourceRewrite]] = defaultdict(list)
    for rewrite, content_hash in session.execute(query).tuples():
        reviewed = shelved[rewrite.article_id].last_reviewed
        if reviewed is None or rewrite.at > reviewed:
            by_text[rewrite.article_id, content_hash].append(rewrite)
    if not by_text:
        return []
    counts = {text: len({one.review_id for one in some}) for text, some in by_text.items()}
    # What people did not change often enough, however few drafts rest on it, needs no look at them.
    many = [text for text, count in counts.items() if often_rewritten(count, count)]
    standing = _standing_at(session, {article: shelved[article] for article, _ in many})
    many = [text for text in many if text in standing]
    drafts = _drafts_of(session, many)
    often = {
        text: max(counts[text], drafts.get(text, 0))
        for text in many
        if often_rewritten(counts[text], max(counts[text], drafts.get(text, 0)))
    }
    places = _places(session, [standing[text] for text in often])
    return [
        _often(shelved[text[0]], places[standing[text]], by_text[text], counts[text], of_all)
        for text, of_all in often.items()
    ]


def _standing_at(session: Session, articles: Mapping[str, _Shelved]) -> dict[tuple[str, str], str]:
    """Return article and content hash → a passage of the newest version that has begun."""
    query = (
        select(PassageRow.article_id, PassageRow.content_hash, func.min(PassageRow.id))
        .where(PassageRow.version_id.in_([article.version_id for article in articles.values()]))
        .group_by(PassageRow.article_id, PassageRow.content_hash)
    )
    return {(article, text): passage for article, text, passage in session.execute(query).tuples()}


def _drafts_of(session: Session, texts: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return article and content hash → contacts that rested on it since its last review."""
    found: dict[tuple[str, str], int] = {}
    for start in range(0, len(texts), _AT_ONCE):
        some = texts[start : start + _AT_ONCE]
        query = (
            select(
                SourceUse.article_id,
                SourceUse.content_hash,
                func.count(SourceUse.contact_id.distinct()),
            )
            .join(Article, Article.id == SourceUse.article_id)
            .where(
                tuple_(SourceUse.article_id, SourceUse.content_hash).in_(some),
                or_(Article.last_reviewed.is_(None), SourceUse.at > Article.last_reviewed),
            )
            .group_by(SourceUse.article_id, SourceUse.content_hash)
        )
        for article_id, content_hash, count in session.execute(query).tuples():
            found[article_id, content_hash] = count
    return found


def _often(
    article: _Shelved,
    place: _Place,
    rewrites: Sequence[SourceRewrite],
    reviews: int,
    drafts: int,
) -> Finding:
    return Finding(
        kind="often_rewritten",
        subject=(article.id, place.content_hash),
        title=f"People changed what was drawn from “{article.title}” in {reviews} of {drafts} "
        "drafts.",
        article_id=article.id,
        owner=article.owner,
        passage_id=place.passage_id,
        content_hashes=(place.content_hash,),
        evidence={
            "place": place.as_json(),
            "drafts": drafts,
            "rewritten": reviews,
            "sentences": [
                {
                    "before": rewrite.before,
                    "after": rewrite.after,
                    "review": rewrite.review_id,
                    "at": rewrite.at.isoformat(),
                }
                for rewrite in rewrites[:_MOST_SHOWN]
            ],
        },
    )


def _conflict(between: Sequence[SourceConflict]) -> Finding:
    """Return what is found between two articles; the surest pair of passages speaks for it."""
    surest, *others = sorted(between, key=lambda one: -one.score)
    pairs = [_sides(one) for one in (surest, *others)]
    first, second = pairs[0][:2]
    more = f" They differ in {len(others)} more places." if others else ""
    return Finding(
        kind="conflict",
        subject=tuple(part for sides in sorted(map(_known_by, pairs)) for part in sides),
        title=f"{surest.sentence}{more}",
        article_id=first.article_id,
        owner=first.owner or second.owner,
        passage_id=first.id,
        other_article_id=second.article_id,
        evidence={
            **_as_evidence(*pairs[0]),
            "score": round(surest.score, 4),
            "more": [_as_evidence(*pair) for pair in pairs[1:]],
        },
        content_hashes=tuple(side.content_hash for pair in pairs for side in pair[:2]),
    )


_Sides = tuple[Passage, Passage, list[dict[str, str]]]


def _sides(one: SourceConflict) -> _Sides:
    first, second = sorted(
        (one.left, one.right), key=lambda side: (side.article_id, side.content_hash)
    )
    swapped = first is not one.left
    facts = [
        {
            "kind": fact.kind,
            "old": fact.new if swapped else fact.old,
            "new": fact.old if swapped else fact.new,
        }
        for fact in one.facts
    ]
    return first, second, facts


def _known_by(sides: _Sides) -> tuple[str, ...]:
    first, second, _ = sides
    return first.article_id, first.content_hash, second.article_id, second.content_hash


def _as_evidence(first: Passage, second: Passage, facts: list[dict[str, str]]) -> dict[str, Any]:
    one, other = place_of(first), place_of(second)
    if one["title"].casefold() == other["title"].casefold():
        for place in (one, other):  # else nobody could tell which of them is meant
            place["title"] = f"{place['title']} ({place['article_id']})"
    return {"first": one, "second": other, "facts": facts}


@dataclass(frozen=True, slots=True)
class _Place:
    article_id: str
    title: str
    version: int
    passage_id: str
    heading: str
    text: str
    content_hash: str

    def as_json(self) -> dict[str, Any]:
        """Return the place as evidence keeps it."""
        return {
            "article_id": self.article_id,
            "title": self.title,
            "version": self.version,
            "passage_id": self.passage_id,
            "heading": self.heading,
            "text": self.text,
        }


def _places(session: Session, passage_ids: Sequence[str]) -> dict[str, _Place]:
    found: dict[str, _Place] = {}
    for some in _chunks(list(dict.fromkeys(passage_ids))):
        query = (
            select(PassageRow, ArticleVersion.title, ArticleVersion.number)
            .join(ArticleVersion, ArticleVersion.id == PassageRow.version_id)
            .where(PassageRow.id.in_(some))
        )
        for row, title, number in session.execute(query).tuples():
            heading = " › ".join(row.heading_path)
            found[row.id] = _Place(
                row.article_id, title, number, row.id, heading, row.plain, row.content_hash
            )
    return found


def _texts_in_force(session: Session, articles: Mapping[str, _Shelved]) -> dict[str, set[str]]:
    """Return article id → the content hashes of its newest version that has begun."""
    found: dict[str, set[str]] = {article: set() for article in articles}
    versions = [article.version_id for article in articles.values()]
    query = select(PassageRow.article_id, PassageRow.content_hash).where(
        PassageRow.version_id.in_(versions)
    )
    for article_id, content_hash in session.execute(query).tuples():
        found[article_id].add(content_hash)
    return found


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
