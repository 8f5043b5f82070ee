"""The metrics against a second telling of them, from the exported audit trail alone."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, func, insert, select

from bench.month import END, PEOPLE, REASONS, fill
from core.clock import FixedClock
from core.database import Database
from core.settings import Settings
from desk.escalations import Escalations
from desk.metric_definitions import METRICS, OF_PEOPLE
from desk.metric_facts import EVENTS
from desk.metric_figures import Figure
from desk.metric_models import Complaint, MetricLengths, MetricMark, MetricSum
from desk.metric_rollup import SETTLED
from desk.metrics import DIMENSIONS, MetricFilter, Metrics
from desk.models import AuditEvent
from desk.permissions import Actor
from tests.factories import ADMIN
from tests.metrics_by_hand import DECISIONS, by_hand

CONTACTS = 180
CHOICES: list[dict[str, str | None]] = [
    {},
    {"reason": REASONS[0]},
    {"tier": "escalate_first"},
    {"channel": "voice"},
    {"reason": REASONS[1], "tier": "allowed", "channel": "email"},
]


@pytest.fixture
def database(settings_of_each_engine: Settings) -> Iterator[Database]:
    found = Database(settings_of_each_engine.database)
    yield found
    found.close()


@pytest.fixture
def small(settings_on_sqlite: Settings) -> Iterator[Database]:
    """For what no engine does differently."""
    found = Database(settings_on_sqlite.database)
    yield found
    found.close()


def values(figures: dict[str, Figure]) -> dict[str, Any]:
    return {name: figure.value for name, figure in figures.items()}


def test_every_metric_is_what_the_trail_tells(database: Database) -> None:
    fill(database, CONTACTS)
    metrics = Metrics(database, FixedClock(END))
    metrics.rollup.catch_up()
    hand = by_hand(database, END)
    board = metrics.board(ADMIN, metrics.lately(30))
    assert {line["event"] for line in hand.trail} >= set(EVENTS) - {"contact.correction_undone"}
    assert all(figure.value for figure in board.figures.values()), "the month lacks something"
    assert all(board.stopped.values())
    month, week = metrics.lately(28), metrics.lately(7)
    for days in (month, week):
        for choice in CHOICES:
            chosen = MetricFilter(days.since, days.until, **choice)
            told = hand.figures(days.since.isoformat(), days.until.isoformat(), now=END, **choice)
            assert values(metrics.board(ADMIN, chosen).figures) == pytest.approx(told), choice
    first, last = month.since.isoformat(), month.until.isoformat()
    for by in DIMENSIONS:
        groups = metrics.by(ADMIN, month, by)
        assert len(groups) > 2
        for group, figures in groups.items():
            told = hand.figures(first, last, now=END, **{by: group})
            assert values(figures) == pytest.approx(told), (by, group)
    only = MetricFilter(month.since, month.until, tier="allowed", channel="email")
    for reason, figures in metrics.by(ADMIN, only, "reason").items():
        told = hand.figures(first, last, now=END, reason=reason, tier="allowed", channel="email")
        assert values(figures) == pytest.approx(told), reason
    assert set(metrics.by(ADMIN, only, "channel")) == {"email"}
    people = metrics.by_person(ADMIN, month)
    assert set(people) == set(PEOPLE)
    for person, figures in people.items():
        told = hand.figures(first, last, now=END, person=person)
        assert values(figures) == pytest.approx({one.id: told[one.id] for one in OF_PEOPLE}), person


def test_days_are_those_of_the_team_and_another_zone_counts_anew(small: Database) -> None:
    fill(small, 60)
    zones = [ZoneInfo("UTC"), ZoneInfo("Pacific/Auckland")]  # no clock near 12 hours off agrees
    metrics = Metrics(small, FixedClock(END), lambda: zones[0])
    week = metrics.lately(7)
    of_utc = values(metrics.board(ADMIN, week).figures)
    zones.reverse()
    assert metrics.lately(7).until == week.until  # midnight in UTC is noon there
    metrics.rollup.catch_up()
    told = by_hand(small, END, zones[0]).figures(
        week.since.isoformat(), week.until.isoformat(), now=END
    )
    found = values(metrics.board(ADMIN, week).figures)
    assert found == pytest.approx(told)
    assert found != of_utc
    before = stored(small)
    assert metrics.rollup.catch_up() == 0
    assert stored(small) == before


def test_what_was_counted_since_the_beginning_is_told_by_reason_tier_and_channel(
    small: Database,
) -> None:
    fill(small, 60)
    metrics = Metrics(small, FixedClock(END))
    metrics.rollup.catch_up()
    totals, hand = metrics.totals(), by_hand(small, END)
    for (reason, tier, channel), parts in totals.by_slice.items():
        told = hand.figures(
            "2000-01-01", "2030-01-01", now=END, reason=reason, tier=tier, channel=channel
        )
        decided = sum(parts[one][0] for one in DECISIONS if one in parts)
        assert decided == told["decisions"], (reason, tier, channel)
    assert sum(totals.open.values()) == totals.backlog.count > 0


def stored(database: Database) -> set[tuple[Any, ...]]:
    # Not the totals: numbers that are added up in another order differ in their last digit.
    counts = [column for column in MetricSum.__table__.c if column.name != "total"]
    with database.read() as session:
        rows = [
            *session.execute(select(*counts)),
            *session.execute(select(MetricLengths.__table__)),
        ]
        return {tuple(row) for row in rows}


def test_steps_of_any_length_a_second_count_and_a_rebuild_come_to_the_same(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, 30)
    metrics = Metrics(database, FixedClock(END))
    draw = random.Random(3)
    while metrics.rollup.catch_up(draw.randint(1, 90)):
        pass
    in_steps = stored(database)
    assert metrics.rollup.catch_up() == 0
    assert stored(database) == in_steps
    metrics.rollup.rebuild()
    assert stored(database) == in_steps


def test_two_that_count_at_once_count_each_event_once(database: Database) -> None:
    fill(database, 30)
    clock = FixedClock(END)
    alone = Metrics(database, clock)
    alone.rollup.catch_up()
    expected = stored(database)
    with database.write() as session:
        for table in (MetricSum, MetricLengths, Complaint, MetricMark):
            session.execute(delete(table))

    def count(_: int) -> None:
        other = Database(database.engine.url.render_as_string(hide_password=False))
        while Metrics(other, clock).rollup.catch_up(40):
            pass
        other.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(count, range(3)))
    alone.rollup.catch_up()
    assert stored(database) == expected


def test_a_count_that_breaks_off_leaves_nothing_counted_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database, 40)
    metrics = Metrics(database, FixedClock(END))
    metrics.rollup.catch_up(100)
    before = stored(database)

    def break_off(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("desk.metric_rollup._note_complaints", break_off)
        with pytest.raises(RuntimeError, match="killed"):
            metrics.rollup.catch_up()
    assert stored(database) == before
    metrics.rollup.catch_up()
    whole = stored(database)
    metrics.rollup.rebuild()
    assert stored(database) == whole


def add(database: Database, id: int, at: Any, event: str, contact: str, **data: Any) -> None:
    row = {"id": id, "at": at, "actor": "per_1", "event": event, "contact_id": contact}
    with database.write() as session:
        session.execute(insert(AuditEvent), [row | {"data": data, "review_id": None}])


def test_an_event_that_is_committed_late_is_counted_before_what_follows_it(
    database: Database,
) -> None:
    clock = FixedClock(END)
    metrics = Metrics(database, clock)
    add(database, 1, END, "contact.opened", "con_1", channel="email", origin="desk")
    add(database, 3, END, "contact.closed", "con_1")
    assert metrics.rollup.catch_up() == 2  # the second may still be on its way
    assert metrics.board(ADMIN, metrics.lately()).figures["first_owner_median"].count == 0
    add(database, 2, END, "contact.assigned", "con_1", to="per_1")
    assert metrics.rollup.catch_up() == 0
    assert metrics.board(ADMIN, metrics.lately()).figures["first_owner_median"].count == 1
    add(database, 5, END, "contact.opened", "con_2", channel="email", origin="desk")
    assert metrics.rollup.catch_up() == 2
    clock.moment += SETTLED + timedelta(seconds=1)
    assert metrics.rollup.catch_up() == 0  # what is missing was rolled back


def test_a_page_counts_a_bounded_stretch_and_says_how_much_is_left(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.metrics.EVENTS_AT_ONCE", 50)
    fill(small, 40)
    metrics = Metrics(small, FixedClock(END))
    with small.read() as session:
        events = session.scalar(select(func.count()).select_from(AuditEvent)) or 0
    assert metrics.board(ADMIN, metrics.lately()).waiting == events - 50
    assert metrics.board(ADMIN, metrics.lately()).waiting == events - 100


def test_trends_add_up_to_the_whole_and_the_days_before_are_told_apart(
    small: Database,
) -> None:
    fill(small, 120)
    metrics = Metrics(small, FixedClock(END))
    metrics.rollup.catch_up()
    chosen = metrics.lately(14)
    for step in ("day", "week"):
        board = metrics.board(ADMIN, chosen, step)
        trend = board.trends["decisions"]
        assert sum(value or 0 for value in trend.values) == board.figures["decisions"].value
    earlier = MetricFilter(chosen.since - timedelta(14), chosen.since - timedelta(1))
    before = metrics.board(ADMIN, earlier).figures
    assert board.before == {name: before[name] for name in board.before}
    assert set(board.before) == {one.id for one in METRICS if not one.id.startswith("backlog")}


def test_days_that_are_none_are_refused(small: Database) -> None:
    from core.errors import BadInput, NotAllowed

    metrics = Metrics(small, FixedClock(END))
    with pytest.raises(BadInput, match="comes after"):
        metrics.board(ADMIN, MetricFilter(date(2026, 6, 2), date(2026, 6, 1)))
    with pytest.raises(BadInput, match="at most 732 days"):
        metrics.board(ADMIN, MetricFilter(date(2020, 6, 2), date(2026, 6, 1)))
    for role in ("agent", "content_owner"):
        with pytest.raises(NotAllowed):
            metrics.by_person(Actor("per_2", "Bo", role), metrics.lately())


def test_an_empty_desk_has_nothing_to_tell_and_no_zero_for_it(small: Database) -> None:
    metrics = Metrics(small, FixedClock(END))
    figures = metrics.board(ADMIN, metrics.lately()).figures
    assert {one.id for one in METRICS if figures[one.id].value == 0} == {
        "backlog", "decisions", "escalation_missed", "escalations", "stale_stopped", "taken_up",
    }  # fmt: skip
    assert metrics.by(ADMIN, metrics.lately(), "reason") == {}
    assert metrics.themes(ADMIN, metrics.lately()) == []
    assert Escalations(small, FixedClock(END)).verdict(ADMIN, "con_1") is None
