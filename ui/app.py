"""The app around the pages: who is here decides which pages there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import streamlit as st

from core.errors import ProofdeskError
from core.vocabulary import Role
from desk.bootstrap import Desk
from desk.permissions import Actor
from ui.components.frame import ASSETS, styles, who_is_here
from ui.components.notice import refusal
from ui.pages import (
    audit,
    autonomy,
    desk,
    metrics,
    outbox,
    people,
    quality,
    reviews,
    rhythm,
    settings,
    signin,
    sources,
)
from ui.session import current_actor, the_desk

Render = Callable[[Desk, Actor], None]
_PAGES: Final[dict[str, tuple[Render, str]]] = {
    "Desk": (desk.render, ":material/forum:"),
    "Reviews": (reviews.render, ":material/fact_check:"),
    "Sources": (sources.render, ":material/menu_book:"),
    "Outbox": (outbox.render, ":material/outbox:"),
    "Quality": (quality.render, ":material/monitoring:"),
    "This week": (rhythm.render, ":material/event_repeat:"),
    "Autonomy": (autonomy.render, ":material/flight_takeoff:"),
    "Tasks": (rhythm.render, ":material/task_alt:"),
    "Metrics": (metrics.render, ":material/speed:"),
    "Audit": (audit.render, ":material/history:"),
    "People": (people.render, ":material/group:"),
    "Settings": (settings.render, ":material/tune:"),
}
PAGES_OF_ROLE: Final[dict[Role, tuple[str, ...]]] = {
    "agent": ("Desk", "Outbox", "Sources"),
    "supervisor": (
        "Reviews",
        "Desk",
        "This week",
        "Autonomy",
        "Outbox",
        "Sources",
        "Quality",
        "Metrics",
        "Audit",
    ),
    "content_owner": ("Sources", "Tasks", "Reviews"),
    "admin": (
        "Reviews",
        "Desk",
        "This week",
        "Autonomy",
        "Outbox",
        "Sources",
        "Quality",
        "Metrics",
        "Audit",
        "People",
        "Settings",
    ),
}
_MOST_WITH_ICONS: Final = 6
_ADDRESSES: Final = {"Metrics": "figures"}
"""Of pages whose name is taken: Prometheus asks at ``/metrics``."""

PAGE_OF_PARAMETER: Final = {
    "review": "Reviews",
    "contact": "Desk",
    "article": "Sources",
    "flag": "Sources",
    "reason": "Autonomy",
    "task": "This week",
}


def main() -> None:
    """Show the page that the person at the screen asked for."""
    st.set_page_config(
        "Proofdesk",
        ASSETS / "icon.svg",
        layout="wide",
        # A line of our own makes Streamlit show its menu, which holds the choice of the theme.
        menu_items={"About": "Proofdesk: no answer on a stale source leaves unnoticed."},
    )
    st.logo(ASSETS / "logo.svg", size="medium")
    styles()
    try:
        with st.spinner("Opening the desk …", show_time=True):
            the = the_desk()
        actor = current_actor(the)
        if actor is None:
            st.navigation(
                [st.Page(signin.render, title="Sign in", url_path="sign-in")], position="hidden"
            ).run()
            return
        pages = _pages(the, actor)
        page = st.navigation(pages, position="top")
        who_is_here(actor, ["/", *(f"/{one.url_path}" for one in pages)])
        _go_where_the_address_says(page, pages)
        page.run()
    except ProofdeskError as error:
        refusal(error)


def address_of(page: str) -> str:
    """Return where a page of this name is, behind the host."""
    return _ADDRESSES.get(page) or page.lower().replace(" ", "-")


def _go_where_the_address_says(page: st.Page, pages: Sequence[st.Page]) -> None:
    """Open the page that holds what the address names, if the role has it and it names no page."""
    wanted = next(
        (PAGE_OF_PARAMETER[name] for name in PAGE_OF_PARAMETER if name in st.query_params), None
    )
    for one in pages:
        if one.title == wanted and page.title == pages[0].title != wanted:
            st.switch_page(one, query_params=st.query_params.to_dict())


def _pages(the: Desk, actor: Actor) -> list[st.Page]:
    names = PAGES_OF_ROLE[actor.role]
    return [
        st.Page(
            partial(_PAGES[name][0], the, actor),
            title=name,
            # So that all of them stand in one line at 1280 pixels.
            icon=_PAGES[name][1] if len(names) <= _MOST_WITH_ICONS else None,
            url_path=address_of(name),
            default=place == 0,
        )
        for place, name in enumerate(names)
    ]
