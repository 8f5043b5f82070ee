"""Reads markup as a reader does: Markdown and HTML in, plain words out. Pure, any text is valid.

Every pattern here is written so that it looks at each character a bounded number of times:
articles come from outside, and a hostile one must not be able to stall a sync.
"""

from __future__ import annotations

import html
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lxml import etree  # type: ignore[import-untyped]


def _named(names: str) -> frozenset[str]:
    return frozenset(names.split())


INLINE_TAGS: Final = [
    "a",
    "abbr",
    "acronym",
    "b",
    "bdi",
    "bdo",
    "big",
    "cite",
    "code",
    "data",
    "del",
    "dfn",
    "em",
    "font",
    "i",
    "ins",
    "kbd",
    "label",
    "mark",
    "q",
    "ruby",
    "rt",
    "rp",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "time",
    "tt",
    "u",
    "var",
    "wbr",
]
_BLOCK_TAGS: Final = [
    "address",
    "article",
    "aside",
    "audio",
    "blockquote",
    "body",
    "br",
    "button",
    "canvas",
    "caption",
    "center",
    "col",
    "colgroup",
    "dd",
    "details",
    "dialog",
    "dir",
    "div",
    "dl",
    "dt",
    "embed",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "frame",
    "frameset",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hgroup",
    "hr",
    "html",
    "iframe",
    "img",
    "input",
    "legend",
    "li",
    "link",
    "main",
    "map",
    "menu",
    "meta",
    "nav",
    "noscript",
    "object",
    "ol",
    "optgroup",
    "option",
    "p",
    "param",
    "picture",
    "pre",
    "progress",
    "script",
    "section",
    "select",
    "source",
    "style",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "template",
    "textarea",
    "tfoot",
    "th",
    "thead",
    "title",
    "tr",
    "track",
    "ul",
    "video",
]
_HTML_NAMES: Final = frozenset(INLINE_TAGS + _BLOCK_TAGS)
_TAG: Final = (
    r"</?(?P<tag>" + "|".join(sorted(INLINE_TAGS + _BLOCK_TAGS, key=len, reverse=True)) + r")"
    r"(?P<attributes>(?=[\s/>])(?:[^<>\"']|\"[^\"<>]*+\"|'[^'<>]*+'|[\"'])*+)>"
)
TAG: Final = re.compile(_TAG, re.IGNORECASE)
"""One tag of a known HTML element; ``<your-domain>`` is a placeholder that readers must see."""

_LABEL = r"(?:[^\[\]\\]|\\.|\[(?:[^\[\]\\]|\\.)*+\](?:\([^()]*+\))?)*+"
_TARGET = r"(?:[^()\\\n]|\\.|\n(?!\s*\n)|\([^()]*+\))*+"
_INLINE: Final = re.compile(
    rf"""
      \\(?P<escaped>[!-/:-@\[-`{{-~])
    | ``(?P<code2>(?:[^`]|`(?!`))++)``
    | `(?P<code>[^`]++)`
    | !\[{_LABEL}\](?:\({_TARGET}\)|\[[^\[\]]*+\])
    | \[\^[^\[\]\s]++\]:?
    | \[(?P<label>{_LABEL})\]\({_TARGET}\)(?:\{{:?[^{{}}\n]*+\}})?
    | \[(?P<ref_label>{_LABEL})\]\[(?P<ref>[^\[\]]*+)\]
    | \[(?P<shortcut>[^\[\]]++)\]
    | <(?P<auto>(?:https?://|mailto:|[\w.+-]++@)[^\s<>]++)>
    | (?P<struck><(?P<strike>del|s|strike)>[^<>]*+</(?P=strike)>)
    | {_TAG}
    | (?P<entity>&(?:\#\d{{1,7}}|\#[xX][0-9a-fA-F]{{1,6}}|[A-Za-z][A-Za-z0-9]{{1,31}});)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_REFERENCE_LINE: Final = re.compile(
    r"^[ ]{0,3}\[(?P<label>[^\[\]^\n][^\[\]\n]*+)\]:[ \t]*(?P<target><[^<>\n]*+>|[^\s<]\S*+)"
    r"(?:[ \t]+(?:\"[^\"\n]*+\"|'[^'\n]*+'|\([^()\n]*+\)))?[ \t]*$",
    re.MULTILINE,
)
_LINE_MARKS: Final = re.compile(
    r"^[ \t]*(?::::.*$|\[!\w+\]|(?:!!!|\?\?\?\+?)[ ]\w+(?:[ ]\"[^\"\n]*+\")?|:(?=[ \t]))",
    re.MULTILINE,
)
_STRUCK: Final = re.compile(r"~~(?=\S)[^~]++~~")
_HARD_BREAK: Final = re.compile(r"(?<!\\)\\\r?\n")
_EMPTY_STRONG: Final = re.compile(r"(?<!\S)\*\*\s+\*\*(?!\S)")
_STRONG: Final = re.compile(r"\*{2,}")
_DEFINES: Final = re.compile(r"(?<=\S)[ \t]*\n[ \t]*:(?=[ \t])")
_EMPHASIS: Final = re.compile(r"(?<![\d*])\*(?=[^\s*])([^*]++)(?<=\S)\*(?![\d*])")
_UNDERSCORES: Final = re.compile(
    r"(?<!\w)_{1,3}(?=[^\s_])(?=\w|[^\w\s])|(?<=[^\s_])_{1,3}(?!\w)",
)
_INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u200c\u200d\u2060\ufeff\x00"))
# Markup characters that are literal (in code, or escaped) step aside while emphasis is taken off.
_LITERAL: Final = {ord("*"): "\ufdd0", ord("_"): "\ufdd1", ord("~"): "\ufdd2"}
_LITERAL_MARK: Final = {".": "\ufdd4", ")": "\ufdd5"}
_UNLITERAL: Final = {0xFDD0: "*", 0xFDD1: "_", 0xFDD2: "~", 0xFDD3: "[…]", 0xFDD4: ".", 0xFDD5: ")"}

_TEMPLATE: Final = re.compile(
    r"<!--(?:[^-<]|-(?!->)|<(?!!--))*+-->"
    r"|\{%-?\s*(?P<liquid>\w*)(?:[^%{]|%(?!\})|\{(?!%))*+%\}"
    r"|\{\{(?:[^{}]|\}(?!\})|\{(?!\{))*+\}\}"
    r"|\{::?(?=[\s.#/\w])[^{}\n]*+\}"
    r"|(?P<attributes>(?<=\S[`)\]*_])\{[.#](?=[A-Za-z])[^{}\n`]*+\})"
)
_NOT_LINE_END: Final = re.compile(r"[^\r\n]")
_GAP: Final = "\ufdd3"
"""Stands where a template puts a value in; a reader is shown ``[…]``."""
_NOTHING: Final = "\u200b"
"""Keeps its place and is shown as nothing: no indentation, and no space before a full stop."""
_ANY_VALUE: Final = re.compile(r"\{\{(?![<%/])|\{%-?\s*(?!end)(?P<tag>\w+)")
_END_TAG: Final = re.compile(r"\{%-?\s*end(\w+)")
_NEAR: Final = 200
"""Characters."""
_SHOWS_NO_VALUE: Final = _named(
    "if elsif elif else unless case when for break continue cycle assign capture set comment raw "
    "verbatim layout extends block macro call import from with filter autoescape increment "
    "decrement tablerow ifversion link post_url url static asset image img figure picture video "
    "embed youtube toc hint note tip warning callout alert icon"
)
_ICON: Final = re.compile(
    r"""(?P<before>\||<t[dh]\b[^<>]*+>)[ \t\r\n]*+
      (?P<icon>
        <(?P<element>i|span|em)\b(?P<attributes>[^<>]*+)>\s*+</(?P=element)>
      | <svg\b(?P<svg>[^<>]*+)>(?:[^<]|<(?!/?(?:svg|t[dhr])\b))*+</svg>
      | <img\b(?P<img>[^<>]*+)>
      | !\[(?P<alt>[^\[\]\n]{0,40})\]\((?P<source>[^()\n]*+)\)
      )(?=[ \t\r\n]*+(?:\||</t[dh]\b|\Z)|[ \t]*+$)""",
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_ICON_NAME: Final = re.compile(
    r"""\b(?:class|alt|title|aria-label|src|name|data-icon)\s*=\s*(?:"([^"]*+)"|'([^']*+)')""",
    re.IGNORECASE,
)
_YES: Final = _named("check checkmark checked tick yes ok done included available")
_NO: Final = _named("times xmark cross close no x not ban minus unavailable uncheck")
_FRONT_MATTER: Final = re.compile(
    r"\ufeff?(?P<fence>---|\+\+\+)[ \t]*\r?\n(?P<yaml>(?:(?!(?P=fence)[ \t]*\r?$)[^\n]*\n)*+)"
    r"(?P=fence)[ \t]*(?:\r?\n|\Z)",
    re.MULTILINE,
)
_YAML_LINE: Final = re.compile(r"^[\w\"'-][^\n]*?(?::|=)(?:\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a body. ``body[start:end]`` is the whole of it, markup included."""

    start: int
    end: int
    target: str
    label: str


def split_front_matter(text: str) -> tuple[str, str]:
    """Return the front matter (without its fences, ``""`` when there is none) and the rest.

    A document that opens with a rule is not mistaken for one with front matter: the block between
    the fences must be empty or hold at least one ``key:`` line.
    """
    found = _FRONT_MATTER.match(text)
    if not found:
        return "", text.removeprefix("\ufeff")
    block = found["yaml"]
    if block.strip() and not _YAML_LINE.search(block):
        return "", text.removeprefix("\ufeff")
    return block, text[found.end() :]


def _blank(text: str) -> str:
    return _NOT_LINE_END.sub(" ", text)


_COMPONENT: Final = re.compile(
    r"<(?P<close>/?)(?P<name>[A-Z][\w.]*+)"
    r"(?P<props>(?:\s(?:[^<>{}\"']|\"[^\"<]*+\"|'[^'<]*+'|\{(?:[^{}<>]|\{[^{}<>]*+\})*+\})*+)?)/?>"
)
_COMPONENT_END: Final = re.compile(r"</([A-Z][\w.]*+)\s*>")
_HEADS: Final = re.compile(
    r"Accordion|Card|Collaps|Detail|Expand|FAQ|Faq|Panel|Question|Step|Tab|Toggle"
)
_HEADED_BY: Final = re.compile(
    r"\b(?:title|label|question|summary)\s*=\s*(?:\"(?P<double>[^\"<\n]++)\"|'(?P<single>[^'<\n]++)')"
)
_CODE: Final = re.compile(
    r"^ {0,3}(?P<fence>`{3,}+|~{3,}+)[^\n]*+\n(?:(?![ \t]*(?P=fence))[^\n]*+\n)*+|`[^`\n]++`",
    re.MULTILINE,
)
_OWN_HEADING: Final = re.compile(
    r"^(?P<indent>[ \t]++)(?P<heading>#{6}(?:[ \t][^\r\n]*+)?)(?=\r?$)", re.MULTILINE
)
_MODULE_LINES: Final = re.compile(
    r"\A\s*(?:(?:import\b[^\n]*\bfrom\s+[\"']|import\s+[\"']|export\s+(?:const|let|default|function)\b)"
    r"[^\n]*(?:\n\s*|\Z))++"
)
_EXPRESSION_COMMENT: Final = re.compile(r"\{/\*(?:[^*{]|\*(?!/)|\{(?!/\*))*+\*/\}")


def mask_components(body: str) -> str:
    """Return ``body`` with MDX blanked out: components, imports, comments; the words stay.

    What an accordion, a tab, a card or a step is titled heads what is in it, and no more: where it
    ends stands a heading without words. ``<Name>`` that nothing closes and that has no attributes
    is a placeholder, which readers must see. The result is as long as ``body`` and has its line
    ends.
    """
    closed = frozenset(_COMPONENT_END.findall(body))
    if not closed and "/>" not in body and "{/*" not in body:
        return body
    code = bytearray(len(body))
    for found in _CODE.finditer(body):
        code[found.start() : found.end()] = b"\x01" * (found.end() - found.start())

    def blanked(found: re.Match[str]) -> str:
        return found[0] if code[found.start()] else _blank(found[0])

    def component(found: re.Match[str]) -> str:
        name, props = found["name"], found["props"]
        known = name in closed or found[0].endswith("/>") or "=" in props
        if not known or name.lower() in _HTML_NAMES or code[found.start()]:
            return found[0]
        blank = _blank(found[0])
        if not _HEADS.match(name) or found[0].endswith("/>"):
            return blank
        if found["close"]:
            alone = _alone(found.string, found.start(), found.end())
            return "######" + blank[6:] if alone else blank
        title = _HEADED_BY.search(props)
        if not title or "\n" in found[0]:
            return blank
        at = found.start("props") - found.start()
        first, last = title.span("double" if title["double"] else "single")
        return (
            "######"[: at + first - 1]
            + blank[6 : at + first]
            + props[first:last]
            + blank[at + last :]
        )

    plain = _MODULE_LINES.sub(lambda found: _blank(found[0]), body)
    masked = _EXPRESSION_COMMENT.sub(blanked, _COMPONENT.sub(component, plain))
    return _OWN_HEADING.sub(lambda found: _unindented(found, body), masked)


def _unindented(found: re.Match[str], body: str) -> str:
    """Have a heading that a component made begin its line: indented, it would go on a paragraph."""
    if body.startswith("#", found.start("heading")):
        return found[0]
    return found["heading"] + found["indent"]


def _alone(text: str, start: int, end: int) -> bool:
    """Say whether nothing else stands on the lines of ``text[start:end]``, as far as it matters."""
    before = text[max(0, start - _NEAR) : start].rpartition("\n")
    after = text[end : end + _NEAR].partition("\n")[0]
    first_line = bool(before[1]) or start <= _NEAR
    return first_line and not before[2].strip() and not after.strip()


_NUMBERED: Final = re.compile(r"(?P<number>[ ]{0,3}\d{1,9})(?P<mark>[.)])(?=[ \t])")
DELIMITER_ROW: Final = re.compile(r"\A[\s>]*\|?(?:\s*:?-+:?\s*(?:\||\Z))+\s*\Z")


def mask_numbered_rows(text: str) -> str:
    """Return ``text`` with the rows of tables that begin like an item of a list kept from being one.

    A row such as ``15. March to 1. May | closed`` belongs to the table above it. The result is as
    long as ``text``; ``plain_text`` shows the mark as it was.
    """
    lines = text.split("\n")
    in_table = False
    for at, line in enumerate(lines):
        if "|" not in line:
            in_table = False
        elif DELIMITER_ROW.match(line):
            in_table = True
        elif in_table:
            lines[at] = (
                _NUMBERED.sub(lambda row: row["number"] + _LITERAL_MARK[row["mark"]], line, count=1)
                if _NUMBERED.match(line)
                else line
            )
    return "\n".join(lines)


def mask_icons(text: str) -> str:
    """Return ``text`` with an icon that is all there is in a table's cell read as "yes" or "no".

    A check mark or a cross drawn by a style sheet is what such a cell says. The result is as long
    as ``text`` and has its line ends.
    """
    if "<" not in text and "![" not in text:
        return text
    return _ICON.sub(_icon_word, text)


def _icon_word(found: re.Match[str]) -> str:
    drawn = found["attributes"] or found["svg"] or found["img"] or ""
    names = " ".join(first or second for first, second in _ICON_NAME.findall(drawn))
    names = f"{names} {found['alt'] or ''} {found['source'] or ''}"
    words = set(re.split(r"[^a-z]+", names.casefold()))
    word = "no" if words & _NO else "yes" if words & _YES else ""
    icon = found["icon"]
    if not word or "\n" in icon[: len(word)] or "\r" in icon[: len(word)]:
        return found[0]
    return found[0][: -len(icon)] + word + _blank(icon[len(word) :])


def mask_templates(body: str) -> str:
    """Return ``body`` with comments, template tags and attribute lists blanked out.

    Covers HTML comments, Liquid and Jinja (``{% %}``, ``{{ }}``), Hugo shortcodes, kramdown
    attributes (``{: }``) and MDX. The result is as long as ``body`` and has its line ends: offsets in one
    are offsets in the other. A template within a text that puts a value in leaves a mark, which
    ``plain_text`` shows as ``[…]``: "costs […] a month" is not told as "costs a month".
    """
    body = mask_icons(mask_components(body))
    wrappers = frozenset(_END_TAG.findall(body))
    parts: list[str] = []
    end = 0
    comment_from: int | None = None
    last_closer = body.rfind("endcomment")
    for found in _TEMPLATE.finditer(body):
        if comment_from is not None and found["liquid"] != "endcomment":
            continue
        if comment_from is not None:
            parts.append(_blank(body[comment_from : found.end()]))
            comment_from = None
        else:
            parts.append(body[end : found.start()])
            if found["liquid"] == "comment" and found.end() < last_closer:
                comment_from = found.start()
                end = found.start()
                continue
            parts.append(_masked(found, wrappers))
        end = found.end()
    if comment_from is not None:  # opened, never closed as a tag: only the tag itself goes
        end = comment_from
    parts.append(body[end:])
    return "".join(parts)


def _masked(found: re.Match[str], wrappers: Container[str]) -> str:
    blank = _blank(found[0])
    if blank[:1] != " ":
        return blank
    if found["attributes"]:
        return blank.replace(" ", _NOTHING)
    # What stands before and after on the line, as far as it can matter.
    before = found.string[max(0, found.start() - _NEAR) : found.start()].rpartition("\n")
    opens = not before[2].strip() and (bool(before[1]) or found.start() <= _NEAR)
    after = found.string[found.end() : found.end() + _NEAR].partition("\n")[0]
    if opens and not after.strip():
        return blank
    value = _ANY_VALUE.match(found[0])
    if value and not (value["tag"] in _SHOWS_NO_VALUE or value["tag"] in wrappers):
        return _GAP + blank[1:].replace(" ", _NOTHING)
    return _NOTHING + blank[1:] if opens else blank


def reference_labels(body: str) -> dict[str, str]:
    """Return the link references that ``body`` defines: folded label → target."""
    return {
        _fold(found["label"]): found["target"].strip("<>")
        for found in _REFERENCE_LINE.finditer(body)
    }


def _fold(label: str) -> str:
    return " ".join(label.split()).casefold()


def shown(text: str) -> str:
    """Return masked text that holds no markup, such as code, as a reader is shown it."""
    return text.translate(_INVISIBLE).translate(_UNLITERAL)


def plain_text(source: str, references: Container[str] = ()) -> str:
    """Return the words of a piece of Markdown or HTML as a reader sees them, white space folded.

    Links become their labels, images and struck-out words vanish, entities are decoded.

    Args:
        source: One block (paragraph, list item, cell, heading), without its list or quote marks.
        references: Folded labels of the link references defined in the body, so that ``[label]``
            is recognised as a link.
    """
    text = _REFERENCE_LINE.sub(" ", source) if "]:" in source else source
    text = _HARD_BREAK.sub(" ", text)
    text = _LINE_MARKS.sub(" ", _DEFINES.sub(":", text))
    text = _STRUCK.sub(" ", _strip_inline(text, references))
    text = _STRONG.sub(_strong, _EMPTY_STRONG.sub(" ", text))
    text = _EMPHASIS.sub(r"\1", text)
    text = _UNDERSCORES.sub("", text)
    return " ".join(shown(text).split())


def _strong(found: re.Match[str]) -> str:
    """Keep asterisks that stand alone or multiply; people mistype bold in every other way."""
    before = found.string[found.start() - 1 : found.start()]
    after = found.string[found.end() : found.end() + 1]
    alone = not before.strip() and not after.strip()
    return found[0] if alone or (before.isdigit() and after.isdigit()) else ""


def _strip_inline(text: str, references: Container[str]) -> str:
    def replace(found: re.Match[str]) -> str:
        if found["escaped"]:
            return found["escaped"].translate(_LITERAL)
        if found["code"] is not None or found["code2"] is not None:
            return (found["code"] or found["code2"]).translate(_LITERAL)
        for name in ("label", "ref_label"):
            if found[name] is not None:
                return _strip_inline(found[name], references)
        if found["shortcut"] is not None:
            inner = _strip_inline(found["shortcut"], references)
            return inner if _fold(found["shortcut"]) in references else f"[{inner}]"
        if found["auto"]:
            return found["auto"].removeprefix("mailto:").translate(_LITERAL)
        if found["entity"]:
            return html.unescape(found["entity"]).translate(_LITERAL)
        if found["tag"]:
            return "" if found["tag"].lower() in INLINE_TAGS else " "
        return " " if found["struck"] else ""

    return _INLINE.sub(replace, text)


_LINKS: Final = re.compile(
    rf"""
      ```(?:[^`]|`(?!``))*+```
    | ``(?:[^`]|`(?!`))++``
    | `[^`\n]++`
    | (?<!!)\[(?P<label>{_LABEL})\]\([ ]*(?P<target>{_TARGET})\)
    | (?<!!)\[(?P<ref_label>{_LABEL})\]\[(?P<ref>[^\[\]]*+)\]
    | (?<!!)\[(?P<shortcut>[^\[\]]++)\](?![:\[(])
    | <(?P<auto>(?:https?://|mailto:)[^\s<>]++)>
    | <a\s(?:[^<>]*?\s)??href\s*=\s*(?:"(?P<double>[^"<>]*+)"|'(?P<single>[^'<>]*+)')[^<>]*+>
      (?P<text>(?:[^<]|<(?!/?a\b))*+)</a>
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_TITLE_OF_TARGET: Final = re.compile(r"""\s+(?:"[^"]*+"|'[^']*+')\s*\Z""")


def links(body: str) -> list[Link]:
    """Return the links of a Markdown body in order; images, and links in code, are left out.

    A target made by a template is given as it is written, such as ``{{ site.url }}/terms``.
    """
    references = reference_labels(body)
    return list(_links(body, references))


def _links(body: str, references: dict[str, str]) -> Iterator[Link]:
    for found in _LINKS.finditer(body):
        target: str | None = None
        label = ""
        if found["label"] is not None:
            target, label = _TITLE_OF_TARGET.sub("", found["target"]).strip("<> \n"), found["label"]
        elif found["ref_label"] is not None:
            label = found["ref_label"]
            target = references.get(_fold(found["ref"] or label))
        elif found["shortcut"] is not None:
            label = found["shortcut"]
            target = references.get(_fold(label))
        elif found["auto"]:
            target = label = found["auto"]
        elif found["text"] is not None:
            target, label = html.unescape(found["double"] or found["single"] or ""), found["text"]
        if target is not None:
            yield Link(found.start(), found.end(), target, plain_text(label, references))


_SKIPPED: Final = frozenset({"script", "style", "template", "svg", "iframe", "head", "select"})
_FURNITURE: Final = frozenset({"nav", "footer", "aside", "form"})
_EMPHASISED: Final = {"strong": "**", "b": "**", "em": "*", "i": "*"}
_MARKDOWN_MARK: Final = re.compile(r"([\\`*_\[\]<>|])")
_LEADING_MARK: Final = re.compile(
    r"\A(\d{0,9})(#{1,6}(?=\s)|[-+=](?=[\s=-]|\Z)|[.)](?=\s)|~~~|:::)"
)


def _without_gaps(href: str) -> str:
    return href.replace(_UNLITERAL[ord(_GAP)], "").strip()


class _Writer:
    """Writes an HTML page as Markdown: one block a paragraph, one line an item or a row.

    lxml's parser calls ``start``, ``end`` and ``data`` on it. (The parser of the standard library
    takes minutes over 100 KB of unclosed tags.)
    """

    def __init__(self, *, whole: bool) -> None:
        self.blocks: list[str] = []
        self._words: list[str] = []
        self._prefix = ""
        self._lists: list[str] = []
        self._skip: list[str] = []
        self._dropped = _SKIPPED if whole else _SKIPPED | _FURNITURE
        self._row: list[str] | None = None
        self._rows: list[list[str]] = []
        self._pre = 0
        self._hrefs: list[str | None] = []
        self._anchor = ""

    def flush(self) -> None:
        """End the block under way."""
        text = "".join(self._words)
        self._words.clear()
        if self._pre and self._row is None:
            if text.strip():
                fence = "```" if "```" not in text else "~~~~~~"
                self.blocks.append(f"{fence}\n{text.strip(chr(10))}\n{fence}")
            return
        text = " ".join(text.split())
        if not text:
            return
        if self._row is not None:
            self._row[-1] = f"{self._row[-1]} {text}".strip()
            return
        if not self._prefix.strip():
            text = _LEADING_MARK.sub(r"\1\\\2", text)
        self.blocks.append(self._prefix + text)
        self._prefix = " " * len(self._prefix) if self._lists else ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Open an element."""
        if self._skip:
            if tag == self._skip[-1]:
                self._skip.append(tag)
            return
        if tag in self._dropped:
            self.flush()
            self._skip.append(tag)
            return
        if tag == "a":
            href = attributes.get("href")
            self._hrefs.append(href)
            if href:
                self._words.append("[")
        elif tag in _EMPHASISED:
            self._words.append(_EMPHASISED[tag])
        elif tag == "br":
            self._words.append("\n" if self._pre else " ")
        elif tag == "dd" and self._words:
            self._words.append(": ")  # a term and its definition are one block
        elif tag in _BLOCK_TAGS:
            self.flush()
            self._open_block(tag, attributes)

    def _open_block(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "pre":
            self._pre += 1
        elif tag in {"ul", "ol", "menu", "dir"}:
            self._lists.append("1. " if tag == "ol" else "- ")
            self._prefix = ""
        elif tag == "li" and self._row is None:
            mark = self._lists[-1] if self._lists else "- "
            self._prefix = "".join(" " * len(outer) for outer in self._lists[:-1]) + mark
        elif tag in {"h1", "h2", "h3", "h4", "h5", "h6"} and self._row is None:
            self._prefix = "#" * int(tag[1]) + " "
            self._anchor = attributes.get("id") or ""
        elif tag == "tr":
            self._row = []
        elif tag in {"td", "th"} and self._row is not None:
            self._row.append("")

    def end(self, tag: str) -> None:
        """Close an element."""
        if self._skip:
            if tag == self._skip[-1]:
                self._skip.pop()
            return
        if tag == "a":
            href = self._hrefs.pop() if self._hrefs else None
            if href:
                target = re.sub(
                    r"[\s()<>]", lambda found: f"%{ord(found[0]):02x}", _without_gaps(href)
                )
                self._words.append(f"]({target})")
        elif tag in _EMPHASISED:
            mark = _EMPHASISED[tag]
            if self._words[-1:] == [mark]:  # nothing in it, such as an icon
                self._words.pop()
            else:
                self._words.append(mark)
        elif tag in _BLOCK_TAGS and tag not in {"br", "dt"}:
            if self._anchor and tag[0] == "h" and self._words:
                self._words.append(f" {{#{self._anchor}}}")
                self._anchor = ""
            self.flush()
            self._close_block(tag)

    def _close_block(self, tag: str) -> None:
        if tag == "pre":
            self._pre = max(0, self._pre - 1)
        elif tag in {"ul", "ol", "menu", "dir"} and self._lists:
            self._lists.pop()
            self._prefix = " " * sum(map(len, self._lists))
        elif tag == "li" or (tag[0] == "h" and tag[1:].isdigit()):
            self._prefix = ""
        elif tag == "tr" and self._row is not None:
            if any(self._row):
                self._rows.append(self._row)
            self._row = None
        elif tag == "table":
            self._close_table()

    def _close_table(self) -> None:
        if not self._rows:
            return
        width = max(map(len, self._rows))
        lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in self._rows]
        lines.insert(1, "|" + " --- |" * width)
        self.blocks.append("\n".join(lines))
        self._rows = []

    def data(self, data: str) -> None:
        """Take words in."""
        if self._skip:
            return
        self._words.append(data if self._pre else _MARKDOWN_MARK.sub(r"\\\1", data))

    def close(self) -> str:
        """Return the Markdown."""
        self._row = None
        self.flush()
        self._close_table()
        return "\n\n".join(self.blocks) + "\n" if self.blocks else ""


_TABLE_TAG: Final = re.compile(
    r"<(?P<close>/?)(?P<tag>table|thead|tbody|tfoot|tr|td|th)\b(?P<attributes>[^<>]*+)>",
    re.IGNORECASE,
)
_FOR_LAYOUT: Final = re.compile(r"role\s*=\s*[\"']?(?:presentation|none)\b", re.IGNORECASE)


def _without_layout_tables(page: str) -> str:
    """Return ``page`` with tables that only lay other tables out turned into plain blocks."""
    opened: list[int] = []
    layout: set[int] = set()
    owner: list[tuple[re.Match[str], int]] = []
    for number, found in enumerate(_TABLE_TAG.finditer(page)):
        is_table = found["tag"].lower() == "table"
        if is_table and not found["close"]:
            layout.update(opened[-1:])
            opened.append(number)
            if _FOR_LAYOUT.search(found["attributes"]):
                layout.add(number)
        if opened:
            owner.append((found, opened[-1]))
        if is_table and found["close"] and opened:
            opened.pop()
    parts: list[str] = []
    end = 0
    for found, table in owner:
        if table in layout:
            parts += [page[end : found.start()], f"<{found['close']}div>"]
            end = found.end()
    return "".join([*parts, page[end:]])


_MAIN: Final = re.compile(r"<(main|article)\b[^<>]*+>", re.IGNORECASE)


def html_to_body(page: str) -> tuple[str, str]:
    """Return an HTML page as the Markdown body that is stored and cited, and its ``<title>``.

    Only the first ``<main>`` or ``<article>`` is read where there is one; navigation, footers,
    forms and scripts are left out, unless nothing else is there to read.
    """
    masked = _without_layout_tables(mask_templates(page))
    body = _written(_main_part(masked), whole=False) or _written(masked, whole=True)
    title = re.search(r"<title\b[^<>]*+>([^<]*+)</title", masked, re.IGNORECASE)
    return body, " ".join(html.unescape(shown(title[1])).split()) if title else ""


def _written(page: str, *, whole: bool) -> str:
    parser = etree.HTMLParser(target=_Writer(whole=whole), huge_tree=True, encoding="utf-8")
    parser.feed(shown(page).encode("utf-8", "replace"))
    return str(parser.close())


def _main_part(page: str) -> str:
    opened = _MAIN.search(page)
    if not opened:
        return page
    closers = list(re.finditer(rf"</{opened[1]}\b", page, re.IGNORECASE))
    closed = closers[-1].start() if closers else -1
    return page[opened.end() : closed] if closed > opened.end() else page[opened.end() :]
