"""An agent's story in a browser: a pasted message, the chat, one press to a source, a reviewed answer."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.harness import Served, open_page, settled, sign_in


def ask(page: Page, text: str) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(text)
    box.press("Enter")


@pytest.mark.browser
def test_a_pasted_message_becomes_a_reviewed_answer_with_the_chat(
    served: Served, chromium: Browser
) -> None:
    agent = open_page(chromium)
    sign_in(agent, served.link("agent"))
    agent.get_by_role("button", name="New contact").click()
    agent.get_by_label("What the customer wrote").fill(
        "Hi! How long do I have to return a tracker?"
    )
    agent.get_by_label("Customer's name").fill("Odile Marchetti")
    agent.get_by_label("Subject").fill("Returning my tracker")
    agent.get_by_role("button", name="Ask for a draft").click()
    agent.get_by_text("The draft that waits").wait_for()
    settled(agent)
    assert "contact=con_" in agent.url

    agent.locator("a.pd-jump").first.click()  # one press
    marked = agent.locator("mark.pd-cited:target")
    marked.wait_for()
    assert "30 days" in marked.inner_text()
    assert agent.locator(".pd-card-source:has(:target) .pd-around").first.is_visible()

    ask(agent, "add the return label cost")
    agent.get_by_text("Proposed with the assistant").wait_for()
    assert "$" in agent.locator(".pd-fresh").first.inner_text()
    ask(agent, "what does the refund policy say about gift cards?")
    agent.get_by_text("For you, not in the draft").wait_for()
    assert agent.get_by_text("Proposed with the assistant").is_visible()
    ask(agent, "in French")
    agent.get_by_text("Another language needs a language model").wait_for()

    settled(agent)
    agent.get_by_test_id("stChatInputTextArea").fill("half a thought")
    supervisor = open_page(chromium)
    sign_in(supervisor, served.link("supervisor"))
    settled(supervisor)

    agent.locator(".st-key-proposal-forward button").click()
    agent.get_by_text("It waits in the review queue now.").wait_for()
    box = agent.get_by_test_id("stChatInputTextArea")
    assert box.input_value() == "half a thought"

    supervisor.goto(agent.url)  # the link to a contact works for whoever may see it
    supervisor.locator(".pd-subject", has_text="Returning my tracker").wait_for()
    settled(supervisor)
    supervisor.locator('[class*="st-key-decide-approve-"] button').click()
    supervisor.get_by_text("The answer leaves in").wait_for()
    # Seen without a reload, and what is being typed stays.
    agent.locator(".pd-draft-head", has_text="The draft that waits").wait_for(state="hidden")
    assert box.input_value() == "half a thought"
