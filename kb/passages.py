"""Cuts a body into passages, the units that are searched and cited. Pure.

One paragraph, one list item, one table row, one definition or one short piece of code is one
passage. Headings are the context of what follows them, and so is the line that leads a list in
("You get a full refund if:"): without it an item means nothing. What a reader cannot read (rules,
images, templates, comments) and long code listings are left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kb.content import CutPassage
from kb.markup import (
    DELIMITER_ROW,
    INLINE_TAGS,
    TAG,
    mask_components,
    mask_numbered_rows,
    mask_templates,
    plain_text,
    reference_labels,
    shown,
    split_front_matter,
)

LONGEST_PASSAGE: Final = 4_000
"""Characters. A longer block is cut at the ends of its sentences."""
LONGEST_LEAD: Final = 240
"""Characters. Of a longer lead-in only its last sentence is kept."""
LONGEST_CODE: Final = (15, 800)
"""Lines and characters. Code above either is a listing, which answers no customer."""
_PSEUDO_HEADING_WORDS: Final = 12

_NEWLINE: Final = re.compile(r"\r\n?|\n")
_WORD: Final = re.compile(r"\w")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?。！？])[\"'”’)\]]*\s+|\n\s*\n")
_BULLET_LINE: Final = re.compile(r"^[ \t>]*(?:[•●▪■◦‣⁃·]|[–—](?=\s))[ \t]*", re.MULTILINE)
_LIST_MARK: Final = re.compile(r"\A[\s>]*(?:(?:[-*+]|\d{1,9}[.)])(?=\s)\s*)*")
_QUOTE_MARK: Final = re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE)
_ONLY_BOLD: Final = re.compile(r"\A(?:\*\*|__)(?=\S)(?P<words>[^*\n]+?)\s*(?:\*\*|__)\s*:?\Z")
_LOOSE_HEADING: Final = re.compile(r"\A(?P<level>#{2,6})(?=[^\s#])(?P<words>[^\n]+)\Z")
_EXPLICIT_ID: Final = re.compile(r"\{:?[^{}\n]*?#(?P<id>[\w:.-]+)[^{}\n]*\}")
_ID_ATTRIBUTE: Final = re.compile(
    r"<(?:a|h[1-6]|span|div|section)\s[^<>]*?\b(?:id|name)\s*=\s*[\"']?(?P<id>[^\"'\s<>]+)",
    re.IGNORECASE,
)
_HEADING: Final = re.compile(
    r"^ {0,3}(?:(?P<marks>#{1,6})[ \t]+(?P<words>[^\n]*?)[ \t]*#*[ \t]*$"
    r"|(?P<underlined>\S[^\n]*)\r?\n {0,3}=+[ \t]*$)",
    re.MULTILINE,
)
_FENCED: Final = re.compile(
    r"^ {0,3}(?P<fence>```+|~~~+)[^\n]*\n(?:(?! {0,3}(?P=fence))[^\n]*\n)*+", re.MULTILINE
)
_HTML_HEADING: Final = re.compile(
    r"[ \t]*<h(?P<level>[1-6])\b[^<>\n]*+>[^\n]*</h(?P=level)>[ \t]*\r?\n?\Z", re.IGNORECASE
)
_MARKDOWN_LIST_OR_TABLE: Final = re.compile(
    r"^ {0,3}(?:(?:[-*+]|\d{1,9}[.)])[ \t]+\S|\|?[ \t]*:?-+:?[ \t]*\|[ \t|:-]*$)", re.MULTILINE
)
_NEXT_ITEM: Final = re.compile(r"(?<=[^\s.;:,])\s*+</li>\s*+<li\b[^<>]*+>", re.IGNORECASE)
_ANCHOR_ONLY: Final = re.compile(r"\A\s*(?:<a\s[^<>]*>\s*(?:</a>)?\s*)+\Z", re.IGNORECASE)


def cut(body: str, *, title: str = "") -> list[CutPassage]:
    """Return the passages of ``body`` in reading order; their spans never overlap.

    Args:
        body: A Markdown body. Front matter at its head is skipped, HTML within it is understood.
        title: The article's title; a first heading that repeats it is not repeated in the paths.
    """
    return _Cutter(body, title).run()


def first_heading(body: str) -> str:
    """Return the heading that names the page, as plain text; ``""`` when it has none.

    That is the heading it opens with, of whatever level, or else its first one of level 1.
    """
    masked = _FENCED.sub("", mask_templates(split_front_matter(body)[1]))
    opening = _HEADING.match(masked.lstrip())
    found = opening or next(
        (heading for heading in _HEADING.finditer(masked) if heading["marks"] in {"#", None}), None
    )
    if not found:
        return ""
    words = found["words"] or found["underlined"]
    return plain_text(_EXPLICIT_ID.sub("", words), reference_labels(masked))


def slug(heading: str) -> str:
    """Return the anchor that GitHub, and most help centers, give to ``heading`` (plain text)."""
    kept = [
        char
        for char in unicodedata.normalize("NFC", heading).lower()
        if char in "-_ " or unicodedata.category(char)[0] in "LNM"
    ]
    return "".join(kept).strip().replace(" ", "-")


def _blocks(source: str, *, indented_code: bool = False) -> list[Token]:
    """Return the block structure of Markdown whose lines end in a line feed."""
    # Only the block structure is parsed: inline markup is taken off by kb.markup, which also
    # reads what CommonMark does not (template targets, broken emphasis) and is linear.
    parser = MarkdownIt("commonmark", {"maxNesting": 40}).enable("table")
    parser.disable("reference")
    if not indented_code:
        parser.disable("code")
    tokens: list[Token] = []
    parser.block.parse(mask_numbered_rows(source), parser, {}, tokens)
    return tokens


class _Cutter:
    """The state of one cut: where we are, which headings and lead-ins hold there."""

    def __init__(self, body: str, title: str) -> None:
        self.body = body
        self.title = title.strip().casefold()
        front = len(body) - len(split_front_matter(body)[1])
        self.masked = re.sub(r"[^\r\n]", " ", body[:front]) + mask_templates(body[front:])
        self.references = reference_labels(self.masked)
        self.lines = [0, *(found.end() for found in _NEWLINE.finditer(body)), len(body) + 1]
        self.covered = bytearray(len(self.lines))
        self.passages: list[CutPassage] = []
        self.headings: list[tuple[int, str, str]] = []
        self.anchor = ""
        self.next_anchor = ""
        self.anchors: dict[str, int] = {}
        self.leads: list[str] = []
        self.previous = ""

    def run(self) -> list[CutPassage]:
        """Cut."""
        source = _NEWLINE.sub("\n", self.masked).replace("\0", "\ufffd")
        # MDX indents what is in a component.
        mdx = mask_components(self.body) != self.body
        self._walk(_blocks(source, indented_code=not mdx))
        self._rescue()
        return self.passages

    def _walk(self, tokens: Sequence[Token]) -> None:
        position = 0
        while position < len(tokens):
            token = tokens[position]
            kind = token.type
            if token.map and token.nesting >= 0 and token.block and kind in _LEAVES:
                self._cover(token.map)
            if kind in {"bullet_list_open", "ordered_list_open"}:
                self.leads.append(self._lead())
            elif kind in {"bullet_list_close", "ordered_list_close"}:
                self.leads.pop()
                self.previous = ""
            elif kind == "list_item_open":
                self.previous = ""
            elif kind == "heading_open":
                position += 1
                self._heading(int(token.tag[1]), tokens[position].content, token.map)
            elif kind == "table_open":
                position = self._table(tokens, position)
                self.previous = ""
            elif kind == "inline":
                self._paragraph(token)
            elif kind in {"fence", "code_block"}:
                self._code(token)
                self.previous = ""
            elif kind == "html_block":
                self._html(token)
            elif kind == "hr":
                self.previous = ""
            position += 1

    # Where things are

    def _cover(self, lines: Sequence[int]) -> None:
        self.covered[lines[0] : lines[1]] = b"\x01" * (lines[1] - lines[0])

    def _span(self, lines: Sequence[int]) -> tuple[int, int]:
        """Return the offsets of a range of lines, without the white space around it."""
        last = min(lines[1], len(self.lines) - 1)
        return self._trim(self.lines[lines[0]], min(self.lines[last], len(self.body)))

    def _trim(self, start: int, end: int) -> tuple[int, int]:
        while start < end and self.body[start].isspace():
            start += 1
        while end > start and self.body[end - 1].isspace():
            end -= 1
        return start, end

    # Context

    def _heading(self, level: int, raw: str, lines: Sequence[int] | None, anchor: str = "") -> None:
        if lines:
            start, end = self._span(lines)
            source = self.body[start:end]
            following = self.body[end : end + 200].lstrip("\r\n").split("\n", 1)[0]
            explicit = _EXPLICIT_ID.search(source) or _ID_ATTRIBUTE.search(source)
            if not explicit and following.startswith("{:"):
                explicit = _EXPLICIT_ID.search(following)
            anchor = explicit["id"] if explicit else ""
            raw = _EXPLICIT_ID.sub("", raw)
        words = plain_text(raw, self.references)
        self.previous = ""
        if not _WORD.search(words):
            if not raw.strip():
                self._end_headings(level)
            return
        self._end_headings(level)
        self.anchor = self._unique(anchor or self.next_anchor or slug(words) or "section")
        self.headings.append((level, words, self.anchor))
        self.next_anchor = ""

    def _end_headings(self, level: int) -> None:
        kept = [known for known in self.headings if known[0] < level]
        if len(kept) < len(self.headings):
            self.headings = kept
            self.anchor = kept[-1][2] if kept else ""

    def _unique(self, anchor: str) -> str:
        candidate, number = anchor, self.anchors.get(anchor, 0)
        while candidate in self.anchors:
            number += 1
            candidate = f"{anchor}-{number}"
        self.anchors[anchor] = number
        self.anchors[candidate] = 0
        return candidate

    def _lead(self) -> str:
        """Return what leads in the list, table or code that starts here."""
        lead = self.previous
        self.previous = ""
        inside_item = bool(self.leads)
        if not lead or not (inside_item or lead.endswith((":", "：", "…", "..."))):
            return ""
        if len(lead) > LONGEST_LEAD:
            lead = re.split(r"(?<=[.!?])\s+", lead)[-1]
        return lead if len(lead) <= LONGEST_LEAD else ""

    def _path(self, lead: str = "") -> tuple[str, ...]:
        path = [words for _, words, _ in self.headings]
        if path and path[0].casefold() == self.title:
            path = path[1:]
        return (*path, *(known for known in self.leads if known), *([lead] if lead else ()))

    # Passages

    def _emit(self, start: int, end: int, plain: str, lead: str = "") -> None:
        start, end = self._trim(start, end)
        if start >= end or not _WORD.search(plain):
            return
        path = self._path(lead)
        for first, last in self._pieces(start, end):
            whole = (first, last) == (start, end)
            words = plain if whole else self._plain(first, last)
            if _WORD.search(words):
                self.passages.append(
                    CutPassage(self.anchor, path, first, last, self.body[first:last], words)
                )

    def _pieces(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Cut a block that is too long for one passage at the ends of its sentences."""
        while end - start > LONGEST_PASSAGE:
            window = self.body[start : start + LONGEST_PASSAGE]
            ends = [found.end() for found in _SENTENCE_END.finditer(window)]
            ends = [at for at in ends if at > LONGEST_PASSAGE // 4] or [
                max(window.rfind(" "), window.rfind("\n")) + 1 or LONGEST_PASSAGE
            ]
            yield self._trim(start, start + ends[-1])
            start += ends[-1]
        yield self._trim(start, end)

    def _plain(self, start: int, end: int) -> str:
        source = _QUOTE_MARK.sub("", self.masked[start:end])
        return plain_text(_LIST_MARK.sub("", source, count=1), self.references)

    def _paragraph(self, token: Token) -> None:
        if token.map is None:
            return
        content = token.content
        if _ANCHOR_ONLY.match(content):
            found = _ID_ATTRIBUTE.search(content)
            self.next_anchor = found["id"] if found else ""
            return
        pseudo = _ONLY_BOLD.match(content)
        if pseudo and _is_heading_like(pseudo["words"]) and not self.leads:
            self._heading(7, pseudo["words"], None)
            return
        loose = _LOOSE_HEADING.match(content)
        if loose:
            self._heading(len(loose["level"]), loose["words"], None)
            return
        lines = range(token.map[0], token.map[1])
        if content.count("|") > 1 and self._loose_table(content.split("\n"), lines):
            return
        start, end = self._span(token.map)
        bullets = [start + found.start() for found in _BULLET_LINE.finditer(self.masked[start:end])]
        if len(bullets) > 1 or (bullets and bullets[0] == start):
            self._bullets(start, end, bullets)
            return
        plain = plain_text(content, self.references)
        lead = ""
        if content.startswith(":") and len(self.previous) <= LONGEST_LEAD:
            lead, self.previous = self.previous, ""
        self._emit(start, end, plain, lead)
        self.previous = plain

    def _bullets(self, start: int, end: int, bullets: list[int]) -> None:
        if bullets[0] > start:
            self.previous = self._plain(start, bullets[0])
            self._emit(start, bullets[0], self.previous)
        lead = self._lead()
        for first, last in zip(bullets, [*bullets[1:], end], strict=True):
            words = _BULLET_LINE.sub("", self.masked[first:last], count=1)
            self._emit(first, last, plain_text(words, self.references), lead)

    def _code(self, token: Token) -> None:
        if token.map is None:
            return
        content = token.content.strip("\n")
        if token.type == "code_block" and TAG.match(content.lstrip()):
            self._html(token)  # HTML that is indented after an empty line
            return
        lead = self._lead()
        start, end = self._span(token.map)
        if token.type == "code_block" and _is_prose(content):
            for found in re.finditer(r"\S(?:[^\n]|\n(?!\s*\n))*+", self.masked[start:end]):
                first, last = start + found.start(), start + found.end()
                self._emit(first, last, self._plain(first, last), lead)
            return
        if content.count("\n") < LONGEST_CODE[0] and len(content) <= LONGEST_CODE[1]:
            self._emit(start, end, " ".join(shown(content).split()), lead)

    # Tables

    def _table(self, tokens: Sequence[Token], position: int) -> int:
        lead = self._lead()
        labels: list[str] = []
        rows: list[tuple[Sequence[int], list[str]]] = []
        in_head = True
        while tokens[position].type != "table_close":
            token = tokens[position]
            if token.type == "tbody_open":
                in_head = False
            elif token.type == "tr_open" and token.map:
                rows.append((token.map, []))
            elif token.type == "inline":
                rows[-1][1].append(_cell(token.content, self.references))
            elif token.type == "tr_close" and in_head:
                labels = rows[-1][1]
            position += 1
        body = rows[1:] if any(any(cells) for _, cells in rows[1:]) else rows
        for lines, cells in body:
            self._emit(
                *self._span(lines), label_cells(labels if body is not rows else [], cells), lead
            )
        return position

    def _loose_table(self, content: list[str], lines: range) -> bool:
        """Cut a table that CommonMark refuses: a cell too many, no delimiters, rows over lines."""
        if len(content) != len(lines):
            return False
        framed = content[0].lstrip().startswith("|")
        starts = [
            at
            for at, line in enumerate(content)
            if line.lstrip().startswith("|") or not (framed and at)
        ]
        rows = [
            (range(first, last), " ".join(content[first:last]).replace("\\ ", " "))
            for first, last in zip(starts, [*starts[1:], len(content)], strict=True)
        ]
        delimiters = [at for at, (_, row) in enumerate(rows) if DELIMITER_ROW.match(row)]
        if not all("|" in row for _, row in rows) or not (
            delimiters or len(rows) > 2 or (framed and len(rows) > 1)
        ):
            return False
        lead = self._lead()
        labels: list[str] = []
        if delimiters and delimiters[0] > 0 and len(rows) > delimiters[0] + 1:
            labels = _cells(rows[delimiters[0] - 1][1], self.references)
        for at, (span, row) in enumerate(rows):
            is_label = bool(labels) and at == delimiters[0] - 1
            if at not in delimiters and not is_label:
                where = self._span((lines[span[0]], lines[span[-1]] + 1))
                self._emit(*where, label_cells(labels, _cells(row, self.references)), lead)
        return True

    # HTML inside Markdown

    def _html(self, token: Token) -> None:
        if token.map is None:
            return
        for first, last, is_html in self._html_stretches(*token.map):
            if is_html:
                self._html_lines(first, last)
            else:
                start, end = self.lines[first], min(self.lines[last], len(self.body))
                tokens = _blocks(_NEWLINE.sub("\n", self.masked[start:end]))
                for part in tokens:
                    if part.map:
                        part.map = [part.map[0] + first, part.map[1] + first]
                self._walk(tokens)

    def _html_stretches(self, first: int, last: int) -> Iterator[tuple[int, int, bool]]:
        """Tell the Markdown of some lines of HTML apart: lists and tables right below a heading.

        CommonMark takes all lines up to an empty one for HTML; many generators do not, and their
        writers rely on it.
        """
        at = first
        line = first
        while line < last:
            below = line + 1
            if _HTML_HEADING.match(self._masked_line(line)):
                while below < last and not _HTML_HEADING.match(self._masked_line(below)):
                    below += 1
                text = "".join(map(self._masked_line, range(line + 1, below)))
                if _MARKDOWN_LIST_OR_TABLE.search(text):
                    yield at, line + 1, True
                    yield line + 1, below, False
                    at = below
            line = below
        if at < last:
            yield at, last, True

    def _masked_line(self, line: int) -> str:
        return self.masked[self.lines[line] : self.lines[line + 1]]

    def _html_lines(self, first: int, last: int) -> None:
        start, end = self.lines[first], min(self.lines[last], len(self.body))
        for block in _html_blocks(self.masked, start, end):
            raw = self.masked[block.start : block.end]
            words = plain_text(_LIST_MARK.sub("", raw, count=1), self.references)
            if block.tag[:1] == "h" and block.tag[1:].isdigit():
                self._heading(int(block.tag[1]), raw, None, block.anchor)
            elif block.tag == "summary":
                self._heading(6, raw, None, block.anchor)
            elif block.tag == "tr":
                self._emit(block.start, block.end, block.labelled(self.references))
            elif block.anchor and not _WORD.search(words):
                self.next_anchor = block.anchor
            else:
                lead = self._lead() if block.tag == "li" and self.previous.endswith(":") else ""
                before = self.previous
                self._emit(block.start, block.end, words, lead)
                self.previous = lead or before if block.tag == "li" else words
        opened = self.masked.rfind("<details", start, end)
        if self.masked.rfind("</details", start, end) > opened:
            self._end_headings(6)

    def _rescue(self) -> None:
        """Cut what the parser left out: it gives up on structures nested too deeply."""
        cut_before = len(self.passages)
        line, count = 0, len(self.lines) - 1
        while line < count:
            first = line
            while line < count and not self.covered[line] and self._readable(line):
                line += 1
            if line > first:
                start, end = self._span((first, line))
                self._emit(start, end, self._plain(start, end))
            line += 1
        if len(self.passages) > cut_before:
            self.passages.sort(key=lambda passage: passage.start)

    def _readable(self, line: int) -> bool:
        text = self.masked[self.lines[line] : self.lines[line + 1]]
        return bool(_WORD.search(text)) and bool(_WORD.search(plain_text(text, self.references)))


_LEAVES: Final = frozenset(
    {"paragraph_open", "heading_open", "table_open", "fence", "code_block", "html_block", "hr"}
)


def label_cells(labels: Sequence[str], cells: Sequence[str]) -> str:
    """Return the cells of a row, each after its column's header: ``Plan: Pro; Seats: 5``."""
    parts = []
    for at, cell in enumerate(cells):
        label = labels[at].rstrip(":") if at < len(labels) else ""
        if cell:
            parts.append(f"{label}: {cell}" if label and label != cell else cell)
    return "; ".join(parts).replace(":; ", ": ")


def _cell(source: str, references: dict[str, str]) -> str:
    """Return the words of a cell; the items of a list in it stay apart."""
    return plain_text(_NEXT_ITEM.sub("; ", source), references)


def _cells(row: str, references: dict[str, str]) -> list[str]:
    inner = row.strip().removeprefix("|").removesuffix("|")
    return [plain_text(cell, references) for cell in re.split(r"(?<!\\)\|", inner)]


def _is_heading_like(words: str) -> bool:
    return len(words.split()) <= _PSEUDO_HEADING_WORDS and not words.rstrip().endswith(
        (".", "!", ";", ",")
    )


def _is_prose(content: str) -> bool:
    """Say whether an indented block is text that somebody indented rather than code."""
    words = content.split()
    plain = sum(word.strip(".,;:!?\"'()“”‘’").isalpha() for word in words)
    return (
        len(words) >= 8 and plain / len(words) >= 0.8 and bool(re.search(r"[.!?:]\s|\.\Z", content))
    )


class _HtmlBlock:
    """A stretch of HTML between two block-level tags; a table row is kept whole."""

    def __init__(self, start: int, end: int, tag: str, anchor: str) -> None:
        self.start = start
        self.end = end
        self.tag = tag
        self.anchor = anchor
        self.labels: list[str] = []
        self.cells: list[str] = []

    def labelled(self, references: dict[str, str]) -> str:
        """Return the words of a row, its cells labelled."""
        cells = [_cell(cell, references) for cell in self.cells]
        return label_cells([plain_text(label, references) for label in self.labels], cells)


_FLOWING: Final = frozenset({*INLINE_TAGS, "img", "br", "input", "button"})
_SILENT: Final = frozenset({"script", "style", "template", "svg"})
_BLANK_LINE: Final = re.compile(r"\n[ \t]*(?:\r?\n[ \t]*)+")
_LONGEST_ROW: Final = 1_500


def _html_blocks(text: str, start: int, end: int) -> Iterator[_HtmlBlock]:
    """Cut ``text[start:end]`` at its block-level tags."""
    tags = list(TAG.finditer(text, start, end))
    at, kind, anchor = start, "", ""
    position = 0
    labels: list[str] = []
    closers = _closers(tags)
    while position < len(tags):
        tag = tags[position]
        name, closing = tag["tag"].lower(), text[tag.start() + 1] == "/"
        if name in _FLOWING:
            if name == "a" and not closing:
                found = _ID_ATTRIBUTE.match(tag[0])
                anchor = found["id"] if found else anchor
            position += 1
            continue
        yield from _split_blank(text, at, tag.start(), kind, anchor)
        at, anchor = tag.end(), ""
        kind = "" if closing else name
        found = _ID_ATTRIBUTE.match(tag[0])
        if found and not closing:
            anchor = found["id"]
        closer = closers.get(position)
        if closer is not None and name in _SILENT:
            position, at, kind = closer, tags[closer].end(), ""
        elif closer is not None and name == "tr":
            row = _row(text, tags[position : closer + 1])
            heads = all(
                cell["tag"].lower() == "th" for cell in _openers(text, tags, position, closer)
            )
            if row.end - row.start <= _LONGEST_ROW:
                if heads and row.cells:
                    labels = row.cells
                    follows = next(
                        (t for t in tags[closer + 1 :] if t["tag"].lower() in {"tr", "table"}), None
                    )
                    if follows is None or follows["tag"].lower() == "table":
                        yield row
                else:
                    row.labels = labels
                    yield row
                position, at, kind = closer, tags[closer].end(), ""
        elif name == "table":
            labels = []
        position += 1
    yield from _split_blank(text, at, end, kind, anchor)


def _closers(tags: Sequence[re.Match[str]]) -> dict[int, int]:
    """Return the position of the closing tag of each ``<tr>`` and of each silent element."""
    closers: dict[int, int] = {}
    opened: dict[str, list[int]] = {}
    for position, tag in enumerate(tags):
        name = tag["tag"].lower()
        if name not in _SILENT and name != "tr":
            continue
        if tag[0][1] == "/":
            if opened.get(name):
                closers[opened[name].pop()] = position
        else:
            opened.setdefault(name, []).append(position)
    return closers


def _openers(
    text: str, tags: Sequence[re.Match[str]], first: int, last: int
) -> list[re.Match[str]]:
    return [
        tag
        for tag in tags[first : last + 1]
        if tag["tag"].lower() in {"td", "th"} and text[tag.start() + 1] != "/"
    ]


def _row(text: str, tags: Sequence[re.Match[str]]) -> _HtmlBlock:
    row = _HtmlBlock(tags[0].start(), tags[-1].end(), "tr", "")
    opened = _openers(text, tags, 0, len(tags))
    ends = [*(tag.start() for tag in opened[1:]), tags[-1].start()]
    row.cells = [text[tag.end() : end] for tag, end in zip(opened, ends, strict=False)]
    return row


def _split_blank(text: str, start: int, end: int, kind: str, anchor: str) -> Iterator[_HtmlBlock]:
    for gap in _BLANK_LINE.finditer(text, start, end):
        if text[start : gap.start()].strip():
            yield _HtmlBlock(start, gap.start(), kind, anchor)
            anchor = ""
        start = gap.end()
    if text[start:end].strip() or anchor:
        yield _HtmlBlock(start, end, kind, anchor)
