"""What is in force at a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kb.freshness import VersionTimes, flags_of, in_force, is_overdue, next_boundary

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def version(article: str, number: int = 1, begins: int = -10, ends: int | None = None, **more: Any):
    return VersionTimes(
        id=f"{article}{number}",
        article_id=article,
        number=number,
        effective_from=NOW + begins * DAY,
        effective_to=None if ends is None else NOW + ends * DAY,
        **more,
    )


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ([], {}),
        ([version("a")], {"a": "a1"}),
        ([version("a", begins=0)], {"a": "a1"}),
        ([version("a", begins=1)], {}),
        ([version("a", ends=0)], {}),
        ([version("a", ends=1)], {"a": "a1"}),
        ([version("a", 2), version("a", 1)], {"a": "a2"}),
        ([version("a", 1), version("a", 2, begins=1)], {"a": "a1"}),
        ([version("a", 1, begins=-1), version("a", 2, begins=-5)], {"a": "a2"}),
        ([version("a", usable=False)], {}),
    ],
)
def test_the_newest_version_that_has_begun_holds(
    versions: list[VersionTimes], expected: dict[str, str]
):
    assert in_force(versions, NOW) == expected


def test_an_older_version_never_stands_in_for_one_that_ended():
    assert in_force([version("a", 1), version("a", 2, ends=-1)], NOW) == {}


def test_a_superseded_article_is_out_while_its_successor_holds():
    old = version("old")
    assert in_force([old, version("new", supersedes=("old",))], NOW) == {"new": "new1"}
    for lapsed in ({"begins": 1}, {"ends": -1}, {"usable": False}):
        assert "old" in in_force([old, version("new", supersedes=("old",), **lapsed)], NOW)


def test_of_three_policies_in_a_row_only_the_last_holds():
    chain = [version("a"), version("b", supersedes=("a",)), version("c", supersedes=("b",))]
    assert in_force(chain, NOW) == {"c": "c1"}


def test_articles_that_replace_each_other_are_both_out():
    assert in_force([version("a", supersedes=("b",)), version("b", supersedes=("a",))], NOW) == {}


def test_an_article_cannot_supersede_itself():
    assert in_force([version("a", supersedes=("a",))], NOW) == {"a": "a1"}


def test_the_next_boundary_is_the_next_change_of_what_holds():
    versions = [version("a", 1), version("a", 2, begins=5), version("b", ends=9)]
    assert next_boundary(versions, NOW) == NOW + 5 * DAY
    assert next_boundary(versions, NOW + 5 * DAY) == NOW + 9 * DAY
    assert next_boundary(versions, NOW + 9 * DAY) is None


def test_a_moment_at_which_nothing_changes_is_no_boundary():
    versions = [version("a", 1, ends=3), version("a", 2), version("b", begins=2, usable=False)]
    assert next_boundary(versions, NOW) is None


@pytest.mark.parametrize(
    ("every", "overdue"), [(None, False), (29, True), (30, False), (31, False)]
)
def test_overdue_when_the_next_review_is_past(every: int | None, overdue: bool):
    assert is_overdue(NOW - 30 * DAY, every, NOW) is overdue


def test_flags_name_what_the_owner_must_look_at():
    flags = flags_of(
        owner=None,
        review_every_days=10,
        last_reviewed=None,
        effective_from=NOW - 30 * DAY,
        superseded_by="other",
        now=NOW,
    )
    assert flags == ["overdue", "superseded", "unowned"]


def test_a_new_version_counts_as_a_review():
    flags = flags_of(
        owner="Ada",
        review_every_days=10,
        last_reviewed=NOW - 300 * DAY,
        effective_from=NOW - 5 * DAY,
        superseded_by=None,
        now=NOW,
    )
    assert flags == []


@pytest.mark.parametrize(
    ("ends", "told"), [(None, False), (-3, True), (0, True), (11, True), (14, True), (15, False)]
)
def test_an_article_that_runs_out_is_told_two_weeks_ahead_and_ever_after(
    ends: int | None, told: bool
):
    flags = flags_of(
        owner="Ada",
        review_every_days=None,
        last_reviewed=None,
        effective_from=NOW - 30 * DAY,
        superseded_by=None,
        now=NOW,
        effective_to=None if ends is None else NOW + ends * DAY,
    )
    assert (flags == ["overdue"]) is told
