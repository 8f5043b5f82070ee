"""Wires a desk: settings → engine → index → graph → services. Nothing is built at import."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from core.clock import Clock, SystemClock
from core.database import Database, storage_trouble
from core.errors import DatabaseUnavailable, Unavailable
from core.identifiers import new_id
from core.locks import AdvisoryLocks, ProcessLocks
from core.migrate import upgrade
from core.settings import Settings
from desk.article_history import ArticleHistory
from desk.assistant import Assistant
from desk.audit import AuditLedger, AuditTrail
from desk.audit_seals import AuditSeals
from desk.autonomy import Autonomy
from desk.autopilot import Gate, Rulebook
from desk.calendar import Calendar
from desk.cited_sources import CitedSources
from desk.complaint_themes import ComplaintThemes
from desk.conflicts import Conflicts
from desk.contacts import Contacts
from desk.corrections import Corrections, Learner, TaughtClassifier
from desk.coverage import Coverage
from desk.daily import Daily
from desk.delivery import Deliveries, EmlTransport
from desk.disputes import OpenConflicts
from desk.escalations import Escalations
from desk.flag_wiring import flag_parts
from desk.flags import SourceFlags
from desk.handoffs import Handoffs
from desk.impact import Impact, ImpactReport
from desk.jobs import (
    DATABASE_AWAY_SECONDS,
    DbosJobs,
    Handlers,
    HomeLock,
    InlineJobs,
    executors_at_work,
    give_up_abandoned,
    prepare_job_tables,
    put_back,
    start_working,
    stop_working,
)
from desk.macros import MacroJudge, Macros
from desk.metrics import Metrics
from desk.operations_file import load_operations
from desk.people import People
from desk.permissions import Actor
from desk.qa import QaSample
from desk.quality import Quality
from desk.radius import BlastRadius
from desk.reviews import Reviews
from desk.rhythm import MACHINE, Rhythm
from desk.rhythm_render import Document, both, day_document, today_document
from desk.rhythm_reports import REPORTS, is_due, report_files, write_report
from desk.rhythm_rules import day_of
from desk.rhythm_settings import RhythmSettings
from desk.seeded import SeededChecks
from desk.tasks import Tasks
from desk.workers import Liveness, count_workers, new_worker_name
from desk.workspace_check import WorkspaceCheck
from graph.ports import Changes, Checker, Citer, Deps, Drafter, TriageRules
from graph.reasons import ReasonMap
from graph.tiers import TierRules
from kb.changes import ChangeJudge
from kb.library import Library
from kb.sync import Problem, Sync, SyncReport
from kb.workspace import Workspace
from retrieval.at_hand import VersionsAtHand
from retrieval.embedding_store import EmbeddingStore
from retrieval.embeddings import load_embedder
from retrieval.ports import Embedder, VectorIndex
from retrieval.remembering import RememberingEmbedder
from retrieval.search import SearchService

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_core.language_models import BaseChatModel

    from desk.runs import Runs
    from retrieval.chroma_server import ChromaAddress

_log = logging.getLogger(__name__)

TAKE_OVER_SECONDS: Final = 2.0
NAME_SECONDS: Final = 30.0
"""How long a worker waits for its name before it begins."""
_FLAGS_ALONE: Final = "flags"
OPERATIONS_FILE: Final = "operations.yaml"
SYNC_SECONDS: Final = 3600.0
CHECKPOINTS_KEPT: Final = timedelta(days=1)
"""How long the checkpoints of a contact stay after its run ended."""
STORAGE_PAUSE_SECONDS: Final = 5.0
"""How long a job waits for a lock or for room on the disk before it tries again."""
SENDER: Final = "Support <support@proofdesk.invalid>"


@dataclass
class Desk:
    """A wired desk: one attribute a service.

    Build one with :func:`open_desk`; close it when done.

    Attributes:
        owns_home: Whether this process holds the home lock, and with it the Chroma folder.
        undo_seconds: Length of the undo window; a replay of the past sets it to 0.
    """

    settings: Settings
    clock: Clock
    database: Database
    jobs: DbosJobs | InlineJobs
    lock: HomeLock
    owns_home: bool
    undo_seconds: int
    _working: bool = False
    _liveness: Liveness | None = None
    _stopped: threading.Event = field(default_factory=threading.Event)
    _closers: list[Callable[[], None]] = field(default_factory=list)
    _start: threading.Lock = field(default_factory=threading.Lock)
    _warming: threading.Thread | None = None

    @cached_property
    def workspace(self) -> Workspace:
        """The team's folder. Raises BadInput when it is not one."""
        return Workspace.load(self.settings.workspace_folder)

    @cached_property
    def library(self) -> Library:
        """Articles, versions, passages."""
        return Library(self.database, self.clock)

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model."""
        return load_embedder(self.settings.embeddings)

    @cached_property
    def reader(self) -> RememberingEmbedder:
        """The embedding model for what runs read: the same texts come again and again."""
        return RememberingEmbedder(self.embedder)

    @cached_property
    def search(self) -> SearchService:
        """Search over what is in force."""
        service = SearchService(
            database=self.database,
            library=self.library,
            embedder=self.embedder,
            vectors=self._vector_index(),
            clock=self.clock,
            reader=self.reader,
        )
        service.refresh()
        return service

    @cached_property
    def people(self) -> People:
        """People and sign-in."""
        return People(self.database, self.clock)

    @cached_property
    def contacts(self) -> Contacts:
        """Contacts and their queues."""
        return Contacts(self.database, self.clock, self.jobs)

    @cached_property
    def corrections(self) -> Corrections:
        """What people said contacts are about."""
        return Corrections(
            self.database, self.clock, self.jobs, self.contacts, lambda: self.reasons
        )

    @cached_property
    def reviews(self) -> Reviews:
        """The review queue."""
        return Reviews(self.database, self.clock, self.jobs, self.settings.claim_minutes)

    @cached_property
    def assistant(self) -> Assistant:
        """The assistant that agents talk to about a contact."""
        return Assistant(
            self.database,
            self.clock,
            self.reviews,
            self.library,
            lambda: self.deps,
            self.reader,
            self.reasons,
            self.settings.home / "cache",
        )

    @cached_property
    def cited_sources(self) -> CitedSources:
        """What drafts rest on, with age, owner and what changed."""
        return CitedSources(self.database, self.library, self.clock)

    @cached_property
    def deliveries(self) -> Deliveries:
        """The outbox."""
        return Deliveries(
            self.database,
            self.clock,
            self.jobs,
            EmlTransport(self.settings.home / "outbox"),
            lambda: self.undo_seconds,
            SENDER,
            self.library,
            self.changes_at_approval,
            self.disputes,
            Gate(self.rulebook),
        )

    @cached_property
    def impact(self) -> Impact:
        """What rests on sources that changed."""
        return Impact(self.database, self.library, self.clock, self.jobs, self.changes)

    @cached_property
    def audit(self) -> AuditTrail:
        """The audit trail."""
        return AuditTrail(self.database, self.clock)

    @cached_property
    def calendar(self) -> Calendar:
        """What comes due on the shelf."""
        return Calendar(self.database, self.library, self.clock)

    @cached_property
    def coverage(self) -> Coverage:
        """Which questions had no source."""
        return Coverage(self.database, self.clock)

    @cached_property
    def history(self) -> ArticleHistory:
        """The versions of articles, and what differs between two."""
        return ArticleHistory(self.database, self.library, self.changes)

    @cached_property
    def radius(self) -> BlastRadius:
        """What rests on a source."""
        return BlastRadius(self.database, self.library, self.macros)

    @cached_property
    def quality(self) -> Quality:
        """Eval runs and what reviewers change."""
        return Quality(self.database, self.settings.home, self.clock)

    @cached_property
    def metrics(self) -> Metrics:
        """The metrics of the operating loop."""
        return Metrics(self.database, self.clock, self.zone)

    @cached_property
    def complaint_themes(self) -> ComplaintThemes:
        """What complaints are about."""
        return ComplaintThemes(self.database, lambda: self.embedder)

    @cached_property
    def escalations(self) -> Escalations:
        """Verdicts on escalations."""
        return Escalations(self.database, self.clock)

    @cached_property
    def workspace_check(self) -> WorkspaceCheck:
        """What is wrong with the workspace's files, and the settings in force."""
        return WorkspaceCheck(self.settings, lambda: self.embedder, os.environ)

    @cached_property
    def audit_seals(self) -> AuditSeals:
        """What seals the audit trail and verifies it."""
        return AuditSeals(self.database, self.clock)

    @cached_property
    def flags(self) -> SourceFlags:
        """What content owners must look at."""
        return SourceFlags(self.database, self.library, self.clock, flag_parts(self))

    @cached_property
    def tasks(self) -> Tasks:
        """What reviewers' decisions ask of those who own sources, rules and people's work."""
        return Tasks(
            self.database,
            self.clock,
            # Read anew each time: an edit of a rule is what closes a task.
            lambda: ReasonMap.load(self.workspace.reasons_file),
            lambda: TierRules.load(self.workspace.tiers_file),
            self._rhythm_settings,
            self.zone,
        )

    @cached_property
    def daily(self) -> Daily:
        """What must not wait for its day of the week."""
        return Daily(
            self.database,
            self.clock,
            lambda: self.reader,
            self._rhythm_settings,
            self.tasks,
            self.zone,
        )

    @cached_property
    def rhythm(self) -> Rhythm:
        """The supervisor's week."""
        return Rhythm(
            self.database,
            self.clock,
            self.calendar,
            lambda: self.reasons,
            self._rhythm_settings,
            lambda: self.autonomy,
            self.daily.of_gaps,
            self._nearest_article,
            self.zone,
        )

    def _nearest_article(self, question: str) -> str:
        """Return the title of the article nearest to a question; "" where nothing is near."""
        hits = self.search.search(question, 3)
        return next((hit.passage.title for hit in hits if hit.passage.kind == "article"), "")

    def _rhythm_settings(self) -> RhythmSettings:
        return load_operations(self.workspace.folder / OPERATIONS_FILE).rhythm

    def zone(self) -> tzinfo:
        """Return the time zone in which the team works."""
        return load_operations(self.workspace.folder / OPERATIONS_FILE).zone

    def now_here(self) -> datetime:
        """Return the present moment in the time zone in which the team works."""
        return self.clock.now().astimezone(self.zone())

    @cached_property
    def seeded(self) -> SeededChecks:
        """Drafts with a known fault that wait among the others."""
        return SeededChecks(
            self.database,
            self.clock,
            lambda: load_operations(self.workspace.folder / OPERATIONS_FILE).seeded,
            self.library,
            lambda: self.deps,
        )

    @cached_property
    def rulebook(self) -> Rulebook:
        """What names the rules in force for a contact reason."""
        return Rulebook(
            lambda: self.reasons,
            lambda: self.tiers,
            lambda: self.workspace.folder,
            self.settings.model or "extractive",
        )

    @cached_property
    def autonomy(self) -> Autonomy:
        """Which contact reasons have earned to be answered without a person."""
        # Once, as the other rules in force: every run asks.
        operations = load_operations(self.workspace.folder / OPERATIONS_FILE)
        return Autonomy(self.database, self.clock, self.rulebook, lambda: operations)

    @cached_property
    def qa(self) -> QaSample:
        """The sample of ended contacts that people read."""
        return QaSample(
            self.database,
            self.clock,
            lambda: load_operations(self.workspace.folder / OPERATIONS_FILE).qa,
        )

    @cached_property
    def reasons(self) -> ReasonMap:
        """The contact reason map."""
        return ReasonMap.load(self.workspace.reasons_file)

    @cached_property
    def tiers(self) -> TierRules:
        """The tier rules."""
        return TierRules.load(self.workspace.tiers_file)

    @cached_property
    def changes(self) -> ChangeJudge:
        """The judge of what an edit did to the facts of a passage."""
        return ChangeJudge()

    @cached_property
    def changes_at_approval(self) -> Changes:
        """As :attr:`changes`, with the model's vote where the settings ask for it."""
        given = self.settings
        if given.model is None or not given.model_votes:
            return self.changes
        from graph.change_vote import ModelVote

        return ModelVote(self.changes, self._chat_model(given.model))

    @cached_property
    def checker(self) -> Checker:
        """The judge of drafts against their sources."""
        from graph.check import EvidenceChecker

        patterns = [
            (trigger, pattern)
            for trigger, found in self.tiers.patterns_for_drafts().items()
            for pattern in found
        ]
        return EvidenceChecker(self.reader, patterns, self.reasons.asks(), self.library)

    @cached_property
    def citer(self) -> Citer:
        """What ties free text to its sources."""
        from graph.citer import EmbeddingCiter

        return EmbeddingCiter(self.reader)

    @cached_property
    def disputes(self) -> OpenConflicts:
        """What knows which sources contradict each other."""
        return OpenConflicts(self.database)

    @cached_property
    def conflicts(self) -> Conflicts:
        """What finds sources that contradict each other."""
        store = EmbeddingStore(self.database, self.embedder)
        return Conflicts(self.library, store, self.changes)

    @cached_property
    def macros(self) -> Macros:
        """What keeps macros out of use that no article in force bears out."""
        return Macros(
            self.database,
            self.clock,
            self.library,
            EmbeddingStore(self.database, self.embedder),
            lambda: MacroJudge(self.search, self.citer, self.checker, self.library, self.changes),
        )

    def _learner(self) -> Learner:
        """Return a classifier that knows the reason map only."""
        from graph.classify import ReasonClassifier

        given = self.settings
        embedded = ReasonClassifier(self.reasons, self.reader, cache=given.home / "cache")
        if given.model is None or not given.model_classifies:
            return embedded
        from graph.model_classify import ModelClassifier

        return ModelClassifier(embedded, self.reasons, self._chat_model(given.model))

    def _triage_rules(self) -> TriageRules:
        from graph.shipped_examples import ShippedExamples
        from graph.triage import TriageService

        given = self.settings
        rules = TriageService(
            self.tiers,
            self.reasons,
            self.reader,
            cache=given.home / "cache",
            shipped=ShippedExamples(),
        )
        if given.model is None or not given.model_tiers:
            return rules
        from graph.tier_vote import VotedTriage

        return VotedTriage(rules, self.tiers, self._chat_model(given.model))

    @cached_property
    def deps(self) -> Deps:
        """What the nodes of a run get."""
        _keep_products_on_one_thread()
        return Deps(
            clock=self.clock,
            conversations=self.contacts,
            classifier=TaughtClassifier(
                self._learner,
                self.corrections,
                self.reasons,
            ),
            rules=self._triage_rules(),
            search=self.search,
            sources=self.library,
            drafter=self._drafter(),
            checker=self.checker,
            changes=self.changes_at_approval,
            disputes=self.disputes,
            citer=self.citer,
            past=self.library,
            autonomy=self.autonomy,
            outbox=self.deliveries,
            handoffs=Handoffs(self.database, self.clock),
            ledger=AuditLedger(self.database, self.clock),
            interrupt_shape=self.settings.interrupt_shape,
            passages_per_draft=self.settings.passages_per_draft,
        )

    @cached_property
    def runs(self) -> Runs:
        """The runner of the graph."""
        from desk.runs import Runs
        from graph.build import build_graph
        from graph.checkpoints import open_checkpointer

        checkpointer, close = open_checkpointer(self.settings.database, self.settings.home)
        self._closers.append(close)
        return Runs(
            build_graph(checkpointer),
            self.deps,
            self.database,
            self.clock,
            self._sla_minutes,
            AdvisoryLocks(self.database.engine) if self.shares_work else ProcessLocks(),
        )

    @property
    def handlers(self) -> Handlers:
        """What carries out the jobs that services ask for."""
        return Handlers(
            carry_out={
                "carry": lambda thread: self.runs.carry(thread),
                "resume": lambda review_id: self.runs.resume(review_id),
                "deliver": lambda delivery_id: self.deliveries.deliver(delivery_id),
                "redraft": lambda review_id: self.impact.redraft(review_id),
                "sync": lambda source: self._sync_job(source),
                "sweep": lambda what: self._sweep_job(what),
                "rhythm": lambda at: self._rhythm_job(),
            },
            was_away=self._was_away,
            give_up={
                "carry": lambda thread, cause: self.runs.fail(thread, cause),
                "resume": lambda review_id, cause: self.runs.fail_resume(review_id, cause),
                "deliver": lambda delivery_id, cause: self.deliveries.give_up(delivery_id, cause),
                "redraft": lambda review_id, cause: None,  # it stays marked, and waits for a person
                "sync": lambda source, cause: None,
                "sweep": lambda at, cause: None,  # the next one looks at the same
                "rhythm": lambda at, cause: None,
            },
        )

    def sync(
        self,
        source: str | None = None,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> SyncReport:
        """Bring the help center in, the index up to date, and flag what its owners must look at.

        Args:
            source: Only this source.
            on_progress: Called with what is done, how much of it and of how much: the name of each
                source, then ``passages``, ``macros against articles``, ``what owners must look at``.
        """
        workspace = Workspace.load(self.settings.workspace_folder)
        sync = Sync(self.database, self.clock)
        tell = on_progress or (lambda *_: None)
        report = sync.run(workspace, source, on_progress)
        found = self.impact.sweep()
        self.search.refresh(lambda done, total: tell("passages", done, total))
        tell("macros against articles", 0, 1)
        self._keep_macros_true(report)
        tell("macros against articles", 1, 1)
        tell("what owners must look at", 0, 1)
        found.add(self.impact.sweep())  # of macros that were just withheld or released
        found.tell(report)
        sync.amend(report)
        # Not before the index holds the new passages: a draft would not find them.
        self.impact.redraft_stale()
        self.flags.refresh_due(report.touched())
        self.flags.freshen()
        self.autonomy.sweep()
        self.seeded.withdraw_outdated()
        tell("what owners must look at", 1, 1)
        return report

    def sweep(self) -> ImpactReport:
        """Look at what time alone changed, and at what an interrupted sync left; hourly."""
        found = self.impact.sweep()
        self.search.refresh()
        if self.macros.keep_true():
            self.search.refresh()
            found.add(self.impact.sweep())
        self.impact.redraft_stale()
        self.flags.refresh_due()
        self.flags.sweep()
        self.autonomy.sweep()
        self.tasks.sweep()
        self.deliveries.set_right()
        self.runs.prune(self.clock.now() - CHECKPOINTS_KEPT)
        self.metrics.rollup.catch_up()
        self.complaint_themes.catch_up()
        self.audit_seals.seal()
        self.seeded.place()
        return found

    def _keep_macros_true(self, report: SyncReport) -> None:
        verdicts = self.macros.keep_true()
        if verdicts:
            self.search.refresh()
        report.withheld = [
            Problem(one.article_id, one.sentence) for one in verdicts if one.withheld
        ]
        report.released = [one.article_id for one in verdicts if not one.withheld]

    def sync_anywhere(
        self,
        source: str | None = None,
        on_progress: Callable[[str, int, int], None] = lambda *_: None,
    ) -> dict[str, Any]:
        """As :meth:`sync`, as JSON; where another process owns the index, that one does the work.

        Raises:
            Unavailable: The other process did not finish in time.
        """
        if self.owns_home:
            return self.sync(source, on_progress).as_json()
        key = new_id("sync")
        with self.database.write() as session:
            self.jobs.enqueue(session, "sync", key, source or "")
        on_progress("sync by the running desk", 0, 1)
        report = self.jobs.wait(key, SYNC_SECONDS)
        if report is None:
            raise Unavailable("The running desk has not finished the sync; look at it there.")
        on_progress("sync by the running desk", 1, 1)
        return cast(dict[str, Any], json.loads(report))

    def start(self) -> None:
        """Carry jobs out: on SQLite as soon as no other process does, else beside the others.

        The first ranks the flags: the hourly look is up to an hour away, and pages show what was
        found. Drafts whose sources changed wait for it; who comes first may want to see them.
        """
        key = f"{_FLAGS_ALONE}:{self.clock.now():%Y-%m-%dT%H}"
        with self.database.write() as session:
            self.jobs.enqueue(session, "sweep", key, _FLAGS_ALONE)
        if self.shares_work:
            self._join_in()
            return
        self.work_if_free()
        if not self._working:
            threading.Thread(target=self._take_over, name="take-over", daemon=True).start()

    @property
    def shares_work(self) -> bool:
        """Whether any number of processes may carry jobs out: on PostgreSQL."""
        return self.database.engine.dialect.name == "postgresql"

    @property
    def works(self) -> bool:
        """Whether this process carries jobs out."""
        return self._working

    @property
    def ends(self) -> bool:
        """Whether this process has been told to stop, and begins nothing more."""
        return self._stopped.is_set()

    @property
    def index_is_built(self) -> bool:
        """Whether this process has an index to search; asking does not build one."""
        search: SearchService | None = self.__dict__.get("search")
        return search is not None and search.built

    @property
    def index_trouble(self) -> str:
        """Why searches are answered from memory and not by the index; empty when they are not."""
        search: SearchService | None = self.__dict__.get("search")
        return search.trouble if search else ""

    def warm_up(self) -> None:
        """Build in the background what the first contact would wait for."""
        with self._start:
            if self._warming is None or not self._warming.is_alive():
                self._warming = threading.Thread(target=self._warm, name="warm-up", daemon=True)
                self._warming.start()

    def _warm(self) -> None:
        try:
            self.search.refresh()
            _ = self.runs
        except Exception as error:  # whoever needs it next tries again, and says what is wrong
            if not self._stopped.is_set():
                _log.warning("the desk could not be made ready: %s", type(error).__name__)

    def work_if_free(self) -> None:
        """Begin to carry jobs out if nobody else does."""
        if self._working or isinstance(self.jobs, InlineJobs):
            return
        if self.shares_work:
            if not count_workers(self.database.engine):
                self._join_in()
            return
        with self._start:
            if self._working or not (self.owns_home or self.lock.acquire()):
                return
            self.owns_home = True
            start_working(self.settings.database, self.handlers)
            self._working = True

    def _join_in(self) -> None:
        with self._start:
            if self._working:
                return
            name = new_worker_name()
            # The name comes first: work of a name that nobody holds is taken for a dead worker's.
            liveness = Liveness(
                self.database.engine,
                name,
                lambda: executors_at_work() if self._working else (),
                put_back,
            )
            if not liveness.start(NAME_SECONDS):
                liveness.stop()
                raise DatabaseUnavailable
            try:
                start_working(self.settings.database, self.handlers, name)
            except BaseException:
                liveness.stop()
                raise
            self._working, self._liveness = True, liveness

    def close(self) -> bool:
        """Finish what runs and let go of everything; return whether all that ran has ended.

        What has not ended in time keeps what it works with, the home among it, until this process
        ends: somebody who took it up now would do it at the same time.
        """
        self._stopped.set()
        if self._working and not stop_working(self.settings.stop_seconds):
            _log.warning("jobs are left to whoever works next")
            return False
        if self._liveness and not self._liveness.stop():
            return False
        if isinstance(self.jobs, DbosJobs):
            self.jobs.close()
        for closer in reversed(self._closers):
            closer()
        self.database.close()
        if self.owns_home:
            self.lock.release()
        return True

    def _was_away(self, error: Exception) -> bool:
        """Wait for the database if it was away, busy or full; tell whether that is over or may be."""
        if not self.database.answers():
            return self.database.wait_until_it_answers(DATABASE_AWAY_SECONDS, self._stopped)
        if storage_trouble(error) is None:
            return False
        return not self._stopped.wait(STORAGE_PAUSE_SECONDS)

    def _take_over(self) -> None:
        while not self._working and not self._stopped.wait(TAKE_OVER_SECONDS):
            self.work_if_free()

    def _sweep_job(self, what: str) -> str:
        if self._working:
            give_up_abandoned()
        if what == _FLAGS_ALONE:
            self.flags.sweep()
            self.tasks.sweep()
            return ""
        return json.dumps(self.sweep().as_json())

    def todays_report(self, actor: Actor) -> tuple[Document, dict[str, Any]]:
        """Return the daily queue with the report of the day, as a document and as plain values."""
        report = self.rhythm.report(actor, day_of(self.now_here()))
        today = self.daily.today(actor)
        base = self.settings.base_url
        queue = today_document(today, {one.id: one.name for one in self.reasons}, base)
        values = {"today": today.as_json(), "day": report.as_json()}
        return both(queue, day_document(report, base)), values

    def _rhythm_job(self) -> str:
        """Write the day's report, unless it is there or the working day has not begun; return where."""
        now, folder = self.now_here(), self.settings.home / REPORTS
        if not is_due(now) or all(path.exists() for path in report_files(folder, now)):
            return ""
        document, _ = self.todays_report(MACHINE)
        return str(write_report(folder, now, document)[1])

    def _sync_job(self, source: str) -> str:
        return json.dumps(self.sync(source or None).as_json())

    def _vector_index(self) -> VectorIndex:
        if not self.owns_home:
            from retrieval.vector_index import ExactIndex

            return ExactIndex(self.embedder.dimensions)
        from retrieval.chroma_server import ChromaServerIndex
        from retrieval.vector_index import ChromaIndex

        server = _chroma_server(self.settings)
        index = (
            ChromaServerIndex(server, _collection_of(self.settings.home))
            if server
            else ChromaIndex(self.settings.home / "chroma")
        )
        # Its folder must be let go of before somebody else may take the home up.
        self._closers.append(index.close)
        return index

    def _chat_model(self, name: str) -> BaseChatModel:
        from graph.model_draft import load_model

        given = self.settings
        return load_model(name, given.model_url, given.model_timeout_seconds)

    def _drafter(self) -> Drafter:
        from graph.extractive import ExtractiveDrafter

        versions = VersionsAtHand(self.search.passages_of_version, self.library.passages_of_version)
        extractive = ExtractiveDrafter(self.reader, versions)
        if not self.settings.model:
            return extractive
        from graph.model_draft import ModelDrafter

        return ModelDrafter(
            self.settings.model,
            self.settings.model_url,
            self.settings.model_timeout_seconds,
            extractive,
        )

    def _sla_minutes(self, reason_id: str | None) -> int | None:
        reason = self.reasons.get(reason_id)
        return reason.sla_minutes if reason else None


def _chroma_server(settings: Settings) -> ChromaAddress | None:
    if settings.chroma_url is None:
        return None
    from retrieval.chroma_server import chroma_address

    return chroma_address(settings.chroma_url, trusted_network=settings.chroma_trusted_network)


def _collection_of(home: Path) -> str:
    """Return the name of the home's collection, the same at each start and no other home's."""
    kept = home / "chroma-collection"
    if not kept.exists():
        half = kept.with_suffix(".half")
        half.write_text(new_id("desk"), "utf-8")
        half.replace(kept)
    return kept.read_text("utf-8")


def _keep_products_on_one_thread() -> None:
    """Have a product of matrices computed by the thread that asks for it.

    Those of a run take less than a millisecond. The library would start a thread a core for each,
    and wait for the busiest core.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    threadpool_limits(1, "blas")


def open_desk(
    settings: Settings,
    clock: Clock | None = None,
    *,
    inline: bool = False,
    lock_seconds: float = 0,
) -> Desk:
    """Open the desk at ``settings.home``; creates and migrates its database.

    Args:
        settings: Where everything is.
        clock: The time; the machine's by default.
        inline: Carry jobs out in the caller's thread (tests, replays).
        lock_seconds: How long to wait for another process to let go of the home.

    Raises:
        BadInput: The settings name a Chroma server that may not be used.
        DatabaseUnavailable: The database does not answer.
    """
    _chroma_server(settings)  # an address that is refused is told of before anything is made
    settings.home.mkdir(parents=True, exist_ok=True)
    lock = HomeLock(settings.home)
    owns = lock.acquire(lock_seconds)
    database = Database(settings.database)
    if not database.answers():
        lock.release()
        raise DatabaseUnavailable
    upgrade(database)
    if inline:
        jobs: DbosJobs | InlineJobs = InlineJobs()
    else:
        prepare_job_tables(settings.database)
        jobs = DbosJobs(settings.database, lambda: desk.work_if_free())
    desk = Desk(
        settings=settings,
        clock=clock or SystemClock(),
        database=database,
        jobs=jobs,
        lock=lock,
        owns_home=owns,
        undo_seconds=settings.undo_seconds,
    )
    if isinstance(jobs, InlineJobs):
        jobs.handlers.update(desk.handlers.carry_out)
    return desk


@contextlib.contextmanager
def opened(
    settings: Settings, clock: Clock | None = None, *, inline: bool = False
) -> Iterator[Desk]:
    """As :func:`open_desk`, closed when the block ends."""
    desk = open_desk(settings, clock, inline=inline)
    try:
        yield desk
    finally:
        desk.close()
