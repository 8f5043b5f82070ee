"""Whether a draft may leave without a person: every condition as data, and which do not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from graph.draft import draft_digest
from graph.values import (
    AutopilotVerdict,
    CheckReport,
    Classification,
    Clearance,
    Draft,
    Evidence,
    Triage,
)

BY_AUTOPILOT: Final = "autopilot"
"""Who approved an answer that no person did."""


@dataclass(frozen=True, slots=True)
class Case:
    """A draft that was checked, and all that speaks for or against letting it go.

    Attributes:
        clearance: What the desk says now; None where nobody can say.
        written_by_run: Whether the run wrote the draft itself: one that a person brought along, or
            that was called back or stopped on its way out, is a person's matter.
        decided_before: Whether somebody decided on a draft of this run.
        answered_before: Whether the customer was answered before: what comes back is looked at.
    """

    classification: Classification
    triage: Triage
    draft: Draft
    check: CheckReport
    evidence: Evidence
    clearance: Clearance | None
    written_by_run: bool
    decided_before: bool
    answered_before: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that must hold.

    Attributes:
        id: Names it, in the trail and in tests.
        otherwise: What is said where it does not hold.
        holds: Tells whether it does.
        granted: Whether people grant it, not the contact: see ``AutopilotVerdict.earns``.
    """

    id: str
    otherwise: str
    holds: Callable[[Case], bool]
    granted: bool = False


def _cites(case: Case) -> bool:
    return any(sentence["citations"] for sentence in case.draft["sentences"])


CONDITIONS: Final[tuple[Condition, ...]] = (
    Condition(
        "autonomy",
        "Its contact reason is not on autopilot.",
        lambda case: case.clearance is not None and case.clearance["state"] == "autopilot",
        granted=True,
    ),
    Condition(
        "switch",
        "Autopilot is stopped for everything.",
        lambda case: case.clearance is not None and case.clearance["on"],
        granted=True,
    ),
    Condition(
        "reason",
        "The desk does not know what it is about.",
        lambda case: case.classification["reason"] is not None,
    ),
    Condition(
        "confidence",
        "The desk is not sure enough what it is about.",
        lambda case: (
            case.clearance is not None
            and case.classification["confidence"] >= case.clearance["least_confidence"]
        ),
    ),
    Condition("tier", "Its tier needs a person.", lambda case: case.triage["tier"] == "allowed"),
    Condition("triggers", "A trigger fired.", lambda case: not case.triage["triggers"]),
    Condition("missing", "A required detail is missing.", lambda case: not case.triage["missing"]),
    Condition("answer", "The draft is not an answer.", lambda case: case.draft["kind"] == "answer"),
    Condition("cited", "The draft cites no source.", _cites),
    Condition(
        "check",
        "The check objects to the draft.",
        lambda case: (
            case.check["passed"] and not case.check["findings"] and not case.check["triggers"]
        ),
    ),
    Condition(
        "disputes",
        "A source it rests on is contradicted by another.",
        lambda case: not case.evidence.get("disputes"),
    ),
    Condition(
        "sources",
        "A source it rests on is flagged.",
        lambda case: case.clearance is not None and not case.clearance["flagged"],
    ),
    Condition("written", "The desk did not write this draft.", lambda case: case.written_by_run),
    Condition("undecided", "A person decided on it before.", lambda case: not case.decided_before),
    Condition("first", "The customer was answered before.", lambda case: not case.answered_before),
    Condition(
        "contact",
        "This contact is for a person.",
        lambda case: case.clearance is not None and not case.clearance["barred"],
    ),
)


def judge(case: Case) -> AutopilotVerdict:
    """Return whether a draft leaves without a person, and every reason why not."""
    failing = [condition for condition in CONDITIONS if not condition.holds(case)]
    return {
        "leaves": not failing,
        "earns": all(condition.granted for condition in failing),
        "why_not": [{"id": one.id, "sentence": one.otherwise} for one in failing],
        "draft_digest": draft_digest(case.draft),
    }
