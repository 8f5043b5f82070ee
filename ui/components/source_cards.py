"""The sources of a draft: where each citation leads, in its article, with age, owner and changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from desk.cited_sources import CitedSource
from graph.statements import readable
from kb.content import Passage
from ui.components.cited_draft import place_of
from ui.components.evidence import old_beside_new, origin, source_line
from ui.components.labels import chip, warning_chip, when
from ui.components.places import folded, placed
from ui.components.text import NOTHING, Markup, find_span, join, show, tag, words

_FLAGS: Final[dict[str, tuple[str, str]]] = {
    "changed": ("Changed recently", "A new version tells readers something else."),
    "conflict": ("Contradicted", "Another source in force says something else."),
    "superseded": ("Replaced", "Another article took its place."),
    "often_rewritten": ("Often rewritten", "Reviewers often change what it says."),
}
_VERIFIED: Final = {
    "verified": ("Verified", "Its owner confirmed it in time."),
    "overdue": ("Review overdue", "Its owner has not confirmed it in time."),
    "never": ("Not verified", "Nobody has confirmed it yet."),
}


def source_cards(sources: Sequence[CitedSource], places: str, now: datetime) -> None:
    """Show one card a citation; a link to a citation opens the card's article at the cited words.

    Args:
        sources: The cited places.
        places: First part of the names of the places, as the draft was shown with.
        now: The moment.
    """
    show(tag("div", "pd-cards", join(_card(source, places, now) for source in sources)))


def _card(source: CitedSource, places: str, now: datetime) -> Markup:
    passage = source.passage
    head = tag(
        "div",
        "pd-source",
        tag("span", "pd-number", words(source.number)),
        words(source_line(source.citation)),
    )
    if passage is None:
        return tag(
            "div",
            "pd-card-source",
            head,
            tag("div", "pd-words", words(source.citation["quote"])),
            tag("div", "pd-faint", words("This passage is not in the library any more.")),
        )
    return tag(
        "div",
        "pd-card-source",
        head,
        _standing(source, passage, now),
        _article(source, passage, place_of(places, source.number)),
        _changed_since(source, passage),
        _changed_by(source),
    )


def _standing(source: CitedSource, passage: Passage, now: datetime) -> Markup:
    label, why = _VERIFIED[source.verified]
    badge = (
        tag("span", "pd-badge pd-tier-allowed", words(f"✓ {label}"), title=why)
        if source.verified == "verified"
        else warning_chip(label, why)
    )
    reviewed = (
        [words("confirmed "), when(source.last_reviewed, now), words(" · ")]
        if source.last_reviewed
        else []
    )
    return tag(
        "div",
        "pd-badges pd-standing",
        badge,
        *(warning_chip(*_FLAGS[kind]) for kind in source.flags if kind in _FLAGS),
        tag(
            "span",
            "pd-faint",
            *reviewed,
            words(f"{origin(passage)}, in force since "),
            when(passage.effective_from, now),
            words(f" · {passage.owner or 'nobody owns it'}"),
        ),
    )


def _article(source: CitedSource, passage: Passage, place: str) -> Markup:
    """Return the article around the passage: closed to the passage until a link leads there."""
    blocks = []
    heading = None
    for one in source.article or [passage]:
        own = one.id == passage.id
        above = one.heading_path[-1] if one.heading_path else ""
        title = NOTHING
        if above and above != heading:
            title = tag("h4", "pd-around", words(above))
        heading = above
        body = _marked(one, source, place) if own else words(one.plain)
        blocks.append(title)
        blocks.append(tag("p", "pd-cited-passage" if own else "pd-around", body))
    return tag("div", "pd-in-article pd-words", join(blocks))


def _marked(passage: Passage, source: CitedSource, place: str) -> Markup:
    """Return a passage with the cited words in a mark that has a name."""
    citation, text = source.citation, passage.plain
    start, end = 0, len(text)
    if (citation["start"], citation["end"]) != (passage.start, passage.end):
        found = find_span(text, readable(citation["quote"]), "cited")
        if found:
            start, end = found[0].start, found[0].end
    return join(
        [words(text[:start]), placed(place, "pd-cited", words(text[start:end])), words(text[end:])]
    )


def _changed_since(source: CitedSource, passage: Passage) -> Markup:
    if not source.moved:
        return NOTHING
    now = source.now.plain if source.now else ""
    return tag(
        "div",
        "pd-since",
        tag("strong", "", words("The article reads otherwise now")),
        tag("div", "pd-pair", *old_beside_new(passage.plain, now)),
    )


def _changed_by(source: CitedSource) -> Markup:
    """Return what this version changed against the one before it."""
    facts = [fact for fact in source.facts if fact.get("old") or fact.get("new")]
    if not facts or source.passage is None:
        return NOTHING
    rows = [
        tag(
            "li",
            "",
            chip(str(fact.get("old") or "nothing")),
            words(" → "),
            chip(str(fact.get("new") or "nothing")),
        )
        for fact in facts[:6]
    ]
    before = source.citation["version"] - 1
    return folded(f"What changed since version {before}", tag("ul", "pd-plain", join(rows)))
