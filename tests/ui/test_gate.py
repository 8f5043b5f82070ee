"""What stands before every page."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from core.errors import NotAllowed
from ui.gate import SecurityHeaders, SignInGate, cookie_name

PORT = 8501


def _open_session(token: str) -> str:
    if token != "good":
        raise NotAllowed("This sign-in link is not valid.")
    return "secret"


def _page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.url.query} {request.cookies.get(cookie_name(PORT), '-')}")


@pytest.fixture
def browser() -> TestClient:
    """A browser before the gate, with a page behind it that says what it was asked."""
    gate = [
        Middleware(SecurityHeaders),
        Middleware(SignInGate, open_session=_open_session, port=PORT),
    ]
    app = Starlette(routes=[Route("/{path:path}", _page)], middleware=gate)
    return TestClient(app, base_url="http://localhost", follow_redirects=False)


def test_a_link_is_traded_for_a_cookie_that_scripts_cannot_read(browser: TestClient) -> None:
    traded = browser.get("/reviews?signin=good&review=rev_1")
    assert traded.status_code == 303
    assert traded.headers["location"] == "/reviews?review=rev_1"
    assert traded.headers["cache-control"] == "no-store"
    cookie = traded.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert browser.get("/reviews?review=rev_1").text == "review=rev_1 secret"


def test_a_link_that_is_not_ours_signs_nobody_in(browser: TestClient) -> None:
    refused = browser.get("/?signin=made-up")
    assert refused.headers["location"] == "/?refused=1"
    assert browser.get(refused.headers["location"]).text == "refused=1 -"


def test_a_link_leads_to_no_other_host(browser: TestClient) -> None:
    traded = browser.get("//evil.example/?signin=good")
    assert not traded.headers["location"].startswith("//")


def test_every_answer_shuts_the_page_in(browser: TestClient) -> None:
    headers = browser.get("/").headers
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
