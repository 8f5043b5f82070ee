"""What a contact says, and what a desk adds."""

from graph.values import TriggerFiring
from graph.verdicts import added_by_desk, said_by_contact


def fired(trigger: str, tier: str = "review_required", by: str = "") -> TriggerFiring:
    return {"id": trigger, "tier": tier, "evidence": "e", "by": by}  # type: ignore[typeddict-item]


def test_a_reasons_own_tier_and_an_unknown_owner_are_the_desks():
    refund = fired("refund")
    owner, reason = fired("unclear_owner"), fired("reason:returns", "escalate_first")
    said, added = (part([refund, owner, reason]) for part in (said_by_contact, added_by_desk))
    assert (said["tier"], said["triggers"]) == ("review_required", [refund])
    assert (added["tier"], added["triggers"]) == ("escalate_first", [owner, reason])


def test_a_doubt_about_an_escalation_is_the_contacts_and_one_about_the_reason_the_desks():
    doubt = fired("low_confidence", by="tiers.yaml:fraud/unsure@1234abcd")
    vague = fired("low_confidence", by="tiers.yaml:low_confidence/fields@1234abcd")
    assert said_by_contact([doubt, vague])["triggers"] == [doubt]
    assert added_by_desk([doubt, vague])["triggers"] == [vague]


def test_a_contact_that_nothing_fires_on_is_allowed():
    assert said_by_contact([])["tier"] == "allowed"
