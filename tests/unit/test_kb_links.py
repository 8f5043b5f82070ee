from __future__ import annotations

import pytest

from kb.links import BrokenLink, LinkMap, Page, anchors_of, broken_links, fold_anchor


def page(path: str, body: str = "Words.", **more: object) -> Page:
    return Page(f"hc/{path}", f"ver:{path}:{hash(body)}", "hc", path, path, body, **more)  # type: ignore[arg-type]


def broken(body: str, *others: Page, path: str = "guide/start.md", **more: object) -> list[str]:
    return [one.target for one in broken_links([page(path, body, **more), *others])]


CARE = page("guide/care.md", "# Care\n\n## How to clean & dry\n\nWords.")
ROOT = page("about.md", "# About")


@pytest.mark.parametrize(
    "target",
    [
        "care.md",
        "./care.md",
        "care",
        "../care/",
        "../guide/care.md#how-to-clean--dry",
        "care.md#how-to-clean-and-dry",
        "../about.md",
        "../about.html",
        "<care.md>",
        "care.md?from=start",
        "#the-start",
        "#top",
        "mailto:help@example.com",
        "https://example.com/nothing",
        "{{ site.email }}",
        "photo.png",
        "../../outside.md",
    ],
)
def test_a_link_that_leads_somewhere_or_cannot_be_judged_is_not_broken(target: str) -> None:
    assert broken(f"# The start\n\nSee [this]({target}).", CARE, ROOT) == []


@pytest.mark.parametrize(
    ("body", "target"),
    [
        ("See [this](gone.md).", "gone.md"),
        ("See [this](../gone/).", "../gone/"),
        ("See [this][1].\n\n[1]: gone.md\n", "gone.md"),
        ('See <a href="gone.html">this</a>.', "gone.html"),
        ("See [this](#nowhere).", "#nowhere"),
        ("See [this](care.md#how-to-paint).", "care.md#how-to-paint"),
        ("See [this](example.com/care).", "example.com/care"),
    ],
)
def test_a_link_without_a_page_or_heading_is_broken(body: str, target: str) -> None:
    assert broken(f"# The start\n\n{body}", CARE, ROOT) == [target]


def test_a_broken_link_is_told_with_its_place_and_reason() -> None:
    body = "# The start\n\nSee [how to paint](care.md#how-to-paint) first."
    (found,) = broken_links([page("guide/start.md", body), CARE])
    assert isinstance(found, BrokenLink)
    assert body[found.start : found.end] == found.text == "[how to paint](care.md#how-to-paint)"
    assert found.why == "“guide/care.md” has no heading or place named “how-to-paint”."


def test_links_in_code_and_images_are_no_links() -> None:
    assert broken("`[a](gone.md)` and ![b](gone.md)\n\n```\n[c](gone.md)\n```\n", CARE) == []


def test_a_page_that_a_template_fills_may_have_places_nobody_sees() -> None:
    generated = page("guide/list.md", "# List\n\n{% for one in all %}{{ one }}{% endfor %}")
    assert broken("[a](list.md#anything) [b](gone.md)", generated) == ["gone.md"]


def test_a_page_that_is_gone_is_named() -> None:
    gone = page("guide/old.md", "# Old", gone=True)
    (found,) = broken_links([page("guide/start.md", "[a](old.md)"), gone])
    assert found.why == "“guide/old.md” is no longer in the help center."


def site(*targets: str, **more: object) -> list[str]:
    """Return the broken ones of links on a site that serves ``pages/x/one.md`` at ``/x/one/``."""
    pages = [page(f"pages/x/{name}.md", f"# {name}") for name in ("one", "two", "three", "four")]
    known = " ".join(f"[{name}](/x/{name}/)" for name in ("one", "two", "three", "four"))
    return broken(f"{known} " + " ".join(f"[a]({t})" for t in targets), *pages, **more)  # type: ignore[arg-type]


def test_how_a_site_forms_its_addresses_is_learned_from_the_links_that_resolve() -> None:
    assert site("/x/five/", "/x/one/#one", "/x/one/#six") == ["/x/five/", "/x/one/#six"]


def test_a_part_of_the_site_that_is_not_held_here_is_unknown() -> None:
    assert site("/shop/lamps/", "/pricing", "/x/photo.pdf", "/") == []


def test_addresses_that_the_author_states_count() -> None:
    moved = page("pages/x/six.md", addresses=("/x/old-six/", "/somewhere/"))
    pages = [page(f"pages/x/{name}.md") for name in ("one", "two", "three")]
    body = "[a](/x/one/) [b](/x/two/) [c](/x/three/) [d](/x/old-six/) [e](/somewhere/) [f](/x/no/)"
    assert broken(body, moved, *pages) == ["/x/no/"]


@pytest.mark.parametrize(
    ("target", "is_broken"),
    [
        ('{% page "/x/one/" %}', False),
        ("{% link pages/x/one.md %}", False),
        ('{{ "/x/one/" | relative_url }}', False),
        ("{{ site.baseurl }}/x/one/", False),
        ('{{< relref "pages/x/one.md" >}}', False),
        ("{{ page.next.url }}", False),
        ('{% page "/x/five/" %}', True),
        ("{{ site.baseurl }}/x/five/", True),
    ],
)
def test_targets_that_templates_spell_are_read_where_they_can_be(
    target: str, is_broken: bool
) -> None:
    assert site(target) == ([target] if is_broken else [])


def test_a_link_to_the_sites_own_host_is_no_external_one() -> None:
    one = page("x/one.md", "# One", url="https://help.example.com/x/one")
    two = page("x/two.md", "# Two", url="https://help.example.com/x/two")
    start = page(
        "x/start.md",
        "[a](https://help.example.com/x/one) [b](https://help.example.com/x/two/#three) "
        "[c](https://help.example.com/x/four) [d](https://example.com/x/four)",
        url="https://help.example.com/x/start",
    )
    done = LinkMap([start, one, two]).check()
    assert [one.target for one in done.broken] == [
        "https://help.example.com/x/two/#three",
        "https://help.example.com/x/four",
    ]
    assert done.external == [("hc/x/start.md", "https://example.com/x/four")]


def test_a_file_that_is_no_article_is_there_all_the_same() -> None:
    start = page("guide/start.md", "[a](terms.html) [b](gone.html)")
    found = broken_links([start], is_file=lambda source, path: path == "guide/terms.html")
    assert [one.target for one in found] == ["gone.html"]


def test_who_links_to_a_page_is_told() -> None:
    links = LinkMap([page("guide/start.md", "[a](care.md#x)"), page("b.md", "None."), CARE])
    assert links.leading_to({"hc/guide/care.md"}) == {"hc/guide/start.md"}


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("## Billing & plans", "billing--plans"),
        ("## Billing & plans", "billing-and-plans"),
        ("## What's *new*?", "whats-new"),
        ("## Über uns", "über-uns"),
        ("## Refunds {#money-back}", "money-back"),
        ('<a name="old_name"></a>\n\n## New name', "old_name"),
        ("Refunds\n-------\n", "refunds"),
        ("<h2>Refunds <b>now</b></h2>", "refunds-now"),
        ("**Refunds**", "refunds"),
    ],
)
def test_anchors_are_found_however_a_site_spells_them(heading: str, anchor: str) -> None:
    assert fold_anchor(anchor) in anchors_of(f"Words.\n\n{heading}\n\nWords.\n")
