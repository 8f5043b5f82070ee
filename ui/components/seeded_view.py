"""Seeded checks: who catches the faults that were slipped in, and how long they looked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.queues import ContactQueues
from desk.seeded import CatchRate, SeededLine
from ui.components.evidence import old_beside_new
from ui.components.labels import chip, warning_chip, when
from ui.components.notice import empty
from ui.components.pager import page_buttons, read_page
from ui.components.rate_chart import Share, rate_chart
from ui.components.text import Markup, readable_text, say, show, tag, words

_PAGE: Final = 10
_KINDS: Final = {
    "old_value": "An old value",
    "wrong_value": "A wrong value",
    "promise": "A promise beyond its source",
    "other_answer": "An answer to another question",
}


def seeded_view(desk: Desk, actor: Actor) -> None:
    """Show catch rates and the checks that ended."""
    rates = desk.seeded.catch_rates(actor)
    if not rates:
        empty(
            "No seeded check was decided yet",
            "Set seeded.rate in the workspace's operations.yaml: drafts with a known fault then wait "
            "among the others, and whoever decides one is told at once.",
        )
        return
    show(tag("div", "pd-lead", words(lead(rates))))
    show(tag("h4", "pd-section", words("Faults caught, by reviewer")))
    rate_chart(
        [
            Share(one.name, one.caught / one.met, one.low, one.high, f"{one.caught} of {one.met}")
            for one in rates
        ],
        key="seeded.rates",
        title="Share of seeded faults that each reviewer caught",
        whole=True,
    )
    _table(rates)
    _ended(desk, actor)


def lead(rates: Sequence[CatchRate]) -> str:
    """Return how many faults were caught, how many had no mark, and how many of those were caught."""
    met, caught = sum(one.met for one in rates), sum(one.caught for one in rates)
    unmarked = sum(one.unmarked_met for one in rates)
    alone = sum(one.unmarked_caught for one in rates)
    return (
        f"{caught} of {met} seeded faults were caught. {unmarked} of the {met} ({unmarked / met:.0%}) "
        f"the check had not marked, so that only reading finds them: of these {alone} were caught."
    )


def _table(rates: Sequence[CatchRate]) -> None:
    st.dataframe(
        [
            {
                "Reviewer": readable_text(one.name),
                "Met": one.met,
                "Caught": one.caught,
                "Unmarked met": one.unmarked_met,
                "Unmarked caught": one.unmarked_caught,
                "Looked before catching": _seconds(one.dwell_caught),
                "Looked before missing": _seconds(one.dwell_missed),
            }
            for one in rates
        ],
        key="seeded.people",
        hide_index=True,
        alt="Seeded checks by reviewer",
        column_config={
            "Unmarked met": st.column_config.NumberColumn(
                help="The check had not marked the fault: only reading finds it."
            ),
            "Looked before catching": st.column_config.TextColumn(
                help="Median time from taking it up to the decision."
            ),
        },
    )


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"


def _ended(desk: Desk, actor: Actor) -> None:
    show(tag("h4", "pd-section", words("What they were")))
    lines, more = read_page(
        "seeded",
        None,
        _PAGE,
        lambda limit, last: desk.seeded.ended(
            actor, limit=limit, before=last.review_id if last else None
        ),
    )
    names = ContactQueues(desk.database).names()
    show(*(_line(desk, line, names.get(line.by, line.by)) for line in lines))
    page_buttons("seeded", lines, more)
    say(
        "Nothing of a seeded check is ever sent, and nothing that counts contacts counts it.",
        "pd-faint",
    )


def _line(desk: Desk, line: SeededLine, who: str) -> Markup:
    end = line.end
    caught = end.outcome == "caught"
    looked = f" after {_seconds(line.dwell_seconds)}" if line.dwell_seconds is not None else ""
    return tag(
        "div",
        "pd-quoted",
        tag(
            "div",
            "pd-badges",
            chip("Caught") if caught else warning_chip("Missed"),
            tag("strong", "", words(_KINDS[end.kind])),
            chip("The check had marked it") if end.marked else chip("Not marked by the check"),
            tag("span", "pd-faint", words(f"{who}{looked}, ")),
            when(line.at, desk.clock.now()),
        ),
        tag(
            "div",
            "pd-pair",
            *old_beside_new(end.before, end.after, ("As it should read", "As it read")),
        ),
    )
