"""Metrics as files, for Prometheus, and as they come of what people do at a desk."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr
from sqlalchemy import insert
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.clock import FixedClock
from core.errors import Conflict, NotAllowed, NotFound
from desk.bootstrap import Desk
from desk.metric_definitions import METRICS
from desk.metric_endpoint import metrics_route
from desk.metric_export import as_csv, as_prometheus
from desk.metric_figures import Ages, Figure
from desk.metrics import Totals
from desk.models import AuditEvent
from desk.permissions import Actor
from tests.factories import NOON
from tests.integration.conftest import OpenDesk, open_contact, pending_review

TOKEN = "a-token-of-the-team"
HOSTILE = '=1+1","x"} 9\nevil{reason="'


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Return what Prometheus would store: name and the values of its labels → value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def test_what_people_do_at_a_desk_is_what_its_metrics_tell(open_synced: OpenDesk) -> None:
    clock = FixedClock(NOON)
    desk = open_synced(clock)
    mina = desk.people.add(None, "Mina", "mina@example.com", "agent")
    ruth = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
    first = open_contact(desk, mina, "How long does a refund take?")
    second = open_contact(desk, mina, "Standard shipping costs how much?")
    clock.moment += timedelta(minutes=30)
    desk.reviews.claim(ruth, pending_review(desk, ruth, first))
    clock.moment += timedelta(seconds=45)
    desk.reviews.decide(ruth, pending_review(desk, ruth, first), {"kind": "approve"})
    desk.jobs.run_all()  # type: ignore[union-attr]
    review = pending_review(desk, ruth, second)
    desk.reviews.decide(ruth, review, {"kind": "edit", "text": "Standard shipping costs $4.50."})
    lately = desk.metrics.lately()
    figures = desk.metrics.board(ruth, lately).figures
    assert figures["first_owner_median"] == Figure(1800, 2, 2)
    assert figures["review_hold_median"] == Figure(45, 1, 1)
    assert figures["correction_rate"] == Figure(0.5, 1, 2)
    assert 0 < (figures["correction_size"].value or 0) < 1
    assert figures["reopened_rate"].value == 0
    assert desk.metrics.by_person(ruth, lately)[ruth.id]["decisions"].value == 2
    of_reason = desk.metrics.by(ruth, lately, "reason")
    assert of_reason["refund_question"]["decisions"].value == 1
    told = samples(as_prometheus(desk.metrics.totals()))
    assert told["proofdesk_decisions_total", "email", "approve", "refund_question", "allowed"] == 1
    assert told["proofdesk_first_owner_seconds_sum", "email", "refund_question", "allowed"] == 1800
    assert told["proofdesk_trail_events_waiting",] == 0
    text = as_prometheus(desk.metrics.totals()).decode()
    assert not [word for word in ("Mina", "Ruth", mina.id, ruth.id, first) if word in text]


def test_an_escalation_is_judged_once_by_who_may_decide(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    quiet = open_contact(desk, agent, "How long does a refund take?")
    with pytest.raises(NotFound, match="never escalated"):
        desk.escalations.judge(supervisor, quiet, right=True)
    contact = open_contact(desk, agent, "My lawyer will sue you over this lamp.")
    assert desk.escalations.verdict(agent, contact) is None
    with pytest.raises(NotAllowed):
        desk.escalations.judge(agent, contact, right=True)
    desk.escalations.judge(supervisor, contact, right=True)
    verdict = desk.escalations.verdict(agent, contact)
    assert verdict is not None
    assert (verdict.right, verdict.by) == (True, supervisor.id)
    with pytest.raises(Conflict, match="judged already"):
        desk.escalations.judge(supervisor, contact, right=False)
    figures = desk.metrics.board(supervisor, desk.metrics.lately()).figures
    assert figures["escalation_accuracy"] == Figure(1.0, 1, 1)
    assert figures["escalations"].value == 1


def test_complaints_are_grouped_by_what_they_are_about(
    desk: Desk, agent: Actor, supervisor: Actor
) -> None:
    texts = (
        "This is a complaint: the courier left my parcel in the rain again.",
        "I want to complain, the courier threw my parcel over the fence in the rain.",
        "I am filing a formal complaint about being billed twice for one lamp.",
    )
    contacts = [open_contact(desk, agent, text) for text in texts]
    desk.sweep()
    themes = desk.metrics.themes(supervisor, desk.metrics.lately())
    assert [theme.count for theme in themes] == [2, 1]
    assert "courier" in themes[0].words
    assert {contact for contact, _ in themes[0].examples} == set(contacts[:2])
    assert themes[1].examples == [(contacts[2], texts[2])]
    assert desk.complaint_themes.catch_up() == 0
    desk.metrics.rebuild(supervisor)
    assert desk.metrics.themes(supervisor, desk.metrics.lately()) == []
    assert desk.complaint_themes.catch_up() == 3
    again = desk.metrics.themes(supervisor, desk.metrics.lately())
    assert [(theme.count, theme.words) for theme in again] == [
        (theme.count, theme.words) for theme in themes
    ]


def test_prometheus_is_answered_only_with_the_token(desk: Desk) -> None:
    assert metrics_route(desk) == []
    desk.settings = desk.settings.model_copy(update={"metrics_token": SecretStr(TOKEN)})
    client = TestClient(Starlette(routes=metrics_route(desk)))
    for headers in ({}, {"authorization": TOKEN}, {"authorization": f"Bearer {TOKEN}x"}):
        answer = client.get("/metrics", headers=headers)
        assert answer.status_code == 401
        assert "proofdesk_" not in answer.text
    answer = client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert samples(answer.content)["proofdesk_backlog",] == 0


def test_a_hostile_reason_neither_breaks_out_of_a_label_nor_becomes_a_formula(
    desk: Desk, supervisor: Actor
) -> None:
    told: dict[str, Any] = {"kind": "answer", "tier": "allowed", "reason": HOSTILE}
    row = {"at": desk.clock.now(), "actor": "desk", "contact_id": "con_1", "key": None}
    event = {"event": "review.opened", "review_id": "rev_1", "data": {**told, "triggers": []}}
    with desk.database.write() as session:
        session.execute(insert(AuditEvent), [row | event])
    text = as_prometheus(desk.metrics.totals())
    assert samples(text)["proofdesk_contacts_taken_up_total", "", HOSTILE, "allowed"] == 1
    assert not [line for line in text.decode().splitlines() if line.startswith("evil")]
    lately = desk.metrics.lately()
    lines = list(
        csv.reader(io.StringIO(as_csv(desk.metrics.groups(supervisor, lately, "reason"), lately)))
    )
    names = {line[4] for line in lines if line[3] == "reason"}
    assert names == {f"'{HOSTILE}"}
    assert len({len(line) for line in lines}) == 1


def test_every_metric_is_in_the_csv_with_what_it_is(desk: Desk, supervisor: Actor) -> None:
    lately = desk.metrics.lately()
    text = as_csv(desk.metrics.groups(supervisor, lately), lately)
    lines = {line["metric"]: line for line in csv.DictReader(io.StringIO(text))}
    assert set(lines) == {one.id for one in METRICS}
    assert lines["catch_rate"]["value"] == ""
    assert lines["catch_rate"]["definition"].startswith("How many of the faulty drafts")


def test_a_desk_without_anything_has_a_well_formed_page_for_prometheus() -> None:
    found = samples(as_prometheus(Totals({}, {}, Ages(), 3)))
    assert found == {
        ("proofdesk_backlog",): 0,
        ("proofdesk_trail_events_waiting",): 3,
    }
