from __future__ import annotations

from kb.content import Passage
from kb.counterparts import align, counterpart
from tests.factories import passage


def at(version: int, ordinal: int, text: str, anchor: str = "how-long") -> Passage:
    return passage(
        text,
        id=f"ver_{version}#{ordinal}",
        version_id=f"ver_{version}",
        version=version,
        anchor=anchor,
    )


def pairs(older: list[Passage], newer: list[Passage]) -> list[tuple[str | None, str | None]]:
    return [(o.plain if o else None, n.plain if n else None) for o, n in align(older, newer)]


def test_the_counterpart_is_the_nearest_wording_not_the_nearest_place() -> None:
    old = passage("Refunds take 5 days.")
    unrelated = passage("Call us on weekdays.", id="ver_2#0")
    moved = passage("Refunds usually take 9 days.", id="ver_2#7", anchor="elsewhere")
    assert counterpart(old, [unrelated, moved]) == moved
    assert counterpart(old, [unrelated]) is None


def test_an_edited_line_is_paired_with_what_it_was() -> None:
    older = [at(1, 0, "Refunds take 5 days."), at(1, 1, "Call us on weekdays.")]
    newer = [at(2, 0, "Call us on weekdays."), at(2, 1, "Refunds take 9 days.")]
    assert pairs(older, newer) == [
        ("Call us on weekdays.", "Call us on weekdays."),
        ("Refunds take 5 days.", "Refunds take 9 days."),
    ]


def test_of_two_like_lines_the_one_that_left_is_not_taken_for_the_other() -> None:
    older = [at(1, 0, "The small plan costs $5."), at(1, 1, "The large plan costs $7.")]
    newer = [at(2, 0, "The small plan costs $5.")]
    assert pairs(older, newer) == [
        ("The small plan costs $5.", "The small plan costs $5."),
        ("The large plan costs $7.", None),
    ]


def test_what_is_new_has_no_older_side() -> None:
    older = [at(1, 0, "Refunds take 5 days.")]
    newer = [at(2, 0, "Refunds take 5 days."), at(2, 1, "Gift cards cannot be refunded.")]
    assert pairs(older, newer) == [
        ("Refunds take 5 days.", "Refunds take 5 days."),
        (None, "Gift cards cannot be refunded."),
    ]


def test_equal_words_under_two_headings_stay_under_theirs() -> None:
    older = [at(1, 0, "It takes 5 days.", "cards"), at(1, 1, "It takes 5 days.", "transfers")]
    newer = [at(2, 0, "It takes 9 days.", "cards"), at(2, 1, "It takes 5 days.", "transfers")]
    assert [(old and old.id, new and new.id) for old, new in align(older, newer)] == [
        ("ver_1#0", "ver_2#0"),
        ("ver_1#1", "ver_2#1"),
    ]


def test_each_passage_is_paired_once() -> None:
    older = [at(1, n, f"Plan {n} costs ${n}.") for n in range(6)]
    newer = [at(2, n, f"Plan {n} costs ${n + 1}.") for n in range(4)]
    found = align(older, newer)
    assert [new.id for _, new in found if new] == [p.id for p in newer]
    assert sorted(old.id for old, _ in found if old) == [p.id for p in older]
