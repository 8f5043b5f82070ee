"""Looks a contact reason map over: what is wrong in it, and what will work badly, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import yaml
from pydantic import ValidationError

from core.errors import BadInput
from core.yamlfile import line_of
from graph.reasons import Reason
from kb.workspace import SourceSpec, Workspace
from retrieval.ports import Embedder, Vectors

Level = Literal["error", "warning"]

FEW_EXAMPLES: Final = 5
_MIXED_UP_SHARE = 0.25
_NEAREST = 3
_KEYS = ("version", "reasons")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to look at. ``line`` is counted from 1; ``reason`` is "" for the file as a whole."""

    level: Level
    line: int
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """One valid reason and where it stands in the file."""

    at: int
    reason: Reason


def check_map(
    path: Path, workspace: Workspace | None = None, embedder: Embedder | None = None
) -> list[Remark]:
    """Return what is to be said about the reason map in ``path``, by line.

    Args:
        path: The file.
        workspace: Where its macros and articles should be; without it they are not looked for.
        embedder: Compares examples by meaning; without it reasons that are easily mixed up are not
            looked for.

    Raises:
        BadInput: There is no such file, or it is not YAML.
    """
    value, node = _parsed(path)
    if value is None:
        return [Remark("error", 1, "", "The file holds no reasons.")]
    if not isinstance(value, dict):
        return [Remark("error", 1, "", "The file must hold `version: 1` and a list of `reasons`.")]
    remarks = list(_of_the_file(value, node))
    listed = value.get("reasons")
    entries: list[_Entry] = []
    for at, one in enumerate(listed if isinstance(listed, list) else []):
        try:
            entries.append(_Entry(at, Reason.model_validate(one)))
        except ValidationError as error:
            remarks += _of_an_entry(at, one, error, node)
    remarks += _doubles(entries, listed if isinstance(listed, list) else [], node)
    for entry in entries:
        remarks += _of_a_reason(entry, node)
        remarks += _not_in(workspace, entry, node) if workspace else []
    if embedder is not None:
        remarks += _mixed_up(entries, node, embedder)
    return sorted(remarks, key=lambda remark: (remark.line, remark.level, remark.message))


def _parsed(path: Path) -> tuple[Any, yaml.Node | None]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        return yaml.safe_load(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except (FileNotFoundError, IsADirectoryError):
        raise BadInput(f"{path}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8.") from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{path}:{line}: not valid YAML: {error.problem}.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{path}: not valid YAML: {error}.") from None


def _of_the_file(value: Mapping[str, Any], node: yaml.Node | None) -> Iterator[Remark]:
    for key in value:
        if key not in _KEYS:
            message = f"{key}: no such key here; there are version and reasons."
            yield Remark("error", line_of(node, [key]), "", message)
    if value.get("version", 1) != 1:
        yield Remark("error", line_of(node, ["version"]), "", "version: must be 1.")
    listed = value.get("reasons")
    if not isinstance(listed, list):
        yield Remark("error", line_of(node, ["reasons"]), "", "reasons: must be a list of reasons.")
    elif not listed:
        yield Remark("error", line_of(node, ["reasons"]), "", "reasons: there is none.")


def _of_an_entry(
    at: int, value: object, error: ValidationError, node: yaml.Node | None
) -> Iterator[Remark]:
    name = str(value.get("id", "")) if isinstance(value, dict) else ""
    for problem in error.errors(include_url=False):
        field = ".".join(str(part) for part in problem["loc"])
        said = problem["msg"].removeprefix("Value error, ")
        line = line_of(node, ["reasons", at, *problem["loc"]])
        yield Remark("error", line, name, f"{field}: {said}." if field else f"{said}.")


def _doubles(
    entries: Sequence[_Entry], listed: Sequence[Any], node: yaml.Node | None
) -> Iterator[Remark]:
    first_of: dict[str, int] = {}
    for at, one in enumerate(listed):
        identity = one.get("id") if isinstance(one, dict) else None
        if not isinstance(identity, str):
            continue
        line = line_of(node, ["reasons", at, "id"])
        if identity in first_of:
            message = f"id: {identity!r} stands in line {first_of[identity]} already; give another."
            yield Remark("error", line, identity, message)
        first_of.setdefault(identity, line)
    seen: dict[str, tuple[str, int]] = {}
    for entry in entries:
        for number, example in enumerate(entry.reason.examples):
            line = line_of(node, ["reasons", entry.at, "examples", number])
            key = " ".join(re.findall(r"\w+", example.casefold()))
            owner, before = seen.setdefault(key, (entry.reason.id, line))
            if before == line and owner == entry.reason.id:
                continue
            if owner == entry.reason.id:
                message = f"examples: the same example stands in line {before}."
                yield Remark("warning", line, entry.reason.id, message)
            else:
                message = f"examples: {owner!r} has the same example in line {before}."
                yield Remark("error", line, entry.reason.id, message)


def _of_a_reason(entry: _Entry, node: yaml.Node | None) -> Iterator[Remark]:
    reason, place = entry.reason, ("reasons", entry.at)
    said = [example for example in reason.examples if example.strip()]
    if len(said) < FEW_EXAMPLES:
        message = (
            f"examples: {len(said)} is few; with {FEW_EXAMPLES} or more, written as customers "
            "write, its contacts are recognised."
        )
        yield Remark("warning", line_of(node, [*place, "examples"]), reason.id, message)
    if not (reason.owner or "").strip():
        message = "owner: nobody owns it, so a person sorts all its contacts."
        yield Remark("warning", line_of(node, [*place, "owner"]), reason.id, message)
    for number, field in enumerate(reason.required):
        if field.pattern is not None and re.search(field.pattern, "", re.IGNORECASE):
            message = f"required.{number}.pattern: finds something in an empty message."
            line = line_of(node, [*place, "required", number, "pattern"])
            yield Remark("error", line, reason.id, message)


def _not_in(workspace: Workspace, entry: _Entry, node: yaml.Node | None) -> Iterator[Remark]:
    """What the reason names and the workspace lacks."""
    reason, place = entry.reason, ("reasons", entry.at)
    if reason.macro is not None and not _has_macro(workspace, reason.macro):
        message = f"macro: there is no macro {reason.macro!r} in {workspace.macros_folder}."
        yield Remark("error", line_of(node, [*place, "macro"]), reason.id, message)
    if reason.policy is not None and (why := _no_policy(workspace.sources, reason.policy)):
        yield Remark("error", line_of(node, [*place, "policy"]), reason.id, f"policy: {why}")


def _has_macro(workspace: Workspace, name: str) -> bool:
    folder = workspace.macros_folder
    if not folder.is_dir():
        return False
    wanted = Path(name.removeprefix("macros/"))
    return any(
        file.relative_to(folder) in (wanted, wanted.with_name(wanted.name + file.suffix))
        for file in folder.rglob("*")
        if file.is_file()
    )


def _no_policy(sources: Sequence[SourceSpec], article: str) -> str:
    """Return why no source holds ``article``; "" when one does, or when that cannot be seen here."""
    name, _, path = article.partition("/")
    source = next((one for one in sources if one.name == name), None)
    if source is None:
        known = ", ".join(one.name for one in sources)
        return (
            f"there is no source {name!r}; an article's id is <source>/<path>, with source {known}."
        )
    if source.kind != "folder" or source.path is None:
        return ""
    return "" if (source.path / path).is_file() else f"there is no article {article!r}."


def _mixed_up(
    entries: Sequence[_Entry], node: yaml.Node | None, embedder: Embedder
) -> Iterator[Remark]:
    """Pairs of reasons whose examples are nearer to the other's, each left out in turn."""
    texts = [(at, one) for at, entry in enumerate(entries) for one in entry.reason.examples if one]
    if len(entries) < 2 or not texts:
        return
    owner = np.array([at for at, _ in texts])
    scores = left_out(embedder.embed([text for _, text in texts]), owner, len(entries))
    guess = scores.argmax(axis=1)
    for one in range(len(entries)):
        for other in range(one + 1, len(entries)):
            wrong = [
                row
                for row in range(len(texts))
                if (owner[row], guess[row]) in ((one, other), (other, one))
            ]
            fewest = min(int((owner == one).sum()), int((owner == other).sum()))
            if len(wrong) < max(2, _MIXED_UP_SHARE * fewest):
                continue
            first, second = entries[one].reason, entries[other].reason
            shown = "; ".join(f"“{texts[row][1]}”" for row in wrong[:2])
            message = (
                f"is easily mixed up with {second.id!r}: {len(wrong)} of their examples are nearer "
                f"to the other's, such as {shown}. Sharpen their examples or make them one."
            )
            line = line_of(node, ["reasons", entries[one].at, "id"])
            yield Remark("warning", line, first.id, message)


def left_out(vectors: Vectors, owner: np.ndarray[Any, Any], reasons: int) -> Vectors:
    """Return how near each example is to each reason's other examples, ``(examples, reasons)``.

    Args:
        vectors: Unit rows, one an example.
        owner: Place of each example's reason.
        reasons: How many there are.
    """
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    scores = np.full((len(vectors), reasons), -1.0, dtype=np.float32)
    for at in range(reasons):
        mine = np.sort(cosines[:, owner == at], axis=1)[:, ::-1][:, :_NEAREST]
        if mine.shape[1]:
            # The one left out has one fewer of its own to be near to.
            counted = np.where(mine > -1, mine, np.nan)
            some = ~np.isnan(counted).all(axis=1)
            scores[some, at] = np.nanmean(counted[some], axis=1)
    return scores
