"""Seeded checks: drafts with a known fault that wait among the others, and who catches them.

A check copies a question that was asked and the draft that answered it, with one fault in it. It
looks like any other review until it is decided; then whoever decided it is told what it was. There
is no run behind it, so nothing of it can be carried out or sent.

Only reading finds a fault that the check lets through; whether marks are heeded is the lesser
question. So as long as such faults can be made, half of what is placed is unmarked, or more.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import Clock
from core.database import Database
from core.identifiers import new_id, text_digest
from desk.audit import DESK, write_audit
from desk.autonomy_models import AutonomyEvidence
from desk.contacts import hold_contact
from desk.models import Contact, Message, Person, Review
from desk.operations_file import SeededSection
from desk.permissions import Actor, require
from desk.qa_models import SEEDED, SeededCheck, SeededLook
from desk.review_opening import open_review
from desk.sampling import exact_share
from desk.seeded_ends import SeededEnd, SeededOutcome, seeded_contacts, withdraw_seeded
from graph.autopilot import Case, judge
from graph.evidence import cited_articles, cited_passage_ids, evidence_of
from graph.faults import Fault, FaultKind, added_words, faults_in, with_fault
from graph.interrupts import allowed_decisions
from graph.judging import judge_draft
from graph.ports import Deps
from graph.state import RunState
from graph.values import AutopilotVerdict, CheckReport, Clearance, Dispute, Draft
from kb.content import Passage
from kb.counterparts import counterpart
from kb.library import Library

COPIED_TIERS: Final = ("allowed", "review_required")
_LOOKS_BACK: Final = timedelta(days=1)
"""How far back a look counts when the last one is longer ago, or when there was none."""
_LATEST_DONORS: Final = 200
_DONORS_TRIED: Final = 8
_FAULTS_TRIED: Final = 24
_NOT_AGAIN: Final = 8
"""How many checks back words that were added are not added again."""
_UNMARKED: Final = 0.5
"""Share of the latest checks from which down one that is unmarked is looked for in every kind."""
_LATEST: Final = 20
_OTHERS: Final = 20
"""How many good answers are looked at for a sentence that answers another question."""
_LEAST_TIME: Final = timedelta(minutes=15)
_MOST_READ: Final = 5_000
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Seed:
    """A faulty draft, judged and ready to be placed."""

    donor: str
    fault: Fault
    draft: Draft
    report: CheckReport
    disputes: list[Dispute]
    verdict: AutopilotVerdict

    @property
    def marked(self) -> bool:
        """Whether the check holds something against the faulty sentence, or another."""
        return bool(self.report["findings"])


@dataclass(frozen=True, slots=True)
class CatchRate:
    """What one person made of the checks they decided.

    Attributes:
        met: Checks that they decided, without those that ended in neither.
        caught: How many of them they caught.
        low: Lower limit of the exact 95 % interval of the share caught.
        high: Its upper limit.
        unmarked_met: Of these, checks whose fault the check had not marked.
        unmarked_caught: How many of those they caught.
        dwell_caught: Median seconds from taking a check up to catching it; None for none.
        dwell_missed: The same for those they missed.
    """

    person_id: str
    name: str
    met: int
    caught: int
    low: float
    high: float
    unmarked_met: int
    unmarked_caught: int
    dwell_caught: float | None
    dwell_missed: float | None


@dataclass(frozen=True, slots=True)
class SeededLine:
    """One check that has ended."""

    review_id: str
    contact_id: str
    at: datetime
    by: str
    decision: str
    dwell_seconds: float | None
    end: SeededEnd


class SeededChecks:
    """Places checks and tells who catches them.

    Args:
        section: What the workspace wants; asked anew each time.
        library: Where the passages and their earlier versions are.
        deps: What drafts are judged with.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        section: Callable[[], SeededSection],
        library: Library,
        deps: Callable[[], Deps],
    ) -> None:
        self._database = database
        self._clock = clock
        self._section = section
        self._library = library
        self._deps = deps

    # Placing

    def place(self) -> int:
        """Place as many checks as the reviews opened since the last look call for; return how many.

        Of two processes that look at once one places, the other leaves it.
        """
        section, now = self._section(), self._clock.now()
        self.withdraw_outdated()
        if section.rate == 0:
            return 0
        with self._database.read() as session:
            look = session.get(SeededLook, 1)
            before = look.at if look else None
            since = max(before, now - _LOOKS_BACK) if before else now - _LOOKS_BACK
            opened = _opened(session, since, now)
            owed = min(
                (look.owed if look else 0.0) + section.rate * opened, float(section.most_waiting)
            )
            room = section.most_waiting - _waiting(session)
        wanted = max(0, min(int(owed + _ROUNDING), room))
        seeds = self._make(wanted, section, random.Random(text_digest(now.isoformat())))
        try:
            with self._database.write() as session:
                held = session.get(SeededLook, 1, with_for_update=True)
                if (held.at if held else None) != before:
                    return 0  # another process looked meanwhile
                held = held or SeededLook(id=1)
                held.at, held.owed = now, owed - len(seeds)
                session.add(held)
                session.flush()
                for seed in seeds:
                    self._put(session, seed, now)
        except IntegrityError:  # two looked for the first time at once: the other one placed
            return 0
        return len(seeds)

    def withdraw_outdated(self) -> None:
        """End the waiting checks whose sources changed: the desk stops such an approval by itself."""
        now = self._clock.now()
        query = (
            select(Review.id, Review.contact_id, Review.state)
            .join(SeededCheck, SeededCheck.review_id == Review.id)
            .where(SeededCheck.resolved_at.is_(None))
        )
        with self._database.read() as session:
            waiting = session.execute(query).tuples().all()
        for review_id, contact_id, state in waiting:
            cited = {one["article_id"]: one["version_id"] for one in state["evidence"]["versions"]}
            if self._library.versions_in_force(list(cited)) == cited:
                continue
            with self._database.write() as session:
                contact = hold_contact(session, contact_id)
                review = session.get_one(Review, review_id)
                if review.status == "pending":
                    review.status = "withdrawn"
                    withdraw_seeded(session, contact, now)

    def _make(self, count: int, section: SeededSection, rng: random.Random) -> list[Seed]:
        if not count:
            return []
        made: list[Seed] = []
        said, marks = self._latest()
        donors = self._donors(count * _DONORS_TRIED, rng)
        others = self._good_answers(_OTHERS, rng)
        while len(made) < count and (
            seed := self._best(donors, section.kinds, rng, said, marks, others)
        ):
            made.append(seed)
            said.add(seed.fault.added)
            marks.append(seed.marked)
            donors = [review for review in donors if review.id != seed.donor]
        return made

    def _best(
        self,
        donors: Sequence[Review],
        kinds: Sequence[FaultKind],
        rng: random.Random,
        said: set[str],
        marks: Sequence[bool],
        others: Sequence[Review],
    ) -> Seed | None:
        """Return a check of a kind that is drawn; None if none can be made.

        One that the check lets through comes first, for only a reader finds it; while there were
        few of them, before the kind that was drawn.

        Args:
            donors: Reviews to copy.
            kinds: Kinds of fault that the workspace wants.
            rng: Chooses.
            said: What was said lately.
            marks: Of the latest checks, whether their fault was marked.
            others: Good answers, to take a sentence from that answers another question.
        """
        too_few = marks.count(False) <= _UNMARKED * len(marks)
        marked: Seed | None = None
        for kind in rng.sample(list(kinds), len(kinds)):
            for review in donors[:_DONORS_TRIED]:
                elsewhere = [one for one in others if one.reason != review.reason]
                seed = self._seed_from(review, kind, rng, said, elsewhere)
                if seed and not seed.marked:
                    return seed
                marked = marked or seed
            if marked and not too_few:
                return marked
        return marked

    def _latest(self) -> tuple[set[str], list[bool]]:
        """Return the words that the latest checks added, and whether they were marked.

        Words that come again and again give them away.
        """
        query = (
            select(SeededCheck.before, SeededCheck.after, SeededCheck.marked)
            .order_by(SeededCheck.id.desc())
            .limit(max(_LATEST, _NOT_AGAIN))
        )
        with self._database.read() as session:
            latest = session.execute(query).tuples().all()
        said = {added_words(before, after) for before, after, _ in latest[:_NOT_AGAIN]}
        return said, [marked for _, _, marked in latest[:_LATEST]]

    def _donors(self, most: int, rng: random.Random) -> list[Review]:
        """Return reviews to copy, in random order: answers that were approved as they stood.

        None that was copied before, and none that waits: its twin would stand beside it.
        """
        used = select(SeededCheck.source_contact_id)
        return self._good_answers(most, rng, Review.contact_id.not_in(used))

    def _good_answers(
        self, most: int, rng: random.Random, *conditions: ColumnElement[bool]
    ) -> list[Review]:
        """Return some of the latest answers that were approved as they stood and not found wrong."""
        wrong = select(AutonomyEvidence.review_id).where(
            AutonomyEvidence.review_id.is_not(None), AutonomyEvidence.loss > 0
        )
        approved = (
            select(Review.id)
            .join(Contact, Contact.id == Review.contact_id)
            .where(
                Review.kind == "answer",
                Review.status == "decided",
                Review.decision["kind"].as_string() == "approve",
                Review.findings == 0,
                Review.changed.is_(False),
                Review.tier.in_(COPIED_TIERS),
                Contact.status.in_(("answered", "closed")),
                Contact.origin != SEEDED,
                Review.id.not_in(wrong),
                *conditions,
            )
            .order_by(Review.id.desc())
            .limit(_LATEST_DONORS)
        )
        with self._database.read() as session:
            ids = list(session.scalars(approved))
            rng.shuffle(ids)
            found = session.scalars(select(Review).where(Review.id.in_(ids[:most]))).all()
        return sorted(found, key=lambda review: ids.index(review.id))

    def _seed_from(
        self,
        review: Review,
        kind: FaultKind,
        rng: random.Random,
        said: set[str],
        elsewhere: Sequence[Review] = (),
    ) -> Seed | None:
        """Return a check made from a review, one that the check lets through if there is one.

        Args:
            review: The review to copy.
            kind: The kind of fault.
            rng: Chooses.
            said: Words that are not to be added.
            elsewhere: Reviews of answers to other questions.
        """
        draft = cast(Draft, review.state["draft"])
        in_force = set(self._library.versions_in_force(cited_articles(draft)).values())
        passages = self._library.passages(cited_passage_ids(draft))
        if any(passage.version_id not in in_force for passage in passages.values()):
            return None
        former = self._former(passages) if kind == "old_value" else {}
        classification = review.state["classification"]
        autonomy = self._deps().autonomy
        clearance = (
            autonomy.clearance(review.contact_id, classification["reason"], cited_articles(draft))
            if autonomy is not None
            else None
        )
        marked: Seed | None = None
        others = [one for other in elsewhere for one in other.state["draft"]["sentences"]]
        for fault in faults_in(draft, passages, former, kind, rng, others)[:_FAULTS_TRIED]:
            if fault.added in said:
                continue
            faulty = with_fault(draft, fault)
            report, disputes = judge_draft(faulty, classification["question"], self._deps())
            if "approve" not in allowed_decisions(_state(review, faulty, report)):
                continue  # the desk itself would stop it: that checks nobody
            verdict = _verdict(review, faulty, report, disputes, clearance)
            if verdict["leaves"]:
                continue  # no person would see it
            seed = Seed(review.id, fault, faulty, report, disputes, verdict)
            if not seed.marked:
                return seed
            marked = marked or seed
        return marked

    def _former(self, passages: Mapping[str, Passage]) -> dict[str, list[Passage]]:
        """Return cited passage → how earlier versions of its article said it, the newest first."""
        editions = {
            version: self._library.editions(version)[1:]
            for version in {passage.version_id for passage in passages.values()}
        }
        return {
            key: [
                then
                for edition in editions[passage.version_id]
                if (then := counterpart(passage, edition)) and then.plain != passage.plain
            ]
            for key, passage in passages.items()
        }

    def _put(self, session: Session, seed: Seed, now: datetime) -> None:
        """Write a contact and its review, as a run that has paused would have left them."""
        donor = session.get_one(Review, seed.donor)
        asked = session.get_one(Contact, donor.contact_id)
        contact, new_ids = _copied_contact(asked, donor, now)
        last = [message for message in contact.messages if message.speaker == "customer"][-1].id
        state: dict[str, Any] = {
            **_state(donor, seed.draft, seed.report),
            "contact_id": contact.id,
            "evidence": evidence_of(seed.draft, last, seed.disputes),
            "triage": _about(donor.state["triage"], new_ids),
            "autopilot": seed.verdict,
        }
        contact.triggers = list(state["triage"]["triggers"])
        session.add(contact)
        session.flush()
        opened = {"channel": contact.channel, "origin": SEEDED}
        write_audit(session, now, DESK, "contact.opened", contact_id=contact.id, data=opened)
        review = open_review(
            session,
            contact,
            cast(RunState, state),
            # As LangGraph's look: 32 hexadecimal digits.
            interrupt_id=text_digest(contact.id)[:32],
            at=now,
            told={"origin": SEEDED},
        )
        session.add(
            SeededCheck(
                id=new_id("chk"),
                contact_id=contact.id,
                review_id=review.id,
                source_contact_id=asked.id,
                reason=contact.reason,
                kind=seed.fault.kind,
                sentence=seed.fault.sentence,
                before=seed.fault.before,
                after=seed.fault.after,
                marked=seed.marked,
                placed_at=now,
            )
        )

    # Reading

    def catch_rates(self, actor: Actor, since: datetime | None = None) -> list[CatchRate]:
        """Return what people made of the checks they decided, by name.

        Whoever reads the QA sample sees everybody; others see themselves.

        Args:
            actor: Who asks.
            since: Only checks that ended from then on.
        """
        require(actor, "decide_own")
        query = (
            select(
                SeededCheck.resolved_by,
                SeededCheck.outcome,
                SeededCheck.marked,
                SeededCheck.dwell_seconds,
            )
            .where(SeededCheck.outcome.in_(("caught", "missed")))
            .order_by(SeededCheck.resolved_at.desc())
            .limit(_MOST_READ)
        )
        if since:
            query = query.where(SeededCheck.resolved_at >= since)
        if not actor.may("sample_quality"):
            query = query.where(SeededCheck.resolved_by == actor.id)
        ended: dict[str, list[tuple[bool, bool, float | None]]] = {}
        with self._database.read() as session:
            for person, outcome, marked, dwell in session.execute(query).tuples():
                ended.setdefault(str(person), []).append((outcome == "caught", marked, dwell))
            known = select(Person.id, Person.name).where(Person.id.in_(ended))
            names = dict(session.execute(known).tuples().all())
        rates = [_rate(person, names.get(person, person), some) for person, some in ended.items()]
        return sorted(rates, key=lambda rate: rate.name)

    def ended(
        self, actor: Actor, *, limit: int = 20, before: str | None = None
    ) -> list[SeededLine]:
        """Return checks that were decided, the newest first; of others only for the QA's readers.

        Args:
            actor: Who asks.
            limit: Length of the page.
            before: Review of the last line of the page before.
        """
        require(actor, "decide_own")
        query = (
            select(SeededCheck)
            .where(SeededCheck.outcome.in_(("caught", "missed")))
            .order_by(SeededCheck.resolved_at.desc(), SeededCheck.review_id.desc())
            .limit(limit)
        )
        if not actor.may("sample_quality"):
            query = query.where(SeededCheck.resolved_by == actor.id)
        with self._database.read() as session:
            if before:
                last = session.scalars(
                    select(SeededCheck).where(SeededCheck.review_id == before)
                ).one()
                query = query.where(
                    or_(
                        SeededCheck.resolved_at < last.resolved_at,
                        (SeededCheck.resolved_at == last.resolved_at)
                        & (SeededCheck.review_id < before),
                    )
                )
            return [_line(row) for row in session.scalars(query)]


def _opened(session: Session, since: datetime, until: datetime) -> int:
    query = (
        select(func.count())
        .select_from(Review)
        .where(
            Review.opened_at > since,
            Review.opened_at <= until,
            Review.kind == "answer",
            Review.contact_id.not_in(seeded_contacts()),
        )
    )
    return session.scalar(query) or 0


def _waiting(session: Session) -> int:
    query = select(func.count()).where(SeededCheck.resolved_at.is_(None))
    return session.scalar(query) or 0


def _state(review: Review, draft: Draft, report: CheckReport) -> RunState:
    return cast(RunState, {**review.state, "draft": draft, "check": report})


def _verdict(
    review: Review,
    draft: Draft,
    report: CheckReport,
    disputes: Sequence[Dispute],
    clearance: Clearance | None,
) -> AutopilotVerdict:
    """Return what autopilot would say of a draft, had the run of a review written it."""
    state = cast(RunState, review.state)
    known = [one["id"] for one in state["autopilot"]["why_not"]] if "autopilot" in state else []
    return judge(
        Case(
            classification=state["classification"],
            triage=state["triage"],
            draft=draft,
            check=report,
            evidence=evidence_of(draft, "", disputes),
            clearance=clearance,
            written_by_run="written" not in known,
            decided_before="undecided" in known,
            answered_before="first" in known,
        )
    )


def _about(triage: Mapping[str, Any], new_ids: Mapping[str, str]) -> dict[str, Any]:
    """Return a triage whose triggers point into the copied messages."""
    return {
        **triage,
        "triggers": [
            {**fired, "turn": new_ids[fired["turn"]]} if fired.get("turn") in new_ids else fired
            for fired in triage["triggers"]
        ],
    }


def _copied_contact(asked: Contact, donor: Review, now: datetime) -> tuple[Contact, dict[str, str]]:
    """Return a contact with what was asked up to a review, as if it had been asked now.

    Returns:
        The contact, and id of each message → id of its copy.
    """
    later = now - donor.opened_at
    contact = Contact(
        id=new_id("con"),
        origin=SEEDED,
        channel=asked.channel,
        subject=asked.subject,
        customer_name=asked.customer_name,
        customer_email=asked.customer_email,
        customer_status=asked.customer_status,
        customer_fields=dict(asked.customer_fields),
        status="in_review",
        reason=donor.reason,
        confidence=donor.state["classification"]["confidence"],
        tier=donor.tier,
        risk=donor.risk,
        run=1,
        # Nothing of it is ever carried out: to the runner its run has come to its end.
        pruned_run=1,
        due_at=now + max(donor.due_at - donor.opened_at, _LEAST_TIME),
        created_at=asked.created_at + later,
        updated_at=now,
    )
    new_ids: dict[str, str] = {}
    for message in asked.messages:
        if message.at <= donor.opened_at:
            new_ids[message.id] = new_id("msg")
            contact.messages.append(
                Message(
                    id=new_ids[message.id],
                    contact_id=contact.id,
                    ordinal=len(contact.messages),
                    speaker=message.speaker,
                    text=message.text,
                    at=message.at + later,
                )
            )
    return contact, new_ids


def _rate(person: str, name: str, ended: Sequence[tuple[bool, bool, float | None]]) -> CatchRate:
    caught = sum(one for one, _, _ in ended)
    low, high = exact_share(caught, len(ended))
    unmarked = [one for one, marked, _ in ended if not marked]
    return CatchRate(
        person_id=person,
        name=name,
        met=len(ended),
        caught=caught,
        low=low,
        high=high,
        unmarked_met=len(unmarked),
        unmarked_caught=sum(unmarked),
        dwell_caught=_median([dwell for one, _, dwell in ended if one]),
        dwell_missed=_median([dwell for one, _, dwell in ended if not one]),
    )


def _median(dwells: Sequence[float | None]) -> float | None:
    known = [dwell for dwell in dwells if dwell is not None]
    return statistics.median(known) if known else None


def _line(row: SeededCheck) -> SeededLine:
    return SeededLine(
        review_id=row.review_id,
        contact_id=row.contact_id,
        at=cast(datetime, row.resolved_at),
        by=row.resolved_by or "",
        decision=row.decision,
        dwell_seconds=row.dwell_seconds,
        end=SeededEnd(
            cast(FaultKind, row.kind),
            cast(SeededOutcome, row.outcome),
            row.before,
            row.after,
            row.marked,
        ),
    )
