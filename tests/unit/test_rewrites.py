"""Which of the drafted sentences a person changed."""

from __future__ import annotations

from desk.rewrites import rewrites_between
from graph.draft import cite_whole
from graph.values import Draft
from tests.factories import draft_from, passage

FIVE = passage("A refund takes 5 business days to reach your card.")
LAMP = passage("You can return a lamp within 30 days of delivery.", id="ver_1#1")
FREE = passage("Orders over $50 ship free.", id="ver_2#0", article_id="help/shipping.md")
DRAFT = draft_from(FIVE, LAMP, FREE)


def sent(*texts: str) -> Draft:
    sentences = [{"text": text, "citations": [cite_whole(FIVE)]} for text in texts]
    return draft_from(sentences=sentences, drafter="person:ruth")


def test_a_sentence_said_in_other_words_is_told_with_what_it_became() -> None:
    now = "Your refund reaches your card within 5 business days."
    (rewrite,) = rewrites_between(DRAFT, sent(now, LAMP.plain, FREE.plain))
    assert (rewrite.before, rewrite.after) == (FIVE.plain, now)
    assert [c["passage_id"] for c in rewrite.citations] == [FIVE.id]


def test_a_sentence_that_was_struck_out_became_nothing() -> None:
    (rewrite,) = rewrites_between(DRAFT, sent(FIVE.plain, LAMP.plain))
    assert (rewrite.before, rewrite.after) == (FREE.plain, "")


def test_order_case_and_punctuation_are_no_rewriting() -> None:
    new = sent("orders over $50 ship free!", LAMP.plain, FIVE.plain.upper())
    assert rewrites_between(DRAFT, new) == []


def test_a_sentence_that_was_only_continued_was_kept() -> None:
    new = sent(FIVE.plain[:-1] + ", and we write to you then.", LAMP.plain, FREE.plain)
    assert rewrites_between(DRAFT, new) == []


def test_another_figure_is_a_rewriting() -> None:
    new = sent("A refund takes 9 business days to reach your card.", LAMP.plain, FREE.plain)
    assert [rewrite.before for rewrite in rewrites_between(DRAFT, new)] == [FIVE.plain]


def test_a_new_sentence_takes_the_place_of_one_old_sentence_only() -> None:
    new = sent("A refund reaches your card, a lamp goes back within 30 days of delivery.")
    changed = {rewrite.before: rewrite.after for rewrite in rewrites_between(DRAFT, new)}
    assert sorted(changed) == sorted([FIVE.plain, LAMP.plain, FREE.plain])
    assert sum(bool(after) for after in changed.values()) == 1


def test_courtesies_rest_on_no_source_and_are_not_told() -> None:
    drafted = draft_from(sentences=[{"text": "We are happy to help.", "citations": []}])
    assert rewrites_between(drafted, sent("Glad to help.")) == []
