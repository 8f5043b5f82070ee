"""What stands before every page: the sign-in link, and the headers that shut the page in.

A sign-in link is traded for a cookie before Streamlit sees the request, so that the link's token
reaches neither the page nor the browser's history, and a reload keeps its person signed in. The
cookie cannot be read by scripts; what it holds is worthless once its session is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode

from core.errors import NotAllowed
from desk.people import SESSION_LIFETIME

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

SIGN_IN_PARAMETER: Final = "signin"
REFUSED_PARAMETER: Final = "refused"
OpenSession = Callable[[str], str]

# Streamlit draws with inline styles, its charts compile expressions, components come as blobs, and
# its page holds one inline script. Everything else, and every other host, is shut out: a second
# wall behind the escaping of text.
_INLINE_SCRIPT: Final = "'sha256-THxz9J9+wf7rhwR2YkXJoSZ13UCmYyC+3lNDv2+8ugA='"
CONTENT_SECURITY: Final = "; ".join(
    (
        "default-src 'self'",
        f"script-src 'self' blob: 'unsafe-eval' 'wasm-unsafe-eval' {_INLINE_SCRIPT}",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final = (
    (b"content-security-policy", CONTENT_SECURITY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


def cookie_name(port: int) -> str:
    """Return the cookie of the desk on ``port``: browsers share cookies among the ports of a host."""
    return f"proofdesk-{port}"


class SecurityHeaders:
    """Adds the headers that keep the page to itself to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_shut_in(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        await self._app(scope, receive, send_shut_in if scope["type"] == "http" else send)


class SignInGate:
    """Trades the token of a sign-in link for a cookie, and has the page asked for again without it.

    Args:
        app: What answers every other request.
        open_session: Returns what the cookie holds for a link's token; raises NotAllowed.
        port: Where the desk is served.
    """

    def __init__(self, app: ASGIApp, open_session: OpenSession, port: int) -> None:
        self._app = app
        self._open_session = open_session
        self._cookie = cookie_name(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        asked = parse_qsl(scope.get("query_string", b"").decode("latin-1"))
        token = dict(asked).get(SIGN_IN_PARAMETER)
        if scope["type"] != "http" or scope["method"] != "GET" or not token:
            await self._app(scope, receive, send)
            return
        from starlette.concurrency import run_in_threadpool
        from starlette.responses import RedirectResponse

        rest = [(name, value) for name, value in asked if name != SIGN_IN_PARAMETER]
        try:
            secret = await run_in_threadpool(self._open_session, token)
        except NotAllowed:
            response = RedirectResponse(f"/?{urlencode({REFUSED_PARAMETER: 1})}", 303)
            response.delete_cookie(self._cookie)
        else:
            path = "/" + scope["path"].lstrip("/")  # never another host
            response = RedirectResponse(path + (f"?{urlencode(rest)}" if rest else ""), 303)
            response.set_cookie(
                self._cookie,
                secret,
                max_age=round(SESSION_LIFETIME.total_seconds()),
                httponly=True,
                samesite="strict",
                secure=scope.get("scheme") == "https",
            )
        response.headers["cache-control"] = "no-store"
        await response(scope, receive, send)
