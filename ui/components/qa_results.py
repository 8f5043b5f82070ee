"""What the readings of a sample say of all contacts of its period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from desk.bootstrap import Desk
from desk.permissions import Actor
from desk.qa_report import Difference, DrawLine, QaReport, Rate
from desk.sampling import Agreement, Estimate
from ui.components.labels import plainly
from ui.components.links import open_contact_button
from ui.components.notice import empty
from ui.components.rate_chart import Share, rate_chart
from ui.components.text import say, show, tag, words

OUTCOME_NAMES: Final = {
    "accepted": "Sent as drafted",
    "corrected": "Corrected by a person",
    "escalated": "Handed to a person",
    "reopened": "Customer came back",
    "solved_looking": "Closed without complaint",
    "failed": "Failed",
    "autopilot": "Sent on autopilot",
}
_MOST_REASONS: Final = 12
_MOST_DIFFERENCES: Final = 10


def results_view(desk: Desk, actor: Actor, drawn: DrawLine) -> None:
    """Show rates with their intervals, how far readers agree, and where they do not."""
    if not drawn.read:
        empty("Nobody has read any of it yet", "Read some of it: what it says builds up as you go.")
        return
    report = desk.qa.report(actor, drawn.id)
    show(tag("div", "pd-lead", words(lead(report))))
    names = {reason.id: reason.name for reason in desk.reasons}
    left, right = st.columns(2, gap="large")
    with left:
        show(tag("h4", "pd-section", words("Contacts that fail, and on what")))
        rate_chart(
            [_share("As a whole", report.overall), *_shares(report.items)],
            key="qa.items",
            title="Share of contacts that fail",
        )
    with right:
        show(tag("h4", "pd-section", words("Contacts that fail, by how they ended")))
        rate_chart(
            _shares(report.outcomes, OUTCOME_NAMES),
            key="qa.outcomes",
            title="Share of contacts that fail, by how they ended",
        )
    _by_reason(report.reasons, names)
    _agreement(report)
    _differences(desk, actor, report.differences)


def lead(report: QaReport) -> str:
    """Return in a sentence or two what the sample says so far."""
    overall, drawn = report.overall, report.draw
    if overall.rate is None:
        return "Nobody has read any of it yet."
    said = (
        f"Of {drawn.contacts:,} contacts, an estimated {overall.rate:.1%} fail; "
        f"with 95 % certainty {overall.low:.1%} to {overall.high:.1%}."
    )
    if drawn.read < drawn.picked:
        said += f" {drawn.read} of {drawn.picked} are read: the range narrows as more are."
    return said


def _share(name: str, told: Estimate) -> Share:
    return Share(name, told.rate, told.low, told.high, f"{told.failed} of {told.read} read")


def _shares(rates: Sequence[Rate], names: Mapping[str, str] | None = None) -> list[Share]:
    return [_share((names or {}).get(one.name, one.name), one.estimate) for one in rates]


def _by_reason(rates: Sequence[Rate], names: Mapping[str, str]) -> None:
    read = [one for one in rates if one.estimate.read]
    if not read:
        return
    show(tag("h4", "pd-section", words("Contacts that fail, by contact reason")))
    known = {
        one.name: names.get(one.name) or plainly(one.name) or "No known reason" for one in read
    }
    rate_chart(
        _shares(read[:_MOST_REASONS], known),
        key="qa.reasons",
        title="Share of contacts that fail, by contact reason",
    )
    if left := len(rates) - len(read[:_MOST_REASONS]):
        say(
            f"{left} more contact reason{'s' if left != 1 else ''}: few or none of them read.",
            "pd-faint",
        )


def _agreement(report: QaReport) -> None:
    show(tag("h4", "pd-section", words("How far two readers agree")))
    if not report.agreement.pairs:
        say("No contact has been read by two people yet.", "pd-faint")
        return
    rows = [("As a whole", report.agreement), *report.item_agreement.items()]
    st.dataframe(
        [
            {
                "Judged": name,
                "Read by two": one.pairs,
                "Agree": f"{one.share:.0%}" if one.share is not None else "",
                "With 95 % certainty": f"{one.low:.0%} to {one.high:.0%}" if one.pairs else "",
                "Kappa": _kappa(one),
            }
            for name, one in rows
        ],
        key="qa.agreement",
        hide_index=True,
        alt="Agreement of two readers, by what they judged",
        column_config={
            "Kappa": st.column_config.TextColumn(
                help="Cohen's kappa: agreement beyond chance. 1 is full agreement, 0 is chance."
            )
        },
    )


def _kappa(one: Agreement) -> str:
    if one.kappa is None:
        return "one verdict only" if one.pairs else ""
    return f"{one.kappa:.2f}"


def _differences(desk: Desk, actor: Actor, differences: Sequence[Difference]) -> None:
    if not differences:
        return
    show(tag("h4", "pd-section", words("Where two readers differ")))
    for one in differences[:_MOST_DIFFERENCES]:
        subject = desk.contacts.summary(actor, one.contact_id).subject or one.contact_id
        show(
            tag(
                "div",
                "pd-quoted",
                tag("div", "pd-byline", tag("strong", "", words(subject))),
                tag("div", "pd-faint", words(", ".join(one.items))),
                *(tag("div", "pd-words", words(note)) for note in one.notes),
            )
        )
        open_contact_button(actor, one.contact_id, f"qa.open.{one.pick_id}")
