"""Another draft takes the place of the one that waits; nothing leaves by that."""

from __future__ import annotations

import pytest

from core.errors import AlreadyDecided, ClaimedByOther, DecisionRefused, NotAllowed
from desk.bootstrap import Desk
from desk.contacts import NewMessage
from desk.permissions import Actor
from graph.values import Draft, Sentence
from tests.factories import ADMIN
from tests.integration.conftest import open_contact, pending_review

QUESTION = "How long does a refund take, and who gets one?"


def _shorter(draft: Draft) -> Draft:
    return {**draft, "sentences": draft["sentences"][:1], "closing": ""}


def test_a_revision_is_checked_and_waits_and_the_one_before_waits_no_more(
    desk: Desk, agent: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    before = desk.reviews.get(agent, review_id)
    revised = _shorter(before.draft)

    outcome = desk.reviews.revise(agent, review_id, revised)

    assert outcome.next_review_id
    assert outcome.delivery_id is None
    now = desk.reviews.get(agent, outcome.next_review_id)
    assert now.draft == revised
    assert now.check["passed"]
    assert now.evidence["draft_digest"] != before.evidence["draft_digest"]
    assert desk.reviews.get(agent, review_id).summary.status == "withdrawn"
    assert desk.deliveries.latest(ADMIN) == []
    events = [event.event for event in desk.audit.of_contact(ADMIN, contact_id)]
    assert "review.revised" in events
    assert "review.edit" not in events


def test_a_revision_that_the_sources_do_not_bear_out_waits_with_its_finding(
    desk: Desk, agent: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    draft = desk.reviews.get(agent, review_id).draft
    first = draft["sentences"][0]
    wrong: Sentence = {**first, "text": first["text"].replace("5 business days", "2 business days")}
    assert wrong["text"] != first["text"]

    outcome = desk.reviews.revise(agent, review_id, {**draft, "sentences": [wrong]})

    now = desk.reviews.get(agent, str(outcome.next_review_id))
    assert [finding["rule"] for finding in now.check["findings"]] == ["duration"]
    assert "approve" not in now.open_decisions  # an agent may not carry a finding


def test_a_revised_draft_is_rechecked_when_it_is_approved(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    draft = desk.reviews.get(agent, review_id).draft
    outcome = desk.reviews.revise(agent, review_id, _shorter(draft))
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace("5 business days", "12 business days"))
    desk.sync()

    decided = desk.reviews.decide(supervisor, str(outcome.next_review_id), {"kind": "approve"})

    assert decided.stopped
    assert any("12" in change.get("new", "") for change in decided.changes)
    assert desk.deliveries.latest(ADMIN) == []


def test_of_two_who_revise_the_second_is_told_so(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    draft = desk.reviews.get(agent, review_id).draft
    desk.reviews.revise(agent, review_id, _shorter(draft))
    with pytest.raises(AlreadyDecided, match="Mina put another draft in its place"):
        desk.reviews.revise(supervisor, review_id, draft)


def test_what_a_supervisor_holds_is_not_changed_under_them(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    draft = desk.reviews.get(agent, review_id).draft
    desk.reviews.claim(supervisor, review_id)
    with pytest.raises(ClaimedByOther, match="Ruth is working on this review"):
        desk.reviews.revise(agent, review_id, _shorter(draft))
    assert desk.reviews.get(agent, review_id).draft == draft


def test_a_message_that_comes_meanwhile_starts_over_instead_of_keeping_the_revision(
    desk: Desk, agent: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    draft = desk.reviews.get(agent, review_id).draft
    desk.reviews.revise(agent, review_id, _shorter(draft), wait_seconds=0)
    threat = "If this is not settled today I will sue you and see you in court."
    desk.contacts.add_message(agent, contact_id, NewMessage("customer", threat))
    desk.jobs.run_all()  # type: ignore[union-attr]
    assert desk.contacts.get(agent, contact_id).summary.status == "escalated"


def test_a_revision_must_say_something_and_come_from_who_works_contacts(
    desk: Desk, agent: Actor
) -> None:
    contact_id = open_contact(desk, agent, QUESTION)
    review_id = pending_review(desk, agent, contact_id)
    draft = desk.reviews.get(agent, review_id).draft
    with pytest.raises(DecisionRefused, match="needs the edited answer"):
        desk.reviews.revise(agent, review_id, {**draft, "sentences": []})
    owner = Actor("per_owner", "Priya", "content_owner")
    with pytest.raises(NotAllowed):
        desk.reviews.revise(owner, review_id, draft)
