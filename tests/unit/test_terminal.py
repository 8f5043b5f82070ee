"""What the command line prints where no terminal is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from desk.cli_shared import progress
from desk.render import reviews_table
from desk.reviews import ReviewSummary

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def test_a_table_that_is_piped_is_cut_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    name = "Wolfeschlegelsteinhausenbergerdorff of the Department of Long Names, [red]Hamburg"
    review = ReviewSummary(
        id="rev_01hzyx", contact_id="con_1", kind="answer", status="pending",
        tier="review_required", risk=1, reason="a_reason_with_quite_a_long_name", subject="",
        customer_name=name, findings=0, changed=False, opened_at=NOON, due_at=NOON,
        claimed_by="per_01hzyx", claimed_until=NOON, decided_by=None, decided_at=None,
        decision=None,
    )  # fmt: skip
    reviews_table([review])
    (line,) = [one for one in capsys.readouterr().out.splitlines() if "rev_01hzyx" in one]
    for whole in (name, review.tier, review.reason, review.claimed_by):
        assert whole
        assert whole in line


def test_where_no_bar_can_be_drawn_what_takes_time_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress(spoken=True) as report:
        for done in range(3):
            report("database", done, 2)
        report("passages", 0, 9)
    assert capsys.readouterr().err == "database …\npassages …\n"
