"""What a reviewer is told of a seeded check at the moment they decided it."""

from __future__ import annotations

from desk.seeded_ends import SeededEnd, told_of
from ui.components.notice import keep


def tell_of_seeded(end: SeededEnd) -> None:
    """Have it shown on the next run of the page, once."""
    said, what = told_of(end)
    keep(said, "good" if end.outcome == "caught" else "warning", what)
