"""Every page before axe-core: nothing serious or critical, light and dark, wide and on a tablet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, TimeoutError

from core.vocabulary import Role
from tests.e2e.harness import (
    HEIGHT,
    TABLET,
    WIDTH,
    Served,
    choose,
    go_to,
    open_page,
    settled,
    sign_in,
)

GRAVE: Final = {"serious", "critical"}
SCHEMES: Final[tuple[Literal["dark", "light"], ...]] = ("dark", "light")
Step = tuple[str, Callable[[Page], None]]


LOOKS = 3
DRAWN_MS = 15_000


def grave_findings(page: Page) -> list[str]:
    """Return what axe-core holds against a page, one line a rule with the first place.

    What it holds against a page that is still being drawn is gone at another look.
    """
    for _ in range(LOOKS):
        settled(page)
        if not (grave := _grave(Axe().run(page).response["violations"])):
            break
    return grave


def _grave(found: list[dict[str, Any]]) -> list[str]:
    return [
        f"{finding['id']} ({finding['impact']}, {len(finding['nodes'])}×): "
        f"{finding['nodes'][0]['html'][:160]} {finding['nodes'][0]['failureSummary'][:200]}"
        for finding in found
        if finding["impact"] in GRAVE
    ]


WIDEST: Final = """() => {
  const main = document.querySelector("[data-testid=stMain]")
  if (Math.max(document.documentElement.scrollWidth, main.scrollWidth) <= innerWidth + 1) return ""
  const shows = element => getComputedStyle(element).overflowX === "visible"
  const sticksOut = one =>
    one.parentElement === main || (shows(one.parentElement) && sticksOut(one.parentElement))
  const parts = [...main.querySelectorAll("*")].filter(sticksOut)
  const right = element => element.getBoundingClientRect().right
  const widest = parts.reduce((most, one) => (right(one) > right(most) ? one : most), parts[0])
  return `${widest.className || widest.tagName} to ${right(widest)}: ${widest.textContent.slice(0, 80)}`
}"""


def too_wide(page: Page) -> str:
    """Return what makes it necessary to scroll the page sideways once it has been drawn, or ""."""
    try:
        page.wait_for_function(f"() => !({WIDEST})()", timeout=DRAWN_MS)
    except TimeoutError:  # also when a machine under load never came to look
        return str(page.evaluate(WIDEST))
    return ""


def press(label: str, shows: str) -> Callable[[Page], None]:
    """Return the step that presses a button and waits for what it shows."""

    def step(page: Page) -> None:
        page.get_by_role("button", name=label).first.click()
        page.locator(shows).first.wait_for()

    return step


def bulk(page: Page) -> None:
    choose(page, "To decide")
    press("Approve many", "text=Answers of the lowest tier")(page)


def view(label: str) -> Callable[[Page], None]:
    return lambda page: choose(page, label)


def stay(_page: Page) -> None:
    """Look at the page as it opens."""


def to(name: str) -> Callable[[Page], None]:
    return lambda page: go_to(page, name)


WALKS: Final[dict[Role, list[Step]]] = {
    "agent": [
        ("desk", stay),
        ("new contact", press("New contact", "textarea")),
        ("outbox", to("Outbox")),
    ],
    "supervisor": [
        ("reviews", stay),
        ("reject", press("Reject", ".st-key-decide-form-reject")),
        ("escalated", view("Escalated")),
        ("decided", view("Decided")),
        ("bulk", bulk),
        ("desk", to("Desk")),
        ("this week", to("This week")),
        ("audit", to("Audit")),
        ("metrics", to("Metrics")),
    ],
    "content_owner": [
        ("sources", stay),
        ("what comes due", view("Comes due")),
        ("questions without a source", view("No source")),
        ("changes", view("What changed")),
        ("articles", view("Articles")),
    ],
    "admin": [
        ("people", to("People")),
        ("quality", to("Quality")),
        ("eval runs", view("Eval runs")),
        ("settings", to("Settings")),
        ("settings in force", view("Settings in force")),
        ("permissions", view("Who may do what")),
    ],
}


def put_on(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Have the page drawn in another scheme, as when the system's changes."""
    page.emulate_media(color_scheme=scheme)
    page.wait_for_function(
        "scheme => getComputedStyle(document.querySelector('.stApp')).colorScheme === scheme",
        arg=scheme,
    )


@pytest.mark.browser
@pytest.mark.parametrize("role", list(WALKS))
def test_every_page_is_accessible_in_light_and_dark_and_fits_a_tablet(
    served: Served, chromium: Browser, role: Role
) -> None:
    page = open_page(chromium)
    sign_in(page, served.link(role))
    found: dict[str, list[str]] = {}
    wide: dict[str, str] = {}
    for name, step in WALKS[role]:
        settled(page)
        step(page)
        found |= {f"{name}, {scheme}": findings for scheme, findings in grave_in_each(page)}
        page.set_viewport_size({"width": TABLET[0], "height": TABLET[1]})
        if what := too_wide(page):
            wide[name] = what
        page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
    assert found == {}
    assert wide == {}


def grave_in_each(page: Page) -> Iterator[tuple[str, list[str]]]:
    """Yield the schemes in which axe-core holds something against the page, with what."""
    for scheme in SCHEMES:
        put_on(page, scheme)
        if findings := grave_findings(page):
            yield scheme, findings


@pytest.mark.browser
def test_the_way_in_has_nothing_grave(served: Served, chromium: Browser) -> None:
    page = open_page(chromium)
    page.goto(f"http://localhost:{served.port}/")
    page.wait_for_selector(".pd-signin")
    assert grave_findings(page) == []
