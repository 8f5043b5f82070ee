"""Serves the UI: ``python -m ui.server``. The desk works before the first browser comes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from core.errors import ProofdeskError
from core.logs import bring_in, write_log
from core.settings import Settings
from core.tracing import send_traces, stop_traces
from desk.bootstrap import Desk
from desk.health import Readiness, probes
from desk.leaving import leave
from desk.metric_endpoint import metrics_route
from desk.sample import ensure_sample
from ui.session import the_desk

ROOT = Path(__file__).resolve().parents[1]
_asked_to_end: list[int] = []


def main() -> int:
    """Open the desk, serve until told to stop, close the desk; return the exit code."""
    settings = Settings(home=Settings().home.absolute())
    write_log(settings.log_format, settings.log_level)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _end)
    os.environ["PROOFDESK_HOME"] = str(settings.home)
    os.chdir(ROOT)  # Streamlit reads .streamlit/config.toml from where it runs
    desk = None
    try:
        with contextlib.suppress(KeyboardInterrupt):
            if settings.traces:
                send_traces()
            ensure_sample(settings, _go_on)
            desk = the_desk()
            _go_on()
            desk.warm_up()
            _serve(desk, settings)
    except ProofdeskError as error:
        print(f"proofdesk: {error.message}", file=sys.stderr)
        return error.exit_code
    finally:
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_IGN)  # it ends within seconds, and in order
        if desk:
            desk.close()
        stop_traces()
    return 0


def _end(ending: int, _: object) -> None:
    """Note that the start is to be broken off; uvicorn, once it serves, has a handler of its own.

    Nothing is raised from here: it would come at any place, within an import that then holds its lock
    for good, or where Python clears something away and drops it.
    """
    _asked_to_end.append(ending)


def _go_on(*_: object) -> None:
    if _asked_to_end:
        raise KeyboardInterrupt


@contextlib.asynccontextmanager
async def _begin(_: object) -> AsyncIterator[None]:
    """Have the server write to the desk's log: Streamlit and uvicorn have set up their own by now."""
    import streamlit.logger

    for ending in _asked_to_end[:1]:
        signal.raise_signal(ending)  # the server's handler is in place by now
    # What Streamlit imports later would get a handler again.
    streamlit.logger.setup_formatter = lambda logger: setattr(logger, "propagate", True)
    bring_in("streamlit", "uvicorn", "websockets")
    yield


def _serve(desk: Desk, settings: Settings) -> None:
    import streamlit as st
    from starlette.middleware import Middleware

    from ui.components.notice import failure
    from ui.gate import SecurityHeaders, SignInGate

    app = st.App(
        ROOT / "streamlit_app.py",
        on_script_error=failure,
        routes=[*probes(Readiness(desk)), *metrics_route(desk)],
        lifespan=_begin,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(SignInGate, open_session=desk.people.open_session, port=settings.port),
        ],
    )
    app.run(
        config={
            "server.port": settings.port,
            "server.address": settings.address,
            "server.headless": True,
        }
    )


if __name__ == "__main__":
    leave(main())
