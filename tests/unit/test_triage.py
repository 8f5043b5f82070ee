from collections.abc import Sequence

import pytest

from graph.customer_text import own_words, sentence_spans, units
from graph.reasons import Reason, ReasonMap, RequiredField
from graph.shipped_examples import ShippedExamples
from graph.tiers import Rule, TierRules, shipped_rules
from graph.triage import (
    Meant,
    TriageService,
    after_answer,
    contested,
    gives_way,
    in_doubt,
    overruled,
    route_for,
    second_thoughts,
    settled_before,
    stretches_of,
)
from graph.values import Classification, Conversation, Triage
from graph.verdicts import said_by_contact
from retrieval.embeddings import HashEmbedder
from retrieval.ports import Vectors
from tests.factories import conversation

REASONS = ReasonMap(
    [
        Reason(
            id="return_item",
            name="Return an item",
            owner="Returns team",
            required=(
                RequiredField(
                    id="order", name="Order number", ask="Which order?", pattern=r"ORD-\d+"
                ),
            ),
        ),
        Reason(id="closing", name="Closing", owner="Accounts", tier="review_required"),
        Reason(id="orphan", name="Orphan"),
    ]
)


def rule(trigger: str, tier: str = "review_required", **values: object) -> Rule:
    return Rule.model_validate({"id": trigger, "tier": tier, "description": "Why", **values})


RULES = [
    rule("legal_threat", "escalate_first", phrases=["my lawyer"]),
    rule("crisis", "escalate_first", phrases=["end my life"], settles=False),
    rule("vip", fields=["customer.status == vip"]),
    rule("sla_breach", fields=["customer.sla_due_in_minutes <= 0"]),
    rule("repeat_contact", said="after_answer", phrases=["still not"]),
    rule("complaint", phrases=["unacceptable"]),
    rule(
        "safety",
        "escalate_first",
        examples=["smoke comes out of the socket", "the plug is burning"],
        harmless=["where is the smoke detector on the plan"],
    ),
]


class DeafEmbedder(HashEmbedder):
    """Fails the way a broken model does."""

    def embed(self, texts: object) -> Vectors:
        raise RuntimeError("no session")


def talk(
    *messages: str,
    status: str = "standard",
    due: int | None = None,
    subject: str = "",
    **fields: str,
) -> Conversation:
    turns = []
    for at, message in enumerate(messages):
        speaker, _, text = message.partition("|")
        turns.append({"id": f"m{at}", "speaker": speaker, "text": text, "at": ""})
    customer = {"status": status, "sla_due_in_minutes": due, "name": "", "fields": fields}
    return conversation(turns=turns, customer=customer, subject=subject)


def about(reason: str | None = "return_item", confidence: float = 0.9) -> Classification:
    return {
        "reason": reason,
        "confidence": confidence,
        "alternatives": [],
        "sentiment": 0.0,
        "language": "en",
        "question": "?",
    }


def judge(contact: Conversation, classification: Classification | None = None) -> Triage:
    service = TriageService(
        TierRules(RULES, ordinary=["what time do you open"]), REASONS, HashEmbedder()
    )
    return service.triage(contact, classification or about())


def fired(outcome: Triage) -> list[str]:
    return [firing["id"] for firing in outcome["triggers"]]


def test_a_harmless_contact_goes_to_the_sources():
    outcome = judge(talk("customer|How do I send ORD-1 back?"))
    assert (outcome["tier"], outcome["route"]) == ("allowed", "retrieve")
    assert (outcome["triggers"], outcome["missing"]) == ([], [])
    assert outcome["owner"] == "Returns team"


def test_a_severe_trigger_hands_off_and_points_at_the_words():
    contact = talk("customer|Dear all,\nmy  LAWYER will call. ORD-1")
    outcome = judge(contact)
    assert (outcome["tier"], outcome["route"]) == ("escalate_first", "handoff")
    firing = outcome["triggers"][0]
    assert firing["evidence"] == "my  LAWYER"
    assert firing["turn"] == "m0"
    assert contact["turns"][0]["text"][firing["start"] : firing["end"]] == "my  LAWYER"
    assert firing["by"].startswith("tiers.yaml:legal_threat/words@")


@pytest.mark.parametrize(
    "text",
    [
        "> my lawyer says hello\nHow do I send it back?",
        "How do I send it back?\n\nOn Mon, 4 May 2026, Bob wrote:\n> my lawyer",
        "How do I send it back?\n\nOn Mon, 4 May 2026, Bob wrote:\n\nask my lawyer",
        "How do I send it back?\n\n-- \nJo Unacceptable",
        "How do I send it back?\n\nKind regards,\nJo\nUnacceptable Records Ltd",
        "How do I send it back?\n-----Original Message-----\nmy lawyer",
    ],
)
def test_quotes_and_signatures_are_not_the_customer_speaking(text):
    assert fired(judge(talk(f"customer|{text}"))) == []


def test_what_the_desk_said_is_not_the_customer_speaking():
    assert fired(judge(talk("customer|hello", "agent|Shall I ask my lawyer?"))) == []


def test_a_reply_below_the_quote_is_heard():
    text = "On Monday Bob wrote:\n> How can I help?\n\nAsk my lawyer."
    assert fired(judge(talk(f"customer|{text}"))) == ["legal_threat"]


def test_an_earlier_threat_still_counts():
    contact = talk("customer|my lawyer will call", "agent|Let us look.", "customer|Any news?")
    assert fired(judge(contact)) == ["legal_threat"]


@pytest.mark.parametrize(
    ("last", "left"),
    [
        ("Thanks, that worked!", []),
        ("All sorted now, thank you. Do you ship to Norway?", []),
        ("Thanks, but my question is open.", ["legal_threat"]),
        ("Thanks for nothing.", ["legal_threat"]),
        ("That has not helped.", ["legal_threat"]),
        ("Do you ship to Norway?", ["legal_threat"]),
    ],
)
def test_a_settled_matter_counts_no_more(last, left):
    contact = talk("customer|my lawyer will call", "agent|We refunded you.", f"customer|{last}")
    assert fired(judge(contact)) == left


def test_thanks_before_any_answer_settle_nothing():
    contact = talk("customer|my lawyer will call", "customer|Thanks!")
    assert settled_before(contact) == 0
    assert fired(judge(contact)) == ["legal_threat"]


def test_a_crisis_is_never_settled_by_thanks():
    contact = talk("customer|I want to end my life", "agent|Please call us.", "customer|Thank you.")
    assert fired(judge(contact)) == ["crisis"]


GRAVE = [
    rule("fraud", "escalate_first", phrases=["took 400 pounds"], settles="when_solved"),
    rule("complaint", phrases=["unacceptable"]),
]


@pytest.mark.parametrize(
    ("reply", "last", "left"),
    [
        ("What is the e-mail address?", "It is jo@example.com, thank you.", ["fraud", "complaint"]),
        ("Which model is it?", "Great, it says so on the back.", ["fraud", "complaint"]),
        ("I am sorry to hear that. May I have your name?", "Jo, thanks", ["fraud", "complaint"]),
        ("Please give me your postcode.", "Perfect, it is SW1.", ["fraud", "complaint"]),
        ("I will look into it. Is it the blue one?", "Yes, thanks", ["fraud", "complaint"]),
        ("We look into it today.", "Thanks, the order is 4471-22.", ["fraud", "complaint"]),
        ("We look into it today.", "I want this solved.", ["fraud", "complaint"]),
        ("We look into it today.", "Thanks, is it solved now?", ["fraud", "complaint"]),
        ("We look into it today.", "Thanks, I will wait.", ["fraud"]),
        ("We have sent a new card.", "It has arrived, thanks.", ["fraud"]),
        ("It is blocked now. Anything else I can do?", "No, great, thanks.", ["fraud"]),
        ("We paid it back.", "Thanks, that solved it.", []),
        ("We paid it back. Did that help?", "All sorted now, thank you so much!", []),
    ],
)
def test_thanks_settle_only_what_was_answered_and_nothing_grave(reply, last, left):
    contact = talk(
        "customer|They took 400 pounds, that is unacceptable.",
        f"assistant|{reply}",
        f"customer|{last}",
    )
    service = TriageService(TierRules(GRAVE), ReasonMap(), HashEmbedder())
    assert sorted(fired(service.triage(contact, about(None)))) == sorted(left)


def test_the_shipped_rules_for_what_is_grave_are_settled_by_no_thanks():
    shipped = {one.id: one.settles for one in TierRules.load(None).rules}
    assert shipped["crisis"] is False
    for grave in ("safety", "fraud", "account_compromise", "legal_threat"):
        assert shipped[grave] == "when_solved"


def test_a_cry_that_passes_for_a_signature_is_found_by_its_words():
    text = "Where is it?\n\nRegards\nEnd my life Inc"
    assert fired(judge(talk(f"customer|{text}"))) == ["crisis"]


@pytest.mark.parametrize(
    "subject", ["I want to end my life", "RE: Fwd: end my life", "Re: Care: my lawyer will call"]
)
def test_an_escalation_in_the_subject_is_found_and_points_at_no_message(subject):
    contact = talk("customer|Where is my order?", subject=subject)
    outcome = judge(contact)
    assert outcome["route"] == "handoff"
    (firing,) = outcome["triggers"]
    assert firing["evidence"] in subject
    assert "turn" not in firing
    assert "start" not in firing


def test_an_escalation_is_meant_by_a_subject_too():
    contact = talk("customer|Where is the plan of my order?", subject="Re: the plug is burning")
    outcome = judge(contact)
    assert [(one["id"], one["evidence"]) for one in outcome["triggers"]] == [
        ("safety", "the plug is burning")
    ]


@pytest.mark.parametrize("subject", ["Unacceptable", "Re: my order", ""])
def test_a_subject_raises_nothing_milder(subject):
    contact = talk("customer|Where is my ORD-1?", subject=subject)
    assert fired(judge(contact)) == []


@pytest.mark.parametrize(("last", "left"), [("Thanks, that worked!", []), ("Any news?", ["x"])])
def test_a_subject_is_settled_with_the_first_message(last, left):
    contact = talk(
        "customer|Where is it?",
        "agent|We found and sent it.",
        f"customer|{last}",
        subject="My lawyer",
    )
    outcome = judge(contact)
    assert len(fired(outcome)) == len(left)


def test_an_escalation_that_gives_way_to_a_review_makes_no_other_give_way():
    fraud = rule("fraud", "escalate_first", examples=["a"], threshold=0.2)
    safety = rule("safety", "escalate_first", examples=["a"], threshold=0.24)
    review = rule("refund", examples=["a"], threshold=0.25)
    meant = {"fraud": Meant(0.27), "safety": Meant(0.29), "refund": Meant(0.28)}
    assert gives_way([fraud, safety, review], meant, ["refund"]) == {"fraud"}
    assert gives_way([fraud, safety, review], meant, []) == {"safety"}


@pytest.mark.parametrize("part", ["thanks ", "solved ", "no. ", "? ", "Re: ", "\n"])
def test_a_long_hostile_contact_is_routed_in_no_time(part):
    long = part * (50_000 // len(part))
    last = f"customer|{long} still end my life"
    contact = talk("customer|my lawyer", "agent|We paid it.", last, subject=long)
    assert "crisis" in fired(judge(contact))


@pytest.mark.parametrize(
    ("messages", "repeats"),
    [
        (
            ["customer|It blinks", "assistant|Please hold the reset pin.", "customer|still not on"],
            True,
        ),
        (
            ["customer|It blinks", "agent|Please hold the reset pin.", "customer|still not on"],
            False,
        ),
        (["customer|It blinks", "assistant|Which model is it?", "customer|still not on"], False),
        (["assistant|Hi, I am the virtual helper.", "customer|still not on"], False),
        (["customer|It is still not on"], False),
    ],
)
def test_a_repeat_needs_an_earlier_answer_of_the_assistant(messages, repeats):
    contact = talk(*messages)
    assert bool(after_answer(contact)) is repeats
    assert ("repeat_contact" in fired(judge(contact))) is repeats


def test_saying_the_same_again_after_an_answer_is_a_repeat():
    contact = talk(
        "customer|where is my blue parcel",
        "assistant|Parcels take three to five days.",
        "customer|so where is my blue parcel",
    )
    assert fired(judge(contact)) == ["repeat_contact"]


@pytest.mark.parametrize(
    ("status", "due", "expected"),
    [
        ("vip", None, [("vip", "customer.status=vip")]),
        ("standard", 0, [("sla_breach", "customer.sla_due_in_minutes=0")]),
        ("standard", 1, []),
    ],
)
def test_fields_fire_with_their_value_as_evidence(status, due, expected):
    outcome = judge(talk("customer|ORD-1 back please", status=status, due=due))
    assert [(one["id"], one["evidence"]) for one in outcome["triggers"]] == expected


def test_the_meaning_fires_and_a_look_alike_does_not():
    burning = judge(talk("customer|there is smoke that comes out of the socket"))
    assert fired(burning) == ["safety"]
    assert "/examples[0]@" in burning["triggers"][0]["by"]
    assert fired(judge(talk("customer|where on the plan is the smoke detector"))) == []


def test_a_model_that_fails_makes_the_rules_that_need_it_fire_and_say_so():
    service = TriageService(TierRules(RULES), REASONS, DeafEmbedder())
    outcome = service.triage(talk("customer|What time do you open?"), about())
    assert outcome["route"] == "handoff"
    assert [one["id"] for one in outcome["triggers"]] == ["safety"]
    assert "could not be evaluated" in outcome["triggers"][0]["evidence"]


def test_a_field_that_cannot_be_compared_fires_and_says_so():
    rules = TierRules([rule("big_customer", fields=["customer.fields.orders >= 10"])])
    service = TriageService(rules, REASONS, HashEmbedder())
    outcome = service.triage(talk("customer|ORD-1", orders="many"), about())
    assert fired(outcome) == ["big_customer"]
    assert "could not be evaluated" in outcome["triggers"][0]["evidence"]


@pytest.mark.parametrize(
    ("tier", "missing", "route"),
    [
        ("allowed", [], "retrieve"),
        ("allowed", ["order"], "clarify"),
        ("review_required", ["order"], "clarify"),
        ("escalate_first", ["order"], "handoff"),
        ("forbidden", [], "handoff"),
    ],
)
def test_the_route_follows_tier_and_missing_fields(tier, missing, route):
    assert route_for(tier, missing) == route


def test_a_missing_required_field_is_asked_for():
    outcome = judge(talk("customer|How do I send it back?"))
    assert (outcome["missing"], outcome["route"]) == (["order"], "clarify")


def test_a_required_field_in_a_quote_is_not_said_by_the_customer():
    assert judge(talk("customer|Back it goes.\n> ORD-1"))["missing"] == ["order"]


def test_the_tier_of_the_reason_counts():
    outcome = judge(talk("customer|hello"), about("closing"))
    assert outcome["tier"] == "review_required"
    assert fired(outcome) == ["reason:closing"]


@pytest.mark.parametrize("text", ["", "   ", "🎉", "> only a quote"])
def test_a_contact_without_words_is_no_error(text):
    assert judge(talk(f"customer|{text}"))["tier"] == "allowed"


def test_shipped_rules_send_what_nobody_owns_to_review_and_not_further():
    wordless = [one for one in TierRules.load(None).rules if not one.examples]
    service = TriageService(TierRules(wordless), ReasonMap(), HashEmbedder())
    outcome = service.triage(talk("customer|ORD-1"), about(None, 0.0))
    assert set(fired(outcome)) == {"low_confidence", "unclear_owner"}
    assert (outcome["tier"], outcome["route"]) == ("review_required", "retrieve")


def test_one_batch_of_the_customers_words_is_embedded_for_a_contact():
    embedder = HashEmbedder()
    service = TriageService(TierRules(RULES), REASONS, embedder)
    service.triage(talk("customer|first contact of the day"), about())
    before = len(embedder.embedded)
    service.triage(talk("customer|How does the blue one work?"), about())
    assert embedder.embedded[before:] == ["How does the blue one work?"]


def test_a_short_contact_is_judged_as_a_whole_and_a_long_one_in_stretches_as_well():
    short = "One sentence here. And another one."
    assert stretches_of(short) == [short]
    sentences = [f"Sentence number {number} has some eight words here." for number in range(20)]
    whole, *parts = stretches_of(" ".join(sentences))
    assert whole == " ".join(parts) == " ".join(sentences)
    assert len(parts) > 2
    assert all(part.endswith(".") and len(part.split()) <= 45 for part in parts)


def test_a_long_sentence_without_a_stop_is_judged_in_stretches_too():
    spoken = " ".join(["so and then"] * 60)
    assert max(len(part.split()) for part in stretches_of(spoken)[1:]) <= 45


def test_of_two_escalations_that_sound_alike_only_the_likelier_is_named_by_meaning():
    loud = rule("safety", "escalate_first", examples=["x"], threshold=0.2)
    near = rule("fraud", "escalate_first", examples=["x"], threshold=0.2)
    barely, clearly = {"safety": Meant(0.5), "fraud": Meant(0.25)}, {"safety": Meant(0.5)}
    assert second_thoughts([loud, near], barely) == {"fraud"}
    assert second_thoughts([loud, near], {**clearly, "fraud": Meant(0.3)}) == frozenset()
    assert second_thoughts([], {}) == frozenset()


FRAUD = rule("fraud", "escalate_first", phrases=["scam"], examples=["a"], threshold=0.5)
CRISIS = rule("crisis", "escalate_first", phrases=["x"], examples=["a"], settles=False)


@pytest.mark.parametrize(
    ("one", "probability", "expected"),
    [(FRAUD, 0.19, True), (FRAUD, 0.21, False), (CRISIS, 0.0, False)],
)
def test_alarming_words_are_overruled_only_by_a_meaning_far_off_and_never_in_a_crisis(
    one, probability, expected
):
    assert overruled(one, Meant(probability)) is expected


def test_words_of_a_rule_without_examples_are_never_overruled():
    assert not overruled(FRAUD, None)


@pytest.mark.parametrize(
    ("probability", "loud", "fires", "doubted"),
    [
        (0.41, 1.5, True, False),  # what fires is looked at anyway: only a near escalation counts
        (0.43, 0.0, True, True),
        (0.2, 1.1, False, True),  # nothing fires, though the contact surely says something
        (0.2, 0.8, False, False),
        (0.49, 0.5, False, False),  # near one escalation, and yet it sounds harmless
        (0.0, 1.3, False, True),
    ],
)
def test_a_contact_is_in_doubt_when_an_escalation_is_near_or_something_must_be_meant(
    probability, loud, fires, doubted
):
    found = in_doubt([FRAUD], {"fraud": Meant(probability)}, loud, fires=fires)
    assert found is (FRAUD if doubted else None)


def test_a_review_rule_that_is_near_holds_nothing_back_beside_what_fires():
    mild = rule("refund", examples=["a"], threshold=0.5)
    assert in_doubt([mild], {"refund": Meant(0.45)}, 0.8, fires=True) is None


def test_a_doubt_names_the_rule_and_points_at_the_words_that_raise_it():
    smoke = ["smoke comes out of it", "smoke comes out of the plug", "smoke comes out now"]
    fraud = rule("fraud", "escalate_first", examples=smoke, threshold=0.99)
    service = TriageService(
        TierRules([fraud, rule("low_confidence")], ordinary=["what time do you open"]),
        REASONS,
        HashEmbedder(),
    )
    found = service.triage(
        talk("customer|Hello you. Smoke comes out of it. Smoke comes out."), about()
    )
    doubt = next(one for one in found["triggers"] if one["id"] == "low_confidence")
    assert doubt["by"] == f"tiers.yaml:fraud/unsure@{fraud.version}"
    assert "Smoke comes out" in doubt["evidence"]
    assert found["tier"] == "review_required"


REFUND = rule("refund", examples=["a"], threshold=0.4)


@pytest.mark.parametrize(
    ("severe", "mild", "named", "expected"),
    [
        (0.55, 0.6, {"refund"}, {"fraud"}),  # barely sure, and a review is likelier
        (0.55, 0.6, set(), set()),  # nothing said names the review
        (0.55, 0.5, {"refund"}, set()),  # the review is not likelier
        (0.75, 0.8, {"refund"}, set()),  # sure
    ],
)
def test_an_escalation_gives_way_to_a_likelier_review_only_when_barely_sure(
    severe, mild, named, expected
):
    meant = {"fraud": Meant(severe), "refund": Meant(mild)}
    assert contested([FRAUD, REFUND], meant, named) == expected


def test_a_crisis_never_gives_way():
    crisis = rule("crisis", "escalate_first", examples=["a"], settles=False, threshold=0.5)
    meant = {"crisis": Meant(0.55), "refund": Meant(0.9)}
    assert contested([crisis, REFUND], meant, {"refund"}) == frozenset()


def test_many_contacts_come_out_as_each_alone_would():
    contacts = [
        talk("customer|smoke comes out of the socket here", "agent|Oh.", "customer|Any news?"),
        talk("customer|How do I send ORD-1 back? What time do you open?"),
        talk("customer|"),
        talk("customer|my lawyer will call", status="vip"),
    ]
    service = TriageService(
        TierRules(RULES, ordinary=["what time do you open"]), REASONS, HashEmbedder()
    )
    together = service.triage_all(contacts, [about()] * len(contacts))
    assert together == [service.triage(one, about()) for one in contacts]
    assert [one["tier"] for one in together] == [
        "escalate_first",
        "allowed",
        "allowed",
        "escalate_first",
    ]


def test_a_danger_in_the_middle_of_a_long_message_is_found_and_pointed_at():
    chatter = [f"I also like the {colour} one." for colour in ("red", "blue", "grey", "green")]
    danger = "Smoke comes out of the socket."
    text = " ".join([*chatter[:2], danger, *chatter[2:]])
    outcome = judge(talk(f"customer|{text}"))
    assert fired(outcome) == ["safety"]
    assert danger in outcome["triggers"][0]["evidence"]
    assert len(outcome["triggers"][0]["evidence"]) < len(text) / 2


def test_many_contacts_are_embedded_together():
    class Counting(HashEmbedder):
        calls = 0

        def embed(self, texts: Sequence[str]) -> Vectors:
            self.calls += 1
            return super().embed(texts)

    embedder = Counting()
    service = TriageService(TierRules(RULES), REASONS, embedder)
    service.triage(talk("customer|the first learns the examples"), about())
    before = embedder.calls
    service.triage_all(
        [talk(f"customer|How does number {n} work?") for n in range(20)], [about()] * 20
    )
    assert embedder.calls == before + 1


def test_blanking_keeps_every_offset():
    text = "Hi\n> quoted\nmine\n-- \nJo"
    assert len(own_words(text)) == len(text)
    assert own_words(text).split() == ["Hi", "mine"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("did it twice. still orange", ["did it twice.", "still orange"]),
        ("Ask Dr. Smith. Really?! Yes", ["Ask Dr. Smith.", "Really?!", "Yes"]),
        ("It is 1.8 m wide", ["It is 1.8 m wide"]),
        ("one\n\ntwo", ["one", "two"]),
    ],
)
def test_customer_sentences_may_begin_in_lower_case(text, parts):
    assert [text[start:end] for start, end in sentence_spans(text)] == parts


def test_parts_are_neighbouring_sentences_and_windows_of_speech():
    turn = talk("customer|Hi. One two three.\n> no\nIs it normal?")["turns"][0]
    assert [one.text for one in units(turn, 0)] == [
        "Hi. One two three.",
        "One two three.\n> no\nIs it normal?",
    ]
    speech = talk("customer|" + " ".join(f"w{n}" for n in range(40)))["turns"][0]
    assert [one.text.split()[0] for one in units(speech, 0)] == ["w0", "w9", "w18", "w27", "w0"]


def test_shipped_rules_with_the_real_model_tell_a_threat_from_a_look_alike():
    from retrieval.embeddings import MiniLmEmbedder

    shipped = TierRules.load(None)
    reasons = ReasonMap.load(shipped_rules().parent / "reasons.yaml")
    service = TriageService(shipped, reasons, MiniLmEmbedder(), shipped=ShippedExamples())
    for text, tier in (
        ("The barrister we have engaged will write to you.", "escalate_first"),
        ("smoke rises from the back of the fridge", "escalate_first"),
        ("Is the swimming pool open on Saturday evenings?", "allowed"),
    ):
        outcome = service.triage(talk(f"customer|{text}"), about(None))
        assert (text, said_by_contact(outcome["triggers"])["tier"]) == (text, tier)


def test_chances_tell_how_sure_the_meaning_is_of_each_rule_with_examples():
    service = TriageService(TierRules(RULES), REASONS, HashEmbedder())
    danger, harmless = service.chances(
        [talk("customer|smoke comes out of the socket"), talk("customer|good day to you")]
    )
    assert list(danger) == ["safety"]
    assert danger["safety"] > 0.5 > harmless["safety"]
