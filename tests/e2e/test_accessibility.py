"""Every page before axe-core: nothing serious or critical, light and dark, wide and on a tablet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, TimeoutError

from core.vocabulary import Role
from tests.conftest import missing_part
from tests.e2e.harness import (
    CHROMIUM,
    TABLET,
    Served,
    browser,
    choose,
    go_to,
    open_page,
    serving,
    settled,
    sign_in,
)

GRAVE: Final = {"serious", "critical"}
Step = tuple[str, Callable[[Page], None]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    if not CHROMIUM.exists():
        missing_part(f"{CHROMIUM} is absent: install Debian's chromium")
    with serving(tmp_path_factory.mktemp("served") / "home") as desk:
        yield desk


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


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


def too_wide(page: Page) -> bool:
    """Tell whether the page must be scrolled sideways once it has been drawn."""
    fits = (
        "() => Math.max(document.documentElement.scrollWidth, "
        "document.querySelector('[data-testid=stMain]').scrollWidth) <= innerWidth + 1"
    )
    try:
        page.wait_for_function(fits, timeout=DRAWN_MS)
    except TimeoutError:  # also when a machine under load never came to look
        return not page.evaluate(fits)
    return False


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
        ("audit", to("Audit")),
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


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("role", list(WALKS))
def test_axe_finds_nothing_grave(
    served: Served, chromium: Browser, role: Role, scheme: str
) -> None:
    page = open_page(chromium, scheme)
    sign_in(page, served.link(role))
    found = {}
    for name, step in WALKS[role]:
        settled(page)
        step(page)
        if findings := grave_findings(page):
            found[name] = findings
    page.context.close()
    assert found == {}


@pytest.mark.browser
def test_the_way_in_has_nothing_grave(served: Served, chromium: Browser) -> None:
    page = open_page(chromium)
    page.goto(f"http://localhost:{served.port}/")
    page.wait_for_selector(".pd-signin")
    assert grave_findings(page) == []
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("role", list(WALKS))
def test_a_tablet_needs_no_sideways_scrolling(
    served: Served, chromium: Browser, role: Role
) -> None:
    page = open_page(chromium, size=TABLET)
    sign_in(page, served.link(role))
    wide = []
    for name, step in WALKS[role]:
        settled(page)
        step(page)
        settled(page)
        wide += [name] if too_wide(page) else []
    page.context.close()
    assert wide == []
