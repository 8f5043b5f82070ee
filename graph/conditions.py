"""Conditions and limits that a sentence leaves out, so that it says always what holds only then. Pure.

"You get a refund if you ask within 30 days" bears out no "You get a refund". Every word of the second
stands in the first, so words alone cannot tell: a source is read for what says when, or until when, a
statement holds, and whoever repeats the statement must say that too, here or elsewhere in the reply.

Not held to it is who only asks for something ("Write to us if …"), nor does a condition count that is
somebody's wish ("if you want to"). "Within", "when" and "until" limit what somebody may do and what
is so; of what will happen they tell the time, and a reply without it promises less, not more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from graph.alignment import Alignment, SourceUnit, Token, is_filler, same_spelling, tokenize
from kb.facts import same_value

# How much of the statement a sentence must repeat, and how much of itself that must be.
_REPEATED: Final = 0.7
_OF_ITSELF: Final = 0.6
# Share of the words of a condition from which it counts as said.
_SAID: Final = 0.5
_COVERED: Final = 0.85
_FEW: Final = 2
_STEM: Final = 5
_SOLID: Final = frozenset(("value", "name", "word", "code"))
_MOMENTS: Final = frozenset(("duration", "date", "time"))

_IF: Final = re.compile(
    r"(?<!\beven )(?<!\bas )(?<!\bwhat )(?<!\bsee )(?<!\bknow )(?<!\bcheck )"
    r"\b(?:only\s+(?:if|when|for|in|on|with|after)\b|(?<!\bonly )(?:if|unless|assuming|wenn|falls|sofern|solange|sauf|salvo|mits|tenzij)\b(?!\s+(?:not|so|any|possible)\b)"
    r"|(?-i:si)\b|(?:provided|providing)(?:\s+that)?\s+(?=(?:you|we|they|it|the|your|our|he|she|no|all)\b)"
    r"|(?:as|so)\s+long\s+as\b|on\s+(?:the\s+)?condition\s+that\b|à\s+condition\b|siempre\s+que\b)",
    re.I,
)
_WHEN: Final = re.compile(
    r"(?<!\bonly )\b(?:when|whenever|once(?=\s+(?:you|we|they|it|the|your|our|he|she|all)\b)|until|lorsque|cuando)\b",
    re.I,
)
_WITHIN: Final = re.compile(
    r"(?:within|no\s+later\s+than|not\s+later\s+than|at\s+the\s+latest)\b", re.I
)
_FIRST: Final = re.compile(
    r"\b(?:(?:for|in|during|of|on)\s+)?(?:the|your|their)\s+(?:first|initial)\s+(?:[\w-]+\s+)?"
    r"(?:hour|day|night|week|month|quarter|year|term|period|order|purchase|invoice|renewal)s?\b",
    re.I,
)
_WISH: Final = re.compile(
    r"\W*\w+\s+(?:\w+\s+){0,2}?(?:do\s+not\s+|don['’]t\s+|would\s+|['’]d\s+)?(?:want|wish|like|prefer|need|choose|decide|desire|require)\w*\b"
    r"|.{0,40}\b(?:questions?|unsure|not\s+sure|in\s+doubt|interested|necessary|applicable|wondering|would\s+like|rather)\b",
    re.I | re.S,
)
# "If there is a limit, it is 10": of any limit, and so with or without the condition.
_ANY: Final = re.compile(r"\b(?:an?|any)\s", re.I)
_OF_IT: Final = re.compile(r"(?:it|they|this|these)\Z", re.I)
_SUBJECT: Final = (
    r"(?:we|you|they|it|he|she|i|your|our|their|its|his|her|the|a|an|this|that|these|those|there|all|"
    r"each|every|no|nobody|someone|somebody)\b"
)
_BREAK: Final = re.compile(
    rf"[;:](?=\s)|[()\[\]—–]|\s-\s|,?\s+(?:and|but|or|so)\s+(?={_SUBJECT})|,\s+(?:and|but|which|so)\s+",
    re.I,
)
_COMMA: Final = re.compile(r",\s+")
_BEFORE_SUBJECT: Final = re.compile(rf",\s+(?:then\s+)?(?={_SUBJECT}|[A-Z])", re.I)
_PLAIN_SUBJECT: Final = re.compile(rf"\W*(?:{_SUBJECT}|[^\W\d_]+s\b|[A-Z][\w-]*\s+[A-Z])", re.I)
_FINITE: Final = re.compile(
    r"\b(?:is|are|was|were|be|can|cannot|may|might|must|will|would|shall|should|do|does|did|has|have|had)\b"
    r"|n['’]t\b|\b(?:ist|sind|kann|können|darf|dürfen|muss|müssen|est|sont|peut|peuvent|pouvez|puede|pueden|son)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Term:
    """A condition or limit in a sentence of a source.

    Attributes:
        text: Its words.
        tokens: The same, taken apart.
        governs: The statement that holds only so.
    """

    text: str
    tokens: tuple[Token, ...]
    governs: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A condition that a sentence leaves out.

    Attributes:
        words: What the sentence says without it.
        term: The condition, in the words of the source.
        passage_id: Where it stands.
    """

    words: str
    term: str
    passage_id: str


def terms_of(unit: SourceUnit) -> list[Term]:
    """Return what says when, or until when, something in a sentence holds."""
    text = unit.text
    if text.rstrip().endswith("?"):
        return []
    spans: list[tuple[int, int, bool]] = []
    for pattern, surely in ((_IF, True), (_WHEN, False), (_FIRST, True)):
        for match in pattern.finditer(text):
            end = match.end() if pattern is _FIRST else _end_of(text, match.start())
            if end and not (pattern is _IF and _WISH.match(text, match.end(), end)):
                spans.append((match.start(), end, surely))
    spans += [
        (token.start, _end_of(text, token.start), False)
        for token in unit.tokens
        if token.fact is not None
        and token.fact.kind in _MOMENTS
        and not token.fact.vague
        and _WITHIN.match(token.text)
    ]
    spans.sort(key=lambda span: (span[0], -span[1]))
    found: list[Term] = []
    for start, end, surely in spans:
        if not end or any(a <= start and end <= b and (a, b) != (start, end) for a, b, _ in spans):
            continue
        low, high = _governed(text, start, end)
        inside = tuple(t for t in unit.tokens if start <= t.start < end)
        governs = tuple(
            t
            for t in unit.tokens
            if low <= t.start < high and not any(a <= t.start < b for a, b, _ in spans)
        )
        if not inside or not governs or _only_asks(text[governs[0].start : high]):
            continue
        if (
            start < governs[0].start
            and _ANY.search(text, start, end)
            and _OF_IT.match(governs[0].text)
        ):
            continue
        if surely or _limits(governs):
            found.append(Term(text[start:end].strip(" ,;."), inside, governs))
    return found


def _leads(text: str, start: int) -> bool:
    return not re.search(r"[\w)\"”]", text[:start]) or bool(
        re.fullmatch(r"\W*\w+,\s*", text[:start])
    )


def _end_of(text: str, start: int) -> int:
    """Return where a condition that begins at ``start`` ends; 0 where that cannot be told."""
    if _leads(text, start):
        comma = _BEFORE_SUBJECT.search(text, start) or _COMMA.search(text, start)
        return comma.start() if comma else 0
    stop = _BREAK.search(text, start)
    return stop.start() if stop else len(text)


def _governed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of the statement that a condition at ``start:end`` belongs to."""
    if _leads(text, start):
        stop = _BREAK.search(text, end + 1)
        return end, stop.start() if stop else len(text)
    breaks = [match.end() for match in _BREAK.finditer(text, 0, start)]
    stop = _BREAK.search(text, end)
    return (breaks[-1] if breaks else 0), (len(text) if stop is None else stop.start())


def _only_asks(text: str) -> bool:
    """Say whether a statement is none but asks for something: "Write to us"."""
    start = " ".join(text.split()[:6])
    subject = _PLAIN_SUBJECT.match(text) or has_person(text)
    return not subject and not _FINITE.search(start)


def _limits(governs: Sequence[Token]) -> bool:
    """Say whether a statement tells what somebody may do or what is so, not what will happen."""
    modals = {token.key for token in governs if token.kind == "modal"}
    if "will" in modals:
        return False
    return bool(modals & {"can", "must"}) or any(
        token.text.lower() in {"is", "are"} for token in governs
    )


def _counts(tokens: Iterable[Token]) -> list[Token]:
    return [token for token in tokens if token.kind in _SOLID and not is_filler(token)]


class Heard:
    """What a reply says elsewhere than in the sentence that is judged.

    Args:
        text: The rest of the reply, and the question it answers.
    """

    def __init__(self, text: str) -> None:
        self._tokens = tokenize(text)

    def says(self, term: Term, besides: Sequence[Token] = (), *, opened: bool = False) -> bool:
        """Say whether a condition is spoken of, in the reply or by ``besides``.

        ``opened`` tells that the sentence has the word that opens it: then its words may be fewer.
        """
        heard = [*self._tokens, *besides]
        told = _counts(term.tokens)
        values = [token for token in told if token.fact is not None and not token.fact.vague]
        if values and not any(_holds(heard, token) for token in values):
            return False
        words = [token for token in told if token not in values]
        return opened or not words or sum(_holds(heard, w) for w in words) >= _SAID * len(words)


def _holds(heard: Sequence[Token], token: Token) -> bool:
    if token.fact is not None:
        fact = token.fact
        return any(t.fact is not None and same_value(t.fact, fact) for t in heard)
    word = token.text.lower()
    return any(
        token.key == other.key
        or (other.kind in _SOLID and other.fact is None and _akin(word, other.text.lower()))
        for other in heard
    )


def _akin(left: str, right: str) -> bool:
    return (len(left) >= _STEM and left[:_STEM] == right[:_STEM]) or same_spelling(left, right)


_YES_OR_NO: Final = re.compile(r"\W*(?:yes|no|yeah|correct|right)\b\W*", re.I)
_PERSON: Final = re.compile(
    r"\W*(?:we|you|they|it|he|she|i|this|that|these|those|all|wir|sie|er|es|ihr|man|nous|vous|ils?|elles?|on)\b"
    r"\W+\w+\W+\w",
    re.I,
)


def has_person(text: str) -> bool:
    """Say whether a text begins with who does something: "We keep logs"."""
    return bool(_PERSON.match(text))


def is_statement(text: str) -> bool:
    """Say whether a text has a subject and a verb; "Up to 30 days" or "With a receipt" has not."""
    lead = _YES_OR_NO.match(text)
    text = text[lead.end() :] if lead else text
    if _IF.match(text.lstrip()) or _WHEN.match(text.lstrip()):
        comma = _BEFORE_SUBJECT.search(text)
        text = text[comma.end() :] if comma else ""
    return has_person(text) or bool(_FINITE.search(" ".join(text.split()[:8])))


def left_out(alignment: Alignment, units: Sequence[SourceUnit], heard: str) -> LeftOut | None:
    """Return the first condition that a sentence leaves out of what it repeats.

    Args:
        alignment: The sentence laid beside its source.
        units: All of the source.
        heard: The whole reply, with the question it answers.
    """
    if not alignment.windows:
        return None
    window = alignment.windows[0]
    texts = {id(token): unit for unit in units for token in unit.tokens}
    partner = {
        id(window.tokens[place[1]]): token
        for token, place in zip(alignment.tokens, alignment.partner, strict=True)
        if place is not None and place[0] == 0
    }
    reply: Heard | None = None
    seen: set[int] = set()
    for token in window.tokens:
        unit = texts.get(id(token))
        if unit is None or unit.is_context or id(unit) in seen or id(token) not in partner:
            continue
        seen.add(id(unit))
        for term in terms_of(unit):
            mine = _repeats(term, unit, partner, alignment)
            if not mine:
                continue
            reply = reply or Heard(heard)
            # What repeats other words of that sentence does not speak of the condition as well.
            rest = {id(t) for t in unit.tokens} - {id(t) for t in term.tokens}
            spent = {id(partner[t]) for t in rest if t in partner}
            besides = [t for t in alignment.tokens if id(t) not in spent]
            opened = id(term.tokens[0]) in partner
            if reply.says(term, besides, opened=opened) or _stands_elsewhere(
                mine, unit, units, reply, besides
            ):
                continue
            words = " ".join(t.text for t in mine)
            return LeftOut(words, term.text, unit.passage_id)
    return None


def _repeats(
    term: Term, unit: SourceUnit, partner: dict[int, Token], alignment: Alignment
) -> list[Token]:
    """Return the tokens of a sentence that repeat what a condition governs; none where too few do."""
    told = _counts(term.governs)
    repeated = [partner[id(token)] for token in told if id(token) in partner]
    weight = sum(token.weight for token in told)
    if not repeated or sum(t.weight for t in repeated) < _REPEATED * weight:
        return []
    clauses = {token.clause for token in repeated}
    mine = [token for token in alignment.tokens if token.clause in clauses]
    own = _counts(mine)
    if len(repeated) < _FEW and len(repeated) < len(own):
        return []
    here = {id(partner[id(token)]) for token in unit.tokens if id(token) in partner}
    foreign = [token for token in own if id(token) not in here]
    if sum(t.weight for t in foreign) > (1 - _OF_ITSELF) * sum(t.weight for t in own):
        return []
    # Who sets a condition in other words has set one: whether it is the right one is another matter.
    start, end = mine[0].start, mine[-1].end
    if foreign and any(start <= token.start < end and _sets_terms(token) for token in mine):
        return []
    return mine


def _sets_terms(token: Token) -> bool:
    bounded = token.fact is not None and token.fact.kind in _MOMENTS and bool(token.fact.bound)
    word = token.text.lower()
    return (
        bounded or bool(_IF.fullmatch(word) or _WHEN.fullmatch(word)) or word in ("with", "without")
    )


def _stands_elsewhere(
    mine: Sequence[Token],
    home: SourceUnit,
    units: Sequence[SourceUnit],
    reply: Heard,
    besides: Sequence[Token],
) -> bool:
    """Say whether another sentence of the source states the same without a condition left out."""
    told = _counts(mine)
    total = sum(token.weight for token in told)
    for unit in units:
        if unit is home or unit.is_context:
            continue
        terms = terms_of(unit)
        keys = set(unit.keys) - {t.key for term in terms for t in term.tokens}
        if sum(token.weight for token in told if token.key in keys) >= _COVERED * total and all(
            reply.says(term, besides) for term in terms
        ):
            return True
    return False
