"""Says a value other than it is: what tests of the check, and of the people behind it, are made of."""

from __future__ import annotations

import random
import re
from typing import Final

from kb.facts import VALUE_KINDS, Fact, extract_facts
from kb.words import MONTHS, NUMBER_WORDS, WEEKDAYS

_MONTH_NAMES: Final = [m.capitalize() for m in MONTHS if len(m) > 3 and m != "sept"] + ["May"]
_WEEKDAY_NAMES: Final = [d.capitalize() for d in WEEKDAYS if d.endswith("day")]


def replace_span(text: str, start: int, end: int, by: str) -> str:
    """Return ``text`` with ``text[start:end]`` replaced."""
    return text[:start] + by + text[end:]


def _other_number(text: str, rng: random.Random) -> str:
    lowered = text.lower()
    if lowered in NUMBER_WORDS:
        choices = [w for w in ("two", "three", "four", "five", "six", "seven", "ten", "twelve")
                   if w != lowered]  # fmt: skip
        word = rng.choice(choices)
        return word.capitalize() if text[0].isupper() else word
    digits = text.replace(",", "")
    try:
        value = float(digits)
    except ValueError:
        return text
    decimals = len(digits.split(".")[1]) if "." in digits else 0
    step = 10**-decimals
    for _ in range(20):
        new = rng.choice(
            (value + step, value - step, value * 2, value + 5, value * 3, value + 15, value * 10,
             value / 2, value + 30)
        )  # fmt: skip
        if decimals == 0:
            new = float(round(new))
        if new > 0 and abs(new - value) > step / 2:
            return f"{new:,.{decimals}f}" if "," in text else f"{new:.{decimals}f}"
    return text


_FIGURE = re.compile(r"\d[\d,]*(?:\.\d+)*|\b(?:" + "|".join(sorted(NUMBER_WORDS, key=len, reverse=True)) + r")\b", re.I)  # fmt: skip


def wrong_value(text: str, fact: Fact, rng: random.Random) -> str | None:
    """Return ``text`` with another value for one of its facts; None where none can be made up.

    Args:
        text: What states the fact.
        fact: One that ``extract_facts`` found in ``text``, of a kind with a value.
        rng: Chooses the value.
    """
    if fact.kind == "date":
        return _change_date(text, fact, rng)
    if fact.kind == "duration" and rng.random() < 0.25:
        unit = re.search(r"(second|minute|hour|day|week|month|year)(s?)", fact.text, re.I)
        if unit:
            others = [u for u in ("minute", "hour", "day", "week", "month", "year")
                      if u != unit.group(1).lower()]  # fmt: skip
            start = fact.start + unit.start(1)
            return replace_span(text, start, start + len(unit.group(1)), rng.choice(others))
    figures = list(_FIGURE.finditer(fact.text))
    if not figures:
        return None
    figure = rng.choice(figures)
    new = _other_number(figure.group(), rng)
    if new == figure.group():
        return None
    start = fact.start + figure.start()
    return replace_span(text, start, start + len(figure.group()), new)


def _change_date(text: str, fact: Fact, rng: random.Random) -> str | None:
    month = re.search(r"\b(?:" + "|".join(_MONTH_NAMES) + r")\b", fact.text)
    weekday = re.search(r"\b(?:" + "|".join(_WEEKDAY_NAMES) + r")\b", fact.text)
    named = month or weekday
    if named and rng.random() < 0.5:
        pool = _MONTH_NAMES if month else _WEEKDAY_NAMES
        new = rng.choice([name for name in pool if name != named.group()])
        return replace_span(text, fact.start + named.start(), fact.start + named.end(), new)
    figures = list(re.finditer(r"\d+", fact.text))
    if not figures:
        return None
    figure = rng.choice(figures)
    value = int(figure.group())
    top = 28 if value <= 31 else 9999
    choices = [v for v in (value + 1, value - 1, value + 2, value - 3) if 1 <= v <= top]
    new = str(rng.choice(choices)).zfill(len(figure.group()))
    return replace_span(text, fact.start + figure.start(), fact.start + figure.end(), new)


def swapped_values(text: str, rng: random.Random) -> str | None:
    """Return ``text`` with two values of one kind in each other's place; None where there are none."""
    facts = [f for f in extract_facts(text, polarity=False, names=False) if f.kind in VALUE_KINDS]
    pairs = [
        (a, b)
        for i, a in enumerate(facts)
        for b in facts[i + 1 :]
        if a.kind == b.kind and a.value != b.value and a.end < b.start
        and not a.vague and not b.vague
        # Two parts of one name or an enumeration mean the same in either order.
        and not re.fullmatch(r"\W*(?:,|and|or|&|/)?\W*", text[a.end : b.start])
    ]  # fmt: skip
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return text[: a.start] + b.text + text[a.end : b.start] + a.text + text[b.end :]
