"""Takes the screenshots of the docs.

    python -m tests.e2e.screenshots [FOLDER] [--home HOME]

Without HOME, the sample is set up first. HOME is changed: people work in it.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.harness import (
    ROOT,
    Served,
    browser,
    choose,
    go_to,
    open_page,
    serving,
    settled,
    sign_in,
)

FOLDER = ROOT / "docs" / "screenshots"
COLOURS = 128
AMOUNT = "$6.95"  # what a return label costs in the sample
DRAWN_MS = 500  # tables and charts are painted after the page says it is done
_DRAWN = """() => {
  const seen = element => element.checkVisibility() && element.getBoundingClientRect().width > 0
  const tables = [...document.querySelectorAll('[data-testid="stDataFrame"]')].filter(seen)
  const waits = '[data-testid="stSkeleton"], [data-testid="stSpinner"]'
  return ![...document.querySelectorAll(waits)].some(seen)
    && document.querySelectorAll('[data-stale="true"]').length === 0
    && tables.every(table => {
      const canvas = table.querySelector('canvas[data-testid="data-grid-canvas"]')
      return canvas && canvas.getBoundingClientRect().width > 200
    })
}"""
Save = Callable[[Page, str], None]
# Customers of the sample whose waiting answer rests on the policy that changed since.
HELD = ("Abigail Stern", "Devon Price", "Corinne Ashby", "Ray Tolliver")


def main() -> None:
    """Take every page, light and dark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--home", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="proofdesk-") as made:
        take(options.home or Path(made) / "home", options.folder)


def take(home: Path, folder: Path) -> None:
    """Take every page of the desk at ``home``; the pictures go to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving(home) as served, browser() as chromium:
        _keep_runs(home)
        save = partial(_save, folder)
        for scheme in ("light", "dark"):
            page = open_page(chromium, scheme)
            _signed_out(page, served, partial(save, scheme))
            _agent(page, served, partial(save, scheme))
            _supervisor(page, served, partial(save, scheme))
            _content_owner(page, served, partial(save, scheme))
            _admin(page, served, partial(save, scheme))
            page.context.close()


def _save(folder: Path, scheme: str, page: Page, name: str) -> None:
    """Keep what is seen once all of it has been drawn."""
    settled(page)
    page.wait_for_function(_DRAWN)
    page.mouse.move(640, 5)
    page.wait_for_timeout(DRAWN_MS)
    settled(page)
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(COLOURS)
    image.save(folder / f"{name}-{scheme}.png", optimize=True)


def _signed_out(page: Page, served: Served, save: Save) -> None:
    page.goto(f"http://localhost:{served.port}/")
    page.wait_for_selector(".pd-signin")
    save(page, "sign-in")


def _agent(page: Page, served: Served, save: Save) -> None:
    sign_in(page, served.link("agent"))
    _queue(page, "Escalated", "Dwayne Carter")
    save(page, "desk-brief")
    _queue(page, "All")
    page.get_by_role("button", name="New contact").click()
    page.get_by_label("What the customer wrote").fill(
        "Hi! How long do I have to return a tracker, and what does the return label cost?"
    )
    page.get_by_label("Customer's name").fill("Odile Marchetti")
    page.get_by_label("Subject").fill("Returning my tracker")
    save(page, "desk-new")
    page.get_by_role("button", name="Ask for a draft").click()
    page.get_by_text("The draft that waits").wait_for()
    save(page, "desk-draft")
    page.locator("a.pd-jump").nth(1).click()
    page.locator("mark.pd-cited:target").wait_for()
    save(page, "desk-cited")
    _ask(page, "add who pays when the tracker is defective")
    page.get_by_text("Proposed with the assistant").wait_for()
    save(page, "desk-proposed")
    _ask(page, "what does the refund policy say about gift cards?")
    page.get_by_text("For you, not in the draft").wait_for()
    save(page, "desk-looked-up")
    _by_hand(page)
    save(page, "desk-objected")
    for name, file in (("Missing context", "desk-missing"), ("Stale source", "desk-stale")):
        _queue(page, name)
        save(page, file)


def _ask(page: Page, text: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(text)
    box.press("Enter")


def _by_hand(page: Page) -> None:
    """Write something that the source does not say into the draft."""
    settled(page)
    page.locator(".st-key-answer-edit button").click()
    box = page.get_by_label("The answer as the customer will read it")
    expect(box).to_have_value(re.compile(re.escape(AMOUNT)))
    settled(page)  # what is written while the page is drawn anew is lost
    box.fill(box.input_value().replace(AMOUNT, "$3.00"))
    page.get_by_role("button", name="Check it").click()
    page.locator(".pd-body-of-draft .pd-finding").first.wait_for()


def _queue(page: Page, name: str, who: str = "") -> None:
    page.get_by_role("button", name=name).or_(page.get_by_role("radio", name=name)).first.click()
    settled(page)
    chosen = page.locator('[class*="st-key-queue-filter"] [aria-checked="true"]', has_text=name)
    chosen.wait_for()
    settled(page)
    card = page.locator('[class*="st-key-card"]', has_text=who).first
    customer = card.locator(".pd-card-who").inner_text()
    card.click()
    page.locator(".pd-line", has_text=customer).first.wait_for()


def _supervisor(page: Page, served: Served, save: Save) -> None:
    sign_in(page, served.link("supervisor"))
    page.locator(".pd-held", has_text="Held by you").wait_for()
    save(page, "reviews")
    while page.locator(".pd-line").first.inner_text().partition(" ·")[0] not in HELD:
        _next_review(page)
    if not page.locator(".pd-notice .pd-pair").count():
        page.get_by_role("button", name="Approve").click()
        page.locator(".pd-notice .pd-pair").first.wait_for()
    save(page, "reviews-changed")
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("The answer as the customer will read it").wait_for()
    save(page, "reviews-edit")
    page.keyboard.press("Escape")
    page.locator(".st-key-decide-form-edit").wait_for(state="hidden")
    page.locator("h3", has_text="Reviews").click()
    page.keyboard.press("?")
    save(page, "reviews-keys")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.locator(".st-key-decide-form-reject").wait_for()
    save(page, "reviews-reject")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Approve many").click()
    page.get_by_text("Answers of the lowest tier").wait_for()
    save(page, "reviews-many")
    page.get_by_role("button", name="Back to the queue").click()
    for view in ("Escalated", "Decided"):
        choose(page, view)
        save(page, f"reviews-{view.lower()}")
    for name in ("Autonomy", "Outbox", "Metrics", "Audit"):
        go_to(page, name)
        page.get_by_test_id("stDataFrame").first.wait_for()
        save(page, name.lower())
    go_to(page, "This week")
    for name in ("Monday", "Tasks"):
        _press(page, name)
        save(page, f"week-{name.lower()}")


def _next_review(page: Page) -> None:
    who = page.locator(".pd-line").first.inner_text()
    page.keyboard.press("j")
    page.wait_for_function("who => document.querySelector('.pd-line')?.innerText !== who", arg=who)
    settled(page)


def _content_owner(page: Page, served: Served, save: Save) -> None:
    sign_in(page, served.link("content_owner"))
    page.get_by_test_id("stDataFrame").first.wait_for()
    save(page, "sources")
    for pill, name in (
        ("Contradiction", "sources-conflict"),
        ("Comes due", "sources-due"),
        ("No source", "sources-gaps"),
        ("What changed", "sources-changes"),
        ("Articles", "sources-articles"),
    ):
        _press(page, pill)
        save(page, name)
    page.goto(f"http://localhost:{served.port}/?article=help-center/returns/return-policy.md")
    page.locator(".pd-reading").wait_for()
    save(page, "sources-article")
    page.get_by_label("Beside").click()
    page.get_by_role("option", name="Version 1").click()
    page.locator(".pd-facts").wait_for()
    save(page, "sources-versions")
    page.get_by_label("Search the passages in force").fill("how long until my refund arrives")
    page.keyboard.press("Enter")
    page.locator("mark.pd-found").first.wait_for()
    save(page, "sources-search")


def _press(page: Page, name: str) -> None:
    """Choose one of several, exactly so named or followed by a count."""
    named = re.compile(rf"^{name}( \(today\))?( \d+(.\d+)?)?$")  # "14", or "3/14"
    page.get_by_role("radio", name=named).or_(page.get_by_role("button", name=named)).first.click()
    settled(page)


def _admin(page: Page, served: Served, save: Save) -> None:
    sign_in(page, served.link("admin"))
    for name, views in (
        ("People", ()),
        ("Quality", ("Eval runs",)),
        ("Settings", ("Settings in force", "Who may do what")),
    ):
        go_to(page, name)
        save(page, name.lower())
        for view in views:
            _press(page, view)
            save(page, f"{name}-{view.split()[0]}".lower())


def _keep_runs(home: Path) -> None:
    """Have eval runs lie in the home, of the sample's own cases."""
    for limit in (60, 120, 180):
        arguments = ["reasons", "--limit", str(limit), "--no-beside"]
        environment = {**os.environ, "PROOFDESK_HOME": str(home)}
        subprocess.run(
            [sys.executable, "-m", "evals", *arguments],
            cwd=ROOT,
            env=environment,
            check=False,
            stdout=subprocess.DEVNULL,
        )


if __name__ == "__main__":
    main()
