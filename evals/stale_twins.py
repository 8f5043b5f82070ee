"""The probe ``twins``: both versions of an article in force as two sources."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from desk.conflicts import ConflictFound, find_conflicts
from evals.stale_cases import Case
from evals.stale_probes import Stopwatch
from evals.stale_verdicts import Verdict
from evals.stale_world import Edit, Kit, Replay, passages_of, replay, with_articles
from retrieval.embedding_store import EmbeddingStore

_OLDER, _NEWER = "older", "newer"


def twins(cases: Sequence[Case], kit: Kit) -> list[Verdict]:
    """Put both versions of each article in force and look for conflicts; one verdict a case."""
    found: list[Verdict] = []
    centers = with_articles(cases)
    total = sum(len(edit.cases) for one in centers for edits in one.rounds for edit in edits)
    kit.on("twins", 0, total)
    for center in centers:
        with replay(kit, center.name) as home:
            for edits in center.rounds:
                found += _round(home, edits)
                kit.on("twins", len(found), total)
    return found


def _round(home: Replay, edits: Sequence[Edit]) -> list[Verdict]:
    watch = Stopwatch()
    home.store({f"{_OLDER}/{edit.path}": edit.old for edit in edits})
    home.store({f"{_NEWER}/{edit.path}": edit.new for edit in edits})
    changed = {
        home.article_id(f"{which}/{edit.path}") for edit in edits for which in (_OLDER, _NEWER)
    }
    store = EmbeddingStore(home.desk.database, home.desk.embedder)
    conflicts = find_conflicts(home.desk.library, store, home.desk.changes, changed)
    # All edits of a round are looked at together: each bears its part of the time.
    each = watch.lap() / sum(len(edit.cases) for edit in edits)
    return [_verdict(home, edit, case, conflicts, each) for edit in edits for case in edit.cases]


def _verdict(
    home: Replay, edit: Edit, case: Case, conflicts: Sequence[ConflictFound], seconds: float
) -> Verdict:
    old = _ids(home, f"{_OLDER}/{edit.path}", case.old_passage)
    new = _ids(home, f"{_NEWER}/{edit.path}", case.new_passage)
    on_it = [one for one in conflicts if _between(one, old, new)]
    best = max(on_it, key=lambda one: one.score, default=None)
    if best is None:
        return Verdict(case.id, "twins", False, 0.0, "no conflict found", seconds)
    return Verdict(case.id, "twins", True, best.score, best.sentence, seconds)


def _ids(home: Replay, path: str, passage: str) -> set[str]:
    return {found.id for found in passages_of(passage, home.passages(path))}


def _between(conflict: ConflictFound, old: Collection[str], new: Collection[str]) -> bool:
    ends = (conflict.left.id, conflict.right.id)
    return any(first in old and second in new for first, second in (ends, tuple(reversed(ends))))
