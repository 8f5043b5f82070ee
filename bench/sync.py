"""Sync of a help center, against a bare loop that embeds the same texts.

    python -m bench.sync ../shared/data/helpcenter-tts-handbook

The floor embeds, in batches, just the texts that the sync embeds (passages and their sentences): no
reading, cutting, storing or indexing. A second floor embeds the passages alone, which is what the
usual way would embed. The second sync finds nothing changed.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path

os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")

from bench._measure import seconds, table
from core.settings import Settings
from desk.bootstrap import opened
from retrieval.search import embedded_texts

BATCH = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), workspace=options.workspace, _env_file=None)
        with opened(settings, inline=True) as desk:
            desk.embedder.embed(["warm up"])
            first = seconds(desk.sync)
            second = seconds(desk.sync)
            passages = list(desk.library.passages_in_force())
            texts = sorted({text for p in passages for text in embedded_texts(p)}, key=len)
            wholes = sorted({embedded_texts(p)[0] for p in passages}, key=len)

            def bare(some: list[str]) -> float:
                batches = range(0, len(some), BATCH)
                return seconds(
                    lambda: [desk.embedder.embed(some[at : at + BATCH]) for at in batches]
                )

            floor, passages_only = bare(texts), bare(wholes)
    result = {
        "passages": len(passages),
        "texts": len(texts),
        "floor_seconds": round(floor, 2),
        "floor_passages_only_seconds": round(passages_only, 2),
        "first_seconds": round(first, 2),
        "second_seconds": round(second, 3),
        "throughput_ratio": round(floor / first, 2),
        "throughput_ratio_passages_only": round(passages_only / first, 2),
        "second_share": round(second / first, 3),
    }
    print(json.dumps(result) if options.json else table(list(result.items())))


if __name__ == "__main__":
    main()
