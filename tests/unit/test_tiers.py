import re
from pathlib import Path

import pytest

from core.errors import BadInput
from core.vocabulary import FORBIDDEN_TRIGGERS, TIER_OF_TRIGGER
from graph.tiers import Condition, Rule, TierRules, shipped_rules


def team(tmp_path: Path, text: str) -> TierRules:
    file = tmp_path / "tiers.yaml"
    file.write_text("version: 1\ntriggers:\n" + text, encoding="utf-8")
    return TierRules.load(file)


def rule(**values: object) -> Rule:
    return Rule.model_validate({"id": "own", "tier": "allowed", "description": "d", **values})


def hits(one: Rule, text: str) -> list[str]:
    return [text[start:end] for start, end in one.word_hits(text)]


def test_the_shipped_rules_cover_every_fixed_trigger_with_its_tier():
    rules = TierRules.load(None)
    assert {one.id: one.tier for one in rules.rules} == TIER_OF_TRIGGER
    assert rules.instructions["crisis"]
    assert rules.instructions["safety"]


@pytest.mark.parametrize("part", ["examples", "harmless"])
def test_every_shipped_rule_judged_by_meaning_has_examples_enough(part):
    meant = [one for one in TierRules.load(None).rules if one.examples]
    assert len(meant) >= 19
    assert min(len(getattr(one, part)) for one in meant) >= 8


def test_no_shipped_harmless_sentence_or_ordinary_contact_is_hit_by_severe_words():
    rules = TierRules.load(None)
    severe = [one for one in rules.rules if one.tier == "escalate_first"]
    wrong = {
        (one.id, text)
        for one in severe
        for text in (*one.harmless, *rules.ordinary)
        if hits(one, text)
    }
    assert wrong == set()


def test_a_missing_workspace_file_leaves_the_shipped_rules(tmp_path):
    rules = TierRules.load(tmp_path / "tiers.yaml")
    assert [one.version for one in rules.rules] == [
        one.version for one in TierRules.load(None).rules
    ]


def test_a_short_team_file_replaces_only_what_it_names(tmp_path):
    rules = team(tmp_path, "  - {id: refund, description: Money back, phrases: [geld zurück]}\n")
    refund, fraud = rules.get("refund"), rules.get("fraud")
    assert refund is not None
    assert refund.phrases == ("geld zurück",)
    assert fraud is not None
    assert "scam" in fraud.phrases


def test_a_team_may_add_its_own_trigger(tmp_path):
    rules = team(
        tmp_path,
        "  - {id: wholesale, tier: review_required, description: A shop, phrases: [wholesale]}\n",
    )
    own = rules.get("wholesale")
    assert own is not None
    assert hits(own, "Do you sell WHOLESALE?") == ["WHOLESALE"]


def test_making_a_fixed_trigger_milder_needs_a_written_reason(tmp_path):
    milder = "  - {id: fraud, tier: review_required, description: d, phrases: [x]"
    with pytest.raises(BadInput, match="override"):
        team(tmp_path, milder + "}\n")
    rules = team(tmp_path, milder + ", override: The fraud team reads the review queue}\n")
    fraud = rules.get("fraud")
    assert fraud is not None
    assert fraud.tier == "review_required"


@pytest.mark.parametrize("trigger", ["crisis", *FORBIDDEN_TRIGGERS])
def test_crisis_and_forbidden_triggers_can_never_be_made_milder(tmp_path, trigger):
    with pytest.raises(BadInput, match="cannot be made milder"):
        team(
            tmp_path,
            f"  - {{id: {trigger}, tier: review_required, description: d, "
            "override: we would rather not}\n",
        )


def test_a_fixed_trigger_may_be_made_more_severe(tmp_path):
    rules = team(tmp_path, "  - {id: refund, tier: escalate_first, description: d, phrases: [x]}\n")
    refund = rules.get("refund")
    assert refund is not None
    assert refund.tier == "escalate_first"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("  - {id: own, description: d}", "tier"),
        ("  - {id: own, tier: allowed, description: d, patterns: ['(']}", "regular expression"),
        (
            "  - {id: own, tier: allowed, description: d, fields: [customer.mood == bad]}",
            "no field",
        ),
        ("  - {id: own, tier: allowed, description: d, fields: [channel < chat]}", "numbers"),
        ("  - {id: own, tier: allowed, description: d, threshold: 1.5}", "threshold"),
        ("  - {id: own, tier: allowed, description: d, phrase: [x]}", "phrase"),
    ],
)
def test_a_mistake_in_a_rule_is_named_with_its_line(tmp_path, line, words):
    with pytest.raises(BadInput) as caught:
        team(tmp_path, line + "\n")
    assert "tiers.yaml:3:" in caught.value.message
    assert words in caught.value.message


def test_a_default_without_a_safeguard_is_refused(tmp_path):
    short = tmp_path / "short.yaml"
    short.write_text("version: 1\ntriggers: []\n", encoding="utf-8")
    with pytest.raises(BadInput, match="legal_threat"):
        TierRules.load(None, default=short)


def test_the_version_of_a_rule_changes_with_the_rule_and_is_named_in_firings():
    first, same, other = (rule(phrases=["a"]), rule(phrases=["a"]), rule(phrases=["b"]))
    assert first.version == same.version != other.version
    assert first.name("words") == f"tiers.yaml:own/words@{first.version}"


@pytest.mark.parametrize(
    ("phrase", "text", "found"),
    [
        ("my lawyer", "MY   Lawyer says", ["MY   Lawyer"]),
        ("my lawyer", "my lawyers", []),
        ("can't pay", "I can’t pay or cant pay", ["can’t pay", "cant pay"]),
        ("sue", "Suede or tissue", []),
        ("c++", "I use c++.", ["c++"]),
    ],
)
def test_phrases_are_whole_words_in_any_spelling(phrase, text, found):
    assert hits(rule(phrases=[phrase]), text) == found


def test_harmless_patterns_protect_their_words_only():
    one = rule(phrases=["court"], harmless_patterns=["tennis court"])
    assert hits(one, "The tennis court is shut. See you in court.") == ["court"]


@pytest.mark.parametrize(
    ("text", "fields", "holds"),
    [
        ("customer.status == vip", {"customer.status": "VIP"}, True),
        ("customer.status != vip", {"customer.status": "vip"}, False),
        ("customer.sla_due_in_minutes <= 0", {"customer.sla_due_in_minutes": 0}, True),
        ("customer.sla_due_in_minutes <= 0", {"customer.sla_due_in_minutes": 1}, False),
        ("customer.sla_due_in_minutes <= 0", {"customer.sla_due_in_minutes": None}, False),
        ("reason.owner == none", {}, True),
        ("reason.owner == none", {"reason.owner": "Billing"}, False),
        ("customer.fields.orders >= 10", {"customer.fields.orders": "12"}, True),
        ("classification.confidence < 0.4", {"classification.confidence": 0.39}, True),
        ("classification.confidence > 0.4", {"classification.confidence": 0.4}, False),
    ],
)
def test_conditions_compare_fields(text, fields, holds):
    assert Condition.parse(text).holds(fields) is holds


def test_a_field_that_cannot_be_compared_is_an_error_not_a_no():
    condition = Condition.parse("customer.fields.orders >= 10")
    with pytest.raises(ValueError, match="could not convert"):
        condition.holds({"customer.fields.orders": "many"})


@pytest.mark.parametrize(
    ("trigger", "text"),
    [
        ("unsupported_promise", "We guarantee that it arrives tomorrow."),
        ("final_policy_exception", "As a one-time exception you may return it."),
        ("irreversible_account_change", "We have permanently deleted your account."),
        ("irreversible_account_change", "Your account has been closed."),
        ("emotional_response", "Please calm down."),
    ],
)
def test_the_shipped_draft_patterns_find_what_may_never_be_approved(trigger, text):
    patterns = TierRules.load(None).patterns_for_drafts()
    assert set(patterns) == set(FORBIDDEN_TRIGGERS)
    assert any(pattern.search(text) for pattern in patterns[trigger])


@pytest.mark.parametrize(
    "text",
    [
        "Refunds take five business days.",
        "You can close your account under Settings.",
        "We are sorry for the delay.",
        "Exceptions are listed in the returns policy.",
        "The warranty is valid for two years.",
    ],
)
def test_the_shipped_draft_patterns_leave_plain_answers_alone(text):
    patterns = TierRules.load(None).patterns_for_drafts()
    assert not [one for each in patterns.values() for one in each if one.search(text)]


def test_the_shipped_file_has_no_pattern_that_matches_everything():
    for one in TierRules.load(shipped_rules()).rules:
        for pattern in (*one.patterns, *one.harmless_patterns, *one.drafts):
            assert not re.search(pattern, "The quick brown fox", re.IGNORECASE), (one.id, pattern)


CARD = Rule.model_validate(
    {"id": "regulated_data", "description": "d", "patterns": [r"\d(?:[ -]?\d){12,18}"]}
)


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("here: 4242 4242 4242 4242", True),
        ("3782-822463-10005 thanks", True),
        ("parcel 4000-0021-7788-0045 has not come", False),
        ("my card is 4000 0021 7788 0045", True),  # mistyped, yet a card's
        ("4000 0021 7788 0045, exp 09/31", True),
    ],
)
def test_a_long_number_is_a_cards_if_its_check_digit_or_the_customer_says_so(text, fires):
    assert bool(list(CARD.word_hits(text))) is fires


@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("send it to DE89 3704 0044 0532 0130 00 please", True),
        ("GB82WEST12345698765432", True),
        ("part NL21 4408 7719 0012 3345 does not fit", False),
        ("my IBAN: NL21 4408 7719 0012 3345", True),  # mistyped, yet an account's
    ],
)
def test_a_bank_account_is_one_if_its_check_digits_or_the_customer_says_so(text, fires):
    rule = TierRules.load(None).get("sensitive_personal_data")
    assert rule is not None
    assert bool(list(rule.word_hits(text))) is fires


@pytest.mark.parametrize(
    "part", ["_", " ", "\n", "1 ", "a", "my ", ", ", "(", "card ", "one ", "AAA ", "order number "]
)
def test_the_shipped_rules_read_a_long_hostile_message_in_no_time(part):
    text = f"a {part * (50_000 // len(part))} I want to end my life"
    fired = [one.id for one in TierRules.load(None).rules if list(one.word_hits(text))]
    assert "crisis" in fired
