"""The main job in a browser: a pasted message, a proven draft, a decision, a letter."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.e2e.harness import (
    PATIENCE_MS,
    Served,
    go_to,
    next_one,
    open_page,
    settled,
    sign_in,
)

UNDO_SECONDS = 8


@pytest.mark.browser
def test_from_a_pasted_message_to_a_letter(served: Served, chromium: Browser) -> None:
    name = "Wilhelmina Overbeek"
    fetched: list[str] = []
    agent = open_page(chromium)
    agent.on("request", lambda request: fetched.append(request.url))
    sign_in(agent, served.link("agent"))
    assert "signin" not in agent.url
    agent.get_by_role("button", name="New contact").wait_for()
    settled(agent)  # a key pressed while the page is drawn anew is lost
    agent.keyboard.press("n")
    agent.get_by_label("What the customer wrote").fill(
        "Hello, how many days does standard shipping within the US take?"
    )
    agent.get_by_label("Customer's name").fill(name)
    agent.get_by_label("Customer's e-mail address").fill("wilhelmina@example.com")
    agent.get_by_label("Subject").fill("Shipping time")
    agent.get_by_role("button", name="Ask for a draft").click()
    agent.locator(".pd-draft .pd-cite").first.wait_for()
    assert agent.locator("mark.pd-cited").first.inner_text().strip()

    supervisor = open_page(chromium)
    supervisor.on("request", lambda request: fetched.append(request.url))
    sign_in(supervisor, served.link("supervisor"))
    supervisor.locator(".pd-held", has_text="Held by you").wait_for()
    settled(supervisor)
    for _ in range(5):  # from the end of the queue: it is new and of low risk
        next_one(supervisor, "k")
        if supervisor.locator(".pd-line", has_text=name).is_visible():
            break
    supervisor.get_by_test_id("stBaseButton-primary").filter(has_text="Approve").click()
    supervisor.get_by_text("The answer leaves in").wait_for()
    supervisor.get_by_text("The answer leaves in").wait_for(state="hidden", timeout=PATIENCE_MS)

    go_to(supervisor, "Outbox")
    supervisor.locator(".pd-draft", has_text="Wilhelmina").wait_for()
    letters = [path.read_text() for path in (served.home / "outbox").glob("*.eml")]
    assert any("To: wilhelmina@example.com" in letter for letter in letters)
    here = f"localhost:{served.port}/"
    ours = (f"http://{here}", f"ws://{here}", "data:", "blob:")
    assert fetched
    assert [url for url in fetched if not url.startswith(ours)] == []


@pytest.mark.browser
def test_without_a_link_there_is_only_the_way_in(served: Served, chromium: Browser) -> None:
    page = open_page(chromium)
    page.goto(f"http://localhost:{served.port}/?signin=made-up")
    page.get_by_text("This sign-in link is not valid").wait_for()
    assert page.get_by_text("Open your sign-in link").is_visible()
    assert page.get_by_test_id("stTopNavLink").count() == 0
