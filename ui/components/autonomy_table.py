"""Contact reasons as a table: where each stands and how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import streamlit as st

from core.vocabulary import Autonomy
from desk.autonomy import ReasonLine
from ui.components.labels import exact_at_hand, table_moment
from ui.components.text import readable_text

TABLE: Final = "autonomy.table"
STATE_NAMES: Final[dict[Autonomy, str]] = {
    "eligible": "Eligible",
    "autopilot": "Autopilot",
    "review": "In review",
    "locked": "Locked",
}
_SIGNS: Final[dict[Autonomy, str]] = {
    "eligible": "◆",
    "autopilot": "▶",
    "review": "○",
    "locked": "✕",
}
_CHOSEN: Final = "autonomy.chosen"
_ADDRESS: Final = "reason"
_ADDRESSED: Final = "autonomy.addressed"
_ROW: Final = 33
_MOST_ROWS: Final = 9


def state_text(state: Autonomy) -> str:
    """Return a state with a sign that does not need colour."""
    return f"{_SIGNS[state]} {STATE_NAMES[state]}"


def autonomy_table(lines: Sequence[ReasonLine], now: datetime) -> ReasonLine:
    """Show the reasons, what can be acted on first; return the one that is open."""
    ids = [line.reason for line in lines]
    asked = st.query_params.get(_ADDRESS)
    if asked != st.session_state.get(_ADDRESSED):  # once each time the address names another
        st.session_state[_ADDRESSED] = asked
        st.session_state[_CHOSEN] = asked
    if st.session_state.get(_CHOSEN) not in ids:
        st.session_state[_CHOSEN] = ids[0]
    # A table keeps its selection by the place of the row: in another order it is another table.
    order = hash(tuple(ids))
    event = st.dataframe(
        [_row(line, now) for line in lines],
        key=f"{TABLE}.{order}",
        hide_index=True,
        height=_ROW * (min(len(ids), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        selection_default={"selection": {"rows": [ids.index(st.session_state[_CHOSEN])]}},
        alt="Contact reasons, where each stands and how far it is",
        column_config={
            **exact_at_hand("Since"),
            "Contact reason": st.column_config.TextColumn(width=230),
            "State": st.column_config.TextColumn(width=110),
            "Evidence": st.column_config.ProgressColumn(
                format="%.0f %%",
                min_value=0,
                max_value=100,
                width=170,
                help="The way to promotion: the e-value, on a logarithmic scale. At 100 % it says "
                "that the limit is kept.",
            ),
            "Answers": st.column_config.NumberColumn(
                width=80, help="That count: approved, edited or rejected since its evidence began."
            ),
            "Loss": st.column_config.NumberColumn(
                width=70,
                format="%.2f",
                help="The sum over them: 1 for one that was wrong, the share rewritten for one "
                "that was edited.",
            ),
            "Since": st.column_config.TextColumn(width=105),
        },
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(ids):
        st.session_state[_CHOSEN] = ids[rows[0]]
    return lines[ids.index(st.session_state[_CHOSEN])]


def _row(line: ReasonLine, now: datetime) -> dict[str, Any]:
    standing = line.standing
    return {
        "Contact reason": readable_text(line.name),
        "State": state_text(line.state),
        "Evidence": 100 * standing.progress,
        "Answers": standing.answers,
        "Loss": standing.loss,
        "What it lacks": _lacks(line),
        **table_moment("Since", line.since, now),
    }


def _lacks(line: ReasonLine) -> str:
    if line.state == "locked":
        return "Locked by its tier or the map" if line.locked_by_map else readable_text(line.cause)
    if line.state == "autopilot":
        return f"{line.sent} sent without a person"
    return (
        line.standing.missing[0] if line.standing.missing else "Nothing: it waits for a signature"
    )
