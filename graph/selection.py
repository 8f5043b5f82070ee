"""Chooses which statements of the sources answer a question, and what must come along with them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from graph.asking import answer_types, folded, type_fit, unknown_names, unknown_words
from graph.courtesies import first_name
from graph.draft import content_words
from graph.statements import PLACEHOLDER, Statement, statements_of
from graph.values import Customer
from kb.content import Passage
from retrieval.ports import Embedder, Hit


@dataclass(frozen=True, slots=True)
class Line:
    """A statement in its place.

    Attributes:
        hit: The hit it stands in; None for a neighbour that only comes along with others.
        previous: Position of the statement before it in the same section, if it is known.
        following: Position of the one after it.
    """

    passage: Passage
    statement: Statement
    hit: Hit | None
    previous: int | None = None
    following: int | None = None

    @property
    def heading(self) -> str:
        """The nearest heading, without lead-ins of lists."""
        headings = [part for part in self.passage.heading_path if not _is_lead(part)]
        return headings[-1] if headings else self.passage.title

    @property
    def lead(self) -> str:
        """The lead-in that the passage was cut from, ``""`` when there is none."""
        path = self.passage.heading_path
        return path[-1] if path and _is_lead(path[-1]) else ""


def _is_lead(part: str) -> bool:
    return part.rstrip().endswith((":", "：", "…", "..."))


_CASE_CLAIM = re.compile(
    r"\b(?:we|i)(?:['’]ve| have|['’]re| are| just| already)\b(?! (?:a|an|no|to|the right|several|two|three)\b)"
    r"|\b(?:has|have) been\b|\bis already\b|\bwe (?:sent|issued|refunded|cancell?ed|processed|received|checked)\b",
    re.I,
)
_GREETS = re.compile(
    r"(?:hi|hello|hey|dear|thank you for|thanks for|(?:best|kind|warm) regards)\b", re.I
)


def _filled(statement: Statement, customer: Customer) -> Statement | None:
    """Fill a macro's placeholders from what is known of the customer; None when one stays open."""
    known = {_field_key(name): value for name, value in customer["fields"].items()}
    first = first_name(customer["name"])
    for key in ("name", "customername", "firstname", "customerfirstname", "requesterfirstname"):
        known.setdefault(key, first)

    def fill(found: re.Match[str]) -> str:
        name = next(part for part in found.groups() if part)
        value = known.get(_field_key(name)) or known.get(_field_key(name.rpartition(".")[2]), "")
        return value or "\ufffc"

    text = PLACEHOLDER.sub(fill, statement.text)
    if "\ufffc" in text or "{{" in text or "{%" in text:
        return None
    # A macro that says what was done for somebody says it of another customer's case.
    if _CASE_CLAIM.search(text) or _GREETS.match(text):
        return None
    return replace(statement, text=text)


def _field_key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def lines_of(
    hits: Sequence[Hit], neighbours: Mapping[str, Sequence[Passage]], customer: Customer
) -> list[Line]:
    """Return the statements of ``hits``, article by article in reading order.

    Args:
        neighbours: Version id → its passages, where known; their statements may come along with
            the ones of the hits.
        customer: Fills the placeholders of macros.
    """
    by_id = {hit.passage.id: hit for hit in hits}
    placed: list[tuple[Passage, Statement, int | None]] = []
    following: dict[int, int] = {}
    for version_id in dict.fromkeys(hit.passage.version_id for hit in hits):
        own = {h.passage.id: h.passage for h in hits if h.passage.version_id == version_id}
        whole = version_id in neighbours
        passages = list(neighbours[version_id]) if whole else list(own.values())
        before: tuple[Passage, int] | None = None
        for passage in sorted(passages, key=lambda p: p.start):
            for statement in statements_of(passage):
                if passage.kind == "macro":
                    filled = _filled(statement, customer)
                    statement = filled or replace(statement, usable=False)
                index = len(placed)
                previous = None
                if before and (
                    before[0].id == passage.id
                    or (
                        before[0].anchor == passage.anchor
                        and (whole or _adjacent(before[0], passage))
                    )
                ):
                    previous = before[1]
                    following[previous] = index
                placed.append((passage, statement, previous))
                before = (passage, index)
    return [
        Line(passage, statement, by_id.get(passage.id), previous, following.get(index))
        for index, (passage, statement, previous) in enumerate(placed)
    ]


def _adjacent(first: Passage, second: Passage) -> bool:
    """Whether nothing but white space can stand between two passages of one version."""
    return 0 <= second.start - first.end <= 2 or _ordinal(second) - _ordinal(first) == 1


def _ordinal(passage: Passage) -> int:
    number = passage.id.rpartition("#")[2]
    return int(number) if number.isdigit() else -(10**9)


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for one line. All but ``cosine`` and ``in_context`` are in 0..1."""

    cosine: float
    in_context: float
    passage: float
    overlap: float
    context_overlap: float
    fit: float
    rank: float
    pointer: float
    macro: float

    def vector(self) -> list[float]:
        """Return the features in the order of the weights."""
        return [
            self.cosine,
            self.in_context,
            self.passage,
            self.overlap,
            self.context_overlap,
            self.fit,
            self.rank,
            self.pointer,
            self.macro,
        ]


LINE_WEIGHTS = (3.4, 3.4, 2.3, 1.6, 2.7, 0.7, 1.0, -1.2, -0.3)


def line_score(features: Features) -> float:
    """Return how well a line answers; only differences mean anything."""
    return sum(w * x for w, x in zip(LINE_WEIGHTS, features.vector(), strict=True))


@lru_cache(maxsize=8_192)
def _words(text: str) -> frozenset[str]:
    return frozenset(content_words(text))


@lru_cache(maxsize=8_192)
def _figures(text: str) -> frozenset[str]:
    return frozenset(word for word in _words(text) if any(c.isdigit() for c in word))


def features_of(
    questions: Sequence[str], lines: Sequence[Line], embedder: Embedder
) -> list[list[Features | None]]:
    """Return, for each question, the features of each line; None for a line that cannot be told.

    When a question asks how to do something, a step is judged by the whole list it belongs to.
    """
    eligible = [i for i, line in enumerate(lines) if line.hit and line.statement.usable]
    if not eligible or not questions:
        return [[None] * len(lines) for _ in questions]
    texts = [_texts(i, lines) for i in eligible]
    hits = {line.passage.id: line.hit for line in lines if line.hit}
    whole = {key: f"{hit.passage.context}\n{hit.passage.plain}" for key, hit in hits.items()}
    distinct = list(dict.fromkeys(text for variants in texts for text in variants))
    # The hits answer to all questions together; which one a passage answers must be seen anew.
    apart = list(dict.fromkeys(whole.values())) if len(questions) > 2 else []
    column = {text: at for at, text in enumerate([*distinct, *apart])}
    vectors = embedder.embed([*questions, *column])
    cosines = vectors[: len(questions)] @ vectors[len(questions) :].T
    found: list[list[Features | None]] = []
    for row, question in zip(cosines, questions, strict=True):
        standing = {key: (hit.cosine, hit.rank) for key, hit in hits.items()}
        if apart:
            distance = {key: -float(row[column[text]]) for key, text in whole.items()}
            near = sorted(hits, key=distance.__getitem__)
            standing = {key: (-distance[key], rank) for rank, key in enumerate(near, start=1)}
        asked, types = _words(question), answer_types(question)
        features: list[Features | None] = [None] * len(lines)
        for index, (alone, in_context, run, run_in_context) in zip(eligible, texts, strict=True):
            line = lines[index]
            nearness, rank = standing[line.passage.id]
            as_list = "steps" in types and _is_step(line)
            told = run if as_list else alone
            words = _words(told)
            around = words | _words(line.passage.context)
            features[index] = Features(
                cosine=float(row[column[told]]),
                in_context=float(row[column[run_in_context if as_list else in_context]]),
                passage=nearness,
                overlap=len(asked & words) / max(1, len(asked)),
                context_overlap=len(asked & around) / max(1, len(asked)),
                fit=1.0 if as_list else type_fit(types, told),
                rank=1 / rank,
                pointer=float(line.statement.pointer or line.statement.leads),
                macro=float(line.passage.kind == "macro"),
            )
        found.append(features)
    return found


def _texts(index: int, lines: Sequence[Line]) -> tuple[str, str, str, str]:
    """Return a line alone and in its context, and the same of the list of steps it belongs to."""
    alone = lines[index].statement.text
    in_context = _in_context(lines[index], alone)
    if not _is_step(lines[index]):
        return alone, in_context, alone, in_context
    run = " ".join(lines[i].statement.text for i in run_of_steps(index, lines))
    return alone, in_context, run, _in_context(lines[index], run)


def _in_context(line: Line, text: str) -> str:
    parts = [
        line.passage.title,
        line.heading if line.heading != line.passage.title else "",
        line.lead,
    ]
    return ": ".join([*(p.rstrip(":") for p in parts if p), text])


ANSWER_WEIGHTS = (1.2, 6.2, 0.0, 3.4, -2.3, -0.9)
ANSWER_BIAS = -5.3


def answer_signals(
    question: str, lines: Sequence[Line], features: Sequence[Features | None]
) -> list[float]:
    """Return what tells whether the sources answer: cosines, overlap, unknown names."""
    known = [f for f in features if f]
    if not known:
        return [0.0] * len(ANSWER_WEIGHTS)
    best = max(known, key=line_score)
    told = " ".join(f"{line.passage.context} {line.passage.plain}" for line in lines if line.hit)
    return [
        max(f.in_context for f in known),
        best.cosine,
        max(f.passage for f in known),
        best.context_overlap,
        unknown_names(question, told),
        unknown_words(question, told),
    ]


def answer_probability(signals: Sequence[float]) -> float:
    """Return how likely the sources answer the question, 0..1."""
    total = ANSWER_BIAS + sum(w * x for w, x in zip(ANSWER_WEIGHTS, signals, strict=True))
    return 1 / (1 + math.exp(-total))


@dataclass(frozen=True, slots=True)
class Budget:
    """How long an answer may get. Exceptions and steps may exceed it, never be cut by it."""

    sentences: int = 4
    words: int = 90
    margin: float = 1.5

    def shared(self, parts: int) -> Budget:
        """Return the share of one of ``parts`` questions that are answered together."""
        if parts <= 1:
            return self
        share = 1 / parts + 0.2
        return Budget(max(1, round(self.sentences * share)), round(self.words * share), self.margin)


_HARD_WORDS = 190
_STEPS_AT_MOST = 12
_SHORT_LIST = 5


def companions(index: int, lines: Sequence[Line]) -> list[int] | None:
    """Return the positions that must come along with a line, itself included, in order.

    None when the line cannot be told completely: what it leans on is unknown or unusable, or an
    exception to it could not be told.
    """
    chosen = {index}
    at = index
    for _ in range(3):
        line = lines[at]
        if not line.statement.leans_back:
            break
        if line.previous is None or not lines[line.previous].statement.usable:
            return None
        at = line.previous
        chosen.add(at)
    else:
        return None
    for position in sorted(chosen):
        if not _add_lead(position, lines, chosen):
            return None
    if not _add_exceptions(index, lines, chosen):
        return None
    return sorted(chosen)


def _add_lead(index: int, lines: Sequence[Line], chosen: set[int]) -> bool:
    """Add the lead-in of a list item; False when it is known and cannot be told."""
    line = lines[index]
    if line.statement.leads:
        return True
    target = lead_position(index, lines)
    if target is not None:
        if not lines[target].statement.usable:
            return lines[target].statement.text.endswith("?")
        chosen.add(target)
    return True


def lead_position(index: int, lines: Sequence[Line]) -> int | None:
    """Return the position of the line that leads in the list item at ``index``, if it is known."""
    line = lines[index]
    if not line.lead and line.statement.lead_in is None:
        return None
    at = line.previous
    for _ in range(30):
        if at is None:
            return None
        candidate = lines[at]
        own = candidate.passage.id == line.passage.id
        if candidate.statement.leads and (own or _ends_alike(line.lead, candidate.statement.text)):
            return at
        at = candidate.previous
    return None


def _ends_alike(lead: str, text: str) -> bool:
    return bool(folded(lead)) and folded(lead).endswith(folded(text)[-60:])


def _add_exceptions(index: int, lines: Sequence[Line], chosen: set[int]) -> bool:
    at = lines[index].following
    while at is not None:
        line, last = lines[at].statement, lines[max(chosen)].statement
        same_block = lines[at].passage.id == lines[index].passage.id and line.block == last.block
        starts_over = lines[at].passage.id != lines[index].passage.id
        if not line.qualifies or (
            starts_over and not line.leans_back and not _WARNS.match(line.text)
        ):
            break
        if line.kind != "sentence" and not same_block:
            break
        if not line.usable:
            return line.text.rstrip().endswith("?")
        chosen.add(at)
        at = lines[at].following
    return True


_WARNS = re.compile(r"(?:unless|except|however|but|note\b|please note|exceptions?\b)", re.I)


def list_items(index: int, lines: Sequence[Line]) -> list[int] | None:
    """Return the items of the list that the line at ``index`` leads in; None when one is unusable."""
    items: list[int] = []
    at = lines[index].following
    while at is not None and len(items) < _STEPS_AT_MOST:
        line = lines[at]
        if line.statement.kind not in ("item", "step"):
            if not items or line.passage.id != lines[items[-1]].passage.id:
                break
        elif line.statement.kind in ("item", "step") and not line.statement.usable:
            return None
        if line.passage.id != lines[index].passage.id and not line.lead:
            break
        items.append(at)
        at = line.following
    return items or None


def choose(
    lines: Sequence[Line],
    features: Sequence[Features | None],
    budget: Budget,
    types: frozenset[str],
) -> list[int]:
    """Return the positions of the lines of an answer in the order they should be told."""
    scores = {i: line_score(f) for i, f in enumerate(features) if f}
    ranked = sorted(scores, key=lambda i: (-scores[i], i))
    chosen: list[int] = []
    groups: list[list[int]] = []
    best: float | None = None
    told = 0  # a list counts as one sentence
    for index in ranked:
        if index in chosen or (best is not None and scores[index] < best - budget.margin):
            continue
        group = _group(index, lines, types)
        if group is None:
            continue
        is_list = len(group) > 1 and any(lines[i].statement.kind == "step" for i in group)
        fresh = [
            i for i in group if i not in chosen and (is_list or not _said(lines[i], lines, chosen))
        ]
        if index not in fresh:
            continue
        # Steps of another article belong to another task.
        if (
            is_list
            and chosen
            and lines[index].passage.version_id != lines[chosen[0]].passage.version_id
        ):
            continue
        words = sum(len(lines[i].statement.text.split()) for i in [*chosen, *fresh])
        count = told + (1 if is_list else len(fresh))
        fits = words <= budget.words and count <= budget.sentences
        if not fits and (best is not None or words > _HARD_WORDS):
            continue
        best = scores[index] if best is None else best
        told = count
        chosen += fresh
        groups.append(group)
    return _in_order(groups, set(chosen), lines)


def _group(index: int, lines: Sequence[Line], types: frozenset[str]) -> list[int] | None:
    """Return a line with what belongs to it: companions, and the whole of a list of steps."""
    line = lines[index].statement
    if line.leads:
        items = list_items(index, lines)
        return None if items is None else [index, *items]
    group = companions(index, lines)
    if group is None or not _is_step(lines[index]):
        return group
    run = run_of_steps(index, lines)
    if "steps" not in types and len(run) > _SHORT_LIST:
        return group
    # Half of a list of steps leads a customer astray: all of it, or none.
    if not all(lines[i].statement.usable for i in run):
        return None
    lead = lead_position(run[0], lines)
    whole = sorted({*group, *run, *([lead] if lead is not None else [])})
    too_long = sum(len(lines[i].statement.text.split()) for i in whole) > _HARD_WORDS
    return None if too_long else whole


_STEP_MARK = re.compile(r"[\s>]*\(?\d{1,3}[.)]\s")


def _is_step(line: Line) -> bool:
    """Whether a line is a step, or goes on with one in the same list item."""
    return line.statement.kind == "step" or bool(_STEP_MARK.match(line.passage.text))


def run_of_steps(index: int, lines: Sequence[Line]) -> list[int]:
    """Return the whole list of steps that the line at ``index`` belongs to, in order."""
    lead = lines[index].lead

    def goes_on(position: int | None) -> bool:
        return position is not None and _is_step(lines[position]) and lines[position].lead == lead

    first = index
    while goes_on(before := lines[first].previous) and before is not None:
        first = before
    run = [first]
    while goes_on(after := lines[run[-1]].following) and after is not None:
        run.append(after)
    return run[:_STEPS_AT_MOST] if len(run) <= _STEPS_AT_MOST else [index]


def _said(line: Line, lines: Sequence[Line], chosen: Iterable[int]) -> bool:
    """Whether the chosen lines say the same, or the same with another figure from another source.

    Of two sources that disagree only the better one is told; ``disagreements`` names the other.
    """
    words = _words(line.statement.text)
    known: set[str] = set()
    for index in chosen:
        known |= _words(lines[index].statement.text)
        if _disagree(lines[index], line):
            return True
    if not words or _figures(line.statement.text) - known:
        return False
    return len(words & known) / len(words) >= 0.8


def _disagree(first: Line, second: Line) -> bool:
    """Whether two lines of different articles say the same but for their figures."""
    if first.passage.article_id == second.passage.article_id:
        return False
    texts = first.statement.text, second.statement.text
    one, other = map(_figures, texts)
    if not one or not other or one & other:
        return False
    plain_one, plain_other = _words(texts[0]) - one, _words(texts[1]) - other
    shared = len(plain_one & plain_other)
    return shared >= 2 and shared / min(len(plain_one), len(plain_other)) >= 0.8


def disagreements(chosen: Sequence[int], lines: Sequence[Line]) -> list[tuple[Line, Line]]:
    """Return the pairs of a chosen line and a line of another source that gives other figures."""
    rivals = [line for line in lines if line.hit and line.statement.usable]
    return [(lines[i], rival) for i in chosen for rival in rivals if _disagree(lines[i], rival)]


def _in_order(
    groups: Sequence[Sequence[int]], chosen: set[int], lines: Sequence[Line]
) -> list[int]:
    """Put the best first; what belongs together, or to one passage, stays in reading order."""
    runs: list[set[int]] = []
    for group in groups:
        members = set(group) & chosen
        passages = {lines[i].passage.id for i in group}
        touched = [
            run for run in runs if run & set(group) or passages & {lines[i].passage.id for i in run}
        ]
        for run in touched[1:]:
            touched[0].update(run)
            runs.remove(run)
        if touched:
            touched[0].update(members)
        else:
            runs.append(members)
    return [index for run in runs for index in sorted(run)]
