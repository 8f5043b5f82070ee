"""What contact reasons have earned, as a table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from desk.terminal import terminal


def autonomy_table(found: Mapping[str, Any]) -> None:
    """Print the switch and the contact reasons."""
    console = terminal()
    switch = found["switch"]
    if not switch["on"]:
        console.print(Text(f"Autopilot is stopped for everything. {switch['why']}".strip()))
    table = Table("Reason", "State", "Evidence", "Answers", "Loss", "Lacks", box=None)
    for line in found["reasons"]:
        standing = line["standing"]
        open_to_it = line["state"] in ("review", "eligible")
        lacks = next(iter(standing["missing"]), "") if open_to_it else line["cause"]
        table.add_row(
            Text(line["reason"]),
            line["state"],
            f"{standing['progress']:.0%}",
            str(standing["answers"]),
            f"{standing['loss']:.2f}",
            Text(lacks),
        )
    console.print(table)
