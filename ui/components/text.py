"""Text on the screen. The only place where words that others wrote meet markup.

Customer messages, article text and model output are untrusted: they reach the page through
:func:`words` and its relatives, which escape them, and through nothing else. Markup is a type of
its own, so that the type checker refuses a plain string where markup is expected.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NewType

import streamlit as st

Markup = NewType("Markup", str)
"""HTML that is safe to show: our own tags around escaped words."""

# Direction overrides and isolates make a text read other than it is written; the other control
# characters have no business on a page.
_UNSEEN: Final = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
# Every sign that means something to Markdown, Streamlit's directives or its autolinks.
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~^$:&@/=\"'])")
# No script needs more than a few marks on a letter; hundreds make a tower that no line can break.
_MARKS: Final = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
Tag = Literal["div", "span", "p", "strong", "em", "mark", "sup", "ol", "ul", "li", "h3", "h4"]
NOTHING: Final = Markup("")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch ``start:end`` of a text that is to be marked, for the reason ``title``."""

    start: int
    end: int
    kind: Literal["cited", "trigger", "found", "differs"]
    title: str = ""


def readable_text(text: str) -> str:
    """Return ``text`` without control characters, direction overrides and towers of accents."""
    return _MARKS.sub(r"\1", _UNSEEN.sub("", text))


def label_text(text: str) -> str:
    """Return untrusted text for the label of a widget, which Streamlit reads as Markdown."""
    return _MARKDOWN.sub(r"\\\1", " ".join(readable_text(text).split()))


def words(text: object) -> Markup:
    """Return untrusted text as markup that shows exactly its words."""
    return Markup(html.escape(readable_text(str(text)), quote=True))


def tag(name: Tag, css: str, *inside: Markup, title: str = "") -> Markup:
    """Return an element of ours around markup.

    Args:
        name: Its tag.
        css: Its classes; ours, never anybody's text.
        inside: What it holds.
        title: Words shown on hover; escaped here.
    """
    hover = f' title="{words(title)}"' if title else ""
    return Markup(f'<{name} class="{css}"{hover}>{"".join(inside)}</{name}>')


def join(parts: Iterable[Markup], between: str = "") -> Markup:
    """Return markup one after the other; ``between`` is shown as words."""
    return Markup(words(between).join(parts))


def marked(text: str, spans: Sequence[Span]) -> Markup:
    """Return ``text`` with its spans marked; of overlapping ones the first is kept."""
    out, position = [], 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        start, end = max(span.start, 0), min(span.end, len(text))
        if start < position or start >= end:
            continue
        out += [
            words(text[position:start]),
            tag("mark", f"pd-{span.kind}", words(text[start:end]), title=span.title),
        ]
        position = end
    return join([*out, words(text[position:])])


def find_span(text: str, sought: str, kind: Literal["cited", "found", "differs"]) -> list[Span]:
    """Return where ``sought`` stands in ``text``, whatever the white space and case."""
    pattern = r"\s+".join(re.escape(word) for word in sought.split())
    found = re.search(pattern, text, re.IGNORECASE) if pattern else None
    return [Span(found.start(), found.end(), kind)] if found else []


def show(*parts: Markup) -> None:
    """Put markup on the page."""
    if body := "".join(parts).strip():
        st.html(body)


def say(text: str, css: str = "pd-note") -> None:
    """Put one plain sentence on the page, whoever wrote it."""
    show(tag("div", css, words(text)))
