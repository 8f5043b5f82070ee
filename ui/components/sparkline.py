"""A row of small bars without axes, with what it shows in words.

The page's own markup, like :mod:`ui.components.text`: it holds numbers of ours, and words escaped.
"""

from __future__ import annotations

from collections.abc import Sequence

from ui.components.text import NOTHING, Markup, words


def sparkline(values: Sequence[float | None], says: str) -> Markup:
    """Return a bar for each value, as high as it is; nothing where there are fewer than two.

    Args:
        values: From zero up; None where there is nothing to tell, which is a gap.
        says: What a screen reader says instead.
    """
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return NOTHING
    most = max(known) or 1.0
    bars = "".join(
        "<span></span>"
        if value is None
        else f'<span class="pd-bar" style="height: {100 * value / most:.0f}%"></span>'
        for value in values
    )
    return Markup(f'<div class="pd-spark" role="img" aria-label="{words(says)}">{bars}</div>')
