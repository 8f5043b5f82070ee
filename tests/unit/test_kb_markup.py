"""What a reader sees of markup, and how HTML becomes a body."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.markup import html_to_body, links, mask_templates, plain_text, split_front_matter
from kb.passages import cut, first_heading


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("**30 days** and *more*", "30 days and more"),
        ("see [our *terms*](https://x.y/a_(b) 'T') now", "see our terms now"),
        ('[policy](/privacy/dpa/Data Processing Addendum.pdf)', "policy"),
        ("[a page][ref] and [ref]", "a page and ref"),
        ("[sic] and [x]", "[sic] and [x]"),
        ("![logo](x.png)Hello", "Hello"),
        ("`--force` and ``a`b``", "--force and a`b"),
        ("`a*b*c` stays", "a*b*c stays"),
        ("snake_case_name and __strong__ and _it_", "snake_case_name and strong and it"),
        ("2 * 3 * 4, 2*3*4, 2**3", "2 * 3 * 4, 2*3*4, 2**3"),
        ("$5* per month", "$5* per month"),
        ("such as **[**X.org**](http://x)**. A note", "such as X.org. A note"),
        (r"\*not bold\* and 1\. one", "*not bold* and 1. one"),
        ("Fish &amp; chips &lt;now&gt; &pound;5&nbsp;each", "Fish & chips <now> £5 each"),
        ("<b>Bold</b>er<br>next <your-domain>", "Bolder next <your-domain>"),
        ("<https://x.y/z> or <mailto:a@b.c>", "https://x.y/z or a@b.c"),
        ("paid[^1] within 3 days", "paid within 3 days"),
        ("~~30 days~~ 60 days", "60 days"),
        ("<del>30 days</del> 60 days", "60 days"),
        ("line one\\\nline two", "line one line two"),
        ("The **   ** is and **a** **b**", "The is and a b"),
        ("soft\u00adware \u200bzero\ufeff", "software zero"),
        ("  folded \n\t white\xa0space ", "folded white space"),
    ],
)  # fmt: skip
def test_plain_text(source: str, plain: str):
    assert plain_text(source, {"ref"}) == plain


def test_templates_are_blanked_in_place():
    body = "a {{ x }} b {% if y %}c{% endif %}\n<!-- d\ne -->f {: .note}\n{{< g >}}"
    masked = mask_templates(body)
    assert len(masked) == len(body)
    assert plain_text(masked) == "a […] b c f"
    assert masked.count("\n") == body.count("\n")


@pytest.mark.parametrize(
    ("body", "plain"),
    [
        ("A pack costs {% data variables.price %}, paid monthly.", "A pack costs […], paid monthly."),
        ("{{ site.name }} keeps it for 30 days.", "[…] keeps it for 30 days."),
        ("Ask [us]({{ site.url }}/contact) or {{site.phone}}.", "Ask us or […]."),
        ("{% callout info %}No charge.{% endcallout %}", "No charge."),
        ("{% image a.png Our shop %} Open daily.", "Open daily."),
        ("{% if paid %}Refunds take 5 days.{% endif %}", "Refunds take 5 days."),
        ("<!-- todo --> Open **daily**.", "Open daily."),
        ("```\npay {{ price }}\n```", "pay […]"),
    ],
)  # fmt: skip
def test_a_value_that_a_template_fills_in_is_a_gap_and_a_tag_around_words_is_none(
    body: str, plain: str
):
    (passage,) = cut(body)
    assert passage.plain == plain
    assert body[passage.start : passage.end] == passage.text


def test_a_table_of_template_values_is_still_a_table():
    rows = cut(
        "Plan | Space\n---- | ----\n{{ a }} | 1 GB\n{{ b }} for groups | 2 GB |\n{{ c }} | 5 GB\n"
    )
    assert [row.plain for row in rows] == [
        "Plan: […]; Space: 1 GB",
        "Plan: […] for groups; Space: 2 GB",
        "Plan: […]; Space: 5 GB",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "word"),
    [
        ('<i class="fa fa-check" aria-hidden="true"></i>', "yes"),
        ("<i class='fas fa-times-circle'></i>", "no"),
        ('<span class="icon" aria-label="Included"></span>', "yes"),
        ('<svg aria-label="Not included"><path d="M0"/></svg>', "no"),
        ('<img src="/img/check.svg" alt="">', "yes"),
        ("![check](/img/a.png)", "yes"),
        ("![Our office](/img/office.png)", ""),
        ('<i class="fa fa-star"></i>', ""),
    ],
)
def test_an_icon_alone_in_a_cell_says_yes_or_no(cell: str, word: str):
    table = f"| Plan | Export | Price |\n|---|---|---|\n| Pro | {cell} | $5 |\n"
    page = f"<table><tr><th>Plan<th>Export<th>Price<tr><td>Pro<td>{cell}</td><td>$5</table>"
    wanted = f"Plan: Pro; Export: {word}; Price: $5" if word else "Plan: Pro; Price: $5"
    assert [row.plain for row in cut(table)] == [wanted]
    if cell.startswith("<"):
        assert [row.plain for row in cut(html_to_body(page)[0])] == [wanted]


def test_an_icon_beside_words_is_decoration():
    assert (
        plain_text(mask_templates('| <i class="fa fa-check"></i> Paid by us |')) == "| Paid by us |"
    )


def test_an_open_comment_hides_nothing():
    assert mask_templates("before <!-- never closed\n\nafter").split()[-1] == "after"


@pytest.mark.parametrize(
    ("text", "block", "rest"),
    [
        ("---\na: 1\n---\nbody", "a: 1\n", "body"),
        ("\ufeff---\r\na: 1\r\n---\r\nbody", "a: 1\r\n", "body"),
        ("+++\na = 1\n+++\nbody", "a = 1\n", "body"),
        ("---\n\n---\nbody", "\n", "body"),
        ("---\nJust a paragraph.\n---\nbody", "", "---\nJust a paragraph.\n---\nbody"),
        ("---\nno end", "", "---\nno end"),
        ("body\n---\na: 1\n---\n", "", "body\n---\na: 1\n---\n"),
    ],
)
def test_front_matter(text: str, block: str, rest: str):
    assert split_front_matter(text) == (block, rest)


def test_links_are_found_with_their_targets():
    body = (
        "See [terms](/terms#fees 'Fees') or [the FAQ][faq], <https://x.y>, [faq] and\n"
        "<a class='b' href='/a?b=1&amp;c=2'>an <b>old</b> page</a>; not `[code](x)` or ![i](j).\n\n"
        "[faq]: https://x.y/faq\n"
    )
    found = links(body)
    assert [(link.target, link.label) for link in found] == [
        ("/terms#fees", "terms"),
        ("https://x.y/faq", "the FAQ"),
        ("https://x.y", "https://x.y"),
        ("https://x.y/faq", "faq"),
        ("/a?b=1&c=2", "an old page"),
    ]
    assert body[found[0].start : found[0].end] == "[terms](/terms#fees 'Fees')"


def test_a_page_becomes_a_body_without_its_furniture():
    body, title = html_to_body(
        "<html><head><title>Our &amp; help</title><style>p{}</style></head><body><nav>Menu</nav>"
        "<main><h2 id='ref'>Refunds</h2><p>Within <b>30 days</b>, see <a href='/x y'>terms</a>.</p>"
        "<ul><li>one<ul><li>nested</li></ul></li></ul>"
        "<table><tr><th>Plan</th></tr><tr><td>Pro</td></tr></table>"
        "<dl><dt>Term</dt><dd>meaning</dd></dl></main><footer>Imprint</footer></body></html>"
    )
    assert title == "Our & help"
    cuts = cut(body)
    assert [passage.plain for passage in cuts] == [
        "Within 30 days, see terms.",
        "one",
        "nested",
        "Plan: Pro",
        "Term: meaning",
    ]
    assert {passage.anchor for passage in cuts} == {"ref"}
    assert "Menu" not in body
    assert "Imprint" not in body


def test_words_of_a_page_are_not_taken_for_markdown():
    body, _ = html_to_body(
        "<p># 5 * 3 [x] `y` _z_ &lt;b&gt;</p><p>1. Not a list</p><p>- 5 degrees</p>"
    )
    assert [passage.plain for passage in cut(body)] == [
        "# 5 * 3 [x] `y` _z_ <b>",
        "1. Not a list",
        "- 5 degrees",
    ]


def test_a_page_that_is_all_form_or_footer_is_still_read():
    assert "Call us" in html_to_body("<footer><p>Call us</p></footer>")[0]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>/ap tdrli&;=\"'\n\0\ud800![-]*x"), max_size=120))
def test_any_page_becomes_a_body(page: str):
    body, title = html_to_body(page)
    assert "\0" not in body
    assert title == " ".join(title.split())


def test_a_table_that_lays_out_a_page_is_no_table():
    body, _ = html_to_body(
        "<table><tr><td width=1><h4>Loan periods</h4><table><tr><th>2 weeks</th><th>4 weeks</th></tr>"
        "<tr><td>Films</td><td>Books</td></tr></table><h4>Renewals</h4><p>Twice.</p></td>"
        "<td><h4>Lost cards</h4><p>A new card is $1.</p></td></tr></table>"
        "<table role='presentation'><tr><td><p>Open daily.</p><p>Not in May.</p></td></tr></table>"
    )
    assert [(passage.heading_path, passage.plain) for passage in cut(body)] == [
        (("Loan periods",), "2 weeks: Films; 4 weeks: Books"),
        (("Renewals",), "Twice."),
        (("Lost cards",), "A new card is $1."),
        (("Lost cards",), "Open daily."),
        (("Lost cards",), "Not in May."),
    ]


def test_mdx_is_read_without_its_components():
    body = (
        'import Tabs from "@theme/Tabs"\n\n# Refunds\n\n{/* check with legal */}\n\n'
        "<Note>Refunds take **5 days**.</Note>\n\n<AccordionGroup>\n"
        '    <Accordion title="Can I cancel?" icon="x">\n        Yes, within 14 days.\n    </Accordion>\n'
        "</AccordionGroup>\n\n<Card href={url} />\n\nWrite to <Name>, see `<Tabs />`.\n\n"
        "```\n<Tabs />\n```\n"
    )
    assert first_heading(body) == "Refunds"
    cuts = cut(body, title="Refunds")
    assert [(passage.heading_path, passage.plain) for passage in cuts] == [
        ((), "Refunds take 5 days."),
        (("Can I cancel?",), "Yes, within 14 days."),
        ((), "Write to <Name>, see <Tabs />."),
        ((), "<Tabs />"),
    ]
    assert all(body[passage.start : passage.end] == passage.text for passage in cuts)


def test_what_a_card_is_titled_says_of_which_kind_its_items_are():
    body = (
        "# Scope\n\n## Products\n\n<Columns cols={2}>\n"
        '<Card title="Supported">\n* Machines\n</Card>\n\n'
        '<Card title="Not supported">\n* LiteFS\n</Card>\n</Columns>\n\n'
        '<Card title="Plans" href="/plans" />\n\nAsk us.\n'
    )
    assert [(passage.heading_path, passage.plain) for passage in cut(body, title="Scope")] == [
        (("Products", "Supported"), "Machines"),
        (("Products", "Not supported"), "LiteFS"),
        (("Products",), "Ask us."),
    ]


def test_attributes_of_code_and_links_are_not_words():
    body = (
        "Open `My account`{.action}, then [Bills](/bills){#b .wide}; `{.action}` and {.x} stay.\n"
    )
    assert [passage.plain for passage in cut(body)] == [
        "Open My account, then Bills; {.action} and {.x} stay."
    ]


@pytest.mark.parametrize(
    "hostile", ["<A ", '<A "', "<A {", "</A", "{/*", "`", "import x from 'y'\n"]
)
def test_hostile_mdx_does_not_stall(hostile: str):
    started = time.process_time()
    mask_templates(hostile * 60_000 + "</A>")
    assert time.process_time() - started < 2
