"""Scores what contacts were taken to be about. Pure: from values to values.

What each figure is of is documented in ``evals/README.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from evals import runs
from evals.scores import (
    Bin,
    CurvePoint,
    Figure,
    Miss,
    Scores,
    auroc,
    calibration_error,
    f1,
    reliability,
    risk_coverage,
    share,
)
from graph.values import Classification, ReasonGuess

PROBES: Final = ("known", "outside", "unknown", "rest", "correction", "floor")
"""What a text is judged for:

``known``: it is about a reason of the map. ``outside``: it is about none of them. ``unknown``: its
reason was taken out of the map. ``rest``: its reason was left in when others were taken out.
``correction``: it was taken for something else, and then corrected. ``floor``: the baseline.
"""
MEASURES: Final[Mapping[str, str]] = {
    "accuracy": "best guess is right",
    "top3": "right one among the best three",
    "kept": "given the right reason",
    "refused": "refused",
    "macro_f1": "macro-F1 over reasons",
    "ece": "calibration error",
    "auroc": "AUROC of the doubt",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "taken": "corrections that hold at once",
    "seconds": "seconds to learn one (median)",
}
"""Measure → what a report calls it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one text was taken to be about.

    Attributes:
        id: Id of the text.
        probe: One of :data:`PROBES`.
        reason: What it was given; None when it was refused.
        confidence: How sure that is, 0..1.
        alternatives: The best three, the likeliest first, with the words that speak for each.
        seconds: ``correction``: how long learning and judging again took.
    """

    id: str
    probe: str
    reason: str | None
    confidence: float
    alternatives: tuple[ReasonGuess, ...] = ()
    seconds: float | None = None

    @property
    def best(self) -> str | None:
        """The likeliest reason, whether it was given or not."""
        return self.alternatives[0]["reason"] if self.alternatives else self.reason

    @property
    def sure(self) -> float:
        """How sure the likeliest reason is, 0..1."""
        return self.alternatives[0]["confidence"] if self.alternatives else self.confidence

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as a line of a verdict file."""
        line: dict[str, Any] = {
            "id": self.id,
            "probe": self.probe,
            "reason": self.reason,
            "confidence": self.confidence,
            "alternatives": list(self.alternatives),
        }
        if self.seconds is not None:
            line["seconds"] = round(self.seconds, 4)
        return line


def verdict_of(name: str, probe: str, found: Classification) -> Verdict:
    """Return a classification as the verdict on the text ``name``."""
    return Verdict(name, probe, found["reason"], found["confidence"], tuple(found["alternatives"]))


class _Guess(BaseModel):
    reason: str
    confidence: float = Field(ge=0, le=1)
    evidence: list[str] = []


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    id: str = Field(min_length=1)
    probe: str = "known"
    reason: str | None = None
    confidence: float = Field(ge=0, le=1)
    alternatives: list[_Guess] = []
    seconds: float | None = None


def read_verdicts(path: Path) -> list[Verdict]:
    """Return the verdicts of a file, or of a run's folder.

    Raises:
        BadInput: The file is missing or a line is no verdict; names file, line and field.
    """
    return runs.read_verdicts(path, _Line, _verdict)


def _verdict(row: _Line) -> Verdict:
    return Verdict(
        id=row.id,
        probe=row.probe,
        reason=row.reason,
        confidence=row.confidence,
        alternatives=tuple(
            {"reason": one.reason, "confidence": one.confidence, "evidence": one.evidence}
            for one in row.alternatives
        ),
        seconds=row.seconds,
    )


# Scores


def score(
    texts: Mapping[str, str], reasons: Mapping[str, str | None], verdicts: Sequence[Verdict]
) -> Scores:
    """Return how ``verdicts`` compare with what the texts are about.

    Args:
        texts: Id → text.
        reasons: Id → what it is about; None for none of the reasons. Others do not count.
        verdicts: Of all probes.
    """
    by_probe: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.id in reasons:
            by_probe.setdefault(verdict.probe, []).append(verdict)
    figures: dict[str, Figure] = {}
    curves: dict[str, list[CurvePoint]] = {}
    bins: dict[str, list[Bin]] = {}
    if known := by_probe.get("known"):
        figures["known.accuracy"] = _accuracy(known, reasons)
        figures["known.top3"] = share(
            sum(reasons[one.id] in _likeliest(one) for one in known), len(known)
        )
        figures["known.kept"] = _kept(known, reasons)
        figures["known.refused"] = _refused(known)
        figures |= _by_reason("known", known, reasons)
        judged = [(one.sure, one.best == reasons[one.id]) for one in known]
        bins["known"] = reliability(judged)
        figures["known.ece"] = calibration_error(bins["known"])
        curves["known"] = risk_coverage([(1 - sure, not right) for sure, right in judged])
    if outside := by_probe.get("outside"):
        figures["outside.refused"] = _refused(outside)
        figures["outside.auroc"] = _told_apart(outside, known or [])
    if unknown := by_probe.get("unknown"):
        rest = by_probe.get("rest", [])
        figures["unknown.refused"] = _refused(unknown)
        figures["unknown.kept"] = _kept(rest, reasons)
        figures["unknown.auroc"] = _told_apart(unknown, rest)
    if corrected := by_probe.get("correction"):
        figures["correction.taken"] = _kept(corrected, reasons)
        seconds = [one.seconds for one in corrected if one.seconds is not None]
        figures["correction.seconds"] = Figure(median(seconds) if seconds else None, len(seconds))
    if floor := by_probe.get("floor"):
        figures["floor.accuracy"] = _accuracy(floor, reasons)
        figures["floor.macro_f1"] = _by_reason("floor", floor, reasons)["floor.macro_f1"]
        judged = [(one.sure, one.best == reasons[one.id]) for one in floor]
        figures["floor.ece"] = calibration_error(reliability(judged))
    misses = [
        _miss(verdict, texts.get(verdict.id, ""), reasons[verdict.id], what)
        for probe in ("known", "outside", "unknown", "rest", "correction")
        for verdict in sorted(by_probe.get(probe, ()), key=lambda one: -one.sure)
        if (what := wrong(verdict, reasons[verdict.id]))
    ]
    return Scores(figures, curves, misses, bins)


def wrong(verdict: Verdict, reason: str | None) -> str:
    """Return what is wrong with a verdict in a few words; "" when it is right.

    Args:
        verdict: What the text was taken to be about.
        reason: What it is about; None for none of the reasons.
    """
    if reason is None or verdict.probe == "unknown":
        return "" if verdict.reason is None else "not refused"
    if verdict.reason == reason:
        return ""
    if verdict.reason is not None:
        return "taken for another"
    return "refused, though the best guess is right" if verdict.best == reason else "refused"


def _likeliest(verdict: Verdict) -> Collection[str]:
    return {guess["reason"] for guess in verdict.alternatives}


def _accuracy(verdicts: Sequence[Verdict], reasons: Mapping[str, str | None]) -> Figure:
    return share(sum(one.best == reasons[one.id] for one in verdicts), len(verdicts))


def _kept(verdicts: Sequence[Verdict], reasons: Mapping[str, str | None]) -> Figure:
    return share(sum(one.reason == reasons[one.id] for one in verdicts), len(verdicts))


def _refused(verdicts: Sequence[Verdict]) -> Figure:
    return share(sum(one.reason is None for one in verdicts), len(verdicts))


def _told_apart(strangers: Sequence[Verdict], known: Sequence[Verdict]) -> Figure:
    scored = [(1 - one.sure, True) for one in strangers] + [(1 - one.sure, False) for one in known]
    return Figure(auroc(scored), len(scored))


def _by_reason(
    probe: str, verdicts: Sequence[Verdict], reasons: Mapping[str, str | None]
) -> dict[str, Figure]:
    """Return macro-F1, then precision, recall and F1 of every reason, of the best guess."""
    expected: dict[str, int] = {}
    given: dict[str, int] = {}
    right: dict[str, int] = {}
    for one in verdicts:
        truth, best = reasons[one.id], one.best
        if truth is None or best is None:
            continue
        expected[truth] = expected.get(truth, 0) + 1
        given[best] = given.get(best, 0) + 1
        right[truth] = right.get(truth, 0) + (best == truth)
    each = {
        name: f1(right.get(name, 0), expected.get(name, 0), given.get(name, 0))
        for name in sorted(expected.keys() | given.keys())
    }
    values = [value for value in each.values() if value is not None]
    mean = sum(values) / len(values) if values else None
    figures = {f"{probe}.macro_f1": Figure(mean, len(values))}
    for name, value in each.items():
        hits = right.get(name, 0)
        figures[f"{probe}.precision.{name}"] = share(hits, given.get(name, 0))
        figures[f"{probe}.recall.{name}"] = share(hits, expected.get(name, 0))
        figures[f"{probe}.f1.{name}"] = Figure(value, expected.get(name, 0))
    return figures


def _miss(verdict: Verdict, text: str, reason: str | None, what: str) -> Miss:
    rows = [("text", text), ("is about", reason or "none of the reasons")]
    if verdict.reason is not None:
        rows.append(("taken for", verdict.reason))
    for guess in verdict.alternatives:
        words = ", ".join(guess["evidence"])
        rows.append(("guess", f"{guess['reason']} · {guess['confidence']:.3f} · {words}"))
    return Miss(verdict.id, verdict.probe, reason or "", what, rows)


def told(verdict: Verdict) -> str:
    """Return a verdict in a word."""
    return verdict.reason or "refused"


def better(was: Verdict, now: Verdict, reasons: Mapping[str, str | None]) -> bool | None:
    """Return whether ``now`` is right and ``was`` not; None where both are wrong or no label says."""
    if now.id not in reasons:
        return None
    before, after = (not wrong(one, reasons[now.id]) for one in (was, now))
    return None if before == after else after
