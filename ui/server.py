"""Serves the UI: ``python -m ui.server``. The desk works before the first browser comes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from core.errors import ProofdeskError
from core.settings import Settings
from ui.session import the_desk

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """Open the desk, serve until told to stop, close the desk; return the exit code."""
    settings = Settings(home=Settings().home.absolute())
    os.environ["PROOFDESK_HOME"] = str(settings.home)
    os.chdir(ROOT)  # Streamlit reads .streamlit/config.toml from where it runs
    try:
        desk = the_desk()
    except ProofdeskError as error:
        print(f"proofdesk: {error.message}", file=sys.stderr)
        return error.exit_code
    try:
        _serve(settings.port)
    finally:
        desk.close()
    return 0


def _serve(port: int) -> None:
    from streamlit.web import bootstrap

    options = {"server_port": port, "server_address": "localhost", "server_headless": True}
    bootstrap.load_config_options(options)
    bootstrap.run(str(ROOT / "streamlit_app.py"), False, [], options)


if __name__ == "__main__":
    sys.exit(main())
