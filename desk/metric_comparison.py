"""How sure a figure is, and which groups differ by more than chance makes. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from desk.metric_definitions import Metric, Quantile, Ratio
from desk.metric_figures import Figure
from desk.metric_words import NOTHING, value_text
from desk.sampling import exact_share
from desk.shares import FEW, Share, differ, standing_out


def within(metric: Metric, figure: Figure) -> tuple[float, float] | None:
    """Return between which values a share lies with 95 % certainty; None for what is no share.

    The exact interval of Clopper and Pearson.
    """
    if not metric.is_part or not figure.count:
        return None
    return exact_share(int(figure.hits), figure.count)


def figure_text(metric: Metric, figure: Figure) -> str:
    """Return a figure with what it rests on; of few the figures themselves, and no percentage."""
    if figure.value is None:
        return NOTHING
    said = value_text(figure.value, metric.unit)
    if isinstance(metric.measure, Ratio):
        between = "of" if metric.is_part else "against"
        few = figure.count < FEW
        return (
            f"{figure.hits:,.0f} {between} {figure.count:,}"
            if few
            else f"{said} {between} {figure.count:,}"
        )
    told_of_some = metric.unit == "share" or isinstance(metric.measure, Quantile)
    return f"{said}, of {figure.count:,}" if told_of_some and figure.count < FEW else said


def clearly_other(metric: Metric, now: Figure, before: Figure) -> bool:
    """Tell whether a figure differs from the one before by more than chance easily makes.

    Shares by Fisher's exact test. Nothing is known of how lengths and counts scatter: they are told
    apart where there are enough of them.
    """
    if metric.is_part:
        return differ(_share(now), _share(before))
    return min(now.count, before.count) >= FEW


def standing_apart(metric: Metric, groups: Mapping[str, Figure]) -> list[str]:
    """Return a sentence for each group whose share is worse than all others' by more than chance.

    Args:
        metric: A share.
        groups: Name of a group → its figure.
    """
    good = metric.better == "higher"
    shares = {name: _share(figure) for name, figure in groups.items() if figure.count}
    bad = {name: _rest(one) for name, one in shares.items()} if good else shares
    return [
        f"{name} stands out: {_rest(share) if good else share}, "
        f"all others {_rest(others) if good else others}."
        for name, share, others in standing_out(bad)
    ]


def _share(figure: Figure) -> Share:
    return Share(int(figure.hits), figure.count)


def _rest(share: Share) -> Share:
    return Share(share.of - share.hits, share.of)
