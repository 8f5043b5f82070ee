"""Pages as functions, on a small desk whose jobs run in the page's own thread."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from desk.bootstrap import Desk
from desk.permissions import Actor
from tests.integration.conftest import (  # noqa: F401 - fixtures
    agent,
    desk,
    example_vectors,
    migrated_home,
    open_synced,
    settings,
    settings_on_sqlite,
    supervisor,
    workspace,
)

SECONDS = 60
OpenPage = Callable[..., AppTest]


def _page(the_desk, actor, name):
    import importlib

    importlib.import_module(f"ui.pages.{name}").render(the_desk, actor)


@pytest.fixture
def open_page(desk: Desk) -> OpenPage:  # noqa: F811
    """Open a page for a person and run it once."""

    def build(name: str, actor: Actor, on: Desk | None = None, **address: str) -> AppTest:
        page = AppTest.from_function(_page, args=(on or desk, actor, name), default_timeout=SECONDS)
        for parameter, value in address.items():
            page.query_params[parameter] = value
        return page.run()

    return build


@pytest.fixture
def admin(desk: Desk) -> Actor:  # noqa: F811
    return desk.people.add(None, "Ingrid", "ingrid@example.com", "admin")


@pytest.fixture
def owner(desk: Desk) -> Actor:  # noqa: F811
    return desk.people.add(None, "Priya", "priya@example.com", "content_owner")


def seen(page: AppTest) -> str:
    """Return all markup of a page, which is where every text of a page stands."""
    assert not page.exception, page.exception
    return "\n".join(element.proto.body for element in page.html)


def button_of(page: AppTest, key: str) -> Button:
    """Return the button whose key begins so: what it acts on ends it."""
    return next(button for button in page.button if str(button.key).startswith(key))
