"""Which faults of seeded checks does the check let through, by kind?

    python -m bench.seeded_faults ../shared/data/helpcenter-letsencrypt kb/sample/articles [--drafts 150]

Drafts are made of a help center's sentences; each gets faults of each kind that it can have. Printed
is, by kind, how many drafts can have one, the share of their faults that the check lets through, and
the share of drafts for which at least one is let through, which is what a seeded check takes first.
Old values need a former version and are not measured here.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from evals.corruptions import build_drafts, help_center
from graph.check import EvidenceChecker
from graph.faults import FAULT_KINDS, faults_in, with_fault
from retrieval.embeddings import load_embedder

MOST = 24


def main() -> int:
    """Print what was found; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--drafts", type=int, default=150)
    given = parser.parse_args()
    checker = EvidenceChecker(load_embedder())
    for folder in given.folders:
        samples = [
            sample
            for sample in build_drafts(help_center(folder), given.drafts, seed=7)
            if checker.check(sample.draft, sample.passages, sample.in_force)["passed"]
        ]
        passages = {key: one for sample in samples for key, one in sample.passages.items()}
        versions = {one.version_id for one in passages.values()}
        sentences = [one for sample in samples for one in sample.draft["sentences"]]
        for kind in FAULT_KINDS:
            able = tried = through = helped = 0
            for number, sample in enumerate(samples):
                rng = random.Random(number)
                faults = faults_in(sample.draft, sample.passages, {}, kind, rng, sentences)[:MOST]
                passed = [
                    checker.check(with_fault(sample.draft, fault), passages, versions)["passed"]
                    for fault in faults
                ]
                able += bool(faults)
                tried += len(passed)
                through += sum(passed)
                helped += any(passed)
            if able:
                print(
                    f"{folder.name:<28}{kind:<12} {able:>4} of {len(samples)} drafts"
                    f"  faults let through {through / tried:.3f} ({through} of {tried})"
                    f"  drafts with one {helped / able:.3f}"
                )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
