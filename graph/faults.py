"""Drafts with one fault on purpose: whether those who approve still read what they approve. Pure.

A fault is one that people make in earnest: a value that an earlier version of the article had, a
value that belongs to something else in the same source, a promise that no source makes. What is
made here may be marked by the check or not; whoever uses it asks the check.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from graph.values import Draft, Sentence
from kb.content import Passage
from kb.facts import VALUE_KINDS, Fact, extract_facts, same_value
from kb.sentences import split_sentences
from kb.wrong_values import replace_span, swapped_values, wrong_value

FaultKind = Literal["old_value", "wrong_value", "promise"]
FAULT_KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)

_SAME_STATEMENT: Final = 60.0
"""From this likeness (0..100) two sentences of two versions are taken for one that was changed."""
_SAME_SENTENCE: Final = 0.5
"""From this likeness (0..1) a sentence of an edit is taken for the faulty one, changed."""
_INVENTED_EACH: Final = 4
_WORD: Final = re.compile(r"\w+(?:[.,:]\d+)*")
_PROMISED_MORE: Final = (
    "even if the time limit has passed",
    "whatever the reason",
    "and this applies to every order you have placed with us",
    "and you do not need to keep the receipt",
    "and we will remind you in time",
    "also for items bought on sale",
    "and nothing will be charged for it",
    "and you can change your mind later on",
)
_PROMISED_APART: Final = (
    "If it takes any longer than that, we will make up for it.",
    "The same holds for your next order, too.",
    "You can count on this for as long as you are a customer.",
    "If anything goes wrong, we will take over the costs.",
    "We will see to it that this does not happen again.",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a draft.

    Attributes:
        sentence: Place of the faulty sentence, from 0.
        before: The sentence as it was; empty where the sentence was added.
        after: The faulty sentence.
    """

    kind: FaultKind
    sentence: int
    before: str
    after: str


def faults_in(
    draft: Draft,
    passages: Mapping[str, Passage],
    former: Mapping[str, Sequence[Passage]],
    kind: FaultKind,
    rng: random.Random,
) -> list[Fault]:
    """Return faults of one kind that ``draft`` could have, in random order.

    Args:
        draft: An answer that is good as it stands.
        passages: The passages it cites, by id.
        former: Cited passage → how earlier versions of its article said it, the newest first.
        kind: The kind of fault.
        rng: Chooses.
    """
    made = list(dict.fromkeys(_MAKERS[kind](draft, passages, former, rng)))
    rng.shuffle(made)
    return made


def with_fault(draft: Draft, fault: Fault) -> Draft:
    """Return ``draft`` with the fault in it; a sentence that is added cites what the last one does."""
    sentences = list(draft["sentences"])
    if fault.before:
        sentences[fault.sentence] = {**sentences[fault.sentence], "text": fault.after}
    else:
        added: Sentence = {"text": fault.after, "citations": sentences[-1]["citations"]}
        sentences.insert(fault.sentence, added)
    return {**draft, "sentences": sentences}


def fault_stands(before: str, after: str, text: str) -> bool:
    """Tell whether an edited answer still says what was wrong.

    It does where a sentence is nearer to the faulty words than to the ones they replaced.

    Args:
        before: The sentence as it was; empty where it was added.
        after: The faulty sentence.
        text: The answer after a person's edit.
    """
    right, wrong = _words(before), _words(after)
    if f" {' '.join(wrong)} " in f" {' '.join(_words(text))} ":
        return True
    for start, end in split_sentences(text):
        said = _words(text[start:end])
        likeness = Levenshtein.normalized_similarity(said, wrong)
        if likeness >= _SAME_SENTENCE and Levenshtein.distance(said, wrong) < Levenshtein.distance(
            said, right
        ):
            return True
    return False


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().replace("’", "'"))


def _values(text: str) -> list[Fact]:
    facts = extract_facts(text, polarity=False, names=False)
    return [fact for fact in facts if fact.kind in VALUE_KINDS and not fact.vague]


def _stating(draft: Draft) -> Iterator[tuple[int, Sentence]]:
    for index, sentence in enumerate(draft["sentences"]):
        if sentence["citations"]:
            yield index, sentence


def _old_values(
    draft: Draft,
    passages: Mapping[str, Passage],
    former: Mapping[str, Sequence[Passage]],
    _rng: random.Random,
) -> Iterator[Fault]:
    """Yield each value as an earlier version of the cited article had it."""
    for index, sentence in _stating(draft):
        for citation in sentence["citations"]:
            now = passages.get(citation["passage_id"])
            for then in former.get(citation["passage_id"], ()) if now else ():
                for after in _as_it_was(sentence["text"], now.plain if now else "", then.plain):
                    yield Fault("old_value", index, sentence["text"], after)


def _as_it_was(text: str, now: str, then: str) -> Iterator[str]:
    """Yield ``text`` with the one value that two versions state differently as the older has it."""
    older = [then[start:end] for start, end in split_sentences(then)]
    for start, end in split_sentences(now):
        alike = process.extractOne(now[start:end], older, scorer=fuzz.ratio)
        if alike is None or alike[1] < _SAME_STATEMENT or alike[0] == now[start:end]:
            continue
        mine, theirs = _values(now[start:end]), _values(alike[0])
        for kind in VALUE_KINDS:
            new = [fact for fact in mine if fact.kind == kind and not _among(fact, theirs)]
            old = [fact for fact in theirs if fact.kind == kind and not _among(fact, mine)]
            if len(new) == len(old) == 1:
                for fact in _values(text):
                    if same_value(fact, new[0]):
                        yield replace_span(text, fact.start, fact.end, old[0].text)


def _among(fact: Fact, others: Sequence[Fact]) -> bool:
    return any(same_value(fact, other) for other in others)


def _wrong_values(
    draft: Draft,
    passages: Mapping[str, Passage],
    _former: Mapping[str, Sequence[Passage]],
    rng: random.Random,
) -> Iterator[Fault]:
    """Yield values that belong to something else in the source, and invented ones."""
    for index, sentence in _stating(draft):
        text = sentence["text"]
        cited = [passages.get(citation["passage_id"]) for citation in sentence["citations"]]
        beside = [fact for passage in cited if passage for fact in _values(passage.plain)]
        own = _values(text)
        for fact in own:
            for other in beside:
                if other.kind == fact.kind and not _among(other, own):
                    after = replace_span(text, fact.start, fact.end, other.text)
                    yield Fault("wrong_value", index, text, after)
            for _ in range(_INVENTED_EACH):
                if invented := wrong_value(text, fact, rng):
                    yield Fault("wrong_value", index, text, invented)
        if swapped := swapped_values(text, rng):
            yield Fault("wrong_value", index, text, swapped)


def _promises(
    draft: Draft,
    _passages: Mapping[str, Passage],
    _former: Mapping[str, Sequence[Passage]],
    _rng: random.Random,
) -> Iterator[Fault]:
    """Yield promises that no source makes, as part of a sentence or as one of their own."""
    stating = list(_stating(draft))
    for index, sentence in stating:
        text = sentence["text"].rstrip()
        if text.endswith("."):
            for more in _PROMISED_MORE:
                yield Fault("promise", index, sentence["text"], f"{text[:-1]}, {more}.")
    if stating and len(stating) == len(draft["sentences"]):
        for apart in _PROMISED_APART:
            yield Fault("promise", len(stating), "", apart)


_MAKERS: Final = {"old_value": _old_values, "wrong_value": _wrong_values, "promise": _promises}
