"""What content owners must look at: opened and ended by the desk, ended by people, remembered.

A flag is opened when a ground is found (``desk.flag_grounds``, ``desk.flag_missing``) and ends by
itself when the ground is gone. What a person dismissed is never opened again for the same finding.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from core.clock import Clock
from core.database import Database
from core.errors import AlreadyDecided, BadInput, NotFound, Outdated, Refused
from core.identifiers import new_id
from core.vocabulary import SourceFlagKind
from desk.audit import DESK, write_audit
from desk.flag_grounds import ConflictFinder, Grounds, LinkFinder, UseBook, WithheldFinder
from desk.flag_missing import findings_of, grouped, groups_of, new_questions, vectors_of
from desk.flag_rules import (
    FLAG_ACTIONS,
    FLAG_KINDS,
    FLAG_STATUSES,
    FOLDS,
    Finding,
    FlagAction,
    FlagStatus,
    Uses,
    actions_of,
    damage,
    fold_sentence,
    folded_kinds,
    is_two_sided,
)
from desk.models import Person, SourceFlagRow
from desk.permissions import Actor, require
from kb.amendments import amend
from kb.flags_due import articles_due, settle
from kb.library import Library
from kb.models import Article
from retrieval.ports import Embedder, Vectors

_AT_ONCE: Final = 400
_SWEEP_EVERY: Final = timedelta(hours=1)
_ASKED_AGAIN: Final = 3  # questions of a gap that must all be answered before it is closed
_GAPS_ASKED: Final = 40  # gaps that one refresh looks at again, at about 20 ms each
_LONGEST_NOTE: Final = 2000
_PLAIN_KINDS: Final[frozenset[SourceFlagKind]] = frozenset(
    {"overdue", "superseded", "unowned", "changed", "often_rewritten"}
)

_COUNTED_BY_SOURCE: Final[frozenset[SourceFlagKind]] = frozenset(
    {"changed", "conflict", "superseded", "overdue", "broken_link", "unowned"}
)
"""Of which contacts rest on the flag by citing its source; the others count questions or rewrites."""


@dataclass(frozen=True, slots=True)
class FlagLine:
    """One flag as a list shows it.

    Attributes:
        title: One plain sentence.
        uses: How many contacts have an answer or a pending draft that rests on it.
        damage: Its rank; a list begins with the highest.
        version: Hand it back with an action, so that two people do not end it both.
    """

    id: str
    kind: SourceFlagKind
    status: FlagStatus
    title: str
    article_id: str | None
    other_article_id: str | None
    passage_id: str | None
    owner: str | None
    uses: int
    damage: float
    opened_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    action: str
    note: str
    version: int


@dataclass(frozen=True, slots=True)
class FlagChoice:
    """Something that may be done with a flag.

    Attributes:
        label: What a button says.
        explains: What it does, in one sentence.
        needs: Names of the arguments of ``resolve`` that it needs.
    """

    action: FlagAction
    label: str
    explains: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FlagDetail:
    """One flag with all that its page shows.

    Attributes:
        evidence: What it rests on; ``desk.flag_rules`` tells the keys of each kind.
        choices: What the viewer may do, the most likely first.
        file: Where the text is edited: a path, or the address it is loaded from.
        ended: What became of it, in one sentence; empty while it is open.
    """

    line: FlagLine
    evidence: dict[str, Any]
    choices: list[FlagChoice]
    file: str
    ended: str


@dataclass(frozen=True, slots=True)
class FlagGroup:
    """How many flags of one kind one owner has.

    Attributes:
        used: How many of them are on something that answers rest on.
    """

    kind: SourceFlagKind
    owner: str | None
    count: int
    used: int


@dataclass(frozen=True, slots=True)
class FoldedFlags:
    """Many flags of one kind that no answer uses, told in one line."""

    kind: SourceFlagKind
    count: int
    sentence: str


@dataclass(frozen=True, slots=True)
class FlagsRefreshed:
    """What a refresh did."""

    opened: int = 0
    ended: int = 0
    reopened: int = 0

    def __add__(self, other: FlagsRefreshed) -> FlagsRefreshed:
        """Return what two refreshes did together."""
        return FlagsRefreshed(
            self.opened + other.opened, self.ended + other.ended, self.reopened + other.reopened
        )


@dataclass(frozen=True, slots=True)
class FlagParts:
    """What the flags need of other parts of the desk; each may be absent.

    Attributes:
        conflicts: Finds sources that contradict each other.
        links: Finds links that lead nowhere.
        withheld: Finds macros that may not be used.
        embedder: Gives the model that groups questions; without it none are grouped.
        answers: Tells whether the sources in force answer a question now, with the help of one of
            some articles; None for any.
        file_of: Source and path of an article → where its text is edited.
        sync: Brings one source in.
        moved: Called with the articles that a decision put in or out of force.
    """

    conflicts: ConflictFinder | None = None
    links: LinkFinder | None = None
    withheld: WithheldFinder | None = None
    embedder: Callable[[], Embedder] | None = None
    answers: Callable[[str, Collection[str] | None], bool] | None = None
    file_of: Callable[[str, str], str] | None = None
    sync: Callable[[str], object] | None = None
    moved: Callable[[Sequence[str]], object] | None = None


class SourceFlags:
    """Opens, ranks, lists and ends source flags.

    Args:
        database: The records.
        library: The help center.
        clock: The time.
        parts: Other parts of the desk.
    """

    def __init__(
        self, database: Database, library: Library, clock: Clock, parts: FlagParts | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._parts = parts or FlagParts()
        self._grounds = Grounds(database, library)
        self._vectors: dict[str, Vectors] = {}
        self._swept_at: datetime | None = None
        self._sweeping = threading.Lock()

    # Finding

    def refresh(self, changed_articles: Collection[str] | None = None) -> FlagsRefreshed:
        """Open what is newly found, update what stands, end what has no ground any more.

        Doing it twice changes nothing. The cost grows with the articles that changed, and with the
        flags that stand on them.

        Args:
            changed_articles: Ids of new, changed and gone articles; None for a look at everything.
        """
        now = self._clock.now()
        if changed_articles is not None and not changed_articles:
            return FlagsRefreshed()
        wanted = None if changed_articles is None else self._touched(changed_articles)
        done = self._reconcile(self._grounds.of_articles(wanted, now), _PLAIN_KINDS, wanted, now)
        if self._parts.links:
            looked_at, broken = self._parts.links(wanted)
            links = self._grounds.of_links(broken)
            done += self._reconcile(links, {"broken_link"}, looked_at, now)
        if self._parts.conflicts:
            conflicts = self._grounds.of_conflicts(self._parts.conflicts(wanted))
            done += self._reconcile(conflicts, {"conflict"}, wanted, now)
        if self._parts.withheld:
            withheld = self._grounds.of_withheld(self._parts.withheld(wanted))
            done += self._reconcile(
                withheld, {"conflict", "missing"}, wanted, now, of_withheld=True
            )
        return done + self._ask_again(wanted)

    def refresh_due(self, also: Collection[str] = ()) -> FlagsRefreshed:
        """Refresh what a change, or time, has made due and no refresh has finished with since.

        Safe to be killed at any point: what was not looked at to the end stays due.

        Args:
            also: Further articles to look at.
        """
        now = self._clock.now()
        with self._database.read() as session:
            due = articles_due(session, now)
        done = self.refresh(sorted({*due, *also}))
        if due:
            with self._database.write() as session:
                settle(session, due, now)
        return done

    def sweep(self) -> FlagsRefreshed:
        """Look at what time and people alone change: dates, edits, questions, ranks."""
        with self._sweeping:
            now = self._clock.now()
            done = self._reconcile(self._grounds.of_articles(None, now), _PLAIN_KINDS, None, now)
            done += self._group_questions(now)
            self._rank_again(now)
            self._swept_at = now
            return done

    def freshen(self) -> None:
        """Sweep unless this process did within the hour."""
        now = self._clock.now()
        if self._swept_at is None or now - self._swept_at >= _SWEEP_EVERY:
            self.sweep()

    # Reading

    def page(
        self,
        actor: Actor,
        *,
        kind: SourceFlagKind | None = None,
        owner: str | None = None,
        status: FlagStatus = "open",
        folded: bool = False,
        limit: int = 50,
        after: FlagLine | None = None,
    ) -> list[FlagLine]:
        """Return a page of flags, the one that does most damage first.

        Open flags that :meth:`folded` tells in one line are left out, unless ``folded`` is set or
        one kind is asked for.

        Args:
            actor: Who asks.
            kind: Only of this kind.
            owner: Only of this owner; "" for what nobody owns.
            status: Only of this status.
            folded: Give each flag a line of its own.
            limit: Length of the page.
            after: Last line of the page before.

        Raises:
            BadInput: There is no such kind or status, or ``limit`` is below 1.
        """
        require(actor, "read_reviews")
        if kind is not None and kind not in FLAG_KINDS:
            raise BadInput(f"kind: {kind!r} is none of {', '.join(FLAG_KINDS)}.")
        if status not in FLAG_STATUSES:
            raise BadInput(f"status: {status!r} is none of {', '.join(FLAG_STATUSES)}.")
        if limit < 1:
            raise BadInput(f"limit: must be at least 1, not {limit}.")
        row = SourceFlagRow
        query = select(row).where(*_chosen(owner, status))
        with self._database.read() as session:
            if kind:
                query = query.where(row.kind == kind)
            elif not folded and status == "open" and (kinds := self._folds(session, owner)):
                query = query.where(or_(row.uses > 0, row.kind.not_in(kinds)))
            if after:
                behind = and_(row.damage == after.damage, row.id > after.id)
                query = query.where(or_(row.damage < after.damage, behind))
            query = query.order_by(row.damage.desc(), row.id).limit(limit)
            return [_line(one) for one in session.scalars(query)]

    def folded(self, actor: Actor, *, owner: str | None = None) -> list[FoldedFlags]:
        """Return the lines that stand for many open flags each, on what no answer uses."""
        require(actor, "read_reviews")
        with self._database.read() as session:
            kinds = self._folds(session, owner)
        return [
            FoldedFlags(kind, count, fold_sentence(kind, count)) for kind, count in kinds.items()
        ]

    def grouped(
        self, actor: Actor, *, owner: str | None = None, status: FlagStatus = "open"
    ) -> list[FlagGroup]:
        """Return how many flags there are of each kind and owner, the most harmful first."""
        require(actor, "read_reviews")
        row = SourceFlagRow
        used = func.count().filter(row.uses > 0)
        query = (
            select(row.kind, row.owner, func.count(), used)
            .where(*_chosen(owner, status))
            .group_by(row.kind, row.owner)
            .order_by(func.max(row.damage).desc(), row.kind, row.owner)
        )
        with self._database.read() as session:
            return [FlagGroup(*found) for found in session.execute(query).tuples()]

    def open_count(self) -> int:
        """Return how many flags are open."""
        query = select(func.count()).where(SourceFlagRow.status == "open")
        with self._database.read() as session:
            return session.scalar(query) or 0

    def get(self, actor: Actor, flag_id: str) -> FlagDetail:
        """Return one flag with its evidence. Raises NotFound."""
        require(actor, "read_reviews")
        with self._database.read() as session:
            row = _get(session, flag_id)
            return FlagDetail(
                line=_line(row),
                evidence=row.evidence,
                choices=_choices(row) if actor.may("own_sources") else [],
                file=self._file(session, row.article_id),
                ended=_what_became(session, row),
            )

    def count_anew(self, actor: Actor, flag_id: str) -> bool:
        """Bring what rests on one open flag up to date; return whether it was not.

        Lists show what the last refresh counted: whoever opens a flag sees what rests on it now, and
        the list must not say something else. Raises NotFound.
        """
        require(actor, "read_reviews")
        now = self._clock.now()
        with self._database.read() as session:
            row = _get(session, flag_id)
            if row.status != "open" or not row.article_id or row.kind not in _COUNTED_BY_SOURCE:
                return False
            uses = next(iter(_uses(session, [_as_found(row)], now).values()))
            if uses.total == row.uses:
                return False
        with self._database.write() as session:
            _rank(session, [(_get(session, flag_id), uses)], now)
        return True

    # Ending

    def resolve(
        self,
        actor: Actor,
        flag_id: str,
        action: FlagAction,
        *,
        reason: str = "",
        owner: str = "",
        by: str = "",
        article: str = "",
        version: int | None = None,
    ) -> FlagDetail:
        """Do something with a flag; what it takes is done at once, and the trail tells it.

        ``verify`` confirms the text as it stands. ``edit`` brings the source in and looks whether
        the ground is gone. ``supersede`` records which article replaces it and ``archive`` takes it
        out of use: both hold through every later sync. ``assign`` names who answers for it.
        ``dismiss`` ends this finding for ever, ``reopen`` takes back what a person did.

        Args:
            actor: Who acts.
            flag_id: The flag.
            action: What is done.
            reason: Why; ``dismiss`` needs it.
            owner: Who answers for it; ``assign`` needs it.
            by: Id of the article that replaces it; ``supersede`` needs it.
            article: Which of two articles is meant; default the flag's own. To archive or replace
                one of two that contradict each other it must be said, unless ``by`` is one of them.
            version: Version of the flag as it was read; None to act on whatever it is now.

        Raises:
            NotFound: There is no such flag.
            NotAllowed: The role may not end flags.
            BadInput: The action does not fit the flag, or lacks something.
            AlreadyDecided: Somebody was faster.
            Outdated: The flag changed since ``version``.
            Refused: It cannot be carried out; ``edit``: the source still says the same.
        """
        require(actor, "own_sources")
        if action not in FLAG_ACTIONS:
            raise BadInput(f"action: {action!r} is none of {', '.join(FLAG_ACTIONS)}.")
        note = reason.strip()[:_LONGEST_NOTE]
        if action == "edit":
            self._edited(actor, flag_id, note, version)
            return self.get(actor, flag_id)
        now = self._clock.now()
        moved: list[str] = []
        with self._database.write() as session:
            row = _free(session, flag_id, action, version)
            target = _target(row, action, article, by)
            data: dict[str, Any] = {}
            acts = False
            if action == "verify":
                amend(session, _article(session, target), "last_reviewed", now, now)
            elif action == "archive":
                acts = not _article(session, target).archived
                amend(session, _article(session, target), "archived", True, now)
                moved = [target]
            elif action == "supersede":
                acts = _article(session, target).superseded_by != by
                self._supersede(session, target, by, now)
                moved, data = [target, by], {"by": by}
            elif action == "assign":
                name = _assign(session, row, owner, now)
                data, note = {"owner": name}, note or f"{name} answers for it."
            elif action == "dismiss" and not note:
                raise BadInput("reason: say why it is dismissed; the next owner reads it.")
            elif action == "reopen":
                moved = self._take_back(session, row, now)
            if action == "reopen":
                _open_again(row, now)
            elif action != "assign" or row.kind == "unowned":
                _end(row, actor.id, action, note, now)
            row.updated_at = now
            if target:
                data["article"] = target
            if acts:
                row.evidence = {**row.evidence, "acted_on": {"article": target, **data}}
            _audit(session, now, actor.id, action, row, data | ({"reason": note} if note else {}))
            touched = [one for one in {row.article_id, row.other_article_id, *moved} if one]
        if moved and self._parts.moved:
            self._parts.moved(moved)
        self.refresh(touched)
        return self.get(actor, flag_id)

    # Parts of finding

    def _touched(self, changed: Collection[str]) -> list[str]:
        """Return the articles on which a change of some may open or end a flag."""
        wanted = {*changed, *self._grounds.replaced_by(changed)}
        row = SourceFlagRow
        with self._database.read() as session:
            for some in _chunks(sorted(changed)):
                query = select(row.article_id).where(
                    row.status == "open", row.other_article_id.in_(some)
                )
                wanted.update(one for one in session.scalars(query) if one)
        return sorted(wanted)

    def _reconcile(
        self,
        found: Iterable[Finding],
        kinds: Collection[SourceFlagKind],
        articles: Sequence[str] | None,
        now: datetime,
        *,
        of_withheld: bool = False,
    ) -> FlagsRefreshed:
        """Bring the rows of some kinds, on some articles, to what was found."""
        findings = {finding.key: finding for finding in found}
        ranked: list[tuple[SourceFlagRow, Uses]] = []
        ended = reopened = 0
        with self._database.write() as session:
            standing = {
                row.key: row
                for row in _standing(session, kinds, articles)
                if ("withheld" in row.evidence) == of_withheld
            }
            known = standing | _by_keys(session, findings.keys() - standing.keys())
            uses = _uses(session, list(findings.values()), now)
            new = [
                _row(finding, uses[key], now)
                for key, finding in findings.items()
                if key not in known
            ]
            faster = _insert(session, new)
            known |= faster
            opened = len(new) - len(faster)
            for key, finding in findings.items():
                row = known.get(key)
                if row is None:
                    continue
                if row.status == "resolved" and not _is_settled(row):
                    _open_again(row, now)
                    _describe(row, finding, now)
                    ranked.append((row, uses[key]))
                    reopened += 1
                elif row.status == "open":
                    _describe(row, finding, now)
                    ranked.append((row, uses[key]))
            for key, row in standing.items():
                if key not in findings and row.status == "open":
                    _end(row, DESK, "gone", "Its ground is gone.", now)
                    _audit(session, now, DESK, "gone", row, {})
                    ended += 1
            _rank(session, ranked, now)
        return FlagsRefreshed(opened, ended, reopened)

    def _group_questions(self, now: datetime) -> FlagsRefreshed:
        if self._parts.embedder is None:
            return FlagsRefreshed()
        with self._database.read() as session:
            rows = _gaps(session)
            cursor = max((row.evidence["newest"] for row in rows), default="")
            new = new_questions(session, cursor)
            groups = groups_of(session, rows)
        if new:
            texts = [one.text for one in (*new, *(q for group in groups for q in group.questions))]
            self._vectors = vectors_of(self._parts.embedder(), texts, self._vectors)
            groups = grouped(groups, new, self._vectors)
        live = {row.key for row in rows if row.status == "open"}
        ranked: list[tuple[SourceFlagRow, Uses]] = []
        known = {row.key for row in rows}
        with self._database.write() as session:
            findings = {one.key: one for one in findings_of(groups, now)}
            standing = _by_keys(session, findings.keys())
            absent = [
                _row(finding, finding.uses or Uses(), now)
                for key, finding in findings.items()
                if key not in standing
            ]
            faster = _insert(session, absent)
            standing |= faster
            opened = len({row["key"] for row in absent} - faster.keys() - known)
            for key, finding in findings.items():
                row, uses = standing.get(key), finding.uses or Uses()
                if row is None:
                    continue
                if key in live or row.evidence["newest"] != finding.evidence["newest"]:
                    # A dismissed gap takes further questions in and stays dismissed; one that an
                    # article closed and that is asked again was not closed.
                    if row.status == "resolved":
                        _open_again(row, now)
                    _describe(row, finding, now)
                    ranked.append((row, uses))
            _rank(session, ranked, now)
        return FlagsRefreshed(opened=opened)

    def _ask_again(self, changed: Sequence[str] | None) -> FlagsRefreshed:
        """End the gaps whose questions the sources in force answer by now, the worst gaps first."""
        answers = self._parts.answers
        if answers is None:
            return FlagsRefreshed()
        row = SourceFlagRow
        query = select(row).where(
            row.kind == "missing", row.article_id.is_(None), row.status == "open"
        )
        with self._database.read() as session:
            gaps = list(session.scalars(query.order_by(row.damage.desc()).limit(_GAPS_ASKED)))
        answered = [
            gap.id for gap in gaps if all(answers(text, changed) for text in _newest_questions(gap))
        ]
        if not answered:
            return FlagsRefreshed()
        now = self._clock.now()
        ended = 0
        with self._database.write() as session:
            for flag_id in answered:
                gap = _get(session, flag_id)
                if gap.status == "open":
                    _end(gap, DESK, "gone", "The sources answer it now.", now)
                    _audit(session, now, DESK, "gone", gap, {})
                    ended += 1
        return FlagsRefreshed(ended=ended)

    def _rank_again(self, now: datetime) -> None:
        """Bring uses and damage of what stands up to date; questions and findings did theirs."""
        row = SourceFlagRow
        query = select(row).where(
            row.status == "open",
            row.kind.in_(("broken_link", "conflict")),
            row.article_id.is_not(None),
        )
        with self._database.write() as session:
            rows = session.scalars(query.order_by(row.id)).all()
            findings = {one.id: _as_found(one) for one in rows}
            uses = _uses(session, list(findings.values()), now)
            _rank(session, [(one, uses[findings[one.id].key]) for one in rows], now)

    def _folds(self, session: Session, owner: str | None) -> dict[SourceFlagKind, int]:
        row = SourceFlagRow
        query = (
            select(row.kind, func.count())
            .where(*_chosen(owner, "open"), row.uses == 0, row.kind.in_(FOLDS))
            .group_by(row.kind)
            .order_by(func.count().desc(), row.kind)
        )
        counts = dict(session.execute(query).tuples().all())
        folds = folded_kinds(counts)
        return {kind: count for kind, count in counts.items() if kind in folds}

    # Parts of ending

    def _edited(self, actor: Actor, flag_id: str, note: str, version: int | None) -> None:
        with self._database.read() as session:
            row = _free(session, flag_id, "edit", version)
            file = self._file(session, row.article_id)
            source = (row.article_id or "").partition("/")[0]
            texts = _newest_questions(row)
        if self._parts.sync:
            self._parts.sync(source)
        else:
            self.refresh([row.article_id] if row.article_id else None)
        now = self._clock.now()
        answers = self._parts.answers
        if texts and answers and not all(answers(text, None) for text in texts):
            raise Refused(
                "The sources still do not answer it: write or correct an article, then try again."
            )
        with self._database.write() as session:
            row = _get(session, flag_id)
            if row.status == "open" and row.kind == "missing":
                _end(row, actor.id, "edit", note, now)
            elif row.status == "open":
                where = f" in {file}" if file else ""
                raise Refused(f"It still stands{where}: correct it there, then try again.")
            elif row.action == "gone":
                row.ended_by, row.action = actor.id, "edit"
                row.note = note or row.note
            else:
                raise _too_late(session, row)
            _audit(session, now, actor.id, "edit", row, {"reason": note} if note else {})

    def _supersede(self, session: Session, old: str, new: str, now: datetime) -> None:
        successor = session.get(Article, new)
        if successor is None:
            raise BadInput(f"by: there is no article {new!r}.")
        if successor.archived or successor.gone_at:
            raise BadInput(f"by: {new} is itself out of use; name an article that is in force.")
        seen = {old}
        following: str | None = new
        while following is not None:
            if following in seen:
                raise BadInput(f"by: {new} is itself replaced by {old}.")
            seen.add(following)
            following = session.scalar(select(Article.superseded_by).where(Article.id == following))
        amend(session, _article(session, old), "superseded_by", new, now)

    def _take_back(self, session: Session, row: SourceFlagRow, now: datetime) -> list[str]:
        evidence = dict(row.evidence)
        acted_on = evidence.pop("acted_on", None)
        row.evidence = evidence
        article = session.get(Article, acted_on["article"]) if acted_on else None
        if article is None:
            return []
        if row.action == "archive" and article.archived and "archived" in article.decided:
            amend(session, article, "archived", False, now)
        elif row.action == "supersede" and article.superseded_by == acted_on["by"]:
            amend(session, article, "superseded_by", None, now)
        else:
            return []
        return [article.id]

    def _file(self, session: Session, article_id: str | None) -> str:
        article = session.get(Article, article_id) if article_id else None
        if article is None or self._parts.file_of is None:
            return ""
        return self._parts.file_of(article.source, article.path)


_LABELS: Final[dict[FlagAction, tuple[str, str, tuple[str, ...]]]] = {
    "verify": ("Verify", "It is right as it stands; its review interval begins anew.", ()),
    "edit": ("I corrected it", "Reads the file again and ends the flag if it holds no more.", ()),
    "supersede": ("Replace", "Another article takes its place from now on.", ("by",)),
    "archive": ("Archive", "No draft may rest on it any more; its text is kept.", ()),
    "assign": ("Assign", "Names who answers for it.", ("owner",)),
    "dismiss": ("Dismiss", "This finding is not shown again; the reason is kept.", ("reason",)),
    "reopen": ("Reopen", "Takes back what ended it.", ()),
}


def _choices(row: SourceFlagRow) -> list[FlagChoice]:
    return [
        FlagChoice(action, *_LABELS[action])
        for action in actions_of(row.kind, row.status, row.action, row.evidence)
    ]


def _chosen(owner: str | None, status: FlagStatus) -> tuple[ColumnElement[bool], ...]:
    conditions: tuple[ColumnElement[bool], ...] = (SourceFlagRow.status == status,)
    if owner is None:
        return conditions
    return (*conditions, SourceFlagRow.owner == owner if owner else SourceFlagRow.owner.is_(None))


def _standing(
    session: Session, kinds: Collection[SourceFlagKind], articles: Sequence[str] | None
) -> list[SourceFlagRow]:
    row = SourceFlagRow
    # In one order, so that two who hold rows do not wait for each other.
    query = select(row).where(row.status == "open", row.kind.in_(kinds))
    query = query.order_by(row.id).with_for_update()
    if articles is None:
        return list(session.scalars(query.where(row.article_id.is_not(None))))
    found: dict[str, SourceFlagRow] = {}
    for some in _chunks(articles):
        of_these: ColumnElement[bool] = row.article_id.in_(some)
        if "conflict" in kinds:  # either side may have changed
            of_these = or_(of_these, and_(row.kind == "conflict", row.other_article_id.in_(some)))
        found |= {one.key: one for one in session.scalars(query.where(of_these))}
    return list(found.values())


def _by_keys(session: Session, keys: Iterable[str]) -> dict[str, SourceFlagRow]:
    found: dict[str, SourceFlagRow] = {}
    for some in _chunks(sorted(keys)):
        query = select(SourceFlagRow).where(SourceFlagRow.key.in_(some))
        query = query.order_by(SourceFlagRow.id).with_for_update()
        found |= {row.key: row for row in session.scalars(query)}
    return found


def _insert(session: Session, rows: Sequence[dict[str, Any]]) -> dict[str, SourceFlagRow]:
    """Open flags; return by key those that somebody else opened meanwhile."""
    if not rows:
        return {}
    sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite_insert if sqlite else postgresql_insert
    once = insert(SourceFlagRow).on_conflict_do_nothing(index_elements=["key"])
    session.execute(once, sorted(rows, key=lambda row: cast(str, row["key"])))
    own = {row["id"] for row in rows}
    stored = _by_keys(session, [row["key"] for row in rows])
    return {key: row for key, row in stored.items() if row.id not in own}


def _gaps(session: Session) -> list[SourceFlagRow]:
    """Return the flags that hold questions, open or not, in the order they were opened."""
    row = SourceFlagRow
    query = select(row).where(row.kind == "missing", row.article_id.is_(None)).order_by(row.id)
    return list(session.scalars(query))


def _newest_questions(row: SourceFlagRow) -> list[str]:
    return [one["text"] for one in row.evidence.get("questions", [])[-_ASKED_AGAIN:]]


def _uses(session: Session, findings: Sequence[Finding], now: datetime) -> dict[str, Uses]:
    """Return key of finding → what rests on it."""
    book = UseBook(session, now)
    articles = {one.article_id for one in findings if one.article_id and not one.content_hashes}
    whole = book.of_articles(articles)
    parts = book.of_each(
        {
            one.key: ([side for side in (one.article_id, one.other_article_id) if side], hashes)
            for one in findings
            if one.uses is None and one.article_id and (hashes := one.content_hashes)
        }
    )
    return {
        one.key: one.uses
        if one.uses is not None
        else (parts.get(one.key) if one.content_hashes else whole.get(one.article_id or ""))
        or Uses()
        for one in findings
    }


def _row(finding: Finding, uses: Uses, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id("flg"),
        "key": finding.key,
        "kind": finding.kind,
        "article_id": finding.article_id,
        "passage_id": finding.passage_id,
        "other_article_id": finding.other_article_id,
        "owner": finding.owner,
        "title": finding.title,
        "evidence": _kept(finding),
        "damage": damage(finding.kind, uses, now, now),
        "uses": uses.total,
        "status": "open",
        "action": "",
        "note": "",
        "opened_at": now,
        "updated_at": now,
        "version": 1,
    }


def _describe(row: SourceFlagRow, finding: Finding, now: datetime) -> None:
    """Bring a row to what was found; one that says so already is not written."""
    told = {
        "title": finding.title,
        "passage_id": finding.passage_id,
        "other_article_id": finding.other_article_id,
        "evidence": _kept(finding),
    }
    if finding.article_id:  # a gap has no article to take its owner from: a person names one
        told["owner"] = finding.owner
    for name, value in told.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            row.updated_at = now


def _rank(session: Session, resting: Sequence[tuple[SourceFlagRow, Uses]], now: datetime) -> None:
    """Bring uses and damage of rows up to date, all of them at once.

    Their version stays: a rank is nothing that somebody with the flag open must know of first.
    """
    # A row that is new to the session, or changed in it, is written before its rank is.
    session.flush()
    changed = []
    for row, uses in resting:
        rank = damage(row.kind, uses, row.opened_at, now)
        if (row.uses, row.damage) != (uses.total, rank):
            changed.append({"of": row.id, "now_uses": uses.total, "now_damage": rank})
            set_committed_value(row, "uses", uses.total)
            set_committed_value(row, "damage", rank)
    if changed:
        table = SourceFlagRow.__table__
        ranks = update(cast(Table, table)).where(table.c.id == bindparam("of"))
        ranks = ranks.values(uses=bindparam("now_uses"), damage=bindparam("now_damage"))
        session.connection().execute(ranks, changed)


def _kept(finding: Finding) -> dict[str, Any]:
    evidence = dict(finding.evidence)
    if finding.content_hashes:
        evidence["content_hashes"] = list(finding.content_hashes)
    return evidence


def _as_found(row: SourceFlagRow) -> Finding:
    """Return the finding of a row, as far as its uses go."""
    return Finding(
        kind=row.kind,
        subject=(row.key,),
        title=row.title,
        article_id=row.article_id,
        other_article_id=row.other_article_id,
        content_hashes=tuple(row.evidence.get("content_hashes", ())),
    )


def _is_settled(row: SourceFlagRow) -> bool:
    """Tell whether a person confirmed what does not go away: that a text is not what it was."""
    return row.kind == "changed" and row.action == "verify"


def _open_again(row: SourceFlagRow, now: datetime) -> None:
    row.status, row.action, row.note = "open", "", ""
    row.opened_at, row.ended_at, row.ended_by = now, None, None


def _end(row: SourceFlagRow, by: str, action: str, note: str, now: datetime) -> None:
    row.status = "dismissed" if action == "dismiss" else "resolved"
    row.action, row.note, row.ended_at, row.ended_by = action, note, now, by
    row.updated_at = now


def _free(session: Session, flag_id: str, action: FlagAction, version: int | None) -> SourceFlagRow:
    """Return a flag that ``action`` fits, held until the unit of work ends."""
    row = _get(session, flag_id)
    if row.status != "open" and action != "reopen":
        raise _too_late(session, row)
    if row.status == "open" and action == "reopen":
        raise BadInput("action: the flag is open.")
    allowed = actions_of(row.kind, row.status, row.action, row.evidence)
    if action not in allowed:
        if not allowed:
            raise BadInput(
                "action: its ground went away, so there is nothing to reopen; it comes back by "
                "itself when the ground does."
            )
        raise BadInput(f"action: a flag {row.kind} takes {', '.join(allowed)}, not {action}.")
    if version is not None and row.version != version:
        raise Outdated
    return row


def _get(session: Session, flag_id: str) -> SourceFlagRow:
    row = session.get(SourceFlagRow, flag_id, with_for_update=True)
    if row is None:
        raise NotFound(f"There is no flag {flag_id!r}.")
    return row


def _article(session: Session, article_id: str) -> Article:
    article = session.get(Article, article_id, with_for_update=True)
    if article is None:
        raise NotFound(f"There is no article {article_id!r}.")
    return article


def _target(row: SourceFlagRow, action: FlagAction, article: str, by: str) -> str:
    """Return the id of the article that an action is about; "" for what no article says."""
    own = [one for one in (row.article_id, row.other_article_id) if one]
    if article and article not in own:
        raise BadInput(f"article: the flag is about {' and '.join(own) or 'no article'}.")
    if action == "supersede":
        if not by:
            raise BadInput("by: name the article that replaces it.")
        if by == (article or None) or own == [by]:
            raise BadInput("by: an article cannot replace itself.")
    if not article and action in ("archive", "supersede") and is_two_sided(row.kind, row.evidence):
        if action == "archive" or by not in own:
            raise BadInput(f"article: say which of the two is meant, {' or '.join(own)}.")
        return next(one for one in own if one != by)
    return article or (row.article_id or "")


def _assign(session: Session, row: SourceFlagRow, owner: str, now: datetime) -> str:
    wanted = " ".join(owner.split())
    if not wanted or len(wanted) > 256:
        raise BadInput("owner: say who answers for it, in at most 256 characters.")
    person = session.scalar(
        select(Person).where(or_(Person.id == wanted, Person.email == wanted.lower()))
    )
    name = person.name if person else wanted
    if row.article_id:
        amend(session, _article(session, row.article_id), "owner", name, now)
    row.owner = name
    return name


def _audit(
    session: Session,
    now: datetime,
    actor: str,
    action: str,
    row: SourceFlagRow,
    data: dict[str, Any],
) -> None:
    told = {"flag": row.id, "kind": row.kind, "article": row.article_id, **data}
    write_audit(session, now, actor, f"flag.{action}", data=told)


def _too_late(session: Session, row: SourceFlagRow) -> AlreadyDecided:
    return AlreadyDecided(_what_became(session, row))


_DID: Final = {
    "verify": "confirmed the text",
    "edit": "corrected the source",
    "supersede": "had another article replace it",
    "archive": "archived the article",
    "assign": "named an owner",
    "dismiss": "dismissed it",
}


def _what_became(session: Session, row: SourceFlagRow) -> str:
    if row.status == "open" or row.ended_at is None:
        return ""
    at = f"{row.ended_at:%Y-%m-%d %H:%M} UTC"
    if row.action == "gone":
        return f"It ended by itself on {at}: {row.note[:1].lower()}{row.note[1:]}"
    person = session.get(Person, row.ended_by) if row.ended_by else None
    why = f": {row.note}" if row.note else "."
    return f"{person.name if person else 'Somebody'} {_DID[row.action]} on {at}{why}"


def _line(row: SourceFlagRow) -> FlagLine:
    return FlagLine(
        id=row.id,
        kind=row.kind,
        status=cast(FlagStatus, row.status),
        title=row.title,
        article_id=row.article_id,
        other_article_id=row.other_article_id,
        passage_id=row.passage_id,
        owner=row.owner,
        uses=row.uses,
        damage=row.damage,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        action=row.action,
        note=row.note,
        version=row.version,
    )


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
