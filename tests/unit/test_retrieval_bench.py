"""What the search benchmark counts as a hit."""

from __future__ import annotations

import pytest

from bench.retrieval import is_exact, is_hit, reciprocal_rank_fusion, score
from tests.unit.test_retrieval_ranking import passage

ANSWER = "Within 60 days, all content is permanently deleted from our backups and from our logs."


@pytest.mark.parametrize(
    ("found", "exact", "hit"),
    [
        (ANSWER, True, True),
        (ANSWER.replace(" all", "\n  **all**"), True, True),
        (ANSWER + " It cannot be recovered.", True, True),
        (ANSWER.replace("60", "30"), False, True),
        ("Within 60 days.", False, False),
        ("We keep no backups.", False, False),
    ],
)
def test_hits(found: str, exact: bool, hit: bool) -> None:
    assert (is_exact(passage(found), ANSWER), is_hit(passage(found), ANSWER)) == (exact, hit)


def test_a_wanted_passage_may_begin_with_its_heading() -> None:
    assert is_exact(passage(ANSWER), f"## Deletion\n\n{ANSWER}")


def test_scores_count_ranks() -> None:
    found = score([(1, 1), (2, None), (6, 6), (None, None)])
    assert (found.hit_at_1, found.hit_at_5, found.exact_at_5) == (0.25, 0.5, 0.25)
    assert found.mrr == pytest.approx((1 + 1 / 2 + 1 / 6) / 4)


def test_reciprocal_rank_fusion_prefers_what_both_lists_have() -> None:
    assert reciprocal_rank_fusion([["a", "b"], ["c", "b"]])[0] == "b"
