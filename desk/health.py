"""How the parts of a desk are: what `proofdesk doctor` tells a person and the probes a machine.

Alive is a process that answers; nothing else is looked at, so that no part that is away gets it
killed. Ready is one that work can be given to: see :func:`is_ready`.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from socket import create_connection, create_server
from typing import TYPE_CHECKING, Any, Final, TypedDict
from urllib.parse import urlsplit

from core.errors import (
    BadInput,
    DatabaseUnavailable,
    IndexUnavailable,
    ModelUnavailable,
    ProofdeskError,
    Unavailable,
)
from desk.metric_endpoint import metrics_route
from desk.workers import count_workers

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import BaseRoute

    from desk.bootstrap import Desk

NEEDED: Final = ("database", "index", "jobs")
"""Parts without which a process is not ready. Without the model it still drafts, and says so."""

LOOK_SECONDS: Final = 3.0
MODEL_SECONDS: Final = 1.0
REMEMBERED_SECONDS: Final = 1.0
_PORTS: Final = {"http": 80, "https": 443}


class Part(TypedDict):
    """How one part is. ``says`` is a plain sentence, with what to do where it is not well."""

    part: str
    ok: bool
    says: str


def look_at(name: str, look: Callable[[], str]) -> Part:
    """Return how a part is; ``look`` says it, or raises what is wrong. Never raises."""
    try:
        return {"part": name, "ok": True, "says": look()}
    except ProofdeskError as error:
        return {"part": name, "ok": False, "says": error.message}
    except Exception as error:  # a broken part must not hide the others, nor its words a secret
        return {"part": name, "ok": False, "says": f"It failed with {type(error).__name__}."}


def parts_at_work(desk: Desk) -> list[Part]:
    """Return how the parts are that a working desk rests on; builds nothing."""
    looks: dict[str, Callable[[Desk], str]] = {
        "database": database,
        "index": index,
        "jobs": jobs,
    }
    if desk.settings.model:
        looks["model"] = model
    found: dict[str, Part] = {}

    def say(name: str, look: Callable[[Desk], str]) -> None:
        found[name] = look_at(name, lambda: look(desk))

    threads = [
        threading.Thread(target=say, args=item, name="look", daemon=True) for item in looks.items()
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + LOOK_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = f"No answer within {LOOK_SECONDS:g} seconds."
    return [found.get(name, {"part": name, "ok": False, "says": late}) for name in looks]


def is_ready(parts: Sequence[Part]) -> bool:
    """Tell whether a process whose parts are so can be given work."""
    well = {part["part"] for part in parts if part["ok"]}
    return well.issuperset(NEEDED)


def database(desk: Desk) -> str:
    """Say that the database answers. Raises DatabaseUnavailable."""
    if not desk.database.answers():
        raise DatabaseUnavailable("The database does not answer; work waits for it.")
    return f"{desk.database.engine.dialect.name} answers and is migrated."


def index(desk: Desk) -> str:
    """Say that there is an index to search. Raises IndexUnavailable."""
    if not desk.index_is_built:
        raise IndexUnavailable("The search index is being built.")
    if desk.index_trouble:
        return f"Searches are answered from memory: {desk.index_trouble}."
    return "The search index is built."


def jobs(desk: Desk) -> str:
    """Say who carries the work out. Raises Unavailable, when nobody does or this process ends."""
    if desk.ends:
        raise Unavailable("This process finishes what it began and takes nothing more.")
    if desk.shares_work:
        count = count_workers(desk.database.engine)
        if not count:
            raise Unavailable("No worker is running: start one with `proofdesk worker`.")
        return "1 worker is running." if count == 1 else f"{count} workers are running."
    if desk.works:
        return "This process carries the work out."
    if desk.owns_home:
        return "No desk is running here; commands do their own work."
    return "A running desk carries the work out."


def model(desk: Desk) -> str:
    """Say whether the model can be reached, without asking it anything. Raises ModelUnavailable."""
    given = desk.settings
    if not given.model_url:
        return f"{given.model} is asked with each contact."
    address = urlsplit(given.model_url)
    port = address.port or _PORTS.get(address.scheme, 80)
    try:
        with closing(create_connection((address.hostname or "", port), MODEL_SECONDS)):
            return f"{given.model} can be reached."
    except OSError:
        raise ModelUnavailable(
            f"{given.model} cannot be reached; answers are composed of the sources' own sentences."
        ) from None


class Readiness:
    """What probes are told; looks at most once a second, however often it is asked.

    Args:
        desk: The desk of this process.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._parts: list[Part] = []

    def parts(self) -> list[Part]:
        """Return how the parts are; sees to it that an index that is not built becomes so."""
        with self._lock:
            if time.monotonic() - self._looked > REMEMBERED_SECONDS:
                self._parts = parts_at_work(self._desk)
                self._looked = time.monotonic()
                if not self._desk.index_is_built:
                    self._desk.warm_up()
            return self._parts


def probes(readiness: Readiness) -> list[BaseRoute]:
    """Return the addresses that machines ask: ``/healthz`` and ``/readyz``, both in JSON.

    The first says 200 as long as the process answers at all; the second 200 or 503.
    """
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def alive(_: Request) -> JSONResponse:
        return _answer(200, {"alive": True})

    async def ready(_: Request) -> JSONResponse:
        parts = await asyncio.to_thread(readiness.parts)
        well = is_ready(parts)
        return _answer(200 if well else 503, {"ready": well, "parts": parts})

    def _answer(status: int, body: dict[str, Any]) -> JSONResponse:
        return JSONResponse(body, status, {"cache-control": "no-store"})

    return [Route("/healthz", alive), Route("/readyz", ready)]


def serve_probes(desk: Desk, address: str, port: int) -> None:
    """Answer probes, and Prometheus, beside a worker, in a thread that ends with the process.

    Raises:
        BadInput: The port cannot be listened on.
    """
    import uvicorn
    from starlette.applications import Starlette

    app = Starlette(routes=[*probes(Readiness(desk)), *metrics_route(desk)])
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    try:
        listening = create_server((address, port))
    except OSError as error:
        raise BadInput(
            f"PROOFDESK_HEALTH_PORT: {address}:{port} cannot be listened on: {error.strerror}."
        ) from None
    thread = threading.Thread(target=server.run, args=([listening],), name="probes", daemon=True)
    thread.start()
