"""Ports of loopback for what tests and benches start."""

from __future__ import annotations

import socket


def free_port() -> int:
    """Return a port of loopback on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])
