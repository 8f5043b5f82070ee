"""What an admin may look over: the workspace's files with what is wrong in them, and the settings.

Nothing is changed here: the files are the team's own, and the settings come from where the desk is
started.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args
from urllib.parse import urlsplit, urlunsplit

import yaml
from pydantic_settings import DotEnvSettingsSource
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from core.errors import BadInput
from core.settings import Settings
from core.yamlfile import line_of
from desk.operations_file import AutonomySection, load_operations
from desk.permissions import PERMISSIONS, Action, Actor, require
from desk.reason_check import Remark, check_map
from graph.reasons import ReasonMap
from graph.tiers import TierRules
from kb.workspace import Workspace
from retrieval.ports import Embedder

FileName = Literal["sources.yaml", "reasons.yaml", "tiers.yaml", "operations.yaml"]
Origin = Literal["environment", ".env", "command", "default"]
FILES: Final[tuple[FileName, ...]] = get_args(FileName)
_AROUND: Final = 2
_UNUSABLE: Final = "It cannot be used as it stands."
_LONGEST_LINE: Final = 400

WHAT_IT_MEANS: Final[dict[Action, str]] = {
    "work_contacts": "Open, read and assign contacts; ask for drafts",
    "read_reviews": "Read reviews, sources and their flags",
    "decide": "Decide any review",
    "decide_own": "Decide what the lowest tier allows, and pass anything on",
    "sync_sources": "Bring the help center in",
    "own_sources": "End source flags",
    "read_audit": "Read and export the audit trail",
    "read_quality": "Read metrics, eval runs and reviewers' notes",
    "sample_quality": "Draw and read the QA sample; see what it and seeded checks say",
    "run_rhythm": "Work through the daily queue and the days of the week",
    "work_tasks": "Read tasks and say what became of them",
    "assign_tasks": "Give tasks to others, and say by when",
    "promote": "Sign, lock and return contact reasons; stop and resume autopilot",
    "unlock_reasons": "Unlock contact reasons",
    "manage_people": "Add people, change roles, make sign-in links",
    "manage_settings": "Look over settings and workspace files",
}


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of a file, counted from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class FileProblem:
    """Something to look at in a file, with the lines around it."""

    remark: Remark
    around: list[SourceLine]


@dataclass(frozen=True, slots=True)
class RuleFile:
    """One file of the workspace.

    Attributes:
        holds: What it holds, in one sentence; why it may be absent when it is.
        problems: By line.
    """

    name: FileName
    path: Path
    there: bool
    holds: str
    problems: list[FileProblem]

    @property
    def errors(self) -> int:
        """How many problems keep the desk from using it."""
        return sum(problem.remark.level == "error" for problem in self.problems)


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """A setting as it is in force.

    Attributes:
        variable: What sets it.
        value: Its value, without passwords and keys.
        origin: Where it comes from; ``command`` for what the desk was started with.
    """

    variable: str
    value: str
    origin: Origin
    default: str
    description: str


@dataclass(frozen=True, slots=True)
class Permission:
    """What an action is, and the roles that may do it."""

    action: Action
    meaning: str
    roles: frozenset[str]


class WorkspaceCheck:
    """Looks the workspace and the settings over.

    Args:
        settings: The settings in force.
        embedder: Gives the model that finds reasons which are easily mixed up.
        environ: Environment variables.
        dotenv: A file of further settings; it need not exist.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Callable[[], Embedder],
        environ: Mapping[str, str],
        dotenv: Path = Path(".env"),
    ) -> None:
        self._settings = settings
        self._embedder = embedder
        self._environ = environ
        self._dotenv = dotenv

    def files(self, actor: Actor, *, thoroughly: bool = False) -> list[RuleFile]:
        """Return the files of the workspace with what is wrong in each, as they are on disk now.

        Args:
            actor: Who asks.
            thoroughly: Also compare the reasons' examples by meaning; takes some seconds.
        """
        require(actor, "manage_settings")
        folder = self._settings.workspace_folder
        workspace: Workspace | None = None
        unusable: BadInput | None = None
        try:
            workspace = Workspace.load(folder)
        except BadInput as error:
            unusable = error
        embedder = self._embedder() if thoroughly else None
        return [
            _sources(folder / "sources.yaml", workspace, unusable),
            _reasons(folder / "reasons.yaml", workspace, embedder),
            _tiers(folder / "tiers.yaml"),
            _operations(folder / "operations.yaml", folder / "reasons.yaml"),
        ]

    def settings(self, actor: Actor) -> list[EffectiveSetting]:
        """Return the settings in force, where each comes from and what it means; never a secret."""
        require(actor, "manage_settings")
        in_file = DotEnvSettingsSource(Settings, env_file=self._dotenv).env_vars
        set_by: dict[str, Origin] = {key.upper(): ".env" for key in in_file}
        set_by |= {key.upper(): "environment" for key in self._environ}
        return [
            _effective(name, self._settings, set_by.get(f"PROOFDESK_{name.upper()}"))
            for name in Settings.model_fields
        ]

    def permissions(self, actor: Actor) -> list[Permission]:
        """Return who may do what."""
        require(actor, "manage_settings")
        return [
            Permission(
                action,
                meaning,
                frozenset(role for role, may in PERMISSIONS.items() if action in may),
            )
            for action, meaning in WHAT_IT_MEANS.items()
        ]


def without_secrets(value: object) -> str:
    """Return a setting's value as words, without the passwords and keys that an address may hold."""
    if value is None:
        return ""
    text = str(value)
    if "://" not in text:
        return text
    try:
        url = make_url(text)
        if url.drivername.startswith(("sqlite", "postgres")):
            return url.set(query={}).render_as_string(hide_password=True)
    except ArgumentError:
        pass
    parts = urlsplit(text)
    host = parts.netloc.rpartition("@")[2]
    hidden = f"***@{host}" if "@" in parts.netloc else host
    return urlunsplit((parts.scheme, hidden, parts.path, "***" if parts.query else "", ""))


def _effective(name: str, settings: Settings, origin: Origin | None) -> EffectiveSetting:
    field = Settings.model_fields[name]
    value = getattr(settings, name)
    return EffectiveSetting(
        variable=f"PROOFDESK_{name.upper()}",
        value=without_secrets(value),
        origin=origin or ("default" if value == field.default else "command"),
        default=without_secrets(field.default),
        description=(field.description or "").replace("`", ""),
    )


def _sources(path: Path, workspace: Workspace | None, unusable: BadInput | None) -> RuleFile:
    there = path.is_file()
    if workspace is None:
        return _file(path, there, _UNUSABLE, [unusable] if unusable else [])
    names = ", ".join(source.name for source in workspace.sources)
    count = len(workspace.sources)
    said = f"{count} source{'s' if count != 1 else ''}: {names}."
    return _file(path, there, said if there else f"Absent: the desk reads {names} by itself.", [])


def _reasons(path: Path, workspace: Workspace | None, embedder: Embedder | None) -> RuleFile:
    if not path.is_file():
        return _file(path, False, "Absent: no contact reason is known, a person sorts them all.")
    try:
        remarks = check_map(path, workspace, embedder)
    except BadInput as error:
        return _file(path, True, _UNUSABLE, [error])
    try:
        count = len(ReasonMap.load(path))
    except BadInput as error:
        return _file(path, True, _UNUSABLE, [error], remarks)
    return _file(path, True, f"{count} contact reason{'s' if count != 1 else ''}.", [], remarks)


def _tiers(path: Path) -> RuleFile:
    there = path.is_file()
    try:
        rules = TierRules.load(path)
    except BadInput as error:
        return _file(path, there, _UNUSABLE, [error])
    count = len(rules.rules)
    said = f"{count} rules, those that the desk ships with among them."
    return _file(
        path, there, said if there else "Absent: the rules that the desk ships with apply."
    )


def _operations(path: Path, reasons: Path) -> RuleFile:
    there = path.is_file()
    try:
        asked = load_operations(path).autonomy
    except BadInput as error:
        return _file(path, there, _UNUSABLE, [error])
    said = "What the team asks of autonomy, seeded checks, the QA sample and its week."
    remarks = list(_unknown_limits(path, asked, reasons)) if there else []
    return _file(path, there, said if there else "Absent: the defaults apply.", [], remarks)


def _unknown_limits(path: Path, asked: AutonomySection, reasons: Path) -> Iterator[Remark]:
    """Yield the limits that apply to nothing, since the map has no such contact reason."""
    with suppress(BadInput):  # a map that cannot be read is told of as such
        known = {reason.id for reason in ReasonMap.load(reasons)}
        node = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
        for name in asked.limits:
            if name not in known:
                line = line_of(node, ["autonomy", "limits", name])
                yield Remark("error", line, name, f"limits: no contact reason is called {name!r}.")


def _file(
    path: Path,
    there: bool,
    holds: str,
    errors: Sequence[BadInput] = (),
    remarks: Sequence[Remark] = (),
) -> RuleFile:
    found = list(remarks)
    if not any(remark.level == "error" for remark in found):
        found = [*(_remark(path, error) for error in errors), *found]
    lines = _lines(path) if there else []
    return RuleFile(
        name=path.name,  # type: ignore[arg-type]
        path=path,
        there=there,
        holds=holds,
        problems=[
            FileProblem(one, _around(lines, one.line))
            for one in sorted(found, key=lambda remark: (remark.level, remark.line))
        ],
    )


def _remark(path: Path, error: BadInput) -> Remark:
    found = re.match(rf"{re.escape(str(path))}(?::(\d+))?:\s*", error.message)
    if not found:
        return Remark("error", 1, "", error.message)
    return Remark("error", int(found.group(1) or 1), "", error.message[found.end() :])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _around(lines: Sequence[str], line: int) -> list[SourceLine]:
    first = max(1, line - _AROUND)
    return [
        SourceLine(number, text[:_LONGEST_LINE])
        for number, text in enumerate(lines[first - 1 : line + _AROUND], start=first)
    ]
