"""Backup, restore and export, while the desk works."""

from __future__ import annotations

import json
import os
import threading
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.database import Database
from core.errors import AlreadyDecided, BadInput, Refused
from core.identifiers import new_id
from core.settings import Settings
from desk import backup
from desk.backup import back_up, export, restore
from desk.bootstrap import Desk, open_desk
from desk.cli import app
from desk.contacts import NewMessage
from desk.every_table import EVERY_TABLE
from desk.jobs import InlineJobs
from desk.permissions import Actor
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk, open_contact, pending_review
from tests.integration.older_schemas import fill
from tests.integration.postgres import PostgresServer

QUESTION = "How long does a refund take?"


@pytest.fixture
def settings(settings_of_each_engine: Settings) -> Settings:
    return settings_of_each_engine


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings of an empty desk on the same engine."""
    changes: dict[str, object] = {"home": tmp_path / "restored", "workspace": None}
    if settings.database_url:
        server: PostgresServer = request.getfixturevalue("postgres")
        changes["database_url"] = server.new_database(new_id("restored"))
    return settings.model_copy(update=changes)


def backed_up(desk: Desk, target: Path) -> Path:
    desk.audit_seals.seal()
    digest = desk.audit_seals.verify().digest
    back_up(desk.settings, desk.database, desk.clock, digest, target)
    return target


def restored_by_command(elsewhere: Settings, archive: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Restore by the command; return what it says."""
    monkeypatch.setenv("PROOFDESK_HOME", str(elsewhere.home))
    if elsewhere.database_url:
        monkeypatch.setenv("PROOFDESK_DATABASE_URL", elsewhere.database_url)
    result = CliRunner().invoke(app, ["restore", str(archive)])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_restored_desk_goes_on_where_the_backup_was_made_under_load(
    open_synced: OpenDesk, settings: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    desk = open_synced(inline=False)
    desk.start()
    agent = desk.people.add(None, "Mina", "mina@example.com", "agent")
    desk.people.add(None, "Ruth", "ruth@example.com", "supervisor", "ruth")
    before = open_contact(desk, agent, QUESTION)
    enough = threading.Event()
    begun = threading.Event()

    def customers_write() -> None:
        while not enough.is_set():
            contact = open_contact(desk, agent, QUESTION)
            begun.set()
            review = pending_review(desk, agent, contact)
            desk.reviews.decide(desk.people.get("ruth"), review, {"kind": "approve"})

    load = threading.Thread(target=customers_write)
    load.start()
    assert begun.wait(60)
    archive = backed_up(desk, tmp_path / "desk.zip")
    enough.set()
    load.join()
    desk.close()

    manifest = restore(elsewhere, archive)
    after = open_desk(elsewhere)
    try:
        assert after.audit_seals.verify().faults == []
        assert after.audit_seals.verify().digest == manifest.audit_digest
        after.start()
        ruth = after.people.get("ruth")
        waiting = [line.id for line in after.reviews.queue(ruth)]
        assert pending_review(after, ADMIN, before) in waiting
        for review in waiting:
            after.reviews.decide(ruth, review, {"kind": "approve"})
            delivery = after.reviews.outcome(review).delivery_id
            assert after.jobs.wait(f"deliver:{delivery}", 60) == "sent"
        assert after.contacts.get(ADMIN, before).summary.status == "answered"
        assert after.search.search(QUESTION)[0].passage.article_id == "help-center/refunds.md"
    finally:
        after.close()


def test_what_was_on_its_way_out_waits_for_review_in_a_restored_desk(
    desk: Desk,
    agent: Actor,
    supervisor: Actor,
    elsewhere: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk.undo_seconds = 60
    contact = open_contact(desk, agent, QUESTION)
    review = pending_review(desk, agent, contact)
    desk.reviews.decide(supervisor, review, {"kind": "approve"})
    archive = backed_up(desk, tmp_path / "desk.zip")

    said = restored_by_command(elsewhere, archive, monkeypatch)
    assert "1 approved answers had not left" in said
    after = open_desk(elsewhere, inline=True)
    try:
        assert isinstance(after.jobs, InlineJobs)
        (delivery,) = after.deliveries.of_contact(ADMIN, contact)
        assert after.deliveries.deliver(delivery.id) == "undone"
        assert not list(elsewhere.home.glob("outbox/*.eml"))
        thread = f"{contact}:2"
        assert after.runs.carry(thread) == "in_review"
        assert pending_review(after, ADMIN, contact) != review
    finally:
        after.close()


def test_what_left_while_the_backup_was_made_is_known_and_not_sent_again(
    desk: Desk,
    agent: Actor,
    supervisor: Actor,
    elsewhere: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contact = open_contact(desk, agent, QUESTION)
    review = pending_review(desk, agent, contact)
    untouched = open_contact(desk, agent, QUESTION)
    copy = backup._copy_folder

    def leaves_first(source: Path, target: Path) -> None:
        if target.name == "outbox":
            desk.reviews.decide(supervisor, review, {"kind": "approve"})
            desk.jobs.run_all()  # type: ignore[union-attr]
            desk.audit_seals.seal()
        copy(source, target)

    monkeypatch.setattr(backup, "_copy_folder", leaves_first)
    archive = backed_up(desk, tmp_path / "desk.zip")
    assert "1 answers left while it was backed up" in restored_by_command(
        elsewhere, archive, monkeypatch
    )
    after = open_desk(elsewhere, inline=True)
    try:
        view = after.contacts.get(ADMIN, contact)
        assert view.summary.status == "answered"
        assert [message.speaker for message in view.messages] == ["customer", "agent"]
        assert view.messages[-1].text == desk.contacts.get(ADMIN, contact).messages[-1].text
        with pytest.raises(AlreadyDecided):
            after.reviews.decide(supervisor, review, {"kind": "approve"})
        assert [one.contact_id for one in after.reviews.queue(supervisor)] == [untouched]
        assert after.deliveries.write_down_what_left() == 0
        after.contacts.add_message(None, contact, NewMessage("customer", QUESTION))
        assert after.runs.carry(f"{contact}:3") == "in_review"
        assert after.audit_seals.verify().faults == []
    finally:
        after.close()


def test_what_was_approved_and_not_carried_out_waits_for_review_in_a_restored_desk(
    desk: Desk,
    agent: Actor,
    supervisor: Actor,
    elsewhere: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contact = open_contact(desk, agent, QUESTION)
    review = pending_review(desk, agent, contact)
    desk.reviews.decide(supervisor, review, {"kind": "approve"}, wait_seconds=0)
    archive = backed_up(desk, tmp_path / "desk.zip")
    desk.jobs.run_all()  # type: ignore[union-attr]
    said = restored_by_command(elsewhere, archive, monkeypatch)
    assert "1 approved answers had not left" in said
    after = open_desk(elsewhere, inline=True)
    try:
        assert after.runs.carry(f"{contact}:2") == "in_review"
        after.runs.resume(review)
        (delivery,) = after.deliveries.of_contact(ADMIN, contact)
        assert after.deliveries.deliver(delivery.id) == "undone"
        assert not list(elsewhere.home.glob("outbox/*.eml"))
        assert pending_review(after, ADMIN, contact) != review
    finally:
        after.close()


def test_a_home_that_is_there_and_empty_takes_a_backup(
    desk: Desk, elsewhere: Settings, tmp_path: Path
) -> None:
    elsewhere.home.mkdir()
    before = elsewhere.home.stat().st_ino  # as of a volume, which cannot be replaced by a folder
    restore(elsewhere, backed_up(desk, tmp_path / "desk.zip"))
    assert elsewhere.home.stat().st_ino == before
    assert (elsewhere.home / "workspace" / "reasons.yaml").is_file()
    assert not list(elsewhere.home.glob(".restore-*"))


def test_records_go_where_the_settings_have_them(
    open_synced: OpenDesk, settings_on_sqlite: Settings, tmp_path: Path
) -> None:
    place = tmp_path / "records" / "elsewhere.sqlite"
    given = settings_on_sqlite.model_copy(
        update={"home": tmp_path / "restored", "database_url": f"sqlite:///{place}"}
    )
    desk = open_desk(settings_on_sqlite, inline=True)
    archive = backed_up(desk, tmp_path / "desk.zip")
    digest = desk.audit_seals.verify().digest
    desk.close()
    restore(given, archive)
    after = open_desk(given, inline=True)
    try:
        assert after.audit_seals.verify().digest == digest
    finally:
        after.close()
    other = given.model_copy(update={"home": tmp_path / "third"})
    with pytest.raises(Refused, match="exists"):
        restore(other, archive)
    assert not other.home.exists()


def test_a_file_older_than_its_archive_can_say_is_kept(desk: Desk, tmp_path: Path) -> None:
    article = desk.settings.workspace_folder / "articles" / "refunds.md"
    os.utime(article, (0, 0))
    assert backed_up(desk, tmp_path / "desk.zip").is_file()


def test_a_home_that_is_not_empty_is_left_alone(
    desk: Desk, settings: Settings, tmp_path: Path
) -> None:
    archive = backed_up(desk, tmp_path / "desk.zip")
    there = sorted(path.name for path in settings.home.iterdir())
    with pytest.raises(Refused, match="not empty"):
        restore(settings, archive)
    assert sorted(path.name for path in settings.home.iterdir()) == there


def test_a_damaged_backup_is_refused_and_leaves_nothing_behind(
    desk: Desk, elsewhere: Settings, tmp_path: Path
) -> None:
    archive = backed_up(desk, tmp_path / "desk.zip")
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(archive) as whole, zipfile.ZipFile(damaged, "w") as broken:
        for name in whole.namelist():
            content = whole.read(name)
            broken.writestr(name, content[:-1] if name.endswith("refunds.md") else content)
    with pytest.raises(BadInput, match=r"refunds\.md in it is damaged"):
        restore(elsewhere, damaged)
    assert not elsewhere.home.exists()


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/outside.txt"])
def test_a_backup_that_reaches_outside_of_itself_is_refused(
    elsewhere: Settings, tmp_path: Path, name: str
) -> None:
    archive = tmp_path / "hostile.zip"
    manifest = {"format": 1, "made_at": "2026-01-01T00:00:00Z", "engine": "sqlite"}
    with zipfile.ZipFile(archive, "w") as hostile:
        manifest |= {"audit_digest": "", "files": {name: "0"}}
        hostile.writestr("manifest.json", json.dumps(manifest))
        hostile.writestr(name, "x")
    with pytest.raises(BadInput, match="outside"):
        restore(elsewhere, archive)


def test_what_is_no_backup_is_said_to_be_none(elsewhere: Settings, tmp_path: Path) -> None:
    (tmp_path / "notes.zip").write_text("hello")
    for name, says in {"notes.zip": "no backup", "absent.zip": "no such file"}.items():
        with pytest.raises(BadInput, match=says):
            restore(elsewhere, tmp_path / name)


def test_a_backup_does_not_overwrite_a_file(desk: Desk, tmp_path: Path) -> None:
    archive = backed_up(desk, tmp_path / "desk.zip")
    with pytest.raises(BadInput, match="exists"):
        backed_up(desk, archive)


def test_an_export_holds_every_record_and_no_secret(
    desk: Desk, agent: Actor, tmp_path: Path
) -> None:
    contact = open_contact(desk, agent, QUESTION)
    token = desk.people.new_link_token(None, agent.id)
    counts = export(desk.database, tmp_path / "out")
    lines = (tmp_path / "out" / "contact.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == [contact]
    assert counts["article"] == 2
    assert counts["audit_event"] > 0
    written = "".join(path.read_text() for path in (tmp_path / "out").iterdir())
    assert QUESTION in written
    assert token not in written
    assert not (tmp_path / "out" / "sign_in_link.jsonl").exists()


def test_an_export_takes_whatever_a_table_may_hold(settings: Settings, tmp_path: Path) -> None:
    database = Database(settings.database)
    try:
        fill(database, {})
        counts = export(database, tmp_path / "out")
        for name, table in EVERY_TABLE.tables.items():
            if name in counts:
                (line,) = (tmp_path / "out" / f"{name}.jsonl").read_text().splitlines()
                assert json.loads(line).keys() == set(table.columns.keys()), name
        assert len(counts) > 25
    finally:
        database.close()
