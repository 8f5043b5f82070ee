"""The keys of a page: their cheat sheet, a second key for some, where the focus goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import streamlit as st

_SCRIPT: Final = Path(__file__).resolve().parents[1] / "assets" / "keys.js"
_ALIASES: Final = {"Ctrl+Enter": "A", "Z": "U"}
"""A second key → the key of the button that it presses."""
_OPENS: Final = ", ".join(
    f'[class*="st-key-decide-{kind}-rev_"]' for kind in ("edit", "approve", "answer")
)
_DECIDES: Final = ", ".join(
    (
        ".st-key-decide-bar",
        '[class*="st-key-decide-form"]',
        ".st-key-proposal-bar",
        '[class*="st-key-bulk-send"]',
        ".st-key-undo-corner",
        ".st-key-flag-bar",
        '[data-testid="stForm"]',
    )
)
"""Where a second click of a double click would press what the first one brought up."""
_FIELD: Final = ", ".join(
    (
        ".st-key-decide-form-edit textarea",
        ".st-key-decide-form-approve input",
        ".st-key-decide-form-answer input",
    )
)
_SHEET: Final = """
<button type="button" class="pd-keys-open" aria-label="Keys of this page"
  aria-haspopup="dialog"><span>Keys</span> <kbd>?</kbd></button>
<dialog class="pd-keys" aria-labelledby="pd-keys-title">
  <h2 id="pd-keys-title">Keys of this page</h2>
  <dl></dl>
  <form method="dialog"><button>Close <kbd>Esc</kbd></button></form>
</dialog>
"""


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component(
        "proofdesk_keys",
        html=_SHEET,
        js=_SCRIPT.read_text(encoding="utf-8"),
        isolate_styles=False,
    )


def keys(paths: Sequence[str]) -> None:
    """Put the way to the cheat sheet on the page; the sheet lists what the page offers now.

    Args:
        paths: The addresses of the desk, for which a chosen theme is kept.
    """
    data = {
        "aliases": _ALIASES,
        "opens": _OPENS,
        "decides": _DECIDES,
        "field": _FIELD,
        "paths": list(paths),
    }
    _component()(key="keys", data=data, width="content")
