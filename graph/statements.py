"""Reads what a passage states, sentence by sentence, as a customer could be told it.

A passage is markup: Markdown, HTML, site templates, tables. A statement is one of its sentences,
list items or table rows in plain words, with the offsets of the words it came from, and with what
must not be taken apart: the lead-in of a list item, the sentence that "This …" refers to, the
exception that follows a rule. Pure functions; nothing here asks a model.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from kb.content import Passage
from kb.facts import extract_facts
from kb.markup import mask_icons
from kb.passages import LONGEST_PASSAGE
from kb.sentences import split_sentences

StatementKind = Literal["sentence", "item", "step", "row"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HOLE = "\ufffc"  # a site template stood here: what it would have said is unknown
_CODE = "\ufffb"  # a code block stood here
_HEAD = "\ufff1"
_ITEM = "\ufff2"
_STEP = "\ufff3"
_RULE = "\ufff4"  # the line under a table's header
_CELL = "\ufff5"


_LONGEST_ROW = 45  # words; a longer table row is prose in cells


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing a passage states.

    Attributes:
        text: Plain words, one sentence, ready to be read by a customer.
        start: Offset in the article body of the first character it came from.
        end: Offset after the last one.
        kind: What it was in the source.
        block: Number of the paragraph, list item or row it stands in, from 0.
        lead_in: Index of the statement that introduces this list item, if any.
        leads: Whether it introduces a list ("To cancel:").
        leans_back: Whether it cannot be understood without the statement before it.
        qualifies: Whether it limits the statement before it ("However, …", "Unless …").
        usable: Whether it can be told at all: no question, template residue or aimless link.
        pointer: Whether it only points elsewhere ("See this post for details.").
        depth: Columns of indentation of a list item.
    """

    text: str
    start: int
    end: int
    kind: StatementKind
    block: int
    lead_in: int | None = None
    leads: bool = False
    leans_back: bool = False
    qualifies: bool = False
    usable: bool = True
    pointer: bool = False
    depth: int = 0


_FENCE = re.compile(
    r"^(?P<indent>[ \t]*)(?P<f>```++|~~~++)[^\n]*+\n(?P<code>.*?)(?:\n[ \t]*(?P=f)[ \t]*$|\Z)",
    re.M | re.S,
)
_PRE = re.compile(r"<pre\b[^>]*>(?P<code>.*?)</pre>", re.I | re.S)
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1>", re.I | re.S)
_CONDITIONAL = re.compile(r"\{%-?\s*(?:if|elsif|else|unless|case|when|for)\b.{0,1000}?%\}", re.S)
_SHORTCODE = re.compile(r"\{\{[<%].{0,1000}?[>%]\}\}|\{%.{0,1000}?%\}", re.S)
_BOX = re.compile(
    r"\{%-?\s*(?:end)?(?:admonition|alert|aside|box|callout|caution|hint|important|info|note|notice"
    r"|panel|tip|warning)\b"
)
"""What is drawn around words and holds for every reader; of other tags nobody knows for whom."""
_TEMPLATE = re.compile(r"\{\{.{0,1000}?\}\}|<%.{0,1000}?%>", re.S)
_ATTRIBUTES = re.compile(r"\{[:#.][^{}\n]{0,500}\}")
PLACEHOLDER = re.compile(
    r"\{\{\s{0,20}(?P<curly>[\w .\-]{1,80}?)\s{0,20}(?:\|[^{}]{0,200})?\}\}"
    r"|\{(?P<single>[A-Za-z][\w .\-]{0,80})\}"
    r"|<<\s{0,20}(?P<angle>[\w .\-]{1,80}?)\s{0,20}>>|%(?P<percent>[A-Za-z]\w{0,80})%"
    r"|\[(?P<square>[A-Z][A-Z0-9 _\-]{2,80})\](?!\()"
)
"""What a macro leaves to be filled in: ``{{order_number}}``, ``{name}``, ``[ORDER NUMBER]`` …"""
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])")
_FOOTNOTE = re.compile(r"\[\^[^\]]+\]:?")
_LINK = re.compile(
    r"\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<url>[^()]*(?:\([^()]*\)[^()]*)*)\)"
)
_REFERENCE = re.compile(r"\[(?P<text>[^\[\]]+)\]\s?\[[^\[\]]*\]")
_SHORTCUT = re.compile(r"\[(?P<text>[^\[\]\n]{1,60})\](?![(\[:])")
_AUTOLINK = re.compile(r"<(?P<text>(?:https?://|mailto:)[^\s<>]+|[^\s<>@]+@[^\s<>@]+)>")
_TAG = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z][A-Za-z0-9]*)(?P<rest>(?:\s[^<>]*)?)/?>")
_OPEN_ICON = re.compile(r"(?:<[A-Za-z]{1,2} ?|!\[[^\[\]()]?)\Z")
_CUT_ICON = re.compile(
    r"[^<>\[\]]{0,1000}>(?:(?:\s|<(?!/?t[dhr]\b)[^<>]{0,1000}>){0,20}?</(?:i|span|em|svg)>)?"
    r"|[^\[\]]{0,100}\]\([^()]{0,1000}\)"
)
"""An icon is told by its first letters; a quotation of it holds all of it."""
_INLINE_CODE = re.compile(r"(?P<t>`{1,8})(?P<text>.{1,2000}?)(?P=t)(?!`)", re.S)
_TICK_RUN = re.compile(r"`{9,}+")
_ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_ESCAPE = re.compile(r"\\(?P<text>[!-/:-@\[-`{-~])")
_STARS = re.compile(r"\*{1,3}|~~")
_UNDERSCORES = re.compile(r"(?<![A-Za-z0-9])_{1,3}(?=\S)|(?<=\S)_{1,3}(?![A-Za-z0-9_])")
_DEFINITION = re.compile(r"[ \t]*\[[^\]]+\]:[ \t]*\S+[^\n]*")
_LINE_RULE = re.compile(r"[ \t]*+(?:={3,}+|-{3,}+|\*{3,}+|_{3,}+|(?:\* ){2,}\*)[ \t]*+$", re.M)
_TABLE_RULE = re.compile(
    r"[ \t]*+(?:\|[ \t]*+)?:?-{2,}+:?[ \t]*+(?:\|[ \t]*+:?-*+:?[ \t]*+)*+$", re.M
)
_HEADING = re.compile(r"[ ]{0,3}#{1,6}[ \t]+")
_BULLET = re.compile(
    r"(?P<indent>[ \t]*)(?P<mark>[-*+•]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])[ \t]+(?=\S)"
)
_QUOTE = re.compile(r"[ ]{0,3}>[ \t]?")
_BLOCK_TAGS = _words(
    "p div section article header footer ul ol table thead tbody tr blockquote dl dt dd figure "
    "figcaption hr main aside nav details summary"
)
_HEADING_TAGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "caption"))


@dataclass
class _View:
    """The words a reader sees, each character with the span of the source it came from."""

    chars: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    macro: bool = False
    links: list[tuple[int, int, str]] = field(default_factory=list)
    depths: dict[int, int] = field(default_factory=dict)
    open_link: tuple[int, str] | None = None

    def put(self, text: str, start: int, end: int) -> None:
        """Append ``text``, which came from ``start:end`` as a whole."""
        for char in text:
            self.chars.append(char)
            self.starts.append(start)
            self.ends.append(end)

    @property
    def fresh_line(self) -> bool:
        """Whether nothing has been put on the current line."""
        for char in reversed(self.chars):
            if char == "\n":
                return True
            if not char.isspace():
                return False
        return True


def _scan(view: _View, raw: str, base: int) -> None:
    """Append what a reader sees of ``raw``, which starts at offset ``base``, to ``view``."""
    at = 0
    while at < len(raw):
        if at == 0 or raw[at - 1] == "\n":
            skipped = _scan_line_start(view, raw, at, base)
            if skipped > at:
                at = skipped
                continue
        step = _scan_token(view, raw, at, base)
        if step == at:
            view.put(raw[at], base + at, base + at + 1)
            step = at + 1
        at = step


def _scan_line_start(view: _View, raw: str, at: int, base: int) -> int:
    if fence := _FENCE.match(raw, at):
        _put_code(view, fence["code"], base + fence.start("code"), base + fence.end())
        return fence.end()
    if found := _DEFINITION.match(raw, at):
        return found.end()
    if found := _TABLE_RULE.match(raw, at):
        if "|" in found.group() or (view.chars and "|" in _last_line(view)):
            view.put(_RULE, base + at, base + found.end())
        return found.end()
    if found := _LINE_RULE.match(raw, at):
        return found.end()
    while found := _QUOTE.match(raw, at):
        at = found.end()
    if found := _HEADING.match(raw, at):
        view.put(_HEAD, base + at, base + found.end())
        return found.end()
    if found := _BULLET.match(raw, at):
        mark = _STEP if found["mark"].strip("(").rstrip(".)").isdigit() else _ITEM
        view.depths[len(view.chars)] = len(found["indent"].expandtabs(4))
        view.put(mark, base + at, base + found.end())
        return found.end()
    return at


def _row_so_far(view: _View) -> str:
    """Return the row of a Markdown table that is being read; ``""`` where none is."""
    line = "".join(view.chars[-LONGEST_PASSAGE:]).rpartition("\n")[2].strip()
    return line if line.startswith("|") else ""


def _last_line(view: _View) -> str:
    text = "".join(view.chars[-400:]).rstrip("\n")
    return text.rpartition("\n")[2]


def _put_code(view: _View, code: str, start: int, end: int) -> None:
    lines = [line for line in code.splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0].strip()) <= 80:
        while view.chars and view.chars[-1].isspace():
            view.chars.pop()
            view.starts.pop()
            view.ends.pop()
        offset = start + code.find(lines[0].strip())
        view.put(" ", offset, offset)
        for index, char in enumerate(lines[0].strip()):
            view.put(char, offset + index, offset + index + 1)
        view.put("\n\n", end, end)
    else:
        view.put(f"\n{_CODE}\n", start, end)


def _scan_token(view: _View, raw: str, at: int, base: int) -> int:
    """Put the markup that starts at ``at``, if any; return where to go on, ``at`` if none did."""
    char = raw[at]
    if char == "<":
        return _scan_angle(view, raw, at, base)
    if char == "{" and not (view.macro and PLACEHOLDER.match(raw, at)):
        return _scan_brace(view, raw, at, base)
    if char in "![":
        return _scan_bracket(view, raw, at, base)
    if char == "`":
        if run := _TICK_RUN.match(raw, at):
            view.put(run.group(), base + at, base + run.end())
            return run.end()
        if found := _INLINE_CODE.match(raw, at):
            for index in range(found.start("text"), found.end("text")):
                view.put(" " if raw[index] == "\n" else raw[index], base + index, base + index + 1)
            return found.end()
    elif char == "&":
        if found := _ENTITY.match(raw, at):
            view.put(html.unescape(found.group()), base + at, base + found.end())
            return found.end()
    elif char == "\\":
        if found := _ESCAPE.match(raw, at):
            view.put(found["text"], base + at, base + found.end())
            return found.end()
    elif char in "*~_":
        found = (_UNDERSCORES if char == "_" else _STARS).match(raw, at)
        if found and not _is_spaced(raw, found.start(), found.end()):
            return found.end()
    return at


def _is_spaced(raw: str, start: int, end: int) -> bool:
    """Whether a run of stars stands alone, as in ``2 * 3``."""
    before = raw[start - 1] if start else " "
    after = raw[end] if end < len(raw) else " "
    return before.isspace() and after.isspace()


def _scan_angle(view: _View, raw: str, at: int, base: int) -> int:
    if found := _UNSEEN.match(raw, at):
        return found.end()
    if found := _TEMPLATE.match(raw, at):
        view.put(_HOLE, base + at, base + found.end())
        return found.end()
    if found := _PRE.match(raw, at):
        _put_code(view, re.sub(r"<[^>]+>", "", found["code"]), base + at, base + found.end())
        return found.end()
    if found := _AUTOLINK.match(raw, at):
        for index in range(found.start("text"), found.end("text")):
            view.put(raw[index], base + index, base + index + 1)
        return found.end()
    found = _TAG.match(raw, at)
    if not found:
        return at
    name, closes = found["name"].lower(), bool(found["close"])
    here, after = base + at, base + found.end()
    if name in ("ul", "ol", "li", "p", "div") and (row := _row_so_far(view)):
        # A list in a cell of a Markdown table: the row goes on behind it.
        if name != "li" or not closes:
            view.put("; " if name == "li" and not row.endswith("|") else " ", here, after)
    elif name == "li" and not closes:
        view.put("\n", here, here)
        view.depths[len(view.chars)] = 0
        view.put(_STEP if _in_ordered(raw, at) else _ITEM, here, after)
    elif name in _HEADING_TAGS:
        view.put("\n" if closes else f"\n{_HEAD}", here, after)
    elif name in ("td", "th") and not closes:
        view.put(_CELL, here, after)
    elif name == "br":
        view.put(" " if "|" in _last_line(view) or _CELL in _last_line(view) else "\n", here, after)
    elif name == "a":
        _scan_anchor(view, found["rest"], closes)
    elif name in _BLOCK_TAGS:
        view.put("\n", here, after)
        if name in ("p", "div", "table", "ul", "ol", "dd", "dt", "blockquote"):
            view.put("\n", here, after)
    return found.end()


def _in_ordered(raw: str, at: int) -> bool:
    return raw.rfind("<ol", 0, at) > raw.rfind("<ul", 0, at)


def _scan_anchor(view: _View, attributes: str, closes: bool) -> None:
    if closes and view.open_link:
        start, url = view.open_link
        view.links.append((start, len(view.chars), url))
        view.open_link = None
    elif not closes and (found := re.search(r"""href\s*=\s*["']?([^"'\s>]+)""", attributes, re.I)):
        view.open_link = (len(view.chars), html.unescape(found[1]))


def _scan_brace(view: _View, raw: str, at: int, base: int) -> int:
    if found := _CONDITIONAL.match(raw, at):
        view.put(_HOLE, base + at, base + found.end())
        return found.end()
    if found := _SHORTCODE.match(raw, at):
        alone = view.fresh_line and (found.end() >= len(raw) or raw[found.end()] == "\n")
        wraps = found.group().startswith("{{%") or bool(_BOX.match(found.group()))
        if not alone and not wraps:
            view.put(_HOLE, base + at, base + found.end())
        return found.end()
    if found := _TEMPLATE.match(raw, at):
        view.put(_HOLE, base + at, base + found.end())
        return found.end()
    if found := _ATTRIBUTES.match(raw, at):
        return found.end()
    return at


def _scan_bracket(view: _View, raw: str, at: int, base: int) -> int:
    if found := _IMAGE.match(raw, at) or _FOOTNOTE.match(raw, at):
        return found.end()
    if found := _LINK.match(raw, at):
        first = len(view.chars)
        _scan(view, found["text"], base + found.start("text"))
        if len(view.chars) > first:
            view.links.append((first, len(view.chars), found["url"].split(' "')[0].strip()))
            view.starts[first] = base + at
            view.ends[-1] = base + found.end()
        return found.end()
    if found := _REFERENCE.match(raw, at):
        first = len(view.chars)
        _scan(view, found["text"], base + found.start("text"))
        if len(view.chars) > first:
            view.links.append((first, len(view.chars), ""))
            view.starts[first] = base + at
            view.ends[-1] = base + found.end()
        return found.end()
    # In a macro "[NAME]" asks to be filled in; in an article "[SNI]" is a link by its own name.
    if not view.macro and (found := _SHORTCUT.match(raw, at)):
        _scan(view, found["text"], base + found.start("text"))
        return found.end()
    return at


@dataclass(frozen=True, slots=True)
class _Block:
    kind: Literal["paragraph", "heading", "item", "step", "row", "rule", "code"]
    start: int
    end: int
    depth: int = 0


_MARKS = {_HEAD: "heading", _ITEM: "item", _STEP: "step", _RULE: "rule", _CODE: "code"}


def _blocks(view: _View) -> list[_Block]:
    """Cut the view into paragraphs, list items, table rows and headings, in view offsets."""
    text = "".join(view.chars)
    blocks: list[_Block] = []
    at, joins = 0, False
    for line in text.split("\n"):
        start, end = at, at + len(line)
        at = end + 1
        stripped = line.strip()
        if not stripped:
            joins = False
            continue
        start += len(line) - len(line.lstrip())
        end -= len(line) - len(line.rstrip())
        mark = _MARKS.get(stripped[0])
        if mark:
            blocks.append(_Block(mark, start + 1, end, view.depths.get(start, 0)))  # type: ignore[arg-type]
            joins = mark in ("item", "step")
        elif stripped[0] in ("|", _CELL) or (stripped.count("|") >= 2 and stripped[-1] == "|"):
            blocks.append(_Block("row", start, end))
            joins = False
        elif joins and blocks:
            last = blocks[-1]
            blocks[-1] = _Block(last.kind, last.start, end, last.depth)
        else:
            blocks.append(_Block("paragraph", start, end))
            joins = True
    return blocks


_LEANS = re.compile(
    r"(?:this|that|these|those|it|its|they|their|them|he|she|such|however|but|also|then|otherwise|"
    r"in (?:this|that|which|such|these|those) (?:case|event|situation|instance)s?|therefore|thus|so|"
    r"instead|additionally|furthermore|moreover|similarly|likewise|as such|if (?:so|not)|either|both|"
    r"the (?:former|latter|same|above)|another|and|or|nor|for example|for instance|after (?:that|this)|"
    r"before that|afterwards?|until then|by then|altogether|as a result|here are|same goes|doing so|"
    r"even then|once (?:done|that)|when (?:that|this) happens|neither|all of (?:this|these|that)|"
    r"that said|in addition|on the other hand|conversely|next|finally|secondly|thirdly)\b",
    re.I,
)
_STANDS_ALONE = re.compile(
    r"(?:this (?:policy|agreement|service|site|website|help center|product|plan|feature|program|"
    r"privacy|terms?|license|notice|guarantee|offer)\b"
    r"|it(?:['’]s| is| may be| can be)? (?:possible|impossible|important|our policy|recommended|your)\b"
    r"|that(?:['’]s| is) why\b|so (?:that|long|far)\b|both \w+ and\b|either \w+ or\b|such as\b"
    r"|but for\b|also known|this means that you)",
    re.I,
)
_QUALIFIES = re.compile(
    r"(?:unless|except|however|but|although|though|that said|note\b|please (?:note|be advised|be aware|"
    r"remember)|be (?:aware|advised)|keep in mind|otherwise|exceptions?\b|important\b|caution|warning|"
    r"this (?:does|do|will|is|only|can|applies|excludes)(?: ?n[o']t|n['’]t)?\b|that(?:['’]s| is| does)|"
    r"these (?:do|are|only|can)|it (?:does|is|will|can)(?:n['’]t| not)|they (?:do|are|will|can)(?:n['’]t| not)|"
    r"only\b|if (?:not|you (?:do|have|did)(?:n['’]t| not)))",
    re.I,
)
_EXCEPTS = re.compile(
    r"\b(?:unless|except(?:ions?|ed)?|excluding|excluded|(?:does|do|will|shall)(?:n['’]t| not) apply|"
    r"not (?:eligible|available|included|apply|refundable|covered)|in no event|only if|"
    r"provided that)\b",
    re.I,
)
_POINTS = re.compile(
    r"(?:\W*(?:please )?(?:see|read|refer to|check out|check|visit|consult|learn more|find out more|"
    r"take a look|have a look|more (?:info|details?)|for (?:more|further|additional|details|full))\b|.*\b(?:read|learn) more\b)",
    re.I,
)
_AIMLESS = re.compile(
    r"(?:click )?(?:here|this|link|this (?:link|page|post|form|article|guide|document|section|blog post|"
    r"list|table|thread|template|issue|video|image|file)|below|above|these|following|read more|more|"
    r"learn more|details)\W*",
    re.I,
)
_HERE = re.compile(
    r"\b(?:click here|(?:table|list|image|figure|screenshot|diagram|video|example|section|code|snippet|form) "
    r"(?:below|above)|(?:shown|listed|described|outlined|mentioned|defined|explained|linked) (?:below|above|here)|"
    r"see (?:above|below)|as (?:above|below)|the above (?:limits?|table|list|example|steps?|section)|below:?$|"
    r"(?:after|before|with|by|during|following|in) (?:these|those) (?:steps?|instructions?|points?))",
    re.I,
)


def _is_question(text: str) -> bool:
    return text.rstrip("\"'”’)* ").endswith("?")


def _render(view: _View, start: int, end: int) -> tuple[str, bool]:
    """Return the words of a span of the view and whether every link in it has a target."""
    text = "".join(view.chars[start:end])
    sound = _HOLE not in text and _CODE not in text
    inserts: list[tuple[int, str]] = []
    for first, last, url in view.links:
        if first >= end or last <= start:
            continue
        words = "".join(view.chars[first:last]).strip()
        target = ""
        if url.startswith("mailto:"):
            address = url.removeprefix("mailto:").partition("?")[0]
            target = address if address.casefold() not in words.casefold() else ""
        elif _AIMLESS.fullmatch(words):
            if not re.match(r"https?://[^\s{}]+$", url):
                sound = False
            target = url
        if target:
            inserts.append((min(last, end) - start, f" ({target})"))
    for position, words in sorted(inserts, reverse=True):
        text = text[:position] + words + text[position:]
    text = re.sub(r"[\ufff1-\ufff5]", " ", text)
    return re.sub(r"\s+", " ", text).strip(), sound


def _tidy(text: str, kind: StatementKind, leads: bool) -> str:
    """Make a sentence of the words: a capital in front, a full stop at the end."""
    text = text.strip().lstrip("–—•·").strip()
    text = re.sub(r"\s+([,.;:!?])(?=\s|$)", r"\1", text)
    if kind != "sentence":
        text = re.sub(r"(?:[,;]?\s+(?:and|or)|[;,])$", "", text)
    if text and text[0].islower() and not re.match(r"\w*[A-Z.@/_\d]|\w+\(", text.split()[0]):
        text = text[0].upper() + text[1:]
    if text and not leads and not re.search(r"[.!?…:][\"'”’)]*$", text):
        text += "."
    return text


def _row_cells(view: _View, block: _Block) -> list[tuple[int, int]]:
    """Return the spans of a row's cells."""
    spans, first = [], block.start
    for index in range(block.start, block.end):
        if view.chars[index] in ("|", _CELL):
            spans.append((first, index))
            first = index + 1
    spans.append((first, block.end))
    kept = []
    for start, end in spans:
        while start < end and view.chars[start].isspace():
            start += 1
        while end > start and view.chars[end - 1].isspace():
            end -= 1
        kept.append((start, end))
    if kept and kept[0][0] >= kept[0][1]:
        kept = kept[1:]
    if kept and kept[-1][0] >= kept[-1][1]:
        kept = kept[:-1]
    return kept


class _Reader:
    """Collects the statements of one passage."""

    def __init__(self, passage: Passage) -> None:
        self.passage = passage
        self.view = _View(macro=passage.kind == "macro")
        _scan(self.view, mask_icons(passage.text), 0)
        self.found: list[Statement] = []
        self.header: list[str] = []

    def add(
        self,
        start: int,
        end: int,
        kind: StatementKind,
        block: int,
        prefix: str = "",
        **known: object,
    ) -> None:
        """Append the statement of a span of the view."""
        text, sound = _render(self.view, start, end)
        if not re.search(r"\w", text):
            return
        leads = text.endswith(":")
        body = _tidy(f"{prefix}{text}", kind, leads)
        first, last = self._source_span(start, end)
        leans = bool(_LEANS.match(body)) and not _STANDS_ALONE.match(body)
        self.found.append(
            Statement(
                text=body,
                start=self.passage.start + first,
                end=self.passage.start + last,
                kind=kind,
                block=block,
                leads=leads,
                leans_back=leans and kind == "sentence",
                qualifies=bool(_QUALIFIES.match(body) or _EXCEPTS.search(body)),
                usable=sound and not _is_question(body) and not _HERE.search(body),
                pointer=bool(_POINTS.match(body)),
                **known,  # type: ignore[arg-type]
            )
        )

    def _source_span(self, start: int, end: int) -> tuple[int, int]:
        raw = self.passage.text
        first, last = self.view.starts[start], self.view.ends[end - 1]
        if cut := _CUT_ICON.match(raw, last) if _OPEN_ICON.search(raw, first, last) else None:
            last = cut.end()
        while last < len(raw) and raw[last] in "*_`" and raw[first:last].count(raw[last]) % 2:
            last += 1
        while first and raw[first - 1] in "*_`" and raw[first:last].count(raw[first - 1]) % 2:
            first -= 1
        return first, last

    def read(self) -> list[Statement]:
        """Return the statements in reading order."""
        blocks = _blocks(self.view)
        lead: int | None = None
        parents: list[tuple[int, int]] = []
        for number, block in enumerate(blocks):
            if block.kind in ("heading", "rule", "code"):
                lead = lead if block.kind == "code" else None
                if block.kind == "rule" and number and blocks[number - 1].kind == "row":
                    self.header = self._cells(blocks[number - 1])
                    self.found = [s for s in self.found if s.block != number - 1]
                continue
            if block.kind == "row":
                self._read_row(block, number)
                lead = None
                continue
            before = len(self.found)
            kind: StatementKind = block.kind if block.kind in ("item", "step") else "sentence"
            own = None
            if kind != "sentence":
                parents = [p for p in parents if p[0] < block.depth]
                own = parents[-1][1] if parents else lead
            self._read_text(block, number, kind, own)
            added = range(before, len(self.found))
            if not added:
                continue
            last = self.found[-1]
            if kind == "sentence":
                lead = added[-1] if last.leads else None
                parents = []
            elif last.leads:
                parents.append((block.depth, added[-1]))
        return self.found

    def _read_text(self, block: _Block, number: int, kind: StatementKind, lead: int | None) -> None:
        text = "".join(self.view.chars[block.start : block.end]).replace("\n", " ")
        for index, (first, last) in enumerate(split_sentences(text)):
            part: StatementKind = kind if index == 0 else "sentence"
            if (
                index == 0
                and last < len(text.rstrip())
                and self._is_label(block.start, first, last)
            ):
                continue
            self.add(
                block.start + first,
                block.start + last,
                part,
                number,
                lead_in=lead if kind != "sentence" else None,
                depth=block.depth,
            )

    def _is_label(self, offset: int, first: int, last: int) -> bool:
        """Whether a short bold opening such as "**Payment.**" only names what follows it."""
        start, end = self._source_span(offset + first, offset + last)
        raw = self.passage.text[start:end]
        words = len(raw.split())
        return words <= 2 or (words <= 6 and raw.startswith(("**", "__")) and raw[-1] in "*_")

    def _cells(self, block: _Block) -> list[str]:
        return [_render(self.view, *span)[0] for span in _row_cells(self.view, block)]

    def _read_row(self, block: _Block, number: int) -> None:
        spans = _row_cells(self.view, block)
        rendered = [_render(self.view, *span) for span in spans]
        texts = [text for text, _ in rendered]
        if not any(texts):
            return
        heads = self._heads(texts)
        if len(texts) == 1 or len(" ".join(texts).split()) <= _LONGEST_ROW:
            self._add_row(number, spans, heads, texts, all(sound for _, sound in rendered))
            return
        # A row this long holds prose: each sentence of a cell speaks for itself under its label.
        for column, (first, last) in enumerate(spans[1:], start=1):
            label = " – ".join(part for part in (texts[0], heads[column]) if part)
            words = "".join(self.view.chars[first:last]).replace("\n", " ")
            for start, end in split_sentences(words):
                self.add(first + start, first + end, "row", number, prefix=f"{label}: ")

    def _heads(self, texts: list[str]) -> list[str]:
        """Return the columns' names: from the table's header, or from the labelled plain words."""
        if self.header:
            return [*self.header, *[""] * len(texts)][: len(texts)]
        plain, at = self.passage.plain, 0
        heads = []
        for text in texts:
            found = plain.find(text[:40], at) if text else -1
            # A cell may repeat a word of a column's name: its value comes after the colon.
            labelled = plain.find(f": {text[:40]}", at) if text else -1
            found = labelled + 2 if labelled >= 0 else found
            label = plain[at:found].rpartition("; ")[2] if found >= 0 else ""
            heads.append(label[:-2] if label.endswith(": ") and len(label.split()) <= 8 else "")
            at = found + len(text) if found >= 0 else at
        return heads

    def _add_row(
        self,
        number: int,
        spans: list[tuple[int, int]],
        heads: list[str],
        texts: list[str],
        sound: bool,
    ) -> None:
        parts = [
            f"{head}: {text}" if head else text
            for head, text in zip(heads[1:], texts[1:], strict=True)
            if text
        ]
        if texts[0] and _is_value(heads[0]):
            text = "; ".join([f"{heads[0]}: {texts[0]}", *parts])
        elif parts and texts[0]:
            text = f"{texts[0]} – {'; '.join(parts)}"
        else:
            text = "; ".join(texts[:1] + parts)
        first, last = self._source_span(spans[0][0], max(spans[-1][1], spans[0][0] + 1))
        self.found.append(
            Statement(
                text=_tidy(text.strip("; "), "row", False),
                start=self.passage.start + first,
                end=self.passage.start + last,
                kind="row",
                block=number,
                usable=sound and not _is_question(text),
            )
        )


def _is_value(head: str) -> bool:
    """Say whether a column is headed by what its cells get, "2 weeks", rather than by a name."""
    return bool(head) and bool(extract_facts(head, polarity=False, names=False))


def statements_of(passage: Passage) -> list[Statement]:
    """Return what ``passage`` states, in reading order.

    Headings are left out; table rows become one sentence each, with the column's names.
    """
    return list(_statements(passage))


# Answers go back to the same few passages and their neighbours, which never change.
@lru_cache(maxsize=8_192)
def _statements(passage: Passage) -> tuple[Statement, ...]:
    return tuple(_Reader(passage).read())


def readable(text: str) -> str:
    """Return ``text`` as a reader sees it: no markup, no templates, white space folded."""
    view = _View()
    _scan(view, mask_icons(text), 0)
    words = re.sub(r"[\ufff1-\ufffc]", " ", "".join(view.chars))
    return re.sub(r"\s+", " ", words).strip()
