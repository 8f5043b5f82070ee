"""One browser for a process, one sample for a whole run; each module is served a copy of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from playwright.sync_api import Browser

from tests.conftest import missing_part
from tests.e2e.harness import CHROMIUM, Served, browser, serving


@pytest.fixture(scope="session")
def one_browser() -> Iterator[Browser]:
    """Debian's chromium, started once."""
    if not CHROMIUM.exists():
        missing_part(f"{CHROMIUM} is absent: install Debian's chromium")
    with browser() as chromium:
        yield chromium


@pytest.fixture
def chromium(one_browser: Browser) -> Iterator[Browser]:
    """The browser; what a test opened in it is closed behind it."""
    yield one_browser
    for context in one_browser.contexts:
        context.close()


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that the first start of the desk has filled, as the README begins; not being served."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "sample" / "home"
    with FileLock(f"{home.parent}.lock"):
        if not (home / "sample-ready").exists():
            with serving(home):
                pass
    return home


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The sample, being served to one module; ``UNDO_SECONDS`` of the module counts."""
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(sample, home)
    with serving(home, getattr(request.module, "UNDO_SECONDS", 60)) as desk:
        yield desk
