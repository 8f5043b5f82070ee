"""Reads labelled texts for the reasons suite, and makes reason maps of them.

The fields of a file are documented in ``evals/README.md``.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from core.errors import BadInput
from evals.files import note_id, read_rows, read_text, spread
from graph.reasons import Reason, ReasonMap

LABEL_FIELDS: Final = ("reason", "category", "label", "intent")
"""Fields in which the reason of a text may stand; the first that is there counts."""
NO_REASON: Final = frozenset({"", "none", "oos"})
"""What stands there when a text is about none of the reasons."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One text of a customer, as the classifier gets it."""

    id: str
    text: str


@dataclass(frozen=True)
class Texts:
    """The texts of one or more files, and what those are about that say it.

    ``reasons`` holds by id the reason; None for a text that is about none.
    """

    asked: tuple[Asked, ...]
    reasons: Mapping[str, str | None]


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    id: str = Field("", min_length=1)
    text: str
    reason: str | None = None
    category: str | None = None
    label: str | None = None
    intent: str | None = None


def read_texts(*paths: Path, outside: Sequence[Path] = (), limit: int | None = None) -> Texts:
    """Return the texts of CSV or JSONL files, and their labels apart from them.

    Args:
        paths: Files of one text a row.
        outside: Files of texts that are about none of the reasons, whatever stands beside them.
        limit: At most so many texts of each file, spread evenly over it; None for all.

    Raises:
        BadInput: A file is missing, holds nothing, or a row is no text; names file, line and field.
    """
    asked: list[Asked] = []
    reasons: dict[str, str | None] = {}
    seen: dict[str, str] = {}
    for path in (*paths, *outside):
        for one, row in spread(list(_rows(path, seen)), limit):
            asked.append(one)
            if path in outside:
                reasons[one.id] = None
                continue
            given = [value for name in LABEL_FIELDS if (value := getattr(row, name)) is not None]
            if given:
                reasons[one.id] = None if given[0].strip() in NO_REASON else given[0].strip()
    return Texts(tuple(asked), reasons)


def _rows(path: Path, seen: dict[str, str]) -> Iterator[tuple[Asked, _Row]]:
    found = _csv(path) if path.suffix.casefold() == ".csv" else read_rows(path, _Row)
    empty = True
    for where, row in found:
        empty = False
        if not row.text.strip():
            raise BadInput(f"{where}: text: is empty; write what the customer wrote.")
        name = row.id or f"{path.name}:{where.rpartition(':')[2]}"
        if not row.id and name in seen:
            name = where  # another file of the same name
        note_id(name, where, seen)
        yield Asked(name, row.text), row
    if empty:
        raise BadInput(f"{path}: holds no text; write one text a row.")


def _csv(path: Path) -> Iterator[tuple[str, _Row]]:
    reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
    try:
        columns = reader.fieldnames or []
        if "text" not in columns:
            raise BadInput(f"{path}:1: text: the column is missing; the first line names columns.")
        for row in reader:
            where = f"{path}:{reader.line_num}"
            if None in row or None in row.values():
                raise BadInput(f"{where}: has not {len(columns)} cells, as the first line has.")
            yield where, _Row.model_construct(None, **{"id": "", **row})
    except csv.Error as error:
        raise BadInput(f"{path}:{reader.line_num}: not valid CSV: {error}.") from None


def split_folders(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Return files to judge and files to learn from: a folder holds ``test`` and perhaps ``train``.

    Raises:
        BadInput: A folder has no test file.
    """
    tests: list[Path] = []
    trains: list[Path] = []
    for path in paths:
        if not path.is_dir():
            tests.append(path)
            continue
        for name, files in (("test", tests), ("train", trains)):
            there = [
                file for end in (".csv", ".jsonl") if (file := path / f"{name}{end}").is_file()
            ]
            files += there[:1]
            if name == "test" and not there:
                raise BadInput(f"{path}: holds no test.csv or test.jsonl.")
    return tests, trains


def of_corrections(pairs: Sequence[tuple[str, str | None]]) -> Texts:
    """Return what people said contacts are about, as texts to judge.

    Raises:
        BadInput: Nobody has corrected anything.
    """
    if not pairs:
        raise BadInput("--past: nobody has said yet what a contact of this desk is about.")
    asked = [Asked(f"past-{at}", text) for at, (text, _) in enumerate(pairs, start=1)]
    return Texts(
        tuple(asked), {one.id: reason for one, (_, reason) in zip(asked, pairs, strict=True)}
    )


# Reason maps


def read_map(workspace: Path) -> ReasonMap:
    """Return the reason map of a workspace.

    Raises:
        BadInput: It has none, or it is no reason map; names line and field.
    """
    file = workspace / "reasons.yaml"
    if not file.is_file():
        raise BadInput(f"{file}: there is no such file.")
    return ReasonMap.load(file)


def map_of(texts: Texts, path: Path) -> ReasonMap:
    """Return a reason map with ``texts`` as examples; a reason is named as in the file.

    Args:
        texts: What to learn from; texts about none of the reasons are left out.
        path: Where they come from, for what is said.

    Raises:
        BadInput: A text has no label, or there are not two reasons.
    """
    of: dict[str, list[str]] = {}
    for one in texts.asked:
        if one.id not in texts.reasons:
            raise BadInput(f"{path}: {one.id}: {' or '.join(LABEL_FIELDS[:2])}: is missing.")
        reason = texts.reasons[one.id]
        if reason is not None:
            of.setdefault(reason, []).append(one.text)
    if len(of) < 2:
        raise BadInput(f"{path}: holds texts of {len(of)} reasons; there must be two at least.")
    return ReasonMap(
        [
            # Not validated: the ids are the file's own, with capitals and question marks.
            Reason.model_construct(id=name, name=name.replace("_", " "), examples=tuple(examples))
            for name, examples in sorted(of.items())
        ]
    )


def drawn(reasons: ReasonMap, shots: int, seed: int) -> ReasonMap:
    """Return the map with ``shots`` examples of each reason, drawn by lot; all where it has fewer."""
    lot = random.Random(seed)

    def some(examples: Sequence[str]) -> tuple[str, ...]:
        kept = set(lot.sample(range(len(examples)), min(shots, len(examples))))
        return tuple(text for at, text in enumerate(examples) if at in kept)

    return ReasonMap([one.model_copy(update={"examples": some(one.examples)}) for one in reasons])


def by_lot(asked: Sequence[Asked], seed: int) -> list[Asked]:
    """Return the texts in the order of a lot: a file may hold one reason after the other."""
    order = list(asked)
    random.Random(seed).shuffle(order)
    return order


def without(reasons: ReasonMap, ids: Collection[str]) -> ReasonMap:
    """Return the map without the reasons ``ids``."""
    return ReasonMap([one for one in reasons if one.id not in ids])


def groups_of(ids: Sequence[str], share: float, seed: int) -> list[list[str]]:
    """Return the reasons in groups of about ``share`` of them, by lot; each stands in one.

    There are two groups at least, so that some reasons are known while others are held back.
    """
    lot = sorted(ids)
    random.Random(seed).shuffle(lot)
    count = min(len(lot), max(2, round(1 / share)))
    return [lot[at::count] for at in range(count)]


def own_examples(reasons: ReasonMap, folds: int, seed: int) -> list[tuple[ReasonMap, Texts]]:
    """Return the map in folds: what is left of it, and the examples that were taken from it.

    A reason whose examples do not go round is judged in fewer folds; one keeps two at least.
    """
    lot = random.Random(seed)
    fold_of: dict[tuple[str, int], int] = {}
    for one in reasons:
        order = list(range(len(one.examples)))
        lot.shuffle(order)
        if len(order) > 2:
            fold_of |= {(one.id, at): place % folds for place, at in enumerate(order)}
    found: list[tuple[ReasonMap, Texts]] = []
    for fold in range(folds):
        asked: list[Asked] = []
        truth: dict[str, str | None] = {}
        left: list[Reason] = []
        for one in reasons:
            taken = [at for at in range(len(one.examples)) if fold_of.get((one.id, at)) == fold]
            for at in taken:
                asked.append(Asked(f"{one.id}[{at}]", one.examples[at]))
                truth[asked[-1].id] = one.id
            kept = (text for at, text in enumerate(one.examples) if at not in taken)
            left.append(one.model_copy(update={"examples": tuple(kept)}))
        if asked:
            found.append((ReasonMap(left), Texts(tuple(asked), truth)))
    return found
