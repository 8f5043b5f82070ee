"""What comes due on the shelf."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.clock import FixedClock
from desk.bootstrap import Desk
from desk.calendar import DueLine, DueWeek
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)  # a Wednesday


def write(workspace: Path, name: str, **said: object) -> None:
    head = "\n".join(f"{key}: {value}" for key, value in said.items())
    text = f"---\ntitle: {name.title()}\n{head}\n---\nOne lamp costs ${len(name)}.\n"
    (workspace / "articles" / f"{name}.md").write_text(text)


@pytest.fixture
def desk(open_synced: OpenDesk, workspace: Path) -> Desk:
    begun = {"effective_from": "2026-01-01"}
    write(workspace, "late", owner="Priya", review_every_days=30, **begun)
    write(workspace, "next", owner="Tomas", review_every_days=160, **begun)  # 10 June
    write(
        workspace, "seen", review_every_days=30, last_reviewed="2026-05-20", **begun
    )  # 19 June, Friday of the third week
    write(workspace, "ends", owner="Priya", effective_to="2026-06-05", **begun)
    write(workspace, "comes", owner="Priya", effective_from="2026-06-10")
    write(workspace, "far", review_every_days=900, **begun)
    write(workspace, "old", review_every_days=30, archived="true", **begun)
    write(workspace, "former", review_every_days=30, **begun)
    write(workspace, "latter", supersedes="help-center/former.md", **begun)
    return open_synced(FixedClock(NOW))


def weeks(desk: Desk, **chosen: str) -> list[DueWeek]:
    return [one for one in desk.calendar.weeks(ADMIN, **chosen) if one.total]  # type: ignore[arg-type]


def page(desk: Desk, week: date | None, **more: object) -> list[tuple[str, str]]:
    return [(line.title, line.why) for line in desk.calendar.page(ADMIN, week, **more)]  # type: ignore[arg-type]


def test_reviews_ends_and_beginnings_fall_into_their_weeks(desk: Desk) -> None:
    assert weeks(desk) == [
        DueWeek(None, reviews=1),
        DueWeek(date(2026, 6, 1), ends=1),
        DueWeek(date(2026, 6, 8), reviews=1, begins=1),
        DueWeek(date(2026, 6, 15), reviews=1),
    ]
    assert len(desk.calendar.weeks(ADMIN)) == 13


def test_a_week_lists_its_articles_the_earliest_first(desk: Desk) -> None:
    assert page(desk, None) == [("Late", "review")]
    assert page(desk, date(2026, 6, 4)) == [("Ends", "ends")]
    assert sorted(page(desk, date(2026, 6, 8))) == [("Comes", "begins"), ("Next", "review")]


def test_each_line_is_paged_once(desk: Desk) -> None:
    seen: list[DueLine] = []
    while more := desk.calendar.page(
        ADMIN, date(2026, 6, 8), limit=1, after=seen[-1] if seen else None
    ):
        seen += more
    assert sorted(line.title for line in seen) == ["Comes", "Next"]


def test_an_owner_sees_their_own_and_what_nobody_owns(desk: Desk) -> None:
    assert [one.total for one in weeks(desk, owner="Priya")] == [1, 1, 1]
    assert weeks(desk, owner="") == [DueWeek(date(2026, 6, 15), reviews=1)]


def test_a_confirmed_article_moves_to_its_next_review(desk: Desk) -> None:
    (flag,) = [f for f in desk.flags.page(ADMIN, kind="overdue") if "late" in (f.article_id or "")]
    desk.flags.resolve(ADMIN, flag.id, "verify")
    assert page(desk, None) == []
    assert ("Late", "review") in page(desk, date(2026, 7, 3))
