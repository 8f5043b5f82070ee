r"""Reads a value out of a message however the customer put it: spaced, dashed, spoken, or bare.

A team writes one pattern for a field, such as ``\bLB-?\d{6}\b``. Customers write "LB – 204 518",
say "LB dash two zero four five one eight", or answer the desk's question with the number alone. The
pattern is therefore tried on several readings of a message; none of them adds a digit or a letter
that the customer did not give.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_DASHES: Final = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－"), "-")
_DIGIT_NAMES: Final = {
    "zero": "0",
    "oh": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
}
_NAMES = "|".join(_DIGIT_NAMES)
_TIMES: Final = {"double": 2, "triple": 3}
_REPEATED = re.compile(rf"\b(double|triple)[ -]+({_NAMES}|\d)\b", re.IGNORECASE)
# One spoken digit is a word like any other; three in a row are a number.
_SPOKEN = re.compile(rf"\b(?:(?:{_NAMES}|\d)[\s,.-]+){{2,}}(?:{_NAMES}|\d)\b", re.IGNORECASE)
_SAID_MARKS = re.compile(r"(?<=\w)\s+(?:dash|hyphen|minus)\s+(?=[\w])", re.IGNORECASE)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)(?:[ \t]*[-_/.][ \t]*|[ \t]{1,3})(?=\d)")
# A short run of letters is a prefix of the digits after it; longer ones are words.
_AFTER_PREFIX = re.compile(r"(?<![^\W\d_])([^\W\d_]{1,4})[ \t]*[-_/#.:][ \t]*(?=\d)")
_SMALL_WORDS = "and|are|at|but|by|cost|each|for|from|have|in|is|it|my|no|of|on|or|than|the|to|was"
_BEFORE_SPACE = re.compile(
    rf"(?<![^\W\d_])(?!(?:{_SMALL_WORDS})\b)([^\W\d_]{{2,4}})[ \t]+(?=\d)", re.IGNORECASE
)
_LONGEST_ANSWER = 100  # characters
_ALONE = re.compile(
    r"\W*(?:(?:hi|hello|hey|ok|okay|sure|sorry|yes|here|it|its|it's|is|that|this|the|number|no|nr"
    r"|would|be|thanks|thank|you|please|cheers|there|go|i|think|found|mine)\b\W*)*"
    r"(?P<value>#?\s*[^\W_]*\d[\w-]*(?:[ -][\w-]*\d[\w-]*){0,4})"
    r"\W*(?:(?:thanks|thank|you|please|cheers|is|it|the|number|best|regards)\b\W*)*",
    re.IGNORECASE,
)


def readings(message: str, name: str = "") -> tuple[str, ...]:
    """Return ways to read a message, as it is first; each at most once.

    Args:
        message: One message of a customer.
        name: What was asked for, such as "Order number". A message that is nothing but a value is
            also read as "Order number 204518".
    """
    plainly = unicodedata.normalize("NFKC", message).translate(_DASHES)
    digits = _with_digits(plainly)
    found = [message, plainly, digits]
    joined = _BEFORE_SPACE.sub(r"\1-", _AFTER_PREFIX.sub(r"\1-", digits))
    tight = _BETWEEN_DIGITS.sub("", joined)
    found += [joined, tight, re.sub(r"(?<![^\W\d_])([^\W\d_]{1,4})-(?=\d)", r"\1", tight)]
    if name and len(tight) <= _LONGEST_ANSWER and (alone := _ALONE.fullmatch(tight)):
        found.append(f"{name} {alone['value'].lstrip('# ')}")
    return tuple(dict.fromkeys(found))


def _with_digits(text: str) -> str:
    """Return ``text`` with numbers that were spoken digit by digit written in digits."""
    text = _REPEATED.sub(lambda hit: " ".join([hit[2]] * _TIMES[hit[1].casefold()]), text)
    spoken = _SPOKEN.sub(_in_digits, text)
    return _SAID_MARKS.sub("-", spoken) if re.search(r"\d", spoken) else text


def _in_digits(hit: re.Match[str]) -> str:
    words = re.findall(rf"{_NAMES}|\d", hit[0], re.IGNORECASE)
    return "".join(_DIGIT_NAMES.get(word.casefold(), word) for word in words)
