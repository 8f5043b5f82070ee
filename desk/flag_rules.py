"""What a source flag is, how it ranks, what folds into one line, what ends it. Pure.

A flag's evidence is JSON; its keys depend on the kind:

==================  ================================================================================
``overdue``         ``because`` (``review``: the review interval is past; ``ends``: it runs out or ran
                    out), ``due`` (ISO moment), ``last_reviewed``, ``review_every_days``
``superseded``      ``by`` and ``by_title``: the article that replaces it
``changed``         ``version`` and ``version_id`` of the text that changed it, ``passages``: one each
                    with ``old`` and ``new`` (places, ``new`` None when it is gone), ``facts``
                    (``kind``, ``old``, ``new``), ``outcome``, ``score``
``conflict``        ``first`` and ``second`` (places), ``facts`` (``kind``, ``old`` of the first,
                    ``new`` of the second), ``score``, ``more``: further pairs of two articles
                    that are versions of one text; or ``withheld``: why a macro is not used
``often_rewritten`` ``place``, ``drafts`` that used it, ``rewritten`` of them, ``sentences``: the
                    newest, ``before`` and ``after`` (empty when struck out), ``review``, ``at``
``unowned``         nothing: that nobody is named is all there is to see
``broken_link``     ``target`` as written, ``words`` of the link, ``why`` it leads nowhere, ``place``
``missing``         ``words`` that name it, ``questions``: ``contact``, ``review``, ``text``, ``at``,
                    ``tier``, ``waits``; or ``withheld``: what a macro says that no source does
==================  ================================================================================

While an action of a person stands that took an article out of use, any kind has ``acted_on``: the
``article``, and ``by`` which it was replaced.

A place is ``article_id``, ``title``, ``version``, ``passage_id``, ``heading`` and ``text``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from core.identifiers import json_digest
from core.vocabulary import SourceFlagKind

FlagStatus = Literal["open", "resolved", "dismissed"]
FlagAction = Literal["verify", "edit", "supersede", "archive", "assign", "dismiss", "reopen"]
Band = Literal["pending", "recent", "older", "old"]

FLAG_KINDS: Final[tuple[SourceFlagKind, ...]] = get_args(SourceFlagKind)
FLAG_ACTIONS: Final[tuple[FlagAction, ...]] = get_args(FlagAction)
FLAG_STATUSES: Final[tuple[FlagStatus, ...]] = get_args(FlagStatus)

RECENT: Final = timedelta(days=30)
OLDER: Final = timedelta(days=180)
_WEIGHT: Final[dict[Band, float]] = {"pending": 3.0, "recent": 1.0, "older": 0.4, "old": 0.1}
_TIER_WEIGHT: Final = {"review_required": 1.5, "escalate_first": 2.0, "forbidden": 2.0}
_HARM: Final[dict[SourceFlagKind, float]] = {
    "changed": 1.0,
    "conflict": 1.0,
    "missing": 0.8,
    "superseded": 0.6,
    "often_rewritten": 0.6,
    "broken_link": 0.4,
    "overdue": 0.4,
    "unowned": 0.2,
}
"""How far a flag of this kind makes an answer wrong."""
_UNUSED: Final = 0.001  # below the least that one use can give, so that what is used comes first
_OLDEST_DAYS: Final = 90.0
_DOUBLES_DAYS: Final = 30.0

FOLDS: Final[frozenset[SourceFlagKind]] = frozenset(
    {"overdue", "superseded", "broken_link", "unowned"}
)
"""Kinds that a first sync may find on every article at once."""
FOLD_FROM: Final = 5

LEAST_REWRITES: Final = 3
LEAST_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Uses:
    """How many contacts have an answer or a pending draft that rests on something.

    Attributes:
        counts: (band, tier of the contact) → contacts.
    """

    counts: Mapping[tuple[Band, str], int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def pending(self) -> int:
        """Those whose draft still waits."""
        return sum(count for (band, _), count in self.counts.items() if band == "pending")

    def __add__(self, other: Uses) -> Uses:
        """Return the uses of two things together."""
        keys = {*self.counts, *other.counts}
        return Uses({key: self.counts.get(key, 0) + other.counts.get(key, 0) for key in keys})


@dataclass(frozen=True, slots=True)
class Finding:
    """A ground for a flag, as it is found now.

    Attributes:
        subject: What makes it this finding and no other; the same for ever.
        title: One plain sentence.
        content_hashes: Of the passages whose uses count; empty for every use of the article.
        uses: Given when the uses are not those of the article.
    """

    kind: SourceFlagKind
    subject: tuple[str, ...]
    title: str
    article_id: str | None = None
    owner: str | None = None
    passage_id: str | None = None
    other_article_id: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    content_hashes: tuple[str, ...] = ()
    uses: Uses | None = None

    @property
    def key(self) -> str:
        """Digest of kind and subject."""
        return json_digest([self.kind, *self.subject])


def band_of(status: str, at: datetime, now: datetime) -> Band:
    """Return how much a use still matters: a draft that waits most, then what left lately."""
    if status == "pending":
        return "pending"
    if at > now - RECENT:
        return "recent"
    return "older" if at > now - OLDER else "old"


def damage(kind: SourceFlagKind, uses: Uses, opened_at: datetime, now: datetime) -> float:
    """Return the rank of a flag: what rests on it × how long it stands × whom it concerns.

    A pending draft weighs three answers of this month; an answer of an earlier half-year 0.4, an
    older one 0.1. A contact whose answer needs a review weighs 1.5, one that a person must take 2.
    The rank doubles with every 30 days, to at most four times. A kind that makes an answer wrong
    weighs more than one that only makes it doubtful. What nothing rests on comes after all else.
    """
    resting = sum(
        count * _WEIGHT[band] * _TIER_WEIGHT.get(tier, 1.0)
        for (band, tier), count in uses.counts.items()
    )
    days = min(max((now - opened_at) / timedelta(days=1), 0.0), _OLDEST_DAYS)
    age = 1 + days / _DOUBLES_DAYS
    return round(_HARM[kind] * age * (resting + _UNUSED), 6)


def folded_kinds(unused: Mapping[SourceFlagKind, int]) -> frozenset[SourceFlagKind]:
    """Return the kinds whose unused flags are told in one line, by how many of them there are."""
    return frozenset(kind for kind, count in unused.items() if kind in FOLDS and count >= FOLD_FROM)


_FOLD_WORDS: Final[dict[SourceFlagKind, str]] = {
    "overdue": "articles overdue for review",
    "superseded": "replaced articles that are still on the shelf",
    "broken_link": "broken links",
    "unowned": "articles without an owner",
}


def fold_sentence(kind: SourceFlagKind, count: int) -> str:
    """Return the one line for ``count`` flags of a kind on articles that no answer uses."""
    return f"{count} {_FOLD_WORDS.get(kind, f'flags {kind}')}, none used in an answer yet."


def often_rewritten(rewritten: int, drafts: int) -> bool:
    """Tell whether people change what is drawn from a passage too often for it to be chance."""
    return rewritten >= LEAST_REWRITES and rewritten >= LEAST_SHARE * max(drafts, rewritten)


_ENDS: Final[dict[SourceFlagKind, tuple[FlagAction, ...]]] = {
    "overdue": ("verify", "edit", "supersede", "archive", "dismiss"),
    "superseded": ("archive", "edit", "dismiss"),
    "changed": ("verify", "edit", "supersede", "archive", "dismiss"),
    "conflict": ("edit", "supersede", "archive", "dismiss"),
    "often_rewritten": ("edit", "verify", "supersede", "archive", "dismiss"),
    "unowned": ("assign", "edit", "supersede", "archive", "dismiss"),
    "broken_link": ("edit", "supersede", "archive", "dismiss"),
    "missing": ("edit", "dismiss"),
}
_REOPENED: Final = frozenset({"dismiss", "archive", "supersede"})


def actions_of(
    kind: SourceFlagKind, status: str, ended_by: str, evidence: Mapping[str, Any]
) -> tuple[FlagAction, ...]:
    """Return what may be done with a flag, the most likely first.

    ``assign`` says who shall look at it and ends only ``unowned``; every other one ends the flag.

    Args:
        kind: Its kind.
        status: Its status.
        ended_by: The action that ended it; "" while it is open.
        evidence: Its evidence.
    """
    if status != "open":
        return ("reopen",) if ended_by in _REOPENED else ()
    actions = _ENDS[kind]
    if evidence.get("because") == "ends":  # confirming a text does not make it last longer
        actions = tuple(action for action in actions if action != "verify")
    if evidence.get("withheld"):
        actions = ("edit", "archive", "dismiss")
    return actions if "assign" in actions else (*actions, "assign")


def is_two_sided(kind: SourceFlagKind, evidence: Mapping[str, Any]) -> bool:
    """Tell whether a flag is about two articles, of which either may be the one that is wrong."""
    return kind == "conflict" and "second" in evidence


def words_in_common(questions: Sequence[Sequence[str]], usual: Mapping[str, int]) -> list[str]:
    """Return up to three words that name a group of questions, the most telling first.

    Args:
        questions: The content words of each question of the group.
        usual: Word → how many questions outside the group hold it.
    """
    held = [set(words) for words in questions]
    counts = {word: sum(word in words for words in held) for words in held for word in words}
    order = {word: place for words in questions for place, word in enumerate(words)}
    told = sorted(
        counts, key=lambda word: (-counts[word] / (1 + usual.get(word, 0)), order[word], word)
    )
    enough = max(1, (len(questions) + 1) // 2)
    return [word for word in told if counts[word] >= enough][:3]


def listed(words: Iterable[str]) -> str:
    """Return words as one enumeration: ``a``, ``a and b``, ``a, b and c``."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last
