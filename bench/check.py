"""How well and how fast the evidence check judges: ``python -m bench.check --data ../shared/data``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from evals.corruptions import build_drafts, corrupt, help_center, reword, run
from graph.check import EvidenceChecker
from retrieval.ports import Embedder

HELP_CENTERS = ("letsencrypt", "travis-ci", "basecamp-policies", "tts-handbook")


def embedder() -> Embedder | None:
    try:
        from retrieval.embeddings import MiniLmEmbedder
    except ImportError:
        return None
    made: Embedder = MiniLmEmbedder()
    made.embed(["The model is loaded before anything is timed."])
    return made


def measure(
    folder: Path, model: Embedder | None, drafts: int, count: int, seed: int
) -> dict[str, Any]:
    samples = build_drafts(help_center(folder), drafts, seed)
    variants = corrupt(samples, count, seed + 1)
    scores = run(EvidenceChecker(model), samples, variants, reword(samples, count // 2, seed + 2))
    outcome = scores.as_json()
    if model is not None:
        texts = [" ".join(s["text"] for s in sample.draft["sentences"]) for sample in samples[:40]]
        started = time.perf_counter()
        for text in texts:
            model.embed([text])
        once = 1000 * (time.perf_counter() - started) / max(1, len(texts))
        outcome["milliseconds_per_embedding"] = round(once, 3)
        outcome["cost_in_embeddings"] = round(scores.milliseconds / once, 2)
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="*", default=list(HELP_CENTERS))
    parser.add_argument("--drafts", type=int, default=300)
    parser.add_argument("--corruptions", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument("--show", type=int, default=0, help="misses and alarms to print")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    model = None if args.no_model else embedder()
    outcomes: dict[str, Any] = {}
    for name in args.only:
        folder = args.data / f"helpcenter-{name}"
        if not folder.is_dir():
            print(
                f"{folder} is absent: name the folder that holds the help centers.", file=sys.stderr
            )
            return 2
        outcomes[name] = measure(folder, model, args.drafts, args.corruptions, args.seed)
    if args.json:
        print(json.dumps(outcomes, ensure_ascii=False))
        return 0
    for name, outcome in outcomes.items():
        print(f"\n{name}  ({'with' if model else 'without'} embeddings)")
        rows = [("all corruptions found", outcome["recall"])]
        rows += [(f"  {kind}", rate) for kind, rate in outcome["found"].items()]
        rows += [("false alarms, untouched", outcome["clean_alarms"])]
        rows += [("false alarms, reworded", outcome["reworded_alarms"])]
        rows += [(f"  {kind}", rate) for kind, rate in outcome["reworded"].items()]
        for label, rate in rows:
            print(
                f"  {label:28}{rate['hits']:5} / {rate['total']:<5}{rate['share']:7.3f}"
                f"   [{rate['low']:.3f}, {rate['high']:.3f}]"
            )
        print(f"  one draft: {outcome['milliseconds_per_draft']:.2f} ms", end="")
        if "cost_in_embeddings" in outcome:
            print(f" = {outcome['cost_in_embeddings']} embeddings of its text", end="")
        print()
        for miss in outcome["missed"][: args.show]:
            print(f"  missed {miss['kind']}: {miss['before']}\n      -> {miss['after']}")
        for alarm in outcome["alarms"][: args.show]:
            print(f"  alarm: {alarm['text']}\n      -> {alarm['message']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
