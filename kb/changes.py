"""Judges what an edit of a passage did to its facts: nothing, or which one became what.

Rules read the edit (``kb.change_features``): the texts are aligned, values compared in one form,
and what merely moved or is written differently is set aside. A value, a bound, or a word that
permits or denies, left over on one side, settles it. For the rest a small model shipped with its
training script (``kb.train_changes``) weighs what is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from kb.change_model import ChangeModel
from kb.change_rules import moved_denials, settles, swapped_values, turned_bounds
from kb.edits import Edit, Hunk, Reading, Token, align, fills_hole, is_heading
from kb.facts import VALUE_KINDS, bound_span
from kb.words import MODALS

Outcome = Literal["same", "changed", "added", "removed", "unclear"]
STOPPING: Final[frozenset[Outcome]] = frozenset({"changed", "added", "removed", "unclear"})
"""Outcomes after which nobody may rely on the older passage without a look."""
SETTLED: Final = 0.9
"""Least score of an edit in which a rule found a value, a bound or a permission changed."""
SURE: Final = 0.5
"""Score from which an edit that no rule settles is called a change and not unclear."""
_LONGEST_QUOTE: Final = 120
_FEW: Final = 4


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

    @property
    def sentence(self) -> str:
        """What changed, for people: ``says “60 days” where it said “30 days”``."""
        if self.old and self.new:
            return f"says “{_short(self.new)}” where it said “{_short(self.old)}”"
        if self.new:
            return f"now also says “{_short(self.new)}”"
        return f"no longer says “{_short(self.old)}”"


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

    @property
    def sentence(self) -> str:
        """What became of the passage, for people; the first fact speaks for the others."""
        if not self.stops:
            return "says the same in other words" if self.score else "says the same"
        if not self.facts:
            return "tells a reader something else"
        more = len(self.facts) - 1
        return self.facts[0].sentence + (f", and {more} more" if more else "")


class ChangeJudge:
    """Compares an older and a newer text of one passage.

    Args:
        model: Weighs what no rule settles; the shipped one is read on first use.
    """

    def __init__(self, model: ChangeModel | None = None) -> None:
        self._model = model

    @property
    def model(self) -> ChangeModel:
        """The model at work.

        Raises:
            ModelUnavailable: The shipped weights are missing or damaged.
        """
        if self._model is None:
            self._model = ChangeModel.load()
        return self._model

    def judge(self, old: str, new: str) -> Change:
        """Return what changed from ``old`` to ``new``, two plain texts of one passage."""
        if old.split() == new.split():
            return Change("same", 0.0)
        if not old.strip() or not new.strip():
            return _whole(old, new)
        edit = align(old, new, self.model.words.common)
        facts = sorted(_fact_changes(edit, old, new), key=_rank)
        turned = list(_turned(edit, old, new))
        facts = turned + [fact for fact in facts if not any(_covers(t, fact) for t in turned)]
        settled = bool(turned) or any(settles(h, edit) for h in edit.hunks)
        score = self.model.score(edit)
        if settled:
            score = max(score, SETTLED)
        outcome = _outcome(score, self.model.threshold, settled, facts)
        return Change(outcome, score, () if outcome == "same" else tuple(facts))

    def judge_many(self, pairs: Sequence[tuple[str, str]]) -> list[Change]:
        """Return a change for each pair of (older, newer) plain text."""
        return [self.judge(old, new) for old, new in pairs]


def _whole(old: str, new: str) -> Change:
    """Return the change of a passage that came into being or went away."""
    start = next(
        (i for i, char in enumerate(old if old.strip() else new) if not char.isspace()), -1
    )
    if new.strip():
        return Change("added", 1.0, (FactChange("statement", "", new.strip(), -1, start),))
    return Change("removed", 1.0, (FactChange("statement", old.strip(), "", start, -1),))


def _outcome(score: float, threshold: float, settled: bool, facts: Sequence[FactChange]) -> Outcome:
    if score < threshold:
        return "same"
    if score < SURE and not settled:
        return "unclear"
    if facts and not any(fact.old for fact in facts):
        return "added"
    if facts and not any(fact.new for fact in facts):
        return "removed"
    return "changed"


def _turned(edit: Edit, old: str, new: str) -> Iterator[FactChange]:
    """Yield what both texts hold and what means something else now."""
    for was, now in moved_denials(edit):
        yield FactChange("negation", old[slice(*was)], new[slice(*now)], was[0], now[0])
    for before, after in turned_bounds(edit):
        was, now = bound_span(old, before), bound_span(new, after)
        yield FactChange(after.kind, old[slice(*was)], new[slice(*now)], was[0], now[0])
    for before, after in swapped_values(edit):
        yield FactChange(
            after.kind,
            old[before.start : before.end],
            new[after.start : after.end],
            before.start,
            after.start,
        )


def _covers(whole: FactChange, part: FactChange) -> bool:
    """Say whether the words of ``part`` stand within those of ``whole``."""
    return all(
        start < 0 or (outer <= start and start + len(words) <= outer + len(around))
        for outer, around, start, words in (
            (whole.old_start, whole.old, part.old_start, part.old),
            (whole.new_start, whole.new, part.new_start, part.new),
        )
    )


_RANKS: Final[dict[str, int]] = {
    kind: rank for rank, kind in enumerate((*VALUE_KINDS, "permission", "negation"))
}


def _rank(fact: FactChange) -> tuple[int, int]:
    one_sided = 0 if fact.old and fact.new else 1
    return _RANKS.get(fact.kind, len(_RANKS) + (fact.kind == "statement")), one_sided


def _fact_changes(edit: Edit, old: str, new: str) -> Iterator[FactChange]:
    for hunk in edit.hunks:
        if is_heading(hunk, edit) or fills_hole(hunk, edit):
            continue
        gone = [token for token in hunk.gone if not _idle(token)]
        came = [token for token in hunk.came if not _idle(token)]
        if not gone and not came:
            if not settles(hunk, edit):
                continue
            gone, came = hunk.gone, hunk.came
        if _only_values(gone, came):
            yield from _value_pairs(gone, came, old, new)
        else:
            yield _one_change(edit, hunk, gone, came, old, new)


def _idle(token: Token) -> bool:
    return token.function and not token.turning


def _only_values(gone: Sequence[Token], came: Sequence[Token]) -> bool:
    return len(gone) == len(came) and all(
        left.kind == right.kind and left.kind != "word"
        for left, right in zip(gone, came, strict=True)
    )


def _value_pairs(
    gone: Sequence[Token], came: Sequence[Token], old: str, new: str
) -> Iterator[FactChange]:
    for left, right in zip(gone, came, strict=True):
        yield FactChange(
            left.kind,
            old[left.start : left.end],
            new[right.start : right.end],
            left.start,
            right.start,
        )


def _one_change(
    edit: Edit, hunk: Hunk, gone: Sequence[Token], came: Sequence[Token], old: str, new: str
) -> FactChange:
    before, after = _span(edit.old, hunk.old, gone), _span(edit.new, hunk.new, came)
    kind = _kind(gone, came)
    small = len(gone) + len(came) <= _FEW
    if small and any(token.turning for token in (*gone, *came)) and not (before and after):
        # A lone "not" or "only" tells nobody what it turns: the words beside it come along.
        before, after = _wider(edit.old, hunk.old), _wider(edit.new, hunk.new)
    return FactChange(
        kind,
        old[slice(*before)] if before else "",
        new[slice(*after)] if after else "",
        before[0] if before else -1,
        after[0] if after else -1,
    )


def _span(reading: Reading, span: tuple[int, int], kept: Sequence[Token]) -> tuple[int, int] | None:
    """Return offsets from the first to the last token that is left over, small words included.

    The small words before them come along when nothing of the hunk was set aside.
    """
    if not kept:
        return None
    tokens = reading.tokens[span[0] : span[1]]
    whole = len(kept) == sum(not _idle(token) for token in tokens)
    return (tokens if whole else kept)[0].start, kept[-1].end


def _wider(reading: Reading, span: tuple[int, int]) -> tuple[int, int] | None:
    tokens = reading.tokens[max(0, span[0] - 1) : span[1] + 1]
    return (tokens[0].start, tokens[-1].end) if tokens else None


def _kind(gone: Sequence[Token], came: Sequence[Token]) -> str:
    tokens = (*gone, *came)
    kinds = [token.kind for token in tokens if token.kind != "word"]
    for kind in VALUE_KINDS:
        if kind in kinds:
            return kind
    few = len(gone) <= _FEW and len(came) <= _FEW
    if few and any(token.low in MODALS for token in tokens):
        return "permission"
    if few and any(token.denies for token in tokens):
        return "negation"
    if few and kinds:
        return kinds[0]
    if few and all(token.name for token in tokens):
        return "name"
    return "statement"


def _short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= _LONGEST_QUOTE else words[: _LONGEST_QUOTE - 1].rstrip() + "…"
