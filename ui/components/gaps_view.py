"""The view of coverage: which questions had no source, and who asked them."""

from __future__ import annotations

from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.gaps import (
    STATUSES,
    coverage_chart,
    coverage_sentence,
    gap_shown,
    gap_table,
)
from ui.components.links import go_to_flag, source_address
from ui.components.notice import empty
from ui.components.pager import page_buttons, read_page
from ui.components.text import show, tag, words

PAGE: Final = 50


def gaps_view(desk: Desk, actor: Actor) -> None:
    """Show which questions had no source."""
    source_address()
    now = desk.clock.now()
    weeks = desk.coverage.weeks(actor)
    show(tag("div", "pd-lead", words(coverage_sentence(weeks))))
    if any(week.asked for week in weeks):
        coverage_chart(weeks)
    status = st.pills(
        "Questions",
        list(STATUSES),
        default="open",
        required=True,
        key="gaps.status",
        format_func=lambda one: STATUSES[one],
    )
    gaps, more = read_page(
        "gaps",
        status,
        PAGE,
        lambda limit, after: desk.coverage.gaps(actor, status=status, limit=limit, after=after),
    )
    if not gaps:
        empty(
            "No question without a source",
            "What the desk has to abstain from is grouped here, with who asked."
            if status == "open"
            else "Nothing was ended this way yet.",
        )
        return
    gap = gap_table(gaps, now)
    page_buttons("gaps", gaps, more)
    if gap_shown(actor, gap, desk.coverage.asked(actor, gap.flag_id), now):
        go_to_flag(gap.flag_id)
