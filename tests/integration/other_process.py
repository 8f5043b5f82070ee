"""What the tests with more than one process run in the other ones.

``python -m tests.integration.other_process decide SETTINGS PERSON`` decides the reviews whose ids
come in on its standard input, one a line, and answers ``won`` or ``lost`` for each.
``… die SETTINGS PERSON REVIEW POINT`` decides one review and is killed at a point on the way;
with ``when told`` behind it, it says ``there`` at that point and is killed once a line comes in.
``… serve SETTINGS -`` serves the UI but for its pages, with jobs that never end: it says ``there`` when
it has begun one.
``… lose SETTINGS PORT`` serves the UI and is told to end just before it listens.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import Any

from core.errors import Conflict
from core.settings import Settings
from desk import reviews
from desk.bootstrap import Desk, open_desk
from desk.delivery import Deliveries, EmlTransport
from desk.runs import Runs
from tests.conftest import ROOT

WHEN_TOLD = "when told"
KILL_POINTS = (
    "decided, not resumed",
    "resumed, not settled",
    "before the outbox",
    "in the outbox, not checkpointed",
    "before sending",
    "sent, not written down",
)
SEED_ENDED = "a seeded check ended, not committed"


def start(settings: Settings, *arguments: str) -> subprocess.Popen[str]:
    """Start another process on the home of ``settings``; ``arguments`` begin with what it does."""
    what, *rest = arguments
    named = {"home", "workspace", "undo_seconds", "database_url", "stop_seconds"}
    values = settings.model_dump(mode="json", include=named)
    command = [sys.executable, "-m", "tests.integration.other_process", what, json.dumps(values)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([*command, *rest], text=True, cwd=ROOT, **pipes)


def _decide(desk: Desk, person: str) -> None:
    actor = desk.people.get(person)
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            desk.reviews.decide(actor, line.strip(), {"kind": "approve"})
            print("won", flush=True)
        except Conflict:
            print("lost", flush=True)


def _die(*_: object) -> None:
    if sys.argv[-1] == WHEN_TOLD:
        print("there", flush=True)
        sys.stdin.readline()
    os.kill(os.getpid(), signal.SIGKILL)


def _die_after(owner: object, name: str) -> None:
    original = getattr(owner, name)

    def patched(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        _die()

    setattr(owner, name, patched)


def _arm(point: str) -> None:
    if point == "decided, not resumed":
        Runs.resume = _die  # type: ignore[assignment, method-assign]
    elif point == "resumed, not settled":
        Runs._settle = _die  # type: ignore[assignment, method-assign]
    elif point == "before the outbox":
        Deliveries.put = _die  # type: ignore[assignment, method-assign]
    elif point == "in the outbox, not checkpointed":
        _die_after(Deliveries, "put")
    elif point == "before sending":
        EmlTransport.send = _die  # type: ignore[assignment, method-assign]
    elif point == "sent, not written down":
        _die_after(EmlTransport, "send")
    elif point == SEED_ENDED:
        _die_after(reviews, "end_seeded")
    else:
        raise ValueError(f"{point!r} is no point to be killed at")


def _never_end(*_: object) -> None:
    print("there", flush=True)
    threading.Event().wait()


def _serve(values: dict[str, Any]) -> None:
    from ui import server

    Runs.carry = _never_end  # type: ignore[assignment, method-assign]
    server._serve = lambda *_: sys.stdin.readline()  # type: ignore[assignment]
    _run_server(values)


class _ClearedAway:
    def __del__(self) -> None:
        signal.raise_signal(signal.SIGTERM)


def _lose(values: dict[str, Any]) -> None:
    from streamlit.web import bootstrap

    def print_url(is_running_hello: bool) -> None:
        _ClearedAway()  # Python drops what a handler raises in there

    bootstrap._print_url = print_url
    _run_server(values)


def _run_server(values: dict[str, Any]) -> None:
    from desk.leaving import leave
    from ui import server

    given = {name: value for name, value in values.items() if value is not None}
    os.environ |= {f"PROOFDESK_{name.upper()}": str(value) for name, value in given.items()}
    leave(server.main())


def _main(what: str, settings: str, person: str, *rest: str) -> None:
    if what == "serve":
        _serve(json.loads(settings))
    if what == "lose":
        _lose(json.loads(settings) | {"port": person})
    if what == "die":
        _arm(rest[1])
    desk = open_desk(Settings(**json.loads(settings), _env_file=None))
    desk.start()
    if what == "decide":
        _decide(desk, person)
        desk.close()
    else:
        desk.reviews.decide(desk.people.get(person), rest[0], {"kind": "approve"})
        threading.Event().wait(60)  # its delivery comes after the outcome: the kill ends this


if __name__ == "__main__":
    _main(*sys.argv[1:])
