"""A supervisor's day in a browser: ten reviews by keyboard alone, watched from another session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from tests.e2e.harness import (
    PATIENCE_MS,
    Served,
    next_one,
    open_page,
    press_until,
    settled,
    sign_in,
)
from ui.components.review_queue import LOOK_AGAIN_SECONDS

REVIEWS = 10
MOST_PRESSES = 25
SEEN_WITHIN_SECONDS = 3.0


@dataclass
class Hands:
    """Somebody at the keyboard who never touches the mouse.

    Every press is counted, but for those that a machine under load did not hear.
    """

    page: Page
    presses: int = 0
    said: list[str] = field(default_factory=list)

    def decide(self) -> None:
        """Decide what is open as a person would who reads the page, up to the next one."""
        before, notices = self.page.url, self.page.locator(".pd-notice")
        findings = self.page.locator(".pd-finding").count()
        if self.page.locator(".pd-abstained").count():
            self._open("s", self.page.locator(".st-key-decide-escalate-2"))
            self._leave("2", before)
        elif findings or self.page.get_by_text("It was not sent").count():
            self._open("x", self.page.locator(".st-key-decide-reject-out_of_date"))
            self._leave("2", before)
        else:
            self._leave("a", before)
        settled(self.page)
        self.said.append(notices.first.inner_text())

    def _open(self, key: str, shown: Locator) -> None:
        self._press_until(key, lambda: shown.wait_for(timeout=PATIENCE_MS / 6))

    def _leave(self, key: str, before: str) -> None:
        self._press_until(
            key,
            lambda: self.page.wait_for_url(lambda url: url != before, timeout=PATIENCE_MS / 6),
        )

    def _press_until(self, key: str, seen: Callable[[], None]) -> None:
        """Press again what was not heard: the page was being drawn, or the key came too soon."""
        self.presses += 1
        for _ in range(6):
            self.page.keyboard.press(key)
            try:
                seen()
            except TimeoutError:
                continue
            return
        raise AssertionError(f"{key} did nothing")


@pytest.mark.browser
def test_ten_reviews_are_cleared_by_keyboard_and_the_recheck_stops_one(
    served: Served, chromium: Browser
) -> None:
    page = open_page(chromium)
    sign_in(page, served.link("supervisor"))
    page.locator(".pd-held", has_text="Held by you").wait_for()
    settled(page)
    hands, decided = Hands(page), 0
    while decided < REVIEWS:
        hands.decide()
        decided += "It was not sent" not in hands.said[-1]
    assert hands.presses <= MOST_PRESSES, hands.said
    stopped = [said for said in hands.said if "It was not sent" in said]
    assert stopped
    assert "where it said" in stopped[0]
    print(f"{REVIEWS} reviews, {hands.presses} key presses")


@pytest.mark.browser
def test_the_sheet_lists_the_keys_and_hides_them_from_the_page(
    served: Served, chromium: Browser
) -> None:
    page = open_page(chromium)
    sign_in(page, served.link("admin"))
    page.locator(".pd-held").wait_for()
    settled(page)
    before = page.url
    sheet = page.get_by_role("dialog", name="Keys of this page")
    press_until(page, "?", sheet)
    for what in ("Escalate", "Next", "Previous", "Reject"):
        expect(sheet.get_by_text(what, exact=True)).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()
    assert page.url == before
    next_one(page)


@pytest.mark.browser
def test_a_decision_shows_in_another_session_without_a_reload(
    served: Served, chromium: Browser
) -> None:
    watcher, decider = open_page(chromium), open_page(chromium)
    sign_in(watcher, served.link("admin"))
    sign_in(decider, served.link("supervisor"))
    decider.locator(".pd-held", has_text="Held by you").wait_for()
    settled(decider)
    name = decider.locator(".pd-line").first.inner_text().partition(" ·")[0]
    grid = "document.querySelector('[data-testid=stDataFrame] canvas')"
    watcher.wait_for_function(f"name => {grid}?.textContent.includes(name)", arg=name)
    press_until(decider, "s", decider.locator(".st-key-decide-escalate-1"))
    decider.keyboard.press("1")
    decider.get_by_text("Escalated.").wait_for()
    watcher.wait_for_function(f"name => !{grid}?.textContent.includes(name)", arg=name)
    assert LOOK_AGAIN_SECONDS < SEEN_WITHIN_SECONDS  # the rest is the machine's


@pytest.mark.browser
def test_a_reload_keeps_its_person_and_what_was_open(served: Served, chromium: Browser) -> None:
    page = open_page(chromium)
    sign_in(page, served.link("supervisor"))
    page.locator(".pd-held").wait_for()
    settled(page)
    for _ in range(8):  # more than the table shows at a time
        next_one(page)
    line = page.locator(".pd-line").first
    in_sight = (
        "name => document.querySelector('.st-key-reviews-table canvas')?.textContent.includes(name)"
    )
    who, address = line.inner_text(), page.url
    page.wait_for_function(in_sight, arg=who.partition(" ·")[0])
    page.reload()
    expect(line).to_have_text(who, timeout=PATIENCE_MS)
    assert page.url == address
    page.wait_for_function(in_sight, arg=who.partition(" ·")[0])
    assert page.evaluate("document.cookie").find("proofdesk") == -1  # no script can read it
    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("Open your sign-in link").wait_for()
    page.reload()
    page.get_by_text("Open your sign-in link").wait_for()
