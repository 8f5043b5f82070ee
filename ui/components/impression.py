"""What triage noticed beside the reason, in plain words: told only where it says something."""

from __future__ import annotations

from typing import Final

from graph.values import Brief, Classification
from ui.components.text import NOTHING, Markup, tag, words

_AFTER: Final = {
    "complaint": "complains",
    "problem": "reports a problem",
    "request": "wants something done",
    "thanks": "says thanks",
}
_LANGUAGES: Final = {
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
}
_OWN: Final = ("", "en", "und")  # the desk's own language, or too few words to tell one
_LAYERS: Final = {
    "words": "by its words",
    "examples": "by its meaning",
    "fields": "by what is known of the contact",
    "unsure": "by what the desk is unsure of",
    "same_issue": "by earlier messages",
    "tier": "by your reason map",
}


def impression(found: Classification | Brief) -> str:
    """Return how the customer writes, in one or two sentences; "" when nothing stands out."""
    does = [
        _AFTER.get(found.get("intent", "") if "reason" in found else found.get("aim", ""), ""),
        _mood(found["sentiment"]),
        _writes(found.get("language", "")),
    ]
    told = [one for one in does if one]
    *first, last = told or [""]
    customer = f"The customer {', '.join(first)}{' and ' if first else ''}{last}." if last else ""
    return " ".join(part for part in (_pressing(found.get("urgency", "")), customer) if part)


def impression_line(found: Classification | Brief | None) -> Markup:
    """Return the impression as a quiet line; nothing when nothing stands out."""
    said = impression(found) if found else ""
    return tag("div", "pd-faint pd-impression", words(said)) if said else NOTHING


def layer(by: str) -> str:
    """Return what fired a trigger in plain words: ``tiers.yaml:fraud/words@3f2a`` → by its words."""
    if by.startswith("language model"):
        return "by the language model"
    part = by.partition("[")[0].partition("@")[0].rpartition("/")[2]
    return _LAYERS.get(part, "")


def _pressing(urgency: str) -> str:
    return {"high": "It is urgent.", "low": "There is no hurry."}.get(urgency, "")


def _mood(sentiment: float) -> str:
    if sentiment <= -0.5:
        return "is very unhappy"
    return "is unhappy" if sentiment <= -0.15 else ""


def _writes(language: str) -> str:
    return "" if language in _OWN else f"writes in {_LANGUAGES.get(language, language)}"
