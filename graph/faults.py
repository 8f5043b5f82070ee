"""Drafts with one fault on purpose: whether those who approve still read what they approve. Pure.

A fault is one that people make in earnest: a value that an earlier version of the article had, a
value that belongs to something else in the same source, a promise that no source makes or that it
makes only on a condition, a sentence that answers another question. What is made here may be marked
by the check or not; whoever uses it asks the check. The check holds each sentence against its
source: it has nothing against one that is true and out of place.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from graph.values import Citation, Draft, Sentence
from kb.content import Passage
from kb.facts import VALUE_KINDS, Fact, extract_facts, same_value
from kb.sentences import split_sentences
from kb.wrong_values import replace_span, swapped_values, wrong_value

FaultKind = Literal["old_value", "wrong_value", "promise", "other_answer"]
FAULT_KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)

_SAME_STATEMENT: Final = 60.0
"""From this likeness (0..100) two sentences of two versions are taken for one that was changed."""
_SAME_SENTENCE: Final = 0.5
"""From this likeness (0..1) a sentence of an edit is taken for the faulty one, changed."""
_LEAST_WORDS: Final = 4
_TELLING_WORD: Final = 4
"""Letters from which a word tells what a sentence is about."""
_INVENTED_EACH: Final = 4
_WORD: Final = re.compile(r"\w+(?:[.,:]\d+)*")
_UNITS: Final = re.compile(r"second|minute|hour|day|week|month|year")
_RANGE: Final = re.compile(r"(\d{1,9}(?:\.\d{1,4})?)\s?(?:to|-|–)\s?(\d{1,9}(?:\.\d{1,4})?)")


@dataclass(frozen=True, slots=True)
class _Promise:
    """Words that commit the team to something.

    Attributes:
        words: The words; a clause for the end of a sentence, or a sentence.
        fits: What the sentence they follow must be about; anything when None.
        timed: Whether that sentence must state a duration or a date.
        unless: What neither the sentence nor its source may speak of: else it may be true.
    """

    words: str
    fits: re.Pattern[str] | None = None
    timed: bool = False
    unless: re.Pattern[str] | None = None


def _about(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{pattern})", re.I)


_GIVING_BACK: Final = _about(r"return|refund|exchang|send (?:it|them) back|replac|claim")
_BUYING: Final = _about(r"order|ship|deliver|package|purchas|bought|code|discount|gift card")
_MONEY: Final = _about(r"free|charg|cost|fee|pay|paid|price|bill|[$€£]|refund|credit|money")
_DOING: Final = _about(r"tap|open|choose|select|go to|turn|press|enter|download|set up|remove")
_EXTRA: Final = _about(r"plan|upgrade|downgrade|label|second|another|extra|start")
_GRANTED: Final = _about(r"within|until|valid|trial|return|refund|cancel|claim|offer|exchang")
_LATE: Final = _about(r"late|after (?:that|this)|extend|exten[ds]|longer|miss|deadline|expire")
_PROMISED_MORE: Final = (
    _Promise("and we can extend that once if you ask", _GRANTED, timed=True, unless=_LATE),
    _Promise("and we will remind you the day before", timed=True, unless=_about("remind|notif")),
    _Promise("even if you come back to us later than that", _GRANTED, timed=True, unless=_LATE),
    _Promise("also for items bought on sale", _GIVING_BACK, unless=_about("sale|discount|promo")),
    _Promise("and you do not need the receipt", _GIVING_BACK, unless=_about("receipt|proof")),
    _Promise("however it was damaged", _GIVING_BACK, unless=_about("damag|any reason|condition")),
    _Promise(
        "and you keep the one you have until then", _about("exchang|replac"), unless=_about("keep")
    ),
    _Promise(
        "and the same goes for your earlier orders", _BUYING, unless=_about("earlier|previous")
    ),
    _Promise("and you can change the address until it arrives", _BUYING, unless=_about("address")),
    _Promise("and we can combine it with any other offer", _BUYING, unless=_about("combin|offer")),
    _Promise(
        "and we will do it for you if you write to us", _DOING, unless=_about("we (?:can|will)")
    ),
    _Promise("and nothing will be charged for it", _EXTRA, unless=_MONEY),
)
_PROMISED_APART: Final = (
    _Promise("If it takes any longer than that, we will make up for it.", timed=True, unless=_LATE),
    _Promise("If anything goes wrong, we will take over the costs.", unless=_MONEY),
    _Promise("We will see to it that this does not happen again."),
    _Promise("You can count on this for as long as you are a customer."),
    _Promise("The same will hold for your next order.", _BUYING, unless=_about("next")),
    _Promise("If it does not work out, we will send you a new one.", unless=_about("new|replac")),
    _Promise("A colleague will call you today to sort out the rest.", unless=_about("call|phone")),
)


_SETS_TERMS: Final = re.compile(
    r",? (?:(?P<always>unless|except|excluding|only (?:if|when|for|on|with)|(?:as|so) long as|provided"
    r"|but (?:not|only)|(?:on|for|with) (?:\w+ ){0,2}(?:orders?|plans?|items?|purchases?|members?))"
    r"|(?P<granted>if|once(?! (?:a|an|per|every)\b)|until|within))\b(?P<terms>[^.;:]+)\.$",
    re.I,
)
"""The end of a sentence that says on what condition, or until when, the rest of it holds."""
_CONJUNCTIONS: Final = frozenset(
    {"unless", "except", "excluding", "only", "when", "with", "long", "provided", "once", "until"}
    | {"within"}
)
_GRANTS: Final = re.compile(
    r"\b(?:can|may|eligible|entitled|covered|valid|free|(?:write|tell|contact|send) (?:to )?us|send it)\b",
    re.I,
)
"""What a customer is granted or asked for: without its term it is another promise."""
_STANDS_ALONE: Final = re.compile(
    r"(?!.*\b(?:not|never|no|cannot)\b)(?!.*n['’]t\b)"
    r"(?!\W*(?:if|when|once|unless|until|after|before)\b[^,]*$)"
    r"(?:\W*\w+\b){3,}\W*\b(?!(?:that|but|and|or|to|of|the|a|which|than|only|up|is|are|for|in|by|with|from|as)$)\w+$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault in a draft.

    Attributes:
        sentence: Place of the faulty sentence, from 0.
        before: The sentence as it was; empty where the sentence was added.
        after: The faulty sentence.
        citations: What it cites; what the sentence did that it replaces where there are none.
    """

    kind: FaultKind
    sentence: int
    before: str
    after: str
    citations: Sequence[Citation] = field(default=(), compare=False, repr=False)

    @property
    def leaves_out(self) -> bool:
        """Whether the sentence only lacks words at its end."""
        return len(self.after) < len(self.before) and self.before.startswith(self.after[:-1])

    @property
    def added(self) -> str:
        """The words that the fault added to the sentence."""
        return added_words(self.before, self.after)


def added_words(before: str, after: str) -> str:
    """Return what ``after`` says behind the words of ``before``; all of it where it says others."""
    return after.removeprefix(before.rstrip(" .")) if before else after


def faults_in(
    draft: Draft,
    passages: Mapping[str, Passage],
    former: Mapping[str, Sequence[Passage]],
    kind: FaultKind,
    rng: random.Random,
    elsewhere: Sequence[Sentence] = (),
) -> list[Fault]:
    """Return faults of one kind that ``draft`` could have, in random order.

    What leaves something out comes first: words that are added come again, and are known by it.

    Args:
        draft: An answer that is good as it stands.
        passages: The passages it cites, by id.
        former: Cited passage → how earlier versions of its article said it, the newest first.
        kind: The kind of fault.
        rng: Chooses.
        elsewhere: Sentences of good answers to other questions.
    """
    if kind == "other_answer":
        made = list(dict.fromkeys(_other_answers(draft, elsewhere)))
    else:
        made = list(dict.fromkeys(_MAKERS[kind](draft, passages, former, rng)))
    rng.shuffle(made)
    return sorted(made, key=lambda fault: not fault.leaves_out)


def with_fault(draft: Draft, fault: Fault) -> Draft:
    """Return ``draft`` with the fault in it; a sentence that is added cites what the last one does."""
    sentences = list(draft["sentences"])
    if fault.before:
        was = sentences[fault.sentence]
        cites = list(fault.citations or was["citations"])
        sentences[fault.sentence] = {**was, "text": fault.after, "citations": cites}
    else:
        added: Sentence = {"text": fault.after, "citations": sentences[-1]["citations"]}
        sentences.insert(fault.sentence, added)
    return {**draft, "sentences": sentences}


def fault_stands(before: str, after: str, text: str, beside: Sequence[str] = ()) -> bool:
    """Tell whether an edited answer still says what was wrong.

    It does where a sentence is nearer to the faulty words than to the ones they replaced, or says
    of the same thing the wrong value and not the right one.

    Args:
        before: The sentence as it was; empty where it was added.
        after: The faulty sentence.
        text: The answer after a person's edit.
        beside: The other sentences of the draft: nothing is wrong with these.
    """
    right, wrong = _words(before), _words(after)
    left_out = len(wrong) < len(right) and right[: len(wrong)] == wrong
    if not left_out and f" {' '.join(wrong)} " in f" {' '.join(_words(text))} ":
        return True
    fine = [_words(one) for one in beside]
    sentences = [text[start:end] for start, end in split_sentences(text)]
    return any(
        _is_nearer(_words(one), wrong, right) or _states_the_wrong_value(one, before, after)
        for one in sentences
        if _words(one) not in fine
    )


def _is_nearer(said: Sequence[str], wrong: Sequence[str], right: Sequence[str]) -> bool:
    if Levenshtein.normalized_similarity(said, wrong) < _SAME_SENTENCE:
        return False
    return Levenshtein.distance(said, wrong) < Levenshtein.distance(said, right)


def _states_the_wrong_value(said: str, before: str, after: str) -> bool:
    """Tell whether a sentence, on what two others are about, has only the value of the second."""
    mine, right, wrong = _values(said), _values(before), _values(after)
    new = [fact for fact in wrong if not _among(fact, right)]
    gone = [fact for fact in right if not _among(fact, wrong)]
    if not gone or any(_among(fact, mine) for fact in gone):
        return False
    subject = _telling(before, right) & _telling(said, mine)
    return bool(subject) and any(_among(fact, mine) for fact in new)


def _telling(text: str, facts: Sequence[Fact]) -> set[str]:
    """Return the longer words of a sentence without those that its values are made of."""
    of_values = {word for fact in facts for word in _words(fact.text)}
    return {word for word in _words(text) if len(word) >= _TELLING_WORD} - of_values


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
                invented = wrong_value(text, fact, rng)
                if invented and _is_likely(text, invented):
                    yield Fault("wrong_value", index, text, invented)
        if swapped := swapped_values(text, rng):
            yield Fault("wrong_value", index, text, swapped)


def _is_likely(before: str, after: str) -> bool:
    """Tell whether an invented value is one that nobody stumbles over.

    Not in other units, nor a range that runs backwards.
    """
    if _UNITS.findall(before.casefold()) != _UNITS.findall(after.casefold()):
        return False
    ranges = (found.groups() for found in _RANGE.finditer(after))
    return all(float(low) < float(high) for low, high in ranges)


def _promises(
    draft: Draft,
    passages: Mapping[str, Passage],
    _former: Mapping[str, Sequence[Passage]],
    _rng: random.Random,
) -> Iterator[Fault]:
    """Yield promises that no source makes, or makes only on a condition that is left out."""
    stating = list(_stating(draft))
    for index, sentence in stating:
        beside = " ".join(one["text"] for one in draft["sentences"] if one is not sentence)
        if without := _without_terms(sentence["text"].rstrip(), beside):
            yield Fault("promise", index, sentence["text"], without)
    for index, sentence in stating:
        text = sentence["text"].rstrip()
        if text.endswith("."):
            for more in _PROMISED_MORE:
                if _is_unheard_of(more, sentence, passages):
                    after = f"{text[:-1]}, {more.words}."
                    yield Fault("promise", index, sentence["text"], after)
    if stating and len(stating) == len(draft["sentences"]):
        for apart in _PROMISED_APART:
            if _is_unheard_of(apart, stating[-1][1], passages):
                yield Fault("promise", len(stating), "", apart.words)


def _other_answers(draft: Draft, elsewhere: Sequence[Sentence]) -> Iterator[Fault]:
    """Yield what other answers say, from articles that this one does not rest on, as its own."""
    index, sentence = next(_stating(draft), (0, None))
    own = {one["article_id"] for _, stating in _stating(draft) for one in stating["citations"]}
    for other in elsewhere:
        articles = {one["article_id"] for one in other["citations"]}
        if sentence and articles and own.isdisjoint(articles) and _is_a_sentence(other["text"]):
            yield Fault("other_answer", index, sentence["text"], other["text"], other["citations"])


def _is_a_sentence(text: str) -> bool:
    """Tell whether a text stands for itself: no step, no heading, nothing very short."""
    return (
        bool(re.match(r"[A-Z]", text)) and text.endswith(".") and len(_words(text)) >= _LEAST_WORDS
    )


def _without_terms(text: str, beside: str) -> str:
    """Return a sentence without the condition at its end; "" where it has none that matters.

    Args:
        text: The sentence.
        beside: The rest of the answer: what it says of the condition is not left out.
    """
    for found in _SETS_TERMS.finditer(text):
        rest, terms = text[: found.start()], _telling(found.group(), ()) - _CONJUNCTIONS
        granted = found["always"] or _GRANTS.search(rest)
        if granted and terms - _telling(beside, ()) and _STANDS_ALONE.fullmatch(rest):
            return f"{rest}."
    return ""


def _is_unheard_of(promise: _Promise, sentence: Sentence, passages: Mapping[str, Passage]) -> bool:
    """Tell whether a promise follows on a sentence and its sources say nothing of the kind."""
    text = sentence["text"]
    if promise.fits and not promise.fits.search(text):
        return False
    if promise.timed and not any(fact.kind in ("duration", "date") for fact in _values(text)):
        return False
    cited = (passages.get(citation["passage_id"]) for citation in sentence["citations"])
    heard = [text, *(passage.plain for passage in cited if passage)]
    return promise.unless is None or not any(promise.unless.search(one) for one in heard)


_MAKERS: Final = {"old_value": _old_values, "wrong_value": _wrong_values, "promise": _promises}
