"""Untrusted words never become markup."""

from __future__ import annotations

import pytest

from ui.components.text import Span, find_span, label_text, marked, tag, words

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "![pixel](https://evil.example/p.png)",
    "[press](javascript:alert(1))",
    "<script>alert(1)</script>",
    "'\"><svg/onload=alert(1)>",
    "</div><style>*{display:none}</style>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_words_hold_no_tag_and_no_open_quote(text: str) -> None:
    shown = words(text)
    assert "<" not in shown
    assert '"' not in shown
    assert "'" not in shown


@pytest.mark.parametrize("text", HOSTILE)
def test_marks_stand_around_escaped_words(text: str) -> None:
    shown = marked(f"one {text} two", [Span(2, 4 + len(text), "trigger", title=text)])
    without_ours = shown.replace("</mark>", "")
    assert without_ours.count("<") == 1
    assert shown.startswith('on<mark class="pd-trigger" title="')


def test_a_text_that_reads_backwards_loses_its_override() -> None:
    assert words("pay \u202e0001\u202c now \u2066x\u2069") == "pay 0001 now x"


def test_overlapping_and_outlying_spans_do_not_repeat_words() -> None:
    shown = marked("abcdef", [Span(0, 3, "cited"), Span(1, 5, "cited"), Span(5, 99, "cited")])
    assert shown == '<mark class="pd-cited">abc</mark>de<mark class="pd-cited">f</mark>'


def test_a_quote_is_found_whatever_its_line_breaks() -> None:
    (span,) = find_span("Refunds take\n  5 days.", "refunds take 5", "cited")
    assert (span.start, span.end) == (0, 16)


def test_a_hover_text_cannot_leave_its_attribute() -> None:
    assert tag("span", "x", words("a"), title='" onmouseover="x').count('"') == 4


def test_a_tower_of_accents_is_cut_down_to_what_a_line_can_hold() -> None:
    assert words("a" + "\u0300\u0315" * 90 + "b") == "a\u0300\u0315\u0300\u0315b"
    assert words("Việt e\u0301") == "Việt e\u0301"


def test_a_label_keeps_markdown_of_others_as_signs() -> None:
    label = label_text("![x](http://evil.invalid/a.png) <http://evil.invalid> :red[x]\n# y")
    assert "\\!\\[x\\]\\(http\\:" in label
    assert "\n" not in label
