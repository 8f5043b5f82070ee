"""Brings the chosen row of a table into sight."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import streamlit as st

_SCRIPT: Final = Path(__file__).resolve().parents[1] / "assets" / "in_sight.js"


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "proofdesk_in_sight",
        html="<span></span>",
        js=_SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )


def keep_in_sight(within: str, table: str, row: int, height: int) -> None:
    """Scroll a table once so that one of its rows is seen.

    Args:
        within: Key of the container that holds the table.
        table: Names table and row: as long as it is the same, the reader scrolls undisturbed.
        row: Its place, from 0.
        height: Of a row, in pixels.
    """
    data = {"within": f".st-key-{within}", "table": table, "row": row, "height": height}
    _component()(key=f"{within}-in-sight", data=data, height="content")
