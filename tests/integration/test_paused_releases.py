"""What each release left paused goes on under the code of today."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from core.clock import FixedClock
from core.identifiers import new_id
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.doctor import examine
from tests.factories import ADMIN
from tests.integration.paused_fixture import (
    DECISIONS,
    FOLDER,
    is_of_postgresql,
    lay_database,
    lay_home,
    lay_workspace,
)
from tests.integration.postgres import PostgresServer

of_postgres = pytest.mark.postgres
Paused = dict[str, dict[str, str]]


def each_release() -> list[Any]:
    return [
        pytest.param(folder, id=folder.name, marks=of_postgres if is_of_postgresql(folder) else ())
        for folder in sorted(FOLDER.iterdir())
    ]


@pytest.fixture(params=each_release())
def left(
    request: pytest.FixtureRequest, tmp_path: Path, example_vectors: Path
) -> Iterator[tuple[Desk, Paused]]:
    """The desk that a release left, and what is paused there."""
    home, url = tmp_path / "home", None
    if is_of_postgresql(request.param):
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database(new_id("left"))
        about = lay_database(request.param, url)
        home.mkdir()
    else:
        about = lay_home(request.param, home)
    (home / "cache").symlink_to(example_vectors)
    workspace = lay_workspace(tmp_path)
    settings = Settings(
        home=home, workspace=workspace, undo_seconds=0, database_url=url, _env_file=None
    )
    desk = open_desk(settings, FixedClock(datetime.fromisoformat(about["now"])), inline=True)
    yield desk, about["paused"]
    desk.close()


def test_every_run_that_a_release_left_paused_goes_on(left: tuple[Desk, Paused]) -> None:
    desk, paused = left
    ruth = desk.people.get("ruth")
    became = {}
    for name, reply in DECISIONS.items():
        one = paused[name]
        assert desk.reviews.get(ruth, one["review"]).summary.status == "pending"
        desk.reviews.decide(ruth, one["review"], reply)
        desk.jobs.run_all()  # type: ignore[union-attr]
        became[name] = desk.contacts.get(ruth, one["contact"]).summary.status
    assert became == {
        "approved": "answered",
        "edited": "answered",
        "rejected": "in_review",
        "escalated": "escalated",
    }
    (again,) = [
        review
        for review in desk.reviews.of_contact(ruth, paused["rejected"]["contact"])
        if review.status == "pending"
    ]
    assert again.id != paused["rejected"]["review"]
    for name, letters in {"approved": 1, "edited": 1, "rejected": 0, "escalated": 0}.items():
        sent = desk.deliveries.of_contact(ruth, paused[name]["contact"])
        assert [delivery.status for delivery in sent] == ["sent"] * letters
    assert desk.audit_seals.verify().faults == []


def test_a_question_that_a_release_left_to_be_asked_is_answered_by_a_person(
    left: tuple[Desk, Paused],
) -> None:
    desk, paused = left
    ruth = desk.people.get("ruth")
    one = paused["asked"]
    review = desk.reviews.get(ruth, one["review"])
    assert review.summary.kind == "clarify"
    desk.reviews.decide(ruth, one["review"], {"kind": "answer", "text": "LB-123456"})
    desk.jobs.run_all()  # type: ignore[union-attr]
    (pending,) = [
        review
        for review in desk.reviews.of_contact(ruth, one["contact"])
        if review.status == "pending"
    ]
    assert pending.kind == "answer"


def test_a_desk_that_a_release_left_is_well(left: tuple[Desk, Paused]) -> None:
    desk, _ = left
    desk.sync()
    unwell = {part["part"] for part in examine(desk) if not part["ok"]}
    assert unwell == ({"jobs"} if desk.shares_work else set())  # no worker is started here
    assert desk.contacts.get(ADMIN, left[1]["asked"]["contact"]).messages
