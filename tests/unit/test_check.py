from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import numpy as np
import pytest

from core.identifiers import text_digest
from graph.check import EvidenceChecker
from graph.draft import keep_writers
from graph.support import AnswerJudge, Judged
from graph.values import CheckReport, Citation, Draft
from kb.content import Passage

SOURCE = (
    "Refunds are available within 30 days for annual plans and 14 days for monthly plans. "
    "You cannot get a refund for gift cards unless they are unused. "
    "Contact support@acme.com or Priya Patel in the Billing Team. "
    "Pro Plan costs $1,250.00 per year."
)


def passage(text: str = SOURCE, version: str = "v1", **changes: Any) -> Passage:
    fields: dict[str, Any] = {
        "id": f"{version}#0",
        "kind": "article",
        "article_id": "site/refunds.md",
        "version_id": version,
        "version": 1,
        "title": "Refunds",
        "anchor": "refunds",
        "heading_path": ("Refunds",),
        "start": 0,
        "end": len(text),
        "text": text,
        "plain": text,
        "content_hash": text_digest(text),
        "effective_from": datetime(2024, 1, 1, tzinfo=UTC),
    }
    return Passage(**{**fields, **changes})


def cite(source: Passage) -> Citation:
    return {
        "passage_id": source.id,
        "article_id": source.article_id,
        "version_id": source.version_id,
        "version": source.version,
        "title": source.title,
        "anchor": source.anchor,
        "heading": list(source.heading_path),
        "start": source.start,
        "end": source.end,
        "quote": source.text,
        "content_hash": source.content_hash,
        "url": source.url,
    }


def draft_of(
    *texts: str,
    source: Passage,
    opening: str = "Hi Anna,",
    closing: str = "Best regards,\nThe Team",
) -> Draft:
    return {
        "kind": "answer",
        "opening": opening,
        "sentences": [{"text": text, "citations": [cite(source)]} for text in texts],
        "closing": closing,
        "drafter": "person:test",
        "note": "",
    }


def judge(*texts: str, source: str = SOURCE, **edges: str) -> CheckReport:
    cited = passage(source)
    return EvidenceChecker().check(
        draft_of(*texts, source=cited, **edges), {cited.id: cited}, {cited.version_id}
    )


def rules(report: CheckReport) -> set[str]:
    return {finding["rule"] for finding in report["findings"]}


@pytest.mark.parametrize(
    "text",
    [
        "Refunds are available within 30 days for annual plans and 14 days for monthly plans.",
        "You can't get a refund for gift cards unless they're unused.",
        "Annual plans can be refunded within 30 days, and monthly plans within two weeks.",
        "The Pro Plan costs 1250 dollars a year.",
        "Refunds: within 30 days for annual plans.",
        "Please contact Priya Patel in the Billing Team.",
    ],
)
def test_what_the_source_says_passes(text: str) -> None:
    report = judge(text)
    assert report["passed"], report["findings"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Refunds are available within 45 days for annual plans.", "duration"),
        ("Refunds are available after 30 days for annual plans.", "duration"),
        ("Refunds are available within 14 days for annual plans and 30 days for monthly plans.",
         "duration"),
        ("Annual plans can be refunded within 14 days.", "duration"),
        ("The Pro Plan costs $1,520.00 per year.", "amount"),
        ("The Team Plan costs $1,250.00 per year.", "name"),
        ("Please contact sales@acme.com.", "name"),
        ("Contact support@acme.com or Bob Smith in the Billing Team.", "name"),
        ("You can get a refund for gift cards unless they are unused.", "negation"),
        ("You cannot get a refund for gift cards.", "negation"),
        ("Refunds are never available within 30 days for annual plans.", "negation"),
        ("Our offices are in the north of the country.", "unsupported"),
        ("Please contact the billing team at https://evil.example.com/x.", "link"),
        ("We guarantee refunds within 30 days for annual plans.", "unsupported_promise"),
    ],
)  # fmt: skip
def test_what_the_source_does_not_say_is_found(text: str, rule: str) -> None:
    report = judge(text)
    assert rule in rules(report), report["findings"]
    assert not report["passed"]


@pytest.mark.parametrize("order", ["First", "Then", "After that", "Next", "Finally"])
def test_a_step_may_be_told_with_its_place_but_with_nothing_else(order: str) -> None:
    told = f"{order}, please contact Priya Patel in the Billing Team."
    assert judge(told)["passed"]
    assert not judge(told.replace("Billing", "Legal"))["passed"]


def test_a_finding_shows_both_words_and_names_the_passage() -> None:
    (finding,) = judge("Refunds are available within 45 days for annual plans.")["findings"]
    assert finding["words"] == "within 45 days"
    assert finding["source_words"] == "within 30 days"
    assert "Refunds" in finding["message"]
    assert finding["passage_id"] == "v1#0"


def test_a_claim_without_a_citation_is_found_and_a_courtesy_is_not() -> None:
    source = passage()
    draft = draft_of("Refunds take 30 days.", "Thank you for reaching out!", source=source)
    for sentence in draft["sentences"]:
        sentence["citations"] = []
    report = EvidenceChecker().check(draft, {}, set())
    assert [(f["sentence"], f["rule"]) for f in report["findings"]] == [(0, "no_citation")]


@pytest.mark.parametrize(
    "edge",
    ["Your refund is free.", "Refunds take two weeks.", "Thanks! You can cancel at any time.",
     "Visit https://a.example", "Sorry, we deleted it."],
)  # fmt: skip
def test_an_opening_may_only_be_a_courtesy(edge: str) -> None:
    assert "no_citation" in rules(judge(opening=edge)) or not judge(opening=edge)["passed"]


@pytest.mark.parametrize(
    "edge",
    ["", "Hello,", "Dear Ms Jones,", "Hi Zoë!", "Thanks for getting in touch.",
     "Sorry about the delay, and thank you for your patience.",
     "Let me know if you have any other questions.", "I hope this helps!",
     "Kind regards,\nSam\nThe Support Team"],
)  # fmt: skip
def test_courtesies_pass(edge: str) -> None:
    assert judge(closing=edge)["passed"], judge(closing=edge)["findings"]


def test_a_version_out_of_force_and_an_unknown_source_are_found() -> None:
    source = passage()
    text = "Refunds are available within 30 days for annual plans."
    checker = EvidenceChecker()
    draft = draft_of(text, source=source)
    assert rules(checker.check(draft, {source.id: source}, {"v2"})) == {"out_of_force"}
    assert rules(checker.check(draft, {}, {"v1"})) == {"unknown_source"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("quote", "Refunds are available within 90 days"), ("content_hash", "0" * 64),
     ("version_id", "v9"), ("end", 10_000), ("start", None)],
)  # fmt: skip
def test_a_citation_that_does_not_fit_its_passage_is_found(field: str, value: object) -> None:
    source = passage()
    draft = draft_of("Refunds are available within 30 days for annual plans.", source=source)
    cast("dict[str, object]", draft["sentences"][0]["citations"][0])[field] = value
    report = EvidenceChecker().check(draft, {source.id: source}, {"v1"})
    assert "unknown_source" in rules(report)


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("I have refunded your last payment.", "unsupported_promise"),
        ("You will definitely receive your money.", "unsupported_promise"),
        ("I'll make an exception for you this time.", "final_policy_exception"),
        ("I have permanently deleted your account.", "irreversible_account_change"),
        ("Calm down, this is your own fault.", "emotional_response"),
    ],
)
def test_forbidden_words_fire_their_trigger(text: str, trigger: str) -> None:
    report = judge(text)
    assert trigger in {firing["id"] for firing in report["triggers"]}
    firing = next(firing for firing in report["triggers"] if firing["id"] == trigger)
    assert firing["tier"] == "forbidden"
    assert firing["evidence"] in text


def test_a_promise_that_the_source_makes_may_be_repeated() -> None:
    report = judge(
        "We guarantee 99.9% uptime.", source="We guarantee 99.9% uptime on every paid plan."
    )
    assert report["passed"], report["findings"]


def test_strange_shapes_are_findings() -> None:
    source = passage()
    strange: Any = {
        "kind": "answer",
        "opening": None,
        "sentences": [None, {"text": 5, "citations": []}, {"text": "x", "citations": [None, 3]},
                      {"citations": []}, {"text": "A" * 100_000, "citations": [cite(source)]}],
        "closing": "",
    }  # fmt: skip
    report = EvidenceChecker().check(strange, {source.id: source}, {"v1"})
    assert not report["passed"]
    assert {f["sentence"] for f in report["findings"]} >= {0, 1, 2, 3, 4}


@pytest.mark.parametrize(
    "text", ["- x\n" * 500, "Refunds take 30 days. " * 90, "1, " * 600, "Aa " * 600, "a" * 1_900]
)
def test_a_hostile_draft_is_judged_in_bounded_work(text: str) -> None:
    source = passage()

    class Counting:
        name = "counting"
        dimensions = 2
        texts = 0

        def embed(self, texts: Any) -> Any:
            self.texts += len(texts)
            return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(texts), 1))

    embedder = Counting()
    draft = draft_of(*[text] * 150, source=source, opening=text * 20)
    report = EvidenceChecker(embedder).check(draft, {source.id: source}, {"v1"})
    assert not report["passed"]
    assert embedder.texts < 2_000
    assert any("not checked" in f["message"] or "to be checked" in f["message"]
               for f in report["findings"])  # fmt: skip


def test_long_drafts_on_long_sources_are_not_laid_beside_each_other_for_minutes() -> None:
    rare = [f"w{chr(97 + i % 26)}{chr(97 + i // 26)}rd" for i in range(600)]
    sources = [
        passage(". ".join(" ".join(rare[k : k + 12]) for k in range(n, 580)) + ".", id=f"v1#{n}")
        for n in range(2)
    ]
    text = " ".join(rare[:280]) + "."
    draft = draft_of(*[text] * 6, source=sources[0])
    for sentence in draft["sentences"]:
        sentence["citations"] = [cite(source) for source in sources]
    known = {source.id: source for source in sources}
    messages = [f["message"] for f in EvidenceChecker().check(draft, known, {"v1"})["findings"]]
    assert any("were not checked" in message for message in messages)


MODEL_SOURCE = (
    "Trial vouchers stay valid for 20 days after you sign up. "
    "Prices are exclusive of sales tax, and we add it to your bill where the law requires it. "
    "We do not voluntarily hand customer files to any government. "
    "We only ask for your birthday if we truly need it. "
    "Shop orders can be returned within 30 days unless the seal is broken. "
    "Unused seats on the Harbor plan are credited to the owner. "
    "We may look at your board with your written consent. "
    "The monthly limit is 80 uploads per workspace, and failed uploads do not count. "
    "If you need a receipt, please write to the desk. "
    "Orders ship within 2 days and returns are free. "
    "The rate depends on your address and, in certain regions, on how you use the service."
)


def judge_model(text: str, source: str = MODEL_SOURCE, **changes: Any) -> CheckReport:
    cited = passage(source, **changes)
    draft: Draft = {**draft_of(text, source=cited, opening="", closing=""), "drafter": "model:x:y"}
    return EvidenceChecker().check(draft, {cited.id: cited}, {cited.version_id})


@pytest.mark.parametrize(
    "text",
    [
        "You have unlimited vouchers.",
        "Trial vouchers stay valid until you use them.",
        "Trial vouchers stay valid after you sign up.",
        "Vouchers stay valid for 20 days after you sign up.",
        "You can choose to add sales tax to your bill.",
        "Prices are exclusive of sales tax.",
        "We do not hand customer files to any government.",
        "We hand customer files only to one government.",
        "We only ask for your birthday if you want it.",
        "We only ask for your birthday.",
        "We ask for your birthday if we truly need it.",
        "You only ask for our birthday if you truly need it.",
        "Orders can be returned within 30 days unless the seal is broken.",
        "Shop orders can be returned within 30 days.",
        "Shop orders must be returned within 30 days unless the seal is broken.",
        "Shop orders can be returned within 20 days unless the seal is broken.",
        "Unused seats are credited to the owner.",
        "Unused seats on the Harbor plan are credited.",
        "The owner credited unused seats on the Harbor plan.",
        "We may look at your board.",
        "You may look at our board with your written consent.",
        "We look at your board with your written consent.",
        "The monthly limit is 80 uploads, and you must pass it before failed uploads count.",
        "The limit is 80 uploads per workspace.",
        "Please write to the desk.",
        "Orders can be returned to the owner within 2 days.",
        "The rate depends on your address.",
        "No, orders ship within 2 days and returns are free.",
        "Yes, we do not voluntarily hand customer files to any government.",
        "Are returns free?",
        "We're happy to help you with anything else.",
        "Orders ship within 2 days and returns are",
        "Orders ship quickly within 2 days and returns are free.",
        "Orders ship within 2 days because returns are free.",
        "Orders ship within 2 days if returns are free.",
    ],
)
def test_what_a_model_makes_of_its_source_is_found(text: str) -> None:
    assert not judge_model(text)["passed"]


@pytest.mark.parametrize(
    "text",
    [
        "Trial vouchers stay valid for twenty days after you sign up.",
        "We don't voluntarily hand customer files to any government.",
        "No, we don't voluntarily hand customer files to any government.",
        "According to our help center, we may look at your board with your written consent.",
        "We can look at your board with your written consent.",
        "If we truly need it, we only ask for your birthday.",
        "Please write to the desk if you need a receipt.",
        "Orders ship within two days.",
        "Orders also ship within 2 days and returns are free.",
        "Yes, orders ship within 2 days and returns are free.",
        "Shop orders may be returned within 30 days unless the seal is broken.",
    ],
)
def test_a_model_that_keeps_to_its_source_passes(text: str) -> None:
    report = judge_model(text)
    assert report["passed"], report["findings"]


def test_two_claims_of_two_places_do_not_make_a_third() -> None:
    source = "Annual plans renew on their own. Gift plans end after 90 days. Ask us about seats."
    assert not judge_model("Annual plans end after 90 days.", source)["passed"]
    assert not judge_model("Annual plans renew on their own and ask about seats.", source)["passed"]


def test_an_item_of_a_list_needs_the_lead_in_that_rules_it() -> None:
    item = "Share one login among several people."
    under = {"heading_path": ("Rules", "You must not:")}
    assert not judge_model(item, item, **under)["passed"]
    assert judge_model(item, item, heading_path=("Rules", "A few tips:"))["passed"]


def test_people_and_the_extractive_drafter_are_judged_as_before() -> None:
    cited = passage(MODEL_SOURCE)
    text = "We do not hand customer files to any government."
    for drafter, passes in (("person:ada", True), ("extractive", True), ("model:x", False)):
        draft: Draft = {**draft_of(text, source=cited), "drafter": drafter}
        report = EvidenceChecker().check(draft, {cited.id: cited}, {cited.version_id})
        assert report["passed"] is passes, drafter


CARD = "Refunds go to the original payment method within 5 business days."
ANY = "Refunds go to any payment method."


@pytest.mark.parametrize(
    ("edit", "passes"),
    [
        (ANY, False),
        ("refunds go to any payment method!", False),
        ("Refunds always go to any payment method.", False),
        (f"Thank you for waiting, {ANY.lower()}", False),
        ("Refunds go to any method", False),
        ("Refunds go to the original payment method within 5 business days.", True),
        ("Within 5 business days refunds go to the payment method.", True),
    ],
)
def test_an_edit_does_not_make_a_models_sentence_a_persons(edit: str, passes: bool) -> None:
    cited = passage(CARD)
    by_model: Draft = {**draft_of(ANY, source=cited), "drafter": "model:x:y"}
    once = keep_writers(draft_of(edit, source=cited), by_model)
    twice = keep_writers(draft_of(edit, source=cited), once)
    for draft in (once, twice):
        report = EvidenceChecker().check(draft, {cited.id: cited}, {cited.version_id})
        assert report["passed"] is passes, report["findings"]


def test_an_edit_of_what_no_model_wrote_is_the_persons() -> None:
    before = draft_of(ANY, source=passage(CARD))
    edited = draft_of(ANY, source=passage(CARD))
    assert keep_writers(edited, before) == edited


def test_a_finding_about_a_model_shows_both_words_and_says_what_to_do() -> None:
    (finding,) = judge_model("We do not hand customer files to any government.")["findings"]
    assert finding["rule"] == "unsupported"
    assert "voluntarily" in finding["source_words"]
    assert "voluntarily" in finding["message"]
    assert "read it beside its source" in finding["message"]
    assert finding["passage_id"] == "v1#0"


SHOP = (
    "Items can be returned within 30 days of delivery if they are unused. "
    "Sale items cannot be returned. Exchanges are possible within 60 days. "
    "Refunds go to the original payment method within 5 business days. "
    "You may bring dogs into the garden but not into the restaurant. Cats are not allowed. "
    "Parking is not free on weekends. Orders over 50 euros ship free. "
    "You must show a receipt for every exchange. Members get 10% off their first order. "
    "Priya Patel in the Billing Team answers questions about invoices."
)


class Agreeing(AnswerJudge):
    """A judge of short answers that every answer gets past."""

    def __init__(self) -> None:
        pass

    def judge(self, *_: object) -> Judged:
        return Judged(False, 0.0)


def judge_edit(text: str, question: str) -> CheckReport:
    cited = passage(SHOP)
    draft = draft_of(text, source=cited, opening="", closing="")
    checker = EvidenceChecker(answers=Agreeing())
    return checker.check(draft, {cited.id: cited}, {cited.version_id}, question)


@pytest.mark.parametrize(
    ("question", "text", "rule"),
    [
        ("Can I return a sale item?", "Sale items can be returned.", "negation"),
        ("Can I return a sale item?", "Yes, sale items can be returned.", "negation"),
        ("How long can I exchange it?", "Exchanges are possible within 30 days.", "duration"),
        ("How long can I return it?", "Items can be returned within 5 business days.", "duration"),
        ("Can I return it?", "Items cannot be returned within 30 days of delivery if they are "
         "unused.", "negation"),
        ("Can I exchange it?", "Exchanges are not possible.", "negation"),
        ("Can I bring my cat?", "Cats are allowed.", "negation"),
        ("Is parking free?", "Yes. Parking is free on weekends.", "negation"),
        ("May I bring my dog?", "You may not bring dogs into the garden.", "negation"),
        ("From how much on is it free?", "Orders over 30 euros ship free.", "amount"),
        ("Do I need a receipt?", "You may show a receipt for every exchange.", "permission"),
        ("What do members get?", "Members get 50% off their first order.", "percentage"),
        ("Who answers questions about invoices?",
         "Zoltan Kovacs in the Billing Team does answer questions about invoices.", "name"),
    ],
)  # fmt: skip
def test_a_question_makes_no_lie_true(question: str, text: str, rule: str) -> None:
    report = judge_edit(text, question)
    assert rule in rules(report), report["findings"]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How long can I exchange it?", "Up to 60 days"),
        ("How long can I exchange it?", "You have 60 days to exchange it."),
        ("When do I get my refund?", "Within 5 business days."),
        ("Can I return a sale item?", "No, sale items cannot be returned."),
        ("Can I return a sale item?", "No."),
        ("Can I return it?", "Yes, within 30 days if unused."),
        ("Can I return it?", "Only if it is unused."),
        ("May I bring my dog?", "Yes, but only into the garden."),
        ("Can I bring my cat?", "No, cats aren't allowed."),
        ("Do I need a receipt?", "Yes, for every exchange."),
        ("Who answers questions about invoices?", "Priya Patel"),
        ("Is it free to park?", "Not on weekends."),
    ],
)
def test_a_question_makes_a_short_answer_whole(question: str, text: str) -> None:
    report = judge_edit(text, question)
    assert report["passed"], report["findings"]
