"""Sync of a help center, against a bare loop that embeds the same texts.

    python -m bench.sync ../shared/data/helpcenter-tts-handbook

The floor embeds, in batches, just the texts that the sync embeds: no reading, cutting, storing or
indexing. The second sync finds nothing changed.
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
            texts = list(embedded_texts(desk.library.passages_in_force()))

            def bare() -> None:
                for start in range(0, len(texts), BATCH):
                    desk.embedder.embed(texts[start : start + BATCH])

            floor = seconds(bare)
    result = {
        "texts": len(texts),
        "floor_seconds": round(floor, 2),
        "first_seconds": round(first, 2),
        "second_seconds": round(second, 3),
        "throughput_ratio": round(floor / first, 2),
        "second_share": round(second / first, 3),
    }
    print(json.dumps(result) if options.json else table(list(result.items())))


if __name__ == "__main__":
    main()
