"""How well and how fast contacts are routed: ``python -m bench.triage ../shared/data/triage/cases.jsonl``.

Speed is told as a ratio: the time of classify and triage over the time of embedding, one text at a
time, what the customers wrote.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from bench._measure import seconds
from evals.triage import Verdict, read_cases, report_json, report_text, score, verdict_of
from graph.classify import ReasonClassifier
from graph.customer_text import customer_turns
from graph.reasons import ReasonMap
from graph.tiers import TierRules
from graph.triage import TriageService
from retrieval.embeddings import load_embedder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path)
    parser.add_argument("--workspace", type=Path, help="folder with tiers.yaml and reasons.yaml")
    parser.add_argument("--half", choices=("odd", "even"), help="only these places in the file")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    cases = read_cases(args.cases)
    if args.half:
        cases = cases[args.half == "even" :: 2]
    embedder = load_embedder()
    workspace: Path | None = args.workspace
    reasons = ReasonMap.load(workspace / "reasons.yaml") if workspace else ReasonMap()
    rules = TierRules.load(workspace / "tiers.yaml" if workspace else None)
    service = TriageService(rules, reasons, embedder)
    classifier = ReasonClassifier(reasons, embedder)
    conversations = [case.conversation() for case in cases]

    def route(at: int) -> Verdict:
        outcome = service.triage(conversations[at], classifier.classify(conversations[at]))
        return verdict_of(cases[at].id, outcome)

    first = seconds(lambda: route(0))
    started = time.perf_counter()
    verdicts = [route(at) for at in range(len(cases))]
    routing = time.perf_counter() - started
    texts = [turn["text"] for one in conversations for _, turn in customer_turns(one)]
    bare = seconds(lambda: [embedder.embed([text]) for text in texts])
    report = score(cases, verdicts)
    if args.json:
        print(report_json(report))
        return 0
    print(report_text(report))
    print(f"first contact, with the examples: {first:.2f} s")
    print(f"{len(cases) / routing:.1f} contacts/s; {routing / bare:.2f} times the bare embedding")
    return 0


if __name__ == "__main__":
    sys.exit(main())
