"""How the command line shows the QA sample and the seeded checks."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from desk.qa_report import QaReport
from desk.sampling import Agreement, Estimate
from desk.seeded import CatchRate
from desk.terminal import terminal


def qa_tables(report: QaReport) -> None:
    """Print rates with their 95 % intervals, and how far readers agree."""
    console, drawn = terminal(), report.draw
    console.print(
        f"{drawn.id}: {drawn.contacts} contacts ended from {drawn.since:%Y-%m-%d %H:%M} until "
        f"{drawn.until:%Y-%m-%d %H:%M} UTC; {drawn.read} of {drawn.picked} drawn are read."
    )
    table = Table("Fail", "Share", "At least", "At most", "Read", box=None, pad_edge=False)
    table.add_row("As a whole", *_cells(report.overall))
    for title, rates in (
        ("", report.items),
        ("ended: ", report.outcomes),
        ("reason: ", [one for one in report.reasons if one.estimate.read]),
    ):
        for rate in rates:
            table.add_row(Text(f"{title}{rate.name or 'none known'}"), *_cells(rate.estimate))
    console.print(table)
    console.print(_agreement(report.agreement))


def catch_table(rates: Sequence[CatchRate]) -> None:
    """Print who caught how many seeded checks."""
    console = terminal()
    if not rates:
        console.print("No seeded check was decided yet.")
        return
    heads = ("Reviewer", "Caught", "Of", "At least", "At most", "Unmarked caught", "Of")
    table = Table(*heads, box=None, pad_edge=False)
    for one in rates:
        table.add_row(
            Text(one.name),
            str(one.caught),
            str(one.met),
            f"{one.low:.0%}",
            f"{one.high:.0%}",
            str(one.unmarked_caught),
            str(one.unmarked_met),
        )
    console.print(table)


def _cells(told: Estimate) -> tuple[str, str, str, str]:
    share = "" if told.rate is None else f"{told.rate:.1%}"
    return share, f"{told.low:.1%}", f"{told.high:.1%}", f"{told.failed} of {told.read}"


def _agreement(told: Agreement) -> str:
    if told.share is None:
        return "No contact has been read by two people yet."
    kappa = "one verdict only" if told.kappa is None else f"kappa {told.kappa:.2f}"
    return (
        f"Two readers agree on {told.share:.0%} of {told.pairs} contacts "
        f"({told.low:.0%} to {told.high:.0%}; {kappa})."
    )
