"""The sample that the README begins with: its metrics, what waits in it. No browser looks."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import FixedClock, SystemClock
from core.database import Database
from core.settings import Settings
from desk.bootstrap import open_desk
from desk.metric_definitions import OF_PEOPLE
from desk.metrics import MetricFilter, Metrics
from desk.reviews import ReviewFilter
from tests.factories import ADMIN
from tests.metrics_by_hand import by_hand


def test_every_metric_of_the_sample_is_what_its_trail_tells(sample: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(sample, home)
    now = SystemClock().now() + timedelta(seconds=5)
    database = Database(f"sqlite:///{home / 'proofdesk.sqlite'}")
    hand, metrics = by_hand(database, now), Metrics(database, FixedClock(now))
    for days in (7, 35):
        lately = metrics.lately(days)
        first, last = lately.since.isoformat(), lately.until.isoformat()
        for reason in (None, *metrics.by(ADMIN, lately, "reason")):
            chosen = MetricFilter(lately.since, lately.until, reason)
            figures = metrics.board(ADMIN, chosen).figures
            told = hand.figures(first, last, now=now, reason=reason)
            assert {name: one.value for name, one in figures.items()} == pytest.approx(told), reason
        people = metrics.by_person(ADMIN, lately)
        for person, figures in people.items():
            told = hand.figures(first, last, now=now, person=person)
            expected = {one.id: told[one.id] for one in OF_PEOPLE}
            assert {name: one.value for name, one in figures.items()} == pytest.approx(expected)
    board = metrics.board(ADMIN, metrics.lately(35))
    assert board.figures["decisions"].hits > 20
    assert board.figures["correction_size"].value
    assert len(people) >= 2
    database.close()


def test_the_answers_that_rest_on_the_old_policy_outlast_the_hourly_sweep(
    sample: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(sample, home)
    desk = open_desk(Settings(home=home, _env_file=None), inline=True)
    try:
        desk.sweep()
        desk.jobs.run_all()  # type: ignore[union-attr]
        waiting = desk.reviews.queue(ADMIN, only=ReviewFilter(changed=True))
        names = {review.customer_name for review in waiting}
        assert names >= {"Abigail Stern", "Devon Price", "Corinne Ashby", "Ray Tolliver"}
    finally:
        desk.close()
