"""Contact reasons between review and autopilot: evidence, proposal, signature, demotion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select

from core.clock import FixedClock
from core.database import Database
from core.errors import BadInput, Conflict, NotAllowed, NotFound, ProofdeskError, Refused
from core.settings import Settings
from desk.audit import AuditTrail
from desk.autonomy import Autonomy, ReasonLine
from desk.autonomy_evidence import EvidenceKind, note_evidence
from desk.autonomy_models import AutonomyEvidence, ReasonAutonomy
from desk.models import Contact, SourceUse
from desk.operations_file import OperationsFile
from desk.people import People
from desk.permissions import Actor
from graph.reasons import Reason
from tests.factories import NOON
from tests.integration.earned import (
    ARTICLE,
    REASON,
    a_flag,
    an_article,
    catch_seeded,
    note_answers,
    put_on_autopilot,
    rulebook,
)

REASONS = [
    Reason(id=REASON, name="Refund question", macro="refund"),
    Reason(id="gdpr", name="Personal data", tier="escalate_first"),
    Reason(id="invoice", name="Invoice", autonomy="locked"),
    Reason(id="hopeful", name="Hopeful", autonomy="autopilot"),
]


@dataclass
class House:
    """Autonomy on a database of its own, with what a test turns."""

    database: Database
    clock: FixedClock
    autonomy: Autonomy
    reasons: list[Reason]
    folder: Path
    ruth: Actor
    sam: Actor
    ingrid: Actor
    mina: Actor

    def state(self, reason: str = REASON) -> str:
        return self.line(reason).state

    def line(self, reason: str = REASON) -> ReasonLine:
        return self.autonomy.line(self.ruth, reason)

    def note(self, kind: EvidenceKind, key: str = "it happened", loss: float = 1.0) -> None:
        with self.database.write() as session:
            note_evidence(
                session, key=key, reason=REASON, kind=kind, loss=loss, at=self.clock.now()
            )

    def events(self) -> list[str]:
        return [one.event for one in self.autonomy.history(self.ruth, REASON)]

    def fly(self) -> None:
        put_on_autopilot(self.database, self.autonomy, self.ruth)


def build(settings: Settings) -> House:
    database = Database(settings.database)
    clock = FixedClock(NOON)
    people = People(database, clock)
    folder = settings.workspace_folder
    (folder / "macros").mkdir()
    (folder / "macros" / "refund.md").write_text("Refunds take 5 days.")
    reasons = list(REASONS)
    return House(
        database,
        clock,
        Autonomy(database, clock, rulebook(folder, reasons), OperationsFile),
        reasons,
        folder,
        people.add(None, "Ruth", "ruth@example.com", "supervisor"),
        people.add(None, "Sam", "sam@example.com", "supervisor"),
        people.add(None, "Ingrid", "ingrid@example.com", "admin"),
        people.add(None, "Mina", "mina@example.com", "agent"),
    )


@pytest.fixture
def house(settings_on_sqlite: Settings) -> Iterator[House]:
    made = build(settings_on_sqlite)
    yield made
    made.database.close()


@pytest.fixture
def house_of_each_engine(settings_of_each_engine: Settings) -> Iterator[House]:
    made = build(settings_of_each_engine)
    yield made
    made.database.close()


def test_a_reason_is_proposed_once_its_evidence_suffices_and_flies_once_it_is_signed(
    house: House,
) -> None:
    assert house.state() == "review"
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 73)
    line = house.line()
    assert line.state == "review"
    assert line.standing.missing == (
        "1 more answer approved as drafted would show under 5 % wrong.",
    )
    note_answers(house.database, house.ruth, 1)
    assert house.state() == "eligible"
    assert house.autonomy.clearance("con_1", REASON, [])["state"] == "eligible"
    house.autonomy.sign(house.ruth, REASON)
    line = house.line()
    assert (line.state, line.by) == ("autopilot", house.ruth.id)
    assert house.autonomy.clearance("con_1", REASON, [])["state"] == "autopilot"
    house.autonomy.sign(house.ruth, REASON)  # the second of two clicks
    assert house.events() == ["autonomy.signed", "autonomy.proposed"]
    (signed,) = [
        one
        for one in AuditTrail(house.database).latest(house.ruth)
        if one.event == "autonomy.signed"
    ]
    assert signed.data["answers"] == 74
    assert signed.data["e_value"] >= 20
    assert signed.actor == house.ruth.id


def test_what_is_not_eligible_cannot_be_signed(house: House) -> None:
    note_answers(house.database, house.ruth, 20)
    with pytest.raises(Refused, match="more answers approved"):
        house.autonomy.sign(house.ruth, REASON)
    assert house.state() == "review"


def test_approvals_of_who_misses_or_never_meets_seeded_checks_do_not_count(house: House) -> None:
    note_answers(house.database, house.sam, 100)
    assert house.line().standing.answers == 0
    catch_seeded(house.database, house.sam, count=2, missed=2)
    house.autonomy.sweep()
    line = house.line()
    assert line.standing.answers == 0
    assert "100 approvals of Sam do not count: they missed 2 of 4" in " ".join(line.standing.notes)
    # What went wrong counts, whoever read it.
    note_answers(house.database, house.sam, 1, kind="rejected", loss=1.0)
    assert house.line().standing.loss == 1
    catch_seeded(house.database, house.sam, count=30)
    house.autonomy.sweep()
    assert house.line().standing.answers == 101


def test_a_good_answer_counts_once_its_customer_had_time_to_come_back(house: House) -> None:
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 80, hours_ago=1)
    assert house.state() == "review"
    assert "80 good answers will count once" in " ".join(house.line().standing.notes)
    house.clock.advance(timedelta(hours=24))
    assert house.state() == "eligible"


def test_an_answer_counts_once_by_the_worst_that_is_known_of_it(house: House) -> None:
    catch_seeded(house.database, house.ruth)
    with house.database.write() as session:
        for kind, loss in (("approved", 0.0), ("qa_passed", 0.0), ("reopened", 1.0)):
            note_evidence(
                session,
                key=f"{kind}:rev_1",
                reason=REASON,
                kind=kind,  # type: ignore[arg-type]
                loss=loss,
                at=NOON - timedelta(days=2),
                review_id="rev_1",
            )
    standing = house.line().standing
    assert (standing.answers, standing.loss) == (1, 1.0)


def test_noting_twice_notes_once(house: House) -> None:
    house.note("edited", loss=0.5)
    house.note("edited", loss=0.5)
    with house.database.read() as session:
        assert len(session.scalars(select(AutonomyEvidence)).all()) == 1


@pytest.mark.parametrize("wrong", [{"loss": 1.5}, {"kind": "liked"}])
def test_evidence_that_makes_no_sense_is_refused(house: House, wrong: dict[str, object]) -> None:
    given = {"key": "k", "reason": REASON, "kind": "approved", "loss": 0.0, "at": NOON, **wrong}
    with house.database.write() as session, pytest.raises(ValueError, match="is "):
        note_evidence(session, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["rejected", "reopened", "qa_failed", "stale"])
def test_one_bad_outcome_ends_autopilot_and_evidence_begins_anew(
    house: House, kind: EvidenceKind
) -> None:
    house.fly()
    house.note(kind)
    assert house.autonomy.clearance("con_1", REASON, [])["state"] == "review"
    line = house.line()
    assert (line.state, line.round, line.standing.answers) == ("review", 2, 0)
    assert line.cause
    assert house.events()[0] == "autonomy.demoted"


@pytest.mark.parametrize("kind", ["edited", "qa_passed", "seeded_missed", "approved"])
def test_what_is_not_bad_leaves_autopilot_alone(house: House, kind: EvidenceKind) -> None:
    house.fly()
    house.note(kind, loss={"edited": 0.2, "seeded_missed": 1.0}.get(kind, 0.0))
    assert house.state() == "autopilot"


def test_an_edit_that_changed_what_was_stated_ends_autopilot(house: House) -> None:
    house.fly()
    house.note("edited", loss=1.0)
    assert house.state() == "review"
    assert house.line().cause == "A person changed what an answer of this reason stated."


def test_a_loss_takes_a_proposal_back(house: House) -> None:
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 75)
    assert house.state() == "eligible"
    house.note("rejected")
    line = house.line()
    assert (line.state, line.standing.answers) == ("review", 76)
    assert house.events()[:2] == ["autonomy.withdrawn", "autonomy.proposed"]


def test_a_demotion_that_is_rolled_back_did_not_happen(house: House) -> None:
    house.fly()
    with suppress(RuntimeError), house.database.write() as session:
        note_evidence(session, key="k", reason=REASON, kind="rejected", loss=1.0, at=NOON)
        raise RuntimeError
    assert house.state() == "autopilot"


def test_a_change_of_tiers_or_of_the_reason_or_of_its_macro_ends_autopilot(house: House) -> None:
    house.fly()
    (house.folder / "macros" / "refund.md").write_text("Refunds take 14 days.")
    assert house.state() == "review"  # whoever looks sees what holds now
    assert house.line().cause == "The rules that it was signed under changed."
    assert house.line().round == 2
    note_answers(house.database, house.ruth, 80)
    house.autonomy.sign(house.ruth, REASON)
    house.reasons[0] = house.reasons[0].model_copy(update={"description": "Something else."})
    assert house.autonomy.clearance("con_1", REASON, [])["state"] == "review"
    note_answers(house.database, house.ruth, 80)
    house.autonomy.sign(house.ruth, REASON)
    other = rulebook(house.folder, house.reasons, "model:somebody")
    again = Autonomy(house.database, house.clock, other, OperationsFile)
    assert again.clearance("con_1", REASON, [])["state"] == "review"


def test_evidence_about_answers_of_other_rules_is_set_aside(house: House) -> None:
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 75)
    assert house.state() == "eligible"
    (house.folder / "macros" / "refund.md").write_text("Refunds take 14 days.")
    house.autonomy.sweep()
    line = house.line()
    assert (line.state, line.standing.answers) == ("review", 0)
    assert house.events()[0] == "autonomy.renewed"


def test_less_certainty_about_its_contacts_ends_autopilot(house: House) -> None:
    add_contacts(house, 30, 0.9)
    house.fly()
    house.clock.advance(timedelta(hours=1))
    add_contacts(house, 19, 0.6)
    assert house.autonomy.sweep() == []
    add_contacts(house, 1, 0.6)
    assert house.autonomy.sweep() == [REASON]
    assert "90%" in house.line().cause
    assert "60%" in house.line().cause


def test_a_source_that_is_contradicted_ends_autopilot_and_bars_the_way_back(house: House) -> None:
    add_contacts(house, 1, 0.9)
    with house.database.write() as session:
        contact = session.scalars(select(Contact.id)).one()
        session.add(use_of(contact))
        session.add(an_article())
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 80)
    with house.database.write() as session:
        first = session.scalars(select(AutonomyEvidence).where(AutonomyEvidence.reason == REASON))
        first.first().contact_id = contact  # type: ignore[union-attr]
    house.autonomy.sign(house.ruth, REASON)
    assert house.autonomy.sweep() == []
    with house.database.write() as session:
        session.add(a_flag("conflict", "help/other.md", ARTICLE))
    assert house.autonomy.sweep() == [REASON]
    assert house.autonomy.clearance("con_1", REASON, [ARTICLE])["flagged"] == ["Refunds"]


def test_what_the_tier_or_the_map_locks_only_an_admin_unlocks(house: House) -> None:
    for reason in ("gdpr", "invoice"):
        assert house.state(reason) == "locked"
        note_answers(house.database, house.ruth, 80, reason=reason)
        catch_seeded(house.database, house.ruth)
        with pytest.raises(Refused, match="locked: an admin may unlock it"):
            house.autonomy.sign(house.ruth, reason)
        with pytest.raises(NotAllowed):
            house.autonomy.unlock(house.ruth, reason, "It is fine.")
        with pytest.raises(BadInput, match="say why"):
            house.autonomy.unlock(house.ingrid, reason, "  ")
        house.autonomy.unlock(house.ingrid, reason, "We checked it with the lawyers.")
        assert house.state(reason) == "review"
        note_answers(house.database, house.ruth, 80, reason=reason)
    house.autonomy.sign(house.ruth, "invoice")
    # Its contacts need a person whatever the reason may do.
    with pytest.raises(Refused, match="has a person look at every contact"):
        house.autonomy.sign(house.ruth, "gdpr")
    house.autonomy.lock(house.ruth, "invoice", "Not now.")
    assert house.state("invoice") == "locked"


def test_the_map_alone_puts_nothing_on_autopilot(house: House) -> None:
    assert house.state("hopeful") == "review"
    assert house.autonomy.clearance("con_1", "hopeful", [])["state"] == "review"


def test_a_reason_that_the_map_locks_later_stops_at_once(house: House) -> None:
    house.fly()
    house.reasons[0] = house.reasons[0].model_copy(update={"autonomy": "locked"})
    assert house.autonomy.clearance("con_1", REASON, [])["state"] == "locked"


def test_an_unlock_opens_the_locks_that_were_there_and_no_later_one(house: House) -> None:
    house.autonomy.lock(house.ruth, REASON, "Nobody owns it.")
    house.autonomy.unlock(house.ingrid, REASON, "Billing does.")
    house.fly()
    house.reasons[0] = house.reasons[0].model_copy(update={"autonomy": "locked"})
    assert house.state() == "locked"
    house.autonomy.unlock(house.ingrid, REASON, "Only while the offer runs is it risky.")
    assert house.state() == "review"
    house.reasons[0] = house.reasons[0].model_copy(update={"tier": "escalate_first"})
    assert house.state() == "locked"
    house.reasons[0] = REASONS[0]
    house.autonomy.sweep()
    assert house.state() == "review"
    house.reasons[0] = house.reasons[0].model_copy(update={"autonomy": "locked"})
    assert house.state() == "locked"


def test_a_reason_that_is_not_on_autopilot_is_told_so_when_it_is_returned(house: House) -> None:
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 80)
    assert house.state() == "eligible"
    with pytest.raises(Conflict, match="is eligible, not on autopilot"):
        house.autonomy.return_to_review(house.sam, REASON, "Not yet.")


@pytest.mark.parametrize(
    ("asked", "state"),
    [
        ({"error_limit": 0.02}, "review"),
        ({"limits": {REASON: 0.01}}, "review"),
        ({"error_of_test": 0.01}, "review"),
        ({"error_limit": 0.1}, "autopilot"),
        ({"limits": {"hopeful": 0.01}}, "autopilot"),
    ],
)
def test_a_stricter_limit_ends_what_was_signed_under_another(
    house: House, asked: dict[str, object], state: str
) -> None:
    house.fly()
    operations = OperationsFile.model_validate({"autonomy": asked})
    rules = rulebook(house.folder, house.reasons)
    later = Autonomy(house.database, house.clock, rules, lambda: operations)
    assert later.clearance("con_1", REASON, [])["state"] == state
    assert later.line(house.ruth, REASON).state == state
    if state == "review":
        assert later.line(house.ruth, REASON).cause == (
            "More is asked of it now than when it was signed."
        )


def test_people_lock_and_return_reasons_and_say_why(house: House) -> None:
    house.fly()
    with pytest.raises(BadInput, match="say why"):
        house.autonomy.return_to_review(house.sam, REASON, "")
    house.autonomy.return_to_review(house.sam, REASON, "A new plan starts on Monday.")
    line = house.line()
    assert (line.state, line.by, line.standing.answers) == ("review", house.sam.id, 0)
    with pytest.raises(Conflict, match="is in review already"):
        house.autonomy.return_to_review(house.sam, REASON, "Once more.")
    house.autonomy.lock(house.sam, REASON, "Nobody owns it.")
    assert house.state() == "locked"
    assert house.events()[:2] == ["autonomy.locked", "autonomy.returned"]


def test_the_switch_stops_everything_and_is_turned_back_with_a_reason(house: House) -> None:
    house.fly()
    assert house.autonomy.switch().on
    house.autonomy.stop(house.sam, "Something is off.")
    house.autonomy.stop(house.ruth)
    switch = house.autonomy.switch()
    assert (switch.on, switch.by, switch.why) == (False, house.sam.id, "Something is off.")
    assert not house.autonomy.clearance("con_1", REASON, [])["on"]
    with pytest.raises(BadInput, match="say why"):
        house.autonomy.resume(house.sam, "")
    house.autonomy.resume(house.ingrid, "It was the printer.")
    assert house.autonomy.clearance("con_1", REASON, [])["on"]
    assert house.events()[:2] == ["autopilot.resumed", "autopilot.stopped"]
    assert house.state() == "autopilot"


@pytest.mark.parametrize("what", ["lines", "sign", "lock", "stop", "resume", "mark_wrong"])
def test_an_agent_may_do_nothing_of_it(house: House, what: str) -> None:
    calls: dict[str, Callable[[], object]] = {
        "lines": lambda: house.autonomy.lines(house.mina),
        "sign": lambda: house.autonomy.sign(house.mina, REASON),
        "lock": lambda: house.autonomy.lock(house.mina, REASON, "x"),
        "stop": lambda: house.autonomy.stop(house.mina),
        "resume": lambda: house.autonomy.resume(house.mina, "x"),
        "mark_wrong": lambda: house.autonomy.mark_wrong(house.mina, "con_1", "x"),
    }
    with pytest.raises(NotAllowed):
        calls[what]()


def test_an_unknown_reason_is_told_so(house: House) -> None:
    with pytest.raises(NotFound, match="has no 'gone'"):
        house.autonomy.sign(house.ruth, "gone")


def test_the_lines_put_first_what_can_be_acted_on(house: House) -> None:
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 80)
    assert [(one.reason, one.state) for one in house.autonomy.lines(house.ruth)] == [
        (REASON, "eligible"),
        ("hopeful", "review"),
        ("invoice", "locked"),
        ("gdpr", "locked"),
    ]


def test_the_steps_lead_to_where_the_reason_stands(house: House) -> None:
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 10)
    note_answers(house.database, house.ruth, 1, kind="edited", loss=0.4)
    steps = house.autonomy.steps(house.ruth, REASON)
    assert [step.number for step in steps] == list(range(1, 12))
    assert steps[9].log_e > steps[10].log_e
    assert house.autonomy.steps(house.ruth, "hopeful") == []


def test_of_two_supervisors_who_sign_at_once_one_signs(house_of_each_engine: House) -> None:
    house = house_of_each_engine
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 80)
    together = Barrier(2)

    def sign(actor: Actor) -> str:
        together.wait(60)
        try:
            house.autonomy.sign(actor, REASON)
        except ProofdeskError as error:
            return error.message
        return "signed"

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(sign, (house.ruth, house.sam)))
    assert said[1] == "signed"
    assert "signed it at" in said[0]
    assert house.events().count("autonomy.signed") == 1


def test_what_is_noted_while_somebody_signs_is_not_lost(house_of_each_engine: House) -> None:
    house = house_of_each_engine
    catch_seeded(house.database, house.ruth)
    note_answers(house.database, house.ruth, 74)
    together = Barrier(2)

    def sign() -> str:
        together.wait(60)
        try:
            house.autonomy.sign(house.ruth, REASON)
        except Refused:
            return "refused"
        return "signed"

    def reject() -> None:
        together.wait(60)
        house.note("rejected")

    with ThreadPoolExecutor(2) as pool:
        signing, noting = pool.submit(sign), pool.submit(reject)
        noting.result(60)
        outcome = signing.result(60)
    # Either the reject came first and the evidence no longer sufficed, or it ended what was signed.
    assert house.state() == "review"
    assert house.line().round == (2 if outcome == "signed" else 1)


def test_a_seeded_check_is_never_sent(house: House) -> None:
    add_contacts(house, 1, 0.9, origin="seeded")
    with house.database.read() as session:
        contact = session.scalars(select(Contact.id)).one()
    assert house.autonomy.clearance(contact, REASON, [])["barred"]


def test_the_row_remembers_who_unlocked_it_until_it_is_locked_again(house: House) -> None:
    house.autonomy.unlock(house.ingrid, "gdpr", "Checked.")
    house.autonomy.lock(house.ruth, "gdpr", "No.")
    with house.database.read() as session:
        assert session.get_one(ReasonAutonomy, "gdpr").unlocked_by is None


def add_contacts(house: House, count: int, confidence: float, origin: str = "desk") -> None:
    with house.database.write() as session:
        held = session.query(Contact).count()
        for number in range(held, held + count):
            session.add(
                Contact(
                    id=f"con_{number:04}",
                    origin=origin,
                    channel="email",
                    status="answered",
                    reason=REASON,
                    confidence=confidence,
                    created_at=house.clock.now(),
                    updated_at=house.clock.now(),
                )
            )


def use_of(contact_id: str) -> SourceUse:
    return SourceUse(
        holder="del_1",
        contact_id=contact_id,
        article_id=ARTICLE,
        version_id="ver_1",
        passage_id="ver_1#0",
        content_hash="",
        status="answered",
        at=NOON,
    )
