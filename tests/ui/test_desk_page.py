"""The agent's desk, used as an agent would: talking, looking up, putting forward, finding the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextArea

from desk.bootstrap import Desk
from desk.permissions import Actor
from tests.factories import ADMIN
from tests.integration.conftest import open_contact, pending_review
from tests.integration.one_desk import one_desk
from tests.ui.conftest import OpenPage, seen

QUESTION = "Hello,\n\nHow long does a refund take?"
HOSTILE = "<img src=x onerror=alert(1)> ![p](https://evil.example/p.png) [x](javascript:alert(1))"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, example_vectors: Path) -> Iterator[Desk]:
    yield from one_desk(tmp_path_factory.mktemp("one-desk"), example_vectors)


@pytest.fixture(scope="module")
def agent(desk: Desk) -> Actor:
    return desk.people.add(None, "Mina", "mina@example.com", "agent")


@pytest.fixture
def contact_id(desk: Desk, agent: Actor) -> str:
    """Id of a contact that waits with a draft, assigned to the agent."""
    contact = open_contact(desk, agent, QUESTION, customer_name="Abigail Stern", subject="Refund")
    desk.contacts.assign(agent, contact, agent.id)
    return contact


def opened(page: AppTest, contact_id: str) -> AppTest:
    page.pills(key="queue.filter").set_value("all").run()
    return page.button(key=f"queue.open.{contact_id}").click().run()


def ask(page: AppTest, text: str) -> AppTest:
    return page.chat_input(key="assistant.input").set_value(text).run()


def test_a_typed_request_becomes_a_proposal_and_then_the_draft_that_waits(
    open_page: OpenPage, desk: Desk, agent: Actor, contact_id: str
) -> None:
    page = opened(open_page("desk", agent), contact_id)
    assert "The draft that waits" in seen(page)
    ask(page, "add what standard shipping costs")
    shown = seen(page)
    assert "Proposed with the assistant" in shown
    assert "$4.50" in shown
    assert 'class="pd-sentence pd-fresh"' in shown
    assert "add what standard shipping costs" in shown
    page.button(key="proposal.forward").click().run()
    assert "It waits in the review queue now." in seen(page)
    view = desk.reviews.get(agent, pending_review(desk, agent, contact_id))
    assert any("$4.50" in sentence["text"] for sentence in view.draft["sentences"])


def test_how_the_customer_writes_stands_beside_why_the_contact_has_its_tier(
    open_page: OpenPage, desk: Desk, agent: Actor
) -> None:
    text = "I am furious, this is unacceptable!! Where is my refund? I need it today, urgently."
    contact = open_contact(desk, agent, text, customer_name="Zoe", subject="Refund")
    desk.contacts.assign(agent, contact, agent.id)
    shown = seen(opened(open_page("desk", agent), contact))
    assert "It is urgent. The customer complains" in shown
    assert "by its words" in shown


def test_a_question_is_answered_beside_the_draft_and_used_on_request(
    open_page: OpenPage, agent: Actor, contact_id: str
) -> None:
    page = opened(open_page("desk", agent), contact_id)
    ask(page, "How much does standard shipping cost?")
    assert "For you, not in the draft" in seen(page)
    assert "The draft that waits" in seen(page)
    use = next(one for one in page.button if (one.key or "").startswith("assistant.use."))
    use.click().run()
    assert "Proposed with the assistant" in seen(page)


def test_one_press_on_a_citation_leads_to_the_cited_words_in_their_article(
    open_page: OpenPage, desk: Desk, agent: Actor, contact_id: str
) -> None:
    page = opened(open_page("desk", agent), contact_id)
    shown = seen(page)
    place = shown.split('href="#')[1].split('"')[0]
    mark = shown.split(f'id="{place}"')[1]
    assert "5 business days" in mark.split("</mark>")[0]
    assert "Gift cards cannot be refunded" in shown  # the article around it
    assert "Priya" in shown


def test_what_stands_in_the_way_is_told_at_the_sentence(
    open_page: OpenPage, agent: Actor, contact_id: str
) -> None:
    page = opened(open_page("desk", agent), contact_id)
    page.button(key="assistant.quick.W").click().run()
    page.button(key="answer.edit").click().run()
    box = _edit_box(page)
    box.input((box.value or "").replace("5 business days", "9 business days"))
    page.button(key="answer.edit.send").click().run()
    assert "pd-finding" in seen(page)
    assert not _has(page, "proposal.approve")


def test_the_edit_box_holds_the_draft_that_stands_above_it(
    open_page: OpenPage, agent: Actor, contact_id: str
) -> None:
    page = opened(open_page("desk", agent), contact_id)
    page.button(key="assistant.quick.W").click().run()
    page.button(key="answer.edit").click().run()
    assert "5 business days" in (_edit_box(page).value or "")
    ask(page, "add what standard shipping costs")
    assert "$4.50" in (_edit_box(page).value or "")
    page.button(key="answer.edit.send").click().run()
    assert "$4.50" in seen(page).split("Proposed with the assistant")[1]


def test_the_assistant_can_be_taken_back(
    open_page: OpenPage, desk: Desk, agent: Actor, contact_id: str
) -> None:
    page = opened(open_page("desk", agent), contact_id)
    page.button(key="assistant.quick.W").click().run()
    assert "Proposed with the assistant" in seen(page)
    page.button(key="proposal.discard").click().run()
    assert "The draft that waits" in seen(page)
    assert "Taken back" in seen(page)


def test_an_agent_approves_a_proposal_where_the_tier_allows_it(
    open_page: OpenPage, desk: Desk, agent: Actor, contact_id: str
) -> None:
    assert desk.contacts.get(ADMIN, contact_id).summary.tier == "allowed"
    page = opened(open_page("desk", agent), contact_id)
    page.button(key="assistant.quick.W").click().run()
    page.button(key="proposal.approve").click().run()
    assert desk.contacts.get(ADMIN, contact_id).summary.status == "scheduled"


def test_missing_details_stand_in_a_checklist_and_are_asked_for_with_one_press(
    open_page: OpenPage, desk: Desk, agent: Actor
) -> None:
    contact_id = open_contact(desk, agent, "Where is my order? It has not arrived yet.")
    page = opened(open_page("desk", agent), contact_id)
    assert "○ Order number" in seen(page)
    page.button(key="context.ask.order_number").click().run()
    assert "The draft asks for that already." in seen(page)


def test_the_words_that_made_a_rule_fire_are_marked_and_the_rule_is_a_sentence(
    open_page: OpenPage, desk: Desk, agent: Actor
) -> None:
    contact_id = open_contact(desk, agent, "Refund me today or I will sue you in court.")
    page = opened(open_page("desk", agent), contact_id)
    shown = seen(page)
    assert "The customer speaks of legal steps." in shown
    assert '<mark class="pd-trigger"' in shown


def test_a_link_opens_its_contact_and_a_dead_one_says_so(
    open_page: OpenPage, agent: Actor, contact_id: str
) -> None:
    page = open_page("desk", agent)
    page.query_params["contact"] = contact_id
    page.session_state["queue.open"] = None
    page.run()
    assert "Abigail Stern" in seen(page)
    page.session_state["queue.open"] = "con_gone"
    page.run()
    assert "There is no such contact" in seen(page)


def test_a_failed_contact_is_tried_again_with_one_press(
    open_page: OpenPage, desk: Desk, agent: Actor, contact_id: str
) -> None:
    desk.runs.fail(f"{contact_id}:1", "The model could not be reached.")
    page = opened(open_page("desk", agent), contact_id)
    assert "The model could not be reached." in seen(page)
    page.button(key="answer.retry").click().run()
    assert "The draft that waits" in seen(page)


def test_each_queue_shows_its_count_and_what_to_do_when_it_is_empty(
    open_page: OpenPage, desk: Desk, agent: Actor, contact_id: str
) -> None:
    lacking = open_contact(desk, agent, "Where is my order? It has not arrived yet.")
    page = open_page("desk", agent)
    options = dict(
        option.content.rsplit(" ", 1)
        for option in page.pills(key="queue.filter").proto.options[:-1]
    )
    assert int(options["Mine"]) >= 1
    assert int(options["Unassigned"]) >= 1
    assert int(options["Missing context"]) >= 1
    assert options["Stale source"] == "0"
    page.pills(key="queue.filter").set_value("missing_context").run()
    assert _has(page, f"queue.open.{lacking}")
    assert not _has(page, f"queue.open.{contact_id}")
    page.pills(key="queue.filter").set_value("stale_source").run()
    assert "No source changed under a waiting draft." in seen(page)


def test_what_others_wrote_is_never_markup(
    open_page: OpenPage, desk: Desk, agent: Actor, contact_id: str
) -> None:
    page = opened(open_page("desk", agent), contact_id)
    ask(page, HOSTILE)
    page.text_area(key="desk.message").input(HOSTILE)
    page.button(key="desk.message.send").click().run()
    shown = seen(page)
    assert "<img" not in shown
    assert "&lt;img src=x" in shown
    assert not [one.value for one in page.markdown if "evil.example" in one.value]


def _has(page: AppTest, key: str) -> bool:
    return any(button.key == key for button in page.button)


def _edit_box(page: AppTest) -> TextArea:
    return next(one for one in page.text_area if (one.key or "").startswith("answer.text."))
