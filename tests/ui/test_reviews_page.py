"""The supervisor's page: narrowing, looking at what was decided, many at once."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from desk.bootstrap import Desk
from desk.permissions import Actor
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk, open_contact, pending_review
from tests.ui.conftest import SECONDS, OpenPage, button_of, seen

REFUND = "How long does a refund take?"


@pytest.fixture
def review_id(desk: Desk, agent: Actor) -> str:
    contact = open_contact(desk, agent, REFUND, customer_name="Abigail Stern")
    return pending_review(desk, agent, contact)


def test_many_are_approved_at_once_and_called_back_at_once(
    open_page: OpenPage, open_synced: OpenDesk, supervisor: Actor
) -> None:
    desk = open_synced(undo_seconds=60)
    contacts = [open_contact(desk, supervisor, REFUND, subject=f"Refund {n}") for n in range(2)]
    page = open_page("reviews", supervisor, desk)
    page.button(key="bulk.open_button").click().run()
    button_of(page, "bulk.send.").click().run()
    assert "2 of 2 approved." in seen(page)
    assert "2 answers leave in" in seen(page)
    page.button(key="undo.button").click().run()
    statuses = {desk.contacts.get(ADMIN, id).summary.status for id in contacts}
    assert statuses == {"in_review"}


def test_of_many_the_page_tells_apart_what_is_approved_and_what_is_still_under_way(
    open_page: OpenPage, open_synced: OpenDesk, supervisor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_synced(undo_seconds=60)
    for number in range(2):
        open_contact(desk, supervisor, REFUND, subject=f"Refund {number}")
    wait = desk.jobs.wait
    left_alone: list[str] = []

    def wait_in_vain_once(key: str, timeout_seconds: float) -> str | None:
        if not left_alone:
            left_alone.append(key)
        return None if key in left_alone else wait(key, timeout_seconds)

    page = open_page("reviews", supervisor, desk)
    page.button(key="bulk.open_button").click().run()
    monkeypatch.setattr(desk.jobs, "wait", wait_in_vain_once)
    button_of(page, "bulk.send.").click().run()
    assert "1 of 2 approved. 1 is under way." in seen(page)
    assert "still looking at its sources" in seen(page)
    assert "Undo" in page.button(key="undo.button").label


def test_what_was_decided_shows_what_a_person_changed_word_by_word(
    open_page: OpenPage, desk: Desk, supervisor: Actor, review_id: str
) -> None:
    page = open_page("reviews", supervisor)
    button_of(page, "decide.edit.").click().run()
    box = page.text_area(key=f"decide.edit.text.{review_id}")
    box.input((box.value or "").replace("Hello", "Dear"))
    page.button(key="decide.edit.send").click().run()
    assert "Edited and approved." in seen(page)
    page.session_state["reviews.shown"] = "Decided"
    page.run()
    assert "Edited and approved by Ruth" in seen(page)
    assert "As drafted" in seen(page)
    assert '<mark class="pd-differs">Dear</mark>' in seen(page)


def test_a_source_that_was_reworded_is_shown_then_and_now(
    open_page: OpenPage, desk: Desk, supervisor: Actor, review_id: str
) -> None:
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(
        article.read_text().replace("to reach your card", "to get back to your card")
    )
    desk.sync()
    shown = seen(open_page("reviews", supervisor))
    assert "reads otherwise by now" in shown
    assert "When it was drafted" in shown


def test_a_queue_narrowed_to_nothing_says_how_to_widen_it(
    open_page: OpenPage, supervisor: Actor, review_id: str
) -> None:
    page = open_page("reviews", supervisor)
    page.selectbox(key="reviews.tier").select("forbidden").run()
    assert "Nothing like that waits" in seen(page)


def test_an_escalation_shows_its_brief_to_the_supervisor(
    open_page: OpenPage, desk: Desk, supervisor: Actor, review_id: str
) -> None:
    page = open_page("reviews", supervisor)
    button_of(page, "decide.escalate.").click().run()
    page.button(key="decide.escalate.2").click().run()
    page.session_state["reviews.shown"] = "Escalated"
    page.run()
    assert "Next step" in seen(page)
    assert "The sources do not cover this" in seen(page)
    assert page.button(key="escalated.open").label == "Open the contact"


def test_looking_at_the_next_review_gives_the_one_before_back(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor, review_id: str
) -> None:
    other = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    page = open_page("reviews", supervisor)
    page.button(key="reviews.next").click().run()
    held = {id: desk.reviews.get(supervisor, id).summary.claimed_by for id in (review_id, other)}
    assert sorted(held.values(), key=str) == [None, supervisor.id]


def test_who_else_looks_at_a_review_stands_in_the_table(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor, review_id: str
) -> None:
    desk.reviews.look(agent, review_id)
    table = open_page("reviews", supervisor).dataframe[0].value
    assert table["Who is at it"][0] == "Mina looks at it"


def test_who_approved_an_answer_hears_that_it_was_stopped_on_its_way_out(
    open_page: OpenPage, open_synced: OpenDesk, supervisor: Actor
) -> None:
    desk = open_synced(undo_seconds=60)
    open_contact(desk, supervisor, REFUND, subject="My refund")
    page = open_page("reviews", supervisor, desk)
    button_of(page, "decide.approve.").click().run()
    assert "The answer leaves in" in seen(page)
    assert desk.deliveries.hold_back() == 1
    page.run()
    page.run()  # the corner looks by itself in a browser, and has the page drawn anew
    assert "What you approved did not leave" in seen(page)
    assert "My refund”: since then" in seen(page)


def test_a_review_that_somebody_else_decided_leads_on_to_the_next(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor, admin: Actor, review_id: str
) -> None:
    other = pending_review(desk, agent, open_contact(desk, agent, REFUND, subject="Another"))
    page = open_page("reviews", supervisor)
    first = page.session_state["reviews.chosen"]
    desk.reviews.release(supervisor, first)
    desk.reviews.decide(admin, first, {"kind": "approve"})
    button_of(page, "decide.approve.").click().run()
    assert "Ingrid was faster: approved" in seen(page)
    assert "Press Next (J)" in seen(page)
    page.button(key="reviews.next").click().run()
    assert page.session_state["reviews.chosen"] == ({review_id, other} - {first}).pop()


def _look_at(the_desk, actor, review_id):
    import streamlit as st

    from ui.components.news import look, remember

    if "drawn" not in st.session_state:
        remember(the_desk, actor, the_desk.reviews.get(actor, review_id))
    st.session_state["drawn"] = True
    st.session_state["news"] = look(the_desk, actor, review_id)


@pytest.fixture
def looker(desk: Desk, supervisor: Actor, review_id: str) -> AppTest:
    """A page that was drawn with the review, and looks at it anew with each run."""
    page = AppTest.from_function(_look_at, args=(desk, supervisor, review_id)).run(timeout=SECONDS)
    assert page.session_state["news"] is None
    return page


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("5 business days", "12 business days", ("Refunds",)),
        ("to reach your card", "to get back to your card", ("Refunds",)),
        ("Gift cards cannot be", "Vouchers cannot be", ()),
    ],
)
def test_an_open_draft_hears_that_its_source_changed(
    desk: Desk, looker: AppTest, old: str, new: str, told: tuple[str, ...]
) -> None:
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace(old, new))
    desk.sync()
    for _ in range(2):
        news = looker.run(timeout=SECONDS).session_state["news"]
        assert (news.sources if news else ()) == told


def test_an_open_draft_hears_who_took_it_over_and_that_it_was_decided(
    desk: Desk, looker: AppTest, supervisor: Actor, admin: Actor, review_id: str
) -> None:
    desk.reviews.claim(admin, review_id)
    assert looker.run(timeout=SECONDS).session_state["news"].holder == admin.id
    desk.reviews.decide(admin, review_id, {"kind": "approve"})
    assert looker.run(timeout=SECONDS).session_state["news"].is_over
