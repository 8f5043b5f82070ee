"""Connections to PostgreSQL that give a server up that hangs.

A server that hangs, or a proxy before it, still acknowledges what is sent to it: no timeout of TCP
ends the wait for its answer. Nor does a limit on the wait tell it from one at work, since a lock is
waited for as long as its holder needs. So whoever has waited a while asks the server, over another
connection, whether it is still at it.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any, Final, Self

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.errors import OperationalError, _WaitTimeout
from psycopg.pq import TransactionStatus
from psycopg.rows import scalar_row

LOOK_SECONDS: Final = 10.0
"""How long an answer is waited for before somebody looks whether there will be one."""
LOOKS: Final = 2
"""How often in a row the server must not be at it: the answer may come just after one look."""
LOOK_AGAIN_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 5
"""How long a look waits for a connection, and then for its answer."""
_INTERVAL_SECONDS: Final = 0.1
_OWN: Final = "SELECT pg_backend_pid()"
_STATE: Final = "SELECT coalesce(state, 'hidden') FROM pg_stat_activity WHERE pid = %s"


class PatientConnection(psycopg.Connection[Any]):
    """Waits for an answer as long as the server works on it, and no longer."""

    _its_process = 0

    @classmethod
    def connect(cls, *args: Any, **kwargs: Any) -> Self:
        """Connect as psycopg does, and learn which process of the server answers.

        The one that libpq knows is made up where a pooler stands between.
        """
        made = super().connect(*args, **kwargs)
        wanted, made.autocommit = made.autocommit, True
        with made.cursor(row_factory=scalar_row) as cursor:
            made._its_process = cursor.execute(_OWN).fetchone() or 0
        made.autocommit = wanted
        return made

    def wait(
        self, gen: PQGen[RV], interval: float = _INTERVAL_SECONDS, timeout: float | None = None
    ) -> RV:
        """Wait for what the server is asked for.

        Raises:
            psycopg.OperationalError: The server hangs; the connection is closed.
        """
        idle = 0
        while timeout is None:
            try:
                return super().wait(gen, interval, LOOK_AGAIN_SECONDS if idle else LOOK_SECONDS)
            except _WaitTimeout:
                # Nothing was asked where somebody listens for notifications.
                asked = self.pgconn.transaction_status == TransactionStatus.ACTIVE
                idle = idle + 1 if asked and not self._at_it() else 0
                if idle == LOOKS:
                    self.pgconn.finish()
                    raise OperationalError("the server hangs") from None
        return super().wait(gen, interval, timeout)

    def _at_it(self) -> bool:
        given: dict[str, Any] = {
            **self.info.get_parameters(),
            "host": self.info.host,
            "port": self.info.port,
            "password": self.info.password,
            "connect_timeout": ANSWER_SECONDS,
            "autocommit": True,
        }
        try:
            with closing(_Look.connect(**given)) as look:
                state = look.execute(_STATE, [self._its_process]).fetchone()
        except OperationalError as error:
            return "FATAL" in str(error)  # it has no connection for us, but it answers
        return state is not None and not state[0].startswith("idle")


class _Look(psycopg.Connection[Any]):
    def wait(
        self, gen: PQGen[RV], interval: float = _INTERVAL_SECONDS, timeout: float | None = None
    ) -> RV:
        return super().wait(gen, interval, ANSWER_SECONDS if timeout is None else timeout)
