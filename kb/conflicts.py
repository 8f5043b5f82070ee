"""Judges whether two passages in force give different facts for the same question. Pure.

A conflict must be defensible to a reader: the same subject, under the same condition, with another
value. There are two ways of finding one, for two sorts of pairs:

* Two versions of one text that stand as two articles (twins): whatever one says differently is a
  conflict, and ``kb.changes`` judges that.
* Two articles of their own that touch on one subject: a value, or a yes and a no, is held against
  the other only where the words around it agree on both sides. What one side says of a case of its
  own (a plan, a place, a product, a year, an example) is no conflict, so that an unexplained word
  counts against it. A missed conflict costs less than an owner who no longer reads the flags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from kb.changes import ChangeJudge, FactChange
from kb.content import Passage
from kb.facts import VALUE_KINDS, Fact, extract_facts, kinship, same_value
from kb.sentences import split_sentences
from kb.words import FUNCTION_WORDS, HEDGES, META_WORDS, NUMBER_WORDS, meaning, opposite, stem

TWIN_SCORE: Final = 0.5
"""Score of ``kb.changes`` from which a difference between twins is a conflict."""
AGREEMENT: Final = 0.75
"""Share of the words around a value that either side must find on the other side."""
_FEWEST_SHARED: Final = 2
_WHEN_KINDS: Final = ("date", "time")
_ONE_SUBJECT: Final = 0.72  # cosine from which two titles of no common word may head one subject
_COPIED: Final = 0.88  # share of words in common, in order, from which a sentence was copied
_COPIED_WORDS: Final = 4
_REACH: Final = 60  # characters either side of a value in which a name tells its case


@dataclass(frozen=True, slots=True)
class Conflict:
    """What two passages in force say differently of one thing.

    Attributes:
        score: How sure it is, 0..1.
        facts: What differs, the surest first: ``old`` are the left side's words, ``new`` the right
            side's.
        sentence: One plain sentence for a content owner.
    """

    score: float
    facts: tuple[FactChange, ...]
    sentence: str


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sentence that states something comparable, with what is compared."""

    text: str
    bare: str
    start: int
    facts: tuple[Fact, ...]
    keys: frozenset[str]
    negated: bool


@dataclass(frozen=True, slots=True)
class _Side:
    """A passage as it is compared."""

    passage: Passage
    claims: tuple[_Claim, ...]
    keys: frozenset[str]
    context: frozenset[str]
    cases: frozenset[str]
    is_row: bool


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


@lru_cache(maxsize=50_000)
def _key(word: str) -> str:
    # Twice, so that "covers" and "covered" meet.
    return meaning(stem(word))


def _stems(text: str) -> frozenset[str]:
    return frozenset(_key(word) for word in text.split())


# Words that name a case of several. Said on one side only, the other may speak of another case.
_CASES: Final = _listed(
    "free basic standard lite personal individual team teams business enterprise premium pro plus "
    "professional ultimate student students nonprofit education academic family trial unpaid monthly annual yearly "
    "weekly daily quarterly subscription pack ios android iphone ipad mac macos linux desktop mobile "
    "browser staging production sandbox beta alpha demo test live legacy old new former previous existing current "
    "express expedited overnight priority international domestic overseas local regional holiday summer winter weekend "
    "wholesale retail reseller partner partners employee employees contractor contractors manager managers supervisor "
    "admin admins administrator administrators owner owners guest guests minor minors child children adult adults senior "
    "consumer consumers merchant merchants seller sellers buyer buyers "
    "digital physical gift refurbished damaged faulty wildcard intermediate root public private "
    "usa canada mexico brazil uk kingdom britain england scotland wales ireland france germany spain italy "
    "portugal netherlands belgium luxembourg austria switzerland denmark sweden norway finland iceland poland czech "
    "hungary romania greece turkey russia ukraine israel egypt india china japan korea taiwan singapore malaysia "
    "indonesia thailand vietnam philippines australia zealand africa asia europe european eu eea america american "
    "canadian british french german california texas york colorado virginia quebec ontario alaska hawaii "
    "january february march april june july august september october november december"
)
_LIMITS: Final = _stems("minimum maximum limit")
_NEUTRAL: Final = (
    frozenset(_key(word) for word in (META_WORDS - {"check", "refer", "case", "cases"}) | HEDGES)
    | _LIMITS
    | _stems(
        "long longest short most least total period time times within altogether full faq faqs overview "
        "help support general common frequently asked about please must may can will would should able "
        "allowed per each every ever another other after before prior until now today late later soon "
        "early latest no not never more less day days"
    )
)
# Words that only tie a value to its subject: each way of putting it has its own.
_TIES: Final = _stems(
    "take takes last lasts need want use uses used give gives come comes include includes carry make "
    "makes made have keep keeps go goes arrive arrives reach reaches receive due valid expire expires "
    "price cost costs value amount fee fees charge charges pay place placing placed earn get set add "
    "date moment start begin end close closes open opens available contain contains hold offer support"
)
_DOCUMENTS: Final = _stems(
    "policy policies terms conditions guide guides overview help faq faqs page article documentation docs info "
    "information details summary basics introduction center about question questions answers rules window"
)
_PRICE: Final = _key("price")
_PRICES: Final = _stems("cost price fee charge pay bill")
_RECORDS: Final = re.compile(
    r"\b(?:change[\s-]?log|release[\s-]notes?|(?:revision|version|document)[\s-]history|history of|"
    r"archive[ds]?|superseded|deprecated|obsolete|retired|what['’]s new|news|announcements?|"
    r"meeting notes|minutes|blog|example|sample|template|case study|exercise)\b",
    re.I,
)
_STAMP: Final = re.compile(
    r"\b(?:last (?:updated?|reviewed|modified|revised|changed)|updated?(?: on)?:?|published|posted|revised|"
    r"created on|dated|effective (?:date|as of|on|from)|copyright|version|signed|made on)\b",
    re.I,
)
_PAST: Final = re.compile(
    r"\b(?:as of|since|originally|back in|at the time|at that time|used to|previously|formerly|in the past|"
    r"until (?:now|recently)|was|were|had|no longer|will be|going to|starting|beginning|soon|planned?)\b",
    re.I,
)
_EXAMPLE: Final = re.compile(
    r"\be\.g\b|\bi\.e\b|\b(?:for (?:example|instance)|suppose|imagine|let['’]s say|hypothetical\w*|assume|"
    r"assuming|say,|calculat\w+|equals?|divided?)\b|\bexample:|[=×]|\d\)? [x*] \(?\d",
    re.I,
)
_CONDITION: Final = re.compile(
    r"\b(?:if|unless|when|whenever|while|except|in case|provided|during|under|without|only|until)\b"
    r"(?P<words>(?:(?!\b(?:and|but|or|which|so)\b)[^,.;:()\x00]){2,60})",
    re.I,
)
_LABEL: Final = re.compile(r"\A(?P<words>[^:.!?]{2,60}):\s")
_SEAM: Final = re.compile(
    r"\b(?:and|but|which|who|so that|plus|while|whereas)\b|[.;:!?()\[\]]|,\s", re.I
)
_CLAUSE: Final = re.compile(r"[.;!?]\s|[()\[\]]")
_IF: Final = re.compile(
    r"\b(?:if|unless|when|whenever|in case|provided|assuming|should you)\b", re.I
)
_WHEN: Final = re.compile(
    _IF.pattern
    + r"|\b(?:once|before|after|until|only|while|during|except|without|but|yet|already)\b",
    re.I,
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_REFERENCE: Final = re.compile(
    r"\b(?:sections?|clauses?|steps?|articles?|figures?|chapters?|pages?|paragraphs?|parts?|appendix|"
    r"schedule|exhibit|items?|question|phase|table|annex|rule|title|§+|no\.|number|v|version|port|"
    r"rfc|error|code|status|line)\s*$",
    re.I,
)
_COMPARABLE: Final = re.compile(
    rf"\d|[$€£¥₹%]|\b(?:{'|'.join(sorted(NUMBER_WORDS))}|hundred|thousand|monday|tuesday|wednesday|"
    r"thursday|friday|saturday|sunday|noon|midnight)\b",
    re.I,
)
_NEGATION: Final = re.compile(r"\b(?:not|never|cannot|no longer|\w+n['’]t)\b", re.I)
_NEGATES: Final = re.compile(
    r"\b(?:not|never|cannot|no|without|\w+n['’]t|unable|prohibited|forbidden)\b", re.I
)
_MODAL: Final = re.compile(r"\b(?:can|cannot|can['’]t|may|must|need|have to|has to|allowed|permitted|able|"
                           r"required|available|possible|eligible|supported?|offer|accept|include[ds]?|"
                           r"will|won['’]t|do|does|don['’]t|doesn['’]t|is|are|isn['’]t|aren['’]t)\b", re.I)  # fmt: skip
_AFTER: Final = re.compile(r"\bafter\s+(?:the\s+|about\s+)?\Z", re.I)
_CODE: Final = re.compile(r"\A\s*(?:```|~~~|\{%-?\s*highlight|<pre\b| {4}|\t)")
_ROW: Final = re.compile(r"\A[^:;]{1,60}: [^;]{1,200}; [^:;]{1,60}: ")
_YEAR: Final = re.compile(r"\b(?:19|20)\d\d\b")
_VERSION: Final = re.compile(r"(?<=[^\W\d_] )\d[\d.]*\b(?![.)])")
_ACTOR: Final = re.compile(
    r"\b(?P<who>you|we|they|i)\s+(?:(?:can|may|must|will|could|should|also|have to|need to)\s+)*(?P<does>[a-z]+)",
    re.I,
)
_PARTICLE: Final = re.compile(r"\w+-(?:in|out|up|down|off|on)\b")
_NAME: Final = re.compile(r"(?<![\w@/.])(?:[A-Z][\w’'&+-]*[\w+]|[A-Z]|[a-z]+[A-Z]\w*)")
_OLDER_COPY: Final = _stems(
    "copy old older new newer draft final backup duplicate version updated archived deprecated the"
)
_FUNCTION_KEYS: Final = frozenset(meaning(word) for word in FUNCTION_WORDS)
_SERIAL: Final = re.compile(r"(?=\w*\d)(?=\w*[a-z])[0-9a-z]{6,}\Z")


def content_words(text: str) -> frozenset[str]:
    """Return the keys of the words of ``text`` that carry its subject."""
    return frozenset(_words(text))


def _words(text: str) -> list[str]:
    """Return the keys of the content words of ``text`` in order; the words for a price are one."""
    keys = []
    for word in _WORD.findall(text):
        if len(word) > 1 and word.lower() not in FUNCTION_WORDS:
            key = _key(word)
            keys.append(_PRICE if key in _PRICES else key)
    return keys


class ConflictJudge:
    """Judges pairs of passages; remembers what it read of a passage, so keep one for one run.

    Args:
        changes: Judges twins.
    """

    def __init__(self, changes: ChangeJudge) -> None:
        self._changes = changes
        self._sides: dict[str, _Side] = {}

    def judge(
        self, left: Passage, right: Passage, similarity: float, *, twins: bool = False
    ) -> Conflict | None:
        """Return the conflict of two passages in force, or None.

        Args:
            left: A passage.
            right: A passage of another article.
            similarity: Cosine of the two, each with its title and headings, 0..1.
            twins: They stand at the same place of two versions of one text.
        """
        if left.content_hash == right.content_hash:
            return None
        if twins:
            return self.judge_twins([(left, right)])[0]
        return self._judge(self._side(left), self._side(right), similarity)

    def judge_twins(self, pairs: Sequence[tuple[Passage, Passage]]) -> list[Conflict | None]:
        """Return the conflict of each pair of passages at one place of two versions of one text."""
        changes = self._changes.judge_many([(left.plain, right.plain) for left, right in pairs])
        return [
            Conflict(change.score, change.facts, _twin_sentence(left, right, change.facts))
            if change.score >= TWIN_SCORE and change.outcome != "same"
            else None
            for (left, right), change in zip(pairs, changes, strict=True)
        ]

    def _side(self, passage: Passage) -> _Side:
        side = self._sides.get(passage.id)
        if side is None:
            side = self._sides[passage.id] = _read(passage)
        return side

    def _judge(self, left: _Side, right: _Side, similarity: float) -> Conflict | None:
        if not left.claims or not right.claims or _apart(left, right):
            return None
        found: list[tuple[float, FactChange]] = []
        for claim in left.claims:
            for other in right.claims:
                if not (claim.facts and other.facts) and claim.negated == other.negated:
                    continue
                if not claim.keys & other.keys:
                    continue
                copied = _copied_values(claim, other)
                found += copied or _values(left, claim, right, other, similarity)
                found += _polarity(left, claim, right, other, similarity)
        if not found:
            return None
        found.sort(key=lambda pair: (-pair[0], pair[1].old_start, pair[1].new_start))
        score = round(min(1.0, found[0][0] * (0.7 + 0.3 * similarity)), 4)
        facts = tuple(dict.fromkeys(fact for _, fact in found))
        return Conflict(score, facts, _sentence(left.passage, right.passage, facts[0]))


def _read(passage: Passage) -> _Side:
    claims = () if _CODE.match(passage.text) else tuple(_claims(passage.plain))
    if not claims or _RECORDS.search(passage.context):
        return _Side(passage, (), frozenset(), frozenset(), frozenset(), False)
    return _Side(
        passage,
        claims,
        content_words(passage.plain),
        content_words(passage.context),
        _cases(passage.context) | _context_names(passage),
        bool(_ROW.match(passage.plain)),
    )


def _claims(plain: str) -> Iterator[_Claim]:
    for start, end in split_sentences(plain):
        text = plain[start:end]
        comparable = bool(_COMPARABLE.search(text))
        if not (comparable or _MODAL.search(text)):
            continue
        facts = [
            fact
            for fact in (extract_facts(text, names=False, polarity=False) if comparable else ())
            if fact.kind in VALUE_KINDS and not fact.vague
        ]
        bare = _blanked(text, facts)
        negated = bool(_NEGATES.search(text))
        yield _Claim(text, bare, start, tuple(facts), content_words(bare), negated)


def _cases(text: str) -> frozenset[str]:
    return frozenset(_key(word) for word in _WORD.findall(text) if word.lower() in _CASES)


def _context_names(passage: Passage) -> frozenset[str]:
    """Return keys of what the title and headings name: a product, a place, a year."""
    found = {match.group() for match in _YEAR.finditer(passage.context)}
    found |= {match.group() for match in _VERSION.finditer(passage.context)}
    for part in (passage.title, *passage.heading_path):
        words = part.split()
        # In a title where every word is a capital one, capitals tell nothing.
        small = any(word[0].islower() and word.lower() not in FUNCTION_WORDS for word in words)
        for place, match in enumerate(_NAME.finditer(part)):
            inner = re.search(r"[a-z][A-Z]|[A-Z]{2}", match.group())
            if len(match.group()) < 2 or _key(match.group()) in _NEUTRAL:
                continue
            if inner or (small and (match.start() > 0 or place > 0)):
                found.add(_key(match.group()))
    return frozenset(found)


def _apart(left: _Side, right: _Side) -> bool:
    """Whether title and headings put the two under different cases."""
    for one, other in ((left, right), (right, left)):
        if one.cases - other.keys - other.context:
            return True
    if _sibling_titles(left, right):
        return True
    return bool(
        (left.is_row or right.is_row)
        and ((left.context ^ right.context) - _NEUTRAL or left.is_row != right.is_row)
    )


def _sibling_titles(left: _Side, right: _Side) -> bool:
    """Whether two titles are built alike around a word of their own: checked bags, cabin bags."""
    one, two = _words(left.passage.title), _words(right.passage.title)
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    if matcher.ratio() < 0.5:
        return False
    return any(
        tag == "replace"
        and set(one[a:b]) - _DOCUMENTS - set(two) - right.keys - right.context
        and set(two[c:d]) - _DOCUMENTS - set(one) - left.keys - left.context
        for tag, a, b, c, d in matcher.get_opcodes()
    )


def _blanked(text: str, facts: Iterable[Fact]) -> str:
    """Return ``text`` with its values, units and all, taken out; offsets stay."""
    free = list(text)
    for fact in facts:
        free[fact.start : fact.end] = "\x00" * (fact.end - fact.start)
    return "".join(free)


def _around(claim: _Claim, fact: Fact) -> list[str]:
    """Return the keys of the words that a value belongs to, the nearest first."""
    left = claim.bare[max(0, fact.start - 90) : fact.start]
    cuts = [match.end() for match in _CLAUSE.finditer(left)]
    left = left[cuts[-1] :] if cuts else left
    right = claim.bare[fact.end : fact.end + 90]
    seam = _SEAM.search(right)
    right = right[: seam.start()] if seam else right
    before, after = _words(left)[::-1], _words(right)
    ranked = sorted(
        [(2 * place + 1, key) for place, key in enumerate(before)]
        + [(2 * place, key) for place, key in enumerate(after)]
    )
    return list(dict.fromkeys(key for _, key in ranked))


def _missing(keys: Iterable[str], claim: _Claim, side: _Side) -> list[str]:
    """Return those of ``keys`` that neither the claim, its passage nor its headings explain."""
    known = claim.keys | side.keys | side.context
    return sorted(key for key in keys if key not in known and key not in _NEUTRAL)


def _cover(about: Sequence[str], claim: _Claim, side: _Side) -> float:
    """Return the share of the words around a value that the other side has, the nearest most."""
    have = total = 0.0
    for rank, key in enumerate(about):
        if key in _NEUTRAL:
            continue
        weight = (0.25 if key in _TIES else 1.0) / (1 + 0.15 * rank)
        total += weight
        if key in claim.keys:
            have += weight
        elif key in side.context or key in side.keys:
            have += 0.8 * weight
    return have / total if total else 0.0


def _agreement(
    left: _Side, claim: _Claim, fact: Fact, right: _Side, other: _Claim, rival: Fact
) -> float:
    """Return how much two values are about the same thing, 0..1, from the words around them."""
    mine, theirs = _around(claim, fact), _around(other, rival)
    shared = (set(mine) & other.keys) | (set(theirs) & claim.keys)
    subject = shared - (_NEUTRAL - _LIMITS)
    if not subject - _TIES - _LIMITS:
        return 0.0
    if len(subject) < _FEWEST_SHARED:
        # "Your deductible is $500": one word is enough where it is all, and what a heading names.
        spare = {*mine, *theirs, *claim.keys, *other.keys} - _NEUTRAL - _TIES - subject
        if spare or not subject & (left.context | right.context):
            return 0.0
    near = min(_cover(mine, other, right), _cover(theirs, claim, left))
    far = min(_cover(sorted(claim.keys), other, right), _cover(sorted(other.keys), claim, left))
    return 0.75 * near + 0.25 * far


def _other_case(left: _Side, claim: _Claim, right: _Side, other: _Claim, similarity: float) -> bool:
    """Whether one of two claims speaks of a case of its own."""
    if _EXAMPLE.search(claim.text) or _EXAMPLE.search(other.text):
        return True
    mine = _missing(claim.keys, other, right)
    theirs = _missing(other.keys, claim, left)
    if (_cases(claim.bare) | _cases(other.bare)) & {*mine, *theirs}:
        return True
    idle = _TIES | _NEUTRAL - _LIMITS
    if any(
        opposite(one, two)
        for one in claim.keys - other.keys - idle
        for two in other.keys - claim.keys - idle
    ):
        return True
    if {*_YEAR.findall(claim.bare)} ^ {*_YEAR.findall(other.bare)}:
        return True
    return (
        _condition_missing(claim, other, right)
        or _condition_missing(other, claim, left)
        or _other_word(claim, other)
        or _other_actor(claim, other)
        or {*_PARTICLE.findall(claim.text.lower())} != {*_PARTICLE.findall(other.text.lower())}
        or (similarity < _ONE_SUBJECT and _title_only(left, claim, right, other))
    )


def _condition_missing(claim: _Claim, other: _Claim, side: _Side) -> bool:
    """Whether a claim holds under a condition, or stands under a label, that the other has not."""
    label = _LABEL.match(claim.text)
    if label:
        words = content_words(label.group("words")) - _NEUTRAL
        if _missing(words, other, side) or re.search(r"\d", label.group("words")):
            return True
    return any(
        _missing(content_words(match.group("words")) - _TIES, other, side)
        for match in _CONDITION.finditer(claim.bare)
    )


def _other_word(claim: _Claim, other: _Claim) -> bool:
    """Whether two claims built alike have another word in one place: white there, red here."""
    one, two = _words(claim.bare), _words(other.bare)
    matcher = SequenceMatcher(None, one, two, autojunk=False)
    if matcher.ratio() < 0.6:
        return False
    idle = _TIES | _NEUTRAL
    return any(
        tag == "replace" and set(one[a:b]) - idle - set(two) and set(two[c:d]) - idle - set(one)
        for tag, a, b, c, d in matcher.get_opcodes()
    )


def _other_actor(claim: _Claim, other: _Claim) -> bool:
    """Whether you do in one claim what we do in the other."""
    one, two = (
        {_key(match["does"]): match["who"].lower() for match in _ACTOR.finditer(side.text)}
        for side in (claim, other)
    )
    return any(one[does] != two[does] for does in one.keys() & two.keys())


def _title_only(left: _Side, claim: _Claim, right: _Side, other: _Claim) -> bool:
    """Whether what the claims are about stands in two different titles and nowhere else."""

    def absent(side: _Side, own: _Claim, there: _Side) -> bool:
        title = content_words(side.passage.title) - _NEUTRAL - _TIES
        return bool(title) and not title & (own.keys | there.keys | there.context)

    subject = (claim.keys & other.keys) - _NEUTRAL - _TIES
    return len(subject) <= 2 and absent(left, claim, right) and absent(right, other, left)


def _copied_values(claim: _Claim, other: _Claim) -> list[tuple[float, FactChange]]:
    """Return the values that differ between two sentences that have all other words in common."""
    one, two = _words(claim.bare), _words(other.bare)
    if min(len(one), len(two)) < _COPIED_WORDS or len(claim.facts) != len(other.facts):
        return []
    alike = SequenceMatcher(None, one, two, autojunk=False).ratio()
    if alike < _COPIED or _other_word(claim, other) or _other_actor(claim, other):
        return []
    if _EXAMPLE.search(claim.text) or _EXAMPLE.search(other.text):
        return []
    found: list[tuple[float, FactChange]] = []
    for fact, rival in zip(claim.facts, other.facts, strict=True):
        if fact.kind != rival.kind:
            return []
        if _agree(fact, rival) or _is_mark(claim, fact) or _is_mark(other, rival):
            continue
        found.append((alike, _change(claim, fact, other, rival)))
    return [] if _other_premise(claim, other) else found


def _other_premise(claim: _Claim, other: _Claim) -> bool:
    """Whether another value in the two sentences may set the case: over $100, on Sunday."""
    spare = [
        [one for one in mine.facts if not any(_agree(one, two) for two in theirs.facts)]
        for mine, theirs in ((claim, other), (other, claim))
    ]
    if any(len(some) > 1 and any(one.kind in _WHEN_KINDS for one in some) for some in spare):
        return True
    if min(map(len, spare)) > 1 and any(one.bound for some in spare for one in some):
        return True
    return any(
        _agree(one, two) and {one.bound, two.bound} == {"at_most", "at_least"}
        for one in claim.facts
        for two in other.facts
    )


def _bounded_beside(claim: _Claim, fact: Fact, other: _Claim, rival: Fact) -> bool:
    """Whether one side bounds its case by another value beside the one in question."""

    def bounded(mine: _Claim, own: Fact, theirs: _Claim) -> bool:
        for one in mine.facts:
            if one is own or not one.bound or any(_agree(one, two) for two in theirs.facts):
                continue
            low, high = sorted((one, own), key=lambda value: value.start)
            if not _SEAM.search(mine.text[low.end : high.start]):
                return True
        return False

    return bounded(claim, fact, other) or bounded(other, rival, claim)


def _change(claim: _Claim, fact: Fact, other: _Claim, rival: Fact) -> FactChange:
    return FactChange(
        fact.kind, fact.text, rival.text, claim.start + fact.start, other.start + rival.start
    )


def _values(
    left: _Side, claim: _Claim, right: _Side, other: _Claim, similarity: float
) -> list[tuple[float, FactChange]]:
    found: list[tuple[float, FactChange]] = []
    for fact in claim.facts:
        rivals = [
            one
            for one in other.facts
            if one.kind == fact.kind and not any(_agree(one, own) for own in claim.facts)
        ]
        if not rivals or not _usable(claim, fact):
            continue
        if any(_agree(fact, one) for one in _facts_of(right)):
            continue
        rival = max(rivals, key=lambda one: (kinship(fact, one), -one.start))
        back = max(
            (
                one
                for one in claim.facts
                if one.kind == fact.kind and not any(_agree(one, far) for far in other.facts)
            ),
            key=lambda one: (kinship(rival, one), -one.start),
        )
        if (
            back is not fact
            or not _usable(other, rival)
            or not _contradict(claim, fact, other, rival)
        ):
            continue
        if any(_agree(rival, one) for one in _facts_of(left)):
            continue
        score = _agreement(left, claim, fact, right, other, rival)
        if score < AGREEMENT or _other_case(left, claim, right, other, similarity):
            continue
        if _other_premise(claim, other) or _bounded_beside(claim, fact, other, rival):
            continue
        if _names_near(claim, fact, right) or _names_near(other, rival, left):
            continue
        found.append((score, _change(claim, fact, other, rival)))
    return found


def _facts_of(side: _Side) -> Iterable[Fact]:
    return (fact for claim in side.claims for fact in claim.facts)


def _is_mark(claim: _Claim, fact: Fact) -> bool:
    """Whether a value numbers or dates the text itself: a section, a step, a day of writing."""
    before = claim.text[: fact.start]
    first = not any(char.isalnum() for char in before)
    if first and (claim.text[fact.end : fact.end + 1] in ".)" or "." in fact.text):
        return True
    if fact.kind == "number" and _REFERENCE.search(before):
        return True
    return fact.kind == "date" and bool(_STAMP.search(claim.text))


def _usable(claim: _Claim, fact: Fact) -> bool:
    """Whether a value is what its sentence states now, not a mark, a premise or the past."""
    if _is_mark(claim, fact) or _PAST.search(claim.text):
        return False
    return not _IF.search(re.split(r"[,;:.]\s", claim.text[: fact.start])[-1])


_DAYS: Final = {
    "second": 1 / 86400,
    "minute": 1 / 1440,
    "hour": 1 / 24,
    "day": 1.0,
    "business day": 1.0,
    "month": 30.4,
}


def _range(fact: Fact, *, loose: bool = False) -> tuple[float, float] | None:
    """Return the least and the most that a duration, amount, percentage or number may mean.

    Args:
        fact: A value.
        loose: Five business days are five days at least, and nine over two weekends.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?(?: (.+))?", fact.value)
    if match is None:
        return None
    low = float(match.group(1))
    high = float(match.group(2) or low)
    if fact.kind != "duration":
        return low, high
    size = _DAYS.get(match.group(3), 1.0)
    if loose and match.group(3) == "business day":
        return low, 1.4 * high + 2
    return low * size, high * size


def _agree(left: Fact, right: Fact) -> bool:
    """Whether two values can both be true of one thing."""
    if left.kind != right.kind:
        return same_value(left, right) or same_value(right, left)
    if same_value(left, right) or same_value(right, left):
        return True
    if left.kind in {"date", "time"}:
        return False
    mixed = left.kind == "duration" and ("business" in left.value) != ("business" in right.value)
    one, two = _range(left, loose=mixed), _range(right, loose=mixed)
    if one is None or two is None:
        return False
    if mixed and _range(left) == _range(right):
        # "5 days" here and "5 business days" there: one of the two forgot a word.
        return False
    slack = 0.04 if left.kind == "duration" else 0.0
    return one[0] <= two[1] * (1 + slack) and two[0] <= one[1] * (1 + slack)


def _contradict(claim: _Claim, fact: Fact, other: _Claim, rival: Fact) -> bool:
    """Whether two values cannot both be true of one thing."""
    if _agree(fact, rival) or {_bound(claim, fact), _bound(other, rival)} == {
        "at_most",
        "at_least",
    }:
        return False
    if fact.kind == "amount":
        return fact.value.rpartition(" ")[2] == rival.value.rpartition(" ")[2]
    if fact.kind == "date":
        return len(fact.value) == len(rival.value) and fact.value[:4] == rival.value[:4]
    if fact.kind == "number":
        return bool(_counted(claim, fact) & _counted(other, rival))
    return True


def _bound(claim: _Claim, fact: Fact) -> str:
    """Return which side of its value a fact means; what happens "after 3 days" means those days."""
    return "" if _AFTER.search(claim.text[: fact.start]) else fact.bound


def _counted(claim: _Claim, fact: Fact) -> frozenset[str]:
    """Return the keys of what a number counts, or else of the word that it stands after."""
    after = re.match(r"(?:[\s-]*(?:of\s+)?[^\W\d_]{2,}){1,3}", claim.text[fact.end :])
    words = content_words(after.group()) if after else frozenset()
    before = re.search(r"([^\W\d_]{2,})\W*\Z", claim.text[: fact.start])
    return words or (content_words(before.group(1)) if before else frozenset())


def _names_near(claim: _Claim, fact: Fact, side: _Side) -> bool:
    """Whether a name stands by a value that the other passage and its headings do not know."""
    low, high = fact.start - _REACH, fact.end + _REACH
    known = side.passage.plain.casefold() + " " + side.passage.context.casefold()
    for match in _NAME.finditer(claim.text):
        starts = not any(char.isalnum() for char in claim.text[: match.start()])
        if starts or not low <= match.start() <= high or match.start() == fact.start:
            continue
        if fact.start <= match.start() < fact.end or match.group().lower() in FUNCTION_WORDS:
            continue
        if match.group().casefold().removesuffix("’s").removesuffix("'s") not in known:
            return True
    return False


def _polarity(
    left: _Side, claim: _Claim, right: _Side, other: _Claim, similarity: float
) -> list[tuple[float, FactChange]]:
    """Return a yes against a no: the same words, and a negation on one side only."""
    if claim.negated == other.negated or claim.text.endswith("?") or other.text.endswith("?"):
        return []
    no, yes = (claim, other) if claim.negated else (other, claim)
    match = _NEGATION.search(no.text)
    if match is None or len(_NEGATES.findall(no.text)) != 1:
        return []
    if not _MODAL.search(yes.text) or _WHEN.search(yes.text) or _WHEN.search(no.text):
        return []
    shared = claim.keys & other.keys
    spare = (claim.keys ^ other.keys) - _NEUTRAL - {_key(match.group())}
    loose = [key for key in spare if key not in left.context | right.context]
    if (
        len(shared - _NEUTRAL) < (3 if spare else 2)
        or loose
        or _other_case(left, claim, right, other, similarity)
    ):
        return []
    first, second = (claim.text, other.text)
    return [(0.9, FactChange("permission", first, second, claim.start, other.start))]


def _sentence(left: Passage, right: Passage, fact: FactChange) -> str:
    one, other = called(left, right)
    if fact.kind == "permission":
        return f"{one} says “{fact.old}”; {other} says “{fact.new}”."
    return f"{one} says {fact.old}, {other} says {fact.new}."


def called(left: Passage, right: Passage) -> tuple[str, str]:
    """Return what the articles of two passages are called; with their paths under one title."""
    if left.title.casefold() != right.title.casefold():
        return f"“{left.title}”", f"“{right.title}”"
    return f"“{left.title}” ({left.article_id})", f"“{right.title}” ({right.article_id})"


def _twin_sentence(left: Passage, right: Passage, facts: Sequence[FactChange]) -> str:
    where = f"“{left.title}” ({left.article_id}) and “{right.title}” ({right.article_id})"
    told = next((fact for fact in facts if fact.old and fact.new), None)
    if told is None:
        return f"{where} are versions of one text and say different things here."
    return f"{where} are versions of one text; one says {told.old}, the other {told.new}."


def headed_apart(left: Passage, right: Passage) -> frozenset[str]:
    """Return the capitalised words of one side's title and headings that the other side has not.

    Those of them that a help center never writes small are names: of a product, a place, a team.
    """
    found: set[str] = set()
    for one, other in ((left, right), (right, left)):
        known = content_words(other.context) | content_words(other.plain)
        found |= {
            word
            for word in _WORD.findall(one.context)
            if word[0].isupper()
            and word.lower() not in FUNCTION_WORDS
            and not {_key(word), *_words(word)} & (known | _NEUTRAL | _TIES)
        }
    return frozenset(found)


def same_subject_titles(left: str, right: str) -> bool:
    """Whether two titles may head two versions of one text.

    ``Refunds`` and ``Refunds (old)`` may; ``Warranty for Mini`` and ``Warranty for Max`` may not. A
    title made of a serial number alone says nothing.
    """

    def words(title: str) -> set[str]:
        parts = re.findall(r"\w+", title.lower())
        kept = {meaning(part) for part in parts if not _SERIAL.match(part)}
        return kept - _OLDER_COPY - _FUNCTION_KEYS

    one, two = words(left), words(right)
    return one == two or not one or not two
