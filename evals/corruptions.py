"""How much of what is wrong does the evidence check find, and how often does it cry wolf?

Drafts that rest on real passages are corrupted one fact at a time, from a seed: a figure, a date,
a negation, a name. The check must object to the corrupted sentence, must stay silent on the draft
as it was, and should stay silent on the same sentence in other words.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from core.errors import BadInput
from core.identifiers import text_digest
from evals.scores import wilson
from graph.draft import cite_whole
from graph.ports import Checker
from graph.values import CheckReport, Draft, Sentence
from kb.content import Passage
from kb.facts import Fact, extract_facts
from kb.markup import split_front_matter
from kb.passages import cut
from kb.sentences import split_sentences
from kb.wrong_values import replace_span, swapped_values, wrong_value

CorruptionKind = Literal[
    "number", "amount", "percentage", "duration", "date", "negation", "permission", "name", "swap"
]
KINDS: Final[tuple[CorruptionKind, ...]] = (
    "number", "amount", "percentage", "duration", "date", "negation", "permission", "name", "swap",
)  # fmt: skip
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sample:
    """A draft with everything the check needs to judge it."""

    draft: Draft
    passages: dict[str, Passage]

    @property
    def in_force(self) -> set[str]:
        """The versions its citations were made from."""
        return {passage.version_id for passage in self.passages.values()}


@dataclass(frozen=True)
class Variant:
    """A sample in which one sentence was changed."""

    sample: Sample
    kind: str
    sentence: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % Wilson interval."""

    hits: int
    total: int

    @property
    def share(self) -> float:
        """Hits over total; 0 when there were none."""
        return self.hits / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval."""
        return wilson(self.hits, self.total)

    def as_json(self) -> dict[str, float | int]:
        """Return the rate as plain JSON."""
        low, high = self.interval
        return {
            "hits": self.hits, "total": self.total, "share": round(self.share, 4),
            "low": round(low, 4), "high": round(high, 4),
        }  # fmt: skip


# -- reading a help center -----------------------------------------------------------------------


def help_center(folder: Path) -> list[Passage]:
    """Return the passages of a folder of Markdown or HTML articles.

    Args:
        folder: Holds ``docs/``, or is the folder of articles itself.

    Raises:
        BadInput: There is no article in it.
    """
    root = folder / "docs" if (folder / "docs").is_dir() else folder
    found: list[Passage] = []
    files = sorted(p for p in root.rglob("*") if p.suffix in {".md", ".markdown", ".html"})
    for path in files:
        front, body = split_front_matter(path.read_text(encoding="utf-8", errors="replace"))
        named = re.search(r"^title:\s*[\"']?(.+?)[\"']?\s*$", front, re.M)
        title = named.group(1) if named else path.stem.replace("-", " ").capitalize()
        article = f"{folder.name}/{path.relative_to(root)}"
        version = text_digest(body)[:16]
        for number, piece in enumerate(cut(body, title=title)):
            found.append(
                Passage(
                    id=f"{version}#{number}", kind="article", article_id=article,
                    version_id=version, version=1, title=title, anchor=piece.anchor,
                    heading_path=piece.heading_path, start=piece.start, end=piece.end,
                    text=piece.text, plain=piece.plain, content_hash=text_digest(piece.plain),
                    effective_from=_LONG_AGO,
                )
            )  # fmt: skip
    if not found:
        raise BadInput(f"{folder} holds no Markdown or HTML article; name a help-center folder.")
    return found


# -- drafts --------------------------------------------------------------------------------------

_RESIDUE = re.compile(r"[{}|<>\\]|\*\*|\]\(|^\W*$|::|=>")
_LEAD_INS: Final = (
    "According to our help center, ", "As our documentation says, ", "Please note that ",
    "Our policy states that ", "In short, ",
)  # fmt: skip


def tellable(passage: Passage) -> list[str]:
    """Return the sentences of a passage that a reply could hold as they are."""
    texts = (passage.plain[start:end] for start, end in split_sentences(passage.plain))
    return [
        text
        for text in texts
        if 5 <= len(text.split()) <= 45
        and not _RESIDUE.search(text)
        and not text.endswith((":", "?"))
        and text[0].isalpha()
        and sum(c.isalpha() for c in text) > 0.6 * len(text)
    ]


def _lower_start(text: str) -> str:
    first = text.split(" ", 1)[0]
    keep = first == "I" or first.startswith("I'") or not first.istitle()
    names = {fact.start for fact in extract_facts(f"so {text}", polarity=False)}
    return text if keep or 3 in names else text[0].lower() + text[1:]


def _adapt(text: str, passage: Passage, rng: random.Random) -> str:
    """Return ``text`` as a reply would have it: as it is, with a lead-in, under its heading, cut."""
    style = rng.random()
    if style < 0.4:
        return text
    if style < 0.6:
        return rng.choice(_LEAD_INS) + _lower_start(text)
    if (
        style < 0.75
        and passage.heading_path
        and re.match(r"[^\W\d].{3,58}$", passage.heading_path[-1])
    ):
        return f"{passage.heading_path[-1].rstrip('.:?!')}: {_lower_start(text)}"
    items = text.split(", ")
    if style < 0.9 and len(items) >= 4 and all(len(item.split()) <= 5 for item in items[1:-1]):
        kept = items[: len(items) - 1]
        return ", ".join(kept[:-1]) + f" or {kept[-1].removeprefix('or ').removeprefix('and ')}."
    return text


def build_drafts(passages: Sequence[Passage], count: int, seed: int = 0) -> list[Sample]:
    """Return ``count`` drafts of one to three sentences, verbatim or lightly adapted.

    Passages that hold a figure are drawn three times as often, so that there is enough to corrupt.
    """
    rng = random.Random(seed)
    usable = [passage for passage in passages if tellable(passage)]
    if not usable:
        return []
    figures = [passage for passage in usable if re.search(r"\d", passage.plain)] or usable
    samples: list[Sample] = []
    for _ in range(count):
        chosen = [
            rng.choice(figures if rng.random() < 0.6 else usable)
            for _ in range(rng.choice((1, 1, 2, 3)))
        ]
        sentences: list[Sentence] = []
        for passage in dict.fromkeys(chosen):
            text = rng.choice(tellable(passage))
            sentences.append(
                {"text": _adapt(text, passage, rng), "citations": [cite_whole(passage)]}
            )
        samples.append(
            Sample(
                {
                    "kind": "answer",
                    "opening": rng.choice(("", "Hello,", "Thank you for contacting us.")),
                    "sentences": sentences,
                    "closing": rng.choice(("", "Best regards,", "I hope this helps!")),
                    "drafter": "extractive",
                    "note": "",
                },
                {passage.id: passage for passage in chosen},
            )
        )
    return samples


# -- corruptions ---------------------------------------------------------------------------------

_INVENTED: Final = (
    "Northwind",
    "Zephyr",
    "Quillon",
    "Orbita",
    "Marlowe",
    "Tandem Plus",
    "Acme Pro",
)
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|will|would|can|could|may|might|must|should|has|have|does|do|did)\b(?!\s+not|n['’]t|\s+never|\s+no\b)",
    re.I,
)
_NOT = re.compile(r"(?<=\s)(?:not|never)\s|n['’]t\b|(?<=can)not\b|\bno longer\s", re.I)
_MODAL_SWAPS: Final = {
    "can": "must", "may": "must", "must": "can", "should": "must", "cannot": "must",
    "have to": "can", "need to": "may", "required to": "allowed to", "allowed to": "required to",
}  # fmt: skip
_NOT_NAMES_TO_SWAP = re.compile(r"^(?:[A-Z]|I[ID]|OK|No|Yes|FAQ|e\.g\.)$")


def _negate(text: str, rng: random.Random) -> str | None:
    """Insert or take out a negation."""
    found = list(_NOT.finditer(text))
    if found and rng.random() < 0.6:
        match = rng.choice(found)
        word = match.group().lower().replace("’", "'")
        if word == "n't":
            stem_start = match.start()
            before = text[:stem_start]
            before = re.sub(r"\bca$", "can", before)
            before = re.sub(r"\bwo$", "will", before)
            return before + text[match.end() :]
        return replace_span(text, match.start(), match.end(), "")
    spots = list(_AUXILIARY.finditer(text))
    if not spots:
        return None
    match = rng.choice(spots)
    word = match.group()
    if word.lower() == "can" and rng.random() < 0.5:
        return replace_span(text, match.start(), match.end(), word + "not")
    return replace_span(
        text, match.start(), match.end(), word + rng.choice((" not", " not", " never"))
    )


def _change_permission(text: str, rng: random.Random) -> str | None:
    spots = [
        (match, old, new)
        for old, new in _MODAL_SWAPS.items()
        for match in re.finditer(rf"\b{old}\b(?!\s+not|n['’]t|\s+\d)", text)
        if not text[match.end() :].startswith(("n't", "n’t"))
    ]
    if not spots:
        return None
    match, _, new = rng.choice(spots)
    return replace_span(text, match.start(), match.end(), new)


def _names_of(text: str) -> list[Fact]:
    return [
        fact
        for fact in extract_facts(text, polarity=False)
        if fact.kind == "name" and not _NOT_NAMES_TO_SWAP.match(fact.text) and len(fact.text) > 2
    ]


def _change_name(text: str, pool: Sequence[str], rng: random.Random) -> str | None:
    emails = [f for f in extract_facts(text, polarity=False, names=False) if f.kind == "email"]
    if emails and rng.random() < 0.5:
        fact = rng.choice(emails)
        user, domain = fact.text.split("@", 1)
        return replace_span(text, fact.start, fact.end, f"{rng.choice(('billing', 'help', 'info'))}x@{domain}"
                        if user != "billing" else f"sales@{domain}")  # fmt: skip
    names = _names_of(text)
    if not names:
        return None
    fact = rng.choice(names)
    words = set(fact.value.split())
    choices = [name for name in pool if not words & set(name.casefold().split())]
    new = rng.choice(choices) if choices and rng.random() < 0.6 else rng.choice(_INVENTED)
    return replace_span(text, fact.start, fact.end, new)


def name_pool(samples: Iterable[Sample]) -> list[str]:
    """Return the names that occur in the passages of ``samples``, each once."""
    seen: Counter[str] = Counter()
    for sample in samples:
        for passage in sample.passages.values():
            seen.update(fact.text for fact in _names_of(passage.plain[:2_000]))
    return sorted(name for name in seen if len(name) < 30)


def _corrupt(
    text: str, kind: CorruptionKind, pool: Sequence[str], rng: random.Random
) -> str | None:
    if kind == "negation":
        return _negate(text, rng)
    if kind == "permission":
        return _change_permission(text, rng)
    if kind == "name":
        return _change_name(text, pool, rng)
    if kind == "swap":
        return swapped_values(text, rng)
    facts = [
        fact
        for fact in extract_facts(text, polarity=False, names=False)
        if fact.kind == kind and not fact.vague
    ]
    return wrong_value(text, rng.choice(facts), rng) if facts else None


def corrupt(
    samples: Sequence[Sample],
    count: int,
    seed: int = 0,
    kinds: Sequence[CorruptionKind] = KINDS,
) -> list[Variant]:
    """Return up to ``count`` corruptions, kinds in turn, as evenly as the drafts allow."""
    rng = random.Random(seed)
    pool = name_pool(samples)
    spots = [(s, i) for s in samples for i in range(len(s.draft["sentences"]))]
    made: list[Variant] = []
    seen: set[tuple[str, str]] = set()
    orders = {kind: rng.sample(spots, len(spots)) * 2 for kind in kinds}
    while len(made) < count and any(orders.values()):
        for kind in kinds:
            while orders[kind] and len(made) < count:
                sample, index = orders[kind].pop()
                before = sample.draft["sentences"][index]["text"]
                after = _corrupt(before, kind, pool, rng)
                if after is None or _same(before, after) or (before, after) in seen:
                    continue
                seen.add((before, after))
                made.append(Variant(with_text(sample, index, after), kind, index, before, after))
                break
    return made


def _same(before: str, after: str) -> bool:
    fold: Callable[[str], list[str]] = lambda text: re.findall(r"\w+", text.casefold())  # noqa: E731
    return fold(before) == fold(after)


def with_text(sample: Sample, index: int, text: str) -> Sample:
    """Return ``sample`` with the words of one sentence replaced; its citations stay."""
    sentences: list[Sentence] = [
        {"text": text, "citations": s["citations"]} if i == index else s
        for i, s in enumerate(sample.draft["sentences"])
    ]
    return Sample({**sample.draft, "sentences": sentences}, sample.passages)


# -- the same in other words ---------------------------------------------------------------------

_REWORDINGS: Final[tuple[tuple[str, str, str], ...]] = (
    ("contraction", r"\bdo not\b", "don't"), ("contraction", r"\bcannot\b", "can't"),
    ("contraction", r"\bcan not\b", "can't"), ("contraction", r"\bwill not\b", "won't"),
    ("contraction", r"\bdoes not\b", "doesn't"), ("contraction", r"\bis not\b", "isn't"),
    ("contraction", r"\bare not\b", "aren't"), ("contraction", r"\bcan['’]t\b", "cannot"),
    ("contraction", r"\bdon['’]t\b", "do not"), ("contraction", r"\bwon['’]t\b", "will not"),
    ("contraction", r"\bit is\b", "it's"), ("contraction", r"\byou will\b", "you'll"),
    ("contraction", r"\bwe will\b", "we'll"), ("contraction", r"\byou are\b", "you're"),
    ("voice", r"\byou can\b(?!['’])", "you may"), ("voice", r"\byou may\b", "you can"),
    ("voice", r"\bYou can\b(?!['’])", "You're able to"), ("voice", r"\busers can\b", "you can"),
    ("voice", r"\bmust\b(?! not)", "have to"), ("voice", r"\bneed to\b", "must"),
    ("voice", r"\bCustomers\b", "You"), ("voice", r"\bWe will\b", "We'll"), ("voice", r"\bplease contact\b", "please reach out to"),
    ("voice", r"\brequest\b", "ask for"), ("voice", r"\bpurchase\b", "buy"),
    ("voice", r"\bmodify\b", "change"), ("voice", r"\bdelete\b", "remove"),
    ("voice", r"\bselect\b", "choose"), ("voice", r"\bobtain\b", "get"),
    ("voice", r"\bprior to\b", "before"), ("voice", r"\bin order to\b", "to"),
    ("voice", r"\bvia\b", "through"), ("voice", r"\bfor example\b", "e.g."),
    ("adverb", r"\b(?:also|simply|just|currently|automatically|typically|generally|usually|easily|"
               r"directly|quickly|basically|actually|fully|previously|recently) ", ""),
    ("figures", r"\btwo weeks\b", "14 days"), ("figures", r"\b14 days\b", "two weeks"),
    ("figures", r"\b24 hours\b", "one day"), ("figures", r"\b7 days\b", "one week"),
    ("figures", r"\b(?:1|one) year\b", "12 months"), ("figures", r"\b90 days\b", "ninety days"),
    ("figures", r"\b30 days\b", "thirty days"), ("figures", r"\b60 days\b", "sixty days"),
    ("figures", r"\btwo\b", "2"), ("figures", r"\bthree\b", "3"), ("figures", r"\bfour\b", "4"),
    ("figures", r"\bfive\b", "5"), ("figures", r"\bten\b", "10"), ("figures", r"(?<![\w.,-])2(?![\w.,-])", "two"),
    ("figures", r"(?<![\w.,-])3(?![\w.,-])", "three"), ("figures", r"(?<![\w.,-])5(?![\w.,-])", "five"),
    ("figures", r"(\d)%", r"\1 percent"), ("figures", r"(\d) percent\b", r"\1%"),
)  # fmt: skip


def _move_condition(text: str) -> str | None:
    match = re.fullmatch(r"(If|When|Once) ([^,]{8,80}), ([^,;:]{12,120})\.", text)
    if not match:
        return None
    word, condition, rest = match.groups()
    return f"{rest[0].upper()}{rest[1:]} {word.lower()} {condition}."


def reword(samples: Sequence[Sample], count: int, seed: int = 0) -> list[Variant]:
    """Return up to ``count`` variants that say the same in slightly other words."""
    rng = random.Random(seed)
    made: list[Variant] = []
    seen: set[str] = set()
    for sample in rng.sample(list(samples), len(samples)):
        for index, sentence in enumerate(sample.draft["sentences"]):
            text = sentence["text"]
            options = [
                (kind, pattern, by) for kind, pattern, by in _REWORDINGS if re.search(pattern, text)
            ]
            moved = _move_condition(text)
            if moved:
                options.append(("order", re.escape(text), moved.replace("\\", r"\\")))
            rng.shuffle(options)
            after, kinds = text, []
            for kind, pattern, by in options[: rng.choice((1, 2, 3))]:
                changed = re.sub(pattern, by, after, count=1)
                if changed != after:
                    after = changed[0].upper() + changed[1:]
                    kinds.append(kind)
            if not kinds or after in seen:
                continue
            seen.add(after)
            made.append(Variant(with_text(sample, index, after), kinds[0], index, text, after))
            if len(made) >= count:
                return made
    return made


# -- the suite -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class CorruptionScores:
    """The outcome of the suite on one set of drafts.

    Attributes:
        found: By kind of corruption, how many were objected to at the right sentence.
        clean: Untouched drafts that were objected to: false alarms.
        reworded: By kind, reworded sentences that were objected to: false alarms.
        missed: Corruptions nobody objected to.
        alarms: Untouched or reworded sentences that were, with the first finding's message.
        milliseconds: Mean time of one check.
    """

    found: dict[str, Rate]
    clean: Rate
    reworded: dict[str, Rate]
    missed: list[Variant]
    alarms: list[tuple[str, str]]
    milliseconds: float

    @property
    def recall(self) -> Rate:
        """All kinds together."""
        return Rate(
            sum(r.hits for r in self.found.values()), sum(r.total for r in self.found.values())
        )

    @property
    def reworded_alarms(self) -> Rate:
        """All rewordings together."""
        return Rate(
            sum(r.hits for r in self.reworded.values()),
            sum(r.total for r in self.reworded.values()),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the scores as plain JSON."""
        return {
            "recall": self.recall.as_json(),
            "found": {kind: rate.as_json() for kind, rate in self.found.items()},
            "clean_alarms": self.clean.as_json(),
            "reworded_alarms": self.reworded_alarms.as_json(),
            "reworded": {kind: rate.as_json() for kind, rate in self.reworded.items()},
            "missed": [{"kind": v.kind, "before": v.before, "after": v.after} for v in self.missed],
            "alarms": [{"text": text, "message": message} for text, message in self.alarms],
            "milliseconds_per_draft": round(self.milliseconds, 3),
        }


def _objects(report: CheckReport, sentence: int) -> bool:
    return any(finding["sentence"] == sentence for finding in report["findings"])


def run(
    checker: Checker,
    samples: Sequence[Sample],
    variants: Sequence[Variant],
    rewordings: Sequence[Variant] = (),
) -> CorruptionScores:
    """Check every draft, every corruption and every rewording."""
    alarms: list[tuple[str, str]] = []
    spent = 0.0
    clean_alarms = 0
    for sample in samples:
        started = time.perf_counter()
        report = checker.check(sample.draft, sample.passages, sample.in_force)
        spent += time.perf_counter() - started
        if not report["passed"]:
            clean_alarms += 1
            finding = report["findings"][0]
            text = sample.draft["sentences"][finding["sentence"]]["text"]
            alarms.append((text, f"{finding['rule']}: {finding['message']}"))
    found: dict[str, list[bool]] = {}
    missed: list[Variant] = []
    for variant in variants:
        report = checker.check(
            variant.sample.draft, variant.sample.passages, variant.sample.in_force
        )
        hit = _objects(report, variant.sentence)
        found.setdefault(variant.kind, []).append(hit)
        if not hit:
            missed.append(variant)
    reworded: dict[str, list[bool]] = {}
    for variant in rewordings:
        report = checker.check(
            variant.sample.draft, variant.sample.passages, variant.sample.in_force
        )
        hit = _objects(report, variant.sentence)
        reworded.setdefault(variant.kind, []).append(hit)
        if hit:
            message = next(f for f in report["findings"] if f["sentence"] == variant.sentence)
            alarms.append((variant.after, f"{message['rule']}: {message['message']}"))
    return CorruptionScores(
        {kind: Rate(sum(hits), len(hits)) for kind, hits in sorted(found.items())},
        Rate(clean_alarms, len(samples)),
        {kind: Rate(sum(hits), len(hits)) for kind, hits in sorted(reworded.items())},
        missed,
        alarms,
        1000 * spent / max(1, len(samples)),
    )


def dumps(scores: CorruptionScores) -> str:
    """Return the scores as one line of JSON."""
    return json.dumps(scores.as_json(), ensure_ascii=False)
