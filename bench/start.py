"""From starting the desk to its first page, against an empty Streamlit page.

    python -m bench.start

Each server is started in a process of its own and asked for its health and its first page; the
desk's home is set up beforehand. Also reports the memory of the running desk.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench._measure import resident_megabytes, table
from core.settings import Settings
from desk.sample import ensure_sample
from tests.ports import free_port

WAIT_SECONDS = 120.0


def seconds_to_first_page(
    command: list[str], port: int, environment: dict[str, str]
) -> list[float]:
    """Return seconds to the first page, and the memory in MB once it stands."""
    start = time.perf_counter()
    server = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while time.perf_counter() - start < WAIT_SECONDS:
            try:
                with urllib.request.urlopen(f"http://localhost:{port}/", timeout=1) as page:
                    if page.status == 200:
                        return [time.perf_counter() - start, resident_megabytes(server.pid)]
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.02)
        raise TimeoutError(f"{command} showed no page in {WAIT_SECONDS} s")
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, empty = Path(folder) / "home", Path(folder) / "empty.py"
        empty.write_text("import streamlit as st\nst.text('empty')\n")
        ensure_sample(Settings(home=home, _env_file=None))
        port = free_port()
        streamlit = [sys.executable, "-m", "streamlit", "run", str(empty)]
        streamlit += ["--server.headless=true", f"--server.port={port}"]
        floor, floor_memory = seconds_to_first_page(streamlit, port, dict(os.environ))
        port = free_port()
        environment = {**os.environ, "PROOFDESK_HOME": str(home), "PROOFDESK_PORT": str(port)}
        desk, memory = seconds_to_first_page([sys.executable, "-m", "ui.server"], port, environment)
    result = {
        "floor_seconds": round(floor, 2),
        "desk_seconds": round(desk, 2),
        "ratio": round(desk / floor, 2),
        "floor_memory_mb": round(floor_memory),
        "desk_memory_mb": round(memory),
    }
    print(json.dumps(result) if options.json else table(list(result.items())))


if __name__ == "__main__":
    main()
