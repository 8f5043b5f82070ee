"""``/metrics`` for Prometheus, beside the probes.

What it tells is a team's own business and not, like a probe, anybody's: it answers only who sends
the token of the settings, and is not there at all without one. Whether the asker is on this machine
is no test: behind a proxy everybody seems to be.
"""

from __future__ import annotations

import asyncio
import hmac
from typing import TYPE_CHECKING

from core.errors import ProofdeskError
from desk.metric_export import as_prometheus

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from desk.bootstrap import Desk


def metrics_route(desk: Desk) -> list[BaseRoute]:
    """Return the address that Prometheus asks; none unless the settings hold a token."""
    token = desk.settings.metrics_token
    if token is None:
        return []
    from prometheus_client import CONTENT_TYPE_LATEST
    from starlette.responses import PlainTextResponse
    from starlette.responses import Response as Answer
    from starlette.routing import Route

    expected = f"Bearer {token.get_secret_value()}".encode()

    async def told(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            return PlainTextResponse(
                "This needs the token of PROOFDESK_METRICS_TOKEN.\n",
                401,
                {"www-authenticate": "Bearer", "cache-control": "no-store"},
            )
        try:
            totals = await asyncio.to_thread(desk.metrics.totals)
        except ProofdeskError as error:
            return PlainTextResponse(f"{error.message}\n", error.http_status)
        return Answer(
            as_prometheus(totals), 200, {"cache-control": "no-store"}, CONTENT_TYPE_LATEST
        )

    return [Route("/metrics", told)]
