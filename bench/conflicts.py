"""Conflicts: twins found on folds, conflicts per help center, and what a look costs.

    python -m bench.conflicts ../shared/data --cache DIR [--json]

Twins: old and new article of each edit in ``policy-changes`` in force as two sources. The judge of
changes was trained on these edits, so each help center is judged by one that was fitted without it.
Found is a conflict between the two passages of the edit. A help center: all conflicts, printed to
be read; the time of a look at everything, and of looks at one article, the first of a process
(nothing remembered) and later ones. The help centers are synced into DIR once, which takes minutes.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

from bench._measure import median_seconds, seconds, table
from core.settings import Settings
from desk.bootstrap import Desk, opened
from desk.conflicts import ConflictFound, Conflicts
from evals.stale_world import passages_of
from kb.changes import ChangeJudge
from kb.content import Passage
from kb.train_changes import count_words, judges_by_center, read_rows
from retrieval.embedding_store import EmbeddingStore

SAMPLE = Path(__file__).resolve().parents[1] / "kb" / "sample"
CHANGES = "policy-changes"
LOOKS = 5


class _Some:
    """A help center of some passages."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._passages = {one.id: one for one in passages}

    def in_force_passage_ids(self) -> set[str]:
        return set(self._passages)

    def passages_in_force(self) -> list[Passage]:
        return list(self._passages.values())

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        return {key: self._passages[key] for key in ids if key in self._passages}


def help_center(desk: Desk, name: str) -> dict[str, Any]:
    """Return conflicts and times of one synced help center."""
    store = EmbeddingStore(desk.database, desk.embedder)
    passages = list(desk.library.passages_in_force())
    articles = sorted({one.article_id for one in passages})
    ChangeJudge().judge("warm up", "warmed up")
    found: list[ConflictFound] = []
    full = seconds(
        lambda: found.extend(Conflicts(desk.library, store, desk.changes).find())  # nothing known
    )
    some = articles[:: max(1, len(articles) // LOOKS)][:LOOKS]
    first = median_seconds(
        lambda at: Conflicts(desk.library, store, desk.changes).find([some[at % len(some)]]), LOOKS
    )
    kept = Conflicts(desk.library, store, desk.changes)
    kept.find([some[0]])
    later = median_seconds(lambda at: kept.find([some[at % len(some)]]), LOOKS)
    return {
        "name": name,
        "articles": len(articles),
        "passages": len(passages),
        "conflicts": len(found),
        "per_20_articles": round(20 * len(found) / len(articles), 2),
        "full_seconds": round(full, 2),
        "one_article_first_seconds": round(first, 2),
        "one_article_later_seconds": round(later, 3),
        "one_article_share_of_full": round(later / full, 3),
        "found": [
            {
                "articles": [one.left.article_id, one.right.article_id],
                "score": one.score,
                "sentence": one.sentence,
                "left": one.left.plain,
                "right": one.right.plain,
            }
            for one in found
        ],
    }


def twins(desk: Desk, data: Path) -> dict[str, Any]:
    """Return what of the edits is found, each judged without its own help center."""
    rows = [json.loads(line) for line in (data / CHANGES / "pairs.jsonl").read_text().splitlines()]
    judges = judges_by_center(read_rows(data / CHANGES), count_words(data / "unlabelled-changes"))
    store = EmbeddingStore(desk.database, desk.embedder)
    by_article: dict[str, list[Passage]] = defaultdict(list)
    for passage in desk.library.passages_in_force():
        by_article[passage.article_id.rpartition("/")[2]].append(passage)
    looked: dict[tuple[str, str, str], list[ConflictFound]] = {}
    told: Counter[tuple[str, str]] = Counter()
    of_kind: Counter[tuple[str, bool]] = Counter()
    elsewhere: list[int] = []
    misses: list[dict[str, str]] = []
    for row in rows:
        center = row["id"].rpartition("-")[0]
        names = [Path(row[side]).name for side in ("old_article", "new_article")]
        old, new = (by_article[name] for name in names)
        key = (center, *names)
        if key not in looked:
            source = _Some([*old, *new])
            looked[key] = Conflicts(source, store, judges[center]).find()
        ends = [
            {one.id for one in passages_of(row[f"{side}_passage"], passages)}
            for side, passages in (("old", old), ("new", new))
        ]
        on_it = [
            one
            for one in looked[key]
            if (one.left.id in ends[0] and one.right.id in ends[1])
            or (one.right.id in ends[0] and one.left.id in ends[1])
        ]
        elsewhere.append(len(looked[key]) - len(on_it))
        told["changed" if row["changed"] else "same", "found" if on_it else "not"] += 1
        of_kind[row["kind"], bool(on_it)] += 1
        if bool(on_it) != row["changed"]:
            misses.append({"id": row["id"], "kind": row["kind"]})
    changed = told["changed", "found"] + told["changed", "not"]
    same = told["same", "found"] + told["same", "not"]
    return {
        "changed": changed,
        "found": round(told["changed", "found"] / changed, 3),
        "unchanged": same,
        "false_alarms": round(told["same", "found"] / same, 3),
        "other_conflicts_per_pair": round(sum(elsewhere) / len(elsewhere), 2),
        "by_kind": {
            kind: f"{of_kind[kind, True]}/{of_kind[kind, True] + of_kind[kind, False]}"
            for kind in sorted({kind for kind, _ in of_kind})
        },
        "misses": misses,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    folders = {"sample": SAMPLE, CHANGES: options.data / CHANGES}
    folders |= {path.name: path for path in sorted(options.data.glob("helpcenter-*"))}
    result: dict[str, Any] = {"help_centers": []}
    for name, folder in folders.items():
        if options.only and name not in options.only:
            continue
        settings = Settings(home=options.cache / name, workspace=folder, _env_file=None)
        with opened(settings, inline=True) as desk:
            desk.sync()
            if name == CHANGES:
                result["twins"] = twins(desk, options.data)
            else:
                result["help_centers"].append(help_center(desk, name))
    if options.json:
        print(json.dumps(result, ensure_ascii=False, indent=1))
        return
    if result["help_centers"]:
        shown = [key for key in result["help_centers"][0] if key != "found"]
        print(table([shown, *([one[key] for key in shown] for one in result["help_centers"])]))
    for one in result["help_centers"]:
        for found in one["found"]:
            print(f"\n{one['name']}: {found['score']:.2f} {found['sentence']}")
            print(f"  {found['articles'][0]}: {found['left']}")
            print(f"  {found['articles'][1]}: {found['right']}")
    if "twins" in result:
        print()
        print(table([pair for pair in result["twins"].items() if pair[0] != "misses"]))


if __name__ == "__main__":
    main()
