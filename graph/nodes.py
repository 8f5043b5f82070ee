"""The nodes of a run. Each rebuilds what it needs, asks one rule or port, returns plain values."""

from __future__ import annotations

from typing import Any, Final, Literal

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from core.errors import BadInput, DecisionRefused
from core.identifiers import new_id
from core.vocabulary import most_severe
from graph import evidence as evidence_rules
from graph.autopilot import BY_AUTOPILOT, Case, judge
from graph.draft import draft_digest, keep_writers
from graph.finding import find
from graph.interrupts import payload, read_decision
from graph.judging import judge_draft
from graph.ports import Deps
from graph.state import RunState
from graph.values import (
    Conversation,
    Decision,
    Draft,
    EvidenceChange,
    Finding,
    Triage,
    TriggerFiring,
)
from retrieval.ports import Hit

_SAYS_NOTHING: Final[Finding] = {
    "sentence": 0,
    "rule": "unsupported",
    "message": "The draft holds courtesies only; it tells the customer nothing.",
    "words": "",
    "source_words": "",
    "passage_id": None,
}


def _conversation(state: RunState, deps: Deps) -> Conversation:
    conversation = deps.conversations.load(state["contact_id"])
    known = {**conversation["customer"]["fields"], **state.get("answers", {})}
    return {**conversation, "customer": {**conversation["customer"], "fields": known}}


def _last_customer_message(conversation: Conversation) -> str:
    turns = [turn for turn in conversation["turns"] if turn["speaker"] == "customer"]
    if not turns:
        raise BadInput(f"Contact {conversation['contact_id']} has no message from the customer.")
    return turns[-1]["id"]


def _with_trigger(triage: Triage, firing: TriggerFiring) -> Triage:
    if any(trigger["id"] == firing["id"] for trigger in triage["triggers"]):
        return triage
    tier = most_severe([triage["tier"], firing["tier"]])
    return {**triage, "tier": tier, "triggers": [*triage["triggers"], firing]}


def _source_missing(evidence: str) -> TriggerFiring:
    return {
        "id": "source_missing",
        "tier": "review_required",
        "evidence": evidence,
        "by": "graph.nodes:source_missing",
    }


def intake(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Bind the run to the last customer message.

    A decision that a further message stopped is over: what follows is not its doing.
    """
    conversation = runtime.context.conversations.load(state["contact_id"])
    return {"last_message_id": _last_customer_message(conversation), "decision": None}


def classify(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Say what the contact is about."""
    deps = runtime.context
    return {"classification": deps.classifier.classify(_conversation(state, deps))}


def triage(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Decide tier, triggers, missing fields and route, before anything is drafted."""
    deps = runtime.context
    return {"triage": deps.rules.triage(_conversation(state, deps), state["classification"])}


def clarify(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Draft the question for what is missing; it is reviewed like any draft."""
    deps = runtime.context
    draft = deps.rules.clarifying_draft(_conversation(state, deps), state["triage"])
    return {"draft": draft}


def retrieve(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Find the passages in force that may answer."""
    deps = runtime.context
    hits = find(deps.search, state["classification"]["question"], deps.passages_per_draft)
    found: dict[str, Any] = {
        "hits": [
            {
                "passage_id": hit.passage.id,
                "score": hit.score,
                "cosine": hit.cosine,
                "lexical": hit.lexical,
            }
            for hit in hits
        ]
    }
    if not hits:
        found["triage"] = _with_trigger(
            state["triage"], _source_missing("no passage in force was found for the question")
        )
    return found


def draft(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Write the answer from what was found, or abstain."""
    deps = runtime.context
    written = deps.drafter.draft(
        _conversation(state, deps),
        state["classification"]["question"],
        _hits(state, deps),
        state.get("feedback", ""),
        lambda piece: runtime.stream_writer({"draft_text": piece}),
    )
    update: dict[str, Any] = {"draft": written, "attempt": state.get("attempt", 0) + 1}
    if written["kind"] == "abstain":
        firing = _source_missing(written["note"] or "no source in force answers the question")
        update["triage"] = _with_trigger(state["triage"], firing)
    return update


def _hits(state: RunState, deps: Deps) -> list[Hit]:
    found = state.get("hits", [])
    passages = deps.sources.passages([hit["passage_id"] for hit in found])
    refused = set(state.get("refused", []))
    return [
        Hit(rank, hit["score"], passages[hit["passage_id"]], hit["cosine"], hit["lexical"])
        for rank, hit in enumerate(found, start=1)
        if hit["passage_id"] in passages and passages[hit["passage_id"]].content_hash not in refused
    ]


def _newly_refused(state: RunState, decision: Decision) -> set[str]:
    """Return the hashes of the passages that a reviewer says are the wrong ones."""
    if decision.get("reason") not in ("wrong_source", "out_of_date", "wrong_answer"):
        return set()
    return {c["content_hash"] for s in state["draft"]["sentences"] for c in s["citations"]}


def _judge(draft: Draft, state: RunState, deps: Deps) -> dict[str, Any]:
    """Return what is held against ``draft`` and the evidence an approval is bound to."""
    report, disputes = judge_draft(draft, state["classification"]["question"], deps)
    if draft["kind"] != "abstain" and not draft["sentences"]:
        findings = [*report["findings"], _SAYS_NOTHING]
        report = {**report, "passed": False, "findings": findings}
    evidence = evidence_rules.evidence_of(draft, state["last_message_id"], disputes)
    return {"check": report, "evidence": evidence}


def check(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Judge the draft against its sources and bind the coming approval to its evidence."""
    return _judge(state["draft"], state, runtime.context)


def autopilot(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Decide whether the draft leaves without a person; what then follows is an approval's way."""
    deps = runtime.context
    classification, evidence = state["classification"], state["evidence"]
    articles = evidence_rules.cited_articles(state["draft"])
    clearance = None
    if deps.autonomy is not None:
        clearance = deps.autonomy.clearance(state["contact_id"], classification["reason"], articles)
    conversation = deps.conversations.load(state["contact_id"])
    case = Case(
        classification=classification,
        triage=state["triage"],
        draft=state["draft"],
        check=state["check"],
        evidence=evidence,
        clearance=clearance,
        written_by_run="attempt" in state and bool(state.get("thread")),
        decided_before=state.get("decision") is not None,
        answered_before=any(turn["speaker"] != "customer" for turn in conversation["turns"]),
    )
    verdict = judge(case)
    if not (verdict["leaves"] and clearance and classification["reason"]):
        return {"autopilot": {**verdict, "leaves": False}}
    decision: Decision = {
        "id": new_id("dec"),
        "kind": "approve",
        "by": BY_AUTOPILOT,
        "at": deps.clock.now().isoformat(),
        "ground": {
            "thread": state["thread"],
            "reason": classification["reason"],
            "round": clearance["round"],
            "tier": state["triage"]["tier"],
            "confidence": classification["confidence"],
            "e_value": clearance["e_value"],
            "evidence": evidence,
        },
    }
    return {"autopilot": verdict, "decision": decision, "changes": [], "sent_back": False}


def review(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Wait for a person. The only interrupt: no effects, reads nothing that changes."""
    reply = interrupt(payload(state, runtime.context.interrupt_shape))
    try:
        decision = read_decision(reply, state)
    except DecisionRefused as refusal:
        return {"reply_error": refusal.message}
    answers = {**state.get("answers", {}), **decision.get("fields", {})}
    # A rejected draft is written again with the reviewer's words; anything else starts afresh.
    rejected = decision["kind"] == "reject"
    feedback = f"{decision.get('reason')}: {decision.get('comment')}" if rejected else ""
    refused = {*state.get("refused", []), *_newly_refused(state, decision)}
    return {
        "decision": decision,
        "answers": answers,
        "feedback": feedback,
        "reply_error": "",
        "changes": [],
        "sent_back": False,
        "refused": sorted(refused),
    }


def recheck(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Compute the evidence again at the moment of approval; stop the approval if it changed.

    What changed without touching what the draft relies on is kept in ``noted`` for the record.
    """
    deps = runtime.context
    decision = _decided(state)
    conversation = deps.conversations.load(state["contact_id"])
    found = evidence_rules.look_again(
        state["evidence"],
        state["draft"],
        _last_customer_message(conversation),
        deps.sources,
        deps.changes,
        deps.disputes,
    )
    if decision["kind"] == "approve":
        if not found.stops:
            return {"changes": [], "sent_back": False, "noted": found.notes}
        return _send_back(state["draft"], _judge(state["draft"], state, deps), found.stops)
    # An edit is judged on what it cites itself.
    changes = [change for change in found.stops if change["what"] in ("message", "draft")]
    edited = _edited_draft(state, decision, deps)
    judged = _judge(edited, state, deps)
    if changes or decision.get("hold") or not judged["check"]["passed"]:
        return _send_back(edited, judged, changes)
    return {"draft": edited, **judged, "changes": [], "sent_back": False, "noted": []}


def _send_back(
    draft: Draft, judged: dict[str, Any], changes: list[EvidenceChange]
) -> dict[str, Any]:
    return {"draft": draft, **judged, "changes": changes, "sent_back": True, "noted": []}


def _decided(state: RunState) -> Decision:
    decision = state["decision"]
    if decision is None:
        raise ValueError("the run came past its review without a decision")
    return decision


def _edited_draft(state: RunState, decision: Decision, deps: Deps) -> Draft:
    drafter = f"person:{decision['by']}"
    if "draft" in decision:
        own = decision["draft"]["drafter"]
        # What the assistant wrote at a person's request is no person's rewriting of a source, and
        # what a model wrote is checked as a model's.
        keeps = decision.get("hold") and own and not own.startswith("person:")
        draft = keep_writers(keep_writers(decision["draft"], decision["draft"]), state["draft"])
        return {**draft, "drafter": own if keeps else drafter}
    text = decision.get("text", "")
    known = [hit["passage_id"] for hit in state.get("hits", [])]
    known += evidence_rules.cited_passage_ids(state["draft"])
    candidates = deps.sources.passages(known)
    candidates |= {hit.passage.id: hit.passage for hit in deps.search.search(text, 10)}
    articles = [passage.article_id for passage in candidates.values()]
    in_force = set(deps.sources.versions_in_force(articles).values())
    current = [passage for passage in candidates.values() if passage.version_id in in_force]
    kind: Literal["answer", "clarify"] = (
        "clarify" if state["draft"]["kind"] == "clarify" else "answer"
    )
    return keep_writers(deps.citer.cite(text, current, drafter, kind), state["draft"])


def deliver(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Hand the approved answer to the outbox, keyed by its decision."""
    decision = _decided(state)
    runtime.context.outbox.put(decision["id"], state["contact_id"], state["draft"], decision)
    return {"outcome": "asked" if state["draft"]["kind"] == "clarify" else "answered"}


def handoff(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Hand the contact to a person, brief first; there is no customer draft."""
    deps = runtime.context
    found = deps.search.search(state["classification"]["question"], deps.passages_per_draft)
    routed, decision = state["triage"], state.get("decision")
    if decision and decision["kind"] == "escalate":
        routed = {**routed, "tier": most_severe([routed["tier"], decision.get("tier", "allowed")])}
    conversation = _conversation(state, deps)
    brief = deps.rules.brief(conversation, state["classification"], routed, found)
    if decision and decision["kind"] == "escalate":
        brief["comment"] = decision.get("comment", "")
    key = decision["id"] if decision else f"{state['contact_id']}:{state['last_message_id']}"
    deps.handoffs.open(key, state["contact_id"], brief, routed["owner"])
    return {"brief": brief, "triage": routed, "outcome": "escalated"}


def record(state: RunState, runtime: Runtime[Deps]) -> dict[str, Any]:
    """Write down how the run ended."""
    decision = state.get("decision")
    key = decision["id"] if decision else f"{state['contact_id']}:{state['last_message_id']}"
    data: dict[str, object] = {
        "outcome": state["outcome"],
        "tier": state["triage"]["tier"],
        "reason": state["classification"]["reason"],
        "triggers": [trigger["id"] for trigger in state["triage"]["triggers"]],
    }
    if decision:
        data |= {"decision": decision["kind"], "by": decision["by"]}
    if state["outcome"] != "escalated":
        data["draft_digest"] = draft_digest(state["draft"])
    if noted := state.get("noted"):
        data["noted"] = noted
    runtime.context.ledger.record(f"{key}:recorded", state["contact_id"], "run.recorded", data)
    return {}
