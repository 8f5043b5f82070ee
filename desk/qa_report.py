"""What the readings of a QA draw say of all contacts of its period. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from desk.operations_file import ScorecardItem
from desk.qa_models import QaDraw, QaPick, QaScore
from desk.sampling import OUTCOMES, Agreement, Cell, Estimate, agreement, estimate


@dataclass(frozen=True, slots=True)
class DrawLine:
    """One draw. ``until`` is the first moment after its period; ``read`` counts first readings."""

    id: str
    at: datetime
    by: str
    seed: int
    since: datetime
    until: datetime
    contacts: int
    picked: int
    read: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A failure rate under a name: an item of the scorecard, an outcome, a reason."""

    name: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class Difference:
    """A contact on which its two readers differ, with the items they differ about."""

    pick_id: str
    contact_id: str
    items: list[str]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class QaReport:
    """What the readings of one draw say of all contacts of its period.

    Attributes:
        overall: Contacts that fail as a whole.
        items: By item of the scorecard, among the contacts that it applies to.
        outcomes: By how contacts ended.
        reasons: By contact reason, those with most contacts first; "" for none known.
        agreement: Of the two readers on the whole.
        item_agreement: Item → the same, for contacts to which both apply it.
        differences: Contacts that two people read and judged differently as a whole.
    """

    draw: DrawLine
    overall: Estimate
    items: list[Rate]
    outcomes: list[Rate]
    reasons: list[Rate]
    agreement: Agreement
    item_agreement: dict[str, Agreement]
    differences: list[Difference]


def report_of(
    line: DrawLine,
    row: QaDraw,
    read: Sequence[tuple[QaPick, Sequence[QaScore]]],
    card: Sequence[ScorecardItem],
) -> QaReport:
    """Return what the first readings of a draw say of all contacts of its period. Pure.

    Args:
        line: The draw.
        row: Its record, with the strata.
        read: What was read, in the order of reading, each with its one or two scores.
        card: What readers judge.
    """
    first = [(pick, scores[0]) for pick, scores in read]
    pairs = [(pick, scores) for pick, scores in read if len(scores) == 2]
    return QaReport(
        draw=line,
        overall=estimate(_cells(row, first)),
        items=[Rate(item.name, estimate(_item_cells(row, first, item.id))) for item in card],
        outcomes=[
            Rate(outcome, estimate(_cells(row, first, outcome=outcome)))
            for outcome in OUTCOMES
            if any(cell["outcome"] == outcome for cell in row.cells)
        ],
        reasons=[
            Rate(reason, estimate(_cells(row, first, reason=reason))) for reason in _reasons(row)
        ],
        agreement=agreement([(a.passed, b.passed) for _, (a, b) in pairs]),
        item_agreement={item.name: _item_agreement(pairs, item.id) for item in card},
        differences=[
            _difference(pick, scores, card)
            for pick, scores in pairs
            if scores[0].passed != scores[1].passed
        ],
    )


def _cells(
    row: QaDraw,
    first: Sequence[tuple[QaPick, QaScore]],
    outcome: str | None = None,
    reason: str | None = None,
) -> list[Cell]:
    """Return by stratum what was read, of one outcome or one reason if one is named."""
    read: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for pick, score in first:
        if reason is None or (pick.reason or "") == reason:
            read[pick.outcome, pick.risk].append(score.passed)
    cells = []
    for cell in row.cells:
        if outcome is None or cell["outcome"] == outcome:
            verdicts = read[cell["outcome"], cell["risk"]]
            contacts = cell["contacts"] if reason is None else cell["reasons"].get(reason, 0)
            cells.append(Cell(contacts, len(verdicts), verdicts.count(False)))
    return cells


def _item_cells(row: QaDraw, first: Sequence[tuple[QaPick, QaScore]], item: str) -> list[Cell]:
    """Return by stratum what was read of the contacts that an item applies to.

    How many there are of them is estimated from the readings of the stratum.
    """
    read: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pick, score in first:
        if item in score.marks:
            read[pick.outcome, pick.risk].append(score.marks[item])
    cells = []
    for cell in row.cells:
        marks = read[cell["outcome"], cell["risk"]]
        applies = len(marks) - marks.count("not_applicable")
        contacts = cell["contacts"] * applies / len(marks) if marks else cell["contacts"]
        cells.append(Cell(contacts, applies, marks.count("fail")))
    return cells


def _reasons(row: QaDraw) -> list[str]:
    counts: dict[str, int] = defaultdict(int)
    for cell in row.cells:
        for reason, count in cell["reasons"].items():
            counts[reason] += count
    return sorted(counts, key=lambda reason: (-counts[reason], reason))


def _item_agreement(pairs: Sequence[tuple[QaPick, Sequence[QaScore]]], item: str) -> Agreement:
    both = [[score.marks.get(item, "not_applicable") for score in scores] for _, scores in pairs]
    return agreement(
        [(a == "pass", b == "pass") for a, b in both if "not_applicable" not in (a, b)]
    )


def _difference(
    pick: QaPick, scores: Sequence[QaScore], card: Sequence[ScorecardItem]
) -> Difference:
    items = [item for item in card if len({one.marks.get(item.id) for one in scores}) > 1]
    notes = [
        f"{item.name}: {score.notes[item.id]}"
        for item in items
        for score in scores
        if item.id in score.notes
    ]
    return Difference(pick.id, pick.contact_id, [item.name for item in items], notes)
