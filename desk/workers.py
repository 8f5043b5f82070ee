"""Several workers on one PostgreSQL database: each tells that it lives, and takes over from the dead.

DBOS recovers by itself only what its own executor began. Each worker therefore holds an advisory
lock of its name for as long as it lives; whoever gets the lock of a name that still has work under
way knows that its worker is gone, and puts that work back on the queue. The server lets go of a lock
as soon as the holder's connection ends, so nobody's clock matters.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import Engine

from core.identifiers import new_id
from core.locks import AdvisoryLocks

BEAT_SECONDS: Final = 1.0
# After a restart of the server every worker is without its lock for a moment.
GRACE_BEATS: Final = 5
LET_GO_SECONDS: Final = 4.0

_EVERYBODY: Final = "proofdesk workers"

_log = logging.getLogger(__name__)


def new_worker_name() -> str:
    """Return a name that no other worker has or had."""
    return f"{socket.gethostname()}-{os.getpid()}-{new_id('worker')}"


def count_workers(engine: Engine) -> int:
    """Return how many workers live on the PostgreSQL database of ``engine``."""
    return AdvisoryLocks(engine).sharing(_EVERYBODY)


class Liveness:
    """Shows that this worker lives, and looks for others that do not.

    Args:
        engine: Connected to the PostgreSQL database that the workers share.
        name: This worker's; see :func:`new_worker_name`.
        at_work: Gives the names of all workers that have work under way.
        take_over: Puts the work of a dead worker back on the queue.
        beat_seconds: Time between two looks.
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        at_work: Callable[[], Collection[str]],
        take_over: Callable[[str], None],
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        self._locks = AdvisoryLocks(engine)
        self._name = name
        self._at_work = at_work
        self._take_over = take_over
        self._beat_seconds = beat_seconds
        self._stopped = threading.Event()
        self._named = threading.Event()
        self._thread = threading.Thread(target=self._live, name="liveness", daemon=True)

    def start(self, timeout_seconds: float) -> bool:
        """Begin, and wait until this worker holds its name; tell whether it does."""
        self._thread.start()
        return self._named.wait(timeout_seconds)

    def stop(self) -> bool:
        """Let go of this worker's name; tell whether that is done.

        Where the database hangs it is not: the server lets go when this process has ended.
        """
        self._stopped.set()
        self._thread.join(LET_GO_SECONDS)
        return not self._thread.is_alive()

    def _live(self) -> None:
        while not self._stopped.is_set():
            try:
                self._hold_on()
            except Exception as error:  # the pool's and DBOS's, too: who ends here counts as dead
                _log.warning("worker %s lost the database: %s", self._name, type(error).__name__)
            self._stopped.wait(self._beat_seconds)

    def _hold_on(self) -> None:
        with self._locks.try_hold(_lock_of(self._name)) as held:
            if held is None:  # the server has not noticed yet that our last connection ended
                return
            held.share(_EVERYBODY)
            self._named.set()
            beats = 0
            while not self._stopped.wait(self._beat_seconds):
                held.confirm()
                beats += 1
                if beats > GRACE_BEATS:
                    self._look_for_the_dead()

    def _look_for_the_dead(self) -> None:
        for name in set(self._at_work()) - {self._name}:
            with self._locks.try_hold(_lock_of(name)) as its:
                if its is not None:
                    _log.warning("worker %s is gone; %s takes its work over", name, self._name)
                    self._take_over(name)


def _lock_of(name: str) -> str:
    return f"proofdesk worker {name}"
