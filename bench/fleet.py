"""What the benches with several processes share: engines, homes, and processes that can be killed.

A member of the fleet is a process with an open desk of its own: it carries jobs out, and does what
it is told over a pipe. Members are forked from a server that has imported everything, so one more
costs the opening of a desk and no more.
"""

from __future__ import annotations

import importlib
import itertools
import multiprocessing
import os
import signal
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Literal, get_args

from bench import warm
from bench._measure import resident_megabytes
from core.errors import Conflict, ProofdeskError
from core.settings import Settings
from desk.bootstrap import Desk, open_desk
from desk.contacts import NewContact, NewMessage
from tests.integration.conftest import REASONS, REFUNDS, SHIPPING
from tests.integration.postgres import PostgresServer

Engine = Literal["sqlite", "postgresql"]
ENGINES: Final = get_args(Engine)
AGENT: Final = "mina"
DECIDERS: Final = ("ruth", "sam")
APPROVE: Final = {"kind": "approve", "comment": "It is right."}
ESCALATE: Final = {"kind": "escalate", "tier": "escalate_first", "comment": "A person must call."}
QUESTIONS: Final = (
    "How long does a refund take for order {}?",
    "Can I return the lamp of order {}?",
    "How much is shipping for order {}?",
    "How many days does shipping take for order {}?",
    "When will order {} arrive?",
)

# Without these a member would import for seconds before it opens its desk.
_IMPORTED: Final = (
    "bench.fleet",
    "bench.warm",
    "chromadb",
    "dbos",
    "desk.runs",
    "graph.check",
    "graph.checkpoints",
    "graph.citer",
    "graph.classify",
    "graph.extractive",
    "graph.shipped_examples",
    "graph.triage",
    "langgraph.checkpoint.postgres",
    "onnxruntime",
    "psycopg_pool",
    "retrieval.embeddings",
    "tantivy",
    "tokenizers",
)


@dataclass(frozen=True)
class Homes:
    """Makes the settings of one more empty home, on a database of its own, each time it is called.

    Attributes:
        server: The PostgreSQL server of all of them; None on SQLite.
    """

    server: PostgresServer | None
    _make: Callable[[], Settings]

    def __call__(self) -> Settings:
        """Return the settings of one more."""
        return self._make()


@contextmanager
def homes(engine: Engine, *, durable: bool = False) -> Iterator[Homes]:
    """Give what makes homes.

    Args:
        engine: Of the database.
        durable: Whether PostgreSQL waits for its disk, as it does where it is used.
    """
    numbers = itertools.count(1)
    # What is learned from examples is found by their digest, so all runs of all benches share it.
    cache = Path(tempfile.gettempdir()) / "proofdesk-bench-cache"
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="proofdesk-bench-") as folder:
        base = Path(folder)
        workspace = base / "workspace"
        (workspace / "articles").mkdir(parents=True)
        (workspace / "articles" / "refunds.md").write_text(REFUNDS)
        (workspace / "articles" / "shipping.md").write_text(SHIPPING)
        (workspace / "reasons.yaml").write_text(REASONS)
        os.environ[warm.HOME] = str(_new_home(base, "warm", cache))
        os.environ[warm.WORKSPACE] = str(workspace)
        server: PostgresServer | None = None
        if engine == "postgresql":
            base.chmod(0o755)
            (base / "postgres").mkdir()
            server = PostgresServer(base / "postgres", durable=durable)
            server.start()

        def make() -> Settings:
            name = f"home{next(numbers)}"
            url = server.new_database(name) if server else None
            home = _new_home(base, name, cache)
            return Settings(
                home=home, workspace=workspace, undo_seconds=0, database_url=url, _env_file=None
            )

        try:
            yield Homes(server, make)
        finally:
            if server and server.running():
                server.stop()


def _new_home(base: Path, name: str, cache: Path) -> Path:
    home = base / name
    home.mkdir()
    (home / "cache").symlink_to(cache)
    return home


def prepare(settings: Settings) -> None:
    """Make the desk: its help center synced, an agent and the deciders at it."""
    desk = open_desk(settings, inline=True)
    desk.sync()
    desk.people.add(None, "Mina", "mina@example.com", "agent", AGENT)
    for name in DECIDERS:
        desk.people.add(None, name, f"{name}@example.com", "supervisor", name)
    desk.close()


def open_paused(desk: Desk, count: int, questions: tuple[str, ...] = QUESTIONS[:1]) -> list[str]:
    """Open contacts and bring each to its pause; return the ids of their reviews."""
    agent = desk.people.get(AGENT)
    reviews = []
    for number in range(count):
        contact = open_contact(desk, questions[number % len(questions)].format(number))
        desk.contacts.wait_for_draft(contact)
        reviews += [one.id for one in desk.reviews.of_contact(agent, contact)]
    return reviews


def settle(desk: Desk, review_id: str, wait_seconds: float = 0) -> None:
    """Approve a review; escalate one that admits no approval, such as of a draft without source."""
    ruth = desk.people.get(DECIDERS[0])
    admitted = desk.reviews.get(ruth, review_id).open_decisions
    desk.reviews.decide(
        ruth, review_id, APPROVE if "approve" in admitted else ESCALATE, wait_seconds
    )


def open_contact(desk: Desk, text: str) -> str:
    """Open a contact; return its id."""
    new = NewContact("email", [NewMessage("customer", text)], customer_email="c@example.com")
    return desk.contacts.open(desk.people.get(AGENT), new)


@dataclass(frozen=True)
class KillPoint:
    """Where a member kills itself.

    Attributes:
        place: ``module:Class`` or a module.
        name: What is called there.
        after: Whether it is done when the kill comes.
        times: Which call it is.
    """

    place: str
    name: str
    after: bool
    times: int = 1

    def arm(self) -> None:
        """Have this process die there."""
        module, _, inner = self.place.partition(":")
        owner: Any = importlib.import_module(module)
        owner = getattr(owner, inner) if inner else owner
        original = getattr(owner, self.name)
        calls = itertools.count(1)

        def armed(*given: Any, **named: Any) -> Any:
            due = next(calls) == self.times
            if due and not self.after:
                die()
            done = original(*given, **named)
            if due:
                die()
            return done

        setattr(owner, self.name, armed)

    def __str__(self) -> str:
        """Return it in words."""
        return f"{'after' if self.after else 'before'} {self.place.rpartition(':')[2]}.{self.name}"


def die() -> None:
    """End this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


class Member:
    """A process with an open desk.

    Args:
        settings: Of the home it opens.
        works: Whether it carries jobs out from the start; else once it is told ``start``.
        dies_at: Where it kills itself.
        patch: ``module:function`` that is called in it before the desk is opened.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        works: bool = True,
        dies_at: KillPoint | None = None,
        patch: str = "",
    ) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(list(_IMPORTED))
        self.pipe, its = context.Pipe()
        self.dies_at = dies_at
        values = settings.model_dump()
        self.process = context.Process(
            target=_live, args=(values, its, works, dies_at, patch), daemon=True
        )
        self.process.start()
        its.close()

    def say(self, what: str, *given: object) -> None:
        """Tell it to do something; nothing happens when it is dead."""
        try:
            self.pipe.send((what, *given))
        except OSError:
            return

    def hear(self, timeout_seconds: float | None = None) -> Any:
        """Return what it answers.

        Raises:
            EOFError: It is dead.
            TimeoutError: It has not answered in time.
        """
        try:
            if self.pipe.poll(timeout_seconds):
                return self.pipe.recv()
        except OSError:
            raise EOFError from None
        raise TimeoutError("a member of the fleet does not answer")

    def ask(self, what: str, *given: object) -> Any:
        """Tell it to do something and return what it answers."""
        self.say(what, *given)
        return self.hear()

    def kill(self) -> None:
        """End it without a word, and see that it is gone."""
        self.process.kill()
        self.process.join()

    def leave(self) -> None:
        """Have it close its desk and end."""
        self.say("leave")
        self.process.join(60)
        if self.process.is_alive():
            self.kill()
            raise TimeoutError("a member of the fleet does not end")


def _live(
    values: dict[str, Any], pipe: Connection, works: bool, dies_at: KillPoint | None, patch: str
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    if patch:
        module, _, name = patch.partition(":")
        getattr(importlib.import_module(module), name)()
    desk = open_desk(Settings(**values, _env_file=None))
    warm.share_with(desk)
    _ = desk.runs
    if works:
        desk.start()
    if dies_at:
        dies_at.arm()
    pipe.send("ready")
    while True:
        try:
            what, *given = pipe.recv()
        except EOFError:
            die()  # whoever told it what to do is gone
        if what == "leave":
            break
        pipe.send(_do(desk, what, *given))
    desk.close()
    os._exit(0)


def _do(desk: Desk, what: str, *given: Any) -> object:
    try:
        if what == "open":
            return "opened", open_contact(desk, *given)
        if what == "draft":
            contact = open_contact(desk, *given)
            desk.contacts.wait_for_draft(contact)
            return "drafted", contact
        if what == "decide":
            person, review, reply, wait = given
            desk.reviews.decide(desk.people.get(person), review, reply, wait)
            return "won", review
        if what == "queue":
            return "waiting", [one.id for one in desk.reviews.queue(desk.people.get(AGENT))]
        if what == "start":
            desk.start()
            return "started"
        if what == "memory":
            return resident_megabytes()
        raise ValueError(f"a member of the fleet cannot {what!r}")
    except Conflict as error:
        return "lost", error.message
    except ProofdeskError as error:
        return "refused", f"{type(error).__name__}: {error.message}"
