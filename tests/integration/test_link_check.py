"""Links of a synced help center."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk.bootstrap import Desk
from kb.link_check import LinkCheck, stub_pages
from kb.links import CheckedLinks, LinkMap, Page
from kb.loaders import Unreadable, list_source, parse, read
from kb.workspace import SourceSpec


def checker(desk: Desk) -> LinkCheck:
    return LinkCheck(desk.database, desk.library, desk.workspace)


def write(desk: Desk, name: str, text: str) -> None:
    (desk.settings.workspace_folder / "articles" / name).write_text(text)
    desk.sync()


def test_the_links_of_what_is_in_force_are_looked_at(desk: Desk) -> None:
    write(desk, "start.md", "# Start\n\n[a](refunds.md#who-gets-one) [b](shipping.md#by-air)\n")
    (found,) = checker(desk).broken()
    assert (found.article_id, found.target) == ("help-center/start.md", "shipping.md#by-air")


def test_a_page_that_goes_breaks_the_links_to_it(desk: Desk) -> None:
    write(desk, "start.md", "---\npermalink: /begin/\n---\n# Start\n\n[a](shipping.md)\n")
    assert checker(desk).broken() == []
    (desk.settings.workspace_folder / "articles" / "shipping.md").unlink()
    gone = desk.sync().gone
    looked_at, found = checker(desk).broken_after(gone)
    assert looked_at == {"help-center/shipping.md", "help-center/start.md"}
    assert [one.target for one in found] == ["shipping.md"]


def test_the_address_that_an_author_states_is_kept(desk: Desk) -> None:
    write(desk, "start.md", "---\npermalink: /begin/\nredirect_from: [/old/, /older/]\n---\nHi.\n")
    assert desk.library.article("help-center/start.md").addresses == ["/begin/", "/old/", "/older/"]


def test_a_page_that_only_redirects_is_there(desk: Desk) -> None:
    folder = desk.settings.workspace_folder / "articles"
    (folder / "moved.md").write_text("---\nredirect_from: /help/parcels/\n---\n")
    known = "[a](/help/refunds/) [b](/help/shipping/) [c](/help/start/)"
    for name in ("refunds", "shipping", "start"):
        front = f"---\npermalink: /help/{name}/\n---\n"
        write(desk, f"{name}.md", f"{front}{known} [d](/help/parcels/) [e](/help/none/)")
    assert {one.target for one in checker(desk).broken()} == {"/help/none/"}


def checked(folder: Path) -> CheckedLinks:
    source = SourceSpec(name="hc", path=folder)
    pages = []
    for path, found in list_source(source).found.items():
        try:
            one = parse(found, read(found)[0], source)
        except Unreadable:
            continue
        pages.append(
            Page(path, f"{folder}/{path}", "hc", path, one.title, one.body, one.format,
                 one.url, tuple(one.addresses))
        )  # fmt: skip
    pages += stub_pages("hc", folder, {one.path for one in pages})
    return LinkMap(pages, lambda _, path: (folder / path).exists()).check()


@pytest.mark.data
def test_real_sites_have_few_broken_links_and_none_in_the_best_kept(shared_data: Path) -> None:
    assert checked(shared_data / "helpcenter-basecamp-policies" / "docs").broken == []
    handbook = checked(shared_data / "helpcenter-tts-handbook" / "docs")
    assert handbook.fine > 700
    assert 0 < len(handbook.broken) < 0.02 * handbook.fine
