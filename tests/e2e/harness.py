"""A served desk and a browser for it, as the tests and the screenshots use them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from playwright.sync_api import Browser, Locator, Page, TimeoutError, sync_playwright

from core.clock import SystemClock
from core.database import Database
from core.settings import Settings
from core.vocabulary import Role
from desk.people import People
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 60_000
WIDTH, HEIGHT = 1280, 800
TABLET = (820, 1180)


@dataclass(frozen=True)
class Served:
    """A desk that is being served on loopback, with its own home."""

    home: Path
    port: int

    def link(self, role: Role) -> str:
        """Return a fresh sign-in link of somebody with this role."""
        database = Database(Settings(home=self.home, _env_file=None).database)
        people = People(database, SystemClock())
        person = next(person for person in people.all() if person.role == role)
        token = people.new_link_token(None, person.id)
        database.close()
        return f"http://localhost:{self.port}/?signin={token}"


@contextmanager
def serving(home: Path, undo_seconds: int = 60, workspace: Path | None = None) -> Iterator[Served]:
    """Serve ``home`` until the block ends: the sample, or a desk of another workspace."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "ui.server"],
        cwd=ROOT,
        env={
            **os.environ,
            "PROOFDESK_HOME": str(home),
            "PROOFDESK_PORT": str(port),
            "PROOFDESK_UNDO_SECONDS": str(undo_seconds),
            "PYTHONUNBUFFERED": "1",
            **({"PROOFDESK_WORKSPACE": str(workspace)} if workspace else {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert server.stdout
    said: list[str] = []
    served = threading.Event()
    # Read to its end: a server whose output nobody takes stands still when the pipe is full.
    reader = threading.Thread(target=_read, args=(server.stdout, said, served))
    reader.start()
    try:
        served.wait()
        if not any("http://" in line for line in said):
            raise AssertionError("the desk was not served:\n" + "".join(said))
        yield Served(home, port)
    finally:
        server.terminate()
        server.wait(timeout=60)
        reader.join()
        server.stdout.close()


def _read(output: IO[str], said: list[str], served: threading.Event) -> None:
    for line in output:
        said.append(line)
        if "http://" in line:
            served.set()
    served.set()


@contextmanager
def browser() -> Iterator[Browser]:
    """Start Debian's chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


def open_page(
    chromium: Browser,
    scheme: str = "light",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    *,
    bypass_csp: bool = False,
) -> Page:
    """Return a new page, with nobody signed in.

    Args:
        chromium: The browser.
        scheme: ``light`` or ``dark``.
        size: Width and height in pixels.
        bypass_csp: Take the page's second wall away, to see whether the first one holds alone.
    """
    context = chromium.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        bypass_csp=bypass_csp,
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


def sign_in(page: Page, link: str) -> None:
    """Follow a sign-in link up to the first page."""
    page.goto(link)
    page.wait_for_selector(".pd-title")


def go_to(page: Page, name: str) -> None:
    """Open another page by the navigation on top."""
    link = page.get_by_test_id("stTopNavLink").filter(has_text=name).first
    if link.evaluate("link => link.closest('[inert]') !== null"):
        # A narrow window folds the last ones away.
        page.get_by_text(re.compile(r"^\d+ more$")).last.click()
        link = page.get_by_test_id("stTopNavDropdownLink").filter(has_text=name).first
    link.click()
    page.locator(".pd-title h3", has_text=name).wait_for()
    settled(page)


def choose(page: Page, label: str) -> None:
    """Choose one of the views, pills or segments of a page."""
    page.get_by_role("button", name=label).or_(page.get_by_role("radio", name=label)).first.click()
    settled(page)


def next_one(page: Page, key: str = "j") -> None:
    """Open the next of a queue (``k``: the one before) by its key, up to the change of the address.

    Pressed again when nothing happened: a key may come while the page is being drawn anew.
    """
    before = page.url
    for _ in range(6):
        page.keyboard.press(key)
        try:
            page.wait_for_function(
                "before => location.href !== before", arg=before, timeout=PATIENCE_MS / 6
            )
        except TimeoutError:
            continue
        settled(page)
        return
    raise AssertionError(f"the next one did not open: {before}")


def press_until(
    page: Page, key: str, what: Locator, state: Literal["visible", "hidden"] = "visible"
) -> None:
    """Press a key until what it shows is there, or gone: a page being drawn may not hear it."""
    for _ in range(6):
        page.keyboard.press(key)
        try:
            what.wait_for(state=state, timeout=PATIENCE_MS / 6)
        except TimeoutError:
            continue
        settled(page)
        return
    raise AssertionError(f"{key} did nothing")


def settled(page: Page) -> None:
    """Wait until the page has been drawn whole."""
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
