"""Proposes a contact reason map from a pile of past contacts, for a lead to edit.

What customers asked is put side by side by meaning (the desk's embedder) and grouped by Ward's
method, agglomerative clustering from scikit-learn. It was chosen over k-means and HDBSCAN: it gives
the same groups every time, finer and coarser ones come from one tree, and on contacts, which fade
into each other, HDBSCAN leaves two in five ungrouped. ``python -m bench.suggest`` measures it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from core.errors import BadInput
from core.identifiers import text_digest
from desk.contacts import NewContact, NewMessage
from graph.classify import question_of
from graph.customer_text import plain
from graph.values import Conversation
from retrieval.ports import Embedder, Vectors

FEWEST_CONTACTS: Final = 50
"""Fewer do not show what customers keep asking."""
MOST_READ: Final = 4_000
"""Different questions that groups are made of; the others are put to the group they are nearest to."""
FEWEST_IN_GROUP: Final = 5
LONGEST_EXAMPLE: Final = 300  # characters
_TYPICAL_ENOUGH = 200  # texts of a group that examples are chosen from
_AT_ONCE = 256
_NEIGHBOURS = 10
_DRAWN_TOGETHER = 2
_COARSEST, _FINEST = 4, 120
_CLEAR_ENOUGH = 0.9  # of the silhouette of the clearest cut
_LEFT_OVER = 0.05  # share of contacts that are least like the rest of their group
_NEEDED_SHARE = 0.5
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_STOP_TEXT = (
    "a about after again all also am an and any anyone are as at be because been before being but "
    "by can cannot can't could did didn't do does doesn't doing done don't for from get getting go goes going gone got had "
    "has have haven't having he hello help her here hi him his how i i'd i'll i'm i've if in into "
    "is isn't it it's its just know let like made make making me much my need no not now of off on one only or "
    "other our out over please really regarding right said same say see she should since so some still "
    "sure tell than thank thanks that that's the their them then there these they thing this those "
    "to too try trying us use using very want wanted was wasn't way we were what what's when "
    "where which while who why will with won't would yes yet you your"
)
_STOP = frozenset(_STOP_TEXT.split())
_PARTICLES = frozenset(("up", "out", "off", "back", "down", "over"))  # to top up, to sign out

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class PastContact:
    """What a past contact says. ``asked`` is what it is grouped by, ``said`` all its own words."""

    asked: str
    said: str


@dataclass(frozen=True, slots=True)
class SuggestedField:
    """An identifier that most contacts of a group hold; ``share`` is 0..1."""

    id: str
    name: str
    pattern: str
    share: float


@dataclass(frozen=True, slots=True)
class SuggestedReason:
    """A group of contacts.

    Attributes:
        words: Its telling words, the most telling first.
        size: Contacts in it.
        share: Of all contacts, 0..1.
        examples: Five to ten questions unlike each other, the most typical first; fewer where
            the group has no more different ones. Addresses and long numbers are masked.
    """

    id: str
    name: str
    words: tuple[str, ...]
    size: int
    share: float
    examples: tuple[str, ...]
    required: tuple[SuggestedField, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A proposed map, the largest group first.

    Attributes:
        contacts: How many were read.
        grouped: Per contact the place of its reason in ``reasons``; -1 for none.
        left_over: Some questions that could not be grouped.
    """

    reasons: tuple[SuggestedReason, ...]
    contacts: int
    grouped: tuple[int, ...]
    left_over: tuple[str, ...]

    @property
    def ungrouped(self) -> int:
        """How many contacts fit no group."""
        return self.grouped.count(-1)


def past_contact(contact: NewContact) -> PastContact:
    """Return what a past contact is about: what the customer came with, not how it ended."""
    own = [one for one in contact.messages if one.speaker == "customer" and plain(one.text)]
    opening: list[NewMessage] = []
    # Who writes in a chat greets first.
    for message in [one for one in own if telling_words(plain(one.text))] or own:
        opening.append(message)
        said = telling_words(" ".join(plain(one.text) for one in opening))
        if len(said) >= 3:
            break
    asked = question_of(_conversation(contact, opening))
    return PastContact(asked, " ".join(plain(one.text) for one in own) or asked)


def _conversation(contact: NewContact, messages: Sequence[NewMessage]) -> Conversation:
    return {
        "contact_id": "",
        "channel": contact.channel,
        "subject": contact.subject,
        "customer": {"status": "standard", "sla_due_in_minutes": None, "name": "", "fields": {}},
        "turns": [
            {"id": str(at), "speaker": "customer", "text": one.text, "at": ""}
            for at, one in enumerate(messages)
        ],
    }


def suggest(
    contacts: Sequence[PastContact],
    embedder: Embedder,
    *,
    groups: int | None = None,
    on_progress: Progress = lambda *_: None,
) -> Suggestion:
    """Return a map proposed from past contacts; the same contacts always give the same map.

    Args:
        contacts: Some hundred to some ten thousand.
        embedder: Turns questions into unit vectors.
        groups: How many groups to make; chosen by how well they stand apart when None.
        on_progress: Called with what is being done, how much is done and of how much.

    Raises:
        BadInput: There are too few contacts to learn from.
    """
    asked = [" ".join(one.asked.split()) for one in contacts]
    different = list(dict.fromkeys(text for text in asked if text))
    if len(different) < FEWEST_CONTACTS:
        raise BadInput(
            f"There are {len(different)} different questions; a map needs at least "
            f"{FEWEST_CONTACTS} to be learned from."
        )
    # In an order of their own, so that it does not matter how the file is sorted.
    different.sort(key=text_digest)
    vectors = _embedded(different, embedder, on_progress)
    on_progress("groups", 0, 1)
    labels = cluster(vectors, groups)
    on_progress("groups", 1, 1)
    at = {text: place for place, text in enumerate(different)}
    rows = np.array([at.get(text, -1) for text in asked])
    labels, central = _without_strays(labels, vectors, rows)
    member = np.where(rows >= 0, labels[rows], -1)
    order = [label for label, _ in Counter(member[member >= 0].tolist()).most_common()]
    order.sort(key=lambda label: (-int((member == label).sum()), int(label)))
    named = _Names(different, labels)
    reasons = []
    for label in order:
        inside = np.flatnonzero(member == label).tolist()
        name, identity, words = named.of(label)
        reasons.append(
            SuggestedReason(
                id=identity,
                name=name,
                words=words,
                size=len(inside),
                share=len(inside) / len(contacts),
                examples=_examples(np.flatnonzero(labels == label), different, vectors, central),
                required=required_fields([contacts[place].said for place in inside]),
            )
        )
    place_of = {label: place for place, label in enumerate(order)}
    grouped = tuple(place_of.get(int(label), -1) for label in member)
    strays = [masked(different[row]) for row in np.flatnonzero(labels < 0)]
    return Suggestion(tuple(reasons), len(contacts), grouped, tuple(strays[:10]))


def _embedded(texts: Sequence[str], embedder: Embedder, on_progress: Progress) -> Vectors:
    parts = []
    for start in range(0, len(texts), _AT_ONCE):
        on_progress("questions", start, len(texts))
        parts.append(embedder.embed(texts[start : start + _AT_ONCE]))
    on_progress("questions", len(texts), len(texts))
    return np.concatenate(parts)


def cluster(vectors: Vectors, groups: int | None = None) -> Ints:
    """Return the group of each row of ``(texts, dimensions)`` unit vectors, numbered from 0.

    Rows beyond ``MOST_READ`` are put to the group whose mean is nearest: the tree takes memory
    with the square of what it is made of.
    """
    read = vectors[:MOST_READ]
    drawn = _drawn_together(read)
    tree = _tree(drawn)
    if groups is None:
        groups = _best_number(drawn, tree)
    labels = _cut(tree, len(read), min(groups, len(read)))
    if len(vectors) == len(read):
        return labels
    means = _means(read, labels)
    return np.concatenate([labels, (vectors[MOST_READ:] @ means.T).argmax(axis=1)])


def _drawn_together(vectors: Vectors) -> Vectors:
    """Return vectors moved towards those of the texts most like them, which parts groups better."""
    count = min(_NEIGHBOURS, len(vectors) - 1)
    for _ in range(_DRAWN_TOGETHER):
        moved = np.empty_like(vectors)
        for start in range(0, len(vectors), 1_000):
            some = slice(start, start + 1_000)
            cosines = vectors[some] @ vectors.T
            cosines[np.arange(len(cosines)), np.arange(start, start + len(cosines))] = -1
            nearest = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
            moved[some] = vectors[some] + vectors[nearest].mean(axis=1)
        vectors = _units(moved)
    return vectors


def _units(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32)


def _tree(vectors: Vectors) -> Ints:
    """Return which two groups join at each step, shape ``(texts - 1, 2)``, the nearest first."""
    from sklearn.cluster import AgglomerativeClustering

    model = AgglomerativeClustering(n_clusters=2, linkage="ward", compute_full_tree=True)
    return np.asarray(model.fit(vectors).children_, dtype=np.int64)


def _cut(tree: Ints, texts: int, groups: int) -> Ints:
    """Return the group of each text when the tree is cut into ``groups``, numbered from 0."""
    above = np.arange(2 * texts - 1)
    for step, pair in enumerate(tree[: texts - groups]):
        above[pair] = texts + step
    for node in range(len(above) - 1, -1, -1):
        above[node] = above[above[node]]
    _, labels = np.unique(above[:texts], return_inverse=True)
    return np.asarray(labels, dtype=np.int64)


def _best_number(drawn: Vectors, tree: Ints) -> int:
    """Return into how many groups the tree falls: the fewest that stand apart clearly enough.

    Splitting further and further hardly blurs the groups, so the clearest cut would be a fine one.
    """
    from sklearn.metrics import silhouette_score

    texts = len(drawn)
    finest = max(min(_FINEST, texts // 8), 2)
    numbers = sorted({int(n) for n in np.geomspace(min(_COARSEST, finest), finest, 18)})
    looked_at = min(texts, 1_500)  # they come in the order of a digest: any part is a fair sample
    distances = np.clip(1 - drawn[:looked_at] @ drawn[:looked_at].T, 0, 2).astype(np.float64)
    np.fill_diagonal(distances, 0)
    scores = {}
    for number in numbers:
        labels = _cut(tree, texts, number)[:looked_at]
        if 1 < len(set(labels.tolist())) < looked_at:
            scores[number] = float(silhouette_score(distances, labels, metric="precomputed"))
    enough = _CLEAR_ENOUGH * max(scores.values(), default=0.0)
    return min((number for number, score in scores.items() if score >= enough), default=2)


def _means(vectors: Vectors, labels: Ints) -> Vectors:
    """Return the unit mean of each group, shape ``(groups, dimensions)``."""
    return _units(
        np.stack([vectors[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
    )


def _without_strays(labels: Ints, vectors: Vectors, rows: Ints) -> tuple[Ints, Floats]:
    """Return the groups with -1 for what fits none, and how typical each text is of its group.

    Strays are the texts of groups that are too small, and those least like the rest of theirs.
    """
    means = _means(vectors, labels)
    typical = np.einsum("td,td->t", vectors, means[labels]).astype(np.float64)
    contacts = np.bincount(labels[rows[rows >= 0]], minlength=len(means))
    fewest = max(FEWEST_IN_GROUP, round(0.002 * len(rows)))
    small = contacts[labels] < fewest
    unlike = typical < min(np.quantile(typical, _LEFT_OVER), 0.5)
    kept = np.where(small | unlike, -1, labels)
    return kept, typical


def _examples(
    inside: Ints, texts: Sequence[str], vectors: Vectors, typical: Floats, most: int = 8
) -> tuple[str, ...]:
    """Return the most typical text of each of the parts that the group falls into."""
    short = [row for row in inside.tolist() if len(texts[row]) <= LONGEST_EXAMPLE]
    some = short if len(short) >= FEWEST_IN_GROUP else inside.tolist()
    some = sorted(some, key=lambda row: (-typical[row], row))[:_TYPICAL_ENOUGH]
    parts = _cut(_tree(vectors[some]), len(some), min(most, len(some)))
    first_of: dict[int, int] = {}
    for row, part in zip(some, parts.tolist(), strict=True):
        first_of.setdefault(part, row)
    return tuple(dict.fromkeys(masked(texts[row][:LONGEST_EXAMPLE]) for row in first_of.values()))


_ADDRESS = re.compile(r"[^\s@<>(),;:\"]+@[^\s@<>(),;:\"]+\.\w+")
_LONG_NUMBER = re.compile(r"\d(?:[ -]?\d){4,}")


def masked(text: str) -> str:
    """Return ``text`` without what tells one customer from another: addresses, long numbers."""
    text = _ADDRESS.sub("name@example.com", text)
    return _LONG_NUMBER.sub(lambda hit: re.sub(r"\d", "0", hit[0]), text)


def telling_words(text: str) -> list[str]:
    """Return the words of a text, without those that tell nothing of what it is about."""
    words = [word.casefold().replace("’", "'") for word in _WORD.findall(text)]
    return [word for word in words if word not in _STOP and len(word) > 1]


class _Names:
    """Names groups by the words that are frequent in them and rare in the others."""

    def __init__(self, texts: Sequence[str], labels: Ints) -> None:
        terms = [_terms(text) for text in texts]
        self._everywhere: Counter[str] = Counter()
        self._inside: dict[int, Counter[str]] = {}
        self._sizes: Counter[int] = Counter(labels.tolist())
        self._texts = len(texts)
        for found, label in zip(terms, labels.tolist(), strict=True):
            self._everywhere.update(found)
            self._inside.setdefault(label, Counter()).update(found)
        self._taken: set[str] = set()

    def of(self, label: int) -> tuple[str, str, tuple[str, ...]]:
        """Return name, id and telling words of a group; no two groups get the same id."""
        words: list[str] = []
        ranked = self._ranked(label)
        for term in ranked:
            if not any(_share_a_word(term, chosen) for chosen in words):
                words.append(term)
            if len(words) == 4:
                break
        first, second = ranked[words[0]] if words else 0.0, ranked[words[1]] if words[1:] else 0.0
        # A second term is part of the name where it tells about as much.
        said = words[: 2 if second > 0.3 * first else 1]
        name = ", ".join(said) or "Unnamed"
        name = name[0].upper() + name[1:]
        plainly = unicodedata.normalize("NFKD", " ".join(said)).encode("ascii", "ignore")
        stem = re.sub(r"[^a-z0-9]+", "_", plainly.decode().casefold()).strip("_")[:50].strip("_")
        stem = stem if re.match(r"[a-z]", stem) else f"reason_{stem}".strip("_")
        identity, number = stem, 2
        while identity in self._taken:
            identity, number = f"{stem}_{number}", number + 1
        self._taken.add(identity)
        return name if identity == stem else f"{name} ({number - 1})", identity, tuple(words)

    def _ranked(self, label: int) -> dict[str, float]:
        """Return how telling each term of a group is, the most telling first."""
        inside, size = self._inside[label], self._sizes[label]
        rest = max(self._texts - size, 1)
        scores: dict[str, float] = {}
        for term, count in inside.items():
            if count < max(2, 0.08 * size):
                continue
            outside = (self._everywhere[term] - count + 0.5) / rest
            share = count / size
            # A pair of words says more than one of them, and is seldom as frequent.
            scores[term] = share * float(np.log(share / outside)) * (1.4 if " " in term else 1.0)
        return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0])))


def _terms(text: str) -> set[str]:
    """Return telling words, and pairs of neighbours that are both telling."""
    found: set[str] = set()
    for clause in re.split(r"[.,;:!?()\"\n]+", text):
        words = [word.casefold().replace("’", "'") for word in _WORD.findall(clause)]
        telling = [word not in _STOP and len(word) > 1 for word in words]
        found |= {word for word, tells in zip(words, telling, strict=True) if tells}
        for (one, first), (two, second) in pairwise(zip(words, telling, strict=True)):
            if first and (second or two in _PARTICLES) and one != two:
                found.add(f"{one} {two}")
    return found


def _share_a_word(one: str, two: str) -> bool:
    """Whether two terms have a word in common, in whatever form."""
    first, second = ({word[:5].rstrip("s") for word in term.split()} for term in (one, two))
    return bool(first & second)


_CODE = re.compile(
    r"(?<![\w.,@/-])(?P<hash>\#[ ]?)?(?:(?P<prefix>[A-Za-z]{1,6})(?P<gap>[-_/ ]?))?(?P<digits>\d{4,14})"
    r"(?![\w@%]|[.,:/-]\d)"
)
_NOUN: Final[Mapping[str, str]] = {
    "order": "order",
    "orders": "order",
    "purchase": "order",
    "invoice": "invoice",
    "bill": "invoice",
    "booking": "booking",
    "reservation": "booking",
    "ticket": "ticket",
    "case": "case",
    "account": "account",
    "customer": "customer",
    "member": "membership",
    "membership": "membership",
    "tracking": "tracking",
    "parcel": "tracking",
    "shipment": "tracking",
    "serial": "serial",
    "policy": "policy",
    "claim": "claim",
    "transaction": "transaction",
    "reference": "reference",
    "ref": "reference",
    "confirmation": "confirmation",
}
_WORDS_BEFORE_NUMBERS = (
    "am an and at by for from in is it my no number nr of on or order since than the to was with "
    "year about around over under invoice code pin case claim ticket jan feb mar apr may june july "
    "sept oct nov dec usd eur gbp"
)
_NOT_A_PREFIX = frozenset(_WORDS_BEFORE_NUMBERS.split())


@dataclass(frozen=True, slots=True)
class _Code:
    prefix: str
    digits: int
    noun: str


def _codes(text: str) -> Iterable[_Code]:
    """Yield what looks like an identifier in a text; years and amounts do not."""
    for hit in _CODE.finditer(text):
        prefix = (hit["prefix"] or "").upper()
        if prefix.casefold() in _NOT_A_PREFIX or (hit["gap"] == " " and not prefix.isupper()):
            prefix = ""
        if prefix and hit["gap"] == " " and not (hit["prefix"] or "").isupper():
            prefix = ""
        before = text[max(0, hit.start() - 40) : hit.start("digits")].casefold()
        nouns = [_NOUN[word] for word in _WORD.findall(before) if word in _NOUN]
        bare = not prefix and not hit["hash"] and not nouns
        year = len(hit["digits"]) == 4 and hit["digits"][:2] in ("19", "20")
        money = text[: hit.start()].rstrip()[-1:] in {"$", "€", "£"}
        if money or (year and not prefix) or (bare and len(hit["digits"]) < 6):
            continue
        yield _Code(prefix, len(hit["digits"]), nouns[-1] if nouns else "")


def required_fields(texts: Sequence[str]) -> tuple[SuggestedField, ...]:
    """Return the identifiers that at least half of the contacts of a group hold, such as orders.

    Args:
        texts: All own words of each contact, one text a contact.
    """
    holders: dict[str, list[list[_Code]]] = {}
    for text in texts:
        by_prefix: dict[str, list[_Code]] = {}
        for code in _codes(text):
            by_prefix.setdefault(code.prefix, []).append(code)
        for prefix, codes in by_prefix.items():
            holders.setdefault(prefix, []).append(codes)
    found: dict[str, SuggestedField] = {}
    for prefix, held in sorted(holders.items(), key=lambda item: (-len(item[1]), item[0])):
        share = len(held) / max(len(texts), 1)
        if share < _NEEDED_SHARE or len(held) < FEWEST_IN_GROUP:
            continue
        codes = [code for some in held for code in some]
        noun = Counter(code.noun for code in codes if code.noun).most_common(1)
        name = noun[0][0] if noun else "reference"
        field = SuggestedField(
            id=f"{name}_number",
            name=f"{name.capitalize()} number",
            pattern=_pattern(prefix, [code.digits for code in codes]),
            share=share,
        )
        found.setdefault(field.id, field)
    return tuple(found.values())


def _pattern(prefix: str, lengths: Sequence[int]) -> str:
    """Return a pattern for codes of a prefix and of the usual lengths, however they are spaced."""
    usual = [length for length, count in Counter(lengths).items() if count >= 0.1 * len(lengths)]
    low, high = min(usual), max(usual)
    count = f"{{{low}}}" if low == high else f"{{{low},{high}}}"
    if prefix:
        return rf"\b{re.escape(prefix)}[-_/ ]?\d{count}\b"
    return rf"(?<![\w-])#?\d{count}(?![\w-])"


def as_yaml(suggestion: Suggestion, read_from: str) -> str:
    """Return the proposal as a reason map with comments that tell a lead what to do.

    Args:
        read_from: What the contacts were read from, for the heading.
    """
    ungrouped = suggestion.ungrouped
    lines = [
        f"# Proposed by `proofdesk reasons suggest` from {suggestion.contacts:,} contacts in",
        f"# {_comment(read_from)}. It groups what customers asked; what each group may do",
        "# is yours to say. For every reason: correct its name, fill in the owner (the team), the",
        "# SLA and the tier (allowed, review_required, escalate_first; until then a person reviews",
        "# all), join what belongs together, and take out what is no reason. Then run",
        "# `proofdesk reasons check`.",
        "#",
        f"# {ungrouped:,} contacts ({_percent(ungrouped / suggestion.contacts)}) fit no group"
        + (", such as:" if suggestion.left_over else "."),
        *(f"#   {_comment(text)}" for text in suggestion.left_over),
        "version: 1",
        "reasons:",
    ]
    for reason in suggestion.reasons:
        lines += _reason_lines(reason)
    return "\n".join(lines) + "\n"


def _reason_lines(reason: SuggestedReason) -> list[str]:
    lines = [
        "",
        f"  # {reason.size:,} contacts, {_percent(reason.share)} of all. "
        f"Telling words: {_comment(', '.join(reason.words) or 'none')}.",
        f"  - id: {reason.id}",
        f"    name: {_scalar(reason.name)}",
        '    description: ""             # one sentence: what does the customer want?',
        "    owner:                      # the team; without one a person sorts its contacts",
        "    tier: review_required       # or allowed, or escalate_first",
        "    # sla_minutes: 480          # answered within, in minutes",
    ]
    if reason.required:
        lines.append("    required:                   # without these the desk asks first")
    for field in reason.required:
        lines += [
            f"      # {_percent(field.share)} of its contacts hold one.",
            f"      - id: {field.id}",
            f"        name: {_scalar(field.name)}",
            f"        ask: {_scalar(f'Could you tell us your {field.name.lower()}, please?')}",
            f"        pattern: {_scalar(field.pattern)}",
            f"        field: {field.id}",
        ]
    return [*lines, "    examples:", *(f"      - {_scalar(text)}" for text in reason.examples)]


def _scalar(text: str) -> str:
    import yaml

    dumped: Any = yaml.safe_dump(
        " ".join(text.split()), default_style='"', allow_unicode=True, width=10**9
    )
    return str(dumped).strip()


def _comment(text: str) -> str:
    """Return ``text`` in one line of at most 90 printable characters."""
    line = "".join(char if char.isprintable() else " " for char in " ".join(text.split()))
    return line if len(line) <= 90 else line[:89] + "…"


def _percent(share: float) -> str:
    return f"{share:.1%}"


def as_json(suggestion: Suggestion) -> dict[str, Any]:
    """Return the proposal for programs."""
    return {
        "contacts": suggestion.contacts,
        "ungrouped": suggestion.ungrouped,
        "left_over": list(suggestion.left_over),
        "reasons": [
            {
                "id": reason.id,
                "name": reason.name,
                "words": list(reason.words),
                "size": reason.size,
                "share": round(reason.share, 4),
                "examples": list(reason.examples),
                "required": [
                    {
                        "id": field.id,
                        "name": field.name,
                        "pattern": field.pattern,
                        "share": round(field.share, 4),
                    }
                    for field in reason.required
                ],
            }
            for reason in suggestion.reasons
        ],
    }
