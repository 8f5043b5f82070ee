"""Says what a contact is about: reason, sentiment, language and the question it asks."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from graph.customer_text import customer_turns, own_words, plain, sentence_spans, without_courtesies
from graph.meaning import ExampleVectors
from graph.reasons import ReasonMap
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
    stop = frozenset(_STOP_WORDS["en"].split())
    return sum(word.casefold() not in stop for word in _TOKEN.findall(text))


def _asking(text: str) -> list[str]:
    """Sentences of one cleaned message that ask, each with the one before it where it points back."""
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
        thin = _content_words(sentence) < 4 or bool(_POINTS_BACK.search(sentence))
        if at and thin:
            wanted.add(at - 1)
    return [sentences[at] for at in sorted(wanted)]


def question_of(conversation: Conversation) -> str:
    """Return what the customer asks, in their own words, without courtesies.

    A bare question comes back as it is. Where the last message alone says too little, the
    customer's earlier question (or the subject) stands before it.
    """
    messages = [
        without_courtesies(own_words(turn["text"]).strip())
        for _, turn in customer_turns(conversation)
    ]
    messages = [message for message in messages if message]
    subject = " ".join(conversation["subject"].split())
    if not messages:
        return subject
    last = messages[-1]
    asked = " ".join(" ".join(_asking(last) or [last]).split())
    if _content_words(asked) < 4 or (len(messages) > 1 and not _asking(last)):
        before = next((" ".join(_asking(one)) or one for one in reversed(messages[:-1])), subject)
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


@dataclass(frozen=True)
class _Fitted:
    reasons: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: Vectors  # (texts, dimensions)
    member: npt.NDArray[np.bool_]  # (texts, reasons): which text speaks for which reason
    words: tuple[frozenset[str], ...]
    temperature: float
    none_score: float


def _reason_scores(
    cosines: Floats, overlaps: Floats, member: npt.NDArray[np.bool_], nearest: int = 3
) -> Floats:
    """Return ``(queries, reasons)``: nearest example, mean of the nearest few, shared words.

    Args:
        cosines: ``(queries, texts)``, -inf where a text must not count.
        overlaps: ``(queries, texts)``, shares of words in 0..1.
    """
    scores = np.full((cosines.shape[0], member.shape[1]), -1.0)
    for column in range(member.shape[1]):
        mine = cosines[:, member[:, column]]
        if mine.shape[1] == 0:
            continue
        ranked = -np.sort(-mine, axis=1)[:, :nearest]
        finite = np.where(np.isfinite(ranked), ranked, np.nan)
        usable = np.isfinite(ranked[:, 0])
        mean = np.full(len(ranked), -1.0)
        mean[usable] = np.nanmean(finite[usable], axis=1)
        shared = overlaps[:, member[:, column]].max(axis=1)
        best = np.where(usable, ranked[:, 0], -1.0)
        scores[:, column] = np.where(usable, 0.55 * best + 0.45 * mean + 0.1 * shared, -1.0)
    return scores


def _word_set(text: str) -> frozenset[str]:
    stop = frozenset(_STOP_WORDS["en"].split())
    return frozenset(word.casefold() for word in _TOKEN.findall(text)) - stop


def _overlaps(queries: Sequence[frozenset[str]], texts: Sequence[frozenset[str]]) -> Floats:
    return np.array(
        [[len(one & two) / max(min(len(one), len(two)), 1) for two in texts] for one in queries]
    ).reshape(len(queries), len(texts))


def _probabilities(scores: Floats, none_score: float, temperature: float) -> Floats:
    """Return ``(queries, reasons + 1)``; the last column is "none of them"."""
    logits = np.column_stack([scores, np.full(len(scores), none_score)]) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    raised = np.exp(logits)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


class ReasonClassifier:
    """Classifies contacts by the examples of the reason map; implements ``graph.ports.Classifier``.

    Args:
        reasons: The map; with an empty one every contact has reason None and confidence 0.
        embedder: Turns texts into unit vectors.
        sentiment: Tone of a text, -1..1. Default: VADER.
        cache: Folder that keeps the examples' vectors between processes.
    """

    def __init__(
        self,
        reasons: ReasonMap,
        embedder: Embedder,
        *,
        sentiment: Callable[[str], float] | None = None,
        cache: Path | None = None,
    ) -> None:
        self._reasons = reasons
        self._embedder = embedder
        self._examples = ExampleVectors(embedder, cache)
        self._sentiment = sentiment or VaderSentiment()
        self._learned: list[tuple[str, str]] = []
        self._fitted: _Fitted | None = None
        self._lock = threading.Lock()

    def learn(self, text: str, reason: str) -> None:
        """Take a person's correction: ``text`` is about ``reason``. Unknown reasons are ignored."""
        if self._reasons.get(reason) is None or not text.strip():
            return
        with self._lock:
            self._learned.append((" ".join(text.split()), reason))
            self._fitted = None

    def classify(self, conversation: Conversation) -> Classification:
        """Return reason, confidence, alternatives, sentiment, language and question."""
        question = question_of(conversation)
        spoken = " ".join(plain(turn["text"]) for _, turn in customer_turns(conversation))
        guesses, nothing = self._guess(question, spoken)
        best = guesses[0] if guesses else None
        chosen = best if best is not None and best["confidence"] > nothing else None
        confidence = chosen["confidence"] if chosen else nothing
        return {
            "reason": chosen["reason"] if chosen else None,
            "confidence": round(confidence, 4),
            "alternatives": guesses,
            "sentiment": round(self._sentiment(spoken), 4),
            "language": language_of(spoken),
            "question": question,
        }

    def _guess(self, question: str, spoken: str) -> tuple[list[ReasonGuess], float]:
        """The three best reasons and the probability of none; no reasons: ``([], 0.0)``."""
        fitted = self._fit()
        if fitted is None or not (question or spoken):
            return [], 0.0
        queries = [text for text in dict.fromkeys((question, spoken)) if text]
        cosines = (self._embedder.embed(queries) @ fitted.vectors.T).astype(np.float64)
        overlaps = _overlaps([_word_set(text) for text in queries], fitted.words)
        scores = _reason_scores(cosines, overlaps, fitted.member)
        # The question says what is wanted, the whole contact what it is about: the question leads.
        weights = np.array([0.7, 0.3])[: len(queries)]
        merged = (scores * (weights / weights.sum())[:, None]).sum(axis=0, keepdims=True)
        probabilities = _probabilities(merged, fitted.none_score, fitted.temperature)[0]
        order = np.argsort(-probabilities[:-1], kind="stable")[:3]
        guesses: list[ReasonGuess] = [
            {
                "reason": fitted.reasons[at],
                "confidence": round(float(probabilities[at]), 4),
                "evidence": self._evidence(fitted, int(at), spoken, cosines[0]),
            }
            for at in order
        ]
        return guesses, float(probabilities[-1])

    def _evidence(self, fitted: _Fitted, at: int, spoken: str, cosines: Floats) -> list[str]:
        """Words of the contact shared with the reason's examples; else the nearest example."""
        mine = np.flatnonzero(fitted.member[:, at])
        nearest = mine[np.argsort(-cosines[mine])[:3]]
        shared = frozenset().union(*(fitted.words[row] for row in nearest))
        words = dict.fromkeys(word for word in _TOKEN.findall(spoken) if word.casefold() in shared)
        return list(words)[:6] or [f"like: {fitted.texts[nearest[0]]}"]

    def _fit(self) -> _Fitted | None:
        with self._lock:
            if self._fitted is None:
                self._fitted = self._compute()
            return self._fitted

    def _compute(self) -> _Fitted | None:
        reasons = tuple(reason.id for reason in self._reasons)
        if not reasons:
            return None
        column = {reason: at for at, reason in enumerate(reasons)}
        spoken: list[tuple[str, str]] = [
            (text, reason.id)
            for reason in self._reasons
            for text in (reason.name, reason.description, *reason.examples)
            if text.strip()
        ]
        spoken = list(dict.fromkeys([*spoken, *self._learned]))
        texts = tuple(text for text, _ in spoken)
        vectors = self._examples.of(texts)
        member = np.zeros((len(texts), len(reasons)), dtype=np.bool_)
        for row, (_, reason_id) in enumerate(spoken):
            member[row, column[reason_id]] = True
        words = tuple(_word_set(text) for text in texts)
        temperature, none_score = _calibrate(vectors, member, words)
        return _Fitted(reasons, texts, vectors, member, words, temperature, none_score)


def _calibrate(
    vectors: Vectors, member: npt.NDArray[np.bool_], words: Sequence[frozenset[str]]
) -> tuple[float, float]:
    """Return temperature and the score of "none", from leaving each example out in turn.

    The temperature makes the probabilities of the left-out examples honest (least log loss); the
    score of "none" is what all but one in twenty of them reach for their own reason.
    """
    cosines = (vectors @ vectors.T).astype(np.float64)
    np.fill_diagonal(cosines, -np.inf)
    overlaps = _overlaps(words, words)
    np.fill_diagonal(overlaps, 0.0)
    scores = _reason_scores(cosines, overlaps, member)
    own = scores[member]
    known = own > -1.0
    if known.sum() < 5:
        return 0.05, 0.45
    # Names and descriptions drag the tail down; a contact is phrased like an example, which stands
    # higher. The floor keeps a map of near-opposites from accepting anything.
    none_score = max(float(np.quantile(own[known], 0.05)), 0.3)
    rows = np.flatnonzero(known)
    truth = member.argmax(axis=1)[rows]

    def loss(temperature: float) -> float:
        chosen = _probabilities(scores[rows], none_score, temperature)[np.arange(len(rows)), truth]
        return float(-np.log(np.maximum(chosen, 1e-9)).mean())

    temperature = min(np.geomspace(0.01, 0.3, 25), key=lambda value: loss(float(value)))
    return float(temperature), none_score
