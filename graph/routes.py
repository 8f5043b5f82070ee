"""Where a run goes next: pure functions of its state."""

from __future__ import annotations

from typing import Literal

from graph.state import RunState


def route_triage(state: RunState) -> Literal["handoff", "clarify", "retrieve", "check"]:
    """Route before drafting. A draft that a person brought along is checked, not written again."""
    route = state["triage"]["route"]
    brought = "draft" in state and "attempt" not in state and not state.get("decision")
    return "check" if route == "retrieve" and brought else route


def route_autopilot(state: RunState) -> Literal["recheck", "review"]:
    """Pass a person by only where every condition of autopilot held."""
    return "recheck" if state["autopilot"]["leaves"] else "review"


def route_review(
    state: RunState,
) -> Literal["review", "recheck", "retrieve", "triage", "handoff"]:
    """Follow the decision; a refused reply waits again."""
    if state.get("reply_error"):
        return "review"
    decision = state["decision"]
    if decision is None:
        return "review"
    match decision["kind"]:
        case "approve" | "edit":
            return "recheck"
        case "reject" if (
            state["draft"]["kind"] == "clarify" or decision.get("reason") == "wrong_tier"
        ):
            return "triage"  # what is missing is asked for again, never drafted past
        case "reject":
            return "retrieve"
        case "answer":
            return "triage"
        case "escalate":
            return "handoff"


def route_recheck(state: RunState) -> Literal["deliver", "review", "intake"]:
    """Deliver what still holds; a new customer message is triaged anew before anything else.

    A further message may hold a threat or a settled matter, and a route is chosen before a draft
    is: so the run starts over with it instead of showing the old draft again.
    """
    if any(change["what"] == "message" for change in state["changes"]):
        return "intake"
    return "review" if state["sent_back"] else "deliver"
