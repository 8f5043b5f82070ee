"""Links within the page: from a citation to the words it cites, with no round trip to the desk.

The page's own markup, like :mod:`ui.components.text`: names of places are made of digits and of
words of ours, and whatever others wrote comes in as escaped markup.
"""

from __future__ import annotations

import re

from ui.components.text import Markup, words

_NAME = re.compile(r"[^a-z0-9-]+")


def place_name(*parts: object) -> str:
    """Return the name of a place on the page, made of ids and numbers."""
    return "-".join(_NAME.sub("", str(part).lower()) for part in parts)


def jump(place: str, inside: Markup, label: str) -> Markup:
    """Return a link to a place on the page.

    Args:
        place: Made by :func:`place_name`.
        inside: What is pressed.
        label: What a screen reader says, and what is shown on hover.
    """
    said = words(label)
    return Markup(
        f'<a class="pd-cite pd-jump" href="#{place}" title="{said}" aria-label="{said}">{inside}</a>'
    )


def placed(place: str, css: str, inside: Markup) -> Markup:
    """Return the place that a link leads to: a mark with a name."""
    return Markup(f'<mark class="{css}" id="{place}" tabindex="-1">{inside}</mark>')


def folded(title: str, inside: Markup, css: str = "pd-fold") -> Markup:
    """Return something that opens and closes by itself."""
    return Markup(f'<details class="{css}"><summary>{words(title)}</summary>{inside}</details>')
