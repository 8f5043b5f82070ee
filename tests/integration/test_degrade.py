"""A part is away, slow, full or wrong: the contact ends with a person who is told why."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from core.clock import FixedClock
from core.errors import DatabaseUnavailable, Unavailable
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.contacts import NewContact, NewMessage
from desk.doctor import examine
from desk.health import is_ready, parts_at_work
from desk.jobs import MAX_ATTEMPTS
from desk.permissions import Actor
from graph.fakes import ScriptedChatModel
from graph.model_draft import ModelDrafter
from tests.chroma_server import ChromaServer
from tests.factories import ADMIN, NOON
from tests.integration.conftest import OpenDesk, open_contact, pending_review
from tests.integration.failing import fail_at_first

QUESTION = "How long does a refund take?"
NEW = NewContact("email", [NewMessage("customer", QUESTION)])


class Hangs(ScriptedChatModel):
    """A model that does not answer before the test is over."""

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        threading.Event().wait(20)
        yield from ()


NONSENSE = ["Lorem ipsum", {"answered": True, "sentences": [{"text": "No!", "passages": [99]}]}]


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        (ScriptedChatModel(replies=[ConnectionError("refused")]), "could not be reached"),
        (Hangs(replies=[]), "did not answer within 0.2 seconds"),
        (ScriptedChatModel(replies=NONSENSE), "named a passage that does not exist"),
    ],
    ids=["down", "slow", "nonsense"],
)
def test_without_a_usable_model_the_sources_speak_and_the_draft_says_why(
    desk: Desk, agent: Actor, model: ScriptedChatModel, cause: str
) -> None:
    seconds = 0.2 if isinstance(model, Hangs) else 30
    drafter = ModelDrafter("openai:local", None, seconds, desk.deps.drafter, model)
    desk.__dict__["deps"] = replace(desk.deps, drafter=drafter)
    contact = open_contact(desk, agent, QUESTION)
    draft = desk.reviews.get(ADMIN, pending_review(desk, agent, contact)).draft
    assert draft["drafter"] == "extractive"
    assert cause in draft["note"]
    assert "5 business days" in draft["sentences"][0]["text"]
    assert draft["sentences"][0]["citations"]


def test_an_index_that_vanishes_under_a_working_desk_costs_no_answer(
    desk: Desk, agent: Actor, settings: Settings
) -> None:
    open_contact(desk, agent, QUESTION)
    before = [hit.passage.id for hit in desk.search.search(QUESTION, 5)]
    shutil.rmtree(settings.home / "chroma")
    contact = open_contact(desk, agent, QUESTION)
    assert desk.contacts.get(ADMIN, contact).summary.status == "in_review"
    article = settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace("5 business days", "8 business days"))
    desk.sync()
    draft = desk.reviews.get(
        ADMIN, pending_review(desk, agent, open_contact(desk, agent, QUESTION))
    ).draft
    assert "8 business days" in draft["sentences"][0]["text"]
    assert len(desk.search.search(QUESTION, 5)) == len(before)


def test_a_chroma_server_that_stops_costs_no_answer_and_is_used_again(
    open_synced: OpenDesk, settings: Settings, tmp_path: Path
) -> None:
    server = ChromaServer(tmp_path)
    server.start()
    desk = open_synced(chroma_url=server.address.url)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    before = [hit.passage.id for hit in desk.search.search(QUESTION, 5)]
    assert before
    assert not (settings.home / "chroma").exists()
    server.stop()
    contact = open_contact(desk, agent, QUESTION)
    assert desk.contacts.get(ADMIN, contact).summary.status == "in_review"
    article = settings.workspace_folder / "articles" / "refunds.md"
    article.write_text(article.read_text().replace("5 business days", "8 business days"))
    desk.sync()
    assert "8 business days" in desk.search.search(QUESTION)[0].passage.text
    said = {part["part"]: part for part in examine(desk)}["index"]
    assert not said["ok"]
    assert f"from memory: the search index at {server.address.url} does not" in said["says"]
    assert is_ready(parts_at_work(desk))
    server.start()
    desk.sweep()
    assert {part["part"]: part["ok"] for part in examine(desk)}["index"]
    assert "8 business days" in desk.search.search(QUESTION)[0].passage.text
    server.stop()


@contextmanager
def impatient(desk: Desk, *pragmas: str) -> Iterator[None]:
    """Have the connections of a desk wait for no lock, or take up no more of the disk."""

    def prepare(connection: sqlite3.Connection, _: object) -> None:
        for pragma in ("busy_timeout=20", *pragmas):
            connection.execute(f"PRAGMA {pragma}")

    desk.database.engine.dispose()
    event.listen(desk.database.engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(desk.database.engine, "connect", prepare)
        desk.database.engine.dispose()


def test_a_locked_database_is_said_and_nothing_is_half_written(
    desk: Desk, agent: Actor, settings: Settings
) -> None:
    with (
        impatient(desk),
        closing(sqlite3.connect(settings.home / "proofdesk.sqlite")) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseUnavailable, match="busy"):
            desk.contacts.open(agent, NEW)
        other.rollback()
        contact = open_contact(desk, agent, QUESTION)
    assert desk.contacts.get(ADMIN, contact).summary.status == "in_review"
    assert desk.audit_seals.verify().faults == []


def test_a_full_disk_is_said_and_nothing_is_half_written(desk: Desk, agent: Actor) -> None:
    with impatient(desk, "max_page_count=1"):  # SQLite takes the size it has
        long = NewContact("email", [NewMessage("customer", f"{QUESTION} " * 3_000)])
        with pytest.raises(DatabaseUnavailable, match="disk is full"):
            desk.contacts.open(agent, long)
    contact = open_contact(desk, agent, QUESTION)
    assert desk.contacts.get(ADMIN, contact).summary.status == "in_review"
    assert desk.audit_seals.verify().faults == []


@pytest.mark.parametrize("words", ["database or disk is full", "database is locked"])
def test_a_job_waits_for_the_disk_as_long_as_it_takes(
    open_synced: OpenDesk, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    desk = open_synced(inline=False)
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    failed = fail_at_first(monkeypatch, sqlite3.OperationalError(words))
    desk.start()
    contact = open_contact(desk, agent, QUESTION)
    assert desk.contacts.get(ADMIN, contact).summary.status == "in_review"
    assert len(failed) > MAX_ATTEMPTS


@pytest.mark.parametrize("jump", [timedelta(days=-2), timedelta(days=400)])
def test_a_clock_that_jumps_under_a_review_loses_and_repeats_nothing(
    settings: Settings, jump: timedelta
) -> None:
    clock = FixedClock(NOON)
    desk = open_desk(settings, clock, inline=True)
    try:
        desk.sync()
        agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
        supervisor = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
        contact = open_contact(desk, agent, QUESTION)
        clock.advance(jump)
        desk.sweep()
        desk.reviews.decide(supervisor, pending_review(desk, agent, contact), {"kind": "approve"})
        desk.jobs.run_all()  # type: ignore[union-attr]
        clock.advance(-jump)
        desk.sweep()
        desk.jobs.run_all()  # type: ignore[union-attr]
        assert desk.contacts.get(ADMIN, contact).summary.status == "answered"
        (delivery,) = desk.deliveries.of_contact(ADMIN, contact)
        assert delivery.status == "sent"
        assert desk.audit_seals.verify().faults == []
    finally:
        desk.close()


def test_an_answer_approved_while_the_clock_was_ahead_leaves_once_it_is_right(
    settings: Settings,
) -> None:
    clock = FixedClock(NOON + timedelta(days=2))
    desk = open_desk(settings, clock)
    try:
        desk.sync()
        agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
        supervisor = desk.people.add(None, "Ruth", "ruth@example.com", "supervisor")
        desk.start()
        desk.undo_seconds = 86_400  # as long as the clock is wrong by, and more
        contact = open_contact(desk, agent, QUESTION)
        review = pending_review(desk, agent, contact)
        decided = desk.reviews.decide(supervisor, review, {"kind": "approve"})
        desk.undo_seconds = 0
        assert desk.deliveries.set_right() == 0
        clock.advance(timedelta(days=-2))
        assert desk.deliveries.set_right() == 1
        assert desk.jobs.wait(f"deliver:{decided.delivery_id}", 60) == "sent"
        assert desk.deliveries.set_right() == 0
    finally:
        desk.close()


def test_a_help_center_that_cannot_be_reached_keeps_its_articles_and_is_told_of(
    desk: Desk, agent: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: object) -> None:
        raise Unavailable("SitemapLoader failed: ConnectionError")

    with monkeypatch.context() as patched:
        patched.setattr("kb.sync.list_source", away)
        report = desk.sync()
    (failed,) = report.failed
    assert "ConnectionError" in failed.reason
    assert report.gone == []
    contact = open_contact(desk, agent, QUESTION)
    draft = desk.reviews.get(ADMIN, pending_review(desk, agent, contact)).draft
    assert "5 business days" in draft["sentences"][0]["text"]
    assert (desk.sync().failed, desk.sync().gone) == ([], [])
