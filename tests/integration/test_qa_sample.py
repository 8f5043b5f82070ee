"""The QA sample on real databases: who is drawn, who may read what, what the readings say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from core.clock import FixedClock
from core.database import Database
from core.errors import BadInput, Conflict, NotAllowed, NotFound, ProofdeskError
from core.identifiers import new_id
from core.settings import Settings
from desk.autonomy_models import AutonomyEvidence
from desk.models import AuditEvent, Contact, Delivery, Handoff, Review
from desk.operations_file import QaSection
from desk.people import People
from desk.permissions import Actor
from desk.qa import QaSample, outcome_of
from desk.qa_models import QaDraw, QaPick
from tests.factories import NOON, draft_from, passage

FINE = dict.fromkeys(("accurate", "complete", "in_force", "tone", "next_step"), "pass")
WRONG = {**FINE, "accurate": "fail"}
WHY = {"accurate": "It states five days where the source has three."}


on_each_engine = pytest.mark.parametrize(
    "engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
def database(engine: str, request: pytest.FixtureRequest) -> Iterator[Database]:
    settings: Settings = request.getfixturevalue(f"settings_on_{engine}")
    opened = Database(settings.database)
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOON)


@pytest.fixture
def people(database: Database, clock: FixedClock) -> dict[str, Actor]:
    known = People(database, clock)
    return {
        "ruth": known.add(None, "Ruth", "ruth@example.com", "supervisor"),
        "sam": known.add(None, "Sam", "sam@example.com", "supervisor"),
        "ada": known.add(None, "Ada", "ada@example.com", "admin"),
        "mina": known.add(None, "Mina", "mina@example.com", "agent"),
    }


def qa_of(database: Database, clock: FixedClock, **changes: Any) -> QaSample:
    return QaSample(database, clock, lambda: QaSection(**{"twice": 0.0, **changes}))


def end(
    database: Database,
    clock: FixedClock,
    by: Actor | None,
    *,
    kind: str = "approve",
    status: str = "answered",
    count: int = 1,
    state: dict[str, Any] | None = None,
    **changes: Any,
) -> list[str]:
    """Put contacts in that ended an hour ago, decided by ``by``; return their ids."""
    at = clock.now() - timedelta(hours=1)
    draft = draft_from(passage())
    made = []
    with database.write() as session:
        for _ in range(count):
            contact_id, review_id = new_id("con"), new_id("rev")
            values = {
                "channel": "email",
                "status": status,
                "tier": "allowed",
                "reason": "refund",
                "created_at": at,
                "updated_at": at,
                **changes,
            }
            session.add(Contact(id=contact_id, **values))
            session.flush()
            made.append(contact_id)
            if by is None:
                continue
            review = Review(
                id=review_id,
                contact_id=contact_id,
                thread=f"{contact_id}:1",
                interrupt_id="0" * 32,
                kind="answer",
                status="decided",
                tier="allowed",
                reason=values["reason"],
                state={"draft": draft, **(state or {})},
                allowed=["approve"],
                opened_at=at,
                due_at=at,
                decision={"id": review_id, "kind": kind, "by": by.id},
                decided_by=by.id,
                decided_at=at,
            )
            session.add(review)
            session.flush()
            session.add(answer_to(contact_id, by.id, at, key=review_id, review_id=review_id))
    return made


def answer_to(contact_id: str, by: str, at: datetime, **changes: Any) -> Delivery:
    values = {
        "id": new_id("del"),
        "key": new_id("dec"),
        "status": "sent",
        "subject": "",
        "recipient": "",
        "text": "A refund takes 5 days.",
        "draft": dict(draft_from(passage())),
        **changes,
    }
    return Delivery(
        contact_id=contact_id, approved_by=by, created_at=at, due_at=at, sent_at=at, **values
    )


@on_each_engine
def test_contacts_are_drawn_by_how_they_ended_and_seeded_ones_never(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    ruth = people["ruth"]
    expected = dict.fromkeys(end(database, clock, ruth, count=3), "accepted")
    expected |= dict.fromkeys(end(database, clock, ruth, kind="edit", count=2), "corrected")
    expected |= dict.fromkeys(end(database, clock, ruth, status="closed"), "solved_looking")
    expected |= dict.fromkeys(end(database, clock, ruth, status="failed"), "failed")
    expected |= dict.fromkeys(end(database, clock, None, status="escalated"), "escalated")
    (handed,) = end(database, clock, ruth, status="closed")
    (back,) = end(database, clock, ruth)
    expected |= {handed: "escalated", back: "reopened"}
    end(database, clock, ruth, status="closed", origin="seeded")
    end(database, clock, ruth, updated_at=NOON - timedelta(days=30))
    end(database, clock, None, status="in_review")
    with database.write() as session:
        session.add(Handoff(id="h", key="h", contact_id=handed, brief={}, opened_at=NOON))
        for contact_id, was in ((back, "answered"), (next(iter(expected)), "in_review")):
            event = AuditEvent(
                at=NOON, actor="desk", event="contact.reopened", contact_id=contact_id
            )
            event.data = {"from": was}
            session.add(event)
    draw_id = qa_of(database, clock).draw(ruth)
    with database.read() as session:
        picked = session.scalars(select(QaPick).where(QaPick.draw_id == draw_id)).all()
        assert {one.contact_id: one.outcome for one in picked} == expected
        assert {one.probability for one in picked} == {1.0}


def test_a_draw_repeats_with_its_seed_and_the_trail_tells_it(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    end(database, clock, people["ruth"], count=40)
    end(database, clock, people["ruth"], kind="edit", tier="review_required", count=10)
    qa = qa_of(database, clock)
    first = qa.draw(people["sam"], size=10)
    with database.read() as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.event == "qa.drawn")).one().data
        seed = session.get_one(QaDraw, first).seed
    assert (told["seed"], told["contacts"], told["picked"]) == (seed, 50, 10)
    again = qa.draw(people["ada"], size=10, seed=told["seed"])
    with database.read() as session:
        query = select(QaPick.contact_id).order_by(QaPick.place)
        one, other = (
            session.scalars(query.where(QaPick.draw_id == draw_id)).all()
            for draw_id in (first, again)
        )
    assert one == other
    assert {line.id for line in qa.draws(people["ada"])} == {first, again}


@on_each_engine
def test_nobody_reads_first_what_they_decided_or_anything_twice(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    ruth, sam = people["ruth"], people["sam"]
    end(database, clock, ruth, count=3)
    qa = qa_of(database, clock, twice=1.0)
    draw_id = qa.draw(sam)
    assert qa.to_read(ruth, draw_id) == []
    pick = qa.to_read(sam, draw_id)[0].pick_id
    with pytest.raises(NotAllowed, match="decided"):
        qa.score(ruth, pick, FINE)
    assert qa.reading(sam, pick).answer == "A refund takes 5 days."
    qa.score(sam, pick, FINE)
    with pytest.raises(NotAllowed, match="have read"):
        qa.score(sam, pick, FINE)
    assert pick not in {line.pick_id for line in qa.to_read(sam, draw_id)}
    (second,) = qa.to_read(ruth, draw_id)
    assert (second.pick_id, second.second) == (pick, True)
    assert qa.report(sam, draw_id).agreement.pairs == 0
    qa.score(ruth, pick, WRONG, WHY)
    with pytest.raises(Conflict):
        qa.score(people["ada"], pick, FINE)
    report = qa.report(sam, draw_id)
    assert (report.agreement.pairs, report.agreement.share) == (1, 0.0)
    (difference,) = report.differences
    assert (difference.pick_id, difference.items) == (pick, ["Accurate"])
    assert difference.notes == [f"Accurate: {WHY['accurate']}"]


@on_each_engine
def test_of_two_who_score_the_same_at_once_one_is_first(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    end(database, clock, people["ruth"])
    qa = qa_of(database, clock)
    (line,) = qa.to_read(people["sam"], qa.draw(people["sam"]))

    def score(actor: Actor) -> str:
        try:
            qa.score(actor, line.pick_id, FINE)
        except ProofdeskError as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(score, (people["sam"], people["ada"]))) == ["Conflict", "in"]


@pytest.mark.parametrize(
    ("marks", "notes", "said"),
    [
        ({**FINE, "accurate": "good"}, {}, "accurate: needs one of"),
        ({name: "pass" for name in FINE if name != "tone"}, {}, "tone: needs one of"),
        (WRONG, {}, "accurate: a fail needs a sentence"),
        (WRONG, {"accurate": "  "}, "accurate: a fail needs a sentence"),
        ({**FINE, "style": "pass"}, {}, "style: the scorecard has no such item"),
        (WRONG, {"accurate": "x" * 3000}, "accurate: a note has up to"),
    ],
)
def test_a_scorecard_is_filled_in_whole(
    database: Database,
    clock: FixedClock,
    people: dict[str, Actor],
    marks: dict[str, str],
    notes: dict[str, str],
    said: str,
) -> None:
    end(database, clock, people["ruth"])
    qa = qa_of(database, clock)
    draw_id = qa.draw(people["sam"])
    (line,) = qa.to_read(people["sam"], draw_id)
    with pytest.raises(BadInput, match=said):
        qa.score(people["sam"], line.pick_id, marks, notes)
    assert qa.report(people["sam"], draw_id).draw.read == 0


@on_each_engine
def test_a_verdict_tells_of_the_reason_only_where_the_draft_left_as_it_stood(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    ruth, sam = people["ruth"], people["sam"]
    (good,), (bad,) = (end(database, clock, ruth, reason=name) for name in ("refund", "shipping"))
    end(database, clock, ruth, kind="edit", reason="edited")
    qa = qa_of(database, clock)
    for line in qa.to_read(sam, qa.draw(sam)):
        passed = qa.score(sam, line.pick_id, FINE if line.contact_id == good else WRONG, WHY)
        assert passed is (line.contact_id == good)
    with database.read() as session:
        found = {one.reason: one for one in session.scalars(select(AutonomyEvidence))}
        assert {reason: one.kind for reason, one in found.items()} == {
            "refund": "qa_passed",
            "shipping": "qa_failed",
        }
        assert found["shipping"].contact_id == bad
        told = [
            event.data
            for event in session.scalars(select(AuditEvent).where(AuditEvent.event == "qa.scored"))
        ]
    assert Counter(one["passed"] for one in told) == {True: 1, False: 2}
    assert not any(WHY["accurate"] in str(one) for one in told)


def test_a_verdict_is_charged_to_the_reason_that_was_answered_for_and_not_to_a_later_one(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    (contact,) = end(database, clock, people["ruth"], reason="refund")
    with database.write() as session:
        session.get_one(Contact, contact).reason = "shipping"
    qa = qa_of(database, clock)
    (line,) = qa.to_read(people["sam"], qa.draw(people["sam"]))
    assert not qa.score(people["sam"], line.pick_id, WRONG, WHY)
    with database.read() as session:
        assert [one.reason for one in session.scalars(select(AutonomyEvidence))] == ["refund"]


@on_each_engine
@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"autopilot": {"draft_digest": "a"}, "evidence": {"draft_digest": "a"}}, ["qa_failed"]),
        ({"autopilot": {"draft_digest": "a"}, "evidence": {"draft_digest": "b"}}, []),
        ({"draft": {**draft_from(passage()), "drafter": "person:per_1"}}, []),
    ],
)
def test_what_a_person_wrote_and_then_approved_is_not_charged_to_the_reason(
    database: Database,
    clock: FixedClock,
    people: dict[str, Actor],
    state: dict[str, Any],
    told: list[str],
) -> None:
    end(database, clock, people["ruth"], state=state)
    qa = qa_of(database, clock)
    (line,) = qa.to_read(people["sam"], qa.draw(people["sam"]))
    qa.score(people["sam"], line.pick_id, WRONG, WHY)
    with database.read() as session:
        assert [one.kind for one in session.scalars(select(AutonomyEvidence))] == told


def test_a_reader_judges_the_answer_that_was_drawn_and_no_later_one(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    (contact,) = end(database, clock, people["ruth"])
    qa = qa_of(database, clock)
    (line,) = qa.to_read(people["sam"], qa.draw(people["sam"]))
    with database.write() as session:  # it came back, and its second answer is the reader's own
        later = clock.now() + timedelta(hours=1)
        session.add(answer_to(contact, people["sam"].id, later, text="A refund takes 9 days."))
    assert qa.reading(people["sam"], line.pick_id).answer == "A refund takes 5 days."


def test_a_failed_tone_fails_no_answer_but_counts_as_its_item(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    end(database, clock, people["ruth"], count=4)
    qa = qa_of(database, clock)
    draw_id = qa.draw(people["sam"])
    lines = qa.to_read(people["sam"], draw_id)
    curt = {**FINE, "tone": "fail", "next_step": "not_applicable"}
    assert qa.score(people["sam"], lines[0].pick_id, curt, {"tone": "Curt."})
    for line in lines[1:]:
        qa.score(people["sam"], line.pick_id, FINE)
    report = qa.report(people["sam"], draw_id)
    assert report.overall.rate == 0
    rates = {rate.name: rate.estimate for rate in report.items}
    assert rates["Tone"].rate == 0.25
    assert (rates["Next step"].read, rates["Next step"].rate) == (3, 0)


def test_rates_speak_for_all_contacts_of_the_period(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    end(database, clock, people["ruth"], count=90, reason="refund")
    wrong = set(end(database, clock, people["ruth"], kind="edit", count=10, reason="shipping"))
    qa = qa_of(database, clock, size=30, weights={"corrected": 5})
    draw_id = qa.draw(people["sam"], seed=4)
    for line in qa.to_read(people["sam"], draw_id, limit=100):
        qa.score(people["sam"], line.pick_id, WRONG if line.contact_id in wrong else FINE, WHY)
    report = qa.report(people["sam"], draw_id)
    assert report.overall.rate == pytest.approx(0.1)
    assert report.overall.low <= 0.1 <= report.overall.high
    assert report.overall.failed / report.overall.read > 0.2
    assert [(rate.name, rate.estimate.rate) for rate in report.reasons] == [
        ("refund", 0.0),
        ("shipping", 1.0),
    ]
    assert [rate.name for rate in report.outcomes] == ["accepted", "corrected"]
    assert (report.draw.contacts, report.draw.picked, report.draw.read) == (100, 30, 30)


def test_what_cannot_be_drawn_is_refused_with_nothing_written(
    database: Database, clock: FixedClock, people: dict[str, Actor]
) -> None:
    qa = qa_of(database, clock)
    with pytest.raises(BadInput, match="No contact ended"):
        qa.draw(people["ruth"])
    end(database, clock, people["ruth"])
    for wrong in (
        {"since": NOON},
        {"until": NOON + timedelta(days=1)},
        {"size": 0},
        {"seed": -1},
    ):
        with pytest.raises(BadInput):
            qa.draw(people["ruth"], **wrong)
    for ask in (qa.draw, qa.draws):
        with pytest.raises(NotAllowed):
            ask(people["mina"])
    with pytest.raises(NotFound):
        qa.report(people["ruth"], "drw_none")
    with pytest.raises(NotFound):
        qa.score(people["ruth"], "pck_none", FINE)
    assert qa.draws(people["ruth"]) == []


@pytest.mark.parametrize(
    ("status", "kind", "flags", "outcome"),
    [
        ("answered", "approve", "", "accepted"),
        ("answered", "edit", "", "corrected"),
        ("closed", "approve", "", "solved_looking"),
        ("answered", None, "autopilot", "autopilot"),
        ("closed", "approve", "handed", "escalated"),
        ("answered", "approve", "came_back", "reopened"),
        ("failed", "approve", "came_back", "failed"),
        ("escalated", None, "", "escalated"),
    ],
)
def test_how_a_contact_ended(status: str, kind: str | None, flags: str, outcome: str) -> None:
    given = {name: name == flags for name in ("autopilot", "handed", "came_back")}
    assert outcome_of(status, kind=kind, **given) == outcome
