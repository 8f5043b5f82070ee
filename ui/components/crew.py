"""The people of the desk: who works here, in which role, and what an admin may do about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import streamlit as st

from core.errors import ProofdeskError
from core.vocabulary import ROLES
from desk.bootstrap import Desk
from desk.people import PersonLine
from desk.permissions import Actor
from ui.components.labels import (
    ROLE_NAMES,
    chip,
    exact_at_hand,
    exactly,
    namer,
    table_moment,
    warning_chip,
)
from ui.components.notice import keep, notice, refusals_shown
from ui.components.text import readable_text, say, show, tag, words
from ui.session import sign_in_address

TABLE: Final = "people.table"
_LEAVING: Final = "people.leaving"
_ROW: Final = 33
_MOST_ROWS: Final = 14
_MAY: Final = {
    "agent": "Works contacts and asks for drafts.",
    "supervisor": "Decides reviews, reads quality and audit.",
    "content_owner": "Keeps the sources true.",
    "admin": "All of it, and people and settings.",
}


def people_table(people: Sequence[PersonLine], now: datetime) -> PersonLine | None:
    """Show everybody; return who was chosen."""
    event = st.dataframe(
        [
            {
                "Name": readable_text(one.name),
                "Role": ROLE_NAMES[one.role],
                "E-mail": readable_text(one.email),
                **_signed_in(one, now),
                "Id": one.id,
            }
            for one in people
        ],
        key=TABLE,
        hide_index=True,
        height=_ROW * (min(len(people), _MOST_ROWS) + 1) + 4,
        row_height=_ROW,
        on_select="rerun",
        selection_mode="single-row",
        alt="Everybody who works here",
        column_config={
            **exact_at_hand("Signed in"),
            "Role": st.column_config.TextColumn(width=130),
            "Signed in": st.column_config.TextColumn(width=100),
        },
    )
    rows = [row for row in event["selection"]["rows"] if row < len(people)]
    return people[rows[0]] if rows else None


def _signed_in(one: PersonLine, now: datetime) -> dict[str, str]:
    cells = table_moment("Signed in", one.signed_in_at, now, "No")
    return cells if one.active else cells | {"Signed in": "Has left"}


def person_shown(desk: Desk, actor: Actor, person: PersonLine) -> None:
    """Show one person, and what may be done about them."""
    show(
        tag("h3", "pd-subject", words(person.name)),
        tag(
            "div",
            "pd-badges",
            chip(ROLE_NAMES[person.role]) if person.active else warning_chip("Has left"),
            tag("span", "pd-faint", words(f"{person.email} · since {exactly(person.since)}")),
        ),
    )
    if not person.active:
        st.button(
            "Let them work here again",
            key="people.back",
            icon=":material/undo:",
            on_click=_do,
            args=(desk.people.come_back, f"{person.name} is back.", actor, person.id),
        )
        return
    _link(desk, actor, person)
    _role(desk, actor, person)
    _leave(desk, actor, person)


def _link(desk: Desk, actor: Actor, person: PersonLine) -> None:
    if st.button("Make a sign-in link", key="people.link", icon=":material/link:", shortcut="L"):
        link = sign_in_address(desk.people.new_link_token(actor, person.id))
        notice("Valid for 7 days. It is shown this once.", "plain")
        st.code(link, language=None)


def _role(desk: Desk, actor: Actor, person: PersonLine) -> None:
    key = f"people.role.{person.id}"
    role = st.selectbox(
        "Role",
        list(ROLES),
        index=ROLES.index(person.role),
        format_func=namer(ROLE_NAMES),
        key=key,
    )
    say(_MAY[role], "pd-faint")
    if role != person.role:
        st.button(
            "Change the role",
            key="people.role.send",
            icon=":material/badge:",
            type="primary",
            on_click=_do,
            args=(
                desk.people.change_role,
                f"{person.name} has another role from their next click on.",
                actor,
                person.id,
                role,
                person.version,
            ),
        )


def _leave(desk: Desk, actor: Actor, person: PersonLine) -> None:
    if st.session_state.get(_LEAVING) != person.id:
        st.button(
            "Let them in no more",
            key="people.leave",
            icon=":material/person_off:",
            type="tertiary",
            on_click=_ask,
            args=(person.id,),
        )
        return
    say(
        f"{person.name} is signed out at once, and their links are void. What they did stays "
        "under their name.",
        "pd-faint",
    )
    with st.container(horizontal=True):
        st.button(
            "Yes, let them in no more",
            key="people.leave.send",
            type="primary",
            on_click=_do,
            args=(desk.people.leave, f"{person.name} has left.", actor, person.id, person.version),
        )
        st.button("Keep them", key="people.leave.not", shortcut="Esc", on_click=_ask, args=(None,))


def _ask(person_id: str | None) -> None:
    st.session_state[_LEAVING] = person_id


def _do(act: Callable[..., Any], said: str, *given: object) -> None:
    st.session_state[_LEAVING] = None
    try:
        act(*given)
    except ProofdeskError as error:
        keep("That was not done", "refused", error.message)
        return
    keep(said)


def add_person(desk: Desk, actor: Actor) -> None:
    """Show the form that adds somebody."""
    with st.form("people.add", clear_on_submit=True):
        st.subheader("Add a person", anchor=False)
        name = st.text_input("Name", key="people.name")
        email = st.text_input("E-mail address", key="people.email")
        role = st.selectbox("Role", list(ROLES), format_func=namer(ROLE_NAMES), key="people.role")
        if not st.form_submit_button("Add", key="people.add.send", type="primary"):
            return
    with refusals_shown():
        added = desk.people.add(actor, name, email, role)
        keep(f"{added.name} was added. Make them a sign-in link.")
        st.rerun()
