"""Who is at the screen, and which desk they work at."""

from __future__ import annotations

import threading
from functools import cache
from typing import Final

import streamlit as st

from core.errors import NotAllowed, NotFound
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.permissions import Actor

LOCK_SECONDS: Final = 10.0
SIGN_IN_PARAMETER: Final = "signin"
_PERSON: Final = "session.person"
_REFUSED: Final = "session.refused"
_opening = threading.Lock()


def the_desk() -> Desk:
    """Return the one desk of this process; opens it, and sets the sample up, the first time."""
    with _opening:  # two browsers may come at the same moment
        return _open_once()


@cache
def _open_once() -> Desk:
    from desk.sample import ensure_sample

    settings = Settings()
    ensure_sample(settings)
    desk = open_desk(settings, lock_seconds=LOCK_SECONDS)
    desk.start()
    return desk


def current_actor(desk: Desk) -> Actor | None:
    """Return who is signed in; None when nobody is.

    A token in the address signs its person in and is then taken out of the address. Role and
    name are read anew each time: somebody who left, or got another role, is that at once.
    """
    token = st.query_params.get(SIGN_IN_PARAMETER)
    if token:
        del st.query_params[SIGN_IN_PARAMETER]
        sign_out()
        try:
            st.session_state[_PERSON] = desk.people.sign_in(token).id
        except NotAllowed as error:
            st.session_state[_REFUSED] = error.message
    person = st.session_state.get(_PERSON)
    if person is None:
        return None
    try:
        return desk.people.get(person)
    except NotFound:
        sign_out()
        return None


def refusal_of_sign_in() -> str:
    """Return why the last sign-in failed; "" when it did not."""
    return str(st.session_state.get(_REFUSED, ""))


def sign_out() -> None:
    """Forget who is at the screen, and everything they had open."""
    st.session_state.clear()


def sign_in_address(token: str) -> str:
    """Return the address that signs the owner of ``token`` in."""
    base = (st.context.url or f"http://localhost:{Settings().port}/").split("?")[0]
    root = "/".join(base.split("/")[:3])
    return f"{root}/?{SIGN_IN_PARAMETER}={token}"
