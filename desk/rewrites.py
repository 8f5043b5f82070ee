"""Remembers which cited sentences people change before an answer leaves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from rapidfuzz import fuzz, process
from sqlalchemy import select
from sqlalchemy.orm import Session

from desk.models import Review, SourceRewrite
from graph.values import Citation, Draft

_WORD: Final = re.compile(r"\w+(?:[.,:]\d+)*")
_SAME_SENTENCE: Final = 45.0  # below it the new sentence is another one, not the old one changed


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A cited sentence that a person changed; ``after`` is empty when they struck it out."""

    before: str
    after: str
    citations: tuple[Citation, ...]


def rewrites_between(drafted: Draft, sent: Draft) -> list[Rewrite]:
    """Return the cited sentences of ``drafted`` that ``sent`` says in other words or not at all.

    Case, punctuation and the order of sentences do not count; a sentence that stands unchanged
    within a longer one was kept. Each sentence that was sent takes the place of at most one.
    """
    whole = f" {' '.join(_plain(sentence['text']) for sentence in sent['sentences'])} "
    changed = [
        sentence
        for sentence in drafted["sentences"]
        if sentence["citations"] and f" {_plain(sentence['text'])} " not in whole
    ]
    kept = {_plain(sentence["text"]) for sentence in drafted["sentences"]}
    new = [s["text"] for s in sent["sentences"] if _plain(s["text"]) not in kept]
    paired = _pairs([sentence["text"] for sentence in changed], new)
    return [
        Rewrite(
            sentence["text"], new[paired[at]] if at in paired else "", tuple(sentence["citations"])
        )
        for at, sentence in enumerate(changed)
    ]


def note_rewrites(session: Session, review: Review, sent: Draft, now: datetime) -> None:
    """Keep what a person changed on a draft that leaves; doing so again changes nothing.

    What was sent is held against the last draft of the run that no person wrote: an edit that the
    check sends back and that is then approved counts as well.

    Args:
        session: The caller's unit of work.
        review: The review whose decision was carried out.
        sent: The draft that leaves.
        now: The moment.
    """
    known = select(SourceRewrite.id).where(SourceRewrite.review_id == review.id).limit(1)
    if not sent["drafter"].startswith("person:") or session.scalar(known):
        return
    drafted = _as_drafted(session, review)
    if drafted is None:
        return
    for rewrite in rewrites_between(drafted, sent):
        passages = {c["passage_id"]: c["article_id"] for c in rewrite.citations}
        for passage_id, article_id in passages.items():
            session.add(
                SourceRewrite(
                    review_id=review.id,
                    article_id=article_id,
                    passage_id=passage_id,
                    before=rewrite.before,
                    after=rewrite.after,
                    at=now,
                )
            )


def _as_drafted(session: Session, review: Review) -> Draft | None:
    query = (
        select(Review.state)
        .where(Review.thread == review.thread, Review.id <= review.id)
        .order_by(Review.id.desc())
    )
    for state in session.scalars(query):
        draft = cast(Draft, state["draft"])
        if not draft["drafter"].startswith("person:"):
            return draft
    return None


def _pairs(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """Return old place → new place, the most alike first, each place at most once."""
    if not old or not new:
        return {}
    likeness = process.cdist(
        [_plain(text) for text in old], [_plain(text) for text in new], scorer=fuzz.token_sort_ratio
    )
    ranked = sorted(
        ((-likeness[a, b], a, b) for a in range(len(old)) for b in range(len(new))),
    )
    paired: dict[int, int] = {}
    for score, a, b in ranked:
        if -score >= _SAME_SENTENCE and a not in paired and b not in paired.values():
            paired[a] = b
    return paired


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))
