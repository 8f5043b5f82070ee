"""Values of metrics as people read them. Pure."""

from __future__ import annotations

from typing import Final

from desk.metric_definitions import Unit

NOTHING: Final = "–"
_FEW: Final = 0.1
"""Shares below this are told to a tenth of a percent."""


def value_text(value: float | None, unit: Unit) -> str:
    """Return a value as people read it; a dash where there is none."""
    if value is None:
        return NOTHING
    if unit == "share":
        return f"{value:.1%}" if 0 < value < _FEW else f"{value:.0%}"
    if unit == "seconds":
        return length_text(int(value))
    return f"{value:,.0f}"


def change_text(now: float | None, before: float | None, unit: Unit) -> str | None:
    """Return how far a value lies from the one before, with its sign; None without one to compare."""
    if now is None or before is None:
        return None
    change = now - before
    sign = "-" if change < 0 else "+"
    if unit == "share":
        points = f"{100 * abs(change):.1f}"
        return None if points == "0.0" else f"{sign}{points} points"
    if not change:
        return None
    return f"{sign}{value_text(abs(change), unit)}"


def length_text(seconds: int) -> str:
    """Return a length of time in its two largest units."""
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 10:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"
