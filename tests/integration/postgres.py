"""A PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from core.database import Database
from tests.conftest import missing_part

_OF_ONE_VERSION = (
    "\\restrict",
    "\\unrestrict",
    "CREATE SCHEMA public;",
    "SET transaction_timeout",
    "-- Dumped ",
)
"""Lines of a dump that others than its own version, or its own program, do not understand."""


class PostgresServer:
    """A server on a socket in a folder; it can be stopped and started.

    Args:
        folder: An empty folder.
        durable: Whether it waits for the disk; tests have no use for that.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not installed:
            missing_part("PostgreSQL is not installed (apt-get install postgresql)")
        self._programs = installed[-1].parent
        self._folder = folder
        self._durable = durable
        self._as_user: list[str] = []
        if os.getuid() == 0:  # the server refuses to run as root
            self._as_user = ["runuser", "-u", "postgres", "--"]
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
        self._run("initdb", "-A", "trust", "-U", "desk", "-D", str(self._data))

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-c listen_addresses='' -k {self._folder}"
        if not self._durable:
            options += " -c fsync=off -c full_page_writes=off"
        log = ["-l", str(self._folder / "log")]
        self._run("pg_ctl", "-D", str(self._data), "-w", *log, "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: ``immediate`` as a crash would, ``fast`` after cutting every connection."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def running(self) -> bool:
        """Tell whether it runs."""
        return (self._data / "postmaster.pid").exists()

    @property
    def socket(self) -> Path:
        """The socket that it listens on."""
        return self._folder / ".s.PGSQL.5432"

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of the database ``name``."""
        return f"postgresql+psycopg://desk@/{name}?host={self._folder}"

    def new_database(self, name: str, like: str = "template1") -> str:
        """Create a database that is a copy of ``like``, or empty; return its URL."""
        server = Database(self.url("postgres"))
        engine = server.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{like}"'))
        server.close()
        return self.url(name)

    def dump(self, name: str, *options: str) -> str:
        """Return the database ``name`` as SQL that any server understands, later or earlier."""
        plain = ["--no-owner", "--no-privileges", "--no-comments", "--inserts"]
        where = ["-h", str(self._folder), "-U", "desk"]
        said = self._run("pg_dump", *where, *plain, *options, name).stdout.decode()
        kept = [line for line in said.splitlines() if not line.startswith(_OF_ONE_VERSION)]
        return "\n".join(kept) + "\n"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [*self._as_user, str(self._programs / program), *arguments]
        return subprocess.run(command, check=True, capture_output=True)


@contextmanager
def one_server() -> Iterator[PostgresServer]:
    """Run a server while the block runs."""
    # Not in pytest's folder: that one is closed to the user the server runs as.
    with tempfile.TemporaryDirectory(prefix="proofdesk-postgres-") as folder:
        server = PostgresServer(Path(folder))
        server.start()
        yield server
        if server.running():
            server.stop()
