from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from graph.checkpoints import open_checkpointer


@dataclass
class Foreign:
    word: str


def test_a_checkpoint_brings_no_foreign_type_to_life(tmp_path: Path) -> None:
    saver, close = open_checkpointer(f"sqlite:///{tmp_path / 'x.sqlite'}", tmp_path)
    try:
        kind, data = saver.serde.dumps_typed({"plain": [1, "a"], "rich": Foreign("x")})
        read = saver.serde.loads_typed((kind, data))
        assert read["plain"] == [1, "a"]
        assert not isinstance(read["rich"], Foreign)
    finally:
        close()
