"""Drafts with a known fault: they look like any other, are never carried out, and end once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, select, update

from core.database import Base
from core.errors import AlreadyDecided, Conflict, NotAllowed
from core.identifiers import new_id
from core.vocabulary import ReviewStatus
from desk.autonomy_evidence import note_evidence
from desk.autonomy_models import AutonomyEvidence
from desk.bootstrap import Desk
from desk.contacts import NewMessage
from desk.models import AuditEvent, Contact, Delivery, Message, Review, SourceUse
from desk.operations_file import SeededSection
from desk.permissions import Actor
from desk.qa_models import SeededCheck, SeededLook
from desk.queues import ContactQueues
from desk.seeded import SeededChecks
from graph.draft import draft_text
from kb.library import Library
from tests.integration import other_process
from tests.integration.conftest import MIGRATED, open_contact, pending_review
from tests.integration.one_desk import one_desk
from tests.integration.postgres import PostgresServer

WANTED = "seeded: {rate: 0.2, most_waiting: 500, kinds: [promise, wrong_value, other_answer]}\n"
on_each_engine = pytest.mark.parametrize(
    "engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture(scope="module")
def desk_on(
    tmp_path_factory: pytest.TempPathFactory,
    example_vectors: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[[str], Desk]]:
    """Return the one desk of this module on an engine, with an answered and a waiting contact."""
    with ExitStack() as closing, pytest.MonkeyPatch.context() as patched:
        # The copies are all alike: what cannot be made of one cannot be made of the next.
        patched.setattr("desk.seeded._DONORS_TRIED", 2)
        patched.setattr("desk.seeded._NOT_AGAIN", 0)

        @cache
        def on(engine: str) -> Desk:
            base = tmp_path_factory.mktemp(engine)
            url = None
            if engine == "postgresql":
                server: PostgresServer = request.getfixturevalue("postgres")
                url = server.new_database(new_id("seeded"), like=MIGRATED)
            return closing.enter_context(contextmanager(_desk)(base, example_vectors, url))

        yield on


def _desk(base: Path, example_vectors: Path, url: str | None) -> Iterator[Desk]:
    for desk in one_desk(base, example_vectors, database_url=url):
        (base / "workspace" / "operations.yaml").write_text(WANTED)
        agent = desk.people.add(None, "Mina", "mina@example.com", "agent", "mina")
        ruth = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor", "ruth")
        open_contact(desk, agent, "How long does a refund for my lamp take?")
        for question in ("How long does a refund for my lamp take?", "How much is shipping?"):
            asked = open_contact(desk, agent, question)
            review = pending_review(desk, agent, asked)
            outcome = desk.reviews.decide(ruth, review, {"kind": "approve"})
            assert desk.jobs.wait(f"deliver:{outcome.delivery_id}", 60) == "sent"
        yield desk


@pytest.fixture
def desk(engine: str, desk_on: Callable[[str], Desk]) -> Desk:
    return desk_on(engine)


@pytest.fixture
def agent(desk: Desk) -> Actor:
    return desk.people.get("mina")


@pytest.fixture
def supervisor(desk: Desk) -> Actor:
    return desk.people.get("ruth")


def like(desk: Desk, status: ReviewStatus, count: int = 1) -> list[str]:
    """Put in copies of the first review that is ``status``, with their contacts; return their ids."""
    with desk.database.write() as session:
        first = session.scalars(
            select(Review)
            .join(Contact, Contact.id == Review.contact_id)
            .where(Review.status == status, Contact.origin != "seeded")
            .order_by(Review.id)
            .limit(1)
        ).one()
        asked = session.get_one(Contact, first.contact_id)
        made = []
        for _ in range(count):
            contact_id, review_id = new_id("con"), new_id("rev")
            contact = Contact(**{**_columns(asked), "id": contact_id, "external_id": None})
            for message in asked.messages:
                contact.messages.append(
                    Message(**{**_columns(message), "id": new_id("msg"), "contact_id": contact_id})
                )
            session.add(contact)
            session.flush()
            changed = {"id": review_id, "contact_id": contact_id, "thread": f"{contact_id}:1"}
            # What was decided was opened before its answer left.
            opened = first.opened_at if status == "decided" else desk.clock.now()
            session.add(Review(**{**_columns(first), **changed, "opened_at": opened}))
            made.append(review_id)
    return made


def _columns(row: Base) -> dict[str, object]:
    return {column.key: getattr(row, column.key) for column in inspect(row).mapper.columns}


def unmarked(desk: Desk) -> SeededCheck:
    """Have one placed that the check lets through: anybody may approve it, also among many."""
    for _ in range(20):
        if not (check := seed(desk)).marked:
            return check
    raise AssertionError("a fault that the check lets through was to be had here")


def ends_of(desk: Desk, check: SeededCheck) -> tuple[int, int]:
    """Return how often the trail tells of the end, and how often it was noted."""
    with desk.database.read() as session:
        ends = select(func.count()).where(
            AuditEvent.event == "seeded.resolved", AuditEvent.contact_id == check.contact_id
        )
        noted = select(func.count()).where(AutonomyEvidence.contact_id == check.contact_id)
        return session.scalar(ends) or 0, session.scalar(noted) or 0


def again(desk: Desk, check: SeededCheck) -> SeededCheck:
    with desk.database.read() as session:
        return session.get_one(SeededCheck, check.id)


def begin_anew(desk: Desk) -> None:
    """Have nothing owed for the reviews that other tests opened."""
    desk.seeded.place()
    with desk.database.write() as session:
        session.execute(update(SeededLook).values(owed=0.0))


def seed(desk: Desk) -> SeededCheck:
    """Have one check placed among what waits."""
    begin_anew(desk)
    like(desk, "decided")
    like(desk, "pending", 5)
    assert desk.seeded.place() == 1
    with desk.database.read() as session:
        query = select(SeededCheck).order_by(SeededCheck.id.desc()).limit(1)
        return session.scalars(query).one()


def sent(desk: Desk) -> set[str]:
    """Return the contacts of everything that was ever put into the outbox."""
    with desk.database.read() as session:
        return set(session.scalars(select(Delivery.contact_id)))


def test_none_is_placed_unless_the_workspace_wants_it(desk: Desk) -> None:
    file = desk.workspace.folder / "operations.yaml"
    file.unlink()
    like(desk, "pending", 5)
    assert desk.seeded.place() == 0
    file.write_text(WANTED)


@on_each_engine
def test_as_many_are_placed_as_reviews_call_for_and_never_for_the_same_ones_twice(
    desk: Desk,
) -> None:
    like(desk, "decided", 6)
    begin_anew(desk)
    like(desk, "pending", 4)
    assert desk.seeded.place() == 0
    like(desk, "pending", 1)
    assert desk.seeded.place() == 1
    assert desk.seeded.place() == 0
    like(desk, "pending", 10)
    assert desk.seeded.place() == 2
    with desk.database.read() as session:
        copied = session.scalars(select(SeededCheck.source_contact_id)).all()
        assert len(set(copied)) == len(copied)


def test_what_waits_or_turned_out_wrong_is_not_copied(desk: Desk) -> None:
    begin_anew(desk)
    wrong, *waiting = [*like(desk, "decided"), *like(desk, "pending", 60)]
    with desk.database.write() as session:
        note_evidence(
            session,
            key=f"reopened:{wrong}",
            reason="refund_question",
            kind="reopened",
            loss=1.0,
            at=desk.clock.now(),
            review_id=wrong,
        )
    desk.seeded.place()  # of all that other tests left to copy
    assert desk.seeded.place() == 0
    with desk.database.read() as session:
        copied = set(session.scalars(select(SeededCheck.source_contact_id)))
        of = select(Review.contact_id).where(Review.id.in_([wrong, *waiting]))
        assert copied.isdisjoint(session.scalars(of))
    like(desk, "decided")
    assert desk.seeded.place() == 1


def test_after_marked_ones_comes_one_that_only_a_reader_finds(desk: Desk) -> None:
    for _ in range(3):
        seed(desk)
        with desk.database.write() as session:
            session.execute(update(SeededCheck).values(marked=True))
        assert not seed(desk).marked


def test_the_hourly_sweep_places_them(desk: Desk) -> None:
    begin_anew(desk)
    like(desk, "decided")
    like(desk, "pending", 5)
    with desk.database.read() as session:
        before = session.scalar(select(func.count()).select_from(SeededCheck)) or 0
    desk.sweep()
    with desk.database.read() as session:
        assert session.scalar(select(func.count()).select_from(SeededCheck)) == before + 1


def test_it_looks_like_any_other_review(desk: Desk, agent: Actor, supervisor: Actor) -> None:
    check, copy = unmarked(desk), like(desk, "pending")[0]
    queue = {one.id: one for one in desk.reviews.queue(supervisor, limit=500)}
    line, other = queue[check.review_id], queue[copy]
    assert (line.kind, line.tier, line.status) == (other.kind, other.tier, other.status)
    seeded, ordinary = (desk.reviews.get(supervisor, one.id) for one in (line, other))
    assert seeded.draft.keys() == ordinary.draft.keys()
    assert seeded.open_decisions == ordinary.open_decisions
    assert seeded.evidence.keys() == ordinary.evidence.keys()
    assert not seeded.check["findings"]
    assert check.after in draft_text(seeded.draft)
    with desk.database.read() as session:
        rows = [session.get_one(Review, one.id) for one in (line, other)]
        assert rows[0].state.keys() == rows[1].state.keys()
        verdicts = [row.state["autopilot"] for row in rows]
        assert [one["draft_digest"] for one in verdicts] == [
            row.state["evidence"]["draft_digest"] for row in rows
        ]
        assert verdicts[0]["why_not"] == verdicts[1]["why_not"]
        assert len(rows[0].interrupt_id) == len(rows[1].interrupt_id)
    shown = desk.contacts.get(agent, line.contact_id)
    assert (shown.summary.status, shown.was_seeded) == ("in_review", False)
    assert shown.messages[-1].text.startswith("How long does a refund")


@on_each_engine
def test_the_trail_tells_of_it_only_once_it_has_ended(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    check = seed(desk)
    desk.reviews.claim(supervisor, check.review_id)

    def told() -> list[str]:
        found = desk.audit.latest(supervisor, 500)
        assert desk.audit.of_contact(supervisor, check.contact_id) == [
            one for one in reversed(found) if one.contact_id == check.contact_id
        ]
        return [one.event for one in reversed(found) if one.contact_id == check.contact_id]

    assert told() == []
    desk.reviews.decide(supervisor, check.review_id, {"kind": "approve", "comment": "Fine."})
    assert told() == ["contact.opened", "review.opened", "review.claimed", "seeded.resolved"]
    with desk.database.read() as session:
        told_at_opening = [
            one.data.keys() - {"origin"}
            for one in session.scalars(
                select(AuditEvent)
                .where(AuditEvent.event == "review.opened")
                .order_by(AuditEvent.id)
            )
        ]
    assert told_at_opening[0] == told_at_opening[-1]
    desk.audit_seals.seal()
    gaps = " ".join(desk.audit_seals.verify().faults)
    assert check.contact_id not in gaps
    assert check.review_id not in gaps


@pytest.mark.parametrize("kind", ["approve", "edit", "fixed", "reject", "escalate"])
def test_each_decision_ends_it_and_carries_nothing_out(
    desk: Desk, agent: Actor, supervisor: Actor, kind: str
) -> None:
    check = seed(desk)
    before = sent(desk)
    faulty = draft_text(desk.reviews.get(supervisor, check.review_id).draft)
    replies: dict[str, dict[str, str]] = {
        "approve": {"kind": "approve", "comment": "As it is."},
        "edit": {"kind": "edit", "text": f"{faulty}\n\nWrite to us again if you like."},
        "fixed": {"kind": "edit", "text": faulty.replace(check.after, check.before)},
        "reject": {"kind": "reject", "reason": "wrong_answer", "comment": "It is wrong."},
        "escalate": {"kind": "escalate", "tier": "escalate_first", "comment": "Look at it."},
    }
    outcome = desk.reviews.decide(supervisor, check.review_id, replies[kind])
    assert outcome.seeded is not None
    missed = kind in ("approve", "edit")
    assert outcome.seeded.outcome == ("missed" if missed else "caught")
    assert outcome.seeded.after == check.after
    assert (outcome.delivery_id, outcome.next_review_id) == (None, None)
    assert sent(desk) == before
    with desk.database.read() as session:
        evidence = session.scalars(
            select(AutonomyEvidence).where(AutonomyEvidence.contact_id == check.contact_id)
        ).one()
        assert evidence.kind == ("seeded_missed" if missed else "seeded_caught")
        assert (evidence.person_id, evidence.reason) == (supervisor.id, "refund_question")
        assert desk.contacts.get(agent, check.contact_id).was_seeded
        assert session.get_one(Review, check.review_id).status == "withdrawn"
        assert not session.scalars(
            select(SourceUse).where(SourceUse.contact_id == check.contact_id)
        ).all()
    assert check.contact_id not in {one.contact_id for one in desk.reviews.decided(supervisor)} | {
        one.contact_id for one in desk.reviews.queue(supervisor)
    }
    assert check.contact_id not in {
        one.id for one in ContactQueues(desk.database).page(agent, "all", limit=500)
    }
    with pytest.raises(AlreadyDecided):
        desk.reviews.decide(supervisor, check.review_id, replies["approve"])


def test_approving_many_at_once_misses_it_and_sends_the_others(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    check = unmarked(desk)
    contact = open_contact(desk, agent, "How long does a refund take?")
    other = pending_review(desk, agent, contact)
    before = sent(desk)
    bad, good = desk.reviews.approve_many(supervisor, [check.review_id, other])
    assert (bad.result, good.result) == ("seeded", "approved")
    assert check.after in bad.sentence
    assert sent(desk) == before | {contact}


def test_another_draft_in_its_place_ends_it(desk: Desk, agent: Actor, supervisor: Actor) -> None:
    check = seed(desk)
    draft = desk.reviews.get(agent, check.review_id).draft
    outcome = desk.reviews.revise(agent, check.review_id, draft)
    assert outcome.seeded is not None
    assert outcome.seeded.outcome == "withdrawn"
    assert ends_of(desk, check) == (1, 0)
    assert check.review_id not in {line.review_id for line in desk.seeded.ended(supervisor)}


def test_a_further_message_or_another_reason_ends_it_without_a_run(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    check = seed(desk)
    desk.contacts.add_message(None, check.contact_id, NewMessage("customer", "And now?"))
    assert again(desk, check).outcome == "withdrawn"
    with desk.database.read() as session:
        contact = session.get_one(Contact, check.contact_id)
        assert (contact.status, contact.run) == ("closed", 1)
    desk.contacts.add_message(None, check.contact_id, NewMessage("customer", "Hello?"))
    with desk.database.read() as session:
        assert session.get_one(Contact, check.contact_id).status == "closed"
    assert ends_of(desk, check) == (1, 0)


def test_it_counts_nowhere(desk: Desk, supervisor: Actor) -> None:
    def counted() -> tuple[int, int]:
        notes = desk.quality.notes(supervisor)
        return desk.coverage.weeks(supervisor)[-1].asked, sum(notes.decided.values())

    asked, decided = counted()
    check = seed(desk)
    assert counted() == (asked + 6, decided)  # the copies that it was placed for
    desk.reviews.decide(supervisor, check.review_id, {"kind": "approve", "comment": "Fine."})
    assert counted() == (asked + 6, decided)


def test_the_daily_queue_holds_it_like_any_other_until_it_is_decided(
    desk: Desk, supervisor: Actor
) -> None:
    check = seed(desk)
    with desk.database.write() as session:
        contact = session.get_one(Contact, check.contact_id)
        contact.created_at = desk.clock.now() - timedelta(days=30)

    def stands_in() -> set[str]:
        return {
            section.id
            for section in desk.daily.sections(supervisor)
            if check.contact_id in {line.contact_id for line in section.lines}
        }

    assert stands_in() == {"ageing"}
    desk.reviews.decide(supervisor, check.review_id, {"kind": "approve", "comment": "Fine."})
    assert stands_in() == set()


class Moved(Library):
    def versions_in_force(self, article_ids: Sequence[str]) -> dict[str, str]:
        return dict.fromkeys(article_ids, "ver_newer")


def test_it_is_withdrawn_when_its_source_changed(desk: Desk, supervisor: Actor) -> None:
    check = seed(desk)
    later = SeededChecks(
        desk.database,
        desk.clock,
        lambda: SeededSection(),
        Moved(desk.database, desk.clock),
        lambda: desk.deps,
    )
    assert later.place() == 0
    assert again(desk, check).outcome == "withdrawn"
    assert ends_of(desk, check) == (1, 0)
    with pytest.raises(AlreadyDecided, match="withdrawn"):
        desk.reviews.decide(supervisor, check.review_id, {"kind": "approve", "comment": "Fine."})


def test_a_sync_withdraws_it_before_anybody_decides_on_what_changed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = seed(desk)
    monkeypatch.setattr(desk.seeded, "_library", Moved(desk.database, desk.clock))
    desk.sync()
    assert again(desk, check).outcome == "withdrawn"


def test_nothing_carries_it_out_even_when_a_job_asks(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    check = seed(desk)
    desk.reviews.decide(supervisor, check.review_id, {"kind": "approve", "comment": "Fine."})
    before = sent(desk)
    assert desk.runs.carry(f"{check.contact_id}:1") == "closed"
    assert desk.runs.resume(check.review_id) == "closed"
    assert sent(desk) == before


def test_people_see_their_own_rate_and_supervisors_everybodys(
    desk: Desk, supervisor: Actor
) -> None:
    tom = desk.people.add(None, "Tom", "tom@example.com", "agent")
    check = unmarked(desk)
    assert desk.seeded.catch_rates(tom) == []
    assert desk.seeded.ended(tom) == []
    desk.reviews.claim(tom, check.review_id)
    desk.reviews.decide(tom, check.review_id, {"kind": "approve"})
    (rate,) = desk.seeded.catch_rates(tom)
    assert (rate.name, rate.met, rate.caught, rate.unmarked_met) == ("Tom", 1, 0, 1)
    assert rate.low == 0 < rate.high
    assert rate.dwell_caught is None
    assert rate.dwell_missed is not None
    assert rate.dwell_missed >= 0
    assert rate in desk.seeded.catch_rates(supervisor)
    (line,) = desk.seeded.ended(tom)
    assert (line.by, line.end.outcome, line.end.after) == (tom.id, "missed", check.after)
    assert line in desk.seeded.ended(supervisor, limit=1)
    owner = desk.people.add(None, "Ola", "ola@example.com", "content_owner")
    with pytest.raises(NotAllowed):
        desk.seeded.catch_rates(owner)


def test_ended_checks_come_in_pages(desk: Desk, supervisor: Actor) -> None:
    checks = [seed(desk) for _ in range(3)]
    for check in checks:
        desk.reviews.decide(
            supervisor, check.review_id, {"kind": "reject", "reason": "tone", "comment": "No."}
        )
    first = desk.seeded.ended(supervisor, limit=2)
    rest = desk.seeded.ended(supervisor, limit=1, before=first[-1].review_id)
    assert [line.review_id for line in [*first, *rest]] == [
        check.review_id for check in reversed(checks)
    ]


@on_each_engine
def test_of_two_who_decide_at_once_one_ends_it(desk: Desk, agent: Actor, supervisor: Actor) -> None:
    check = seed(desk)
    other = desk.people.add(None, "Sam", "sam@example.com", "supervisor", "sam")

    def approve(actor: Actor) -> str:
        try:
            desk.reviews.decide(actor, check.review_id, {"kind": "approve", "comment": "Fine."})
        except Conflict:
            return "lost"
        return "won"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, [supervisor, other])) == ["lost", "won"]
    assert ends_of(desk, check) == (1, 1)


def test_a_killed_process_leaves_it_as_it_was(desk: Desk, supervisor: Actor) -> None:
    check = unmarked(desk)
    dying = other_process.start(
        desk.settings, "die", supervisor.id, check.review_id, other_process.SEED_ENDED
    )
    dying.communicate(timeout=120)
    assert dying.returncode == -signal.SIGKILL
    assert ends_of(desk, check) == (0, 0)
    assert again(desk, check).resolved_at is None
    desk.reviews.decide(supervisor, check.review_id, {"kind": "approve", "comment": "Fine."})
    assert ends_of(desk, check) == (1, 1)
    assert check.contact_id not in sent(desk)
