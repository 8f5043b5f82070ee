"""Background work: DBOS sees to it that somebody carries every contact on.

Any process may ask for work; the request is written in the same transaction as what causes it
(DBOS keeps its tables in the same database). On SQLite one process at a time carries it out, the one
that holds the lock of ``PROOFDESK_HOME``; on PostgreSQL any number of workers do.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar, cast, get_args

from filelock import FileLock, Timeout
from sqlalchemy.orm import Session

from core.database import (
    connector,
    on_postgresql,
    patient_engine,
    plainly,
    storage_trouble,
    with_patience,
)
from core.errors import DatabaseUnavailable, ProofdeskError, Unavailable
from core.logs import about
from core.tracing import span

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

Result = TypeVar("Result")
JobName = Literal["carry", "resume", "deliver", "redraft", "sync", "sweep", "rhythm"]
Handler = Callable[[str], str]
"""Carries one job out; its argument is an id, its result a short text. Running twice is harmless."""

QUEUE: Final = "desk"
LOCK_FILE: Final = "desk.lock"
# DBOS recovers only workflows of its own application version. Ours is the version of the job
# protocol, not of the code: a deploy must not strand what the process before it began.
PROTOCOL_VERSION: Final = "1"
EXECUTOR: Final = "desk"
POLLING_SECONDS: Final = 0.05
JOB_WORKERS: Final = 4
MAX_ATTEMPTS: Final = 4
MAX_RECOVERIES: Final = 20
"""How often a job is taken up again that its process died over, before it counts as the cause."""
DATABASE_AWAY_SECONDS: Final = 3600.0
HOLD_SECONDS: Final = 5.0
"""How often a worker looks for what counts as begun by it and is not."""
_KEPT: Final = (
    "The database went away. What you asked for is written down, and the desk carries it out as soon "
    "as the database is back."
)
SWEEP_SCHEDULE: Final = "7 * * * *"
"""When the desk looks at what time alone changed: seven minutes past every hour."""


RHYTHM_SCHEDULE: Final = "23 * * * *"
"""When the desk writes the day's report, unless it has: see :func:`desk.rhythm_reports.is_due`. A desk
that is not there early in the morning writes it in the hour in which it is."""


class Jobs(Protocol):
    """Where services leave work."""

    def enqueue(
        self, session: Session, job: JobName, key: str, argument: str, delay_seconds: float = 0
    ) -> None:
        """Ask for ``job`` in the caller's unit of work; asking twice with one key asks once."""
        ...

    def wait(self, key: str, timeout_seconds: float) -> str | None:
        """Return the result of the job ``key``; None when it is not done in time.

        Raises:
            Unavailable: The job failed for good.
            DatabaseUnavailable: The database is away; the job stays asked for.
        """
        ...

    def put_off(self, key: str, delay_seconds: float) -> None:
        """Have the job ``key``, if it is still to begin at its time, begin so long from now."""
        ...


class HomeLock:
    """The lock of one ``PROOFDESK_HOME``: its holder owns the Chroma folder and does the work."""

    def __init__(self, home: Path) -> None:
        self._lock = FileLock(home / LOCK_FILE, thread_local=False)

    def acquire(self, timeout_seconds: float = 0) -> bool:
        """Take the lock; False when another process holds it all the time."""
        try:
            self._lock.acquire(timeout=timeout_seconds)
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()


@contextmanager
def asked_for() -> Iterator[None]:
    """Have who is told that the database went away hear, too, that what they asked for is kept.

    Raises:
        DatabaseUnavailable: The database went away while the block ran.
    """
    try:
        with plainly():
            yield
    except DatabaseUnavailable as error:
        raise DatabaseUnavailable(_KEPT) from error


class DbosJobs:
    """Leaves work with DBOS.

    Args:
        url: SQLAlchemy URL of the database that holds the records.
        work: Called while a result is awaited and nobody carries jobs out; may begin to.
    """

    def __init__(self, url: str, work: Callable[[], None] = lambda: None) -> None:
        self._url = url
        self._work = work
        self._client: DBOSClient | None = None
        # DBOS lets a client be told of no connections but an engine's.
        self._engine = patient_engine(url) if on_postgresql(url) else None

    def enqueue(
        self, session: Session, job: JobName, key: str, argument: str, delay_seconds: float = 0
    ) -> None:
        """Ask for ``job`` in the caller's unit of work."""
        options: EnqueueOptions = {
            "queue_name": QUEUE,
            "workflow_name": job,
            "workflow_id": key,
            "app_version": PROTOCOL_VERSION,
        }
        if delay_seconds > 0:
            options["delay_seconds"] = delay_seconds
        self._connected().enqueue_in_transaction(session, options, argument)

    def wait(self, key: str, timeout_seconds: float) -> str | None:
        """Return the result of the job ``key``; None when it is not done in time.

        Raises:
            Unavailable: The job failed for good.
            DatabaseUnavailable: The database is away; the job stays asked for.
        """
        deadline = time.monotonic() + timeout_seconds
        with asked_for():
            client = self._connected()
            while True:
                status = client.retrieve_workflow(key).get_status()
                if status.status == "SUCCESS":
                    return str(status.output)
                if status.status in ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"):
                    raise Unavailable(f"The desk could not finish {key}: {status.error}")
                if time.monotonic() > deadline:
                    return None
                self._work()
                time.sleep(0.01)

    def put_off(self, key: str, delay_seconds: float) -> None:
        """Have the job ``key``, if it is still to begin at its time, begin so long from now."""
        with plainly():
            self._connected().set_workflow_delay(key, delay_seconds=delay_seconds)

    def close(self) -> None:
        """Close the connection."""
        if self._client:
            self._client.destroy()
            self._client = None
        if self._engine is not None:
            self._engine.dispose()

    def _connected(self) -> DBOSClient:
        if self._client is None:
            from dbos import DBOSClient

            # Else whoever asks waits for a database that is away until it is back.
            self._client = DBOSClient(
                system_database_url=self._url,
                system_database_engine=self._engine,
                lazy=True,
                retry_connection_errors=False,
            )
        return self._client


@dataclass(frozen=True)
class Handlers:
    """What carries jobs out, and what puts one before a person that failed for good.

    Attributes:
        carry_out: By job.
        give_up: By job; gets the job's argument and the cause in words.
        was_away: After a failure: waits a while if the database was its cause, and tells whether it
            was; then the same is tried again.
    """

    carry_out: Mapping[JobName, Handler]
    give_up: Mapping[JobName, Callable[[str, str], None]]
    was_away: Callable[[Exception], bool] = lambda _: False


class LeftForTheNext(BaseException):
    """A job failed while its process ends, and is whoever's that works next.

    No Exception: DBOS would write that down as the job's outcome, and so would a handler.
    """


class _Work:
    """What this process carries out, and how far it has come."""

    def __init__(self, handlers: Handlers) -> None:
        self.handlers = handlers
        self.ending = threading.Event()
        self._under_way = 0
        self._lock = threading.Lock()

    @property
    def idle(self) -> bool:
        return not self._under_way

    @contextmanager
    def under_way(self) -> Iterator[None]:
        with self._lock:
            self._under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1


_DIED_OVER_IT: Final = f"The desk's process died over it {MAX_RECOVERIES} times."

_current: list[_Work] = []
"""What DBOS's registered workflows call. DBOS keeps one registry a process; so do we."""


def _patiently(work: _Work, do: Callable[[], Result]) -> Result:
    """Return what ``do`` does; while the database is away, busy or full, wait and do it again.

    That is no fault of the job and uses up none of its attempts.
    """
    enough = time.monotonic() + DATABASE_AWAY_SECONDS
    while True:
        try:
            return do()
        except Exception as error:
            _log.warning("an attempt failed", exc_info=error)
            if time.monotonic() < enough and work.handlers.was_away(error):
                continue
            if work.ending.is_set():
                raise LeftForTheNext from error
            raise


def _worth_another_try(error: BaseException) -> bool:
    """Tell whether the same job may succeed later: not when it is the input that is wrong."""
    return isinstance(error, Unavailable) or not isinstance(error, ProofdeskError)


def _register_workflows() -> dict[JobName, Callable[[datetime, Any], None]]:
    """Register a workflow for each job; return those that schedules start."""
    from dbos import DBOS

    @DBOS.step(
        name="attempt",
        retries_allowed=True,
        max_attempts=MAX_ATTEMPTS,
        interval_seconds=0.2,
        should_retry=_worth_another_try,
    )
    def attempt(job: JobName, argument: str) -> str:
        work = _current[0]
        with about(job=job, **ids_of(job, argument)), span("job"):
            done = _patiently(work, lambda: work.handlers.carry_out[job](argument))
            _log.info("done")
            return done

    @DBOS.step(name="give_up")
    def give_up(job: JobName, argument: str, cause: str) -> None:
        with about(job=job, **ids_of(job, argument)):
            _log.error("given up: a person must look")
            work = _current[0]
            _patiently(work, lambda: work.handlers.give_up[job](argument, cause))

    def register(job: JobName) -> None:
        @DBOS.workflow(name=job, max_recovery_attempts=MAX_RECOVERIES)
        def run(argument: str) -> str:
            with _current[0].under_way():
                try:
                    return attempt(job, argument)
                except Exception as error:
                    give_up(job, argument, describe_failure(error))
                    raise

    for job in get_args(JobName):
        register(job)

    @DBOS.workflow(name="sweep_by_the_clock")
    def sweep_by_the_clock(at: datetime, _context: Any) -> None:
        with _current[0].under_way():
            attempt("sweep", at.isoformat())

    @DBOS.workflow(name="report_by_the_clock")
    def report_by_the_clock(at: datetime, _context: Any) -> None:
        with _current[0].under_way():
            attempt("rhythm", at.isoformat())

    return {"sweep": sweep_by_the_clock, "rhythm": report_by_the_clock}


def ids_of(job: JobName, argument: str) -> dict[str, str]:
    """Return the ids that a job is about, under the names they have in the log."""
    names: dict[JobName, str] = {"resume": "review_id", "redraft": "review_id"}
    if job == "carry":
        return {"contact_id": argument.rpartition(":")[0]}
    if job == "deliver":
        return {"delivery_id": argument.partition(":")[0]}
    return {names[job]: argument} if job in names else {}


def describe_failure(error: BaseException) -> str:
    """Return the cause of a failure in words, without customer text or secrets."""
    cause = error
    while isinstance(getattr(cause, "errors", None), list) and cause.errors:  # type: ignore[attr-defined]
        cause = cause.errors[-1]  # type: ignore[attr-defined]
    if isinstance(cause, ProofdeskError):
        return cause.message
    if trouble := storage_trouble(cause):
        return trouble.message
    if isinstance(cause, OSError) and cause.strerror:
        return f"The machine says: {cause.strerror}."
    return f"{type(cause).__name__} while the desk worked on it."


def start_working(url: str, handlers: Handlers, executor: str = EXECUTOR) -> None:
    """Launch DBOS: it takes up what ``executor`` left unfinished and then what is queued.

    Args:
        url: SQLAlchemy URL of the database that holds the records.
        handlers: What carries jobs out.
        executor: Name of this worker. On SQLite there is one worker, the holder of the home lock,
            and one name; on PostgreSQL each has its own.
    """
    from dbos import DBOS

    _silence()
    DBOS(
        config={
            "name": "proofdesk",
            "system_database_url": url,
            "db_engine_kwargs": {"creator": connector(url)} if on_postgresql(url) else None,
            "application_version": PROTOCOL_VERSION,
            "executor_id": executor,
            "log_level": "ERROR",
            "console_log_level": "ERROR",
            "notification_listener_polling_interval_sec": POLLING_SECONDS,
        }
    )
    _current[:] = [_Work(handlers)]
    by_the_clock = _register_workflows()
    schedules: dict[JobName, str] = {"sweep": SWEEP_SCHEDULE, "rhythm": RHYTHM_SCHEDULE}
    DBOS.launch()
    keeping = (_current[0].ending, executor)
    threading.Thread(target=_keep_hold, args=keeping, name="keep-hold", daemon=True).start()
    DBOS.apply_schedules(
        [
            {"schedule_name": name, "workflow_fn": by_the_clock[name], "schedule": schedule}
            for name, schedule in schedules.items()
        ]
    )


def _keep_hold(ending: threading.Event, executor: str) -> None:
    """Put back on the queue what this worker let slip, until it ends.

    Where the database goes away, or its disk is full, just as DBOS writes down that a job begins or
    how it ended, the job counts as begun and nobody carries it out: its worker lives, so nobody
    takes it over either.
    """
    slipped: set[str] = set()
    while not ending.wait(HOLD_SECONDS):
        try:
            # What is seen once may have begun or ended this moment.
            again = slipped & (slipped := _let_slip(executor))
            for key in again:
                _put_back_one(key)
        except Exception as error:  # the database is away, or this worker ends
            if ending.is_set():
                return
            _log.warning("worker %s could not look at its jobs: %s", executor, type(error).__name__)


def _let_slip(executor: str) -> set[str]:
    from dbos import DBOS
    from dbos._dbos import _get_dbos_instance

    begun = DBOS.list_workflows(
        status="PENDING", executor_id=executor, load_input=False, load_output=False
    )
    under_way = _get_dbos_instance()._active_workflows_set.activeList()
    return {one.workflow_id for one in begun} - set(under_way)


def _put_back_one(key: str) -> None:
    from dbos import DBOS

    _log.warning("%s was begun and let slip; it is put back", key)
    DBOS.resume_workflow(key, queue_name=QUEUE)


def executors_at_work() -> set[str]:
    """Return the names of the workers that have work under way, dead or alive."""
    from dbos import DBOS

    begun = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return {one.executor_id for one in begun if one.executor_id}


def put_back(executor: str) -> None:
    """Put what a dead worker had begun back on the queue."""
    from dbos import DBOS

    # Not resume_workflow: it forgets how often a job was tried, so one that kills its worker would
    # kill them all, one after the other, for ever.
    DBOS._recover_pending_workflows([executor])


def give_up_abandoned() -> int:
    """Put before a person what DBOS takes up no more, its process having died over it too often.

    Returns:
        Of how many jobs.
    """
    from dbos import DBOS

    abandoned = DBOS.list_workflows(
        status="MAX_RECOVERY_ATTEMPTS_EXCEEDED", name=list(get_args(JobName)), load_output=False
    )
    for one in abandoned:
        job, (argument, *_) = cast(JobName, one.name), one.input["args"]  # type: ignore[index]
        with about(job=job, **ids_of(job, argument)):
            _log.error("given up: a person must look")
            _current[0].handlers.give_up[job](argument, _DIED_OVER_IT)
        DBOS.cancel_workflow(one.workflow_id)  # so that it is seen to once
    return len(abandoned)


def stop_working(patience_seconds: float) -> bool:
    """Stop DBOS: begin nothing more, and wait for what runs; return whether all of it ended.

    What has not is as if its process had been killed: it still runs, and whoever works next does it
    again. Takes ``patience_seconds`` and at most two more.
    """
    from dbos import DBOS

    def destroy() -> None:
        patience = math.ceil(patience_seconds)
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=patience)

    work = _current[0]
    work.ending.set()
    # In a thread: DBOS waits ten seconds for each of its own that hangs on a database that is away.
    destroying = threading.Thread(target=destroy, name="stop-working", daemon=True)
    destroying.start()
    destroying.join(patience_seconds + 2)
    return work.idle and not destroying.is_alive()


def prepare_job_tables(url: str) -> None:
    """Create or upgrade the tables of DBOS, and declare the queue in them.

    A queue that is declared after the launch is first looked at a second later.
    """
    from dbos import DBOSClient, run_dbos_database_migrations

    _silence()
    url = with_patience(url)
    run_dbos_database_migrations(url)
    client = DBOSClient(system_database_url=url)
    try:
        client.register_queue(
            QUEUE, worker_concurrency=JOB_WORKERS, polling_interval_sec=POLLING_SECONDS
        )
    finally:
        client.destroy()


def _silence() -> None:
    logger = logging.getLogger("dbos")
    logger.setLevel(logging.ERROR)
    # With a handler it adds none of its own: that one would write to standard error what a job failed
    # with, and a customer's words with it. What it says goes the way of the desk's log.
    logger.handlers[:] = [logging.NullHandler()]
    logger.propagate = True


@dataclass
class _Asked:
    job: JobName
    argument: str
    delayed: bool
    result: str | None = None


class InlineJobs:
    """Carries work out in the caller's thread when it is waited for; for tests and replays.

    Strict: waiting for a job that was never asked for raises.
    """

    def __init__(self) -> None:
        self.handlers: dict[JobName, Handler] = {}
        self._asked: dict[str, _Asked] = {}

    def enqueue(
        self, session: Session, job: JobName, key: str, argument: str, delay_seconds: float = 0
    ) -> None:
        """Remember the job; asking twice with one key asks once."""
        self._asked.setdefault(key, _Asked(job, argument, delay_seconds > 0))

    def wait(self, key: str, timeout_seconds: float) -> str | None:
        """Carry the job out now, unless it was done before."""
        if key not in self._asked:
            raise LookupError(f"nobody asked for job {key!r}")
        asked = self._asked[key]
        if asked.result is None:
            asked.result = self.handlers[asked.job](asked.argument)
        return asked.result

    def put_off(self, key: str, delay_seconds: float) -> None:
        """Nothing: a job here has no time of its own."""

    def run_all(self, *, delayed: bool = True) -> None:
        """Carry out whatever was asked for and not done, in order."""
        while pending := [
            key
            for key, asked in self._asked.items()
            if asked.result is None and (delayed or not asked.delayed)
        ]:
            for key in pending:
                self.wait(key, 0)
