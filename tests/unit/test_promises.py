"""What a draft may say without a source: courtesies, names and questions, and nothing else."""

from __future__ import annotations

import pytest

from graph.promises import uncourteous


@pytest.mark.parametrize(
    "text",
    [
        "Dear Ms Jones,",
        "Hello Mohammed,",
        "Hi Jo Harding,",
        "Dear Alfred,",
        "Good day,",
        "Thanks for getting back to us.",
        "Thank you for taking the time to write to us.",
        "We are sorry for the inconvenience this has caused.",
        "Sorry that you have been waiting so long.",
        "We really appreciate it.",
        "If you have any further questions or concerns, please let us know.",
        "Is there anything else I can help you with?",
        "If there is anything else we can do for you, just reply.",
        "Please do not hesitate to contact us.",
        "Hope it helps.",
        "Have a nice rest of your day!",
        "Take care!",
        "If this does not answer your question, please let us know.",
        "If anything else comes up, just reply.",
        "How can I help you?",
        "Happy to help with any other questions.",
        "Best regards, The Acme Support Team",
        "Thanks, Anna Maria Fleming",
        "Your Acme Team",
        "Kind regards\nJo King\nCustomer Care",
        "With kind regards,\nDr. Jane O'Neill\nShipping Department",
        "Regards,\nReturns Team",
        "Thanks,\nPriya Patel, Billing Team",
        "Cheers\nSam Price",
        "Sincerely,\nMildred Harding, Head of Support",
    ],
)
def test_a_courtesy_with_names_is_one(text: str) -> None:
    assert uncourteous(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "We are glad to take it back.",
        "We are sorry: you can not have it back.",
        "If anything is not as you like, we can take it back at any time.",
        "If you like, we can have it with you in a day.",
        "We are happy to do that for you.",
        "We are glad to get you something for the trouble.",
        "We can help you with it in a day.",
        "You are welcome to have it back.",
        "Take care, we can take it.",
        "Have a good day and have it back.",
        "If you have it, we can have it back as soon as you like.",
        "Kind regards, The Payment Was Approved Today",
        "Thanks, Returns Accepted Anytime",
        "Hi Refund Approved,",
        "The Refund Approved Team",
        "Kind regards\nReturns Accepted Anytime",
        "Best regards\nSale Items Returnable",
        "Regards\nRefund Within Ninety Days",
        "Cheers\nOrder Cancelled",
        "Sincerely\nYou Win",
        "Kind regards\nJo\nFree Returns",
    ],
)
def test_terms_in_polite_or_capital_words_are_no_courtesy(text: str) -> None:
    assert uncourteous(text)
