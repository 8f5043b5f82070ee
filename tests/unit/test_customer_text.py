"""What is cut from a message looks like what it is; everything else is the customer speaking."""

import pytest

from graph.customer_text import own_words, plain, sentence_spans, units, without_courtesies
from tests.factories import conversation

HEARD = {
    "a paragraph that is no name": ("It is late.\n\nI want to die.", "I want to die."),
    "a short last paragraph": ("It is late.\n\nI am suicidal", "I am suicidal"),
    "a threat for a last paragraph": ("You never answer.\n\nI will sue you", "I will sue you"),
    "one that shouts": ("It is late.\n\nI WANT TO DIE", "I WANT TO DIE"),
    "one in title case": ("Hello\n\nThe Heater Burned My Son", "The Heater Burned My Son"),
    "a postscript": (
        "Where is it?\nThanks\nPS I want to kill myself.",
        "PS I want to kill myself.",
    ),
    "a postscript below the name": (
        "Where is it?\n\nThanks,\nJo Smith\nPS: my lawyer will call",
        "PS: my lawyer will call",
    ),
    "a line below a closing": ("It smokes.\n\nRegards\nMy baby was burned", "My baby was burned"),
    "a small line below a closing": ("It smokes.\nregards\ngas everywhere", "gas everywhere"),
    "an order number below a closing": ("Where is it?\nThanks\nOrder 4471-22", "Order 4471-22"),
    "a wish for secrecy": (
        "Please keep this message confidential. I am going to end my life tonight.",
        "I am going to end my life tonight.",
    ),
    "a secret told to one person": (
        "Hello.\n\nThis message is confidential and intended only for the manager."
        " Your driver followed me home.",
        "Your driver followed me home.",
    ),
    "a cry within a disclaimer": (
        "Where is it?\n\nThis e-mail is intended solely for the addressee. I will end my life.",
        "I will end my life.",
    ),
    "something sent from an account": (
        "Sent from my account without my permission: 900 pounds.",
        "Sent from my account without my permission: 900 pounds.",
    ),
    "a parcel sent via a carrier": ("Sent via DHL and it caught fire", "it caught fire"),
    "a phone that burned": ("Sent from my phone because it burned me", "it burned me"),
    "a story of what somebody wrote": (
        "On Monday it came broken and the shop wrote:\nI am going to hurt myself",
        "I am going to hurt myself",
    ),
    "a dated story": (
        "Hello\n\nOn 3 May 2026 your driver wrote:\nI will kill you",
        "I will kill you",
    ),
    "text below a dash": ("I can't go on.\n—\nI will end it tonight.", "I will end it tonight."),
    "text below a line": ("I smell gas.\n________\nThe baby vomits.", "The baby vomits."),
    "text below a mark of signatures": ("Late.\n-- \nI will end it", "I will end it"),
    "a plea below a signature": ("Late.\n\n--\nJo Smith\nI smell gas", "I smell gas"),
    "a reply below marked quotes": (
        "On Monday Bob wrote:\n> How can I help?\n\nAsk my lawyer.",
        "Ask my lawyer.",
    ),
    "nothing but a quote": ("> I want to die", "I want to die"),
    "nothing but an earlier message": ("From: Jo\nSent: Monday\n\nI want to die", "I want to die"),
    "the subject of what is forwarded": (
        "---------- Forwarded message ---------\nFrom: Jo\nSubject: I will sue\n\nbody",
        "I will sue",
    ),
    "nothing but a closing": ("Thanks", "Thanks"),
    "nothing but a name": ("Jo Smith", "Jo Smith"),
}


@pytest.mark.parametrize(("text", "said"), HEARD.values(), ids=HEARD)
def test_what_looks_a_little_like_a_signature_or_a_quote_is_heard(text, said):
    assert said in own_words(text)
    assert len(own_words(text)) == len(text)


DISCLAIMER = (
    "This e-mail is confidential and intended solely for the addressee. If you have received it in"
    " error, please notify the sender and delete this message."
)


@pytest.mark.parametrize(
    "below",
    [
        "\n-- \nJo Smith",
        "\n—\nJo Smith\nAcme Ltd",
        "\n\nKind regards,\nJo Smith\nHead of Sales, Acme Ltd\n12 High Street, London",
        "\n\nBest,\nJo\nTel: +44 20 7946 0000\njo@acme.com\nwww.acme.com",
        "\ncheers\ndave",
        "\n\nThanks",
        "\n\nMit freundlichen Grüßen\nMüller",
        "\n\nAna de la Cruz",
        "\nSent from my iPhone",
        "\n\nSent from Outlook for Android",
        "\nGet Outlook for iOS",
        f"\n\n{DISCLAIMER}",
        f"\n\nKind regards\nJo\n\n{DISCLAIMER}",
        "\n\nOn Mon, May 3, 2026 at 10:12 AM Shop Team\n<help@shop.com> wrote:\n\n> old\n>\n> old",
        "\n\nOn Mon, 4 May 2026, Bob wrote:\n\nold words",
        "\n\nAm 3. Mai 2026 um 10:12 schrieb Bob <x@y.de>:\nalte Worte",
        "\n-----Original Message-----\nold words",
        "\n________________\nFrom: Shop <a@b.com>\nSent: Monday\nSubject: Order\n\nold words",
    ],
)
def test_what_is_a_signature_a_disclaimer_or_a_quote_is_cut(below):
    assert plain(f"Where is it?{below}") == "Where is it?"


@pytest.mark.parametrize(
    "part",
    [
        "no. ",
        ".",
        "\n",
        " ",
        "> word\n",
        "_",
        "-",
        "thanks\n",
        "On 3 May 2026 Bob wrote:\n",
        "This message is confidential\n",
        "Sent from my ",
        "From: a\n",
        "a",
        "hi, ",
        "A. ",
    ],
)
def test_a_long_hostile_message_is_read_in_no_time(part):
    text = f"a{part * (50_000 // len(part))} b"
    assert len(own_words(text)) == len(text)
    assert sentence_spans(text)
    assert without_courtesies(text)
    assert units(conversation(text)["turns"][0], 0)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Hi there, where is it? Many thanks, Jo", "where is it?"),
        ("Where is it....... thanks!", "Where is it"),
        ("Where is it?", "Where is it?"),
        ("Thanks", "Thanks"),
    ],
)
def test_courtesies_are_left_out_of_a_question(text, left):
    assert without_courtesies(text) == left
