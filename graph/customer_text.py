"""What the customer says in a message: no quoted text, no signature; sentences with offsets."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from graph.values import Conversation, Turn

Span = tuple[int, int]

_WROTE = re.compile(
    r"^[ \t]*(?:on\b.{4,200}?\bwrote|am\b.{4,200}?\bschrieb.{0,80}?|le\b.{4,200}?\ba écrit"
    r"|el\b.{4,200}?\bescribió)[ \t]?:[ \t]*$",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_ORIGINAL = re.compile(
    r"^[ \t]*(?:-{3,}[ \t]*original message[ \t]*-{3,}|_{10,}[ \t]*$|from:[^\n]+\n(?:sent|date):)",
    re.IGNORECASE | re.MULTILINE,
)
_FORWARDED = re.compile(
    r"^[ \t]*-{3,}[ \t]*forwarded message[ \t]*-{3,}[ \t]*\n"
    r"(?:[ \t]*(?:from|to|cc|date|sent|subject)[ \t]*:[^\n]*(?:\n|\Z))*",
    re.IGNORECASE | re.MULTILINE,
)
_SIGNATURE_MARK = re.compile(r"^(?:-- ?|—|__)[ \t]*$", re.MULTILINE)
_DEVICE = re.compile(
    r"^[ \t]*(?:sent from my|sent via|get outlook for|gesendet von mein)[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_DISCLAIMER = re.compile(
    r"^[^\n]*\b(?:this (?:e-?mail|message)\b[^\n]{0,60}\b(?:confidential|intended (?:only|solely))"
    r"|confidentiality notice)",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSING = re.compile(
    r"^[ \t]*(?:(?:kind|best|warm|many)?[ \t]*(?:regards|wishes)|best|cheers|thanks(?: again)?"
    r"|many thanks|thank you|yours(?: sincerely| faithfully| truly)?|sincerely|mit freundlichen"
    r" grüßen|viele grüße|cordialement|saludos|atentamente)[ \t]*[,.!]?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
_NAME_LINE = re.compile(r"\n[ \t]*\n[ \t]*(?P<name>[^\W\d_][\w.'’-]*(?:[ ,]+[\w.'’&-]+){0,4})\s*\Z")
_GREETING = re.compile(
    r"\A\s*(?:(?:hi|hey|hiya|hello|helo|hallo|dear|good (?:morning|afternoon|evening|day)|greetings"
    r"|guten tag|bonjour|hola)\b(?:[ \t]+(?!(?:i|im|i'm|my|we|can|could|do|does|how|what|when|where"
    r"|why|is|are|so|yeah|um)\b)[\w'’&.-]+){0,3}[ \t]*[,.!:\n]+\s*)+",
    re.IGNORECASE,
)
_BARE_GREETING = re.compile(
    r"\A\s*(?:hi|hey|hiya|hello|helo|hallo|good (?:morning|afternoon|evening|day))\b"
    r"(?:[ \t]+(?:there|team|all|yeah|um|so))*[ \t,]*",
    re.IGNORECASE,
)
_THANKS_END = re.compile(
    r"[\s,.!]*\b(?:many thanks|thanks(?: a lot| in advance| so much| again)?|thank you(?: very much"
    r"| so much| in advance| for understanding)?|thx|cheers|ta|bye)(?:[,\s]+[A-Z][\w'’-]+)?[\s.!]*\Z",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<=[.!?…])[\"'”’)\]]*(?:\s+|$)|\n[ \t]*\n\s*")
_ABBREVIATION = re.compile(
    r"\b(?:mr|mrs|ms|dr|prof|st|no|nr|e\.g|i\.e|etc|approx|vs|inc|ltd|co|art|p)\.\s*\Z",
    re.IGNORECASE,
)
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Said:
    """A stretch of a customer's own words.

    Attributes:
        turn: Id of the turn.
        index: Position of the turn in the conversation, from 0.
        start: Offset of the first character in the turn's text.
        end: Offset after the last one; ``turn.text[start:end] == text``.
    """

    turn: str
    index: int
    start: int
    end: int
    text: str


def _blank(text: str, start: int, end: int) -> str:
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def _without_quotes(text: str) -> str:
    text = re.sub(r"^[ \t]*>.*$", lambda hit: " " * len(hit[0]), text, flags=re.MULTILINE)
    for hit in list(_WROTE.finditer(text)):
        # Under bottom posting the quoted lines carry ">" and are blank by now, the reply follows;
        # without such lines everything below the mark is the earlier message.
        rest = text[hit.end() :].lstrip("\n")
        quoted_by_marks = bool(rest) and rest.split("\n", 1)[0].strip() == ""
        text = _blank(text, hit.start(), hit.end() if quoted_by_marks else len(text))
    if original := _ORIGINAL.search(text):
        text = _blank(text, original.start(), len(text))
    return text


def _without_signature(text: str) -> str:
    for mark in (_SIGNATURE_MARK, _DISCLAIMER):
        if hit := mark.search(text):
            text = _blank(text, hit.start(), len(text))
    text = _DEVICE.sub(lambda hit: " " * len(hit[0]), text)
    for hit in _CLOSING.finditer(text):
        below = [line.strip() for line in text[hit.end() :].split("\n") if line.strip()]
        if len(below) <= 5 and all(len(line) < 60 and line[-1] not in "?!" for line in below):
            text = _blank(text, hit.start(), len(text))
            break
    name = _NAME_LINE.search(text)
    if name and name["name"][0].isupper() and text[: name.start()].strip():
        text = _blank(text, name.start(), len(text))
    return text


@lru_cache(maxsize=256)  # every rule asks for the words of the same few messages
def own_words(text: str) -> str:
    """Return ``text`` with everything that is not the customer speaking turned into spaces.

    The result is exactly as long as ``text``, so offsets stay true. Forwarded text stays: the
    customer wants it read; only its header lines go.
    """
    text = _FORWARDED.sub(lambda hit: re.sub(r"[^\n]", " ", hit[0]), text)
    return _without_signature(_without_quotes(text))


def sentence_spans(text: str) -> list[Span]:
    """Return the ``(start, end)`` of the sentences of a customer message, white space trimmed.

    Customers start sentences in lower case, which the splitter for help-center prose
    (``kb.sentences``) rightly takes for one sentence that goes on.
    """
    spans: list[Span] = []
    start = 0
    for hit in (*_BREAK.finditer(text), None):
        end = hit.start() if hit else len(text)
        if hit and "\n" not in hit[0] and _ABBREVIATION.search(text[start:end]):
            continue
        piece = text[start : hit.end() if hit else end]
        words = list(_WORD.finditer(piece))
        if words:
            spans.append((start + words[0].start(), start + words[-1].end()))
        if hit:
            start = hit.end()
    return spans


def _windows(text: str, span: Span, words: int, step: int) -> list[Span]:
    tokens = list(_WORD.finditer(text, *span))
    if len(tokens) <= words + step // 2:
        return []
    return [
        (tokens[at].start(), tokens[min(at + words, len(tokens)) - 1].end())
        for at in range(0, max(len(tokens) - step, 1), step)
    ]


def units(turn: Turn, index: int) -> list[Said]:
    """Return what is judged by meaning in one customer turn, in order.

    These are neighbouring pairs of sentences: a sentence alone ("It is normal by you?") often means
    something only beside its neighbour. A single sentence stands alone; long unpunctuated ones
    (speech) are read in overlapping windows.
    """
    text = own_words(turn["text"])
    sentences = sentence_spans(text)
    spans = [part for span in sentences for part in _windows(text, span, words=18, step=9)]
    spans += [(left[0], right[1]) for left, right in pairwise(sentences)] or sentences
    seen = dict.fromkeys(span for span in spans if text[slice(*span)].strip(" .!?"))
    return [Said(turn["id"], index, start, end, turn["text"][start:end]) for start, end in seen]


def customer_turns(conversation: Conversation) -> list[tuple[int, Turn]]:
    """Return ``(position, turn)`` of every turn the customer spoke, in order."""
    return [
        (index, turn)
        for index, turn in enumerate(conversation["turns"])
        if turn["speaker"] == "customer"
    ]


def plain(text: str) -> str:
    """Return the customer's own words of one message, white space folded."""
    return " ".join(own_words(text).split())


def without_courtesies(text: str) -> str:
    """Return ``text`` without greeting and closing thanks; never empty for non-empty words."""
    cut = _GREETING.sub("", text)
    cut = _BARE_GREETING.sub("", cut) if len(cut.split()) > 3 else cut
    cut = _THANKS_END.sub("", cut)
    return cut.strip() or text.strip()
