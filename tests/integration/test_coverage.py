"""Which questions had no source."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.clock import FixedClock
from core.errors import NotFound
from desk.bootstrap import Desk
from desk.coverage import per_week
from tests.factories import ADMIN
from tests.integration.conftest import OpenDesk, open_contact

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
WARRANTY = "Do you sell warranty extensions for telescopes?"


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW - timedelta(weeks=1))


@pytest.fixture
def desk(open_synced: OpenDesk, clock: FixedClock) -> Desk:
    desk = open_synced(clock)
    open_contact(desk, ADMIN, WARRANTY)
    clock.moment = NOW
    open_contact(desk, ADMIN, WARRANTY.replace("sell", "offer"))
    open_contact(desk, ADMIN, "How long does a refund take?")
    desk.flags.sweep()
    return desk


def test_the_share_without_a_source_is_told_week_by_week(desk: Desk) -> None:
    weeks = desk.coverage.weeks(ADMIN, weeks=3)
    assert [(one.asked, one.unanswered) for one in weeks] == [(0, 0), (1, 1), (2, 1)]
    assert weeks[-1].start.isoformat() == "2026-06-01"


def test_questions_that_ask_for_the_same_are_one_gap_with_its_trend(desk: Desk) -> None:
    (gap,) = desk.coverage.gaps(ADMIN, weeks=3)
    assert (gap.count, gap.waiting, gap.weeks) == (2, 2, [0, 1, 1])
    assert gap.last_at == NOW
    newest, first = desk.coverage.asked(ADMIN, gap.flag_id)
    assert (newest.text, first.text) == (WARRANTY.replace("sell", "offer"), WARRANTY)
    assert desk.coverage.gaps(ADMIN, after=gap) == []


def test_a_closed_gap_is_among_the_closed(desk: Desk) -> None:
    (gap,) = desk.coverage.gaps(ADMIN)
    desk.flags.resolve(ADMIN, gap.flag_id, "dismiss", reason="We sell no telescopes.")
    assert desk.coverage.gaps(ADMIN) == []
    assert [one.flag_id for one in desk.coverage.gaps(ADMIN, status="dismissed")] == [gap.flag_id]


def test_an_unknown_gap_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound, match="no gap"):
        desk.coverage.asked(ADMIN, "flg_none")


def test_what_lies_before_the_weeks_is_not_counted() -> None:
    moments = [NOW, NOW - timedelta(weeks=1), NOW - timedelta(weeks=9)]
    assert per_week(moments, NOW, 3) == [0, 1, 1]
