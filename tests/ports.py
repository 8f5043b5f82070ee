"""Ports of loopback for what tests and benches start."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from typing import Final

_GIVEN_TO_NOBODY: Final = range(20_000, 30_000)
"""Below the ports that the machine gives to whoever connects: none of these is taken by chance
between the look and the use."""


def free_port() -> int:
    """Return a port of loopback on which nobody listens now."""
    for port in random.sample(_GIVEN_TO_NOBODY, 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("a hundred ports are taken")
