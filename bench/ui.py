"""Twenty people at once on the pages against one, and the review queue at 100,000 contacts.

    python -m bench.ui [HOME] [--sessions 20] [--presses 8] [--think 4] [--contacts 100000]

Sessions: each is signed in over HTTP as a browser is and speaks Streamlit's own websocket protocol;
supervisors step through the review queue, agents through the desk's, and each page asks for its
refreshed parts as often as it would in a browser. An interaction lasts from the press of a button to
the end of the run that draws what it shows; between two of them a person thinks. The drawing in the
browser itself is left out: it happens on other machines.

Queue: what a rerun of the review page costs the processor, with 100 contacts in the database and
with 100,000. Its contacts are copies of those of the sample that wait for a review; half of them wait.

HOME is a set-up home of the sample, which is copied; without it one is set up.
"""

from __future__ import annotations

import argparse
import asyncio
import http.cookiejar
import itertools
import json
import os
import random
import shutil
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

from sqlalchemy import insert, select
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from bench._measure import table
from core.database import Database
from core.identifiers import new_id
from core.settings import Settings
from core.vocabulary import Role
from desk.bootstrap import Desk, opened
from desk.models import Contact, Message, Review
from desk.sample import ensure_sample
from tests.e2e.harness import Served, serving

STEPS: Final[dict[Role, str]] = {"supervisor": "reviews.next", "agent": "queue.next"}
RERUNS: Final = 9
AT_ONCE: Final = 2_000
PATIENCE_SECONDS: Final = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path, nargs="?")
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--presses", type=int, default=8, help="interactions of each session")
    parser.add_argument("--think", type=float, default=4.0, help="seconds between two, on average")
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if options.home:
            shutil.copytree(options.home, home)
        else:
            ensure_sample(Settings(home=home, _env_file=None))
        result: dict[str, object] = {"load_average": os.getloadavg()[0]}
        if options.sessions:
            result |= at_once(home, options.sessions, options.presses, options.think)
        if options.contacts:
            result |= reruns(Path(folder), home, options.contacts)
    print(json.dumps(result) if options.json else table(list(result.items())))


def at_once(home: Path, sessions: int, presses: int, think: float) -> dict[str, object]:
    """Return the times of interactions of one session and of many."""
    with serving(home) as served:
        asyncio.run(together(served, 1, 2, 0.0))  # what a first visit loads is loaded
        alone = asyncio.run(together(served, 1, presses * 2, think))
        many = asyncio.run(together(served, sessions, presses, think))
    return {
        "one_p50": round(statistics.median(alone), 3),
        "one_p95": round(p95(alone), 3),
        f"{sessions}_p50": round(statistics.median(many), 3),
        f"{sessions}_p95": round(p95(many), 3),
        "p95_ratio": round(p95(many) / p95(alone), 2),
        "interactions": len(many),
    }


def p95(times: list[float]) -> float:
    """Return the time that 95 of a hundred stay under."""
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


async def together(served: Served, sessions: int, presses: int, think: float) -> list[float]:
    """Return the times of all interactions of some sessions that work at the same time."""
    roles = list(itertools.islice(itertools.cycle(STEPS), sessions))
    links = [served.link(role) for role in roles]
    people = [
        Session(served.port, link, STEPS[role]) for role, link in zip(roles, links, strict=True)
    ]
    done = await asyncio.gather(
        *(one.work(presses, think, random.Random(place)) for place, one in enumerate(people))
    )
    return [seconds for times in done for seconds in times]


@dataclass
class Session:
    """One browser's side of the protocol.

    Attributes:
        port: Where the desk is served.
        link: A sign-in link.
        step: Key of the button that is pressed.
    """

    port: int
    link: str
    step: str
    _buttons: dict[str, tuple[str, str]] = field(default_factory=dict)
    _page: str = ""
    _query: str = ""
    _finished: asyncio.Event = field(default_factory=asyncio.Event)
    _refreshing: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def work(self, presses: int, think: float, chance: random.Random) -> list[float]:
        """Sign in, press the button some times; return how long each took, in seconds."""
        cookies = await asyncio.to_thread(signed_in, self.link)
        address = f"ws://localhost:{self.port}/_stcore/stream"
        headers = {"Cookie": cookies, "Origin": f"http://localhost:{self.port}"}
        async with connect(
            address,
            additional_headers=headers,
            subprotocols=[Subprotocol("streamlit")],
            max_size=None,
        ) as socket:
            reading = asyncio.create_task(self._read(socket))
            try:
                await self._run(socket)
                times = []
                for _ in range(presses):
                    await asyncio.sleep(chance.uniform(0.5, 1.5) * think)
                    if self.step not in self._buttons:
                        raise RuntimeError(f"no {self.step} among {sorted(self._buttons)}")
                    start = time.perf_counter()
                    await self._run(socket, *self._buttons[self.step])
                    times.append(time.perf_counter() - start)
                return times
            finally:
                for task in (reading, *self._refreshing.values()):
                    task.cancel()

    async def _run(self, socket: ClientConnection, button: str = "", fragment: str = "") -> None:
        """Ask for a run, with a button pressed where one is named; wait for the page to be whole."""
        self._finished.clear()
        await socket.send(self._asking(button, fragment).SerializeToString())
        await asyncio.wait_for(self._finished.wait(), PATIENCE_SECONDS)

    def _asking(self, button: str, fragment: str) -> BackMsg:
        asked = BackMsg()
        asked.rerun_script.query_string = self._query
        asked.rerun_script.page_script_hash = self._page
        if button:
            state = asked.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = button, True
        if fragment:
            asked.rerun_script.fragment_id = fragment
            asked.rerun_script.is_auto_rerun = not button
        return asked

    async def _read(self, socket: ClientConnection) -> None:
        async for received in socket:
            told = ForwardMsg.FromString(received)
            kind = told.WhichOneof("type")
            if kind == "new_session":
                self._page = told.new_session.page_script_hash
            elif kind == "page_info_changed":
                self._query = told.page_info_changed.query_string
            elif kind == "delta" and told.delta.new_element.WhichOneof("type") == "button":
                id = told.delta.new_element.button.id
                self._buttons[id.rpartition("-")[2]] = (id, told.delta.fragment_id)
            elif kind == "auto_rerun":
                self._refresh(socket, told.auto_rerun.fragment_id, told.auto_rerun.interval)
            elif (
                kind == "script_finished"
                and told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
            ):
                self._finished.set()

    def _refresh(self, socket: ClientConnection, fragment: str, seconds: float) -> None:
        """Ask for a part of the page again and again, as the browser is told to."""

        async def again() -> None:
            while True:
                await asyncio.sleep(seconds)
                await socket.send(self._asking("", fragment).SerializeToString())

        if fragment in self._refreshing:
            self._refreshing[fragment].cancel()
        self._refreshing[fragment] = asyncio.create_task(again())


def signed_in(link: str) -> str:
    """Follow a sign-in link; return the cookies that a browser then holds."""
    jar = http.cookiejar.CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    with opener.open(link, timeout=PATIENCE_SECONDS):
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def reruns(folder: Path, home: Path, contacts: int) -> dict[str, object]:
    """Return what a rerun of the review page costs, with few contacts and with many."""
    times = {}
    for count in (100, contacts):
        copy = folder / f"home-{count}"
        shutil.copytree(home, copy)
        fill(copy, count)
        with opened(Settings(home=copy, _env_file=None), inline=True) as desk:
            times[count] = rerun_of(desk)
        shutil.rmtree(copy)
    few, many = times.values()
    return {
        "rerun_100": round(few, 4),
        f"rerun_{contacts}": round(many, 4),
        "rerun_ratio": round(many / few, 2),
    }


def rerun_of(desk: Desk) -> float:
    """Return the median time of a rerun of the review page, in seconds of the processor."""
    from streamlit.testing.v1 import AppTest

    people = desk.people
    actor = next(person for person in people.all() if person.role == "supervisor")
    page = AppTest.from_function(_reviews, args=(desk, actor), default_timeout=PATIENCE_SECONDS)
    page.run()
    if page.exception:
        raise RuntimeError(page.exception[0].message)
    if not page.dataframe:
        raise RuntimeError("the queue is empty")
    return statistics.median(cpu_seconds(page.run) for _ in range(RERUNS))


def cpu_seconds(run: Callable[[], object]) -> float:
    """Return what one call costs this process: what others do on the machine does not count."""
    start = time.process_time()
    run()
    return time.process_time() - start


def _reviews(desk, actor):  # type: ignore[no-untyped-def]
    from ui.pages.reviews import render

    render(desk, actor)


def fill(home: Path, contacts: int) -> None:
    """Have ``contacts`` contacts in a home, copies of those that wait; every second one waits."""
    settings = Settings(home=home, _env_file=None)
    database = Database(settings.database)
    with database.write() as session:
        reviews = session.scalars(
            select(Review).where(Review.status == "pending", Review.kind == "answer")
        ).all()
        models = []
        for review in reviews:
            contact = session.get_one(Contact, review.contact_id)
            said = session.scalars(select(Message).where(Message.contact_id == contact.id))
            models.append((_values(contact), _values(review), [_values(one) for one in said]))
        for review in session.scalars(select(Review).where(Review.status == "pending")):
            review.status = "withdrawn"
    shapes = itertools.cycle(models)
    for start in range(0, contacts, AT_ONCE):
        rows: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
        for place in range(start, min(start + AT_ONCE, contacts)):
            _copy(place, *next(shapes), rows)
        with database.write() as session:
            for model, some in zip((Contact, Message, Review), rows, strict=True):
                session.execute(insert(model), some)
    database.close()


def _values(row: Contact | Review | Message) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}


def _copy(
    place: int,
    contact: dict[str, Any],
    review: dict[str, Any],
    messages: list[dict[str, Any]],
    rows: tuple[list[Any], list[Any], list[Any]],
) -> None:
    id, waits = new_id("con"), place % 2 == 0
    later = timedelta(seconds=place)
    status = {} if waits else {"status": "closed"}
    rows[0].append({**contact, "id": id, "external_id": None, **status})
    rows[1].extend({**one, "id": new_id("msg"), "contact_id": id} for one in messages)
    rows[2].append(
        {
            **review,
            "id": new_id("rev"),
            "contact_id": id,
            "thread": f"{id}:1",
            "claimed_by": None,
            "claimed_until": None,
            "due_at": review["due_at"] + later,
            **({} if waits else {"status": "decided", "decided_at": review["opened_at"] + later}),
        }
    )


if __name__ == "__main__":
    main()
