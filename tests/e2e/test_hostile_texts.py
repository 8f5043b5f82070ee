"""No text of anybody is more than text: no request leaves, no script runs, no page breaks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect

from core.vocabulary import Role
from tests.conftest import missing_part
from tests.e2e.harness import (
    CHROMIUM,
    Served,
    choose,
    go_to,
    next_one,
    open_page,
    press_until,
    serving,
    settled,
    sign_in,
)
from tests.e2e.hostile import HOST, MARK, hostile_home, hostile_strings


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not CHROMIUM.exists():
        missing_part(f"{CHROMIUM} is absent: install Debian's chromium")
    folder = tmp_path_factory.mktemp("hostile")
    hostile_home(folder / "home", folder / "workspace")
    with serving(folder / "home", workspace=folder / "workspace") as desk:
        yield desk


@dataclass
class Watch:
    """What a page tried that it must not."""

    page: Page
    port: int
    asked: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        self.page.context.on("request", self._note_request)
        self.page.on("dialog", self._note_dialog)

    def _note_request(self, request: Request) -> None:
        ours = tuple(f"{scheme}://localhost:{self.port}/" for scheme in ("http", "ws"))
        if not request.url.startswith((*ours, "data:", "blob:", "about:")):
            self.asked.append(request.url)

    def _note_dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def look(self, where: str) -> None:
        """Look at the page as it stands."""
        settled(self.page)
        self.looks += 1
        state = self.page.evaluate(
            """mark => {
              const main = document.querySelector('[data-testid=stMain]')
              const made = '.stHtml script, .stHtml iframe, .stHtml img, .stHtml svg, .stHtml style, '
                + '.stHtml form, .stHtml a:not(.pd-jump[href^="#"]), [data-testid=stMarkdownContainer] img'
              return {
                ran: Boolean(window[mark]),
                wide: Math.max(document.documentElement.scrollWidth, main.scrollWidth) > innerWidth + 1,
                made: [...document.querySelectorAll(made)].map(e => e.outerHTML.slice(0, 120)),
              }
            }""",
            MARK,
        )
        if state["ran"]:
            self.broken.append(f"{where}: a script ran")
        if state["wide"]:
            self.broken.append(f"{where}: the page scrolls sideways")
        # The style sheets of our own are the only elements that a text may not explain.
        self.broken += [f"{where}: {one}" for one in state["made"] if not one.startswith("<style")]
        if self.page.get_by_text("This page could not be shown").count():
            self.broken.append(f"{where}: the page failed")

    def good(self) -> None:
        assert self.looks
        assert self.asked == []
        assert self.dialogs == []
        assert self.broken == []


def opened(served: Served, page: Page, role: Role) -> Watch:
    watch = Watch(page, served.port)
    sign_in(page, served.link(role))
    settled(page)
    return watch


def test_there_are_two_hundred_different_strings() -> None:
    strings = hostile_strings()
    assert len(set(strings)) == len(strings) == 200
    assert sum(HOST in text for text in strings) > 100
    assert any(len(text) >= 100_000 for text in strings)


@pytest.mark.browser
def test_a_supervisor_reads_them_all_and_nothing_happens(served: Served, chromium: Browser) -> None:
    # Without the second wall, the headers: the first one must hold alone.
    page = open_page(chromium, bypass_csp=True)
    watch = opened(served, page, "supervisor")
    for number in range(5):
        watch.look(f"review {number}")
        next_one(page)
    page.keyboard.press("e")
    page.locator(".st-key-decide-form-edit textarea").wait_for()
    watch.look("edit")
    page.keyboard.press("Escape")
    for view in ("Escalated", "Decided"):
        choose(page, view)
        watch.look(view)
    for name in ("Outbox", "Audit", "Desk"):
        go_to(page, name)
        watch.look(name)
    cards = page.locator('[class*="st-key-queue-open"] button')
    for place in range(min(cards.count(), 3)):
        cards.nth(place).click()
        page.locator(".pd-subject").first.wait_for()
        watch.look(f"contact {place}")
    watch.good()


@pytest.mark.browser
def test_an_owner_reads_hostile_sources_and_nothing_happens(
    served: Served, chromium: Browser
) -> None:
    page = open_page(chromium, bypass_csp=True)
    watch = opened(served, page, "content_owner")
    watch.look("sources")
    for view in ("Comes due", "No source", "What changed", "Articles"):
        choose(page, view)
        watch.look(view)
    watch.good()


@pytest.mark.browser
def test_what_is_typed_into_any_field_stays_text(served: Served, chromium: Browser) -> None:
    texts = [text for text in hostile_strings() if len(text) < 5_000]
    page = open_page(chromium, bypass_csp=True)
    watch = opened(served, page, "admin")
    go_to(page, "People")
    for text in texts[:4]:
        send = page.locator(".st-key-people-add-send button")
        expect(send).to_have_count(1)  # while it is drawn anew, every field is there twice
        settled(page)
        page.get_by_label("Name").last.fill(text[:150])
        page.get_by_label("E-mail address").last.fill(f"{os.urandom(4).hex()}@example.com")
        send.click()
        page.locator(".pd-notice").first.wait_for()
        watch.look("people")
    go_to(page, "Reviews")
    for text in texts[4:8]:
        settled(page)
        field = page.locator(".st-key-decide-form-escalate input[type=text]").first
        press_until(page, "s", field)
        field.fill(text)
        press_until(page, "Escape", field, "hidden")
        watch.look("escalate")
    go_to(page, "Sources")
    search = page.get_by_role("textbox").first
    for text in texts[8:12]:
        search.fill(text)
        search.press("Enter")
        watch.look("search")
    watch.good()


@pytest.mark.browser
def test_the_headers_shut_the_page_in(served: Served, chromium: Browser) -> None:
    page = open_page(chromium)
    answer = page.goto(f"http://localhost:{served.port}/")
    assert answer
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert HOST not in policy
