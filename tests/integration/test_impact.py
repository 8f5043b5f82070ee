"""What a changed source does to the drafts and answers that rest on it."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from core.clock import FixedClock
from core.errors import NotAllowed
from desk.bootstrap import Desk
from desk.contacts import NewMessage
from desk.impact import Impact, ImpactReport
from desk.jobs import InlineJobs
from desk.models import Review, SourceUse
from desk.permissions import Actor
from graph.evidence import Recheck, look_again
from kb.models import Article, PassageChange, SyncRun
from kb.sync import Sync, SyncReport
from kb.workspace import Workspace
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk, open_contact, pending_review

REFUND = "Hello, how long does a refund take to reach my card?"
POSTAGE = "What does standard shipping cost?"


def run_jobs(desk: Desk) -> None:
    assert isinstance(desk.jobs, InlineJobs)
    desk.jobs.run_all()


def letters(desk: Desk) -> list[str]:
    return [p.read_text() for p in sorted((desk.settings.home / "outbox").glob("*.eml"))]


def article(desk: Desk, name: str = "refunds.md") -> Path:
    return desk.settings.workspace_folder / "articles" / name


def rewrite(desk: Desk, old: str, new: str, name: str = "refunds.md") -> None:
    text = article(desk, name).read_text()
    assert old in text
    article(desk, name).write_text(text.replace(old, new))


def change(desk: Desk, old: str, new: str, name: str = "refunds.md") -> SyncReport:
    rewrite(desk, old, new, name)
    return desk.sync()


def uses(desk: Desk, contact_id: str) -> list[tuple[str, str, bool]]:
    """Return holder's kind, status and whether it is stale, of each cited passage."""
    query = select(SourceUse).where(SourceUse.contact_id == contact_id).order_by(SourceUse.id)
    with desk.database.read() as session:
        return [
            (use.holder[:3], use.status, use.stale_at is not None) for use in session.scalars(query)
        ]


def stale(desk: Desk, review_id: str) -> list[dict[str, str]]:
    with desk.database.read() as session:
        return session.get_one(Review, review_id).stale


def events(desk: Desk, contact_id: str) -> list[str]:
    return [entry.event for entry in desk.audit.of_contact(ADMIN, contact_id)]


def status(desk: Desk, review_id: str) -> str:
    return desk.reviews.get(ADMIN, review_id).summary.status


def test_a_draft_rests_on_what_it_cites_until_it_is_decided(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    desk.undo_seconds = 60
    contact = open_contact(desk, agent, REFUND)
    assert set(uses(desk, contact)) == {("rev", "pending", False)}
    outcome = desk.reviews.decide(
        supervisor, pending_review(desk, agent, contact), {"kind": "approve"}
    )
    assert set(uses(desk, contact)) == {("del", "answered", False)}
    assert outcome.delivery_id
    desk.deliveries.undo(supervisor, outcome.delivery_id)
    assert set(uses(desk, contact)) == {("del", "over", False)}


@pytest.mark.parametrize(
    "reply",
    [
        {"kind": "reject", "reason": "tone", "comment": "Shorter, please."},
        {"kind": "escalate", "tier": "escalate_first", "comment": "Known troublemaker."},
    ],
)
def test_what_is_decided_otherwise_rests_on_nothing(
    desk: Desk, agent: Actor, supervisor: Actor, reply: dict[str, str]
) -> None:
    contact = open_contact(desk, agent, REFUND)
    first = pending_review(desk, agent, contact)
    desk.reviews.decide(supervisor, first, reply)
    with desk.database.read() as session:
        held = select(SourceUse.status).where(SourceUse.holder == first)
        assert set(session.scalars(held)) == {"over"}


def test_a_further_message_ends_what_the_draft_rested_on(desk: Desk, agent: Actor) -> None:
    contact = open_contact(desk, agent, REFUND)
    desk.contacts.add_message(None, contact, NewMessage("customer", "Never mind, it came."))
    assert set(uses(desk, contact)) == {("rev", "over", False)}


def test_an_edit_rests_on_what_it_cites_itself(desk: Desk, agent: Actor, supervisor: Actor) -> None:
    contact = open_contact(desk, agent, REFUND)
    text = "Hello,\n\nOrders over $50 ship free.\n\nKind regards"
    review = pending_review(desk, agent, contact)
    desk.reviews.decide(supervisor, review, {"kind": "edit", "text": text})
    query = select(SourceUse.article_id).where(
        SourceUse.contact_id == contact, SourceUse.status == "answered"
    )
    with desk.database.read() as session:
        assert list(session.scalars(query)) == ["help-center/shipping.md"]


def test_a_changed_fact_is_reported_with_old_and_new_words(desk: Desk, agent: Actor) -> None:
    report = change(desk, "5 business days", "9 business days")
    (fact,) = report.facts
    assert (fact["title"], fact["heading"]) == ("Refunds", "How long a refund takes")
    assert any("5" in one["old"] and "9" in one["new"] for one in fact["facts"])
    assert (report.facts_count, report.reworded) == (1, 0)
    with desk.database.read() as session:
        kept = session.get_one(SyncRun, report.id).report
    assert kept == json.loads(json.dumps(report.as_json()))


def test_a_changed_fact_marks_the_waiting_review_and_has_it_drafted_anew(
    desk: Desk, agent: Actor
) -> None:
    contact = open_contact(desk, agent, REFUND)
    other = open_contact(desk, agent, POSTAGE)
    first, untouched = pending_review(desk, agent, contact), pending_review(desk, agent, other)
    report = change(desk, "5 business days", "9 business days")
    assert report.impact["reviews"] == [first]
    (mark,) = stale(desk, first)
    assert "5 business days" in mark["old"]
    assert "9 business days" in mark["new"]
    assert stale(desk, untouched) == []
    in_queue = {review.id: review.changed for review in desk.reviews.queue(agent)}
    assert in_queue == {first: True, untouched: False}
    assert desk.reviews.get(agent, first).changes == [mark]

    run_jobs(desk)
    assert status(desk, first) == "withdrawn"
    assert status(desk, untouched) == "pending"
    second = pending_review(desk, agent, contact)
    text = str(desk.reviews.get(ADMIN, second).draft["sentences"])
    assert "9 business days" in text
    assert "5 business days" not in text
    assert stale(desk, second) == []
    trail = events(desk, contact)
    assert trail[-3:] == ["source.changed", "review.withdrawn", "review.opened"]


def test_a_marked_draft_that_was_given_back_is_written_anew_at_the_next_look(
    open_synced: OpenDesk,
) -> None:
    clock = FixedClock(datetime(2026, 11, 22, 9, tzinfo=UTC))
    desk = open_synced(clock)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    supervisor = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    contact = open_contact(desk, agent, REFUND)
    first = pending_review(desk, agent, contact)
    change(desk, "5 business days", "9 business days")
    desk.reviews.claim(supervisor, first)  # before the job that was asked for comes to it
    run_jobs(desk)
    assert status(desk, first) == "pending"
    desk.reviews.release(supervisor, first)
    clock.advance(timedelta(hours=1))
    assert desk.impact.redraft_stale() == 1
    run_jobs(desk)
    assert status(desk, first) == "withdrawn"
    assert "9 business days" in str(
        desk.reviews.get(ADMIN, pending_review(desk, agent, contact)).draft["sentences"]
    )


def test_a_working_desk_drafts_anew_by_itself(open_synced: OpenDesk) -> None:
    before = open_synced()
    agent = before.people.add(None, "Mina", "mina@example.com", "agent")
    contact = open_contact(before, agent, REFUND)
    first = pending_review(before, agent, contact)
    before.close()
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    desk = open_synced(FixedClock(now), inline=False)
    desk.start()
    change(desk, "5 business days", "9 business days")
    assert desk.jobs.wait(f"redraft:{first}:2026112209", 240) == "redrafted"
    desk.contacts.wait_for_draft(contact, 240)
    draft = desk.reviews.get(ADMIN, pending_review(desk, agent, contact)).draft
    assert "9 business days" in str(draft["sentences"])


def test_a_rewording_marks_nothing_and_the_draft_may_be_approved(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, REFUND)
    review = pending_review(desk, agent, contact)
    report = change(desk, "A refund takes", "Refunds take")
    assert (report.facts, report.reworded) == ([], 1)
    assert report.impact["reviews_count"] == 0
    run_jobs(desk)
    assert status(desk, review) == "pending"
    assert not desk.reviews.decide(supervisor, review, {"kind": "approve"}).stopped


def test_what_somebody_holds_is_marked_and_left_to_them(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, REFUND)
    review = pending_review(desk, agent, contact)
    desk.reviews.claim(supervisor, review)
    change(desk, "5 business days", "9 business days")
    run_jobs(desk)
    assert status(desk, review) == "pending"
    assert stale(desk, review)
    outcome = desk.reviews.decide(supervisor, review, {"kind": "approve"})
    assert outcome.stopped
    assert letters(desk) == []
    run_jobs(desk)
    assert outcome.next_review_id
    assert status(desk, outcome.next_review_id) == "pending"


def test_what_was_given_back_is_drafted_anew_at_night(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    desk.reviews.claim(supervisor, review)
    change(desk, "5 business days", "9 business days")
    run_jobs(desk)
    desk.reviews.release(supervisor, review)
    desk.sweep()
    run_jobs(desk)
    assert status(desk, review) == "withdrawn"


def test_a_draft_in_a_persons_words_is_marked_and_kept(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, REFUND)
    text = "A refund takes 5 business days to reach your card, and 2 weeks to reach your bank."
    outcome = desk.reviews.decide(
        supervisor, pending_review(desk, agent, contact), {"kind": "edit", "text": text}
    )
    assert outcome.next_review_id
    change(desk, "5 business days", "9 business days")
    run_jobs(desk)
    assert status(desk, outcome.next_review_id) == "pending"
    assert stale(desk, outcome.next_review_id)


def test_a_fact_that_is_put_back_takes_the_mark_off(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, REFUND)
    review = pending_review(desk, agent, contact)
    desk.reviews.claim(supervisor, review)
    change(desk, "5 business days", "9 business days")
    change(desk, "9 business days", "5 business days")
    assert stale(desk, review) == []
    assert set(uses(desk, contact)) == {("rev", "pending", False)}
    assert events(desk, contact)[-1] == "source.restored"


def test_an_article_that_is_gone_marks_what_rests_on_it(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    article(desk).unlink()
    report = desk.sync()
    assert report.impact["reviews"] == [review]
    assert "no longer in force" in stale(desk, review)[0]["sentence"]


def test_an_article_that_another_replaces_marks_what_rests_on_it(desk: Desk, agent: Actor) -> None:
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    article(desk, "money-back.md").write_text(
        "---\ntitle: Money back\nsupersedes: refunds.md\neffective_from: 2026-02-01\n---\n"
        "A refund takes 9 business days to reach your card.\n"
    )
    desk.sync()
    assert "no longer in force" in stale(desk, review)[0]["sentence"]


def test_time_alone_ends_what_a_draft_rests_on(open_synced: OpenDesk, workspace: Path) -> None:
    clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    path = workspace / "articles" / "refunds.md"
    path.write_text(path.read_text().replace("owner:", "effective_to: 2026-04-01\nowner:"))
    desk = open_synced(clock)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    clock.advance(timedelta(days=30))
    assert desk.sweep().reviews == []
    clock.advance(timedelta(days=2))
    assert desk.sweep().reviews == [review]
    assert "no longer in force" in stale(desk, review)[0]["sentence"]


def test_a_version_announced_ahead_marks_nothing_before_its_time(
    open_synced: OpenDesk,
) -> None:
    clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    desk = open_synced(clock)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    rewrite(desk, "2026-01-01", "2026-04-01")
    report = change(desk, "5 business days", "9 business days")
    assert report.facts[0]["from"] == "2026-04-01T00:00:00+00:00"
    assert stale(desk, review) == []
    clock.advance(timedelta(days=32))
    assert desk.sweep().reviews == [review]
    run_jobs(desk)
    assert status(desk, review) == "withdrawn"


def test_a_sync_that_was_killed_before_judging_is_caught_up_with(desk: Desk, agent: Actor) -> None:
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    rewrite(desk, "5 business days", "9 business days")
    Sync(desk.database, desk.clock).run(Workspace.load(desk.settings.workspace_folder))
    assert stale(desk, review) == []
    report = desk.sync()
    assert report.changed == []
    assert report.facts_count == 1
    assert report.impact["reviews"] == [review]
    assert stale(desk, review)


def test_a_sweep_killed_while_it_writes_leaves_nothing_half_done(
    desk: Desk, agent: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))
    rewrite(desk, "5 business days", "9 business days")
    Sync(desk.database, desk.clock).run(Workspace.load(desk.settings.workspace_folder))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("desk.impact.settle_due", die)
        with pytest.raises(KeyboardInterrupt):
            desk.impact.sweep()
    assert stale(desk, review) == []
    with desk.database.read() as session:
        assert session.scalar(select(func.count()).select_from(PassageChange)) == 0
    assert desk.impact.sweep().reviews == [review]


def test_what_an_older_sync_stores_during_a_sweep_stays_due(
    open_synced: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FixedClock(datetime(2026, 5, 4, 12, tzinfo=UTC))
    desk = open_synced(clock)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    review = pending_review(desk, agent, open_contact(desk, agent, REFUND))

    def store(moment: datetime) -> None:
        workspace = Workspace.load(desk.settings.workspace_folder)
        Sync(desk.database, FixedClock(moment)).run(workspace)

    clock.advance(timedelta(hours=1))
    rewrite(desk, "Gift cards cannot", "Presents cannot")
    store(clock.now())
    sync_began = clock.now() + timedelta(seconds=1)
    clock.advance(timedelta(minutes=1))
    looks: list[Recheck] = []

    def stored_after_the_look(*given: Any) -> Recheck:
        looks.append(look_again(*given))
        if len(looks) == 1:
            rewrite(desk, "5 business days", "9 business days")
            store(sync_began)
        return looks[-1]

    monkeypatch.setattr("desk.impact.look_again", stored_after_the_look)
    desk.impact.sweep()
    (mark,) = stale(desk, review)
    assert "9 business days" in mark["new"]
    assert desk.impact.sweep().judged == []


def test_a_second_look_changes_nothing(desk: Desk, agent: Actor) -> None:
    contact = open_contact(desk, agent, REFUND)
    change(desk, "5 business days", "9 business days")
    with desk.database.read() as session:
        before = session.scalar(select(func.count()).select_from(PassageChange))
    trail = events(desk, contact)
    with desk.database.write() as session:
        for row in session.scalars(select(Article)):
            row.assess_at = desk.clock.now()
    again = desk.sweep()
    assert again.judged == []
    assert events(desk, contact) == trail
    with desk.database.read() as session:
        assert session.scalar(select(func.count()).select_from(PassageChange)) == before
    assert desk.sync().facts == []


def test_a_changed_fact_stops_an_answer_in_its_undo_window(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    desk.undo_seconds = 60
    contact = open_contact(desk, agent, REFUND)
    first = pending_review(desk, agent, contact)
    outcome = desk.reviews.decide(supervisor, first, {"kind": "approve"})
    report = change(desk, "5 business days", "9 business days")
    assert report.impact["scheduled"] == [outcome.delivery_id]
    run_jobs(desk)
    assert letters(desk) == []
    review = pending_review(desk, agent, contact)
    (mark,) = stale(desk, review)
    assert "9 business days" in mark["new"]
    stopped = [e for e in desk.audit.of_contact(ADMIN, contact) if e.event == "delivery.stopped"]
    assert "5 business days" in stopped[0].data["changes"][0]["old"]
    desk.sync()
    run_jobs(desk)
    assert status(desk, review) == "pending"


def test_a_rewording_lets_an_answer_go_and_the_trail_says_so(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    desk.undo_seconds = 60
    contact = open_contact(desk, agent, REFUND)
    desk.reviews.decide(supervisor, pending_review(desk, agent, contact), {"kind": "approve"})
    change(desk, "A refund takes", "Refunds take")
    run_jobs(desk)
    assert len(letters(desk)) == 1
    (noted,) = [e for e in desk.audit.of_contact(ADMIN, contact) if e.event == "delivery.reworded"]
    assert noted.data["noted"][0]["new"].startswith("Refunds take")
    assert "delivery.sent" in events(desk, contact)


def test_a_sync_at_the_last_moment_still_stops_the_answer(
    desk: Desk, agent: Actor, supervisor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    contact = open_contact(desk, agent, REFUND)
    looks: list[Recheck] = []

    def synced_after_the_look(*given: Any) -> Recheck:
        found = look_again(*given)
        if not looks:
            change(desk, "5 business days", "9 business days")
        looks.append(found)
        return found

    monkeypatch.setattr("desk.delivery.look_again", synced_after_the_look)
    desk.reviews.decide(supervisor, pending_review(desk, agent, contact), {"kind": "approve"})
    run_jobs(desk)
    assert [bool(look.stops) for look in looks] == [False, True]
    assert letters(desk) == []


def test_a_sync_between_decision_and_recheck_stops_the_answer(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, REFUND)
    review = pending_review(desk, agent, contact)
    desk.reviews.decide(supervisor, review, {"kind": "approve"}, wait_seconds=0)
    change(desk, "5 business days", "9 business days")
    assert stale(desk, review) == []  # it is decided: marking it would tell nobody
    run_jobs(desk)
    assert letters(desk) == []
    assert status(desk, review) == "returned"
    assert "review.returned" in events(desk, contact)


def test_a_sync_while_the_draft_is_written_is_seen_when_the_review_opens(
    desk: Desk, agent: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = desk.runs
    settle = runs._settle

    def synced_first(*given: str) -> str:
        change(desk, "5 business days", "9 business days")
        return settle(*given)

    monkeypatch.setattr(runs, "_settle", synced_first)
    contact = open_contact(desk, agent, REFUND)
    monkeypatch.undo()
    review = pending_review(desk, agent, contact)
    assert "9 business days" in stale(desk, review)[0]["new"]
    desk.sweep()
    run_jobs(desk)
    assert status(desk, review) == "withdrawn"


def test_who_was_told_the_old_thing_is_listed_page_by_page(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contacts = []
    for text in (REFUND, REFUND + " Thanks!", POSTAGE):
        contacts.append(open_contact(desk, agent, text, customer_email="ada@example.org"))
        review = pending_review(desk, agent, contacts[-1])
        desk.reviews.decide(supervisor, review, {"kind": "approve"})
    run_jobs(desk)
    assert desk.impact.told_the_old(supervisor) == []
    report = change(desk, "5 business days", "9 business days")
    assert report.impact["answers_count"] == 2

    (first,) = desk.impact.told_the_old(supervisor, limit=1)
    (second,) = desk.impact.told_the_old(supervisor, limit=1, after=first)
    assert desk.impact.told_the_old(supervisor, limit=1, after=second) == []
    assert {first.contact_id, second.contact_id} == set(contacts[:2])
    assert "5 business days" in first.told[0]
    assert "9 business days" in first.change["new"]
    with pytest.raises(NotAllowed):
        desk.impact.told_the_old(agent)
    desk.sync()
    assert len(desk.impact.told_the_old(supervisor)) == 2


def test_an_answer_from_another_sentence_is_not_listed(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, POSTAGE)
    review = pending_review(desk, agent, contact)
    text = "Hello,\n\nStandard shipping costs $4.50.\n\nKind regards"
    assert not desk.reviews.decide(supervisor, review, {"kind": "edit", "text": text}).stopped
    run_jobs(desk)
    change(desk, "over $50 ship", "over $80 ship", "shipping.md")
    assert desk.impact.told_the_old(supervisor) == []


def test_nothing_due_reads_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def must_not(*_: object) -> None:
        raise AssertionError("an article was looked at though none is due")

    monkeypatch.setattr(Impact, "_look_at", must_not)
    report = desk.sync()
    assert report.impact["articles"] == []


def test_a_working_desk_looks_by_itself_at_what_time_changed(
    open_synced: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.jobs.SWEEP_SCHEDULE", "* * * * * *")
    desk = open_synced(inline=False)
    looked = threading.Event()

    def sweep() -> ImpactReport:
        looked.set()
        return ImpactReport()

    monkeypatch.setattr(desk, "sweep", sweep)
    desk.start()
    assert looked.wait(60)
