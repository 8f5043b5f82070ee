"""Writes answers out of the sources' own sentences: no model, nothing invented.

The drafter takes the statements that answer the question with whatever must not be torn from them,
words them as a reply between two courtesies, and abstains when no source answers. Weights and
limits were chosen on two help centers and checked on two others (``bench/extractive_answers.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from core.vocabulary import Channel
from graph.asking import answer_types, open_question, parts_in_context, points_back
from graph.courtesies import courtesies
from graph.draft import abstention, cite, draft_text
from graph.ports import Versions
from graph.selection import (
    Budget,
    Line,
    answer_probability,
    answer_signals,
    choose,
    disagreements,
    features_of,
    lines_of,
    run_of_steps,
)
from graph.values import Citation, Conversation, Draft, Sentence
from kb.content import Passage
from retrieval.ports import Embedder, Hit

NAME = "extractive"


def sentences_of(chosen: Sequence[int], lines: Sequence[Line], channel: Channel) -> list[Sentence]:
    """Return the chosen lines as sentences of a reply, each with the words it rests on."""
    sentences: list[Sentence] = []
    at = 0
    while at < len(chosen):
        line = lines[chosen[at]]
        run = _steps_from(chosen, at, lines)
        if len(run) > 1:
            items = [i for i in run if lines[i].statement.kind == "step"]
            sentences += [_item(lines[index], items, index, channel) for index in run]
            at += len(run)
            continue
        if not line.statement.leads:
            sentences.append({"text": _worded(line), "citations": [_cited(line)]})
            at += 1
            continue
        following = _list_after(chosen, at, lines)
        items = [i for i in following if lines[i].statement.kind in ("item", "step")]
        if len(items) == 1:
            item = lines[items[0]]
            text = f"{line.statement.text} {_lowered(item.statement.text)}"
            sentences.append({"text": text, "citations": [_cited(line), _cited(item)]})
            for index in following[1:]:
                sentences.append(
                    {"text": _worded(lines[index]), "citations": [_cited(lines[index])]}
                )
        elif items:
            sentences.append({"text": line.statement.text, "citations": [_cited(line)]})
            for index in following:
                sentences.append(_item(lines[index], items, index, channel))
        at += 1 + len(following)
    return sentences


def _steps_from(chosen: Sequence[int], at: int, lines: Sequence[Line]) -> list[int]:
    """Return the steps that follow each other from ``at`` on, without a lead-in before them."""
    whole = run_of_steps(chosen[at], lines) if lines[chosen[at]].statement.kind == "step" else []
    return [index for index in chosen[at : at + len(whole)] if index in whole]


def _list_after(chosen: Sequence[int], at: int, lines: Sequence[Line]) -> list[int]:
    """Return the chosen items that a lead-in introduces, and the sentences that go on with them."""
    found: list[int] = []
    for index in chosen[at + 1 :]:
        line = lines[index]
        if line.passage.version_id != lines[chosen[at]].passage.version_id or line.statement.leads:
            break
        is_item = line.statement.kind in ("item", "step")
        if not is_item and not (found and line.passage.id == lines[found[-1]].passage.id):
            break
        found.append(index)
    return found


_ORDER = ("First", "Then", "After that", "Next")


def _item(line: Line, items: Sequence[int], index: int, channel: Channel) -> Sentence:
    text = line.statement.text
    if index in items and channel != "voice":
        text = f"- {text}"
    elif index in items and line.statement.kind == "step":
        number = items.index(index)
        order = "Finally" if number == len(items) - 1 else _ORDER[min(number, len(_ORDER) - 1)]
        text = f"{order}, {_lowered(text)}"
    return {"text": text, "citations": [_cited(line)]}


def _worded(line: Line) -> str:
    """Return a line that stands by itself; a list item is told with what it is an item of."""
    statement = line.statement
    if statement.kind in ("item", "step") and line.lead:
        return f"{line.lead.rstrip()} {_lowered(statement.text)}"
    if statement.kind in ("item", "row") and len(statement.text.split()) <= 5:
        return f"{line.heading}: {statement.text}"
    return statement.text


def _lowered(text: str) -> str:
    """Lower the first letter where it is only a capital because a sentence began there."""
    first = text.split(" ", 1)[0]
    if first in _COMMON_STARTS or (first.istitle() and first.casefold().endswith(("ing", "ed"))):
        return text[0].lower() + text[1:]
    return text


_COMMON_STARTS = frozenset(
    [
        "A",
        "An",
        "The",
        "This",
        "These",
        "Those",
        "Your",
        "You",
        "Our",
        "We",
        "If",
        "When",
        "While",
        "After",
        "Before",
        "In",
        "On",
        "At",
        "For",
        "From",
        "By",
        "To",
        "With",
        "Go",
        "Open",
        "Click",
        "Select",
        "Choose",
        "Tap",
        "Press",
        "Enter",
        "Log",
        "Sign",
        "Use",
        "Add",
        "Run",
        "Set",
        "Send",
        "Make",
        "Visit",
        "All",
        "Any",
        "Each",
        "Every",
        "No",
        "Not",
        "Must",
        "May",
        "Can",
        "Please",
        "Provide",
        "Include",
        "There",
        "It",
        "Its",
        "They",
        "As",
        "Be",
        "Do",
        "Upon",
    ]
)


def _cited(line: Line) -> Citation:
    return cite(line.passage, line.statement.start, line.statement.end)


_SHORTER = re.compile(
    r"\b(?:short(?:er)?|too long|brief(?:er)?|concise|to the point|less (?:text|detail)|wordy)\b",
    re.I,
)
_LONGER = re.compile(
    r"\b(?:incomplete|long(?:er)?|more (?:detail|info)\w*|too short|missing|also (?:mention|say|explain|tell)|"
    r"left out|forgot|add)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reviewer's rejection asks of the next attempt."""

    budget: Budget = field(default_factory=Budget)
    words: str = ""


def wish_of(feedback: str) -> Wish:
    """Read a rejection (``reason: comment``, or a comment alone)."""
    reason, _, comment = feedback.partition(":")
    if not re.fullmatch(r"\s*[a-z_]+\s*", reason):
        comment = feedback
    comment = "" if comment.strip() == "None" else comment.strip()
    budget = Budget()
    too_long = re.search(r"\btoo long\b", feedback, re.I)
    if _SHORTER.search(feedback):
        budget = Budget(sentences=1, words=45, margin=0.0)
    elif not too_long and _LONGER.search(feedback):
        budget = Budget(sentences=7, words=150, margin=2.2)
    return Wish(budget, comment)


class ExtractiveDrafter:
    """Drafts out of the sources' own sentences.

    Args:
        embedder: Compares question and sentences by meaning.
        sources: Where given, lead-ins, steps and exceptions that stand beside a hit in the same
            article version are found even when they are no hits themselves.
        threshold: Probability that the sources answer below which the drafter abstains.
    """

    def __init__(
        self, embedder: Embedder, sources: Versions | None = None, threshold: float = 0.45
    ) -> None:
        self._embedder = embedder
        self._sources = sources
        self._threshold = threshold

    @property
    def name(self) -> str:
        """``extractive``."""
        return NAME

    def draft(
        self,
        conversation: Conversation,
        question: str,
        hits: Sequence[Hit],
        feedback: str = "",
        on_text: Callable[[str], None] | None = None,
    ) -> Draft:
        """Return an answer of one to four sentences, or an abstention that says why.

        Args:
            feedback: Why a reviewer rejected the draft before, as ``reason: comment``.
            on_text: Called once, with the whole text.
        """
        asked = open_question(conversation, question)
        first = self._write(conversation, asked, hits, Wish())
        if not feedback.strip():
            draft = first
        else:
            draft = self._again(conversation, asked, hits, wish_of(feedback), first)
        if on_text and draft["kind"] == "answer":
            on_text(draft_text(draft))
        return draft

    def _again(
        self,
        conversation: Conversation,
        asked: str,
        hits: Sequence[Hit],
        wish: Wish,
        first: Draft,
    ) -> Draft:
        """Write again after a rejection; the note says what was done about it."""
        second = self._write(conversation, asked, hits, wish)
        note = "Written again after the reviewer's comment."
        if draft_text(second) == draft_text(first):
            note = "The reviewer's comment changed nothing: the sources offer no other wording."
        if second["kind"] == "abstain":
            return second
        return {**second, "note": f"{note} {second['note']}".strip()}

    def _write(
        self, conversation: Conversation, asked: str, hits: Sequence[Hit], wish: Wish
    ) -> Draft:
        if not hits:
            return abstention(NAME, "No source in force was found for this question.")
        lines = lines_of(hits, self._neighbours(hits), conversation["customer"])
        # A part may be too thin by itself ("And the label?"): then what went before vouches for it.
        parts, fuller = map(list, zip(*parts_in_context(asked), strict=True))
        features = features_of([*parts, *fuller], lines, self._embedder)
        sure = [
            answer_probability(answer_signals(question, lines, found))
            for question, found in zip([*parts, *fuller], features, strict=True)
        ]
        alone, in_context = sure[: len(parts)], sure[len(parts) :]
        sure = [max(pair) for pair in zip(alone, in_context, strict=True)]
        better = [
            at + len(parts) if self._leans(part, alone[at], in_context[at]) else at
            for at, part in enumerate(parts)
        ]
        if wish.words:
            features = features_of(
                [f"{part} {wish.words}" for part in parts], lines, self._embedder
            )
        else:
            features = [features[i] for i in better]
        chosen: list[int] = []
        unanswered: list[str] = []
        for part, found, probability in zip(parts, features, sure, strict=True):
            if probability < self._threshold:
                unanswered.append(part)
                continue
            told = choose(lines, found, wish.budget.shared(len(parts)), answer_types(part))
            chosen += [index for index in told if index not in chosen]
        if len(unanswered) == len(parts):
            return abstention(
                NAME,
                f"No source in force answers this question: the nearest is “{hits[0].passage.context}”, "
                f"with a probability of {max(sure):.0%} that it answers.",
            )
        sentences = sentences_of(chosen, lines, conversation["channel"])
        if not sentences:
            return abstention(
                NAME,
                "The sources found are related, but no sentence of theirs can be told by itself; the nearest "
                f"is “{hits[0].passage.context}”.",
            )
        notes = [f"No source in force answers “{part}”." for part in unanswered]
        for said, other in disagreements(chosen, lines)[:2]:
            notes.append(
                f"Sources disagree: “{said.statement.text}” ({said.passage.title}), "
                f"“{other.statement.text}” ({other.passage.title})."
            )
        opening, closing = courtesies(conversation)
        return {
            "kind": "answer",
            "opening": opening,
            "sentences": sentences,
            "closing": closing,
            "drafter": NAME,
            "note": " ".join(notes),
        }

    def _leans(self, part: str, alone: float, in_context: float) -> bool:
        """Whether what a part says is told better with what went before it."""
        sure_enough = points_back(part) and in_context >= self._threshold
        return in_context > alone or sure_enough

    def _neighbours(self, hits: Sequence[Hit]) -> dict[str, list[Passage]]:
        if self._sources is None:
            return {}
        current = {hit.passage.version_id: hit.passage for hit in hits}
        found = {version: self._sources.passages_of_version(version) for version in current}
        return {
            version: [_with_address_of(current[version], passage) for passage in passages]
            for version, passages in found.items()
            if passages
        }


def _with_address_of(hit: Passage, passage: Passage) -> Passage:
    """Owner and address of an article may change without a new version; a hit has them right."""
    if (passage.owner, passage.url) == (hit.owner, hit.url):
        return passage
    return replace(passage, owner=hit.owner, url=hit.url)
