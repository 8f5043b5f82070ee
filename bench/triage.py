"""How well and how fast contacts are routed: ``python -m bench.triage ../shared/data/triage/cases.jsonl``.

Quality: a file is split into two halves by a seed. Thresholds were chosen on half A; half B is for
totals, looked at rarely, so only A lists its triggers and misses.

Speed: ``--contacts N`` routes N contacts in one run, as ``proofdesk triage`` does, and compares it
with embedding what the customers wrote, one text after the other and all at once. The texts are the
file's own, each made different, so that nothing is remembered from one to the next.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from bench._measure import one_thread_for_products, seconds
from desk.triage_file import routed, triage_contacts
from evals.triage_cases import TriageCase, read_cases
from evals.triage_scores import report_text, score, verdict_of
from graph.classify import ReasonClassifier
from graph.customer_text import customer_turns
from graph.reasons import ReasonMap
from graph.shipped_examples import ShippedExamples
from graph.tiers import TierRules
from graph.triage import TriageService
from graph.values import Conversation
from retrieval.embeddings import load_embedder
from retrieval.ports import Embedder
from retrieval.remembering import RememberingEmbedder

SEED = 2026
BATCH = 128


def half_of(cases: Sequence[TriageCase], half: Literal["A", "B"]) -> list[TriageCase]:
    """Return one half of the cases; which, depends on their ids and the seed alone."""
    ids = sorted(case.id for case in cases)
    random.Random(SEED).shuffle(ids)
    first = set(ids[: len(ids) // 2])
    return [case for case in cases if (case.id in first) == (half == "A")]


def many(cases: Sequence[TriageCase], count: int) -> list[Conversation]:
    """Return ``count`` contacts made from the cases; no two of them say quite the same."""
    found = []
    for number in range(count):
        contact = cases[number % len(cases)].contact.conversation()
        round_ = number // len(cases)
        for turn in contact["turns"] if round_ else ():
            turn["text"] = f"{turn['text']} Nr {round_}"
        contact["contact_id"] = f"{contact['contact_id']}-{number}"
        found.append(contact)
    return found


def peak_megabytes() -> int:
    """Return the most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


class Desk:
    """Classifier and rules, wired as a desk wires them."""

    def __init__(self, workspace: Path | None, embedder: Embedder) -> None:
        self.embedder = embedder
        reader = RememberingEmbedder(embedder)
        reasons = ReasonMap.load(workspace / "reasons.yaml") if workspace else ReasonMap()
        rules = TierRules.load(workspace / "tiers.yaml" if workspace else None)
        self.rules = TriageService(rules, reasons, reader, shipped=ShippedExamples())
        self.classifier = ReasonClassifier(reasons, reader)

    def route(self, contacts: Sequence[Conversation]) -> list[str]:
        """Return the tier of each contact."""
        return [triage["tier"] for _, triage in routed(self.classifier, self.rules, contacts)]


def print_speed(desk: Desk, cases: Sequence[TriageCase], count: int) -> None:
    """Print throughput against the bare embedding loop, and whether memory grows."""
    contacts = many(cases, count)
    texts = [
        "\n".join(turn["text"] for _, turn in customer_turns(contact)) or "-"
        for contact in contacts
    ]
    desk.route(contacts[:BATCH])
    slices = [slice(at, at + max(count // 4, 1)) for at in range(0, count, max(count // 4, 1))]
    ours = alone = together = 0.0
    peaks = []
    # Taken in turns: on a machine that others use, one long stretch each would compare loads.
    for part in slices:
        started = time.perf_counter()
        desk.route(contacts[part])
        ours += time.perf_counter() - started
        peaks.append(peak_megabytes())
        started = time.perf_counter()
        for text in texts[part]:
            desk.embedder.embed([text])
        alone += time.perf_counter() - started
        started = time.perf_counter()
        for at in range(part.start, min(part.stop, count), BATCH):
            desk.embedder.embed(texts[at : min(at + BATCH, part.stop)])
        together += time.perf_counter() - started
    print(
        f"{count} contacts: {count / ours:.1f}/s; embedding their texts one by one"
        f" {count / alone:.1f}/s, in batches {count / together:.1f}/s;"
        f" ratio {alone / ours:.2f} and {together / ours:.2f}"
    )
    print(f"peak memory after each quarter: {', '.join(map(str, peaks))} MB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--workspace", type=Path, help="folder with tiers.yaml and reasons.yaml")
    parser.add_argument("--half", choices=("A", "B"), help="only this half of the file")
    parser.add_argument("--contacts", type=int, default=0, help="also measure the speed on so many")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    one_thread_for_products()
    cases = half_of(read_cases(args.cases), args.half) if args.half else read_cases(args.cases)
    desk = Desk(args.workspace, load_embedder())
    contacts = [case.contact for case in cases]
    first = seconds(lambda: desk.route([contacts[0].conversation()]))
    found = triage_contacts(desk.classifier, desk.rules, contacts)
    report = score(cases, [verdict_of(line) for line in found])
    if args.json:
        print(json.dumps({name: one.as_json() for name, one in report.figures.items()}, indent=2))
        return 0
    lines = report_text(report).splitlines()
    print(f"{len(cases)} cases")
    print("\n".join(lines[:5] if args.half == "B" else lines))
    print(f"first contact, with the examples: {first:.2f} s")
    if args.contacts:
        print_speed(desk, cases, args.contacts)
    return 0


if __name__ == "__main__":
    sys.exit(main())
