"""Facts a customer could act on, found in plain text and put into one form.

Spans are found by patterns of our own and only amounts are handed to a library (price-parser reads
``1.250,00 €`` and ``$1,250.00`` alike). Durations, dates and counts are not: dateparser takes
"may", "on" or a version number for a date, fills in missing parts from today's date and needs
milliseconds a sentence; no packaged parser tells "14 business days" from "14 days".
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Final, Literal

from price_parser import Price

from kb.words import (
    FUNCTION_WORDS,
    MODALS,
    MONTHS,
    NEGATIONS,
    NUMBER_WORDS,
    SCALES,
    WEEKDAYS,
    meaning,
)

FactKind = Literal[
    "duration",
    "amount",
    "percentage",
    "date",
    "time",
    "number",
    "negation",
    "permission",
    "name",
    "email",
    "phone",
    "url",
    "label",
    "code",
]
Bound = Literal["", "at_most", "at_least"]
VALUE_KINDS: Final[tuple[FactKind, ...]] = (
    "duration", "amount", "percentage", "date", "time", "number",
)  # fmt: skip
NAME_KINDS: Final[tuple[FactKind, ...]] = ("name", "email", "phone", "url", "label", "code")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact in a text.

    Attributes:
        kind: What sort of fact.
        value: The fact in one form: ``14 day``, ``1250 USD``, ``20 %``, ``2021-09-28``, ``40``.
        text: The words as they stand; ``source[start:end]``.
        start: Offset of the first character.
        end: Offset after the last character.
        bound: Which side of the value is meant (``within`` at_most, ``at least`` at_least).
        about: Keys of the content words around it in the same sentence, nearest first.
        vague: The text names the value without a figure (``a month``): weaker evidence.
        own: Those of the content words of its sentence that stand nearer to it than to any other
            fact of its kind: what tells it from its neighbours.
    """

    kind: FactKind
    value: str
    text: str
    start: int
    end: int
    bound: Bound = ""
    about: tuple[str, ...] = ()
    vague: bool = False
    own: tuple[str, ...] = ()


_WORD_NUMBER = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_SCALE = "|".join(SCALES)
# Every run is bounded: a longer one is no value anybody could act on, and an article made of nothing
# but digits or dashes would otherwise take time that grows with the square of its length.
_SPELLED = rf"(?:(?:{_WORD_NUMBER})(?:[-\s](?:{_WORD_NUMBER}))?(?:[-\s](?:{_SCALE})){{0,6}}|(?:a\s{{1,8}})?(?:{_SCALE}))"
_DIGITS = r"\d{1,3}(?:,\d{3}){1,6}(?:\.\d{1,20})?|\d{1,20}(?:\.\d{1,20}){0,20}"
_NUMBER = rf"(?:{_DIGITS})"
_QUANTITY = rf"(?:{_DIGITS}|\b{_SPELLED}\b)"
_UNIT = (
    r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|wks?|fortnights?|months?|"
    r"quarters?|years?|yrs?|decades?)"
)
_WORKING = r"(?:(?P<working>business|working|work|calendar|week)[-\s]{1,8})?"
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY = "|".join(sorted((d for d in WEEKDAYS if len(d) > 3), key=len, reverse=True))
_CURRENCY_SIGN = r"(?:US|CA|A|AU|NZ|C|HK|S)?\$|€|£|¥|₹|R\$|kr\b|CHF"
_CURRENCY_CODE = r"USD|EUR|GBP|CHF|CAD|AUD|NZD|JPY|INR|SEK|NOK|DKK|BRL|MXN|PLN|SGD|HKD|ZAR"
_CURRENCY_WORD = r"(?:US\s+)?dollars?|euros?|pounds?(?:\s+sterling)?|cents?|yen|rupees?|francs?"
_CURRENCY_NAME: Final = {
    "$": "USD", "us$": "USD", "ca$": "CAD", "c$": "CAD", "a$": "AUD", "au$": "AUD", "nz$": "NZD",
    "hk$": "HKD", "s$": "SGD", "r$": "BRL", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR",
    "dollar": "USD", "euro": "EUR", "pound": "GBP", "yen": "JPY", "rupee": "INR", "franc": "CHF",
}  # fmt: skip
_TIMES: Final = {"once": "1", "twice": "2", "thrice": "3"}
_MAGNITUDE = {"k": 1_000, "m": 1_000_000, "bn": 1_000_000_000, "million": 1_000_000,
              "thousand": 1_000, "billion": 1_000_000_000}  # fmt: skip
_SECONDS = {
    "second": 1, "sec": 1, "minute": 60, "min": 60, "hour": 3600, "hr": 3600, "day": 86400,
    "night": 86400, "week": 604800, "wk": 604800, "fortnight": 1209600,
}  # fmt: skip
_MONTH_UNITS = {"month": 1, "quarter": 3, "year": 12, "yr": 12, "decade": 120}

_PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("code", re.compile(r"`[^`\n]{1,120}`")),
    (
        "url",
        re.compile(r"\b(?:https?://|www\.)[^\s<>\"'“”)\]]+", re.I),
    ),
    ("email", re.compile(r"\bmailto:[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6}(?:\?[^\s<>\"')\]]*)?", re.I)),
    ("email", re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,6}\b")),
    (
        "date",
        re.compile(
            rf"\b(?P<month>{_MONTH})\b\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b"
            rf"(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?",
            re.I,
        ),
    ),
    (
        "date",
        re.compile(
            rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})\b\.?"
            rf"(?:,?\s+(?P<year>(?:19|20)\d\d)\b)?",
            re.I,
        ),
    ),
    (
        "date",
        re.compile(rf"\b(?P<month>{_MONTH})\b\.?,?\s+(?:of\s+)?(?P<year>(?:19|20)\d\d)\b", re.I),
    ),
    ("date", re.compile(r"\b(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)\b")),
    ("date", re.compile(r"\b(?P<numeric>\d{1,2}[/.]\d{1,2}[/.](?:\d{4}|\d\d))\b(?!\.\d)")),
    ("date", re.compile(r"\bFY\s?['’]?(?P<fiscal>(?:19|20)?\d\d)\b")),
    ("date", re.compile(r"\bQ(?P<quarter>[1-4])(?:\s+(?:of\s+)?(?P<year>(?:19|20)\d\d))?\b")),
    ("phone", re.compile(
        r"(?<![\w$€£])(?:(?:1[-.\s])?\d{3}([-.])\d{3}\1\d{4}\b(?![-.]\d)"
        r"|(?:\+\d|\(\d{3}\)|\d{3}[-.\s]\d{3}[-.\s]|1-8)[\d\s().-]{5,16}\d\b)"
    )),
    ("time", re.compile(r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?\s?(?P<half>[ap]m\b|[ap]\.m\b\.?)", re.I)),
    ("time", re.compile(r"\b(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::\d\d)?\b")),
    ("time", re.compile(r"\b24/7\b|\b(?:noon|midnight)\b", re.I)),
    (
        "amount",
        re.compile(
            rf"(?P<sign>{_CURRENCY_SIGN}|\b(?:{_CURRENCY_CODE})\b)\s?(?P<digits>\d[\d.,]{{0,24}}\d|\d)"
            rf"\s?(?P<size>k|m|bn|million|thousand|billion)?(?![\w])",
            re.I,
        ),
    ),
    (
        "amount",
        re.compile(
            rf"(?<![\w.])(?P<digits>\d[\d.,]{{0,24}}\d|\d)\s?(?P<size>k|m|bn|million|thousand|billion)?"
            rf"\s?(?P<sign>€|£|¥|kr\b|\b(?:{_CURRENCY_CODE})\b|\b(?:{_CURRENCY_WORD})\b)",
            re.I,
        ),
    ),
    ("amount", re.compile(rf"\b(?P<spelled>{_SPELLED})\s+(?P<sign>{_CURRENCY_WORD})\b", re.I)),
    # "At once" and "once you have paid" tell when, "once a day" and "only once" how often.
    ("number", re.compile(r"\b(?P<times>twice|thrice|(?<!\bat )once(?=\s+(?:an?|per|each|every|daily|weekly|monthly|yearly)\b|\s*[.;)]|\s*$)|(?<=\b(?:only|just|than|most) )once|(?<=\bup to )once)\b", re.I)),
    (
        "percentage",
        re.compile(
            rf"(?<!\d)(?P<quantity>{_QUANTITY})(?:\s?(?:-|–|to)\s?(?P<upper>{_NUMBER}))?"
            r"\s?-?(?:%|\bper\s?cent\b|\bpercent\b|\bpercentage points?\b)",
            re.I,
        ),
    ),
    (
        "duration",
        re.compile(
            rf"(?<![\w.])(?P<quantity>{_QUANTITY})(?:\s?\(\s?[\w-]{{1,40}}\s?\))?"
            rf"(?:\s?(?:-|–|to|or)\s?(?P<upper>{_QUANTITY}))?"
            rf"[-\s]?{_WORKING}(?P<unit>{_UNIT})\b",
            re.I,
        ),
    ),
    (
        "duration",
        re.compile(
            rf"\b(?P<vague>half\s+an?|an?|per|each|every)[-\s]{_WORKING}(?P<unit>{_UNIT})\b(?!['’]s)",
            re.I,
        ),
    ),
    ("date", re.compile(r"(?<![\w.,-])(?P<year>(?:19[7-9]|20[0-3])\d)(?![\w%,]|\.\d|-\d)")),
    ("date", re.compile(rf"\b(?P<weekday>{_WEEKDAY})\b", re.I)),
    (
        "date",
        re.compile(
            r"\b(?P<month>January|February|April|June|July|August|September|October|November|"
            r"December)\b|\b(?:in|of|by|until|since|from|through|during|before|after|to|and|between|next|"
            r"last|this)\s+(?P<month2>March|May)\b(?!\s+(?:be|not|also|have))"
        ),
    ),
    ("code", re.compile(r"(?<![\w/])(?<![.-]{8})(?:--?[a-z][\w-]+|[\w.-]{0,200}\w_\w[\w.-]{0,200}|\.?[\w-]{1,80}(?:\.[\w-]{1,80}){0,6}\.(?:ya?ml|json|toml|md|txt|py|rb|js|sh|conf|cfg|lock|html?|pem|csv|xml)\b|~?/[\w.-]+(?:/[\w.-]+)+/?)")),
    ("number", re.compile(rf"(?<![\w.])(?P<quantity>{_DIGITS})\s?(?P<size>(?<=\d)k|million|thousand|billion|hundred)?(?=x?(?:[A-Z]{{1,2}}i?B|%)?(?!\w))|(?<![\w.])(?P<unitless>{_DIGITS})(?=[a-zA-Z]{{1,4}}\b)", re.I)),
    ("number", re.compile(rf"\b(?P<spelled>{_SPELLED})\b", re.I)),
)  # fmt: skip

_ENDLESS: Final = re.compile(r"\d(?:[ \t.,/:-]?\d){80,}+")

_BOUND_BEFORE: Final[tuple[tuple[re.Pattern[str], Bound], ...]] = (
    (
        re.compile(
            r"\b(?:no|not)\s+(?:more|longer|later|greater|higher|over|older)(?:\s+than)?\s+(?:\w+\s+)?$|"
            r"\b(?:(?:with)?in\s+(?:up\s+to|under|less\s+than)|within|up\s+to|at\s+most|at\s+the\s+latest|"
            r"(?:a\s+)?max(?:imum)?(?:\s+(?:of|is))?|(?<!no\s)(?<!not\s)(?:less|fewer)\s+than|under|below|as\s+little\s+as|"
            r"shorter\s+than|not\s+exceed(?:ing)?)\s+(?:the\s+|a\s+|about\s+|first\s+|last\s+)?$",
            re.I,
        ),
        "at_most",
    ),
    (
        re.compile(
            r"\b(?:no|not)\s+(?:less|fewer|sooner|earlier|shorter)\s+than\s+$|"
            r"\b(?:at\s+least|(?:a\s+)?min(?:imum)?(?:\s+(?:of|is))?|more\s+than|greater\s+than|over|above|"
            r"longer\s+than|older\s+than|exceed(?:s|ing)?|starting\s+(?:at|from)|upwards\s+of|after|beyond|"
            r"every\s+more\s+than)\s+(?:the\s+|a\s+|about\s+|first\s+|last\s+)?$",
            re.I,
        ),
        "at_least",
    ),
)
_BOUND_AFTER: Final[tuple[tuple[re.Pattern[str], Bound], ...]] = (
    (
        re.compile(
            r"^\s*(?:or\s+(?:less|fewer|under|sooner)|at\s+(?:the\s+)?most|max(?:imum)?)\b", re.I
        ),
        "at_most",
    ),
    (
        re.compile(
            r"^\s*(?:\+|(?:or\s+(?:more|over|longer|later)|at\s+least|min(?:imum)?)\b)", re.I
        ),
        "at_least",
    ),
)
_CLAUSE_END: Final = re.compile(r"[.;!?]\s|[()\[\]|]|[.!?]$|\n")
_PLAIN_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_REACH = 60  # characters either side in which a fact's subject is looked for
_OWN_REACH = _REACH + 40
_ABOUT = 8


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None


def _plain(number: Decimal) -> str:
    text = format(number.normalize(), "f")
    return text or "0"


def spelled_number(text: str) -> Decimal | None:
    """Return the number that English words or digits write (``twenty-five`` → 25), or None."""
    stripped = text.strip().lower()
    if stripped[:1].isdigit():
        return _decimal(stripped)
    total, current, seen = Decimal(0), Decimal(0), False
    for word in re.split(r"[-\s]+", stripped):
        if word in NUMBER_WORDS:
            current += NUMBER_WORDS[word]
        elif word in SCALES:
            current = (current or Decimal(1)) * SCALES[word]
            if SCALES[word] >= 1000:
                total, current = total + current, Decimal(0)
        elif word not in {"a", "and"}:
            return None
        else:
            continue
        seen = True
    return total + current if seen else None


def _quantity(text: str) -> str:
    number = spelled_number(text)
    return _plain(number) if number is not None else text.strip().lower()


def _duration_value(low: str, upper: str | None, working: str | None, unit: str) -> str:
    unit = unit.lower()
    singular = unit[:-1] if unit.endswith("s") and unit != "s" else unit
    numbers = [spelled_number(low), spelled_number(upper) if upper else None]
    label = "day" if (working or "").lower() == "calendar" else ""
    if working and not label:
        label = "business day" if singular == "day" else f"{working.lower()} {singular}"
        return "-".join(_plain(n) for n in numbers if n is not None) + f" {label}"
    shown = []
    scale, base = (_SECONDS.get(singular), 1) if singular in _SECONDS else (None, 1)
    if scale is None:
        base = _MONTH_UNITS[singular]
        shown = [_plain(n * base) for n in numbers if n is not None]
        return "-".join(shown) + " month"
    seconds = [n * scale for n in numbers if n is not None]
    for name, size in (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1)):
        if all(s % size == 0 for s in seconds) or size == 1:
            return "-".join(_plain(s / size) for s in seconds) + f" {name}"
    raise AssertionError("unreachable")


def _date_value(groups: dict[str, str | None]) -> str:
    if groups.get("numeric"):
        first, second, year = (int(p) for p in re.split(r"[/.]", str(groups["numeric"])))
        full = year + 2000 if year < 100 else year
        # Both orders are in use: an unambiguous date is put in order, an ambiguous one kept.
        if first > 12 >= second:
            return f"{full}-{second:02}-{first:02}"
        if second > 12 >= first:
            return f"{full}-{first:02}-{second:02}"
        return f"{full} {first}/{second}"
    if groups.get("fiscal"):
        return f"fiscal {str(groups['fiscal'])[-2:]}"
    if groups.get("quarter"):
        return f"{groups.get('year') or ''}Q{groups['quarter']}"
    if groups.get("weekday"):
        return f"weekday {WEEKDAYS[str(groups['weekday']).lower()]}"
    month = groups.get("month") or groups.get("month2")
    year_text = groups.get("year") or ""
    if not month:
        return year_text
    number = int(month) if month.isdigit() else MONTHS[month.lower()]
    day = groups.get("day")
    return f"{year_text}-{number:02}" + (f"-{int(day):02}" if day else "")


def _time_value(text: str, groups: dict[str, str | None]) -> str:
    if not groups.get("hour"):
        return {"noon": "12:00", "midnight": "00:00"}.get(text.lower(), text)
    hour, minute = int(str(groups["hour"])), int(groups.get("minute") or 0)
    half = (groups.get("half") or "").lower()
    if half.startswith("p") and hour < 12:
        hour += 12
    if half.startswith("a") and hour == 12:
        hour = 0
    return f"{hour:02}:{minute:02}"


def _amount_value(text: str, groups: dict[str, str | None]) -> str:
    sign = str(groups["sign"]).lower().strip()
    if groups.get("spelled"):
        number = spelled_number(str(groups["spelled"]))
    else:
        number = Price.fromstring(str(groups["digits"])).amount
        if number is None:
            return text.strip().lower()
        number *= _MAGNITUDE.get((groups.get("size") or "").lower(), 1)
    word = re.sub(r"^us\s+", "", sign)
    word = word[:-1] if word.endswith("s") and len(word) > 3 else word
    word = word.replace(" sterling", "").rstrip("s") if word.startswith("pound") else word
    if number is None:
        return text.strip().lower()
    if word == "cent":
        return f"{_plain(number / 100)} USD"
    return (
        f"{_plain(number)} {_CURRENCY_NAME.get(sign) or _CURRENCY_NAME.get(word) or sign.upper()}"
    )


def _value(kind: str, match: re.Match[str]) -> tuple[str, bool] | None:
    """Return the normalised value and whether it is vague; None when it is no fact after all."""
    text, groups = match.group(), match.groupdict()
    if kind == "date":
        day = groups.get("day")
        if day and not 1 <= int(day) <= 31:
            return None
        if groups.get("month", "") and str(groups["month"]).isdigit():
            if not 1 <= int(str(groups["month"])) <= 12:
                return None
        elif groups.get("month") and not str(groups["month"])[0].isupper() and day is None:
            return None  # "you may 2020" is a verb
        return _date_value(groups), False
    if kind == "time":
        return _time_value(text, groups), False
    if kind == "amount":
        return _amount_value(text, groups), False
    if kind == "percentage":
        upper = f"-{_quantity(groups['upper'])}" if groups.get("upper") else ""
        return f"{_quantity(str(groups['quantity']))}{upper} %", False
    if kind == "duration":
        vague = groups.get("vague")
        if vague:
            if vague.lower().startswith("half"):
                return f"half {groups['unit']}".lower(), True
            return _duration_value("1", None, groups.get("working"), str(groups["unit"])), True
        return _duration_value(
            str(groups["quantity"]), groups.get("upper"), groups.get("working"), str(groups["unit"])
        ), False
    if kind == "number":
        if groups.get("times"):
            return _TIMES[str(groups["times"]).lower()], False
        if groups.get("spelled"):
            spelled = str(groups["spelled"]).lower()
            return _quantity(spelled), spelled in {"one", "hundred", "thousand", "million"}
        raw = str(groups.get("quantity") or groups.get("unitless"))
        number = _decimal(raw)
        if number is None or raw.count(".") > 1 or (raw.startswith("0") and len(raw) > 1):
            return raw, False
        size = (groups.get("size") or "").lower()
        scaled = number * (_MAGNITUDE.get(size) or SCALES.get(size) or 1)
        # "3.10" is a version, not three and one tenth.
        return (raw if "." in raw and not size else _plain(scaled)), False
    if kind == "phone":
        digits = re.sub(r"\D", "", text)
        # North American numbers are written with and without the 1 of their country.
        digits = digits[1:] if len(digits) == 11 and digits[0] == "1" else digits
        return (digits, False) if 7 <= len(digits) <= 15 else None
    if kind == "url":
        return re.sub(r"^(?:https?://)?(?:www\.)?", "", text.rstrip(".,;:!?*_"), flags=re.I).rstrip(
            "/"
        ), False
    if kind == "email":
        return re.sub(r"\Amailto:|\?.*", "", text, flags=re.I).casefold(), False
    if kind == "code":
        return (text.strip("`").strip() if text[0] == "`" else text.rstrip(".-")), False
    return text.casefold(), False


_NAME_TOKEN = r"(?:[A-Z][\w’'&+-]*|[a-z]+[A-Z]\w*|\d+[A-Z]\w*)"
_NAME: Final = re.compile(
    rf"(?<![\w@/.]){_NAME_TOKEN}(?:[\s-](?:of|the|and|for|&)?\s?{_NAME_TOKEN}|\s\d[\w.]*){{0,6}}"
)
_LABEL: Final = re.compile(r"[“\"‘']([A-Z][^”\"’'\n]{1,50}?)[”\"’'](?!\w)")
_NOT_NAMES: Final = frozenset(
    [*FUNCTION_WORDS, *MODALS, *NEGATIONS, *NUMBER_WORDS, *MONTHS, *WEEKDAYS,
     "yes", "please", "all", "any", "every", "some", "most", "many", "more", "only", "until",
     "before", "after", "also", "first", "next", "finally", "currently", "today", "new", "unless"]
)  # fmt: skip


_ALPHANUMERIC: Final = re.compile(r"[^\W_]")


def _sentence_starts(text: str) -> list[int]:
    starts = [0]
    for match in re.finditer(
        r"[.!?:;]['\"”’)]*\s+|\n\s*(?:[-*•]\s+|\d+[.)]\s+)?|[“\"(]|^[-*•]\s+", text
    ):
        starts.append(match.end())
    return starts


def _is_sentence_start(starts: list[int], position: int, text: str) -> bool:
    index = bisect_right(starts, position) - 1
    return not _ALPHANUMERIC.search(text, starts[index], position)


def _names(text: str, taken: bytearray) -> list[Fact]:
    starts = _sentence_starts(text)
    found: list[Fact] = []
    for match in _LABEL.finditer(text):
        inner_start, inner_end = match.span(1)
        if not any(taken[inner_start:inner_end]) and len(match.group(1).split()) <= 6:
            found.append(
                Fact("label", match.group(1).casefold(), match.group(1), inner_start, inner_end)
            )
    for match in _NAME.finditer(text):
        start, end = match.span()
        words = list(re.finditer(r"\S+", match.group()))
        while words and words[0].group().strip("'’").lower() in _NOT_NAMES:
            words.pop(0)
        while words and words[-1].group().strip("'’").lower() in _NOT_NAMES:
            words.pop()
        if not words:
            continue
        start, end = start + words[0].start(), start + words[-1].end()
        words_text = text[start:end]
        if _is_sentence_start(starts, start, text) and len(words) == 1:
            letters = re.sub(r"\W", "", words_text)
            if not (re.search(r"[a-z][A-Z]|[A-Z]{2}|\d", letters)):
                continue
        if any(taken[start:end]):
            continue
        cleaned = re.sub(r"['’]s\b", "", words_text).rstrip("'’-")
        found.append(Fact("name", cleaned.casefold(), words_text, start, end))
    return found


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return ``text`` with NULs for the spans, which are in order and do not overlap."""
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        pieces += (text[at:start], "\0" * (end - start))
        at = end
    return "".join((*pieces, text[at:]))


def _bound(text: str, start: int, end: int) -> Bound:
    before = text[max(0, start - 40) : start]
    for pattern, bound in _BOUND_BEFORE:
        if pattern.search(before):
            return bound
    after = text[end : end + 20]
    for pattern, bound in _BOUND_AFTER:
        if pattern.search(after):
            return bound
    return ""


def bound_span(text: str, fact: Fact) -> tuple[int, int]:
    """Return the span of ``fact`` together with the words that bound it (``no more than 5``)."""
    offset = max(0, fact.start - 40)
    before = text[offset : fact.start]
    start, end = fact.start, fact.end
    for pattern, _ in _BOUND_BEFORE:
        match = pattern.search(before)
        if match:
            start = min(start, offset + match.start())
            break
    for pattern, _ in _BOUND_AFTER:
        match = pattern.search(text[fact.end : fact.end + 20])
        if match:
            end = max(end, fact.end + match.end())
            break
    return start, end


def _about(text: str, start: int, end: int) -> tuple[str, ...]:
    left = text[max(0, start - _REACH) : start]
    cut = [m.end() for m in _CLAUSE_END.finditer(left)]
    left = left[cut[-1] :] if cut else left
    right = text[end : end + _REACH]
    stop = _CLAUSE_END.search(right)
    right = right[: stop.start()] if stop else right
    # A comma between a figure and a word is worth five words of distance.
    ranked: list[tuple[int, str]] = []
    for distance, match in enumerate(reversed(list(_PLAIN_WORD.finditer(left)))):
        commas = left.count(",", match.end())
        ranked.append((2 * distance + 1 + 10 * commas, match.group()))
    for distance, match in enumerate(_PLAIN_WORD.finditer(right)):
        commas = right.count(",", 0, match.start())
        ranked.append((2 * distance + 10 * commas, match.group()))
    keys: list[str] = []
    for _, word in sorted(ranked, key=lambda pair: pair[0]):
        key = meaning(word)
        if word.lower() in FUNCTION_WORDS or key in keys or len(word) < 2:
            continue
        keys.append(key)
    return tuple(keys[:_ABOUT])


_NEGATION: Final = re.compile(
    r"\b(?:not|never|no|none|nothing|nobody|neither|nor|cannot|without|no\s+longer|\w+n['’]t)\b",
    re.I,
)
_PERMISSION: Final = re.compile(
    r"\b(?P<modal>can(?=not\b)|can\b(?!['’]t)|may\b(?!\s+\d)|(?:could|might|must|should|shall)(?=\b|n['’]t)|"
    r"do(?:es)?(?:\s+not|n['’]t)\s+(?:need|have)\s+to|needs?\s+to|ha(?:ve|s)\s+to|"
    r"(?:are|is|be)\s+(?:\w+\s+)?(?:allowed|permitted|required|able|eligible|entitled|obliged|"
    r"prohibited|forbidden)(?:\s+to)?|ca(?=n['’]t))"
    r"(?P<not>\s+not\b|\s+never\b|n['’]t\b|not\b)?",
    re.I,
)
_PERMITS = re.compile(r"can|may|could|might|allowed|permitted|able|eligible|entitled|ca\b", re.I)
_FORBIDS = re.compile(r"prohibited|forbidden", re.I)
_SHOULD = re.compile(r"should", re.I)


def _polarity_facts(text: str) -> list[Fact]:
    found: list[Fact] = []
    for match in _PERMISSION.finditer(text):
        modal, negated = match.group("modal"), bool(match.group("not"))
        negated = negated or bool(re.search(r"\bnot\b|\bnever\b|n['’]t\b", modal, re.I))
        if _FORBIDS.search(modal):
            value = "may" if negated else "may not"
        elif _PERMITS.fullmatch(modal) or _PERMITS.search(modal):
            value = "may not" if negated else "may"
        elif _SHOULD.search(modal):
            value = "should not" if negated else "should"
        elif re.match(r"must|shall", modal, re.I):
            value = "must not" if negated else "must"
        else:
            value = "need not" if negated else "must"
        start, end = match.span()
        found.append(
            Fact("permission", value, match.group(), start, end, about=_about(text, end, end))
        )
    for match in _NEGATION.finditer(text):
        start, end = match.span()
        found.append(
            Fact("negation", "not", match.group(), start, end, about=_about(text, end, end))
        )
    return found


def extract_facts(text: str, *, polarity: bool = True, names: bool = True) -> list[Fact]:
    """Return the facts of ``text`` in reading order.

    Args:
        text: Plain text, without markup.
        polarity: Whether negations and permissions are wanted too.
        names: Whether capitalised names and quoted labels are wanted too.
    """
    taken = bytearray(len(text))
    facts: list[Fact] = []
    free = _blanked(text, [match.span() for match in _ENDLESS.finditer(text)])
    for kind, pattern in _PATTERNS:
        # Found spans are blanked out, so that a later pattern cannot read half of one.
        spans: list[tuple[int, int]] = []
        for match in pattern.finditer(free):
            outcome = _value(kind, match)
            if outcome is None:
                continue
            start, end = match.start(), match.start() + len(match.group().rstrip())
            if match.groupdict().get("month2"):
                start = match.start("month2")
            if kind == "url":
                end = start + len(match.group().rstrip(".,;:!?*_"))
            if kind == "code" and not match.group().startswith("`"):
                end = start + len(match.group().rstrip(".-"))
            value, vague = outcome
            is_value = kind in VALUE_KINDS
            facts.append(
                Fact(
                    kind,  # type: ignore[arg-type]
                    value,
                    text[start:end],
                    start,
                    end,
                    _bound(text, start, end) if is_value else "",
                    _about(text, start, end) if is_value else (),
                    vague,
                )
            )
            taken[start:end] = b"\1" * (end - start)
            spans.append((start, end))
        free = _blanked(free, spans)
    if names:
        facts += _names(free, taken)
    if polarity:
        facts += _polarity_facts(text)
    return sorted(_with_own(text, facts), key=lambda fact: (fact.start, fact.end))


_SEAM: Final = re.compile(r"[,;:()\[\]|]|\b(?:and|or|but|while|whereas|then|versus|vs)\b", re.I)
_SENTENCE_END: Final = re.compile(r"[.!?](?=\s|$)|\n")


class _Near:
    """The facts of one sentence that are near enough to a word to own it."""

    def __init__(self, group: list[Fact]) -> None:
        self._ranked = sorted(enumerate(group), key=lambda pair: pair[1].start)
        self._starts = [fact.start for _, fact in self._ranked]
        self._longest = max(fact.end - fact.start for fact in group)

    def to(self, start: int, end: int) -> list[Fact]:
        """Return the facts within reach of ``start:end``, in the order of the group."""
        first = bisect_left(self._starts, start - _OWN_REACH - self._longest)
        last = bisect_right(self._starts, end + _OWN_REACH)
        return [fact for _, fact in sorted(self._ranked[first:last], key=lambda pair: pair[0])]


def _with_own(text: str, facts: list[Fact]) -> list[Fact]:
    """Give each content word to the nearest value of each kind; a seam between counts as distance."""
    values = [fact for fact in facts if fact.kind in VALUE_KINDS]
    if not values:
        return facts
    ends = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text) + 1]
    own: dict[int, list[tuple[int, str]]] = {id(fact): [] for fact in values}
    by_sentence: dict[int, list[Fact]] = {}
    for fact in values:
        by_sentence.setdefault(bisect_right(ends, fact.start), []).append(fact)
    for number, group in by_sentence.items():
        low, high = ends[number - 1], ends[min(number, len(ends) - 1)]
        low, high = max(low, group[0].start - 300), min(high, group[-1].end + 300)
        near = _Near(group)
        seams = [match.start() for match in _SEAM.finditer(text, low, high)]
        for match in _PLAIN_WORD.finditer(text, low, high):
            word, start, end = match.group(), match.start(), match.end()
            if word.lower() in FUNCTION_WORDS:
                continue
            around = near.to(start, end)
            if any(start < fact.end and fact.start < end for fact in around):
                continue
            distances: dict[str, list[tuple[int, Fact]]] = {}
            for fact in around:
                left, right = (end, fact.start) if end <= fact.start else (fact.end, start)
                between = bisect_right(seams, right) - bisect_right(seams, left - 1)
                distances.setdefault(fact.kind, []).append((right - left + 25 * between, fact))
            for ranked in distances.values():
                distance, nearest = min(ranked, key=lambda pair: pair[0])
                if distance <= _OWN_REACH:
                    own[id(nearest)].append((distance, meaning(word)))
    for group in by_sentence.values():
        _share_in_lists(text, group, own)
    return [
        replace(fact, own=tuple(dict.fromkeys(key for _, key in sorted(own[id(fact)]))))
        if id(fact) in own
        else fact
        for fact in facts
    ]


_LIST_GAP: Final = re.compile(r"\W*+(?:and|or|to)?\W*+", re.I)


def _share_in_lists(text: str, group: list[Fact], own: dict[int, list[tuple[int, str]]]) -> None:
    """What stands beside "50, 75 and 100" is said of all three."""
    ordered = sorted(group, key=lambda fact: fact.start)
    for left, right in pairwise(ordered):
        if left.kind == right.kind and _LIST_GAP.fullmatch(
            text, left.end, max(left.end, right.start)
        ):
            own[id(left)] = own[id(right)] = sorted({*own[id(left)], *own[id(right)]})


Difference = Literal["absent", "bound", "elsewhere"]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One fact of a claim that a source does not carry.

    Attributes:
        fact: The fact of the claim.
        source: The fact of the source it disagrees with, if there is one of its kind.
        how: ``absent``: the value does not occur; ``bound``: it occurs, but with the other bound
            (at most / at least); ``elsewhere``: it occurs, but about something else.
    """

    fact: Fact
    source: Fact | None
    how: Difference


def kinship(left: Fact, right: Fact) -> float:
    """Return how much two facts are about the same thing, 0..1, from the words around them."""
    if not left.about or not right.about:
        return 0.0
    weight = {key: 1.0 / (1 + 0.35 * rank) for rank, key in enumerate(right.about)}
    own = [(1.0 / (1 + 0.35 * rank), key) for rank, key in enumerate(left.about)]
    most = min(sum(w for w, _ in own), sum(weight.values()))
    shared = sum(min(w, weight[key]) for w, key in own if key in weight)
    return min(1.0, shared / most) if most else 0.0


def belongs_to_rival(fact: Fact, equal: Fact, rival: Fact) -> int:
    """Return by how many telling words ``fact`` is about what ``rival`` is about, not ``equal``.

    A telling word stands nearer to one of the two than to the other in the source.
    """
    told = set(fact.own)
    return len(told & (set(rival.own) - set(equal.own))) - len(
        told & (set(equal.own) - set(rival.own))
    )


def opposed(left: Fact, right: Fact) -> bool:
    """Say whether two facts bound their value on opposite sides."""
    return {left.bound, right.bound} == {"at_most", "at_least"}


def compare(
    claim: Sequence[Fact], source: Sequence[Fact], *, margin: float = 0.35
) -> list[Disagreement]:
    """Return the value facts of ``claim`` that ``source`` does not bear out.

    Args:
        claim: Facts of a sentence, or of a newer version.
        source: Facts of what it rests on, or of an older version.
        margin: How much nearer a fact of another value must be to its subject than the one of the
            same value before the value counts as ``elsewhere``.
    """
    found: list[Disagreement] = []
    for fact in claim:
        if fact.kind not in VALUE_KINDS:
            continue
        kin = sorted(
            (other for other in source if other.kind == fact.kind),
            key=lambda other: -kinship(fact, other),
        )
        equal = [other for other in kin if same_value(fact, other)]
        if not equal:
            equal = [other for other in source if same_value(fact, other)]
        if not equal:
            if not fact.vague:
                found.append(Disagreement(fact, kin[0] if kin else None, "absent"))
            continue
        others = [other for other in kin if not same_value(fact, other)]
        best = max(kinship(fact, other) for other in equal)
        rival = max(others, key=lambda other: kinship(fact, other), default=None)
        if rival is not None and not fact.vague and kinship(fact, rival) > best + margin:
            found.append(Disagreement(fact, rival, "elsewhere"))
        elif all(opposed(fact, other) for other in equal):
            found.append(Disagreement(fact, equal[0], "bound"))
    return found


_ONE: Final = re.compile(r"(?:1|one|a|an|single)\b", re.I)


def same_value(left: Fact, right: Fact) -> bool:
    """Say whether two facts state the same value; a year alone agrees with a full date of it."""
    if right.vague and not left.vague and not _ONE.match(left.text):
        # "billions per day" does not bear out "24 hours".
        return False
    if left.value == right.value:
        return left.kind == right.kind or {left.kind, right.kind} <= {"number", "date", "duration"}
    if left.kind == "number" and right.kind in {"duration", "amount", "percentage"}:
        if left.text.lower() in _TIMES:
            return False
        # "30 days for annual plans, 14 for monthly ones": the unit was said before.
        return right.value.split(" ")[0] == left.value
    if left.kind != right.kind or left.kind != "date":
        return False
    # "June 2021" agrees with "June 5, 2021", and "June 5" with both.
    short, long = sorted((left.value, right.value), key=len)
    return (
        long.startswith(short + "-")
        or (short.startswith("-") and long.endswith(short))
        or (short.startswith("-") and f"{short}-" in long[4:])
    )
