"""A draft on the agent's screen: each sentence with links to the words it rests on, and objections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from graph.assistant import numbered
from graph.values import CheckReport, Citation, Draft, Finding
from ui.components.evidence import source_line, source_words
from ui.components.labels import plainly
from ui.components.places import jump, place_name
from ui.components.text import NOTHING, Markup, find_span, join, marked, show, tag, words

Put = Callable[[Markup], None]
_LONGEST_LAST_WORD: Final = 30


def draft_markup(
    draft: Draft, report: CheckReport | None, places: str, before: Draft | None = None
) -> Markup:
    """Return a draft as the customer would read it, with links and with what the check objects to.

    Args:
        draft: The draft.
        report: What the check holds against it; None while that is not known.
        places: First part of the names of the cited places; see :func:`place_of`.
        before: The draft that this one would take the place of: what is new is marked, what goes is
            told.
    """
    if not draft["sentences"]:
        return tag("div", "pd-draft pd-abstained", words(draft["note"] or "There is no draft."))
    findings = report["findings"] if report else []
    known = {sentence["text"] for sentence in before["sentences"]} if before else set()
    body = [
        _sentence(
            index,
            sentence["text"],
            sentence["citations"],
            draft,
            findings,
            places,
            fresh=before is not None and sentence["text"] not in known,
        )
        for index, sentence in enumerate(draft["sentences"])
    ]
    return tag(
        "div",
        "pd-draft",
        tag("p", "", words(draft["opening"])) if draft["opening"] else NOTHING,
        tag("div", "pd-body-of-draft", join(body, " ")),
        tag("p", "pd-closing", words(draft["closing"])) if draft["closing"] else NOTHING,
        _left_out(draft, before),
    )


def _left_out(draft: Draft, before: Draft | None) -> Markup:
    """Return what of the draft before is not said any more."""
    kept = {sentence["text"] for sentence in draft["sentences"]}
    gone = [one["text"] for one in before["sentences"] if one["text"] not in kept] if before else []
    if not gone:
        return NOTHING
    lines = (tag("div", "pd-gone-sentence", words(text)) for text in gone)
    return tag("div", "pd-gone", tag("span", "pd-faint", words("Left out")), join(lines))


def cited_draft(
    draft: Draft, report: CheckReport | None, places: str, before: Draft | None = None
) -> None:
    """Show a draft; see :func:`draft_markup`."""
    show(draft_markup(draft, report, places, before))


def place_of(places: str, number: int) -> str:
    """Return the name of the place that the citation of this number leads to."""
    return place_name(places, number)


def _sentence(
    index: int,
    text: str,
    citations: Sequence[Citation],
    draft: Draft,
    findings: Sequence[Finding],
    places: str,
    *,
    fresh: bool,
) -> Markup:
    own = [finding for finding in findings if finding["sentence"] == index]
    item = text.startswith("- ")
    text = text.removeprefix("- ")
    css = "pd-sentence" + (" pd-objected" if own else "") + (" pd-item" if item else "")
    css += " pd-fresh" if fresh else ""
    spans = [
        span
        for finding in own
        if finding["words"]
        for span in find_span(text, finding["words"], "differs")
    ]
    numbers = _links(citations, draft, places)
    if spans:
        inside = [marked(text, spans), numbers]
    else:
        head, last = _last_word(text)
        inside = [words(head), tag("span", "pd-nowrap", words(last), numbers)]
    return join([tag("span", css, *inside), *(_objection(finding) for finding in own)])


def _links(citations: Sequence[Citation], draft: Draft, places: str) -> Markup:
    known = [_key(citation) for citation in numbered(draft)]
    links = []
    for citation in citations:
        number = known.index(_key(citation)) + 1
        links.append(
            jump(
                place_of(places, number), words(number), f"Source {number}: {source_line(citation)}"
            )
        )
    return join(links)


def _key(citation: Citation) -> tuple[str, int, int]:
    return citation["passage_id"], citation["start"], citation["end"]


def _last_word(text: str) -> tuple[str, str]:
    cut = text.rstrip().rfind(" ") + 1
    return (text[:cut], text[cut:]) if len(text) - cut < _LONGEST_LAST_WORD else (text, "")


def _objection(finding: Finding) -> Markup:
    beside = source_words(finding)
    says = f" The source says: “{beside}”" if beside else ""
    return tag(
        "div",
        "pd-finding",
        tag("strong", "", words(plainly(finding["rule"]))),
        words(finding["message"]),
        tag("span", "pd-faint", words(says)) if says else NOTHING,
    )
