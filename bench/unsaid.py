"""What passes the check although no source says it, and what true sentences are held back.

    python -m bench.unsaid ../shared/data/helpcenter-letsencrypt kb/sample/articles --each 120
    python -m bench.unsaid kb/sample/articles --cases bench/unsaid.jsonl --show

From the sentences of a help center that pass as they stand are made, from a seed: values in each
other's place; a value that is another one's in the same source; the words beside a value exchanged
for those beside another; scope turned over (all, never, only, up to, until, may); a condition left
out; another number of times; and promises hung on. Beside that stands the price: quotes, rewordings,
two neighbouring sentences joined to one, a tail cut off that sets no terms, and numbers of times put
otherwise.

``--cases`` adds sentences written by hand, a line of JSON each: ``article`` (its file), ``kind``
(``true``, or how it is wrong) and ``text``. ``--asked`` judges with a question, as a person's short
answer is judged.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from evals.corruptions import Rate, Sample, build_drafts, help_center, reword, tellable
from graph.check import EvidenceChecker
from graph.draft import cite_whole
from graph.faults import faults_in
from kb.content import Passage
from kb.facts import VALUE_KINDS, Fact, extract_facts, same_value
from kb.sentences import split_sentences
from kb.words import FUNCTION_WORDS, meaning
from kb.wrong_values import replace_span, swapped_values
from retrieval.embeddings import load_embedder
from retrieval.ports import Embedder

TRUE: Final = ("quoted", "reworded", "joined", "cut", "put otherwise")
_PLAIN: Final = re.compile(r"[^\W\d_]+")
_FIGURE: Final = re.compile(r"\d[\d.,]*\d|\d")

# Each turn claims more than, or something else than, what it replaces.
_TURNS: Final[tuple[tuple[str, str], ...]] = (
    (r"\bonly (?=\w)", ""), (r"\bup to (?=[\d$€£])", "at least "), (r"\bat least (?=\w)", "at most "),
    (r"\b(?:at most|no more than) (?=\w)", "at least "), (r"\bwithin (?=\d)", "after "),
    (r"\bbefore\b", "after"), (r"\bafter\b", "before"), (r"\buntil\b", "from"),
    (r"\bmore than\b", "less than"), (r"\bless than\b", "more than"), (r"\bover (?=[\d$€£])", "under "),
    (r"\b(?:some|most|many|several) (?=[a-z]+s\b)", "all "), (r"\bSome (?=[a-z]+s\b)", "All "),
    (r"\bMost (?=[a-z]+s\b)", "All "), (r"\bThe first (?=[a-z])", "Every "), (r"\bthe first (?=[a-z])", "every "),
    (r"\b(?:usually|typically|generally|normally|often|sometimes|occasionally)\b", "always"),
    (r"\balways\b", "never"), (r"\bnever\b", "always"), (r"\b(?:all|every) (?=[a-z])", "no "),
    (r"\b(?:All|Every) (?=[a-z])", "No "), (r"\b(?:may|might) (?=(?:be|take|have|need|not)\b)", "will "),
    (r"\b(expires?|ends?|end|closes?|removed|deleted) (?:within|after|in) [^,.;]+", r"\1 never"),
    (r", (?:unless|except|provided that|as long as)\b[^.;]+", ""), (r" (?:unless|except)\b[^,.;]+", ""),
    (r"\bat no (?:extra )?(?:charge|cost)\b", "for a fee"),
    (r"\b(?:is|are) free\b", "is not free"), (r"\bonce\b(?= (?:per|a|every|each)\b)", "as often as you like"),
    (r"\brequired\b", "optional"), (r"\bmust\b", "may"), (r"\bcannot\b", "can"), (r"\b(?:do|does|is|are) not\b ", ""),
)  # fmt: skip

# Other promises than those the product itself seeds (graph.faults): (words, unless the source speaks of).
_HUNG_ON: Final[tuple[tuple[str, str], ...]] = (
    ("and you get a voucher on top of it", "voucher"),
    ("and we answer around the clock", "clock|24"),
    ("and nobody else can see it", "see|visible|private"),
    ("and it works the same way abroad", "abroad|countr|international"),
    ("and there is no need to let us know", "know|notif|tell|contact|inform"),
    ("and we make an exception where it is urgent", "exception|urgent"),
    ("so you are covered in any case", "cover|insur"),
    ("and you may do so as often as you wish", "often|times|once"),
    ("which is the same for every customer", "customer|same"),
    ("but we look the other way the first time", "first"),
    ("and the rest is on us", "pay|free|cost|charge|fee"),
    ("and if you are late, that is fine too", "late|fine"),
    ("and your data stays with us in Europe", "europe|data"),
    ("and our experts set it up for you", "set ?up|expert|configur"),
)
_APART: Final[tuple[tuple[str, str], ...]] = (
    ("You will not lose anything by waiting.", "wait|los"),
    ("We have never turned down such a request.", "request"),
    ("That applies to all members of your family, too.", "family|member"),
    ("You can come back to this offer at any time.", "offer|time"),
    ("Should something be missing, it is on us.", "missing"),
    ("Your manager does not have to agree to it.", "manager|agree|approv"),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a draft, and how it came about.

    Attributes:
        kind: One of ``TRUE``, ``true``, or how it is wrong.
        text: The sentence.
        before: What it was made of; empty when written by hand.
        passages: What it cites.
    """

    kind: str
    text: str
    before: str
    passages: tuple[Passage, ...]

    @property
    def is_true(self) -> bool:
        """Whether its source says it."""
        return self.kind == "true" or self.kind in TRUE


def _values(text: str) -> list[Fact]:
    facts = extract_facts(text, polarity=False, names=False)
    return [fact for fact in facts if fact.kind in VALUE_KINDS and not fact.vague]


def exchanged(text: str, source: str, rng: random.Random) -> Iterator[str]:
    """Yield ``text`` with two of its values in each other's place."""
    if swapped := swapped_values(text, rng):
        yield swapped


def another_value(text: str, source: str, rng: random.Random) -> Iterator[str]:
    """Yield ``text`` with a value of the same kind that its source states about something else."""
    own = _values(text)
    for fact in own:
        for other in _values(source):
            # "Twice" takes the place of no figure.
            if other.kind != fact.kind or other.text.lower() in ("once", "twice", "thrice"):
                continue
            if not any(same_value(other, mine) for mine in own):
                yield replace_span(text, fact.start, fact.end, other.text)


def another_figure(text: str, source: str, rng: random.Random) -> Iterator[str]:
    """Yield ``text`` with a figure that its source has in a value of another kind."""
    mine = _values(text)
    figures = {found for fact in mine for found in _FIGURE.findall(fact.text)}
    for fact in mine:
        found = _FIGURE.search(fact.text)
        if found is None or fact.kind == "date":
            continue
        for other in _values(source):
            there = _FIGURE.search(other.text)
            if other.kind in (fact.kind, "date") or there is None or there.group() in figures:
                continue
            at = fact.start + found.start()
            yield replace_span(text, at, at + len(found.group()), there.group())


def _beside(text: str, fact: Fact) -> list[re.Match[str]]:
    """Return the words within five of a value that could tell what it is about."""
    words = [
        match
        for match in _PLAIN.finditer(text)
        if (match.end() <= fact.start or match.start() >= fact.end)
        and match.group().lower() not in FUNCTION_WORDS
        and len(match.group()) > 3
    ]
    return sorted(words, key=lambda m: min(abs(m.end() - fact.start), abs(m.start() - fact.end)))[
        :5
    ]


def _alike(text: str, mine: re.Match[str], sentence: str, yours: re.Match[str]) -> bool:
    """Say whether the same word stands before or behind two words, or none before either."""
    pairs = (
        (text[: mine.start()].split()[-1:], sentence[: yours.start()].split()[-1:]),
        (text[mine.end() :].split()[:1], sentence[yours.end() :].split()[:1]),
    )
    (before, their_before), (behind, their_behind) = pairs
    return before == their_before or bool(behind and behind == their_behind)


def another_subject(text: str, source: str, rng: random.Random) -> Iterator[str]:
    """Yield ``text`` with a word beside a value exchanged for one beside another such value.

    Only between words that are put alike: each stands in its own sentence only, before or after its
    value, and next to the same word, or both begin their sentence.
    """
    here = {word.lower() for word in _PLAIN.findall(text)}
    for sentence in (source[a:b] for a, b in split_sentences(source)):
        there = {word.lower() for word in _PLAIN.findall(sentence)}
        if sentence.strip() == text.strip() or not (here & there) - FUNCTION_WORDS:
            continue
        for fact in _values(text):
            for other in _values(sentence):
                if other.kind != fact.kind or same_value(fact, other):
                    continue
                for mine in _beside(text, fact):
                    for yours in _beside(sentence, other):
                        left, right = mine.group(), yours.group()
                        if (
                            left.lower() in there or right.lower() in here
                            or meaning(left) == meaning(right)
                            or left[:1].isupper() != right[:1].isupper()
                            or (mine.start() < fact.start) != (yours.start() < other.start)
                            or not _alike(text, mine, sentence, yours)
                        ):  # fmt: skip
                            continue
                        yield replace_span(text, mine.start(), mine.end(), right)


def turned(text: str, source: str, rng: random.Random) -> Iterator[str]:
    """Yield ``text`` with a word of scope turned over."""
    for pattern, by in _TURNS:
        for match in re.finditer(pattern, text):
            after = text[: match.start()] + match.expand(by) + text[match.end() :]
            yield after[:1].upper() + after[1:]


def promised(text: str, source: str, rng: random.Random) -> Iterator[str]:
    """Yield ``text`` with a promise hung on, and promises that stand by themselves."""
    for words, unless in _HUNG_ON:
        if text.endswith(".") and not re.search(unless, f"{text} {source}", re.I):
            yield f"{text[:-1]}, {words}."
    for words, unless in _APART:
        if not re.search(unless, f"{text} {source}", re.I):
            yield words


# Ends and beginnings that say when, or until when, the rest of a sentence holds.
_TERMS: Final = re.compile(
    r"(?P<rest>.+?),? (?P<word>if|unless|(?:as|so) long as|provided|except|only (?:if|when|for|in|on|with)"
    r"|(?P<time>when|once(?= (?:you|we|they|it|the|your|our)\b)|until|within(?= \d)|(?:during|for) the first))\b"
    r"[^.;:]{6,}\.",
    re.I,
)
# Of what will happen "within 2 days" tells the time; it limits what may be done and what is so.
_IS_SO: Final = re.compile(
    r"(?!.*\b(?:will|we)\b).*\b(?:can|may|must|have to|is|are|free|cannot)\b", re.I | re.S
)
_LED_BY_TERMS: Final = re.compile(
    r"(?:If|Unless|As long as|Provided)\b(?P<terms>[^,;:]{6,}), (?P<rest>[^;:]+\.)"
)
_WANTS: Final = re.compile(
    r"\b(?:want|wish|prefer|like|need|choose|question|questions|necessary|possible|help)\b", re.I
)
_ASKS: Final = re.compile(
    r"(?:and|but|\S+ and|on|charge|tell|file|write|follow|stop|call|leave|turn|allow|register|press)\b|"
    r"(?:please|see|visit|contact|ask|check|make|use|do|read|go|click|tap|open|choose|select|enter|try|send"
    r"|let|note|add|set|create|run|keep|take|learn|be|this|that|it|these|those)\b",
    re.I,
)
_STANDS: Final = re.compile(r"(?:.*\W)?(?!(?:that|but|and|or|to|of|the|a|an|which|than|only|even|what|as|in|by|for"
                            r"|with|from|is|are|not|be)$)\w+", re.I | re.S)  # fmt: skip
# Ends that tell why, what for or what besides: without them a sentence promises no more.
_IDLE_END: Final = re.compile(
    r"(?P<rest>.+?)(?:,? because|, so(?: that)?|, which|, where|, but|,? so that|,? in order to"
    r"|, and (?:we|you|they|it)|, e\.g\.|, such as|, for example)\b(?!.*\b(?:if|unless|only|not|until|within)\b)"
    r"[^.;:]{6,}\."
)
_TIMES: Final[tuple[tuple[str, str, str], ...]] = (
    (r"\bonce (?=(?:a|an|per|every|each)\b)", "one time ", "twice "),
    (r"\btwice\b", "two times", "three times"),
    (r"\b(?:2|two) times\b", "twice", "once"),
    (r"\b(?:3|three) times\b", "3 times", "twice"),
)


def condition(text: str, source: str, rng: random.Random) -> Iterator[str]:
    """Yield ``text`` without what says when it holds.

    Not where the rest asks for something or speaks of what stands before, nor where the condition is
    only that somebody wants it.
    """
    led, ends = _LED_BY_TERMS.fullmatch(text), _TERMS.fullmatch(text)
    if led and not _WANTS.search(led["terms"]):
        rest = led["rest"]
        if len(rest.split()) >= 4 and not _ASKS.match(rest):
            yield rest[:1].upper() + rest[1:]
    if ends and not _WANTS.search(text[ends.end("rest") :]):
        rest = ends["rest"]
        if ends["time"] and not _IS_SO.match(rest):
            return
        if len(rest.split()) >= 3 and _STANDS.fullmatch(rest) and not _ASKS.match(rest):
            yield f"{rest}."


def another_count(text: str, source: str, rng: random.Random) -> Iterator[str]:
    """Yield ``text`` with another number of times."""
    for pattern, _, other in _TIMES:
        for match in re.finditer(pattern, text):
            yield replace_span(text, match.start(), match.end(), other)


def without_idle_end(text: str) -> str:
    """Return ``text`` without an end that sets no terms; "" where it has none."""
    found = _IDLE_END.fullmatch(text)
    if found is None or len(found["rest"].split()) < 4 or not _STANDS.fullmatch(found["rest"]):
        return ""
    return f"{found['rest']}."


def counted_otherwise(text: str) -> str:
    """Return ``text`` with the same number of times in other words; "" where it has none."""
    for pattern, same, _ in _TIMES:
        if re.search(pattern, text):
            return re.sub(pattern, same, text)
    return ""


FAULTS: Final[dict[str, Callable[[str, str, random.Random], Iterator[str]]]] = {
    "exchanged": exchanged, "another value": another_value, "another figure": another_figure,
    "another subject": another_subject, "scope": turned, "promise": promised,
    "condition left out": condition, "another count": another_count,
}  # fmt: skip


def _draft(claim: Claim) -> Sample:
    citations = [cite_whole(passage) for passage in claim.passages]
    return Sample(
        {
            "kind": "answer", "opening": "", "closing": "", "note": "", "drafter": "outside",
            "sentences": [{"text": claim.text, "citations": citations}],
        },
        {passage.id: passage for passage in claim.passages},
    )  # fmt: skip


def _question(claim: Claim) -> str:
    first = claim.passages[0]
    return f"{first.heading_path[-1] if first.heading_path else first.title}?"


class Passing:
    """Says whether a claim passes, and how long that takes."""

    def __init__(self, embedder: Embedder, asked: bool) -> None:
        self._checker = EvidenceChecker(embedder)
        self._asked = asked
        self.seconds: list[float] = []

    def says(self, claim: Claim) -> str:
        """Return what is held against ``claim``; empty when it passes."""
        sample = _draft(claim)
        question = _question(claim) if self._asked else ""
        started = time.perf_counter()
        report = self._checker.check(sample.draft, sample.passages, sample.in_force, question)
        self.seconds.append(time.perf_counter() - started)
        found = report["findings"]
        return "" if report["passed"] else f"{found[0]['rule']}: {found[0]['message']}"


def claims_of(folder: Path, each: int, seed: int, passing: Passing) -> list[Claim]:
    """Return at most ``each`` claims of every kind, made of the articles in ``folder``."""
    rng = random.Random(seed)
    passages = help_center(folder)
    following = {one.id: two for one, two in pairwise(passages)
                 if one.article_id == two.article_id}  # fmt: skip
    quotes: list[Claim] = []
    for passage in passages:
        after = following.get(passage.id)
        cited: tuple[Passage, ...] = (passage,)
        if after is not None and rng.random() < 0.5:
            cited = (passage, after)
        quotes += [Claim("quoted", text, "", cited) for text in tellable(passage)]
    rng.shuffle(quotes)
    made: dict[str, list[Claim]] = defaultdict(list)
    made["quoted"] = quotes[:each]
    sound = [quote for quote in quotes[: 12 * each] if not passing.says(quote)]
    for quote in sound:
        for kind, other in (("cut", without_idle_end), ("put otherwise", counted_otherwise)):
            if (text := other(quote.text)) and text != quote.text:
                made[kind].append(Claim(kind, text, quote.text, quote.passages))
        source = "\n".join(passage.plain for passage in quote.passages)
        for kind, make in FAULTS.items():
            texts = [
                text for text in dict.fromkeys(make(quote.text, source, rng)) if text not in source
            ]
            for text in rng.sample(texts, min(2, len(texts))):
                made[kind].append(Claim(kind, text, quote.text, quote.passages))
        draft = _draft(quote)
        faults = faults_in(draft.draft, draft.passages, {}, "promise", rng)
        for fault in faults[:2]:
            made["promise, the product's"].append(
                Claim("promise, the product's", fault.after, fault.before, quote.passages)
            )
    for variant in reword(build_drafts(passages, 3 * each, seed), each, seed):
        cited = tuple(
            variant.sample.passages[citation["passage_id"]]
            for citation in variant.sample.draft["sentences"][variant.sentence]["citations"]
        )
        made["reworded"].append(Claim("reworded", variant.after, variant.before, cited))
    for passage in passages:
        told = tellable(passage)
        for one, two in pairwise(told):
            if one.endswith(".") and len(f"{one} {two}".split()) <= 40:
                text = f"{one[:-1]}, and {two[:1].lower()}{two[1:]}"
                made["joined"].append(Claim("joined", text, f"{one} {two}", (passage,)))
    return [
        claim
        for kind, claims in made.items()
        for claim in (claims if kind in ("quoted", "reworded") else rng.sample(claims, min(each, len(claims))))
    ]  # fmt: skip


def cases_of(file: Path, folder: Path) -> list[Claim]:
    """Return the claims written by hand in ``file`` about the articles in ``folder``."""
    articles: dict[str, list[Passage]] = defaultdict(list)
    for passage in help_center(folder):
        articles[passage.article_id.rsplit("/", 1)[-1]].append(passage)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        Claim(line["kind"], line["text"], "", tuple(articles[line["article"]])) for line in lines
    ]


def main() -> int:
    """Print what passed; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--each", type=int, default=120, help="claims of a kind and folder")
    parser.add_argument("--cases", type=Path, help="by hand, about the first folder")
    parser.add_argument("--asked", action="store_true", help="judge with a question")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", nargs="*", help="kinds of which to print what went wrong; all")
    given = parser.parse_args()
    passing = Passing(load_embedder(), given.asked)
    total: dict[str, list[bool]] = defaultdict(list)
    for number, folder in enumerate(given.folders):
        claims = claims_of(folder, given.each, given.seed, passing)
        if number == 0 and given.cases:
            claims += [
                Claim(f"by hand: {one.kind}" if not one.is_true else one.kind, one.text, "", one.passages)
                for one in cases_of(given.cases, folder)
            ]  # fmt: skip
        for claim in claims:
            held = passing.says(claim)
            total[claim.kind].append(bool(held) == claim.is_true)
            asked_for = given.show is not None and (not given.show or claim.kind in given.show)
            if asked_for and bool(held) == claim.is_true:
                print(f"  {claim.kind}: {claim.text}\n      {held or claim.before}")
    wrong: list[bool] = []
    for kind, failed in total.items():
        name = f"held back, {kind}" if kind == "true" or kind in TRUE else f"passes, {kind}"
        wrong += failed if name.startswith("passes") else []
        _print(name, failed)
    _print("passes, all", wrong)
    passing.seconds.sort()
    print(f"one check: {1000 * sum(passing.seconds) / len(passing.seconds):.2f} ms in the mean, "
          f"{1000 * passing.seconds[len(passing.seconds) // 2]:.2f} in the middle")  # fmt: skip
    return 0


def _print(name: str, failed: Sequence[bool]) -> None:
    rate = Rate(sum(failed), len(failed))
    low, high = rate.interval
    print(f"{name:34}{rate.hits:5} / {rate.total:<5}{rate.share:6.3f}  [{low:.3f}, {high:.3f}]")


if __name__ == "__main__":
    raise SystemExit(main())
