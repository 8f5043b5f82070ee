"""Says what a contact is about: reason, sentiment, language and the question it asks."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from graph.customer_text import customer_turns, own_words, plain, sentence_spans, without_courtesies
from graph.manner import intent_of, urgency_of
from graph.meaning import ExampleVectors
from graph.reason_model import NOBODYS, Lessons, ReasonModel, quick_to_learn, tokens_of
from graph.reasons import ReasonMap
from graph.speech import is_speech, written_out
from graph.traffic import Traffic, most_to_remember, worth_learning
from graph.values import Classification, Conversation, ReasonGuess
from retrieval.ports import Embedder, Vectors

Floats = npt.NDArray[np.float64]

_STOP_WORDS = {
    "en": "the is are was my i you to and of it for in on with do does can how what when not have "
    "this that your please me be if at from will would am im we our any there get",
    "de": "der die das ich ist und nicht ein eine mein meine sie wie was kann zu für mit auf habe "
    "bitte wir es den dem von auch wann wo bei mir",
    "fr": "le la les je est et pas un une mon ma vous comment que qui pour avec sur des du de ce "
    "merci nous votre dans où quand puis ai",
    "es": "el la los las yo es y no un una mi usted cómo como que para con por mi del de se lo "
    "gracias cuando donde puedo tengo está hay su",
    "nl": "de het een ik is en niet mijn u hoe wat kan voor met op heb van naar jullie wij graag "
    "wanneer waar dat zijn bij",
    "pt": "o a os as eu é e não um uma meu minha você como que para com por do da em se obrigado "
    "quando onde posso tenho está meus",
    "it": "il lo la i gli le io è e non un una mio mia come che per con su del della di sono grazie "
    "quando dove posso ho vorrei si",
}
_TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_ASKS = re.compile(
    r"^\W*(?:(?:and|but|so|also|or|ok|okay|um|uh|well|now|then|just|q|question)\b[\s,:\-]*){0,3}"
    r"(?:what|whats|what's|which|who|whose|whom|when|where|why|how|hows|is|are|was|were|am|do|does|did|can|could"
    r"|may|might|shall|should|will|would|have|has|any|anyone|any chance|tell me|explain|show me"
    r"|please|pls|kindly|i(?:'d|’d| would)? (?:need|want|like|wish|wonder)|i(?:'d|’d)? love|i'm (?:looking"
    r"|trying|wondering)|im (?:looking|trying|wondering)|need|want|looking for|trying to|difference"
    r"|let me know|help)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|it's|this|that|these|those|they|them|one|ones|there|he|she|so|same|either|both)\b",
    re.IGNORECASE,
)
_LONGEST_QUESTION = 80  # words
_LEAST_TELLING = 4  # content words of a sentence that means something by itself
# Characters. Whoever writes more has said by then what it is about; triage reads it all.
_MOST_READ = 20_000
_ENGLISH_STOP_WORDS = frozenset(_STOP_WORDS["en"].split())
# The question says what is wanted, the whole contact what it is about: the question leads.
_WEIGHTS = (0.7, 0.3)
_LEFT_OUT = 0.5  # of the words and pairs
_MOST_IN_A_DETAIL = 4  # content words of a sentence that only gives the number that was asked for
_MANY_LEARNED = 0.1  # as many corrections against examples make a large map worth learning anew
_MODEL_VERSION = 4  # raise it with every change of what is learned: kept models are then made anew


def language_of(text: str) -> str:
    """Return the ISO 639-1 code of the language of ``text``, ``und`` where too little speaks for one.

    Tells en, de, fr, es, nl, pt and it apart by their most frequent words.
    """
    words = [word.casefold() for word in _TOKEN.findall(text)]
    if not words:
        return "und"
    counts = {
        code: sum(word in stop for word in words)
        for code, stop in ((code, frozenset(each.split())) for code, each in _STOP_WORDS.items())
    }
    best, second = sorted(counts, key=lambda code: (-counts[code], code != "en"))[:2]
    if counts[best] < 2 or counts[best] < 0.1 * len(words) or counts[best] == counts[second]:
        return "und"
    return best


def _content_words(text: str) -> int:
    return sum(word.casefold() not in _ENGLISH_STOP_WORDS for word in _TOKEN.findall(text))


def _asking(text: str, *, spoken: bool) -> list[str]:
    """Sentences of one cleaned message that ask, each with the one before it where it points back.

    Args:
        text: The message.
        spoken: Whether it was said: what people say comes in smaller pieces than what they write.
    """
    sentences = [text[start:end] for start, end in sentence_spans(text)]
    asks = [
        sentence.rstrip("\"'”’)").endswith("?") or bool(_ASKS.match(sentence))
        for sentence in sentences
    ]
    wanted: set[int] = set()
    for at, sentence in enumerate(sentences):
        if not asks[at]:
            continue
        wanted.add(at)
        thin = _content_words(sentence) < _LEAST_TELLING or bool(_POINTS_BACK.search(sentence))
        if at and thin:
            wanted.add(at - 1)
            if spoken and at > 1 and _content_words(sentences[at - 1]) < _LEAST_TELLING:
                wanted.add(at - 2)
    return [sentences[at] for at in sorted(wanted)]


def question_of(conversation: Conversation) -> str:
    """Return what the customer asks, in their own words, without courtesies.

    A bare question comes back as it is. Where the last message alone says too little, the
    customer's earlier question (or the subject) stands before it.
    """
    messages: list[tuple[str, list[str]]] = []  # what each says, and its sentences that ask
    for _, turn in customer_turns(conversation):
        own = own_words(turn["text"]).strip()[:_MOST_READ]
        spoken = is_speech(own, conversation["channel"])
        if message := without_courtesies(written_out(own) if spoken else own):
            messages.append((message, _asking(message, spoken=spoken)))
    subject = " ".join(conversation["subject"].split())
    if not messages:
        return subject
    last, asking = messages[-1]
    asked = " ".join(" ".join(asking or [last]).split())
    if _content_words(asked) < _LEAST_TELLING or (len(messages) > 1 and not asking):
        before = next((" ".join(asks) or said for said, asks in reversed(messages[:-1])), subject)
        if before and before.casefold() not in asked.casefold():
            asked = f"{' '.join(before.split())} {asked}"
    return " ".join(asked.split()[:_LONGEST_QUESTION])


class VaderSentiment:
    """Sentiment by VADER's lexicon; loads it on first use."""

    @cached_property
    def _analyzer(self) -> Callable[[str], dict[str, float]]:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        scores: Callable[[str], dict[str, float]] = SentimentIntensityAnalyzer().polarity_scores
        return scores

    def __call__(self, text: str) -> float:
        """Return the tone of ``text``, from -1 (hostile) to 1."""
        return float(self._analyzer(text)["compound"]) if text.strip() else 0.0


class ReasonClassifier:
    """Classifies contacts by the examples of the reason map; implements ``graph.ports.Classifier``.

    What people correct is learned at once: a small map is learned anew before the next contact, in
    a large one the new example and what is near it are weighed anew. Contacts are judged beside
    those that came before them in this process, and beside those that are judged with them: that
    shows which are about something new (``graph.traffic``). Safe to use from many threads.

    Args:
        reasons: The map; with an empty one every contact has reason None and confidence 0.
        embedder: Turns texts into unit vectors.
        sentiment: Tone of a text, -1..1. Default: VADER.
        cache: Folder that keeps the examples' vectors and what was learned between processes.
        beside_others: Whether a contact is judged beside the others; else by itself alone.
    """

    def __init__(
        self,
        reasons: ReasonMap,
        embedder: Embedder,
        *,
        sentiment: Callable[[str], float] | None = None,
        cache: Path | None = None,
        beside_others: bool = True,
    ) -> None:
        self._beside_others = beside_others
        self._reasons = reasons
        self._ids = tuple(reason.id for reason in reasons)
        self._embedder = embedder
        self._examples = ExampleVectors(embedder, cache)
        self._sentiment = sentiment or VaderSentiment()
        self._learned: dict[str, str | None] = {}
        self._fresh: dict[str, str | None] = {}
        self._model: ReasonModel | None = None
        self._came_in: dict[str, Vectors] = {}
        self._new = 0  # of them, since traffic was learned
        self._learned_from = 0  # so many
        self._traffic: Traffic | None = None
        self._lot = np.random.default_rng(0)
        self._lock = threading.Lock()

    def learn(self, text: str, reason: str | None) -> None:
        """Take a person's correction: ``text`` is about ``reason``, None for none of the map's.

        Of two corrections of the same text the later holds. Unknown reasons are ignored.
        """
        known = reason is None or self._reasons.get(reason) is not None
        text = " ".join(text.split())
        if not known or not text:
            return
        with self._lock:
            if text in self._learned or text in self._given:
                self._model = None  # what was learned of it before must go
            self._learned[text] = reason
            self._fresh[text] = reason

    def forget(self, text: str) -> None:
        """Take back what a person said of ``text``; an example of the map stays one."""
        text = " ".join(text.split())
        with self._lock:
            self._fresh.pop(text, None)
            if text in self._learned:
                del self._learned[text]
                self._model = None

    def classify(self, conversation: Conversation) -> Classification:
        """Return reason, confidence, alternatives, sentiment, language and question."""
        return self.classify_all([conversation])[0]

    def classify_all(self, conversations: Sequence[Conversation]) -> list[Classification]:
        """Classify many contacts; embeds them together, which is faster than one after the other."""
        model = self._up_to_date()
        read = [_read(conversation) for conversation in conversations]
        texts = list(dict.fromkeys(text for one in read for text in one.texts))
        if model is None or not texts:
            return [self._outcome(one, [], 0.0, known=False) for one in read]
        vectors = self._embedder.embed(texts)
        judged = model.judge(vectors, [tokens_of(text) for text in texts])
        row = {text: at for at, text in enumerate(texts)}
        traffic = self._beside(
            model, {one.texts[0]: vectors[row[one.texts[0]]] for one in read if one.texts}
        )
        if traffic is not None:
            judged = replace(judged, familiar=traffic.familiar(texts, vectors, judged, model))
        found = []
        for one in read:
            if not one.texts:
                found.append(self._outcome(one, [], 0.0, known=False))
                continue
            mine = [row[text] for text in one.texts]
            weights = _shares(judged.familiar[mine])
            familiar = weights @ judged.familiar[mine]
            nothing = float(model.calibration.nothing(familiar))
            probability = (1 - nothing) * (weights @ judged.probability[mine])
            guesses = self._guesses(model, probability, one.spoken, vectors[mine[0]])
            known = bool(familiar >= model.calibration.refused_below)
            found.append(self._outcome(one, guesses, nothing, known=known))
        return found

    def _beside(self, model: ReasonModel, questions: Mapping[str, Vectors]) -> Traffic | None:
        """Keep ``questions`` in mind; return what all that came in teaches, None for too little."""
        if not self._beside_others:
            return None
        with self._lock:
            for text, vector in questions.items():
                self._new += self._came_in.pop(text, None) is None
                self._came_in[text] = vector
            # Dropped by lot: a file may come sorted by subject, and its end would be all that is left.
            beyond = len(self._came_in) - most_to_remember(len(self._ids))
            if beyond > 0:
                kept = list(self._came_in)
                for at in self._lot.choice(len(kept), beyond, replace=False):
                    del self._came_in[kept[at]]
            learned_from = self._learned_from if self._traffic else 0
            # Not for corrections on top of what the model knew: what it learned of a text since
            # outweighs what came in near it, and a correction must not wait the seconds this takes.
            stale = (
                self._traffic is not None
                and self._traffic.model.calibration is not model.calibration
            )
            if stale or worth_learning(len(self._came_in), learned_from, self._new, len(self._ids)):
                texts, vectors = list(self._came_in), np.stack(list(self._came_in.values()))
                alone = model.judge(vectors, [tokens_of(text) for text in texts])
                self._traffic = Traffic.learn(model, texts, vectors, alone)
                self._new, self._learned_from = 0, len(texts)
            return self._traffic

    def _outcome(
        self, read: _Read, guesses: list[ReasonGuess], nothing: float, *, known: bool
    ) -> Classification:
        tone = round(self._sentiment(read.spoken), 4)
        intent = intent_of(read.last)
        return {
            "reason": guesses[0]["reason"] if known else None,
            "confidence": guesses[0]["confidence"] if known else round(nothing, 4),
            "alternatives": guesses,
            "sentiment": tone,
            "intent": intent,
            "urgency": urgency_of(read.last, intent),
            "language": language_of(read.spoken),
            "question": read.question,
        }

    def _guesses(
        self, model: ReasonModel, probability: Floats, spoken: str, vector: Vectors
    ) -> list[ReasonGuess]:
        """The three likeliest reasons, best first."""
        return [
            {
                "reason": self._ids[at],
                "confidence": round(float(probability[at]), 4),
                "evidence": self._evidence(model, int(at), spoken, vector),
            }
            for at in np.argsort(-probability, kind="stable")[:3]
        ]

    def _evidence(self, model: ReasonModel, at: int, spoken: str, vector: Vectors) -> list[str]:
        """The words of the contact that speak for the reason; else the example nearest to it."""
        words = list(
            {
                word.casefold(): word
                for word in _TOKEN.findall(spoken)
                if len(word) > 1 and word.casefold() not in _ENGLISH_STOP_WORDS
            }.values()
        )
        telling = model.wording.telling(words, at)
        best = [place for place in np.argsort(-telling, kind="stable")[:6] if telling[place] > 0]
        if best:
            return [words[place] for place in sorted(best)]
        texts = [text for text, reason in self._given.items() if reason == self._ids[at]]
        if not texts:
            return []
        return [f"like: {texts[int((self._examples.of(texts) @ vector).argmax())]}"]

    @cached_property
    def _given(self) -> dict[str, str | None]:
        """Examples, names and descriptions of the map, and whose they are."""
        return {
            " ".join(text.split()): reason.id
            for reason in self._reasons
            for text in (reason.name, reason.description, *reason.examples)
            if text.strip()
        }

    @cached_property
    def _captions(self) -> frozenset[str]:
        """What no customer wrote."""
        return frozenset(
            " ".join(text.split())
            for reason in self._reasons
            for text in (reason.name, reason.description)
        )

    def _up_to_date(self) -> ReasonModel | None:
        """Return the model with all corrections in it; None when there are no reasons."""
        with self._lock:
            if not self._ids:
                return None
            few = quick_to_learn(len(self._given) + len(self._learned))
            if self._model is None or (self._fresh and few):
                self._model, self._traffic = self._fit(), None
            elif self._fresh:
                self._model = self._model.and_also(self._lessons(self._fresh))
            self._fresh = {}
            return self._model

    def _fit(self) -> ReasonModel:
        given = {text: of for text, of in self._given.items() if text not in self._learned}
        few = quick_to_learn(len(given)) or len(self._learned) > _MANY_LEARNED * len(given)
        if few or not self._learned:
            return self._fit_on({**given, **self._learned})
        # What the map alone teaches is kept from process to process; corrections come on top.
        return self._fit_on(given).and_also(self._lessons(self._learned))

    def _fit_on(self, texts: Mapping[str, str | None]) -> ReasonModel:
        made_from = [_MODEL_VERSION, list(self._ids), sorted(self._captions), list(texts.items())]
        return ReasonModel.fit(
            self._lessons(texts),
            len(self._ids),
            lambda make: self._examples.kept("reasons", made_from, make),
        )

    def _lessons(self, texts: Mapping[str, str | None]) -> Lessons:
        number = {reason: at for at, reason in enumerate(self._ids)}
        return Lessons(
            vectors=self._examples.of(list(texts)),
            tokens=tuple(tokens_of(text) for text in texts),
            owner=np.array(
                [NOBODYS if reason is None else number[reason] for reason in texts.values()]
            ),
            spoken=np.array([text not in self._captions for text in texts]),
        )


def _shares(familiar: Floats) -> Floats:
    """Return how much the question counts, and the whole contact: more, the more familiar it is."""
    shares = np.array(_WEIGHTS[: len(familiar)]) / (1.0 + np.exp(-familiar))
    return np.asarray(shares / shares.sum())


@dataclass(frozen=True, slots=True)
class _Read:
    """One contact. ``texts`` are what it is judged by: its question, then perhaps the whole."""

    question: str
    spoken: str
    last: str  # what the customer said last, if that says anything
    texts: tuple[str, ...]


def _told(conversation: Conversation) -> list[str]:
    """Return what each message of the customer says of the matter.

    Who gives the number that they were asked for tells nothing new of it: "Order number LB-104233"
    does not make a question about a plan one about an order.
    """
    turns = conversation["turns"]
    told: list[str] = []
    for at, turn in customer_turns(conversation):
        text = plain(turn["text"])[:_MOST_READ]
        if any(told) and turns[at - 1]["speaker"] != "customer" and "?" in turns[at - 1]["text"]:
            sentences = [text[start:end] for start, end in sentence_spans(text)]
            text = " ".join(one for one in sentences if not _gives_a_number(one))
        told.append(text)
    return told


def _gives_a_number(sentence: str) -> bool:
    return (
        bool(re.search(r"\d", sentence))
        and _content_words(sentence) <= _MOST_IN_A_DETAIL
        and not (sentence.rstrip("\"'”’)").endswith("?") or _ASKS.match(sentence))
    )


def _read(conversation: Conversation) -> _Read:
    question = question_of(conversation)
    spoken = " ".join(text for text in _told(conversation) if text)[:_MOST_READ]
    asked, said = tokens_of(question), tokens_of(spoken)
    # Embedding is what takes time, and triage embeds the whole anyway: the question is read besides
    # only where it leaves much of that out.
    leaves_out = len(said - asked) > _LEFT_OUT * len(said)
    texts = [text for text in (question if leaves_out or not spoken else "", spoken) if text]
    said_last = [
        own_words(turn["text"]).strip()[:_MOST_READ] for _, turn in customer_turns(conversation)
    ]
    last = next((words for words in reversed(said_last) if words), spoken)
    return _Read(question, spoken, last, tuple(dict.fromkeys(texts)))
