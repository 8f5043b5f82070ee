"""A Chroma server of the tests' own."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from retrieval.chroma_server import ChromaAddress
from tests.ports import free_port

_STARTS_WITHIN_SECONDS = 60


class ChromaServer:
    """A server on loopback; it can be stopped and started, on the same port and folder.

    Args:
        folder: Where it keeps its collections.
    """

    def __init__(self, folder: Path) -> None:
        self.address = ChromaAddress("127.0.0.1", free_port(), tls=False)
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        program = Path(sys.executable).with_name("chroma")
        where = ["--host", self.address.host, "--port", str(self.address.port)]
        command = [str(program), "run", "--path", str(self._folder), *where]
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        pause = threading.Event()
        for _ in range(_STARTS_WITHIN_SECONDS * 20):
            try:
                urlopen(f"{self.address.url}/api/v2/heartbeat", timeout=1).close()
                return
            except (URLError, OSError):
                assert self._process.poll() is None, "the Chroma server ended at once"
                pause.wait(0.05)
        raise AssertionError("the Chroma server does not answer")

    def stop(self) -> None:
        """Stop it as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
