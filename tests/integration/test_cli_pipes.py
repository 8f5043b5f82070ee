"""Commands whose output somebody stops reading."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from core.settings import Settings
from desk import cli
from tests.conftest import ROOT
from tests.integration.conftest import OpenDesk


def test_who_has_read_enough_gets_no_traceback(open_synced: OpenDesk, settings: Settings) -> None:
    open_synced().close()
    reading, writing = os.pipe()
    os.close(reading)
    given = {"PROOFDESK_HOME": str(settings.home), "PROOFDESK_WORKSPACE": str(settings.workspace)}
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "desk.cli", "flags", "list"],
            cwd=ROOT,
            env={**os.environ, **given},
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.returncode == 1


def test_a_connection_that_somebody_closes_ends_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["proofdesk", "--help"])
    with pytest.raises(SystemExit):
        cli.main()
    assert signal.getsignal(signal.SIGPIPE) == signal.SIG_IGN
