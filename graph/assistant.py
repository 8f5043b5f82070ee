"""What the assistant does to a draft at an agent's request: pure functions from values to values.

Nothing here needs a language model. A sentence is left out, brought in from the sources or asked
from the reason map; its words are never changed, so that its citations stay true. What needs other
words needs a language model, and :func:`needs_model` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from graph.asking import answer_types, parts_of
from graph.chat_requests import RequestKind, names_last, number_in, topic_of, topic_words
from graph.courtesies import courtesies, first_name
from graph.draft import cite_whole, content_words, word_overlap
from graph.extractive import sentences_of
from graph.promises import is_courtesy
from graph.selection import (
    Budget,
    Line,
    answer_probability,
    answer_signals,
    choose,
    companions,
    features_of,
    lines_of,
)
from graph.statements import PLACEHOLDER
from graph.values import Citation, Conversation, Customer, Draft, Sentence
from kb.content import Passage
from retrieval.ports import Embedder, Hit

Tone = Literal["warm", "formal", "sorry"]
Edge = Literal["opening", "closing"]

DRAFTER: Final = "extractive"
"""Who wrote what holds nothing but sentences of the sources."""
_SETTING: Final = (
    "Set PROOFDESK_MODEL to a chat model, such as ollama:llama3.1 or openai:gpt-5-mini, and start "
    "the desk again."
)
_NEEDS_MODEL: Final[Mapping[RequestKind, str]] = {
    "language": "Another language needs a language model: without one the desk only repeats the "
    "sources' own sentences.",
    "reword": "Other words need a language model: without one the desk only repeats the sources' "
    "own sentences, or you edit the draft by hand.",
}
WHAT_I_CAN: Final = (
    "I did not understand that. I can shorten the draft, add what the sources say about something, "
    "leave a sentence out, ask for a missing detail, insert a macro, use another source, change "
    "greeting and closing, start over, or look a policy up."
)


@dataclass(frozen=True, slots=True)
class Revised:
    """A draft after a request.

    Attributes:
        draft: The draft; the one before where nothing changed.
        said: What was done or why nothing was, in plain words for the agent.
        changed: Whether the draft is another one.
    """

    draft: Draft
    said: str
    changed: bool = True


def needs_model(kind: RequestKind) -> str:
    """Return why a request cannot be met without a language model, and what to set; "" if it can."""
    why = _NEEDS_MODEL.get(kind)
    return f"{why} {_SETTING}" if why else ""


# What must stay together


def bonds(
    draft: Draft, editions: Mapping[str, Sequence[Passage]], customer: Customer
) -> list[frozenset[int]]:
    """Return for each sentence the places of those that must stay as long as it does.

    An exception belongs to its rule, a sentence that leans on the one before to that one, an item to
    its list and the list to what leads it in.

    Args:
        draft: The draft.
        editions: Version id → its passages, for the cited versions.
        customer: Fills the placeholders of macros.
    """
    texts = [sentence["text"] for sentence in draft["sentences"]]
    needs: list[set[int]] = [set() for _ in texts]
    for group in _lists(texts):
        for at in group:
            needs[at] |= group - {at}
    lines = _lines_of_editions(editions, customer)
    places = [_places(sentence, lines) for sentence in draft["sentences"]]
    for at, own in enumerate(places):
        along = {other for place in own for other in companions(place, lines) or ()} - own
        needs[at] |= {other for other, its in enumerate(places) if other != at and its & along}
    return [frozenset(one) for one in needs]


def _lists(texts: Sequence[str]) -> list[set[int]]:
    groups: list[set[int]] = []
    for at, text in enumerate(texts):
        if not text.startswith("- "):
            continue
        if groups and at - 1 in groups[-1]:
            groups[-1].add(at)
        else:
            groups.append({at - 1, at} if at and texts[at - 1].endswith(":") else {at})
    return groups


def _lines_of_editions(editions: Mapping[str, Sequence[Passage]], customer: Customer) -> list[Line]:
    hits = [Hit(1, 0.0, passages[0], 0.0, 0.0) for passages in editions.values() if passages]
    return lines_of(hits, editions, customer)


def _places(sentence: Sentence, lines: Sequence[Line]) -> set[int]:
    """Return which statements of the sources a sentence is; none where it cites whole passages."""
    found: set[int] = set()
    for citation in sentence["citations"]:
        for at, line in enumerate(lines):
            passage, statement = line.passage, line.statement
            if passage.id != citation["passage_id"]:
                continue
            whole = (citation["start"], citation["end"]) == (passage.start, passage.end)
            overlaps = statement.start < citation["end"] and citation["start"] < statement.end
            if overlaps and not (whole and len(statement.text) < 0.8 * len(passage.plain)):
                found.add(at)
    return found


def _with_dependents(at: int, needs: Sequence[frozenset[int]]) -> set[int]:
    """Return what goes when the sentence at ``at`` goes."""
    gone, ahead = set[int](), [at]
    while ahead:
        one = ahead.pop()
        if one not in gone:
            gone.add(one)
            ahead += [other for other, its in enumerate(needs) if one in its]
    return gone


# Shorter


def shorten(
    draft: Draft,
    question: str,
    embedder: Embedder,
    needs: Sequence[frozenset[int]],
    at_most: int | None = None,
) -> Revised:
    """Return the draft without its least relevant sentences, and without courtesies.

    What answers best each part of the question stays, and so does whatever limits it.

    Args:
        draft: The draft.
        question: What the customer asks.
        embedder: Compares question and sentences by meaning.
        needs: See :func:`bonds`.
        at_most: How many sentences are to be left; default half.
    """
    sentences = draft["sentences"]
    keep = set(range(len(sentences)))
    target = max(1, at_most if at_most is not None else len(keep) // 2)
    if len(keep) > target:
        relevance = _relevance(question, sentences, embedder)
        protected = {int(row.argmax()) for row in relevance}
        protected |= {other for at in protected for other in needs[at]}
        for at in np.argsort(relevance.max(axis=0), kind="stable"):
            gone = _with_dependents(int(at), needs)
            if len(keep) <= target:
                break
            if not gone & protected:
                keep -= gone
    dropped = len(sentences) - len(keep)
    shorter: Draft = {
        **draft,
        "sentences": [sentence for at, sentence in enumerate(sentences) if at in keep],
        "opening": draft["opening"].partition("\n")[0],
        "closing": "",
    }
    courtesy = (shorter["opening"], "") != (draft["opening"], draft["closing"])
    if not dropped and not courtesy:
        return Revised(
            draft,
            "Nothing can be left out without losing part of the answer. "
            f"Fewer words for the same need a language model, or your own edit. {_SETTING}",
            changed=False,
        )
    done = []
    if dropped:
        done.append(f"{_count(dropped, 'sentence')} less to the point")
    if courtesy:
        done.append("the courtesies")
    said = f"Left out {' and '.join(done)}."
    if len(keep) > target and at_most is not None:
        said += f" {_count(len(keep), 'sentence')} are needed to answer what was asked."
    return Revised(shorter, said)


def _relevance(
    question: str, sentences: Sequence[Sentence], embedder: Embedder
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return how near each sentence is to each part of the question, ``(parts, sentences)``."""
    parts = parts_of(question)
    texts = [sentence["text"] for sentence in sentences]
    vectors = embedder.embed([*parts, *texts])
    near = (vectors[: len(parts)] @ vectors[len(parts) :].T).astype(np.float64)
    words = np.array([[word_overlap(part, text) for text in texts] for part in parts])
    return np.asarray(0.7 * near + 0.3 * words)


# One sentence out


def named_edge(text: str) -> Edge | None:
    """Return the courtesy that a request is about, if it is about one."""
    if re.search(r"\b(?:greeting|opening|salutation|hello|intro\w*)\b", text, re.I):
        return "opening"
    if re.search(r"\b(?:closing|sign[- ]?off|farewell|goodbye|ending|signature)\b", text, re.I):
        return "closing"
    return None


def named_sentence(draft: Draft, text: str, embedder: Embedder) -> int | None:
    """Return the place of the sentence that a request is about: by number, or by what it says."""
    sentences = draft["sentences"]
    if not sentences:
        return None
    if names_last(text):
        return len(sentences) - 1
    topic = topic_of(text)
    number = number_in(text)
    if number is not None and len(topic_words(text)) <= 1:
        return number - 1 if 1 <= number <= len(sentences) else None
    if not topic:
        return None
    at, score = _nearest(topic, [sentence["text"] for sentence in sentences], embedder)
    return at if score >= _SAME_SUBJECT else None


_SAME_SUBJECT: Final = 0.35


def _nearest(topic: str, texts: Sequence[str], embedder: Embedder) -> tuple[int, float]:
    """Return the place of the text nearest to ``topic`` by meaning and words, and how near, 0..1."""
    vectors = embedder.embed([topic, *texts])
    scores = 0.6 * (vectors[1:] @ vectors[0])
    scores = scores + 0.4 * np.array([word_overlap(topic, text) for text in texts])
    at = int(scores.argmax())
    return at, float(scores[at])


def without(draft: Draft, at: int, needs: Sequence[frozenset[int]]) -> Revised:
    """Return the draft without a sentence and what cannot stand without it."""
    gone = _with_dependents(at, needs)
    left = [sentence for place, sentence in enumerate(draft["sentences"]) if place not in gone]
    if not left:
        return Revised(draft, "That is all the draft says: it would be empty.", changed=False)
    said = f"Left out {_count(len(gone), 'sentence')}."
    if len(gone) > 1:
        said += " They belong together in the source: part of them alone would mislead."
    return Revised({**draft, "sentences": left}, said)


def without_edge(draft: Draft, edge: Edge) -> Revised:
    """Return the draft without its greeting or its closing."""
    if not draft[edge]:
        return Revised(draft, f"There is no {edge} to leave out.", changed=False)
    if edge == "opening":
        return Revised({**draft, "opening": ""}, "Left out the opening.")
    return Revised({**draft, "closing": ""}, "Left out the closing.")


# More


def about(
    topic: str,
    hits: Sequence[Hit],
    neighbours: Mapping[str, Sequence[Passage]],
    conversation: Conversation,
    embedder: Embedder,
    budget: Budget = Budget(sentences=2, words=60, margin=1.0),  # noqa: B008 - frozen
) -> list[Sentence]:
    """Return what the sources say about a subject, in their words; empty when they say nothing.

    Args:
        topic: The subject; a question or a few words.
        hits: Passages in force, best first.
        neighbours: Version id → its passages, so that exceptions come along.
        conversation: Its customer fills the placeholders of macros.
        embedder: Compares subject and sentences by meaning.
        budget: How much at most.
    """
    lines = lines_of(hits, neighbours, conversation["customer"])
    features = features_of([topic], lines, embedder)[0]
    if not lines or answer_probability(answer_signals(topic, lines, features)) < _SPEAKS_OF:
        return []
    chosen = choose(lines, features, budget, answer_types(topic))
    return sentences_of(chosen, lines, conversation["channel"])


_SPEAKS_OF: Final = 0.3


def with_sentences(
    draft: Draft, more: Iterable[Sentence], conversation: Conversation, said: str = ""
) -> Revised:
    """Return the draft with further sentences at its end, those it has already left out.

    An abstention becomes an answer between the courtesies of the channel.
    """
    known = {_folded(sentence["text"]) for sentence in draft["sentences"]}
    fresh = [sentence for sentence in more if _folded(sentence["text"]) not in known]
    if not fresh:
        return Revised(draft, "The draft says that already.", changed=False)
    base = draft if draft["sentences"] else _begun(draft, conversation)
    told = said or f"Added {_count(len(fresh), 'sentence')}."
    return Revised({**base, "sentences": [*base["sentences"], *fresh], "note": ""}, told)


def _begun(draft: Draft, conversation: Conversation) -> Draft:
    opening, closing = courtesies(conversation)
    return {
        **draft,
        "kind": "answer",
        "opening": opening,
        "closing": closing,
        "drafter": DRAFTER,
    }


def asking(draft: Draft, asks: Sequence[str], conversation: Conversation) -> Revised:
    """Return the draft with the reason map's own questions at its end.

    An abstention becomes a question back; an answer stays one that also asks.
    """
    sentences: list[Sentence] = [{"text": ask, "citations": []} for ask in asks]
    asked = with_sentences(draft, sentences, conversation, "Asks for it in your team's own words.")
    if asked.changed and not draft["sentences"]:
        return Revised({**asked.draft, "kind": "clarify"}, asked.said)
    if not asked.changed:
        return Revised(draft, "The draft asks for that already.", changed=False)
    return asked


def macro_sentences(
    passages: Sequence[Passage], conversation: Conversation
) -> tuple[list[Sentence], int]:
    """Return what a macro says to this customer, and how many of its sentences cannot be told.

    A sentence with a placeholder that the customer's data do not fill cannot, nor one that says
    what was done in another case.
    """
    if not passages:
        return [], 0
    editions = {passages[0].version_id: passages}
    lines = _lines_of_editions(editions, conversation["customer"])
    # A courtesy of the macro is no sentence to cite: the draft has its own.
    claims = [
        at
        for at, line in enumerate(lines)
        if not is_courtesy(PLACEHOLDER.sub("", line.statement.text))
    ]
    usable = [at for at in claims if lines[at].statement.usable]
    return sentences_of(usable, lines, conversation["channel"]), len(claims) - len(usable)


# Sources


def numbered(draft: Draft) -> list[Citation]:
    """Return the citations of a draft, each place in a source once, in the order of their numbers."""
    places: dict[tuple[str, int, int], Citation] = {}
    for sentence in draft["sentences"]:
        for c in sentence["citations"]:
            places.setdefault((c["passage_id"], c["start"], c["end"]), c)
    return list(places.values())


def named_source(text: str, draft: Draft, hits: Sequence[Hit], embedder: Embedder) -> str | None:
    """Return the id of the article that a request names; None when it names none.

    A number is that of a citation of the draft as the screen numbers them, or past those the place
    among the other articles found; "the other one" is the first that the draft does not cite; words
    name an article by its title.
    """
    cited = numbered(draft)
    articles = list(dict.fromkeys(hit.passage.article_id for hit in hits))
    used = {citation["article_id"] for citation in cited}
    another = next((article for article in articles if article not in used), None)
    if _ANOTHER.search(text):
        return another
    number = number_in(text)
    if number is not None:
        if 1 <= number <= len(cited):
            return cited[number - 1]["article_id"]
        others = [article for article in articles if article not in used]
        place = number - len(cited) - 1
        return others[place] if 0 <= place < len(others) else None
    topic = topic_of(text)
    if topic:
        titles = {hit.passage.article_id: hit.passage.title for hit in reversed(hits)}
        if titles:
            at, score = _nearest(topic, list(titles.values()), embedder)
            if score >= _SAME_SUBJECT:
                return list(titles)[at]
    return another


_ANOTHER: Final = re.compile(
    r"\b(?:(?:the )?other (?:one|source|article)|another|different)\b", re.I
)


def of_article(article_id: str, hits: Sequence[Hit]) -> list[Hit]:
    """Return the hits of one article, ranked anew."""
    own = [hit for hit in hits if hit.passage.article_id == article_id]
    return [
        Hit(rank, hit.score, hit.passage, hit.cosine, hit.lexical)
        for rank, hit in enumerate(own, start=1)
    ]


# Courtesies


def toned(draft: Draft, tone: Tone, conversation: Conversation) -> Revised:
    """Return the draft with courtesies of another tone; what it states keeps its words."""
    opening, closing = _courtesies_in(tone, conversation)
    if (opening, closing) == (draft["opening"], draft["closing"]):
        return Revised(draft, "Greeting and closing have that tone already.", changed=False)
    named = {"warm": "warmer", "formal": "more formal", "sorry": "apologetic"}[tone]
    said = f"Greeting and closing are {named} now; what the draft states keeps its words."
    return Revised({**draft, "opening": opening, "closing": closing}, said)


def _courtesies_in(tone: Tone, conversation: Conversation) -> tuple[str, str]:
    name, channel = conversation["customer"]["name"].strip(), conversation["channel"]
    first = first_name(name)
    if channel == "email":
        warm = f"Hello {first}," if first else "Hello,"
        dear = f"Dear {name}," if first else "Dear customer,"
        return {
            "warm": (
                f"{warm}\n\nThank you so much for your message.",
                "If you need anything else, just reply. We are always happy to help.\n\nWarm regards",
            ),
            "formal": (
                f"{dear}\n\nThank you for contacting us.",
                "If you have any further questions, please let us know.\n\nKind regards",
            ),
            "sorry": (
                f"{warm}\n\nWe are sorry for the inconvenience.",
                "If you have any other questions, just reply to this email.",
            ),
        }[tone]
    hi = f"Hi {first}!" if first else "Hi!"
    return {
        "warm": (
            f"{hi} Thank you so much for your message.",
            "Is there anything else I can help with? Have a lovely day!",
        ),
        "formal": (
            "Hello. Thank you for contacting us.",
            "Is there anything else I can help with?",
        ),
        "sorry": (
            f"{hi} We are sorry for the inconvenience.",
            "Is there anything else I can help with?",
        ),
    }[tone]


def nearest_name(text: str, names: Sequence[str], embedder: Embedder) -> int | None:
    """Return the place of the name that a request means; None when it names none of them."""
    topic = topic_of(text)
    if not names or not topic:
        return None
    at, score = _nearest(topic, names, embedder)
    return at if score >= _SAME_SUBJECT else None


def _folded(text: str) -> str:
    return " ".join(content_words(text)) or text.strip()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def as_found(hits: Sequence[Hit], most: int = 2) -> Draft:
    """Return the passages found, as an answer that claims nothing beyond them."""
    return {
        "kind": "answer",
        "opening": "",
        "sentences": [
            {"text": hit.passage.plain, "citations": [cite_whole(hit.passage)]}
            for hit in hits[:most]
        ],
        "closing": "",
        "drafter": DRAFTER,
        "note": "",
    }
