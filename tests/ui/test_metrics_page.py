"""The metrics page, and verdicts on escalations, used as supervisors do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import insert

from core.clock import FixedClock
from desk.bootstrap import Desk
from desk.metric_definitions import METRICS, OF_ID
from desk.models import AuditEvent
from desk.permissions import Actor
from tests.factories import NOON
from tests.integration.conftest import OpenDesk, open_contact, pending_review
from tests.ui.conftest import OpenPage, seen
from ui.app import PAGES_OF_ROLE, address_of

EVIL = '<img src=x onerror=alert(1)> [a](javascript:alert(1)) "quoted"'


def shown(page, title: str):
    (card,) = [one for one in page.metric if one.label == title]
    return card


def test_every_metric_is_a_card_that_says_what_it_is_and_may_be_narrowed(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    contact = open_contact(desk, agent, "How long does a refund take?")
    desk.reviews.decide(supervisor, pending_review(desk, supervisor, contact), {"kind": "approve"})
    page = open_page("metrics", supervisor)
    assert not page.exception
    assert [card.label for card in page.metric] == [one.title for one in METRICS]
    assert shown(page, "Decisions").value == "1"
    assert shown(page, "Catch rate").value == "–"
    helps = {card.label: card.proto.help for card in page.metric}
    for metric in METRICS:
        assert metric.sentence[:20] in helps[metric.title].replace("\\", "")
    (people,) = [one.value for one in page.dataframe if "Who" in one.value]
    assert list(people["Who"]) == ["Ruth"]
    assert list(people["Decisions"]) == [1]
    (reasons,) = [one.value for one in page.dataframe if "Contact reason" in one.value]
    assert list(reasons["Contact reason"]) == ["Refund question"]
    assert list(reasons["Correction rate"]) == ["0 of 1"]
    page.pills(key="metrics.by").set_value("channel").run()
    (channels,) = [one.value for one in page.dataframe if "Channel" in one.value]
    assert list(channels["Channel"]) == ["E-mail"]
    assert "No group differs from all others by more than chance makes." in seen(page)
    assert "Nothing happened in the 28 days before" in seen(page)
    assert shown(page, "Decisions").delta == ""
    page.selectbox(key="metrics.reason").set_value("refund_question").run()
    assert shown(page, "Contacts taken up").value == "1"
    page.selectbox(key="metrics.channel").set_value("voice").run()
    assert "Nothing happened in these days" in seen(page)
    assert not page.metric


def test_a_value_is_compared_with_the_days_before(
    open_page: OpenPage, open_synced: OpenDesk
) -> None:
    clock = FixedClock(NOON)
    desk = open_synced(clock)
    mina = desk.people.add(None, "Mina", "mina@example.com", "agent")
    ruth = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    for days, count in ((0, 1), (30, 2)):
        clock.moment = NOON + timedelta(days=days)
        for number in range(count):
            open_contact(desk, mina, f"How long does a refund take? {number}")
    page = open_page("metrics", ruth, desk)
    assert shown(page, "Contacts taken up").delta == "+1"
    page.pills(key="metrics.period").set_value("Other days").run()
    page.date_input(key="metrics.days").set_value((NOON.date(), NOON.date())).run()
    assert shown(page, "Contacts taken up").value == "1"


@pytest.mark.parametrize("role", ["agent", "content_owner"])
def test_who_may_not_look_at_a_persons_load_is_refused(
    open_page: OpenPage, desk: Desk, role: str
) -> None:
    actor = desk.people.add(None, "Bo", "bo@example.com", role)  # type: ignore[arg-type]
    page = open_page("metrics", actor)
    assert "may not" in seen(page)
    assert not page.metric
    assert not page.dataframe


def test_words_of_others_stay_words(open_page: OpenPage, desk: Desk, supervisor: Actor) -> None:
    evil = desk.people.add(None, EVIL, "evil@example.com", "supervisor")
    at = desk.clock.now()
    row = {"at": at, "contact_id": "con_1", "review_id": "rev_1", "key": None}
    told = {"kind": "answer", "tier": EVIL, "reason": EVIL, "triggers": ["complaint"]}
    with desk.database.write() as session:
        session.execute(
            insert(AuditEvent),
            [
                row | {"actor": "desk", "event": "review.opened", "data": told},
                row | {"actor": evil.id, "event": "review.approve", "data": {}},
            ],
        )
    desk.sweep()
    page = open_page("metrics", supervisor)
    assert "<img" not in seen(page)
    assert shown(page, "Complaints").value == "100%"
    (people,) = [one.value for one in page.dataframe if "Who" in one.value]
    assert list(people["Who"]) == [EVIL]


def test_a_supervisor_says_once_whether_an_escalation_was_right(
    open_page: OpenPage, desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    open_contact(desk, agent, "My lawyer will sue you over this lamp.")
    page = open_page("reviews", supervisor)
    page.session_state["reviews.shown"] = "Escalated"
    page.run()
    page.button(key="escalation.unneeded").click().run()
    assert "Ruth said that this did not need a person." in seen(page)
    figures = desk.metrics.board(supervisor, desk.metrics.lately()).figures
    assert figures["escalation_accuracy"].value == 0
    assert OF_ID["escalation_accuracy"].better == "higher"


def test_no_page_stands_where_machines_ask() -> None:
    pages = {address_of(name) for names in PAGES_OF_ROLE.values() for name in names}
    assert pages.isdisjoint({"metrics", "healthz", "readyz"})
    assert len(pages) == len({name for names in PAGES_OF_ROLE.values() for name in names})
