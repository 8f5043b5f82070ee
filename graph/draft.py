"""What every drafter needs: citing, rendering, digesting, and reading a draft out of free text."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from core.identifiers import json_digest
from graph.statements import Statement, readable, statements_of
from graph.values import Citation, Draft, Sentence
from kb.content import Passage
from kb.sentences import split_sentences
from retrieval.ports import Embedder

_BULLET = "- "
MODEL_PREFIX: Final = "model:"
"""Who wrote a draft that came from a language model: this and the model's name."""

# A sentence is still who wrote it first while so much of it stays (0..100, by characters), or while
# words were only taken out of it or put around it; with fewer words than these it is its own.
_SAME = 90
_SAME_WORDS = 4


def cite(passage: Passage, start: int, end: int) -> Citation:
    """Return the citation of ``body[start:end]``.

    Args:
        passage: The passage the words stand in.
        start: Offset of the first word in the article body.
        end: Offset after the last one.

    Raises:
        ValueError: The span is empty or reaches out of the passage.
    """
    if not passage.start <= start < end <= passage.end:
        raise ValueError(
            f"{start}:{end} is not within {passage.id} ({passage.start}:{passage.end})"
        )
    return {
        "passage_id": passage.id,
        "article_id": passage.article_id,
        "version_id": passage.version_id,
        "version": passage.version,
        "title": passage.title,
        "anchor": passage.anchor,
        "heading": list(passage.heading_path),
        "start": start,
        "end": end,
        "quote": passage.text[start - passage.start : end - passage.start],
        "content_hash": passage.content_hash,
        "url": passage.url,
    }


def cite_whole(passage: Passage) -> Citation:
    """Return the citation of the whole of ``passage``."""
    return cite(passage, passage.start, passage.end)


def draft_text(draft: Draft) -> str:
    """Return what the customer reads: opening, body, closing, a blank line between them.

    Sentences run on in paragraphs; one whose text begins with ``- `` is a list item on its own
    line. A draft without sentences (an abstention) is the empty string.
    """
    if not draft["sentences"]:
        return ""
    paragraphs: list[str] = []
    listing = False
    for sentence in draft["sentences"]:
        text = " ".join(sentence["text"].split())
        item = text.startswith(_BULLET)
        if item and paragraphs and (listing or paragraphs[-1].endswith(":")):
            paragraphs[-1] += f"\n{text}"
        elif item or listing or not paragraphs:
            paragraphs.append(text)
        else:
            paragraphs[-1] += f" {text}"
        listing = item
    parts = [draft["opening"].strip(), *paragraphs, draft["closing"].strip()]
    return "\n\n".join(part for part in parts if part)


def draft_digest(draft: Draft) -> str:
    """Return the digest of what an approval of ``draft`` stands for.

    Covers what the customer would read and which exact words back it; not who wrote it or why.
    """
    return json_digest(
        {
            "kind": draft["kind"],
            "opening": draft["opening"],
            "closing": draft["closing"],
            "sentences": [
                {
                    "text": sentence["text"],
                    "citations": [
                        [c["passage_id"], c["start"], c["end"], c["content_hash"]]
                        for c in sentence["citations"]
                    ],
                }
                for sentence in draft["sentences"]
            ],
        }
    )


def written_by_model(draft: Draft, sentence: Sentence) -> str:
    """Return the model that wrote a sentence, ``model:<name>``; "" where none did.

    Args:
        draft: The draft.
        sentence: One of its sentences.
    """
    drafter = str(draft.get("drafter", ""))
    if not drafter.startswith(MODEL_PREFIX):
        drafter = str(sentence.get("written_by", ""))
    return drafter if drafter.startswith(MODEL_PREFIX) else ""


def keep_writers(edited: Draft, before: Draft) -> Draft:
    """Return an edit with each sentence marked that is still a model's.

    What a model wrote is held closely to its source. Passing through an edit does not make it a
    person's: neither unchanged nor all but unchanged, nor joined to other words.

    Args:
        edited: The draft after a person's edit.
        before: The draft that was edited.
    """
    models = {
        words: model
        for sentence in before["sentences"]
        if (model := written_by_model(before, sentence)) and (words := _plain(sentence["text"]))
    }
    if not models:
        return edited
    return {**edited, "sentences": [_marked(one, models) for one in edited["sentences"]]}


def _marked(sentence: Sentence, models: Mapping[str, str]) -> Sentence:
    said = _plain(sentence["text"])
    mine = said.split()
    for words, model in models.items():
        theirs = words.split()
        joined = len(theirs) >= _SAME_WORDS and f" {words} " in f" {said} "
        cut = len(mine) >= _SAME_WORDS and LCSseq.similarity(mine, theirs) == len(mine)
        if joined or cut or fuzz.ratio(words, said) >= _SAME:
            return {**sentence, "written_by": model}
    return sentence


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold().replace("’", "'").replace("'", "")))


def abstention(drafter: str, note: str) -> Draft:
    """Return a draft that says nothing to the customer and ``note`` to the reviewer."""
    return {
        "kind": "abstain",
        "opening": "",
        "sentences": [],
        "closing": "",
        "drafter": drafter,
        "note": note,
    }


_GREETING = re.compile(
    r"\s*(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|greetings)\b[^.!?\n]{0,40}[,!.:]"
    r"|thank(?:s| you)(?: so much| very much)? (?:for|so much)\b[^.!?\n]{0,80}[.!])[ \t]*(?:\n|$|(?=\s))",
    re.I,
)
_FAREWELL = re.compile(
    r"(?:(?:kind|best|warm)?(?:est)? ?(?:regards|wishes)|sincerely|cheers|thanks(?: again)?|thank you|"
    r"yours (?:truly|sincerely|faithfully)|(?:please )?(?:let (?:us|me) know|(?:just )?reply|get back to)\b[^\n]*|"
    r"(?:i|we) hope (?:this|that) helps[^\n]*|have a (?:great|nice|good|lovely|wonderful)\b[^\n]*|"
    r"(?:is there )?anything else\b[^\n]*|take care\b[^\n]*|if you have any (?:other|more|further)? ?questions\b[^\n]*|"
    r"(?:we(?:['’]re| are)|i(?:['’]m| am)) (?:always )?happy to help\b[^\n]*|"
    r"the [\w ]{1,30}team|[-–—]+ ?[\w .]{0,40}|[A-Z][\w'’.-]{1,20}(?: [A-Z][\w'’.-]{1,20}){0,2})[.,!]*",
    re.I,
)
_FACTUAL = re.compile(r"\d|[$€£%]|\b(?:within|refund|credit|cancel|free|guarantee)\b", re.I)
_ITEM_MARK = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s+")


def _split_courtesies(text: str) -> tuple[str, str, str]:
    """Return opening, body and closing of a reply. A courtesy that states a fact is body."""
    rest = text.strip()
    opening, gap = "", ""
    while (found := _GREETING.match(rest)) and not _FACTUAL.search(found.group()):
        said, after = found.group().rstrip(), rest[found.end() :].lstrip()
        opening += gap + said
        gap = _gap(rest[len(said) : len(rest) - len(after)])
        rest = after
        if len(opening) > 160:
            break
    spans = split_sentences(rest)
    keep = len(spans)
    for start, end in reversed(spans):
        lines = [line.strip() for line in rest[start:end].splitlines() if line.strip()]
        if all(_is_farewell(line) for line in lines):
            keep -= 1
        else:
            break
    if keep == len(spans):
        return opening, rest, ""
    cut = spans[keep - 1][1] if keep else 0
    return opening, rest[:cut].rstrip(), re.sub(r"\n{3,}", "\n\n", rest[cut:].strip())


def _gap(white_space: str) -> str:
    """Return what parts two courtesies: a blank line, a line break or a blank, as it was written."""
    return "\n\n" if white_space.count("\n") > 1 else "\n" if "\n" in white_space else " "


def _is_farewell(line: str) -> bool:
    # A bare name signs a letter only when its letters say so; case must count there.
    if _FACTUAL.search(line) or not (found := _FAREWELL.fullmatch(line)):
        return False
    words = found.group().split()
    is_name = len(words) <= 3 and not re.match(
        r"(?i)kind|best|warm|regards|sincerely|cheers|thank|yours|please|let|just|reply|get|i\b|we|have"
        r"|is\b|anything|take|if|the|[-–—]",
        words[0],
    )
    return not is_name or all(word[:1].isupper() for word in words)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STOP = _words(
    "a an the this that these those it its is are was were be been being am do does did have has had "
    "will would shall should can could may might must of to in on at by for from with without as and "
    "or but if then than so not no nor you your yours we our us i me my they them their he she his "
    "her there here what which who whom how when where why any all some also just only very too into "
    "about after before over under up out off again more most such own same please thanks hi hello "
    "get got im ive dont s t"
)


def content_words(text: str) -> list[str]:
    """Return the folded content words of ``text``, shortened to a crude stem, in order."""
    words = re.findall(r"[^\W_]+(?:[.'’-][^\W_]+)*", text.casefold())
    return [_stem(word) for word in words if word.replace("’", "'") not in _STOP]


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    word = re.sub(r"['’]s?$", "", word)
    if len(word) <= 3 or any(c.isdigit() for c in word):
        return word
    for suffix in ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ied", "ers", "er",
                   "ed", "es", "ly", "s", "e", "y"):  # fmt: skip
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            stem = word[: -len(suffix)]
            return stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else stem
    return word


def word_overlap(text: str, source: str) -> float:
    """Return the share, 0..1, of the content words of ``text`` that ``source`` holds too."""
    words = set(content_words(text))
    return len(words & set(content_words(source))) / len(words) if words else 0.0


# A person's own words for a source sentence reach about .6 by meaning, or share half its words.
_ENOUGH = 0.58
_NEAR_BEST = 0.12


def plain_draft(
    text: str,
    candidates: Sequence[Passage],
    embedder: Embedder,
    drafter: str = "person:unknown",
    kind: Literal["answer", "clarify"] = "answer",
    question: str = "",
) -> Draft:
    """Turn free text (a person's edit, a draft written elsewhere) into a draft with citations.

    Each sentence cites the statements of ``candidates`` that it matches by meaning and by words;
    one that matches none cites nothing, for the check to object to. A short answer shares few words
    with its source: where the question is known, what is nearest to both is cited, and whether it
    bears the answer out is left to the check.

    Args:
        text: The reply, greeting and all. Markup in it is read as plain words.
        candidates: Passages it may rest on, such as those of the draft that was edited.
        embedder: Compares sentences by meaning.
        drafter: Who wrote it.
        question: What the text answers, where it is known.
    """
    opening, body, closing = _split_courtesies(text)
    if question and not body:
        # "The support team" signs a letter, and answers a question.
        opening, body, closing = "", text.strip(), ""
    texts = [_sentence_text(body[start:end]) for start, end in split_sentences(body)]
    texts = [sentence for sentence in texts if re.search(r"\w", sentence)]
    if question:
        citations = _match_answers(question, texts, candidates, embedder)
    else:
        citations = _match(texts, candidates, embedder)
    sentences: list[Sentence] = [
        {"text": words, "citations": found} for words, found in zip(texts, citations, strict=True)
    ]
    return {
        "kind": kind,
        "opening": opening,
        "sentences": sentences,
        "closing": closing,
        "drafter": drafter,
        "note": "",
    }


def _sentence_text(raw: str) -> str:
    marked = _ITEM_MARK.match(raw)
    words = readable(raw[marked.end() :] if marked else raw)
    return f"{_BULLET}{words}" if marked else words


def _match(
    texts: Sequence[str], candidates: Sequence[Passage], embedder: Embedder
) -> list[list[Citation]]:
    pool = [(passage, s) for passage in candidates for s in statements_of(passage)]
    if not texts or not pool:
        return [[] for _ in texts]
    vectors = embedder.embed([*texts, *(s.text for _, s in pool)])
    cosines = vectors[: len(texts)] @ vectors[len(texts) :].T
    found: list[list[Citation]] = []
    for row, words in zip(cosines, texts, strict=True):
        overlap = np.array([word_overlap(words, s.text) for _, s in pool])
        score = 0.6 * row + 0.4 * overlap
        best = float(score.max())
        chosen = [
            index
            for index in np.argsort(-score, kind="stable")[:2]
            if score[index] >= max(_ENOUGH * 0.9, best - _NEAR_BEST)
        ]
        if best < _ENOUGH * 0.9:
            chosen = []
        found.append([cite(pool[i][0], pool[i][1].start, pool[i][1].end) for i in chosen])
    return found


# What an answer cites: so many passages at most, none much further off than the nearest.
_MOST_CITED = 4
_WITHIN = 0.5


def _match_answers(
    question: str, texts: Sequence[str], candidates: Sequence[Passage], embedder: Embedder
) -> list[list[Citation]]:
    pool = [(passage, s) for passage in candidates for s in statements_of(passage)]
    if not texts or not pool:
        return [[] for _ in texts]
    wanted = [question, *(f"{question} {text}" for text in texts)]
    vectors = embedder.embed([*wanted, *(s.text for _, s in pool), *map(_under_heading, pool)])
    asked, plain, headed = np.split(vectors, [len(wanted), len(wanted) + len(pool)])
    cosines = np.maximum(plain @ asked.T, headed @ asked.T)
    about = np.array([word_overlap(question, s.text) for _, s in pool])
    found: list[list[Citation]] = []
    for row, text in enumerate(texts, start=1):
        told = np.array([word_overlap(text, s.text) for _, s in pool])
        score = 0.5 * cosines[:, 0] + 0.5 * cosines[:, row] + 0.5 * told + 0.2 * about
        chosen: dict[str, Passage] = {}
        for index in np.argsort(-score, kind="stable"):
            if len(chosen) == _MOST_CITED or score[index] < score.max() - _WITHIN:
                break
            chosen.setdefault(pool[index][0].id, pool[index][0])
        found.append([cite_whole(passage) for passage in chosen.values()])
    return found


def _under_heading(stated: tuple[Passage, Statement]) -> str:
    passage, statement = stated
    heading = passage.heading_path[-1] if passage.heading_path else passage.title
    return f"{heading}: {statement.text}"
