"""One answer found wrong, with many on their way and two workers: none leaves after it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

import desk.autonomy_evidence as evidence_module
from core.settings import Settings
from desk.autopilot import Gate
from desk.bootstrap import Desk, open_desk
from desk.permissions import Actor
from tests.integration.conftest import OpenDesk, open_contact, pending_review
from tests.integration.earned import QUESTION, REASON, put_on_autopilot

FEW, TEN = 4, 10


@pytest.fixture
def settings(settings_of_each_engine: Settings) -> Settings:
    return settings_of_each_engine


@pytest.fixture
def flying(open_synced: OpenDesk) -> Desk:
    """A desk with an undo window that nobody waits for."""
    return open_synced(undo_seconds=60)


@pytest.fixture
def ruth(flying: Desk) -> Actor:
    ruth = flying.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    put_on_autopilot(flying.database, flying.autonomy, ruth)
    return ruth


@pytest.fixture
def other(flying: Desk) -> Iterator[Desk]:
    """A second worker on the same database."""
    second = open_desk(flying.settings, inline=True)
    yield second
    second.close()


def ask(desk: Desk, actor: Actor) -> str:
    return open_contact(desk, actor, QUESTION, customer_email="ada@example.com")


def delivery_of(desk: Desk, actor: Actor, contact_id: str) -> str:
    return desk.deliveries.of_contact(actor, contact_id)[-1].id


def letters(desk: Desk) -> int:
    return len(list((desk.settings.home / "outbox").glob("*.eml")))


def test_one_answer_found_wrong_keeps_all_that_have_not_left_with_two_workers(
    flying: Desk, other: Desk, ruth: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = ask(flying, ruth)
    flying.deliveries.deliver(delivery_of(flying, ruth, bad))
    contacts = [ask(flying, ruth) for _ in range(FEW + TEN)]
    waiting = [delivery_of(flying, ruth, contact) for contact in contacts]
    order: list[str] = []  # written while the row of the reason is held: in the order of the locks
    some_left = Event()
    ask_gate, demote = Gate.why_held, evidence_module.demote

    def why_held(self, session, approval, at):
        why = ask_gate(self, session, approval, at)
        order.append("held" if why else "released")
        if "released" in order:
            some_left.set()
        return why

    def demoted(*given):
        order.append("demoted")
        demote(*given)

    def work(desk: Desk, some: list[str]) -> set[str]:
        return {desk.deliveries.deliver(one) for one in some}

    monkeypatch.setattr(Gate, "why_held", why_held)
    monkeypatch.setattr(evidence_module, "demote", demoted)
    few, ten = waiting[:FEW], waiting[FEW:]
    with ThreadPoolExecutor(2) as pool:  # it is found wrong while both are at work
        both = pool.submit(work, flying, few), pool.submit(work, other, few[::-1])
        assert some_left.wait(60)
        flying.autonomy.mark_wrong(ruth, bad, "It takes ten days since Monday.")
        assert set().union(*(one.result(60) for one in both)) <= {"sent", "undone"}
    assert order.count("demoted") == 1
    assert "released" not in order[order.index("demoted") :]
    left = letters(flying)
    assert left == 1 + order.count("released")

    with ThreadPoolExecutor(2) as pool:  # and of the ten that waited none leaves
        both = pool.submit(work, flying, ten), pool.submit(work, other, ten[::-1])
        assert set().union(*(one.result(60) for one in both)) == {"undone"}
    assert letters(flying) == left
    assert flying.autonomy.line(ruth, REASON).state == "review"
    last = contacts[-1]
    flying.runs.carry(f"{last}:2")  # it goes before a person, with the draft as it was
    review = flying.reviews.get(ruth, pending_review(flying, ruth, last))
    assert "5 business days" in review.draft["sentences"][-1]["text"]
    events = flying.audit.of_contact(ruth, last)
    (stopped,) = [one.data for one in events if one.event == "delivery.stopped"]
    assert stopped["autopilot"] == "Its contact reason is no longer on autopilot."
