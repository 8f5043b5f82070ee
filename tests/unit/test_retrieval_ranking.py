"""How evidence becomes a score, and which texts of a passage are compared."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kb.content import Passage
from retrieval.ranking import REPEATS_AMONG, fused_score, repeats, sentence_texts, whole_text
from retrieval.search import newest_of_each_text

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def passage(plain: str, **changes: object) -> Passage:
    values: dict[str, object] = {
        "id": "ver_1#0",
        "kind": "article",
        "article_id": "help/a.md",
        "version_id": "ver_1",
        "version": 1,
        "title": "Refunds",
        "anchor": "",
        "heading_path": ("Who gets one",),
        "start": 0,
        "end": len(plain),
        "text": plain,
        "plain": plain,
        "content_hash": plain,
        "effective_from": NOON,
    }
    return Passage(**{**values, **changes})  # type: ignore[arg-type]


def test_a_passage_is_compared_with_its_title_and_headings() -> None:
    assert whole_text(passage("Within 30 days.")) == "Refunds › Who gets one\nWithin 30 days."


def test_a_passage_without_a_title_is_compared_alone() -> None:
    assert whole_text(passage("Within 30 days.", title="", heading_path=())) == "Within 30 days."


def test_every_sentence_is_compared_on_its_own() -> None:
    long = passage("We refund monthly plans. Annual plans are refunded in full.")
    assert sentence_texts(long) == [
        "We refund monthly plans.",
        "Annual plans are refunded in full.",
    ]


@pytest.mark.parametrize("plain", ["30 days", "…", "·"])
def test_a_passage_without_a_sentence_is_compared_whole(plain: str) -> None:
    assert sentence_texts(passage(plain)) == [plain]


@pytest.mark.parametrize(
    ("whole", "sentence", "lexical"), [(-1, -1, 0), (1.0000002, 1.0000002, 1), (0.5, 0.7, 0.3)]
)
def test_a_score_lies_between_0_and_1(whole: float, sentence: float, lexical: float) -> None:
    assert 0 <= fused_score(passage("Yes."), whole, sentence, lexical) <= 1


def test_each_kind_of_evidence_raises_the_score() -> None:
    some = passage("Yes.")
    base = fused_score(some, 0.4, 0.4, 0.4)
    assert fused_score(some, 0.5, 0.4, 0.4) > base
    assert fused_score(some, 0.4, 0.5, 0.4) > base
    assert fused_score(some, 0.4, 0.4, 0.5) > base


@pytest.mark.parametrize("words", ["Newsletter", "Please include:", "How to reach us"])
def test_a_fragment_ranks_below_an_equal_sentence(words: str) -> None:
    evidence = (0.6, 0.6, 0.5)
    sentence = passage("You can leave the newsletter by the link in each of its issues.")
    assert fused_score(passage(words), *evidence) < fused_score(sentence, *evidence)


@pytest.mark.parametrize("words", ["Up to 30 days", "Full refund: 14 days", "10 GB"])
def test_a_short_passage_with_a_figure_is_no_fragment(words: str) -> None:
    evidence = (0.6, 0.6, 0.5)
    sentence = passage("You can leave the newsletter by the link in each of its issues.")
    assert fused_score(passage(words), *evidence) == fused_score(sentence, *evidence)


def test_the_newest_of_equal_texts_stands_for_them() -> None:
    old = passage("Within 30 days.", id="ver_1#0")
    new = passage("Within 30 days.", id="ver_2#3", effective_from=NOON + timedelta(days=1))
    other = passage("Within 60 days.", id="ver_3#0")
    for order in ([old, new, other], [other, new, old]):
        assert newest_of_each_text(order) == {"ver_2#3": new, "ver_3#0": other}


def test_a_macro_never_hides_the_article_it_repeats() -> None:
    article = passage("Refunds take 5 days.")
    macro = passage(
        "Refunds take 5 days.",
        id="ver_2#0",
        kind="macro",
        effective_from=NOON + timedelta(days=90),
    )
    assert newest_of_each_text([macro, article]) == {"ver_1#0": article}


BACKUPS = "After you cancel, we delete everything from our servers and from our backups in 60 days."


@pytest.mark.parametrize(
    ("later", "repeated"),
    [
        (BACKUPS, True),
        (BACKUPS.replace("everything", "all of it"), True),
        (BACKUPS.replace("60", "30"), False),
        (BACKUPS.replace("we delete", "we do not delete"), False),
        (BACKUPS.replace("our backups", "Glacier"), False),
        ("We refund annual plans in full.", False),
    ],
)
def test_only_a_passage_that_says_nothing_else_repeats_a_better_one(
    later: str, repeated: bool
) -> None:
    assert repeats([passage(BACKUPS), passage(later)]) == [False, repeated]


def test_nothing_repeats_a_worse_one() -> None:
    first, between, again = passage(BACKUPS), passage("We refund annual plans."), passage(BACKUPS)
    assert repeats([first, between, again]) == [False, False, True]


def test_repeats_are_looked_for_among_the_best_only() -> None:
    assert repeats([passage(BACKUPS)] * (REPEATS_AMONG + 5))[-6:] == [True] + [False] * 5


def test_there_may_be_nothing_to_compare() -> None:
    assert repeats([]) == []
