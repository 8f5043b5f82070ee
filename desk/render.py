"""How the command line shows things: JSON for programs, Rich for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.vocabulary import Channel
from desk.bootstrap import Desk
from desk.contacts import ContactView, NewContact, NewMessage
from desk.delivery import DeliveryView
from desk.health import Part
from desk.permissions import Actor
from desk.render_changes import changes_report
from desk.reviews import DecisionOutcome, ReviewSummary, ReviewView
from desk.seeded_ends import SeededEnd, told_of
from desk.terminal import terminal
from graph.draft import draft_text
from graph.values import Citation, Draft
from retrieval.ports import Hit

MOST_LISTED: Final = 20


def hit_as_json(hit: Hit) -> dict[str, Any]:
    """Return one search result as the command line's contract has it."""
    passage = hit.passage
    return {
        "rank": hit.rank,
        "score": round(hit.score, 4),
        "article": passage.article_id,
        "version": passage.version,
        "anchor": passage.anchor,
        "heading": " › ".join(passage.heading_path),
        "text": passage.text,
        "title": passage.title,
        "passage_id": passage.id,
        "version_id": passage.version_id,
        "span": [passage.start, passage.end],
    }


def hits(found: Sequence[Hit]) -> None:
    """Print search results."""
    console = terminal()
    if not found:
        console.print("Nothing in force matches. Check the spelling, or sync the help center.")
    for hit in found:
        head = (
            f"{hit.rank}. {hit.passage.context}  ({hit.passage.article_id} v{hit.passage.version}"
        )
        head += f"#{hit.passage.anchor})" if hit.passage.anchor else ")"
        console.print(Text(head, style="bold"))
        console.print(Text(f"   {hit.passage.plain}\n"))


def sync_summary(report: Mapping[str, Any]) -> str:
    """Return in one line what a sync did."""
    counts = [
        f"{len(report['new'])} new",
        f"{len(report['changed'])} changed",
        f"{len(report['gone'])} gone",
        f"{report['unchanged']} unchanged",
    ]
    if report["failed"]:
        counts.append(f"{len(report['failed'])} not read")
    return f"{', '.join(counts)} in {report['seconds']:.1f} s."


def sync_report(report: Mapping[str, Any]) -> None:
    """Print what a sync did."""
    console = terminal()
    console.print(sync_summary(report))
    for article in report["new"][:MOST_LISTED]:
        console.print(Text(f"  new      {article}", style="green"))
    for version in report["changed"][:MOST_LISTED]:
        console.print(
            Text(f"  changed  {version['article_id']} is now version {version['new_version']}")
        )
    for article in report["gone"][:MOST_LISTED]:
        console.print(Text(f"  gone     {article}", style="yellow"))
    changes_report(console, report)
    for macro in report["withheld"][:MOST_LISTED]:
        console.print(Text(f"  withheld {macro['path']}: {macro['reason']}", style="yellow"))
    for article in report["released"][:MOST_LISTED]:
        console.print(Text(f"  released {article}", style="green"))
    for problem in report["notes"]:
        console.print(Text(f"  note     {problem['path']}: {problem['reason']}", style="dim"))
    for problem in report["failed"]:
        console.print(Text(f"  not read {problem['path']}: {problem['reason']}", style="red"))


def run_as_json(
    desk: Desk, actor: Actor, question: str, channel: Channel, name: str, status: str
) -> dict[str, Any]:
    """Carry one contact to its pause and return everything about it."""
    contact_id = desk.contacts.open(
        actor,
        NewContact(
            channel=channel,
            messages=[NewMessage("customer", question)],
            customer_name=name,
            customer_status="vip" if status == "vip" else "standard",
        ),
    )
    desk.contacts.wait_for_draft(contact_id)
    contact = desk.contacts.get(actor, contact_id)
    pending = [
        review
        for review in desk.reviews.of_contact(actor, contact_id)
        if review.status == "pending"
    ]
    if pending:
        return review_as_json(desk.reviews.get(actor, pending[-1].id), contact)
    released = [
        delivery
        for delivery in desk.deliveries.of_contact(actor, contact_id)
        if delivery.status in ("scheduled", "sending", "sent")
    ]
    return contact_as_json(contact, released[-1] if released else None)


def contact_as_json(contact: ContactView, answer: DeliveryView | None = None) -> dict[str, Any]:
    """Return a contact that waits for no review: escalated, failed, or answered by autopilot.

    Args:
        contact: The contact.
        answer: What left or is about to leave without a person; None for nothing.
    """
    outcome = "handoff" if contact.summary.status == "escalated" else contact.summary.status
    return {
        "contact": contact.summary.id,
        "status": contact.summary.status,
        "review": None,
        "outcome": "autopilot" if answer else outcome,
        "answer": answer and {"text": answer.text, "status": answer.status, "due": answer.due_at},
        "tier": contact.summary.tier,
        "triggers": contact.triggers,
        "reason": contact.summary.reason,
        "confidence": contact.summary.confidence,
        "draft": None,
        "citations": [],
        "flags": [],
        "brief": contact.brief,
        "failure": contact.failure or None,
    }


def review_as_json(view: ReviewView, contact: ContactView) -> dict[str, Any]:
    """Return a review with draft, citations, tier, triggers and flags."""
    return {
        "contact": contact.summary.id,
        "status": contact.summary.status,
        "review": view.summary.id,
        "outcome": {"answer": "draft", "clarify": "clarify", "abstain": "abstain"}[
            view.draft["kind"]
        ],
        "tier": view.triage["tier"],
        "triggers": view.triage["triggers"],
        "reason": view.classification["reason"],
        "confidence": view.classification["confidence"],
        "alternatives": view.classification["alternatives"],
        "sentiment": view.classification["sentiment"],
        "language": view.classification["language"],
        "intent": view.classification.get("intent"),
        "urgency": view.classification.get("urgency"),
        "missing": view.triage["missing"],
        "question": view.classification["question"],
        "draft": {**view.draft, "text": draft_text(view.draft)},
        "citations": _citations(view.draft),
        "check": view.check,
        "evidence": view.evidence,
        "changes": view.changes,
        "flags": _flags(view),
        "decisions": view.open_decisions,
        "decision": view.decision,
    }


def _citations(draft: Draft) -> list[Citation]:
    seen: dict[tuple[str, int, int], Citation] = {}
    for sentence in draft["sentences"]:
        for citation in sentence["citations"]:
            seen[citation["passage_id"], citation["start"], citation["end"]] = citation
    return list(seen.values())


def _flags(view: ReviewView) -> list[str]:
    flags: list[str] = sorted({finding["rule"] for finding in view.check["findings"]})
    if view.draft["kind"] == "abstain":
        flags.append("missing")
    if any(change["what"] == "source" for change in view.changes):
        flags.append("changed")
    return flags


def run_report(result: Mapping[str, Any]) -> None:
    """Print what `ask` found, for people."""
    console = terminal()
    _print_routing(console, result)
    if answer := result.get("answer"):
        _print_released(console, answer)
        return
    if result["brief" if "brief" in result else "draft"] is None or not result.get("draft"):
        _print_brief(console, result.get("brief"))
        if result.get("failure"):
            console.print(Text(result["failure"], style="red"))
        return
    _print_draft(console, result)
    console.print(Text(f"\nReview {result['review']} waits for a person.", style="bold"))


def _print_released(console: Console, answer: Mapping[str, Any]) -> None:
    """Print an answer that no person read, and when it leaves."""
    console.print(Text(f"\n{answer['text']}"))
    leaves = (
        "It has left."
        if answer["status"] == "sent"
        else f"It leaves at {answer['due']:%H:%M:%S} UTC; until then the outbox can call it back."
    )
    said = f"No person reads it first: its contact reason is on autopilot. {leaves}"
    console.print(Text(f"\n{said}", style="bold"))


def review_report(result: Mapping[str, Any]) -> None:
    """Print a review, for people."""
    console = terminal()
    _print_routing(console, result)
    for change in result["changes"]:
        console.print(Text(f"Changed: {change['sentence']}", style="yellow"))
        if change.get("old"):
            console.print(Text(f"  was: {change['old']}\n  now: {change.get('new') or '(gone)'}"))
    _print_draft(console, result)
    console.print(f"\nDecisions: {', '.join(result['decisions']) or 'none for you'}")


def _print_routing(console: Console, result: Mapping[str, Any]) -> None:
    reason = result["reason"] or "none of the contact reasons"
    console.print(
        Text(
            f"{result['tier'].replace('_', ' ')}: {reason} ({result['confidence']:.0%})",
            style="bold",
        )
    )
    for trigger in result["triggers"]:
        console.print(f"  {trigger['id']}: {trigger['evidence']}")


def _print_brief(console: Console, brief: Mapping[str, Any] | None) -> None:
    if not brief:
        return
    console.print(f"\nFor a person: {brief['next_step']}")
    if brief["instruction"]:
        console.print(Text(brief["instruction"], style="bold red"))
    console.print(f"They ask: {brief['question']}")
    for citation in brief["sources"]:
        console.print(f"  {citation['title']} (v{citation['version']}#{citation['anchor']})")


def _print_draft(console: Console, result: Mapping[str, Any]) -> None:
    draft = result["draft"]
    if not draft["sentences"]:
        console.print(f"\nNo draft: {draft['note'] or 'no source in force answers this.'}")
        return
    console.print(f"\n{draft['text']}\n")
    if draft["note"]:
        console.print(Text(draft["note"], style="yellow"))
    findings = {finding["sentence"]: finding for finding in result["check"]["findings"]}
    for number, sentence in enumerate(draft["sentences"]):
        for citation in sentence["citations"]:
            place = f"{citation['title']} v{citation['version']}#{citation['anchor']}"
            console.print(Text(f"  [{number + 1}] {place}: “{citation['quote']}”", style="dim"))
        if number in findings:
            console.print(Text(f"  [{number + 1}] {findings[number]['message']}", style="red"))


def checks_as_json(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a check of many texts found, one object a file."""
    failed = sum(not result["passed"] for result in results)
    return {
        "passed": failed == 0,
        "checked": len(results),
        "failed": failed,
        "files": list(results),
    }


def checks_report(results: Sequence[Mapping[str, Any]]) -> None:
    """Print what a check found, for people."""
    console = terminal()
    for result in results:
        for finding in result["findings"]:
            place = f"{result['path']}:{finding['line'] or '?'}: " if len(results) > 1 else ""
            number = f"Sentence {finding['sentence'] + 1}: "
            console.print(Text(f"{place}{number}{finding['message']}", style="red"))
        for trigger in result["triggers"]:
            console.print(Text(f"{trigger['id']}: {trigger['evidence']}", style="red"))
    failed = sum(not result["passed"] for result in results)
    if len(results) > 1:
        console.print(f"{len(results)} checked, {failed} failed.")
    elif not failed:
        console.print("Every sentence agrees with a source in force.")


def checks_to_github(results: Sequence[Mapping[str, Any]]) -> None:
    """Print what a check found as annotations that GitHub shows beside the line."""
    for result in results:
        for finding in result["findings"]:
            place = f"file={_escaped(result['path'], ':,')}"
            place += f",line={finding['line']}" if finding["line"] else ""
            print(f"::error {place}::{_escaped(finding['message'])}")


def _escaped(text: str, more: str = "") -> str:
    return "".join(f"%{ord(c):02X}" if c in f"%\r\n{more}" else c for c in text)


def reviews_as_json(reviews: Sequence[ReviewSummary]) -> list[dict[str, Any]]:
    """Return lines of the review queue."""
    return [asdict(review) for review in reviews]


def reviews_table(reviews: Sequence[ReviewSummary]) -> None:
    """Print the review queue."""
    if not reviews:
        terminal().print("No review waits.")
        return
    table = Table("tier", "reason", "kind", "findings", "due", "customer", "held by")
    table.add_column("review", no_wrap=True)
    for review in reviews:
        table.add_row(
            review.tier,
            review.reason or "-",
            review.kind,
            str(review.findings or ""),
            f"{review.due_at:%Y-%m-%d %H:%M}",
            Text(review.customer_name),
            review.claimed_by or "",
            review.id,
        )
    terminal().print(table)


def outcome_as_json(outcome: DecisionOutcome) -> dict[str, Any]:
    """Return what became of a decision."""
    return asdict(outcome)


def outcome_report(result: Mapping[str, Any]) -> None:
    """Print what became of a decision."""
    console = terminal()
    if seeded := result["seeded"]:
        for line in told_of(SeededEnd(**seeded)):
            console.print(Text(line))
        return
    if result["stopped"]:
        console.print(Text("The decision did not go through:", style="bold red"))
        for change in result["changes"]:
            console.print(f"  {change['sentence']}")
        if not result["changes"]:
            console.print("  The check holds something against the edited text.")
    else:
        status = result["contact_status"] or "being carried out"
        console.print(f"{result['kind']}: the contact is {status.replace('_', ' ')}.")
    if result["next_review_id"]:
        console.print(f"Next: review {result['next_review_id']}.")


def doctor_report(parts: Sequence[Part]) -> None:
    """Print how each part is."""
    for part in parts:
        style = "green" if part["ok"] else "red"
        mark = "ok   " if part["ok"] else "WRONG"
        terminal().print(Text(f"{mark} {part['part']:<11} {part['says']}", style=style))
