from __future__ import annotations

from io import StringIO
from typing import Any

from rich.console import Console

from desk.render_changes import changes_report, resting_line, was_and_now


def fact(**changes: Any) -> dict[str, Any]:
    values = {
        "article_id": "help/refunds.md",
        "title": "Refunds",
        "heading": "How long",
        "facts": [{"kind": "duration", "old": "5 days", "new": "9 days"}],
        "old": "Refunds take 5 days.",
        "new": "Refunds take 9 days.",
    }
    return {**values, **changes}


def printed(report: dict[str, Any]) -> str:
    out = StringIO()
    changes_report(Console(file=out, width=100, markup=False), report)
    return out.getvalue()


def test_a_changed_fact_is_shown_as_old_beside_new() -> None:
    text = printed({"facts": [fact()], "facts_count": 1, "reworded": 2})
    assert "1 passage tells a reader something else, in 1 article:" in text
    assert "2 passages only reworded." in text
    row = next(line for line in text.splitlines() if "5 days" in line)
    assert "Refunds › How long" in row
    assert row.index("5 days") < row.index("9 days")


def test_where_no_fact_is_named_the_words_around_the_difference_are_shown() -> None:
    tail = " and then you wait until it has been looked at by somebody" * 3
    ((old, new),) = was_and_now(
        fact(facts=[], old=f"Write to the billing team{tail}", new=f"Call the billing team{tail}")
    )
    assert old.startswith("Write to")
    assert new.startswith("Call")
    assert old.endswith("…")
    assert len(old) < 80


def test_a_passage_that_came_or_left_is_shown_on_one_side() -> None:
    text = printed({"facts": [fact(facts=[], old="")], "facts_count": 1, "reworded": 0})
    assert "not said before" in text
    assert was_and_now(fact(facts=[], new=""))[0][1] == ""


def test_words_of_an_article_are_never_markup() -> None:
    text = printed({"facts": [fact(title="[red]Refunds[/]")], "facts_count": 1, "reworded": 0})
    assert "[red]Refunds[/]" in text


def test_what_is_not_listed_is_counted() -> None:
    text = printed({"facts": [fact() for _ in range(60)], "facts_count": 60, "reworded": 0})
    assert "and 20 more" in text


def test_what_rests_on_it_is_said_in_one_line() -> None:
    impact = {"reviews_count": 2, "scheduled_count": 0, "answers_count": 1}
    assert (
        resting_line(impact) == "Resting on what changed: 2 waiting drafts, 1 answer already sent."
    )
    assert resting_line({}) == ""
    assert printed({"facts": [], "facts_count": 0, "reworded": 0, "impact": {}}) == ""
