"""Stands between a desk and its database, and can stop forwarding."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Proxy:
    """Forwards connections of loopback to a socket in the file system.

    Args:
        target: The socket.

    Attributes:
        port: Of loopback.
    """

    def __init__(self, target: Path) -> None:
        self._target = str(target)
        self._flows = threading.Event()
        self._flows.set()
        self._kept_out: set[socket.socket] = set()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._begin(self._accept)

    def hang(self) -> None:
        """Go on accepting and reading; forward nothing."""
        self._flows.clear()

    def go_on(self) -> None:
        """Forward again, what was held back included."""
        self._flows.set()

    def forget(self) -> None:
        """Never again forward anything of the connections that there are, nor tell them."""
        self._kept_out.update(self._open)

    def close(self) -> None:
        """End every connection."""
        self._closed = True
        self.go_on()
        for _ in range(2):  # what was just accepted is in the list the second time
            for one in (self._server, *self._open):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._threads[0].join()
        for thread in self._threads:
            thread.join()
        for one in (self._server, *self._open):
            one.close()

    def _begin(self, *what: Any) -> None:
        self._threads.append(threading.Thread(target=what[0], args=what[1:], daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                self._open.append(client)
                self._begin(self._join, client)

    def _join(self, client: socket.socket) -> None:
        self._flows.wait()
        server = socket.socket(socket.AF_UNIX)
        self._open.append(server)
        with contextlib.suppress(OSError):
            if self._closed:
                return
            server.connect(self._target)
            self._begin(self._forward, server, client)
            self._forward(client, server)

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while some := source.recv(65_536):
                self._flows.wait()
                if source not in self._kept_out:
                    target.sendall(some)
        if source not in self._kept_out:
            for one in (source, target):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def before(target: Path) -> Iterator[Proxy]:
    """Put a proxy before a socket while the block runs."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
