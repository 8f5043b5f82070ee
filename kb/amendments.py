"""What the desk decides about an article in place of its source, so that the next sync keeps it.

Owner, archiving and the last review are said in a team's files, which the desk never writes. What a
content owner decides at the desk stands beside them: it holds until the source says something else
than it said at the time of the decision. Then the source is the later word, and the decision is over.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from sqlalchemy.orm import Session

from core.identifiers import new_id
from kb.models import Article, ArticleChange

AmendedField = Literal["owner", "archived", "last_reviewed", "superseded_by"]
_SAID_BY_SOURCES: Final = ("owner", "archived", "last_reviewed")
NOT_JUDGED: Final = "It has not yet been judged against the articles in force."
"""Why a macro is withheld that is new, changed or back in use, until the desk has judged it."""
_TELLS_WHETHER_IN_USE: Final = frozenset({"archived", "gone_at", "withheld", "superseded_by"})


def change_in_place(
    session: Session, article: Article, name: str, value: object, now: datetime
) -> None:
    """Change a column of an article and keep what it was.

    Where that takes it out of use or back in, what rests on it is to be looked at; its flags are
    after any change. A macro that comes back into use is withheld until it is judged: nothing
    kept it true while it was away.
    """
    old = getattr(article, name)
    setattr(article, name, value)
    article.flags_due = now
    if name in _TELLS_WHETHER_IN_USE:
        article.assess_at = now
        if article.kind == "macro" and name != "withheld" and old and not value:
            article.withheld = article.withheld or NOT_JUDGED
    session.add(
        ArticleChange(
            id=new_id("chg"),
            article_id=article.id,
            at=now,
            field=name,
            old=_text(old),
            new=_text(value),
        )
    )


def amend(
    session: Session, article: Article, name: AmendedField, value: object, now: datetime
) -> None:
    """Decide about an article at the desk; the next sync does not take it back.

    Args:
        session: The caller's unit of work.
        article: The article.
        name: What is decided.
        value: What it is from now on.
        now: The moment of the decision.
    """
    if getattr(article, name) == value:
        return
    if name in _SAID_BY_SOURCES and name not in article.decided:
        article.decided = {**article.decided, name: _text(getattr(article, name))}
    change_in_place(session, article, name, value, now)


def stands(article: Article, name: str, said: object) -> bool:
    """Tell whether a decision of the desk holds against what a source says now.

    A review that was confirmed at the desk also holds against an earlier one that a source names
    later. Where the source has changed its word, the decision is forgotten.

    Args:
        article: The article; its ``decided`` is changed when a decision is over.
        name: A column.
        said: What the source says of it now.
    """
    if name not in article.decided:
        return False
    if article.decided[name] == _text(said):
        return True
    reviewed = article.last_reviewed
    if name == "last_reviewed" and isinstance(said, datetime) and reviewed and said < reviewed:
        return True
    article.decided = {key: value for key, value in article.decided.items() if key != name}
    return False


def _text(value: object) -> str | None:
    return None if value is None else str(value)
