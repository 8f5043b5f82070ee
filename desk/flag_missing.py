"""Groups the questions that the desk had to abstain from, by meaning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from desk.flag_rules import Band, Finding, Uses, band_of, listed, words_in_common
from desk.models import Contact, Review, SourceFlagRow
from desk.suggest import telling_words
from graph.draft import content_words
from retrieval.ports import Embedder, Vectors

ALIKE: Final = 0.6
"""Cosine of a question and the mean of a group from which they ask for the same."""
_KEPT: Final = 50  # questions of one group that its evidence keeps; the rest are counted
_AT_ONCE: Final = 500
_SHORTEST: Final = 90
_WORD: Final = re.compile(r"[^\W_]+(?:[.'’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Question:
    """A question that no source answered.

    Attributes:
        review: The review that says so; reviews sort by time.
        waits: Whether it still waits for a person.
    """

    contact: str
    review: str
    text: str
    at: datetime
    tier: str
    waits: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as evidence keeps it."""
        return {
            "contact": self.contact,
            "review": self.review,
            "text": self.text,
            "at": self.at.isoformat(),
            "tier": self.tier,
            "waits": self.waits,
        }


@dataclass(slots=True)
class Group:
    """Questions that ask for the same.

    Attributes:
        key: Review of its first question; names the group for ever.
        questions: The oldest first.
        earlier: How many more it had that are no longer kept.
        newest: Id of the newest review it ever took in.
    """

    key: str
    questions: list[Question] = field(default_factory=list)
    earlier: int = 0
    newest: str = ""

    @property
    def count(self) -> int:
        """Contacts that asked."""
        return len(self.questions) + self.earlier


def grouped(
    groups: Sequence[Group],
    new: Sequence[Question],
    vectors: Mapping[str, Vectors],
    alike: float = ALIKE,
) -> list[Group]:
    """Return ``groups`` with ``new`` questions added, each to the nearest or to one of its own.

    A group keeps its key, whatever joins it. Who asks again is counted once.

    Args:
        groups: As they stand.
        new: Further questions, the oldest first.
        vectors: Text → unit vector, for every question.
        alike: Cosine of a question and the mean of a group from which they ask for the same.
    """
    result = [
        Group(group.key, list(group.questions), group.earlier, group.newest) for group in groups
    ]
    means = [_mean(group, vectors) for group in result]
    for question in new:
        vector = vectors[question.text]
        likeness = [float(mean @ vector) for mean in means]
        best = int(np.argmax(likeness)) if likeness else -1
        if best < 0 or likeness[best] < alike:
            result.append(Group(question.review))
            means.append(vector)
            best = len(result) - 1
        group = result[best]
        group.questions = [one for one in group.questions if one.contact != question.contact]
        group.questions.append(question)
        group.newest = max(group.newest, question.review)
        surplus = len(group.questions) - _KEPT
        if surplus > 0:
            group.questions = group.questions[surplus:]
            group.earlier += surplus
        means[best] = _mean(group, vectors)
    return result


def findings_of(groups: Sequence[Group], now: datetime) -> list[Finding]:
    """Return a ``missing`` for each group, named by the words its questions share."""
    words = [[content_words(question.text) for question in group.questions] for group in groups]
    held = [Counter(word for some in of_one for word in set(some)) for of_one in words]
    everywhere = sum(held, Counter[str]())
    found = []
    for group, of_group, own in zip(groups, words, held, strict=True):
        usual = {word: everywhere[word] - own[word] for word in own}
        written = as_written([question.text for question in group.questions])
        telling = [
            [stem for stem in some if telling_words(written.get(stem, stem))] for some in of_group
        ]
        common = words_in_common(telling, usual) or words_in_common(of_group, usual)
        named = [written.get(stem, stem) for stem in common]
        shortest = min((question.text for question in group.questions), key=len)
        found.append(
            Finding(
                kind="missing",
                subject=(group.key,),
                title=_title(group.count, named, shortest),
                evidence={
                    "group": group.key,
                    "words": named,
                    "count": group.count,
                    "earlier": group.earlier,
                    "newest": group.newest,
                    "questions": [question.as_json() for question in group.questions],
                },
                uses=_uses(group, now),
            )
        )
    return found


def groups_of(session: Session, rows: Sequence[SourceFlagRow]) -> list[Group]:
    """Return the groups that ``missing`` flags hold, with what became of their reviews since."""
    reviews = [one["review"] for row in rows for one in row.evidence["questions"]]
    pending: set[str] = set()
    for start in range(0, len(reviews), _AT_ONCE):
        some = reviews[start : start + _AT_ONCE]
        query = select(Review.id).where(Review.id.in_(some), Review.status == "pending")
        pending.update(session.scalars(query))
    return [
        Group(
            key=row.evidence["group"],
            questions=[
                Question(
                    one["contact"],
                    one["review"],
                    one["text"],
                    datetime.fromisoformat(one["at"]),
                    one["tier"],
                    one["review"] in pending,
                )
                for one in row.evidence["questions"]
            ],
            earlier=row.evidence["earlier"],
            newest=row.evidence["newest"],
        )
        for row in rows
    ]


def new_questions(session: Session, after: str) -> list[Question]:
    """Return the questions of reviews that abstain and came after review ``after``."""
    query = (
        select(Review, Contact.tier)
        .join(Contact, Contact.id == Review.contact_id)
        .where(Review.kind == "abstain", Review.id > after)
        .order_by(Review.id)
    )
    return [
        Question(
            review.contact_id,
            review.id,
            " ".join(review.state["classification"]["question"].split()),
            review.opened_at,
            tier,
            review.status == "pending",
        )
        for review, tier in session.execute(query).tuples()
    ]


def vectors_of(
    embedder: Embedder, texts: Sequence[str], known: Mapping[str, Vectors]
) -> dict[str, Vectors]:
    """Return text → unit vector for ``texts``, computing only what is not in ``known``."""
    wanted = sorted(set(texts) - known.keys())
    fresh = dict(zip(wanted, embedder.embed(wanted), strict=True)) if wanted else {}
    return {text: fresh[text] if text in fresh else known[text] for text in set(texts)}


def _mean(group: Group, vectors: Mapping[str, Vectors]) -> Vectors:
    total = np.sum([vectors[question.text] for question in group.questions], axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), dtype=np.float32)


def _uses(group: Group, now: datetime) -> Uses:
    counts: Counter[tuple[Band, str]] = Counter()
    for question in group.questions:
        status = "pending" if question.waits else "answered"
        counts[band_of(status, question.at, now), question.tier] += 1
    if group.earlier:
        counts["old", ""] += group.earlier
    return Uses(counts)


def as_written(texts: Sequence[str]) -> dict[str, str]:
    """Return stem → the word as most customers wrote it."""
    written: dict[str, Counter[str]] = {}
    for text in texts:
        for word in _WORD.findall(text.casefold()):
            for stem in content_words(word):
                written.setdefault(stem, Counter())[word] += 1
    return {stem: words.most_common(1)[0][0] for stem, words in written.items()}


def _title(count: int, named: Sequence[str], shortest: str) -> str:
    text = shortest if len(shortest) <= _SHORTEST else f"{shortest[: _SHORTEST - 1].rstrip()}…"
    if count == 1:
        return f"No source answers: “{text}”"
    about = f" about {listed(named)}" if named else ""
    return f"No source answers what {count} customers asked{about}: “{text}”"
