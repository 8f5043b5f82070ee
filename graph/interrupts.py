"""The payload a paused run shows, and the replies it accepts.

Payloads take the human-in-the-loop shape of LangChain's middleware, or the Agent Inbox shape by
setting. Replies are accepted in both and in the desk's own shape, and are strictly validated: a
wrong count, a decision that is not allowed or a missing text is an error that says so.

The TypedDicts are defined here because the published ones are deprecated or moving.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal, NotRequired, TypedDict, cast, get_args

from pydantic import TypeAdapter, ValidationError

from core.errors import DecisionRefused
from core.identifiers import json_digest
from core.settings import InterruptShape
from core.vocabulary import REJECT_REASONS, DecisionKind, RejectReason, Tier
from graph.draft import draft_text
from graph.state import RunState
from graph.values import Decision, Draft, Finding, FindingRule

ACTION: Final = "send_answer"
ESCALATE_PREFIX: Final = "ESCALATE"
NEVER_APPROVED: Final[frozenset[FindingRule]] = frozenset({"out_of_force", "unknown_source"})
ESCALATION_TIERS: Final[tuple[Tier, ...]] = ("review_required", "escalate_first")

_PARTS: Final[dict[DecisionKind, frozenset[str]]] = {
    "approve": frozenset({"comment"}),
    "edit": frozenset({"text", "draft", "comment", "hold"}),
    "reject": frozenset({"reason", "comment"}),
    "escalate": frozenset({"tier", "comment"}),
    "answer": frozenset({"text", "fields"}),
}

MiddlewareDecision = Literal["approve", "edit", "reject", "respond"]


class ActionRequest(TypedDict):
    """What the run wants to do."""

    name: str
    args: dict[str, Any]
    description: NotRequired[str]


class ReviewConfig(TypedDict):
    """Which decisions an action admits."""

    action_name: str
    allowed_decisions: list[MiddlewareDecision]


class MiddlewareRequest(TypedDict):
    """The interrupt payload in the shape of LangChain's middleware."""

    action_requests: list[ActionRequest]
    review_configs: list[ReviewConfig]


class InboxConfig(TypedDict):
    """Which buttons Agent Inbox shows."""

    allow_accept: bool
    allow_edit: bool
    allow_respond: bool
    allow_ignore: bool


class InboxRequest(TypedDict):
    """The interrupt payload in the shape of Agent Inbox."""

    action_request: dict[str, Any]
    config: InboxConfig
    description: str


class Reply(TypedDict):
    """A reply in one shape, whichever it came in.

    Attributes:
        text: The edited answer (edit) or what the reviewer answered (answer).
        draft: The edited answer with its citations, where the reviewer's tool keeps them.
        hold: The edited answer takes the place of the draft and waits for a decision (edit).
        comment: Why (reject, escalate), or why in spite of the findings (approve).
        fields: Required fields the reviewer filled in (answer).
        id, by, at: Set by the desk: id of the decision, who decided, when (ISO 8601, UTC).
    """

    kind: DecisionKind
    text: NotRequired[str]
    draft: NotRequired[Draft]
    hold: NotRequired[bool]
    reason: NotRequired[RejectReason]
    comment: NotRequired[str]
    tier: NotRequired[Tier]
    fields: NotRequired[dict[str, str]]
    id: NotRequired[str]
    by: NotRequired[str]
    at: NotRequired[str]


def allowed_decisions(state: RunState) -> list[DecisionKind]:
    """Return the decisions that the paused run ``state`` admits.

    Forbidden content, and a source that is not in force, block Approve itself; an abstention has
    nothing to approve.
    """
    draft, check = state["draft"], state["check"]
    allowed: list[DecisionKind] = ["edit", "reject", "escalate"]
    if draft["sentences"] and not check["triggers"] and not _without_source(state):
        allowed.insert(0, "approve")
    if draft["kind"] == "clarify":
        allowed.append("answer")
    return allowed


def describe(state: RunState) -> str:
    """Return a plain-text description of the review for tools that show nothing else."""
    lines = [f"Contact {state['contact_id']}", f"Tier: {state['triage']['tier']}"]
    lines += [f"Trigger: {t['id']} ({t['evidence']})" for t in state["triage"]["triggers"]]
    lines += [f"Changed: {c['sentence']}" for c in state.get("changes", [])]
    lines += [
        f"Check, sentence {f['sentence'] + 1}: {f['message']}" for f in state["check"]["findings"]
    ]
    if state.get("reply_error"):
        lines.append(f"Your last reply was refused: {state['reply_error']}")
    return "\n".join(lines)


_TO_MIDDLEWARE: Final[dict[DecisionKind, MiddlewareDecision]] = {
    "approve": "approve",
    "edit": "edit",
    "reject": "reject",
    "answer": "respond",
}


def payload(state: RunState, shape: InterruptShape) -> MiddlewareRequest | InboxRequest:
    """Return the interrupt payload for the paused run ``state``."""
    args = {"contact_id": state["contact_id"], "text": draft_text(state["draft"])}
    allowed = allowed_decisions(state)
    if shape == "agent_inbox":
        return {
            "action_request": {"action": ACTION, "args": args},
            "config": {
                "allow_accept": "approve" in allowed,
                "allow_edit": "edit" in allowed,
                "allow_respond": True,
                "allow_ignore": False,
            },
            "description": describe(state),
        }
    return {
        "action_requests": [{"name": ACTION, "args": args, "description": describe(state)}],
        "review_configs": [
            {
                "action_name": ACTION,
                "allowed_decisions": [
                    _TO_MIDDLEWARE[kind] for kind in allowed if kind in _TO_MIDDLEWARE
                ],
            }
        ],
    }


def read_decision(raw: object, state: RunState) -> Decision:
    """Return the decision that ``raw`` makes on the paused run ``state``.

    Native: ``{"kind": "approve" | …, …}`` (:class:`Reply`). Middleware: ``{"decisions": [one]}``.
    Agent Inbox: ``[one]``. Escalation travels in the middleware shape as a ``reject`` and in the
    inbox shape as a ``response`` whose message starts with ``ESCALATE <tier>: <why>``.

    A reply that did not come through the desk gets an id made of its content, so that the same
    reply read twice is the same decision.

    Raises:
        DecisionRefused: The reply has none of these shapes, the wrong count, a decision that is
            not allowed, or lacks what its decision needs; also for an approval of a draft with
            findings that does not say why, or that no reason can carry.
    """
    reply = _read(raw, clarifying=state["draft"]["kind"] == "clarify")
    if reply["kind"] == "approve" and (stale := _without_source(state)):
        raise DecisionRefused(
            f"Sentence {stale[0]['sentence'] + 1} cannot be approved: {stale[0]['message']} "
            "Edit it, or reject the draft to have it written again from what is in force."
        )
    _require_fit(reply, allowed_decisions(state))
    if reply["kind"] == "approve" and state["check"]["findings"] and not _said(reply, "comment"):
        raise DecisionRefused(
            "comment: the check holds something against this draft; say why it may go out all "
            "the same, or edit it."
        )
    if reply["kind"] == "answer":
        reply["fields"] = _answered_fields(reply, state["triage"]["missing"])
    content = {"reply": reply, "contact": state["contact_id"], "evidence": state["evidence"]}
    defaults: Decision = {
        "id": f"dec_{json_digest(content)[:20]}",
        "kind": reply["kind"],
        "by": "outside",
        "at": "",
    }
    return cast(Decision, {**defaults, **reply})


def _without_source(state: RunState) -> list[Finding]:
    return [f for f in state["check"]["findings"] if f["rule"] in NEVER_APPROVED]


def _answered_fields(reply: Reply, missing: Sequence[str]) -> dict[str, str]:
    fields = reply.get("fields") or {}
    if not fields:
        if len(missing) != 1:
            raise DecisionRefused(f"fields: say which of {', '.join(missing)} you answer.")
        fields = {missing[0]: reply["text"].strip()}
    for name, value in fields.items():
        if name not in missing:
            raise DecisionRefused(f"fields.{name}: this contact does not lack it.")
        if not isinstance(value, str) or not value.strip():
            raise DecisionRefused(f"fields.{name}: must be text.")
    return fields


def _require_fit(reply: Reply, allowed: Sequence[DecisionKind]) -> None:
    if reply["kind"] not in allowed:
        raise DecisionRefused(
            f"This review does not admit {reply['kind']!r}; it admits {', '.join(allowed)}."
        )
    _require_parts(reply)


def _read(raw: object, *, clarifying: bool) -> Reply:
    if isinstance(raw, Mapping) and "decisions" in raw:
        return _from_middleware(_only(raw["decisions"], "decisions"))
    if isinstance(raw, list):
        return _from_inbox(_only(raw, "the reply"), clarifying=clarifying)
    if isinstance(raw, Mapping) and "kind" in raw:
        return _from_native(raw)
    raise DecisionRefused(
        'A reply is {"decisions": [one decision]}, a list of one Agent Inbox response, or an '
        'object with "kind".'
    )


def _only(items: object, where: str) -> Mapping[str, Any]:
    if not isinstance(items, list) or len(items) != 1:
        count = len(items) if isinstance(items, list) else "no list of"
        raise DecisionRefused(f"{where} must hold exactly 1 decision; it holds {count}.")
    if not isinstance(items[0], Mapping):
        raise DecisionRefused(f"{where}[0] must be an object.")
    return items[0]


def _from_native(raw: Mapping[str, Any]) -> Reply:
    if raw["kind"] not in get_args(DecisionKind):
        raise DecisionRefused(
            f"kind: {raw['kind']!r} is no decision; use one of {', '.join(get_args(DecisionKind))}."
        )
    unknown = set(raw) - set(Reply.__annotations__)
    if unknown:
        raise DecisionRefused(f"{sorted(unknown)[0]}: a reply has no such field.")
    return cast(Reply, dict(raw))


def _from_middleware(item: Mapping[str, Any]) -> Reply:
    kind, message = item.get("type"), item.get("message", "")
    if not isinstance(message, str):
        raise DecisionRefused("message: must be text.")
    if kind == "approve":
        return {"kind": "approve", "comment": message} if message else {"kind": "approve"}
    if kind == "edit":
        action = item.get("edited_action")
        if not isinstance(action, Mapping) or action.get("name") != ACTION:
            raise DecisionRefused(f"edited_action.name: must be {ACTION!r}.")
        return _edited(action.get("args"), "edited_action.args")
    if kind == "reject":
        return _escalation(message) or {
            "kind": "reject",
            "reason": _reason_of(message),
            "comment": message,
        }
    if kind == "respond":
        return {"kind": "answer", "text": message}
    raise DecisionRefused(f"type: {kind!r} is none of approve, edit, reject, respond.")


def _from_inbox(item: Mapping[str, Any], *, clarifying: bool) -> Reply:
    kind, args = item.get("type"), item.get("args")
    if kind == "accept":
        return {"kind": "approve"}
    if kind == "edit":
        inner = args.get("args") if isinstance(args, Mapping) else None
        return _edited(inner, "args.args")
    if kind == "response":
        if not isinstance(args, str):
            raise DecisionRefused("args: a response carries text.")
        if escalation := _escalation(args):
            return escalation
        if clarifying:  # what is asked for is the missing information
            return {"kind": "answer", "text": args}
        return {"kind": "reject", "reason": _reason_of(args), "comment": args}
    raise DecisionRefused(f"type: {kind!r} is none of accept, edit, response.")


def _edited(args: object, where: str) -> Reply:
    text = args.get("text") if isinstance(args, Mapping) else None
    if not isinstance(text, str):
        raise DecisionRefused(f"{where}.text: must be the edited answer.")
    return {"kind": "edit", "text": text}


def _escalation(message: str) -> Reply | None:
    if not message.startswith(ESCALATE_PREFIX):
        return None
    head, _, why = message[len(ESCALATE_PREFIX) :].partition(":")
    return {"kind": "escalate", "tier": cast(Tier, head.strip()), "comment": why.strip()}


def _reason_of(message: str) -> RejectReason:
    """Return the reject reason that ``message`` starts with (``tone: too curt``), else other."""
    head = message.partition(":")[0].strip().lower().replace(" ", "_")
    return head if head in REJECT_REASONS else "other"


def _require_parts(reply: Reply) -> None:
    kind = reply["kind"]
    for field in reply:
        if field not in _PARTS[kind] and field not in ("kind", "id", "by", "at"):
            raise DecisionRefused(f"{field}: {kind} carries no such part.")
    for field in ("text", "comment"):
        if not isinstance(reply.get(field, ""), str):
            raise DecisionRefused(f"{field}: must be text.")
    if not isinstance(reply.get("fields", {}), dict):
        raise DecisionRefused("fields: must be an object of field id and value.")
    if kind == "edit":
        _require_edited(reply)
    if kind == "reject":
        if reply.get("reason") not in REJECT_REASONS:
            raise DecisionRefused(f"reason: a reject needs one of {', '.join(REJECT_REASONS)}.")
        if not _said(reply, "comment"):
            raise DecisionRefused("comment: a reject needs a sentence that says why.")
    if kind == "escalate":
        if reply.get("tier") not in ESCALATION_TIERS:
            raise DecisionRefused(
                f"tier: an escalation needs one of {', '.join(ESCALATION_TIERS)}."
            )
        if not _said(reply, "comment"):
            raise DecisionRefused("comment: an escalation needs a sentence that says why.")
    if kind == "answer" and not (_said(reply, "text") or reply.get("fields")):
        raise DecisionRefused("text: an answer needs the missing information.")


def _require_edited(reply: Reply) -> None:
    if not isinstance(reply.get("hold", False), bool):
        raise DecisionRefused("hold: must be true or false.")
    if "draft" not in reply:
        if not _said(reply, "text"):
            raise DecisionRefused("text: an edit needs the edited answer.")
        return
    try:
        _draft_form().validate_python(reply["draft"], strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in ("draft", *first["loc"]))
        raise DecisionRefused(f"{field}: {first['msg']}.") from None
    if reply["draft"]["kind"] == "abstain" or not reply["draft"]["sentences"]:
        raise DecisionRefused("draft.sentences: an edit needs the edited answer.")


@cache
def _draft_form() -> TypeAdapter[Draft]:
    return TypeAdapter(Draft)


def _said(reply: Reply, field: Literal["text", "comment"]) -> bool:
    return bool(reply.get(field, "").strip())
