"""What became of contact reasons and of autopilot, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from desk.audit import DESK
from desk.autonomy import Change
from ui.components.labels import exactly
from ui.components.notice import empty
from ui.components.text import readable_text

_EVENTS: Final = {
    "autonomy.proposed": "Proposed",
    "autonomy.withdrawn": "Proposal withdrawn",
    "autonomy.signed": "Signed",
    "autonomy.returned": "Returned to review",
    "autonomy.demoted": "Lost autopilot",
    "autonomy.renewed": "Evidence begins anew",
    "autonomy.locked": "Locked",
    "autonomy.unlocked": "Unlocked",
    "autonomy.marked_wrong": "Answer marked wrong",
    "autopilot.stopped": "Autopilot stopped",
    "autopilot.resumed": "Autopilot resumed",
}
_ROW: Final = 33
_MOST_ROWS: Final = 8


def changes_shown(
    changes: Sequence[Change], people: Mapping[str, str], reasons: Mapping[str, str]
) -> None:
    """Show changes as a table."""
    if not changes:
        empty("Nothing changed yet", "What is proposed, signed and taken back stands here.")
        return
    st.dataframe(
        [
            {
                "When": exactly(one.at),
                "What": _EVENTS.get(one.event, one.event),
                "Contact reason": readable_text(reasons.get(one.reason or "", one.reason or "All")),
                "Who": "The desk"
                if one.actor == DESK
                else readable_text(people.get(one.actor, "")),
                "Why": readable_text(one.cause),
            }
            for one in changes
        ],
        key="autonomy.changes",
        hide_index=True,
        height=_ROW * (min(len(changes), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        alt="What became of contact reasons and of autopilot",
        column_config={
            "When": st.column_config.TextColumn(width=190),
            "What": st.column_config.TextColumn(width=160),
            "Contact reason": st.column_config.TextColumn(width=180),
            "Who": st.column_config.TextColumn(width=130),
        },
    )
