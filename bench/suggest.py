"""How well proposed contact reasons match real ones: ``python -m bench.suggest ../shared/data/banking77``.

The groups that `proofdesk reasons suggest` makes of customers' questions are held against the
categories that people gave them, beside k-means over the same vectors with the true number of
categories, which nobody has in life. V-measure and adjusted Rand index count every contact, what
was left ungrouped as one more group; purity counts the grouped ones.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench._measure import table
from desk.suggest import PastContact, as_yaml, suggest
from retrieval.embeddings import load_embedder
from retrieval.remembering import RememberingEmbedder

Row = tuple[str, str]


def read(folder: Path, count: int, categories: int | None, seed: int) -> list[Row]:
    """Return random ``(text, category)`` of the training texts, of all or of some categories."""
    with (folder / "train.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    chosen = random.Random(seed)
    if categories is not None:
        kept = set(chosen.sample(sorted({category for _, category in rows}), categories))
        rows = [row for row in rows if row[1] in kept]
    return chosen.sample(rows, min(count, len(rows)))


def measures(truth: Sequence[str], labels: Sequence[int]) -> list[str]:
    """Return groups, share grouped, V-measure, adjusted Rand index and purity."""
    from sklearn.metrics import adjusted_rand_score, v_measure_score

    held: dict[int, Counter[str]] = {}
    for category, label in zip(truth, labels, strict=True):
        if label >= 0:
            held.setdefault(label, Counter())[category] += 1
    grouped = sum(sum(counts.values()) for counts in held.values())
    purest = sum(max(counts.values()) for counts in held.values())
    return [
        str(len(held)),
        f"{grouped / len(truth):.3f}",
        f"{v_measure_score(truth, labels):.3f}",
        f"{adjusted_rand_score(truth, labels):.3f}",
        f"{purest / max(grouped, 1):.3f}",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=3_000)
    parser.add_argument("--categories", type=int, help="only so many of them, at random")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--show", action="store_true", help="print the proposed map")
    args = parser.parse_args()
    rows = read(args.folder, args.count, args.categories, args.seed)
    truth = [category for _, category in rows]
    contacts = [PastContact(text, text) for text, _ in rows]
    embedder = RememberingEmbedder(load_embedder())
    started = time.perf_counter()
    vectors = embedder.embed([" ".join(text.split()) for text, _ in rows])
    embedding = time.perf_counter() - started
    started = time.perf_counter()
    found = suggest(contacts, embedder)
    grouping = time.perf_counter() - started

    from sklearn.cluster import KMeans

    kmeans = KMeans(len(set(truth)), n_init=1, random_state=0).fit_predict(np.asarray(vectors))
    lines = [
        ["", "groups", "grouped", "V-measure", "Rand", "purity"],
        ["proposed", *measures(truth, found.grouped)],
        [f"k-means, told {len(set(truth))}", *measures(truth, kmeans.tolist())],
    ]
    print(table(lines))
    print(f"{len(rows)} contacts: embedding {embedding:.1f} s, the rest {grouping:.1f} s")
    if args.show:
        print(as_yaml(found, str(args.folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
