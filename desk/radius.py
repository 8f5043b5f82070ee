"""What rests on a source: the drafts that wait, the answers that left, the macros that say the same.

Counted and paged through the rows that say what rests on what (``SourceUse``), so that it costs by
what is shown, not by the number of contacts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Integer, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session

from core.database import Database
from core.errors import NotFound
from core.vocabulary import ContactStatus
from desk.flags import FlagDetail
from desk.macros import Macros
from desk.models import Contact, Delivery, Review, SourceUse
from desk.permissions import Actor, require
from desk.uses import ANSWERED, PENDING
from kb.library import Library
from kb.models import Article

RestingState = Literal["waits", "leaves", "sent"]
LEAST_ALIKE: Final = 0.7
"""Cosine of a macro's and a source's sentence from which the two speak of the same."""
_RESTING: Final = (PENDING, ANSWERED)


@dataclass(frozen=True, slots=True)
class Basis:
    """What something may rest on: articles, and of these only some passages.

    Attributes:
        content_hashes: Of the passages; empty for the whole articles.
        texts: What they say, for the macros.
    """

    articles: tuple[str, ...]
    content_hashes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RestingLine:
    """A draft or an answer that rests on a source.

    Attributes:
        use_id: Where the next page begins.
        state: ``waits``: a review waits; ``leaves``: approved, and can be called back; ``sent``.
        review_id: The review that waits, or that released the answer.
        stale: Whether a fact it relied on has changed since.
        told: Its sentences that rest on the source.
    """

    use_id: int
    contact_id: str
    review_id: str | None
    delivery_id: str | None
    state: RestingState
    subject: str
    customer_name: str
    tier: str
    at: datetime
    stale: bool
    told: list[str]


@dataclass(frozen=True, slots=True)
class RestingMacro:
    """A macro that speaks of the same as a source.

    Attributes:
        withheld: Why it is not used; empty while it is.
    """

    article_id: str
    title: str
    owner: str | None
    withheld: str


@dataclass(frozen=True, slots=True)
class RadiusCounts:
    """How many contacts have a draft that waits, and how many an answer, that rest on a source."""

    drafts: int
    answers: int


class BlastRadius:
    """Finds what rests on sources.

    Args:
        database: The records.
        library: The help center.
        macros: Tells which macros speak of the same.
    """

    def __init__(self, database: Database, library: Library, macros: Macros) -> None:
        self._database = database
        self._library = library
        self._macros = macros

    def counts(self, actor: Actor, basis: Basis) -> RadiusCounts:
        """Return how many contacts rest on ``basis``."""
        require(actor, "read_reviews")
        query = (
            select(SourceUse.status, func.count(SourceUse.contact_id.distinct()))
            .where(*_resting_on(basis))
            .group_by(SourceUse.status)
        )
        with self._database.read() as session:
            counts = dict(session.execute(query).tuples().all()) if basis.articles else {}
        return RadiusCounts(counts.get(PENDING, 0), counts.get(ANSWERED, 0))

    def page(
        self, actor: Actor, basis: Basis, *, limit: int = 25, after: RestingLine | None = None
    ) -> list[RestingLine]:
        """Return a page of what rests on ``basis``: what waits first, then the latest answers.

        Args:
            actor: Who asks.
            basis: What it rests on.
            limit: Length of the page.
            after: Last line of the page before.
        """
        require(actor, "read_reviews")
        if not basis.articles:
            return []
        newest = func.max(SourceUse.id)
        waits = func.max(cast(SourceUse.status == PENDING, Integer))
        query = (
            select(
                SourceUse.holder,
                newest,
                waits,
                func.max(SourceUse.at),
                func.max(case((SourceUse.stale_at.is_not(None), 1), else_=0)),
            )
            .where(*_resting_on(basis))
            .group_by(SourceUse.holder)
            .order_by(waits.desc(), newest.desc())
            .limit(limit)
        )
        if after:
            waited = int(after.state == "waits")
            query = query.having(or_(waits < waited, and_(waits == waited, newest < after.use_id)))
        with self._database.read() as session:
            rows = session.execute(query).tuples().all()
            held = _holders(session, [row[0] for row in rows])
        return [
            _line(held[holder], use_id, at, bool(stale), basis)
            for holder, use_id, _, at, stale in rows
            if holder in held
        ]

    def macros(self, actor: Actor, basis: Basis) -> list[RestingMacro]:
        """Return the macros that speak of the same as ``basis``, by title."""
        require(actor, "read_reviews")
        near = self._macros.near(list(basis.texts), LEAST_ALIKE) - set(basis.articles)
        if not near:
            return []
        query = (
            select(Article.id, Article.title, Article.owner, Article.withheld)
            .where(Article.id.in_(sorted(near)))
            .order_by(Article.title, Article.id)
        )
        with self._database.read() as session:
            return [
                RestingMacro(id, title, owner, withheld or "")
                for id, title, owner, withheld in session.execute(query).tuples()
            ]

    def standing(self, actor: Actor, contact_id: str) -> ContactStatus:
        """Return where a contact that rests on a source stands now.

        Raises:
            NotFound: There is no such contact.
        """
        require(actor, "read_reviews")
        with self._database.read() as session:
            status = session.scalar(select(Contact.status).where(Contact.id == contact_id))
        if status is None:
            raise NotFound(f"There is no contact {contact_id!r}.")
        return status

    def of_article(self, article_id: str) -> Basis:
        """Return an article, as it is in force, as a basis."""
        version = self._library.versions_in_force([article_id]).get(article_id)
        passages = self._library.passages_of_version(version) if version else []
        return Basis((article_id,), (), tuple(passage.plain for passage in passages))


def basis_of(detail: FlagDetail) -> Basis:
    """Return what a flag is about. Pure."""
    line, evidence = detail.line, detail.evidence
    articles = [line.article_id] if line.article_id else []
    if line.kind == "conflict" and line.other_article_id:
        articles.append(line.other_article_id)
    return Basis(
        tuple(articles),
        tuple(evidence.get("content_hashes", ())),
        tuple(dict.fromkeys(_texts(evidence))),
    )


def _texts(evidence: Mapping[str, Any]) -> list[str]:
    places = [evidence.get(name) for name in ("first", "second", "place")]
    for pair in evidence.get("more", []):
        places += [pair["first"], pair["second"]]
    for change in evidence.get("passages", []):
        places += [change["old"], change.get("new")]
    return [place["text"] for place in places if place]


def _resting_on(basis: Basis) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        SourceUse.article_id.in_(basis.articles),
        SourceUse.status.in_(_RESTING),
    ]
    if basis.content_hashes:
        conditions.append(SourceUse.content_hash.in_(basis.content_hashes))
    return conditions


_Held = tuple[Contact, Review | None, Delivery | None]


def _holders(session: Session, ids: Sequence[str]) -> dict[str, _Held]:
    reviews = select(Review, Contact).join(Contact, Contact.id == Review.contact_id)
    deliveries = select(Delivery, Contact).join(Contact, Contact.id == Delivery.contact_id)
    found: dict[str, _Held] = {}
    for review, contact in session.execute(reviews.where(Review.id.in_(ids))).tuples():
        found[review.id] = (contact, review, None)
    for delivery, contact in session.execute(deliveries.where(Delivery.id.in_(ids))).tuples():
        found[delivery.id] = (contact, None, delivery)
    return found


def _line(held: _Held, use_id: int, at: datetime, stale: bool, basis: Basis) -> RestingLine:
    contact, review, delivery = held
    draft = delivery.draft if delivery else review.state["draft"] if review else {"sentences": []}
    state: RestingState = "waits"
    if delivery:
        state = "sent" if delivery.status == "sent" else "leaves"
    return RestingLine(
        use_id=use_id,
        contact_id=contact.id,
        review_id=review.id if review else delivery.review_id if delivery else None,
        delivery_id=delivery.id if delivery else None,
        state=state,
        subject=contact.subject,
        customer_name=contact.customer_name,
        tier=contact.tier,
        at=(delivery.sent_at if delivery else None) or at,
        stale=stale,
        told=[
            sentence["text"]
            for sentence in draft["sentences"]
            if any(_is_of(citation, basis) for citation in sentence["citations"])
        ],
    )


def _is_of(citation: Mapping[str, Any], basis: Basis) -> bool:
    return citation["article_id"] in basis.articles and (
        not basis.content_hashes or citation["content_hash"] in basis.content_hashes
    )
