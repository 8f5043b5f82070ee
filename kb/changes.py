"""Judges what an edit of a passage did to its facts: nothing, or which one became what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from kb.facts import VALUE_KINDS, compare, extract_facts

Outcome = Literal["same", "changed", "added", "removed", "unclear"]
STOPPING: Final[frozenset[Outcome]] = frozenset({"changed", "added", "removed", "unclear"})
"""Outcomes after which nobody may rely on the older passage without a look."""


@dataclass(frozen=True, slots=True)
class FactChange:
    """One thing that a reader of the newer passage is told differently.

    Attributes:
        kind: A ``kb.facts.FactKind``, or ``statement`` for what no figure carries.
        old: The words in the older passage; empty when the newer one adds it.
        new: The words in the newer passage; empty when it no longer says so.
        old_start: Offset of ``old`` in the older text; -1 when it is empty.
        new_start: Offset of ``new`` in the newer text; -1 when it is empty.
    """

    kind: str
    old: str
    new: str
    old_start: int = -1
    new_start: int = -1

    def as_json(self) -> dict[str, Any]:
        """Return kind, old and new as plain JSON values."""
        return {"kind": self.kind, "old": self.old, "new": self.new}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the facts of a passage.

    Attributes:
        outcome: ``same`` when a reader is told the same; ``unclear`` when neither rules nor score
            decide.
        score: How likely a reader is told something different, 0..1, calibrated.
        facts: What changed, the surest first; may be empty when only the score speaks.
    """

    outcome: Outcome
    score: float
    facts: tuple[FactChange, ...] = ()

    @property
    def stops(self) -> bool:
        """Whether an answer that rests on the older passage needs a person's look."""
        return self.outcome in STOPPING


class ChangeJudge:
    """Compares an older and a newer text of one passage."""

    def judge(self, old: str, new: str) -> Change:
        """Return what changed between two plain texts; symmetric in neither argument."""
        return self.judge_many([(old, new)])[0]

    def judge_many(self, pairs: Sequence[tuple[str, str]]) -> list[Change]:
        """Return a change for each pair of (older, newer) plain text."""
        return [_judge(old, new) for old, new in pairs]


def _judge(old: str, new: str) -> Change:
    if old == new:
        return Change("same", 0.0)
    facts = [
        FactChange(
            d.fact.kind,
            d.source.text if d.source else "",
            d.fact.text,
            d.source.start if d.source else -1,
            d.fact.start,
        )
        for d in compare(extract_facts(new), extract_facts(old))
        if d.fact.kind in VALUE_KINDS
    ]
    return Change("changed", 0.9, tuple(facts)) if facts else Change("unclear", 0.5)
