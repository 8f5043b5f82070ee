"""The content owner's story in a browser: a contradiction is ended, and the draft changes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.harness import (
    PATIENCE_MS,
    Served,
    open_page,
    settled,
    sign_in,
)


def press(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name)).first.click()
    settled(page)


@pytest.mark.browser
def test_ending_a_contradiction_changes_the_draft_that_waits(
    served: Served, chromium: Browser
) -> None:
    name = "Henrike Sandoval"
    agent = open_page(chromium)
    sign_in(agent, served.link("agent"))
    agent.get_by_role("button", name="New contact").click()
    agent.get_by_label("What the customer wrote").fill(
        "Hello, for how many months can I pause my plan?"
    )
    agent.get_by_label("Customer's name").fill(name)
    agent.get_by_label("Customer's e-mail address").fill("henrike@example.com")
    agent.get_by_role("button", name="Ask for a draft").click()
    agent.locator(".pd-draft .pd-cite").first.wait_for(timeout=4 * PATIENCE_MS)
    agent.context.close()

    owner = open_page(chromium)
    sign_in(owner, served.link("content_owner"))
    settled(owner)
    press(owner, "Contradiction")
    title = "“Charges while a plan is paused” says 6 months"
    owner.locator("h3.pd-subject", has_text=title).wait_for()
    flag = owner.url
    assert "flag=flg_" in flag
    assert re.search(
        r"\d contacts? waits? with a draft", owner.get_by_test_id("stMain").inner_text()
    )

    owner.keyboard.press("a")
    owner.get_by_text("Charges while a plan is paused", exact=True).click()
    owner.get_by_test_id("stForm").get_by_role("button", name="Archive").click()
    owner.get_by_text("Archived. Nothing new will rest on it.").wait_for()
    drafts = owner.locator(".st-key-flag-aftermath")
    drafts.get_by_text("Written anew", exact=True).first.wait_for(timeout=4 * PATIENCE_MS)
    assert drafts.get_by_text(name).is_visible()
    pair = drafts.locator(".pd-pair").first
    assert "6 months" in pair.locator(".pd-passage").first.inner_text()
    assert "6 months" not in pair.locator(".pd-passage").last.inner_text()
    assert "3 months" in pair.locator(".pd-passage").last.inner_text()

    owner.goto(flag)
    owner.get_by_text("archived the article on").wait_for()
    owner.goto(f"http://localhost:{served.port}/?article=help-center/plans/pause-your-plan.md")
    owner.locator(".pd-reading", has_text="3 months").wait_for()
