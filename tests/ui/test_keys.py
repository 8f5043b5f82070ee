"""Keys that Streamlit keeps to itself fail only on the screen that shows their button."""

from __future__ import annotations

import ast
from pathlib import Path

UI = Path(__file__).resolve().parents[2] / "ui"
KEPT_BY_STREAMLIT = {"C", "R"}


def shortcuts() -> dict[str, str]:
    """Return where each key of a button is written → the key."""
    return {
        f"{path.name}:{node.value.lineno}": str(node.value.value)
        for path in sorted(UI.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword)
        and node.arg == "shortcut"
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    }


def test_no_button_has_a_key_that_streamlit_refuses() -> None:
    found = shortcuts()
    assert len(found) > 10
    assert {
        where: key for where, key in found.items() if key.split("+")[-1] in KEPT_BY_STREAMLIT
    } == {}
