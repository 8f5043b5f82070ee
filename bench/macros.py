"""How well the look at macros tells an outdated one from one in other words.

    python -m bench.macros ../shared/data/policy-changes [--keep vectors.npz] [--show]

The older passage of each edit in ``pairs.jsonl`` is a macro, the newer article is in force and the
older one is known as its past; the newer passage is a macro, too, and must never be withheld. Each
help center is judged by a judge of changes that was fitted without it.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.support import Kept, Shelf, judges_of
from desk.macros import MacroJudge, MacroVerdict
from evals.corruptions import Rate
from graph.check import EvidenceChecker
from graph.citer import EmbeddingCiter
from graph.ports import Changes
from kb.content import Passage
from retrieval.embeddings import MiniLmEmbedder
from retrieval.ports import Embedder, Hit

VALUES: Final = frozenset(("number", "duration", "amount", "date"))


class _Found:
    """One article as all that can be found."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def search(self, query: str, count: int = 10) -> list[Hit]:
        found = self._shelf.search(query, count)
        return [Hit(rank, 1.0, one, 1.0, 0.0) for rank, one in enumerate(found, 1)]


class _Editions:
    """The newer and the older version of one article."""

    def __init__(self, newer: list[Passage], older: list[Passage]) -> None:
        self._editions = [newer, older]

    def editions(self, version_id: str, former: int = 2) -> list[list[Passage]]:
        return self._editions[: former + 1]


def verdict(
    pair: Mapping[str, Any],
    text: str,
    shelves: tuple[Shelf, Shelf],
    embedder: Embedder,
    changes: Changes,
) -> MacroVerdict:
    """Judge ``text`` as a macro; ``shelves`` are the older article and the one in force."""
    older, newer = shelves
    past = _Editions(newer.passages, older.passages)
    judge = MacroJudge(
        _Found(newer), EmbeddingCiter(embedder), EvidenceChecker(embedder), past, changes
    )
    return judge.judge(pair["id"], pair["question"], [text])


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", type=Path, help="a file that keeps vectors between runs")
    parser.add_argument("--show", action="store_true", help="print what is wrongly withheld")
    args = parser.parse_args()
    embedder = Kept(MiniLmEmbedder(), args.keep)
    judges = judges_of(args.folder)
    counts: dict[str, list[bool]] = defaultdict(list)
    shelves: dict[str, Shelf] = {}
    for line in (args.folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines():
        pair = json.loads(line)
        for path in (pair["old_article"], pair["new_article"]):
            if path not in shelves:
                shelves[path] = Shelf(args.folder / path, pair["article"], embedder)
        older, newer = shelves[pair["old_article"]], shelves[pair["new_article"]]
        for side in ("old", "new"):
            text = pair[f"{side}_passage"]
            judged = verdict(pair, text, (older, newer), embedder, judges(pair["corpus"]))
            kind = "value" if pair["kind"] in VALUES else pair["kind"]
            name = f"outdated, {kind}" if pair["changed"] else "reworded"
            counts[name if side == "old" else "as it stands"].append(judged.withheld)
            if args.show and judged.withheld and (side == "new" or not pair["changed"]):
                print(f"  {pair['id']}: {judged.sentence}")
    for name, withheld in sorted(counts.items()):
        rate = Rate(sum(withheld), len(withheld))
        low, high = rate.interval
        print(f"{name:22}{rate.hits:4} / {rate.total:<4}{rate.share:6.3f}  [{low:.3f}, {high:.3f}]")
    embedder.save()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
