import pytest

from graph.manner import intent_of, urgency_of


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("How long does a transfer take?", "question"),
        ("what fees do you take abroad", "question"),
        ("Could you tell me which cards are accepted?", "question"),
        ("What happens if my card is lost?", "question"),
        ("Can't you deliver on Sundays?", "question"),
        ("Please cancel my order.", "request"),
        ("can you send the invoice again", "request"),
        ("I'd like to change my address", "request"),
        ("My card was declined at the shop.", "problem"),
        ("still no parcel, tracking hasnt moved", "problem"),
        ("Why was I charged twice?", "problem"),
        ("I am really disappointed with how this was handled.", "complaint"),
        ("This is ridiculous, third call and nobody helps", "complaint"),
        ("I want to make a complaint", "complaint"),
        ("Where is your complaints procedure?", "question"),
        ("Thank you so much, that was it.", "thanks"),
        ("Largest attachment 3 MB", "other"),
        ("", "other"),
    ],
)
def test_what_a_customer_is_after(text, intent):
    assert intent_of(text) == intent


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("I need this urgently, my flight leaves in 2 hours", "high"),
        ("please answer by 16:00", "high"),
        ("Our books close tonight, we need the invoice", "high"),
        ("STOLEN!!! all my MONEY went", "high"),
        ("No rush, just curious how it works", "low"),
        ("It is not urgent, whenever you have time", "low"),
        ("Do you offer urgent transfers?", "normal"),
        ("do you deliver before 7am", "normal"),
        ("Are you open tomorrow?", "normal"),
        ("My parcel has not come.", "normal"),
    ],
)
def test_how_much_a_contact_presses(text, urgency):
    assert urgency_of(text, intent_of(text)) == urgency


@pytest.mark.parametrize(
    "part", ["\n", " ", ".", ". ", "1 ", "_", "my ", "hi, ", "what if ", "how ", "good a", "(", "!"]
)
def test_a_long_hostile_message_is_judged_in_no_time(part):
    text = f"a{part * (50_000 // len(part))}b"
    assert intent_of(text)
    assert urgency_of(text, "problem")


def test_blanks_where_a_quote_was_cut_part_no_words_that_belong_together():
    assert intent_of("Thanks.\n" + " " * 500 + "\n\n  how long does it take") == "question"
    assert intent_of("I want  to \t know  something, please  cancel   my order") == "request"
