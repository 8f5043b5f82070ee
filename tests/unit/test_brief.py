import json

from graph.brief import clarifying_draft, shortened
from graph.reasons import Reason, ReasonMap, RequiredField
from graph.tiers import TierRules
from graph.triage import TriageService
from graph.values import Brief, Classification, Conversation, Triage
from retrieval.embeddings import HashEmbedder
from retrieval.ports import Hit
from tests.factories import conversation, passage, triage

REASONS = ReasonMap(
    [
        Reason(
            id="lamp_fault",
            name="Lamp is broken",
            owner="Lamp team",
            required=(RequiredField(id="model", name="Model", ask="Which model?", field="model"),),
        )
    ]
)
SERVICE = TriageService(TierRules.load(None), REASONS, HashEmbedder())
SMOKE: Triage = triage(
    tier="escalate_first",
    route="handoff",
    owner="Lamp team",
    missing=["model"],
    triggers=[{"id": "safety", "tier": "escalate_first", "evidence": "smoke", "by": "tiers.yaml"}],
)


def about(
    question: str = "Is the smoke normal?", reason: str | None = "lamp_fault"
) -> Classification:
    return {
        "reason": reason,
        "confidence": 0.8,
        "alternatives": [],
        "sentiment": -0.4,
        "language": "en",
        "question": question,
    }


def brief(
    outcome: Triage = SMOKE, contact: Conversation | None = None, hits: list[Hit] | None = None
) -> Brief:
    return SERVICE.brief(contact or conversation("smoke"), about(), outcome, hits or [])


def test_the_brief_says_what_why_and_what_next():
    made = brief()
    assert made["question"] == "Is the smoke normal?"
    assert made["intent"] == "Lamp is broken"
    assert made["tier"] == "escalate_first"
    assert made["missing"] == ["model"]
    assert "stop using it" in made["next_step"]
    assert "Ask for: Model." in made["next_step"]
    assert "Lamp team" in made["next_step"]


def test_safety_shows_the_workspaces_own_instruction_and_a_refund_none():
    assert "emergency number" in brief()["instruction"]
    calm = triage(
        triggers=[{"id": "refund", "tier": "review_required", "evidence": "x", "by": "y"}]
    )
    assert brief(calm)["instruction"] == ""


def test_crisis_comes_before_everything_else():
    both = triage(
        tier="escalate_first",
        triggers=[
            {"id": one, "tier": "escalate_first", "evidence": "x", "by": "y"}
            for one in ("fraud", "crisis")
        ],
    )
    assert brief(both)["next_step"].startswith("Contact the person now")


def test_how_the_customer_writes_is_handed_on():
    found: Classification = {**about(), "intent": "complaint", "urgency": "high", "language": "de"}
    made = SERVICE.brief(conversation("smoke"), found, SMOKE, [])
    assert (made["aim"], made["urgency"], made["language"]) == ("complaint", "high", "de")


def test_the_sources_consulted_are_named_exactly():
    found = passage("Unplug the lamp when it smokes.")
    made = brief(hits=[Hit(1, 0.9, found, 0.8, 3.0)])
    assert [source["quote"] for source in made["sources"]] == ["Unplug the lamp when it smokes."]
    assert made["sources"][0]["passage_id"] == found.id


def test_previous_answers_are_the_last_ones_in_order():
    turns = [
        {"id": f"m{at}", "speaker": speaker, "text": f"text {at}", "at": ""}
        for at, speaker in enumerate(["assistant", "customer", "agent", "assistant", "agent"])
    ]
    made = brief(contact=conversation(turns=turns))
    assert [one["text"] for one in made["previous_answers"]] == ["text 2", "text 3", "text 4"]


def test_a_long_contact_still_fits_one_screen():
    turns = [
        {"id": f"m{at}", "speaker": "agent", "text": "word " * 2000, "at": ""} for at in range(50)
    ]
    found = passage()
    made = SERVICE.brief(
        conversation(turns=turns),
        about("why " * 2000),
        SMOKE,
        [Hit(at, 0.5, found, 0.5, 0.0) for at in range(1, 40)],
    )
    shown = [made["question"], made["next_step"], *(a["text"] for a in made["previous_answers"])]
    assert sum(len(text) for text in shown) < 2500
    assert len(made["sources"]) <= 5


def test_a_contact_nobody_owns_says_so():
    made = SERVICE.brief(
        conversation(), about(reason=None), triage(tier="review_required", owner=None), []
    )
    assert made["intent"] == "No known contact reason"
    assert "assign it" in made["next_step"]


def test_a_brief_is_plain_json():
    assert json.loads(json.dumps(brief())) == brief()


def test_a_clarifying_draft_asks_for_each_missing_field_and_cites_nothing():
    draft = SERVICE.clarifying_draft(conversation(), SMOKE)
    assert draft["kind"] == "clarify"
    assert draft["opening"].startswith("Hello Ada,")
    assert draft["sentences"][-1]["text"] == "Which model?"
    assert not any(sentence["citations"] for sentence in draft["sentences"])


def test_a_clarifying_draft_greets_a_stranger_too():
    nameless = conversation(
        customer={"status": "standard", "sla_due_in_minutes": None, "name": " ", "fields": {}}
    )
    assert clarifying_draft(nameless, ["When?"])["opening"].startswith("Hello,")


def test_shortening_cuts_at_a_word_and_leaves_short_text_alone():
    assert shortened("a  b\nc") == "a b c"
    assert shortened("alpha beta gamma", 12) == "alpha beta…"
