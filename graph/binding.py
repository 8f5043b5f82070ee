"""What a value, a word of scope and a clause are tied to in a source. Pure, no model.

That every word of a sentence stands in its source does not mean that the source says it: "express
delivery takes 5 days" may be made of what it says of standard delivery, "every order" of "the first
order". Here words are looked at together with those they stand by. The tables of small words hold the
languages that help centers are written in most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from graph.alignment import Alignment, SourceUnit, Token, is_filler
from kb.facts import same_value
from kb.words import meaning

_TELLING: Final = frozenset(("word", "name", "code"))
_ONE: Final = frozenset(("one", "one's", "of"))
_MODIFIERS: Final = frozenset(("other", "first", "last", "next", "further", "both"))
_SINGLED_OUT: Final = frozenset(
    (
        "first",
        "second",
        "third",
        "last",
        "next",
        "final",
        "initial",
        "current",
        "previous",
        "this",
        "that",
    )
)
_RANGE: Final = re.compile(
    r"\s*(?:to|through|until|till|[-–—]|bis|à|au|jusqu'à|a|al|hasta|tot)\s*", re.I
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SPLITS: Final = _words(
    "and or but while whereas und oder aber während et ou mais y o pero e ma en of maar"
)
_NO_SCOPE: Final = _words("at after above in once")
# Words that say of how many or how often something holds: of all, and always.
ALL: Final = _words(
    "all every each everyone everybody everything everywhere entire entirely "
    "alle allen aller alles jede jeder jedes jedem jeden jedermann sämtliche sämtlichen "
    "tous toutes tout toute chaque todos todas todo toda cada tutti tutte tutto tutta ogni elke ieder iedere"
)
ALWAYS: Final = _words(
    "always forever anytime invariably unlimited immer stets jederzeit unbegrenzt toujours siempre sempre altijd onbeperkt"
)
_AS_MUCH: Final = (
    ALL
    | ALWAYS
    | _words(
        "any whenever wherever whatever whoever whichever anyone anybody anything both no none never per pro par por je kein keine"
    )
)
_LATER: Final = _words(
    "after from since beyond following nach ab seit après dès depuis después desde dopo da na vanaf"
)
_SOONER: Final = _words(
    "before until till by prior within vor bis avant jusqu'à antes hasta prima entro fino voor tot"
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a sentence that says one thing, with at most one place for a value."""

    tokens: tuple[Token, ...]

    @property
    def values(self) -> list[Token]:
        """The values it states."""
        return [token for token in self.tokens if token.kind == "value" and token.fact is not None]

    @property
    def keys(self) -> frozenset[str]:
        """What its words of weight are compared by."""
        return frozenset(t.key for t in self.tokens if t.kind in _TELLING and not is_filler(t))

    def modified(self) -> Iterator[tuple[str, str]]:
        """Yield each word of weight with the one right behind it."""
        for left, right in pairwise(self.tokens):
            modifies = left.kind in _TELLING or left.text.lower() in _MODIFIERS
            if modifies and right.kind in _TELLING and right.start - left.end <= 2:
                yield left.key, right.key


def segments_of(tokens: Sequence[Token]) -> list[Segment]:
    """Cut a sentence at its clauses, and at "and" or "or" where either side has a value of its own."""
    found: list[Segment] = []
    clauses: dict[int, list[Token]] = {}
    for token in tokens:
        clauses.setdefault(token.clause, []).append(token)
    for clause in clauses.values():
        start = 0
        for place, token in enumerate(clause):
            if token.text.lower() not in _SPLITS:
                continue
            left, right = Segment(tuple(clause[start:place])), Segment(tuple(clause[place + 1 :]))
            if left.values and right.values and left.keys and right.keys:
                found.append(left)
                start = place + 1
        found.append(Segment(tuple(clause[start:])))
    return found


@dataclass(frozen=True, slots=True)
class Misplaced:
    """A value that its source states about something else.

    Attributes:
        value: The value in the sentence.
        words: What the sentence says it is about.
        source_words: What the source says it is about.
    """

    value: Token
    words: str
    source_words: str


def misplaced_values(tokens: Sequence[Token], units: Sequence[SourceUnit]) -> list[Misplaced]:
    """Return the values that stand in the source beside words in whose place the sentence has others.

    Only where the source speaks of those others in the same way: "standard delivery" where it says
    "standard delivery" and "express delivery", or a word of another statement that is put alike.
    """
    stated = [(segment, value) for segment in segments_of(tokens) for value in segment.values]
    if not any(value.fact and not value.fact.vague for _, value in stated):
        return []
    theirs = [part for unit in units if not unit.is_context for part in segments_of(unit.tokens)]
    judged = (_misplaced(segment, value, theirs) for segment, value in stated)
    return [wrong for wrong in judged if wrong is not None]


def _misplaced(ours: Segment, value: Token, theirs: Sequence[Segment]) -> Misplaced | None:
    if value.fact is None or value.fact.vague:
        return None
    equal = [s for s in theirs if any(v.fact and same_value(value.fact, v.fact) for v in s.values)]
    rivals = [s for s in theirs if all(s is not e for e in equal)]
    if not equal or not rivals:
        return None
    reasons = []
    for home in equal:
        reason = _other_modifier(ours, home, rivals) or _other_statement(ours, home, rivals)
        if reason is None:
            return None
        reasons.append(reason)
    return Misplaced(value, *reasons[0])


def _other_modifier(
    ours: Segment, home: Segment, rivals: Sequence[Segment]
) -> tuple[str, str] | None:
    """Return a word of ours before a noun that has another one before it at home, and this one elsewhere."""
    at_home = set(home.modified())
    elsewhere = {pair for rival in rivals for pair in rival.modified()}
    for mine, noun in ours.modified():
        if (mine, noun) in at_home or (mine, noun) not in elsewhere or mine in home.keys:
            continue
        others = [other for other, same in at_home if same == noun and other not in ours.keys]
        if others:
            return _spelled(ours, {mine, noun}), _spelled(home, {others[0], noun})
    return None


def _other_statement(
    ours: Segment, home: Segment, rivals: Sequence[Segment]
) -> tuple[str, str] | None:
    """Return words of ours that belong to a statement put like that at home, and those they replace."""
    for rival in rivals:
        if not rival.keys & home.keys & ours.keys:
            continue
        gained = ours.keys & (rival.keys - home.keys)
        kept = ours.keys & (home.keys - rival.keys)
        lost = home.keys - rival.keys - ours.keys
        if gained and lost and len(gained) > len(kept) and not ours.keys - home.keys - rival.keys:
            return _spelled(ours, gained), _spelled(home, lost)
    return None


def _spelled(segment: Segment, keys: Iterable[str]) -> str:
    wanted = set(keys)
    return " ".join(dict.fromkeys(t.text for t in segment.tokens if t.key in wanted))


def reversed_ranges(
    text: str, tokens: Sequence[Token], units: Sequence[SourceUnit]
) -> list[tuple[Token, Token]]:
    """Return the ends of each range ("Friday to Monday") that runs the other way in the source."""
    theirs = {
        (left.key, right.key) for unit in units for left, right in _ranges(unit.text, unit.tokens)
    }
    return [
        (left, right)
        for left, right in _ranges(text, tokens)
        if (right.key, left.key) in theirs and (left.key, right.key) not in theirs
    ]


def _ranges(text: str, tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    values = [token for token in tokens if token.kind == "value"]
    for left, right in pairwise(values):
        same = left.fact and right.fact and left.fact.kind == right.fact.kind
        if same and left.key != right.key and _RANGE.fullmatch(text, left.end, right.start):
            yield left, right


def unheard_scope(tokens: Sequence[Token], theirs: Sequence[Token]) -> list[Token]:
    """Return the words like "every" and "always" that the stretches ``theirs`` do not have.

    "Every order" is not borne out by "each month": it must be said of the same thing, where the
    source speaks of that.
    """
    known = {token.key for token in theirs}
    heads = [(_head(theirs, place), token) for place, token in enumerate(theirs)
             if token.text.lower() in _AS_MUCH]  # fmt: skip
    found: list[Token] = []
    for place, token in enumerate(tokens):
        word = token.text.lower()
        if token.kind == "value" or word not in ALL | ALWAYS:
            continue
        if place and tokens[place - 1].text.lower() in _NO_SCOPE and word == "all":
            continue
        head = _head(tokens, place) if word in ALL else ""
        if not any(
            not head or not other or other == head or head not in known for other, _ in heads
        ):
            found.append(token)
    return found


def unheard_every(ours: Sequence[Token], theirs: Sequence[Token]) -> tuple[str, str] | None:
    """Return "every year" of ours where the source singles one out: "the first year"."""
    for token in ours:
        words = token.text.lower().split()
        vague = token.fact is not None and token.fact.vague
        if not vague or len(words) < 2 or words[0] not in ALL:
            continue
        for place, other in enumerate(theirs):
            before = {t.text.lower() for t in theirs[max(0, place - 3) : place]}
            if other.key == meaning(words[-1]) and before & _SINGLED_OUT:
                return token.text, " ".join(t.text for t in theirs[max(0, place - 2) : place + 1])
    return None


def _head(tokens: Sequence[Token], place: int) -> str:
    """Return the key of the word that a word like "every" is said of."""
    for token in tokens[place + 1 : place + 5]:
        if token.clause != tokens[place].clause or token.text.lower() in _ONE:
            break
        if token.kind in _TELLING:
            return token.key
    return ""


def sense_in_time(token: Token, before: Token | None) -> str:
    """Return "later" for "after 3 days", "sooner" for "until Friday", "" where a value says neither."""
    if token.fact is None:
        return ""
    first = token.text.lower().split(" ")[0]
    led = before.text.lower() if before is not None and token.start - before.end <= 2 else ""
    if token.fact.kind not in ("date", "time"):
        # "reduced by 10%" and "5 from 10" are no moments.
        led = "" if led in ("by", "since") else led
    bound = token.fact.bound
    if (bound == "at_least" and first in _LATER) or (not bound and led in _LATER):
        return "later"
    if bound == "at_most" or led in _SOONER:
        return "sooner"
    return ""


def turned_in_time(ours: Sequence[Token], theirs: Sequence[Token]) -> tuple[str, str] | None:
    """Return a word like "after" of ours where the source has one like "before", or the reverse."""
    mine, yours = ({t.text.lower().split(" ")[0] for t in side} for side in (ours, theirs))
    for one, other in ((_LATER, _SOONER), (_SOONER, _LATER)):
        if mine & one and yours & other and not mine & other and not yours & one:
            return min(mine & one), min(yours & other)
    return None


# A clause of which less stands in one stretch, in this order, is not said there.
UNHEARD: Final = 0.5
_SUBJECT: Final = _words(
    "we you they it i he she this that these those there nobody nothing everybody everyone everything "
    "somebody someone our your the which who if wir sie ihr es ich er das die der unser wer niemand "
    "nous vous ils elles il elle on je ce cela qui"
)


def unheard_in(alignment: Alignment) -> list[list[Token]]:
    """Return the clauses of a sentence of several that stand in no stretch of its source."""
    clauses: dict[int, list[tuple[Token, int | None]]] = {}
    for token, partner in zip(alignment.tokens, alignment.partner, strict=True):
        clauses.setdefault(token.clause, []).append((token, partner[0] if partner else None))
    if len(clauses) < 2:
        return []
    return [
        [token for token, _ in clause]
        for number, clause in enumerate(clauses.values())
        if _states(clause) and _share_heard(clause, leads_in=number == 0) < UNHEARD
    ]


def _states(clause: Sequence[tuple[Token, int | None]]) -> bool:
    """Say whether a clause has a subject and says something of it."""
    words = [token.text.lower().split("'")[0] for token, _ in clause[:4]]
    return len(clause) >= 3 and any(word in _SUBJECT for word in words)


def _share_heard(clause: Sequence[tuple[Token, int | None]], *, leads_in: bool) -> float:
    """Return the share of the words that count which stand in one stretch.

    "According to our help center" counts only where it does not lead in.
    """
    told = [
        window
        for token, window in clause
        if token.kind != "function" and not (leads_in and is_filler(token))
    ]
    if not told:
        return 1.0
    numbers = {window for window in told if window is not None}
    return max((told.count(number) for number in numbers), default=0) / len(told)
