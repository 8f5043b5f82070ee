"""The extractive drafter: what it says, what it never says, when it says nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.identifiers import text_digest
from graph.asking import open_question
from graph.courtesies import courtesies, first_name
from graph.draft import cite, draft_digest, draft_text, plain_draft
from graph.extractive import ExtractiveDrafter
from graph.promises import is_courtesy
from graph.statements import readable, statements_of
from graph.values import Conversation, Draft
from kb.content import Passage, PassageKind
from kb.passages import cut
from retrieval.embeddings import MiniLmEmbedder
from retrieval.ports import Hit
from tests.factories import NOON, conversation, passage


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    return MiniLmEmbedder()


def article(body: str, title: str = "Refunds", kind: PassageKind = "article") -> list[Passage]:
    """Cut a body into the passages of one version."""
    version = f"ver_{text_digest(title + body)[:6]}"
    return [
        Passage(
            id=f"{version}#{ordinal}",
            kind=kind,
            article_id=f"help/{title.lower().replace(' ', '-')}.md",
            version_id=version,
            version=1,
            title=title,
            anchor=piece.anchor,
            heading_path=piece.heading_path,
            start=piece.start,
            end=piece.end,
            text=piece.text,
            plain=piece.plain,
            content_hash=text_digest(piece.plain),
            effective_from=NOON,
        )
        for ordinal, piece in enumerate(cut(body, title=title))
    ]


def found(question: str, passages: list[Passage], embedder: MiniLmEmbedder) -> list[Hit]:
    """Return the passages as hits, nearest in meaning first."""
    vectors = embedder.embed([question, *(f"{p.context}\n{p.plain}" for p in passages)])
    cosines = [float(x) for x in vectors[1:] @ vectors[0]]
    order = sorted(range(len(passages)), key=lambda i: -cosines[i])
    return [Hit(rank, 0.5, passages[i], cosines[i], 1.0) for rank, i in enumerate(order, start=1)]


class Whole:
    """Sources that know every passage of the articles they were given."""

    def __init__(self, passages: list[Passage]) -> None:
        self._passages = passages

    def passages(self, ids: Any) -> dict[str, Passage]:
        return {p.id: p for p in self._passages if p.id in ids}

    def versions_in_force(self, article_ids: Any) -> dict[str, str]:
        return {p.article_id: p.version_id for p in self._passages if p.article_id in article_ids}

    def passages_of_version(self, version_id: str) -> list[Passage]:
        return [p for p in self._passages if p.version_id == version_id]


def answer(
    question: str,
    body: str,
    embedder: MiniLmEmbedder,
    *,
    title: str = "Refunds",
    kind: PassageKind = "article",
    feedback: str = "",
    hits: int = 8,
    **changes: Any,
) -> Draft:
    passages = article(body, title, kind)
    drafter = ExtractiveDrafter(embedder, Whole(passages))
    asked: Conversation = conversation(question, **changes)
    return drafter.draft(asked, question, found(question, passages, embedder)[:hits], feedback)


def words(draft: Draft) -> str:
    return " ".join(sentence["text"] for sentence in draft["sentences"])


REFUNDS = """# Refunds

Monthly plans are refunded in full within 14 days of the charge. Refunds reach your card within
5 business days. However, gift cards are never refunded.

## Invoices

You can download every invoice under **Settings › Billing**.
"""


def test_an_answer_is_a_letter_with_the_sentence_that_answers(embedder: MiniLmEmbedder) -> None:
    draft = answer("How long until the refund is on my card?", REFUNDS, embedder)
    text = draft_text(draft)
    assert text.startswith("Hello Ada,\n\n")
    assert "Refunds reach your card within 5 business days." in text
    assert text.endswith("just reply to this email.")
    assert "invoice" not in text


def test_what_comes_along_is_cited_at_the_present_address(embedder: MiniLmEmbedder) -> None:
    moved = "https://help.example.com/new"
    body = (
        "Refunds are paid to your card:\n\n- Monthly plans within 14 days.\n- Gift cards never.\n"
    )
    passages = article(body)
    (found,) = [one for one in passages if "Monthly" in one.plain]
    question = "When are monthly plans refunded?"
    draft = ExtractiveDrafter(embedder, Whole(passages)).draft(
        conversation(question), question, [Hit(1, 0.9, replace(found, url=moved), 0.9, 1.0)]
    )
    cited = [citation for s in draft["sentences"] for citation in s["citations"]]
    assert {c["passage_id"] for c in cited} == {passages[0].id, found.id}
    assert {c["url"] for c in cited} == {moved}


def test_every_sentence_quotes_the_exact_words_of_its_source(embedder: MiniLmEmbedder) -> None:
    draft = answer("How long until the refund is on my card?", REFUNDS, embedder)
    quotes = [c["quote"] for s in draft["sentences"] for c in s["citations"]]
    assert "Refunds reach your card within\n5 business days." in quotes
    for sentence in draft["sentences"]:
        for citation in sentence["citations"]:
            assert REFUNDS[citation["start"] : citation["end"]] == citation["quote"]


def test_an_exception_comes_along_with_its_rule(embedder: MiniLmEmbedder) -> None:
    draft = answer("How long until the refund is on my card?", REFUNDS, embedder)
    assert "However, gift cards are never refunded." in words(draft)


def test_a_rule_whose_exception_cannot_be_told_is_not_told(embedder: MiniLmEmbedder) -> None:
    body = "Refunds take 5 days. Unless {{ site.exception }} applies, then it is 30 days.\n"
    draft = answer("How long do refunds take?", body, embedder)
    assert draft["kind"] == "abstain"


def test_a_sentence_that_leans_on_another_brings_it_along(embedder: MiniLmEmbedder) -> None:
    body = "We keep a copy of deleted files in the trash. It is emptied after 25 days.\n"
    draft = answer("After how many days is the trash emptied?", body, embedder, title="Trash")
    assert words(draft).startswith("We keep a copy of deleted files in the trash. It is emptied")


def test_steps_stay_in_order_under_their_lead_in(embedder: MiniLmEmbedder) -> None:
    body = (
        "To cancel your plan:\n\n1. Open **Settings**.\n2. Choose Plan.\n3. Press *Cancel plan*.\n"
    )
    draft = answer("How do I cancel my plan?", body, embedder, title="Cancel your plan", hits=2)
    assert draft_text(draft).split("\n\n")[2] == (
        "To cancel your plan:\n- Open Settings.\n- Choose Plan.\n- Press Cancel plan."
    )


def test_steps_are_spoken_on_the_phone(embedder: MiniLmEmbedder) -> None:
    body = (
        "To cancel your plan:\n\n1. Open **Settings**.\n2. Choose Plan.\n3. Press *Cancel plan*.\n"
    )
    draft = answer(
        "How do I cancel my plan?", body, embedder, title="Cancel your plan", channel="voice"
    )
    assert "First, open Settings. Then, choose Plan. Finally, press Cancel plan." in words(draft)
    assert draft["opening"] == "Hello Ada!"


def test_a_list_item_is_told_with_what_it_is_an_item_of(embedder: MiniLmEmbedder) -> None:
    body = (
        "You get your money back in full if:\n\n- we charged you twice\n- the parcel never came\n"
    )
    draft = answer("Do I get money back when I was charged twice?", body, embedder)
    assert "You get your money back in full if:" in words(draft)
    assert "e charged you twice." in words(draft)


def test_a_table_row_becomes_a_sentence(embedder: MiniLmEmbedder) -> None:
    body = "| Plan | Price | Seats |\n|---|---|---|\n| Pro | $20 a month | 5 |\n| Free | $0 | 1 |\n"
    draft = answer("How much does the Pro plan cost?", body, embedder, title="Plans")
    assert "Pro – Price: $20 a month; Seats: 5." in words(draft)
    assert "|" not in words(draft)


def test_a_row_whose_cell_holds_a_list_stays_one_row() -> None:
    body = (
        "| Care | Included | Copay |\n|---|---|---|\n"
        "| Inpatient | <ul><li>Short stays</li><li>Respite care</li></ul> | Up to $97 |\n"
        "|Outpatient|<li>Day care</li>|Up to $15|\n"
    )
    rows = [statement.text for one in article(body) for statement in statements_of(one)]
    assert rows == [
        "Inpatient – Included: Short stays; Respite care; Copay: Up to $97.",
        "Outpatient – Included: Day care; Copay: Up to $15.",
    ]


def test_a_row_under_values_keeps_what_its_first_column_says() -> None:
    body = "| 2 weeks | 4 weeks |\n|---|---|\n| Films | Books |\n| Puzzles |  |\n"
    rows = [statement.text for one in article(body) for statement in statements_of(one)]
    assert rows == ["2 weeks: Films; 4 weeks: Books.", "2 weeks: Puzzles."]


@pytest.mark.parametrize(
    "icon",
    [
        '<i class="fa fa-check"></i>',
        '<svg aria-label="yes"><path d="M0"/></svg>',
        '<img src="check.png">',
        "![check](a.png)",
    ],
)
def test_an_icon_in_a_cell_is_told_as_yes_or_no(icon: str) -> None:
    body = (
        "| Feature | Free | Pro |\n|---|---|---|\n"
        f'| Export | <i class="fa fa-times"></i> | {icon} |\n'
    )
    (row,) = statements_of(article(body)[0])
    assert row.text == "Export – Free: no; Pro: yes."
    assert body[row.start : row.end].endswith(icon)


def test_a_box_around_words_on_one_line_leaves_them_usable() -> None:
    body = "{% callout info %}You can cancel the trial at any time.{% endcallout %}\n"
    (statement,) = statements_of(article(body)[0])
    assert statement.usable
    assert statement.text == "You can cancel the trial at any time."


@pytest.mark.parametrize(
    "unfit",
    [
        "{% platform mac %}Refunds take 3 days.{% endplatform %}",
        "Refunds take {{ refund_days }} days.",
        "Refund times are listed [here](../times.md).",
        "How long do refunds take?",
        "{% if plan %}Refunds take 3 days.{% endif %}",
    ],
)
def test_what_a_customer_cannot_read_is_never_said(embedder: MiniLmEmbedder, unfit: str) -> None:
    draft = answer("How long do refunds take?", f"{unfit}\n", embedder)
    assert draft["kind"] == "abstain"
    assert draft["note"]
    assert draft_text(draft) == ""


def test_markup_is_taken_off_and_addresses_are_kept() -> None:
    body = "Please **[write to us](mailto:help@example.com)** &amp; see the [form](https://x.example/f).\n"
    (statement,) = statements_of(article(body)[0])
    assert statement.text == "Please write to us (help@example.com) & see the form."


def test_a_link_on_here_is_spelled_out() -> None:
    (statement,) = statements_of(article("Ask for it [here](https://x.example/form).\n")[0])
    assert statement.text == "Ask for it here (https://x.example/form)."
    assert statement.usable


def test_it_abstains_when_no_source_answers(embedder: MiniLmEmbedder) -> None:
    draft = answer("Do you ship tractors to Norway on Sundays?", REFUNDS, embedder)
    assert draft["kind"] == "abstain"
    assert "No source in force answers" in draft["note"]


def test_it_abstains_without_sources(embedder: MiniLmEmbedder) -> None:
    draft = ExtractiveDrafter(embedder).draft(conversation(), "How long?", [])
    assert draft["kind"] == "abstain"


def test_a_macro_is_filled_or_left_out(embedder: MiniLmEmbedder) -> None:
    body = (
        "Hi {{customer_name}},\n\nOpen My orders, choose order {{order_number}} and tap Return. "
        "Then quote {{case_number}} at the counter.\n\n{{agent_name}}\n"
    )
    customer = {
        "status": "standard",
        "sla_due_in_minutes": None,
        "name": "Ada Byron",
        "fields": {"order_number": "LB-77"},
    }
    draft = answer(
        "How do I return my order?", body, embedder, title="Return", kind="macro", customer=customer
    )
    assert words(draft) == "Open My orders, choose order LB-77 and tap Return."
    unknown = answer("How do I return my order?", body, embedder, title="Return", kind="macro")
    assert unknown["kind"] == "abstain"


def test_of_two_sources_that_disagree_one_is_told_and_both_are_named(
    embedder: MiniLmEmbedder,
) -> None:
    question = "Within how many days can I return a tracker?"
    passages = article("You can return a tracker within 30 days of delivery.\n", "Return policy")
    passages += article("You can return a tracker within 60 days of delivery.\n", "Holiday returns")
    hits = found(question, passages, embedder)
    draft = ExtractiveDrafter(embedder).draft(conversation(question), question, hits)
    assert ("30 days" in words(draft)) != ("60 days" in words(draft))
    assert "30 days" in draft["note"]
    assert "60 days" in draft["note"]


def test_every_part_of_a_question_is_answered_or_named(embedder: MiniLmEmbedder) -> None:
    question = "How long until the refund is on my card? And do you sell tractors in Norway?"
    draft = answer(question, REFUNDS, embedder)
    assert "within 5 business days" in words(draft)
    assert "tractors" in draft["note"]


def test_shorter_means_shorter(embedder: MiniLmEmbedder) -> None:
    body = (
        "Refunds take 5 days. Refunds to a card can take 7 days. Refunds by check take 20 days.\n"
    )
    long = answer("How long does a refund take?", body, embedder)
    short = answer("How long does a refund take?", body, embedder, feedback="tone: shorter please")
    assert len(short["sentences"]) < len(long["sentences"])
    assert short["note"]


def test_a_comment_that_changes_nothing_is_admitted(embedder: MiniLmEmbedder) -> None:
    draft = answer(
        "How long do refunds take?", "Refunds take 5 days.\n", embedder, feedback="tone: warmer"
    )
    assert "changed nothing" in draft["note"]


def turn(text: str, speaker: str = "customer") -> dict[str, str]:
    return {"id": text[:4], "speaker": speaker, "text": text, "at": NOON.isoformat()}


def test_the_last_open_question_is_answered() -> None:
    turns = [
        turn("How long do refunds take?"),
        turn("Five days.", "agent"),
        turn("Thanks. Where can I download the invoice for my records?"),
        turn("Thank you!"),
    ]
    asked = open_question(conversation(turns=turns), "How long do refunds take?")
    assert asked == "Where can I download the invoice for my records?"


def test_a_short_follow_up_takes_the_question_before_it_along() -> None:
    turns = [turn("How long do refunds take?"), turn("Five days.", "agent"), turn("And by check?")]
    asked = open_question(conversation(turns=turns), "")
    assert asked == "How long do refunds take? And by check?"


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Ada Byron", "Ada"),
        ("ADA", "Ada"),
        ("Byron, Ada", "Ada"),
        ("Dr. Ada Byron", "Ada"),
        ("Mrs Byron", ""),
        ("ada@example.com", ""),
        ("", ""),
        ("+49 170 1234", ""),
    ],
)
def test_whom_to_greet(name: str, greeted: str) -> None:
    assert first_name(name) == greeted


@pytest.mark.parametrize("channel", ["email", "chat", "voice"])
@pytest.mark.parametrize("name", ["Ada Byron", ""])
@pytest.mark.parametrize("answered", [False, True])
def test_courtesies_state_nothing(channel: str, name: str, answered: bool) -> None:
    turns = [turn("How long?"), turn("Five days.", "agent")] if answered else [turn("How long?")]
    customer: dict[str, Any] = {
        "status": "standard",
        "sla_due_in_minutes": None,
        "name": name,
        "fields": {},
    }
    asked = conversation(channel=channel, customer=customer, turns=turns)
    assert all(is_courtesy(text) for text in courtesies(asked))


def test_a_citation_outside_its_passage_is_refused() -> None:
    with pytest.raises(ValueError, match="not within"):
        cite(passage("Refunds take 5 days."), 0, 99)


def test_the_digest_follows_what_is_said_and_what_backs_it() -> None:
    source = passage()
    draft: Draft = {
        "kind": "answer",
        "opening": "Hello,",
        "sentences": [{"text": "Refunds take 5 days.", "citations": [cite(source, 0, 20)]}],
        "closing": "Bye",
        "drafter": "extractive",
        "note": "",
    }
    reworded = Draft(**{**draft, "sentences": [{**draft["sentences"][0], "text": "6 days."}]})
    assert draft_digest(draft) == draft_digest(
        Draft(**{**draft, "note": "x", "drafter": "person:1"})
    )
    assert draft_digest(draft) != draft_digest(reworded)


def test_an_edited_reply_is_read_back_with_its_sources(embedder: MiniLmEmbedder) -> None:
    text = (
        "Hi Ada,\n\nYour refund should reach your card within 5 business days. "
        "Your invoices can be downloaded under Settings › Billing. We will also send you a cake.\n\n"
        "Best regards,\nThe Proof Team"
    )
    draft = plain_draft(text, article(REFUNDS), embedder, drafter="person:usr_1")
    assert draft["opening"] == "Hi Ada,"
    assert draft["closing"].startswith("Best regards")
    cited = [[c["quote"].split()[0] for c in s["citations"]] for s in draft["sentences"]]
    assert [bool(c) for c in cited] == [True, True, False]
    assert "Refunds" in cited[0]
    assert cited[1] == ["You"]


def test_an_edited_reply_that_only_greets_has_no_sentences(embedder: MiniLmEmbedder) -> None:
    draft = plain_draft("Hello Ada,\n\nBest regards", article(REFUNDS), embedder)
    assert draft["sentences"] == []


def test_a_promise_in_the_greeting_is_not_taken_for_a_courtesy(embedder: MiniLmEmbedder) -> None:
    draft = plain_draft("Hello Ada, you get $50. Thanks!", article(REFUNDS), embedder)
    assert "$50" in words(draft)


@pytest.mark.parametrize("mark", ["`", "{{a ", "` "])
def test_text_beside_a_hundred_kilobytes_of_unclosed_markup_is_still_read(mark):
    run = (mark * 100_000)[:100_000]
    shown = readable(f"Run `make` now.\n\n{run}\n\nThen wait.")
    assert shown.startswith("Run make now.")
    assert shown.endswith("Then wait.")


def test_the_lines_of_a_greeting_stay_apart_through_an_edit(embedder):
    text = "Hello Ada,\n\nThank you for your message.\n\nA refund takes 5 business days."
    draft = plain_draft(text, article(REFUNDS), embedder)
    assert draft_text(draft) == text
