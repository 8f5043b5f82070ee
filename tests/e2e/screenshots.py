"""Takes the screenshots of the docs: ``python -m tests.e2e.screenshots [HOME]``."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
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
DRAWN_MS = 800  # charts are drawn after the page says it is done
# Customers of the sample whose waiting answer rests on the policy that changed since.
HELD = ("Abigail Stern", "Devon Price", "Corinne Ashby", "Ray Tolliver")


def main(home: Path) -> None:
    """Take every page, light and dark."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with serving(home) as served, browser() as chromium:
        _keep_runs(home)
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
    page.get_by_text("The draft that waits").wait_for()
    _save(page, "desk-draft", scheme)
    page.locator("a.pd-jump").nth(1).click()
    page.locator("mark.pd-cited:target").wait_for()
    _save(page, "desk-cited", scheme)
    _ask(page, "add who pays when the tracker is defective")
    page.get_by_text("Proposed with the assistant").wait_for()
    _save(page, "desk-proposed", scheme)
    _ask(page, "what does the refund policy say about gift cards?")
    page.get_by_text("For you, not in the draft").wait_for()
    _save(page, "desk-looked-up", scheme)
    _by_hand(page)
    _save(page, "desk-objected", scheme)
    for name, file in (("Missing context", "desk-missing"), ("Stale source", "desk-stale")):
        _queue(page, name)
        _save(page, file, scheme)


def _ask(page: Page, text: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(text)
    box.press("Enter")


def _by_hand(page: Page) -> None:
    """Write something that the source does not say into the draft."""
    settled(page)
    page.locator(".st-key-answer-edit button").click()
    box = page.get_by_label("The answer as the customer will read it")
    expect(box).not_to_have_value("")
    box.fill(box.input_value().replace("$6.95", "$3.00"))
    page.get_by_role("button", name="Check it").click()
    page.locator(".pd-body-of-draft .pd-finding").first.wait_for()


def _queue(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).or_(page.get_by_role("radio", name=name)).first.click()
    settled(page)
    chosen = page.locator('[class*="st-key-queue-filter"] [aria-checked="true"]', has_text=name)
    chosen.wait_for()
    settled(page)
    card = page.locator('[class*="st-key-card"]').first
    customer = card.locator(".pd-card-who").inner_text()
    card.click()
    page.locator(".pd-line", has_text=customer).first.wait_for()


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
    page.keyboard.press("Escape")
    page.locator(".st-key-decide-form-edit").wait_for(state="hidden")
    page.locator("h3", has_text="Reviews").click()
    page.keyboard.press("?")
    _save(page, "reviews-keys", scheme)
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    page.locator(".st-key-decide-form-reject").wait_for()
    _save(page, "reviews-reject", scheme)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Approve many").click()
    page.get_by_text("Answers of the lowest tier").wait_for()
    _save(page, "reviews-many", scheme)
    page.get_by_role("button", name="Back to the queue").click()
    for view in ("Escalated", "Decided"):
        choose(page, view)
        _save(page, f"reviews-{view.lower()}", scheme)
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
    page.get_by_test_id("stDataFrame").first.wait_for()
    _save(page, "sources", scheme)
    for pill, name in (
        ("Contradiction", "sources-conflict"),
        ("Comes due", "sources-due"),
        ("No source", "sources-gaps"),
        ("What changed", "sources-changes"),
        ("Articles", "sources-articles"),
    ):
        _press(page, pill)
        _save(page, name, scheme)
    page.goto(f"http://localhost:{served.port}/?article=help-center/returns/return-policy.md")
    page.locator(".pd-reading").wait_for()
    _save(page, "sources-article", scheme)
    page.get_by_label("Beside").click()
    page.get_by_role("option", name="Version 1").click()
    page.locator(".pd-facts").wait_for()
    _save(page, "sources-versions", scheme)
    page.get_by_label("Search the passages in force").fill("how long until my refund arrives")
    page.keyboard.press("Enter")
    page.locator("mark.pd-found").first.wait_for()
    _save(page, "sources-search", scheme)


def _press(page: Page, name: str) -> None:
    """Choose one of several, exactly so named or followed by a count."""
    named = re.compile(rf"^{name}( \d+)?$")
    page.get_by_role("radio", name=named).or_(page.get_by_role("button", name=named)).first.click()
    settled(page)
    page.wait_for_timeout(DRAWN_MS)


def _admin(page: Page, served: Served, scheme: str) -> None:
    sign_in(page, served.link("admin"))
    for name, views in (
        ("People", ()),
        ("Quality", ("Eval runs",)),
        ("Settings", ("Settings in force", "Who may do what")),
    ):
        go_to(page, name)
        page.wait_for_timeout(DRAWN_MS)
        _save(page, name.lower(), scheme)
        for view in views:
            _press(page, view)
            _save(page, f"{name}-{view.split()[0]}".lower(), scheme)


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
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as folder:
            main(Path(folder) / "home")
