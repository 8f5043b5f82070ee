"""Search by words: what counts as a word, and what a score means."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.lexical import TantivyIndex
from retrieval.words import LONGEST_QUESTION, pairs, question_pairs, question_words, words
from tests.unit.test_retrieval_ranking import passage

PLAINS = {
    "refund": "Refunds are paid within 14 days.",
    "cancel": "You can cancel your plan at any time in settings.",
    "certificate": "Certificates are valid for 90 days.",
    "chat": "Chat is open on Saturdays.",
}


@pytest.fixture
def index() -> TantivyIndex:
    made = TantivyIndex()
    made.replace(
        (), [passage(text, id=key, title="", heading_path=()) for key, text in PLAINS.items()]
    )
    return made


def best(index: TantivyIndex, question: str, count: int = 10) -> list[str]:
    return [key for key, _ in index.best(question, count)]


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("When is my refund paid?", "refund"),
        ("CANCELLING the plans", "cancel"),
        ("certificaté", "certificate"),
        ("saturday", "chat"),
    ],
)
def test_words_match_in_any_form(index: TantivyIndex, question: str, key: str) -> None:
    assert best(index, question)[0] == key


def test_titles_and_headings_are_searched() -> None:
    index = TantivyIndex()
    index.replace((), [passage("Within 30 days.", title="Backups", heading_path=("Retention",))])
    assert best(index, "backups") == best(index, "retention") == ["ver_1#0"]


def test_who_asks_for_a_contact_detail_finds_a_passage_that_holds_one() -> None:
    index = TantivyIndex()
    texts = {
        "notice": "A notice is forwarded to the person who made the work.",
        "address": "Copyright agent: 12 Long Harbour Street, Suite 3, Portland, ME 04101",
        "mail": "Copyright agent: agent@example.org",
    }
    index.replace((), [passage(text, id=key, title="") for key, text in texts.items()])

    def first(question: str) -> str:
        scores = index.scores(question, list(texts))
        return max(scores, key=lambda key: scores[key])

    assert first("Where do I post a letter to the copyright agent?") == "address"
    assert first("What email can I use for the copyright agent?") == "mail"
    assert first("What happens to a notice?") == "notice"


def test_a_word_that_no_passage_has_finds_nothing(index: TantivyIndex) -> None:
    assert best(index, "zebra") == []


def test_scores_are_shares_of_the_question(index: TantivyIndex) -> None:
    (_, full), *_ = index.best("certificates valid 90 days", 1)
    (_, half), *_ = index.best("certificates valid zebra giraffe", 1)
    assert 0 < half < full <= 1


def test_a_subject_counts_more_than_small_words(index: TantivyIndex) -> None:
    assert best(index, "any saturday")[0] == "chat"


def test_only_the_passages_asked_for_are_judged(index: TantivyIndex) -> None:
    judged = index.scores("When is my refund paid?", ["refund", "chat", "never there"])
    assert judged["refund"] > 0.2
    assert judged.keys() <= {"refund", "chat"}


def test_judging_agrees_with_finding_where_no_pair_is_shared(index: TantivyIndex) -> None:
    question = "certificates zebra saturdays"
    found = dict(index.best(question, 10))
    assert index.scores(question, found) == pytest.approx(found)


def test_words_that_stand_together_as_in_the_question_count_once_more() -> None:
    index = TantivyIndex()
    texts = {
        "together": "The annual plan costs less, and every team has one.",
        "apart": "The plan costs less, and every team has an annual one.",
        "other": "Chat is open on Saturdays.",
    }
    index.replace(
        (), [passage(text, id=key, title="", heading_path=()) for key, text in texts.items()]
    )
    judged = index.scores("Who has the annual plan?", texts)
    assert judged["together"] > judged["apart"] > judged.get("other", 0)


@pytest.mark.parametrize(("question", "ids"), [("", ["refund"]), ("…", ["refund"]), ("refund", [])])
def test_nothing_asked_or_nobody_judged_gives_no_score(
    index: TantivyIndex, question: str, ids: list[str]
) -> None:
    assert index.scores(question, ids) == {}


def test_pairs_join_subject_words_with_at_most_one_word_between() -> None:
    assert pairs(words("delete with the backup")) == []
    assert pairs(words("delete the backup")) == ["delet_backup"]
    assert pairs(words("delete account data today")) == [
        "delet_account",
        "delet_data",
        "account_data",
        "account_today",
        "data_today",
    ]


def test_a_question_has_each_pair_once() -> None:
    assert question_pairs("annual plan or annual plan?").count("annual_plan") == 1


def test_removed_passages_are_not_found(index: TantivyIndex) -> None:
    index.replace(["refund", "never there"], [])
    assert "refund" not in best(index, "refund days")


def test_a_passage_put_in_again_is_found_once(index: TantivyIndex) -> None:
    index.replace((), [passage("Chat is closed on Sundays.", id="chat")])
    assert best(index, "chat") == ["chat"]
    assert best(index, "saturdays") == []


@pytest.mark.parametrize("count", [0, -3])
def test_asking_for_none_gives_none(index: TantivyIndex, count: int) -> None:
    assert index.best("refund", count) == []


def test_a_long_message_keeps_its_subject_words() -> None:
    filler = " ".join(f"word{number}" for number in range(1000))
    asked = question_words(f"refund the a of {filler}")
    assert len(asked) == LONGEST_QUESTION
    assert asked["refund"] > 0.9


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_words_and_any_text_can_be_asked(text: str) -> None:
    index = TantivyIndex()
    index.replace((), [passage(text or "empty", title="", heading_path=())])
    found = index.best(text, 5)
    assert index.scores(text, ["ver_1#0"]).keys() == {key for key, _ in found}
    assert (len(found) == 1) == bool(words(text))
