"""What a draft rests on, as a reader needs it: the words in their article, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import select

from core.clock import Clock
from core.database import Database
from core.vocabulary import SourceFlagKind
from desk.models import SourceFlagRow
from desk.views import sources_now
from graph.assistant import numbered
from graph.values import Citation, Draft
from kb.changes import STOPPING
from kb.content import Passage
from kb.library import Library
from kb.models import Article, PassageChange

Verified = Literal["verified", "overdue", "never"]
_CARDS_AT_MOST: Final = 12


@dataclass(frozen=True, slots=True)
class CitedSource:
    """One cited place with what is known of its source.

    Attributes:
        number: Of the citation in the draft, from 1.
        citation: The cited place.
        passage: The passage as it was cited; None when it is not stored any more.
        article: The passages of the cited version in reading order.
        verified: Whether its owner confirmed it in time.
        last_reviewed: When its owner last confirmed it.
        flags: What its owner must look at, the most harmful first.
        moved: Whether the article in force reads otherwise now; ``now`` is then what stands there.
        now: What took the passage's place; None when nothing did.
        facts: What the cited version changed in this passage against the one before it:
            ``kind``, ``old`` and ``new`` each.
    """

    number: int
    citation: Citation
    passage: Passage | None
    article: list[Passage]
    verified: Verified
    last_reviewed: datetime | None
    flags: list[SourceFlagKind]
    moved: bool
    now: Passage | None
    facts: list[dict[str, Any]]


class CitedSources:
    """Reads what drafts rest on, in a handful of queries whatever the draft's length."""

    def __init__(self, database: Database, library: Library, clock: Clock) -> None:
        self._database = database
        self._library = library
        self._clock = clock

    def of(self, draft: Draft) -> list[CitedSource]:
        """Return the cited places of ``draft``, in the order of their numbers."""
        citations = numbered(draft)[:_CARDS_AT_MOST]
        passages = self._library.passages([c["passage_id"] for c in citations])
        moved = sources_now(self._library, passages)
        versions = dict.fromkeys(c["version_id"] for c in citations)
        articles = {one: self._library.passages_of_version(one) for one in versions}
        ids = {c["article_id"] for c in citations}
        row = SourceFlagRow
        with self._database.read() as session:
            known = {a.id: a for a in session.scalars(select(Article).where(Article.id.in_(ids)))}
            flags = session.execute(
                select(row.article_id, row.kind)
                .where(row.status == "open", row.article_id.in_(ids))
                .order_by(row.damage.desc(), row.id)
            ).tuples()
            flagged: dict[str, list[SourceFlagKind]] = {}
            for article_id, kind in flags:
                if article_id and kind not in flagged.setdefault(article_id, []):
                    flagged[article_id].append(kind)
            changes = session.scalars(
                select(PassageChange).where(
                    PassageChange.new_version_id.in_(versions),
                    PassageChange.new_passage_id.in_(list(passages)),
                    PassageChange.outcome.in_(STOPPING),
                )
            )
            facts = {change.new_passage_id: change.facts for change in changes}
        return [
            self._source(number, citation, passages, articles, known, flagged, moved, facts)
            for number, citation in enumerate(citations, start=1)
        ]

    def _source(
        self,
        number: int,
        citation: Citation,
        passages: dict[str, Passage],
        articles: dict[str, list[Passage]],
        known: dict[str, Article],
        flagged: dict[str, list[SourceFlagKind]],
        moved: dict[str, Passage | None],
        facts: dict[str | None, list[Any]],
    ) -> CitedSource:
        article = known.get(citation["article_id"])
        place = citation["passage_id"]
        return CitedSource(
            number=number,
            citation=citation,
            passage=passages.get(place),
            article=articles.get(citation["version_id"], []),
            verified=_verified(article, self._clock.now()),
            last_reviewed=article.last_reviewed if article else None,
            flags=flagged.get(citation["article_id"], []),
            moved=place in moved,
            now=moved.get(place),
            facts=facts.get(place, []),
        )


def _verified(article: Article | None, now: datetime) -> Verified:
    if article is None or article.last_reviewed is None:
        return "never"
    every = article.review_every_days
    late = every is not None and article.last_reviewed + timedelta(days=every) < now
    return "overdue" if late else "verified"
