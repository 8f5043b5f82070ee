"""Sets up a workspace, and replays the sample's three weeks so that a newcomer finds a desk at work.

The replay goes through the real services under a clock of its own: every answered contact was
drafted, checked, decided and delivered, and every waiting one waits in a real paused run.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel

from core.clock import FixedClock, SystemClock
from core.errors import BadInput, Conflict, Refused, Unavailable
from core.settings import Settings
from core.vocabulary import ROLES, Channel, Role, Speaker
from core.yamlfile import load_yaml
from desk.bootstrap import Desk, opened
from desk.contacts import NewContact, NewMessage
from desk.jobs import LOCK_FILE, HomeLock
from desk.permissions import Actor
from graph.values import Draft

SAMPLE: Final = Path(__file__).resolve().parents[1] / "kb" / "sample"
_ISO_DATE: Final = re.compile(r"\b(\d{4}-\d{2}-\d{2})(?=\b|T)")
_FRONT_MATTER: Final = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_HTML_HEAD: Final = re.compile(r"\A.*?</head>", re.DOTALL | re.IGNORECASE)
_HISTORY: Final = timedelta(days=30)
LOCK_SECONDS: Final = 10.0
Progress = Callable[[str, int, int], None]


class _SampleFile(BaseModel):
    reference_date: date
    company: str
    support_email: str


class _PersonEntry(BaseModel):
    id: str
    name: str
    email: str
    role: Role


class _PeopleFile(BaseModel):
    people: list[_PersonEntry]


class _Step(BaseModel):
    at: datetime
    do: Literal["approve", "edit", "reject", "escalate", "message"]
    by: str = ""
    text: str = ""
    reason: str = ""
    comment: str = ""
    tier: str = ""


class _Customer(BaseModel):
    name: str = ""
    email: str = ""
    status: Literal["standard", "vip"] = "standard"
    fields: dict[str, str] = {}


class _Line(BaseModel):
    role: Speaker
    at: datetime
    text: str


class _DemoContact(BaseModel):
    id: str
    channel: Channel
    subject: str = ""
    customer: _Customer
    sla_minutes: int | None = None
    messages: list[_Line]
    replay: list[_Step] = []


def init_workspace(folder: Path, articles: Path | None = None) -> None:
    """Make a new workspace: the sample's rules, and either its articles or a folder of one's own.

    Raises:
        BadInput: ``folder`` exists and is not empty, or ``articles`` is no folder.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"{folder}: is not empty; name a new folder.")
    if articles is not None and not articles.is_dir():
        raise BadInput(f"{articles}: is not a folder of articles.")
    if articles is None:
        _copy_sample(folder, _shift_to_today())
        return
    (folder / "macros").mkdir(parents=True)
    shutil.copy(SAMPLE / "tiers.yaml", folder / "tiers.yaml")
    (folder / "reasons.yaml").write_text("version: 1\nreasons: []\n", encoding="utf-8")
    source = {"name": "help-center", "kind": "folder", "path": str(articles.resolve())}
    (folder / "sources.yaml").write_text(yaml.safe_dump({"sources": [source]}), encoding="utf-8")


def ensure_sample(settings: Settings, on_progress: Progress = lambda *_: None) -> bool:
    """Set the sample up in ``settings.home`` if nothing is there yet; tell whether it did.

    A home whose set-up was interrupted is set up anew: nobody can have worked in it.

    Raises:
        BadInput: The home holds something else.
    """
    done, begun = settings.home / "sample-ready", settings.home / "sample-begun"
    if settings.workspace is not None or done.exists():
        return False
    settings.home.mkdir(parents=True, exist_ok=True)
    lock = HomeLock(settings.home)
    if not lock.acquire(LOCK_SECONDS):
        raise Unavailable(f"Another process is setting {settings.home} up; try again in a minute.")
    try:
        if done.exists():
            return False
        held = [path for path in settings.home.iterdir() if path.name != LOCK_FILE]
        if held and not begun.exists():
            raise BadInput(
                f"{settings.home}: holds a desk of another workspace; set PROOFDESK_WORKSPACE to "
                "it, or PROOFDESK_HOME to a new folder for the sample."
            )
        for path in held:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        begun.touch()
    finally:
        lock.release()
    shift = _shift_to_today()
    _copy_sample(settings.workspace_folder, shift)
    _replay(settings, shift, on_progress)
    done.touch()
    begun.unlink()
    return True


def ensure_workspace(settings: Settings) -> None:
    """Make sure that there is a workspace to work in.

    Raises:
        BadInput: None is named and none was set up.
    """
    if settings.workspace is not None and not settings.workspace.is_dir():
        raise BadInput(f"PROOFDESK_WORKSPACE: {settings.workspace} is not a folder.")
    if settings.workspace is None and not settings.workspace_folder.is_dir():
        raise BadInput(
            "There is no workspace yet: run `proofdesk serve` for the sample, or "
            "`proofdesk init DIR` and set PROOFDESK_WORKSPACE=DIR."
        )


def ensure_people(desk: Desk) -> dict[Role, Actor]:
    """Return one active person for each role, adding whom the desk lacks."""
    people: dict[Role, Actor] = {}
    for actor in desk.people.all():
        people.setdefault(actor.role, actor)
    for role in ROLES:
        if role not in people:
            title = role.replace("_", " ").capitalize()
            people[role] = desk.people.add(None, title, f"{role}@proofdesk.invalid", role)
    return people


def _shift_to_today() -> timedelta:
    sample = load_yaml(SAMPLE / "sample.yaml", _SampleFile)
    return SystemClock().now().date() - sample.reference_date


def _shifted(text: str, shift: timedelta) -> str:
    return _ISO_DATE.sub(lambda m: (date.fromisoformat(m[1]) + shift).isoformat(), text)


def _copy_article(source: Path, target: Path, shift: timedelta) -> None:
    text = source.read_text(encoding="utf-8")
    head = _FRONT_MATTER.match(text) or (
        _HTML_HEAD.match(text) if "html" in source.suffix else None
    )
    end = head.end() if head else 0
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_shifted(text[:end], shift) + text[end:], encoding="utf-8")


def _copy_tree(source: Path, target: Path, shift: timedelta) -> list[Path]:
    copied = []
    for file in sorted(source.rglob("*")):
        if file.is_file():
            path = target / file.relative_to(source)
            _copy_article(file, path, shift)
            copied.append(path)
    return copied


def _copy_sample(folder: Path, shift: timedelta) -> None:
    _copy_tree(SAMPLE / "articles", folder / "articles", shift)
    _copy_tree(SAMPLE / "macros", folder / "macros", shift)
    for name in ("reasons.yaml", "tiers.yaml", "sources.yaml", "operations.yaml"):
        shutil.copy(SAMPLE / name, folder / name)


def _replay(settings: Settings, shift: timedelta, on_progress: Progress) -> None:
    people = load_yaml(SAMPLE / "demo" / "people.yaml", _PeopleFile).people
    contacts = _demo_contacts(shift)
    before = SAMPLE / "demo" / "before" / "articles"
    articles = settings.workspace_folder / "articles"
    changed_at = _change_moment(before, articles)
    clock = FixedClock(SystemClock().now() - _HISTORY)
    on_progress("database", 0, 1)
    with opened(settings, clock, inline=True) as desk:
        on_progress("database", 1, 1)
        desk.undo_seconds = 0
        actors = {p.id: desk.people.add(None, p.name, p.email, p.role, p.id) for p in people}
        overlaid = _copy_tree(before, articles, shift)
        desk.sync(on_progress=on_progress)
        player = _Player(desk, actors)
        events: list[tuple[datetime, Callable[[], None]]] = []

        def bring_change_in() -> None:
            for path in overlaid:
                _copy_article(SAMPLE / "articles" / path.relative_to(articles), path, shift)
            # Else it is drafted anew within the hour, and nobody sees the change.
            player.sign_what_waits({path.relative_to(articles).as_posix() for path in overlaid})
            desk.sync()

        events.append((changed_at, bring_change_in))
        for contact in contacts:
            events.append((contact.messages[-1].at, partial(player.open, contact)))
            events += [(step.at, partial(player.step, contact, step)) for step in contact.replay]
        events.sort(key=lambda event: event[0])
        on_progress("demo contacts", 0, len(events))
        for done, (moment, act) in enumerate(events, start=1):
            clock.moment = min(max(clock.moment, moment), SystemClock().now())
            act()
            on_progress("demo contacts", done, len(events))


def _change_moment(before: Path, articles: Path) -> datetime:
    """Return when the articles that have an earlier text came into force."""
    for file in sorted(before.rglob("*.md")):
        text = (articles / file.relative_to(before)).read_text(encoding="utf-8")
        if match := re.search(r"^effective_from: *'?(\d{4}-\d{2}-\d{2})", text, re.MULTILINE):
            return datetime.fromisoformat(match[1]).replace(tzinfo=UTC)
    raise BadInput(f"{before}: no earlier article has a current one with effective_from.")


def _demo_contacts(shift: timedelta) -> list[_DemoContact]:
    lines = (SAMPLE / "demo" / "contacts.jsonl").read_text(encoding="utf-8").splitlines()
    return [_DemoContact.model_validate(_moved(json.loads(line), shift)) for line in lines if line]


def _moved(value: Any, shift: timedelta) -> Any:
    """Return ``value`` with every ``at`` moved by ``shift``, none of them into the future."""
    if isinstance(value, dict):
        return {
            key: (datetime.fromisoformat(item) + shift).isoformat()
            if key == "at"
            else _moved(item, shift)
            for key, item in value.items()
        }
    return [_moved(item, shift) for item in value] if isinstance(value, list) else value


class _Player:
    """Plays what the demo's people did."""

    def __init__(self, desk: Desk, actors: dict[str, Actor]) -> None:
        self._desk = desk
        self._actors = actors
        self._agent = next(actor for actor in actors.values() if actor.role == "agent")
        self._opened: dict[str, str] = {}

    def open(self, demo: _DemoContact) -> None:
        """Open the contact and let its run come to its pause."""
        now = self._desk.clock.now()
        due = (
            demo.messages[-1].at + timedelta(minutes=demo.sla_minutes) if demo.sla_minutes else None
        )
        self._opened[demo.id] = self._desk.contacts.open(
            self._agent,
            NewContact(
                channel=demo.channel,
                subject=demo.subject,
                customer_name=demo.customer.name,
                customer_email=demo.customer.email,
                customer_status=demo.customer.status,
                customer_fields=demo.customer.fields,
                messages=[NewMessage(m.role, m.text, min(m.at, now)) for m in demo.messages],
                origin="sample",
                external_id=demo.id,
                due_at=due,
            ),
        )
        self._work()

    def step(self, demo: _DemoContact, step: _Step) -> None:
        """Play one step, as far as the desk admits it."""
        contact_id = self._opened[demo.id]
        if step.do == "message":
            self._desk.contacts.add_message(None, contact_id, NewMessage("customer", step.text))
        else:
            self._decide(contact_id, step)
        self._work()

    def sign_what_waits(self, files: Collection[str]) -> None:
        """Have the agent sign the answers that wait and rest on articles of these files.

        What a person wrote is not drafted anew when its sources change: it waits to be decided.
        """
        agent = self._agent
        for line in self._desk.reviews.queue(agent):
            draft = self._desk.reviews.get(agent, line.id).draft
            cited = {c["article_id"] for one in draft["sentences"] for c in one["citations"]}
            if not any(article.endswith(file) for article in cited for file in files):
                continue
            closing = f"{draft['closing']}\n\nKind regards,\n{agent.name.split()[0]}"
            signed: Draft = {**draft, "closing": closing, "drafter": f"person:{agent.id}"}
            self._desk.reviews.revise(agent, line.id, signed)

    def _decide(self, contact_id: str, step: _Step) -> None:
        actor = self._actors[step.by]
        waiting = [
            review
            for review in self._desk.reviews.of_contact(actor, contact_id)
            if review.status == "pending"
        ]
        if not waiting:
            return
        reply = {
            "kind": step.do,
            **{
                key: value
                for key in ("text", "reason", "comment", "tier")
                if (value := getattr(step, key))
            },
        }
        if step.do == "approve" and waiting[-1].findings:
            reply["comment"] = "Checked against the article by hand."
        try:
            self._desk.reviews.decide(actor, waiting[-1].id, reply)
        except (Refused, Conflict):
            return  # the desk stopped it, as it would have: the contact goes on waiting

    def _work(self) -> None:
        self._desk.jobs.run_all()  # type: ignore[union-attr]
