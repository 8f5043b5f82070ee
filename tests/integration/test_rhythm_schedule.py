"""When the report of the day is written, and that a working desk writes it by itself."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter  # type: ignore[import-untyped]

from core.clock import FixedClock
from desk.jobs import RHYTHM_SCHEDULE
from desk.rhythm_render import Document
from desk.rhythm_reports import is_due, write_report
from tests.integration.conftest import OpenDesk

FRIDAY_EVENING = datetime(2026, 6, 5, 21, tzinfo=UTC)
WEDNESDAY = datetime(2026, 6, 3, 9, tzinfo=UTC)


@pytest.mark.parametrize("name", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_the_report_is_due_from_early_on_weekdays_and_again_each_hour_for_desks_that_were_off(
    name: str,
) -> None:
    # As DBOS reads it.
    zone = ZoneInfo(name)
    moments = croniter(RHYTHM_SCHEDULE, FRIDAY_EVENING, second_at_beginning=True)
    week: list[datetime] = []
    while (moment := moments.get_next(datetime)) < FRIDAY_EVENING + timedelta(days=10):
        week.append(moment.astimezone(zone))
    week = [one for one in week if is_due(one) and one.date() >= date(2026, 6, 8)]
    assert week[0] == datetime(2026, 6, 8, 5, 23, tzinfo=zone)
    assert {moment.weekday() for moment in week} == {0, 1, 2, 3, 4}
    assert [moment.hour for moment in week[:19]] == list(range(5, 24))


def test_a_working_desk_writes_the_report_of_the_day_by_itself(
    open_synced: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.jobs.RHYTHM_SCHEDULE", "* * * * * *")
    written: list[Path] = []
    enough = threading.Event()

    def note(folder: Path, at: datetime, document: Document) -> tuple[Path, Path]:
        paths = write_report(folder, at, document)
        written.extend(paths)
        enough.set()
        return paths

    monkeypatch.setattr("desk.bootstrap.write_report", note)
    desk = open_synced(FixedClock(WEDNESDAY), inline=False)
    desk.start()
    assert enough.wait(60)
    markdown, page = written[:2]
    assert markdown.name == "2026-W23-3-wednesday.md"
    assert markdown.read_text().startswith("# Wednesday: Low-confidence answers")
    assert page.read_text().startswith("<!doctype html>")
