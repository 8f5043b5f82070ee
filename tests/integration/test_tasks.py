"""Tasks on a small desk: raised by what reviewers say, closed by what somebody changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from core.clock import FixedClock
from core.errors import BadInput, Conflict, NotAllowed, NotFound, Refused
from desk.bootstrap import Desk
from desk.models import AuditEvent, Contact, Review
from desk.permissions import Actor
from desk.qa_models import SeededCheck
from desk.tasks import TaskLine, raise_task
from tests.integration.conftest import REASONS, REFUNDS, open_contact, pending_review
from tests.integration.own_desk import own_desk

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
QUESTION = "How long does a refund take?"
HOSTILE = "<script>alert(1)</script> mail me at jo@example.com"


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture(scope="module")
def desk(
    tmp_path_factory: pytest.TempPathFactory, example_vectors: Path, clock: FixedClock
) -> Iterator[Desk]:
    base = tmp_path_factory.mktemp("tasks")
    with own_desk(base, example_vectors, clock) as desk:
        yield desk


@pytest.fixture(scope="module")
def lead(desk: Desk) -> Actor:
    return desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")


@pytest.fixture
def board(desk: Desk, lead: Actor) -> Iterator[None]:
    """Begin and end with an empty board, a month after whatever happened before."""
    desk.clock.advance(timedelta(days=40))  # type: ignore[attr-defined]
    yield
    for task in desk.tasks.page(lead):
        desk.tasks.close(lead, task.id)


def rejected(desk: Desk, lead: Actor, why: str, comment: str = "Not so.") -> str:
    contact = open_contact(desk, lead, QUESTION)
    review = pending_review(desk, lead, contact)
    desk.reviews.decide(lead, review, {"kind": "reject", "reason": why, "comment": comment})
    return contact


def only(desk: Desk, lead: Actor) -> TaskLine:
    (task,) = desk.tasks.page(lead)
    return task


@pytest.mark.usefixtures("board")
def test_a_wrong_source_goes_to_its_owner_and_a_new_text_closes_it(desk: Desk, lead: Actor) -> None:
    contact = rejected(desk, lead, "wrong_source", f"Wrong page. {HOSTILE}")
    assert desk.tasks.sweep().raised == 1
    task = only(desk, lead)
    assert (task.kind, task.owner) == ("article_change", "Priya")
    (witness,) = desk.tasks.get(lead, task.id).witnesses
    assert witness.contact_id == contact
    assert "jo@example.com" not in witness.words
    assert "jo@" not in str(task.evidence) + task.title
    assert desk.tasks.sweep().raised == 0

    desk.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(REFUNDS.replace("5 business days", "6 business days"))
    desk.sync()
    swept = desk.tasks.sweep()
    assert (swept.raised, swept.closed) == (0, 1)
    (done,) = [one for one in desk.tasks.page(lead, ("done",)) if one.id == task.id]
    assert done.cause == "Version 2 of its source came in."
    assert done.ended_by == "desk"
    with desk.database.read() as session:
        told = session.scalars(select(AuditEvent.event).where(AuditEvent.event.like("task.%")))
        assert {"task.raised", "task.done"} <= set(told)


@pytest.mark.usefixtures("board")
def test_what_is_done_comes_back_only_for_something_new(desk: Desk, lead: Actor) -> None:
    rejected(desk, lead, "out_of_date")
    desk.tasks.sweep()
    first = only(desk, lead)
    desk.tasks.start(lead, first.id)
    assert only(desk, lead).state == "in_progress"
    with pytest.raises(Conflict, match="in progress"):
        desk.tasks.start(lead, first.id)
    desk.tasks.close(lead, first.id)
    assert desk.tasks.sweep().raised == 0
    desk.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    rejected(desk, lead, "out_of_date")
    assert desk.tasks.sweep().raised == 1
    again = only(desk, lead)
    assert (again.round, again.evidence["count"]) == (2, 1)


@pytest.mark.usefixtures("board")
def test_further_evidence_joins_the_open_task(desk: Desk, lead: Actor) -> None:
    rejected(desk, lead, "wrong_tier")
    desk.tasks.sweep()
    rejected(desk, lead, "wrong_tier")
    assert desk.tasks.sweep().raised == 0
    task = only(desk, lead)
    assert (task.kind, task.evidence["count"]) == ("routing_fix", 2)
    assert task.title.startswith("Wrong tier in 2 drafts")


@pytest.mark.usefixtures("board")
def test_an_edited_rule_closes_its_task(desk: Desk, lead: Actor) -> None:
    rejected(desk, lead, "wrong_tier")
    desk.tasks.sweep()
    assert desk.tasks.sweep().closed == 0
    path = desk.settings.workspace_folder / "reasons.yaml"
    path.write_text(REASONS.replace("name: Refund question", "name: Refunds"))
    try:
        assert desk.tasks.sweep().closed == 1
        done = desk.tasks.page(lead, ("done",))[0]
        assert "reasons.yaml:refund_question" in done.cause
    finally:
        path.write_text(REASONS)


@pytest.mark.usefixtures("board")
def test_what_people_keep_rewording_becomes_a_suggested_edit(desk: Desk, lead: Actor) -> None:
    said = "Shipping the standard way is $4.50"
    for ending in ("", " for any order", ""):
        contact = open_contact(desk, lead, "What does standard shipping cost?")
        text = f"Hello,\n\n{said}{ending}.\n\nBye"
        review = pending_review(desk, lead, contact)
        desk.reviews.decide(lead, review, {"kind": "edit", "text": text})
        waiting = [r for r in desk.reviews.of_contact(lead, contact) if r.status == "pending"]
        for one in waiting:  # what the check holds against it takes a word
            reply = {"kind": "approve", "comment": "It says the same."}
            desk.reviews.decide(lead, one.id, reply)
    desk.flags.sweep()
    desk.tasks.sweep()
    task = only(desk, lead)
    assert (task.kind, task.evidence["why"]) == ("article_change", "rewritten")
    detail = desk.tasks.get(lead, task.id)
    assert detail.edit is not None
    assert detail.edit.before == "Standard shipping costs $4.50."
    assert detail.edit.after == f"{said}."
    assert detail.edit.written == 3


@pytest.mark.usefixtures("board")
def test_corrections_in_one_direction_suggest_examples(desk: Desk, lead: Actor) -> None:
    # All first: the desk learns from each correction at once.
    for contact in [
        open_contact(desk, lead, text)
        for text in (
            f"How much is shipping? {HOSTILE}",
            "What does standard shipping cost, to jo@example.com?",
            "Do I pay for delivery?",
        )
    ]:
        desk.corrections.correct(lead, contact, "order_status")
    desk.tasks.sweep()
    task = only(desk, lead)
    assert (task.kind, task.owner, task.evidence["count"]) == ("routing_fix", "Orders", 3)
    detail = desk.tasks.get(lead, task.id)
    assert detail.addition.startswith("  - id: order_status\n    examples:")
    for asked in ("How much is shipping?", "standard shipping cost", "Do I pay for delivery?"):
        assert asked in detail.addition
    assert "jo@example.com" not in detail.addition
    assert "shipping?" not in str(task.evidence)


@pytest.mark.usefixtures("board")
def test_what_checks_reviewers_raises_nothing(desk: Desk, lead: Actor) -> None:
    contact = rejected(desk, lead, "wrong_source")
    with desk.database.write() as session:
        session.execute(update(Contact).where(Contact.id == contact).values(origin="seeded"))
    assert desk.tasks.sweep().raised == 0


@pytest.mark.usefixtures("board")
def test_a_dismissed_task_stays_away_and_needs_a_reason(desk: Desk, lead: Actor) -> None:
    with desk.database.write() as session:
        given = {"kind": "coaching", "title": "Coach Mina.", "owner": "supervisor", "at": NOW}
        first = raise_task(session, key="qa:1", evidence={"seen": ["a"]}, **given)  # type: ignore[arg-type]
    assert first is not None
    with pytest.raises(BadInput, match="reason"):
        desk.tasks.dismiss(lead, first, " ")
    desk.tasks.dismiss(lead, first, "She left.")
    with pytest.raises(Conflict, match="dismissed already"):
        desk.tasks.close(lead, first)
    with desk.database.write() as session:
        again = raise_task(session, key="qa:1", evidence={"seen": ["b"]}, **given)  # type: ignore[arg-type]
    assert again is None
    assert desk.tasks.page(lead, ("dismissed",))[0].cause == "She left."
    owner = desk.people.add(None, "Priya", "priya@example.com", "content_owner")
    assert desk.tasks.page(owner, ("dismissed",)) == []
    with pytest.raises(NotFound):  # what a colleague is coached on is no matter of theirs
        desk.tasks.get(owner, first)


@pytest.mark.usefixtures("board")
def test_a_task_is_given_to_who_may_work_on_it_and_its_day_is_set(desk: Desk, lead: Actor) -> None:
    rejected(desk, lead, "out_of_date")
    desk.tasks.sweep()
    task = only(desk, lead)
    today = desk.clock.now().date()
    assert (task.due_on, task.overdue) == (today + timedelta(days=14), False)
    iris = desk.people.add(None, "Iris", "iris@example.com", "content_owner")
    clerk = desk.people.add(None, "Bo", "bo@example.com", "agent")
    with pytest.raises(NotAllowed):
        desk.tasks.give(iris, task.id, iris.id)
    with pytest.raises(NotAllowed):
        desk.tasks.set_due(iris, task.id, today)
    for nobody in (clerk.id, "agent", "Billing"):
        with pytest.raises(BadInput, match="may work on this task"):
            desk.tasks.give(lead, task.id, nobody)
    with pytest.raises(BadInput, match="is over"):
        desk.tasks.set_due(lead, task.id, today - timedelta(days=1))
    assert desk.tasks.page(iris, mine=True) == []
    desk.tasks.give(lead, task.id, iris.id)
    desk.tasks.give(lead, task.id, iris.id)
    desk.tasks.set_due(lead, task.id, today)
    (mine,) = desk.tasks.page(iris, mine=True)
    assert (mine.owner, mine.due_on) == ("Iris", today)
    rejected(desk, lead, "out_of_date")  # what joins it does not take it away from her
    desk.tasks.sweep()
    assert only(desk, lead).owner == "Iris"
    assert desk.tasks.count_overdue(lead) == 0
    desk.clock.advance(timedelta(days=1))  # type: ignore[attr-defined]
    assert [one.overdue for one in desk.tasks.page(lead, overdue=True)] == [True]
    assert desk.tasks.count_overdue(iris) == 1
    desk.tasks.close(iris, task.id)
    assert desk.tasks.count_overdue(lead) == 0
    assert not desk.tasks.get(lead, task.id).line.overdue
    with pytest.raises(Conflict, match="done already"):
        desk.tasks.give(lead, task.id, lead.id)
    with desk.database.read() as session:
        given = select(AuditEvent).where(AuditEvent.event.in_(("task.given", "task.due_set")))
        given = given.order_by(AuditEvent.id)
        told = [(one.actor, one.event, one.data["task"]) for one in session.scalars(given)]
    assert told == [(lead.id, "task.given", task.id), (lead.id, "task.due_set", task.id)]


def test_coaching_is_given_only_to_those_who_lead(desk: Desk, lead: Actor) -> None:
    owner = desk.people.add(None, "Una", "una@example.com", "content_owner")
    assert owner.id in desk.tasks.takers(lead, "article_change")
    coaches = desk.tasks.takers(lead, "coaching")
    assert lead.id in coaches
    assert not {owner.id, "content_owner", "agent"} & set(coaches)


@pytest.mark.usefixtures("board")
def test_what_was_asked_in_vain_before_the_article_came_raises_nothing_again(
    desk: Desk, lead: Actor
) -> None:
    def ask(*texts: str) -> None:
        for text in texts:
            contact = open_contact(desk, lead, text)
            with desk.database.write() as session:  # whatever the classifier makes of them
                ours = update(Review).where(Review.contact_id == contact)
                session.execute(ours.values(reason="refund_question", kind="abstain"))

    ask("Do you repair watches?", "Who won the cup in 1998?", "Is the moon hollow?")
    desk.tasks.sweep()
    (task,) = [one for one in desk.tasks.page(lead) if one.evidence["why"] == "unanswered"]
    assert "3 of 3 contacts about “Refund question”" in task.title
    desk.tasks.close(lead, task.id, "Written.")
    desk.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    ask("Do penguins fly?")
    assert desk.tasks.sweep().raised == 0
    ask("Do you sell boats?", "Who is the mayor of Rome?")
    assert desk.tasks.sweep().raised == 1
    (again,) = [one for one in desk.tasks.page(lead) if one.evidence["why"] == "unanswered"]
    assert "3 of 3 contacts" in again.title


@pytest.mark.usefixtures("board")
def test_missed_checks_and_failed_readings_are_coached(desk: Desk, lead: Actor) -> None:
    now = desk.clock.now()
    with desk.database.write() as session:
        for number in range(3):
            contact = f"con_seeded{number}"
            session.add(
                Contact(
                    id=contact,
                    origin="seeded",
                    channel="email",
                    status="closed",
                    created_at=now,
                    updated_at=now,
                )
            )
            session.flush()
            session.add(
                Review(
                    id=f"rev_seeded{number}",
                    contact_id=contact,
                    thread=f"{contact}:1",
                    interrupt_id="1",
                    kind="answer",
                    status="withdrawn",
                    tier="allowed",
                    state={},
                    allowed=[],
                    opened_at=now,
                    due_at=now,
                )
            )
            session.flush()
            session.add(
                SeededCheck(
                    id=f"chk_{number}",
                    contact_id=contact,
                    review_id=f"rev_seeded{number}",
                    source_contact_id="con_x",
                    kind="promise",
                    sentence=0,
                    before="",
                    after="We pay for everything.",
                    marked=False,
                    placed_at=now,
                    resolved_at=now,
                    resolved_by=lead.id,
                    outcome="missed" if number else "caught",
                )
            )
    desk.tasks.sweep()
    task = only(desk, lead)
    assert task.title.startswith("Coach Ruth: 2 of 3 seeded checks were approved")
    witnesses = desk.tasks.get(lead, task.id).witnesses
    assert [one.review_id for one in witnesses] == ["rev_seeded2", "rev_seeded1"]
    with pytest.raises(Refused, match="about you"):
        desk.tasks.dismiss(lead, task.id, "It was a hard week.")
    with pytest.raises(Refused, match="about you"):
        desk.tasks.give(lead, task.id, "admin")
    boss = desk.people.add(None, "Ingrid", "ingrid@example.com", "admin")
    desk.tasks.close(boss, task.id, "Talked it over.")
    desk.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    with desk.database.write() as session:  # what was met before the talk counts no more
        later = update(SeededCheck).where(SeededCheck.id.in_(("chk_0", "chk_1")))
        session.execute(later.values(resolved_at=desk.clock.now(), outcome="missed"))
    desk.tasks.sweep()
    assert only(desk, lead).title.startswith("Coach Ruth: 2 of 2 seeded checks")
    desk.tasks.close(boss, only(desk, lead).id)


@pytest.mark.usefixtures("board")
def test_what_somebody_had_who_left_falls_to_their_role_and_nobody_coaches_them(
    desk: Desk, lead: Actor
) -> None:
    admin = desk.people.add(None, "Inga", "inga@example.com", "admin")
    for name in ("Noor", "Tess"):
        person = desk.people.add(None, name, f"{name}@example.com", "content_owner")
        rejected(desk, lead, "out_of_date")
        desk.tasks.sweep()
        (task,) = [one for one in desk.tasks.page(lead) if one.kind != "coaching"]
        desk.tasks.give(lead, task.id, person.id)
        if name == "Noor":
            desk.people.leave(admin, person.id)
        else:
            desk.people.change_role(admin, person.id, "agent")
        with desk.database.write() as session:
            raise_task(
                session,
                key=f"coach:{person.id}",
                kind="coaching",
                title=f"Coach {name}.",
                owner="supervisor",
                evidence={"person": person.id, "seen": ["a"]},
                at=desk.clock.now(),
            )
        desk.tasks.sweep()
        assert desk.tasks.get(lead, task.id).line.owner == "content_owner"
        desk.tasks.close(lead, task.id)
        desk.clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    assert [one.title for one in desk.tasks.page(lead, kind="coaching")] == ["Coach Tess."]


def test_tasks_are_no_matter_of_agents(desk: Desk) -> None:
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    with pytest.raises(NotAllowed):
        desk.tasks.page(agent)


def test_unknown_words_are_refused(desk: Desk, lead: Actor) -> None:
    with pytest.raises(NotFound, match="no task"):
        desk.tasks.get(lead, "tsk_none")
    with pytest.raises(BadInput, match="state"):
        desk.tasks.page(lead, ("gone",))  # type: ignore[arg-type]
    with desk.database.write() as session, pytest.raises(ValueError, match="kind"):
        raise_task(session, key="x", kind="?", title="", owner="", evidence={}, at=NOW)  # type: ignore[arg-type]
