"""Who is at the screen, and which desk they work at."""

from __future__ import annotations

import threading
from functools import cache
from typing import Final

import streamlit as st

from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.permissions import Actor
from ui.gate import REFUSED_PARAMETER, SIGN_IN_PARAMETER, cookie_name

LOCK_SECONDS: Final = 10.0
_PERSON: Final = "session.person"
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

    Read anew each time: somebody who left, signed out in another tab or got another role is that
    at once. What the person before had open is forgotten.
    """
    token = _cookie()
    actor = desk.people.of_session(token) if token else None
    person = actor.id if actor else None
    if st.session_state.get(_PERSON) != person:
        st.session_state.clear()
        st.session_state[_PERSON] = person
    return actor


def was_refused() -> bool:
    """Tell whether a sign-in link was just refused."""
    return REFUSED_PARAMETER in st.query_params


def sign_out() -> None:
    """Sign this browser out, in all its tabs, and forget everything it had open."""
    if token := _cookie():
        the_desk().people.close_session(token)
    st.session_state.clear()


def sign_in_address(token: str) -> str:
    """Return the address that signs the owner of ``token`` in."""
    base = (st.context.url or f"http://localhost:{Settings().port}/").split("?")[0]
    root = "/".join(base.split("/")[:3])
    return f"{root}/?{SIGN_IN_PARAMETER}={token}"


def _cookie() -> str:
    return st.context.cookies.get(cookie_name(int(st.get_option("server.port"))), "")
