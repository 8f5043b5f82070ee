"""What content owners must look at: its kinds, its rows, the lines that stand for many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

import streamlit as st

from core.vocabulary import SourceFlagKind
from desk.flags import FlagGroup, FlagLine, FoldedFlags
from ui.components.labels import (
    exact_at_hand,
    table_moment,
)
from ui.components.text import readable_text, say

KIND_NAMES: Final[dict[SourceFlagKind, str]] = {
    "changed": "Changed",
    "conflict": "Contradiction",
    "missing": "No source",
    "superseded": "Replaced",
    "often_rewritten": "Often rewritten",
    "overdue": "Overdue",
    "broken_link": "Broken link",
    "unowned": "Unowned",
}
TABLE: Final = "flags.table"
_CHOSEN: Final = "flags.chosen"
_DRAWN: Final = "flags.drawn"
_KIND: Final = "flags.kind"
_OWNER: Final = "flags.owner"
_EVERYBODY: Final = "Everybody"
_NOBODY: Final = "Nobody"
_ROW: Final = 33
_MOST_ROWS: Final = 6


@dataclass(frozen=True, slots=True)
class Filter:
    """Which flags are shown; None for all."""

    kind: SourceFlagKind | None
    owner: str | None


def flag_filter(groups: Sequence[FlagGroup]) -> Filter:
    """Let the reader narrow the flags by kind and owner; return what was chosen."""
    counts: dict[SourceFlagKind, int] = {}
    for group in groups:
        counts[group.kind] = counts.get(group.kind, 0) + group.count
    kinds = [kind for kind in get_args(SourceFlagKind) if kind in counts]
    owners = sorted({group.owner for group in groups if group.owner})
    with st.container(
        horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"
    ):
        kind = st.pills(
            "Kind",
            kinds,
            key=_KIND,
            format_func=lambda one: f"{KIND_NAMES[one]} {counts.get(one, 0)}",
        )
        owner = st.selectbox("Owner", [_EVERYBODY, *owners, _NOBODY], key=_OWNER, width=200)
    chosen = {_EVERYBODY: None, _NOBODY: ""}.get(owner, owner)
    return Filter(kind, chosen)


def choose_flag(flag_id: str | None) -> None:
    """Have this flag open on the next run."""
    st.session_state[_CHOSEN] = flag_id
    st.session_state[_DRAWN] = st.session_state.get(_DRAWN, 0) + 1  # a selection is kept per table


def opened_flag() -> str | None:
    """Return the id of the flag that is open."""
    flag_id: str | None = st.session_state.get(_CHOSEN)
    return flag_id


def show_every_flag() -> None:
    """Take every narrowing back, so that any flag may be on the page."""
    st.session_state.pop(_KIND, None)
    st.session_state.pop(_OWNER, None)


def neighbour_buttons(lines: Sequence[FlagLine]) -> None:
    """Show the way to the flag before and after the one that is open."""
    ids = [line.id for line in lines]
    at = ids.index(st.session_state[_CHOSEN]) if st.session_state.get(_CHOSEN) in ids else -1
    for label, shortcut, step in (("Previous", "K", -1), ("Next", "J", 1)):
        target = ids[at + step] if at >= 0 and 0 <= at + step < len(ids) else None
        st.button(
            label,
            key=f"flags.{label.lower()}",
            shortcut=shortcut,
            type="tertiary",
            disabled=target is None,
            on_click=choose_flag,
            args=(target,),
        )


def flag_table(lines: Sequence[FlagLine], now: datetime) -> str:
    """Show flags, the most harmful first; return the id of the one that is open."""
    ids = [line.id for line in lines]
    if st.session_state.get(_CHOSEN) not in ids:
        choose_flag(ids[0])
    event = st.dataframe(
        [_row(line, now) for line in lines],
        key=f"{TABLE}.{st.session_state[_DRAWN]}",
        hide_index=True,
        height=_ROW * (min(len(ids), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        alt="What content owners must look at",
        selection_default={"selection": {"rows": [ids.index(st.session_state[_CHOSEN])]}},
        column_config={
            **exact_at_hand("Since"),
            "Kind": st.column_config.TextColumn(width=120),
            "Rests on it": st.column_config.TextColumn(width=110),
            "Owner": st.column_config.TextColumn(width=140),
            "Since": st.column_config.TextColumn(width=90),
        },
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(ids):
        st.session_state[_CHOSEN] = ids[rows[0]]
    chosen: str = st.session_state[_CHOSEN]
    return chosen


def _row(line: FlagLine, now: datetime) -> dict[str, str]:
    contacts = f"{line.uses} contact{'s' if line.uses != 1 else ''}"
    return {
        "Kind": KIND_NAMES[line.kind],
        "What": readable_text(line.title),
        "Rests on it": contacts if line.uses else "Nothing yet",
        "Owner": readable_text(line.owner or _NOBODY),
        **table_moment("Since", line.opened_at, now),
    }


def folded_lines(folded: Sequence[FoldedFlags]) -> None:
    """Show the lines that stand for many flags each, with a way to open them."""
    for line in folded:
        with st.container(horizontal=True, vertical_alignment="center"):
            say(line.sentence, "pd-faint")
            st.button(
                "Show them",
                key=f"flags.unfold.{line.kind}",
                type="tertiary",
                on_click=_show_kind,
                args=(line.kind,),
            )


def _show_kind(kind: SourceFlagKind) -> None:
    st.session_state[_KIND] = kind
