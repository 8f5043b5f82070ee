"""How a desk stops: what it finishes, what it leaves, and what it lets go of."""

from __future__ import annotations

import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.contacts import NewContact, NewMessage
from tests.factories import ADMIN
from tests.integration import other_process
from tests.integration.conftest import OpenDesk
from tests.ports import free_port

QUESTION = NewContact("email", [NewMessage("customer", "How long does a refund take?")])


@pytest.fixture(params=["sqlite"])
def settings(request: pytest.FixtureRequest) -> Settings:
    """Settings on one engine, or on those that a test names."""
    found: Settings = request.getfixturevalue(f"settings_on_{request.param}")
    return found.model_copy(update={"stop_seconds": 1})


def carried_on(settings: Settings, contact: str) -> str:
    """Return where the contact is once the next process has carried it on."""
    desk = open_desk(settings, lock_seconds=60)
    try:
        desk.start()
        desk.contacts.wait_for_draft(contact, 60)
        return desk.contacts.get(ADMIN, contact).summary.status
    finally:
        assert desk.close()


def test_a_job_that_does_not_end_keeps_no_process_and_is_done_by_the_next(
    open_synced: OpenDesk, settings: Settings
) -> None:
    desk = open_synced(inline=False)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    contact = desk.contacts.open(agent, QUESTION)
    desk.close()

    serving = other_process.start(settings, "serve", "-")
    assert serving.stdout is not None
    assert "there\n" in iter(serving.stdout.readline, "")
    serving.send_signal(signal.SIGTERM)
    serving.communicate(timeout=60)  # its job would keep it for ever
    assert serving.returncode == 0
    assert carried_on(settings, contact) == "in_review"


def test_a_signal_just_before_the_server_listens_ends_it(
    open_synced: OpenDesk, settings: Settings
) -> None:
    open_synced(inline=False).close()
    with other_process.start(settings, "lose", str(free_port())) as serving:
        try:
            assert serving.wait(timeout=60) == 0
        finally:
            serving.kill()


@pytest.mark.parametrize(
    "settings",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)],
    indirect=True,
)
def test_a_job_that_fails_while_the_desk_stops_is_not_given_up(
    open_synced: OpenDesk, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, fail, ended = threading.Event(), threading.Event(), threading.Event()
    desk = open_synced(inline=False)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    contact = desk.contacts.open(agent, QUESTION)

    def wait_and_fail(*_: object) -> str:
        begun.set()
        fail.wait()
        ended.set()
        raise RuntimeError("what it works with has been closed")

    with monkeypatch.context() as patched:
        patched.setattr("desk.runs.Runs.carry", wait_and_fail)
        desk.start()
        assert begun.wait(60)
        closing = threading.Thread(target=_close, args=(desk, fail))
        closing.start()
        assert ended.wait(60)
        closing.join()
    assert carried_on(settings, contact) == "in_review"


def _close(desk: Desk, fail: threading.Event) -> None:
    """Close ``desk``; what it waits for fails meanwhile."""
    from desk.jobs import _current

    work = _current[0]

    def fail_then() -> None:
        work.ending.wait()
        fail.set()

    threading.Thread(target=fail_then).start()
    assert desk.close()


def test_a_desk_that_is_closed_lets_go_of_everything_in_its_home(
    open_synced: OpenDesk, settings: Settings
) -> None:
    desk = open_synced(inline=False)
    desk.start()
    desk.search.search("refund", 3)
    assert _open_files(settings.home)
    assert desk.close()
    assert not _open_files(settings.home)


def _open_files(folder: Path) -> list[Path]:
    """Return what this process has open below ``folder``."""
    held = []
    for number in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            held.append(number.readlink())
    return [path for path in held if path.is_relative_to(folder.resolve())]
