"""What a customer still waits to be told, and what kind of answer that calls for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from graph.customer_text import plain, sentence_spans
from graph.draft import content_words
from graph.speech import as_written
from graph.values import Conversation

_ASKS = re.compile(
    r"(?:how|what|when|where|which|who|whose|why|can|could|may|do|does|did|is|are|am|was|were|will|"
    r"would|should|has|have|isn['’]t|aren['’]t|don['’]t|doesn['’]t|can['’]t)\b",
    re.I,
)
_ASKS_WITHIN = re.compile(
    r"\b(?:i(?: would|['’]d) like to know|i want to know|wondering|(?<!don.t )(?<!not )tell me|let me know|please (?:explain|advise)|"
    r"need to know|not sure (?:how|what|if|whether|when)|(?:can|could) you)\b",
    re.I,
)


_FOLLOWS_UP = re.compile(
    r"(?:and|but|or|also|so|what about|how about|what if|for|same for)\b", re.I
)


def _asking(text: str) -> list[str]:
    """Return the sentences of a message that ask something."""
    return [text[start:end] for start, end in sentence_spans(text) if _asks(text[start:end])]


def _asks(sentence: str) -> bool:
    return (
        sentence.rstrip("\"'”’) ").endswith("?")
        or bool(_ASKS.match(sentence))
        or bool(_ASKS_WITHIN.search(sentence))
    )


def open_question(conversation: Conversation, question: str) -> str:
    """Return what the customer still waits to be told.

    ``question`` stands unless a later message asks something else; a short follow-up ("And for
    annual plans?") takes the question before it along.
    """
    said = [
        as_written(plain(turn["text"]), conversation["channel"])
        for turn in conversation["turns"]
        if turn["speaker"] == "customer"
    ]
    asked = [(index, asking) for index, text in enumerate(said) if (asking := _asking(text))]
    if not asked:
        return question or " ".join(said[-1:])
    last, asking = asked[-1]
    still_open = bool(folded(question)) and folded(question) in folded(" ".join(said[last:]))
    stands = still_open or (last == 0 and bool(question))
    found = question if stands else " ".join(asking)
    content = len(set(content_words(found)))
    if content <= 1 or (content <= 4 and _FOLLOWS_UP.match(found)):
        earlier = [q for index, q in asked[:-1]]
        if earlier and folded(earlier[-1][-1]) not in folded(found):
            found = f"{earlier[-1][-1]} {found}"
        elif conversation["subject"]:
            found = f"{conversation['subject']} – {found}"
    return found


def folded(text: str) -> str:
    """Return the words of ``text`` in one case, nothing between them but spaces."""
    return " ".join(re.findall(r"\w+", text.casefold()))


_POINTS_BACK = re.compile(
    r"\b(?:it|its|that|this|these|those|they|them|there|one|ones)\b(?!['’]s\b)", re.I
)


_CLAUSE = re.compile(
    r"(?:[,;]\s{0,3}|\s{1,3})(?:and|also|or|plus)\s{1,3}(?:also\s{1,3})?(?=(?:how|when|what|where|why|which|who|is|are|do|does|did|can|could|will)\b\s{1,3}\w{1,40}\s{1,3}\w)",
    re.I,
)
_MOST_PARTS = 3


def parts_of(question: str) -> list[str]:
    """Return the separate questions in ``question``, at most three, in order.

    What only tells a story is left out; a question that cannot be taken apart is its own part.
    """
    return [part for part, _ in parts_in_context(question)]


def parts_in_context(question: str) -> list[tuple[str, str]]:
    """Return the parts of ``question`` as :func:`parts_of`, each with what it may lean on.

    That is what is told right before the part, or else the question before it, and the part; of the
    only part it is the whole question.
    """
    found: dict[str, str] = {}
    told: list[str] = []
    topic = before = ""
    sentences = [question[start:end] for start, end in sentence_spans(question)]
    for sentence in sentences:
        if not _asks(sentence):
            told.append(sentence)
            continue
        pieces = [piece.strip() for piece in _CLAUSE.split(sentence)]
        whole = len(pieces) == 1 or any(len(content_words(piece)) < 2 for piece in pieces)
        for part in [sentence] if whole else pieces:
            if content_words(part) and part not in found:
                topic = " ".join(told) or topic
                context = " ".join(told) or (topic if points_back(part) else "") or before
                found[part] = f"{context} {part}" if context else part
                before = part
        told = []
    parts = list(found.items())[:_MOST_PARTS]
    if len(found) > 1:
        return parts
    return [(part, question) for part in found] or [(question, question)]


def points_back(part: str) -> bool:
    """Whether a question leans on what was said before it ("Can I use that …?")."""
    return bool(_POINTS_BACK.search(part))


_TYPES: Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]] = {
    "duration": (
        re.compile(
            r"\bhow (?:long|soon|quick(?:ly)?|fast|often|late|early|far)\b|\bwhen\b|\bwhat time\b|"
            r"\bhow many (?:business |working )?(?:second|minute|hour|day|week|month|year)s?\b|"
            r"\bdeadline|\buntil\b|\bby what date|\bexpire",
            re.I,
        ),
        re.compile(
            r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|twelve|few|several)[ -]"
            r"(?:\w+ )?(?:second|minute|hour|day|week|month|year|cycle)s?\b|\b(?:19|20)\d\d\b|\b(?:jan|feb|mar|"
            r"apr|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b \d|\bimmediately|\binstantly|\bforever|\bindefinitely|"
            r"\bdaily|\bweekly|\bmonthly|\bannual(?:ly)?|\byearly|\bas soon as|\bat any time|\bat the (?:end|start)|"
            r"\bnever\b|\bevery (?:day|week|month|year)|\bwithin\b|\buntil\b|\bdays? \d|\b24/7|\d ?[ap]\.?m\b",
            re.I,
        ),
    ),
    "amount": (
        re.compile(
            r"\bhow much\b|\bprices?\b|\bcosts?\b|\bfees?\b|\bcharged?\b|\bdiscount|\brate\b|\bpercent|\bfree\b|"
            r"\brefunds?\b",
            re.I,
        ),
        re.compile(
            r"[$€£¥]\s?\d|\d ?%|\bfree\b|\bfees?\b|\bpercent|\bfull\b|\bprorat|\bno (?:extra |additional )?(?:charge|cost)|"
            r"\d ?(?:usd|eur|gbp|dollars|euros|cents|credits?|[kmgt]i?b)\b",
            re.I,
        ),
    ),
    "count": (
        re.compile(
            r"\bhow many\b|\blimits?\b|\bmax(?:imum)?\b|\bmin(?:imum)?\b|\bthe most\b|\bnumber of\b|\bhow (?:big|large)\b"
            r"|\bsize\b|\bquota|\bat most\b|\bcap\b",
            re.I,
        ),
        re.compile(
            r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|unlimited|no limit|single)\b",
            re.I,
        ),
    ),
    "why": (
        re.compile(r"\bwhy\b|\breasons?\b|\bhow come\b|\bwhat for\b|\bpurpose", re.I),
        re.compile(
            r"\bbecause\b|\bsince\b|\bin order to\b|\bso that\b|\bdue to\b|\breasons?\b|\bper\b|\bthat['’]s why\b|"
            r"\bpurpose|\bas (?:it|they|we|this)\b|\bto (?:help|protect|prevent|ensure|make sure|improve|mitigate|comply)\b",
            re.I,
        ),
    ),
    "steps": (
        re.compile(
            r"\bhow (?:do|can|could|would|should|to|might)\b|\bwhere (?:do|can|is|are|should|would)\b|"
            r"\bwhat (?:do|should|must|can|could) (?:i|we) (?:do|try|need|include|send)\b|\bwhat now\b|\bsteps?\b|\bway to\b|\bhow am i\b",
            re.I,
        ),
        re.compile(
            r"(?:^|[.;:,–] ?|\bto \w+[^,]{0,60}, )(?:please )?(?:go|open|click|select|choose|visit|tap|press|enter|"
            r"log|sign|contact|email|call|write|send|use|add|run|set|navigate|submit|request|report|follow|make|"
            r"create|update|change|check|install|download|turn|fill|provide|include)\b|@[\w-]+\.|https?://|"
            r"\byou (?:can|may|need to|must|should|have to)\b|\bby \w+ing\b|\bsettings?\b|\bbutton\b",
            re.I,
        ),
    ),
    "yes_no": (
        re.compile(
            r"(?:^|[.?!,;] ?|\b(?:and|but|so|if|whether) )(?:can|could|may|do|does|did|is|are|am|was|were|will|would|should|has|have|"
            r"isn['’]t|aren['’]t|don['’]t|doesn['’]t|can['’]t|won['’]t)\b(?! you (?:tell|explain|help|let))",
            re.I,
        ),
        re.compile(
            r"\b(?:can(?:not|['’]t)?|may|must|not|never|no longer|only|allowed|permitted|possible|impossible|"
            r"prohibited|required|optional|don['’]t|doesn['’]t|won['’]t|isn['’]t|aren['’]t|able|available|"
            r"eligible|always|any|all|support(?:s|ed)?|will|automatically|no)\b",
            re.I,
        ),
    ),
    "who": (
        re.compile(r"\bwho(?:m|se)?\b|\bwhich (?:company|companies|team|person)\b", re.I),
        re.compile(r"(?<=[a-z,] )[A-Z][\w&.]+|\b(?:owner|admin|team|anyone|nobody|we)\b"),
    ),
}


def answer_types(question: str) -> frozenset[str]:
    """Return what kinds of answer ``question`` calls for; empty when it cannot be told."""
    return frozenset(name for name, (asks, _) in _TYPES.items() if asks.search(question))


def type_fit(types: Iterable[str], text: str) -> float:
    """Return the share, 0..1, of the answer types that ``text`` offers; 0.5 when none is known."""
    wanted = list(types)
    if not wanted:
        return 0.5
    return sum(bool(_TYPES[name][1].search(text)) for name in wanted) / len(wanted)


_NAME = re.compile(
    r"(?<![.?!:] )(?<!^)\b[A-Z][\w&.+-]*\w|\b[A-Z][A-Z0-9&.+-]*[A-Z0-9]\b|\b\w*[a-z][A-Z]\w*"
)
_NO_NAMES = frozenset(
    ("I'm", "I've", "I'd", "I'll", "OK", "Ok", "Hi", "Hello", "Thanks", "PS", "FYI")
)


def names_in(question: str) -> list[str]:
    """Return the proper names and acronyms of ``question``, folded, each once."""
    found = (name.rstrip(".") for name in _NAME.findall(question) if name not in _NO_NAMES)
    return list(dict.fromkeys(re.sub(r"['’]s$", "", name).casefold() for name in found))


def unknown_names(question: str, text: str) -> float:
    """Return the share, 0..1, of the names in ``question`` that ``text`` never mentions."""
    names = names_in(question)
    known = text.casefold()
    return sum(name not in known for name in names) / len(names) if names else 0.0


def unknown_words(question: str, text: str) -> float:
    """Return the share, 0..1, of the content words of ``question`` that ``text`` never mentions."""
    asked = set(content_words(question))
    return len(asked - set(content_words(text))) / len(asked) if asked else 0.0
