"""Imported by the server that members of a fleet are forked from: what reads is built once, there.

Building it takes seconds, and nothing of it is written down or dies halfway: what a kill can tear
apart, each member has of its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from core.settings import Settings
from desk.bootstrap import Desk, opened
from graph.values import one_message

HOME: Final = "PROOFDESK_BENCH_HOME"
WORKSPACE: Final = "PROOFDESK_BENCH_WORKSPACE"
READS: Final = ("embedder", "reader", "tiers", "reasons")
_ASKED: Final = "How long does a refund take for order 1?"


def _build(home: Path, workspace: Path) -> dict[str, object]:
    settings = Settings(home=home, workspace=workspace, _env_file=None)
    with opened(settings, inline=True) as desk:
        built: dict[str, object] = {name: getattr(desk, name) for name in READS}
        learner, rules = desk._learner(), desk._triage_rules()
        asked = one_message(_ASKED)
        rules.triage(asked, learner.classify(asked))
        return built | {"_learner": lambda: learner, "_triage_rules": lambda: rules}


_BUILT: Final = (
    _build(Path(os.environ[HOME]), Path(os.environ[WORKSPACE])) if HOME in os.environ else {}
)


def share_with(desk: Desk) -> None:
    """Give a desk that has built nothing yet what this process has."""
    for name, part in _BUILT.items():
        setattr(desk, name, part)
