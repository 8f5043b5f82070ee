"""What stands before and after an answer, by channel."""

from __future__ import annotations

import re

from graph.values import Conversation

_TITLES = frozenset(("mr", "mrs", "ms", "mx", "miss", "dr", "prof", "sir", "madam"))


def first_name(name: str) -> str:
    """Return the name to greet a customer by, ``""`` when there is none fit to be used."""
    if "," in name:
        last, _, first = name.partition(",")
        name = f"{first} {last}"
    words = [w.strip(".\"'()") for w in name.split()]
    words = [w for w in words if w and w.casefold() not in _TITLES]
    if not words or not re.fullmatch(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", words[0]):
        return ""
    titled = any(w.strip(".").casefold() in _TITLES for w in name.split())
    if titled and len(words) == 1:
        return ""
    return words[0].capitalize() if words[0].islower() or words[0].isupper() else words[0]


def courtesies(conversation: Conversation) -> tuple[str, str]:
    """Return opening and closing of a reply on the conversation's channel."""
    name = first_name(conversation["customer"]["name"])
    replied = any(turn["speaker"] != "customer" for turn in conversation["turns"])
    if conversation["channel"] == "email":
        thanks = "Thank you for getting back to us." if replied else "Thank you for your message."
        greeting = f"Hello {name}," if name else "Hello,"
        return (
            f"{greeting}\n\n{thanks}",
            "If you have any other questions, just reply to this email.",
        )
    # A voice agent reads this aloud: a name, no thanks in writing.
    greeting = {"chat": "Hi", "voice": "Hello"}[conversation["channel"]]
    opening = f"{greeting} {name}!" if name else f"{greeting}!"
    return "" if replied else opening, "Is there anything else I can help with?"
