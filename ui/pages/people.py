"""The people of the desk and the links that sign them in."""

from __future__ import annotations

import streamlit as st

from core.vocabulary import ROLES
from desk.bootstrap import Desk
from desk.permissions import Actor, require
from ui.components.frame import title
from ui.components.labels import ROLE_NAMES, namer
from ui.components.notice import keep, notice, refusals_shown, show_kept
from ui.components.text import readable_text, say
from ui.session import sign_in_address


def render(desk: Desk, actor: Actor) -> None:
    """Show the page."""
    title("People", "Who works here, and the links that let them in.")
    show_kept()
    with refusals_shown():
        require(actor, "manage_people")
        left, right = st.columns([6, 5], gap="large")
        with left:
            _everybody(desk, actor)
        with right:
            _add(desk, actor)


def _everybody(desk: Desk, actor: Actor) -> None:
    people = desk.people.all()
    event = st.dataframe(
        [{"Name": readable_text(p.name), "Role": ROLE_NAMES[p.role], "Id": p.id} for p in people],
        key="people.table",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
    )
    rows = event["selection"]["rows"]
    if not rows:
        say("Choose a person to make them a sign-in link.", "pd-faint")
        return
    person = people[rows[0]]
    say(f"{person.name}, {ROLE_NAMES[person.role].lower()}", "pd-label")
    if st.button("Make a sign-in link", key="people.link", icon=":material/link:"):
        link = sign_in_address(desk.people.new_link_token(actor, person.id))
        notice("Valid for 7 days. It is shown this once.", "plain")
        st.code(link, language=None)


def _add(desk: Desk, actor: Actor) -> None:
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
