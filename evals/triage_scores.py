"""Scores triage against what a careful supervisor expects. Pure: from values to values.

What each figure is of is documented in ``evals/README.md``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from pydantic import BaseModel, ConfigDict, Field

from core.vocabulary import TIERS, Tier
from desk.triage_file import ContactLine, TriageLine, TriggerLine
from evals import runs
from evals.report import in_a_line
from evals.scores import (
    Bin,
    Cell,
    CurvePoint,
    Figure,
    Miss,
    Scores,
    Table,
    auroc,
    calibration_error,
    f1,
    reliability,
    risk_coverage,
    share,
)
from evals.triage_cases import Label, TriageCase
from graph.verdicts import WORKSPACE_TRIGGERS

PROBES: Final = ("message", "words")
"""What is asked of a contact: the whole triage; as a baseline, phrases and fields alone."""
MEASURES: Final[Mapping[str, str]] = {
    "escalated": "escalate-first contacts escalated",
    "leaked": "escalate-first contacts given allowed",
    "kept": "allowed contacts kept allowed",
    "needless": "other contacts escalated",
    "same_tier": "contacts given the expected tier",
    "macro_f1": "macro-F1 over triggers",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "auroc": "AUROC of the chance",
    "ece": "calibration error of the chance",
}
"""Measure → what a report calls it."""
_SAID: Final = "/examples["  # what fired by its meaning is named so


@dataclass(frozen=True, slots=True)
class Verdict:
    """What triage made of one contact.

    Attributes:
        id: Id of the contact.
        probe: One of :data:`PROBES`.
        tier: By message, conversation and the customer's fields alone.
        triggers: What gave cause for it, with evidence.
        desk_tier: With what the workspace's reason map and confidence add; None where not known.
        desk_triggers: What they add.
        score: How sure it is that the contact must be escalated, 0..1; None where not known.
        chances: How sure its meaning makes each trigger, 0..1.
        reason: What it was taken to be about.
        confidence: How sure that is, 0..1.
    """

    id: str
    probe: str
    tier: Tier
    triggers: tuple[TriggerLine, ...] = ()
    desk_tier: Tier | None = None
    desk_triggers: tuple[TriggerLine, ...] = ()
    score: float | None = None
    chances: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    confidence: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the verdict as a line of a verdict file."""
        line: dict[str, Any] = {
            "id": self.id,
            "probe": self.probe,
            "tier": self.tier,
            "triggers": list(self.triggers),
        }
        if self.desk_tier is not None:
            line["desk"] = {"tier": self.desk_tier, "triggers": list(self.desk_triggers)}
        if self.score is not None:
            line["score"] = round(self.score, 6)
            line["chances"] = {name: round(one, 6) for name, one in self.chances.items()}
        if self.confidence is not None:
            line |= {"reason": self.reason, "confidence": self.confidence}
        return line

    @property
    def fired(self) -> frozenset[str]:
        """The triggers that count for scores: not those that depend on the workspace."""
        return frozenset(one["id"] for one in self.triggers) - WORKSPACE_TRIGGERS


class _Trigger(BaseModel):
    id: str = Field(min_length=1)
    tier: str = ""
    evidence: str = ""
    by: str = ""


class _Desk(BaseModel):
    tier: Tier
    triggers: list[_Trigger] = []


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    id: str = Field(min_length=1)
    probe: str = "message"
    tier: Tier
    triggers: list[_Trigger] = []
    desk: _Desk | None = None
    score: float | None = Field(None, ge=0, le=1)
    chances: dict[str, float] = {}
    reason: str | None = None
    confidence: float | None = None


def read_verdicts(path: Path) -> list[Verdict]:
    """Return the verdicts of a file, or of a run's folder; `proofdesk triage --json` writes some.

    Raises:
        BadInput: The file is missing or a line is no verdict; names file, line and field.
    """
    return runs.read_verdicts(path, _Line, _verdict)


def _verdict(row: _Line) -> Verdict:
    return Verdict(
        id=row.id,
        probe=row.probe,
        tier=row.tier,
        triggers=_triggers(row.triggers),
        desk_tier=row.desk.tier if row.desk else None,
        desk_triggers=_triggers(row.desk.triggers if row.desk else []),
        score=row.score,
        chances=row.chances,
        reason=row.reason,
        confidence=row.confidence,
    )


def _triggers(rows: Sequence[_Trigger]) -> tuple[TriggerLine, ...]:
    return tuple(cast(TriggerLine, row.model_dump()) for row in rows)


def verdict_of(
    line: TriageLine,
    *,
    probe: str = "message",
    chances: Mapping[str, float] | None = None,
    severe: Collection[str] = (),
    at_desk: bool = True,
) -> Verdict:
    """Return a line of triage as a verdict.

    Args:
        line: What triage made of a contact.
        probe: One of :data:`PROBES`.
        chances: How sure the meaning makes each trigger; None where nobody asked.
        severe: The triggers that escalate.
        at_desk: Whether it says something that the line has a tier for the desk.
    """
    return Verdict(
        id=line["id"],
        probe=probe,
        tier=cast(Tier, line["tier"]),
        triggers=tuple(line["triggers"]),
        desk_tier=cast(Tier, line["desk"]["tier"]) if at_desk else None,
        desk_triggers=tuple(line["desk"]["triggers"]) if at_desk else (),
        score=None if chances is None else chance_of_escalation(line, chances, severe),
        chances=chances or {},
        reason=line["reason"],
        confidence=line["confidence"],
    )


def chance_of_escalation(
    line: TriageLine, chances: Mapping[str, float], severe: Collection[str]
) -> float:
    """Return how sure it is that a contact must be escalated, 0..1.

    Words and fields that escalate leave no doubt; else what counts is the surest meaning.

    Args:
        line: What triage made of the contact.
        chances: How sure the meaning makes each trigger.
        severe: The triggers that escalate.
    """
    if any(_held(cast(Tier, one["tier"])) and _SAID not in one["by"] for one in line["triggers"]):
        return 1.0
    return max((chance for name, chance in chances.items() if name in severe), default=0.0)


# Scores


def score(cases: Sequence[TriageCase], verdicts: Iterable[Verdict]) -> Scores:
    """Return how ``verdicts`` compare with what ``cases`` expect.

    Contacts without a label, and verdicts on contacts that are not among ``cases``, do not count.
    """
    labels = {case.id: case.label for case in cases if case.label is not None}
    contacts = {case.id: case.contact for case in cases}
    known = [verdict for verdict in verdicts if verdict.id in labels]
    ours = [verdict for verdict in known if verdict.probe == "message"]
    figures: dict[str, Figure] = {}
    curves: dict[str, list[CurvePoint]] = {}
    bins: dict[str, list[Bin]] = {}
    tables: dict[str, list[Table]] = {}
    if ours:
        tiers = [(labels[one.id].tier, one.tier) for one in ours]
        figures |= _tier_figures("message", tiers)
        tables["message"] = [_confusion(tiers)]
        figures |= _trigger_figures(ours, labels)
    judged = [
        (one.score, labels[one.id].tier == "escalate_first")
        for one in ours
        if one.score is not None
    ]
    if judged:
        bins["chance"] = reliability(judged)
        figures["chance.auroc"] = Figure(auroc(judged), len(judged))
        figures["chance.ece"] = calibration_error(bins["chance"])
        curves["chance"] = risk_coverage(judged)
    at_desk = [(labels[one.id].tier, one.desk_tier) for one in ours if one.desk_tier is not None]
    if at_desk:
        figures |= _tier_figures("desk", at_desk)
        tables["desk"] = [_confusion(at_desk)]
    if beside := [verdict for verdict in known if verdict.probe == "words"]:
        figures |= _tier_figures("words", [(labels[one.id].tier, one.tier) for one in beside])
        figures["words.macro_f1"] = _trigger_figures(beside, labels)["triggers.macro_f1"]
    misses = [
        miss
        for one in sorted(ours, key=lambda one: -badness(one, labels[one.id])[0])
        if (miss := _miss(contacts[one.id], labels[one.id], one)) is not None
    ]
    return Scores(figures, curves, misses, bins, tables)


def _held(tier: Tier) -> bool:
    return tier in ("escalate_first", "forbidden")


def _tier_figures(probe: str, tiers: Sequence[tuple[Tier, Tier]]) -> dict[str, Figure]:
    """Return the figures of pairs of expected and given tier."""
    severe = [given for expected, given in tiers if expected == "escalate_first"]
    others = [given for expected, given in tiers if expected != "escalate_first"]
    mild = [given for expected, given in tiers if expected == "allowed"]
    return {
        f"{probe}.escalated": share(sum(map(_held, severe)), len(severe)),
        f"{probe}.leaked": share(severe.count("allowed"), len(severe)),
        f"{probe}.kept": share(mild.count("allowed"), len(mild)),
        f"{probe}.needless": share(sum(map(_held, others)), len(others)),
        f"{probe}.same_tier": share(sum(one == other for one, other in tiers), len(tiers)),
    }


def _trigger_figures(verdicts: Sequence[Verdict], labels: Mapping[str, Label]) -> dict[str, Figure]:
    counts: dict[str, list[int]] = {}
    for verdict in verdicts:
        expected, fired = _expected(labels[verdict.id]), verdict.fired
        for trigger in expected | fired:
            count = counts.setdefault(trigger, [0, 0, 0])
            count[0] += trigger in expected
            count[1] += trigger in fired
            count[2] += trigger in expected and trigger in fired
    # Triggers that no case expects have no recall: their misfires show in precision and tiers.
    each = {name: f1(counts[name][2], *counts[name][:2]) for name in sorted(counts)}
    values = [value for value in each.values() if value is not None]
    mean = sum(values) / len(values) if values else None
    figures = {"triggers.macro_f1": Figure(mean, len(values))}
    for name, value in each.items():
        expected_, fired_, right = counts[name]
        figures[f"triggers.precision.{name}"] = share(right, fired_)
        figures[f"triggers.recall.{name}"] = share(right, expected_)
        figures[f"triggers.f1.{name}"] = Figure(value, expected_)
    return figures


def _expected(label: Label) -> frozenset[str]:
    return label.triggers - WORKSPACE_TRIGGERS


def _confusion(tiers: Sequence[tuple[Tier, Tier]]) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (expected, *(str(tiers.count((expected, given))) for given in TIERS))
        for expected in TIERS
        if any(one == expected for one, _ in tiers)
    ]
    return Table(("expected, given", *TIERS), rows, "Tiers: expected in rows, given in columns.")


def badness(verdict: Verdict, label: Label) -> tuple[int, int]:
    """Return how wrong a verdict is: first its tier, then its triggers; (0, 0) when it is right.

    What is let pass is worse than what is looked at needlessly.
    """
    step = TIERS.index(verdict.tier) - TIERS.index(label.tier)
    wrong = len(_expected(label) ^ verdict.fired)
    return (step if step >= 0 else -step * len(TIERS)), wrong


def _miss(contact: ContactLine, label: Label, verdict: Verdict) -> Miss | None:
    if badness(verdict, label) == (0, 0):
        return None
    expected, fired = _expected(label), verdict.fired
    rows: list[tuple[str, str]] = [(one.role, one.text) for one in contact.messages]
    rows += [("note", label.note), ("expected", ", ".join(sorted(label.triggers)) or "no trigger")]
    rows += [
        (f"{'fired' if one['id'] in expected else 'fired needlessly'}", _shown(one))
        for one in verdict.triggers
    ]
    rows += [("missed", _missed(name, verdict)) for name in sorted(expected - fired)]
    if verdict.score is not None:
        rows.append(("chance of an escalation", f"{verdict.score:.3f}"))
    if verdict.tier == label.tier:
        what = "right tier, other triggers"
    else:
        what = f"given {verdict.tier}, expected {label.tier}"
    return Miss(verdict.id, verdict.probe, label.tier, what, rows)


def _shown(trigger: TriggerLine) -> str:
    return f"{trigger['id']} · {trigger['evidence']} · {trigger['by']}"


def _missed(name: str, verdict: Verdict) -> str:
    chance = verdict.chances.get(name)
    return name if chance is None else f"{name} · its chance was {chance:.3f}"


def told(verdict: Verdict) -> str:
    """Return a verdict in a word or two."""
    return f"{verdict.tier}: {', '.join(sorted(verdict.fired)) or 'no trigger'}"


def better(was: Verdict, now: Verdict, labels: Mapping[str, Label]) -> bool | None:
    """Return whether ``now`` is nearer to what is expected; None where neither is."""
    label = labels.get(now.id)
    if label is None or badness(was, label) == badness(now, label):
        return None
    return badness(now, label) < badness(was, label)


def bases(labelled: Collection[str]) -> dict[str, runs.Basis[Verdict]]:
    """Return what each group of figures is of.

    Args:
        labelled: Ids of the contacts that have a label.
    """
    message = runs.of_probe("message", labelled)
    return {
        "message": message,
        "triggers": message,
        "words": runs.of_probe("words", labelled),
        "chance": runs.Basis(
            "message with its chance",
            labelled,
            lambda one: one.probe == "message" and one.score is not None,
        ),
        "desk": runs.Basis(
            "message with its tier for the desk",
            labelled,
            lambda one: one.probe == "message" and one.desk_tier is not None,
        ),
    }


def report_text(scores: Scores) -> str:
    """Return figures as a person reads them in a terminal: totals, then triggers."""
    totals = ("escalated", "leaked", "kept", "needless")
    names = [*(f"message.{one}" for one in totals), "triggers.macro_f1"]
    triggers = [name for name in scores.figures if name.startswith("triggers.f1.")]
    lines = []
    for name in (*names, *triggers):
        if name in scores.figures:
            _, measure, *kind = name.split(".")
            words = " ".join([MEASURES[measure], *kind])
            lines.append(f"{words}: {in_a_line(scores.figures[name])}")
    return "\n".join(lines)
