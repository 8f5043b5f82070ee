"""Short answers held against their sources, as they are and as they were."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.errors import ModelUnavailable
from core.identifiers import text_digest
from graph.answers import read_answer
from graph.check import EvidenceChecker
from graph.citer import EmbeddingCiter
from graph.support import (
    AnswerJudge,
    Forest,
    compare_versions,
    is_figure_of,
    lines_of,
    read,
    signs_then,
    weighed,
)
from graph.values import CheckReport
from kb.changes import ChangeJudge
from kb.content import Passage
from kb.facts import extract_facts
from retrieval.embeddings import MiniLmEmbedder


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    return MiniLmEmbedder()


def version(number: int, *texts: str) -> list[Passage]:
    return [
        Passage(
            id=f"v{number}#{place}", kind="article", article_id="help/refunds.md",
            version_id=f"v{number}", version=number, title="Refunds", anchor="refunds",
            heading_path=("Refunds",), start=0, end=len(text), text=text, plain=text,
            content_hash=text_digest(text), effective_from=datetime(2024, number, 1, tzinfo=UTC),
        )
        for place, text in enumerate(texts)
    ]  # fmt: skip


ABOUT = "Our support team answers on weekdays from nine to five."
OLD = version(
    1,
    "You can ask for a refund of an annual plan within 30 days of the purchase.",
    "Gift cards can be exchanged for cash at any time.",
    "We send receipts by email.",
    ABOUT,
)
NEW = version(
    2,
    "You can ask for a refund of an annual plan within 14 days of the purchase.",
    "Gift cards cannot be exchanged for cash.",
    "We'll send your receipts by email.",
    ABOUT,
)


class Past:
    def editions(self, version_id: str, former: int = 2) -> list[list[Passage]]:
        assert version_id == "v2"
        return [NEW, OLD][: former + 1]


def check(
    embedder: MiniLmEmbedder, question: str, answer: str, past: Past | None = None
) -> CheckReport:
    draft = EmbeddingCiter(embedder).cite(answer, NEW, "outside", question=question)
    known = {passage.id: passage for passage in NEW}
    return EvidenceChecker(embedder, past=past).check(draft, known, {"v2"}, question)


REFUND = "How long do I have to ask for a refund of my annual plan?"
CASH = "Can I exchange a gift card for cash?"
RECEIPT = "How do you send receipts?"


@pytest.mark.parametrize("past", [None, Past()])
@pytest.mark.parametrize(
    ("question", "answer"), [(REFUND, "14 days"), (REFUND, "Within 14 days of the purchase"),
                             (CASH, "No, gift cards cannot be exchanged for cash"),
                             (RECEIPT, "By email")],
)  # fmt: skip
def test_a_true_short_answer_passes(
    embedder: MiniLmEmbedder, question: str, answer: str, past: Past | None
) -> None:
    report = check(embedder, question, answer, past)
    assert report["passed"], report["findings"]


@pytest.mark.parametrize("past", [None, Past()])
@pytest.mark.parametrize(
    ("question", "answer"), [(REFUND, "30 days"), (REFUND, "Within 30 days of the purchase"),
                             (CASH, "Yes, at any time")],
)  # fmt: skip
def test_a_stale_short_answer_is_flagged(
    embedder: MiniLmEmbedder, question: str, answer: str, past: Past | None
) -> None:
    assert not check(embedder, question, answer, past)["passed"]


def test_a_stale_answer_is_shown_beside_what_was_said_and_what_is(
    embedder: MiniLmEmbedder,
) -> None:
    findings = check(embedder, CASH, "Yes, at any time", Past())["findings"]
    message = findings[0]["message"]
    assert "until 2024-02-01" in message
    assert OLD[1].plain in message
    assert findings[0]["source_words"] == NEW[1].plain


def test_a_made_up_answer_is_not_shown_beside_what_changed_elsewhere(
    embedder: MiniLmEmbedder,
) -> None:
    findings = check(embedder, "How much is the gift wrap?", "$7.50", Past())["findings"]
    message = findings[0]["message"]
    assert "does not bear out" in message
    assert not any(passage.plain in message for passage in OLD[:3])


@pytest.mark.parametrize("past", [None, Past()])
@pytest.mark.parametrize(
    ("question", "answer"), [("Who owns the company?", "Acme Holdings Ltd"),
                             ("Which browsers work?", "Firefox and Safari"),
                             (RECEIPT, "By carrier pigeon")],
)  # fmt: skip
def test_a_made_up_short_answer_is_flagged_whatever_the_article_said_before(
    embedder: MiniLmEmbedder, question: str, answer: str, past: Past | None
) -> None:
    assert not check(embedder, question, answer, past)["passed"]


def test_silence_is_right_until_the_source_answers(embedder: MiniLmEmbedder) -> None:
    silent = "Not stated"
    assert check(embedder, "Do you ship to Norway?", silent)["passed"]
    assert check(embedder, "Do you ship to Norway?", silent, Past())["passed"]


def test_the_same_answer_without_its_question_is_judged_by_its_words(
    embedder: MiniLmEmbedder,
) -> None:
    draft = EmbeddingCiter(embedder).cite("No", NEW, "outside", question=CASH)
    known = {passage.id: passage for passage in NEW}
    report = EvidenceChecker(embedder).check(draft, known, {"v2"})
    assert "without the rest of the answer" in report["findings"][0]["message"]


def test_an_answer_that_reads_like_a_signature_is_cited(embedder: MiniLmEmbedder) -> None:
    draft = EmbeddingCiter(embedder).cite(
        "The support team", NEW, "outside", question="Who answers on weekdays?"
    )
    assert [sentence["text"] for sentence in draft["sentences"]] == ["The support team"]
    assert draft["sentences"][0]["citations"][0]["passage_id"] == "v2#3"


def test_what_moved_within_an_article_did_not_go(embedder: MiniLmEmbedder) -> None:
    moved = [replace(passage, id=f"{passage.id}x") for passage in reversed(NEW)]
    judged = AnswerJudge(embedder).judge(REFUND, "14 days", NEW, [NEW, moved])
    assert judged.until is None
    assert not judged.flagged


CONSENT = "We will not write to you without your consent"


@pytest.mark.parametrize(
    ("before", "after", "went", "came"),
    [
        # What a condition was added to, or taken from, is no longer what stood there.
        (f"{CONSENT}.", f"{CONSENT}, unless it is about a donation.", 1, 1),
        (f"{CONSENT}, unless it is about a donation.", f"{CONSENT}.", 1, 1),
        # Two sentences that stand apart now, and one that got company, stand as they were.
        (f"{CONSENT}. {ABOUT}", f"{ABOUT} {CONSENT}.", 0, 0),
        (f"{CONSENT}.", f"{CONSENT}. {ABOUT}", 0, 1),
    ],
)
def test_a_sentence_goes_when_its_own_words_change(
    embedder: MiniLmEmbedder, before: str, after: str, went: int, came: int
) -> None:
    asked = read("May you write to me?", read_answer("No"), embedder.embed)
    now = version(2, after)
    found = compare_versions(asked, lines_of(now), version(1, before), now, embedder.embed)
    assert (len(found.went), len(found.came)) == (went, came) if found else went == came == 0


UNDECIDED = {
    "only went": 0.0, "only came": 0.0, "changed": 0.9, "asked turned": 0.0, "small words": 0.0,
    "tells of before": 0.0, "went-any fit": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("signs", "low", "high"),
    [
        ({}, 0.4, 0.4),
        ({"only went": 0.5}, 0.5, 1.0),
        ({"only came": 0.5}, 0.0, 0.2),
        ({"only went": 0.5, "only came": 0.5}, 0.4, 0.4),
        ({"changed": 0.1}, 0.0, 0.2),
        ({"asked turned": 0.3}, 0.5, 1.0),
        ({"asked turned": -0.3}, 0.0, 0.2),
        ({"small words": -1.0}, 0.0, 0.2),
        # What fits far worse than what stands is about another matter.
        ({"went-any fit": -0.6}, 0.0, 0.2),
        ({"only went": 0.5, "went-any fit": -0.6}, 0.5, 1.0),
        ({"only went": 0.5, "tells of before": 1.0}, 0.0, 0.1),
    ],
)
def test_what_is_known_for_sure_outweighs_the_votes(
    signs: dict[str, float], low: float, high: float
) -> None:
    assert low <= weighed(0.4, UNDECIDED | signs) <= high


LISTED = "You can sign up with your phone number, your postal address, or an email address."
PHONE = "Can I sign up with my phone number?"
MAY = "We {} close your account when nobody uses it for a year."
CLOSED = "Will you close my account when nobody uses it?"
FREE = "Returns are free for 60 days."


@pytest.mark.parametrize(
    ("before", "after", "question", "answer", "sign", "value"),
    [
        # What was asked about left the sentence: yes goes with how it was, no with how it is.
        (LISTED, LISTED.replace("your phone number, ", ""), PHONE, "Yes", "asked turned", 1),
        (LISTED, LISTED.replace("your phone number, ", ""), PHONE, "No", "asked turned", -1),
        (LISTED.replace("your phone number, ", ""), LISTED, PHONE, "No", "asked turned", 1),
        (MAY.format("will"), MAY.format("may"), CLOSED, "Not surely, we may", "small words", -1),
        (MAY.format("may"), MAY.format("must"), CLOSED, "Yes, we may", "small words", 1),
        (FREE, "Returns cost $5.", "Are returns free?", "They no longer are", "tells of before", 1),
        (FREE, "Returns cost $5.", "Are returns free?", "For 60 days", "tells of before", 0),
    ],
)
def test_the_words_that_turn_an_answer_are_seen(
    embedder: MiniLmEmbedder,
    before: str,
    after: str,
    question: str,
    answer: str,
    sign: str,
    value: int,
) -> None:
    now = version(2, after)
    asked = read(question, read_answer(answer), embedder.embed)
    former = compare_versions(asked, lines_of(now), version(1, before), now, embedder.embed)
    assert former is not None
    signs = signs_then(asked, former, embedder.embed, ChangeJudge())
    assert (signs[sign] > 0) - (signs[sign] < 0) == value


def test_who_says_that_it_is_no_longer_said_knows_what_was_said(embedder: MiniLmEmbedder) -> None:
    before = version(1, "Gift cards are sold.", ABOUT)
    now = version(2, "Gift cards are of use in the shop.", ABOUT)
    question = "How long can gift cards be of use?"
    judge = AnswerJudge(embedder)
    assert judge.judge(question, "Not stated", now, [now, before]).flagged
    assert not judge.judge(question, "No longer stated", now, [now, before]).flagged


@pytest.mark.parametrize(
    ("answer", "source", "stands"),
    [("At least 13", "You must be at least 13 years old.", True),
     ("At least 16", "You must be at least 13 years old.", False),
     ("3", "You must be at least 13 years old.", False),
     ("13 days", "You must be at least 13 years old.", False)],
)  # fmt: skip
def test_a_bare_figure_stands_where_it_has_a_unit(answer: str, source: str, stands: bool) -> None:
    ours, theirs = extract_facts(answer)[0], extract_facts(source, polarity=False)[0]
    assert is_figure_of(ours, theirs) is stands


def test_an_article_that_only_grew_outdates_no_answer(embedder: MiniLmEmbedder) -> None:
    grown = [*NEW, *version(2, "We also sell lamps.")]
    judged = AnswerJudge(embedder).judge(REFUND, "14 days", NEW, [grown, NEW])
    assert judged.until is None
    assert not judged.flagged


def test_a_forest_votes() -> None:
    forest = Forest.from_json(
        {
            "names": ["a"],
            "threshold": 0.5,
            "trees": [[[0, 0.5, 1, 2, 0.5], [-1, 0, 0, 0, 0.0], [-1, 0, 0, 0, 1.0]],
                      [[-1, 0, 0, 0, 0.5]]],
        }
    )  # fmt: skip
    assert forest.share({"a": 0.2}) == 0.25
    assert forest.share({"a": 0.9}) == 0.75


def test_a_damaged_file_is_named(embedder: MiniLmEmbedder, tmp_path: Path) -> None:
    file = tmp_path / "support.json"
    file.write_text(json.dumps({"now": {"names": []}}), encoding="utf-8")
    with pytest.raises(ModelUnavailable, match=r"support\.json cannot be read"):
        AnswerJudge(embedder, file).judge(REFUND, "14 days", NEW)
