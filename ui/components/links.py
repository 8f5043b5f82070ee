"""Ways from one page to a thing on another, and the address that opens it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NoReturn

import streamlit as st

from desk.permissions import Actor

PageName = Literal["desk", "reviews", "sources", "autonomy"]
SOURCE_ADDRESS: Final = ("flag", "article", "version")
"""What the address of the sources page may name."""
_TAKEN: Final = "links.taken"


def open_on(page: PageName, **what: str) -> NoReturn:
    """Go to another page with something open there; not from within a callback."""
    st.switch_page(st.Page(_elsewhere, url_path=page, title=page.title()), query_params=what)


def open_contact_button(actor: Actor, contact_id: str, key: str) -> None:
    """Show the way to a contact, for whoever works contacts."""
    if actor.may("work_contacts") and st.button(
        "Open the contact", key=key, icon=":material/forum:", type="tertiary"
    ):
        open_on("desk", contact=contact_id)


def open_review_button(actor: Actor, review_id: str, key: str) -> None:
    """Show the way to a review, for whoever reads reviews."""
    if actor.may("read_reviews") and st.button(
        "Open the review", key=key, icon=":material/fact_check:", type="tertiary"
    ):
        open_on("reviews", review=review_id)


def go_to_article(article_id: str, version_id: str | None = None) -> NoReturn:
    """Open an article from another view of the sources page; not from within a callback."""
    _go({"article": article_id} | ({"version": version_id} if version_id else {}))


def go_to_flag(flag_id: str) -> NoReturn:
    """Open a flag from another view of the sources page; not from within a callback."""
    _go({"flag": flag_id})


def _go(what: Mapping[str, str]) -> NoReturn:
    for name in SOURCE_ADDRESS:
        st.query_params.pop(name, None)
    for name, value in what.items():
        st.query_params[name] = value
    st.rerun()


def source_asked_for() -> dict[str, str]:
    """Return what the address asks the sources page to open, once each time it asks anew."""
    asked = {one: st.query_params[one] for one in SOURCE_ADDRESS if st.query_params.get(one)}
    taken: dict[str, str] = st.session_state.get(_TAKEN, {})
    st.session_state[_TAKEN] = asked
    new = {name for name, value in asked.items() if taken.get(name) != value}
    if not new:
        return {}
    return {name: value for name, value in asked.items() if (name == "flag") == ("flag" in new)}


def source_address(**what: str | None) -> None:
    """Have the address say what is open, so that it can be kept and passed on."""
    opened = {name: value for name, value in what.items() if value is not None}
    st.session_state[_TAKEN] = opened
    for name in SOURCE_ADDRESS:
        wanted = opened.get(name)
        if wanted is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != wanted:
            st.query_params[name] = wanted


def _elsewhere() -> None:
    """Stand for a page that the app registered under the same address."""
