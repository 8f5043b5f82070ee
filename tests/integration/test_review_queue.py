"""The review queue at any depth, who looks at what, many approvals at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event

from core.errors import ClaimedByOther, NotAllowed, Unavailable
from desk.bootstrap import Desk
from desk.models import Presence, Review
from desk.permissions import Actor
from desk.reviews import LOOKS_FOR, ReviewFilter
from tests.factories import ADMIN
from tests.integration.conftest import open_contact, pending_review

QUESTION = "How long does a refund take?"


def copies(desk: Desk, review_id: str, count: int) -> None:
    """Put ``count`` more reviews like one of them into the queue, of three risks, many due at once."""
    with desk.database.write() as session:
        first = session.get_one(Review, review_id)
        session.add_all(
            Review(
                id=f"rev_copy{number:05}",
                contact_id=first.contact_id,
                thread=first.thread,
                interrupt_id=f"copy{number}",
                kind=first.kind,
                status="pending",
                tier="review_required" if number % 3 else "allowed",
                risk=number % 3,
                reason=first.reason,
                state=first.state,
                allowed=first.allowed,
                opened_at=first.opened_at,
                due_at=first.due_at + timedelta(minutes=number // 10),
            )
            for number in range(count)
        )


@pytest.fixture
def review_id(desk: Desk, agent: Actor) -> str:
    return pending_review(desk, agent, open_contact(desk, agent, QUESTION, subject="Refund"))


def test_pages_follow_each_other_by_risk_and_due_time_without_gap(
    desk: Desk, supervisor: Actor, review_id: str
) -> None:
    copies(desk, review_id, 60)
    whole = desk.reviews.queue(supervisor, limit=100)
    assert len(whole) == 61
    assert [(-r.risk, r.due_at, r.id) for r in whole] == sorted(
        (-r.risk, r.due_at, r.id) for r in whole
    )
    paged, last = [], None
    while page := desk.reviews.queue(supervisor, limit=7, after=last):
        paged += page
        last = page[-1]
    assert [review.id for review in paged] == [review.id for review in whole]


def test_a_deep_page_reads_no_more_rows_than_the_first(
    desk: Desk, supervisor: Actor, review_id: str
) -> None:
    copies(desk, review_id, 600)
    deep = desk.reviews.queue(supervisor, limit=590)[-1]
    plans: list[str] = []

    def explain(connection, _cursor, statement, parameters, *_rest):
        if statement.startswith("SELECT review.id"):
            rows = connection.connection.cursor().execute(
                "EXPLAIN QUERY PLAN " + statement, parameters
            )
            plans.extend(row[3] for row in rows)

    event.listen(desk.database.engine, "before_cursor_execute", explain)
    try:
        assert desk.reviews.queue(supervisor, limit=5, after=deep)
    finally:
        event.remove(desk.database.engine, "before_cursor_execute", explain)
    assert plans
    assert not [plan for plan in plans if "SCAN" in plan or "TEMP B-TREE" in plan]
    assert any("ix_review_queue" in plan and "due_at" in plan for plan in plans), plans


def test_a_queue_is_narrowed_to_what_one_asks_for(
    desk: Desk, supervisor: Actor, review_id: str
) -> None:
    copies(desk, review_id, 6)
    lowest = desk.reviews.queue(supervisor, only=ReviewFilter(tier="allowed"))
    assert {review.tier for review in lowest} == {"allowed"}
    assert desk.reviews.queue(supervisor, only=ReviewFilter(reason="order_status")) == []
    desk.reviews.claim(supervisor, review_id)
    mine = desk.reviews.queue(supervisor, only=ReviewFilter(held_by=supervisor.id))
    assert [review.id for review in mine] == [review_id]
    assert desk.reviews.queue(supervisor, only=ReviewFilter(changed=True)) == []
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace("5 business days", "12 business days"))
    desk.sync()
    changed = desk.reviews.queue(supervisor, only=ReviewFilter(changed=True))
    assert [review.id for review in changed] == [review_id]


def test_who_looks_at_a_review_is_known_for_half_a_minute(
    desk: Desk, supervisor: Actor, agent: Actor, review_id: str
) -> None:
    desk.reviews.look(agent, review_id)
    assert desk.reviews.lookers(supervisor, [review_id]) == {review_id: [agent.id]}
    assert desk.reviews.lookers(agent, [review_id]) == {}
    with desk.database.write() as session:
        session.get_one(Presence, agent.id).at -= LOOKS_FOR
    assert desk.reviews.lookers(supervisor, [review_id]) == {}
    desk.reviews.look(agent, review_id)
    desk.reviews.look(agent, "rev_another")
    assert desk.reviews.lookers(supervisor, [review_id]) == {}


def test_a_supervisor_takes_a_review_over_from_who_holds_it(
    desk: Desk, supervisor: Actor, agent: Actor, review_id: str
) -> None:
    other = desk.people.add(None, "Sam", "sam@example.com", "supervisor")
    desk.reviews.claim(other, review_id)
    holder = desk.reviews.holder(supervisor, review_id)
    assert holder
    assert (holder.name, holder.since is not None) == ("Sam", True)
    assert desk.reviews.holder(other, review_id) is None
    with pytest.raises(NotAllowed):
        desk.reviews.take_over(agent, review_id, other.id)
    desk.reviews.take_over(supervisor, review_id, other.id)
    with pytest.raises(ClaimedByOther, match="Ruth is working on this review"):
        desk.reviews.decide(other, review_id, {"kind": "approve"})
    with pytest.raises(ClaimedByOther, match="Ruth is working"):  # Sam holds it no more
        desk.reviews.take_over(desk.people.add(None, "Kim", "k@x.io", "admin"), review_id, other.id)
    trail = [one for one in desk.audit.of_contact(supervisor, desk.reviews.line(supervisor, review_id).contact_id)
             if one.event == "review.claimed"]  # fmt: skip
    assert [(one.actor, one.data) for one in trail] == [
        (other.id, {}),
        (supervisor.id, {"taken_from": other.id}),
    ]
    assert not desk.reviews.decide(supervisor, review_id, {"kind": "approve"}).stopped


def test_many_are_approved_at_once_and_what_is_flagged_is_left(
    desk: Desk, supervisor: Actor, agent: Actor, review_id: str
) -> None:
    shipping = pending_review(
        desk, agent, open_contact(desk, agent, "How long does standard shipping take?")
    )
    threat = pending_review(
        desk, agent, open_contact(desk, agent, "Where is my order? It has not arrived yet.")
    )
    lines = desk.reviews.approve_many(supervisor, [review_id, shipping, threat, "rev_none"])
    assert [line.result for line in lines] == ["approved", "approved", "left", "left"]
    assert "Look at this one by itself" in lines[2].sentence
    assert all(line.delivery_id for line in lines[:2])
    assert desk.reviews.get(supervisor, threat).summary.status == "pending"


def test_of_many_the_recheck_stops_the_one_whose_source_changed(
    desk: Desk, supervisor: Actor, agent: Actor, review_id: str
) -> None:
    shipping = pending_review(
        desk, agent, open_contact(desk, agent, "How long does standard shipping take?")
    )
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace("5 business days", "12 business days"))
    desk.sync()
    with desk.database.write() as session:  # as if the sync had come after the list was drawn
        session.get_one(Review, review_id).stale = []
    lines = desk.reviews.approve_many(supervisor, [review_id, shipping])
    assert [line.result for line in lines] == ["stopped", "approved"]
    assert "12 business days" in lines[0].sentence
    assert len(desk.deliveries.latest(ADMIN)) == 1


def test_the_wait_for_many_is_bounded_as_a_whole(
    desk: Desk, supervisor: Actor, agent: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    reviews = [pending_review(desk, agent, open_contact(desk, agent, QUESTION)) for _ in range(3)]
    now, waited = [0.0], []

    def wait_long(_key: str, timeout_seconds: float) -> None:
        waited.append(timeout_seconds)
        now[0] += min(timeout_seconds, 40)

    monkeypatch.setattr(desk.jobs, "wait", wait_long)
    monkeypatch.setattr("desk.reviews.time.monotonic", lambda: now[0])
    lines = desk.reviews.approve_many(supervisor, reviews, wait_seconds=60)
    assert waited == [60, 20, 0]
    assert [line.result for line in lines] == ["under_way"] * 3


def test_of_many_one_that_breaks_and_one_that_lasts_hide_nothing_of_the_others(
    desk: Desk, supervisor: Actor, agent: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, slow, good = (
        pending_review(desk, agent, open_contact(desk, agent, QUESTION)) for _ in range(3)
    )
    wait = desk.jobs.wait

    def wait_in_vain(key: str, timeout_seconds: float) -> str | None:
        if key == f"resume:{broken}":
            raise Unavailable("The disk is full.")
        return None if key == f"resume:{slow}" else wait(key, timeout_seconds)

    monkeypatch.setattr(desk.jobs, "wait", wait_in_vain)
    lines = desk.reviews.approve_many(supervisor, [broken, slow, good])
    assert [line.result for line in lines] == ["under_way", "under_way", "approved"]
    assert "The disk is full." in lines[0].sentence
    assert "still looking" in lines[1].sentence
    assert [bool(line.delivery_id) for line in lines] == [False, False, True]


def test_an_owner_of_sources_approves_nothing(desk: Desk, review_id: str) -> None:
    owner = desk.people.add(None, "Priya", "priya@example.com", "content_owner")
    with pytest.raises(NotAllowed):
        desk.reviews.approve_many(owner, [review_id])


def test_decided_reviews_are_listed_the_newest_first(
    desk: Desk, supervisor: Actor, agent: Actor, review_id: str
) -> None:
    other = pending_review(desk, agent, open_contact(desk, agent, QUESTION))
    desk.reviews.decide(supervisor, review_id, {"kind": "approve"})
    desk.reviews.decide(supervisor, other, {"kind": "approve"})
    assert [r.id for r in desk.reviews.decided(supervisor)] == [other, review_id]
    assert [r.id for r in desk.reviews.decided(supervisor, before=other)] == [review_id]
    newest, older = desk.deliveries.latest(ADMIN)
    assert desk.deliveries.latest(ADMIN, before=newest.id) == [older]
