"""Tasks: what reviewers keep saying, put before whoever can change it, and closed by the change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import yaml
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import Clock, Zone, in_utc
from core.database import Database
from core.errors import BadInput, Conflict, NotFound, Refused
from core.identifiers import new_id
from core.vocabulary import ROLES, Role
from desk.audit import DESK, write_audit
from desk.models import Message, Person, ReasonCorrection, Review, SourceFlagRow
from desk.permissions import PERMISSIONS, Actor, require
from desk.rhythm_settings import RhythmSettings
from desk.suggest import masked
from desk.task_grounds import LOOKBACK, read_names, read_seen, read_work, sources_of
from desk.task_models import Task
from desk.task_rules import (
    TASK_KINDS,
    TASK_STATES,
    SuggestedEdit,
    TaskKind,
    TaskState,
    done_by,
    is_new,
    proposals,
    suggested_edit,
)
from graph.reasons import ReasonMap
from graph.tiers import TierRules

LIVE: Final[tuple[TaskState, ...]] = ("open", "in_progress")
EXCERPT: Final = 200  # characters of somebody's words that are shown beside a task
_OPENING: Final = 80  # of them where they stand for a subject
_MOST_LIVE: Final = 500
_MOST_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task as a list shows it.

    Attributes:
        owner: A role, or the name of a person or a team.
        due_on: The last day, where the team works, on which it is in time; None where nobody said.
        overdue: Whether that day is over and the task is not.
    """

    id: str
    kind: TaskKind
    title: str
    owner: str
    state: TaskState
    raised_at: datetime
    updated_at: datetime
    due_on: date | None
    overdue: bool
    ended_at: datetime | None
    ended_by: str | None
    cause: str
    round: int
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Witness:
    """One thing that a task rests on, read from where it is kept.

    Attributes:
        words: A short excerpt, with addresses and long numbers masked: why the reviewer rejected
            it, or what the customer asked.
    """

    review_id: str | None
    contact_id: str
    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class TaskDetail:
    """A task with what it rests on, and what it proposes.

    Attributes:
        article_title: Title of the article or macro it is about; "" for none.
        instead: Titles of what was cited in its place afterwards.
        edit: What the article could say, from what agents wrote in its place.
        addition: Lines for ``reasons.yaml``; "" for none.
    """

    line: TaskLine
    article_title: str
    instead: tuple[str, ...]
    witnesses: tuple[Witness, ...]
    edit: SuggestedEdit | None
    addition: str


@dataclass(frozen=True, slots=True)
class TasksSwept:
    """What one look raised and closed."""

    raised: int = 0
    closed: int = 0


def raise_task(
    session: Session,
    *,
    key: str,
    kind: TaskKind,
    title: str,
    owner: str,
    evidence: Mapping[str, Any],
    at: datetime,
    due_on: date | None = None,
) -> str | None:
    """Put a task before its owner in the caller's unit of work; return its id, None when not.

    A key has one task at a time. While it is open, further evidence joins it; one that was
    dismissed stays dismissed; one that was done is raised again for evidence that it did not have
    (``seen`` in the evidence holds the ids that tell).

    Args:
        session: The caller's unit of work.
        key: What makes it this task and no other.
        kind: One of :data:`desk.task_rules.TASK_KINDS`.
        title: One plain sentence, without a customer's words.
        owner: A person, a team or a role.
        evidence: Ids and figures; see :mod:`desk.task_rules`.
        at: The moment.
        due_on: The last day on which it is in time.

    Raises:
        ValueError: There is no such kind.
    """
    if kind not in TASK_KINDS:
        raise ValueError(f"kind: {kind!r} is none of {', '.join(TASK_KINDS)}")
    former = list(session.scalars(select(Task).where(Task.key == key).order_by(Task.round)))
    latest = former[-1] if former else None
    if latest is not None and latest.state == "dismissed":
        return None
    if latest is not None and latest.state in LIVE:
        _join(latest, title, evidence, at)
        return None
    if former and not is_new(evidence, [one.evidence for one in former]):
        return None
    task = Task(
        id=new_id("tsk"),
        key=key,
        round=len(former) + 1,
        kind=kind,
        title=title,
        owner=owner,
        evidence=dict(evidence),
        state="open",
        raised_at=at,
        updated_at=at,
        due_on=due_on,
        cause="",
    )
    try:
        with session.begin_nested():
            session.add(task)
    except IntegrityError:  # another worker raised the same one at the same moment
        return None
    data = {"task": task.id, "kind": kind, "owner": owner, "round": task.round}
    write_audit(session, at, DESK, "task.raised", data=data)
    return task.id


def _join(task: Task, title: str, evidence: Mapping[str, Any], at: datetime) -> None:
    if not is_new(evidence, [task.evidence]):
        return
    seen = [*task.evidence.get("seen", ()), *evidence.get("seen", ())]
    kept = {"rule_digest": task.evidence["rule_digest"]} if "rule_digest" in task.evidence else {}
    task.evidence = {**evidence, **kept, "seen": list(dict.fromkeys(seen))[-50:]}
    task.title = title
    task.updated_at = at


class Tasks:
    """Raises, lists and ends tasks.

    Args:
        reasons: Reads the reason map as it stands now: a task is closed by the edit of a rule.
        tiers: Reads the tier rules as they stand now.
        settings: Reads the workspace's thresholds.
        zone: Tells the time zone of the days by which tasks are to be done.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        reasons: Callable[[], ReasonMap],
        tiers: Callable[[], TierRules],
        settings: Callable[[], RhythmSettings],
        zone: Zone = in_utc,
    ) -> None:
        self._database = database
        self._clock = clock
        self._reasons = reasons
        self._tiers = tiers
        self._settings = settings
        self._zone = zone

    def today(self) -> date:
        """Return the day it is where the team works."""
        return self._clock.now().astimezone(self._zone()).date()

    def sweep(self) -> TasksSwept:
        """Close what was done and raise what the rules ask for; looking again changes nothing."""
        now = self._clock.now()
        settings, reasons, tiers = self._settings(), self._reasons(), self._tiers()
        # Read before the work of writing begins: nobody else could write meanwhile.
        with self._database.read() as session:
            names = read_names(session, reasons, tiers)
            live = select(Task).where(Task.state.in_(LIVE)).order_by(Task.id).limit(_MOST_LIVE)
            tasks = list(session.scalars(live))
            work = read_work(session, tasks, names, now, settings)
            causes = {
                task.id: cause
                for task in tasks
                if (cause := done_by(task.kind, task.evidence, work[task.id], now, settings))
            }
            done = _done(session, now) | {task.key: now for task in tasks if task.id in causes}
            seen = read_seen(session, now, reasons, done)
        with self._database.write() as session:
            standing = select(Task).where(Task.id.in_(causes), Task.state.in_(LIVE))
            closed = list(session.scalars(standing))
            for task in closed:
                _end(session, task, "done", DESK, causes[task.id], now)
            session.flush()
            raised = [
                raise_task(
                    session,
                    key=one.key,
                    kind=one.kind,
                    title=one.title,
                    owner=one.owner,
                    evidence=one.evidence,
                    at=now,
                    due_on=self.today() + timedelta(days=settings.due_days),
                )
                for one in proposals(seen, settings, names, done)
            ]
            session.flush()
            _hand_on(session, now)
        return TasksSwept(sum(one is not None for one in raised), len(closed))

    def page(
        self,
        actor: Actor,
        states: Sequence[TaskState] = LIVE,
        *,
        kind: TaskKind | None = None,
        mine: bool = False,
        overdue: bool = False,
        limit: int = 50,
        after: TaskLine | None = None,
    ) -> list[TaskLine]:
        """Return a page of tasks, the newest first.

        Args:
            actor: Who asks.
            states: In one of these states.
            kind: Only of this kind.
            mine: Only those of the person who asks, or of their role.
            overdue: Only those whose day is over and that are not.
            limit: Length of the page.
            after: Last task of the page before.

        Raises:
            BadInput: There is no such state or kind.
        """
        require(actor, "work_tasks")
        if wrong := [one for one in states if one not in TASK_STATES]:
            raise BadInput(f"state: {wrong[0]!r} is none of {', '.join(TASK_STATES)}.")
        if kind is not None and kind not in TASK_KINDS:
            raise BadInput(f"kind: {kind!r} is none of {', '.join(TASK_KINDS)}.")
        query = select(Task).where(Task.state.in_(states), *_open_to(actor))
        query = query.order_by(Task.id.desc()).limit(limit)
        if kind:
            query = query.where(Task.kind == kind)
        if mine:
            query = query.where(Task.owner.in_((actor.id, actor.name, actor.role)))
        today = self.today()
        if overdue:
            query = query.where(*_overdue(today))
        if after:
            query = query.where(Task.id < after.id)
        with self._database.read() as session:
            return _lines(session, list(session.scalars(query)), today)

    def counts(self, actor: Actor) -> dict[TaskState, int]:
        """Return how many tasks there are in each state."""
        require(actor, "work_tasks")
        query = select(Task.state, func.count()).where(*_open_to(actor)).group_by(Task.state)
        with self._database.read() as session:
            found = dict(session.execute(query).tuples().all())
        return {state: found.get(state, 0) for state in TASK_STATES}

    def count_overdue(self, actor: Actor) -> int:
        """Return how many tasks are not over although their day is."""
        require(actor, "work_tasks")
        its = (*_open_to(actor), *_overdue(self.today()))
        with self._database.read() as session:
            return session.scalar(select(func.count()).select_from(Task).where(*its)) or 0

    def get(self, actor: Actor, task_id: str) -> TaskDetail:
        """Return a task with what it rests on. Raises NotFound."""
        require(actor, "work_tasks")
        with self._database.read() as session:
            task = _get(session, actor, task_id)
            evidence = task.evidence
            wanted = [str(evidence.get("article", "")), *evidence.get("instead", ())]
            sources = sources_of(session, wanted)
            flag = session.get(SourceFlagRow, str(evidence.get("flag", "")))
            edit = None
            if flag is not None and evidence.get("why") == "rewritten":
                sentences = flag.evidence.get("sentences", ())
                edit = suggested_edit([(one["before"], one["after"]) for one in sentences])
            corrections = _corrections(session, evidence)
            article = sources.get(wanted[0])
            (line,) = _lines(session, [task], self.today())
            return TaskDetail(
                line=line,
                article_title=article.title if article else "",
                instead=tuple(sources[one].title for one in wanted[1:] if one in sources),
                witnesses=_witnesses(session, evidence, corrections),
                edit=_masked(edit) if edit else None,
                addition=_addition(str(evidence.get("reason") or ""), corrections),
            )

    def start(self, actor: Actor, task_id: str) -> None:
        """Say that somebody works on a task.

        Raises:
            NotFound: There is no such task.
            Conflict: It is under way or over.
        """
        require(actor, "work_tasks")
        now = self._clock.now()
        with self._database.write() as session:
            task = _get(session, actor, task_id)
            if task.state != "open":
                raise Conflict(f"The task is {task.state.replace('_', ' ')}.")
            task.state = "in_progress"
            task.updated_at = now
            data = {"task": task.id, "kind": task.kind}
            write_audit(session, now, actor.id, "task.started", data=data)

    def takers(self, actor: Actor, kind: TaskKind) -> dict[str, str]:
        """Return whom a task of a kind may be given to: role or id of a person → name.

        People and roles that may not see such a task are none of them.
        """
        require(actor, "assign_tasks")
        with self._database.read() as session:
            return _takers(session, kind)

    def give(self, actor: Actor, task_id: str, to: str) -> None:
        """Give a task to somebody else.

        Args:
            actor: Who gives it.
            task_id: The task.
            to: Id of a person, or a role.

        Raises:
            BadInput: Such a person or role may not work on it.
            NotFound: There is no such task.
            Conflict: It is over.
            Refused: It is to coach the person who gives it.
        """
        require(actor, "assign_tasks")
        now = self._clock.now()
        with self._database.write() as session:
            task = _live(session, actor, task_id)
            _about_another(task, actor)
            if to not in _takers(session, task.kind):
                raise BadInput(f"to: {to!r} is no person or role that may work on this task.")
            if task.owner == to:
                return
            data = {"task": task.id, "kind": task.kind, "was": task.owner, "owner": to}
            task.owner, task.updated_at = to, now
            write_audit(session, now, actor.id, "task.given", data=data)

    def set_due(self, actor: Actor, task_id: str, due_on: date) -> None:
        """Say by which day a task is to be done.

        Raises:
            BadInput: The day is over.
            NotFound: There is no such task.
            Conflict: It is over.
        """
        require(actor, "assign_tasks")
        now = self._clock.now()
        if due_on < (today := self.today()):
            raise BadInput(f"due: {due_on} is over; choose today, {today}, or a later day.")
        with self._database.write() as session:
            task = _live(session, actor, task_id)
            if task.due_on == due_on:
                return
            was = task.due_on.isoformat() if task.due_on else None
            data = {"task": task.id, "kind": task.kind, "was": was, "due_on": due_on.isoformat()}
            task.due_on, task.updated_at = due_on, now
            write_audit(session, now, actor.id, "task.due_set", data=data)

    def close(self, actor: Actor, task_id: str, note: str = "") -> None:
        """Say that a task is done; what comes up anew raises another.

        Raises:
            NotFound: There is no such task.
            Conflict: It is over already.
            Refused: It is to coach the person who says so.
        """
        self._finish(actor, task_id, "done", note.strip() or f"{actor.name} says so.")

    def dismiss(self, actor: Actor, task_id: str, reason: str) -> None:
        """Take a task off the board for good: its key is never raised again.

        Raises:
            BadInput: No reason is given.
            NotFound: There is no such task.
            Conflict: It is over already.
            Refused: It is to coach the person who says so.
        """
        if not reason.strip():
            raise BadInput("reason: say in a sentence why nothing is to be done.")
        self._finish(actor, task_id, "dismissed", reason.strip())

    def _finish(self, actor: Actor, task_id: str, state: TaskState, cause: str) -> None:
        require(actor, "work_tasks")
        now = self._clock.now()
        with self._database.write() as session:
            task = _live(session, actor, task_id)
            _about_another(task, actor)
            _end(session, task, state, actor.id, cause, now)


def _hand_on(session: Session, now: datetime) -> None:
    """Give to their role what belongs to people who have left, or may not see it any more.

    Whoever has left is not coached either.
    """
    tasks = list(session.scalars(select(Task).where(Task.state.in_(LIVE)).limit(_MOST_LIVE)))
    owners = {task.owner for task in tasks}
    ids = owners | {str(task.evidence.get("person", "")) for task in tasks}
    people = select(Person).where(or_(Person.id.in_(ids), Person.name.in_(owners)))
    known = list(session.scalars(people)) if tasks else []
    gone = {one.id for one in known if not one.active}
    for task in tasks:
        if task.evidence.get("person") in gone:
            _end(session, task, "done", DESK, "They do not work here any more.", now)
            continue
        named = [one for one in known if task.owner in (one.id, one.name)]
        if not named or any(one.active and _sees(one.role, task.kind) for one in named):
            continue
        to = "content_owner" if task.kind in _OF_SOURCES else "supervisor"
        data = {"task": task.id, "kind": task.kind, "was": task.owner, "owner": to}
        task.owner, task.updated_at = to, now
        write_audit(session, now, DESK, "task.given", data=data)


def _done(session: Session, now: datetime) -> dict[str, datetime]:
    """Return key → when its task was last done, as far back as anything is looked at."""
    query = (
        select(Task.key, Task.ended_at)
        .where(Task.state == "done", Task.ended_at >= now - LOOKBACK)
        .order_by(Task.ended_at)
    )
    return {key: at for key, at in session.execute(query).tuples() if at is not None}


def _end(
    session: Session, task: Task, state: TaskState, by: str, cause: str, now: datetime
) -> None:
    task.state, task.ended_by, task.cause = state, by, cause
    task.ended_at = task.updated_at = now
    data = {"task": task.id, "kind": task.kind, "owner": task.owner}
    if by == DESK:
        data["cause"] = cause
    write_audit(session, now, by, f"task.{state}", data=data)


_OF_SOURCES: Final[tuple[TaskKind, ...]] = ("article_change", "macro_update")


def _open_to(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """Return which tasks a person may see: who leads all, who owns sources those on sources.

    What a colleague is coached on is no matter of theirs.
    """
    return () if actor.may("run_rhythm") else (Task.kind.in_(_OF_SOURCES),)


def _sees(role: Role, kind: TaskKind) -> bool:
    """Tell whether people of a role may work on tasks of a kind. Pure."""
    may = PERMISSIONS[role]
    return "work_tasks" in may and ("run_rhythm" in may or kind in _OF_SOURCES)


def _takers(session: Session, kind: TaskKind) -> dict[str, str]:
    roles = [role for role in ROLES if _sees(role, kind)]
    people = select(Person.id, Person.name).where(Person.active, Person.role.in_(roles))
    named = session.execute(people.order_by(Person.name, Person.id)).tuples()
    return {role: role for role in roles} | dict(named.all())


def _overdue(today: date) -> tuple[ColumnElement[bool], ...]:
    return Task.state.in_(LIVE), Task.due_on < today


def _live(session: Session, actor: Actor, task_id: str) -> Task:
    task = _get(session, actor, task_id)
    if task.state not in LIVE:
        raise Conflict(f"The task is {task.state} already.")
    return task


def _get(session: Session, actor: Actor, task_id: str) -> Task:
    task = session.scalar(select(Task).where(Task.id == task_id, *_open_to(actor)))
    if task is None:
        raise NotFound(f"There is no task {task_id!r}.")
    return task


def _about_another(task: Task, actor: Actor) -> None:
    """Raise Refused for whom the task is to coach."""
    if task.evidence.get("person") == actor.id:
        raise Refused("This task is about you: somebody else says what becomes of it.")


def _lines(session: Session, tasks: Sequence[Task], today: date) -> list[TaskLine]:
    owners = {task.owner for task in tasks}
    people = select(Person.id, Person.name).where(Person.id.in_(owners))
    names = dict(session.execute(people).tuples().all()) if owners else {}
    return [_line(task, names.get(task.owner, task.owner), today) for task in tasks]


def _line(task: Task, owner: str, today: date) -> TaskLine:
    late = task.due_on is not None and task.due_on < today
    return TaskLine(
        id=task.id,
        kind=task.kind,
        title=task.title,
        owner=owner,
        state=task.state,
        raised_at=task.raised_at,
        updated_at=task.updated_at,
        due_on=task.due_on,
        overdue=late and task.state in LIVE,
        ended_at=task.ended_at,
        ended_by=task.ended_by,
        cause=task.cause,
        round=task.round,
        evidence=task.evidence,
    )


def _corrections(session: Session, evidence: Mapping[str, Any]) -> list[ReasonCorrection]:
    if evidence.get("why") != "corrected":
        return []
    row = ReasonCorrection
    query = select(row).where(row.id.in_(evidence.get("seen", ())), row.undone_at.is_(None))
    return list(session.scalars(query.order_by(row.id)))


def _witnesses(
    session: Session, evidence: Mapping[str, Any], corrections: Sequence[ReasonCorrection]
) -> tuple[Witness, ...]:
    if corrections:
        newest = corrections[: -_MOST_SHOWN - 1 : -1]
        return tuple(Witness(None, one.contact_id, one.at, excerpt(one.text)) for one in newest)
    newest_first = list(evidence.get("seen", ()))[: -_MOST_SHOWN - 1 : -1]
    query = select(Review).where(Review.id.in_(newest_first)).order_by(Review.id.desc())
    return tuple(
        Witness(one.id, one.contact_id, one.decided_at or one.opened_at, _said(one, evidence))
        for one in session.scalars(query)
    )


def _said(review: Review, evidence: Mapping[str, Any]) -> str:
    """Return why a reviewer rejected or escalated; where nobody did, what the customer asked."""
    comment = str((review.decision or {}).get("comment") or "")
    if comment and evidence.get("why") != "unanswered":
        return excerpt(comment)
    return excerpt(review.state.get("classification", {}).get("question", ""))


def excerpt(text: str, most: int = EXCERPT) -> str:
    """Return the beginning of somebody's words in one line, addresses and long numbers masked."""
    line = masked(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def openings(session: Session, contacts: Iterable[str]) -> dict[str, str]:
    """Return contact → the beginning of what its customer wrote first."""
    its = (Message.contact_id.in_(sorted(contacts)), Message.speaker == "customer")
    query = select(Message.contact_id, Message.text).where(*its).order_by(Message.ordinal.desc())
    return {
        contact: excerpt(text, _OPENING) for contact, text in session.execute(query).tuples()
    }  # the first comes last, and stays


def _masked(edit: SuggestedEdit) -> SuggestedEdit:
    return SuggestedEdit(masked(edit.before), masked(edit.after), edit.written)


def _addition(reason: str, corrections: Sequence[ReasonCorrection]) -> str:
    """Return what to add to ``reasons.yaml``: the contacts that were taken for another reason."""
    texts = list(dict.fromkeys(excerpt(one.text, 300) for one in corrections))
    if not texts or not reason:
        return ""
    lines = yaml.safe_dump(texts[-_MOST_SHOWN:], allow_unicode=True, width=10**6)
    indented = "".join(f"      {line}\n" for line in lines.splitlines())
    return f"  - id: {reason}\n    examples:  # add these\n{indented}"
