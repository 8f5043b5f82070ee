"""What the customer says in a message: no quoted text, no signature; sentences with offsets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from graph.values import Conversation, Turn

Span = tuple[int, int]


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What is cut must look like what it is: a wish to die below "Regards" is no name. What is left in
# needlessly makes a question a little longer; what is cut wrongly is never read by anybody.
_WROTE = re.compile(r"(?:\b(?:wrote|a écrit|escribió)|\bschrieb\b.{0,80})[ \t]?:[ \t]*\Z", re.I)
_SAYS_WHEN = re.compile(
    r"[ \t]*(?:on|am|le|el)\b(?=.*(?:\b(?:19|20)\d\d\b|\d[:.]\d\d|@|\d/\d))", re.I
)
_OPENS = re.compile(r"[ \t]*(?:on|am|le|el)\b", re.I)
_MAIL_ADDRESS = re.compile(r"<[^<>\s]{1,200}>|\S{1,64}@\S{1,200}")
_HEADER_WORDS = _set_of(
    "on am le el at um à a las of via from the support team service customer help desk uhr h pm de"
    " del und wrote schrieb écrit escribió mon tue wed thu fri sat sun jan feb mar apr may jun jul aug"
    " sep oct nov dec lun mer jeu ven sam dim mié jue vie sáb dom ene abr ago dic janv févr mars avr"
    " mai juin juil août sept déc"
)
_ORIGINAL = re.compile(
    r"^[ \t]*(?:-{3,}[ \t]*original message[ \t]*-{3,}"
    r"|(?:_{5,}[ \t]*\n[ \t]*)?from:[^\n]+\n(?:sent|date):)",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER_LINE = re.compile(
    r"^[ \t]*(?:(?:from|to|cc|date|sent)[ \t]*:[^\n]*|-{3,}[ \t]*original message[ \t]*-{3,}[ \t]*)$",
    re.IGNORECASE | re.MULTILINE,
)
_FORWARDED = re.compile(
    r"^[ \t]*-{3,}[ \t]*forwarded message[ \t]*-{3,}[ \t]*(?:\n|\Z)"
    r"(?:[ \t]*(?:from|to|cc|date|sent|subject)[ \t]*:[^\n]*(?:\n|\Z))*",
    re.IGNORECASE | re.MULTILINE,
)
_SUBJECT_LINE = re.compile(r"^[ \t]*subject[ \t]*:", re.IGNORECASE | re.MULTILINE)
_SIGNATURE_MARK = re.compile(r"[ \t]*(?:--|—|_{2,}|-{4,})[ \t]*")
_DEVICE = re.compile(
    r"^[ \t]*(?:(?:sent (?:from|via|with|using)|gesendet (?:von|mit)|envoyé (?:de|depuis)"
    r"|enviado desde)(?: (?:my|the|a|an|meinem|mein|der|mon|ma|mi))?(?: [\w-]+)?"
    r" (?:i?phone|ipad|ipod|mac|macbook|android|galaxy|samsung|huawei|pixel|xperia|blackberry|nokia"
    r"|mobile|handy|tablet|smartphone|outlook|mail|gmail|e-?mail|thunderbird|protonmail)"
    r"(?: (?:mail|app|phone|mobile|device|smartphone|tablet|web|mini|pro|max|plus|ultra|using|for"
    r"|on|ios|iphone|android|windows|\d+\w?)){0,6}|get outlook for (?:ios|android))[ \t.!]*$",
    re.IGNORECASE | re.MULTILINE,
)
_DISCLAIMER_START = re.compile(
    r"^\W{0,5}(?:this (?:e-?mail|message|communication|transmission)\b|the (?:information|contents?)"
    r" (?:of|in|contained)\b|confidential(?:ity)?\b|disclaimer\b|(?:legal|important) notice\b"
    r"|if you are not the intended\b)",
    re.IGNORECASE | re.MULTILINE,
)
_DISCLAIMS = re.compile(
    r"\b(?:intended (?:recipient|addressee|(?:only|solely)\b|for the (?:sole |exclusive )?(?:use|addressee))"
    r"|(?:only|solely|exclusively) (?:intended )?for the (?:\w+ )?(?:use|addressee|recipient|person)"
    r"|addressees?\b|received (?:it|this)[^.\n]{0,40} in error|notify the sender)",
    re.IGNORECASE,
)
_OF_MAIL = re.compile(
    r"\b(?:e-?mails?|message|communication|transmission|information|contents?|recipients?|addressees?"
    r"|sender|privileged|confidential(?:ity)?|disclos\w+|disclaimer|cop(?:y|ies|ying)|distribut\w+"
    r"|virus(?:es)?|phishing|attachments?|views|opinions|registered (?:in|office|number)|liability)\b",
    re.IGNORECASE,
)
_ABOUT_ONESELF = re.compile(r"\b(?:i|i['’]?m|i['’]ve|i['’]ll|i['’]d|my|myself|mine)\b", re.I)
_CLOSING = re.compile(
    r"[ \t]*(?:(?:kind|best|warm|many)?[ \t]{0,3}(?:regards|wishes)|best|cheers|thanks(?: again)?"
    r"|many thanks|thank you|yours(?: sincerely| faithfully| truly)?|sincerely|mit freundlichen"
    r" grüßen|viele grüße|cordialement|saludos|atentamente)[ \t]*[,.!]?[ \t]*",
    re.IGNORECASE,
)
_NO_NAME = _set_of(
    "i im i'm ive i've ill i'll id i'd me my mine myself we we're us our ours you you're your yours"
    " he she him her his they them their it its it's this that these those there here who what when"
    " where why how which is isn't are was were be been being am do does did don't doesn't didn't"
    " have has had having will won't would can can't cannot could should shall must may might not no"
    " never nothing nobody none please pls help need needs want wants going gonna to if because but"
    " so as since until after before with without from into about all any some every only just now"
    " today tonight tomorrow yesterday soon again still yet already too very more than then also"
    " ps p.s pps edit update note urgent order ref reference invoice ticket booking refund goodbye"
    " bye sorry thanks thank stop answer reply call"
)
_IN_NAMES = _set_of(
    "de da di do dos das del della der den dem des du la le les el al van von vom zu zur ten ter bin"
    " ibn ben bint y e i und et of and the for at in on & | - – · / ltd llc inc gmbh plc co dr mr mrs"
    " ms mx"
)
_NAME_WORD = re.compile(r"[^\W\d_][^\W\d_.'’&-]*(?:[.'’&-][^\W\d_]+)*\.?")
_REACHES = re.compile(
    r"[ \t]*(?:(?:tel|telephone|phone|mobile|mob|cell|fax|office|direct|e-?mail|mail|web|www|[tmefwp])"
    r"[.:]{0,2}[ \t]{0,3})?(?:\+?[\d(][\d ()/.-]{5,30}\d|\S{1,64}@[\w.-]{1,200}|(?:https?://|www\.)\S{1,200})[ \t]*",
    re.IGNORECASE,
)
_LONGEST_HEADER = 250  # characters of "On … wrote:", which mail programs break into lines
_NEAR = 400  # characters from the first word of a disclaimer to what makes it one
_LONGEST_LINE = 80  # characters of a line of a signature
_MOST_LINES = 10  # of a signature
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
    r"\b(?:many thanks|thanks(?: a lot| in advance| so much| again)?|thank you(?: very much"
    r"| so much| in advance| for understanding)?|thx|cheers|ta|bye)(?:[,\s]{1,3}[A-Z][\w'’-]{1,30})?\Z",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<=[.!?…])[\"'”’)\]]*(?:\s+|$)|\n[ \t]*\n\s*")
_ABBREVIATION = re.compile(
    r"\b(?:mr|mrs|ms|dr|prof|st|no|nr|e\.g|i\.e|etc|approx|vs|inc|ltd|co|art|p)\.\Z",
    re.IGNORECASE,
)
_WORD = re.compile(r"\S+")
_LONGEST_ABBREVIATION = 12  # characters, with what stands before it
_LONGEST_THANKS = 120  # characters of closing thanks


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


def _blanked(text: str, spans: Iterable[Span]) -> str:
    """Return ``text`` with spaces for what is in ``spans``, which are in order."""
    kept = []
    at = 0
    for start, end in spans:
        if end > at:
            kept += [text[at:start], re.sub(r"[^\n]", " ", text[max(start, at) : end])]
            at = end
    return "".join([*kept, text[at:]])


def _says_something(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _lines(text: str) -> list[Span]:
    """Return ``(start, end)`` of each line, without its end."""
    found = []
    start = 0
    for line in text.split("\n"):
        found.append((start, start + len(line)))
        start += len(line) + 1
    return found


def _introduces(header: str) -> bool:
    """Whether a mail program wrote ``header``: it says when and who, and nothing besides.

    "On Monday the shop wrote:" is a customer who tells a story.
    """
    if len(header) > _LONGEST_HEADER or not _SAYS_WHEN.match(header.replace("\n", " ")):
        return False
    words = re.findall(r"[^\W\d_]+", _MAIL_ADDRESS.sub(" ", header))
    return all(word[0].isupper() or word.casefold() in _HEADER_WORDS for word in words)


def _without_quotes(text: str) -> str:
    lines = _lines(text)
    marked = [text[start:end].lstrip(" \t").startswith(">") for start, end in lines]
    gone: list[Span] = []
    said = [False]  # per line: whether anything is said before it
    for at, (start, end) in enumerate(lines):
        said.append(said[-1] or (not marked[at] and _says_something(text[start:end])))
        if marked[at]:
            gone.append((start, end))
        elif _WROTE.search(text[max(start, end - 100) : end]):
            first = [n for n in range(at, max(at - 3, -1), -1) if _OPENS.match(text, lines[n][0])]
            below = next(
                (n for n in range(at + 1, len(lines)) if text[slice(*lines[n])].strip()), at
            )
            # Under bottom posting the quoted lines carry ">" and the reply follows; without such
            # lines everything below the header is the earlier message.
            if not (first and marked[below]):
                first = [n for n in first if _introduces(text[lines[n][0] : end])]
            if first:
                whole = said[first[0]] and not marked[below]
                gone.append((lines[first[0]][0], len(text) if whole else end))
                said[-1] = said[first[0]]
                if whole:
                    break
    text = _blanked(text, gone)
    if original := _ORIGINAL.search(text):
        if _says_something(text[: original.start()]):
            return _blanked(text, [(original.start(), len(text))])
        text = _HEADER_LINE.sub(lambda hit: " " * len(hit[0]), text)
    return text


def _names(line: str, *, first: bool) -> bool:
    """Whether a line is a name, a title, a company, an address or a way to reach somebody.

    Args:
        line: One line, not empty.
        first: Whether it stands right below a closing, where a name may be written small.
    """
    line = line.strip()
    if len(line) > _LONGEST_LINE or line[-1] in "?!":
        return False
    if _REACHES.fullmatch(line):
        return True
    words = line.replace("’", "'").replace(",", " ").split()
    if any(word.casefold().rstrip(".:;") in _NO_NAME for word in words):
        return False
    if first and len(words) == 1 and words[0].isalpha():
        return True
    telling = [word for word in words if word.casefold() not in _IN_NAMES]
    telling = [word for word in telling if not (word.isdecimal() and len(word) <= 5)]
    return (
        bool(telling)
        and len(words) <= 8
        and all(word[0].isupper() and _NAME_WORD.fullmatch(word) for word in telling)
    )


def _without_signature(text: str) -> str:
    gone = [hit.span() for hit in _DEVICE.finditer(text)]
    lines = [span for span in _lines(text) if text[slice(*span)].strip()]
    for at, (start, end) in enumerate(lines):
        if end - start > _LONGEST_LINE:
            continue
        line = text[start:end]
        marks, closes = _SIGNATURE_MARK.fullmatch(line), _CLOSING.fullmatch(line)
        if not (marks or closes):
            continue
        last = at
        while (
            last + 1 < len(lines)
            and last - at < _MOST_LINES
            and _names(text[slice(*lines[last + 1])], first=last == at)
        ):
            last += 1
        # A closing with more to come is a word like any other.
        if last > at or (closes and last + 1 == len(lines)):
            gone.append((start, lines[last][1]))
    text = _blanked(text, sorted(gone))
    name = _name_below(text)
    return _blanked(text, [name]) if name else text


def _name_below(text: str) -> Span | None:
    """Return where a name is the last paragraph of ``text``, below others."""
    end = len(text.rstrip())
    start = text.rfind("\n", 0, end) + 1
    line = text[start:end].strip()
    alone = not text[text.rfind("\n", 0, max(start - 1, 0)) + 1 : start].strip()
    if not line or not alone or not line[0].isupper() or len(line.split()) > 5:
        return None
    if not _says_something(text[:start]) or not _names(line, first=False):
        return None
    return start, end


def _without_disclaimer(text: str) -> str:
    """Return ``text`` without the sentences of a disclaimer at its end."""
    for hit in _DISCLAIMER_START.finditer(text):
        start = hit.start()
        if _DISCLAIMS.search(text, start, start + _NEAR) and _says_something(text[:start]):
            spans = [(start + one, start + end) for one, end in sentence_spans(text[start:])]
            return _blanked(text, [span for span in spans if _disclaims(text[slice(*span)])])
    return text


def _disclaims(sentence: str) -> bool:
    return bool(_OF_MAIL.search(sentence)) and not _ABOUT_ONESELF.search(sentence)


@lru_cache(maxsize=256)  # every rule asks for the words of the same few messages
def own_words(text: str) -> str:
    """Return ``text`` with everything that is not the customer speaking turned into spaces.

    The result is exactly as long as ``text``, so offsets stay true. Forwarded text stays: the
    customer wants it read; only its header lines go. A text that says anything never comes out
    empty: where nothing but a quote is left, the quote is what the customer sends.
    """
    found = _without_signature(_without_disclaimer(with_signature(text)))
    return found if _says_something(found) else with_signature(text)


@lru_cache(maxsize=256)
def with_signature(text: str) -> str:
    """As :func:`own_words`, with everything left in that looks like a signature or a disclaimer.

    For what must not be missed: what looks like a name may be a cry for help.
    """
    text = _FORWARDED.sub(_without_header, text)
    found = _without_quotes(text)
    if _says_something(found):
        return found
    return re.sub(r"^[ \t]*>[> \t]*", lambda hit: " " * len(hit[0]), text, flags=re.MULTILINE)


def _without_header(hit: re.Match[str]) -> str:
    return "\n".join(
        re.sub(r"[^\n]", " ", line)
        if not (subject := _SUBJECT_LINE.match(line))
        else " " * subject.end() + line[subject.end() :]
        for line in hit[0].split("\n")
    )


def sentence_spans(text: str) -> list[Span]:
    """Return the ``(start, end)`` of the sentences of a customer message, white space trimmed.

    Customers start sentences in lower case, which the splitter for help-center prose
    (``kb.sentences``) rightly takes for one sentence that goes on.
    """
    spans: list[Span] = []
    start = 0
    for hit in (*_BREAK.finditer(text), None):
        end = hit.start() if hit else len(text)
        if (
            hit
            and "\n" not in hit[0]
            and _ABBREVIATION.search(text[max(start, end - _LONGEST_ABBREVIATION) : end])
        ):
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
    ended = cut.rstrip(" \t\r\n.!")
    if thanks := _THANKS_END.search(ended[-_LONGEST_THANKS:]):
        cut = ended[: len(ended) - len(thanks[0])].rstrip(" \t\r\n,.!")
    return cut.strip() or text.strip()
