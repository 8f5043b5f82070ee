"""How a report names what a new version changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.identifiers import text_digest
from kb.changes import Change
from kb.content import Passage
from kb.passages import cut
from kb.version_changes import JudgedPassage, VersionPair

NOW = datetime(2026, 2, 1, tzinfo=UTC)
PAIR = VersionPair("help/fees.md", "ver_1", 1, "ver_2", 2, NOW)


def last_passage(body: str, version: int) -> Passage:
    piece = cut(body)[-1]
    return Passage(
        id=f"ver_{version}#0", kind="article", article_id=PAIR.article_id, version_id=f"ver_{version}",
        version=version, title="Fees", anchor=piece.anchor, heading_path=piece.heading_path,
        start=piece.start, end=piece.end, text=piece.text, plain=piece.plain,
        content_hash=text_digest(piece.text), effective_from=NOW,
    )  # fmt: skip


TABLE = "## Extras\n\nExtra | Price\n---|---\n{}\n"


@pytest.mark.parametrize(
    ("old", "new", "heading"),
    [
        (TABLE.format("dog | € 2 / night"), TABLE.format("dog | € 4 / night"), "Extras › dog"),
        (TABLE.format("dog | € 2"), TABLE.format("cat | € 2"), "Extras"),
        (
            "## Extras\n\nA dog: € 2; a cat: € 1.\n",
            "## Extras\n\nA dog: € 2; a cat: € 3.\n",
            "Extras",
        ),
    ],
)
def test_a_changed_row_is_named_by_its_first_cell(old: str, new: str, heading: str):
    change = Change("changed", 0.9, ())
    judged = JudgedPassage(PAIR, last_passage(old, 1), last_passage(new, 2), change)
    assert judged.as_json()["heading"] == heading
