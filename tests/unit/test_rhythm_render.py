"""Reports as Markdown and HTML: whatever somebody wrote stays words."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from lxml import html  # type: ignore[import-untyped]
from markdown_it import MarkdownIt

from core.errors import BadInput
from desk.addresses import address_of
from desk.rhythm_render import Document, Line, Part, as_html, as_markdown, escaped
from desk.rhythm_reports import write_whole
from desk.rhythm_rules import Figure
from tests.e2e.hostile import hostile_strings

MORE = (
    "1. not a list",
    "- not a list",
    "# not a title",
    "see http://evil.example/x and www.evil.example",
    "![x](http://evil.example/pixel.png) [a](javascript:alert(1)) <img src=x onerror=alert(1)>",
    "a | b\n\n| c |",
    "```\ncode\n```",
    "{{ 7 * 7 }} {% for x in y %}",
    "&lt;b&gt; \\*",
)
TEXTS = (*(text[:1_000] for text in hostile_strings()), *MORE)


def document(text: str) -> Document:
    return Document(
        text, text, (Part(text, (text,), (Figure(text, text, text),), (Line(text, text, True),)),)
    )


@pytest.mark.parametrize("text", MORE)
def test_markdown_shows_the_words_as_they_are(text: str) -> None:
    parser = MarkdownIt("commonmark", {"html": True})
    shown = parser.render(escaped(text))
    inside = re.fullmatch(r"<p>(.*)</p>\n", shown, re.DOTALL)
    assert inside is not None, shown
    assert "<" not in inside[1]
    assert html.fromstring(shown).text_content().strip() == " ".join(text.split())


def test_a_link_leads_to_the_thing_and_its_words_stay_words() -> None:
    link = address_of("https://desk.example.com/support", "article", 'help/a b&c=">.md')
    for text in MORE:
        one = Document("", "", (Part("", lines=(Line(text, link=link),)),))
        shown = MarkdownIt("commonmark", {"html": True}).render(as_markdown(one))
        for page in (shown, as_html(one)):
            (found,) = html.fromstring(page).iter("a")
            assert found.text_content().split() == text.split()
            address = urlsplit(found.get("href"))
            assert (address.netloc, address.path) == ("desk.example.com", "/support/")
            assert parse_qs(address.query) == {"article": ['help/a b&c=">.md']}
    assert address_of("", "review", "rev_1") == ""


def test_no_hostile_text_becomes_markup_in_markdown() -> None:
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    for text in TEXTS:
        tree = html.fromstring(parser.render(as_markdown(document(text))))
        found = {one.tag for one in tree.iter() if isinstance(one.tag, str)}
        allowed = {"div", "h1", "h2", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
        assert found <= allowed, text


def test_no_hostile_text_becomes_markup_in_html_and_nothing_is_fetched() -> None:
    plain = html.fromstring(as_html(document("plain")))
    shape = [one.tag for one in plain.iter() if isinstance(one.tag, str)]
    for text in TEXTS:
        page = as_html(document(text))
        tree = html.fromstring(page)
        assert [one.tag for one in tree.iter() if isinstance(one.tag, str)] == shape, text
        names = {name for one in tree.iter() if isinstance(one.tag, str) for name in one.attrib}
        assert names <= {"lang", "charset", "http-equiv", "content", "name", "style", "role"}
        styles = [one.get("style", "") for one in tree.iter() if isinstance(one.tag, str)]
        assert not any("url" in style for style in styles)


def test_the_page_keeps_to_inline_styles() -> None:
    page = as_html(document("plain"))
    assert "<script" not in page
    assert "<link" not in page
    assert "<style" not in page
    assert "default-src 'none'" in page or "default-src &#39;none&#39;" in page


def test_a_list_shows_what_is_done() -> None:
    text = as_markdown(
        Document("T", "s", (Part("P", (), (), (Line("a", "b", True), Line("c", "", False))),))
    )
    assert "- [x] a — b" in text
    assert "- [ ] c" in text


def test_a_report_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be written"):
        write_whole(tmp_path / "none" / "report.md", "text")
    (tmp_path / "taken").mkdir()
    with pytest.raises(BadInput, match="cannot be written"):
        write_whole(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
