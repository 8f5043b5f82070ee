"""How well the desk does: the eval runs kept in its home, and what reviewers change and reject.

A run is a folder that `proofdesk eval SUITE --report DIR` writes: ``run.json`` and
``verdicts.jsonl``. The desk reads those below ``<home>/evals`` and never runs a suite itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from rapidfuzz.distance import Indel
from sqlalchemy import func, select

from core.clock import Clock
from core.database import Database
from core.errors import BadInput, NotFound
from core.vocabulary import RejectReason
from desk.calendar import monday_of
from desk.models import AuditEvent, Review
from desk.permissions import Actor, require

EVALS: Final = "evals"
"""Folder of the runs below the home."""
_RUN: Final = "run.json"
_VERDICTS: Final = "verdicts.jsonl"
_NAME: Final = re.compile(r"[^\W_][\w.+-]{0,200}", re.ASCII)
_LARGEST: Final = 64 * 1024 * 1024
_MOST_RUNS: Final = 500
_MOST_NOTES: Final = 2_000
_WORD: Final = re.compile(r"\w+(?:[.,:]\d+)*|[^\w\s]")


class Figure(BaseModel):
    """One figure of a run, with its 95 % interval where it is a share."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    value: float | None = None
    n: int = 0
    hits: int | None = None
    low: float | None = None
    high: float | None = None


class Miss(BaseModel):
    """One case that a suite judged wrong."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    probe: str = ""
    kind: str = ""
    what: str = ""


class _RunFile(BaseModel):
    model_config = ConfigDict(extra="ignore")

    suite: str = "unnamed"
    about: dict[str, Any] = {}
    figures: dict[str, Figure] | None = None
    misses: list[Miss] | None = None
    gate: list[str] | None = None


@dataclass(frozen=True, slots=True)
class EvalRun:
    """One run of a suite.

    Attributes:
        id: Name of its folder.
        at: When it finished.
        about: What it ran on and how, label → words.
        figures: By name, ``probe.measure`` or ``probe.measure.kind``; empty without labels.
        misses: What it judged wrong.
        gate: Gates that do not hold; None when it ran without any.
    """

    id: str
    suite: str
    at: datetime
    about: dict[str, str]
    figures: dict[str, Figure]
    misses: list[Miss]
    gate: list[str] | None

    @property
    def headline(self) -> dict[str, Figure]:
        """The figures over all kinds of case, without those of time."""
        return {
            name: figure
            for name, figure in self.figures.items()
            if name.count(".") == 1 and figure.value is not None and not name.endswith(".seconds")
        }


@dataclass(frozen=True, slots=True)
class UnreadableRun:
    """A folder that is no run, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class RejectNote:
    """How often reviewers rejected drafts for one reason in the week from ``start``."""

    start: datetime
    reason: RejectReason | str
    count: int


@dataclass(frozen=True, slots=True)
class EditNote:
    """What reviewers rewrote of the drafts of one contact reason in the week from ``start``.

    Attributes:
        reason: The contact reason; "" for none known.
        count: Drafts that were edited.
        share: Mean share of the words that is others now, 0..1.
    """

    start: datetime
    reason: str
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class ReviewerNotes:
    """What reviewers told the desk by their decisions, week by week.

    Attributes:
        decided: Week → how many reviews were decided at all.
        comments: The newest reasons people gave in words, the latest first: when, why, words.
        cut: Whether there were more decisions than are read.
    """

    rejects: list[RejectNote]
    edits: list[EditNote]
    decided: dict[datetime, int]
    comments: list[tuple[datetime, str, str]]
    cut: bool


def new_run_folder(home: Path, suite: str, at: datetime) -> Path:
    """Return where a run of ``suite`` is kept in a home; nothing is written."""
    return home / EVALS / f"{suite}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


class Quality:
    """Reads eval runs and reviewers' decisions.

    Args:
        database: The records.
        home: Home of the desk; its runs lie in ``evals/``.
        clock: The time.
    """

    def __init__(self, database: Database, home: Path, clock: Clock) -> None:
        self._database = database
        self._folder = home / EVALS
        self._clock = clock

    @property
    def folder(self) -> Path:
        """Where runs are looked for."""
        return self._folder

    def runs(self, actor: Actor) -> tuple[list[EvalRun], list[UnreadableRun]]:
        """Return the runs, the latest first, and the folders that cannot be read.

        Only the newest 500 folders are looked at.
        """
        require(actor, "read_quality")
        found: list[EvalRun] = []
        unreadable: list[UnreadableRun] = []
        for folder in self._folders():
            try:
                found.append(_read_run(folder))
            except BadInput as error:
                unreadable.append(UnreadableRun(folder.name, error.message))
        return sorted(found, key=lambda run: (run.at, run.id), reverse=True), unreadable

    def run(self, actor: Actor, run_id: str) -> EvalRun:
        """Return one run.

        Raises:
            NotFound: There is no such run.
            BadInput: Its files are not what a suite writes.
        """
        require(actor, "read_quality")
        return _read_run(self._of(run_id))

    def verdict(self, actor: Actor, run_id: str, miss: Miss) -> dict[str, str]:
        """Return what the suite wrote down about one case, label → words; empty when nothing.

        Raises:
            NotFound: There is no such run.
        """
        require(actor, "read_quality")
        for row in _rows(self._of(run_id) / _VERDICTS):
            if row.get("id") == miss.id and row.get("probe", miss.probe) == miss.probe:
                return {key: _as_words(value) for key, value in row.items() if value not in _EMPTY}
        return {}

    def notes(self, actor: Actor, weeks: int = 12) -> ReviewerNotes:
        """Return what reviewers rejected and rewrote in the last weeks, from the audit trail.

        At most the newest 2,000 rejects and edits are read.
        """
        require(actor, "read_quality")
        first = monday_of(self._clock.now()) - timedelta(weeks=weeks - 1)
        since = datetime(first.year, first.month, first.day, tzinfo=UTC)
        query = (
            select(AuditEvent.at, AuditEvent.event, AuditEvent.data, Review.reason)
            .join(Review, Review.id == AuditEvent.review_id)
            .where(AuditEvent.event.in_(("review.reject", "review.edit")), AuditEvent.at >= since)
            .order_by(AuditEvent.id.desc())
            .limit(_MOST_NOTES + 1)
        )
        texts = (
            select(AuditEvent.at, Review.reason, Review.state, Review.decision)
            .join(Review, Review.id == AuditEvent.review_id)
            .where(AuditEvent.event == "review.edit", AuditEvent.at >= since)
            .order_by(AuditEvent.id.desc())
            .limit(_MOST_NOTES)
        )
        with self._database.read() as session:
            rows = session.execute(query).tuples().all()
            edits = [
                (at, reason or "", rewritten_share(state, decision or {}))
                for at, reason, state, decision in session.execute(texts).tuples()
            ]
            decided = _decided_per_week(session, since)
        return _notes(rows, edits, decided)

    def _folders(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        found = [
            path
            for path in self._folder.iterdir()
            if path.is_dir() and _NAME.fullmatch(path.name) and (path / _RUN).is_file()
        ]
        return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)[:_MOST_RUNS]

    def _of(self, run_id: str) -> Path:
        folder = self._folder / run_id
        if not _NAME.fullmatch(run_id) or not (folder / _RUN).is_file():
            raise NotFound(f"There is no eval run {run_id!r}.")
        return folder


def rewritten_share(state: Mapping[str, Any], decision: Mapping[str, Any]) -> float:
    """Return which share of a draft's words an edit made others, 0..1. Pure.

    Args:
        state: The state of the review, with the draft as it was shown.
        decision: The edit, with its ``text`` or its ``draft``.
    """
    before = _text_of(state.get("draft") or {})
    after = decision.get("text") or _text_of(decision.get("draft") or {})
    old, new = _WORD.findall(before.casefold()), _WORD.findall(str(after).casefold())
    if not old and not new:
        return 0.0
    return float(Indel.normalized_distance(old, new))


def _text_of(draft: Mapping[str, Any]) -> str:
    sentences = [sentence["text"] for sentence in draft.get("sentences", [])]
    return " ".join([draft.get("opening", ""), *sentences, draft.get("closing", "")])


def _decided_per_week(session: Any, since: datetime) -> dict[datetime, int]:
    names = tuple(f"review.{kind}" for kind in ("approve", "edit", "reject", "escalate", "answer"))
    day = func.date(AuditEvent.at).label("day")
    query = (
        select(day, func.count())
        .where(AuditEvent.event.in_(names), AuditEvent.at >= since)
        .group_by("day")
    )
    counts: dict[datetime, int] = {}
    for found, count in session.execute(query):
        week = _week(datetime.fromisoformat(str(found)))
        counts[week] = counts.get(week, 0) + count
    return counts


def _notes(
    rows: Sequence[tuple[datetime, str, dict[str, Any], str | None]],
    edits: Sequence[tuple[datetime, str, float]],
    decided: dict[datetime, int],
) -> ReviewerNotes:
    rejects: dict[tuple[datetime, str], int] = {}
    comments = []
    for at, event, data, _ in rows[:_MOST_NOTES]:
        if event != "review.reject":
            continue
        why = str(data.get("reason") or "other")
        rejects[_week(at), why] = rejects.get((_week(at), why), 0) + 1
        if said := str(data.get("comment") or "").strip():
            comments.append((at, why, said))
    shares: dict[tuple[datetime, str], list[float]] = {}
    for at, reason, share in edits:
        shares.setdefault((_week(at), reason), []).append(share)
    return ReviewerNotes(
        rejects=[RejectNote(week, why, count) for (week, why), count in sorted(rejects.items())],
        edits=[
            EditNote(week, reason, len(all_of), sum(all_of) / len(all_of))
            for (week, reason), all_of in sorted(shares.items())
        ],
        decided=decided,
        comments=comments[:50],
        cut=len(rows) > _MOST_NOTES,
    )


def _week(at: datetime) -> datetime:
    monday = monday_of(at)
    return datetime(monday.year, monday.month, monday.day, tzinfo=UTC)


_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})


def _read_run(folder: Path) -> EvalRun:
    path = folder / _RUN
    try:
        if path.stat().st_size > _LARGEST:
            raise BadInput(f"{path.name}: is larger than a run ever is.")
        run = _RunFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path.name}: cannot be read: {error.strerror}.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(f"{path.name}: {field}: {first['msg']}.") from None
    about = {str(label): _as_words(said) for label, said in run.about.items()}
    return EvalRun(
        id=folder.name,
        suite=run.suite,
        at=_finished(about) or datetime.fromtimestamp(path.stat().st_mtime, UTC),
        about=about,
        figures=run.figures or {},
        misses=run.misses or [],
        gate=run.gate,
    )


def _finished(about: Mapping[str, str]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(about.get("finished", ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a verdict file one at a time; what is no JSON object is left out."""
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                try:
                    row = json.loads(line)
                except ValueError:
                    continue
                if isinstance(row, dict):
                    yield row
    except (OSError, UnicodeDecodeError):
        return


def _as_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
