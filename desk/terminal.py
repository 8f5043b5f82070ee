"""Where the command line prints what people read."""

from __future__ import annotations

import os
from typing import Final

from rich.console import Console

_WIDE: Final = 1_000
"""Columns of what is piped or kept in a file: no cell is cut or broken there."""


def terminal() -> Console:
    """Return a console for tables and texts.

    Texts of customers and articles are never markup: Rich must not read "[red]" in them. A table is
    as wide as the terminal; where nobody looks at one, as wide as what it holds.
    """
    found = Console(markup=False, highlight=False, emoji=False, soft_wrap=True)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = _WIDE
    return found
