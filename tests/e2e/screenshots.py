"""Takes the screenshots of the docs: ``python -m tests.e2e.screenshots [HOME]``."""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.e2e.harness import ROOT, Served, browser, go_to, open_page, serving, settled, sign_in

FOLDER = ROOT / "docs" / "screenshots"
COLOURS = 128
# Customers of the sample whose waiting answer rests on the policy that changed since.
HELD = ("Abigail Stern", "Devon Price", "Corinne Ashby", "Ray Tolliver")


def main(home: Path) -> None:
    """Take every page, light and dark."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with serving(home) as served, browser() as chromium:
        for scheme in ("light", "dark"):
            page = open_page(chromium, scheme)
            _signed_out(page, served, scheme)
            _agent(page, served, scheme)
            _supervisor(page, served, scheme)
            _content_owner(page, served, scheme)
            _admin(page, served, scheme)
            page.context.close()


def _save(page: Page, name: str, scheme: str) -> None:
    settled(page)
    page.mouse.move(640, 5)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    image.save(FOLDER / f"{name}-{scheme}.png", optimize=True)


def _signed_out(page: Page, served: Served, scheme: str) -> None:
    page.goto(f"http://localhost:{served.port}/")
    page.wait_for_selector(".pd-signin")
    _save(page, "sign-in", scheme)


def _agent(page: Page, served: Served, scheme: str) -> None:
    sign_in(page, served.link("agent"))
    _queue(page, "Escalated")
    _save(page, "desk-brief", scheme)
    _queue(page, "All")
    page.get_by_role("button", name="New contact").click()
    page.get_by_label("What the customer wrote").fill(
        "Hi! How long do I have to return a tracker, and what does the return label cost?"
    )
    page.get_by_label("Customer's name").fill("Odile Marchetti")
    page.get_by_label("Subject").fill("Returning my tracker")
    _save(page, "desk-new", scheme)
    page.get_by_role("button", name="Ask for a draft").click()
    page.locator(".pd-draft").first.wait_for()
    _save(page, "desk-draft", scheme)


def _queue(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).or_(page.get_by_role("radio", name=name)).first.click()
    settled(page)
    page.locator('[class*="st-key-card"]').first.click()
    page.locator(".pd-subject").first.wait_for()


def _supervisor(page: Page, served: Served, scheme: str) -> None:
    sign_in(page, served.link("supervisor"))
    page.locator(".pd-held", has_text="Held by you").wait_for()
    _save(page, "reviews", scheme)
    while page.locator(".pd-line").first.inner_text().partition(" ·")[0] not in HELD:
        _next_review(page)
    if not page.locator(".pd-notice .pd-pair").count():
        page.get_by_role("button", name="Approve").click()
        page.locator(".pd-notice .pd-pair").first.wait_for()
    _save(page, "reviews-changed", scheme)
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("The answer as the customer will read it").wait_for()
    _save(page, "reviews-edit", scheme)
    for name in ("Outbox", "Audit"):
        go_to(page, name)
        page.get_by_test_id("stDataFrame").first.wait_for()
        _save(page, name.lower(), scheme)


def _next_review(page: Page) -> None:
    who = page.locator(".pd-line").first.inner_text()
    page.keyboard.press("j")
    page.wait_for_function("who => document.querySelector('.pd-line')?.innerText !== who", arg=who)
    settled(page)


def _content_owner(page: Page, served: Served, scheme: str) -> None:
    sign_in(page, served.link("content_owner"))
    page.get_by_test_id("stDataFrame").wait_for()
    _save(page, "sources", scheme)
    for pill, name in (
        ("Contradiction", "sources-conflict"),
        ("What changed", "sources-changes"),
        ("Articles", "sources-articles"),
    ):
        page.get_by_role("button", name=pill).or_(
            page.get_by_role("radio", name=pill)
        ).first.click()
        settled(page)
        _save(page, name, scheme)
    page.get_by_label("Search the passages in force").fill("how long until my refund arrives")
    page.keyboard.press("Enter")
    page.locator("mark.pd-found").first.wait_for()
    _save(page, "sources-search", scheme)


def _admin(page: Page, served: Served, scheme: str) -> None:
    sign_in(page, served.link("admin"))
    go_to(page, "People")
    page.get_by_test_id("stDataFrame").wait_for()
    _save(page, "people", scheme)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder) / "home")
