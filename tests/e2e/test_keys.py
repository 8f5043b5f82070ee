"""The script behind the keys, on a page of its own that is drawn as Streamlit draws one."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.harness import open_page
from ui.components import keys

APP = '[data-testid="stApp"]'
PAGE = f"""
<div data-testid="stApp" data-test-script-state="running">
  <div id="host">{keys._SHEET}</div><div id="place"></div>
</div>
"""
START = """async ([code, data]) => {
  const script = await import(`data:text/javascript;base64,${code}`)
  window.pressed = []
  script.default({ data, parentElement: document.querySelector("#host") })
}"""
DRAW = """label => {
  const button = document.createElement("button")
  button.innerHTML = `<p>${label}</p><kbd aria-label="Shortcut ${label}">${label}</kbd>`
  button.onclick = () => window.pressed.push(label)
  document.querySelector("#place").append(button)
}"""


@pytest.fixture(scope="module")
def page(one_browser: Browser) -> Iterator[Page]:
    opened = open_page(one_browser, bypass_csp=True)
    yield opened
    opened.context.close()


@pytest.fixture
def drawn_anew(page: Page) -> Page:
    """A page whose buttons are gone while its script runs."""
    page.goto("about:blank")
    page.set_content(PAGE)
    code = base64.b64encode(keys._SCRIPT.read_bytes()).decode()
    data = {"aliases": keys._ALIASES, "opens": ".none", "field": ".none", "paths": []}
    data["decides"] = "#place"
    page.evaluate(START, [code, data])
    return page


@pytest.mark.browser
def test_moving_on_waits_for_the_page_that_is_being_drawn(drawn_anew: Page) -> None:
    drawn_anew.keyboard.press("j")
    drawn_anew.evaluate(DRAW, "J")
    drawn_anew.wait_for_function("() => window.pressed.length > 0")
    assert drawn_anew.evaluate("window.pressed") == ["J"]


@pytest.mark.browser
def test_a_decision_does_not_wait_for_what_nobody_has_seen(drawn_anew: Page) -> None:
    drawn_anew.keyboard.press("a")
    drawn_anew.keyboard.press("j")
    drawn_anew.evaluate(DRAW, "A")
    drawn_anew.evaluate(DRAW, "J")
    drawn_anew.wait_for_function("() => window.pressed.length > 0")
    assert drawn_anew.evaluate("window.pressed") == ["J"]


@pytest.mark.browser
def test_a_key_that_the_page_does_not_offer_waits_for_nothing(drawn_anew: Page) -> None:
    app = drawn_anew.locator(APP)
    app.evaluate("app => (app.dataset.testScriptState = 'notRunning')")
    drawn_anew.keyboard.press("k")
    drawn_anew.evaluate(DRAW, "K")
    drawn_anew.evaluate(DRAW, "J")
    app.evaluate("app => (app.dataset.testScriptState = 'running')")
    drawn_anew.locator("#place").evaluate("place => place.lastChild.remove()")
    drawn_anew.keyboard.press("j")
    drawn_anew.evaluate(DRAW, "J")
    drawn_anew.wait_for_function("() => window.pressed.length > 0")
    assert drawn_anew.evaluate("window.pressed") == ["J"]


@pytest.mark.browser
def test_the_sheet_lists_what_the_page_offers_once_it_is_drawn(drawn_anew: Page) -> None:
    drawn_anew.keyboard.press("?")
    drawn_anew.evaluate(DRAW, "J")
    drawn_anew.locator("dialog dd", has_text="J").wait_for()


@pytest.mark.browser
def test_a_double_click_decides_once(drawn_anew: Page) -> None:
    drawn_anew.evaluate(DRAW, "A")
    approve = drawn_anew.locator("#place button")
    approve.dblclick()
    approve.click()
    assert drawn_anew.evaluate("window.pressed") == ["A", "A"]
