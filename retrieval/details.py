"""The contact details that a passage holds and that a question asks for. Pure.

Who asks where to send a letter uses none of the words of "Suite 200, Chicago, IL 60607". The kind of
detail is the word that question and passage share, so it is looked up as one.
"""

from __future__ import annotations

import re
from typing import Final

_HELD: Final = {
    "postal": re.compile(
        r"""\bP\.?\s?O\.?\s?Box\b
        | \b(?:Suite|Ste\.?|Floor|Unit|Apt\.?|PMB)\s*\#?\d
        | \b\d{1,5}[a-z]?,?\s+(?:[NSEW]\.?\s+)?(?:[A-Z0-9][\w.'-]*\s+){1,3}
          (?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Drive|Way|Square|Court)\b
        | ,\s+(?:[A-Z]{2}|[A-Z][a-z]+(?:\s[A-Z][a-z]+)?),?\s+\d{5}(?:-\d{4})?\b
        | \b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b
        | (?:[Ss]traße|[Ss]trasse|[Ss]tr\.|[Pp]latz|[Aa]llee)\s+\d+
        | \b\d{1,4}(?:\s(?:bis|ter))?,?\s(?:rue|avenue|boulevard|place|quai)\s
        """,
        re.VERBOSE,
    ),
    "phone": re.compile(
        r"(?:\+\d{1,3}[\s.-]?)?\(?\b\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}\b|\+\d{2}[\s.-]?\d[\d\s.-]{6,}"
    ),
    "email": re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}\.\w"),
}
_ASKED: Final = {
    "postal": re.compile(
        r"""(?<!\bmy\s)\b(?:mailing|postal|street|office|registered)\ address
        | \bby\ (?:post|mail|letter|courier)\b
        | \bwhere\b[^.!?]{0,60}\b(?:post|mail)\b
        """,
        re.VERBOSE | re.IGNORECASE,
    ),
    "phone": re.compile(
        r"\b(?:tele)?phone\b|\bhotline\b|\bfax\b|\bcall (?:you|someone|support)\b", re.IGNORECASE
    ),
    "email": re.compile(
        r"""\b(?:what|which)(?:'s|\ is)?\ (?:the\ |your\ )?e-?mail
        | \b(?:what|which)\ address\ (?:do|should|can)\ i\ (?:e-?mail|write)
        | \bwho\ (?:do|should|can|could)\ (?:i|we)\ (?:contact|e-?mail|write|ask)\b
        | \bhow\ (?:do|can|could)\ (?:i|we)\ (?:contact|reach)\b
        """,
        re.VERBOSE | re.IGNORECASE,
    ),
}
_LONGEST: Final = 20_000  # characters


def details_in(text: str) -> list[str]:
    """Return the kinds of contact detail that ``text`` holds: of ``postal``, ``phone``, ``email``."""
    return [kind for kind, pattern in _HELD.items() if pattern.search(text[:_LONGEST])]


def details_asked(question: str) -> list[str]:
    """Return the kinds of contact detail that ``question`` asks for."""
    return [kind for kind, pattern in _ASKED.items() if pattern.search(question[:_LONGEST])]
