"""Runs that fail at first."""

from __future__ import annotations

import pytest

from desk.jobs import MAX_ATTEMPTS
from desk.runs import Runs


def fail_at_first(monkeypatch: pytest.MonkeyPatch, error: Exception) -> list[str]:
    """Have runs fail with ``error`` twice as often as a job may, without pauses; then go on.

    Returns:
        The threads of the runs that failed, one for each time.
    """
    carry = Runs.carry
    failed: list[str] = []

    def fragile(self: Runs, thread: str) -> str:
        if len(failed) > 2 * MAX_ATTEMPTS:
            return carry(self, thread)
        failed.append(thread)
        raise error

    monkeypatch.setattr(Runs, "carry", fragile)
    monkeypatch.setattr("desk.bootstrap.STORAGE_PAUSE_SECONDS", 0.01)
    return failed
