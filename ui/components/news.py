"""What became of the open review since the page was drawn, found without drawing it again.

Whoever reads a draft is to hear at once that somebody decided it or took it over, or that a source
of it changed; not only when they decide. A look costs two small queries; passages are read only once
a cited article has another version in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import streamlit as st

from core.vocabulary import ReviewStatus
from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.reviews import ReviewSummary, ReviewView
from desk.views import sources_now
from graph.evidence import cited_passage_ids
from graph.values import Draft

_DRAWN: Final = "news.drawn"


@dataclass(frozen=True, slots=True)
class _Drawn:
    """How the open review stood when the page was drawn."""

    review_id: str
    status: ReviewStatus
    holder: str | None
    changed: bool
    passages: tuple[str, ...]
    articles: tuple[str, ...]
    versions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class News:
    """What is otherwise than on the page.

    Attributes:
        line: The review as it stands now.
        is_over: Whether it waits no more.
        holder: Id of who else holds it by now.
        is_free: Whether who held it does no more.
        sources: Titles of the sources that read otherwise, or are gone.
        is_changed: Whether a source of it changed.
    """

    line: ReviewSummary
    is_over: bool = False
    holder: str | None = None
    is_free: bool = False
    sources: tuple[str, ...] = field(default=())
    is_changed: bool = False

    def __bool__(self) -> bool:
        return self.is_over or self.is_free or self.is_changed or self.holder is not None


def remember(desk: Desk, actor: Actor, view: ReviewView, draft: Draft | None = None) -> None:
    """Remember how the review stands that is being drawn.

    Args:
        desk: The desk.
        actor: Who looks.
        view: The review.
        draft: What stands on the page in the place of its draft.
    """
    drafts = [view.draft, draft] if draft else [view.draft]
    articles = {c["article_id"] for d in drafts for s in d["sentences"] for c in s["citations"]}
    line = desk.reviews.line(actor, view.summary.id)
    st.session_state[_DRAWN] = _Drawn(
        line.id,
        view.summary.status,
        _other(line, actor, desk.clock.now()),
        view.summary.changed,
        tuple(dict.fromkeys(id for d in drafts for id in cited_passage_ids(d))),
        tuple(sorted(articles)),
        desk.library.versions_in_force(sorted(articles)),
    )


def forget() -> None:
    """Say that what is being drawn has no news: it is settled."""
    st.session_state.pop(_DRAWN, None)


def look(desk: Desk, actor: Actor, review_id: str) -> News | None:
    """Return what is otherwise than when the review was drawn; None where nothing is."""
    drawn: _Drawn | None = st.session_state.get(_DRAWN)
    if drawn is None or drawn.review_id != review_id:
        return None
    line = desk.reviews.line(actor, review_id)
    if line.status != drawn.status:
        return News(line, is_over=True)
    other = _other(line, actor, desk.clock.now())
    sources = _otherwise(desk, drawn)
    found = News(
        line,
        holder=other if other != drawn.holder else None,
        is_free=drawn.holder is not None and other is None,
        sources=sources,
        is_changed=bool(sources) or (line.changed and not drawn.changed),
    )
    return found or None


def look_at_drawn(desk: Desk, actor: Actor) -> News | None:
    """As :func:`look`, of the review that was drawn, whichever that is."""
    drawn: _Drawn | None = st.session_state.get(_DRAWN)
    return look(desk, actor, drawn.review_id) if drawn else None


def _otherwise(desk: Desk, drawn: _Drawn) -> tuple[str, ...]:
    """Return the titles of cited sources that read otherwise than when the page was drawn."""
    versions = desk.library.versions_in_force(drawn.articles)
    if versions == drawn.versions:
        return ()
    passages = desk.library.passages(drawn.passages)
    touched = {one for one in drawn.articles if versions.get(one) != drawn.versions.get(one)}
    cited = {id: passage for id, passage in passages.items() if passage.article_id in touched}
    read_otherwise = sources_now(desk.library, cited)
    titles = tuple(
        dict.fromkeys(
            passage.title
            for id, passage in cited.items()
            if id in read_otherwise or passage.article_id not in versions
        )
    )
    if not titles:  # the new version says the same in the cited places: look at it no more
        st.session_state[_DRAWN] = replace(drawn, versions=versions)
    return titles


def _other(line: ReviewSummary, actor: Actor, now: datetime) -> str | None:
    held = line.claimed_until is not None and line.claimed_until > now
    return line.claimed_by if held and line.claimed_by != actor.id else None
