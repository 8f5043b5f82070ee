"""Decides what is in force and what is stale. Pure: the moment is always an argument.

What is in force at a moment: of an article that is neither archived, gone nor withheld, the version
with the highest number that has come into force by then, unless that version has ended. An older
version never takes the place of one that ended. An article that another article supersedes is out as
long as that other article has a version of its own in its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from core.vocabulary import SourceFlagKind

NOTICE: Final = timedelta(days=14)
"""How long before an article runs out its owner is told."""


@dataclass(frozen=True, slots=True)
class VersionTimes:
    """What decides whether a version is in force.

    Attributes:
        usable: The article is neither archived nor gone nor withheld.
        supersedes: Ids of the articles that this version's article replaces.
        replaced_by: Id of the article that replaces this version's article by the desk's decision.
    """

    id: str
    article_id: str
    number: int
    effective_from: datetime
    effective_to: datetime | None = None
    usable: bool = True
    supersedes: tuple[str, ...] = ()
    replaced_by: str | None = None


def current(versions: Iterable[VersionTimes], now: datetime) -> dict[str, VersionTimes]:
    """Return article id → the version whose time it is, before supersession is looked at."""
    newest: dict[str, VersionTimes] = {}
    for version in versions:
        known = newest.get(version.article_id)
        if version.effective_from <= now and (known is None or version.number > known.number):
            newest[version.article_id] = version
    return {
        article: version
        for article, version in newest.items()
        if version.usable and (version.effective_to is None or version.effective_to > now)
    }


def superseded(versions: Mapping[str, VersionTimes]) -> dict[str, str]:
    """Return superseded article → the article that replaces it, among ``current`` versions.

    A superseded article still supersedes others: of three policies in a row only the last holds.
    Two articles that claim to replace each other are both out, so that a person has to look.
    """
    by_source = {
        old: version.article_id
        for version in versions.values()
        for old in version.supersedes
        if old != version.article_id
    }
    by_desk = {
        version.article_id: version.replaced_by
        for version in versions.values()
        if version.replaced_by in versions
    }
    return by_source | {old: new for old, new in by_desk.items() if new is not None}


def in_force(versions: Iterable[VersionTimes], now: datetime) -> dict[str, str]:
    """Return article id → id of its version in force at ``now``; absent when none is.

    Args:
        versions: All versions, or at least the newest of each article that has begun.
    """
    candidates = current(versions, now)
    replaced = superseded(candidates)
    return {
        article: version.id for article, version in candidates.items() if article not in replaced
    }


def next_boundary(versions: Sequence[VersionTimes], now: datetime) -> datetime | None:
    """Return the next moment at which time alone changes what is in force; None for never."""
    moments = {version.effective_from for version in versions}
    moments |= {version.effective_to for version in versions if version.effective_to}
    today = in_force(versions, now)
    for moment in sorted(moment for moment in moments if moment > now):
        if in_force(versions, moment) != today:
            return moment
    return None


def is_overdue(last_reviewed: datetime, review_every_days: int | None, now: datetime) -> bool:
    """Say whether the next review of an article is past; never when no rhythm is set."""
    if review_every_days is None:
        return False
    return last_reviewed + timedelta(days=review_every_days) < now


def ends_soon(effective_to: datetime | None, now: datetime) -> bool:
    """Say whether a version ends within the notice, or has ended."""
    return effective_to is not None and effective_to <= now + NOTICE


def flags_of(
    *,
    owner: str | None,
    review_every_days: int | None,
    last_reviewed: datetime | None,
    effective_from: datetime,
    superseded_by: str | None,
    now: datetime,
    effective_to: datetime | None = None,
) -> list[SourceFlagKind]:
    """Return what its content owner must look at, of an article with a version in its time.

    Args:
        last_reviewed: When somebody last confirmed it; a version counts as reviewed when it began.
        effective_from: When its current version came into force.
        superseded_by: Id of the article that replaces it, if any.
        effective_to: When its current version ends with no other to follow; None for never.
    """
    flags: list[SourceFlagKind] = []
    reviewed = max(last_reviewed, effective_from) if last_reviewed else effective_from
    if is_overdue(reviewed, review_every_days, now) or ends_soon(effective_to, now):
        flags.append("overdue")
    if superseded_by:
        flags.append("superseded")
    if not owner:
        flags.append("unowned")
    return flags
