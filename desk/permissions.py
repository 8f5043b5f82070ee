"""Who may do what. Small guards over a role; the services call them, the UI only mirrors them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.errors import NotAllowed
from core.vocabulary import DecisionKind, Role

Action = Literal[
    "work_contacts",  # open, read and assign contacts; ask for drafts
    "read_reviews",
    "decide",  # any review
    "decide_own",  # reviews of the lowest tier without findings
    "sync_sources",
    "own_sources",  # end source flags, edit articles
    "read_audit",
    "read_quality",  # metrics, eval runs, what reviewers reject and rewrite
    "sample_quality",  # draw the QA sample, read it, see what it and the seeded checks say
    "run_rhythm",  # the daily queue, the days of the week, ticking off what they list
    "work_tasks",  # read tasks, say that one is under way, done or not to be done
    "assign_tasks",  # give tasks to others, say by when they are to be done
    "promote",  # sign, lock and return contact reasons; stop and resume autopilot
    "unlock_reasons",
    "manage_people",
    "manage_settings",
]

PERMISSIONS: Final[dict[Role, frozenset[Action]]] = {
    "agent": frozenset({"work_contacts", "read_reviews", "decide_own"}),
    "supervisor": frozenset(
        {
            "work_contacts",
            "read_reviews",
            "decide_own",
            "decide",
            "sync_sources",
            "read_audit",
            "read_quality",
            "promote",
            "sample_quality",
            "run_rhythm",
            "work_tasks",
            "assign_tasks",
        }
    ),
    "content_owner": frozenset({"read_reviews", "sync_sources", "own_sources", "work_tasks"}),
    "admin": frozenset(
        {
            "work_contacts",
            "read_reviews",
            "decide_own",
            "decide",
            "sync_sources",
            "own_sources",
            "read_audit",
            "read_quality",
            "promote",
            "unlock_reasons",
            "sample_quality",
            "run_rhythm",
            "work_tasks",
            "assign_tasks",
            "manage_people",
            "manage_settings",
        }
    ),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """The person on whose behalf a service acts."""

    id: str
    name: str
    role: Role

    def may(self, action: Action) -> bool:
        """Tell whether this person's role admits ``action``."""
        return action in PERMISSIONS[self.role]


def require(actor: Actor, action: Action) -> None:
    """Raise NotAllowed unless ``actor`` may do ``action``."""
    if not actor.may(action):
        raise NotAllowed(
            f"The role {actor.role.replace('_', ' ')} may not {action.replace('_', ' ')}."
        )


def decisions_open_to(
    actor: Actor, tier: str, findings: int, allowed: Sequence[DecisionKind]
) -> list[DecisionKind]:
    """Return the decisions of ``allowed`` that ``actor`` may take on a review.

    A supervisor or admin may take all. An agent may pass on (escalate) everything and decide
    reviews of the tier ``allowed`` that the check holds nothing against.
    """
    if actor.may("decide"):
        return list(allowed)
    if not actor.may("decide_own"):
        return []
    if tier == "allowed" and findings == 0:
        return list(allowed)
    return [kind for kind in allowed if kind == "escalate"]
