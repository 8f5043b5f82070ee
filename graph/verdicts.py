"""Tells apart what a contact says and what a desk's own map and confidence add to it.

A legal threat is one at every desk. That a contact has no owner, or that the desk is not sure what
it is about, is true of this desk's contact reason map and articles, and changes with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from typing_extensions import TypedDict

from core.vocabulary import Tier, most_severe
from graph.values import TriggerFiring

WORKSPACE_TRIGGERS: Final = frozenset(
    {"low_confidence", "source_missing", "unclear_owner", "policy_exception"}
)
"""Triggers that depend on a desk's own reasons and articles: what is an exception depends on its
policies."""


class Verdict(TypedDict):
    """A tier and what gives cause for it."""

    tier: Tier
    triggers: list[TriggerFiring]


def depends_on_workspace(firing: TriggerFiring) -> bool:
    """Whether another desk's reasons and articles could have kept ``firing`` from happening.

    A doubt about an escalation comes from the message alone, though it is a low confidence too.
    """
    if firing["id"].startswith("reason:"):
        return True
    return firing["id"] in WORKSPACE_TRIGGERS and not is_doubt(firing)


def is_doubt(firing: TriggerFiring) -> bool:
    """Whether ``firing`` says that an escalation is possible and not sure."""
    return "/unsure@" in firing["by"]


def said_by_contact(triggers: Sequence[TriggerFiring]) -> Verdict:
    """Return what message, conversation and customer's fields say, whatever the desk."""
    return _verdict([one for one in triggers if not depends_on_workspace(one)])


def added_by_desk(triggers: Sequence[TriggerFiring]) -> Verdict:
    """Return what the desk's own map and confidence add to :func:`said_by_contact`."""
    return _verdict([one for one in triggers if depends_on_workspace(one)])


def _verdict(triggers: list[TriggerFiring]) -> Verdict:
    return {"tier": most_severe([one["tier"] for one in triggers]), "triggers": triggers}
