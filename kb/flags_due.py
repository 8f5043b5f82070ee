"""Remembers which articles the source flags must still be looked for on.

Kept with the articles, so that a sync that is killed before it looks loses nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from kb.amendments import NOT_JUDGED
from kb.models import Article, ArticleVersion

_AT_ONCE: Final = 400


def articles_due(session: Session, now: datetime) -> dict[str, datetime]:
    """Return the articles on which flags must be looked for.

    Returns:
        Article id → its ``flags_due``, for :func:`settle`.
    """
    query = select(Article.id, Article.flags_due).where(Article.flags_due <= now)
    rows = session.execute(query.order_by(Article.id)).tuples()
    return {article_id: mark for article_id, mark in rows if mark}


def settle(session: Session, due: Mapping[str, datetime], now: datetime) -> None:
    """Say that these articles were looked at, until time alone changes what is in force of them.

    An article that was marked again since it was read stays due, whatever moment the new mark
    bears; so does a macro that has not been judged, whose flags the verdict decides.

    Args:
        session: The caller's unit of work.
        due: What :func:`articles_due` gave before they were looked at.
        now: The moment it gave it.
    """
    alike: defaultdict[tuple[datetime, datetime | None], list[str]] = defaultdict(list)
    for some in _chunks(sorted(due)):
        ahead: dict[str, datetime | None] = dict.fromkeys(some)
        query = select(
            ArticleVersion.article_id, ArticleVersion.effective_from, ArticleVersion.effective_to
        ).where(ArticleVersion.article_id.in_(some))
        for article_id, begins, ends in session.execute(query).tuples():
            moments = (begins, ends, ahead[article_id])
            ahead[article_id] = min((m for m in moments if m and m > now), default=None)
        for article_id, moment in ahead.items():
            alike[due[article_id], moment].append(article_id)
    for (read, moment), articles in alike.items():
        for some in _chunks(articles):
            session.execute(
                update(Article)
                .where(
                    Article.id.in_(some),
                    Article.flags_due == read,
                    or_(Article.withheld.is_(None), Article.withheld != NOT_JUDGED),
                )
                .values(flags_due=moment)
                .execution_options(synchronize_session=False)
            )


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
