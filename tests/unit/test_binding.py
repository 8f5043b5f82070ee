from __future__ import annotations

import pytest

from graph.check import EvidenceChecker
from graph.draft import cite_whole
from graph.values import Draft
from tests.factories import passage


def found(text: str, source: str) -> list[str]:
    cited = passage(source)
    draft: Draft = {
        "kind": "answer",
        "opening": "",
        "sentences": [{"text": text, "citations": [cite_whole(cited)]}],
        "closing": "",
        "drafter": "person:jo",
        "note": "",
    }
    report = EvidenceChecker().check(draft, {cited.id: cited}, {cited.version_id})
    return [finding["message"] for finding in report["findings"]]


DELIVERY = (
    "Standard delivery abroad takes 8 days, express delivery takes 5 days. Overnight orders are "
    "delivered the next day. We reply to urgent tickets within 4 hours and to all other tickets "
    "within 2 business days."
)
LOCK = "After 5 failed sign-ins the account is locked for 15 minutes. Sessions end after 12 hours."
SIZE = "Uploads may be up to 250 MB; on the free plan they may be up to 25 MB."
PLANS = "The Premium plan is priced at $19.99 per month. The Premium+ plan is priced at $24.99 per month."


@pytest.mark.parametrize(
    ("source", "wrong", "right"),
    [
        (DELIVERY, "Express delivery abroad takes 8 days.", "Standard delivery abroad takes 8 days."),
        (DELIVERY, "We reply to all other tickets within 4 hours.", "We reply to urgent tickets within 4 hours."),
        (LOCK, "After 15 failed sign-ins the account is locked.", "After 5 failed sign-ins the account is locked."),
        (SIZE, "Uploads may be up to 250 MB on the free plan.", "On the free plan uploads may be up to 25 MB."),
        (PLANS, "The Premium+ plan is priced at $19.99 per month.", "The Premium plan is priced at $19.99 per month."),
        ("Doors open 90 minutes before the show. Seats are held until 20 minutes after it begins.", "Doors are held until 20 minutes after it begins.", "Seats are held until 20 minutes after it begins."),
        ("We answer from Monday to Friday.", "We answer from Friday to Monday.", "We answer from Monday to Friday."),
    ],
)  # fmt: skip
def test_a_value_keeps_what_its_source_says_of_it(source: str, wrong: str, right: str) -> None:
    assert found(wrong, source)
    assert not found(right, source)


@pytest.mark.parametrize(
    ("source", "wrong", "right"),
    [
        ("The first order ships free.", "Every order ships free.", "The first order ships free."),
        ("Some seats have a restricted view.", "All seats have a restricted view.", "Some seats have a restricted view."),
        ("Refunds are given if the event is cancelled.", "Refunds are always given if the event is cancelled.",
         "Refunds are given if the event is cancelled."),
        ("The cloakroom costs 2 euros per item.", "The cloakroom costs 2 euros, and every item is free.",
         "The cloakroom costs 2 euros for each item."),
        ("Gift cards expire after 24 months.", "Gift cards never expire.", "Gift cards expire after 24 months."),
        ("Seats are held until 20 minutes after the start.", "Seats are held from 20 minutes after the start.",
         "Seats are held until 20 minutes after the start."),
        ("There is no fee if you order before June 30.", "There is no fee if you order after June 30.",
         "There is no fee if you order before June 30."),
        ("Tickets can be exchanged up to 48 hours before the start.", "Tickets can be exchanged from 48 hours before the start.",
         "Tickets can be exchanged up to 48 hours before the start."),
        ("We keep comments unless the owner of the site deletes them.", "We keep the comments.",
         "We keep comments unless the owner of the site deletes them."),
        ("Gutscheine verfallen nach 24 Monaten.", "Gutscheine verfallen nie.", "Gutscheine verfallen nach 24 Monaten."),
        ("Les articles personnalisés ne peuvent pas être retournés.", "Les articles personnalisés peuvent être retournés.",
         "Les articles personnalisés ne peuvent pas être retournés."),
        ("Les cartes cadeaux expirent après 24 mois.", "Les cartes cadeaux n'expirent jamais.",
         "Les cartes cadeaux expirent après 24 mois."),
    ],
)  # fmt: skip
def test_scope_is_not_turned_over(source: str, wrong: str, right: str) -> None:
    assert found(wrong, source)
    assert not found(right, source)


@pytest.mark.parametrize(
    "promise",
    ["and nobody else can see it", "and there is no need to let us know", "and the rest is on us",
     "but we look the other way the first time", "and we will do it for you if you write to us"],
)  # fmt: skip
def test_a_clause_hung_on_needs_a_source_of_its_own(promise: str) -> None:
    source = "Accounts are removed after 24 months. Two people can share a tracker, the first is its owner."
    assert not found("Accounts are removed after 24 months.", source)
    assert found(f"Accounts are removed after 24 months, {promise}.", source)


def test_what_the_source_says_in_two_sentences_may_be_said_in_one() -> None:
    source = "Accounts are removed after 24 months. You can download your data before that."
    text = "According to our help center, accounts are removed after 24 months, and you can download your data before that."
    assert not found(text, source)


def test_a_shared_verb_moves_no_value_to_its_rival() -> None:
    source = f"Express delivery takes 3 days. {DELIVERY.replace(' takes 5', ' 5')}"
    assert not found("Express delivery takes 5 days.", source)


def test_a_clause_of_one_word_that_the_source_has_in_another_form_needs_no_other() -> None:
    source = (
        "All rights reserved. You may not duplicate any portion without express written permission. "
        "You must request permission to use a logo. Please email us requests to use logos. We "
        "reserve the right to rescind this permission if you violate these terms."
    )
    about = "You must request permission by email first"
    assert not found(f"{about}, and it can be rescinded.", source)
    assert found(f"{about}, and it can be free.", source)
