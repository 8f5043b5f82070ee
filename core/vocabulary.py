"""The fixed words of Proofdesk, as they stand in code, database, configuration and screens."""

from __future__ import annotations

from typing import Final, Literal, get_args

Channel = Literal["email", "chat", "voice"]
Role = Literal["agent", "supervisor", "content_owner", "admin"]
Speaker = Literal["customer", "agent", "assistant"]

Tier = Literal["allowed", "review_required", "escalate_first", "forbidden"]

EscalateFirstTrigger = Literal[
    "legal_threat",
    "safety",
    "regulated_data",
    "fraud",
    "executive_complaint",
    "public_relations",
    "account_compromise",
    "crisis",
    "vulnerable_customer",
    "disputed_refund",
]
ReviewTrigger = Literal[
    "refund",
    "credit",
    "account_closure",
    "sla_breach",
    "vip",
    "complaint",
    "sensitive_personal_data",
    "negative_sentiment",
    "account_access",
    "human_requested",
    "repeat_contact",
    "low_confidence",
    "source_missing",
    "policy_exception",
    "unclear_owner",
]
ForbiddenTrigger = Literal[
    "final_policy_exception",
    "irreversible_account_change",
    "unsupported_promise",
    "emotional_response",
]

SourceFlagKind = Literal[
    "overdue",
    "superseded",
    "conflict",
    "changed",
    "often_rewritten",
    "unowned",
    "broken_link",
    "missing",
]
DecisionKind = Literal["approve", "edit", "reject", "escalate", "answer"]
RejectReason = Literal[
    "wrong_source",
    "out_of_date",
    "incomplete",
    "wrong_answer",
    "wrong_tier",
    "tone",
    "other",
]
Autonomy = Literal["locked", "review", "eligible", "autopilot"]
ContactStatus = Literal[
    "new",  # waits to be drafted
    "drafting",  # its run is under way
    "in_review",  # its run is paused for a person
    "deciding",  # a decision was recorded and is being carried out
    "scheduled",  # approved; the undo window is open
    "waiting",  # a clarifying question was sent; the customer has the word
    "answered",
    "escalated",
    "failed",  # its run stopped on an error; a person must look
    "closed",
]
ReviewStatus = Literal["pending", "decided", "returned", "withdrawn"]
DeliveryStatus = Literal["scheduled", "sending", "sent", "undone", "failed"]

TIERS: Final[tuple[Tier, ...]] = get_args(Tier)
ESCALATE_FIRST_TRIGGERS: Final[tuple[str, ...]] = get_args(EscalateFirstTrigger)
REVIEW_TRIGGERS: Final[tuple[str, ...]] = get_args(ReviewTrigger)
FORBIDDEN_TRIGGERS: Final[tuple[str, ...]] = get_args(ForbiddenTrigger)
REJECT_REASONS: Final[tuple[RejectReason, ...]] = get_args(RejectReason)
ROLES: Final[tuple[Role, ...]] = get_args(Role)

TIER_OF_TRIGGER: Final[dict[str, Tier]] = {
    **dict.fromkeys(ESCALATE_FIRST_TRIGGERS, "escalate_first"),
    **dict.fromkeys(REVIEW_TRIGGERS, "review_required"),
    **dict.fromkeys(FORBIDDEN_TRIGGERS, "forbidden"),
}


def most_severe(tiers: list[Tier]) -> Tier:
    """Return the most severe tier of ``tiers``; ``allowed`` when there is none."""
    return max(tiers, key=TIERS.index, default="allowed")
