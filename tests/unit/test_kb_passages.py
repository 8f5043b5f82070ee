"""What a body is cut into: the units that answers cite."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.content import CutPassage
from kb.passages import LONGEST_PASSAGE, cut, first_heading, slug


def plains(body: str, title: str = "") -> list[str]:
    return [passage.plain for passage in cut(body, title=title)]


def paths(body: str, title: str = "") -> list[tuple[str, ...]]:
    return [passage.heading_path for passage in cut(body, title=title)]


def test_paragraphs_items_and_rows_are_passages_of_their_own():
    body = (
        "First paragraph\nover two lines.\n\n- one\n- two **bold**\n\n"
        "| Plan | Price |\n|---|---|\n| Pro | $5 |\n| Max | $9 |\n"
    )
    assert plains(body) == [
        "First paragraph over two lines.",
        "one",
        "two bold",
        "Plan: Pro; Price: $5",
        "Plan: Max; Price: $9",
    ]


def test_text_is_the_exact_source_with_its_marks():
    body = "Intro\n\n  2. All *content*\n     is deleted.\n"
    assert [passage.text for passage in cut(body)] == [
        "Intro",
        "2. All *content*\n     is deleted.",
    ]


def test_headings_are_context_and_nest_by_level():
    body = "# Top\n\n## Refunds\n\na\n\n### Cards\n\nb\n\n## Fees\n\nc\n"
    assert paths(body) == [("Top", "Refunds"), ("Top", "Refunds", "Cards"), ("Top", "Fees")]


def test_a_first_heading_that_repeats_the_title_is_left_out_of_the_path():
    assert paths("# Refunds\n\n## Cards\n\na", title="Refunds") == [("Cards",)]


def test_the_line_before_a_list_leads_its_items_in():
    body = "You get a full refund if:\n\n- you cancel in time\n- we were down\n\nElse nothing.\n"
    assert paths(body) == [
        (),
        ("You get a full refund if:",),
        ("You get a full refund if:",),
        (),
    ]


def test_nested_items_keep_the_words_of_their_parent():
    body = "- Pro plan\n  - 5 seats\n  - phone support\n- Free plan\n"
    cuts = cut(body)
    assert [passage.plain for passage in cuts] == [
        "Pro plan",
        "5 seats",
        "phone support",
        "Free plan",
    ]
    assert cuts[1].heading_path == cuts[2].heading_path == ("Pro plan",)
    assert cuts[3].heading_path == ()


def test_a_long_paragraph_before_a_list_lends_only_its_last_sentence():
    lead = "Some history. " * 40 + "These are excluded:"
    assert paths(f"{lead}\n\n- gift cards\n")[1] == ("These are excluded:",)


def test_a_second_paragraph_of_an_item_is_its_own_passage():
    assert plains("1. One.\n\n   More on one.\n2. Two.\n") == ["One.", "More on one.", "Two."]


def test_a_bold_line_that_stands_for_a_heading_is_context():
    cuts = cut("**How to cancel**\n\nOpen settings.\n\n## Next\n\nOther.\n")
    assert [(passage.plain, passage.heading_path) for passage in cuts] == [
        ("Open settings.", ("How to cancel",)),
        ("Other.", ("Next",)),
    ]


def test_a_bold_sentence_is_a_passage():
    assert plains("**We never sell your data.**\n") == ["We never sell your data."]


@pytest.mark.parametrize(
    ("body", "anchor"),
    [
        ("## What’s new, in 2.0?\n\nx", "whats-new-in-20"),
        ("## Refunds {#money-back}\n\nx", "money-back"),
        ("## Refunds\n{: #money-back }\n\nx", "money-back"),
        ('## <a name="money-back"></a>Refunds\n\nx', "money-back"),
        ('<a id="money-back"></a>\n\n## Refunds\n\nx', "money-back"),
        ('<h2 id="money-back">Refunds</h2>\n<p>x</p>', "money-back"),
        ("x", ""),
    ],
)
def test_anchor(body: str, anchor: str):
    assert [passage.anchor for passage in cut(body)] == [anchor]


def test_equal_headings_get_different_anchors():
    body = "## Cost\n\na\n\n## Cost\n\nb\n\n## Cost-1\n\nc\n\n## Cost\n\nd\n"
    anchors = [passage.anchor for passage in cut(body)]
    assert anchors == ["cost", "cost-1", "cost-1-1", "cost-2"]


@pytest.mark.parametrize(
    ("heading", "expected"),
    [("Fees & taxes", "fees--taxes"), ("Über uns", "über-uns"), ("a_b-c", "a_b-c")],
)
def test_slug_is_that_of_github(heading: str, expected: str):
    assert slug(heading) == expected


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   \n\t\n",
        "---\n",
        "![](a.png)\n\n![alt text](b.png)\n",
        "<!-- todo\n\nrewrite this -->\n",
        "{% include nav.html %}\n\n{{< toc >}}\n",
        "{: .note }\n",
        "[terms]: https://example.com/terms\n[x]: <y> 'z'\n",
        "<script>\nvar days = 30\n</script>\n",
        "# Only a heading\n",
        "{% comment %}\n\nold words\n\n{% endcomment %}\n",
    ],
)
def test_what_cannot_be_read_is_no_passage(body: str):
    assert cut(body) == []


def test_front_matter_is_never_a_passage_and_offsets_still_hold():
    body = "---\ntitle: X\nowner: Y\n---\n\nHello there.\n"
    (passage,) = cut(body)
    assert passage.plain == "Hello there."
    assert body[passage.start : passage.end] == "Hello there."


def test_lists_and_tables_right_below_an_html_heading_are_cut_as_such():
    body = (
        "<h4>Copays</h4>\n| Care | Included | A day |\n| --- | --- | --- |\n"
        "| <b>Inpatient</b> | <ul><li>Short stays</li><li>Respite</li></ul> | $97 |\n"
        "| <b>Outpatient</b> | <li>Day care</li> | $15 |\n\n"
        "<h3>Medicines</h3>\n<b>You pay for:</b>\n- Brands, and\n- Generics.\n\n"
        '<h3 id="free">Free of charge</h3>\n<p>Lab tests.</p>\n'
    )
    cuts = cut(body)
    assert [(passage.heading_path, passage.plain) for passage in cuts] == [
        (("Copays",), "Care: Inpatient; Included: Short stays; Respite; A day: $97"),
        (("Copays",), "Care: Outpatient; Included: Day care; A day: $15"),
        (("Medicines",), "You pay for:"),
        (("Medicines", "You pay for:"), "Brands, and"),
        (("Medicines", "You pay for:"), "Generics."),
        (("Free of charge",), "Lab tests."),
    ]
    assert all(body[passage.start : passage.end] == passage.text for passage in cuts)


def test_a_row_that_begins_with_a_date_stays_in_its_table():
    body = (
        "When | Open\n:---:|:---:|\nEaster | 9:00\n15. March to 1. May | 10:00\n\n1. a | b\n2. c\n"
    )
    assert plains(body) == [
        "When: Easter; Open: 9:00",
        "When: 15. March to 1. May; Open: 10:00",
        "a | b",
        "c",
    ]


def test_a_summary_heads_what_it_opens_and_nothing_after_it():
    body = (
        "## Fees\n\n<details>\n<summary>Is there a <b>refund</b>?</summary>\n\n"
        "Yes, for 30 days.\n\n</details>\n\nPrices are net.\n"
    )
    assert [(passage.heading_path, passage.plain, passage.anchor) for passage in cut(body)] == [
        (("Fees", "Is there a refund?"), "Yes, for 30 days.", "is-there-a-refund"),
        (("Fees",), "Prices are net.", "fees"),
    ]


def test_html_between_markdown_is_cut_by_its_blocks():
    body = (
        "Before.\n\n<div class='note'>\nKeep **this**:\n<ul><li>a one</li><li>b two</li></ul>\n</div>\n\n"
        "<table><tr><th>Plan</th><th>Days</th></tr>\n<tr><td>Pro</td><td><p>30</p></td></tr></table>\n\n"
        "After.\n"
    )
    cuts = cut(body)
    assert [passage.plain for passage in cuts] == [
        "Before.",
        "Keep this:",
        "a one",
        "b two",
        "Plan: Pro; Days: 30",
        "After.",
    ]
    assert cuts[2].heading_path == ("Keep this:",)


def test_a_table_with_a_cell_too_many_is_still_cut_by_rows():
    body = "| Plan | Price |\n|---|---|---|\n| Pro | $5 |\n| Max | $9 |\n"
    assert plains(body) == ["Plan: Pro; Price: $5", "Plan: Max; Price: $9"]


def test_rows_that_run_over_lines_are_still_rows():
    body = "| Outside: | **Big Inc.**\\\n60 Street\\\nCity |\n| Inside: | Small Ltd.\\\nDublin |\n"
    assert plains(body) == ["Outside: Big Inc. 60 Street City", "Inside: Small Ltd. Dublin"]


def test_html_that_is_indented_after_an_empty_line_is_html():
    body = "<div>\n\n    <p>Open <b>daily</b>.</p>\n    <p>Not on Sunday.</p>\n\n</div>\n"
    assert plains(body) == ["Open daily.", "Not on Sunday."]


def test_a_term_and_its_definition_are_one_passage():
    assert plains("Cooling-off period\n: 14 days from delivery\n") == [
        "Cooling-off period: 14 days from delivery"
    ]


def test_typed_bullets_are_items():
    assert plains("You need:\n• a passport\n• a bill\n") == ["You need:", "a passport", "a bill"]


def test_quotes_lose_their_marks():
    assert plains("> Credits expire\n> after 30 days.\n") == ["Credits expire after 30 days."]


def test_short_code_is_kept_and_a_listing_is_not():
    listing = "\n".join(f"key{number}: value" for number in range(40))
    body = f"Run:\n\n```sh\ncertbot renew\n```\n\n```yaml\n{listing}\n```\n"
    assert plains(body) == ["Run:", "certbot renew"]
    assert cut(body)[1].heading_path == ("Run:",)


def test_indented_prose_is_read_as_prose():
    body = "Dear customer,\n\n    your refund was sent today. It takes 5 days to reach your card.\n"
    assert plains(body)[1] == "your refund was sent today. It takes 5 days to reach your card."


def test_a_very_long_paragraph_is_cut_at_its_sentences():
    body = "This is one sentence of many. " * 1_000
    cuts = cut(body)
    assert all(len(passage.text) <= LONGEST_PASSAGE for passage in cuts)
    assert all(passage.plain.endswith("many.") for passage in cuts)
    assert sum(passage.plain.count("sentence") for passage in cuts) == 1_000


def test_line_ends_of_other_systems_cut_alike():
    body = "# A\n\n- one\n- two\n\nlast\n"
    for line_end in ("\r\n", "\r"):
        assert plains(body.replace("\n", line_end)) == plains(body)


@pytest.mark.parametrize(
    ("body", "heading"),
    [
        ("# Refund *policy*\n\nx", "Refund policy"),
        ("\n\n### Small\n\n# Big\n", "Small"),
        ("Intro\n\n## Part\n\n# Whole\n", "Whole"),
        ("Refunds\n=======\n\nx", "Refunds"),
        ("Intro\n\n```sh\n# comment\n```\n", ""),
        ("Just text", ""),
    ],
)
def test_first_heading(body: str, heading: str):
    assert first_heading(body) == heading


# Properties that hold for any text.

_PIECES = st.sampled_from(
    [
        "# ", "## ", "- ", "* ", "1. ", "> ", "    ", "\t", "\n", "\n\n", "\r\n", "\r", "|", "---|---",
        "---\n", "===\n", "```", "~~~", "`", "**", "_", "~~", "[", "](", ")", "]: ", "![", "<", ">",
        "<div>", "</div>", "<p>", "<table>", "<tr>", "<td>", "</td>", "<li>", "<script>", "</script>",
        "<!--", "-->", "{%", "%}", "{{", "}}", "{: ", "}", "{% comment %}", "{% endcomment %}",
        "<a id='x'>", "<h2 id=y>", "&amp;", "&#0;", "&", "\\", "• ", ": ", ":::", "[^1]", "\0", "\ufeff",
        "\u2028", "\x85", "\x0b", "refund", "30 days", "é", "\U0001f600", "\ud800", " ", ".", ":",
    ]
)  # fmt: skip
_ANYTHING = st.one_of(st.lists(_PIECES, max_size=60).map("".join), st.text(max_size=200))


def assert_sound(body: str, cuts: list[CutPassage]) -> None:
    end = 0
    for passage in cuts:
        assert end <= passage.start < passage.end <= len(body)
        assert body[passage.start : passage.end] == passage.text
        assert passage.text == passage.text.strip()
        assert passage.plain == " ".join(passage.plain.split())
        assert re.search(r"\w", passage.plain)
        end = passage.end


@settings(max_examples=400, deadline=None)
@given(_ANYTHING)
def test_any_text_is_cut_into_exact_ordered_spans(body: str):
    assert_sound(body, cut(body))


def _numbered(blocks: list[str]) -> str:
    counter = iter(range(10_000))
    return "\n\n".join(re.sub("W", lambda _: f"w{next(counter)}x", block) for block in blocks)


_BLOCKS = st.lists(
    st.sampled_from(
        [
            "W W **W** W.", "# W W", "### W {#id}", "- W\n- W [W](u)\n  - W\n    1. W\n- W", "1. W\n\n   W\n2. W",
            "> W W\n> W", "> - W\n>   W", "| W | W |\n|---|---|\n| W | W |\n| W | W |", "| W | W |\n|-|-|-|\n| W | W |",
            "<div>\nW <b>W</b>\n</div>", "<p>W</p><ul><li>W</li><li>W\nW</li></ul>", "<table><tr><td>W</td><td>W</td></tr></table>",
            "W\n: W W", "W\n=====", "W W\n-----", "    W W", "```\nW W\n```", "W\n• W\n• W", "**W W**", "`W` _W_ &amp; W",
            "{% if x %}\nW\n{% endif %}", "W[^1] W", "[^1]: W W", "<h3>W</h3>\nW", "W <W@example.com> W", "* * *", "W\\\nW",
            "> " * 45 + "W",
        ]
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_BLOCKS)
def test_no_word_of_the_text_is_lost(blocks: list[str]):
    body = _numbered(blocks)
    cuts = cut(body)
    assert_sound(body, cuts)
    kept = " ".join([passage.plain + " " + " ".join(passage.heading_path) for passage in cuts])
    last_heading = re.findall(r"w\d+x", body[cuts[-1].end :]) if cuts else []
    between = [
        word for word in re.findall(r"w\d+x", body) if word not in kept and word not in last_heading
    ]
    headings = set(re.findall(r"w\d+x", " ".join(re.findall(_HEADING_LINES, body))))
    assert [word for word in between if word not in headings] == []


# A heading with nothing before the next heading of its level has no passage to be the context of.
_HEADING_LINES = re.compile(r"(?m)^#.*$|^<h3>.*$|^\*\*.*\*\*$|^.*\n(?:===|---)", re.MULTILINE)


@pytest.mark.parametrize(
    "piece",
    ["[", "[a](", "**a ", "<!--", "{%", "<a ", "> ", "- ", "# a\n", "<tr><td>a", "a|b\n", "`", "<script>", "~~a",
     "<h2>a</h2>\n- b\n", "a|b\n-|-\n1. a|\n", "<details>a"],
)  # fmt: skip
def test_hostile_text_takes_linear_time(piece: str):
    def seconds(size: int) -> float:
        body = piece * (size // len(piece))
        began = time.process_time()
        cut(body)
        return time.process_time() - began

    # Quadratic work would take 64 times as long; the constant forgives a slow machine.
    assert seconds(64_000) < 24 * seconds(8_000) + 0.5


def test_deep_nesting_is_cut_without_losing_its_words():
    body = "".join("  " * depth + f"- item{depth}x\n" for depth in range(120))
    kept = " ".join(plains(body))
    assert all(f"item{depth}x" in kept for depth in range(120))
