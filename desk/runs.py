"""Carries contacts through the graph. The only module of the desk that runs LangGraph.

The checkpointer remembers where each contact stands; the rows of contact and review are what the
queues read. Every function here may be called again after a crash at any point: it looks where the
thread stands and goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.types import Command, StateSnapshot
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.errors import NotFound
from core.locks import Locks
from core.logs import about
from core.tracing import span
from core.vocabulary import ContactStatus
from desk.audit import DESK, write_audit
from desk.contacts import contact_of, get_contact, hold_contact, run_of
from desk.models import UNPRUNED_CONTACT, Contact, Delivery, Review
from desk.outcomes import note_decision, note_return
from desk.review_opening import open_review
from desk.rewrites import note_rewrites
from desk.risk import due_at, risk_of
from desk.uses import let_go, let_go_of_drafts, rest_on
from graph.build import RunGraph
from graph.evidence import cited_articles, look_again
from graph.ports import Deps
from graph.reading import OneReading
from graph.state import RunState
from graph.values import EvidenceChange, Finding
from kb.models import Article

RECURSION_LIMIT = 50
PRUNED_AT_ONCE = 200
ENDED_STATUSES: tuple[ContactStatus, ...] = ("answered", "waiting", "escalated", "closed")
"""Their run has come to its end; whatever follows is another run."""


class Runs:
    """Starts, resumes and settles runs.

    Args:
        graph: Compiled with a checkpointer.
        deps: Handed to every call: LangGraph does not keep it with the checkpoint.
        sla_minutes: Contact reason → minutes, None when the reason has no SLA.
        locks: Keeps two jobs off one thread: one that is taken up after a crash may meet the next.
    """

    def __init__(
        self,
        graph: RunGraph,
        deps: Deps,
        database: Database,
        clock: Clock,
        sla_minutes: Callable[[str | None], int | None],
        locks: Locks,
    ) -> None:
        self._graph = graph
        self._deps = deps
        self._database = database
        self._clock = clock
        self._sla_minutes = sla_minutes
        self._locks = locks

    def carry(self, thread: str) -> str:
        """Carry a run from where it stands to its first pause or its end; return where it is."""
        contact_id = contact_of(thread)
        with self._database.write() as session:
            contact = hold_contact(session, contact_id)
            if contact.thread != thread:
                return "superseded"
            if contact.pruned_run >= contact.run:
                return contact.status
            if session.scalar(select(Review.id).where(Review.thread == thread).limit(1)):
                return contact.status  # it has paused before: what follows is a decision's matter
            brought = contact.brought_draft
            if contact.status == "new":
                contact.status = "drafting"
        with self._locks.hold(thread):
            snapshot = self._snapshot(thread)
            if not snapshot.created_at:
                start: dict[str, Any] = {"contact_id": contact_id, "thread": thread}
                if brought:
                    start["draft"] = brought
                self._invoke(start, thread)
            elif _broke_off(snapshot):
                self._invoke(None, thread)
            return self._settle(contact_id, thread, None)

    def resume(self, review_id: str) -> str:
        """Carry out the decision on a review; return the contact's status."""
        with self._database.read() as session:
            review = session.get(Review, review_id)
            if review is None or review.decision is None:
                raise NotFound(f"There is no decided review {review_id!r}.")
            contact = get_contact(session, review.contact_id)
            if run_of(review.thread) <= contact.pruned_run:
                return contact.status
        with self._locks.hold(review.thread), about(review_id=review_id):
            return self._resume(review, review.decision)

    def _resume(self, review: Review, decision: dict[str, Any]) -> str:
        snapshot = self._snapshot(review.thread)
        if any(pending.id == review.interrupt_id for pending in snapshot.interrupts):
            self._invoke(Command(resume={review.interrupt_id: decision}), review.thread)
        elif _broke_off(snapshot):
            self._invoke(None, review.thread)
        return self._settle(review.contact_id, review.thread, review.id)

    def prune(self, before: datetime) -> int:
        """Delete the checkpoints of contacts that ended ``before``; return of how many contacts.

        What people and audits want to know of a run stands in the records; only a pause needs its
        checkpoints. A contact that goes on starts a new run.
        """
        count = 0
        while ended := self._ended(before):
            for contact_id, pruned, run in ended:
                for number in range(pruned + 1, run + 1):
                    self._checkpointer.delete_thread(f"{contact_id}:{number}")
            with self._database.write() as session:
                for contact_id, _, run in ended:
                    its = update(Contact).where(Contact.id == contact_id)
                    session.execute(its.values(pruned_run=run))
            count += len(ended)
        return count

    def _ended(self, before: datetime) -> list[tuple[str, int, int]]:
        query = (
            select(Contact.id, Contact.pruned_run, Contact.run)
            .where(text(UNPRUNED_CONTACT), Contact.updated_at < before)
            .where(Contact.status.in_(ENDED_STATUSES))
            .order_by(Contact.updated_at)
            .limit(PRUNED_AT_ONCE)
        )
        with self._database.read() as session:
            return [(row.id, row.pruned_run, row.run) for row in session.execute(query)]

    @property
    def _checkpointer(self) -> BaseCheckpointSaver[Any]:
        saver = self._graph.checkpointer
        if not isinstance(saver, BaseCheckpointSaver):
            raise TypeError("the graph was compiled without a checkpointer")
        return saver

    def fail(self, thread: str, cause: str) -> None:
        """Put a contact whose run cannot go on before a person, with the cause in words."""
        contact_id = contact_of(thread)
        with self._database.write() as session:
            contact = hold_contact(session, contact_id)
            if contact.thread != thread:  # a newer run speaks for the contact
                return
            let_go_of_drafts(session, contact_id)
            contact.status = "failed"
            contact.failure = cause
            contact.updated_at = self._clock.now()
            write_audit(
                session,
                self._clock.now(),
                DESK,
                "run.failed",
                contact_id=contact_id,
                data={"cause": cause},
            )

    def fail_resume(self, review_id: str, cause: str) -> None:
        """As :meth:`fail`, for the contact of a decided review."""
        with self._database.read() as session:
            thread = session.get_one(Review, review_id).thread
        self.fail(thread, cause)

    def _snapshot(self, thread: str) -> StateSnapshot:
        return self._graph.get_state({"configurable": {"thread_id": thread}})

    def _invoke(self, given: Any, thread: str) -> None:
        deps = self._deps
        reading = OneReading(deps.conversations, deps.search, deps.sources)
        with about(contact_id=contact_of(thread)), span("run"):
            self._graph.invoke(
                given,
                {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_LIMIT},
                context=replace(deps, conversations=reading, search=reading, sources=reading),
                durability="sync",
            )

    def _settle(self, contact_id: str, thread: str, decided_review: str | None) -> str:
        snapshot = self._snapshot(thread)
        state = cast(RunState, snapshot.values)
        stale = self._changed_meanwhile(state) if snapshot.interrupts else []
        with self._database.write() as session:
            contact = hold_contact(session, contact_id)
            if decided_review:
                self._settle_review(session, decided_review, state)
                let_go(session, decided_review)
            if contact.thread != thread:  # undone or reopened meanwhile: the new run speaks
                return contact.status
            self._describe(contact, state)
            note_return(session, contact, state, self._clock.now())
            if snapshot.interrupts:
                self._open_review(session, contact, thread, snapshot.interrupts[0].id, state, stale)
                contact.status = "in_review"
            else:
                contact.status = _status_of_ended(session, contact, state)
            return contact.status

    def _describe(self, contact: Contact, state: RunState) -> None:
        triage, classification = state["triage"], state["classification"]
        contact.tier = triage["tier"]
        contact.triggers = list(triage["triggers"])
        contact.lacks_details = bool(triage["missing"])
        contact.risk = risk_of(triage["tier"], triage["triggers"])
        contact.reason = classification["reason"]
        contact.confidence = classification["confidence"]
        contact.updated_at = self._clock.now()
        if contact.due_at is None:
            contact.due_at = due_at(contact.created_at, self._sla_minutes(contact.reason))

    def _settle_review(self, session: Session, review_id: str, state: RunState) -> None:
        review = session.get_one(Review, review_id)
        stopped = bool(state.get("changes")) or bool(state.get("sent_back"))
        if not stopped and state.get("outcome") in ("answered", "asked"):
            note_rewrites(session, review, state["draft"], self._clock.now())
        if not stopped:
            note_decision(session, review, state, self._clock.now())
        if not stopped or review.status != "decided":
            return
        review.status = "returned"
        write_audit(
            session,
            self._clock.now(),
            DESK,
            "review.returned",
            contact_id=review.contact_id,
            review_id=review_id,
            data={
                "changes": state.get("changes", []),
                "findings": [_without_words(one) for one in state["check"]["findings"]],
            },
        )

    def _changed_meanwhile(self, state: RunState) -> list[EvidenceChange]:
        """Return what changed under a draft since it was written.

        What the recheck has just found stands in the state already.
        """
        if state.get("sent_back") or not self._late(state):
            return []
        message = state["evidence"]["last_message_id"]
        deps = self._deps
        return look_again(
            state["evidence"], state["draft"], message, deps.sources, deps.changes
        ).stops

    def _open_review(
        self,
        session: Session,
        contact: Contact,
        thread: str,
        interrupt_id: str,
        state: RunState,
        stale: list[EvidenceChange],
    ) -> None:
        known = select(Review.id).where(
            Review.thread == thread, Review.interrupt_id == interrupt_id
        )
        if session.scalar(known):
            return
        now = self._clock.now()
        review = open_review(
            session, contact, state, interrupt_id=interrupt_id, at=now, stale=stale
        )
        rest_on(session, review.id, contact.id, state["draft"], now)
        self._ask_for_a_look(session, state, now)

    def _ask_for_a_look(self, session: Session, state: RunState, now: datetime) -> None:
        """Have a sync that came while the draft was written looked at again.

        It found nothing that rests on what it changed; the next one, or the night, will.
        """
        if late := self._late(state):
            session.execute(update(Article).where(Article.id.in_(late)).values(assess_at=now))

    def _late(self, state: RunState) -> set[str]:
        """Return the cited articles that a sync changed while the draft was written."""
        if not (articles := cited_articles(state["draft"])):
            return set()
        in_force = set(self._deps.sources.versions_in_force(articles).values())
        return {
            version["article_id"]
            for version in state["evidence"]["versions"]
            if version["version_id"] not in in_force
        }


def _without_words(finding: Finding) -> dict[str, Any]:
    """Return what the trail, which keeps everything for ever, may hold of a finding."""
    return {name: finding[name] for name in ("sentence", "rule", "passage_id")}


def _broke_off(snapshot: StateSnapshot) -> bool:
    """Tell whether a run neither waits nor has ended: its process died on the way.

    Not by ``next``: that is empty, too, when a node's writes were saved and the step after was not.
    """
    return bool(snapshot.tasks) and not snapshot.interrupts


def _status_of_ended(session: Session, contact: Contact, state: RunState) -> ContactStatus:
    if state["outcome"] == "escalated":
        return "escalated"
    decision = state["decision"]
    key = decision["id"] if decision else ""
    delivery = session.scalar(select(Delivery).where(Delivery.key == key))
    if delivery is not None and delivery.status in ("sent", "failed", "undone"):
        return contact.status  # its delivery was faster and has said what became of it
    return "scheduled"
