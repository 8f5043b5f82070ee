"""What an agent asks of the assistant: the kinds of request, told by meaning from examples.

The examples stand here and not in the workspace: they are about how agents talk to a tool, which no
team has to configure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from graph.draft import content_words
from graph.meaning import ExampleRules, ExampleVectors

RequestKind = Literal[
    "shorten",
    "detail",
    "lookup",
    "ask",
    "macro",
    "warm",
    "formal",
    "sorry",
    "remove",
    "source",
    "restart",
    "language",
    "reword",
    "unclear",
]
KINDS: Final[tuple[RequestKind, ...]] = get_args(RequestKind)
LONGEST_REQUEST: Final = 2_000
_SURE: Final = 0.19  # below it a request is like nothing known

EXAMPLES: Final[Mapping[RequestKind, tuple[str, ...]]] = {
    "shorten": (
        "shorter",
        "make it shorter",
        "too long",
        "this is way too long, cut it down",
        "can you trim this",
        "more concise please",
        "keep it brief",
        "one sentence only",
        "in two sentences",
        "just the essentials",
        "get to the point",
        "cut it in half",
        "summarise it",
        "less text",
        "condense the answer",
        "tighten it up",
        "tl;dr version",
        "they only need the short answer",
        "a bit wordy",
        "cut the waffle",
        "no more than three sentences",
        "keep it to 2 sentences",
        "fewer words",
    ),
    "detail": (
        "longer",
        "more detail",
        "add the return label cost",
        "also mention the warranty",
        "include how long the refund takes",
        "tell them about express shipping too",
        "add a sentence about gift cards",
        "explain how to cancel as well",
        "say what it costs",
        "you forgot the delivery time",
        "it should also say who pays the postage",
        "elaborate on the deadline",
        "expand on the exceptions",
        "put in the opening hours",
        "the part about exchanges is missing, add it",
        "mention that orders over 50 ship free",
        "give them the steps too",
        "add what happens with sale items",
        "more about the battery",
        "include the address of the returns centre",
        "add our support number",
        "also tell him how to pack it",
        "a bit more on the fees please",
        "add who pays for the shipping",
        "add what it costs and how long it takes",
        "mention when the money arrives",
        "tell them who may cancel and until when",
        "add how many devices a plan holds",
        "also say where they find the serial number",
    ),
    "lookup": (
        "what does the refund policy say about gifts?",
        "what is our policy on damaged goods?",
        "how long do customers have to return something?",
        "do we ship to Canada?",
        "is the label free?",
        "who pays for return shipping?",
        "can they exchange it for another colour?",
        "where does it say that?",
        "look up the warranty period",
        "check whether gift cards can be refunded",
        "find the article about cancellations",
        "search for battery replacement",
        "what do we charge for express delivery",
        "is there a rule about late returns?",
        "do students get a discount?",
        "when does the trial end?",
        "what counts as damaged?",
        "how do they reset the device?",
        "which plans include support?",
        "what should I know about refunds abroad?",
        "look up the deadline for complaints",
        "are accessories covered",
        "how much is a replacement battery",
        "how long does delivery take",
        "what is the fee for late payment",
        "who may cancel an order and until when",
    ),
    "ask": (
        "ask for the order number",
        "ask the customer for their order number",
        "request the serial number",
        "we need their address first",
        "find out which device they have",
        "ask when it was delivered",
        "get their account email",
        "ask them for a photo of the damage",
        "we need to know the date of purchase, ask",
        "have them send the invoice number",
        "ask which model it is",
        "I need their phone number",
        "ask for what is missing",
        "let them tell us the tracking number",
    ),
    "macro": (
        "insert the return macro",
        "use the shipping delay macro",
        "add our standard reply about refunds",
        "put in the canned response for lost parcels",
        "use the template for cancellations",
        "apply the macro",
        "insert the saved reply on exchanges",
        "which macros fit here",
        "paste the snippet about the warranty",
        "use the prepared answer for billing",
    ),
    "warm": (
        "friendlier",
        "make it warmer",
        "more friendly please",
        "nicer tone",
        "sound more personal",
        "be kinder",
        "less stiff",
        "it sounds cold",
        "add a friendly closing",
        "thank them for their patience",
        "more cheerful",
        "a warmer greeting",
        "less robotic",
        "more casual",
    ),
    "formal": (
        "more formal",
        "make it formal",
        "more professional tone",
        "less casual",
        "business-like",
        "more polite and official",
        "address them formally",
        "sound more serious",
        "it is too chatty",
        "use a formal greeting",
        "Dear Sir or Madam style",
    ),
    "sorry": (
        "apologise",
        "say sorry first",
        "apologize for the trouble",
        "start with an apology",
        "show some empathy",
        "be more apologetic",
        "say we are sorry about the delay",
        "acknowledge their frustration",
        "express regret for the inconvenience",
        "more empathetic",
        "she is upset, say that we are sorry",
    ),
    "remove": (
        "remove the second sentence",
        "drop the part about shipping",
        "delete the last sentence",
        "leave out the label cost",
        "take out the first one",
        "without the bit about gift cards",
        "don't mention the warranty",
        "cut the sentence on exchanges",
        "strike the third sentence",
        "remove what it says about fees",
        "do not talk about refunds here",
        "get rid of the greeting",
        "no closing",
    ),
    "source": (
        "use the second source",
        "use source 2",
        "answer from the first source only",
        "base it on the warranty article",
        "take the other article instead",
        "use the shipping policy as the source",
        "rely on the third passage",
        "rather quote the terms of sale",
        "only use source one",
        "this should come from the returns page",
        "wrong source, use the other one",
        "cite the help article on billing instead",
    ),
    "restart": (
        "start over",
        "start again from scratch",
        "back to the original",
        "reset the draft",
        "undo all changes",
        "discard everything and begin anew",
        "write a new draft",
        "go back to the first draft",
        "try again",
        "begin again",
        "revert to what it was",
    ),
    "language": (
        "in French",
        "translate it into German",
        "write it in Spanish",
        "auf Deutsch bitte",
        "answer in Italian",
        "en français",
        "the customer speaks Portuguese, reply in that",
        "can we send this in Dutch",
        "in Polish please",
        "switch to English",
        "use her language",
        "Japanese version",
        "en español por favor",
    ),
    "reword": (
        "rephrase it",
        "say it in other words",
        "reword the first sentence",
        "simpler words",
        "explain it so a child understands",
        "make it easier to read",
        "use plain language",
        "avoid jargon",
        "make it flow better",
        "rewrite this paragraph",
        "make it sound more natural",
        "turn it into bullet points",
        "put it more clearly",
        "merge the two sentences",
        "fix the grammar",
    ),
}
# Told from no kind: what people say to a tool that calls for nothing.
NOTHING: Final = (
    "hello",
    "thanks",
    "great, perfect",
    "ok",
    "good job",
    "hmm",
    "asdf",
    "who are you",
    "what can you do",
    "I like it",
    "looks good",
    "send it",
    "approve",
)


@dataclass(frozen=True, slots=True)
class Request:
    """What an agent asked for.

    Attributes:
        kind: What is to be done.
        text: The agent's words.
        sureness: 0..1.
    """

    kind: RequestKind
    text: str
    sureness: float


class RequestReader:
    """Tells what an agent asks for by meaning, from :data:`EXAMPLES`.

    Args:
        vectors: Embeds the examples once.
    """

    def __init__(self, vectors: ExampleVectors) -> None:
        self._vectors = vectors
        self._kinds = tuple(EXAMPLES)
        self._rules = ExampleRules(
            positive=[EXAMPLES[kind] for kind in self._kinds],
            harmless=[() for _ in self._kinds],
            ordinary=NOTHING,
            groups=["request" for _ in self._kinds],
            vectors=vectors,
        )

    def read(self, text: str) -> Request:
        """Return what ``text`` asks for; kind ``unclear`` when it is like nothing known."""
        said = " ".join(text.split())[:LONGEST_REQUEST]
        judged = self._rules.judge([said], self._vectors.of([said])).probability[0]
        best = int(judged.argmax())
        kind, sureness = self._kinds[best], float(judged[best])
        asks = said.endswith("?")
        if sureness < _SURE:
            kind = "lookup" if asks and len(content_words(said)) > 1 else "unclear"
        return Request(kind, said, sureness)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTS: Final = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7,
    "eighth": 8, "single": 1,
}  # fmt: skip
_NUMBER: Final = re.compile(r"(?<![\w.])(\d{1,2})(?:st|nd|rd|th)?(?![\w.])")
_WORD: Final = re.compile(r"[a-z]+")
# Words that make a request and say nothing of what it is about.
_ASKING: Final = _words(
    "add also mention include tell them they customer about too say put please sentence sentences "
    "more detail details explain expand elaborate insert give write draft answer reply use "
    "remove drop delete leave take part bit strike without mention talk rid get cut "
    "look up check find search article policy forgot forget missing should well describe "
    "ask request need know have their his her send us for macro template canned response saved "
    "snippet standard prepared source sources only instead base based rely cite quote passage page "
    "rather other first second third last longer long text information info can could you i we it "
    "this that is are as on in of the a an to and or with what how when where who which whether "
    "do does did dont not no something into from happens"
)


def number_in(text: str) -> int | None:
    """Return the number that a request names ("the second source", "in 2 sentences"), if any."""
    if found := _NUMBER.search(text):
        return int(found.group(1))
    return next((_COUNTS[w] for w in _WORD.findall(text.casefold()) if w in _COUNTS), None)


def names_last(text: str) -> bool:
    """Tell whether a request is about the last of something."""
    return bool(re.search(r"\b(?:last|final)\b", text, re.I))


def topic_of(text: str) -> str:
    """Return the words of a request that say what it is about; "" when none do."""
    kept = [
        word
        for word in re.findall(r"[^\W_]+(?:[.'’-][^\W_]+)*", text)
        if word.casefold().replace("’", "").replace("'", "") not in _ASKING
    ]
    return " ".join(kept)


def topic_words(text: str) -> Sequence[str]:
    """Return the folded stems of the topic of a request."""
    return content_words(topic_of(text))
