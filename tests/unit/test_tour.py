"""The tour shows pictures that are there."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
LARGEST = 250_000


def test_every_picture_of_the_tour_is_there_in_light_and_dark_and_small() -> None:
    shown = re.findall(r"\]\((screenshots/[\w-]+)-light\.png\)", (DOCS / "tour.md").read_text())
    assert shown
    for name in shown:
        for scheme in ("light", "dark"):
            assert 0 < (DOCS / f"{name}-{scheme}.png").stat().st_size < LARGEST
