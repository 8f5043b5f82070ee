"""A draft and what it rests on: numbered citations, the passages behind them, the objections."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import streamlit as st

from graph.statements import readable
from graph.values import CheckReport, Citation, Draft, EvidenceChange, Finding
from kb.content import Passage
from ui.components.labels import plainly, when
from ui.components.text import NOTHING, Markup, Span, find_span, join, marked, show, tag, words

_LONGEST_LAST_WORD: Final = 30
_CHOSEN: Final = "evidence.citation"


def numbered(draft: Draft) -> list[Citation]:
    """Return the citations of a draft, each place in a source once, in order."""
    places: dict[tuple[str, int, int], Citation] = {}
    for sentence in draft["sentences"]:
        for citation in sentence["citations"]:
            places.setdefault(_place(citation), citation)
    return list(places.values())


def _place(citation: Citation) -> tuple[str, int, int]:
    return citation["passage_id"], citation["start"], citation["end"]


def _last_word(text: str) -> tuple[str, str]:
    """Return a sentence in two, so that its numbers never stand alone on a line."""
    cut = text.rstrip().rfind(" ") + 1
    return (text[:cut], text[cut:]) if len(text) - cut < _LONGEST_LAST_WORD else (text, "")


def _numbers(citations: Sequence[Citation], known: Sequence[Citation]) -> Markup:
    places = [_place(citation) for citation in known]
    return join(
        tag("sup", "pd-cite", words(places.index(_place(c)) + 1), title=source_line(c))
        for c in citations
    )


def source_line(citation: Citation) -> str:
    """Return title and headings of a cited place in one line."""
    parts = [citation["title"], *citation["heading"]]
    return " › ".join(dict.fromkeys(part for part in parts if part))


def drafted_how(draft: Draft) -> str:
    """Return in whose words a draft is; nothing where it answers nothing."""
    kind, _, name = draft["drafter"].partition(":")
    if draft["kind"] == "clarify":
        return ""
    if kind == "model":
        return f"written by the model {name}"
    if kind == "person":
        return "written by hand"
    return "in the sources' own words" if draft["sentences"] else ""


def drafters_note(draft: Draft) -> Markup:
    """Return what the drafter says of an answer to whoever reads it; the customer never does."""
    if draft["kind"] != "answer" or not draft["sentences"] or not draft["note"]:
        return NOTHING
    return tag("div", "pd-note pd-drafters-note", words(draft["note"]))


def draft_as_written(draft: Draft, check: CheckReport | None = None) -> None:
    """Show the draft as the customer would read it, with numbers of its citations."""
    if not draft["sentences"]:
        show(tag("div", "pd-draft pd-abstained", words(draft["note"] or "There is no draft.")))
        return
    known = numbered(draft)
    objected = {finding["sentence"] for finding in check["findings"]} if check else set()
    body: list[Markup] = []
    for index, sentence in enumerate(draft["sentences"]):
        item = sentence["text"].startswith("- ")
        text = sentence["text"].removeprefix("- ")
        css = "pd-sentence" + (" pd-objected" if index in objected else "")
        css += " pd-item" if item else ""
        head, last = _last_word(text)
        numbers = _numbers(sentence["citations"], known)
        body.append(tag("span", css, words(head), tag("span", "pd-nowrap", words(last), numbers)))
    show(
        tag(
            "div",
            "pd-draft",
            tag("p", "", words(draft["opening"])) if draft["opening"] else NOTHING,
            tag("p", "", join(body, " ")),
            tag("p", "", words(draft["closing"])) if draft["closing"] else NOTHING,
        ),
        drafters_note(draft),
    )


def passage_card(
    citation: Citation, passage: Passage | None, now: datetime, around: Sequence[Passage] = ()
) -> None:
    """Show the exact cited words, marked, in their passage, with version, date and owner.

    Args:
        citation: The cited place.
        passage: The passage as stored; None when it is not (any more).
        around: The passages of that version in reading order, for the whole article.
    """
    show(
        tag(
            "div",
            "pd-passage",
            tag("div", "pd-source", words(source_line(citation))),
            cited_words(citation, passage),
            provenance(citation, passage, now),
        )
    )
    if around:
        with st.expander("The whole article", key="evidence.article"):
            show(tag("div", "pd-article", *(_in_article(p, citation) for p in around)))


def cited_words(citation: Citation, passage: Passage | None) -> Markup:
    """Return the passage of a citation with the cited words marked."""
    if passage is None:
        return tag("div", "pd-words", marked(citation["quote"], []))
    return tag("div", "pd-words", marked(passage.plain, _cited(citation, passage)))


def _cited(citation: Citation, passage: Passage) -> list[Span]:
    whole = [Span(0, len(passage.plain), "cited")]
    if (citation["start"], citation["end"]) == (passage.start, passage.end):
        return whole
    return find_span(passage.plain, readable(citation["quote"]), "cited") or whole


def _in_article(passage: Passage, citation: Citation) -> Markup:
    spans = _cited(citation, passage) if passage.id == citation["passage_id"] else []
    heading = passage.heading_path[-1] if passage.heading_path else ""
    return tag(
        "div", "pd-block", tag("h4", "", words(heading)), tag("p", "", marked(passage.plain, spans))
    )


def provenance(citation: Citation, passage: Passage | None, now: datetime) -> Markup:
    """Return version, date and owner of what is cited."""
    if passage is None:
        return tag("div", "pd-faint", words("This passage is not in the library any more."))
    return tag(
        "div",
        "pd-faint pd-provenance",
        words(f"{origin(passage)} · in force since "),
        when(passage.effective_from, now),
        words(f" · {passage.owner or 'nobody owns it'}"),
    )


def origin(passage: Passage) -> str:
    """Return what kind of text a passage comes from, and its version."""
    kind = "Macro, version" if passage.kind == "macro" else "Version"
    return f"{kind} {passage.version}"


def choose_citation(draft: Draft, key: str) -> Citation | None:
    """Let the reader pick one of the numbered citations; the first by default."""
    known = numbered(draft)
    if not known:
        return None
    options = list(range(1, len(known) + 1))
    if len(known) == 1:
        return known[0]
    chosen = st.pills(
        "Sources", options, default=1, required=True, key=f"{_CHOSEN}.{key}", format_func=str
    )
    return known[int(chosen or 1) - 1]


def sentences_beside_sources(
    draft: Draft, check: CheckReport, passages: Mapping[str, Passage], now: datetime
) -> None:
    """Show every sentence with its objections, and beside it the passages it rests on."""
    known = numbered(draft)
    for index, sentence in enumerate(draft["sentences"]):
        findings = [f for f in check["findings"] if f["sentence"] == index]
        numbers = _numbers(sentence["citations"], known)
        if spans := _disagreeing(sentence["text"], findings):
            said = [marked(sentence["text"], spans), numbers]
        else:
            head, last = _last_word(sentence["text"])
            said = [words(head), tag("span", "pd-nowrap", words(last), numbers)]
        left = tag(
            "div",
            "pd-claim" + (" pd-objected" if findings else ""),
            tag("div", "pd-words", *said),
            *(_finding(finding) for finding in findings),
        )
        right = [
            tag(
                "div",
                "pd-passage",
                tag("div", "pd-source", _numbers([c], known), words(source_line(c))),
                cited_words(c, passages.get(c["passage_id"])),
                provenance(c, passages.get(c["passage_id"]), now),
            )
            for c in sentence["citations"]
        ]
        uncited = tag("div", "pd-passage pd-faint", words("Rests on no source."))
        show(tag("div", "pd-pair", left, tag("div", "pd-beside", *(right or [uncited]))))


def _disagreeing(text: str, findings: Sequence[Finding]) -> list[Span]:
    return [
        span
        for finding in findings
        for span in find_span(text, finding["words"], "differs")
        if finding["words"]
    ]


def source_words(finding: Finding) -> str:
    """Return what the source says against a sentence, unless the message quotes it already."""
    source = finding["source_words"]
    return "" if source.rstrip(".") in finding["message"] else source


def _finding(finding: Finding) -> Markup:
    source = source_words(finding)
    beside = f"The source says: “{source}”" if source else ""
    return tag(
        "div",
        "pd-finding",
        tag("strong", "", words(plainly(finding["rule"]))),
        tag("span", "", words(finding["message"])),
        tag("div", "pd-faint", words(beside)) if beside else NOTHING,
    )


def changes_shown(changes: Sequence[EvidenceChange]) -> None:
    """Show what a recheck stopped: one sentence, old beside new."""
    for change in changes:
        pair = NOTHING
        if change.get("old") or change.get("new"):
            pair = tag(
                "div", "pd-pair", *old_beside_new(change.get("old", ""), change.get("new", ""))
            )
        show(
            tag(
                "div",
                "pd-notice pd-warning",
                tag("strong", "", words(change["sentence"])),
                pair,
            )
        )


def old_beside_new(
    old: str, new: str, titles: tuple[str, str] = ("Before", "Now")
) -> tuple[Markup, Markup]:
    """Return two texts side by side under their titles, with the words that differ marked."""
    old_spans, new_spans = differing(old, new)
    return (
        _side(titles[0], old, old_spans, "There was no such text."),
        _side(titles[1], new, new_spans, "It is not there any more."),
    )


def _side(title: str, text: str, spans: Sequence[Span], absent: str) -> Markup:
    body = marked(text, spans) if text else words(absent)
    return tag(
        "div", "pd-passage", tag("div", "pd-source", words(title)), tag("div", "pd-words", body)
    )


def differing(old: str, new: str) -> tuple[list[Span], list[Span]]:
    """Return the stretches of two texts that are not in the other, word by word."""
    tokens = [[(m.start(), m.end()) for m in re.finditer(r"\S+", text)] for text in (old, new)]
    said = [[text[a:b] for a, b in spans] for text, spans in zip((old, new), tokens, strict=True)]
    spans: tuple[list[Span], list[Span]] = ([], [])
    matcher = difflib.SequenceMatcher(None, said[0], said[1], autojunk=True)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            continue
        for side, (first, last) in enumerate(((a, b), (c, d))):
            if first < last:
                where = tokens[side]
                spans[side].append(Span(where[first][0], where[last - 1][1], "differs"))
    return spans
