"""From which cosine on questions on one business may be taken to ask for the same.

    python -m bench.themes ../shared/data/banking77

Draws questions of 25 intents, eight of them with six questions each and the others with one, groups
them as the daily queue does, and tells which share of the pairs in one group are of one intent
(precision) and which share of the pairs of one intent are in one group (recall).
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import defaultdict
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Final

from bench._measure import table
from core.settings import Settings
from desk.flag_missing import Question, grouped
from retrieval.embeddings import load_embedder

DRAWS: Final = 4
COSINES: Final = (0.45, 0.5, 0.55, 0.6, 0.65)
_INTENTS: Final = 25
_REPEATED: Final = 8
_TIMES: Final = 6
_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)


def main() -> None:
    """Print precision and recall at each cosine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    by_intent: dict[str, list[str]] = defaultdict(list)
    with (folder / "test.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            by_intent[row["category"]].append(row["text"])
    embedder = load_embedder(Settings(_env_file=None).embeddings)
    counts = {cosine: [0, 0, 0] for cosine in COSINES}
    for seed in range(DRAWS):
        intent = drawn(by_intent, random.Random(seed))
        vectors = dict(zip(intent, embedder.embed(list(intent)), strict=True))
        questions = [Question(text, text, text, _AT, "", waits=False) for text in intent]
        wanted = sum(intent[one] == intent[two] for one, two in combinations(intent, 2))
        for cosine in COSINES:
            pairs = [
                intent[one.text] == intent[two.text]
                for group in grouped([], questions, vectors, cosine)
                for one, two in combinations(group.questions, 2)
            ]
            for place, number in enumerate((sum(pairs), len(pairs), wanted)):
                counts[cosine][place] += number
    rows = [
        (f"{cosine:.2f}", f"{right / max(joined, 1):.2f}", f"{right / wanted:.2f}")
        for cosine, (right, joined, wanted) in counts.items()
    ]
    print(table([("cosine", "precision", "recall"), *rows]))


def drawn(by_intent: dict[str, list[str]], chance: random.Random) -> dict[str, str]:
    """Return question → intent, in an order of chance."""
    intents = chance.sample(sorted(by_intent), _INTENTS)
    found = [
        (text, intent)
        for place, intent in enumerate(intents)
        for text in chance.sample(by_intent[intent], _TIMES if place < _REPEATED else 1)
    ]
    chance.shuffle(found)
    return dict(found)


if __name__ == "__main__":
    main()
