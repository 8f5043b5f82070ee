"""People who come, change their role, leave and come back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.clock import FixedClock
from core.database import Database
from core.errors import BadInput, NotAllowed, NotFound, Outdated, Refused
from core.migrate import upgrade
from desk.audit import AuditTrail
from desk.people import People
from desk.permissions import Actor
from tests.factories import NOON


@pytest.fixture
def database(tmp_path: Path) -> Any:
    database = Database(f"sqlite:///{tmp_path / 'people.sqlite'}")
    upgrade(database)
    yield database
    database.close()


@pytest.fixture
def people(database: Database) -> People:
    return People(database, FixedClock(NOON))


@pytest.fixture
def admin(people: People) -> Actor:
    return people.add(None, "Ingrid", "ingrid@example.com", "admin")


@pytest.fixture
def mina(people: People) -> Actor:
    return people.add(None, "Mina", "mina@example.com", "agent")


def test_another_role_counts_for_who_is_signed_in(
    people: People, admin: Actor, mina: Actor
) -> None:
    token = people.open_session(people.new_link_token(admin, mina.id))
    people.change_role(admin, mina.id, "supervisor")
    assert people.of_session(token) == Actor(mina.id, "Mina", "supervisor")


def test_who_leaves_is_signed_out_and_their_links_are_void(
    people: People, admin: Actor, mina: Actor
) -> None:
    link = people.new_link_token(admin, mina.id)
    token = people.open_session(link)
    people.leave(admin, mina.id)
    assert people.of_session(token) is None
    with pytest.raises(NotAllowed):
        people.sign_in(link)
    assert [one.id for one in people.all()] == [admin.id]
    assert [(one.id, one.active) for one in people.everybody(admin)] == [
        (admin.id, True),
        (mina.id, False),
    ]
    people.come_back(admin, mina.id)
    assert people.of_session(token) is None
    assert people.get(mina.id).role == "agent"


def test_there_is_always_an_admin(people: People, admin: Actor, mina: Actor) -> None:
    for act in (
        lambda: people.leave(admin, admin.id),
        lambda: people.change_role(admin, admin.id, "agent"),
    ):
        with pytest.raises(Refused, match="Ingrid is the last admin"):
            act()
    people.change_role(admin, mina.id, "admin")
    people.leave(admin, admin.id)
    assert [one.name for one in people.all()] == ["Mina"]


def test_the_second_of_two_admins_hears_that_the_first_was_faster(
    people: People, admin: Actor, mina: Actor
) -> None:
    other = people.add(admin, "Bea", "bea@example.com", "admin")
    (seen,) = [one for one in people.everybody(other) if one.id == mina.id]
    people.change_role(admin, mina.id, "supervisor", seen.version)
    for act in (
        lambda: people.change_role(other, mina.id, "content_owner", seen.version),
        lambda: people.leave(other, mina.id, seen.version),
    ):
        with pytest.raises(Outdated, match="changed since you read it"):
            act()
    assert people.get(mina.id).role == "supervisor"


def test_what_was_done_to_people_is_in_the_trail(
    database: Database, people: People, admin: Actor, mina: Actor
) -> None:
    people.change_role(admin, mina.id, "supervisor")
    people.change_role(admin, mina.id, "supervisor")
    people.leave(admin, mina.id)
    people.come_back(admin, mina.id)
    events = [(one.event, one.data.get("was")) for one in AuditTrail(database).latest(admin, 3)]
    assert events == [
        ("person.back", None),
        ("person.left", None),
        ("person.role_changed", "agent"),
    ]


def test_who_signed_in_is_in_the_trail_and_their_secrets_are_not(
    database: Database, people: People, admin: Actor, mina: Actor
) -> None:
    link = people.new_link_token(admin, mina.id)
    secret = people.open_session(link)
    with pytest.raises(NotAllowed):
        people.open_session(f"{link}x")
    newest, before = AuditTrail(database).latest(admin, 2)
    assert (newest.event, newest.actor) == ("person.signed_in", mina.id)
    assert before.event == "person.link_made"
    assert secret not in str(newest.data)
    assert link not in str(newest.data)


def test_who_signed_out_is_in_the_trail_once(
    database: Database, people: People, admin: Actor, mina: Actor
) -> None:
    secret = people.open_session(people.new_link_token(admin, mina.id))
    for _ in range(2):
        people.close_session(secret)
    newest, before = AuditTrail(database).latest(admin, 2)
    assert (newest.event, newest.actor) == ("person.signed_out", mina.id)
    assert before.event == "person.signed_in"
    assert secret not in str(newest.data)


def test_only_an_admin_changes_people(people: People, admin: Actor, mina: Actor) -> None:
    with pytest.raises(NotAllowed):
        people.leave(mina, admin.id)
    with pytest.raises(NotAllowed):
        people.everybody(mina)
    with pytest.raises(NotFound):
        people.change_role(admin, "per_none", "agent")
    with pytest.raises(BadInput, match="is no role"):
        people.change_role(admin, mina.id, "king")  # type: ignore[arg-type]
