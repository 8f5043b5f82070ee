"""Fits and measures the judge of changes: ``python -m kb.train_changes ../shared/data/policy-changes``.

Reads ``pairs.jsonl`` and ``more.jsonl`` (edits labelled ``changed``), and for how common words are
the unlabelled edits in ``../unlabelled-changes``. Prints figures that are honest: every help center
is judged by weights, word counts and a threshold that were fitted without it. ``--write`` fits on
all of them and writes ``kb/changes.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from core.errors import BadInput
from kb.change_features import FEATURE_NAMES, WordStats, features
from kb.change_model import SHIPPED, ChangeModel
from kb.changes import ChangeJudge
from kb.edits import Edit, align, word_keys
from kb.markup import mask_templates, plain_text

RECALL_WANTED: Final = 0.99
"""Share of changed edits that the threshold must let through in the help centers it is chosen on."""
STRENGTH: Final = 0.015
"""Inverse of how strongly weights are held near zero; a larger value trusts the rows more."""
_FEWEST_ROWS: Final = 12
_FEWEST_CENTERS: Final = 2


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled edit.

    Attributes:
        id: Its id; what stands before the number names its help center.
        corpus: Its help center.
        old: The older passage in plain text.
        new: The newer one.
        changed: Whether a reader is told something different.
        kind: What changed, or ``reword``.
    """

    id: str
    corpus: str
    old: str
    new: str
    changed: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge that never saw the help center of an edit said of it.

    Attributes:
        row: The edit.
        score: 0..1.
        stops: Whether the edit counts as a change at the threshold of that judge.
    """

    row: Row
    score: float
    stops: bool


def plain_passage(markdown: str) -> str:
    """Return a passage of Markdown as the judge reads it: plain text without templates."""
    return plain_text(mask_templates(markdown))


def read_rows(folder: Path) -> list[Row]:
    """Read the labelled edits of a folder.

    Raises:
        BadInput: A file is missing or a line is not an edit.
    """
    rows = []
    for name in ("pairs.jsonl", "more.jsonl"):
        for number, item in _lines(folder / name):
            try:
                rows.append(
                    Row(
                        id=item["id"],
                        corpus=item["id"].rsplit("-", 1)[0],
                        old=plain_passage(item["old_passage"]),
                        new=plain_passage(item["new_passage"]),
                        changed=bool(item["changed"]),
                        kind=item["kind"],
                    )
                )
            except KeyError as error:
                raise BadInput(f"{folder / name}, line {number}: no field {error}") from None
    return rows


def _lines(path: Path) -> Iterable[tuple[int, dict[str, Any]]]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError:
        raise BadInput(f"{path} cannot be read") from None
    for number, line in enumerate(lines, start=1):
        try:
            yield number, json.loads(line)
        except ValueError:
            raise BadInput(f"{path}, line {number}: not a JSON object") from None


WordCounts = Mapping[str, tuple[int, Mapping[str, int]]]
"""Help center → number of its passages, and word key → in how many of them it stands."""


def count_words(folder: Path) -> dict[str, tuple[int, Counter[str]]]:
    """Count in how many passages of each help center a word stands, over ``*.jsonl`` of a folder."""
    counts = {}
    for path in sorted(folder.glob("*.jsonl")):
        passages, found = 0, Counter[str]()
        for _, item in _lines(path):
            passages += 1
            found.update(word_keys(plain_passage(item["new"])))
        counts[path.stem] = (passages, found)
    return counts


def word_stats(counts: WordCounts, without: frozenset[str] = frozenset()) -> WordStats:
    """Return how common words are over the help centers of ``counts`` not in ``without``."""
    used = [counts[name] for name in sorted(counts) if name not in without]
    total: dict[str, float] = defaultdict(float)
    centers: Counter[str] = Counter()
    for passages, found in used:
        for word, times in found.items():
            if times >= 2:
                centers[word] += 1
                total[word] += max(0.0, math.log10(times / passages * 10_000)) / len(used)
    return WordStats(
        {
            word: round(value, 2)
            for word, value in sorted(total.items())
            if centers[word] >= _FEWEST_CENTERS
        }
    )


def _matrix(edits: Sequence[Edit], words: WordStats) -> np.ndarray:
    found = [features(edit, words) for edit in edits]
    return np.array([[one[name] for name in FEATURE_NAMES] for one in found])


def fit(rows: Sequence[Row], words: WordStats) -> ChangeModel:
    """Fit weights on ``rows``; the threshold is left at one half.

    Each edit is shown both ways: undone, it tells a reader something different just as much.
    """
    from sklearn.linear_model import LogisticRegression

    matrix = _matrix(
        [
            align(*way, words.common)
            for row in rows
            for way in ((row.old, row.new), (row.new, row.old))
        ],
        words,
    )
    labels = np.repeat([row.changed for row in rows], 2)
    centers = np.repeat([row.corpus for row in rows], 2)
    kept = [
        column
        for column in range(matrix.shape[1])
        if (matrix[:, column] != 0).sum() >= _FEWEST_ROWS
        and len(set(centers[matrix[:, column] != 0])) >= _FEWEST_CENTERS
        and matrix[:, column].std() > 0
    ]
    most = np.maximum(np.quantile(np.abs(matrix), 0.995, axis=0), 1e-6)
    matrix = np.clip(matrix, -most, most)[:, kept]
    mean, deviation = matrix.mean(axis=0), np.maximum(matrix.std(axis=0), 1e-6)
    model = LogisticRegression(C=STRENGTH, max_iter=5_000)
    model.fit((matrix - mean) / deviation, labels)
    weights = model.coef_[0] / deviation
    names = [FEATURE_NAMES[column] for column in kept]
    return ChangeModel(
        weights={name: round(float(w), 4) for name, w in zip(names, weights, strict=True)},
        most={
            name: round(float(most[column]), 4) for name, column in zip(names, kept, strict=True)
        },
        intercept=round(float(model.intercept_[0] - weights @ mean), 4),
        threshold=0.5,
        words=words,
    )


def threshold_for(judged: Sequence[Judged], recall: float = RECALL_WANTED) -> float:
    """Return the highest score from which ``recall`` of the changed edits are found."""
    scores = sorted(one.score for one in judged if one.row.changed)
    return math.floor(scores[int((1 - recall) * len(scores))] * 1000) / 1000


def _folds(rows: Sequence[Row], counts: WordCounts, left_out: frozenset[str]) -> list[Judged]:
    """Judge every help center of ``rows`` by a model fitted on the others."""
    judged = []
    for center in sorted({row.corpus for row in rows}):
        without = left_out | {center}
        model = fit([row for row in rows if row.corpus != center], word_stats(counts, without))
        judge = ChangeJudge(model)
        for row in rows:
            if row.corpus == center:
                change = judge.judge(row.old, row.new)
                judged.append(Judged(row, change.score, change.stops))
    return judged


def judge_without(center: str | None, rows: Sequence[Row], counts: WordCounts) -> ChangeJudge:
    """Return a judge whose weights, word counts and threshold were fitted without ``center``.

    The threshold is chosen on the other help centers, each judged by the rest of them.
    """
    left_out = frozenset({center} if center else set())
    others = [row for row in rows if row.corpus not in left_out]
    threshold = threshold_for(_folds(others, counts, left_out))
    model = fit(others, word_stats(counts, left_out))
    return ChangeJudge(replace(model, threshold=threshold))


def judges_by_center(rows: Sequence[Row], counts: WordCounts) -> dict[str, ChangeJudge]:
    """Return for each help center of ``rows`` a judge that never saw it."""
    return {
        center: judge_without(center, rows, counts)
        for center in sorted({row.corpus for row in rows})
    }


def cross_validated(rows: Sequence[Row], counts: WordCounts) -> list[Judged]:
    """Return what a judge that never saw its help center says of each row, in the order of rows."""
    judges = judges_by_center(rows, counts)
    judged = []
    for row in rows:
        change = judges[row.corpus].judge(row.old, row.new)
        judged.append(Judged(row, change.score, change.stops))
    return judged


def auroc(judged: Sequence[Judged]) -> float:
    """Return the chance that a changed edit scores above one that is not; ties count half."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score([o.row.changed for o in judged], [o.score for o in judged]))


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share."""
    if not total:
        return 0.0, 1.0
    z = 1.959964
    middle = (hits + z * z / 2) / (total + z * z)
    half = z * math.sqrt(hits * (total - hits) / total + z * z / 4) / (total + z * z)
    return max(0.0, middle - half), min(1.0, middle + half)


def _share(judged: Sequence[Judged]) -> str:
    hits = sum(one.stops for one in judged)
    low, high = wilson(hits, len(judged))
    return f"{hits / max(1, len(judged)):.3f} [{low:.2f}, {high:.2f}] ({hits}/{len(judged)})"


def report(judged: Sequence[Judged], show: Callable[[str], None] = print) -> None:
    """Print recall, false alarms and AUROC: of all, per kind, per help center; then the misses."""
    changed = [one for one in judged if one.row.changed]
    same = [one for one in judged if not one.row.changed]
    show(f"{len(judged)} edits, each judged without its help center")
    show(f"  AUROC         {auroc(judged):.4f}")
    show(f"  recall        {_share(changed)}")
    show(f"  false alarms  {_share(same)}")
    show(f"  Brier score   {sum((o.score - o.row.changed) ** 2 for o in judged) / len(judged):.4f}")
    for kind in sorted({one.row.kind for one in changed}):
        show(f"  recall on {kind:10s} {_share([o for o in changed if o.row.kind == kind])}")
    for center in sorted({one.row.corpus for one in judged}):
        mine = [one for one in judged if one.row.corpus == center]
        show(
            f"  {center:12s} AUROC {auroc(mine):.3f}"
            f"  recall {_share([o for o in mine if o.row.changed])}"
            f"  false alarms {_share([o for o in mine if not o.row.changed])}"
        )
    show("  calibration: " + ", ".join(_bins(judged)))
    for one in sorted(changed, key=lambda one: one.score):
        if not one.stops:
            show(f"  missed {one.row.id} ({one.row.kind}, {one.score:.3f})")


def _bins(judged: Sequence[Judged]) -> Iterable[str]:
    for low in (0.0, 0.1, 0.25, 0.5, 0.75, 0.9):
        high = {0.0: 0.1, 0.1: 0.25, 0.25: 0.5, 0.5: 0.75, 0.75: 0.9, 0.9: 1.01}[low]
        mine = [one.row.changed for one in judged if low <= one.score < high]
        if mine:
            yield f"{low:.2f}+ → {sum(mine) / len(mine):.2f} of {len(mine)}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, measure and, when asked, write the model."""
    parser = argparse.ArgumentParser(prog="python -m kb.train_changes")
    parser.add_argument("folder", type=Path, help="folder with pairs.jsonl and more.jsonl")
    parser.add_argument("--words", type=Path, help="folder of unlabelled edits")
    parser.add_argument("--write", action="store_true", help=f"write {SHIPPED.name}")
    options = parser.parse_args(arguments)
    try:
        rows = read_rows(options.folder)
        counts = count_words(options.words or options.folder.parent / "unlabelled-changes")
    except BadInput as error:
        print(error, file=sys.stderr)
        return error.exit_code
    report(cross_validated(rows, counts))
    if options.write:
        model = judge_without(None, rows, counts).model
        SHIPPED.write_text(json.dumps(model.as_json(), indent=0, sort_keys=True) + "\n", "utf-8")
        print(f"wrote {SHIPPED} with threshold {model.threshold}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
